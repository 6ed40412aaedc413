/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum { PAIR_TRIES = 5 };

static int64_t read_ms(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t mono_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

struct timespec mono_deadline(int64_t ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

void clock_init(struct clock *c, double speed, int64_t wall0_ms)
{
    int64_t behind = read_ms(CLOCK_REALTIME) - wall0_ms;

    *c = (struct clock){ .speed = speed, .wall0_ms = wall0_ms, .mono0_ms = mono_ms() };
    if (speed > 1 && behind > 0)
        c->meet_ms = (int64_t)((double)behind / (speed - 1));
}

void clock_init_past(struct clock *c, double speed, int64_t behind_ms)
{
    clock_init(c, speed, read_ms(CLOCK_REALTIME) - behind_ms);
}

void clock_print(const struct clock *c, char *buf)
{
    snprintf(buf, CLOCK_TEXT_MAX, "%.17g,%" PRId64 ",%" PRId64 ",%" PRId64, c->speed,
             c->wall0_ms, c->mono0_ms, c->meet_ms);
}

int clock_parse(const char *text, struct clock *ret)
{
    struct clock c = { 0 };
    int end = 0;

    if (sscanf(text, "%lf,%" SCNd64 ",%" SCNd64 ",%" SCNd64 "%n", &c.speed, &c.wall0_ms,
               &c.mono0_ms, &c.meet_ms, &end) != 4 ||
        text[end])
        return -EINVAL;
    if (!(c.speed >= 1 && c.speed <= CLOCK_SPEED_MAX) || c.meet_ms < 0)
        return -EINVAL;
    *ret = c;
    return 0;
}

/* Station milliseconds since mono0_ms: fast up to the meeting with the present, then normal. */
static int64_t elapsed_ms(const struct clock *c)
{
    int64_t real = mono_ms() - c->mono0_ms;

    if (real <= c->meet_ms)
        return (int64_t)((double)real * c->speed);
    return (int64_t)((double)c->meet_ms * c->speed) + real - c->meet_ms;
}

int64_t clock_wall_ms(const struct clock *c)
{
    if (c->speed == 1 && c->offset_ms)
        return clock_boot_ms(c) + atomic_load(c->offset_ms);
    if (c->speed == 1)
        return read_ms(CLOCK_REALTIME);
    return c->wall0_ms + elapsed_ms(c);
}

int64_t clock_mono_ms(const struct clock *c)
{
    return c->speed == 1 ? mono_ms() : elapsed_ms(c);
}

int64_t clock_boot_ms(const struct clock *c)
{
    return c->speed == 1 ? read_ms(CLOCK_BOOTTIME) : elapsed_ms(c);
}

static void read_kernel(struct clock_reading *ret)
{
    struct timex t = { 0 };

    if (adjtimex(&t) < 0)
        return;
    ret->is_synchronised = !(t.status & STA_UNSYNC);
    ret->max_error_ms = t.maxerror / 1000;
}

/* The two clocks cannot be read at one instant: the pair is kept that was read fastest. */
static void read_pair(struct clock_reading *ret)
{
    int64_t best_ms = INT64_MAX;

    for (int i = 0; i < PAIR_TRIES && best_ms > 0; i++) {
        int64_t before_ms = read_ms(CLOCK_BOOTTIME);
        int64_t wall_ms = read_ms(CLOCK_REALTIME);
        int64_t took_ms = read_ms(CLOCK_BOOTTIME) - before_ms;
        if (took_ms >= best_ms)
            continue;
        best_ms = took_ms;
        ret->boot_ms = before_ms;
        ret->wall_ms = wall_ms;
    }
}

void clock_read(const struct clock *c, struct clock_reading *ret)
{
    *ret = (struct clock_reading){ .is_synchronised = true };
    if (c->speed != 1) {
        ret->boot_ms = elapsed_ms(c);
        ret->wall_ms = c->wall0_ms + ret->boot_ms;
        return;
    }
    ret->is_synchronised = false;
    read_kernel(ret);
    read_pair(ret);
}

void clock_boot_id(char *buf)
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    buf[0] = '\0';
    if (!f)
        return;
    if (!fgets(buf, CLOCK_BOOT_ID_MAX, f))
        buf[0] = '\0';
    buf[strcspn(buf, "\n")] = '\0';
    fclose(f);
}

bool clock_has_service(void)
{
    static const char *const traces[] = { "/run/systemd/timesync", "/run/chrony",
                                          "/run/chronyd.pid", "/run/ntpd.pid",
                                          "/run/openntpd.pid" };

    for (size_t i = 0; i < sizeof traces / sizeof traces[0]; i++) {
        if (access(traces[i], F_OK) == 0)
            return true;
    }
    return false;
}

int64_t clock_real_ms(const struct clock *c, int64_t station_ms)
{
    if (station_ms <= 0)
        return 0;
    bool is_fast = c->speed != 1 && mono_ms() - c->mono0_ms < c->meet_ms;
    int64_t real = is_fast ? (int64_t)((double)station_ms / c->speed) : station_ms;
    return real > 0 ? real : 1;
}

#define YEAR_10000_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

void time_print_utc(int64_t ms, char *buf)
{
    struct tm tm;

    if (ms < 0)
        ms = 0;
    if (ms > YEAR_10000_MS)
        ms = YEAR_10000_MS;
    time_t s = (time_t)(ms / 1000);
    gmtime_r(&s, &tm);
    size_t n = strftime(buf, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(buf + n, TIME_TEXT_MAX - n, ".%03dZ", (int)(ms % 1000));
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, days_from_civil). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t time_read_utc(const char *text)
{
    unsigned year, month, day, hour, minute, second, ms;
    int end = 0;

    if (sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u.%3uZ%n", &year, &month, &day, &hour, &minute,
               &second, &ms, &end) != 7)
        return 0;
    if (text[end] != '\0' || end == 0 || month < 1 || month > 12)
        return 0;
    int64_t s = (days_of(year, month, day) * 24 + hour) * 3600 + minute * 60 + second;
    return s * 1000 + ms;
}
