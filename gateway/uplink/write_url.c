/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a write endpoint from what the user wrote. */
#include <ctype.h>
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
