/* SPDX-License-Identifier: Apache-2.0 */
/* The station's time by readings of clocks that a test makes up. */
#include "gateway/clock/timeline.h"

#include <string.h>

#include "unit.h"

#define BOOT   "00000000-0000-0000-0000-000000000001"
#define BOOT_2 "00000000-0000-0000-0000-000000000002"
#define T0     INT64_C(1790000000000) /* 2026 */
#define HOUR   INT64_C(3600000)
#define DAY    (24 * HOUR)
#define YEAR   (365 * DAY)

/* A machine: what its wall clock says is boot_ms + offset_ms. */
struct machine {
    struct timeline t;
    struct timeline_change c;
    int64_t boot_ms, offset_ms;
    bool is_synchronised;
};

static struct clock_reading reading(const struct machine *m)
{
    return (struct clock_reading){ .boot_ms = m->boot_ms,
                                   .wall_ms = m->boot_ms + m->offset_ms,
                                   .is_synchronised = m->is_synchronised };
}

static struct timeline_absence power_up(struct machine *m, const char *boot, bool has_service,
                                        const struct clock_record *before)
{
    struct timeline_absence a;
    struct clock_reading r = reading(m);

    timeline_start(&m->t, &r, boot, has_service, before, &a);
    timeline_observe(&m->t, &r, &m->c);
    return a;
}

static enum timeline_event pass(struct machine *m, int64_t ms)
{
    m->boot_ms += ms;
    struct clock_reading r = reading(m);
    timeline_observe(&m->t, &r, &m->c);
    return m->c.what;
}

static int64_t now(const struct machine *m)
{
    return timeline_at(&m->t, m->boot_ms);
}

static int64_t wall(const struct machine *m)
{
    return m->boot_ms + m->offset_ms;
}

static struct machine synchronised(void)
{
    struct machine m = { .boot_ms = 5000, .offset_ms = T0, .is_synchronised = true };

    power_up(&m, BOOT, true, NULL);
    assert_int_equal(m.t.state, CLOCK_SYNCHRONISED);
    return m;
}

static void believes_a_synchronised_clock_at_once(void **state)
{
    struct machine m = synchronised();

    (void)state;
    assert_int_equal(now(&m), wall(&m));
    assert_false(timeline_is_waiting(&m.t));
    assert_false(timeline_is_doubtful(&m.t));
}

static void believes_a_plausible_clock_where_nobody_synchronises(void **state)
{
    struct machine m = { .boot_ms = 5000, .offset_ms = T0 };

    (void)state;
    power_up(&m, BOOT, false, NULL);
    assert_int_equal(m.t.state, CLOCK_UNSYNCHRONISED);
    assert_int_equal(now(&m), wall(&m));
    assert_false(timeline_is_doubtful(&m.t));
}

static void waits_for_the_service_that_runs(void **state)
{
    struct machine m = { .boot_ms = 5000, .offset_ms = T0 };

    (void)state;
    power_up(&m, BOOT, true, NULL);
    assert_true(timeline_is_waiting(&m.t));
    assert_true(timeline_is_doubtful(&m.t));
    m.is_synchronised = true;
    m.offset_ms += 3 * HOUR; /* it was behind */
    assert_int_equal(pass(&m, 1000), TIMELINE_BELIEVED);
    assert_int_equal(m.c.jump_ms, 3 * HOUR);
    assert_int_equal(now(&m), wall(&m));
    assert_int_equal(timeline_at(&m.t, 5000), T0 + 3 * HOUR + 5000); /* of a sample before */
}

static void waits_ten_minutes_for_more_than_a_plausible_time(void **state)
{
    struct machine m = { .boot_ms = 5000, .offset_ms = T0 };

    (void)state;
    power_up(&m, BOOT, true, NULL);
    assert_int_equal(pass(&m, TIMELINE_WAIT_MS - 1), TIMELINE_SAME);
    assert_int_equal(pass(&m, 1), TIMELINE_GAVE_UP);
    assert_int_equal(now(&m), wall(&m));
    assert_false(timeline_is_waiting(&m.t));
    assert_true(timeline_is_doubtful(&m.t));
    m.is_synchronised = true;
    assert_int_equal(pass(&m, DAY), TIMELINE_BELIEVED);
    assert_true(m.c.was_guessed);
    assert_false(timeline_is_doubtful(&m.t));
}

static void does_not_believe_a_machine_without_a_clock(void **state)
{
    struct machine m = { .boot_ms = 5000, .offset_ms = 0 }; /* 1970 */

    (void)state;
    power_up(&m, BOOT, false, NULL);
    assert_true(timeline_is_waiting(&m.t));
    assert_int_equal(now(&m), TIMELINE_EARLIEST_MS + 5000);
    assert_int_equal(pass(&m, TIMELINE_WAIT_LONG_MS - 1), TIMELINE_SAME);
    assert_int_equal(pass(&m, 1), TIMELINE_GAVE_UP);
    m.offset_ms = T0; /* somebody sets it */
    assert_int_equal(pass(&m, 1000), TIMELINE_BELIEVED);
    assert_int_equal(now(&m), wall(&m));
}

static void guesses_a_time_behind_the_log(void **state)
{
    struct machine m = synchronised();
    struct clock_record before;

    (void)state;
    pass(&m, HOUR);
    timeline_record(&m.t, &before);
    struct machine n = { .boot_ms = 30000, .offset_ms = 0 };
    struct timeline_absence a = power_up(&n, BOOT_2, false, &before);
    assert_false(a.is_first || a.is_same_boot);
    assert_int_equal(a.off_ms, 30000); /* at least */
    assert_true(a.back_ms > 50 * YEAR);
    assert_true(timeline_is_waiting(&n.t));
    assert_int_equal(now(&n), now(&m) + 30000);
}

static void a_time_older_than_the_log_is_not_plausible(void **state)
{
    struct machine m = synchronised();
    struct clock_record before;

    (void)state;
    m.t.was_synchronised = false;
    pass(&m, HOUR);
    timeline_record(&m.t, &before);
    before.was_synchronised = false;
    struct machine n = { .boot_ms = 30000, .offset_ms = T0 - DAY };
    power_up(&n, BOOT_2, false, &before);
    assert_true(timeline_is_waiting(&n.t));
    n.is_synchronised = true; /* whoever knows better is believed */
    assert_int_equal(pass(&n, 1000), TIMELINE_BELIEVED);
    assert_int_equal(now(&n), wall(&n));
}

static void remembers_that_the_clock_was_synchronised_once(void **state)
{
    struct machine m = synchronised();
    struct clock_record before;

    (void)state;
    timeline_record(&m.t, &before);
    struct machine n = { .boot_ms = 30000, .offset_ms = T0 + DAY };
    power_up(&n, BOOT_2, false, &before);
    assert_true(timeline_is_waiting(&n.t));
}

static void goes_on_within_the_same_boot(void **state)
{
    struct machine m = synchronised();
    struct clock_record before;

    (void)state;
    pass(&m, HOUR);
    timeline_record(&m.t, &before);
    struct machine n = m;
    n.boot_ms += 7000; /* the process was away */
    n.is_synchronised = false;
    struct timeline_absence a = power_up(&n, BOOT, true, &before);
    assert_true(a.is_same_boot);
    assert_int_equal(a.off_ms, 7000);
    assert_int_equal(a.back_ms, 0);
    assert_int_equal(n.t.state, CLOCK_HOLDOVER);
    assert_int_equal(now(&n), wall(&n));
    assert_false(timeline_is_doubtful(&n.t));
}

static void finds_that_the_clock_went_back_while_it_was_off(void **state)
{
    struct machine m = synchronised();
    struct clock_record before;

    (void)state;
    timeline_record(&m.t, &before);
    m.boot_ms += 60000;
    m.offset_ms -= 30000;
    struct timeline_absence a = power_up(&m, BOOT, true, &before);
    assert_int_equal(a.back_ms, 30000);
    assert_int_equal(m.c.what, TIMELINE_STEPPED);
}

static void follows_a_step_forward_at_once(void **state)
{
    static const int64_t steps[] = { 1000, 60000, HOUR, DAY, YEAR, 10 * YEAR };

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct machine m = synchronised();
        m.offset_ms += steps[i];
        assert_int_equal(pass(&m, 1000), TIMELINE_STEPPED);
        assert_int_equal(m.c.jump_ms, steps[i]);
        assert_int_equal(m.c.to_ms - m.c.from_ms, steps[i]);
        assert_int_equal(now(&m), wall(&m));
    }
}

static void follows_a_step_back_at_once_if_it_is_large(void **state)
{
    static const int64_t steps[] = { TIMELINE_SLEW_MS + 1, HOUR, DAY, YEAR };

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct machine m = synchronised();
        m.offset_ms -= steps[i];
        assert_int_equal(pass(&m, 1000), TIMELINE_STEPPED);
        assert_int_equal(m.c.jump_ms, -steps[i]);
        assert_int_equal(now(&m), wall(&m));
    }
}

static void a_repeated_second_is_slewed(void **state)
{
    struct machine m = synchronised();

    (void)state;
    int64_t before = now(&m);
    m.offset_ms -= 1000;
    assert_int_equal(pass(&m, 0), TIMELINE_STEPPED);
    assert_int_equal(m.c.jump_ms, 0);
    for (int ms = 0; ms < 2000; ms++) {
        int64_t t = timeline_at(&m.t, m.boot_ms + ms);
        assert_true(t >= before && t <= before + 1);
        before = t;
    }
    pass(&m, 2000);
    assert_int_equal(now(&m), wall(&m));
}

static void what_is_off_by_seconds_while_slewing_is_doubtful(void **state)
{
    struct machine m = synchronised();

    (void)state;
    m.offset_ms -= 8000;
    pass(&m, 1000);
    assert_true(timeline_is_doubtful(&m.t));
    pass(&m, 16000);
    assert_false(timeline_is_doubtful(&m.t));
}

static void a_step_forward_ends_a_slew(void **state)
{
    struct machine m = synchronised();

    (void)state;
    m.offset_ms -= 8000;
    pass(&m, 0);
    int64_t before = now(&m);
    m.offset_ms += 5000;
    pass(&m, 0);
    assert_int_equal(m.c.jump_ms, 0);
    assert_int_equal(now(&m), before);
    m.offset_ms += 5000;
    pass(&m, 0);
    assert_int_equal(m.c.jump_ms, 2000);
    assert_int_equal(now(&m), wall(&m));
}

static void goes_on_by_itself_when_the_clock_shows_nonsense(void **state)
{
    struct machine m = synchronised();

    (void)state;
    int64_t good = m.offset_ms;
    m.offset_ms = 0;
    m.is_synchronised = false;
    assert_int_equal(pass(&m, 1000), TIMELINE_REFUSED);
    assert_int_equal(now(&m), m.boot_ms + good);
    assert_int_equal(pass(&m, 1000), TIMELINE_SAME); /* told once */
    assert_int_equal(m.t.state, CLOCK_HOLDOVER);
    m.offset_ms = good;
    assert_int_equal(pass(&m, 1000), TIMELINE_SAME);
    assert_int_equal(now(&m), wall(&m));
}

static void a_step_that_nobody_confirms_is_doubtful_where_somebody_could(void **state)
{
    struct machine m = synchronised();

    (void)state;
    m.offset_ms += HOUR;
    m.is_synchronised = false;
    pass(&m, 1000);
    assert_true(timeline_is_doubtful(&m.t));
    m.is_synchronised = true;
    pass(&m, 1000);
    assert_false(timeline_is_doubtful(&m.t));
}

static void passes_the_ends_of_other_clocks(void **state)
{
    static const int64_t ends[] = { INT64_C(2085978496000), /* NTP, 2036 */
                                    INT64_C(2147483648000), /* 32 bits, 2038 */
                                    INT64_C(4294967296000) /* unsigned, 2106 */ };

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct machine m = { .boot_ms = 1000,
                             .offset_ms = ends[i] - 3000,
                             .is_synchronised = true };
        power_up(&m, BOOT, true, NULL);
        for (int s = 0; s < 5; s++) {
            assert_int_equal(pass(&m, 1000), TIMELINE_SAME);
            assert_int_equal(now(&m), wall(&m));
        }
    }
}

static void the_noise_of_two_readings_is_no_step(void **state)
{
    struct machine m = synchronised();

    (void)state;
    for (int i = 0; i < 1000; i++) {
        m.offset_ms = T0 + i % TIMELINE_STEP_MIN_MS;
        assert_int_equal(pass(&m, 1000), TIMELINE_SAME);
        assert_int_equal(m.c.jump_ms, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(believes_a_synchronised_clock_at_once),
        cmocka_unit_test(believes_a_plausible_clock_where_nobody_synchronises),
        cmocka_unit_test(waits_for_the_service_that_runs),
        cmocka_unit_test(waits_ten_minutes_for_more_than_a_plausible_time),
        cmocka_unit_test(does_not_believe_a_machine_without_a_clock),
        cmocka_unit_test(guesses_a_time_behind_the_log),
        cmocka_unit_test(a_time_older_than_the_log_is_not_plausible),
        cmocka_unit_test(remembers_that_the_clock_was_synchronised_once),
        cmocka_unit_test(goes_on_within_the_same_boot),
        cmocka_unit_test(finds_that_the_clock_went_back_while_it_was_off),
        cmocka_unit_test(follows_a_step_forward_at_once),
        cmocka_unit_test(follows_a_step_back_at_once_if_it_is_large),
        cmocka_unit_test(a_repeated_second_is_slewed),
        cmocka_unit_test(what_is_off_by_seconds_while_slewing_is_doubtful),
        cmocka_unit_test(a_step_forward_ends_a_slew),
        cmocka_unit_test(goes_on_by_itself_when_the_clock_shows_nonsense),
        cmocka_unit_test(a_step_that_nobody_confirms_is_doubtful_where_somebody_could),
        cmocka_unit_test(passes_the_ends_of_other_clocks),
        cmocka_unit_test(the_noise_of_two_readings_is_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
