/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll_bench - CPU time of polling alone: M Modbus TCP devices of 25 float32 at 1 Hz.
 *
 *   poll_bench BASE_PORT M SECONDS [UNITS]
 *   poll_bench rtu LINK BAUD SECONDS [UNITS]
 *
 * Polls 127.0.0.1:BASE .. BASE+M-1, or a serial line (8N1), units 1..UNITS (1) of each,
 * decodes, counts; warms up for 3
 * s, then prints CPU microseconds per sample, the fewest and most good scans of a device,
 * jitter, memory. The load generator is not part of the repository: any server that answers
 * function 3 with 50 registers will do.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "gateway/poll/poll.h"

enum { VALUES = 25, WARM_UP_S = 3, INTERVAL_MS = 1000 };

struct bench {
    uv_loop_t loop;
    struct poll *poll;
    uv_timer_t timer;
    uint64_t scans, good, values;
    uint64_t *good_of; /* per device */
    size_t devices_n, units;
    double cpu_s;
    int64_t seconds;
    const char *line; /* of RTU; NULL: TCP from base on */
    int baud;
    unsigned base;
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
    b->good_of[s->device] += s->outcome == SCAN_OK;
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
    uint64_t fewest = UINT64_MAX, most = 0;

    poll_jitter_get(b->poll, &j);
    getrusage(RUSAGE_SELF, &u);
    for (size_t i = 0; i < b->devices_n; i++) {
        fewest = b->good_of[i] < fewest ? b->good_of[i] : fewest;
        most = b->good_of[i] > most ? b->good_of[i] : most;
    }
    printf("good_fewest=%" PRIu64 " good_most=%" PRIu64 " ", fewest, most);
    printf("scans=%" PRIu64 " good=%" PRIu64 " values=%" PRIu64
           " cpu_s=%.3f us_per_sample=%.3f "
           "jitter_mean_us=%.0f jitter_sd_us=%.0f jitter_max_us=%" PRId64
           " interval_sd_us=%.0f interval_max_us=%" PRId64 " rss_max_kb=%ld\n",
           b->scans, b->good, b->values, cpu_s,
           cpu_s * 1e6 / (double)(b->values ? b->values : 1), j.mean_us, j.deviation_us,
           j.max_us, j.interval_deviation_us, j.interval_max_us, u.ru_maxrss);
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

static struct bus_place place_of(const struct bench *b, size_t i)
{
    if (b->line)
        return (struct bus_place){ .type = BUS_MODBUS_RTU,
                                   .device = b->line,
                                   .baud = b->baud,
                                   .parity = 'N',
                                   .data_bits = 8,
                                   .stop_bits = 1 };
    return (struct bus_place){ .type = BUS_MODBUS_TCP,
                               .host = "127.0.0.1",
                               .port = (uint16_t)(b->base + i),
                               .connect_timeout_ms = 1000 };
}

static int set_up(struct bench *b, const struct profile *p, const struct clock *c,
                  struct poll_bus *buses, struct poll_device *devices)
{
    size_t buses_n = b->devices_n / b->units;

    for (size_t i = 0; i < buses_n; i++)
        buses[i] = (struct poll_bus){ .id = "bus", .place = place_of(b, i) };
    for (size_t i = 0; i < b->devices_n; i++)
        devices[i] = (struct poll_device){ .id = "device",
                                           .profile = p,
                                           .bus = (uint32_t)(i / b->units),
                                           .unit = (uint8_t)(i % b->units + 1),
                                           .order = -1,
                                           .interval_ms = INTERVAL_MS,
                                           .is_enabled = true };
    return poll_create(&(struct poll_options){ .loop = &b->loop,
                                               .clock = c,
                                               .buses = buses,
                                               .buses_n = buses_n,
                                               .devices = devices,
                                               .devices_n = b->devices_n,
                                               .on_scan = on_scan,
                                               .user = b },
                       &b->poll);
}

static int run(struct bench *b)
{
    struct profile_point points[VALUES];
    struct profile_span span;
    struct profile profile;
    struct clock clock;
    struct poll_bus *buses = calloc(b->devices_n, sizeof *buses);
    struct poll_device *devices = calloc(b->devices_n, sizeof *devices);

    b->good_of = calloc(b->devices_n, sizeof *b->good_of);
    make_profile(&profile, points, &span);
    clock_init(&clock, 1, 0);
    int rc = buses && devices && b->good_of ? set_up(b, &profile, &clock, buses, devices) : -1;
    if (rc == 0) {
        poll_start(b->poll);
        uv_timer_start(&b->timer, on_timer, WARM_UP_S * 1000, 0);
        uv_run(&b->loop, UV_RUN_DEFAULT);
        poll_destroy(b->poll);
    }
    free(b->good_of);
    free(buses);
    free(devices);
    return rc;
}

static int usage(const char *name)
{
    fprintf(stderr,
            "usage: %s BASE_PORT DEVICES SECONDS [UNITS]\n"
            "       %s rtu LINK BAUD SECONDS [UNITS]\n",
            name, name);
    return 2;
}

int main(int argc, char **argv)
{
    struct bench b = { .units = 1 };
    bool is_rtu = argc > 1 && strcmp(argv[1], "rtu") == 0;
    int at = is_rtu ? 4 : 3; /* of SECONDS */
    size_t places = 1;

    if (argc != at + 1 && argc != at + 2)
        return usage(argv[0]);
    if (is_rtu) {
        b.line = argv[2];
        b.baud = (int)strtol(argv[3], NULL, 10);
    } else {
        b.base = (unsigned)strtoul(argv[1], NULL, 10);
        places = strtoul(argv[2], NULL, 10);
    }
    b.seconds = strtol(argv[at], NULL, 10);
    if (argc == at + 2)
        b.units = strtoul(argv[at + 1], NULL, 10);
    if (places < 1 || b.base + places > 65536 || b.seconds < 1 || b.units < 1 || b.units > 247)
        return usage(argv[0]);
    b.devices_n = places * b.units;
    uv_loop_init(&b.loop);
    uv_timer_init(&b.loop, &b.timer);
    b.timer.data = &b;
    return run(&b) != 0;
}
