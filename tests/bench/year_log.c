/* SPDX-License-Identifier: Apache-2.0 */
/*
 * year_log STATION LOG FIRST_S DAYS EVENT_EVERY EVENT_LASTS ADDED - a log as the station would
 * have it after so many days from that Unix time: readings that go up and down with the day and
 * scatter, and every EVENT_EVERY rows, from the middle of that on, so many rows higher by
 * ADDED. The same at each run.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/app_view.h"
#include "gateway/conf/config.h"
#include "gateway/store/store.h"
#include "gateway/table.h"

enum { SEAL_ROWS = 60, BATCH_ROWS = 64, DAY_S = 86400 };

struct course {
    int64_t first_s, rows, poll_ms;
    int64_t event_every, event_lasts, added;
    uint64_t seed;
};

__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "year_log: %s\n", what);
    exit(1);
}

static uint32_t next_random(struct course *c)
{
    c->seed = c->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(c->seed >> 33);
}

/* Tenths. */
static int64_t value_of(struct course *c, int64_t row)
{
    const double day = (double)(row * c->poll_ms / 1000 % DAY_S) / DAY_S;
    const int64_t in = row % c->event_every - c->event_every / 2;
    const bool is_event = in >= 0 && in < c->event_lasts;

    return 600 + (int64_t)(400 * sin(2 * 3.14159265358979 * day)) + next_random(c) % 101 - 50 +
           (is_event ? 10 * c->added : 0);
}

static int try_rows(struct store *s, const struct channel_stream *stream, struct course *c,
                    int64_t from)
{
    struct series_cell cells[SERIES_COLUMNS_MAX] = { 0 };
    struct store_batch *batch;

    if (store_batch_begin(s, &batch) < 0)
        die("no memory");
    for (int64_t row = from; row < from + BATCH_ROWS && row < c->rows; row++) {
        for (uint32_t i = 0; i < stream->n; i++)
            cells[i] = (struct series_cell){ .v = value_of(c, row), .e = 1 };
        store_batch_row(batch, stream->number, c->first_s * 1000 + row * c->poll_ms, cells,
                        stream->n);
    }
    return store_batch_submit(batch, STORE_WITH_INTERVAL);
}

/* A batch that found no room in the queue is gone. */
static void put_rows(struct store *s, const struct channel_stream *stream, struct course *c,
                     int64_t from)
{
    const struct timespec pause = { .tv_nsec = 1000000 };
    const uint64_t seed = c->seed;

    while (try_rows(s, stream, c, from) == -EAGAIN) {
        c->seed = seed;
        nanosleep(&pause, NULL);
    }
}

static void fill(struct table *t, struct store *s, struct course *c, int64_t days)
{
    for (size_t d = 0; d < t->config->devices.n; d++) {
        const struct channel_stream *stream = &t->stream[t->device[d].stream];
        c->poll_ms = ((const struct device_conf *)t->config->devices.items)[d].poll_ms;
        c->rows = days * DAY_S * 1000 / c->poll_ms;
        for (int64_t row = 0; row < c->rows; row += BATCH_ROWS)
            put_rows(s, stream, c, row);
    }
}

static struct store *open_log(const char *path)
{
    const struct store_options o = { .path = path,
                                     .commit_ms = 1000,
                                     .seal_ms = INT64_C(3600000),
                                     .seal_rows = SEAL_ROWS,
                                     .dense_columns_max = 2000,
                                     .speed = 1 };
    struct store *s;
    char error[256];

    if (store_open(&o, NULL, NULL, &s, error, sizeof error) < 0)
        die(error);
    return s;
}

int main(int argc, char **argv)
{
    struct config *config;
    struct table *table;
    struct diag *d;
    struct course c = { .seed = 1 };

    if (argc != 8)
        die("STATION LOG FIRST_S DAYS EVENT_EVERY EVENT_LASTS ADDED");
    c.first_s = strtoll(argv[3], NULL, 10);
    c.event_every = strtoll(argv[5], NULL, 10);
    c.event_lasts = strtoll(argv[6], NULL, 10);
    c.added = strtoll(argv[7], NULL, 10);
    if (c.event_every <= 0)
        die("EVENT_EVERY is not positive");
    if (diag_create(&d) < 0)
        die("no memory");
    if (config_load(argv[1], uplink_choices(), d, &config) < 0) {
        diag_print(d, stderr);
        die("no configuration");
    }
    struct store *store = open_log(argv[2]);
    if (table_create(config, &table) < 0 || table_open_streams(table, store) < 0)
        die("no streams");
    fill(table, store, &c, strtoll(argv[4], NULL, 10));
    store_close(store);
    table_destroy(table);
    config_destroy(config);
    diag_destroy(d);
    return 0;
}
