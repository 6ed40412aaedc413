/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A replay has no log: what the pipeline tells row by row must be what the log would hold,
 * final flags and periods alike.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "station_rig.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define T0     (INT64_C(19700) * DAY)

enum { CELLS_MAX = 40000, OZONE = 0, NOISE = 1 };

static const char text[] =
    "station: {id: s-1, region: demo, zone: \"+08:00\", names: {en: S, zh: 站}}\n"
    "buses:\n"
    "  - {id: a, type: modbus-tcp, host: 127.0.0.1, port: 1502}\n"
    "devices:\n"
    "  - {id: o3, profile: teledyne-t400, bus: a, unit: 1, poll: 1min,\n"
    "     channels: {ozone: {factor: 2, spike: {suspect: 15}, stuck: 0}}}\n"
    "  - {id: noise, profile: sonbest-sm7901, bus: a, unit: 2, poll: 5min,\n"
    "     channels: {sound_level: {stuck: 0, statistics: [1h.l90, day]}}}\n"
    "rules:\n"
    "  - {id: high, selector: {quantity: ozone}, levels: {red: {set: 300}}}\n";

struct cell {
    uint32_t stream, column;
    int64_t time_ms;
    double value;
    uint32_t flag;
};

struct cells {
    struct cell cell[CELLS_MAX];
    size_t n;
    uint32_t stream; /* being read */
    unsigned events;
};

static struct cells told, kept;

static void add(struct cells *c, uint32_t stream, unsigned columns, int64_t time_ms,
                const struct series_cell *cells)
{
    for (unsigned i = 0; i < columns; i++) {
        assert_true(c->n < CELLS_MAX);
        c->cell[c->n++] =
            (struct cell){ stream, i, time_ms, decimal_to_double(series_value(&cells[i])),
                           cells[i].flag };
    }
}

static const struct channel_table *channels; /* of the run without a log */

static void on_row(void *user, uint32_t stream, int64_t time_ms,
                   const struct series_cell *cells)
{
    add(user, stream, channels->streams[stream].n, time_ms, cells);
}

static void on_event(void *user, const char *json)
{
    (void)json;
    ((struct cells *)user)->events++;
}

static bool on_kept(void *user, int64_t time_ms, const struct series_cell *cells,
                    unsigned columns, uint32_t layout)
{
    struct cells *c = user;

    (void)layout;
    add(c, c->stream, columns, time_ms, cells);
    return true;
}

/* ---- one station ---- */

static void scan(struct pipeline *p, const struct table *t, uint32_t device, int64_t time_ms,
                 double x)
{
    const struct pipeline_device *d = &t->device[device];
    struct reading r[256];

    assert_true(d->points_n <= 256);
    for (size_t i = 0; i < d->points_n; i++)
        r[i] = (struct reading){ decimal_round(x, 1), { 0 }, decimal_round(x, 1) };
    pipeline_scan(p, &(struct scan){ .device = device,
                                     .time_ms = time_ms,
                                     .start_ms = time_ms,
                                     .readings = r,
                                     .outcome = SCAN_OK,
                                     .n = d->points_n });
}

/* Spikes, values out of range, none at all, and a gap. */
static double value_at(int64_t minute)
{
    if (minute % 97 == 50)
        return 130;
    if (minute % 211 == 7)
        return 99999;
    if (minute % 173 == 9)
        return NAN;
    return 40 + (double)(minute * 7919 % 60) / 10;
}

static void run(struct pipeline *p, const struct table *t)
{
    for (int64_t m = 0; m < 30 * 60 + 3; m++) {
        const int64_t now_ms = T0 + m * MINUTE;
        const bool is_gap = m >= 500 && m < 560;
        if (!is_gap)
            scan(p, t, OZONE, now_ms + 500, value_at(m));
        if (!is_gap && m % 5 == 0)
            scan(p, t, NOISE, now_ms + 700, value_at(m));
        pipeline_tick(p, now_ms + 2000);
    }
}

static struct pipeline_options options_of(struct table *t, struct store *store)
{
    return (struct pipeline_options){ .table = &t->channels,
                                      .devices = t->device,
                                      .devices_n = 2,
                                      .channels = t->treatment,
                                      .rules = t->rule,
                                      .rules_n = t->rules_n,
                                      .store = store,
                                      .on_event = on_event };
}

static void run_without_log(const struct config *config)
{
    struct table *t;
    struct pipeline *p;

    assert_int_equal(table_create(config, &t), 0);
    struct pipeline_options o = options_of(t, NULL);
    o.on_row = on_row;
    o.user = &told;
    channels = &t->channels;
    assert_int_equal(pipeline_create(&o, &p), 0);
    run(p, t);
    pipeline_end_rows(p);
    pipeline_destroy(p);
    table_destroy(t);
}

static struct store *open_log(const char *path, struct table *t)
{
    const struct store_options o = {
        .path = path, .commit_ms = 50, .seal_ms = HOUR, .seal_rows = 500, .speed = 1
    };
    struct store *s;
    char error[256];

    assert_int_equal(store_open(&o, station_on_commit, NULL, &s, error, sizeof error), 0);
    assert_int_equal(table_open_streams(t, s), 0);
    return s;
}

static void read_log(struct store *s, const struct table *t)
{
    struct store_reader *r;

    assert_int_equal(store_reader_open(s, &r), 0);
    for (uint32_t i = 0; i < t->channels.streams_n; i++) {
        kept.stream = i;
        assert_int_equal(store_read_rows(r, t->stream[i].number, 0, INT64_MAX, on_kept, &kept),
                         0);
    }
    store_reader_close(r);
}

static void run_with_log(const struct config *config, const char *path)
{
    struct table *t;
    struct pipeline *p;

    assert_int_equal(table_create(config, &t), 0);
    struct store *s = open_log(path, t);
    struct pipeline_options o = options_of(t, s);
    o.user = &kept;
    assert_int_equal(pipeline_create(&o, &p), 0);
    run(p, t);
    pipeline_destroy(p);
    store_close(s); /* everything is committed by that */
    s = open_log(path, t);
    read_log(s, t);
    store_close(s);
    table_destroy(t);
}

static int compare(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;

    if (x->stream != y->stream)
        return x->stream < y->stream ? -1 : 1;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return (x->column > y->column) - (x->column < y->column);
}

static void rows_of_a_stream_are_told_in_order(void)
{
    int64_t last_ms[64] = { 0 };

    for (size_t i = 0; i < told.n; i++) {
        assert_true(told.cell[i].stream < 64);
        assert_true(told.cell[i].time_ms >= last_ms[told.cell[i].stream]);
        last_ms[told.cell[i].stream] = told.cell[i].time_ms;
    }
}

static void without_a_log_the_rows_are_those_of_the_log(void **state)
{
    struct station s = { 0 };
    unsigned spikes = 0;

    (void)state;
    station_load(&s, text, sizeof text - 1);
    run_without_log(s.config);
    run_with_log(s.config, s.path);
    rows_of_a_stream_are_told_in_order();
    qsort(told.cell, told.n, sizeof *told.cell, compare);
    qsort(kept.cell, kept.n, sizeof *kept.cell, compare);
    assert_int_equal(told.n, kept.n);
    assert_true(told.n > 3000);
    assert_int_equal(told.events, kept.events);
    for (size_t i = 0; i < told.n; i++) {
        const struct cell *a = &told.cell[i], *b = &kept.cell[i];
        if (compare(a, b) != 0 || a->flag != b->flag ||
            (a->value != b->value && !(isnan(a->value) && isnan(b->value))))
            fail_msg("stream %u, column %u at minute %lld: %g %u, in the log %g %u", a->stream,
                     a->column, (long long)((a->time_ms - T0) / MINUTE), a->value, a->flag,
                     b->value, b->flag);
        spikes += (verdict_from_flag(a->flag).reasons & REASON_SPIKE) != 0;
    }
    assert_true(spikes > 10);
    station_unload(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_log_the_rows_are_those_of_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
