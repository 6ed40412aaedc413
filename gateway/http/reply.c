/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "gateway/http/server.h"

enum {
    GZIP_FROM = 1400, /* smaller answers fit one packet anyway */
    INFLATED_MAX = 1 << 20,
    ETAG_SIZE = 32,
};

static const struct {
    const char *name, *value;
} security_headers[] = {
    { "Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; "
                                 "form-action 'none'; frame-ancestors 'none'" },
    { "X-Content-Type-Options", "nosniff" },
    { "X-Frame-Options", "DENY" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
};

struct MHD_Response *reply_dress(struct MHD_Response *response, const char *type,
                                 enum reply_cache cache)
{
    if (!response)
        return NULL;
    for (size_t i = 0; i < sizeof security_headers / sizeof *security_headers; i++)
        MHD_add_response_header(response, security_headers[i].name, security_headers[i].value);
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control",
                            cache == REPLY_REVALIDATE ? "no-cache" : "no-store");
    MHD_add_response_header(response, "Vary", "Accept-Encoding, Accept-Language");
    return response;
}

enum MHD_Result reply_queue(struct request *r, unsigned status, struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    enum MHD_Result ok = MHD_queue_response(r->connection, status, response);
    MHD_destroy_response(response);
    if (ok == MHD_YES && status >= 200 && status < 600)
        atomic_fetch_add(&r->http->answers[status / 100 - 2], 1);
    return ok;
}

/* The body squeezed into new memory; false leaves it as it is. */
static bool squeeze(struct buf *body)
{
    z_stream z = { 0 };
    const int window_and_gzip = 15 + 16;

    if (deflateInit2(&z, 4, Z_DEFLATED, window_and_gzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    size_t cap = deflateBound(&z, body->size);
    unsigned char *out = malloc(cap);
    z.next_in = (unsigned char *)body->data;
    z.avail_in = (unsigned)body->size;
    z.next_out = out;
    z.avail_out = (unsigned)cap;
    bool is_done = out && deflate(&z, Z_FINISH) == Z_STREAM_END;
    size_t size = z.total_out;
    deflateEnd(&z);
    if (!is_done) {
        free(out);
        return false;
    }
    free(body->data);
    body->data = (char *)out;
    body->size = size;
    return true;
}

enum MHD_Result reply_buf(struct request *r, unsigned status, const char *type,
                          struct buf *body)
{
    if (!buf_text(body)) {
        buf_done(body);
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE,
                           "The answer does not fit into memory.");
    }
    bool is_gzip = r->accepts_gzip && body->size >= GZIP_FROM && squeeze(body);
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(body->size, body->data, free);
    if (!response)
        free(body->data);
    *body = BUF_INIT(body->max);
    if (reply_dress(response, type, REPLY_NO_STORE) && is_gzip)
        MHD_add_response_header(response, "Content-Encoding", "gzip");
    return reply_queue(r, status, response);
}

enum MHD_Result reply_bytes(struct request *r, const char *type, struct buf *body,
                            const char *name, const char *value)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(body->size, body->data, free);

    if (!response)
        free(body->data);
    *body = BUF_INIT(body->max);
    if (reply_dress(response, type, REPLY_NO_STORE) && name)
        MHD_add_response_header(response, name, value);
    return reply_queue(r, MHD_HTTP_OK, response);
}

enum MHD_Result reply_text(struct request *r, unsigned status, const char *text)
{
    struct buf b = BUF_INIT(PAGE_MAX);

    buf_printf(&b, "%s\n", text);
    return reply_buf(r, status, "text/plain; charset=utf-8", &b);
}

enum MHD_Result reply_error(struct request *r, unsigned status, const char *sentence)
{
    char body[256];
    int n = snprintf(body, sizeof body, "{\"error\":\"%s\"}\n", sentence);
    struct MHD_Response *response = reply_dress(
        MHD_create_response_from_buffer(n < (int)sizeof body ? (size_t)n : sizeof body - 1,
                                        body, MHD_RESPMEM_MUST_COPY),
        "application/json", REPLY_NO_STORE);

    if (response && status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    if (response && status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, "Retry-After", "2");
    if (response && (status == MHD_HTTP_BAD_REQUEST || status == MHD_HTTP_METHOD_NOT_ALLOWED))
        MHD_add_response_header(response, "Connection", "close");
    return reply_queue(r, status, response);
}

static bool is_known(struct request *r, const char *etag)
{
    const char *have =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "If-None-Match");

    return have && strstr(have, etag);
}

static unsigned char *inflate_all(const unsigned char *gz, size_t size, size_t *ret_size)
{
    z_stream z = { .next_in = (unsigned char *)gz, .avail_in = (unsigned)size };
    unsigned char *out = malloc(INFLATED_MAX);

    if (!out || inflateInit2(&z, 15 + 16) != Z_OK) {
        free(out);
        return NULL;
    }
    z.next_out = out;
    z.avail_out = INFLATED_MAX;
    bool is_done = inflate(&z, Z_FINISH) == Z_STREAM_END;
    *ret_size = z.total_out;
    inflateEnd(&z);
    if (is_done)
        return out;
    free(out);
    return NULL;
}

/* As many bytes in both encodings have different tags: a strong ETag names the bytes sent. */
static struct MHD_Response *file_response(struct request *r, const unsigned char *gz,
                                          size_t size)
{
    size_t plain_size;

    if (r->accepts_gzip)
        return MHD_create_response_from_buffer(size, (void *)gz, MHD_RESPMEM_PERSISTENT);
    unsigned char *plain = inflate_all(gz, size, &plain_size);
    struct MHD_Response *response =
        plain ? MHD_create_response_from_buffer_with_free_callback(plain_size, plain, free)
              : NULL;
    if (!response)
        free(plain);
    return response;
}

enum MHD_Result reply_file(struct request *r, const char *type, const unsigned char *gz,
                           size_t size)
{
    char etag[ETAG_SIZE];
    unsigned long crc = crc32(crc32(0, NULL, 0), gz, (unsigned)size);

    snprintf(etag, sizeof etag, "\"%08lx-%zx%s\"", crc, size, r->accepts_gzip ? "-gz" : "");
    bool is_same = is_known(r, etag);
    struct MHD_Response *response =
        is_same ? MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT)
                : file_response(r, gz, size);
    if (!reply_dress(response, type, REPLY_REVALIDATE))
        return MHD_NO;
    MHD_add_response_header(response, "ETag", etag);
    if (!is_same && r->accepts_gzip)
        MHD_add_response_header(response, "Content-Encoding", "gzip");
    return reply_queue(r, is_same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}
