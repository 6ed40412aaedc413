/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "sensors/profile/type.h"
#include "tests/unit/unit.h"

enum { WORDS_N = 8, ROUNDS = 2000 };

static const enum value_type numbers[] = {
    TYPE_U16, TYPE_S16, TYPE_U32, TYPE_S32,   TYPE_U64,
    TYPE_S64, TYPE_F32, TYPE_F64, TYPE_BCD16, TYPE_BCD32
};
enum { NUMBERS_N = sizeof numbers / sizeof numbers[0] };

/* One point at h:2 of eight holding registers. */
struct one {
    struct profile p;
    struct profile_point pt;
    struct profile_span span;
    uint16_t words[WORDS_N];
    uint8_t have[WORDS_N];
};

static struct one one_of(enum value_type type)
{
    struct one o = {
        .p = { .id = "one", .points_n = 1, .spans_n = 1, .words_n = WORDS_N },
        .pt = { .id = "value",
                .type = type,
                .order = -1,
                .scale = 1,
                .at = { SPACE_HOLDING, 2, (uint8_t)profile_type_words(type), -1 },
                .conversion = { 1, 0, true },
                .range_min = (double)NAN,
                .range_max = (double)NAN },
        .span = { SPACE_HOLDING, 0, WORDS_N, 0 },
    };

    memset(o.have, 1, sizeof o.have);
    return o;
}

/* The profile points into its frame: set where it has come to rest. */
static const struct profile *profile_of(struct one *o)
{
    o->p.points = &o->pt;
    o->p.spans = &o->span;
    return &o->p;
}

static struct reading decode(struct one *o, int order)
{
    struct reading r;

    profile_decode(profile_of(o), order, o->words, o->have, &r);
    return r;
}

static void encode(struct one *o, int order, double x)
{
    profile_encode(profile_of(o), order, &x, o->words);
}

/* xorshift64: the same numbers in every run. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* A number that the type holds, large and small ones alike. */
static double some_number(enum value_type t, uint64_t *seed)
{
    for (;;) {
        uint64_t raw = (next_random(seed) & type_bits(t)) >> next_random(seed) % 16;
        double x = type_number(t, raw);
        if (type_is_valid(t, raw) && isfinite(x) && type_holds(t, x))
            return x;
    }
}

/* A float32 is read as the shortest decimal that means it. */
static bool is_same(enum value_type t, double a, double b)
{
    return t == TYPE_F32 ? (float)a == (float)b : a == b;
}

static void decodes_what_it_encodes_in_every_type_and_order(void **state)
{
    uint64_t seed = 20240301;

    for (size_t i = 0; i < NUMBERS_N; i++)
        for (int n = 0; n < ROUNDS; n++) {
            struct one o = one_of(numbers[i]);
            int order = n % 4;
            double x = some_number(numbers[i], &seed);
            encode(&o, order, x);
            struct reading r = decode(&o, order);
            if (!is_same(numbers[i], decimal_to_double(r.value), x))
                fail_msg("%s in order %d: wrote %.17g, read %.17g", type_name(numbers[i]),
                         order, x, decimal_to_double(r.value));
            assert_int_equal(r.verdict.grade, GRADE_GOOD);
        }
    (void)state;
}

static void encodes_what_it_decodes_bit_by_bit(void **state)
{
    uint64_t seed = 7;

    for (size_t i = 0; i < NUMBERS_N; i++)
        for (int n = 0; n < ROUNDS; n++) {
            enum value_type t = numbers[i];
            struct one o = one_of(t);
            uint16_t before[WORDS_N];
            for (size_t w = 2; w < 2 + profile_type_words(t); w++)
                o.words[w] = (uint16_t)next_random(&seed);
            memcpy(before, o.words, sizeof before);
            struct reading r = decode(&o, n % 4);
            if (!decimal_has_value(r.value) || r.value.e == DECIMAL_DOUBLE ||
                r.value.v > 1LL << 52 || r.value.v < -(1LL << 52))
                continue; /* beyond what the double of the encoder holds */
            encode(&o, n % 4, decimal_to_double(r.value));
            assert_memory_equal(before, o.words, sizeof before);
        }
    (void)state;
}

static void touches_no_other_register(void **state)
{
    for (size_t i = 0; i < NUMBERS_N; i++)
        for (int order = 0; order < 4; order++) {
            struct one o = one_of(numbers[i]);
            memset(o.words, 0x5A, sizeof o.words);
            encode(&o, order, 7);
            for (size_t w = 0; w < WORDS_N; w++)
                if (w < 2 || w >= 2 + profile_type_words(numbers[i]))
                    assert_int_equal(o.words[w], 0x5A5A);
        }
    (void)state;
}

static void lays_out_a_known_value_in_four_orders(void **state)
{
    static const struct {
        enum value_type type;
        double x;
        uint16_t words[4][4];
    } cases[] = {
        { TYPE_U16, 0x0102, { { 0x0102 }, { 0x0102 }, { 0x0201 }, { 0x0201 } } },
        { TYPE_S16, -2, { { 0xFFFE }, { 0xFFFE }, { 0xFEFF }, { 0xFEFF } } },
        { TYPE_BCD16, 1234, { { 0x1234 }, { 0x1234 }, { 0x3412 }, { 0x3412 } } },
        { TYPE_BCD32,
          12345678,
          { { 0x1234, 0x5678 }, { 0x5678, 0x1234 }, { 0x3412, 0x7856 }, { 0x7856, 0x3412 } } },
        { TYPE_F32, /* 21.5 = 41AC 0000 */
          21.5,
          { { 0x41AC, 0x0000 }, { 0x0000, 0x41AC }, { 0xAC41, 0x0000 }, { 0x0000, 0xAC41 } } },
        { TYPE_F64, /* 1.5 = 3FF8 0... */
          1.5,
          { { 0x3FF8, 0, 0, 0 },
            { 0, 0, 0, 0x3FF8 },
            { 0xF83F, 0, 0, 0 },
            { 0, 0, 0, 0xF83F } } },
        { TYPE_S64,
          -3,
          { { 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFD },
            { 0xFFFD, 0xFFFF, 0xFFFF, 0xFFFF },
            { 0xFFFF, 0xFFFF, 0xFFFF, 0xFDFF },
            { 0xFDFF, 0xFFFF, 0xFFFF, 0xFFFF } } },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int order = 0; order < 4; order++) {
            struct one o = one_of(cases[i].type);
            encode(&o, order, cases[i].x);
            assert_memory_equal(&o.words[2], cases[i].words[order],
                                2 * profile_type_words(cases[i].type));
            assert_true(decimal_to_double(decode(&o, order).value) == cases[i].x);
        }
    (void)state;
}

static void has_no_value_for_a_nibble_beyond_nine(void **state)
{
    struct one o = one_of(TYPE_BCD16), long_one = one_of(TYPE_BCD32);

    o.words[2] = 0x12A4;
    struct reading r = decode(&o, 0);
    assert_false(decimal_has_value(r.value));
    assert_int_equal(r.verdict.grade, GRADE_MISSING);
    assert_int_equal(r.verdict.reasons, REASON_NO_VALUE);
    long_one.words[2] = 0x1234;
    long_one.words[3] = 0x567F;
    assert_int_equal(decode(&long_one, 0).verdict.grade, GRADE_MISSING);
    (void)state;
}

static void writes_no_value_of_a_bcd_type_as_no_digits(void **state)
{
    struct one o = one_of(TYPE_BCD16);

    encode(&o, 0, (double)NAN);
    assert_int_equal(o.words[2], 0xFFFF);
    assert_int_equal(decode(&o, 0).verdict.grade, GRADE_MISSING);
    (void)state;
}

static void limits_bcd_to_its_digits(void **state)
{
    struct one o = one_of(TYPE_BCD16);

    encode(&o, 0, 123456);
    assert_int_equal(o.words[2], 0x9999);
    encode(&o, 0, -1);
    assert_int_equal(o.words[2], 0);
    assert_false(type_holds(TYPE_BCD16, 10000));
    assert_true(type_holds(TYPE_BCD32, 99999999));
    (void)state;
}

static void reads_and_writes_a_field_and_leaves_the_bits_beside_it(void **state)
{
    struct one o = one_of(TYPE_U16);

    o.pt.mask = 0x0030;
    o.pt.shift = 4;
    o.words[2] = 0xA52F;
    assert_int_equal(decode(&o, 0).value.v, 2);
    encode(&o, 0, 1);
    assert_int_equal(o.words[2], 0xA51F);
    encode(&o, 0, 9); /* two bits hold 3 at most */
    assert_int_equal(o.words[2], 0xA53F);
    o.pt.invalid[0] = 3;
    o.pt.invalid_n = 1;
    assert_int_equal(decode(&o, 0).verdict.grade, GRADE_MISSING);
    encode(&o, 0, 9);
    assert_int_equal(o.words[2], 0xA52F);
    encode(&o, 0, (double)NAN);
    assert_int_equal(o.words[2], 0xA53F);
    (void)state;
}

static void reads_a_field_across_two_registers_in_every_order(void **state)
{
    for (int order = 0; order < 4; order++) {
        struct one o = one_of(TYPE_U32);
        o.pt.mask = 0x00FFF000;
        o.pt.shift = 12;
        encode(&o, order, 0xABC);
        assert_int_equal(decode(&o, order).value.v, 0xABC);
        assert_int_equal(raw_from_words(&o.words[2], 2, (enum word_order)order), 0x00ABC000);
    }
    (void)state;
}

static void takes_the_upper_byte_by_a_shift_alone(void **state)
{
    struct one o = one_of(TYPE_U16);

    o.pt.shift = 8;
    o.words[2] = 0x2A07;
    assert_int_equal(decode(&o, 0).value.v, 0x2A);
    (void)state;
}

static void reads_text_of_registers(void **state)
{
    static const uint16_t words[] = { 0x3439, 0x6951, 0x2020, 0x0041 };
    static const uint16_t swapped[] = { 0x3934, 0x5169 };
    char text[16];

    assert_int_equal(text_from_words(words, 3, ORDER_ABCD, text, sizeof text), 4);
    assert_string_equal(text, "49iQ");
    text_from_words(swapped, 2, ORDER_DCBA, text, sizeof text);
    assert_string_equal(text, "49iQ");
    text_from_words(words, 4, ORDER_ABCD, text, sizeof text); /* NUL ends it */
    assert_string_equal(text, "49iQ");
    assert_int_equal(text_from_words(words, 4, ORDER_ABCD, text, 3), 2);
    assert_string_equal(text, "49");
    assert_int_equal(
        text_from_words((const uint16_t[]){ 0x41FF, 0x0742 }, 2, ORDER_ABCD, text, sizeof text),
        4);
    assert_string_equal(text, "A??B");
    (void)state;
}

static void writes_text_into_registers(void **state)
{
    char text[16];

    for (int order = 0; order < 4; order++) {
        uint16_t words[4] = { 9, 9, 9, 9 };
        words_from_text("SN12x", 4, (enum word_order)order, words);
        assert_int_equal(words[3], 0);
        text_from_words(words, 4, (enum word_order)order, text, sizeof text);
        assert_string_equal(text, "SN12x");
        words_from_text("a longer text", 2, (enum word_order)order, words);
        text_from_words(words, 2, (enum word_order)order, text, sizeof text);
        assert_string_equal(text, "a lo");
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_what_it_encodes_in_every_type_and_order),
        cmocka_unit_test(encodes_what_it_decodes_bit_by_bit),
        cmocka_unit_test(touches_no_other_register),
        cmocka_unit_test(lays_out_a_known_value_in_four_orders),
        cmocka_unit_test(has_no_value_for_a_nibble_beyond_nine),
        cmocka_unit_test(writes_no_value_of_a_bcd_type_as_no_digits),
        cmocka_unit_test(limits_bcd_to_its_digits),
        cmocka_unit_test(reads_and_writes_a_field_and_leaves_the_bits_beside_it),
        cmocka_unit_test(reads_a_field_across_two_registers_in_every_order),
        cmocka_unit_test(takes_the_upper_byte_by_a_shift_alone),
        cmocka_unit_test(reads_text_of_registers),
        cmocka_unit_test(writes_text_into_registers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
