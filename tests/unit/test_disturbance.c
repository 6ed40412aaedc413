/* SPDX-License-Identifier: Apache-2.0 */
/* What simulated instruments measure wrong on purpose. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "gateway/sim/instrument.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static const int64_t DAY0 = INT64_C(1774828800000); /* 2026-03-30T00:00:00Z */

static struct disturbance parsed(const char *text)
{
    struct disturbance d;
    char why[300] = "";

    if (disturbance_parse(text, &d, why, sizeof why) < 0)
        fail_msg("%s", why);
    return d;
}

/* ---- text ---- */

static void reads_what_people_write(void **state)
{
    (void)state;
    struct disturbance d = parsed("roof-pm/pm2_5=spike:-400.5@2min+5s/3min");

    assert_string_equal(d.target, "roof-pm/pm2_5");
    assert_int_equal(d.kind, DISTURB_SPIKE);
    assert_true(d.size == -400.5);
    assert_int_equal(d.times.start_ms, 2 * MINUTE);
    assert_int_equal(d.times.length_ms, 5 * SECOND);
    assert_int_equal(d.times.every_ms, 3 * MINUTE);
    d = parsed("ozone=stuck@0s+1h");
    assert_int_equal(d.kind, DISTURB_STUCK);
    assert_int_equal(d.times.every_ms, 0);
    assert_int_equal(parsed("ph=dropout@1min+1min").kind, DISTURB_DROPOUT);
    assert_true(parsed("ph=show:1e4@1min+1min").size == 1e4);
}

static void says_in_which_column_it_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } all[] = {
        { "", "column 1: expected a quantity" },
        { "ozone", "column 1: expected a quantity" },
        { "=step:1@0s+1s", "column 1: expected a quantity" },
        { "ozone=leap:3@0s+1s", "column 7: expected drift, step" },
        { "ozone=", "column 7: expected drift, step" },
        { "ozone=step@0s+1s", "column 11: expected : and a size" },
        { "ozone=step:@0s+1s", "column 12: expected a size" },
        { "ozone=step:nan@0s+1s", "column 12: expected a size" },
        { "ozone=step:1e999@0s+1s", "column 12: expected a size" },
        { "ozone=stuck:3@0s+1s", "column 12: stuck and dropout have no size" },
        { "ozone=step:3", "column 13: expected @START+LENGTH" },
        { "ozone=step:3@", "column 14: expected START+LENGTH" },
        { "ozone=step:3@1min", "column 18: expected START+LENGTH" },
        { "ozone=step:3@1min+0s", "column 19: expected START+LENGTH" },
        { "ozone=step:3@1min+5s/5s", "column 22: expected START+LENGTH" },
        { "ozone=step:3@1min+5s/3min!", "column 26: expected nothing more" },
    };
    char why[300];

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct disturbance d = { .size = 42 };
        if (disturbance_parse(all[i].text, &d, why, sizeof why) != -EINVAL)
            fail_msg("'%s' was taken", all[i].text);
        if (!strstr(why, all[i].says))
            fail_msg("'%s' is told by: %s", all[i].text, why);
        assert_true(d.size == 42);
    }
}

static void refuses_a_name_that_is_too_long(void **state)
{
    (void)state;
    char text[200], why[400];
    struct disturbance d;

    memset(text, 'a', sizeof text);
    memcpy(text + SIGNAL_TARGET_MAX, "=stuck@0s+1s", 13);
    assert_int_equal(disturbance_parse(text, &d, why, sizeof why), -EINVAL);
    assert_non_null(strstr(why, "too long"));
    memcpy(text + SIGNAL_TARGET_MAX - 1, "=stuck@0s+1s", 13);
    assert_int_equal(disturbance_parse(text, &d, why, sizeof why), 0);
}

/* ---- values ---- */

/* What becomes of 50 after so many milliseconds, on an instrument from 0 to 100. */
static double shown(const char *text, int64_t after_ms)
{
    struct disturbance one = parsed(text);
    struct disturbed d = { .items = &one, .n = 1, .origin_ms = DAY0, .seed = 7 };

    return disturbed_value(&d, 50, 0, 100, disturbed_instant(&d, DAY0 + after_ms));
}

static void drifts_evenly_to_its_size(void **state)
{
    (void)state;
    static const char text[] = "ozone=drift:30@1min+1h/2h";

    assert_true(shown(text, MINUTE - 1) == 50);
    assert_true(shown(text, MINUTE) == 50);
    assert_true(fabs(shown(text, MINUTE + HOUR / 2) - 65) < 1e-9);
    assert_true(fabs(shown(text, MINUTE + HOUR - SECOND) - 80) < 0.02);
    assert_true(shown(text, MINUTE + HOUR) == 50);
    assert_true(fabs(shown(text, MINUTE + 2 * HOUR + HOUR / 2) - 65) < 1e-9);
}

static void is_off_between_its_two_times(void **state)
{
    (void)state;
    assert_true(shown("ozone=step:-20@1min+1min", MINUTE - 1) == 50);
    assert_true(shown("ozone=step:-20@1min+1min", MINUTE) == 30);
    assert_true(shown("ozone=step:-20@1min+1min", 2 * MINUTE - 1) == 30);
    assert_true(shown("ozone=step:-20@1min+1min", 2 * MINUTE) == 50);
    assert_true(shown("ozone=step:-20@1min+1min", 2 * HOUR) == 50);
}

static void spikes_go_up_and_down_in_turn(void **state)
{
    (void)state;
    static const char text[] = "ozone=spike:20@10s+5s/1min";

    assert_true(shown(text, 12 * SECOND) == 70);
    assert_true(shown(text, 15 * SECOND) == 50);
    assert_true(shown(text, MINUTE + 12 * SECOND) == 30);
    assert_true(shown(text, 2 * MINUTE + 12 * SECOND) == 70);
}

static void shows_no_more_than_it_can_but_what_it_is_told(void **state)
{
    (void)state;
    assert_true(shown("ozone=step:80@0s+1min", 0) == 100);
    assert_true(shown("ozone=step:-80@0s+1min", 0) == 0);
    assert_true(shown("ozone=show:9999@0s+1min", 0) == 9999);
    assert_true(isnan(shown("ozone=dropout@0s+1min", 0)));
    assert_true(shown("ozone=dropout@0s+1min", MINUTE) == 50);
}

static void scatters_by_its_deviation(void **state)
{
    (void)state;
    enum { N = 3000 };
    double sum = 0, squares = 0;

    for (int i = 0; i < N; i++) {
        double x = shown("ozone=noise:5@0s+1h", i * SECOND) - 50;
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / N) < 0.3);
    assert_true(fabs(sqrt(squares / N) - 5) < 0.3);
    assert_true(shown("ozone=noise:5@0s+1h", SECOND) == shown("ozone=noise:5@0s+1h", SECOND));
}

static void stands_still_as_it_was_at_the_beginning(void **state)
{
    (void)state;
    struct disturbance all[] = { parsed("ozone=stuck@1min+1h"),
                                 parsed("ozone=drift:60@0s+1h") };
    struct disturbed d = { .items = all, .n = 2, .origin_ms = DAY0 };

    assert_int_equal(disturbed_instant(&d, DAY0 + MINUTE - 1), DAY0 + MINUTE - 1);
    assert_int_equal(disturbed_instant(&d, DAY0 + 30 * MINUTE), DAY0 + MINUTE);
    assert_int_equal(disturbed_instant(&d, DAY0 + HOUR + MINUTE), DAY0 + HOUR + MINUTE);
    int64_t instant = disturbed_instant(&d, DAY0 + 30 * MINUTE);
    assert_true(fabs(disturbed_value(&d, 50, NAN, NAN, instant) - 51) < 1e-9);
}

static void strikes_in_the_order_given(void **state)
{
    (void)state;
    struct disturbance all[] = { parsed("ozone=show:10@0s+1h"), parsed("ozone=step:5@0s+1h") };
    struct disturbed d = { .items = all, .n = 2, .origin_ms = DAY0 };

    assert_true(disturbed_value(&d, 50, NAN, NAN, DAY0) == 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_people_write),
        cmocka_unit_test(says_in_which_column_it_is_wrong),
        cmocka_unit_test(refuses_a_name_that_is_too_long),
        cmocka_unit_test(drifts_evenly_to_its_size),
        cmocka_unit_test(is_off_between_its_two_times),
        cmocka_unit_test(spikes_go_up_and_down_in_turn),
        cmocka_unit_test(shows_no_more_than_it_can_but_what_it_is_told),
        cmocka_unit_test(scatters_by_its_deviation),
        cmocka_unit_test(stands_still_as_it_was_at_the_beginning),
        cmocka_unit_test(strikes_in_the_order_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
