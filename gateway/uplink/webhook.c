/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook - each change of an alert as one POST, as JSON or as a CAP message. A change that is
 * sent again has the same bytes and the same Idempotency-Key.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/uplink/alert_post.h"
#include "gateway/uplink/cap.h"
#include "gateway/uplink/uplink.h"

enum {
    BODY_MAX = CAP_MESSAGE_MAX,
    KEY_MAX = 1024,
    DONE_MAX = 512, /* entries of a batch that failed midway: more than one has */
};

enum format { FORMAT_JSON, FORMAT_CAP };
enum changes { CHANGES_ALL, CHANGES_COLOUR };

struct webhook_options {
    struct alert_post_options post;
    int format, changes;
    struct cap_options cap;
};

struct uplink {
    const struct webhook_options *opt;
    const struct uplink_station *station;
    struct http_post *post;
    struct buf body, key;
    uint64_t done[DONE_MAX]; /* delivered lately: a ring */
    size_t done_n;
};

static const char *const format_words[] = { "json", "cap", NULL };   /* enum format */
static const char *const change_words[] = { "all", "colour", NULL }; /* enum changes */

#define OPTION(member) offsetof(struct webhook_options, member)

static const struct field webhook_fields[] = {
    ALERT_POST_FIELDS(webhook_options, "Where each change of an alert is posted."),
    { .name = "format",
      .type = FIELD_ENUM,
      .offset = OPTION(format),
      .dflt = "json",
      .words = format_words,
      .help = "The event as JSON, or a message of the Common Alerting Protocol 1.2." },
    { .name = "changes",
      .type = FIELD_ENUM,
      .offset = OPTION(changes),
      .dflt = "all",
      .words = change_words,
      .help = "colour: only when an alert is raised, changes its colour or ends, not what "
              "persons do with it. CAP messages have a choice of their own." },
    { .name = "cap",
      .type = FIELD_GROUP,
      .offset = OPTION(cap),
      .help = "What a CAP message says beyond the alert.",
      .fields = cap_fields },
    { .name = NULL },
};

/* ---- life ---- */

static void webhook_destroy(struct uplink *u)
{
    if (!u)
        return;
    http_post_destroy(u->post);
    buf_done(&u->body);
    buf_done(&u->key);
    free(u);
}

static int webhook_create(const void *options, const struct uplink_station *station,
                          struct uplink **ret)
{
    struct uplink *u = calloc(1, sizeof *u);

    if (!u)
        return -ENOMEM;
    u->opt = options;
    u->station = station;
    u->body = BUF_INIT(BODY_MAX);
    u->key = BUF_INIT(KEY_MAX);
    int rc = alert_post_create(&u->opt->post, NULL, &u->post);
    if (rc < 0) {
        webhook_destroy(u);
        return rc;
    }
    *ret = u;
    return 0;
}

/* ---- what is sent ---- */

static bool is_of_colour(const char *what)
{
    static const char *const words[] = { "raised",     "upgraded",  "downgraded", "cleared",
                                         "superseded", "withdrawn", "reopened" };
    bool is_found = false;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        is_found |= strcmp(what, words[i]) == 0;
    return is_found;
}

static bool is_chosen(const struct webhook_options *o, const struct alert_event *e)
{
    return alert_post_wants(&o->post, e) &&
           (e->is_notice || o->format == FORMAT_CAP || o->changes == CHANGES_ALL ||
            is_of_colour(e->what)) &&
           !(e->is_notice && o->format == FORMAT_CAP);
}

static bool webhook_wants(const struct uplink *u, const uint8_t *json, size_t size)
{
    struct alert_event e;

    if (alert_event_read((const char *)json, size, &e) < 0)
        return false;
    bool is_wanted = is_chosen(u->opt, &e);
    alert_event_done(&e);
    return is_wanted;
}

/* The event as it is in the log, and whose it is. */
static void put_json(struct uplink *u, const struct uplink_entry *entry)
{
    buf_puts(&u->body, "{\"station\":");
    buf_json(&u->body, u->station->id);
    buf_puts(&u->body, ",\"region\":");
    buf_json(&u->body, u->station->region);
    buf_puts(&u->body, ",");
    buf_put(&u->body, entry->data + 1, entry->size - 1);
}

static void put_key(struct uplink *u, const struct uplink_entry *entry,
                    const struct alert_event *e)
{
    buf_clear(&u->key);
    buf_puts(&u->key, "Idempotency-Key: ");
    alert_put_name(&u->key, u->station->id);
    buf_puts(&u->key, "/");
    if (e->is_notice) /* it has no name of its own */
        buf_printf(&u->key, "%016" PRIx64 "/%" PRIu64, u->station->epoch, entry->seq);
    else
        alert_put_identity(&u->key, e);
}

/* Body and key of an entry. 1, 0 when there is nothing to send, or a negative errno. */
static int compose(struct uplink *u, const struct uplink_entry *entry)
{
    struct alert_event e;
    int rc = 1;

    buf_clear(&u->body);
    if (!entry->is_event || entry->size < 2 ||
        alert_event_read((const char *)entry->data, entry->size, &e) < 0)
        return 0;
    if (!is_chosen(u->opt, &e))
        rc = 0;
    else if (u->opt->format == FORMAT_CAP)
        rc =
            cap_write(&u->body, &u->opt->cap, u->station, &e, alert_post_lowest(&u->opt->post));
    else
        put_json(u, entry);
    put_key(u, entry, &e);
    alert_event_done(&e);
    return u->body.has_failed || !buf_text(&u->key) ? -ENOSPC : rc;
}

static bool is_done(const struct uplink *u, uint64_t seq)
{
    for (size_t i = 0; i < DONE_MAX && i < u->done_n; i++)
        if (u->done[i] == seq)
            return true;
    return false;
}

static enum uplink_verdict send_one(struct uplink *u, const struct uplink_entry *entry,
                                    struct uplink_report *why)
{
    int rc = is_done(u, entry->seq) ? 0 : compose(u, entry);

    if (rc < 0) {
        snprintf(why->text, sizeof why->text, "Entry %" PRIu64 " is too large.", entry->seq);
        return UPLINK_REFUSED;
    }
    if (rc == 0)
        return UPLINK_DELIVERED;
    const struct http_post_request r = {
        .body = u->body.data,
        .size = u->body.size,
        .type = u->opt->format == FORMAT_CAP ? HTTP_POST_CAP : HTTP_POST_DOCUMENT,
        .header = buf_text(&u->key),
        .is_plain = true,
    };
    enum uplink_verdict v = http_post_request(u->post, &r, why);
    if (v == UPLINK_DELIVERED)
        u->done[u->done_n++ % DONE_MAX] = entry->seq;
    return v;
}

static enum uplink_verdict webhook_send(struct uplink *u, const struct uplink_batch *b,
                                        struct uplink_report *why)
{
    enum uplink_verdict v = UPLINK_DELIVERED;

    *why = (struct uplink_report){ .text = "delivered" };
    for (size_t i = 0; i < b->n && v == UPLINK_DELIVERED; i++)
        v = send_one(u, &b->entries[i], why);
    return v;
}

static int webhook_show(struct uplink *u, const struct uplink_batch *b, bool is_whole,
                        struct buf *out)
{
    for (size_t i = 0; i < b->n; i++) {
        int rc = compose(u, &b->entries[i]);
        if (rc == 0)
            continue;
        buf_printf(out, "# entry %" PRIu64 ": POST %s  %zu bytes%s\n", b->entries[i].seq,
                   u->opt->post.url, u->body.size, rc < 0 ? ", too large" : "");
        if (rc < 0)
            continue;
        buf_printf(out, "# %s\n", buf_text(&u->key));
        if (is_whole || u->opt->format == FORMAT_JSON)
            buf_put(out, u->body.data, u->body.size);
        buf_puts(out, u->opt->format == FORMAT_JSON ? "\n" : "");
    }
    return out->has_failed ? -ENOSPC : 0;
}

static void webhook_stop(struct uplink *u)
{
    http_post_stop(u->post);
}

const struct uplink_kind uplink_webhook = {
    .name = "webhook",
    .title = "Alerts to a web address, as JSON or CAP 1.2",
    .takes_any_order = true,
    .wants_event = webhook_wants,
    .options = webhook_fields,
    .options_size = sizeof(struct webhook_options),
    .create = webhook_create,
    .destroy = webhook_destroy,
    .send = webhook_send,
    .show = webhook_show,
    .stop = webhook_stop,
};
