/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backlog_fill FILE [DAYS [DEVICES [CHANNELS [SEAL_ROWS [DENSE]]]]] - a station's log with a
 * backlog: rows of one minute that end now, of so many devices; sealed as they would be in
 * operation. Prints the number of samples.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/store/store.h"

enum { DEVICES_MAX = 64, CHANNELS_MAX = 64, PERIOD_MS = 60000 };

struct backlog {
    unsigned days, devices, channels, seal_rows, dense;
    struct store *store;
    uint32_t streams[DEVICES_MAX];
    int64_t level[DEVICES_MAX][CHANNELS_MAX];
    uint64_t seed;
};

static uint32_t next_random(struct backlog *b)
{
    b->seed = b->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(b->seed >> 33);
}

static int open_streams(struct backlog *b)
{
    struct buf text = BUF_INIT(1 << 20);
    char name[32];
    int rc = 0;

    for (unsigned d = 0; d < b->devices && rc == 0; d++) {
        buf_clear(&text);
        buf_puts(&text, "{\"sf1\":1,\"station\":\"backlog\",\"channels\":[");
        for (unsigned c = 0; c < b->channels; c++)
            buf_printf(&text,
                       "%s{\"id\":\"d%02u/c%02u\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"}",
                       c ? "," : "", d, c);
        buf_puts(&text, "]}");
        snprintf(name, sizeof name, "d%02u", d);
        rc = store_stream_open(b->store, name, b->channels, PERIOD_MS, 1, NULL, buf_text(&text),
                               &b->streams[d]);
    }
    buf_done(&text);
    return rc;
}

static int put_row(struct backlog *b, unsigned device, int64_t time_ms)
{
    const struct timespec pause = { .tv_nsec = 1000000 };
    struct series_cell cells[CHANNELS_MAX];
    struct store_batch *batch;

    for (unsigned c = 0; c < b->channels; c++) {
        b->level[device][c] += (int64_t)(next_random(b) % 7) - 3;
        cells[c] =
            (struct series_cell){ .v = 2000 + b->level[device][c], .e = (int8_t)(c % 3) };
    }
    for (int rc;;) {
        rc = store_batch_begin(b->store, &batch);
        if (rc == 0)
            rc = store_batch_row(batch, b->streams[device], time_ms, cells, b->channels);
        if (rc == 0)
            rc = store_batch_submit(batch, STORE_WITH_INTERVAL);
        if (rc != -EAGAIN)
            return rc;
        nanosleep(&pause, NULL);
    }
}

static int fill(struct backlog *b)
{
    struct clock now;

    clock_init(&now, 1, 0);
    int64_t rows = (int64_t)b->days * 1440;
    int64_t first = clock_wall_ms(&now) / PERIOD_MS * PERIOD_MS - (rows - 1) * PERIOD_MS;
    int rc = open_streams(b);
    for (int64_t r = 0; r < rows && rc == 0; r++)
        for (unsigned d = 0; d < b->devices && rc == 0; d++)
            rc = put_row(b, d, first + r * PERIOD_MS);
    return rc;
}

static unsigned argument(int argc, char **argv, int i, unsigned dflt, unsigned max)
{
    unsigned long v = argc > i ? strtoul(argv[i], NULL, 10) : dflt;

    return v > max ? max : (unsigned)v;
}

int main(int argc, char **argv)
{
    struct backlog *b = calloc(1, sizeof *b);
    char error[200] = "";

    if (!b || argc < 2) {
        fputs("usage: backlog_fill FILE [DAYS [DEVICES [CHANNELS [SEAL_ROWS [DENSE]]]]]\n",
              stderr);
        return 2;
    }
    b->days = argument(argc, argv, 2, 30, 3650);
    b->devices = argument(argc, argv, 3, 5, DEVICES_MAX);
    b->channels = argument(argc, argv, 4, 10, CHANNELS_MAX);
    b->seal_rows = argument(argc, argv, 5, 60, 1000);
    b->dense = argument(argc, argv, 6, 1, 1);
    const struct store_options o = { .path = argv[1],
                                     .commit_ms = 1000,
                                     .seal_ms = INT64_C(86400000),
                                     .seal_rows = b->seal_rows,
                                     .dense_columns_max = b->dense ? 4096 : 0,
                                     .speed = 1 };
    int rc = store_open(&o, NULL, NULL, &b->store, error, sizeof error);
    if (rc == 0)
        rc = fill(b);
    store_close(b->store);
    if (rc < 0)
        fprintf(stderr, "backlog_fill: failed, %d: %s\n", rc, error);
    else
        printf("%" PRId64 "\n", (int64_t)b->days * 1440 * b->devices * b->channels);
    free(b);
    return rc < 0;
}
