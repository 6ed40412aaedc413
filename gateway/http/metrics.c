/* SPDX-License-Identifier: Apache-2.0 */
/* metrics - /metrics in the text format of Prometheus, version 0.0.4. */
#include <math.h>
#include <stdlib.h>

#include "gateway/http/guard.h"
#include "gateway/http/server.h"
#include "gateway/http/stream.h"
#include "gateway/live/live_json.h"

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct buf *b, const char *name, const char *type, const char *help, double v)
{
    head(b, name, type, help);
    buf_printf(b, "%s %.15g\n", name, v);
}

/* A label's value: \ " and newline are escaped, nothing else. */
static void label(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, "%s=\"", name);
    for (const char *p = value ? value : ""; *p; p++) {
        if (*p == '\n')
            buf_puts(b, "\\n");
        else if (*p == '"' || *p == '\\')
            buf_printf(b, "\\%c", *p);
        else
            buf_put(b, p, 1);
    }
    buf_puts(b, "\"");
}

static void number(struct buf *b, double v)
{
    if (isnan(v))
        buf_puts(b, "NaN\n");
    else
        buf_printf(b, "%.15g\n", v);
}

static double up(const struct live_device *d)
{
    return d->state == 1;
}

#define COUNTER_OF(member) \
    static double member##_of(const struct live_device *d) \
    { \
        return (double)d->member; \
    }
COUNTER_OF(polls)
COUNTER_OF(answers)
COUNTER_OF(timeouts)
COUNTER_OF(bad_frames)
COUNTER_OF(exceptions)
COUNTER_OF(link_errors)
#undef COUNTER_OF

static double answered_at(const struct live_device *d)
{
    return (double)d->last_answer_ms / 1000.0;
}

static const struct {
    const char *name, *type, *help;
    double (*value)(const struct live_device *d);
} device_metrics[] = {
    { "sluice_device_up", "gauge", "1 when the device answers.", up },
    { "sluice_device_polls_total", "counter", "Polls since start.", polls_of },
    { "sluice_device_answers_total", "counter", "Polls answered.", answers_of },
    { "sluice_device_timeouts_total", "counter", "Polls without an answer.", timeouts_of },
    { "sluice_device_bad_frames_total", "counter", "Answers damaged or not ours.",
      bad_frames_of },
    { "sluice_device_exceptions_total", "counter", "Requests refused by the device.",
      exceptions_of },
    { "sluice_device_link_errors_total", "counter", "Polls without a connection or port.",
      link_errors_of },
    { "sluice_device_last_answer_timestamp_seconds", "gauge",
      "Station time of the newest answer; 0: never.", answered_at },
};

static int put_devices(struct buf *b, struct live *l)
{
    size_t n = live_devices_n(l);
    struct live_device *d = calloc(n ? n : 1, sizeof *d);

    if (!d)
        return -1;
    n = live_devices(l, d, n);
    for (size_t m = 0; m < sizeof device_metrics / sizeof *device_metrics; m++) {
        head(b, device_metrics[m].name, device_metrics[m].type, device_metrics[m].help);
        for (size_t i = 0; i < n; i++) {
            buf_printf(b, "%s{", device_metrics[m].name);
            label(b, "device", d[i].id);
            buf_puts(b, ",");
            label(b, "profile", d[i].profile);
            buf_puts(b, ",");
            label(b, "bus", d[i].bus);
            buf_printf(b, "} %.15g\n", device_metrics[m].value(&d[i]));
        }
    }
    free(d);
    return 0;
}

static double busy_of(const struct live_bus *b)
{
    return b->busy;
}

static double busy_s_of(const struct live_bus *b)
{
    return b->busy_s;
}

static double requests_of(const struct live_bus *b)
{
    return (double)b->requests;
}

static const struct {
    const char *name, *type, *help;
    double (*value)(const struct live_bus *b);
} bus_metrics[] = {
    { "sluice_bus_busy_ratio", "gauge", "Share of the last minute with a request on the bus.",
      busy_of },
    { "sluice_bus_busy_seconds_total", "counter", "Time with a request on the bus.",
      busy_s_of },
    { "sluice_bus_requests_total", "counter",
      "Requests on the bus, settled one way or the other.", requests_of },
};

static int put_buses(struct buf *b, struct live *l)
{
    size_t n = live_buses_n(l);
    struct live_bus *bus = calloc(n ? n : 1, sizeof *bus);

    if (!bus)
        return -1;
    n = live_buses(l, bus, n);
    for (size_t m = 0; m < sizeof bus_metrics / sizeof *bus_metrics; m++) {
        head(b, bus_metrics[m].name, bus_metrics[m].type, bus_metrics[m].help);
        for (size_t i = 0; i < n; i++) {
            buf_printf(b, "%s{", bus_metrics[m].name);
            label(b, "bus", bus[i].id);
            buf_puts(b, "} ");
            number(b, bus_metrics[m].value(&bus[i]));
        }
    }
    free(bus);
    return 0;
}

/* In seconds, as Prometheus has it. */
static void put_polling(struct buf *b, struct live *l)
{
    struct live_polling p;

    live_polling_get(l, &p);
    one(b, "sluice_poll_jitter_seconds_mean", "gauge",
        "Mean time from the slot of a poll to its wake-up, since start.", p.slot_mean / 1e3);
    one(b, "sluice_poll_jitter_seconds_deviation", "gauge", "Standard deviation of that time.",
        p.slot_deviation / 1e3);
    one(b, "sluice_poll_jitter_seconds_max", "gauge", "Longest such time.", p.slot_max / 1e3);
    one(b, "sluice_poll_interval_seconds_deviation", "gauge",
        "Standard deviation of the time between two polls of a device from its interval.",
        p.interval_deviation / 1e3);
    one(b, "sluice_poll_interval_seconds_max", "gauge", "Largest such deviation.",
        p.interval_max / 1e3);
}

static double is_connected(const struct live_uplink *u)
{
    return u->is_connected;
}

static double backlog_of(const struct live_uplink *u)
{
    return (double)u->backlog;
}

static double acked_of(const struct live_uplink *u)
{
    return (double)u->acked_seq;
}

static double sent_of(const struct live_uplink *u)
{
    return (double)u->sent;
}

static double set_aside_of(const struct live_uplink *u)
{
    return (double)u->set_aside;
}

static const struct {
    const char *name, *type, *help;
    double (*value)(const struct live_uplink *u);
} uplink_metrics[] = {
    { "sluice_uplink_connected", "gauge", "1 when the destination is reached.", is_connected },
    { "sluice_uplink_backlog_entries", "gauge", "Entries of the log not yet acknowledged.",
      backlog_of },
    { "sluice_uplink_acked_entry", "gauge", "Every entry up to this one is acknowledged.",
      acked_of },
    { "sluice_uplink_sent_total", "counter", "Entries sent, repetitions included.", sent_of },
    { "sluice_uplink_set_aside_total", "counter", "Entries the destination refused for good.",
      set_aside_of },
};

static void put_uplinks(struct buf *b, struct live *l)
{
    struct live_uplink u[LIVE_UPLINKS_MAX];
    size_t n = live_uplinks(l, u, LIVE_UPLINKS_MAX);

    for (size_t m = 0; m < sizeof uplink_metrics / sizeof *uplink_metrics; m++) {
        head(b, uplink_metrics[m].name, uplink_metrics[m].type, uplink_metrics[m].help);
        for (size_t i = 0; i < n; i++) {
            buf_printf(b, "%s{", uplink_metrics[m].name);
            label(b, "uplink", u[i].id);
            buf_puts(b, ",");
            label(b, "kind", u[i].kind);
            buf_printf(b, "} %.15g\n", uplink_metrics[m].value(&u[i]));
        }
    }
}

static int put_alerts(struct buf *b, struct live *l)
{
    struct live_alert *a = calloc(LIVE_ALERTS_MAX, sizeof *a);
    unsigned standing[5] = { 0 };

    if (!a)
        return -1;
    size_t n = live_alerts(l, a, LIVE_ALERTS_MAX);
    for (size_t i = 0; i < n; i++)
        if (!a[i].is_cleared && a[i].level >= 0 && a[i].level < 5)
            standing[a[i].level]++;
    head(b, "sluice_alerts", "gauge", "Standing alerts by colour.");
    for (int level = 1; level < 5; level++)
        buf_printf(b, "sluice_alerts{level=\"%s\"} %u\n", live_level_id(level),
                   standing[level]);
    free(a);
    return 0;
}

static void put_duty(struct buf *b, struct live *l)
{
    struct live_duty d;

    if (!live_duty_get(l, &d))
        return;
    one(b, "sluice_alerts_open", "gauge", "Alerts that nobody has closed.", d.open);
    one(b, "sluice_alerts_unacknowledged", "gauge", "Open alerts that nobody has seen.",
        d.unacknowledged);
    one(b, "sluice_alerts_overdue", "gauge", "Open alerts whose limit has passed.", d.overdue);
    one(b, "sluice_alerts_shelved", "gauge", "Open alerts shelved or out of service.",
        d.shelved);
    one(b, "sluice_alerts_standing_day", "gauge", "Alerts that stand for more than 24 h.",
        d.standing_day);
    one(b, "sluice_alerts_raised_10min", "gauge", "Alerts raised in the last ten minutes.",
        d.raised_10min);
    one(b, "sluice_alerts_raised_day", "gauge", "Alerts raised in the last 24 h.",
        d.raised_day);
    one(b, "sluice_alerts_dropped_total", "counter", "Alerts that found no room in the book.",
        (double)d.dropped);
}

static void put_log(struct buf *b, struct live *l)
{
    struct live_log g;

    live_log_get(l, &g);
    one(b, "sluice_samples_total", "counter", "Samples accepted since the log was created.",
        (double)g.samples);
    one(b, "sluice_log_rows_total", "counter", "Rows accepted.", (double)g.rows);
    one(b, "sluice_log_events_total", "counter", "Events accepted.", (double)g.events);
    one(b, "sluice_log_refused_total", "counter", "Batches refused: the log's queue was full.",
        (double)g.refused);
    one(b, "sluice_log_entries", "gauge", "Number of the newest entry.", (double)g.seq);
    one(b, "sluice_log_size_bytes", "gauge", "Size of the log.", (double)g.size_bytes);
    one(b, "sluice_log_up", "gauge", "1 when the log takes what it is given.", !g.error[0]);
}

static void put_clock(struct buf *b, struct live *l)
{
    struct live_clock c;

    live_clock_get(l, &c);
    head(b, "sluice_clock_state", "gauge", "1; how the station's time comes about is a label.");
    buf_puts(b, "sluice_clock_state{");
    label(b, "state", c.state ? c.state : "unknown");
    buf_puts(b, "} 1\n");
    one(b, "sluice_clock_doubtful", "gauge",
        "1 when samples carry the flag that the clock is not synchronised.", c.is_doubtful);
    one(b, "sluice_clock_offset_seconds", "gauge", "The system's clock less station time.",
        (double)c.offset_ms / 1000.0);
    head(b, "sluice_clock_max_error_seconds", "gauge",
         "The kernel's bound of a synchronised clock's error.");
    buf_puts(b, "sluice_clock_max_error_seconds ");
    number(b, c.state && c.error_ms >= 0 ? (double)c.error_ms / 1000.0 : NAN);
    one(b, "sluice_clock_steps_total", "counter", "Steps of a second and more since start.",
        (double)c.steps);
    one(b, "sluice_clock_held_rows", "gauge", "Rows that wait for a clock that is believed.",
        (double)c.held);
}

static void put_store(struct buf *b, struct store *store)
{
    struct store_health s;

    if (!store)
        return;
    store_health_get(store, &s);
    one(b, "sluice_log_queue_bytes", "gauge", "Bytes waiting for the log's writer.",
        (double)s.queue_bytes);
    one(b, "sluice_log_commits_total", "counter", "Commits.", (double)s.commits);
    one(b, "sluice_log_commit_errors_total", "counter", "Commits that failed.",
        (double)s.commit_errors);
    one(b, "sluice_log_commit_seconds_max", "gauge", "Longest commit since start.",
        (double)s.commit_ms_max / 1000.0);
}

static void put_http(struct buf *b, struct http *h)
{
    static const char *const classes[CLASS_COUNT_] = { "2xx", "3xx", "4xx", "5xx" };

    head(b, "sluice_http_answers_total", "counter", "HTTP answers by class of status.");
    for (int i = 0; i < CLASS_COUNT_; i++)
        buf_printf(b, "sluice_http_answers_total{class=\"%s\"} %llu\n", classes[i],
                   atomic_load(&h->answers[i]));
    one(b, "sluice_http_connections", "gauge", "Open connections.",
        guard_connections(h->guard));
    one(b, "sluice_http_streams", "gauge", "Clients that follow live.",
        streams_count(h->streams));
}

enum MHD_Result metrics_serve(struct request *r)
{
    struct http *h = r->http;
    const struct live_station *station = live_station_of(h->live);
    struct buf b = BUF_INIT(PAGE_MAX);

    head(&b, "sluice_build_info", "gauge", "1; the version is a label.");
    buf_puts(&b, "sluice_build_info{");
    label(&b, "version", station->version);
    buf_puts(&b, ",");
    label(&b, "station", station->id);
    buf_puts(&b, "} 1\n");
    one(&b, "sluice_start_time_seconds", "gauge", "Station time at start.",
        (double)station->started_ms / 1000.0);
    one(&b, "sluice_station_time_seconds", "gauge", "Station time now.",
        (double)live_now(h->live) / 1000.0);
    one(&b, "sluice_healthy", "gauge", "As /healthz.", !health_trouble(h));
    put_clock(&b, h->live);
    put_duty(&b, h->live);
    put_log(&b, h->live);
    put_store(&b, h->store);
    if (put_devices(&b, h->live) || put_buses(&b, h->live) || put_alerts(&b, h->live))
        b.has_failed = true;
    put_polling(&b, h->live);
    put_uplinks(&b, h->live);
    put_http(&b, h);
    return reply_buf(r, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &b);
}
