/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate_bench STATION [SECONDS] - registers to committed log as fast as one core takes them: the
 * word image of every device of a station each second of its time, decoded, judged, counted
 * into statistics, compared with the rules and committed, by each codec. Time of the process,
 * all threads together. Exit status 1 when PLAIN does not hold HOLD samples a second.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "gateway/conf/config.h"
#include "gateway/forward/forward.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/store/store.h"
#include "gateway/table.h"

enum { POINTS_MAX = 512, WORDS_MAX = 2048, QUEUE_ROWS = 4000, HOLD = 400000, AIM = 1000000 };

#define T0 INT64_C(1767225600000)

struct bench {
    const struct config *config;
    struct table *table;
    struct store *store;
    struct pipeline *pipeline;
    struct reading readings[POINTS_MAX];
    uint16_t words[WORDS_MAX];
    uint8_t have[WORDS_MAX];
    double values[POINTS_MAX];
    uint64_t rows;
};

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void die(const char *what)
{
    fprintf(stderr, "rate_bench: %s\n", what);
    exit(1);
}

/* Readings that wander a little, as instruments write them. */
static void fill_image(struct bench *b, const struct profile *p, unsigned device,
                       unsigned second)
{
    for (size_t i = 0; i < p->points_n; i++)
        b->values[i] = 20 + (double)((device * 7 + i * 3 + second * (1 + i % 3)) % 400) / 10;
    profile_encode(p, -1, b->values, b->words);
}

static void scan(struct bench *b, unsigned device, unsigned second)
{
    const struct profile *p = b->table->poll_device[device].profile;
    const struct scan s = { .device = device,
                            .time_ms = T0 + second * INT64_C(1000) + device % 900,
                            .start_ms = T0 + second * INT64_C(1000),
                            .outcome = SCAN_OK,
                            .readings = b->readings,
                            .n = p->points_n };

    profile_decode(p, -1, b->words, b->have, b->readings);
    pipeline_scan(b->pipeline, &s);
}

/* The log's queue is bounded: the writer must keep up, on the same core. */
static void wait_for_log(const struct bench *b, uint64_t rows_behind)
{
    const struct timespec pause = { .tv_nsec = 1000000 };
    struct store_health h;

    for (store_health_get(b->store, &h); h.committed.rows + rows_behind < b->rows;
         nanosleep(&pause, NULL))
        store_health_get(b->store, &h);
}

static double thread_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* CPU seconds, without those that making the registers takes. */
static double run(struct bench *b, unsigned seconds)
{
    const size_t devices = b->config->devices.n;
    double begin = cpu_seconds(), filling = 0;

    for (unsigned s = 0; s < seconds; s++) {
        for (unsigned d = 0; d < devices; d++) {
            double filled = thread_seconds();
            fill_image(b, b->table->poll_device[d].profile, d, s);
            filling += thread_seconds() - filled;
            scan(b, d, s);
            b->rows++;
        }
        pipeline_tick(b->pipeline, T0 + (s + 1) * INT64_C(1000));
        wait_for_log(b, QUEUE_ROWS);
    }
    wait_for_log(b, 0);
    return cpu_seconds() - begin - filling;
}

static void remove_log(const char *path)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-mark" };
    char file[320];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        unlink(file);
    }
}

static double measure(struct bench *b, const char *folder, unsigned dense, unsigned seconds)
{
    char path[300], error[256];

    snprintf(path, sizeof path, "%s/%s.db", folder, dense ? "dense" : "plain");
    const struct store_options o = { .path = path,
                                     .commit_ms = 1000,
                                     .seal_ms = 60000,
                                     .seal_rows = 60,
                                     .dense_columns_max = dense,
                                     .speed = 1 };
    if (table_create(b->config, &b->table) < 0 ||
        store_open(&o, NULL, NULL, &b->store, error, sizeof error) < 0 ||
        table_open_streams(b->table, b->store) < 0)
        die("the log cannot be opened");
    const struct pipeline_options po = { .table = &b->table->channels,
                                         .devices = b->table->device,
                                         .devices_n = b->config->devices.n,
                                         .channels = b->table->treatment,
                                         .rules = b->table->rule,
                                         .rules_n = b->table->rules_n,
                                         .store = b->store };
    if (pipeline_create(&po, &b->pipeline) < 0)
        die("no memory");
    b->rows = 0;
    double used = run(b, seconds);
    pipeline_destroy(b->pipeline);
    store_close(b->store);
    table_destroy(b->table);
    remove_log(path);
    return used;
}

int main(int argc, char **argv)
{
    static struct bench b;
    unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 120;
    char folder[] = "/tmp/sluice-rate-XXXXXX";
    struct config *config;
    struct diag *d;

    if (argc < 2 || !mkdtemp(folder) || diag_create(&d) < 0)
        die("name the station's file");
    if (config_load(argv[1], uplink_choices(), d, &config) < 0) {
        diag_print(d, stderr);
        return 1;
    }
    b.config = config;
    memset(b.have, 1, sizeof b.have);
    double samples = (double)config_channels(config) * seconds, rate[2];
    for (int dense = 0; dense < 2; dense++) {
        double used = measure(&b, folder, dense ? UINT32_MAX : 0, seconds);
        rate[dense] = samples / used;
        printf("%s: %.0f samples in %.2f s of CPU: %.0f a second, %.2f us each\n",
               dense ? "DENSE" : "PLAIN", samples, used, rate[dense], 1e6 / rate[dense]);
    }
    printf("PLAIN on one core: hold %d, aim %d: %s\n", HOLD, AIM,
           rate[0] >= AIM    ? "aim reached"
           : rate[0] >= HOLD ? "holds"
                             : "MISSED");
    rmdir(folder);
    config_destroy(config);
    diag_destroy(d);
    return rate[0] < HOLD;
}
