/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks make of a series when they work together, and those without vectors. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rules/qc/options.h"
#include "rules/qc/qc.h"
#include "tests/unit/unit.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE };

#define T0 INT64_C(1795000000000)

struct bench {
    struct qc_config config;
    struct qc_state state;
    struct qc_input in;
    int64_t now_ms;
    void *memory;
};

static void begin(struct bench *b)
{
    b->memory = calloc(1, qc_memory(&b->config) + 1);
    qc_start(&b->config, &b->state, b->memory);
}

static void end(struct bench *b)
{
    free(b->memory);
}

/* Plausible from 0 to 100, nothing else; spikes from 5 on. */
static struct bench bench_of(void)
{
    return (struct bench){
        .config = { .interval_ms = MINUTE,
                    .range = { { 0, 100 }, QC_OPEN_SPAN },
                    .hold = { 3, 0, 0 },
                    .spike = { .suspect = 5 },
                    .depth = NAN },
        .now_ms = T0,
    };
}

static struct verdict put(struct bench *b, double x, struct verdict said)
{
    struct sample s = { .value = decimal_from_double(x), .verdict = said };

    b->now_ms += MINUTE;
    s.time_ms = b->now_ms;
    b->in.raw = s.value;
    qc_judge(&b->config, &b->state, &b->in, &s);
    return s.verdict;
}

static struct verdict feed(struct bench *b, double x)
{
    return put(b, x, (struct verdict){ 0 });
}

static void assert_verdict(struct verdict v, enum grade g, uint32_t reasons)
{
    assert_int_equal(v.grade, g);
    assert_int_equal(v.reasons, reasons);
}

static void a_spike_is_known_one_sample_later(void **state)
{
    struct bench b = bench_of();

    (void)state;
    feed(&b, 20);
    feed(&b, 21);
    assert_verdict(feed(&b, 60), GRADE_GOOD, 0);
    assert_false(b.state.now.is_final);
    assert_int_equal(b.state.now.flag[QC_TEST_SPIKE], QC_NOT_EVALUATED);
    assert_verdict(feed(&b, 22), GRADE_GOOD, 0);
    assert_true(b.state.is_revised && b.state.before.is_final);
    assert_verdict(b.state.before.sample.verdict, GRADE_SUSPECT, REASON_SPIKE);
    assert_int_equal(b.state.before.sample.time_ms, b.now_ms - MINUTE);
    feed(&b, 22);
    assert_false(b.state.is_revised);
    assert_int_equal(b.state.before.flag[QC_TEST_SPIKE], QC_GOOD);
}

static void the_beginning_of_an_event_is_no_spike(void **state)
{
    struct bench b = bench_of();

    (void)state;
    feed(&b, 20);
    feed(&b, 20);
    feed(&b, 60);
    feed(&b, 90);
    assert_false(b.state.is_revised);
    assert_verdict(b.state.before.sample.verdict, GRADE_GOOD, 0);
}

static void a_spike_is_never_bad(void **state)
{
    struct bench b = bench_of();

    (void)state;
    b.config.spike.fail = 10;
    feed(&b, 20);
    feed(&b, 20);
    feed(&b, 60);
    feed(&b, 20);
    assert_int_equal(b.state.before.flag[QC_TEST_SPIKE], QC_FAIL);
    assert_verdict(b.state.before.sample.verdict, GRADE_SUSPECT, REASON_SPIKE);
}

static void who_waits_for_the_next_sample_waits_through_a_late_one(void **state)
{
    struct bench b = bench_of();
    struct sample late = { .value = { 400, 0 } };

    (void)state;
    feed(&b, 20);
    feed(&b, 20);
    feed(&b, 60);
    late.time_ms = b.now_ms - MINUTE - 1;
    qc_step(&b.config, &b.state, late.value, &late);
    assert_verdict(late.verdict, GRADE_BAD, REASON_RANGE);
    feed(&b, 20);
    assert_true(b.state.is_revised);
    assert_verdict(b.state.before.sample.verdict, GRADE_SUSPECT, REASON_SPIKE);
}

static void a_bad_sample_accuses_no_neighbour(void **state)
{
    struct bench b = bench_of();

    (void)state;
    b.config.rate = (struct qc_rate){ .suspect = 1.0 / 60, .fail = NAN, .tick_ms = MINUTE };
    feed(&b, 20);
    feed(&b, 20);
    assert_verdict(feed(&b, 4000), GRADE_BAD, REASON_RANGE);
    assert_verdict(feed(&b, 20), GRADE_GOOD, 0);
    assert_int_equal(b.state.now.flag[QC_TEST_RATE], QC_GOOD);
    assert_verdict(b.state.before.sample.verdict, GRADE_BAD, REASON_RANGE);
    assert_verdict(feed(&b, 25), GRADE_SUSPECT, REASON_RATE);
}

static void nothing_is_compared_across_a_gap(void **state)
{
    struct bench b = bench_of();

    (void)state;
    b.config.rate = (struct qc_rate){ .suspect = 0.001, .fail = NAN, .tick_ms = 1 };
    feed(&b, 20);
    feed(&b, 20);
    b.now_ms += HOUR;
    assert_verdict(feed(&b, 80), GRADE_GOOD, 0);
    assert_false(b.state.is_revised);
    assert_int_equal(b.state.before.flag[QC_TEST_SPIKE], QC_NOT_EVALUATED);
}

static void a_step_within_the_tick_may_use_all_of_it(void **state)
{
    struct qc_rate c = { .suspect = 3.0 / 60, .fail = NAN, .tick_ms = MINUTE };
    struct qc_rate_state st = { 0 };

    (void)state;
    qc_rate_step(&c, &st, T0, 20);
    assert_int_equal(qc_rate_step(&c, &st, T0 + 1000, 23), QC_GOOD);
    assert_int_equal(qc_rate_step(&c, &st, T0 + 2000, 26.5), QC_SUSPECT);
    assert_int_equal(qc_rate_step(&c, &st, T0 + 2000 + 3 * MINUTE, 35), QC_GOOD);
}

static void a_small_share_of_the_value_is_no_jump(void **state)
{
    struct qc_rate c = { .suspect = 10.0 / 900, .fail = NAN, .share = 0.1, .tick_ms = 900000 };
    struct qc_rate_state st = { 0 };

    (void)state;
    qc_rate_step(&c, &st, T0, 1000);
    assert_int_equal(qc_rate_step(&c, &st, T0 + 900000, 1100), QC_GOOD);
    assert_int_equal(qc_rate_step(&c, &st, T0 + 1800000, 1300), QC_SUSPECT);
}

static void a_jump_beyond_what_the_last_hour_was_like_is_suspect(void **state)
{
    struct qc_rate c = {
        .suspect = NAN, .fail = NAN, .tick_ms = 1, .n_dev = 10, .dev_least = 20, .dev_ms = HOUR
    };
    struct qc_rate_state st = { 0 };
    int64_t t = T0;

    (void)state;
    assert_int_equal(qc_rate_step(&c, &st, t, 0), QC_GOOD);
    assert_int_equal(qc_rate_step(&c, &st, t += MINUTE, 500), QC_GOOD); /* nothing is known */
    qc_rate_restart(&st);
    for (int i = 0; i < 90; i++)
        assert_int_equal(qc_rate_step(&c, &st, t += MINUTE, 50 + i % 3), QC_GOOD);
    assert_int_equal(qc_rate_step(&c, &st, t += MINUTE, 69), QC_GOOD); /* below the least */
    qc_rate_step(&c, &st, t += MINUTE, 51);
    assert_int_equal(qc_rate_step(&c, &st, t += MINUTE, 200), QC_SUSPECT);
}

static void deviations_follow_the_values(void **state)
{
    struct qc_rate c = { .suspect = NAN, .fail = NAN, .n_dev = 10, .dev_ms = HOUR };
    struct qc_rate_state st = { 0 };

    (void)state;
    for (int i = 0; i < 2000; i++)
        qc_rate_step(&c, &st, T0 + (int64_t)i * MINUTE, 50 + (i % 2 ? 3 : -3));
    assert_true(fabs(st.mean - 50) < 0.2 && fabs(sqrt(st.variance) - 3) < 0.1);
}

static void warms_up_after_a_power_failure(void **state)
{
    struct bench b = bench_of();

    (void)state;
    b.config.hold.warmup_ms = 3 * MINUTE;
    feed(&b, 20);
    put(&b, NAN, (struct verdict){ STATUS_STOPPED, GRADE_MISSING, REASON_POWER });
    for (int i = 0; i < 3; i++)
        assert_verdict(feed(&b, 20), GRADE_BAD, REASON_WARMUP);
    assert_verdict(feed(&b, 20), GRADE_GOOD, 0);
}

static void settles_after_the_instrument_has_calibrated(void **state)
{
    struct bench b = bench_of();
    const struct verdict zero = { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO };

    (void)state;
    b.config.service.settle_ms = 2 * MINUTE;
    feed(&b, 20);
    assert_int_equal(put(&b, 0.1, zero).reasons, REASON_CAL_ZERO);
    const struct verdict settling = feed(&b, 18);
    assert_int_equal(settling.status, STATUS_CALIBRATION);
    assert_verdict(settling, GRADE_BAD, REASON_CAL_SETTLE);
    assert_verdict(feed(&b, 20), GRADE_GOOD, 0);
}

static void what_the_operator_says_counts(void **state)
{
    struct bench b = bench_of();

    (void)state;
    b.in.told = QC_MAINTENANCE;
    const struct verdict v = feed(&b, 20);
    assert_int_equal(v.status, STATUS_MAINTENANCE);
    assert_verdict(v, GRADE_BAD, REASON_MAINT);
    b.in.told = QC_MEASURING;
    assert_verdict(feed(&b, 20), GRADE_GOOD, 0);
}

static void recognises_a_calibration_nobody_told_of(void **state)
{
    struct bench b = bench_of();
    static const double series[] = {
        20, 21, 0.1, 0, 0.1, 40, 80.2, 80.1, 80, 80.1, 50, 22, 22
    };
    static const bool is_calibration[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0 };

    (void)state;
    b.config.service = (struct qc_service_options){ .standard = { 0, 80 },
                                                    .standards_n = 2,
                                                    .tolerance = 0.5,
                                                    .standard_samples = 3,
                                                    .settle_ms = 2 * MINUTE };
    assert_null(qc_config_error(&b.config));
    for (size_t i = 0; i < sizeof series / sizeof *series; i++)
        assert_int_equal(feed(&b, series[i]).status,
                         is_calibration[i] ? STATUS_CALIBRATION : STATUS_VALID);
}

static void a_calibration_that_does_not_end_is_told(void **state)
{
    struct bench b = bench_of();

    (void)state;
    b.config.service.most_ms = 2 * MINUTE;
    b.in.told = QC_CALIBRATION;
    for (int i = 0; i < 3; i++)
        feed(&b, 20);
    assert_false(b.state.service.is_overlong);
    feed(&b, 20);
    assert_true(b.state.service.is_overlong);
}

static void samples_of_the_future_are_bad(void **state)
{
    struct bench b = bench_of();

    (void)state;
    b.config.time = (struct qc_time){ .from_ms = T0, .ahead_ms = 5000 };
    b.in.now_ms = T0 + MINUTE - 5000;
    assert_verdict(feed(&b, 20), GRADE_GOOD, 0);
    assert_verdict(feed(&b, 20), GRADE_BAD, REASON_CLK_FUTURE);
    b.now_ms = T0 - HOUR;
    assert_verdict(feed(&b, 20), GRADE_BAD, REASON_CLK_FUTURE);
}

static void a_time_that_is_used_is_suspect(void **state)
{
    struct bench b = bench_of();

    (void)state;
    feed(&b, 20);
    b.now_ms -= MINUTE;
    assert_verdict(feed(&b, 20), GRADE_SUSPECT, REASON_CLK_DUP);
}

static void a_sentinel_is_no_value(void **state)
{
    struct bench b = bench_of();

    (void)state;
    b.config.sentinels = (struct qc_sentinels){ { -9999, 99 }, 2 };
    assert_verdict(feed(&b, 99), GRADE_MISSING, REASON_NO_VALUE);
    assert_int_equal(qc_judged_flag(&b.state.now), QC_MISSING);
    assert_verdict(feed(&b, 98), GRADE_GOOD, 0);
    assert_int_equal(qc_judged_flag(&b.state.now), QC_GOOD);
}

static void windows_need_their_memory(void **state)
{
    struct bench b = bench_of();

    (void)state;
    b.config.flat = (struct qc_flat){ 3, 5, 0.5 };
    for (int i = 0; i < 10; i++)
        assert_verdict(feed(&b, 20), GRADE_GOOD, 0);
    assert_int_equal(b.state.now.flag[QC_TEST_FLAT], QC_NONE);
    begin(&b);
    for (int i = 0; i < 3; i++)
        assert_verdict(feed(&b, 20 + i % 2 * 0.1), GRADE_GOOD, 0);
    assert_verdict(feed(&b, 20), GRADE_SUSPECT, REASON_FLAT);
    feed(&b, 20);
    assert_verdict(feed(&b, 20), GRADE_BAD, REASON_FLAT);
    end(&b);
}

static void a_signal_that_has_lost_its_noise_is_attenuated(void **state)
{
    struct bench b = bench_of();

    (void)state;
    b.config.spike.suspect = 0;
    b.config.attenuated = (struct qc_attenuated){
        .suspect = 0.5, .fail = 0.01, .period_ms = 10 * MINUTE, .min_n = 5
    };
    begin(&b);
    for (int i = 0; i < 30; i++)
        assert_verdict(feed(&b, 20 + i % 3), GRADE_GOOD, 0);
    struct verdict v = { 0 };
    for (int i = 0; i < 10; i++)
        v = feed(&b, 20 + i % 2 * 0.1);
    assert_verdict(v, GRADE_SUSPECT, REASON_ATTENUATED);
    for (int i = 0; i < 10; i++)
        v = feed(&b, 20);
    assert_verdict(v, GRADE_BAD, REASON_ATTENUATED);
    end(&b);
}

static int find_pm10(void *user, const char *quantity)
{
    (void)user;
    return strcmp(quantity, "pm10") == 0 ? 1 : -1;
}

static void fine_particles_are_part_of_the_coarse_ones(void **state)
{
    struct bench b = bench_of();
    struct qc_relation relations[QC_RELATIONS_MAX];
    double peers[] = { NAN, 40 };

    (void)state;
    b.config.relations_n =
        qc_default_relations(quantity_find("pm2_5"), find_pm10, NULL, relations);
    assert_int_equal(b.config.relations_n, 1);
    b.config.relations = relations;
    b.in.peers = peers;
    b.in.peers_n = 2;
    assert_verdict(feed(&b, 44), GRADE_GOOD, 0);
    assert_verdict(feed(&b, 60), GRADE_SUSPECT, REASON_MULTI);
    peers[1] = NAN;
    assert_verdict(feed(&b, 60), GRADE_GOOD, 0);
}

static void nox_is_what_its_parts_are(void **state)
{
    const struct qc_relation c = { .kind = QC_SUM_OF, .factor = 1.5332, .limit = 2 };

    (void)state;
    assert_int_equal(qc_relation_check(&c, 46, 10, 30), QC_GOOD);
    assert_int_equal(qc_relation_check(&c, 60, 10, 30), QC_SUSPECT);
    assert_int_equal(qc_relation_check(&c, 30, 10, 30), QC_SUSPECT);
    assert_int_equal(qc_relation_check(&c, 30, NAN, 30), QC_NOT_EVALUATED);
}

static void a_dead_reference_vetoes_nothing(void **state)
{
    const struct qc_reference twin = { QC_TWIN, { 0 }, 1, 1, 5, 0.1 };
    const struct qc_reference around = { QC_NEIGHBOURS, { 0, 1, 2 }, 3, 2, 10, 0 };
    const struct qc_reference wind = { QC_WHILE_ABOVE, { 0 }, 1, 1, 5, 0 };

    (void)state;
    assert_int_equal(qc_reference_check(&twin, 50, &(double){ 60 }), QC_GOOD);
    assert_int_equal(qc_reference_check(&twin, 50, &(double){ 70 }), QC_SUSPECT);
    assert_int_equal(qc_reference_check(&twin, 50, &(double){ NAN }), QC_NOT_EVALUATED);
    assert_int_equal(qc_reference_check(&around, 50, (double[]){ 500, 55, 45 }), QC_GOOD);
    assert_int_equal(qc_reference_check(&around, 70, (double[]){ 500, 55, 45 }), QC_SUSPECT);
    assert_int_equal(qc_reference_check(&around, 70, (double[]){ NAN, 55, NAN }),
                     QC_NOT_EVALUATED);
    assert_int_equal(qc_reference_check(&wind, 60, &(double){ 5 }), QC_GOOD);
    assert_int_equal(qc_reference_check(&wind, 60, &(double){ 5.1 }), QC_SUSPECT);
}

static void calendars_hold_at_their_turns(void **state)
{
    static const struct {
        int64_t s;
        enum qc_calendar calendar;
        int value;
    } turns[] = {
        { 1609459199, QC_DAY_OF_YEAR, 366 },
        { 1609459200, QC_DAY_OF_YEAR, 1 },
        { 1609459200, QC_WEEK, 53 },
        { 1609718400, QC_WEEK, 1 },
        { 1577664000, QC_WEEK, 1 },
        { 1582934400, QC_DAY, 29 },
        { 1583020800, QC_MONTH, 3 },
        { 1585699199, QC_QUARTER, 1 },
        { 1609459200, QC_DAY_OF_WEEK, 4 },
        { 1609718400, QC_DAY_OF_WEEK, 0 },
        { -1, QC_YEAR, 1969 },
        { -1, QC_HOUR, 23 },
        { 4107542400, QC_DAY_OF_YEAR, 60 }, /* 2100 has no leap day: March 1 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++)
        assert_int_equal(qc_calendar_of(turns[i].calendar, turns[i].s * 1000), turns[i].value);
}

static void the_last_season_that_fits_decides(void **state)
{
    static const struct qc_season seasons[] = {
        { QC_MONTH, { 1, 12 }, { -20, 40 }, { -40, 50 }, { NAN, NAN } },
        { QC_MONTH, { 6, 8 }, { 5, 40 }, { 0, 50 }, { NAN, NAN } },
    };
    const int64_t january = 1767225600000, july = 1783000000000;

    (void)state;
    assert_int_equal(qc_climate_check(seasons, 2, january, -10, NAN), QC_GOOD);
    assert_int_equal(qc_climate_check(seasons, 2, july, -10, NAN), QC_FAIL);
    assert_int_equal(qc_climate_check(seasons, 2, july, 3, NAN), QC_SUSPECT);
    assert_int_equal(qc_climate_check(seasons + 1, 1, january, 3, NAN), QC_NOT_EVALUATED);
}

static void an_instant_shift_of_the_clock_is_no_gap_and_no_jump(void **state)
{
    struct bench b = bench_of();

    (void)state;
    b.config.rate = (struct qc_rate){ .suspect = 0.02, .fail = NAN, .tick_ms = 1 };
    feed(&b, 20);
    feed(&b, 20);
    qc_shift(&b.state, HOUR);
    b.now_ms += HOUR;
    assert_verdict(feed(&b, 22), GRADE_SUSPECT, REASON_RATE);
}

static struct qc_options no_options(void)
{
    return (struct qc_options){
        .spike = { 0, NAN, NAN },
        .rate = { MINUTE, NAN, NAN, NAN, HOUR },
        .flat = { 0, 0, NAN },
        .attenuated = { 0, -1, NAN, NAN, 3 },
        .settle_ms = -1,
        .warmup_ms = -1,
    };
}

static void what_is_not_given_stays_the_default(void **state)
{
    const struct qc_config dflt = qc_default(quantity_find("air_temp"), MINUTE);
    const struct qc_options o = no_options();
    struct qc_config c = dflt;

    (void)state;
    qc_configure(&o, &c);
    assert_true(c.spike.suspect == dflt.spike.suspect && c.rate.suspect == dflt.rate.suspect);
    assert_true(c.rate.tick_ms == dflt.rate.tick_ms && c.flat.tolerance == 0);
    assert_int_equal(qc_memory(&c), 0);
    assert_null(qc_config_error(&c));
}

static void options_replace_the_default(void **state)
{
    struct qc_config c = qc_default(quantity_find("ozone"), MINUTE);
    struct qc_options o = no_options();

    (void)state;
    o.rate.suspect = 30;
    o.spike.suspect = 0;
    o.flat = (struct qc_flat_conf){ HOUR, 3 * HOUR, 0.5 };
    qc_configure(&o, &c);
    assert_true(c.rate.suspect == 0.5 && c.rate.n_dev == 0 && c.spike.suspect == 0);
    assert_int_equal(c.flat.suspect, 60);
    assert_int_equal(c.flat.fail, 180);
    assert_true(qc_memory(&c) > 0);
    assert_null(qc_config_error(&c));
}

static void refuses_checks_that_cannot_work(void **state)
{
    const struct qc_config good = qc_default(quantity_find("ozone"), 1000);
    struct qc_config c = good;

    (void)state;
    c.rate = (struct qc_rate){ .suspect = 2, .fail = 1 };
    assert_non_null(qc_config_error(&c));
    c = good;
    c.spike = (struct qc_spike){ QC_SPIKE_AVERAGE, 10, 5 };
    assert_non_null(qc_config_error(&c));
    c = good;
    c.flat = (struct qc_flat){ 86400, 86400 * 2, 0.5 };
    assert_non_null(qc_config_error(&c));
    c = good;
    c.attenuated = (struct qc_attenuated){ .suspect = 1, .fail = 2, .period_ms = HOUR };
    assert_non_null(qc_config_error(&c));
    c = good;
    c.service = (struct qc_service_options){ .standards_n = 1, .standard_samples = 3 };
    assert_non_null(qc_config_error(&c));
    const struct qc_reference nobody = { .kind = QC_TWIN, .limit = 5 };
    c = good;
    c.references = &nobody;
    c.references_n = 1;
    assert_non_null(qc_config_error(&c));
}

static void the_default_chain_needs_little_memory(void **state)
{
    (void)state;
    assert_true(sizeof(struct qc_state) <= 1024);
    for (size_t i = 0; i < quantities_n; i++) {
        const struct qc_config c = qc_default(&quantities[i], 1000);
        assert_int_equal(qc_memory(&c), 0);
    }
}

/* Against the definition, over windows that wrap, empty and refill. */
static void windows_agree_with_a_plain_computation(void **state)
{
    static double memory[64 * 3];
    static double x[2000];
    struct qc_window w;
    uint32_t seed = 7;

    (void)state;
    qc_window_init(&w, memory, 50);
    for (int i = 0; i < 2000; i++) {
        seed = seed * 1664525 + 1013904223;
        x[i] = (i / 300 % 2 ? 1e6 : 0) + (seed >> 28);
        qc_window_put(&w, i, x[i]);
        qc_window_drop(&w, i - (int)(seed >> 8) % 60);
        double low = x[i], high = x[i], mean = 0, sum2 = 0;
        const int from = i + 1 - (int)w.n;
        for (int k = from; k <= i; k++) {
            low = fmin(low, x[k]);
            high = fmax(high, x[k]);
            mean += x[k] / w.n;
        }
        for (int k = from; k <= i; k++)
            sum2 += (x[k] - mean) * (x[k] - mean);
        assert_true(qc_window_range(&w) == high - low);
        assert_true(fabs(qc_window_deviation_exact(&w) - sqrt(sum2 / w.n)) < 1e-6);
        assert_true(fabs(qc_window_deviation(&w) - sqrt(sum2 / w.n)) < 1e-2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spike_is_known_one_sample_later),
        cmocka_unit_test(the_beginning_of_an_event_is_no_spike),
        cmocka_unit_test(a_spike_is_never_bad),
        cmocka_unit_test(who_waits_for_the_next_sample_waits_through_a_late_one),
        cmocka_unit_test(a_bad_sample_accuses_no_neighbour),
        cmocka_unit_test(nothing_is_compared_across_a_gap),
        cmocka_unit_test(a_step_within_the_tick_may_use_all_of_it),
        cmocka_unit_test(a_small_share_of_the_value_is_no_jump),
        cmocka_unit_test(a_jump_beyond_what_the_last_hour_was_like_is_suspect),
        cmocka_unit_test(deviations_follow_the_values),
        cmocka_unit_test(warms_up_after_a_power_failure),
        cmocka_unit_test(settles_after_the_instrument_has_calibrated),
        cmocka_unit_test(what_the_operator_says_counts),
        cmocka_unit_test(recognises_a_calibration_nobody_told_of),
        cmocka_unit_test(a_calibration_that_does_not_end_is_told),
        cmocka_unit_test(samples_of_the_future_are_bad),
        cmocka_unit_test(a_time_that_is_used_is_suspect),
        cmocka_unit_test(a_sentinel_is_no_value),
        cmocka_unit_test(windows_need_their_memory),
        cmocka_unit_test(a_signal_that_has_lost_its_noise_is_attenuated),
        cmocka_unit_test(fine_particles_are_part_of_the_coarse_ones),
        cmocka_unit_test(nox_is_what_its_parts_are),
        cmocka_unit_test(a_dead_reference_vetoes_nothing),
        cmocka_unit_test(calendars_hold_at_their_turns),
        cmocka_unit_test(the_last_season_that_fits_decides),
        cmocka_unit_test(an_instant_shift_of_the_clock_is_no_gap_and_no_jump),
        cmocka_unit_test(what_is_not_given_stays_the_default),
        cmocka_unit_test(options_replace_the_default),
        cmocka_unit_test(refuses_checks_that_cannot_work),
        cmocka_unit_test(the_default_chain_needs_little_memory),
        cmocka_unit_test(windows_agree_with_a_plain_computation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
