/* SPDX-License-Identifier: Apache-2.0 */
/*
 * influx - frames and events as points to InfluxDB 1, 2 or VictoriaMetrics.
 *
 * A batch goes out in requests of bounded size; the first that is not delivered gives the
 * verdict. What went before is repeated with the rest, the same bytes, which both databases
 * take as the same points.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/uplink/line_post.h"
#include "gateway/uplink/line_protocol.h"
#include "gateway/uplink/uplink.h"

enum {
    LINES_MAX = 5000,        /* of one request */
    BODY_PART_MAX = 1 << 20, /* a request is sent when it reaches this */
    BODY_MAX = 8 << 20,      /* one row of 1024 columns with long names above the part: 1 MiB */
    LAYOUTS_MAX = 4096,      /* prefixes kept; at more, all are built anew */
    WARN_EVERY_MS = 3600000,
    FUTURE_MAX_MS = 172800000, /* VictoriaMetrics drops later points without a word */
};

struct influx_options {
    const char *url, *database, *retention_policy, *org, *bucket;
    const char *username, *password, *token, *ca;
    int64_t timeout_ms;
    int format; /* enum line_post_format */
    bool is_gzip;
};

struct kept_layout {
    uint32_t id;
    struct line_layout *layout;
};

struct uplink {
    const struct influx_options *opt;
    const struct uplink_station *station;
    struct line_post *post;
    struct clock clock;
    struct buf body;
    size_t lines;
    int64_t latest_ms, warned_ms;
    uint64_t rows_refused;
    bool is_shown;               /* lines stay in the body */
    struct kept_layout *layouts; /* sorted by id */
    size_t layouts_n;
};

static bool url_is_ok(const char *text, char *why, size_t size)
{
    char *url = http_post_write_url(text, &(struct write_target){ .bucket = NULL }, why, size);

    free(url);
    return url != NULL;
}

#define OPTION(member) offsetof(struct influx_options, member)

static const struct field influx_fields[] = {
    { .name = "url",
      .type = FIELD_TEXT,
      .offset = OPTION(url),
      .flags = FIELD_REQUIRED,
      .help = "Address of the database, such as http://127.0.0.1:8428.",
      .is_ok = url_is_ok },
    { .name = "database",
      .type = FIELD_TEXT,
      .offset = OPTION(database),
      .help = "Database of InfluxDB 1." },
    { .name = "retention_policy",
      .type = FIELD_TEXT,
      .offset = OPTION(retention_policy),
      .help = "Retention policy of InfluxDB 1." },
    { .name = "org",
      .type = FIELD_TEXT,
      .offset = OPTION(org),
      .help = "Organisation of InfluxDB 2." },
    { .name = "bucket",
      .type = FIELD_TEXT,
      .offset = OPTION(bucket),
      .help = "Bucket of InfluxDB 2; chooses its write address." },
    { .name = "username",
      .type = FIELD_TEXT,
      .offset = OPTION(username),
      .help = "User name for basic authorisation." },
    { .name = "password",
      .type = FIELD_TEXT,
      .offset = OPTION(password),
      .flags = FIELD_SECRET,
      .help = "Password for basic authorisation." },
    { .name = "token",
      .type = FIELD_TEXT,
      .offset = OPTION(token),
      .flags = FIELD_SECRET,
      .help = "API token of InfluxDB 2." },
    { .name = "ca",
      .type = FIELD_TEXT,
      .offset = OPTION(ca),
      .help = "File of certificates to trust instead of the system's." },
    { .name = "timeout",
      .type = FIELD_DURATION,
      .offset = OPTION(timeout_ms),
      .dflt = "30s",
      .min = 1000,
      .max = 300000,
      .help = "Longest time one request may take." },
    { .name = "format",
      .type = FIELD_ENUM,
      .offset = OPTION(format),
      .dflt = "auto",
      .words = line_post_format_words,
      .help = "What goes over the wire; auto asks the server and writes JSON lines to "
              "VictoriaMetrics, line protocol to all others." },
    { .name = "gzip",
      .type = FIELD_BOOL,
      .offset = OPTION(is_gzip),
      .dflt = "true",
      .help =
          "Compress requests above 1 kB, except to a server that does not say what it is." },
    { .name = NULL },
};

static void drop_layouts(struct uplink *u)
{
    for (size_t i = 0; i < u->layouts_n; i++)
        line_layout_destroy(u->layouts[i].layout);
    u->layouts_n = 0;
}

static void influx_destroy(struct uplink *u)
{
    if (!u)
        return;
    drop_layouts(u);
    free(u->layouts);
    line_post_destroy(u->post);
    buf_done(&u->body);
    free(u);
}

static int open_post(struct uplink *u)
{
    const struct influx_options *o = u->opt;
    char why[160];
    char *url = http_post_write_url(
        o->url, &(struct write_target){ o->database, o->retention_policy, o->org, o->bucket },
        why, sizeof why);

    if (!url)
        return -EINVAL;
    const struct line_post_options post = {
        .http = { .url = url,
                  .username = o->username,
                  .password = o->password,
                  .token = o->token,
                  .ca = o->ca,
                  .timeout_ms = o->timeout_ms },
        .format = (enum line_post_format)o->format,
        .is_plain = !o->is_gzip,
        .who = "uplink influx",
    };
    int rc = line_post_create(&post, &u->post);
    free(url);
    return rc;
}

static int influx_create(const void *options, const struct uplink_station *station,
                         struct uplink **ret)
{
    struct uplink *u = calloc(1, sizeof *u);

    if (!u)
        return -ENOMEM;
    u->opt = options;
    u->station = station;
    u->body = BUF_INIT(BODY_MAX);
    u->warned_ms = INT64_MIN / 2;
    if (station->clock && station->clock->speed == 1)
        u->clock = *station->clock;
    else /* a database goes by real time, whatever a demonstration does */
        clock_init(&u->clock, 1, 0);
    u->layouts = calloc(LAYOUTS_MAX, sizeof *u->layouts);
    int rc = u->layouts ? open_post(u) : -ENOMEM;
    if (rc < 0) {
        influx_destroy(u);
        return rc;
    }
    *ret = u;
    return 0;
}

/* Index of the first kept layout not below `id`. */
static size_t layout_place(const struct uplink *u, uint32_t id)
{
    size_t low = 0, high = u->layouts_n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (u->layouts[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct line_layout *keep_layout(struct uplink *u, uint32_t id, const char *json,
                                       char *why, size_t why_size)
{
    struct line_layout *made;

    if (line_layout_create(json, strlen(json), u->station->id, &made, why, why_size) < 0)
        return NULL;
    if (u->layouts_n == LAYOUTS_MAX)
        drop_layouts(u);
    size_t at = layout_place(u, id);
    memmove(u->layouts + at + 1, u->layouts + at, (u->layouts_n - at) * sizeof *u->layouts);
    u->layouts[at] = (struct kept_layout){ id, made };
    u->layouts_n++;
    return made;
}

/* NULL, with a sentence in `why`, when the layout is unknown or cannot be written. */
static const struct line_layout *find_layout(struct uplink *u, const struct uplink_entry *e,
                                             char *why, size_t why_size)
{
    size_t at = layout_place(u, e->layout);

    if (at < u->layouts_n && u->layouts[at].id == e->layout)
        return u->layouts[at].layout;
    char *json =
        u->station->layout_json ? u->station->layout_json(u->station->user, e->layout) : NULL;
    if (json) {
        struct line_layout *made = keep_layout(u, e->layout, json, why, why_size);
        free(json);
        return made;
    }
    snprintf(why, why_size, "The dictionary of layout %08" PRIx32 " is not known.", e->layout);
    return NULL;
}

static enum uplink_verdict flush(struct uplink *u, struct uplink_report *why)
{
    if (u->body.size == 0)
        return UPLINK_DELIVERED;
    enum uplink_verdict v = line_post_send(u->post, u->body.data, u->body.size, why);
    buf_clear(&u->body);
    u->lines = 0;
    return v;
}

/* Some more lines went into the body. */
static enum uplink_verdict count_lines(struct uplink *u, const struct line_counts *c,
                                       struct uplink_report *why)
{
    u->lines += c->lines;
    u->rows_refused += c->rows_refused;
    if (u->is_shown)
        return UPLINK_DELIVERED;
    return u->lines >= LINES_MAX || u->body.size >= BODY_PART_MAX ? flush(u, why)
                                                                  : UPLINK_DELIVERED;
}

static enum uplink_verdict put_frame(struct uplink *u, const struct uplink_entry *e,
                                     struct uplink_report *why)
{
    const struct line_layout *layout = find_layout(u, e, why->text, sizeof why->text);

    if (!layout)
        return UPLINK_REFUSED;
    for (uint32_t row = 0; row < e->frame->info.rows; row++) {
        struct line_counts c = { 0 };
        int rc = line_write_rows(&u->body, layout, e->frame, row, row, u->latest_ms, &c);
        if (rc < 0) {
            snprintf(why->text, sizeof why->text, "Frame of entry %" PRIu64 " %s.", e->seq,
                     rc == -EINVAL ? "does not fit its dictionary" : "is too large");
            return UPLINK_REFUSED;
        }
        enum uplink_verdict v = count_lines(u, &c, why);
        if (v != UPLINK_DELIVERED)
            return v;
    }
    return UPLINK_DELIVERED;
}

static enum uplink_verdict put_entry(struct uplink *u, const struct uplink_entry *e,
                                     struct uplink_report *why)
{
    struct line_counts c = { 0 };

    if (!e->is_event && e->frame)
        return put_frame(u, e, why);
    if (!e->is_event || line_write_event(&u->body, (const char *)e->data, e->size,
                                         u->station->id, u->latest_ms, &c) < 0) {
        snprintf(why->text, sizeof why->text, "Entry %" PRIu64 " cannot be written as lines.",
                 e->seq);
        return UPLINK_REFUSED;
    }
    return count_lines(u, &c, why);
}

static void warn_of_refused_rows(struct uplink *u)
{
    if (u->rows_refused == 0 || mono_ms() - u->warned_ms < WARN_EVERY_MS)
        return;
    log_warning("uplink influx leaves out rows whose time is before 1970 or more than two days "
                "ahead: databases drop them; rows=%" PRIu64,
                u->rows_refused);
    u->rows_refused = 0;
    u->warned_ms = mono_ms();
}

static enum uplink_verdict influx_send(struct uplink *u, const struct uplink_batch *b,
                                       struct uplink_report *why)
{
    enum uplink_verdict v = UPLINK_DELIVERED;

    *why = (struct uplink_report){ .text = "delivered" };
    buf_clear(&u->body);
    u->lines = 0;
    u->latest_ms = clock_wall_ms(&u->clock) + FUTURE_MAX_MS;
    for (size_t i = 0; i < b->n && v == UPLINK_DELIVERED; i++)
        v = put_entry(u, &b->entries[i], why);
    if (v == UPLINK_DELIVERED)
        v = flush(u, why);
    warn_of_refused_rows(u);
    return v;
}

/* As lines, whatever the server will be: nobody is asked. Without `is_whole` the first of each
 * entry. */
static int influx_show(struct uplink *u, const struct uplink_batch *b, bool is_whole,
                       struct buf *out)
{
    struct uplink_report why = { .text = "" };

    u->latest_ms = clock_wall_ms(&u->clock) + FUTURE_MAX_MS;
    for (size_t i = 0; i < b->n; i++) {
        const struct uplink_entry *e = &b->entries[i];
        buf_clear(&u->body);
        u->is_shown = true;
        enum uplink_verdict v = put_entry(u, e, &why);
        u->is_shown = false;
        const char *end = u->body.size > 0 ? memchr(u->body.data, '\n', u->body.size) : NULL;
        buf_printf(out, "# entry %" PRIu64 ": %zu lines, %zu bytes%s%s\n", e->seq, u->lines,
                   u->body.size, v == UPLINK_DELIVERED ? "" : ", refused: ",
                   v == UPLINK_DELIVERED ? "" : why.text);
        if (end && !is_whole)
            buf_put(out, u->body.data, (size_t)(end + 1 - u->body.data));
        else
            buf_put(out, u->body.data, u->body.size);
        u->lines = 0;
    }
    buf_clear(&u->body);
    return out->has_failed ? -ENOSPC : 0;
}

static void influx_stop(struct uplink *u)
{
    line_post_stop(u->post);
}

const struct uplink_kind uplink_influx = {
    .name = "influx",
    .title = "InfluxDB, or VictoriaMetrics, over HTTP",
    .wants_rows = true,
    .takes_any_order = true,
    .options = influx_fields,
    .options_size = sizeof(struct influx_options),
    .create = influx_create,
    .destroy = influx_destroy,
    .send = influx_send,
    .show = influx_show,
    .stop = influx_stop,
};
