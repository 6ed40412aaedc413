/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lns/backfill.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/uplink/http_post.h"

enum {
    URL_MAX = 1024,
    PAGE_LINES = 500,
    PAGE_BYTES_MAX = 4 << 20, /* of which a cut last line is asked for again */
    PAGES_MAX = 400,          /* in a row: 200 000 uplinks, beyond what 30 days of a site are */
    TIMEOUT_MS = 60000,
};

struct backfill {
    struct http_post *http;
    char url[URL_MAX / 2];
    atomic_bool is_stopping;
};

/* An address with a path of the storage is taken as it is. */
static int print_url(const struct feed_conf *c, char *out, size_t size)
{
    const char *application = c->application ? c->application : c->username;
    size_t n = strlen(c->storage_url);
    int rc;

    while (n > 0 && c->storage_url[n - 1] == '/')
        n--;
    if (strstr(c->storage_url, "/packages/storage/"))
        rc = snprintf(out, size, "%.*s", (int)n, c->storage_url);
    else
        rc = snprintf(out, size,
                      "%.*s/api/v3/as/applications/%.*s/packages/storage/uplink_message",
                      (int)n, c->storage_url, (int)strcspn(application, "@"), application);
    return rc > 0 && (size_t)rc < size ? 0 : -EINVAL;
}

int backfill_create(const struct feed_conf *c, struct backfill **ret)
{
    struct backfill *b = calloc(1, sizeof *b);

    if (!b)
        return -ENOMEM;
    int rc = print_url(c, b->url, sizeof b->url);
    const struct http_post_options o = { .url = b->url,
                                         .token = c->password,
                                         .scheme = "Bearer",
                                         .header = "Accept: text/event-stream",
                                         .ca = c->ca,
                                         .timeout_ms = TIMEOUT_MS };
    if (rc == 0)
        rc = http_post_create(&o, &b->http);
    if (rc < 0) {
        free(b);
        return rc;
    }
    *ret = b;
    return 0;
}

void backfill_destroy(struct backfill *b)
{
    if (!b)
        return;
    http_post_destroy(b->http);
    free(b);
}

void backfill_stop(struct backfill *b)
{
    if (!b)
        return;
    atomic_store(&b->is_stopping, true);
    http_post_stop(b->http);
}

struct page { /* one answer, and what came of it */
    struct buf text;
    const struct backfill_sink *sink;
    int64_t newest_ms; /* of what was taken */
    char *why;
    size_t size;
};

/* 0, -ECANCELED: enough, -EAGAIN: the server failed in the midst of it. */
static int take_line(struct page *p, const char *line, size_t n)
{
    struct feed_message m;
    char why[FEED_TEXT_MAX];
    int64_t at_ms;

    int rc = ttn_stored_parse(line, n, &m, &at_ms, why, sizeof why);
    if (rc == -EIO) {
        snprintf(p->why, p->size, "What was missed cannot be fetched. %.200s", why);
        return -EAGAIN;
    }
    if (rc < 0)
        return p->sink->take(p->sink->user, NULL, why) ? 0 : -ECANCELED;
    m.is_backfill = true;
    if (!p->sink->take(p->sink->user, &m, NULL))
        return -ECANCELED;
    if (at_ms > p->newest_ms)
        p->newest_ms = at_ms;
    return 0;
}

/* Whole lines only, unless the page is whole. Event streams put "data:" before a line. */
static int take_page(struct page *page)
{
    static const char prefix[] = "data:";
    const char *p = page->text.data, *end = p ? p + page->text.size : NULL;
    int rc = 0;

    while (rc == 0 && p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline ? newline : end;
        const char *line = p;
        if (!newline && page->text.has_failed)
            break;
        p = stop + 1;
        if ((size_t)(stop - line) > strlen(prefix) && memcmp(line, prefix, strlen(prefix)) == 0)
            line += strlen(prefix);
        while (line < stop && strchr(" \t\r", *line))
            line++;
        if (line < stop)
            rc = take_line(page, line, (size_t)(stop - line));
    }
    return rc;
}

static int fetch_page(struct backfill *b, int64_t from_ms, struct buf *page, char *why,
                      size_t size)
{
    struct uplink_report report;
    char after[TIME_TEXT_MAX], url[URL_MAX];

    time_print_utc(from_ms, after);
    snprintf(url, sizeof url, "%s?after=%s&limit=%d&order=received_at", b->url, after,
             PAGE_LINES);
    enum uplink_verdict v = http_post_fetch(b->http, url, page, &report);
    if (atomic_load(&b->is_stopping))
        return -ECANCELED;
    if (v == UPLINK_DELIVERED)
        return 0;
    bool is_off = v == UPLINK_DENIED; /* 401, 403, 404, or elsewhere */
    snprintf(why, size, "What was missed cannot be fetched from the storage: %.100s.%s",
             report.text,
             is_off ? " The API key needs the right to read application traffic, and the "
                      "storage integration must be enabled."
                    : "");
    return -EAGAIN;
}

int backfill_fetch(struct backfill *b, int64_t *from_ms, const struct backfill_sink *sink,
                   char *why, size_t size)
{
    struct page page = { BUF_INIT(PAGE_BYTES_MAX), sink, *from_ms, why, size };
    int rc = 0;

    for (int i = 0; i < PAGES_MAX; i++) {
        buf_clear(&page.text);
        rc = fetch_page(b, *from_ms, &page.text, why, size);
        if (rc == 0)
            rc = take_page(&page);
        bool is_over = page.newest_ms <= *from_ms; /* nothing newer: that was all */
        *from_ms = page.newest_ms;
        if (is_over || rc < 0)
            break;
    }
    buf_done(&page.text);
    return rc;
}
