/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of checks on the live path, in virtual time, on a real log: final flags, whatever
 * comes between two samples. */
#include <errno.h>

#include "pipeline_rig.h"

enum { SAMPLES = 300, PERIOD = 1000 };

/* Only what the test is about; `f` is started anew. */
static struct fixture *with(void **state, void (*set)(struct fixture *f))
{
    struct fixture *f = *state;

    stop(f);
    for (int i = 0; i < 2; i++) {
        struct qc_config *c = &f->treatment[i].qc;
        f->treatment[i].factor = 1;
        f->treatment[i].offset = 0;
        c->rate = (struct qc_rate){ .suspect = NAN, .fail = NAN, .tick_ms = 1 };
        c->spike = (struct qc_spike){ .suspect = 40, .fail = NAN };
    }
    if (set)
        set(f);
    start(f);
    return f;
}

static void restart(struct fixture *f)
{
    stop(f);
    start(f);
}

static struct verdict verdict_of(const struct seen *s, size_t row, int column)
{
    assert_true(row < s->n);
    return verdict_from_flag(s->cell[row][column].flag);
}

static void assert_grade(const struct seen *s, size_t row, int column, enum grade g,
                         uint32_t reasons)
{
    const struct verdict v = verdict_of(s, row, column);

    assert_int_equal(v.grade, g);
    assert_int_equal(v.reasons, reasons);
}

static void scan_each(struct fixture *f, const double *ozone, int n)
{
    for (int i = 0; i < n; i++)
        scan(f, T0 + i * PERIOD, ozone[i], 20);
}

static void a_spike_is_known_with_the_next_sample(void **state)
{
    struct fixture *f = with(state, NULL);

    scan_each(f, (const double[]){ 20, 20, 90, 20, 20 }, 5);
    const struct seen *s = look(f, 0);
    assert_int_equal(s->n, 5);
    for (size_t i = 0; i < 5; i++)
        assert_grade(s, i, OZONE, i == 2 ? GRADE_SUSPECT : GRADE_GOOD,
                     i == 2 ? REASON_SPIKE : 0);
    assert_grade(s, 2, TEMP, GRADE_GOOD, 0);
}

static void a_restart_between_both_samples_changes_nothing(void **state)
{
    struct fixture *f = with(state, NULL);

    scan_each(f, (const double[]){ 20, 20, 90 }, 3);
    restart(f);
    scan(f, T0 + 3 * PERIOD, 20, 20);
    const struct seen *s = look(f, 0);
    assert_int_equal(s->n, 4);
    assert_grade(s, 2, OZONE, GRADE_SUSPECT, REASON_SPIKE);
    assert_grade(s, 3, OZONE, GRADE_GOOD, 0);
}

static void without_a_next_sample_the_verdict_stays(void **state)
{
    struct fixture *f = with(state, NULL);

    scan_each(f, (const double[]){ 20, 20, 90 }, 3);
    scan_silence(f, T0 + 3 * PERIOD);
    scan(f, T0 + 3600 * PERIOD, 20, 20); /* and behind a gap nothing is compared */
    const struct seen *s = look(f, 0);
    assert_int_equal(s->n, 5);
    assert_grade(s, 2, OZONE, GRADE_GOOD, 0);
}

static void a_committed_row_is_there_before_its_flags_are(void **state)
{
    struct fixture *f = with(state, NULL);

    scan_each(f, (const double[]){ 20, 20, 90 }, 3);
    const struct seen *s = look(f, 0);
    assert_int_equal(s->n, 3);
    assert_int_equal(s->cell[2][OZONE].v, 900);
}

/* xorshift32: the same numbers everywhere. */
static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static void measure(struct fixture *f, uint32_t seed, unsigned restart_of_n)
{
    uint32_t walk = seed, chance = ~seed;

    for (int i = 0; i < SAMPLES; i++) {
        const uint32_t r = next_random(&walk);
        if (restart_of_n && next_random(&chance) % restart_of_n == 0)
            restart(f);
        pipeline_tick(f->p, T0 + i * PERIOD);
        if (r % 17 == 0)
            scan_silence(f, T0 + i * PERIOD);
        else
            scan(f, T0 + i * PERIOD, 20 + (r % 5 == 0) * 60, 20 + r % 3 * 30);
    }
}

static void set_small_frames(struct fixture *f)
{
    f->seal_rows = 3;
    for (int i = 0; i < 2; i++) {
        struct qc_config *c = &f->treatment[i].qc;
        c->hold.gap_samples = 2;
        c->stuck.n = 4;
        c->rate = (struct qc_rate){ .suspect = 25, .fail = NAN, .tick_ms = 1 };
        c->flat = (struct qc_flat){ 5, QC_FLAT_OFF, 15 };
        c->attenuated =
            (struct qc_attenuated){ .suspect = 20, .fail = NAN, .period_ms = 8000, .min_n = 3 };
    }
}

static void restarts_at_any_time_change_no_flag(void **state)
{
    struct seen *through = calloc(1, sizeof *through);
    struct fixture *f = with(state, set_small_frames);

    assert_non_null(through);
    measure(f, 2463534242, 0);
    *through = *look(f, 0);
    tear_down(state);
    assert_int_equal(set_up(state), 0);
    f = with(state, set_small_frames);
    measure(f, 2463534242, 5);
    const struct seen *s = look(f, 0);
    assert_int_equal(s->n, SAMPLES);
    assert_int_equal(through->n, SAMPLES);
    for (size_t i = 0; i < s->n; i++)
        for (int k = 0; k < 2; k++) {
            assert_int_equal(s->time_ms[i], through->time_ms[i]);
            assert_int_equal(s->cell[i][k].v, through->cell[i][k].v);
            if (s->cell[i][k].flag != through->cell[i][k].flag)
                fail_msg("row %zu column %d: %x, not %x", i, k, s->cell[i][k].flag,
                         through->cell[i][k].flag);
        }
    free(through);
}

static void the_minute_counts_final_verdicts(void **state)
{
    struct fixture *f = with(state, NULL);

    for (int i = 0; i < 60; i++) { /* every value is one that jumps away and back */
        pipeline_tick(f->p, T0 + i * PERIOD);
        scan(f, T0 + i * PERIOD, i % 2 ? 80 : 20, 20);
    }
    for (int i = 60; i < 63; i++)
        pipeline_tick(f->p, T0 + i * PERIOD);
    const struct seen *s = look(f, 1);
    assert_int_equal(s->n, 1);
    assert_int_equal(s->cell[0][0].v, 500); /* none is left out, the last one neither */
    assert_int_equal(verdict_of(s, 0, OZONE).grade, GRADE_SUSPECT);
    assert_int_equal(verdict_of(s, 0, TEMP).grade, GRADE_GOOD);
}

/* ---- what is known beside the sample ---- */

static void set_relation(struct fixture *f)
{
    static const struct qc_relation at_most = { .kind = QC_AT_MOST, .a = TEMP, .limit = 1 };

    f->treatment[OZONE].qc.spike.suspect = f->treatment[TEMP].qc.spike.suspect = NAN;
    f->treatment[OZONE].qc.relations = &at_most;
    f->treatment[OZONE].qc.relations_n = 1;
}

static void quantities_are_compared_within_their_scan(void **state)
{
    struct fixture *f = with(state, set_relation);

    scan(f, T0, 20, 30);
    scan(f, T0 + 1000, 40, 45); /* both rose: above the 30 of before */
    scan(f, T0 + 2000, 47, 45);
    scan(f, T0 + 3000, 40, 999); /* not a temperature */
    scan(f, T0 + 4000, 40, 30);
    const struct seen *s = look(f, 0);
    assert_grade(s, 1, OZONE, GRADE_GOOD, 0);
    assert_grade(s, 2, OZONE, GRADE_SUSPECT, REASON_MULTI);
    assert_grade(s, 3, OZONE, GRADE_GOOD, 0);
    assert_grade(s, 4, OZONE, GRADE_SUSPECT, REASON_MULTI);
}

/* Ozone alone, as of a device of its own. */
static void scan_ozone(struct fixture *f, int64_t time_ms, double ozone)
{
    const struct reading r = good(ozone, 1);
    const struct scan s = { .time_ms = time_ms, .readings = &r, .n = 1 };

    pipeline_scan(f->p, &s);
}

static void a_silent_peer_accuses_nobody(void **state)
{
    struct fixture *f = with(state, set_relation);

    scan(f, T0, 20, 10);
    pipeline_tick(f->p, T0 + 3000);
    scan_ozone(f, T0 + 3000, 20);
    pipeline_tick(f->p, T0 + 4000);
    scan_ozone(f, T0 + 4000, 20);
    const struct seen *s = look(f, 0);
    assert_grade(s, 0, OZONE, GRADE_SUSPECT, REASON_MULTI);
    assert_grade(s, 1, OZONE, GRADE_SUSPECT, REASON_MULTI);
    assert_grade(s, 2, OZONE, GRADE_GOOD, 0);
}

static const struct pipeline_service maintenance = { QC_MAINTENANCE, 0 };
static const struct pipeline_service measuring = { QC_MEASURING, 0 };

static void maintenance_goes_on_after_a_restart(void **state)
{
    struct fixture *f = with(state, NULL);

    scan(f, T0, 20, 20);
    assert_int_equal(pipeline_service(f->p, 0, PIPELINE_NO_CHANNEL, &maintenance), 0);
    scan(f, T0 + 1000, 20, 20);
    restart(f);
    assert_int_equal(pipeline_service_of(f->p, TEMP, T0).service, QC_MAINTENANCE);
    scan(f, T0 + 2000, 20, 20);
    assert_int_equal(pipeline_service_seen(f->p, OZONE), QC_MAINTENANCE);
    assert_int_equal(pipeline_service(f->p, 0, PIPELINE_NO_CHANNEL, &measuring), 0);
    scan(f, T0 + 3000, 20, 20);
    restart(f);
    scan(f, T0 + 4000, 20, 20);
    const struct seen *s = look(f, 0);
    for (size_t i = 0; i < 5; i++) {
        const bool is_served = i == 1 || i == 2;
        assert_grade(s, i, TEMP, is_served ? GRADE_BAD : GRADE_GOOD,
                     is_served ? REASON_MAINT : 0);
    }
}

static void a_calibration_is_of_one_channel_and_ends_in_time(void **state)
{
    struct fixture *f = with(state, NULL);
    const struct pipeline_service zero = { QC_ZERO, T0 + 2000 };

    assert_int_equal(pipeline_service(f->p, 0, OZONE, &zero), 0);
    for (int i = 0; i < 3; i++)
        scan(f, T0 + i * PERIOD, 20, 20);
    assert_int_equal(pipeline_service_of(f->p, OZONE, T0 + 2000).service, QC_MEASURING);
    const struct seen *s = look(f, 0);
    assert_grade(s, 1, OZONE, GRADE_BAD, REASON_CAL_ZERO);
    assert_grade(s, 1, TEMP, GRADE_GOOD, 0);
    assert_grade(s, 2, OZONE, GRADE_GOOD, 0);
}

static void refuses_a_service_of_what_is_not_there(void **state)
{
    struct fixture *f = with(state, NULL);
    const struct pipeline_service wrong = { (enum qc_service)99, 0 };

    assert_int_equal(pipeline_service(f->p, 1, PIPELINE_NO_CHANNEL, &maintenance), -EINVAL);
    assert_int_equal(pipeline_service(f->p, 0, OZONE_1MIN, &maintenance), -EINVAL);
    assert_int_equal(pipeline_service(f->p, 0, -7, &maintenance), -EINVAL);
    assert_int_equal(pipeline_service(f->p, 0, OZONE, &wrong), -EINVAL);
    assert_int_equal(pipeline_service_of(f->p, OZONE, T0).service, QC_MEASURING);
}

/* ---- across a restart ---- */

static void set_hold(struct fixture *f)
{
    f->treatment[OZONE].qc.hold.gap_samples = f->treatment[TEMP].qc.hold.gap_samples = 2;
}

static void a_short_restart_is_no_gap_and_a_long_one_is(void **state)
{
    struct fixture *f = with(state, set_hold);

    for (int i = 0; i < 4; i++)
        scan(f, T0 + i * PERIOD, 20 + i, 20);
    restart(f);
    scan(f, T0 + 5 * PERIOD, 20, 20);
    restart(f);
    scan(f, T0 + 60 * PERIOD, 20, 20);
    const struct seen *s = look(f, 0);
    assert_grade(s, 0, OZONE, GRADE_NOT_EVALUATED, REASON_AFTER_GAP);
    assert_grade(s, 4, OZONE, GRADE_GOOD, 0);
    assert_grade(s, 5, OZONE, GRADE_NOT_EVALUATED, REASON_AFTER_GAP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_spike_is_known_with_the_next_sample),
        TEST(a_restart_between_both_samples_changes_nothing),
        TEST(without_a_next_sample_the_verdict_stays),
        TEST(a_committed_row_is_there_before_its_flags_are),
        TEST(restarts_at_any_time_change_no_flag),
        TEST(the_minute_counts_final_verdicts),
        TEST(quantities_are_compared_within_their_scan),
        TEST(a_silent_peer_accuses_nobody),
        TEST(maintenance_goes_on_after_a_restart),
        TEST(a_calibration_is_of_one_channel_and_ends_in_time),
        TEST(refuses_a_service_of_what_is_not_there),
        TEST(a_short_restart_is_no_gap_and_a_long_one_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
