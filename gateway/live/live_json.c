/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/live/live_json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "sensors/core/unit.h"

/* In the order of enum device_state of the poller. */
static const struct {
    const char *id, *en, *zh;
} device_states[] = {
    { "waiting", "waiting for the first answer", "等待首次应答" },
    { "online", "online", "在线" },
    { "silent", "silent", "无应答" },
    { "disabled", "switched off", "已停用" },
};

static const char *const levels[] = { "none", "blue", "yellow", "orange", "red" };

enum {
    STATES = sizeof device_states / sizeof *device_states,
    LEVELS = sizeof levels / sizeof *levels
};

const char *live_device_state_id(int state)
{
    return state >= 0 && state < STATES ? device_states[state].id : "unknown";
}

const char *live_device_state_name(int state, const char *lang)
{
    if (state < 0 || state >= STATES)
        return "?";
    return strcmp(lang, "zh") == 0 ? device_states[state].zh : device_states[state].en;
}

const char *live_level_id(int level)
{
    return level >= 0 && level < LEVELS ? levels[level] : "none";
}

void live_json_time(struct buf *b, int64_t ms)
{
    char text[TIME_TEXT_MAX];

    if (ms == 0) {
        buf_puts(b, "null");
        return;
    }
    time_print_utc(ms, text);
    buf_printf(b, "\"%s\"", text);
}

void live_json_double(struct buf *b, double x)
{
    if (isfinite(x))
        buf_printf(b, "%.10g", x);
    else
        buf_puts(b, "null");
}

void live_json_names(struct buf *b, const char *en, const char *zh)
{
    buf_puts(b, "{\"en\":");
    buf_json(b, en);
    buf_puts(b, ",\"zh\":");
    buf_json(b, zh);
    buf_puts(b, "}");
}

static bool is_number(struct decimal d)
{
    return decimal_has_value(d) && (d.e != DECIMAL_DOUBLE || isfinite(decimal_to_double(d)));
}

static void put_value(struct buf *b, struct decimal d)
{
    char text[DECIMAL_TEXT_MAX];

    if (!is_number(d)) {
        buf_puts(b, "\"value\":null,\"decimals\":null");
        return;
    }
    decimal_print(d, text);
    buf_printf(b, "\"value\":%s,\"decimals\":", text);
    if (d.e >= 0)
        buf_printf(b, "%d", d.e);
    else
        buf_puts(b, "null");
}

static void put_reasons(struct buf *b, uint32_t reasons)
{
    const char *comma = "";

    buf_puts(b, "[");
    for (unsigned i = 0; i < 32; i++) {
        const char *id = reasons & 1u << i ? reason_id(1u << i) : NULL;
        if (!id)
            continue;
        buf_printf(b, "%s{\"id\":", comma);
        buf_json(b, id);
        buf_puts(b, ",\"en\":");
        buf_json(b, reason_name(1u << i, "en"));
        buf_puts(b, ",\"zh\":");
        buf_json(b, reason_name(1u << i, "zh"));
        buf_puts(b, "}");
        comma = ",";
    }
    buf_puts(b, "]");
}

void live_json_sample_members(struct buf *b, const struct sample *s)
{
    if (!s) {
        buf_puts(b, "\"time\":null,\"value\":null,\"decimals\":null,\"status\":null,"
                    "\"grade\":null,\"reasons\":[]");
        return;
    }
    buf_puts(b, "\"time\":");
    live_json_time(b, s->time_ms);
    buf_puts(b, ",");
    put_value(b, s->value);
    buf_printf(b,
               ",\"status\":\"%s\",\"grade\":\"%s\",\"reasons\":", status_id(s->verdict.status),
               grade_id(s->verdict.grade));
    put_reasons(b, s->verdict.reasons);
}

static const char *unit_display(const struct quantity *q)
{
    const struct unit *u = unit_find_ucum(q->unit);

    return u && u->display ? u->display : q->unit;
}

void live_json_sample(struct buf *b, const struct channel *c, const struct sample *s,
                      enum live_detail detail)
{
    buf_puts(b, "{\"channel\":");
    buf_json(b, c->id);
    if (detail == LIVE_FULL) {
        buf_puts(b, ",\"quantity\":");
        buf_json(b, c->quantity->id);
        buf_puts(b, ",\"unit\":");
        buf_json(b, unit_display(c->quantity));
    }
    buf_puts(b, ",");
    live_json_sample_members(b, s);
    buf_puts(b, "}");
}

static void put_device(struct buf *b, const struct live_device *d)
{
    buf_puts(b, "{\"id\":");
    buf_json(b, d->id);
    buf_puts(b, ",\"names\":");
    live_json_names(b, d->en, d->zh);
    buf_puts(b, ",\"profile\":");
    buf_json(b, d->profile);
    buf_puts(b, ",\"bus\":");
    buf_json(b, d->bus);
    buf_printf(b, ",\"medium\":\"%s\",\"state\":\"%s\",\"state_names\":", medium_id(d->medium),
               live_device_state_id(d->state));
    live_json_names(b, live_device_state_name(d->state, "en"),
                    live_device_state_name(d->state, "zh"));
    buf_puts(b, ",\"why\":");
    buf_json(b, d->why);
    buf_puts(b, ",\"last_answer\":");
    live_json_time(b, d->last_answer_ms);
    buf_printf(b,
               ",\"polls\":%llu,\"answers\":%llu,\"timeouts\":%llu,\"bad_frames\":%llu,"
               "\"exceptions\":%llu,\"link_errors\":%llu}",
               (unsigned long long)d->polls, (unsigned long long)d->answers,
               (unsigned long long)d->timeouts, (unsigned long long)d->bad_frames,
               (unsigned long long)d->exceptions, (unsigned long long)d->link_errors);
}

int live_json_devices(struct buf *b, struct live *l)
{
    size_t max = live_devices_n(l);
    struct live_device *d = calloc(max ? max : 1, sizeof *d);

    if (!d)
        return -ENOMEM;
    size_t n = live_devices(l, d, max);
    buf_puts(b, "[");
    for (size_t i = 0; i < n; i++) {
        buf_puts(b, i ? "," : "");
        put_device(b, &d[i]);
    }
    buf_puts(b, "]");
    free(d);
    return 0;
}

static void put_channel(struct buf *b, const struct channel *c, const struct sample *s)
{
    const struct quantity *q = c->quantity;

    buf_puts(b, "{\"id\":");
    buf_json(b, c->id);
    buf_puts(b, ",\"device\":");
    buf_json(b, c->device);
    buf_puts(b, ",\"point\":");
    buf_json(b, c->point);
    buf_puts(b, ",\"statistic\":");
    buf_json(b, c->statistic);
    buf_puts(b, ",\"quantity\":");
    buf_json(b, q->id);
    buf_puts(b, ",\"names\":");
    live_json_names(b, q->en, q->zh);
    buf_puts(b, ",\"unit\":");
    buf_json(b, unit_display(q));
    buf_puts(b, ",\"ucum\":");
    buf_json(b, q->unit);
    buf_printf(b, ",\"medium\":\"%s\",\"digits\":%u,\"period_ms\":%lld,", medium_id(q->medium),
               q->decimals, (long long)c->period_ms);
    live_json_sample_members(b, s);
    buf_puts(b, "}");
}

int live_json_channels(struct buf *b, struct live *l)
{
    const struct channel_table *table = live_channels(l);
    size_t max = table->n ? table->n : 1;
    struct sample *samples = calloc(max, sizeof *samples);
    uint32_t *at = calloc(max, sizeof *at); /* of a channel in `samples`, plus 1 */
    uint64_t version;

    if (!samples || !at) {
        free(samples);
        free(at);
        return -ENOMEM;
    }
    size_t n = live_samples(l, 0, samples, table->n, &version);
    for (size_t i = 0; i < n; i++)
        at[samples[i].channel] = (uint32_t)i + 1;
    buf_puts(b, "[");
    for (size_t i = 0; i < table->n && !b->has_failed; i++) {
        buf_puts(b, i ? "," : "");
        put_channel(b, &table->channels[i], at[i] ? &samples[at[i] - 1] : NULL);
    }
    buf_puts(b, "]");
    free(samples);
    free(at);
    return 0;
}

static void put_alert(struct buf *b, const struct channel_table *table,
                      const struct live_alert *a)
{
    const struct channel *c = a->channel < table->n ? &table->channels[a->channel] : NULL;

    buf_puts(b, "{\"key\":");
    buf_json(b, a->key);
    buf_puts(b, ",\"rule\":");
    buf_json(b, a->rule);
    buf_puts(b, ",\"title\":");
    live_json_names(b, a->title_en, a->title_zh);
    buf_puts(b, ",\"channel\":");
    buf_json(b, c ? c->id : NULL);
    buf_printf(b, ",\"medium\":\"%s\"", c ? medium_id(c->quantity->medium) : "station");
    buf_puts(b, ",\"unit\":");
    buf_json(b, c ? unit_display(c->quantity) : NULL);
    buf_printf(b, ",\"digits\":%u", c ? c->quantity->decimals : 0u);
    buf_printf(b, ",\"level\":\"%s\",\"peak\":\"%s\",\"cleared\":%s,\"raised_at\":",
               live_level_id(a->level), live_level_id(a->peak),
               a->is_cleared ? "true" : "false");
    live_json_time(b, a->raised_ms);
    buf_puts(b, ",\"changed_at\":");
    live_json_time(b, a->changed_ms);
    buf_puts(b, ",\"cleared_at\":");
    live_json_time(b, a->is_cleared ? a->cleared_ms : 0);
    buf_puts(b, ",\"value\":");
    live_json_double(b, a->value);
    buf_puts(b, ",\"limit\":");
    live_json_double(b, a->limit);
    buf_puts(b, ",\"extreme\":");
    live_json_double(b, a->extreme);
    buf_puts(b, "}");
}

int live_json_alerts(struct buf *b, struct live *l)
{
    struct live_alert *a = calloc(LIVE_ALERTS_MAX, sizeof *a);

    if (!a)
        return -ENOMEM;
    size_t n = live_alerts(l, a, LIVE_ALERTS_MAX);
    buf_puts(b, "[");
    for (size_t i = 0; i < n; i++) {
        buf_puts(b, i ? "," : "");
        put_alert(b, live_channels(l), &a[i]);
    }
    buf_puts(b, "]");
    free(a);
    return 0;
}

/* How far behind; 0 when nothing waits. */
static double hours_since(struct live *l, int64_t ms)
{
    int64_t late_ms = ms != 0 ? live_now(l) - ms : 0;

    return late_ms > 0 ? (double)(late_ms / 360) / 1e4 : 0;
}

void live_json_uplinks(struct buf *b, struct live *l)
{
    struct live_uplink u[LIVE_UPLINKS_MAX];
    size_t n = live_uplinks(l, u, LIVE_UPLINKS_MAX);

    buf_puts(b, "[");
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, "%s{\"id\":", i ? "," : "");
        buf_json(b, u[i].id);
        buf_puts(b, ",\"kind\":");
        buf_json(b, u[i].kind);
        buf_printf(b,
                   ",\"connected\":%s,\"standby\":%s,\"acked_seq\":%llu,\"backlog\":%llu,"
                   "\"backlog_bytes\":%llu,\"backlog_hours\":",
                   u[i].is_connected ? "true" : "false", u[i].is_standby ? "true" : "false",
                   (unsigned long long)u[i].acked_seq, (unsigned long long)u[i].backlog,
                   (unsigned long long)u[i].backlog_bytes);
        live_json_double(b, hours_since(l, u[i].oldest_ms));
        buf_puts(b, ",\"oldest\":");
        live_json_time(b, u[i].oldest_ms);
        buf_printf(b, ",\"sent\":%llu,\"set_aside\":%llu,\"error\":",
                   (unsigned long long)u[i].sent, (unsigned long long)u[i].set_aside);
        buf_json(b, u[i].error);
        buf_puts(b, "}");
    }
    buf_puts(b, "]");
}

int live_json_buses(struct buf *b, struct live *l)
{
    size_t max = live_buses_n(l);
    struct live_bus *bus = calloc(max ? max : 1, sizeof *bus);

    if (!bus)
        return -ENOMEM;
    size_t n = live_buses(l, bus, max);
    buf_puts(b, "[");
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, "%s{\"id\":", i ? "," : "");
        buf_json(b, bus[i].id);
        buf_puts(b, ",\"busy\":");
        live_json_double(b, bus[i].busy);
        buf_puts(b, ",\"busy_s\":");
        live_json_double(b, bus[i].busy_s);
        buf_printf(b, ",\"requests\":%llu}", (unsigned long long)bus[i].requests);
    }
    buf_puts(b, "]");
    free(bus);
    return 0;
}

void live_json_polling(struct buf *b, struct live *l)
{
    struct live_polling p;

    live_polling_get(l, &p);
    buf_printf(b,
               "{\"slot_ms\":{\"mean\":%.3f,\"deviation\":%.3f,\"max\":%.3f},"
               "\"interval_ms\":{\"deviation\":%.3f,\"max\":%.3f}}",
               p.slot_mean, p.slot_deviation, p.slot_max, p.interval_deviation, p.interval_max);
}

void live_json_clock(struct buf *b, struct live *l)
{
    struct live_clock c;

    live_clock_get(l, &c);
    buf_puts(b, "{\"state\":");
    buf_json(b, c.state);
    buf_printf(b, ",\"doubtful\":%s,\"refused\":%s,\"error_ms\":",
               c.is_doubtful ? "true" : "false", c.is_refused ? "true" : "false");
    if (c.state && c.error_ms >= 0)
        buf_printf(b, "%lld", (long long)c.error_ms);
    else
        buf_puts(b, "null");
    buf_printf(b, ",\"offset_ms\":%lld,\"steps\":%llu,\"held\":%llu}", (long long)c.offset_ms,
               (unsigned long long)c.steps, (unsigned long long)c.held);
}

void live_json_log(struct buf *b, struct live *l)
{
    struct live_log g;

    live_log_get(l, &g);
    buf_printf(b,
               "{\"seq\":%llu,\"samples\":%llu,\"rows\":%llu,\"events\":%llu,\"refused\":%llu,"
               "\"size_bytes\":%lld,\"error\":",
               (unsigned long long)g.seq, (unsigned long long)g.samples,
               (unsigned long long)g.rows, (unsigned long long)g.events,
               (unsigned long long)g.refused, (long long)g.size_bytes);
    buf_json(b, g.error);
    buf_puts(b, "}");
}

static void put_station(struct buf *b, const struct live_station *s)
{
    buf_puts(b, "{\"id\":");
    buf_json(b, s->id);
    buf_puts(b, ",\"names\":");
    live_json_names(b, s->en, s->zh);
    buf_puts(b, ",\"region\":");
    buf_json(b, s->region);
    buf_puts(b, ",\"zone\":");
    buf_json(b, s->zone);
    buf_puts(b, ",\"lat\":");
    live_json_double(b, s->lat);
    buf_puts(b, ",\"lon\":");
    live_json_double(b, s->lon);
    buf_puts(b, ",\"started\":");
    live_json_time(b, s->started_ms);
    buf_puts(b, ",\"version\":");
    buf_json(b, s->version);
    buf_puts(b, "}");
}

static void put_words(struct buf *b)
{
    buf_puts(b, "{\"status\":{");
    for (enum status s = 0; s < STATUS_COUNT_; s++) {
        buf_printf(b, "%s\"%s\":", s ? "," : "", status_id(s));
        live_json_names(b, status_name(s, "en"), status_name(s, "zh"));
    }
    buf_puts(b, "},\"grade\":{");
    for (enum grade g = 0; g < GRADE_COUNT_; g++) {
        buf_printf(b, "%s\"%s\":", g ? "," : "", grade_id(g));
        live_json_names(b, grade_name(g, "en"), grade_name(g, "zh"));
    }
    buf_puts(b, "},\"medium\":{");
    for (enum medium m = 0; m < MEDIUM_COUNT_; m++) {
        buf_printf(b, "%s\"%s\":", m ? "," : "", medium_id(m));
        live_json_names(b, medium_name(m, "en"), medium_name(m, "zh"));
    }
    buf_puts(b, "}}");
}

int live_json_now(struct buf *b, struct live *l, enum live_detail detail)
{
    buf_puts(b, "{\"station\":");
    put_station(b, live_station_of(l));
    buf_puts(b, ",\"time\":");
    live_json_time(b, live_now(l));
    buf_puts(b, ",\"words\":");
    put_words(b);
    buf_puts(b, ",\"devices\":");
    int err = live_json_devices(b, l);
    if (detail == LIVE_FULL && !err) {
        buf_puts(b, ",\"channels\":");
        err = live_json_channels(b, l);
    }
    if (err)
        return err;
    buf_puts(b, ",\"indices\":");
    live_json_indices(b, l);
    buf_puts(b, ",\"maintenance\":");
    live_json_maintenances(b, l);
    buf_puts(b, ",\"polling\":");
    live_json_polling(b, l);
    buf_puts(b, ",\"buses\":");
    err = live_json_buses(b, l);
    if (err)
        return err;
    buf_puts(b, ",\"alerts\":");
    err = live_json_alerts(b, l);
    buf_printf(b, ",\"alerts_dropped\":%llu", (unsigned long long)live_alerts_dropped(l));
    buf_puts(b, ",\"duty\":");
    live_json_duty(b, l);
    buf_puts(b, ",\"uplinks\":");
    live_json_uplinks(b, l);
    buf_puts(b, ",\"clock\":");
    live_json_clock(b, l);
    buf_puts(b, ",\"log\":");
    live_json_log(b, l);
    buf_puts(b, "}");
    return err;
}
