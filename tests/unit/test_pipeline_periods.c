/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three days of a station in virtual time: what a day, 8 h and an hour become must not depend
 * on how often the gateway was restarted meanwhile.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "station_rig.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define ZONE   (8 * HOUR)
#define T0     (INT64_C(19700) * DAY - ZONE) /* midnight of the zone */

enum { DAYS = 3, OZONE = 0, NOISE = 1, WIND = 2 };

static const char text[] =
    "station: {id: s-1, region: demo, zone: \"+08:00\", night: 23-7, names: {en: S, zh: 站}}\n"
    "buses:\n"
    "  - {id: a, type: modbus-tcp, host: 127.0.0.1, port: 1502}\n"
    "devices:\n"
    "  - {id: o3, profile: teledyne-t400, bus: a, unit: 1, poll: 5min,\n"
    "     channels: {ozone: {stuck: 0, rate: {suspect: 0}, spike: {suspect: 0},\n"
    "       statistics: [10min, 8h, day.max8h]}}}\n"
    "  - {id: noise, profile: sonbest-sm7901, bus: a, unit: 2, poll: 5min,\n"
    "     channels: {sound_level: {stuck: 0, statistics: [1h.l90, 8h, 8h.l10, 8h.l90, day, "
    "day.max, day.l5,\n"
    "       day.l50, day.ld, day.ln, day.ldn]}}}\n"
    "  - {id: wind, profile: thies-wsc11, bus: a, unit: 3, poll: 5min,\n"
    "     channels: {wind_dir: {stuck: 0, statistics: [1h, 8h, 8h.vector, day, day.sigma, "
    "day.vector]},\n"
    "       wind_speed: {stuck: 0, rate: {suspect: 0}, spike: {suspect: 0},\n"
    "         statistics: [1h, 8h.vector, day.vector]}}}\n"
    "log: {path: /nonexistent/log.db}\n";

static struct station *open_station(void)
{
    struct station *f = calloc(1, sizeof *f);

    assert_non_null(f);
    station_load(f, text, sizeof text - 1);
    station_start(f);
    return f;
}

static void close_station(struct station *f)
{
    station_stop(f);
    station_unload(f);
    free(f);
}

/* By the minute, beside any direction. */
static double speed_at(int64_t ms)
{
    return 1 + (double)(ms / (5 * MINUTE) % 9) / 2;
}

/* One value for every point of the profile that is a channel; NaN: no answer. */
static void scan(struct station *f, uint32_t device, int64_t time_ms, double x)
{
    static const struct reading none = {
        { 0, DECIMAL_NONE },
        { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM },
        { 0, DECIMAL_NONE },
    };
    const struct pipeline_device *d = &f->t->device[device];
    struct reading r[256];

    assert_true(d->points_n <= 256);
    for (size_t i = 0; i < d->points_n; i++) {
        r[i] = none;
        if (isnan(x) || d->channel_of[i] == PIPELINE_NO_CHANNEL)
            continue;
        const struct quantity *q = f->t->channel[d->channel_of[i]].quantity;
        const double y = strcmp(q->id, "wind_speed") == 0 ? speed_at(time_ms) : x;
        r[i] = (struct reading){ decimal_round(y, 1), { 0 }, decimal_round(y, 1) };
    }
    const struct scan s = { .device = device,
                            .time_ms = time_ms,
                            .start_ms = time_ms,
                            .boot_ms = time_ms,
                            .readings = r,
                            .outcome = isnan(x) ? SCAN_NO_ANSWER : SCAN_OK,
                            .n = d->points_n };
    pipeline_scan(f->p, &s);
}

/* No two hours alike; the second night has a gap of three hours. */
static double ozone_at(int64_t ms)
{
    return 80 + 60 * sin((double)(ms - T0) / (5 * HOUR)) +
           (double)((ms - T0) / MINUTE % 13) / 10;
}

static double level_at(int64_t ms)
{
    return 50 + (double)((ms - T0) / (5 * MINUTE) * 7919 % 200) / 10;
}

static double direction_at(int64_t ms)
{
    return (double)((ms - T0) / (5 * MINUTE) * 7 % 150 + 250 + (ms - T0) / HOUR) -
           ((ms - T0) / (5 * MINUTE) * 7 % 150 + 250 + (ms - T0) / HOUR >= 360 ? 360 : 0);
}

static bool is_gap(int64_t after_ms)
{
    return after_ms >= DAY + 2 * HOUR && after_ms < DAY + 5 * HOUR;
}

/* restart_ms: so often the gateway begins anew; 0: never. */
static void run(struct station *f, int64_t restart_ms)
{
    for (int64_t t = 0; t < DAYS * DAY + 10 * MINUTE; t += 5 * MINUTE) {
        if (restart_ms && t > 0 && t % restart_ms == 0) {
            station_stop(f);
            station_start(f);
        }
        scan(f, OZONE, T0 + t + 500, is_gap(t) ? NAN : ozone_at(T0 + t));
        scan(f, NOISE, T0 + t + 700, is_gap(t) ? NAN : level_at(T0 + t));
        scan(f, WIND, T0 + t + 900, is_gap(t) ? NAN : direction_at(T0 + t));
        pipeline_tick(f->p, T0 + t + 2 * SECOND);
    }
}

/* Everything is committed by a restart first. */
static void read_rows(struct station *f, const char *id, struct station_rows *ret)
{
    station_stop(f);
    station_start(f);
    station_read(f, id, ret);
}

static double value(const struct station_rows *r, size_t i)
{
    return decimal_to_double(series_value(&r->cell[i]));
}

static enum grade grade(const struct station_rows *r, size_t i)
{
    return (enum grade)verdict_from_flag(r->cell[i].flag).grade;
}

static const char *const ids[] = {
    "o3/ozone@1h",
    "o3/ozone@8h",
    "o3/ozone@day.max8h",
    "noise/sound_level@1h",
    "noise/sound_level@1h.l90",
    "noise/sound_level@1h.n",
    "noise/sound_level@day",
    "noise/sound_level@day.max",
    "noise/sound_level@day.ldn",
    "noise/sound_level@8h",
    "noise/sound_level@8h.l10",
    "noise/sound_level@day.l5",
    "noise/sound_level@day.l50",
    "wind/wind_dir@8h",
    "wind/wind_dir@8h.vector",
    "wind/wind_speed@8h.vector",
    "wind/wind_dir@day",
    "wind/wind_dir@day.sigma",
    "wind/wind_speed@day.vector",
};

static void restarts_change_no_period(void **state)
{
    static const int64_t every[] = { 3 * HOUR, 50 * MINUTE, 11 * HOUR };
    struct station *once = open_station();

    (void)state;
    run(once, 0);
    for (size_t k = 0; k < sizeof every / sizeof every[0]; k++) {
        struct station *often = open_station();
        run(often, every[k]);
        for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
            static struct station_rows a, b;
            read_rows(once, ids[i], &a);
            read_rows(often, ids[i], &b);
            assert_true(a.n >= DAYS);
            if (a.n != b.n)
                fail_msg("%s: %zu rows, after restarts %zu", ids[i], a.n, b.n);
            for (size_t n = 0; n < a.n; n++)
                if (a.time_ms[n] != b.time_ms[n] || a.cell[n].v != b.cell[n].v ||
                    a.cell[n].e != b.cell[n].e || a.cell[n].flag != b.cell[n].flag)
                    fail_msg("%s, row %zu at %lld: %g %u, after restarts %g %u at %lld", ids[i],
                             n, (long long)(a.time_ms[n] - T0), value(&a, n), a.cell[n].flag,
                             value(&b, n), b.cell[n].flag, (long long)(b.time_ms[n] - T0));
        }
        close_station(often);
    }
    close_station(once);
}

static void eight_hours_slide_by_the_hour_and_days_are_local(void **state)
{
    struct station *f = open_station();
    static struct station_rows hours, eights, days;

    (void)state;
    run(f, 0);
    read_rows(f, "o3/ozone@1h", &hours);
    read_rows(f, "o3/ozone@8h", &eights);
    read_rows(f, "o3/ozone@day.max8h", &days);
    assert_int_equal(hours.n, DAYS * 24);
    assert_int_equal(hours.time_ms[0], T0);
    assert_int_equal(eights.time_ms[7], T0); /* labelled by their start */
    for (size_t i = 7; i < 24; i++) {
        double sum = 0;
        for (size_t k = 0; k < 8; k++)
            sum += value(&hours, i - 7 + k);
        assert_true(fabs(value(&eights, i) - sum / 8) <= 0.01);
    }
    assert_int_equal(grade(&eights, 4), GRADE_BAD); /* five hours */
    assert_true(grade(&eights, 5) < GRADE_BAD);     /* six */
    assert_int_equal(days.n, DAYS);
    assert_int_equal(days.time_ms[1], T0 + DAY);
    double largest = 0;
    for (size_t i = 7; i < 24; i++)
        largest = fmax(largest, value(&eights, i));
    assert_true(value(&days, 0) == largest);
    close_station(f);
}

static void a_day_of_levels_weighs_its_samples(void **state)
{
    struct station *f = open_station();
    static struct station_rows days, largest;
    double sum = 0, max = 0;
    int n = 0;

    (void)state;
    run(f, 0);
    read_rows(f, "noise/sound_level@day", &days);
    read_rows(f, "noise/sound_level@day.max", &largest);
    for (int64_t t = DAY; t < 2 * DAY; t += 5 * MINUTE) {
        if (is_gap(t))
            continue;
        sum += pow(10, level_at(T0 + t) / 10);
        max = fmax(max, level_at(T0 + t));
        n++;
    }
    assert_true(fabs(value(&days, 1) - 10 * log10(sum / n)) < 0.002);
    assert_true(fabs(value(&largest, 1) - max) < 1e-9);
    assert_true(grade(&days, 1) < GRADE_BAD);
    close_station(f);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of the levels from..to after T0 the one that is exceeded so many percent of the time. */
static double exceeded(int64_t from, int64_t to, double percent)
{
    static double level[DAYS * 288];
    size_t n = 0;

    for (int64_t t = from; t < to; t += 5 * MINUTE)
        if (!is_gap(t))
            level[n++] = level_at(T0 + t);
    qsort(level, n, sizeof *level, compare);
    return level[n - (size_t)ceil((double)n * percent / 100 - 1e-9)];
}

static void percentiles_of_long_periods_are_those_of_their_samples(void **state)
{
    struct station *f = open_station();
    static struct station_rows l10, l90, l5, l50;

    (void)state;
    run(f, 5 * HOUR);
    read_rows(f, "noise/sound_level@8h.l10", &l10);
    read_rows(f, "noise/sound_level@8h.l90", &l90);
    read_rows(f, "noise/sound_level@day.l5", &l5);
    read_rows(f, "noise/sound_level@day.l50", &l50);
    assert_int_equal(l10.n, DAYS * 24);
    for (size_t i = 7; i < l10.n; i++) {
        const int64_t from = l10.time_ms[i] - T0;
        assert_int_equal(from, ((int64_t)i - 7) * HOUR);
        assert_true(fabs(value(&l10, i) - exceeded(from, from + 8 * HOUR, 10)) < 1e-9);
        assert_true(fabs(value(&l90, i) - exceeded(from, from + 8 * HOUR, 90)) < 1e-9);
    }
    for (size_t i = 0; i < DAYS; i++) {
        const int64_t from = (int64_t)i * DAY;
        assert_true(fabs(value(&l5, i) - exceeded(from, from + DAY, 5)) < 1e-9);
        assert_true(fabs(value(&l50, i) - exceeded(from, from + DAY, 50)) < 1e-9);
    }
    close_station(f);
}

static double bearing_of(double east, double north)
{
    const double x = atan2(east, north) * 180 / acos(-1);

    return x < 0 ? x + 360 : x;
}

static void directions_of_long_periods_are_those_of_their_samples(void **state)
{
    struct station *f = open_station();
    static struct station_rows dir, vector, speed;

    (void)state;
    run(f, 5 * HOUR);
    read_rows(f, "wind/wind_dir@day", &dir);
    read_rows(f, "wind/wind_dir@8h.vector", &vector);
    read_rows(f, "wind/wind_speed@8h.vector", &speed);
    for (size_t i = 0; i < 20; i++) {
        const int64_t from = vector.time_ms[7 + i] - T0;
        double east = 0, north = 0;
        int n = 0;
        for (int64_t t = from; t < from + 8 * HOUR; t += 5 * MINUTE) {
            const double a = direction_at(T0 + t) * acos(-1) / 180;
            if (is_gap(t))
                continue;
            east += speed_at(T0 + t) * sin(a);
            north += speed_at(T0 + t) * cos(a);
            n++;
        }
        assert_true(fabs(value(&vector, 7 + i) - bearing_of(east, north)) < 0.1);
        assert_true(fabs(value(&speed, 7 + i) - hypot(east, north) / n) < 0.002);
    }
    double east = 0, north = 0;
    for (int64_t t = 0; t < DAY; t += 5 * MINUTE) {
        east += sin(direction_at(T0 + t) * acos(-1) / 180);
        north += cos(direction_at(T0 + t) * acos(-1) / 180);
    }
    assert_true(fabs(value(&dir, 0) - bearing_of(east, north)) < 0.1);
    close_station(f);
}

static double leq(int64_t from, int64_t to, bool is_night)
{
    double sum = 0;
    int n = 0;

    for (int64_t t = from; t < to; t += 5 * MINUTE) {
        const int64_t hour = t / HOUR % 24;
        if (is_gap(t) || (hour >= 23 || hour < 7) != is_night)
            continue;
        sum += pow(10, level_at(T0 + t) / 10);
        n++;
    }
    return 10 * log10(sum / n);
}

static void the_night_is_what_the_station_says(void **state)
{
    struct station *f = open_station();
    static struct station_rows ld, ln, ldn;

    (void)state;
    run(f, 0);
    read_rows(f, "noise/sound_level@day.ld", &ld);
    read_rows(f, "noise/sound_level@day.ln", &ln);
    read_rows(f, "noise/sound_level@day.ldn", &ldn);
    const double d = leq(0, DAY, false), n = leq(0, DAY, true);
    assert_true(fabs(value(&ld, 0) - d) < 0.002);
    assert_true(fabs(value(&ln, 0) - n) < 0.002);
    assert_true(fabs(value(&ldn, 0) -
                     10 * log10((16 * pow(10, d / 10) + 8 * pow(10, n / 10 + 1)) / 24)) <
                0.003);
    close_station(f);
}

/* Polls and ticks as a station does, from..to after T0. */
static void run_span(struct station *f, int64_t from, int64_t to)
{
    for (int64_t t = from; t < to; t += 5 * MINUTE) {
        scan(f, OZONE, T0 + t + 500, ozone_at(T0 + t));
        scan(f, NOISE, T0 + t + 700, level_at(T0 + t));
        for (int64_t s = 2; s < 300; s += 30)
            pipeline_tick(f->p, T0 + t + s * SECOND);
    }
}

static size_t count_missing(const struct station_rows *r, enum status status)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++) {
        const struct verdict v = verdict_from_flag(r->cell[i].flag);
        n += v.grade == GRADE_MISSING && v.status == status;
    }
    return n;
}

/* Ten past eight on the first day to forty past five on the third. */
static void an_outage_leaves_no_gap_between_hours_and_days(void **state)
{
    const int64_t off = 8 * HOUR + 10 * MINUTE, on = 2 * DAY + 17 * HOUR + 40 * MINUTE;
    struct station *f = open_station();
    static struct station_rows hours, n, eights, days, minutes;

    (void)state;
    run_span(f, 0, off);
    station_stop(f);
    station_start(f);
    run_span(f, on, 3 * DAY + 10 * MINUTE);
    read_rows(f, "noise/sound_level@1h", &hours);
    assert_int_equal(hours.n, 72);
    for (size_t i = 0; i < hours.n; i++)
        assert_int_equal(hours.time_ms[i], T0 + (int64_t)i * HOUR);
    assert_int_equal(count_missing(&hours, STATUS_STOPPED), 48 + 17 - 9);
    assert_true(grade(&hours, 7) < GRADE_BAD && grade(&hours, 8) == GRADE_BAD &&
                grade(&hours, 17 + 48) == GRADE_BAD && grade(&hours, 18 + 48) < GRADE_BAD);
    read_rows(f, "noise/sound_level@1h.n", &n);
    assert_true(value(&n, 7) == 12 && value(&n, 8) == 2 && value(&n, 9) == 0 &&
                value(&n, 65) == 4 && value(&n, 71) == 12);
    read_rows(f, "noise/sound_level@day", &days);
    assert_int_equal(days.n, 3);
    assert_int_equal(verdict_from_flag(days.cell[0].flag).status, STATUS_STOPPED);
    assert_int_equal(grade(&days, 0), GRADE_BAD); /* of its eight hours */
    assert_true(decimal_has_value(series_value(&days.cell[0])));
    assert_int_equal(grade(&days, 1), GRADE_MISSING);
    read_rows(f, "o3/ozone@8h", &eights);
    assert_int_equal(eights.n, 72);
    assert_true(grade(&eights, 9) < GRADE_BAD && grade(&eights, 10) == GRADE_BAD);
    read_rows(f, "o3/ozone@10min", &minutes); /* of two days: none */
    assert_int_equal(minutes.n, 49 + 38);
    close_station(f);
}

/* Whatever comes first afterwards: the hours ahead of the outage are still those of it. */
static void running_percentiles_keep_what_came_ahead_of_an_outage(void **state)
{
    static struct station_rows first, other;

    (void)state;
    for (int later = 0; later < 9; later++) {
        const int64_t on = 20 * HOUR + later * HOUR + 40 * MINUTE;
        struct station *f = open_station();
        run_span(f, 0, 8 * HOUR);
        station_stop(f);
        station_start(f);
        run_span(f, on, on + HOUR);
        read_rows(f, "noise/sound_level@8h.l10", later ? &other : &first);
        close_station(f);
        for (size_t i = 0; later && i < 12; i++) {
            assert_int_equal(other.time_ms[i], first.time_ms[i]);
            assert_memory_equal(&other.cell[i], &first.cell[i], sizeof first.cell[i]);
        }
    }
}

static void an_outage_of_months_stays_a_gap(void **state)
{
    const int64_t on = 40 * DAY + 5 * HOUR;
    struct station *f = open_station();
    static struct station_rows hours;

    (void)state;
    run_span(f, 0, 3 * HOUR + 30 * MINUTE);
    station_stop(f);
    station_start(f);
    run_span(f, on, on + 2 * HOUR + 10 * MINUTE);
    read_rows(f, "noise/sound_level@1h", &hours);
    assert_int_equal(hours.n, 6); /* the hour that was under way is told */
    assert_int_equal(hours.time_ms[3], T0 + 3 * HOUR);
    assert_int_equal(hours.time_ms[4], T0 + on);
    close_station(f);
}

static size_t hours_across_two_days(enum clock_state clock)
{
    const int64_t on = 2 * DAY + 5 * HOUR;
    static struct station_rows hours;
    struct station *f = open_station();
    struct timeline t = { .state = clock,
                          .boot_id = "b",
                          .was_synchronised = clock >= CLOCK_HOLDOVER,
                          .is_confirmed = clock >= CLOCK_HOLDOVER,
                          .reading.boot_ms = T0 };

    station_stop(f);
    f->o.timeline = &t;
    station_start(f);
    run_span(f, 0, 3 * HOUR + 30 * MINUTE);
    station_stop(f);
    t.reading.boot_ms = T0 + on;
    station_start(f);
    run_span(f, on, on + HOUR + 10 * MINUTE);
    read_rows(f, "noise/sound_level@1h", &hours);
    close_station(f);
    return hours.n;
}

/* Rows of a time that was wrong would stand in the way of those of the right one. */
static void a_clock_that_nobody_synchronises_makes_up_no_days(void **state)
{
    (void)state;
    assert_int_equal(hours_across_two_days(CLOCK_UNSYNCHRONISED), 4 + 1);
    assert_int_equal(hours_across_two_days(CLOCK_SYNCHRONISED), 2 * 24 + 5 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restarts_change_no_period),
        cmocka_unit_test(eight_hours_slide_by_the_hour_and_days_are_local),
        cmocka_unit_test(a_day_of_levels_weighs_its_samples),
        cmocka_unit_test(percentiles_of_long_periods_are_those_of_their_samples),
        cmocka_unit_test(directions_of_long_periods_are_those_of_their_samples),
        cmocka_unit_test(the_night_is_what_the_station_says),
        cmocka_unit_test(an_outage_leaves_no_gap_between_hours_and_days),
        cmocka_unit_test(running_percentiles_keep_what_came_ahead_of_an_outage),
        cmocka_unit_test(an_outage_of_months_stays_a_gap),
        cmocka_unit_test(a_clock_that_nobody_synchronises_makes_up_no_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
