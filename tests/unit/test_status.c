/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "sensors/core/status.h"
#include "tests/unit/unit.h"

enum { REASONS_STORED_N = 26, REASONS_N = 31 };

static void assert_verdict(struct verdict v, enum status s, enum grade g, uint32_t reasons)
{
    assert_int_equal(v.status, s);
    assert_int_equal(v.grade, g);
    assert_int_equal(v.reasons, reasons);
}

static bool has_chinese(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0xE4 && (unsigned char)*s <= 0xE9)
            return true;
    return false;
}

static void valid_and_good_is_flag_zero(void **state)
{
    (void)state;
    assert_int_equal(verdict_to_flag((struct verdict){ 0 }), 0);
    assert_verdict(verdict_from_flag(0), STATUS_VALID, GRADE_GOOD, 0);
}

static void the_bits_stand_where_the_format_says(void **state)
{
    (void)state;
    assert_int_equal(verdict_to_flag((struct verdict){ STATUS_MANUAL, GRADE_GOOD, 0 }), 7);
    assert_int_equal(verdict_to_flag((struct verdict){ STATUS_VALID, GRADE_MISSING, 0 }),
                     4 << 3);
    assert_int_equal(
        verdict_to_flag((struct verdict){ STATUS_VALID, GRADE_GOOD, REASON_FRAME }), 1 << 6);
    assert_int_equal(
        verdict_to_flag((struct verdict){ STATUS_VALID, GRADE_GOOD, REASON_CLIMATE }),
        1u << 31);
}

static void every_status_grade_and_reason_survives_the_flag(void **state)
{
    (void)state;
    for (uint32_t s = 0; s < STATUS_COUNT_; s++)
        for (uint32_t g = 0; g < GRADE_COUNT_; g++)
            for (int bit = -1; bit < REASONS_STORED_N; bit++) {
                const uint32_t reasons = bit < 0 ? 0 : UINT32_C(1) << bit;
                const uint32_t flag = s | g << 3 | reasons << 6;
                const struct verdict v = verdict_from_flag(flag);
                assert_int_equal(v.status, s);
                assert_int_equal(v.grade, g);
                assert_int_equal(v.reasons & reasons, reasons);
                assert_int_equal(verdict_to_flag(v), flag);
            }
}

static void implied_reasons_take_no_bit_and_come_back(void **state)
{
    static const struct verdict all[] = {
        { STATUS_MAINTENANCE, GRADE_BAD, REASON_MAINT },
        { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL },
        { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO },
        { STATUS_OVER_RANGE, GRADE_SUSPECT, REASON_ABOVE_RANGE },
        { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM },
        { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_FRAME },
        { STATUS_STOPPED, GRADE_MISSING, REASON_NO_VALUE },
        { STATUS_VALID, GRADE_MISSING, REASON_POWER },
        { STATUS_VALID, GRADE_MISSING, REASON_DISABLED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const struct verdict v = verdict_from_flag(verdict_to_flag(all[i]));
        assert_verdict(v, (enum status)all[i].status, (enum grade)all[i].grade, all[i].reasons);
    }
    assert_true(verdict_to_flag(all[0]) < 1 << 6);
}

static void any_32_bits_are_accepted(void **state)
{
    uint32_t flag = 1;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        flag = flag * 1664525u + 1013904223u;
        const struct verdict v = verdict_from_flag(flag);
        assert_true(v.status < STATUS_COUNT_ && v.grade < GRADE_COUNT_);
        assert_int_equal(v.reasons & ((1u << REASONS_STORED_N) - 1), flag >> 6);
        assert_true(strchr("NDMCFTBS", verdict_hj212(v)) != NULL);
    }
    assert_int_equal(verdict_from_flag(7 << 3).grade, GRADE_BAD);
}

static void the_worst_status_and_grade_win(void **state)
{
    static const uint8_t by_rank[] = { STATUS_VALID,       STATUS_MANUAL,
                                       STATUS_STOPPED,     STATUS_NO_COMMUNICATION,
                                       STATUS_OVER_RANGE,  STATUS_FAULT,
                                       STATUS_CALIBRATION, STATUS_MAINTENANCE };
    static const uint8_t grades[] = { GRADE_NOT_EVALUATED, GRADE_GOOD, GRADE_SUSPECT, GRADE_BAD,
                                      GRADE_MISSING };

    (void)state;
    for (size_t i = 0; i < sizeof by_rank; i++)
        for (size_t j = 0; j <= i; j++) {
            const struct verdict a = { by_rank[i], GRADE_GOOD, 1 };
            const struct verdict b = { by_rank[j], GRADE_GOOD, 2 };
            assert_verdict(verdict_merge(a, b), (enum status)by_rank[i], GRADE_GOOD, 3);
            assert_verdict(verdict_merge(b, a), (enum status)by_rank[i], GRADE_GOOD, 3);
        }
    for (size_t i = 0; i < sizeof grades; i++)
        for (size_t j = 0; j <= i; j++) {
            const struct verdict a = { 0, grades[i], 0 }, b = { 0, grades[j], 0 };
            assert_int_equal(verdict_merge(a, b).grade, grades[i]);
            assert_int_equal(verdict_merge(b, a).grade, grades[i]);
        }
}

static void a_check_adds_but_never_improves(void **state)
{
    struct verdict v = { STATUS_FAULT, GRADE_BAD, REASON_INSTR };

    (void)state;
    v = verdict_add(v, GRADE_GOOD, 0);
    assert_verdict(v, STATUS_FAULT, GRADE_BAD, REASON_INSTR);
    v = verdict_add(v, GRADE_SUSPECT, REASON_SPIKE);
    assert_verdict(v, STATUS_FAULT, GRADE_BAD, REASON_INSTR | REASON_SPIKE);
}

static void gap_and_clock_cap_good_to_not_evaluated(void **state)
{
    const struct verdict good = { 0 };
    const struct verdict suspect = { STATUS_VALID, GRADE_SUSPECT, REASON_RATE };

    (void)state;
    assert_int_equal(verdict_add(good, GRADE_NOT_EVALUATED, REASON_AFTER_GAP).grade,
                     GRADE_NOT_EVALUATED);
    assert_int_equal(verdict_add(good, GRADE_GOOD, REASON_CLK_UNSYNC).grade,
                     GRADE_NOT_EVALUATED);
    assert_int_equal(verdict_add(suspect, GRADE_NOT_EVALUATED, REASON_AFTER_GAP).grade,
                     GRADE_SUSPECT);
    assert_int_equal(verdict_add(good, GRADE_NOT_EVALUATED, 0).grade, GRADE_GOOD);
}

static void words_of_profiles_mean_what_the_table_says(void **state)
{
    static const struct {
        const char *word;
        struct verdict v;
        char hj212;
    } table[] = {
        /* facts: quality control, 2.1 */
        { "good", { STATUS_VALID, GRADE_GOOD, 0 }, 'N' },
        { "measuring", { STATUS_VALID, GRADE_GOOD, 0 }, 'N' },
        { "uncertain", { STATUS_VALID, GRADE_SUSPECT, REASON_INSTR }, 'N' },
        { "invalid", { STATUS_FAULT, GRADE_BAD, REASON_INSTR }, 'D' },
        { "fault", { STATUS_FAULT, GRADE_BAD, REASON_INSTR }, 'D' },
        { "maintenance", { STATUS_MAINTENANCE, GRADE_BAD, REASON_MAINT }, 'M' },
        { "zero", { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO }, 'C' },
        { "span", { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_SPAN }, 'C' },
        { "calibration", { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL }, 'C' },
        { "warmup", { STATUS_STOPPED, GRADE_BAD, REASON_WARMUP }, 'F' },
        { "missing", { STATUS_STOPPED, GRADE_MISSING, REASON_NO_VALUE }, 'F' },
        { "below_range", { STATUS_FAULT, GRADE_SUSPECT, REASON_BELOW_RANGE }, 'D' },
        { "above_range", { STATUS_OVER_RANGE, GRADE_SUSPECT, REASON_ABOVE_RANGE }, 'T' },
    };
    struct verdict v = { 1, 2, 3 };

    (void)state;
    assert_int_equal(verdict_from_word("broken", &v), -ENOENT);
    assert_int_equal(verdict_from_word("", &v), -ENOENT);
    assert_verdict(v, 1, 2, 3);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(verdict_from_word(table[i].word, &v), 0);
        assert_verdict(v, (enum status)table[i].v.status, (enum grade)table[i].v.grade,
                       table[i].v.reasons);
        assert_int_equal(verdict_hj212(v), table[i].hj212);
        const struct verdict back = verdict_from_flag(verdict_to_flag(v));
        assert_verdict(back, (enum status)v.status, (enum grade)v.grade, v.reasons);
    }
}

static void outside_vocabularies_follow_the_table(void **state)
{
    static const struct {
        struct verdict v;
        int qartod;
        char hj212;
        const char *sensorthings;
    } table[] = {
        /* facts: quality control, 2.2 */
        { { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM }, 9, 'B', "missing:comm" },
        { { STATUS_VALID, GRADE_MISSING, REASON_POWER }, 9, 'F', "missing:power" },
        { { STATUS_STOPPED, GRADE_MISSING, REASON_NO_VALUE }, 9, 'F', "missing:stopped" },
        { { STATUS_STOPPED, GRADE_BAD, REASON_WARMUP }, 4, 'F', "missing:stopped" },
        { { STATUS_MAINTENANCE, GRADE_BAD, REASON_MAINT }, 4, 'M', "bad:maintenance" },
        { { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO }, 4, 'C', "bad:calibration" },
        { { STATUS_OVER_RANGE, GRADE_SUSPECT, 0 }, 3, 'T', "suspect:over_range" },
        { { STATUS_FAULT, GRADE_BAD, REASON_INSTR }, 4, 'D', "bad:fault" },
        { { STATUS_MANUAL, GRADE_NOT_EVALUATED, 0 }, 2, 'S', "unchecked:manual" },
        { { STATUS_VALID, GRADE_BAD, REASON_RANGE }, 4, 'D', "bad" },
        { { STATUS_VALID, GRADE_SUSPECT, REASON_SPIKE }, 3, 'N', "suspect" },
        { { STATUS_VALID, GRADE_NOT_EVALUATED, 0 }, 2, 'N', "unchecked" },
        { { STATUS_VALID, GRADE_GOOD, 0 }, 1, 'N', "good" },
        { { STATUS_VALID, GRADE_MISSING, REASON_FRAME }, 9, 'B', "missing:comm" },
        { { STATUS_VALID, GRADE_MISSING, REASON_NO_VALUE }, 9, 'F', "missing:stopped" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(verdict_qartod(table[i].v), table[i].qartod);
        assert_int_equal(verdict_hj212(table[i].v), table[i].hj212);
        assert_string_equal(verdict_outside(table[i].v, VOCABULARY_SENSORTHINGS),
                            table[i].sensorthings);
    }
    assert_string_equal(verdict_outside((struct verdict){ 0 }, VOCABULARY_AQS), "V");
    assert_null(verdict_outside((struct verdict){ STATUS_MANUAL, 0, 0 }, VOCABULARY_WMO));
}

static void a_power_cut_wins_over_the_status_it_left(void **state)
{
    const struct verdict v = { STATUS_MAINTENANCE, GRADE_MISSING, REASON_POWER };

    (void)state;
    assert_int_equal(verdict_qartod(v), 9);
    assert_int_equal(verdict_hj212(v), 'F');
}

static void everything_has_an_id_and_two_names(void **state)
{
    (void)state;
    for (int s = 0; s < STATUS_COUNT_; s++) {
        assert_true(strlen(status_id((enum status)s)) > 2);
        assert_true(has_chinese(status_name((enum status)s, "zh")));
        assert_false(has_chinese(status_name((enum status)s, "en")));
    }
    for (int g = 0; g < GRADE_COUNT_; g++) {
        assert_true(strlen(grade_id((enum grade)g)) > 2);
        assert_true(has_chinese(grade_name((enum grade)g, "zh")));
        assert_false(has_chinese(grade_name((enum grade)g, "en")));
    }
    for (int i = 0; i < REASONS_N; i++) {
        assert_true(has_chinese(reason_name(UINT32_C(1) << i, "zh")));
        assert_false(has_chinese(reason_name(UINT32_C(1) << i, "en")));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(reason_id(UINT32_C(1) << i), reason_id(UINT32_C(1) << j));
    }
    assert_string_equal(reason_id(REASON_CLIMATE), "climate");
    assert_string_equal(reason_id(REASON_ABOVE_RANGE), "above_range");
    assert_null(reason_id(0));
    assert_null(reason_id(3));
    assert_null(reason_name(UINT32_C(1) << 31, "en"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_and_good_is_flag_zero),
        cmocka_unit_test(the_bits_stand_where_the_format_says),
        cmocka_unit_test(every_status_grade_and_reason_survives_the_flag),
        cmocka_unit_test(implied_reasons_take_no_bit_and_come_back),
        cmocka_unit_test(any_32_bits_are_accepted),
        cmocka_unit_test(the_worst_status_and_grade_win),
        cmocka_unit_test(a_check_adds_but_never_improves),
        cmocka_unit_test(gap_and_clock_cap_good_to_not_evaluated),
        cmocka_unit_test(words_of_profiles_mean_what_the_table_says),
        cmocka_unit_test(outside_vocabularies_follow_the_table),
        cmocka_unit_test(a_power_cut_wins_over_the_status_it_left),
        cmocka_unit_test(everything_has_an_id_and_two_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
