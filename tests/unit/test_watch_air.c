/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes at an air station, one value an hour: its neighbours, and what happens there. */
#include <float.h>
#include <stdlib.h>

#include "rules/detect/dying.h"
#include "rules/detect/neighbours.h"
#include "rules/detect/offset.h"
#include "rules/detect/ring.h"
#include "rules/detect/there_and_back.h"
#include "rules/detect/zero_span.h"
#include "tests/unit/watch_scene.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 };

static const double LIMIT = 150;

/* ---- mechanisms ---- */

union ring_room { /* as large as the largest */
    struct ring ring;
    _Alignas(8) unsigned char bytes[512];
};

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Against the window sorted anew, few values that repeat often among them. */
static void a_ring_is_always_in_order(void **state)
{
    static const int capacities[] = { 1, 2, 48, RING_MAX };
    static double all[600];
    union ring_room room;
    uint32_t seed = 1;

    (void)state;
    for (int k = 0; k < 4; k++) {
        assert_true(ring_size(capacities[k]) <= sizeof room);
        ring_init(&room.ring, capacities[k]);
        for (int i = 0; i < 600; i++) {
            double sorted[RING_MAX];
            all[i] = floor(scene_draw(&seed) * (i % 2 ? 5 : 1000));
            ring_push(&room.ring, all[i]);
            const int n = i + 1 < capacities[k] ? i + 1 : capacities[k];
            assert_int_equal(room.ring.n, n);
            memcpy(sorted, all + i + 1 - n, (size_t)n * sizeof sorted[0]);
            qsort(sorted, (size_t)n, sizeof sorted[0], by_size);
            for (int j = 0; j < n; j++) {
                assert_true(ring_ranked(&room.ring, j) == sorted[j]);
                assert_true(ring_newest(&room.ring, j) == all[i - j]);
            }
        }
    }
}

static void quantiles_are_elements_of_the_ring(void **state)
{
    union ring_room room;

    (void)state;
    ring_init(&room.ring, 10);
    for (int i = 0; i < 10; i++)
        ring_push(&room.ring, 9 - i);
    assert_true(ring_quantile(&room.ring, 0) == 0);
    assert_true(ring_quantile(&room.ring, 0.25) == 2);
    assert_true(ring_quantile(&room.ring, 0.5) == 5);
    assert_true(ring_quantile(&room.ring, 1) == 9);
    ring_clear(&room.ring);
    ring_push(&room.ring, DBL_MAX);
    assert_true(ring_quantile(&room.ring, 0.5) == (double)FLT_MAX);
}

static const struct dying_config dying = {
    .gap = 3, .longest = 5, .out = 20, .done = 10, .rise = 1.1
};

/* Values behind a gap of `missed`, each standing out by itself: which belong to a transient. */
static int dying_values(int missed, const double *x, int n)
{
    struct dying d = { 0 };
    int in = 0;

    for (int i = 0; i < missed; i++)
        dying_miss(&d);
    for (int i = 0; i < n; i++)
        in += dying_push(&dying, &d, x[i], x[i]);
    return in;
}

static void a_transient_falls_until_it_stands_out_no_more(void **state)
{
    static const double falls[] = { 90, 50, 30, 15, 9, 30 }, rises[] = { 30, 32, 40, 60 };
    static const double lasts[] = { 90, 90, 90, 90, 90, 90, 90, 90 };

    (void)state;
    assert_int_equal(dying_values(3, falls, 6), 4);
    assert_int_equal(dying_values(2, falls, 6), 0);
    assert_int_equal(dying_values(3, rises, 4), 2);
    assert_int_equal(dying_values(3, lasts, 8), 5);
}

static void a_transient_may_come_again(void **state)
{
    struct dying d = { 0 };

    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 3; i++)
            dying_miss(&d);
        assert_true(dying_push(&dying, &d, 90, 90));
        assert_true(dying_push(&dying, &d, 40, 40));
        assert_false(dying_push(&dying, &d, 5, 5));
        assert_false(dying_push(&dying, &d, 90, 90));
    }
}

static void span_gas_follows_zero_gas_and_stands_still(void **state)
{
    const struct zero_span_config c = { .zero = 3, .span = 135, .tolerance = 0.012 };
    struct zero_span z = { 0 };

    (void)state;
    assert_false(zero_span_push(&c, &z, 200));
    assert_false(zero_span_push(&c, &z, 200)); /* no zero before */
    assert_false(zero_span_push(&c, &z, 2));
    assert_false(zero_span_push(&c, &z, 200));
    assert_true(zero_span_push(&c, &z, 201));
    assert_true(zero_span_push(&c, &z, 198));
    assert_false(zero_span_push(&c, &z, 190));
    zero_span_zero(&z);
    assert_false(zero_span_push(&c, &z, 300));
    assert_true(zero_span_push(&c, &z, 300));
}

static void a_spike_goes_there_and_back(void **state)
{
    struct there_and_back s = { 0 };

    (void)state;
    there_and_back(&s, 10);
    there_and_back(&s, 100);
    assert_true(there_and_back(&s, 20) == 80);
    assert_true(there_and_back(&s, 15) == 0);
    assert_true(there_and_back(&s, 40) == 5);
    assert_true(there_and_back(&s, 60) == 0);
}

static const struct offset_config offsets = {
    .least = 36, .quantile = 0.2, .from = 42, .over = 0.6, .back = 3
};

static bool offset_many(struct offset *o, struct ring *r, int n, double difference)
{
    for (int i = 0; i < n; i++)
        offset_push(&offsets, o, r, difference);
    return o->is_up;
}

static void a_difference_that_never_comes_down_is_an_offset(void **state)
{
    union ring_room room;
    struct offset o = { 0 };

    (void)state;
    ring_init(&room.ring, 48);
    offset_many(&o, &room.ring, 40, 5);
    assert_false(offset_many(&o, &room.ring, 38, 60));
    assert_true(offset_many(&o, &room.ring, 2, 60));
    assert_true(offset_size(&o, &room.ring) == 60);
    assert_true(offset_many(&o, &room.ring, 2, 0));
    assert_false(offset_many(&o, &room.ring, 1, 0)); /* set right */
    assert_true(offset_size(&o, &room.ring) == 0);
    assert_int_equal(room.ring.n, 0);
}

static void neighbours_tell_what_is_usual_in_proportion(void **state)
{
    const struct neighbours_config c = { .least = 12, .level = 50, .floor = 5, .first = 10 };
    struct neighbours n = { 0 };
    union ring_room room;

    (void)state;
    ring_init(&room.ring, 48);
    for (int i = 0; i < 11; i++)
        neighbours_learn(&c, &n, &room.ring, 70, 50);
    assert_false(n.is_known);
    assert_true(neighbours_sigma(&c, &n, 50) == 10);
    neighbours_learn(&c, &n, &room.ring, 70, 50);
    assert_true(n.is_known);
    assert_float_equal(neighbours_usual(&c, &n, 50), 20, 1e-3);
    assert_float_equal(neighbours_usual(&c, &n, 150), 40, 1e-3);
    assert_true(neighbours_sigma(&c, &n, 50) == 5);
}

/* ---- scenes ---- */

static struct watch_config channel(int64_t step_ms)
{
    return (struct watch_config){ .kind = WATCH_AIR,
                                  .step_ms = step_ms,
                                  .limit_high = LIMIT,
                                  .limit_low = NAN,
                                  .range_min = 0,
                                  .range_max = 1000,
                                  .resolution = 1,
                                  .has[WATCH_NEIGHBOURS] = true };
}

static void begin(struct scene *s)
{
    const struct watch_config c = channel(HOUR);

    scene_begin(s, &c);
}

/* An hour at which the station has `x` and its neighbours `beside`, both a little scattered. */
static void hour(struct scene *s, double x, double beside)
{
    s->aside[WATCH_NEIGHBOURS] = round(beside * (0.95 + 0.1 * scene_draw(&s->seed)));
    scene_tell(s, round(x * (0.95 + 0.1 * scene_draw(&s->seed)) + 0.5));
}

static void play(struct scene *s, int n, double x, double beside)
{
    for (int i = 0; i < n; i++)
        hour(s, x, beside);
}

/* Days as they are: higher in the morning. */
static void days(struct scene *s, int n)
{
    for (int i = 0; i < n * DAY; i++) {
        const double level = 40 + 15 * sin(i * 6.2831853 / DAY);
        hour(s, level, level);
    }
}

static void ordinary_days_are_no_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 60);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.seen, 0);
    assert_int_equal(s.judged, 60 * DAY);
}

static void the_limit_for_three_hours_is_an_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    s.aside[WATCH_NEIGHBOURS] = NAN;
    for (int i = 0; i < 30; i++)
        scene_tell(&s, 40 + i % 7);
    scene_tell(&s, LIMIT);
    scene_tell(&s, 180);
    assert_false(s.is.is_event);
    scene_tell(&s, 170);
    assert_true(s.is.is_event);
    assert_true(s.is.limit == LIMIT);
    assert_int_equal(s.is.side, 1);
    scene_tell(&s, 120);
    scene_tell(&s, 121);
    assert_true(s.is.is_event);
    scene_tell(&s, 122);
    assert_false(s.is.is_event);
}

static void the_limit_with_the_neighbours_is_an_event_an_hour_earlier(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 4);
    s.aside[WATCH_NEIGHBOURS] = 170;
    scene_tell(&s, 200);
    scene_tell(&s, 205);
    assert_true(s.is.is_event);
    assert_true(s.is.limit == LIMIT);
}

static void what_rises_everywhere_below_the_limit_is_no_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 4);
    for (int i = 0; i < 12; i++)
        play(&s, 1, 40 + 7 * i, 40 + 7 * i);
    play(&s, 12, 130, 130);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.seen, 0);
}

static void a_plume_that_only_this_station_has_is_found_below_the_limit(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 4);
    play(&s, 2, 120, 40);
    assert_false(s.is.is_event);
    play(&s, 1, 120, 40);
    assert_true(s.is.is_event);
    assert_true(s.is.limit < 120 && s.is.limit >= 0.58 * LIMIT);
    play(&s, 3, 40, 40);
    assert_false(s.is.is_event);
    assert_int_equal(s.events, 1);
    assert_int_equal(s.seen, 0);
}

static void a_station_that_is_always_higher_is_no_plume(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    play(&s, 6 * DAY, 75, 40);
    assert_int_equal(s.events, 0);
    play(&s, 6, 95, 50); /* in proportion */
    assert_int_equal(s.events, 0);
    assert_int_equal(s.seen, 0);
}

static void a_spike_is_no_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 2);
    for (int i = 0; i < 10; i++) {
        play(&s, 1, 600, 40);
        days(&s, 1);
    }
    assert_int_equal(s.events, 0);
}

static void spikes_again_and_again_are_scatter(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 2);
    for (int i = 0; i < 6; i++) {
        play(&s, 1, 20, 40);
        play(&s, 1, 400, 40);
    }
    assert_int_equal(s.is.faults, WATCH_SCATTER);
    assert_int_equal(s.events, 0);
    days(&s, 1);
    assert_int_equal(s.is.faults, 0);
}

static void a_value_stuck_above_the_limit_is_no_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 2);
    for (int i = 0; i < 30; i++) {
        s.aside[WATCH_NEIGHBOURS] = 40 + i % 10;
        scene_tell(&s, 300);
        assert_int_equal(s.is.faults, i < 4 ? 0 : WATCH_STUCK);
    }
    assert_int_equal(s.events, 0);
    days(&s, 1);
    assert_int_equal(s.is.faults, 0);
}

static void a_value_stuck_is_told_when_the_neighbours_move(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 2);
    for (int i = 0; i < 30; i++) {
        s.aside[WATCH_NEIGHBOURS] = 40;
        scene_tell(&s, 42); /* a calm night */
    }
    assert_int_equal(s.seen, 0);
    s.aside[WATCH_NEIGHBOURS] = 60;
    scene_tell(&s, 42);
    assert_int_equal(s.is.faults, WATCH_STUCK);
}

static void a_station_at_its_floor_may_stay_there(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 2);
    for (int i = 0; i < 30; i++) {
        s.aside[WATCH_NEIGHBOURS] = 2 + i % 8;
        scene_tell(&s, 2);
    }
    assert_int_equal(s.seen, 0);
    s.aside[WATCH_NEIGHBOURS] = 60;
    scene_tell(&s, 2);
    assert_int_equal(s.is.faults, WATCH_STUCK);
}

static void zeros_and_impossible_values_are_garbage(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 2);
    scene_tell(&s, 0);
    assert_int_equal(s.is.faults, 0);
    scene_tell(&s, 1001);
    assert_int_equal(s.is.faults, WATCH_GARBAGE);
    play(&s, 11, 300, 40);
    assert_int_equal(s.events, 0);
    play(&s, 1, 40, 40);
    assert_int_equal(s.is.faults, 0);
}

static void a_calibration_is_known_by_its_pattern(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 2);
    scene_tell(&s, 1);
    for (int i = 0; i < 4; i++)
        scene_tell(&s, 400 + i);
    assert_int_equal(s.is.faults, WATCH_CALIBRATION);
    days(&s, 1);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.is.faults, 0);
}

static void an_announced_calibration_ends_an_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 2);
    play(&s, 5, 300, 200);
    assert_true(s.is.is_event);
    s.verdict.status = STATUS_CALIBRATION;
    play(&s, 1, 300, 200);
    assert_false(s.is.is_event);
    assert_int_equal(s.is.faults, WATCH_CALIBRATION);
    assert_int_equal(s.is.use, WATCH_SET_ASIDE);
}

static void a_power_on_dies_away_and_is_no_event(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 4);
    scene_lose(&s, 5);
    for (int i = 0; i < 8; i++) {
        s.aside[WATCH_NEIGHBOURS] = 40;
        scene_tell(&s, 40 + round(300 * exp2(-i / 2.0)));
        assert_int_equal(s.is.faults, WATCH_TRANSIENT);
    }
    days(&s, 1);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.is.faults, 0);
}

static void an_event_behind_a_gap_is_one(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 4);
    scene_lose(&s, 5);
    for (int i = 0; i < 8; i++) {
        s.aside[WATCH_NEIGHBOURS] = 40;
        scene_tell(&s, 160 + 30 * i);
    }
    assert_true(s.is.is_event);
}

static void a_day_without_values_is_told(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 4);
    scene_lose(&s, 23);
    assert_int_equal(s.is.faults, 0);
    scene_lose(&s, 1);
    assert_int_equal(s.is.faults, WATCH_NO_DATA);
    scene_lose(&s, 100 * DAY);
    days(&s, 4);
    assert_int_equal(s.is.faults, 0);
    assert_int_equal(s.events, 0);
    play(&s, 3, 120, 40);
    assert_true(s.is.is_event);
}

static void a_sensor_that_moved_is_drift_and_judged_without_it(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 4);
    for (int i = 0; i < 10 * DAY; i++) { /* one limit in five days, and stays */
        const double level = 40 + 15 * sin(i * 6.2831853 / DAY);
        hour(&s, level + fmin(1.25 * i, 130), level);
    }
    assert_int_equal(s.is.faults, WATCH_DRIFT);
    assert_false(s.is.is_event);
    play(&s, 3, 60 + 300, 60);
    assert_true(s.is.is_event);
    assert_true(s.is.limit > 1.5 * LIMIT);
    days(&s, 4);
    assert_int_equal(s.is.faults, 0);
    assert_false(s.is.is_event);
}

static void without_neighbours_the_limit_is_left(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    for (int i = 0; i < 100; i++)
        hour(&s, 40, NAN);
    play(&s, 10, 130, NAN);
    assert_int_equal(s.events, 0);
    play(&s, 3, 200, NAN);
    assert_true(s.is.is_event);
    assert_int_equal(s.seen, 0);
}

static void calibrate(struct scene *s)
{
    s->verdict.status = STATUS_CALIBRATION;
    hour(s, 40, 40);
    s->verdict = (struct verdict){ 0 };
}

/* Hours at `x` and `beside`, then a calibration and the hour behind it that is not believed,
 * then one more. */
static int events_around_a_calibration(int hours, double x, double beside)
{
    struct scene s;

    begin(&s);
    days(&s, 4);
    s.aside[WATCH_NEIGHBOURS] = beside;
    for (int i = 0; i < hours; i++)
        scene_tell(&s, x + i);
    calibrate(&s);
    s.aside[WATCH_NEIGHBOURS] = beside;
    scene_tell(&s, x + 10);
    assert_int_equal(s.is.use, WATCH_SET_ASIDE);
    scene_tell(&s, x + 11);
    assert_int_equal(s.is.use, WATCH_JUDGED);
    return s.events;
}

static void hours_before_a_calibration_do_not_count_behind_it(void **state)
{
    (void)state;
    assert_int_equal(events_around_a_calibration(2, 200, 60), 0);
    assert_int_equal(events_around_a_calibration(1, 200, 150), 0);
    assert_int_equal(events_around_a_calibration(2, 120, 40), 0);
}

static void garbage_and_a_stuck_value_end_an_event(void **state)
{
    struct scene s;

    (void)state;
    for (int stuck = 0; stuck < 2; stuck++) {
        begin(&s);
        days(&s, 4);
        play(&s, 6, 300, 250);
        assert_true(s.is.is_event);
        for (int i = 0; i < 5; i++)
            scene_tell(&s, stuck ? 400 : 1001);
        assert_false(s.is.is_event);
        assert_int_equal(s.is.faults, stuck ? WATCH_STUCK : WATCH_GARBAGE);
    }
}

static void an_impossible_zero_may_be_zero_gas(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 2);
    scene_tell(&s, 0);
    scene_tell(&s, 400);
    scene_tell(&s, 401);
    assert_int_equal(s.is.faults, WATCH_CALIBRATION);
    begin(&s);
    days(&s, 2);
    scene_tell(&s, 1001); /* and no other impossible value */
    scene_tell(&s, 400);
    scene_tell(&s, 401);
    assert_int_equal(s.is.faults, 0);
}

static void values_behind_a_fault_are_held_off(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    days(&s, 2);
    for (int i = 0; i < 5; i++)
        scene_tell(&s, 300);
    scene_look(&s);
    play(&s, 1, 40, 40); /* it moves again */
    assert_int_equal(s.judged, 0);
    play(&s, 1, 50, 40);
    assert_int_equal(s.judged, 1);
    scene_lose(&s, 4);
    play(&s, 1, 200, 40);
    assert_int_equal(s.is.faults, WATCH_TRANSIENT);
    scene_look(&s);
    play(&s, 3, 40, 40);
    assert_int_equal(s.judged, 0);
    play(&s, 1, 40, 40);
    assert_int_equal(s.judged, 1);
}

static void without_neighbours_a_power_on_is_still_known(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    play(&s, 2 * DAY, 40, NAN);
    scene_lose(&s, 4);
    play(&s, 1, 40, NAN);
    assert_int_equal(s.is.faults, 0);
    scene_lose(&s, 4);
    for (int i = 0; i < 4; i++)
        scene_tell(&s, 400 - 60 * i);
    assert_int_equal(s.is.faults, WATCH_TRANSIENT);
    assert_int_equal(s.events, 0);
}

/* A place that scatters by 40 against its neighbours. */
static void where_values_scatter_a_plume_must_be_strong(void **state)
{
    struct scene s;

    (void)state;
    for (int is_strong = 0; is_strong < 2; is_strong++) {
        begin(&s);
        for (int i = 0; i < 6 * DAY; i++) {
            s.aside[WATCH_NEIGHBOURS] = 60;
            scene_tell(&s, 40 + 20 * (i / 3 % 3) + i % 3);
        }
        scene_look(&s);
        for (int i = 0; i < 4; i++) {
            s.aside[WATCH_NEIGHBOURS] = 38;
            scene_tell(&s, (is_strong ? 140 : 95) + i);
        }
        assert_int_equal(s.events, is_strong);
    }
}

/* ---- other steps ---- */

static void a_station_asked_every_minute_is_judged_by_the_hour(void **state)
{
    const struct watch_config c = channel(MINUTE);
    struct scene s;

    (void)state;
    scene_begin(&s, &c);
    for (int i = 0; i < 2 * DAY; i++)
        for (int m = 0; m < 60; m++)
            hour(&s, 40 + 15 * sin(i * 6.2831853 / DAY), 40);
    scene_tell(&s, 0); /* one of sixty */
    play(&s, 59, 40, 40);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.seen, 0);
    play(&s, 179, 120, 40);
    assert_false(s.is.is_event);
    play(&s, 1, 120, 40);
    assert_true(s.is.is_event);
    scene_lose(&s, 14); /* three quarters of an hour are enough */
    scene_look(&s);
    play(&s, 46, 120, 40);
    assert_int_equal(s.judged, 46);
    scene_lose(&s, 16);
    play(&s, 44, 120, 40);
    assert_int_equal(s.is.use, WATCH_SET_ASIDE);
}

static void what_the_minutes_of_an_hour_say_together_counts(void **state)
{
    const struct watch_config c = channel(MINUTE);
    struct scene s;

    (void)state;
    scene_begin(&s, &c);
    play(&s, 60 * 2 * DAY, 40, 40);
    play(&s, 60 * 5, 120, 120); /* the neighbours as well */
    assert_int_equal(s.events, 0);
    s.verdict.status = STATUS_CALIBRATION;
    play(&s, 30, 40, 40);
    s.verdict = (struct verdict){ 0 };
    play(&s, 30, 40, 40);
    assert_int_equal(s.is.faults, WATCH_CALIBRATION);
    for (int i = 0; i < 120; i++)
        scene_tell(&s, i % 2 ? 1001 : 40);
    assert_true(s.is.faults & WATCH_GARBAGE);
}

static void a_value_held_for_hours_is_stuck_though_minutes_are_lost(void **state)
{
    const struct watch_config c = channel(MINUTE);
    struct scene s;

    (void)state;
    scene_begin(&s, &c);
    play(&s, 60 * 2 * DAY, 40, 40);
    s.aside[WATCH_NEIGHBOURS] = 40;
    for (int i = 0; i < 60 * 14; i++) {
        s.aside[WATCH_NEIGHBOURS] = 30 + i / 60 * 3;
        if (i % 61 == 7)
            scene_lose(&s, 1);
        else
            scene_tell(&s, 42.1);
    }
    assert_true(s.is.faults & WATCH_STUCK);
}

/* ---- hostile values ---- */

static void no_value_does_harm(void **state)
{
    static const double values[] = {
        NAN,  INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, DBL_MIN, 0,
        -0.0, -75,      1000,      1001,    1e-300,   40,      150
    };
    static const struct {
        int64_t step;
        double limit, min, max;
    } odd[] = { { HOUR, 150, 0, 1000 },
                { 1, 150, 0, 1000 },
                { HOUR, 1e-300, -1000, 1000 },
                { HOUR, 1e-9, -1e308, 7e307 },
                { 3 * HOUR, 1e300, -1, 1e301 } };
    enum { VALUES = sizeof values / sizeof values[0] };
    struct watch_config c = channel(HOUR);
    struct scene s;

    (void)state;
    for (size_t k = 0; k < sizeof odd / sizeof odd[0]; k++) {
        c.step_ms = odd[k].step;
        c.limit_high = odd[k].limit;
        c.range_min = odd[k].min;
        c.range_max = odd[k].max;
        scene_begin(&s, &c);
        for (int i = 0; i < 5000 && s.now_ms < INT64_MAX / 4; i++) {
            for (int a = 0; a < WATCH_ASIDES; a++)
                s.aside[a] = values[(int)(scene_draw(&s.seed) * VALUES)];
            s.verdict.grade = scene_draw(&s.seed) < 0.1 ? GRADE_BAD : GRADE_GOOD;
            scene_tell(&s, values[(int)(scene_draw(&s.seed) * VALUES)]);
            assert_true(s.is.faults < 1u << WATCH_FAULTS);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_is_always_in_order),
        cmocka_unit_test(quantiles_are_elements_of_the_ring),
        cmocka_unit_test(a_transient_falls_until_it_stands_out_no_more),
        cmocka_unit_test(a_transient_may_come_again),
        cmocka_unit_test(span_gas_follows_zero_gas_and_stands_still),
        cmocka_unit_test(a_spike_goes_there_and_back),
        cmocka_unit_test(a_difference_that_never_comes_down_is_an_offset),
        cmocka_unit_test(neighbours_tell_what_is_usual_in_proportion),
        cmocka_unit_test(ordinary_days_are_no_event),
        cmocka_unit_test(the_limit_for_three_hours_is_an_event),
        cmocka_unit_test(the_limit_with_the_neighbours_is_an_event_an_hour_earlier),
        cmocka_unit_test(what_rises_everywhere_below_the_limit_is_no_event),
        cmocka_unit_test(a_plume_that_only_this_station_has_is_found_below_the_limit),
        cmocka_unit_test(a_station_that_is_always_higher_is_no_plume),
        cmocka_unit_test(a_spike_is_no_event),
        cmocka_unit_test(spikes_again_and_again_are_scatter),
        cmocka_unit_test(a_value_stuck_above_the_limit_is_no_event),
        cmocka_unit_test(a_value_stuck_is_told_when_the_neighbours_move),
        cmocka_unit_test(a_station_at_its_floor_may_stay_there),
        cmocka_unit_test(zeros_and_impossible_values_are_garbage),
        cmocka_unit_test(a_calibration_is_known_by_its_pattern),
        cmocka_unit_test(an_announced_calibration_ends_an_event),
        cmocka_unit_test(a_power_on_dies_away_and_is_no_event),
        cmocka_unit_test(an_event_behind_a_gap_is_one),
        cmocka_unit_test(a_day_without_values_is_told),
        cmocka_unit_test(a_sensor_that_moved_is_drift_and_judged_without_it),
        cmocka_unit_test(without_neighbours_the_limit_is_left),
        cmocka_unit_test(hours_before_a_calibration_do_not_count_behind_it),
        cmocka_unit_test(garbage_and_a_stuck_value_end_an_event),
        cmocka_unit_test(an_impossible_zero_may_be_zero_gas),
        cmocka_unit_test(values_behind_a_fault_are_held_off),
        cmocka_unit_test(without_neighbours_a_power_on_is_still_known),
        cmocka_unit_test(where_values_scatter_a_plume_must_be_strong),
        cmocka_unit_test(a_station_asked_every_minute_is_judged_by_the_hour),
        cmocka_unit_test(what_the_minutes_of_an_hour_say_together_counts),
        cmocka_unit_test(a_value_held_for_hours_is_stuck_though_minutes_are_lost),
        cmocka_unit_test(no_value_does_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
