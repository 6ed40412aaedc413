/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_bench [DEVICES [CHANNELS [SECONDS [FOLDER]]]] - rows of many devices into the log as
 * fast as it takes them, one batch per row as the pipeline makes them; then the same rows read
 * back.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/store/store.h"

enum {
    DEVICES_MAX = 2000,
    CHANNELS_MAX = 200,
    SEAL_ROWS = 60,
};

#define T0 INT64_C(1700000000000)

struct bench {
    unsigned devices, channels, seconds;
    struct store *store;
    uint32_t streams[DEVICES_MAX];
    int64_t level[DEVICES_MAX * CHANNELS_MAX];
    uint64_t seed;
};

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static uint32_t next_random(struct bench *b)
{
    b->seed = b->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(b->seed >> 33);
}

static int open_streams(struct bench *b)
{
    struct buf text = BUF_INIT(1 << 20);
    char name[32];
    int rc = 0;

    for (unsigned d = 0; d < b->devices && rc == 0; d++) {
        buf_clear(&text);
        buf_printf(&text, "{\"sf1\":1,\"station\":\"bench\",\"channels\":[");
        for (unsigned c = 0; c < b->channels; c++)
            buf_printf(&text, "%s{\"id\":\"d%u/c%u\",\"quantity\":\"ozone\",\"unit\":\"1\"}",
                       c ? "," : "", d, c);
        buf_puts(&text, "]}");
        snprintf(name, sizeof name, "dev.%u", d);
        rc = store_stream_open(b->store, name, b->channels, 1000, 1, NULL, buf_text(&text),
                               &b->streams[d]);
    }
    buf_done(&text);
    return rc;
}

static void put_row(struct bench *b, unsigned device, unsigned second)
{
    struct series_cell cells[CHANNELS_MAX];
    int64_t *level = b->level + (size_t)device * b->channels;

    for (unsigned c = 0; c < b->channels; c++) {
        level[c] += (int64_t)(next_random(b) % 7) - 3;
        cells[c] = (struct series_cell){ .v = 2000 + level[c], .e = (int8_t)(c % 3) };
    }
    struct timespec pause = { .tv_nsec = 1000000 };
    for (int rc = -EAGAIN; rc == -EAGAIN;) {
        struct store_batch *batch;
        if (store_batch_begin(b->store, &batch) < 0)
            abort();
        store_batch_row(batch, b->streams[device], T0 + second * INT64_C(1000), cells,
                        b->channels);
        rc = store_batch_submit(batch, STORE_WITH_INTERVAL);
        if (rc == -EAGAIN)
            nanosleep(&pause, NULL);
    }
}

static bool count(void *user, int64_t time_ms, const struct series_cell *cells,
                  unsigned columns, uint32_t layout)
{
    (void)time_ms, (void)cells, (void)layout;
    *(uint64_t *)user += columns;
    return true;
}

static void read_back(struct bench *b, uint64_t samples)
{
    struct store_reader *r;
    uint64_t n = 0;
    int64_t start = mono_ms();

    if (store_reader_open(b->store, &r) < 0)
        return;
    for (unsigned d = 0; d < b->devices; d++)
        store_read_rows(r, b->streams[d], T0, INT64_MAX, count, &n);
    double seconds = (double)(mono_ms() - start + 1) / 1000;
    printf("read back       %" PRIu64 " samples%s, %.0f samples/s\n", n,
           n == samples ? "" : " (NOT ALL)", (double)n / seconds);
    store_reader_close(r);
}

static void report(struct bench *b, double seconds, double cpu)
{
    struct store_health h;

    store_health_get(b->store, &h);
    double samples = (double)h.committed.samples;
    printf("accepted        %" PRIu64 " samples in %" PRIu64 " rows, %" PRIu64 " commits\n",
           h.committed.samples, h.committed.rows, h.commits);
    printf(
        "throughput      %.0f samples/s, %.3f us CPU per sample (making the data included)\n",
        samples / seconds, cpu / samples * 1e6);
    printf("slowest commit  %" PRId64 " ms\n", h.commit_ms_max);
}

static void report_size(const char *path, double samples)
{
    struct stat st;

    if (stat(path, &st) == 0)
        printf("on disk         %lld bytes, %.2f per sample\n", (long long)st.st_size,
               (double)st.st_size / samples);
}

static unsigned argument(int argc, char **argv, int i, unsigned dflt, unsigned max)
{
    unsigned long v = argc > i ? strtoul(argv[i], NULL, 10) : dflt;

    return v < 1 ? 1 : v > max ? max : (unsigned)v;
}

static void remove_log(const char *folder, const char *path)
{
    char mark[320];

    snprintf(mark, sizeof mark, "%s-mark", path);
    unlink(path);
    unlink(mark);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    char folder[256], path[300], error[256];
    struct bench *b = calloc(1, sizeof *b);

    if (!b)
        return 1;
    b->devices = argument(argc, argv, 1, 500, DEVICES_MAX);
    b->channels = argument(argc, argv, 2, 25, CHANNELS_MAX);
    b->seconds = argument(argc, argv, 3, 120, 1000000);
    snprintf(folder, sizeof folder, "%s/sluice-bench-XXXXXX", argc > 4 ? argv[4] : "/tmp");
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/log.db", folder);
    const struct store_options o = {
        .path = path, .commit_ms = 1000, .seal_ms = 60000, .seal_rows = SEAL_ROWS, .speed = 1
    };
    if (store_open(&o, NULL, NULL, &b->store, error, sizeof error) < 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    if (open_streams(b) < 0)
        return 1;
    int64_t start = mono_ms();
    double cpu = cpu_seconds();
    for (unsigned s = 0; s < b->seconds; s++)
        for (unsigned d = 0; d < b->devices; d++)
            put_row(b, d, s);
    uint64_t want = (uint64_t)b->devices * b->channels * b->seconds;
    struct timespec pause = { .tv_nsec = 5000000 };
    for (struct store_health h = { 0 }; h.committed.samples < want; nanosleep(&pause, NULL))
        store_health_get(b->store, &h);
    report(b, (double)(mono_ms() - start + 1) / 1000, cpu_seconds() - cpu);
    read_back(b, want);
    store_close(b->store);
    report_size(path, (double)want);
    remove_log(folder, path);
    free(b);
    return 0;
}
