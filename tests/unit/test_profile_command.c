/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "sensors/profile/command.h"
#include "tests/unit/unit.h"

/* 2026-03-01 08:09:05 in the local time of the station, which is UTC+8. */
#define LOCAL_MS (INT64_C(1772352545) * 1000 + 789)
#define UTC_MS   (LOCAL_MS - 8 * 3600000)

static const struct profile_parameter interval = {
    .id = "interval", .min = 1, .max = 3600, .dflt = 60, .is_integer = true
};
static const struct profile_parameter level = {
    .id = "level", .min = 0, .max = 500, .dflt = NAN
};

static struct register_address holding(uint16_t first, uint8_t count)
{
    return (struct register_address){ SPACE_HOLDING, first, count, -1 };
}

static struct profile_step write_of(uint16_t first, enum value_type type, double value)
{
    return (struct profile_step){ .kind = STEP_WRITE,
                                  .at = holding(first, (uint8_t)profile_type_words(type)),
                                  .type = type,
                                  .order = -1,
                                  .value = value,
                                  .scale = 1 };
}

/* A command of the steps given, with the two parameters, planned at LOCAL_MS. */
struct rig {
    struct profile p;
    struct profile_parameter params[2];
    struct profile_step steps[COMMAND_STEPS_MAX + 1];
    struct profile_command c;
    struct command_plan plan;
    double value[2];
    size_t parameter;
};

static struct rig rig_of(size_t n, const struct profile_step *steps)
{
    struct rig r = { .params = { interval, level }, .value = { NAN, 1 } };

    memcpy(r.steps, steps, n * sizeof *steps);
    r.c = (struct profile_command){ .id = "act", .parameters_n = 2, .steps_n = n };
    return r;
}

#define RIG(...) \
    rig_of(sizeof((struct profile_step[]){ __VA_ARGS__ }) / sizeof(struct profile_step), \
           (struct profile_step[]){ __VA_ARGS__ })

static int plan_in(struct rig *r, int order)
{
    r->c.parameters = r->params;
    r->c.steps = r->steps;
    r->p.commands = &r->c;
    r->p.commands_n = 1;
    return command_plan(&r->p, &r->c, r->value, order, LOCAL_MS, UTC_MS, &r->plan,
                        &r->parameter);
}

static int plan(struct rig *r)
{
    return plan_in(r, -1);
}

static void finds_a_command_by_its_id(void **state)
{
    struct rig r = RIG(write_of(1, TYPE_U16, 1));

    assert_int_equal(plan(&r), 0);
    assert_ptr_equal(command_find(&r.p, "act"), &r.c);
    assert_null(command_find(&r.p, "ac"));
    assert_null(command_find(&(struct profile){ 0 }, "act"));
    (void)state;
}

static void plans_steps_one_after_another(void **state)
{
    struct rig r =
        RIG(write_of(100, TYPE_U16, 7), { .kind = STEP_WAIT, .wait_ms = 500, .scale = 1 },
            { .kind = STEP_EXPECT, .at = holding(12, 1), .scale = 1, .order = -1 });

    assert_int_equal(plan(&r), 0);
    assert_ptr_equal(r.plan.command, &r.c);
    assert_int_equal(r.plan.n, 3);
    assert_int_equal(r.plan.steps[0].kind, STEP_WRITE);
    assert_int_equal(r.plan.steps[0].at.first, 100);
    assert_int_equal(r.plan.steps[0].n, 1);
    assert_int_equal(r.plan.steps[0].words[0], 7);
    assert_int_equal(r.plan.steps[1].kind, STEP_WAIT);
    assert_int_equal(r.plan.steps[1].wait_ms, 500);
    assert_int_equal(r.plan.steps[2].kind, STEP_EXPECT);
    assert_int_equal(r.plan.steps[2].at.first, 12);
    assert_int_equal(r.plan.steps[2].words[0], 0);
    (void)state;
}

static struct profile_step joined(struct profile_step s)
{
    s.is_joined = true;
    return s;
}

static struct profile_step from(struct profile_step s, enum step_source source)
{
    s.source = source;
    return s;
}

static void sets_a_clock_in_one_request(void **state)
{
    struct rig r = RIG(from(write_of(10, TYPE_U16, 0), FROM_YEAR),
                       joined(from(write_of(11, TYPE_U16, 0), FROM_MONTH)),
                       joined(from(write_of(12, TYPE_U16, 0), FROM_DAY)),
                       joined(from(write_of(13, TYPE_U16, 0), FROM_HOUR)),
                       joined(from(write_of(14, TYPE_U16, 0), FROM_MINUTE)),
                       joined(from(write_of(15, TYPE_U16, 0), FROM_SECOND)),
                       joined(from(write_of(16, TYPE_U16, 0), FROM_WEEKDAY)));
    static const uint16_t words[] = { 2026, 3, 1, 8, 9, 5, 7 }; /* a Sunday */

    assert_int_equal(plan(&r), 0);
    assert_int_equal(r.plan.n, 1);
    assert_int_equal(r.plan.steps[0].n, 7);
    assert_int_equal(r.plan.steps[0].at.count, 7);
    assert_memory_equal(r.plan.steps[0].words, words, sizeof words);
    (void)state;
}

static void writes_the_clock_as_bcd_and_as_seconds(void **state)
{
    struct rig r = RIG(from(write_of(10, TYPE_BCD16, 0), FROM_YEAR2),
                       from(write_of(20, TYPE_U32, 0), FROM_UNIX));

    assert_int_equal(plan(&r), 0);
    assert_int_equal(r.plan.n, 2);
    assert_int_equal(r.plan.steps[0].words[0], 0x26);
    uint32_t seconds = (uint32_t)(UTC_MS / 1000);
    assert_int_equal(r.plan.steps[1].words[0], seconds >> 16);
    assert_int_equal(r.plan.steps[1].words[1], seconds & 0xFFFF);
    (void)state;
}

static void knows_the_clock_before_1970(void **state)
{
    struct rig r = RIG(from(write_of(10, TYPE_U16, 0), FROM_SECOND));
    r.c.parameters = r.params;
    r.c.steps = r.steps;

    assert_int_equal(command_plan(&r.p, &r.c, r.value, -1, -1500, -1500, &r.plan, &r.parameter),
                     0);
    assert_int_equal(r.plan.steps[0].words[0], 58);
    (void)state;
}

static void gives_parameters_their_default(void **state)
{
    struct rig r = RIG(from(write_of(5, TYPE_U16, 0), FROM_PARAMETER));

    assert_int_equal(plan(&r), 0);
    assert_int_equal(r.plan.steps[0].words[0], 60);
    r.value[0] = 3600;
    assert_int_equal(plan(&r), 0);
    assert_int_equal(r.plan.steps[0].words[0], 3600);
    (void)state;
}

static void scales_into_the_register(void **state)
{
    struct rig r = RIG(write_of(5, TYPE_S16, -12.3), write_of(6, TYPE_F32, 21.5));

    r.steps[0].scale = 0.1;
    r.steps[1].offset = 20;
    assert_int_equal(plan(&r), 0);
    assert_int_equal(r.plan.steps[0].words[0], (uint16_t)-123);
    assert_int_equal(r.plan.steps[1].words[0], 0x3FC0); /* 1.5 */
    (void)state;
}

static void follows_the_order_of_step_device_and_profile(void **state)
{
    struct rig r = RIG(write_of(5, TYPE_U32, 0x10002));

    r.p.order = ORDER_CDAB;
    assert_int_equal(plan(&r), 0);
    assert_int_equal(r.plan.steps[0].words[0], 2);
    assert_int_equal(plan_in(&r, ORDER_ABCD), 0);
    assert_int_equal(r.plan.steps[0].words[0], 1);
    r.steps[0].order = ORDER_BADC;
    assert_int_equal(plan_in(&r, ORDER_ABCD), 0);
    assert_int_equal(r.plan.steps[0].words[0], 0x0100);
    (void)state;
}

static void writes_coils_as_bits(void **state)
{
    struct profile_step on = { .kind = STEP_WRITE,
                               .at = { SPACE_COIL, 3, 1, -1 },
                               .type = TYPE_BIT,
                               .order = -1,
                               .value = 1,
                               .scale = 1,
                               .is_multiple = true };
    struct profile_step off = on;

    off.at.first = 4;
    off.value = 0;
    struct rig r = RIG(on, joined(off));
    assert_int_equal(plan(&r), 0);
    assert_int_equal(r.plan.n, 1);
    assert_int_equal(r.plan.steps[0].at.space, SPACE_COIL);
    assert_int_equal(r.plan.steps[0].n, 2);
    assert_int_equal(r.plan.steps[0].words[0], 1);
    assert_int_equal(r.plan.steps[0].words[1], 0);
    assert_true(r.plan.steps[0].is_multiple);
    (void)state;
}

static void wants_a_parameter_without_default(void **state)
{
    struct rig r = RIG(write_of(5, TYPE_U16, 1));

    r.value[1] = NAN;
    assert_int_equal(plan(&r), -EINVAL);
    assert_int_equal(r.parameter, 1);
    (void)state;
}

static void refuses_a_value_outside_its_range(void **state)
{
    static const double values[] = { 0, 3601, -1, 1e300, INFINITY };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct rig r = RIG(write_of(5, TYPE_U16, 1));
        r.value[0] = values[i];
        assert_int_equal(plan(&r), -ERANGE);
        assert_int_equal(r.parameter, 0);
    }
    (void)state;
}

static void refuses_a_fraction_where_a_whole_number_is_asked(void **state)
{
    struct rig r = RIG(write_of(5, TYPE_U16, 1));

    r.value[0] = 1.5;
    assert_int_equal(plan(&r), -EINVAL);
    assert_int_equal(r.parameter, 0);
    r.value[0] = 2;
    r.value[1] = 1.5;
    assert_int_equal(plan(&r), 0);
    (void)state;
}

static void refuses_what_does_not_fit_the_register(void **state)
{
    struct rig r = RIG(write_of(5, TYPE_U16, 70000));
    struct rig p = RIG(from(write_of(5, TYPE_U16, 0), FROM_PARAMETER));

    assert_int_equal(plan(&r), -ERANGE);
    assert_int_equal(r.parameter, 2); /* of no parameter */
    p.params[0].max = 1e6;
    p.value[0] = 65536;
    assert_int_equal(plan(&p), -ERANGE);
    assert_int_equal(p.parameter, 0);
    (void)state;
}

static void refuses_a_request_that_is_too_long(void **state)
{
    struct profile_step steps[COMMAND_WORDS_MAX / 4 + 1];

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        steps[i] = joined(write_of((uint16_t)(4 * i), TYPE_U64, 1));
    struct rig r = rig_of(COMMAND_WORDS_MAX / 4, steps);
    assert_int_equal(plan(&r), 0);
    assert_int_equal(r.plan.steps[0].n, COMMAND_WORDS_MAX);
    r = rig_of(COMMAND_WORDS_MAX / 4 + 1, steps);
    assert_int_equal(plan(&r), -E2BIG);
    (void)state;
}

static void refuses_more_steps_than_a_plan_holds(void **state)
{
    struct profile_step steps[COMMAND_STEPS_MAX + 1];

    for (size_t i = 0; i <= COMMAND_STEPS_MAX; i++)
        steps[i] = write_of((uint16_t)(2 * i), TYPE_U16, 1);
    struct rig r = rig_of(COMMAND_STEPS_MAX, steps);
    assert_int_equal(plan(&r), 0);
    r = rig_of(COMMAND_STEPS_MAX + 1, steps);
    assert_int_equal(plan(&r), -E2BIG);
    (void)state;
}

static void leaves_the_plan_alone_after_an_error(void **state)
{
    struct rig r = RIG(write_of(5, TYPE_U16, 70000));

    r.plan.n = 99;
    assert_int_equal(plan(&r), -ERANGE);
    assert_int_equal(r.plan.n, 99);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_command_by_its_id),
        cmocka_unit_test(plans_steps_one_after_another),
        cmocka_unit_test(sets_a_clock_in_one_request),
        cmocka_unit_test(writes_the_clock_as_bcd_and_as_seconds),
        cmocka_unit_test(knows_the_clock_before_1970),
        cmocka_unit_test(gives_parameters_their_default),
        cmocka_unit_test(scales_into_the_register),
        cmocka_unit_test(follows_the_order_of_step_device_and_profile),
        cmocka_unit_test(writes_coils_as_bits),
        cmocka_unit_test(wants_a_parameter_without_default),
        cmocka_unit_test(refuses_a_value_outside_its_range),
        cmocka_unit_test(refuses_a_fraction_where_a_whole_number_is_asked),
        cmocka_unit_test(refuses_what_does_not_fit_the_register),
        cmocka_unit_test(refuses_a_request_that_is_too_long),
        cmocka_unit_test(refuses_more_steps_than_a_plan_holds),
        cmocka_unit_test(leaves_the_plan_alone_after_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
