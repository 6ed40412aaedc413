/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "rules/alert/life.h"
#include "unit.h"

#define T0     INT64_C(1700000000000)
#define MINUTE INT64_C(60000)

static struct life_response usual[LEVEL_COUNT_];

static int set_up(void **state)
{
    (void)state;
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        usual[l] = life_response_default((enum alert_level)l);
    return 0;
}

static struct life raised(enum alert_level level)
{
    struct life l = { 0 };

    life_raise(&l, level, T0, usual);
    return l;
}

static enum life_answer act(struct life *l, enum life_act a, int64_t now_ms)
{
    const char *why = "";
    const struct life_doing d = { .act = a, .verdict = LIFE_TRUE, .now_ms = now_ms };

    return life_do(l, &d, usual, &why);
}

static enum life_answer triage(struct life *l, enum life_verdict v, int64_t now_ms)
{
    const char *why = "";
    const struct life_doing d = { .act = LIFE_TRIAGE, .verdict = v, .now_ms = now_ms };

    return life_do(l, &d, usual, &why);
}

static const char *refusal(struct life l, enum life_act a)
{
    const char *why = "";
    const struct life_doing d = { .act = a, .now_ms = T0 };

    return life_do(&l, &d, usual, &why) == LIFE_REFUSED ? why : "";
}

/* By acts alone: what a duty officer would have done before. */
static struct life in_state(enum life_state s)
{
    static const enum life_act way[] = { LIFE_RECEIVE, LIFE_ACKNOWLEDGE, LIFE_TRIAGE,
                                         LIFE_ASSIGN,  LIFE_HANDLE,      LIFE_VERIFY,
                                         LIFE_CLOSE };
    struct life l = raised(LEVEL_YELLOW);

    life_clear(&l, T0);
    for (int i = 0; i < (int)s - LIFE_RAISED; i++)
        assert_int_equal(act(&l, way[i], T0 + i), LIFE_DONE);
    assert_int_equal(l.state, s);
    return l;
}

static void goes_from_raised_to_closed_step_by_step(void **state)
{
    (void)state;
    const struct life l = in_state(LIFE_CLOSED);

    assert_int_equal(l.number, 2 + 7); /* raised, cleared, and each act */
    assert_int_equal(l.due_ms, 0);
}

static void what_is_done_already_changes_nothing(void **state)
{
    (void)state;
    static const enum life_act acts[] = { LIFE_RECEIVE, LIFE_ACKNOWLEDGE, LIFE_TRIAGE };

    for (int s = LIFE_TRIAGED; s < LIFE_CLOSED; s++)
        for (size_t i = 0; i < 3; i++) {
            struct life l = in_state((enum life_state)s);
            const struct life before = l;
            assert_int_equal(act(&l, acts[i], T0 + 9999), LIFE_SAME);
            assert_memory_equal(&l, &before, sizeof l);
        }
}

static void a_late_act_on_a_closed_alert_changes_nothing(void **state)
{
    (void)state;
    struct life l = in_state(LIFE_CLOSED);
    const struct life before = l;

    assert_int_equal(act(&l, LIFE_ACKNOWLEDGE, T0), LIFE_SAME);
    assert_int_equal(act(&l, LIFE_VERIFY, T0), LIFE_SAME);
    assert_int_equal(act(&l, LIFE_CLOSE, T0), LIFE_SAME);
    assert_memory_equal(&l, &before, sizeof l);
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        enum life_state s;
        enum life_act a;
        const char *why;
    } cases[] = {
        { LIFE_RAISED, LIFE_ASSIGN, "not_triaged" },
        { LIFE_RAISED, LIFE_CLOSE, "not_triaged" },
        { LIFE_ACKNOWLEDGED, LIFE_HANDLE, "not_triaged" },
        { LIFE_ACKNOWLEDGED, LIFE_VERIFY, "not_triaged" },
        { LIFE_TRIAGED, LIFE_VERIFY, "not_handled" },
        { LIFE_TRIAGED, LIFE_CLOSE, "not_verified" },
        { LIFE_HANDLING, LIFE_CLOSE, "not_verified" },
        { LIFE_VERIFIED, LIFE_ASSIGN, "verified" },
        { LIFE_CLOSED, LIFE_ASSIGN, "closed" },
        { LIFE_CLOSED, LIFE_TRIAGE, "closed" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(refusal(in_state(cases[i].s), cases[i].a), cases[i].why);
        assert_true(strlen(life_refusal_text(cases[i].why, "en")) > 20);
        assert_true(strlen(life_refusal_text(cases[i].why, "zh")) > 20);
    }
    assert_string_equal(refusal((struct life){ 0 }, LIFE_ACKNOWLEDGE), "not_raised");
}

static void a_true_alert_is_not_closed_while_it_stands(void **state)
{
    (void)state;
    struct life l = in_state(LIFE_VERIFIED);

    l.marks &= ~(uint32_t)LIFE_CLEARED;
    assert_string_equal(refusal(l, LIFE_CLOSE), "not_cleared");
    assert_int_equal(act(&l, LIFE_WITHDRAW, T0), LIFE_DONE);
    assert_int_equal(l.state, LIFE_CLOSED);
    assert_true(l.marks & LIFE_WITHDRAWN);
}

static void a_false_alarm_is_closed_at_once_and_never_handled(void **state)
{
    (void)state;
    struct life l = raised(LEVEL_RED);

    assert_int_equal(triage(&l, LIFE_FALSE, T0), LIFE_DONE);
    assert_int_equal(l.due_ms, 0);
    assert_string_equal(refusal(l, LIFE_ASSIGN), "nothing_to_do");
    assert_string_equal(refusal(l, LIFE_HANDLE), "nothing_to_do");
    assert_int_equal(act(&l, LIFE_CLOSE, T0), LIFE_DONE);
}

static void another_verdict_starts_again_from_triage(void **state)
{
    (void)state;
    struct life l = in_state(LIFE_HANDLING);

    assert_int_equal(triage(&l, LIFE_SENSOR_FAULT, T0 + 1), LIFE_DONE);
    assert_int_equal(l.state, LIFE_TRIAGED);
    assert_int_equal(l.due, LIFE_DUE_ROUTE);
    assert_int_equal(triage(&l, LIFE_SENSOR_FAULT, T0 + 2), LIFE_SAME);
}

static void clearing_leaves_state_and_limits_as_they_are(void **state)
{
    (void)state;
    struct life l = raised(LEVEL_RED);
    const int64_t due_ms = l.due_ms;

    life_clear(&l, T0 + 1000);
    assert_int_equal(l.state, LIFE_RAISED);
    assert_int_equal(l.due_ms, due_ms);
    assert_int_equal(l.peak, LEVEL_RED);
    assert_int_equal(l.level, LEVEL_NONE);
    assert_int_equal(act(&l, LIFE_ACKNOWLEDGE, T0 + 2000), LIFE_DONE);
    assert_true(l.marks & LIFE_CLEARED);
}

static void each_colour_has_its_limit(void **state)
{
    (void)state;
    static const int minutes[] = { 0, 60, 30, 15, 5 };

    for (int level = LEVEL_BLUE; level < LEVEL_COUNT_; level++) {
        struct life l = raised((enum alert_level)level);
        const int64_t due_ms = T0 + minutes[level] * MINUTE;
        assert_false(life_tick(&l, due_ms - 1, usual));
        assert_true(life_tick(&l, due_ms, usual));
        assert_true(l.marks & LIFE_OVERDUE);
        assert_false(life_tick(&l, due_ms + 1, usual));
    }
}

static void escalates_three_times_and_stops_when_it_is_answered(void **state)
{
    (void)state;
    struct life l = raised(LEVEL_RED), answered = l;
    int n = 0;

    for (int64_t t = T0; t < T0 + 60 * MINUTE; t += 1000)
        n += life_tick(&l, t, usual);
    assert_int_equal(n, LIFE_ESCALATIONS_MAX);
    assert_int_equal(act(&answered, LIFE_ACKNOWLEDGE, T0 + MINUTE), LIFE_DONE);
    assert_int_equal(answered.due, LIFE_DUE_TRIAGE);
    assert_false(life_tick(&answered, T0 + 5 * MINUTE, usual));
    assert_true(life_tick(&answered, T0 + 16 * MINUTE, usual));
}

static void receipt_by_the_centre_does_not_prolong_the_limit(void **state)
{
    (void)state;
    struct life l = raised(LEVEL_RED);

    assert_int_equal(act(&l, LIFE_RECEIVE, T0 + 4 * MINUTE), LIFE_DONE);
    assert_int_equal(l.due_ms, T0 + 5 * MINUTE);
}

static void a_higher_colour_asks_for_acknowledgement_anew(void **state)
{
    (void)state;
    struct life l = raised(LEVEL_YELLOW);

    assert_int_equal(act(&l, LIFE_ACKNOWLEDGE, T0), LIFE_DONE);
    life_upgrade(&l, LEVEL_RED, T0 + MINUTE, usual);
    assert_int_equal(l.state, LIFE_RAISED);
    assert_int_equal(l.due_ms, T0 + 6 * MINUTE);
    assert_int_equal(l.peak, LEVEL_RED);
    assert_int_equal(act(&l, LIFE_ACKNOWLEDGE, T0 + 2 * MINUTE), LIFE_DONE);
}

static void a_higher_colour_does_not_undo_what_was_judged(void **state)
{
    (void)state;
    struct life l = raised(LEVEL_YELLOW);

    assert_int_equal(triage(&l, LIFE_TRUE, T0), LIFE_DONE);
    assert_int_equal(act(&l, LIFE_ASSIGN, T0), LIFE_DONE);
    life_upgrade(&l, LEVEL_RED, T0 + MINUTE, usual);
    assert_int_equal(l.state, LIFE_ROUTED);
    assert_int_equal(l.due_ms, T0 + 121 * MINUTE); /* red: on site in two hours */
}

static void closed_while_it_stood_it_comes_back_with_a_higher_colour(void **state)
{
    (void)state;
    struct life l = raised(LEVEL_YELLOW);

    assert_int_equal(triage(&l, LIFE_FALSE, T0), LIFE_DONE);
    assert_int_equal(act(&l, LIFE_CLOSE, T0), LIFE_DONE);
    life_upgrade(&l, LEVEL_ORANGE, T0 + MINUTE, usual);
    assert_int_equal(l.state, LIFE_RAISED);
    assert_int_equal(l.verdict, LIFE_NOT_JUDGED);
    assert_true(l.marks & LIFE_REOPENED);
}

static void nothing_lapses_on_the_shelf(void **state)
{
    (void)state;
    struct life l = raised(LEVEL_RED);

    assert_true(life_mark(&l, LIFE_SHELVED, true));
    assert_false(life_mark(&l, LIFE_SHELVED, true));
    assert_false(life_tick(&l, T0 + 60 * MINUTE, usual));
    assert_true(life_mark(&l, LIFE_SHELVED, false));
    life_resume(&l, T0 + 60 * MINUTE, usual);
    assert_int_equal(l.due_ms, T0 + 65 * MINUTE);
}

static void a_limit_lasts_as_long_as_it_should_when_the_clock_is_set(void **state)
{
    (void)state;
    struct life l = raised(LEVEL_RED);

    life_shift(&l, -3600000);
    assert_int_equal(l.due_ms, T0 + 5 * MINUTE - 3600000);
    assert_int_equal(l.raised_ms, T0); /* a name */
    assert_int_equal(l.cleared_ms, 0);
}

static void a_fault_closes_it_with_that_reason(void **state)
{
    (void)state;
    struct life l = raised(LEVEL_RED);

    assert_int_equal(act(&l, LIFE_SUPERSEDE, T0), LIFE_DONE);
    assert_int_equal(l.state, LIFE_CLOSED);
    assert_int_equal(l.verdict, LIFE_SENSOR_FAULT);
    assert_int_equal(act(&l, LIFE_REOPEN, T0 + 1), LIFE_DONE);
    assert_int_equal(l.state, LIFE_ACKNOWLEDGED);
    assert_false(l.marks & LIFE_SUPERSEDED);
}

static void words_are_found_by_their_identifiers(void **state)
{
    (void)state;
    enum life_act a = LIFE_COMMENT;
    enum life_verdict v = LIFE_TRUE;

    assert_int_equal(life_act_find("ack", &a), 0);
    assert_int_equal(a, LIFE_ACKNOWLEDGE);
    assert_int_equal(life_act_find("silence", &a), -22);
    assert_int_equal(life_verdict_find("duplicate", &v), 0);
    assert_int_equal(v, LIFE_DUPLICATE);
    assert_int_equal(life_verdict_find("", &v), -22);
    for (int i = 0; i < LIFE_MARKS_N; i++)
        assert_int_equal(life_mark_find(life_mark_id((enum life_mark)(1 << i))), 1 << i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_from_raised_to_closed_step_by_step),
        cmocka_unit_test(what_is_done_already_changes_nothing),
        cmocka_unit_test(a_late_act_on_a_closed_alert_changes_nothing),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(a_true_alert_is_not_closed_while_it_stands),
        cmocka_unit_test(a_false_alarm_is_closed_at_once_and_never_handled),
        cmocka_unit_test(another_verdict_starts_again_from_triage),
        cmocka_unit_test(clearing_leaves_state_and_limits_as_they_are),
        cmocka_unit_test(each_colour_has_its_limit),
        cmocka_unit_test(escalates_three_times_and_stops_when_it_is_answered),
        cmocka_unit_test(receipt_by_the_centre_does_not_prolong_the_limit),
        cmocka_unit_test(a_higher_colour_asks_for_acknowledgement_anew),
        cmocka_unit_test(a_higher_colour_does_not_undo_what_was_judged),
        cmocka_unit_test(closed_while_it_stood_it_comes_back_with_a_higher_colour),
        cmocka_unit_test(nothing_lapses_on_the_shelf),
        cmocka_unit_test(a_limit_lasts_as_long_as_it_should_when_the_clock_is_set),
        cmocka_unit_test(a_fault_closes_it_with_that_reason),
        cmocka_unit_test(words_are_found_by_their_identifiers),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
