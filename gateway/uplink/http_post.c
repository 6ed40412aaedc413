/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/http_post.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <zlib.h>

enum {
    CONNECT_MAX_MS = 10000,
    RESPONSE_MAX = 64 << 10, /* more of an answer is not read: an error text is enough */
    RESPONSE_KEPT = 120,     /* of it goes into the report */
    HEADER_MAX = 1024,
    GZIP_LEAST = 1024, /* below, the header of gzip costs what it saves */
    POLL_MS = 1000,
    RETRY_AFTER_MAX_S = 3600,
};

/* Of each http_post_type: its name. */
static const char *const type_headers[] = { "Content-Type: text/plain; charset=utf-8",
                                            "Content-Type: application/x-ndjson",
                                            "Content-Type: application/json",
                                            "Content-Type: application/cap+xml" };

enum { TYPES = sizeof type_headers / sizeof type_headers[0] };

struct http_post {
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers[TYPES], *gzip_headers[TYPES];
    z_stream zip;
    bool has_zip, may_not_connect;
    unsigned char *packed;
    size_t packed_cap;
    atomic_bool is_stopping;
    char *url;
    char answer[RESPONSE_KEPT];
    size_t answer_n, answer_size;
    struct buf *whole; /* of a fetch: its answer */
    struct http_post_answer last;
    char error[CURL_ERROR_SIZE];
};

static size_t on_answer(char *data, size_t size, size_t n, void *user)
{
    struct http_post *p = user;
    size_t room = sizeof p->answer - 1 - p->answer_n;
    size_t keep = size * n < room ? size * n : room;

    memcpy(p->answer + p->answer_n, data, keep);
    p->answer_n += keep;
    if (p->whole) {
        buf_put(p->whole, data, size * n);
        return size * n;
    }
    p->answer_size += size * n;
    return p->answer_size > RESPONSE_MAX ? 0 : size * n;
}

static int add_header(struct curl_slist **list, const char *text)
{
    struct curl_slist *more = curl_slist_append(*list, text);

    if (!more)
        return -ENOMEM;
    *list = more;
    return 0;
}

static bool is_header_value(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

static int add_token(struct curl_slist **list, const char *scheme, const char *token)
{
    char text[HEADER_MAX];

    int n =
        snprintf(text, sizeof text, "Authorization: %s %s", scheme ? scheme : "Token", token);
    if (n < 0 || (size_t)n >= sizeof text || !is_header_value(token))
        return -EINVAL;
    return add_header(list, text);
}

static int add_headers(struct curl_slist **list, const char *type,
                       const struct http_post_options *o)
{
    int rc = o->token ? add_token(list, o->scheme, o->token) : 0;

    if (rc == 0 && o->header)
        rc = is_header_value(o->header) ? add_header(list, o->header) : -EINVAL;
    if (rc < 0)
        return rc;
    if (add_header(list, type) < 0)
        return -ENOMEM;
    return add_header(list, "Expect:"); /* no round trip before the body */
}

/* For each type, plain and compressed. */
static int add_all_headers(struct http_post *p, const struct http_post_options *o)
{
    for (size_t i = 0; i < TYPES; i++) {
        int rc = add_headers(&p->headers[i], type_headers[i], o);
        if (rc == 0)
            rc = add_headers(&p->gzip_headers[i], type_headers[i], o);
        if (rc == 0)
            rc = add_header(&p->gzip_headers[i], "Content-Encoding: gzip");
        if (rc < 0)
            return rc;
    }
    return 0;
}

static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct http_post *p = user;

    (void)purpose;
    if (!p->may_not_connect)
        return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
    p->last.would_connect = true;
    return CURL_SOCKET_BAD;
}

static void set_options(struct http_post *p, const struct http_post_options *o)
{
    CURL *c = p->easy;

    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MAX_MS);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(o->timeout_ms ? o->timeout_ms : 30000));
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);   /* this is not the main thread */
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); /* a hanging name server must not hold us */
    curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, p);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, p->error);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, p);
    if (o->ca)
        curl_easy_setopt(c, CURLOPT_CAINFO, o->ca);
    if (o->username) {
        curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(c, CURLOPT_USERNAME, o->username);
        curl_easy_setopt(c, CURLOPT_PASSWORD, o->password ? o->password : "");
    }
}

int http_post_create(const struct http_post_options *o, struct http_post **ret)
{
    struct http_post *p = calloc(1, sizeof *p);
    int rc = -ENOMEM;

    if (!p)
        return rc;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    p->multi = curl_multi_init();
    p->easy = curl_easy_init();
    /* window bits 15 + 16: a gzip header, always the same for the same bytes */
    p->has_zip =
        deflateInit2(&p->zip, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    p->url = strdup(o->url);
    if (p->multi && p->easy && p->has_zip && p->url)
        rc = add_all_headers(p, o);
    if (rc < 0) {
        http_post_destroy(p);
        return rc;
    }
    set_options(p, o);
    *ret = p;
    return 0;
}

void http_post_destroy(struct http_post *p)
{
    if (!p)
        return;
    curl_easy_cleanup(p->easy);
    curl_multi_cleanup(p->multi);
    for (size_t i = 0; i < TYPES; i++) {
        curl_slist_free_all(p->headers[i]);
        curl_slist_free_all(p->gzip_headers[i]);
    }
    if (p->has_zip)
        deflateEnd(&p->zip);
    free(p->packed);
    free(p->url);
    free(p);
    curl_global_cleanup();
}

/* Compresses into p->packed. The size, or 0 when the body is to be sent as it is. */
static size_t pack(struct http_post *p, const void *body, size_t size)
{
    if (size < GZIP_LEAST)
        return 0;
    size_t bound = deflateBound(&p->zip, (uLong)size);
    if (bound > p->packed_cap) {
        unsigned char *more = realloc(p->packed, bound);
        if (!more)
            return 0;
        p->packed = more;
        p->packed_cap = bound;
    }
    deflateReset(&p->zip);
    p->zip.next_in = (Bytef *)(uintptr_t)body; /* zlib's interface lacks the const */
    p->zip.avail_in = (uInt)size;
    p->zip.next_out = p->packed;
    p->zip.avail_out = (uInt)p->packed_cap;
    return deflate(&p->zip, Z_FINISH) == Z_STREAM_END ? p->packed_cap - p->zip.avail_out : 0;
}

/* Performs the prepared request; CURLE_ABORTED_BY_CALLBACK when stopped. */
static CURLcode perform(struct http_post *p)
{
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    int running = 1;

    if (curl_multi_add_handle(p->multi, p->easy) != CURLM_OK)
        return CURLE_FAILED_INIT;
    while (running && !atomic_load(&p->is_stopping)) {
        if (curl_multi_perform(p->multi, &running) != CURLM_OK)
            break;
        if (running)
            curl_multi_poll(p->multi, NULL, 0, POLL_MS, NULL);
    }
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(p->multi, &left));)
        if (m->msg == CURLMSG_DONE)
            result = m->data.result;
    curl_multi_remove_handle(p->multi, p->easy);
    return result;
}

static enum uplink_verdict verdict_of(long status)
{
    static const struct {
        long from, to;
        enum uplink_verdict verdict;
    } classes[] = {
        { 200, 299, UPLINK_DELIVERED }, { 300, 399, UPLINK_DENIED },
        { 400, 400, UPLINK_REFUSED },   { 401, 401, UPLINK_DENIED },
        { 403, 404, UPLINK_DENIED },    { 413, 413, UPLINK_REFUSED },
        { 422, 422, UPLINK_REFUSED },
    };

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (status >= classes[i].from && status <= classes[i].to)
            return classes[i].verdict;
    return UPLINK_LATER;
}

/* The answer on one line, without what a terminal would obey. */
static void report_answer(struct http_post *p, long status, struct uplink_report *why)
{
    size_t n = 0;

    for (size_t i = 0; i < p->answer_n; i++) {
        unsigned char c = (unsigned char)p->answer[i];
        p->answer[n++] = (char)(c < 0x20 || c == 0x7f ? ' ' : c);
    }
    while (n > 0 && p->answer[n - 1] == ' ')
        n--;
    p->answer[n] = '\0';
    snprintf(why->text, sizeof why->text, "HTTP %ld%s%s", status, n ? ": " : "", p->answer);
}

static void copy_header(CURL *easy, const char *name, char *text, size_t size)
{
    struct curl_header *h;

    if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK)
        snprintf(text, size, "%s", h->value);
}

static void note_answer(struct http_post *p)
{
    struct http_post_answer *a = &p->last;
    struct curl_header *h;
    char date[64] = "";

    curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &a->status);
    copy_header(p->easy, "Date", date, sizeof date);
    const time_t date_s = *date ? curl_getdate(date, NULL) : -1;
    a->date_ms = date_s > 0 ? (int64_t)date_s * 1000 : 0;
    copy_header(p->easy, "X-Server-Hostname", a->host, sizeof a->host);
    copy_header(p->easy, "X-Influxdb-Version", a->influx_version, sizeof a->influx_version);
    a->has_influx_build =
        curl_easy_header(p->easy, "X-Influxdb-Build", 0, CURLH_HEADER, -1, &h) == CURLHE_OK;
}

static enum uplink_verdict judge(struct http_post *p, CURLcode rc, struct uplink_report *why)
{
    curl_off_t wait_s = 0;

    bool is_cut = rc == CURLE_WRITE_ERROR && p->answer_size > RESPONSE_MAX;
    if (rc != CURLE_OK && !is_cut) {
        snprintf(why->text, sizeof why->text, "%.150s",
                 p->error[0] ? p->error : curl_easy_strerror(rc));
        return UPLINK_LATER;
    }
    note_answer(p);
    curl_easy_getinfo(p->easy, CURLINFO_RETRY_AFTER, &wait_s);
    if (wait_s > RETRY_AFTER_MAX_S)
        wait_s = RETRY_AFTER_MAX_S;
    why->retry_after_ms = wait_s > 0 ? (int64_t)wait_s * 1000 : 0;
    report_answer(p, p->last.status, why);
    return verdict_of(p->last.status);
}

static void begin(struct http_post *p, const char *url, struct uplink_report *why)
{
    *why = (struct uplink_report){ .retry_after_ms = 0 };
    p->last = (struct http_post_answer){ .status = 0 };
    p->may_not_connect = false;
    p->answer_n = p->answer_size = 0;
    p->error[0] = '\0';
    curl_easy_setopt(p->easy, CURLOPT_URL, url);
}

enum uplink_verdict http_post_request(struct http_post *p, const struct http_post_request *r,
                                      struct uplink_report *why)
{
    size_t packed = r->is_plain ? 0 : pack(p, r->body, r->size);
    struct curl_slist *usual = packed ? p->gzip_headers[r->type] : p->headers[r->type];
    struct curl_slist one = { (char *)(uintptr_t)r->header, usual }; /* curl only reads it */

    begin(p, r->url ? r->url : p->url, why);
    p->may_not_connect = r->may_not_connect;
    curl_easy_setopt(p->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, r->header ? &one : usual);
    curl_easy_setopt(p->easy, CURLOPT_POSTFIELDS, packed ? (const void *)p->packed : r->body);
    curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)(packed ? packed : r->size));
    enum uplink_verdict v = judge(p, perform(p), why);
    curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, usual);
    return v;
}

const struct http_post_answer *http_post_answer(const struct http_post *p)
{
    return &p->last;
}

enum uplink_verdict http_post_fetch(struct http_post *p, const char *url, struct buf *ret,
                                    struct uplink_report *why)
{
    begin(p, url, why);
    curl_easy_setopt(p->easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers[HTTP_POST_LINES]);
    p->whole = ret;
    enum uplink_verdict v = judge(p, perform(p), why);
    p->whole = NULL;
    return v;
}

void http_post_stop(struct http_post *p)
{
    atomic_store(&p->is_stopping, true);
    curl_multi_wakeup(p->multi);
}
