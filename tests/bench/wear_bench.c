/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wear_bench [FOLDER] - what the log writes to the disk per sample, in virtual time: bytes
 * given to the file system and those the device was made to write (/proc/self/io), for stations
 * and commit intervals that docs/proof.md names. FOLDER must not be a tmpfs for the second
 * figure.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/store/commit.h"

enum { CHANNELS_MAX = 200, COLUMNS = 10, SEAL_MS = 60000 };

#define T0 INT64_C(1700006400000)

struct station {
    const char *name;
    unsigned channels;
    int64_t period_ms, commit_ms, span_ms;
    unsigned seal_rows;
    int64_t seal_ms;
    unsigned dense;
};

static const struct station stations[] = {
    { "20 channels x 1/min, commit 1 s, seal 1 h", 20, 60000, 1000, 6 * 3600000, 60, 3600000,
      20 },
    { "20 channels x 1/min, commit 60 s, seal 1 h", 20, 60000, 60000, 6 * 3600000, 60, 3600000,
      20 },
    { "20 channels x 1/min, commit 1 s, seal 1 min", 20, 60000, 1000, 6 * 3600000, 60, SEAL_MS,
      20 },
    { "200 channels x 1/s, commit 1 s", 200, 1000, 1000, 3600000, 60, SEAL_MS, 200 },
    { "200 channels x 1/s, commit 10 s", 200, 1000, 10000, 3600000, 60, SEAL_MS, 200 },
    { "200 channels x 1/s, commit 60 s", 200, 1000, 60000, 3600000, 60, SEAL_MS, 200 },
    { "200 channels x 1/s, commit 60 s, seal 10 min", 200, 1000, 60000, 3600000, 600, 600000,
      200 },
};

struct io {
    uint64_t written, device;
};

static void read_io(struct io *io)
{
    FILE *f = fopen("/proc/self/io", "r");
    char line[80];

    *io = (struct io){ 0 };
    while (f && fgets(line, sizeof line, f)) {
        sscanf(line, "wchar: %" SCNu64, &io->written);
        sscanf(line, "write_bytes: %" SCNu64, &io->device);
    }
    if (f)
        fclose(f);
}

static void put_row(struct store_batch *b, uint32_t stream, int64_t t, int64_t *level,
                    uint64_t *seed)
{
    struct series_cell cells[COLUMNS];

    for (unsigned j = 0; j < COLUMNS; j++) {
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        level[j] += (int64_t)(*seed >> 33) % 7 - 3;
        cells[j] = (struct series_cell){ .v = 2000 + level[j], .e = (int8_t)(j % 3) };
    }
    void *body = batch_add(b, &(struct batch_op){ .kind = BATCH_ROW,
                                                  .stream = stream,
                                                  .n = COLUMNS,
                                                  .size = sizeof cells,
                                                  .time_ms = t });
    if (!body)
        abort();
    memcpy(body, cells, sizeof cells);
}

static unsigned open_streams(struct commit *c, const struct station *s, uint32_t *streams)
{
    unsigned n = s->channels / COLUMNS;
    char name[32], dictionary[64];

    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof name, "dev.%u", i);
        snprintf(dictionary, sizeof dictionary, "{\"sf1\":1,\"station\":\"bench %u\"}", i);
        const struct commit_stream want = { name, dictionary, COLUMNS, s->period_ms, 1, NULL };
        if (commit_stream(c, &want, &streams[i]) < 0)
            abort();
    }
    return n;
}

static void run(struct commit *c, const struct station *s)
{
    struct store_batch *b = batch_create(NULL);
    uint32_t streams[CHANNELS_MAX / COLUMNS];
    int64_t level[CHANNELS_MAX] = { 0 };
    unsigned n = open_streams(c, s, streams), commits = 0;
    uint64_t seed = 1, samples = 0;
    struct io before, after;

    read_io(&before);
    for (int64_t t = 0, committed = 0; t < s->span_ms; t += s->period_ms) {
        for (unsigned i = 0; b && i < n; i++)
            put_row(b, streams[i], T0 + t, level + i * COLUMNS, &seed);
        samples += s->channels;
        if (t - committed < s->commit_ms && t > 0 && s->period_ms < s->commit_ms)
            continue;
        if (commit_run(c, b, t, t - s->seal_ms) < 0)
            abort();
        commits++;
        committed = t;
        b->size = 0;
    }
    read_io(&after);
    double bytes = (double)(after.written - before.written);
    double device = (double)(after.device - before.device);
    double per_day = 86400000.0 / (double)s->span_ms;
    printf("%-46s %6u commits %8.1f bytes a sample %7.1f MB a day; device %8.1f, %7.1f MB\n",
           s->name, commits, bytes / (double)samples, bytes * per_day / 1e6,
           device / (double)samples, device * per_day / 1e6);
    batch_destroy(b);
}

static void measure(const struct station *s, const char *folder)
{
    char path[300], error[256];
    struct commit c;

    snprintf(path, sizeof path, "%s/log.db", folder);
    if (commit_open(&c, path, &(struct tail_options){ s->seal_rows, s->dense }, error,
                    sizeof error) < 0) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    run(&c, s);
    commit_close(&c);
    unlink(path);
}

int main(int argc, char **argv)
{
    char folder[256];

    snprintf(folder, sizeof folder, "%s/sluice-wear-XXXXXX", argc > 1 ? argv[1] : "/tmp");
    if (!mkdtemp(folder))
        return 1;
    for (size_t i = 0; i < sizeof stations / sizeof stations[0]; i++)
        measure(&stations[i], folder);
    rmdir(folder);
    return 0;
}
