/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a write endpoint from what the user wrote. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/uplink/http_post.h"

enum { URL_MAX = 4096 };

static void put_encoded(struct buf *b, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (isalnum(*p) || strchr("-._~", *p))
            buf_put(b, p, 1);
        else
            buf_printf(b, "%%%02X", *p);
    }
}

/* True when `query` ("?a=1&b=2" or "") has the parameter; *ret_value then points to its value.
 */
static bool has_parameter(const char *query, const char *name, const char **ret_value)
{
    size_t n = strlen(name);

    for (const char *p = query; *p; p++) {
        if ((*p == '?' || *p == '&') && strncmp(p + 1, name, n) == 0 && p[n + 1] == '=') {
            *ret_value = p + n + 2;
            return true;
        }
    }
    return false;
}

static void add_parameter(struct buf *b, const char *query, bool *has_query, const char *name,
                          const char *value)
{
    const char *old;

    if (!value || !*value || has_parameter(query, name, &old))
        return;
    buf_printf(b, "%c%s=", *has_query ? '&' : '?', name);
    put_encoded(b, value);
    *has_query = true;
}

static bool precision_is_ms(const char *query)
{
    const char *value;

    if (!has_parameter(query, "precision", &value))
        return true;
    return strncmp(value, "ms", 2) == 0 && (value[2] == '\0' || value[2] == '&');
}

static const char *error_of(const char *url, size_t host_n, const char *query)
{
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return "The address must begin with http:// or https://.";
    if (memchr(url, '@', (size_t)(strstr(url, "://") + 3 - url) + host_n))
        return "Credentials do not belong into the address; use username and password_file.";
    if (host_n == 0)
        return "The address names no host.";
    if (strpbrk(url, " \t\r\n\"<>#"))
        return "The address holds characters that no address may have.";
    if (!precision_is_ms(query))
        return "The address asks for another precision; times are sent in ms.";
    return NULL;
}

char *http_post_write_url(const char *url, const struct write_target *t, char *why, size_t size)
{
    struct buf b = BUF_INIT(URL_MAX);
    const char *scheme_end = strstr(url, "://");
    const char *host = scheme_end ? scheme_end + 3 : url;
    const char *path = host + strcspn(host, "/?");
    const char *query = path + strcspn(path, "?");
    bool has_query = *query != '\0';
    bool has_path = query - path > 1;

    const char *error = error_of(url, (size_t)(path - host), query);
    if (error) {
        snprintf(why, size, "%s", error);
        return NULL;
    }
    buf_put(&b, url, (size_t)((has_path ? query : path) - url));
    if (!has_path)
        buf_puts(&b, t->bucket && *t->bucket ? "/api/v2/write" : "/write");
    buf_puts(&b, query);
    add_parameter(&b, query, &has_query, "db", t->database);
    add_parameter(&b, query, &has_query, "rp", t->retention_policy);
    add_parameter(&b, query, &has_query, "org", t->org);
    add_parameter(&b, query, &has_query, "bucket", t->bucket);
    add_parameter(&b, query, &has_query, "precision", "ms");
    char *ret = buf_text(&b) ? strdup(b.data) : NULL;
    if (!ret)
        snprintf(why, size, "The address is longer than %d bytes, or memory is short.",
                 URL_MAX);
    buf_done(&b);
    return ret;
}

/* ---- the import of VictoriaMetrics beside it ---- */

static const char import_path[] = "/api/v1/import";

static int digit_of(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* A parameter's value up to the next one, %41 and + undone. NULL when memory is short. */
static char *decode(const char *value)
{
    size_t n = strcspn(value, "&"), out = 0;
    char *ret = malloc(n + 1);

    for (size_t i = 0; ret && i < n; i++) {
        int high = value[i] == '%' && i + 2 < n ? digit_of(value[i + 1]) : -1;
        int low = high >= 0 ? digit_of(value[i + 2]) : -1;
        if (low >= 0) {
            ret[out++] = (char)(high * 16 + low);
            i += 2;
        } else {
            ret[out++] = value[i];
            if (value[i] == '+')
                ret[out - 1] = ' ';
        }
    }
    if (ret)
        ret[out] = '\0';
    return ret;
}

/* The query without what only a write address understands. */
static void put_import_query(struct buf *b, const char *query)
{
    static const char *const written[] = { "db",  "rp",     "precision",
                                           "org", "bucket", "consistency" };
    char mark = '?';

    for (const char *p = query; *p; p += 1 + strcspn(p + 1, "&")) {
        size_t n = strcspn(p + 1, "&");
        bool is_kept = n > 0;
        for (size_t i = 0; i < sizeof written / sizeof written[0]; i++)
            if (strcspn(p + 1, "=&") == strlen(written[i]) &&
                memcmp(p + 1, written[i], strlen(written[i])) == 0)
                is_kept = false;
        if (!is_kept)
            continue;
        buf_put(b, &mark, 1);
        buf_put(b, p + 1, n);
        mark = '&';
    }
}

static bool ends_in(const char *path, size_t n, const char *end)
{
    return n >= strlen(end) && memcmp(path + n - strlen(end), end, strlen(end)) == 0;
}

/* What of the path stays, and what takes the place of the rest; NULL: an unknown path. */
static const char *find_import_path(const char *path, size_t *n)
{
    static const struct {
        const char *end, *instead;
    } known[] = {
        { "/influx/api/v2/write", "/prometheus/api/v1/import" },
        { "/influx/write", "/prometheus/api/v1/import" },
        { "/api/v2/write", import_path },
        { "/write", import_path },
        { import_path, import_path },
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (ends_in(path, *n, known[i].end)) {
            *n -= strlen(known[i].end);
            return known[i].instead;
        }
    return NULL;
}

/* Before what vminsert adds: it tells of itself at the root. */
static size_t root_length(const char *path, size_t n)
{
    const char *insert = strstr(path, "/insert/");

    return insert && (size_t)(insert - path) < n ? (size_t)(insert - path) : n;
}

static char *take_text(struct buf *b)
{
    char *ret = buf_text(b) ? strdup(b->data) : NULL;

    buf_done(b);
    return ret;
}

int import_target_of(const char *write_url, struct import_target *ret)
{
    struct buf import = BUF_INIT(URL_MAX), flags = BUF_INIT(URL_MAX);
    const char *host = strstr(write_url, "://");
    const char *path = host ? host + 3 + strcspn(host + 3, "/?") : NULL;
    const char *query = path ? path + strcspn(path, "?") : NULL;
    size_t n = path ? (size_t)(query - path) : 0;
    const char *instead = path ? find_import_path(path, &n) : NULL;
    const char *database = NULL;

    if (!instead)
        return -EINVAL;
    buf_put(&import, write_url, (size_t)(path - write_url) + n);
    buf_puts(&import, instead);
    put_import_query(&import, query);
    buf_put(&flags, write_url, (size_t)(path - write_url) + root_length(path, n));
    buf_puts(&flags, "/flags");
    has_parameter(query, "db", &database);
    struct import_target t = { .import = take_text(&import),
                               .flags = take_text(&flags),
                               .database = database ? decode(database) : NULL };
    if (!t.import || !t.flags || (database && !t.database)) {
        import_target_done(&t);
        return -ENOMEM;
    }
    *ret = t;
    return 0;
}

void import_target_done(struct import_target *t)
{
    free(t->import);
    free(t->flags);
    free(t->database);
    *t = (struct import_target){ .import = NULL };
}
