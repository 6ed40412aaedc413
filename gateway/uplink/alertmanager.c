/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alertmanager - alerts to a Prometheus Alertmanager (API v2), which groups, routes and
 * silences them. It forgets everything when it restarts: what stands is said again every
 * `repeat`, from the station's book of alerts. It is told of the newest state; how an alert
 * came there is in the log.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/uplink/alert_post.h"
#include "gateway/uplink/alertmanager_alert.h"
#include "gateway/uplink/uplink.h"

enum {
    KNOWN_MAX = 1024, /* twice what the book of alerts holds */
    BODY_MAX = 4 << 20,
    CLOCKS_AGREE_MS = 30000,
    ENDS_TOLD = 10, /* an end is said so often: a server whose clock is behind takes it later */
    DAY_MS = 86400000,
};

struct alertmanager_options {
    struct alert_post_options post;
    const char *severity;
    int64_t repeat_ms, keep_ms;
};

/* What it was told last of an alert. */
struct known {
    uint64_t name;          /* hash */
    int64_t number;         /* of the change */
    int64_t mono_ms;        /* when it was told */
    json_t *alert;          /* while it stands or its end is still repeated, else NULL */
    unsigned ends;          /* its end is said so often; 0: it stands */
    bool is_notice, is_new; /* new: of what is being sent */
};

struct uplink {
    const struct alertmanager_options *opt;
    const struct uplink_station *station;
    struct clock clock;
    struct http_post *post;
    struct buf url, body;
    struct known *known;
    size_t known_n;
    json_t *sending;
    bool has_met; /* its clock is known */
    int64_t ahead_ms;
};

#define OPTION(member) offsetof(struct alertmanager_options, member)

static const struct field alertmanager_fields[] = {
    ALERT_POST_FIELDS(alertmanager_options,
                      "Address of the Alertmanager, such as http://127.0.0.1:9093."),
    { .name = "severity",
      .type = FIELD_TEXT,
      .offset = OPTION(severity),
      .help = "Label `severity` of all its alerts: a second uplink with `lowest: red` and a "
              "severity of its own lets Alertmanager route by colour." },
    { .name = "repeat",
      .type = FIELD_DURATION,
      .offset = OPTION(repeat_ms),
      .dflt = "1min",
      .min = 1000,
      .max = 3600000,
      .help =
          "What stands is said again so often; an Alertmanager that restarted has it then." },
    { .name = "keep",
      .type = FIELD_DURATION,
      .offset = OPTION(keep_ms),
      .dflt = "24h",
      .min = 60000,
      .max = 31.0 * DAY_MS,
      .help = "An alert of a station that fell silent stands for so long." },
    { .name = NULL },
};

/* ---- life ---- */

static void alertmanager_destroy(struct uplink *u)
{
    if (!u)
        return;
    for (size_t i = 0; i < u->known_n; i++)
        json_decref(u->known[i].alert);
    free(u->known);
    json_decref(u->sending);
    http_post_destroy(u->post);
    buf_done(&u->url);
    buf_done(&u->body);
    free(u);
}

static int open_post(struct uplink *u)
{
    const char *base = u->opt->post.url;
    size_t n = strlen(base);

    while (n > 0 && base[n - 1] == '/')
        n--;
    buf_put(&u->url, base, n);
    buf_puts(&u->url, "/api/v2/alerts");
    const char *text = buf_text(&u->url);
    return text ? alert_post_create(&u->opt->post, text, &u->post) : -ENOMEM;
}

static int alertmanager_create(const void *options, const struct uplink_station *station,
                               struct uplink **ret)
{
    struct uplink *u = calloc(1, sizeof *u);

    if (!u)
        return -ENOMEM;
    u->opt = options;
    u->station = station;
    u->url = BUF_INIT(4096);
    u->body = BUF_INIT(BODY_MAX);
    if (station->clock && station->clock->speed == 1)
        u->clock = *station->clock;
    else /* an Alertmanager goes by real time, whatever a demonstration does */
        clock_init(&u->clock, 1, 0);
    u->known = calloc(KNOWN_MAX, sizeof *u->known);
    int rc = u->known ? open_post(u) : -ENOMEM;
    if (rc < 0) {
        alertmanager_destroy(u);
        return rc;
    }
    *ret = u;
    return 0;
}

static bool alertmanager_wants(const struct uplink *u, const uint8_t *json, size_t size)
{
    struct alert_event e;

    if (alert_event_read((const char *)json, size, &e) < 0)
        return false;
    bool is_wanted = alert_post_wants(&u->opt->post, &e);
    alert_event_done(&e);
    return is_wanted;
}

/* ---- what it was told ---- */

static uint64_t hash_more(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211); /* FNV-1a */
    return (h ^ '/') * UINT64_C(1099511628211);
}

static uint64_t name_of(const struct alert_event *e)
{
    uint64_t h = UINT64_C(14695981039346656037);

    if (!e->is_notice)
        return hash_more(h, e->key);
    h = hash_more(h, alert_event_text(e, "what"));
    h = hash_more(h, alert_event_text(e, "subject"));
    return hash_more(h, alert_event_text(e, "fault"));
}

static struct known *find_known(struct uplink *u, uint64_t name)
{
    for (size_t i = 0; i < u->known_n; i++)
        if (u->known[i].name == name)
            return &u->known[i];
    return NULL;
}

/* The one that can be spared first: it has ended; the oldest. */
static struct known *spare_known(struct uplink *u)
{
    struct known *best = &u->known[0];

    for (size_t i = 1; i < u->known_n; i++) {
        struct known *k = &u->known[i];
        const bool is_better =
            !k->alert != !best->alert ? !k->alert : k->mono_ms < best->mono_ms;
        if (is_better)
            best = k;
    }
    json_decref(best->alert);
    return best;
}

static struct known *make_known(struct uplink *u, uint64_t name)
{
    struct known *k = find_known(u, name);

    if (k)
        return k;
    k = u->known_n < KNOWN_MAX ? &u->known[u->known_n++] : spare_known(u);
    *k = (struct known){ .name = name };
    return k;
}

/* ---- what is to be sent ---- */

static struct alertmanager_times times_of(const struct uplink *u)
{
    return (struct alertmanager_times){ clock_wall_ms(&u->clock) + u->ahead_ms, u->opt->keep_ms,
                                        u->ahead_ms };
}

/* The newest of each; what is older than what it was told is passed over. */
static int take(struct uplink *u, const struct alert_event *e)
{
    struct known *k = make_known(u, name_of(e));
    const struct alertmanager_times t = times_of(u);

    if (!e->is_notice && e->number < k->number)
        return 0;
    json_t *alert = alertmanager_alert(e, u->station, u->opt->severity, &t);
    if (!alert || json_array_append(u->sending, alert) < 0) {
        json_decref(alert);
        return -ENOMEM;
    }
    json_decref(k->alert);
    k->alert = e->is_notice && !*e->what ? NULL : json_incref(alert);
    k->ends = alert_event_stands(e) ? 0 : ENDS_TOLD;
    k->number = e->number;
    k->mono_ms = mono_ms();
    k->is_notice = e->is_notice;
    k->is_new = true;
    json_decref(alert);
    return 0;
}

static int take_entry(struct uplink *u, const struct uplink_entry *entry)
{
    struct alert_event e;

    if (!entry->is_event || alert_event_read((const char *)entry->data, entry->size, &e) < 0)
        return 0;
    int rc = alert_post_wants(&u->opt->post, &e) ? take(u, &e) : 0;
    alert_event_done(&e);
    return rc;
}

static int take_standing(struct uplink *u, json_t *list)
{
    int rc = 0;

    for (size_t i = 0; i < json_array_size(list) && rc == 0; i++) {
        struct alert_event e;
        if (alert_event_of(json_array_get(list, i), &e) < 0)
            continue;
        if (alert_post_wants(&u->opt->post, &e) && alert_event_stands(&e))
            rc = take(u, &e);
        alert_event_done(&e);
    }
    return rc;
}

/* Alerts that stood and do not any more: put on a shelf, or closed. Notices go on, and what has
 * ended goes on ending. */
static int take_rest(struct uplink *u, int64_t as_of_mono_ms)
{
    const struct alertmanager_times t = times_of(u);
    int rc = 0;

    for (size_t i = 0; i < u->known_n && rc == 0; i++) {
        struct known *k = &u->known[i];
        if (!k->alert || k->is_new ||
            (k->ends == 0 && !k->is_notice && k->mono_ms >= as_of_mono_ms))
            continue;
        if (k->ends == 0)
            alertmanager_set_end(k->alert, t.now_ms + (k->is_notice ? t.keep_ms : 0));
        if (k->ends == 0 && !k->is_notice)
            k->ends = ENDS_TOLD;
        rc = json_array_append(u->sending, k->alert) < 0 ? -ENOMEM : 0;
        if (k->ends > 0 && --k->ends == 0) {
            json_decref(k->alert);
            k->alert = NULL;
        }
    }
    return rc;
}

static int take_all_standing(struct uplink *u)
{
    const struct uplink_standing *s = u->station->standing;
    int64_t as_of_mono_ms = 0;
    char *text = s ? s->json(s->user, &as_of_mono_ms) : NULL;
    json_t *list = text ? json_loads(text, 0, NULL) : NULL;
    int rc = list ? take_standing(u, list) : 0;

    if (rc == 0)
        rc = take_rest(u, list ? as_of_mono_ms : 0);
    json_decref(list);
    free(text);
    return rc;
}

static void begin(struct uplink *u)
{
    json_decref(u->sending);
    u->sending = json_array();
    for (size_t i = 0; i < u->known_n; i++)
        u->known[i].is_new = false;
}

/* An alert that is there twice is there with its newest state alone. */
static void drop_repeated(json_t *list)
{
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *labels = json_object_get(json_array_get(list, i), "labels");
        for (size_t k = i; k-- > 0;)
            if (json_equal(json_object_get(json_array_get(list, k), "labels"), labels)) {
                json_array_remove(list, k);
                i--;
            }
    }
}

static int print(struct uplink *u)
{
    drop_repeated(u->sending);
    char *text = json_dumps(u->sending, JSON_COMPACT);

    buf_clear(&u->body);
    if (text)
        buf_puts(&u->body, text);
    free(text);
    return !text || u->body.has_failed ? -ENOMEM : 0;
}

static int gather(struct uplink *u, const struct uplink_batch *b)
{
    int rc = 0;

    begin(u);
    for (size_t i = 0; i < b->n && rc == 0; i++)
        rc = take_entry(u, &b->entries[i]);
    if (rc == 0 && b->n == 0)
        rc = take_all_standing(u);
    return rc == 0 ? print(u) : rc;
}

/* ---- sending ---- */

/* It goes by its own clock: an end that is in its future is none, and one in its past ends what
 * stands. Where the two differ it is given its own time. */
static bool agree(int64_t a_ms, int64_t b_ms)
{
    return a_ms - b_ms <= CLOCKS_AGREE_MS && b_ms - a_ms <= CLOCKS_AGREE_MS;
}

static void compare_clocks(struct uplink *u)
{
    const int64_t date_ms = http_post_answer(u->post)->date_ms;
    const int64_t ahead_ms = date_ms - clock_wall_ms(&u->clock);

    u->has_met = true;
    if (date_ms > 0 && !agree(ahead_ms, u->ahead_ms)) /* beginnings do not waver */
        u->ahead_ms = agree(ahead_ms, 0) ? 0 : ahead_ms;
}

static enum uplink_verdict post(struct uplink *u, const void *body, size_t size,
                                struct uplink_report *why)
{
    const struct http_post_request r = {
        .body = body, .size = size, .type = HTTP_POST_DOCUMENT, .is_plain = true
    };
    enum uplink_verdict v = http_post_request(u->post, &r, why);

    if (v == UPLINK_DELIVERED)
        compare_clocks(u);
    return v;
}

/* An empty list asks whether it is there. */
static enum uplink_verdict alertmanager_send(struct uplink *u, const struct uplink_batch *b,
                                             struct uplink_report *why)
{
    enum uplink_verdict v = u->has_met ? UPLINK_DELIVERED : post(u, "[]", 2, why);

    if (v != UPLINK_DELIVERED)
        return v;
    *why = (struct uplink_report){ .text = "" };
    if (gather(u, b) < 0) {
        snprintf(why->text, sizeof why->text, "there is no memory");
        return UPLINK_LATER;
    }
    if (b->n > 0 && json_array_size(u->sending) == 0)
        return UPLINK_DELIVERED;
    v = post(u, u->body.data, u->body.size, why);
    if (v != UPLINK_DELIVERED)
        for (size_t i = 0; i < u->known_n; i++)
            if (u->known[i].is_new)
                u->known[i].number = 0; /* it is taken again */
    return v;
}

static int64_t alertmanager_repeat_ms(const struct uplink *u)
{
    return u->opt->repeat_ms;
}

static int alertmanager_show(struct uplink *u, const struct uplink_batch *b, bool is_whole,
                             struct buf *out)
{
    int rc = gather(u, b);

    if (rc < 0)
        return rc;
    buf_printf(out, "# entries %" PRIu64 " to %" PRIu64 ": POST %s  %zu alerts, %zu bytes\n",
               b->n ? b->entries[0].seq : 0, b->n ? b->entries[b->n - 1].seq : 0,
               buf_text(&u->url), json_array_size(u->sending), u->body.size);
    for (size_t i = 0; i < json_array_size(u->sending); i++) {
        char *text =
            json_dumps(json_array_get(u->sending, i), is_whole ? JSON_INDENT(2) : JSON_COMPACT);
        buf_puts(out, text ? text : "");
        buf_puts(out, "\n");
        free(text);
    }
    return out->has_failed ? -ENOSPC : 0;
}

static void alertmanager_stop(struct uplink *u)
{
    http_post_stop(u->post);
}

const struct uplink_kind uplink_alertmanager = {
    .name = "alertmanager",
    .title = "Alerts to a Prometheus Alertmanager",
    .takes_any_order = true,
    .wants_event = alertmanager_wants,
    .repeat_ms = alertmanager_repeat_ms,
    .options = alertmanager_fields,
    .options_size = sizeof(struct alertmanager_options),
    .create = alertmanager_create,
    .destroy = alertmanager_destroy,
    .send = alertmanager_send,
    .show = alertmanager_show,
    .stop = alertmanager_stop,
};
