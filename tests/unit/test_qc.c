/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "rules/qc/qc.h"
#include "tests/unit/unit.h"

enum { MINUTE = 60000 };

#define T0 INT64_C(1795000000000)

struct bench {
    struct qc_config config;
    struct qc_state state;
    int64_t now_ms;
};

/* Range 0..100, usual 10..90, stuck after 4, gap after 3 intervals of a minute, 2 held. */
static struct bench bench_of(void)
{
    return (struct bench){
        .config = { .interval_ms = MINUTE,
                    .range = { .fail = { 0, 100 }, .suspect = { 10, 90 } },
                    .hold = { .gap_intervals = 3, .gap_samples = 2 },
                    .stuck = { .n = 4, .exempt = QC_OPEN_SPAN } },
        .now_ms = T0,
    };
}

static struct sample put(struct bench *b, struct decimal raw, struct decimal value)
{
    struct sample s = { .time_ms = b->now_ms, .value = value };

    qc_step(&b->config, &b->state, raw, &s);
    return s;
}

static struct sample feed(struct bench *b, double x)
{
    const struct decimal d = decimal_from_double(x);

    b->now_ms += MINUTE;
    return put(b, d, d);
}

/* Past the hold-off of the start. */
static struct bench settled_bench(void)
{
    struct bench b = bench_of();

    feed(&b, 40);
    feed(&b, 41);
    return b;
}

static void assert_verdict(struct sample s, enum grade g, uint32_t reasons)
{
    assert_int_equal(s.verdict.grade, g);
    assert_int_equal(s.verdict.reasons, reasons);
}

static void bounds_themselves_pass(void **state)
{
    struct bench b = settled_bench();

    (void)state;
    assert_verdict(feed(&b, 10), GRADE_GOOD, 0);
    assert_verdict(feed(&b, 90), GRADE_GOOD, 0);
    assert_verdict(feed(&b, 90.001), GRADE_SUSPECT, REASON_RANGE_SUSPECT);
    assert_verdict(feed(&b, 9.999), GRADE_SUSPECT, REASON_RANGE_SUSPECT);
    assert_verdict(feed(&b, 100), GRADE_SUSPECT, REASON_RANGE_SUSPECT);
    assert_verdict(feed(&b, 100.001), GRADE_BAD, REASON_RANGE);
    assert_verdict(feed(&b, -0.001), GRADE_BAD, REASON_RANGE);
}

static void a_span_that_is_not_set_never_fails(void **state)
{
    struct bench b = settled_bench();

    (void)state;
    b.config.range.fail.max = b.config.range.suspect.min = b.config.range.suspect.max = NAN;
    assert_verdict(feed(&b, 1e9), GRADE_GOOD, 0);
    assert_verdict(feed(&b, -1), GRADE_BAD, REASON_RANGE);
}

static void the_value_is_kept_however_bad(void **state)
{
    struct bench b = settled_bench();
    const struct sample s = feed(&b, 4000);

    (void)state;
    assert_int_equal(s.value.v, 4000);
}

static void no_number_is_missing(void **state)
{
    struct bench b = settled_bench();
    const struct decimal raw = { 1, 0 };

    (void)state;
    assert_verdict(put(&b, raw, DECIMAL_MISSING), GRADE_MISSING, REASON_NO_VALUE);
    assert_verdict(put(&b, raw, decimal_from_double(INFINITY)), GRADE_MISSING, REASON_NO_VALUE);
    const struct sample nan =
        put(&b, raw, (struct decimal){ INT64_C(0x7FF8000000000000), DECIMAL_DOUBLE });
    assert_verdict(nan, GRADE_MISSING, REASON_NO_VALUE);
    assert_false(decimal_has_value(nan.value));
}

static void a_known_cause_of_a_missing_value_stays_the_only_one(void **state)
{
    struct bench b = settled_bench();
    struct sample s = { .time_ms = b.now_ms + MINUTE,
                        .value = DECIMAL_MISSING,
                        .verdict = { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM } };

    (void)state;
    qc_step(&b.config, &b.state, DECIMAL_MISSING, &s);
    assert_verdict(s, GRADE_MISSING, REASON_COMM);
}

static void the_first_samples_are_never_silently_good(void **state)
{
    struct bench b = bench_of();

    (void)state;
    assert_verdict(feed(&b, 40), GRADE_NOT_EVALUATED, REASON_AFTER_GAP);
    assert_verdict(feed(&b, 41), GRADE_NOT_EVALUATED, REASON_AFTER_GAP);
    assert_verdict(feed(&b, 42), GRADE_GOOD, 0);
}

static void a_gap_is_longer_than_its_intervals(void **state)
{
    struct bench b = settled_bench();

    (void)state;
    b.now_ms += 2 * MINUTE;
    assert_verdict(feed(&b, 42), GRADE_GOOD, 0);
    b.now_ms += 2 * MINUTE + 1;
    assert_verdict(feed(&b, 43), GRADE_NOT_EVALUATED, REASON_AFTER_GAP);
    assert_verdict(feed(&b, 44), GRADE_NOT_EVALUATED, REASON_AFTER_GAP);
    assert_verdict(feed(&b, 45), GRADE_GOOD, 0);
}

static void samples_without_value_are_a_gap(void **state)
{
    struct bench b = settled_bench();

    (void)state;
    for (int i = 0; i < 5; i++) {
        b.now_ms += MINUTE;
        put(&b, DECIMAL_MISSING, DECIMAL_MISSING);
    }
    assert_verdict(feed(&b, 42), GRADE_NOT_EVALUATED, REASON_AFTER_GAP);
}

static void a_held_sample_can_still_be_bad(void **state)
{
    struct bench b = bench_of();

    (void)state;
    assert_verdict(feed(&b, 400), GRADE_BAD, REASON_RANGE | REASON_AFTER_GAP);
}

static void n_equal_raw_values_are_stuck(void **state)
{
    struct bench b = settled_bench();

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_verdict(feed(&b, 50), GRADE_GOOD, 0);
    assert_verdict(feed(&b, 50), GRADE_BAD, REASON_STUCK);
    assert_verdict(feed(&b, 50), GRADE_BAD, REASON_STUCK);
    assert_verdict(feed(&b, 51), GRADE_GOOD, 0);
    assert_verdict(feed(&b, 50), GRADE_GOOD, 0);
}

static void stuck_compares_what_was_read_not_what_was_made_of_it(void **state)
{
    struct bench b = settled_bench();

    (void)state;
    for (int i = 0; i < 10; i++) {
        b.now_ms += MINUTE;
        assert_verdict(put(&b, (struct decimal){ i, 0 }, (struct decimal){ 50, 0 }), GRADE_GOOD,
                       0);
    }
    for (int i = 0; i < 4; i++) {
        b.now_ms += MINUTE;
        assert_int_equal(
            put(&b, (struct decimal){ 7, 0 }, (struct decimal){ 50 + i, 0 }).verdict.reasons,
            i < 3 ? 0 : REASON_STUCK);
    }
}

static void exempt_values_may_repeat_for_ever(void **state)
{
    struct bench b = settled_bench();

    (void)state;
    b.config.range.suspect.min = b.config.stuck.exempt.min = 0;
    b.config.stuck.exempt.max = 0.5;
    for (int i = 0; i < 100; i++)
        assert_verdict(feed(&b, 0.5), GRADE_GOOD, 0);
    for (int i = 0; i < 3; i++)
        assert_verdict(feed(&b, 0.6), GRADE_GOOD, 0);
    assert_verdict(feed(&b, 0.6), GRADE_BAD, REASON_STUCK);
}

static void a_gap_starts_the_count_of_equal_values_anew(void **state)
{
    struct bench b = settled_bench();

    (void)state;
    for (int i = 0; i < 3; i++)
        feed(&b, 50);
    b.now_ms += 10 * MINUTE;
    assert_verdict(feed(&b, 50), GRADE_NOT_EVALUATED, REASON_AFTER_GAP);
}

static void zero_turns_a_check_off(void **state)
{
    struct bench b = bench_of();

    (void)state;
    b.config.stuck.n = 0;
    b.config.hold.gap_intervals = 0;
    for (int i = 0; i < 1000; i++)
        assert_verdict(feed(&b, 50), GRADE_GOOD, 0);
}

static void a_late_sample_meets_the_range_alone(void **state)
{
    struct bench b = settled_bench();
    const struct qc_state before = b.state;

    (void)state;
    b.now_ms -= MINUTE;
    assert_verdict(put(&b, (struct decimal){ 400, 0 }, (struct decimal){ 400, 0 }), GRADE_BAD,
                   REASON_RANGE);
    assert_memory_equal(&before.hold, &b.state.hold, sizeof before.hold);
    assert_memory_equal(&before.stuck, &b.state.stuck, sizeof before.stuck);
}

static void a_clock_put_back_starts_afresh(void **state)
{
    struct bench b = settled_bench();

    (void)state;
    b.now_ms -= INT64_C(365) * 24 * 60 * MINUTE;
    assert_verdict(feed(&b, 42), GRADE_NOT_EVALUATED, REASON_AFTER_GAP);
    assert_verdict(feed(&b, 43), GRADE_NOT_EVALUATED, REASON_AFTER_GAP);
    assert_verdict(feed(&b, 44), GRADE_GOOD, 0);
}

static void never_improves_what_the_instrument_said(void **state)
{
    struct bench b = settled_bench();
    struct sample s = { .time_ms = b.now_ms + MINUTE,
                        .value = { 50, 0 },
                        .verdict = { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO } };

    (void)state;
    qc_step(&b.config, &b.state, s.value, &s);
    assert_int_equal(s.verdict.status, STATUS_CALIBRATION);
    assert_verdict(s, GRADE_BAD, REASON_CAL_ZERO);
}

static void every_quantity_has_sane_defaults(void **state)
{
    static const int64_t intervals[] = { 100, 1000, 5000, 60000, 900000, 3600000 };

    (void)state;
    for (size_t i = 0; i < quantities_n; i++)
        for (size_t k = 0; k < sizeof intervals / sizeof *intervals; k++) {
            const struct qc_config c = qc_default(&quantities[i], intervals[k]);
            assert_null(qc_config_error(&c));
            assert_true(c.range.fail.min == quantities[i].range_min);
            assert_int_equal(c.interval_ms, intervals[k]);
            assert_true(c.stuck.n == 0 || c.stuck.n >= 6);
            assert_true(c.hold.gap_intervals >= 2);
        }
}

static void defaults_follow_the_starting_values(void **state)
{
    static const struct {
        const char *quantity;
        int64_t interval_ms;
        unsigned stuck, gap, hold;
    } table[] = {
        /* facts: quality control, section 5 */
        { "ozone", 60000, 30, 3, 2 },
        { "pm2_5", 60000, 10, 3, 2 },
        { "ph", 900000, 12, 2, 1 },
        { "turbidity", 900000, 24, 2, 1 },
        { "count_rate", 60000, 10, 3, 3 },
        { "sound_level", 1000, 10, 5, 5 },
        { "air_temp", 60000, 60, 3, 2 },
        /* polled faster: as long; slower: as many */
        { "ozone", 10000, 180, 3, 2 },
        { "ph", 10000, 1080, 2, 1 },
        { "air_temp", 600000, 60, 3, 2 },
        { "sound_level", 60000, 10, 5, 1 },
        /* what may rest */
        { "door", 1000, 0, 3, 0 },
        { "precip", 60000, 0, 3, 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct qc_config c =
            qc_default(quantity_find(table[i].quantity), table[i].interval_ms);
        assert_int_equal(c.stuck.n, table[i].stuck);
        assert_int_equal(c.hold.gap_intervals, table[i].gap);
        assert_int_equal(c.hold.gap_samples, table[i].hold);
    }
    assert_true(isnan(qc_default(quantity_find("precip"), 60000).range.fail.max));
    assert_true(qc_default(quantity_find("wind_speed"), 60000).stuck.exempt.max == 0.5);
}

static void refuses_spans_that_do_not_lie_inside_each_other(void **state)
{
    struct qc_config c = bench_of().config;

    (void)state;
    assert_null(qc_config_error(&c));
    c.range.suspect.max = 101;
    assert_non_null(qc_config_error(&c));
    c = bench_of().config;
    c.range.suspect.min = -1;
    assert_non_null(qc_config_error(&c));
    c = bench_of().config;
    c.range.fail.min = 200;
    assert_non_null(qc_config_error(&c));
    c = bench_of().config;
    c.range.suspect.min = 95;
    assert_non_null(qc_config_error(&c));
    c = bench_of().config;
    c.stuck.n = 1;
    assert_non_null(qc_config_error(&c));
    c = bench_of().config;
    c.range.suspect.min = c.range.suspect.max = NAN;
    assert_null(qc_config_error(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_themselves_pass),
        cmocka_unit_test(a_span_that_is_not_set_never_fails),
        cmocka_unit_test(the_value_is_kept_however_bad),
        cmocka_unit_test(no_number_is_missing),
        cmocka_unit_test(a_known_cause_of_a_missing_value_stays_the_only_one),
        cmocka_unit_test(the_first_samples_are_never_silently_good),
        cmocka_unit_test(a_gap_is_longer_than_its_intervals),
        cmocka_unit_test(samples_without_value_are_a_gap),
        cmocka_unit_test(a_held_sample_can_still_be_bad),
        cmocka_unit_test(n_equal_raw_values_are_stuck),
        cmocka_unit_test(stuck_compares_what_was_read_not_what_was_made_of_it),
        cmocka_unit_test(exempt_values_may_repeat_for_ever),
        cmocka_unit_test(a_gap_starts_the_count_of_equal_values_anew),
        cmocka_unit_test(zero_turns_a_check_off),
        cmocka_unit_test(a_late_sample_meets_the_range_alone),
        cmocka_unit_test(a_clock_put_back_starts_afresh),
        cmocka_unit_test(never_improves_what_the_instrument_said),
        cmocka_unit_test(every_quantity_has_sane_defaults),
        cmocka_unit_test(defaults_follow_the_starting_values),
        cmocka_unit_test(refuses_spans_that_do_not_lie_inside_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
