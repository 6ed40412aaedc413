/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "gateway/poll/device.h"
#include "tests/unit/poll_sheet.h"

/* ---- a device alone, with replies made up ---- */

struct bench {
    struct sheet sheet;
    struct device d;
    struct reading readings[POINTS];
    struct plan_piece left_out;
    enum health_change change;
};

static void setup(struct bench *b)
{
    memset(b, 0, sizeof *b);
    sheet_init(&b->sheet);
    assert_int_equal(device_init(&b->d, &b->sheet.conf, 0), 0);
    device_begin(&b->d, 0, 0, 5000);
}

static enum device_step take(struct bench *b, enum bus_outcome outcome, uint8_t exception)
{
    struct bus_request q = device_ask(&b->d);
    struct bus_reply r = { .outcome = outcome,
                           .exception = exception,
                           .time_ms = 6000,
                           .took_ms = 12,
                           .n = outcome == BUS_OK ? q.count : 0 };

    for (uint16_t i = 0; i < r.n; i++)
        r.words[i] = (uint16_t)(q.first + i);
    return device_take(&b->d, &r, 0, &b->left_out);
}

static enum scan_outcome end(struct bench *b)
{
    return device_end(&b->d, b->readings, &b->change);
}

static void asks_block_after_block_and_decodes(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    struct bus_request q = device_ask(&b.d);
    assert_int_equal(q.unit, UNIT);
    assert_int_equal(q.function, 3);
    assert_int_equal(q.timeout_ms, TIMEOUT_MS);
    assert_int_equal(take(&b, BUS_OK, 0), DEVICE_ASK);
    assert_int_equal(take(&b, BUS_OK, 0), DEVICE_DONE);
    assert_int_equal(end(&b), SCAN_OK);
    assert_int_equal(b.change, HEALTH_CAME_ONLINE);
    assert_int_equal(b.readings[3].value.v, 101);
    assert_int_equal(b.d.time_ms, 6000);
    assert_int_equal(b.d.counters.answers, 2);
    device_done(&b.d);
}

static void tries_as_often_as_the_profile_says(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    assert_int_equal(take(&b, BUS_NO_ANSWER, 0), DEVICE_ASK);
    assert_int_equal(take(&b, BUS_NO_ANSWER, 0), DEVICE_DONE);
    assert_int_equal(end(&b), SCAN_NO_ANSWER);
    assert_int_equal(b.readings[0].verdict.status, STATUS_NO_COMMUNICATION);
    assert_int_equal(b.readings[0].verdict.grade, GRADE_MISSING);
    assert_false(decimal_has_value(b.readings[0].value));
    device_done(&b.d);
}

static void probes_a_silent_device_once(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    for (int i = 0; i < HEALTH_FAILURES_MAX; i++) {
        device_begin(&b.d, 0, 0, 0);
        while (take(&b, BUS_NO_ANSWER, 0) != DEVICE_DONE)
            ;
        end(&b);
    }
    assert_int_equal(b.change, HEALTH_WENT_SILENT);
    device_begin(&b.d, 0, 0, 0);
    assert_int_equal(take(&b, BUS_NO_ANSWER, 0), DEVICE_DONE);
    device_done(&b.d);
}

static void goes_on_when_only_one_block_is_mute(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    take(&b, BUS_OK, 0);
    take(&b, BUS_NO_ANSWER, 0);
    assert_int_equal(take(&b, BUS_NO_ANSWER, 0), DEVICE_DONE);
    assert_int_equal(end(&b), SCAN_OK);
    assert_true(decimal_has_value(b.readings[0].value));
    assert_false(decimal_has_value(b.readings[2].value));
    device_done(&b.d);
}

static void begins_with_another_block_after_a_failure(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    assert_int_equal(device_ask(&b.d).first, 0);
    take(&b, BUS_NO_ANSWER, 0);
    take(&b, BUS_NO_ANSWER, 0);
    end(&b);
    device_begin(&b.d, 0, 0, 0);
    assert_int_equal(device_ask(&b.d).first, 100);
    device_done(&b.d);
}

static void leaves_out_what_is_refused_and_keeps_the_rest(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    assert_int_equal(take(&b, BUS_EXCEPTION, 2), DEVICE_ASK); /* 0..1 refused: split */
    assert_int_equal(device_ask(&b.d).count, 1);
    assert_int_equal(take(&b, BUS_EXCEPTION, 2), DEVICE_ASK); /* 0 refused: left out */
    assert_int_equal(b.left_out.first, 0);
    assert_int_equal(b.left_out.count, 1);
    assert_int_equal(take(&b, BUS_OK, 0), DEVICE_ASK);
    assert_int_equal(take(&b, BUS_OK, 0), DEVICE_DONE);
    assert_int_equal(end(&b), SCAN_OK);
    assert_false(decimal_has_value(b.readings[0].value));
    assert_int_equal(b.readings[1].value.v, 1);
    assert_int_equal(b.d.counters.left_out, 1);
    device_done(&b.d);
}

static void tries_left_out_registers_again_later(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    take(&b, BUS_EXCEPTION, 2);
    take(&b, BUS_EXCEPTION, 2);
    take(&b, BUS_OK, 0);
    take(&b, BUS_OK, 0);
    end(&b);
    device_begin(&b.d, 0, DEVICE_RETRY_FIRST_MS - 1, 0);
    assert_int_equal(device_ask(&b.d).first, 1);
    device_begin(&b.d, 0, DEVICE_RETRY_FIRST_MS, 0);
    assert_int_equal(device_ask(&b.d).first, 0);
    assert_int_equal(device_ask(&b.d).count, 1); /* alone: the others are not put at risk */
    while (take(&b, BUS_OK, 0) != DEVICE_DONE)
        ;
    end(&b);
    assert_int_equal(b.d.counters.left_out, 0);
    device_begin(&b.d, 0, DEVICE_RETRY_FIRST_MS + 1, 0);
    assert_int_equal(device_ask(&b.d).count, 2);
    device_done(&b.d);
}

static void starts_afresh_when_everything_was_refused(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    for (int i = 0; take(&b, BUS_EXCEPTION, 1) != DEVICE_DONE; i++)
        assert_true(i < 10);
    assert_int_equal(end(&b), SCAN_EXCEPTION);
    device_begin(&b.d, 0, 1000, 0);
    assert_int_equal(device_ask(&b.d).count, 2);
    device_done(&b.d);
}

static void does_not_ask_for_every_register_of_a_device_that_refuses_all(void **state)
{
    enum { MANY = 64 };
    struct profile_span span = { SPACE_HOLDING, 0, MANY, 0 };
    struct bench b;
    int asked = 0;

    (void)state;
    memset(&b, 0, sizeof b);
    sheet_init(&b.sheet);
    b.sheet.profile.spans = &span;
    b.sheet.profile.spans_n = 1;
    b.sheet.profile.words_n = MANY;
    assert_int_equal(device_init(&b.d, &b.sheet.conf, 0), 0);
    device_begin(&b.d, 0, 0, 0);
    do
        asked++;
    while (take(&b, BUS_EXCEPTION, 2) != DEVICE_DONE);
    assert_int_equal(asked, DEVICE_REFUSALS_MAX);
    assert_int_equal(end(&b), SCAN_EXCEPTION);
    device_done(&b.d);
}

static void gives_a_busy_device_time(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    assert_int_equal(take(&b, BUS_EXCEPTION, 6), DEVICE_REST);
    assert_int_equal(b.d.rest_ms, DEVICE_BUSY_REST_MS);
    assert_int_equal(take(&b, BUS_OK, 0), DEVICE_ASK);
    device_done(&b.d);
}

static void believes_a_gateway_that_the_target_is_mute(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    assert_int_equal(take(&b, BUS_EXCEPTION, 11), DEVICE_DONE); /* it has waited already */
    assert_int_equal(end(&b), SCAN_NO_TARGET);
    assert_int_equal(b.d.counters.answers, 0);
    assert_int_equal(b.d.counters.exceptions, 0);
    assert_int_equal(b.d.counters.timeouts, 1);
    device_done(&b.d);
}

static void gives_a_gateway_without_a_path_time(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    assert_int_equal(take(&b, BUS_EXCEPTION, 10), DEVICE_REST);
    assert_int_equal(take(&b, BUS_EXCEPTION, 10), DEVICE_DONE);
    assert_int_equal(end(&b), SCAN_NO_PATH);
    assert_int_equal(b.d.counters.exceptions, 0);
    assert_int_equal(b.d.counters.link_errors, 2);
    device_done(&b.d);
}

static void waits_longer_for_a_device_that_was_late(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    device_late(&b.d, 80);
    assert_int_equal(device_ask(&b.d).timeout_ms, 100);
    device_late(&b.d, 10000);
    assert_int_equal(device_ask(&b.d).timeout_ms, TIMEOUT_MS * DEVICE_STRETCH_MAX);
    assert_int_equal(b.d.counters.late_answers, 2);
    device_done(&b.d);
}

/* ---- which variant it is ---- */

enum { MODEL_AT = 500, OLD_MODEL = 7, NEW_MODEL = 8 };

/* Two variants told apart by one register; the second one reads only its first block. */
struct variants {
    struct bench bench;
    struct profile_identify when[2];
    struct profile variant[2];
    struct profile *list[2];
};

static void variants_setup(struct variants *v)
{
    memset(v, 0, sizeof *v);
    sheet_init(&v->bench.sheet);
    for (int i = 0; i < 2; i++) {
        v->when[i] = (struct profile_identify){ .mei = -1,
                                                .at = { SPACE_HOLDING, MODEL_AT, 1, -1 },
                                                .type = TYPE_U16,
                                                .in_min = OLD_MODEL + i,
                                                .in_max = OLD_MODEL + i };
        v->variant[i] = v->bench.sheet.profile;
        v->variant[i].variant = i == 0 ? "old" : "new";
        v->variant[i].when = &v->when[i];
        v->variant[i].when_n = 1;
        v->list[i] = &v->variant[i];
    }
    v->variant[1].spans_n = 1;
    v->bench.sheet.profile.variants = v->list;
    v->bench.sheet.profile.variants_n = 2;
    assert_int_equal(device_init(&v->bench.d, &v->bench.sheet.conf, 0), 0);
    device_begin(&v->bench.d, 0, 0, 5000);
}

static enum device_step take_model(struct variants *v, uint16_t model)
{
    const struct bus_reply r = { .outcome = BUS_OK, .n = 1, .words = { model } };

    assert_int_equal(device_ask(&v->bench.d).first, MODEL_AT);
    return device_take(&v->bench.d, &r, 0, &v->bench.left_out);
}

static void asks_which_variant_it_is_before_the_first_scan(void **state)
{
    struct variants v;

    (void)state;
    variants_setup(&v);
    assert_int_equal(take_model(&v, NEW_MODEL), DEVICE_ASK); /* not the old one */
    assert_int_equal(take_model(&v, NEW_MODEL), DEVICE_ASK);
    assert_string_equal(v.bench.d.profile->variant, "new");
    assert_int_equal(take(&v.bench, BUS_OK, 0), DEVICE_DONE); /* one block only */
    assert_int_equal(end(&v.bench), SCAN_OK);
    assert_int_equal(v.bench.readings[1].value.v, 1);
    assert_false(decimal_has_value(v.bench.readings[2].value));
    device_begin(&v.bench.d, 0, 1000, 6000);
    assert_int_equal(device_ask(&v.bench.d).first, 0);
    device_done(&v.bench.d);
}

static void is_as_the_profile_says_when_no_variant_fits(void **state)
{
    struct variants v;

    (void)state;
    variants_setup(&v);
    take_model(&v, 1);
    assert_int_equal(take_model(&v, 1), DEVICE_ASK);
    assert_null(v.bench.d.profile->variant);
    assert_true(v.bench.d.is_chosen);
    assert_int_equal(device_ask(&v.bench.d).first, 0);
    device_done(&v.bench.d);
}

static void asks_again_when_it_comes_back_from_silence(void **state)
{
    struct variants v;

    (void)state;
    variants_setup(&v);
    take_model(&v, OLD_MODEL);
    assert_string_equal(v.bench.d.profile->variant, "old");
    take(&v.bench, BUS_OK, 0);
    take(&v.bench, BUS_OK, 0);
    end(&v.bench);
    for (int i = 0; i < HEALTH_FAILURES_MAX; i++) {
        device_begin(&v.bench.d, 0, 0, 0);
        while (take(&v.bench, BUS_NO_ANSWER, 0) != DEVICE_DONE)
            ;
        end(&v.bench);
    }
    device_begin(&v.bench.d, 0, 0, 0); /* somebody put another instrument there */
    take_model(&v, NEW_MODEL);
    take_model(&v, NEW_MODEL);
    assert_string_equal(v.bench.d.profile->variant, "new");
    device_done(&v.bench.d);
}

static void a_mute_device_is_no_variant(void **state)
{
    struct variants v;

    (void)state;
    variants_setup(&v);
    assert_int_equal(take(&v.bench, BUS_NO_ANSWER, 0), DEVICE_ASK);
    assert_int_equal(take(&v.bench, BUS_NO_ANSWER, 0), DEVICE_DONE);
    assert_int_equal(end(&v.bench), SCAN_NO_ANSWER);
    assert_false(v.bench.d.is_chosen);
    device_done(&v.bench.d);
}

/* Some devices leave a function that they do not know without an answer. */
static void takes_silence_at_an_identification_for_no(void **state)
{
    struct variants v;

    (void)state;
    variants_setup(&v);
    v.when[0].mei = 1;
    assert_int_equal(device_ask(&v.bench.d).function, BUS_IDENTIFY);
    assert_int_equal(take(&v.bench, BUS_NO_ANSWER, 0), DEVICE_ASK);
    assert_int_equal(take(&v.bench, BUS_NO_ANSWER, 0), DEVICE_ASK);
    assert_int_equal(take_model(&v, NEW_MODEL), DEVICE_ASK);
    assert_string_equal(v.bench.d.profile->variant, "new");
    device_done(&v.bench.d);
}

static void a_device_that_fails_at_every_test_is_asked_once_each(void **state)
{
    struct variants v;

    (void)state;
    variants_setup(&v);
    assert_int_equal(take(&v.bench, BUS_EXCEPTION, 4), DEVICE_ASK);
    assert_int_equal(take(&v.bench, BUS_EXCEPTION, 4), DEVICE_ASK);
    assert_true(v.bench.d.is_chosen);
    device_done(&v.bench.d);
}

/* ---- what it learns ---- */

/* Behind a slow device a hole is cheap, however wide; a quick one is asked twice. */
static void plans_by_the_turnaround_it_has_measured(void **state)
{
    struct load_line line;
    struct bench b;

    (void)state;
    load_line_of(&(struct bus_place){ .type = BUS_MODBUS_RTU,
                                      .baud = 9600,
                                      .parity = 'N',
                                      .data_bits = 8,
                                      .stop_bits = 1 },
                 &line);
    memset(&b, 0, sizeof b);
    sheet_init(&b.sheet);
    b.sheet.profile.read_gap = 100;
    assert_int_equal(device_init(&b.d, &b.sheet.conf, 0), 0);
    device_know_line(&b.d, &line);
    assert_int_equal(b.d.plan.requests_n, 2);
    for (int i = 0; i <= DEVICE_LEARN_ANSWERS / 2; i++) {
        device_begin(&b.d, 0, 0, 0);
        do {
            struct bus_request q = device_ask(&b.d);
            struct bus_reply r = { .outcome = BUS_OK, .took_ms = 400, .n = q.count };
            device_take(&b.d, &r, 0, &b.left_out);
        } while (b.d.request < b.d.plan.requests_n);
        assert_int_equal(end(&b), SCAN_OK);
    }
    assert_int_equal(b.d.plan.requests_n, 1);
    device_done(&b.d);
}

static void tries_cuts_again_after_a_day(void **state)
{
    struct bench b;

    (void)state;
    memset(&b, 0, sizeof b);
    sheet_init(&b.sheet);
    b.sheet.profile.read_gap = 100;
    assert_int_equal(device_init(&b.d, &b.sheet.conf, 0), 0);
    device_begin(&b.d, 0, 0, 0);
    assert_int_equal(device_ask(&b.d).count, 102);
    assert_int_equal(take(&b, BUS_EXCEPTION, 2), DEVICE_ASK); /* the hole, it turns out */
    take(&b, BUS_OK, 0);
    assert_int_equal(take(&b, BUS_OK, 0), DEVICE_DONE);
    assert_int_equal(end(&b), SCAN_OK);
    assert_int_equal(b.readings[3].value.v, 101);
    assert_int_equal(b.left_out.count, 0); /* nothing is missing: nothing to tell */
    device_begin(&b.d, 0, DEVICE_RETRY_MAX_MS - 1, 0);
    assert_int_equal(device_ask(&b.d).count, 2);
    device_begin(&b.d, 0, DEVICE_RETRY_MAX_MS, 0);
    assert_int_equal(device_ask(&b.d).count, 102);
    device_done(&b.d);
}

static void hands_the_read_pause_to_the_bus(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    b.sheet.profile.read_pause_ms = 30;
    assert_int_equal(device_ask(&b.d).pause_ms, 30);
    assert_int_equal(take(&b, BUS_OK, 0), DEVICE_ASK); /* no rest besides */
    device_done(&b.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_block_after_block_and_decodes),
        cmocka_unit_test(tries_as_often_as_the_profile_says),
        cmocka_unit_test(probes_a_silent_device_once),
        cmocka_unit_test(goes_on_when_only_one_block_is_mute),
        cmocka_unit_test(begins_with_another_block_after_a_failure),
        cmocka_unit_test(leaves_out_what_is_refused_and_keeps_the_rest),
        cmocka_unit_test(tries_left_out_registers_again_later),
        cmocka_unit_test(starts_afresh_when_everything_was_refused),
        cmocka_unit_test(does_not_ask_for_every_register_of_a_device_that_refuses_all),
        cmocka_unit_test(gives_a_busy_device_time),
        cmocka_unit_test(believes_a_gateway_that_the_target_is_mute),
        cmocka_unit_test(gives_a_gateway_without_a_path_time),
        cmocka_unit_test(waits_longer_for_a_device_that_was_late),
        cmocka_unit_test(asks_which_variant_it_is_before_the_first_scan),
        cmocka_unit_test(is_as_the_profile_says_when_no_variant_fits),
        cmocka_unit_test(asks_again_when_it_comes_back_from_silence),
        cmocka_unit_test(a_mute_device_is_no_variant),
        cmocka_unit_test(takes_silence_at_an_identification_for_no),
        cmocka_unit_test(a_device_that_fails_at_every_test_is_asked_once_each),
        cmocka_unit_test(plans_by_the_turnaround_it_has_measured),
        cmocka_unit_test(tries_cuts_again_after_a_day),
        cmocka_unit_test(hands_the_read_pause_to_the_bus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
