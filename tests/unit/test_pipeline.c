/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline on a real log, in virtual time. */
#include <jansson.h>

#include "pipeline_rig.h"

static void keeps_the_decimals_that_were_read(void **state)
{
    struct fixture *f = *state;

    scan(f, T0, 41.5, 21.3);
    const struct seen *s = look(f, 0);
    assert_int_equal(s->n, 1);
    assert_int_equal(s->time_ms[0], T0);
    assert_int_equal(s->cell[0][0].v, 415);
    assert_int_equal(s->cell[0][0].e, 1);
    assert_int_equal(s->cell[0][1].v, 2101); /* 21.3 * 1.01 - 0.5 = 21.013, one decimal more */
    assert_int_equal(s->cell[0][1].e, 2);
}

static void silence_is_a_row_without_values(void **state)
{
    struct fixture *f = *state;

    scan_silence(f, T0);
    const struct seen *s = look(f, 0);
    assert_int_equal(s->n, 1);
    assert_int_equal(s->cell[0][0].e, DECIMAL_NONE);
    struct verdict v = verdict_from_flag(s->cell[0][0].flag);
    assert_int_equal(v.status, STATUS_NO_COMMUNICATION);
    assert_int_equal(v.grade, GRADE_MISSING);
    assert_true(v.reasons & REASON_COMM);
}

static void a_message_that_says_nothing_of_a_channel_makes_no_sample(void **state)
{
    struct fixture *f = *state;
    struct reading r[] = { good(41.5, 1), good(7, 0), good(21.3, 1) };
    const uint8_t has[] = { 1, 1, 0 };
    const struct scan_state state_kept = { "lorawan/1", "abc", 3 };
    struct scan s = { .time_ms = T0,
                      .readings = r,
                      .n = 3,
                      .has = has,
                      .states = &state_kept,
                      .states_n = 1,
                      .note = "{\"kind\":\"lora\",\"data\":\"0102\"}",
                      .is_urgent = true };
    struct pipeline_counters c;
    size_t size = 0;

    assert_int_equal(pipeline_scan(f->p, &s), 0);
    pipeline_counters_get(f->p, &c);
    assert_int_equal(c.samples, 1);
    assert_int_equal(pipeline_newest_ms(f->p, 0), T0);
    const struct seen *seen = look(f, 0);
    assert_int_equal(seen->n, 1);
    assert_int_equal(seen->cell[0][0].v, 415);
    assert_int_equal(seen->cell[0][1].e, DECIMAL_NONE);
    struct verdict v = verdict_from_flag(seen->cell[0][1].flag);
    assert_int_equal(v.status, STATUS_VALID);
    assert_int_equal(v.grade, GRADE_MISSING);
    stop(f);
    open_log(f);
    void *kept = store_state_get(f->o.store, "lorawan/1", &size);
    assert_int_equal(size, 3);
    free(kept);
    store_close(f->o.store);
    start(f);
}

static void a_late_row_is_kept_at_its_time_once_and_not_judged(void **state)
{
    struct fixture *f = *state;
    struct reading r[] = { good(500, 1), good(7, 0), good(21.3, 1) };
    struct scan s = { .time_ms = T0 - 5000, .readings = r, .n = 3, .is_late = true };

    scan(f, T0, 41.5, 21.3);
    assert_int_equal(pipeline_scan(f->p, &s), 0);
    assert_int_equal(pipeline_scan(f->p, &s), 0); /* told again */
    scan(f, T0 + 1000, 41.6, 21.3);
    const struct seen *seen = look(f, 0);
    assert_int_equal(seen->n, 3);
    assert_int_equal(seen->time_ms[1], T0 - 5000);
    assert_int_equal(seen->cell[1][0].v, 5000);
    assert_int_equal(verdict_from_flag(seen->cell[1][0].flag).grade, GRADE_NOT_EVALUATED);
    assert_int_equal(seen->time_ms[2], T0 + 1000);
    assert_int_equal(verdict_from_flag(seen->cell[2][0].flag).reasons & REASON_CLK_DUP, 0);
}

static void a_time_is_never_used_twice(void **state)
{
    struct fixture *f = *state;

    scan(f, T0, 10, 20);
    scan(f, T0, 11, 20);
    scan(f, T0 - 5000, 12, 20); /* the clock stepped back */
    const struct seen *s = look(f, 0);
    assert_int_equal(s->n, 3);
    assert_int_equal(s->time_ms[1], T0 + 1);
    assert_int_equal(s->time_ms[2], T0 + 2);
    assert_true(verdict_from_flag(s->cell[1][0].flag).reasons & REASON_CLK_DUP);
    assert_int_equal(s->cell[2][0].v, 120);
}

/* One sample a second with the value 10, 11, 12 ...; a restart where `restart_at` says. */
static void a_minute(struct fixture *f, int restart_at)
{
    for (int i = 0; i < 60; i++) {
        if (i == restart_at) {
            stop(f);
            start(f);
        }
        pipeline_tick(f->p, T0 + i * 1000);
        scan(f, T0 + i * 1000, 10 + i % 10, 20);
    }
    pipeline_tick(f->p, T0 + 60000);
    pipeline_tick(f->p, T0 + 61000);
    pipeline_tick(f->p, T0 + 62000);
}

static void check_minute(struct fixture *f)
{
    const struct seen *s = look(f, 1);

    assert_int_equal(s->n, 1);
    assert_int_equal(s->time_ms[0], T0); /* labelled by its start */
    assert_int_equal(s->cell[0][0].v, 145);
    assert_int_equal(s->cell[0][0].e, 1);
    assert_int_equal(verdict_from_flag(s->cell[0][0].flag).grade, GRADE_GOOD);
}

static void writes_the_mean_of_a_minute_once(void **state)
{
    a_minute(*state, -1);
    check_minute(*state);
}

static void a_restart_within_the_minute_changes_nothing(void **state)
{
    a_minute(*state, 31);
    check_minute(*state);
}

static void a_restart_between_end_and_closing_changes_nothing(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 60; i++)
        scan(f, T0 + i * 1000, 10 + i % 10, 20);
    scan(f, T0 + 60000, 99, 20); /* the next minute's first, the tick has not come */
    pipeline_tick(f->p, T0 + 60200);
    stop(f);
    start(f);
    pipeline_tick(f->p, T0 + 63000);
    check_minute(f);
}

static void too_few_samples_do_not_make_a_valid_mean(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 60; i++) {
        if (i % 2)
            scan(f, T0 + i * 1000, 10, 20);
        else
            scan_silence(f, T0 + i * 1000);
        pipeline_tick(f->p, T0 + i * 1000);
    }
    pipeline_tick(f->p, T0 + 61500);
    const struct seen *s = look(f, 1);
    assert_int_equal(s->n, 1);
    assert_true(verdict_from_flag(s->cell[0][0].flag).grade >= GRADE_BAD);
}

static const char *transition(const char *json)
{
    static char word[32];
    json_t *j = json_loads(json, 0, NULL);

    assert_non_null(j);
    snprintf(word, sizeof word, "%s", json_string_value(json_object_get(j, "transition")));
    json_decref(j);
    return word;
}

static void an_alert_is_told_once_also_across_a_restart(void **state)
{
    struct fixture *f = *state;
    int64_t t = T0;

    for (int i = 0; i < 5; i++, t += 1000)
        scan(f, t, 150, 20);
    stop(f);
    start(f);
    for (int i = 0; i < 5; i++, t += 1000)
        scan(f, t, 150, 20);
    for (int i = 0; i < 5; i++, t += 1000)
        scan(f, t, 20, 20);
    const struct seen *s = look(f, 0);
    assert_int_equal(s->events_n, 2); /* newest first */
    assert_string_equal(transition(s->events[1]), "raised");
    assert_string_equal(transition(s->events[0]), "cleared");
    assert_non_null(strstr(s->events[0], "\"key\":\"high/d/ozone/"));
}

static void missing_data_never_clears_an_alert(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 5; i++)
        scan(f, T0 + i * 1000, 150, 20);
    for (int i = 5; i < 30; i++)
        scan_silence(f, T0 + i * 1000);
    const struct seen *s = look(f, 0);
    for (size_t i = 0; i < s->events_n; i++)
        assert_string_not_equal(transition(s->events[i]), "cleared");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(keeps_the_decimals_that_were_read),
        TEST(silence_is_a_row_without_values),
        TEST(a_message_that_says_nothing_of_a_channel_makes_no_sample),
        TEST(a_late_row_is_kept_at_its_time_once_and_not_judged),
        TEST(a_time_is_never_used_twice),
        TEST(writes_the_mean_of_a_minute_once),
        TEST(a_restart_within_the_minute_changes_nothing),
        TEST(a_restart_between_end_and_closing_changes_nothing),
        TEST(too_few_samples_do_not_make_a_valid_mean),
        TEST(an_alert_is_told_once_also_across_a_restart),
        TEST(missing_data_never_clears_an_alert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
