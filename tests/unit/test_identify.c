/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

#include "sensors/profile/identify.h"

#define REGISTERS(first_, count_) \
    { \
        SPACE_HOLDING, first_, count_, -1 \
    }

static const struct profile_identify mei_name = {
    .is_needed = true, .mei = 1, .type = TYPE_TEXT, .equals_text = "AQT530"
};
static const struct profile_identify type_code = {
    .mei = -1, .at = REGISTERS(6, 1), .type = TYPE_U16, .in_min = 4, .in_max = 4
};
static const struct profile_identify box_temp = {
    .mei = -1, .at = REGISTERS(44, 2), .type = TYPE_F32, .in_min = 0, .in_max = 60
};
static const struct profile_identify model = { .is_needed = true,
                                               .mei = -1,
                                               .at = REGISTERS(10, 3),
                                               .type = TYPE_TEXT,
                                               .equals_text = "49iQ*",
                                               .is_pattern = true };

static struct identify_answer words(const uint16_t *w)
{
    return (struct identify_answer){ .kind = ANSWER_WORDS, .words = w };
}

static struct identify_answer text(const char *t)
{
    return (struct identify_answer){ .kind = ANSWER_TEXT, .text = t };
}

static const struct identify_answer nothing = { .kind = ANSWER_NONE };
static const struct identify_answer refused = { .kind = ANSWER_REFUSED };

static void compares_an_object_without_its_padding(void **state)
{
    const struct profile p = { 0 };
    struct identify_answer padded = text("AQT530  "), other = text("AQT560");

    (void)state;
    assert_int_equal(identify_test(&p, &mei_name, &padded), 1);
    assert_int_equal(identify_test(&p, &mei_name, &other), 0);
}

static void knows_nothing_of_what_was_not_answered(void **state)
{
    const struct profile p = { 0 };

    (void)state;
    assert_int_equal(identify_test(&p, &mei_name, &nothing), -1);
    assert_int_equal(identify_test(&p, &type_code, &refused), 0);
}

static void compares_registers_in_the_word_order_of_the_profile(void **state)
{
    const struct profile high_first = { .order = ORDER_ABCD },
                         low_first = { .order = ORDER_CDAB };
    const uint16_t w[] = { 0x4204, 0x0000 }; /* 33.0 */
    struct identify_answer a = words(w);

    (void)state;
    assert_int_equal(identify_test(&high_first, &box_temp, &a), 1);
    assert_int_equal(identify_test(&low_first, &box_temp, &a), 1); /* 0.0, just inside */
    const uint16_t hot[] = { 0x42F6, 0x4204 };
    a = words(hot);
    assert_int_equal(identify_test(&high_first, &box_temp, &a), 0);
    assert_int_equal(identify_test(&low_first, &box_temp, &a), 1);
}

static void takes_no_value_for_a_number_in_a_range(void **state)
{
    const struct profile p = { 0 };
    const uint16_t nan_words[] = { 0x7FC0, 0 };
    struct identify_answer a = words(nan_words), t = text("33");

    (void)state;
    assert_int_equal(identify_test(&p, &box_temp, &a), 0);
    assert_int_equal(identify_test(&p, &box_temp, &t), 0);
}

static void reads_a_text_in_registers_as_a_pattern(void **state)
{
    const struct profile p = { 0 };
    const uint16_t yes[] = { '4' << 8 | '9', 'i' << 8 | 'Q', 'O' << 8 },
                   no[] = { '4' << 8 | '3', 'i' << 8 | 'Q', 0 };
    struct identify_answer a = words(yes), b = words(no);

    (void)state;
    assert_int_equal(identify_test(&p, &model, &a), 1);
    assert_int_equal(identify_test(&p, &model, &b), 0);
}

static void reads_one_bit(void **state)
{
    const struct profile p = { 0 };
    const struct profile_identify bit = {
        .mei = -1, .at = { SPACE_HOLDING, 3, 1, 9 }, .type = TYPE_BIT, .in_min = 1, .in_max = 1
    };
    const uint16_t set[] = { 1 << 9 }, clear[] = { 0xFDFF };
    struct identify_answer a = words(set), b = words(clear);

    (void)state;
    assert_int_equal(identify_test(&p, &bit, &a), 1);
    assert_int_equal(identify_test(&p, &bit, &b), 0);
}

static void scores_needed_and_other_tests_apart(void **state)
{
    struct profile_identify tests[] = { mei_name, type_code, box_temp };
    const struct profile p = { .identify = tests, .identify_n = 3 };
    const uint16_t code[] = { 4 };
    const struct identify_answer answers[] = { text("AQT530"), words(code), nothing };
    struct identify_score s;

    (void)state;
    identify_score(&p, answers, &s);
    assert_int_equal(s.needed, 1);
    assert_int_equal(s.needed_hits, 1);
    assert_int_equal(s.others, 2);
    assert_int_equal(s.other_hits, 1);
    assert_int_equal(s.unknown, 1);
    assert_true(s.is_match);
    assert_true(s.is_possible);
}

static void never_matches_without_a_needed_test(void **state)
{
    struct profile_identify tests[] = { type_code };
    const struct profile p = { .identify = tests, .identify_n = 1 };
    const struct profile empty = { 0 };
    const uint16_t code[] = { 4 };
    const struct identify_answer answers[] = { words(code) };
    struct identify_score s;

    (void)state;
    identify_score(&p, answers, &s);
    assert_false(s.is_match);
    assert_true(s.is_possible);
    identify_score(&empty, NULL, &s);
    assert_false(s.is_match);
    assert_true(s.is_possible);
}

static void is_not_possible_with_one_test_against_it(void **state)
{
    struct profile_identify tests[] = { mei_name, type_code };
    const struct profile p = { .identify = tests, .identify_n = 2 };
    const struct identify_answer answers[] = { text("AQT530"), refused };
    struct identify_score s;

    (void)state;
    identify_score(&p, answers, &s);
    assert_true(s.is_match);
    assert_false(s.is_possible);
}

static void prints_what_the_device_said_without_control_characters(void **state)
{
    const struct profile p = { 0 };
    const uint16_t code[] = { 633 };
    struct identify_answer a = text("AQ\033[2J "), b = words(code);
    char buf[32];

    (void)state;
    identify_print(&p, &mei_name, &a, buf, sizeof buf);
    assert_string_equal(buf, "AQ?[2J");
    identify_print(&p, &type_code, &b, buf, sizeof buf);
    assert_string_equal(buf, "633");
    identify_print(&p, &type_code, &refused, buf, sizeof buf);
    assert_string_equal(buf, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_an_object_without_its_padding),
        cmocka_unit_test(knows_nothing_of_what_was_not_answered),
        cmocka_unit_test(compares_registers_in_the_word_order_of_the_profile),
        cmocka_unit_test(takes_no_value_for_a_number_in_a_range),
        cmocka_unit_test(reads_a_text_in_registers_as_a_pattern),
        cmocka_unit_test(reads_one_bit),
        cmocka_unit_test(scores_needed_and_other_tests_apart),
        cmocka_unit_test(never_matches_without_a_needed_test),
        cmocka_unit_test(is_not_possible_with_one_test_against_it),
        cmocka_unit_test(prints_what_the_device_said_without_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
