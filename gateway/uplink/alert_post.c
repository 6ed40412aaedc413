/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/alert_post.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"

enum { TOKEN_MAX = 900 }; /* of a header of 1 KiB */

bool alert_post_url_is_ok(const char *text, char *why, size_t size)
{
    const size_t n = strncmp(text, "http://", 7) == 0    ? 7
                     : strncmp(text, "https://", 8) == 0 ? 8
                                                         : 0;

    if (n > 0 && text[n] && text[n] != '/' && !strpbrk(text, " \t\r\n\"<>"))
        return true;
    snprintf(why, size, "It is an address such as https://alerts.example.cn/hook.");
    return false;
}

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

bool alert_post_token_is_ok(const char *text, char *why, size_t size)
{
    if (*text && strlen(text) <= TOKEN_MAX && is_plain(text))
        return true;
    snprintf(why, size, "A token has 1 to %d characters on one line.", TOKEN_MAX);
    return false;
}

/* 0: it is no time. */
static int64_t since_of(const char *text)
{
    char whole[TIME_TEXT_MAX];
    const size_t n = strlen(text);

    if (n == 10)
        snprintf(whole, sizeof whole, "%sT00:00:00.000Z", text);
    else if (n == 20 && text[n - 1] == 'Z')
        snprintf(whole, sizeof whole, "%.19s.000Z", text);
    else
        return 0;
    return time_read_utc(whole);
}

bool alert_post_since_is_ok(const char *text, char *why, size_t size)
{
    if (since_of(text) > 0)
        return true;
    snprintf(why, size, "A time is written 2026-11-22 or 2026-11-22T08:00:00Z (UTC).");
    return false;
}

bool alert_post_header_is_ok(const char *text, char *why, size_t size)
{
    const char *colon = strchr(text, ':');
    const char *p = text;

    while (isalnum((unsigned char)*p) || *p == '-' || *p == '_')
        p++;
    if (colon && p == colon && p > text && colon[1] == ' ' && colon[2] &&
        strlen(text) <= TOKEN_MAX && is_plain(text))
        return true;
    snprintf(why, size, "A header is written \"Name: value\", on one line.");
    return false;
}

int alert_post_create(const struct alert_post_options *o, const char *url,
                      struct http_post **ret)
{
    const struct http_post_options post = {
        .url = url ? url : o->url,
        .username = o->username,
        .password = o->password,
        .token = o->token,
        .scheme = "Bearer",
        .header = o->header,
        .ca = o->ca,
        .timeout_ms = o->timeout_ms,
    };

    return http_post_create(&post, ret);
}

enum alert_colour alert_post_lowest(const struct alert_post_options *o)
{
    return (enum alert_colour)(o->lowest + COLOUR_BLUE);
}

bool alert_post_wants(const struct alert_post_options *o, const struct alert_event *e)
{
    if (o->since && e->time_ms < since_of(o->since))
        return false;
    return e->is_notice ? o->has_notices : e->peak >= alert_post_lowest(o);
}
