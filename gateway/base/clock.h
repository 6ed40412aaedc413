/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock - wall time for data, monotonic time for waiting; both from here, so that a test or a
 * demonstration may replace them. With a speed factor station time runs faster than real time:
 * it starts in the past and goes on at normal speed once it has met the present (databases drop
 * future points). Constant after creation but for the offset; any thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct clock {
    double speed;     /* station seconds per real second; 1 in operation */
    int64_t wall0_ms; /* station time at mono0_ms; only used when speed is not 1 */
    int64_t mono0_ms; /* real monotonic time then */
    int64_t meet_ms;  /* real milliseconds after mono0_ms when it meets the present */
    /* Station time less clock_boot_ms(), kept by its owner; NULL: the system's wall clock. */
    const _Atomic int64_t *offset_ms;
};

/* speed 1: the system's clocks. Otherwise station time is wall0_ms (UTC, in the past) now. */
void clock_init(struct clock *c, double speed, int64_t wall0_ms);

/* The same, station time being `behind_ms` behind the system's now; no matter at speed 1. */
void clock_init_past(struct clock *c, double speed, int64_t behind_ms);

/* Several processes on one fast clock: its text for `--clock`, "20,WALL0,MONO0,MEET", and back.
 * `buf` holds CLOCK_TEXT_MAX bytes. 0 or -EINVAL. */
void clock_print(const struct clock *c, char *buf);
int clock_parse(const char *text, struct clock *ret);
enum { CLOCK_TEXT_MAX = 96, CLOCK_SPEED_MAX = 10000 };

/* Milliseconds UTC of station time. */
int64_t clock_wall_ms(const struct clock *c);

/* Monotonic station milliseconds, for intervals and deadlines of the field side. */
int64_t clock_mono_ms(const struct clock *c);

/* Real milliseconds that a station interval takes, at least 1 for a positive one: for timers.
 */
int64_t clock_real_ms(const struct clock *c, int64_t station_ms);

/* Station milliseconds since the machine started, time in suspend included: what sample times
 * are counted on, because no step of the wall clock reaches it. */
int64_t clock_boot_ms(const struct clock *c);

/* What the system's clocks say at one instant, and what the kernel says of them. */
struct clock_reading {
    int64_t boot_ms, wall_ms;
    int64_t max_error_ms; /* of the wall clock, as the kernel bounds it */
    bool is_synchronised; /* a time service keeps the wall clock */
};
void clock_read(const struct clock *c, struct clock_reading *ret);

/* The kernel's name of this boot; "" when it gives none. `buf` holds CLOCK_BOOT_ID_MAX bytes.
 */
void clock_boot_id(char *buf);
enum { CLOCK_BOOT_ID_MAX = 40 };

/* A time service runs on this machine (systemd-timesyncd, chrony, ntpd). */
bool clock_has_service(void);

/* Real monotonic milliseconds, whatever the speed: for networks and disks. */
int64_t mono_ms(void);

/* That instant, `ms` from now, on CLOCK_MONOTONIC: for pthread_cond_timedwait. */
struct timespec mono_deadline(int64_t ms);

/* "2026-11-22T07:09:30.125Z"; `buf` holds at least 25 bytes; out-of-range times print as the
 * nearest printable. */
void time_print_utc(int64_t ms, char *buf);
/* What time_print_utc() wrote; 0: it is something else. */
int64_t time_read_utc(const char *text);
enum { TIME_TEXT_MAX = 25 };
