/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes at a street: a quiet base, and what happens there. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "rules/watch/watch.h"
#include "tests/unit/unit.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

enum { SECOND = 1000, MINUTE = 60 * SECOND, STATE_MAX = 4096 };

static const double LIMIT = 70, CALM = 1, STORM = 7;

struct scene {
    struct watch_config config;
    _Alignas(max_align_t) unsigned char state[STATE_MAX];
    int64_t now_ms;
    uint32_t seed;
    struct watch_result is;
    /* since the scene began, or was asked: */
    unsigned seen;      /* faults */
    int events, judged; /* begun; samples */
    bool was_event;
};

static void begin_as(struct scene *s, const struct watch_config *c)
{
    *s = (struct scene){ .config = *c, .now_ms = T0, .seed = 1 };
    assert_null(watch_config_error(c));
    assert_true(watch_size(c) <= sizeof s->state);
    watch_init(c, s->state);
}

static void begin(struct scene *s, int64_t step_ms)
{
    const struct watch_config c = { .kind = WATCH_NOISE,
                                    .step_ms = step_ms,
                                    .limit_high = LIMIT,
                                    .limit_low = NAN,
                                    .range_min = 20,
                                    .range_max = 140,
                                    .resolution = 0.1,
                                    .has[WATCH_WIND] = true };

    begin_as(s, &c);
}

/* Looks on from here. */
static void look(struct scene *s)
{
    s->seen = 0;
    s->events = s->judged = 0;
}

static void record(struct scene *s)
{
    s->seen |= s->is.faults;
    s->events += s->is.is_event && !s->was_event;
    s->judged += s->is.use == WATCH_JUDGED;
    s->was_event = s->is.is_event;
}

static void give(struct scene *s, double value, double wind, struct verdict v)
{
    struct watch_sample sample = { .time_ms = s->now_ms, .value = value, .verdict = v };

    for (int i = 0; i < WATCH_ASIDES; i++)
        sample.aside[i] = NAN;
    sample.aside[WATCH_WIND] = wind;
    watch_step(&s->config, s->state, &sample, &s->is);
    s->now_ms += s->config.step_ms;
    record(s);
}

static void tell(struct scene *s, double value)
{
    give(s, value, CALM, (struct verdict){ 0 });
}

/* Nothing arrives. */
static void lose(struct scene *s, int n)
{
    for (int i = 0; i < n; i++) {
        s->now_ms += s->config.step_ms;
        watch_elapse(&s->config, s->state, s->now_ms - s->config.step_ms / 2, &s->is);
        record(s);
    }
}

static double tenths(double x)
{
    return round(x * 10) / 10;
}

/* Sound: it moves by about 1 dB from sample to sample. */
static double sound(struct scene *s, double level, double deviation)
{
    double sum = 0;

    for (int i = 0; i < 4; i++) {
        s->seed = s->seed * 1664525 + 1013904223;
        sum += (double)(s->seed >> 16) / 65536;
    }
    return tenths(level + (sum - 2) * deviation / 0.577);
}

static void play(struct scene *s, int n, double level, double deviation)
{
    for (int i = 0; i < n; i++)
        tell(s, sound(s, level, deviation));
}

static void play_in_wind(struct scene *s, int n, double level, double wind)
{
    for (int i = 0; i < n; i++)
        give(s, sound(s, level, 1.2), wind, (struct verdict){ 0 });
}

static void quiet(struct scene *s, int n)
{
    play(s, n, 50, 1.2);
}

/* ---- events ---- */

static void a_source_over_the_limit_is_an_event(void **state)
{
    static const int64_t steps[] = { SECOND, MINUTE };
    static const int on[] = { 5, 4 }, off[] = { 20, 10 };
    struct scene s;

    (void)state;
    for (int i = 0; i < 2; i++) {
        begin(&s, steps[i]);
        quiet(&s, 200);
        assert_int_equal(s.events, 0);
        play(&s, on[i] - 1, 76, 1.2);
        assert_false(s.is.is_event);
        play(&s, 1, 76, 1.2);
        assert_true(s.is.is_event);
        assert_int_equal(s.is.side, 1);
        play(&s, 60, 76, 1.2);
        quiet(&s, off[i] - 1);
        assert_true(s.is.is_event);
        quiet(&s, 1);
        assert_false(s.is.is_event);
        assert_int_equal(s.events, 1);
        assert_int_equal(s.seen, 0);
        assert_int_equal(s.judged, 200 + on[i] + 60 + off[i]);
    }
}

static void an_event_is_found_before_there_is_a_background(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    play(&s, 4, 76, 1.2);
    assert_true(s.is.is_event);
    assert_true(s.is.limit == LIMIT);
}

static void a_passage_is_no_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    for (int i = 0; i < 20; i++) {
        play(&s, 3, 78, 1.2);
        quiet(&s, 15);
    }
    assert_int_equal(s.events, 0);
    assert_int_equal(s.seen, 0);
}

static void a_source_near_the_limit_is_an_event_where_it_is_quiet(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    quiet(&s, 200);
    play(&s, 20, LIMIT - 5.5, 1.0);
    assert_int_equal(s.events, 1);
    assert_true(s.is.limit < LIMIT - 5.5);
}

static void the_same_level_is_none_in_a_busy_street(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    play(&s, 200, 61, 1.5);
    play(&s, 60, LIMIT - 4, 1.0);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.seen, 0);
}

static void a_street_half_busy_and_half_quiet_is_no_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    for (int i = 0; i < 50; i++) {
        play(&s, 2, 50, 0.5);
        play(&s, 3, 59, 0.5); /* the median */
    }
    play(&s, 12, 65, 0.5);
    assert_int_equal(s.events, 0);
}

static void traffic_well_below_the_limit_is_no_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    quiet(&s, 200);
    play(&s, 60, LIMIT - 8, 1.0);
    assert_int_equal(s.events, 0);
}

static void what_it_is_compared_with_stands_over_the_background(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    tell(&s, 54);
    assert_true(s.is.limit == LIMIT);
    for (int i = 0; i < 40; i++)
        tell(&s, tenths(54 + 0.1 * (i % 5)));
    assert_true(fabs(s.is.limit - 64.25) < 1e-9); /* L90 + 10 */
    for (int i = 0; i < 100; i++)
        tell(&s, tenths(40 + 0.1 * (i % 5)));
    assert_true(s.is.limit == LIMIT - 10); /* not lower */
}

static void an_event_does_not_become_background(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    quiet(&s, 200);
    const double before = s.is.limit;
    play(&s, 200, LIMIT - 3, 1.2);
    assert_true(s.is.is_event);
    assert_true(s.is.limit == before);
}

static void an_event_begins_with_a_sample_over_the_limit(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    for (int i = 0; i < 6; i++)
        tell(&s, LIMIT + 1);
    tell(&s, LIMIT - 2); /* now it moves */
    assert_int_equal(s.events, 0);
    tell(&s, LIMIT + 1);
    assert_int_equal(s.events, 1);
}

static void a_source_that_comes_and_goes_is_an_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    quiet(&s, 200);
    for (int i = 0; i < 10; i++) { /* a pile driver: as steady as a machine while it works */
        play(&s, 2, 75, 0.2);
        play(&s, 2, 51, 1.2);
    }
    assert_int_equal(s.events, 1);
    assert_int_equal(s.seen, 0);
}

static void a_day_that_gets_louder_is_no_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    quiet(&s, 200);
    for (int i = 0; i < 180; i++)
        play(&s, 1, 46 + 16.0 * i / 180, 1.5);
    play(&s, 300, 62, 1.5);
    assert_int_equal(s.events, 0);
    play(&s, 10, 76, 1.2);
    assert_int_equal(s.events, 1);
}

static void an_alarm_of_the_night_does_not_stand_into_the_day(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    play(&s, 300, 42, 1.2);
    play(&s, 30, 67, 1.2);
    assert_true(s.is.is_event);
    play(&s, 180, 56, 1.5);
    assert_false(s.is.is_event);
    assert_int_equal(s.events, 1);
}

/* ---- the instrument makes the noise ---- */

static void hum_is_a_fault_and_no_event(void **state)
{
    static const int64_t steps[] = { SECOND, MINUTE };
    struct scene s;

    (void)state;
    for (int i = 0; i < 2; i++) {
        begin(&s, steps[i]);
        quiet(&s, 200);
        play(&s, 90, 75, 0.15);
        assert_int_equal(s.events, 0);
        assert_int_equal(s.is.faults, WATCH_STEADY);
        quiet(&s, 5);
        assert_int_equal(s.is.faults, 0);
    }
}

static void a_source_that_becomes_a_hum_ends_its_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    play(&s, 20, 76, 1.2);
    assert_true(s.is.is_event);
    play(&s, 50, 90, 0.15);
    assert_false(s.is.is_event);
    assert_int_equal(s.is.faults, WATCH_STEADY);
    assert_int_equal(s.is.use, WATCH_SET_ASIDE);
}

/* Neither moving as sound does nor steady: better one alarm too many. */
static void what_stays_undecided_is_an_event_in_the_end(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    quiet(&s, 200);
    for (int i = 0; i < 60; i++)
        tell(&s, tenths(76 + 0.43 * (i / 2 % 2 ? 1 : -1)));
    assert_int_equal(s.events, 0);
    assert_int_equal(s.seen, 0);
    for (int i = 60; i < 66; i++)
        tell(&s, tenths(76 + 0.43 * (i / 2 % 2 ? 1 : -1)));
    assert_int_equal(s.events, 1);
}

static void values_wildly_scattered_are_a_fault(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    for (int i = 0; i < 30; i++)
        tell(&s, i & 1 ? 104.3 : 75.2 + 0.1 * (i % 7));
    assert_int_equal(s.events, 0);
    assert_int_equal(s.is.faults, WATCH_SCATTER);
    quiet(&s, 12);
    assert_int_equal(s.is.faults, 0);
}

static void an_instrument_that_repeats_itself_is_stuck(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(s.is.faults, 0);
        tell(&s, 76.3);
    }
    assert_int_equal(s.is.faults, WATCH_STUCK);
    assert_int_equal(s.events, 0);
    tell(&s, 50.1);
    assert_int_equal(s.is.faults, 0);
}

static void an_instrument_that_gets_stuck_ends_its_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    play(&s, 20, 76, 1.2);
    assert_true(s.is.is_event);
    for (int i = 0; i < 20; i++)
        tell(&s, 77);
    assert_false(s.is.is_event);
    assert_true(s.is.faults & WATCH_STUCK);
}

static void a_level_at_the_end_of_the_scale_is_no_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    for (int i = 0; i < 60; i++)
        tell(&s, 140);
    assert_int_equal(s.events, 0);
    assert_true(s.is.faults & WATCH_STUCK);
    assert_false(s.seen & WATCH_GARBAGE); /* 140 itself is in the range */
}

static void a_coarse_instrument_in_a_quiet_night_is_not_stuck(void **state)
{
    struct watch_config c;
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    c = s.config;
    c.resolution = 1;
    begin_as(&s, &c);
    for (int i = 0; i < 199; i++)
        tell(&s, 42);
    assert_int_equal(s.seen, 0);
    tell(&s, 42);
    assert_int_equal(s.seen, WATCH_STUCK);
}

/* ---- somebody calibrates ---- */

static void a_calibrator_is_recognised_by_its_level(void **state)
{
    static const double at[] = { 94, 114, 93.6 };
    struct scene s;

    (void)state;
    for (int i = 0; i < 3; i++) {
        begin(&s, SECOND);
        quiet(&s, 200);
        for (int k = 0; k < 15; k++)
            tell(&s, at[i] + 0.1 * (k & 1));
        assert_int_equal(s.is.faults, WATCH_CALIBRATION);
        assert_int_equal(s.is.use, WATCH_SET_ASIDE);
        quiet(&s, 2);
        assert_int_equal(s.is.faults, 0);
        assert_int_equal(s.events, 0);
    }
}

static void an_event_may_pass_the_level_of_a_calibrator(void **state)
{
    static const double at[] = { 92.8, 94.1, 95.2, 93.8, 92.9, 95.6, 94.2, 93.1 };
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    look(&s);
    for (int i = 0; i < 8; i++)
        tell(&s, at[i]);
    assert_int_equal(s.judged, 5);
    assert_int_equal(s.events, 1);
    assert_int_equal(s.seen, 0);
}

static void a_calibration_that_is_announced_counts_for_nothing(void **state)
{
    const struct verdict v = { .status = STATUS_CALIBRATION };
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    look(&s);
    for (int i = 0; i < 30; i++)
        give(&s, i < 10 ? sound(&s, 80, 1.2) : i < 20 ? (double)NAN : 0, CALM, v);
    assert_int_equal(s.judged, 0);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.seen, WATCH_CALIBRATION);
    quiet(&s, 2);
    assert_int_equal(s.is.faults, 0);
}

/* ---- wind ---- */

static void noise_of_wind_is_disturbance_and_no_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    quiet(&s, 200);
    play_in_wind(&s, 30, 76, STORM);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.is.faults, WATCH_DISTURBED);
    play_in_wind(&s, 10, 76, CALM); /* gusts */
    assert_int_equal(s.events, 0);
    play_in_wind(&s, 10, 76, CALM);
    assert_int_equal(s.events, 1);
    assert_int_equal(s.is.faults, 0);
}

static void wind_that_makes_no_noise_raises_nothing(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    play_in_wind(&s, 200, 50, STORM);
    assert_int_equal(s.seen, 0);
    assert_int_equal(s.judged, 0);
}

static void a_wind_speed_that_is_not_there_blocks_nothing(void **state)
{
    struct watch_config c;
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    quiet(&s, 200);
    play_in_wind(&s, 10, 76, (double)NAN);
    assert_int_equal(s.events, 1);
    c = s.config;
    c.has[WATCH_WIND] = false;
    begin_as(&s, &c);
    play_in_wind(&s, 10, 76, STORM);
    assert_int_equal(s.events, 1);
}

/* ---- gaps ---- */

static void a_power_on_transient_behind_a_gap_is_no_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    lose(&s, 2);
    assert_int_equal(s.is.faults, 0);
    lose(&s, 1);
    assert_int_equal(s.is.faults, WATCH_NO_DATA);
    look(&s);
    for (int i = 0; i < 8; i++) {
        tell(&s, 104 - 4 * i);
        assert_int_equal(s.is.faults, 0);
    }
    assert_int_equal(s.judged, 0);
    quiet(&s, 30);
    assert_int_equal(s.judged, 30);
    assert_int_equal(s.events, 0);
}

static void what_was_counted_before_a_gap_is_forgotten(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    play(&s, 4, 76, 1.2);
    lose(&s, 3);
    play(&s, 8 + 4, 76, 1.2); /* held off, and one too few */
    assert_false(s.is.is_event);
    play(&s, 1, 76, 1.2);
    assert_true(s.is.is_event);
}

static void a_hum_behind_a_gap_is_not_alive_by_what_was_before(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    play(&s, 200, 66, 1.0);
    lose(&s, 5);
    play(&s, 60, 72, 0.15);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.is.faults, WATCH_STEADY);
}

static void an_event_behind_a_gap_is_not_scattered_by_what_was_before(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    for (int i = 0; i < 5; i++)
        tell(&s, i & 1 ? 104.3 : 75.2);
    lose(&s, 3);
    play(&s, 8 + 5, 76, 1.2);
    assert_int_equal(s.events, 1);
}

static void samples_that_come_late_tell_of_those_before(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    s.now_ms += 3 * SECOND; /* nobody had asked in between */
    look(&s);
    play(&s, 8, 80, 1.2);
    assert_int_equal(s.judged, 0);
    assert_int_equal(s.events, 0);
}

static void an_event_stands_over_a_gap(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    play(&s, 10, 76, 1.2);
    lose(&s, 20);
    assert_true(s.is.is_event);
    play(&s, 30, 76, 1.2);
    assert_int_equal(s.events, 1);
}

static void a_station_that_was_off_for_days_learns_its_background_anew(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, MINUTE);
    quiet(&s, 200);
    lose(&s, 3 * 1440);
    assert_int_equal(s.is.faults, WATCH_NO_DATA);
    play(&s, 100, 63, 1.5);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.is.faults, 0);
    quiet(&s, 1);
    s.now_ms += INT64_C(400) * 1440 * MINUTE;
    play(&s, 100, 63, 1.5);
    assert_int_equal(s.events, 0);
}

/* ---- values that cannot be ---- */

static void nonsense_again_and_again_is_garbage(void **state)
{
    static const double nonsense[] = { 0,     -9999,    6553.5,    1e30,
                                       -1e30, INFINITY, -INFINITY, DBL_MAX };
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    tell(&s, nonsense[0]);
    assert_int_equal(s.is.faults, 0); /* a hiccup */
    quiet(&s, 30);
    look(&s);
    for (int i = 0; i < 8; i++)
        tell(&s, nonsense[i]);
    assert_int_equal(s.is.faults, WATCH_GARBAGE);
    assert_int_equal(s.judged, 0);
    quiet(&s, 10);
    assert_int_equal(s.is.faults, 0);
    assert_int_equal(s.events, 0);
}

static void values_that_do_not_come_are_no_garbage(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    for (int i = 0; i < 10; i++)
        tell(&s, (double)NAN);
    assert_int_equal(s.seen, WATCH_NO_DATA);
}

/* Any configuration that is accepted, any sample: answers within their bounds. */
static void hostile_samples_harm_nothing(void **state)
{
    static const double odd[] = { NAN, INFINITY, -INFINITY, 1e30,   -1e30, DBL_MAX,
                                  0,   -0.0,     1e-300,    9.3e18, 32767, 94 };
    static const double ranges[][2] = {
        { 20, 140 }, { -1e300, 1e300 }, { 1e299, 1e300 }, { 0, 1e-9 }
    };
    static const uint8_t states[] = { STATUS_VALID, STATUS_CALIBRATION, STATUS_MAINTENANCE };
    struct watch_config c;
    struct scene s;

    (void)state;
    for (int r = 0; r < 4; r++) {
        begin(&s, SECOND);
        c = s.config;
        c.range_min = ranges[r][0];
        c.range_max = ranges[r][1];
        c.resolution = odd[r];
        c.limit_high = r == 2 ? -1e300 : LIMIT;
        begin_as(&s, &c);
        for (int i = 0; i < 40000; i++) {
            const uint32_t dice = (uint32_t)sound(&s, 1e6, 1e6);
            const struct verdict v = { .status = states[dice % 97 ? 0 : dice % 3],
                                       .grade = dice % 13 ? GRADE_GOOD : GRADE_BAD,
                                       .reasons = dice % 13 ? 0 : REASON_RANGE };
            const double x = dice % 7 ? sound(&s, 65, 8) : odd[dice % 12];
            give(&s, dice % 2 ? x : c.range_min / 2 + c.range_max / 2, odd[i % 12], v);
            if (dice % 50 == 0)
                lose(&s, (int)(dice % 5));
            assert_in_range(s.is.faults, 0, (1 << WATCH_FAULTS) - 1);
            assert_true(s.is.side == 1);
        }
    }
}

/* ---- time and restarts ---- */

static void a_sample_that_is_not_newer_changes_nothing(void **state)
{
    unsigned char before[STATE_MAX];
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    memcpy(before, s.state, sizeof before);
    s.now_ms -= 100 * SECOND;
    play(&s, 50, 80, 1.2);
    assert_memory_equal(before, s.state, sizeof before);
    assert_int_equal(s.events, 0);
}

static void a_clock_that_is_set_back_loses_nothing(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, SECOND);
    quiet(&s, 200);
    s.now_ms -= INT64_C(3600) * SECOND;
    watch_shift(s.state, -INT64_C(3600) * SECOND);
    play(&s, 5, 76, 1.2);
    assert_true(s.is.is_event);
    assert_int_equal(s.seen, 0);
}

static void a_state_that_is_copied_goes_on_as_if_nothing_had_been(void **state)
{
    struct scene one, other;

    (void)state;
    begin(&one, MINUTE);
    quiet(&one, 77);
    play(&one, 3, 76, 1.2);
    begin(&other, MINUTE);
    memcpy(other.state, one.state, watch_size(&one.config));
    other.now_ms = one.now_ms;
    other.seed = one.seed;
    for (int i = 0; i < 400; i++) {
        play(&one, 1, i % 100 < 50 ? 76 : 50, 1.2);
        play(&other, 1, i % 100 < 50 ? 76 : 50, 1.2);
        assert_int_equal(one.is.is_event, other.is.is_event);
        assert_true(one.is.limit == other.is.limit);
    }
    assert_memory_equal(one.state, other.state, watch_size(&one.config));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_over_the_limit_is_an_event),
        cmocka_unit_test(an_event_is_found_before_there_is_a_background),
        cmocka_unit_test(a_passage_is_no_event),
        cmocka_unit_test(a_source_near_the_limit_is_an_event_where_it_is_quiet),
        cmocka_unit_test(the_same_level_is_none_in_a_busy_street),
        cmocka_unit_test(a_street_half_busy_and_half_quiet_is_no_event),
        cmocka_unit_test(traffic_well_below_the_limit_is_no_event),
        cmocka_unit_test(what_it_is_compared_with_stands_over_the_background),
        cmocka_unit_test(an_event_does_not_become_background),
        cmocka_unit_test(an_event_begins_with_a_sample_over_the_limit),
        cmocka_unit_test(a_source_that_comes_and_goes_is_an_event),
        cmocka_unit_test(a_day_that_gets_louder_is_no_event),
        cmocka_unit_test(an_alarm_of_the_night_does_not_stand_into_the_day),
        cmocka_unit_test(hum_is_a_fault_and_no_event),
        cmocka_unit_test(a_source_that_becomes_a_hum_ends_its_event),
        cmocka_unit_test(what_stays_undecided_is_an_event_in_the_end),
        cmocka_unit_test(values_wildly_scattered_are_a_fault),
        cmocka_unit_test(an_instrument_that_repeats_itself_is_stuck),
        cmocka_unit_test(an_instrument_that_gets_stuck_ends_its_event),
        cmocka_unit_test(a_level_at_the_end_of_the_scale_is_no_event),
        cmocka_unit_test(a_coarse_instrument_in_a_quiet_night_is_not_stuck),
        cmocka_unit_test(a_calibrator_is_recognised_by_its_level),
        cmocka_unit_test(an_event_may_pass_the_level_of_a_calibrator),
        cmocka_unit_test(a_calibration_that_is_announced_counts_for_nothing),
        cmocka_unit_test(noise_of_wind_is_disturbance_and_no_event),
        cmocka_unit_test(wind_that_makes_no_noise_raises_nothing),
        cmocka_unit_test(a_wind_speed_that_is_not_there_blocks_nothing),
        cmocka_unit_test(a_power_on_transient_behind_a_gap_is_no_event),
        cmocka_unit_test(what_was_counted_before_a_gap_is_forgotten),
        cmocka_unit_test(a_hum_behind_a_gap_is_not_alive_by_what_was_before),
        cmocka_unit_test(an_event_behind_a_gap_is_not_scattered_by_what_was_before),
        cmocka_unit_test(samples_that_come_late_tell_of_those_before),
        cmocka_unit_test(an_event_stands_over_a_gap),
        cmocka_unit_test(a_station_that_was_off_for_days_learns_its_background_anew),
        cmocka_unit_test(nonsense_again_and_again_is_garbage),
        cmocka_unit_test(values_that_do_not_come_are_no_garbage),
        cmocka_unit_test(hostile_samples_harm_nothing),
        cmocka_unit_test(a_sample_that_is_not_newer_changes_nothing),
        cmocka_unit_test(a_clock_that_is_set_back_loses_nothing),
        cmocka_unit_test(a_state_that_is_copied_goes_on_as_if_nothing_had_been),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
