/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll_bench - CPU time of polling alone: M Modbus TCP devices of 25 float32 at 1 Hz.
 *
 *   poll_bench BASE_PORT M SECONDS
 *
 * Polls 127.0.0.1:BASE .. BASE+M-1, decodes, counts; warms up for 3 s, then prints CPU
 * microseconds per sample, jitter, memory. The load generator is not part of the repository:
 * any server that answers function 3 with 50 registers will do.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "gateway/poll/poll.h"

enum { VALUES = 25, WARM_UP_S = 3, INTERVAL_MS = 1000 };

struct bench {
    uv_loop_t loop;
    struct poll *poll;
    uv_timer_t timer;
    uint64_t scans, good, values;
    double cpu_s;
    int64_t seconds;
    bool is_measuring;
};

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void on_scan(void *user, const struct scan *s)
{
    struct bench *b = user;

    if (!b->is_measuring)
        return;
    b->scans++;
    b->good += s->outcome == SCAN_OK;
    for (size_t i = 0; i < s->n; i++)
        b->values += decimal_has_value(s->readings[i].value);
}

static void on_closed(void *user)
{
    (void)user;
}

static void report(struct bench *b)
{
    struct poll_jitter j;
    struct rusage u;
    double cpu_s = cpu_seconds() - b->cpu_s;

    poll_jitter_get(b->poll, &j);
    getrusage(RUSAGE_SELF, &u);
    printf(
        "scans=%" PRIu64 " good=%" PRIu64 " values=%" PRIu64 " cpu_s=%.3f us_per_sample=%.3f "
        "jitter_mean_us=%.0f jitter_sd_us=%.0f jitter_max_us=%" PRId64 " rss_max_kb=%ld\n",
        b->scans, b->good, b->values, cpu_s, cpu_s * 1e6 / (double)(b->values ? b->values : 1),
        j.mean_us, j.deviation_us, j.max_us, u.ru_maxrss);
}

static void on_timer(uv_timer_t *t)
{
    struct bench *b = t->data;

    if (!b->is_measuring) {
        b->is_measuring = true;
        b->cpu_s = cpu_seconds();
        uv_timer_start(t, on_timer, (uint64_t)b->seconds * 1000, 0);
        return;
    }
    report(b);
    uv_close((uv_handle_t *)t, NULL);
    poll_stop(b->poll, on_closed, b);
}

static void make_profile(struct profile *p, struct profile_point *points,
                         struct profile_span *span)
{
    for (int i = 0; i < VALUES; i++) {
        points[i] = (struct profile_point){
            .id = "value",
            .at = { SPACE_HOLDING, (uint16_t)(2 * i), 2, -1 },
            .type = TYPE_F32,
            .order = -1,
            .scale = 1,
        };
    }
    *span = (struct profile_span){ SPACE_HOLDING, 0, 2 * VALUES, 0 };
    *p = (struct profile){
        .id = "bench",
        .order = ORDER_ABCD,
        .points = points,
        .points_n = VALUES,
        .spans = span,
        .spans_n = 1,
        .words_n = 2 * VALUES,
    };
}

static int run(struct bench *b, size_t n, unsigned base)
{
    struct profile_point points[VALUES];
    struct profile_span span;
    struct profile profile;
    struct clock clock;
    struct poll_bus *buses = calloc(n, sizeof *buses);
    struct poll_device *devices = calloc(n, sizeof *devices);
    int rc = buses && devices ? 0 : -1;

    make_profile(&profile, points, &span);
    clock_init(&clock, 1, 0);
    for (size_t i = 0; i < n && rc == 0; i++) {
        buses[i] = (struct poll_bus){ .kind = POLL_BUS_TCP,
                                      .id = "tcp",
                                      .host = "127.0.0.1",
                                      .port = (uint16_t)(base + i),
                                      .connect_timeout_ms = 1000 };
        devices[i] = (struct poll_device){ .id = "device",
                                           .profile = &profile,
                                           .bus = (uint32_t)i,
                                           .unit = 1,
                                           .order = -1,
                                           .interval_ms = INTERVAL_MS,
                                           .is_enabled = true };
    }
    const struct poll_options o = { .loop = &b->loop,
                                    .clock = &clock,
                                    .buses = buses,
                                    .buses_n = n,
                                    .devices = devices,
                                    .devices_n = n,
                                    .on_scan = on_scan,
                                    .user = b };
    if (rc == 0)
        rc = poll_create(&o, &b->poll);
    if (rc == 0) {
        poll_start(b->poll);
        uv_timer_start(&b->timer, on_timer, WARM_UP_S * 1000, 0);
        uv_run(&b->loop, UV_RUN_DEFAULT);
        poll_destroy(b->poll);
    }
    free(buses);
    free(devices);
    return rc;
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };

    if (argc != 4) {
        fprintf(stderr, "usage: %s BASE_PORT DEVICES SECONDS\n", argv[0]);
        return 2;
    }
    unsigned base = (unsigned)strtoul(argv[1], NULL, 10);
    size_t n = strtoul(argv[2], NULL, 10);
    b.seconds = strtol(argv[3], NULL, 10);
    if (n < 1 || base + n > 65536 || b.seconds < 1)
        return 2;
    uv_loop_init(&b.loop);
    uv_timer_init(&b.loop, &b.timer);
    b.timer.data = &b;
    return run(&b, n, base) != 0;
}
