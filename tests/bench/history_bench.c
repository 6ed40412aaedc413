/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history_bench [CHANNELS [DAYS [STREAMS [FOLDER]]]] - one-minute means of so many channels
 * over so many days, put into a log by each codec as the station would (a frame of 60 rows, a
 * segment a day), then read back: all of it, and one day out of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/store/store.h"

enum {
    CHANNELS_MAX = 500,
    DAYS_MAX = 366,
    STREAMS_MAX = 100,
    ROWS_A_DAY = 1440,
    SEAL_ROWS = 60
};

#define T0 INT64_C(1700006400000)

struct bench {
    unsigned channels, days, streams;
    struct store *store;
    uint32_t numbers[STREAMS_MAX];
    int64_t level[CHANNELS_MAX];
    uint64_t seed;
};

static uint32_t next_random(struct bench *b)
{
    b->seed = b->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(b->seed >> 33);
}

static unsigned columns(const struct bench *b)
{
    return b->channels / b->streams;
}

static int open_streams(struct bench *b)
{
    char name[32], dictionary[64];
    int rc = 0;

    for (unsigned i = 0; i < b->streams && rc == 0; i++) {
        snprintf(name, sizeof name, "mean.%u", i);
        snprintf(dictionary, sizeof dictionary, "{\"sf1\":1,\"station\":\"bench %u\"}", i);
        rc = store_stream_open(b->store, name, columns(b), 60000, 1, NULL, dictionary,
                               &b->numbers[i]);
    }
    return rc;
}

/* A slow drift with noise in the last digit or two, as means have. */
static void put_minute(struct bench *b, unsigned minute)
{
    struct series_cell cells[CHANNELS_MAX];
    struct timespec pause = { .tv_nsec = 1000000 };
    struct store_batch *batch;

    for (unsigned c = 0; c < b->channels; c++) {
        b->level[c] += (int64_t)(next_random(b) % 9) - 4;
        cells[c] = (struct series_cell){ .v = 20000 + b->level[c], .e = (int8_t)(c % 3 + 1) };
    }
    do {
        if (store_batch_begin(b->store, &batch) < 0)
            abort();
        for (unsigned i = 0; i < b->streams; i++)
            store_batch_row(batch, b->numbers[i], T0 + minute * INT64_C(60000),
                            cells + (size_t)i * columns(b), columns(b));
    } while (store_batch_submit(batch, STORE_WITH_INTERVAL) == -EAGAIN &&
             nanosleep(&pause, NULL) == 0);
}

static bool count(void *user, int64_t time_ms, const struct series_cell *cells, unsigned n,
                  uint32_t layout)
{
    (void)time_ms, (void)cells, (void)layout;
    *(uint64_t *)user += n;
    return true;
}

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void read_back(struct bench *b, const char *what, int64_t from, int64_t to,
                      uint64_t want)
{
    struct store_reader *r;
    uint64_t n = 0;

    if (store_reader_open(b->store, &r) < 0)
        abort();
    double start = seconds(CLOCK_MONOTONIC), start_cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (unsigned i = 0; i < b->streams; i++)
        store_read_rows(r, b->numbers[i], from, to, count, &n);
    double s = seconds(CLOCK_MONOTONIC) - start;
    double cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - start_cpu; /* tells on a busy machine */
    printf("  %-10s %9" PRIu64 " values%s in %.3f s, %.3f s of CPU, %.3f us each\n", what, n,
           n == want ? "" : " (NOT ALL)", s, cpu, cpu / (double)n * 1e6);
    store_reader_close(r);
}

static unsigned middle_column(void *user, uint32_t layout)
{
    (void)layout;
    return ((const struct bench *)user)->channels / ((const struct bench *)user)->streams / 2 +
           1;
}

static bool pass_row(void *user, int64_t time_ms, const struct series_cell *cells, unsigned n,
                     uint32_t layout)
{
    (void)user, (void)time_ms, (void)cells, (void)n, (void)layout;
    return true;
}

/* As the page draws one line: the channel in the middle of the first stream. */
static void read_one(struct bench *b)
{
    struct store_reader *r;

    if (store_reader_open(b->store, &r) < 0)
        abort();
    double start = seconds(CLOCK_THREAD_CPUTIME_ID);
    store_read_columns(r, b->numbers[0], INT64_MIN, INT64_MAX, middle_column, pass_row, b);
    printf("  one channel in %.3f s of CPU\n", seconds(CLOCK_THREAD_CPUTIME_ID) - start);
    store_reader_close(r);
}

static void measure(struct bench *b, const char *path, const char *codec)
{
    uint64_t day = (uint64_t)ROWS_A_DAY * columns(b) * b->streams, want = day * b->days;
    struct timespec pause = { .tv_nsec = 5000000 };
    struct store_health h = { 0 };
    struct stat st;

    for (unsigned m = 0; m < b->days * ROWS_A_DAY; m++)
        put_minute(b, m);
    for (; h.committed.samples < want; nanosleep(&pause, NULL))
        store_health_get(b->store, &h);
    if (stat(path, &st) != 0)
        abort();
    printf("%s: %u channels in %u streams, %u days\n", codec, b->channels, b->streams, b->days);
    read_back(b, "all", INT64_MIN, INT64_MAX, want);
    read_back(b, "again", INT64_MIN, INT64_MAX, want);
    read_back(b, "one day", T0 + 86400000, T0 + 2 * 86400000, day);
    read_one(b);
}

static void run(struct bench *b, const char *folder, const char *codec, unsigned dense)
{
    char path[300], other[320], error[256];
    static const char *const ends[] = { "", "-mark" };

    snprintf(path, sizeof path, "%s/%s.db", folder, codec);
    const struct store_options o = { .path = path,
                                     .commit_ms = 1000,
                                     .seal_ms = 3600000,
                                     .seal_rows = SEAL_ROWS,
                                     .dense_columns_max = dense,
                                     .speed = 1 };
    memset(b->level, 0, sizeof b->level);
    b->seed = 1;
    if (store_open(&o, NULL, NULL, &b->store, error, sizeof error) < 0 || open_streams(b) < 0)
        abort();
    measure(b, path, codec);
    store_close(b->store);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(other, sizeof other, "%s%s", path, ends[i]);
        unlink(other);
    }
}

static unsigned argument(int argc, char **argv, int i, unsigned dflt, unsigned max)
{
    unsigned long v = argc > i ? strtoul(argv[i], NULL, 10) : dflt;

    return v < 1 ? 1 : v > max ? max : (unsigned)v;
}

int main(int argc, char **argv)
{
    struct bench *b = calloc(1, sizeof *b);
    char folder[256];

    if (!b)
        return 1;
    b->channels = argument(argc, argv, 1, 20, CHANNELS_MAX);
    b->days = argument(argc, argv, 2, 30, DAYS_MAX);
    b->streams = argument(argc, argv, 3, 1, STREAMS_MAX);
    snprintf(folder, sizeof folder, "%s/sluice-bench-XXXXXX", argc > 4 ? argv[4] : "/tmp");
    if (b->streams > b->channels || !mkdtemp(folder))
        return 1;
    run(b, folder, "dense", UINT32_MAX);
    run(b, folder, "plain", 0);
    rmdir(folder);
    free(b);
    return 0;
}
