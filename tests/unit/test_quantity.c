/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "sensors/core/quantity.h"
#include "sensors/core/unit.h"
#include "sensors/core/words.h"
#include "tests/unit/unit.h"

static bool is_id(const char *s)
{
    bool is_good = islower((unsigned char)*s);

    for (; *s; s++)
        is_good &= islower((unsigned char)*s) || isdigit((unsigned char)*s) || *s == '_';
    return is_good;
}

/* A character of U+4E00..U+9FFF: its first byte of three is E4h..E9h. */
static bool has_chinese(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0xE4 && (unsigned char)*s <= 0xE9)
            return true;
    return false;
}

static void for_each_alias(const struct quantity *q,
                           void (*check)(const struct quantity *q, const char *alias))
{
    char alias[32];

    for (const char *p = q->aliases; p && *p; p += *p == ' ') {
        const size_t n = strcspn(p, " ");
        assert_true(n > 0 && n < sizeof alias);
        memcpy(alias, p, n);
        alias[n] = '\0';
        check(q, alias);
        p += n;
    }
}

static void every_row_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < quantities_n; i++) {
        const struct quantity *q = &quantities[i];
        assert_true(is_id(q->id));
        assert_true(strlen(q->id) < 32);
        assert_true(has_chinese(q->zh));
        assert_true(strlen(q->en) > 0 && !has_chinese(q->en));
        assert_true(q->medium < MEDIUM_COUNT_ && q->agg <= AGG_MIN);
        assert_true(q->decimals <= 4);
        assert_true(q->range_min < q->range_max);
        assert_true(q->molar_mass == 0 || (q->molar_mass > 1 && q->molar_mass < 300));
    }
}

static void every_unit_is_in_the_unit_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < quantities_n; i++) {
        const struct unit *u = unit_find_ucum(quantities[i].unit);
        struct unit_conversion c;
        assert_non_null(u);
        assert_int_equal(unit_conversion_for(u, &quantities[i], &c), 0);
        assert_true(c.is_identity && c.factor == 1 && c.offset == 0);
    }
}

static void ids_and_names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < quantities_n; i++)
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(quantities[i].id, quantities[j].id);
            assert_string_not_equal(quantities[i].zh, quantities[j].zh);
            assert_string_not_equal(quantities[i].en, quantities[j].en);
        }
}

static void check_alias(const struct quantity *q, const char *alias)
{
    assert_ptr_equal(quantity_find(alias), q);
    assert_true(is_id(alias));
    for (size_t i = 0; i < quantities_n; i++) {
        assert_string_not_equal(alias, quantities[i].id);
        if (&quantities[i] != q)
            assert_false(words_have(quantities[i].aliases, alias));
    }
}

static void aliases_mean_one_quantity(void **state)
{
    (void)state;
    for (size_t i = 0; i < quantities_n; i++) {
        assert_ptr_equal(quantity_find(quantities[i].id), &quantities[i]);
        for_each_alias(&quantities[i], check_alias);
    }
}

/* Words that YAML 1.1 readers take for a truth value. */
static void no_name_is_a_truth_value_in_yaml(void **state)
{
    static const char *const words[] = {
        "no", "yes", "on", "off", "y", "true", "false", "null"
    };

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_null(quantity_find(words[i]));
}

static void outside_codes_look_like_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < quantities_n; i++) {
        const struct quantity *q = &quantities[i];
        assert_true(!q->aqs || (strlen(q->aqs) == 5 && strspn(q->aqs, "0123456789") == 5));
        assert_true(!q->cf ||
                    strspn(q->cf, "abcdefghijklmnopqrstuvwxyz0123456789_R") == strlen(q->cf));
        if (q->hj212 && q->medium != MEDIUM_NOISE)
            assert_true(strlen(q->hj212) == 6 && strchr("awi", q->hj212[0]));
    }
}

static void gases_of_the_ppb_table_carry_their_molar_mass(void **state)
{
    (void)state;
    assert_true(quantity_find("ozone")->molar_mass == 48.00);
    assert_true(quantity_find("nox")->molar_mass == quantity_find("no2")->molar_mass);
    assert_true(quantity_find("co2")->molar_mass == 44.01);
    assert_true(quantity_find("tvoc")->molar_mass == 0);
    assert_true(quantity_find("pm2_5")->molar_mass == 0);
}

static void finds_nothing_for_what_is_unknown(void **state)
{
    (void)state;
    assert_null(quantity_find(""));
    assert_null(quantity_find("ozon"));
    assert_null(quantity_find("OZONE"));
    assert_null(quantity_find("global_rad solar"));
    assert_string_equal(quantity_find("solar")->id, "irradiance");
}

static void media_have_ids_and_names(void **state)
{
    (void)state;
    for (int m = 0; m < MEDIUM_COUNT_; m++) {
        enum medium found = MEDIUM_COUNT_;
        assert_int_equal(medium_find(medium_id((enum medium)m), &found), 0);
        assert_int_equal(found, m);
        assert_true(has_chinese(medium_name((enum medium)m, "zh")));
        assert_false(has_chinese(medium_name((enum medium)m, "en")));
    }
    enum medium m = MEDIUM_SOIL;
    assert_int_equal(medium_find("fire", &m), -ENOENT);
    assert_int_equal(m, MEDIUM_SOIL);
}

/* What other stations and centres already know: renaming would split their series. */
static void the_vocabulary_only_grows(void **state)
{
    static const size_t per_medium[MEDIUM_COUNT_] = { 32, 23, 47, 10, 15, 8, 12 };
    size_t n[MEDIUM_COUNT_] = { 0 };

    (void)state;
    for (size_t i = 0; i < quantities_n; i++)
        n[quantities[i].medium]++;
    for (int m = 0; m < MEDIUM_COUNT_; m++)
        assert_true(n[m] >= per_medium[m]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(every_unit_is_in_the_unit_table),
        cmocka_unit_test(ids_and_names_are_unique),
        cmocka_unit_test(aliases_mean_one_quantity),
        cmocka_unit_test(no_name_is_a_truth_value_in_yaml),
        cmocka_unit_test(outside_codes_look_like_codes),
        cmocka_unit_test(gases_of_the_ppb_table_carry_their_molar_mass),
        cmocka_unit_test(finds_nothing_for_what_is_unknown),
        cmocka_unit_test(media_have_ids_and_names),
        cmocka_unit_test(the_vocabulary_only_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
