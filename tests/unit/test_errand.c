/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "gateway/poll/errand.h"

enum { UNIT = 7, PAUSE_MS = 20, TIMEOUT_MS = 300 };

static struct command_step write_step(uint16_t first, uint16_t value)
{
    return (struct command_step){
        .kind = STEP_WRITE, .at = { SPACE_HOLDING, first, 1, -1 }, .n = 1, .words = { value }
    };
}

static struct command_step expect_step(uint16_t first, uint16_t value)
{
    return (struct command_step){
        .kind = STEP_EXPECT, .at = { SPACE_INPUT, first, 1, -1 }, .n = 1, .words = { value }
    };
}

/* write 100, wait 500 ms, expect input 4 to be 2 */
static enum errand_next begin(struct errand *e)
{
    struct command_plan plan = { .n = 3 };

    plan.steps[0] = write_step(100, 1);
    plan.steps[1] = (struct command_step){ .kind = STEP_WAIT, .wait_ms = 500 };
    plan.steps[2] = expect_step(4, 2);
    assert_int_equal(errand_begin(e, &plan, UNIT, PAUSE_MS, TIMEOUT_MS), 0);
    return errand_next(e);
}

static enum errand_next take(struct errand *e, enum bus_outcome outcome, uint8_t exception,
                             uint16_t word)
{
    struct bus_reply r = { .outcome = outcome, .exception = exception };

    if (outcome == BUS_OK && !errand_ask(e).words) {
        r.n = 1;
        r.words[0] = word;
    }
    return errand_take(e, &r);
}

static void writes_rests_and_reads_back(void **state)
{
    struct errand e;

    (void)state;
    assert_int_equal(begin(&e), ERRAND_ASK);
    struct bus_request q = errand_ask(&e);
    assert_int_equal(q.unit, UNIT);
    assert_int_equal(q.function, BUS_WRITE_REGISTER);
    assert_int_equal(q.first, 100);
    assert_int_equal(q.words[0], 1);
    assert_int_equal(q.pause_ms, PAUSE_MS);
    assert_int_equal(q.timeout_ms, ERRAND_WRITE_MS);
    assert_int_equal(take(&e, BUS_OK, 0, 0), ERRAND_REST);
    assert_int_equal(e.rest_ms, 500);
    assert_int_equal(errand_next(&e), ERRAND_ASK);
    q = errand_ask(&e);
    assert_int_equal(q.function, BUS_READ_INPUT);
    assert_null(q.words);
    assert_int_equal(q.timeout_ms, TIMEOUT_MS);
    assert_int_equal(take(&e, BUS_OK, 0, 2), ERRAND_END);
    assert_int_equal(e.result.outcome, ERRAND_DONE);
    assert_int_equal(e.result.written, 1);
    assert_false(e.result.is_unknown);
}

static void never_sends_a_write_twice(void **state)
{
    static const enum bus_outcome failures[] = { BUS_NO_ANSWER, BUS_BAD_FRAME, BUS_NO_LINK };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct errand e;
        begin(&e);
        assert_int_equal(take(&e, failures[i], 0, 0), ERRAND_END);
        assert_int_equal(e.result.outcome, ERRAND_NO_ANSWER);
        assert_true(e.result.is_unknown);
        assert_int_equal(e.result.step, 0);
        assert_int_equal(e.result.written, 0);
    }
}

static void tells_a_refusal_from_what_is_unknown(void **state)
{
    struct errand e;

    (void)state;
    begin(&e);
    assert_int_equal(take(&e, BUS_EXCEPTION, 3, 0), ERRAND_END);
    assert_int_equal(e.result.outcome, ERRAND_REFUSED);
    assert_int_equal(e.result.exception, 3);
    assert_false(e.result.is_unknown);
    begin(&e); /* a gateway without an answer from behind it: the write may have gone through */
    assert_int_equal(take(&e, BUS_EXCEPTION, 11, 0), ERRAND_END);
    assert_int_equal(e.result.outcome, ERRAND_NO_ANSWER);
    assert_true(e.result.is_unknown);
}

static void takes_acknowledge_of_a_write_for_its_acceptance(void **state)
{
    struct errand e;

    (void)state;
    begin(&e);
    assert_int_equal(take(&e, BUS_EXCEPTION, 5, 0), ERRAND_REST);
    assert_int_equal(e.result.written, 1);
}

static void reads_again_but_not_for_ever(void **state)
{
    struct errand e;

    (void)state;
    begin(&e);
    take(&e, BUS_OK, 0, 0);
    errand_next(&e);
    assert_int_equal(take(&e, BUS_EXCEPTION, 6, 0), ERRAND_REST);
    assert_int_equal(errand_next(&e), ERRAND_ASK);
    assert_int_equal(take(&e, BUS_NO_ANSWER, 0, 0), ERRAND_ASK);
    assert_int_equal(take(&e, BUS_NO_ANSWER, 0, 0), ERRAND_END);
    assert_int_equal(e.result.outcome, ERRAND_NO_ANSWER);
    assert_false(e.result.is_unknown);
    assert_int_equal(e.result.step, 2);
    assert_int_equal(e.result.written, 1);
}

static void shows_what_it_found_instead(void **state)
{
    struct errand e;

    (void)state;
    begin(&e);
    take(&e, BUS_OK, 0, 0);
    errand_next(&e);
    assert_int_equal(take(&e, BUS_OK, 0, 9), ERRAND_END);
    assert_int_equal(e.result.outcome, ERRAND_UNEXPECTED);
    assert_int_equal(e.result.n, 1);
    assert_int_equal(e.result.found[0], 9);
}

static void compares_one_bit_where_one_is_expected(void **state)
{
    struct command_plan plan = { .n = 1 };
    struct errand e;

    (void)state;
    plan.steps[0] = expect_step(12, 1);
    plan.steps[0].at.bit = 3;
    errand_begin(&e, &plan, UNIT, 0, TIMEOUT_MS);
    errand_next(&e);
    assert_int_equal(take(&e, BUS_OK, 0, 0xF8), ERRAND_END);
    assert_int_equal(e.result.outcome, ERRAND_DONE);
    errand_begin(&e, &plan, UNIT, 0, TIMEOUT_MS);
    errand_next(&e);
    assert_int_equal(take(&e, BUS_OK, 0, 0xF7), ERRAND_END);
    assert_int_equal(e.result.outcome, ERRAND_UNEXPECTED);
}

static void asks_by_the_function_that_the_step_needs(void **state)
{
    struct command_plan plan = { .n = 1 };
    struct errand e;

    (void)state;
    plan.steps[0] = write_step(1, 1);
    plan.steps[0].is_multiple = true;
    errand_begin(&e, &plan, UNIT, 0, TIMEOUT_MS);
    assert_int_equal(errand_ask(&e).function, BUS_WRITE_REGISTERS);
    plan.steps[0] = write_step(1, 1);
    plan.steps[0].n = 2;
    errand_begin(&e, &plan, UNIT, 0, TIMEOUT_MS);
    assert_int_equal(errand_ask(&e).function, BUS_WRITE_REGISTERS);
    plan.steps[0] = write_step(1, 1);
    plan.steps[0].at.space = SPACE_COIL;
    errand_begin(&e, &plan, UNIT, 0, TIMEOUT_MS);
    assert_int_equal(errand_ask(&e).function, BUS_WRITE_COIL);
}

static void stopping_says_whether_a_write_was_on_its_way(void **state)
{
    struct errand e;

    (void)state;
    begin(&e);
    errand_break(&e, ERRAND_STOPPED, false);
    assert_false(e.result.is_unknown);
    begin(&e);
    errand_break(&e, ERRAND_STOPPED, true);
    assert_true(e.result.is_unknown);
    begin(&e);
    take(&e, BUS_OK, 0, 0); /* resting */
    errand_break(&e, ERRAND_STOPPED, false);
    assert_false(e.result.is_unknown);
    assert_int_equal(e.result.written, 1);
}

static void refuses_a_plan_without_requests(void **state)
{
    struct command_plan plan = { .n = 0 };
    struct errand e;

    (void)state;
    assert_int_equal(errand_begin(&e, &plan, UNIT, 0, TIMEOUT_MS), -EINVAL);
    plan.n = 1;
    plan.steps[0] = write_step(1, 1);
    plan.steps[0].at.space = SPACE_INPUT; /* cannot be written */
    assert_int_equal(errand_begin(&e, &plan, UNIT, 0, TIMEOUT_MS), -EINVAL);
    plan.steps[0].at.space = SPACE_HOLDING;
    plan.steps[0].n = 0;
    assert_int_equal(errand_begin(&e, &plan, UNIT, 0, TIMEOUT_MS), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_rests_and_reads_back),
        cmocka_unit_test(never_sends_a_write_twice),
        cmocka_unit_test(tells_a_refusal_from_what_is_unknown),
        cmocka_unit_test(takes_acknowledge_of_a_write_for_its_acceptance),
        cmocka_unit_test(reads_again_but_not_for_ever),
        cmocka_unit_test(shows_what_it_found_instead),
        cmocka_unit_test(compares_one_bit_where_one_is_expected),
        cmocka_unit_test(asks_by_the_function_that_the_step_needs),
        cmocka_unit_test(stopping_says_whether_a_write_was_on_its_way),
        cmocka_unit_test(refuses_a_plan_without_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
