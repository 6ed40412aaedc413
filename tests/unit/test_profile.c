/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "sensors/core/bytes.h"
#include "sensors/profile/profile.h"
#include "tests/unit/unit.h"

/* One instrument with holding registers 100..119, one coil and four discrete inputs. */
enum { HOLDING_N = 20, WORDS_N = HOLDING_N + 5, POINTS_N = 3 };

struct bench {
    struct profile p;
    struct profile_point points[POINTS_N];
    struct profile_flag flags[4];
    struct profile_choice choices[16];
    size_t choices_n;
    struct profile_span spans[3];
    uint16_t words[WORDS_N];
    uint8_t have[WORDS_N];
    struct reading out[POINTS_N];
};

static struct register_address holding(uint16_t offset, uint8_t count)
{
    return (struct register_address){ SPACE_HOLDING, (uint16_t)(100 + offset), count, -1 };
}

static struct register_address discrete(uint16_t address)
{
    return (struct register_address){ SPACE_DISCRETE, address, 1, -1 };
}

static struct bench bench_of(enum value_type type)
{
    struct bench b = {
        .p = { .id = "bench",
               .points_n = 1,
               .order = ORDER_ABCD,
               .words_n = WORDS_N,
               .spans_n = 3 },
        .spans = { { SPACE_COIL, 7, 1, 0 },
                   { SPACE_DISCRETE, 0, 4, 1 },
                   { SPACE_HOLDING, 100, HOLDING_N, 5 } },
    };
    size_t n = profile_type_words(type);

    for (size_t i = 0; i < POINTS_N; i++)
        b.points[i] = (struct profile_point){
            .id = "value",
            .type = type,
            .order = -1,
            .scale = 1,
            .at = holding(0, (uint8_t)(n ? n : 1)),
            .conversion = { 1, 0, true },
            .range_min = (double)NAN,
            .range_max = (double)NAN,
        };
    memset(b.have, 1, sizeof b.have);
    return b;
}

/* The profile points into its bench: set where the bench has come to rest. */
static struct profile *profile_of(struct bench *b)
{
    b->p.points = b->points;
    b->p.flags = b->flags;
    b->p.spans = b->spans;
    return &b->p;
}

static uint16_t *registers(struct bench *b)
{
    return b->words + 5;
}

static void put(struct bench *b, int n, const uint16_t *words)
{
    memcpy(registers(b), words, (size_t)n * sizeof *words);
}

#define PUT(b, ...) \
    put(b, sizeof((uint16_t[]){ __VA_ARGS__ }) / 2, (const uint16_t[]){ __VA_ARGS__ })

static struct reading decode_in(struct bench *b, int order)
{
    profile_decode(profile_of(b), order, b->words, b->have, b->out);
    return b->out[0];
}

static struct reading decode(struct bench *b)
{
    return decode_in(b, -1);
}

static void assert_value(struct reading r, int64_t v, int e)
{
    assert_int_equal(r.value.e, e);
    assert_int_equal(r.value.v, v);
    assert_int_equal(r.verdict.grade, GRADE_GOOD);
}

static void assert_missing(struct reading r, uint32_t reasons, enum status status)
{
    assert_false(decimal_has_value(r.value));
    assert_int_equal(r.verdict.grade, GRADE_MISSING);
    assert_int_equal(r.verdict.reasons, reasons);
    assert_int_equal(r.verdict.status, status);
}

/* Adds a choice to a map whose choices are made one after another. */
static void add(struct bench *b, struct profile_map *map, int64_t raw, const char *word)
{
    struct profile_choice *c = &b->choices[b->choices_n++];

    *c = (struct profile_choice){ .raw = raw, .word = word };
    assert_int_equal(verdict_from_word(word, &c->verdict), 0);
    if (!map->n)
        map->choice = c;
    map->n++;
}

static void add_unit(struct bench *b, struct profile_map *map, int64_t raw, const char *code,
                     const struct quantity *q)
{
    struct profile_choice *c = &b->choices[b->choices_n++];

    *c = (struct profile_choice){ .raw = raw, .word = code, .unit = unit_find_ucum(code) };
    assert_non_null(c->unit);
    if (unit_conversion_for(c->unit, q, &c->conversion))
        c->conversion.factor = 0;
    if (!map->n)
        map->choice = c;
    map->n++;
}

static void add_order(struct bench *b, int64_t raw, enum word_order order)
{
    struct profile_choice *c = &b->choices[b->choices_n++];

    *c = (struct profile_choice){ .raw = raw,
                                  .word = "order",
                                  .verdict.status = (uint8_t)order };
    if (!b->p.order_from.n)
        b->p.order_from.choice = c;
    b->p.order_from.n++;
}

static void measures(struct bench *b, size_t i, const char *quantity, const char *unit)
{
    struct profile_point *pt = &b->points[i];

    pt->quantity = quantity_find(quantity);
    pt->unit = unit_find_ucum(unit);
    assert_non_null(pt->quantity);
    assert_non_null(pt->unit);
    assert_int_equal(unit_conversion_for(pt->unit, pt->quantity, &pt->conversion), 0);
}

static void reads_16_bits_with_and_without_sign(void **state)
{
    struct bench b = bench_of(TYPE_U16);

    PUT(&b, 0xFFFE);
    assert_value(decode(&b), 65534, 0);
    b.points[0].type = TYPE_S16;
    assert_value(decode(&b), -2, 0);
    (void)state;
}

static void reads_32_bits_in_four_orders(void **state)
{
    static const uint16_t words[4][2] = {
        [ORDER_ABCD] = { 0x8001, 0x0203 },
        [ORDER_CDAB] = { 0x0203, 0x8001 },
        [ORDER_BADC] = { 0x0180, 0x0302 },
        [ORDER_DCBA] = { 0x0302, 0x0180 },
    };
    struct bench u = bench_of(TYPE_U32), s = bench_of(TYPE_S32);

    for (int order = 0; order < 4; order++) {
        put(&u, 2, words[order]);
        put(&s, 2, words[order]);
        assert_value(decode_in(&u, order), 0x80010203, 0);
        assert_value(decode_in(&s, order), (int32_t)0x80010203, 0);
    }
    (void)state;
}

static void reads_64_bits_in_four_orders(void **state)
{
    static const uint16_t words[4][4] = {
        [ORDER_ABCD] = { 0x0001, 0x0203, 0x0405, 0x0607 },
        [ORDER_CDAB] = { 0x0607, 0x0405, 0x0203, 0x0001 },
        [ORDER_BADC] = { 0x0100, 0x0302, 0x0504, 0x0706 },
        [ORDER_DCBA] = { 0x0706, 0x0504, 0x0302, 0x0100 },
    };
    struct bench u = bench_of(TYPE_U64), s = bench_of(TYPE_S64);

    for (int order = 0; order < 4; order++) {
        put(&u, 4, words[order]);
        put(&s, 4, words[order]);
        assert_value(decode_in(&u, order), 0x0001020304050607, 0);
        assert_value(decode_in(&s, order), 0x0001020304050607, 0);
    }
    PUT(&s, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF);
    assert_value(decode(&s), -1, 0);
    (void)state;
}

static void keeps_64_bits_beyond_the_decimals_as_a_double(void **state)
{
    struct bench b = bench_of(TYPE_U64);

    PUT(&b, 0x8000, 0, 0, 0);
    struct reading r = decode(&b);
    assert_true(decimal_to_double(r.value) == 9223372036854775808.0);
    (void)state;
}

static void swaps_the_bytes_of_16_bit_points_but_not_of_status_words(void **state)
{
    struct bench b = bench_of(TYPE_U16);

    b.points[0].quality = (struct profile_map){ .at = holding(1, 1) };
    add(&b, &b.points[0].quality, 1, "good");
    PUT(&b, 0x3412, 0x0001);
    assert_value(decode_in(&b, ORDER_BADC), 0x1234, 0);
    assert_value(decode_in(&b, ORDER_DCBA), 0x1234, 0);
    (void)state;
}

static void lets_a_point_keep_its_own_order(void **state)
{
    struct bench b = bench_of(TYPE_U32);

    b.points[0].order = ORDER_CDAB;
    PUT(&b, 0x0002, 0x0001);
    assert_value(decode_in(&b, ORDER_ABCD), 0x00010002, 0);
    (void)state;
}

static void gives_floats_as_their_shortest_decimal(void **state)
{
    struct bench f = bench_of(TYPE_F32), d = bench_of(TYPE_F64);

    PUT(&f, 0x41AA, 0x6666); /* 21.3f */
    assert_value(decode(&f), 213, 1);
    PUT(&d, 0x4035, 0x4CCC, 0xCCCC, 0xCCCD); /* 21.3 */
    assert_value(decode(&d), 213, 1);
    PUT(&f, 0x8000, 0x0000);
    assert_value(decode(&f), 0, 0);
    (void)state;
}

static void has_no_value_for_nan_and_infinity(void **state)
{
    static const uint16_t high[] = { 0x7FA0, 0x7FC0, 0xFFC0, 0x7F80, 0xFF80 };
    struct bench b = bench_of(TYPE_F32);

    for (size_t i = 0; i < sizeof high / sizeof high[0]; i++) {
        PUT(&b, high[i], 0);
        assert_missing(decode(&b), REASON_NO_VALUE, STATUS_STOPPED);
    }
    (void)state;
}

static void reads_bits_coils_and_inputs(void **state)
{
    struct bench b = bench_of(TYPE_BIT);

    b.points[0].at.bit = 3;
    PUT(&b, 0x0008);
    assert_value(decode(&b), 1, 0);
    PUT(&b, 0xFFF7);
    assert_value(decode(&b), 0, 0);
    b.points[0].at = (struct register_address){ SPACE_COIL, 7, 1, -1 };
    b.words[0] = 1;
    assert_value(decode(&b), 1, 0);
    b.points[0].at = discrete(2);
    assert_value(decode(&b), 0, 0);
    (void)state;
}

static void scales_integers_in_decimals(void **state)
{
    struct bench b = bench_of(TYPE_S16);

    b.points[0].scale = 0.1;
    b.points[0].scale_decimals = 1;
    PUT(&b, 213);
    assert_value(decode(&b), 213, 1);
    PUT(&b, 210);
    assert_value(decode(&b), 210, 1);
    b.points[0].offset = -40;
    assert_value(decode(&b), -190, 1);
    b.points[0].scale = 0.0125;
    b.points[0].scale_decimals = 4;
    b.points[0].offset = 0.5;
    assert_value(decode(&b), 31250, 4);
    (void)state;
}

static void scales_beyond_64_bits_as_a_double(void **state)
{
    struct bench b = bench_of(TYPE_S64);

    b.points[0].scale = 1.5;
    b.points[0].scale_decimals = 1;
    PUT(&b, 0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF);
    assert_true(fabs(decimal_to_double(decode(&b).value) / 13835058055282163710.0 - 1) < 1e-12);
    (void)state;
}

static void takes_the_scale_from_a_register(void **state)
{
    struct bench b = bench_of(TYPE_S16);

    b.points[0].scale_from = holding(1, 1);
    b.points[0].scale_type = TYPE_S16;
    b.points[0].scale_rule = SCALE_POW10_NEG;
    PUT(&b, 1234, 1);
    assert_value(decode(&b), 1234, 1);
    PUT(&b, 1234, 0xFFFF); /* 10^1 */
    assert_value(decode(&b), 12340, 0);
    b.points[0].scale_rule = SCALE_POW10;
    PUT(&b, 1234, 0xFFFE); /* SunSpec: -2 */
    assert_value(decode(&b), 1234, 2);
    b.points[0].scale_rule = SCALE_FACTOR;
    PUT(&b, 1234, 5);
    assert_value(decode(&b), 6170, 0);
    (void)state;
}

static void never_guesses_a_scale(void **state)
{
    struct bench b = bench_of(TYPE_S16);

    b.points[0].scale_from = holding(1, 1);
    b.points[0].scale_type = TYPE_S16;
    b.points[0].scale_rule = SCALE_POW10;
    PUT(&b, 1234, 0x8000); /* SunSpec: not implemented */
    assert_missing(decode(&b), REASON_UNIT, STATUS_FAULT);
    b.points[0].scale_rule = SCALE_FACTOR;
    PUT(&b, 1234, 0);
    assert_missing(decode(&b), REASON_UNIT, STATUS_FAULT);
    (void)state;
}

static void moves_the_point_for_powers_of_ten(void **state)
{
    struct bench b = bench_of(TYPE_U16);

    b.points[0].scale = 0.1;
    b.points[0].scale_decimals = 1;
    measures(&b, 0, "press", "kPa");
    PUT(&b, 1013);
    assert_value(decode(&b), 1013, 0);
    measures(&b, 0, "press", "Pa");
    PUT(&b, 10132);
    assert_value(decode(&b), 10132, 3);
    measures(&b, 0, "air_temp", "K");
    PUT(&b, 2947); /* 294.7 K */
    assert_value(decode(&b), 2155, 2);
    (void)state;
}

static void keeps_one_decimal_beyond_the_step_when_converting(void **state)
{
    struct bench b = bench_of(TYPE_U16), f = bench_of(TYPE_F32);

    measures(&b, 0, "ozone", "[ppb]");
    PUT(&b, 75); /* x 1.96199 */
    assert_value(decode(&b), 1471, 1);
    measures(&b, 0, "carbon_monoxide", "[ppb]");
    PUT(&b, 700); /* step 0.001145 mg/m3 */
    assert_value(decode(&b), 8014, 4);
    measures(&f, 0, "ozone", "[ppb]");
    PUT(&f, 0x4296, 0x999A); /* 75.3f */
    assert_value(decode(&f), 14774, 2);
    (void)state;
}

static void takes_the_unit_from_a_register(void **state)
{
    struct bench b = bench_of(TYPE_S16);
    const struct quantity *q = quantity_find("water_level");

    b.points[0].quantity = q;
    b.points[0].unit_from = (struct profile_map){ .at = holding(1, 1) };
    add_unit(&b, &b.points[0].unit_from, 45, "m", q);
    add_unit(&b, &b.points[0].unit_from, 48, "cm", q);
    add_unit(&b, &b.points[0].unit_from, 32, "Cel", q);
    PUT(&b, 312, 48);
    assert_value(decode(&b), 312, 2);
    PUT(&b, 3, 45);
    assert_value(decode(&b), 3, 0);
    PUT(&b, 3, 32); /* known, but no length */
    assert_missing(decode(&b), REASON_UNIT, STATUS_FAULT);
    PUT(&b, 3, 99);
    assert_missing(decode(&b), REASON_UNIT, STATUS_FAULT);
    (void)state;
}

static void takes_the_unit_from_bits_of_two_registers(void **state)
{
    struct bench b = bench_of(TYPE_S16);
    const struct quantity *q = quantity_find("water_temp");

    b.points[0].quantity = q;
    b.points[0].unit_from = (struct profile_map){ .at = holding(1, 2), .is_bits = true };
    add_unit(&b, &b.points[0].unit_from, 0x4, "Cel", q);
    add_unit(&b, &b.points[0].unit_from, 0x10000, "K", q);
    PUT(&b, 20, 0x0000, 0x0004);
    assert_value(decode(&b), 20, 0);
    PUT(&b, 300, 0x0001, 0x0000);
    assert_value(decode(&b), 2685, 2);
    PUT(&b, 300, 0x0000, 0x0001);
    assert_missing(decode(&b), REASON_UNIT, STATUS_FAULT);
    (void)state;
}

static void knows_the_codes_that_mean_no_value(void **state)
{
    struct bench b = bench_of(TYPE_S16);

    b.points[0].invalid[0] = 0x7FFF;
    b.points[0].invalid[1] = 0x8000;
    b.points[0].invalid_n = 2;
    PUT(&b, 0x7FFF);
    assert_missing(decode(&b), REASON_NO_VALUE, STATUS_STOPPED);
    PUT(&b, 0x8000);
    assert_missing(decode(&b), REASON_NO_VALUE, STATUS_STOPPED);
    PUT(&b, 0x7FFE);
    assert_value(decode(&b), 32766, 0);
    (void)state;
}

static void knows_a_code_that_stands_in_a_register(void **state)
{
    struct bench b = bench_of(TYPE_F32);

    b.points[0].invalid_from = holding(2, 2);
    PUT(&b, 0, 0, 0, 0);
    assert_missing(decode(&b), REASON_NO_VALUE, STATUS_STOPPED);
    PUT(&b, 0x3F80, 0, 0, 0);
    assert_value(decode(&b), 1, 0);
    (void)state;
}

static void misses_a_value_when_a_word_was_not_read(void **state)
{
    struct bench b = bench_of(TYPE_U32);

    b.have[6] = 0;
    assert_missing(decode(&b), REASON_FRAME, STATUS_NO_COMMUNICATION);
    (void)state;
}

static void misses_a_value_when_its_quality_was_not_read(void **state)
{
    struct bench b = bench_of(TYPE_U16);

    b.points[0].quality = (struct profile_map){ .at = holding(9, 1) };
    add(&b, &b.points[0].quality, 0, "good");
    assert_value(decode(&b), 0, 0);
    b.have[5 + 9] = 0;
    assert_missing(decode(&b), REASON_FRAME, STATUS_NO_COMMUNICATION);
    (void)state;
}

static void misses_a_value_that_the_image_does_not_hold(void **state)
{
    struct bench b = bench_of(TYPE_U16);

    b.points[0].at.first = 4000;
    assert_missing(decode(&b), REASON_FRAME, STATUS_NO_COMMUNICATION);
    b.points[0].at.space = 0;
    assert_missing(decode(&b), REASON_NO_VALUE, STATUS_STOPPED);
    (void)state;
}

static void takes_quality_from_a_masked_field(void **state)
{
    struct bench b = bench_of(TYPE_U16);
    struct profile_map *q = &b.points[0].quality;

    *q = (struct profile_map){ .at = holding(1, 1), .mask = 0x00F0, .shift = 4 };
    add(&b, q, 1, "good");
    add(&b, q, 2, "invalid");
    add(&b, q, 4, "missing");
    PUT(&b, 7, 0xFF1F);
    assert_value(decode(&b), 7, 0);
    PUT(&b, 7, 0x0020);
    assert_int_equal(decode(&b).verdict.status, STATUS_FAULT);
    assert_int_equal(decode(&b).value.v, 7);
    PUT(&b, 7, 0x0040);
    assert_false(decimal_has_value(decode(&b).value));
    PUT(&b, 7, 0x0090); /* a code that no manual lists */
    assert_int_equal(decode(&b).verdict.grade, GRADE_SUSPECT);
    (void)state;
}

static void unites_quality_bits(void **state)
{
    struct bench b = bench_of(TYPE_U16);
    struct profile_map *q = &b.points[0].quality;

    *q = (struct profile_map){ .at = holding(1, 2), .is_bits = true };
    add(&b, q, 1 << 4, "fault");
    add(&b, q, 1 << 3, "above_range");
    PUT(&b, 7, 0, 0);
    assert_value(decode(&b), 7, 0);
    PUT(&b, 7, 0, 0x18);
    struct verdict v = decode(&b).verdict;
    assert_int_equal(v.status, STATUS_FAULT);
    assert_int_equal(v.reasons & (REASON_INSTR | REASON_ABOVE_RANGE),
                     REASON_INSTR | REASON_ABOVE_RANGE);
    (void)state;
}

/* Three points: a measurement, another one, a diagnostic. */
static struct bench bench_with_status(void)
{
    struct bench b = bench_of(TYPE_U16);

    b.p.points_n = 3;
    b.points[2].role = POINT_DIAGNOSTIC;
    b.points[2].is_for_all = true;
    return b;
}

static void applies_a_flag_to_every_measurement(void **state)
{
    struct bench b = bench_with_status();

    b.p.flags_n = 1;
    b.flags[0] = (struct profile_flag){ .map.at = discrete(1), .is_for_all = true };
    add(&b, &b.flags[0].map, 1, "zero");
    decode(&b);
    assert_int_equal(b.out[0].verdict.status, STATUS_VALID);
    b.words[1 + 1] = 1;
    decode(&b);
    assert_int_equal(b.out[0].verdict.status, STATUS_CALIBRATION);
    assert_int_equal(b.out[1].verdict.reasons & REASON_CAL_ZERO, REASON_CAL_ZERO);
    assert_int_equal(b.out[2].verdict.status, STATUS_VALID);
    (void)state;
}

static void applies_a_flag_to_the_points_it_names(void **state)
{
    struct bench b = bench_with_status();

    b.p.flags_n = 1;
    b.flags[0] = (struct profile_flag){ .map.at = discrete(1), .points = { 1u << 1 } };
    add(&b, &b.flags[0].map, 1, "invalid");
    b.words[1 + 1] = 1;
    decode(&b);
    assert_int_equal(b.out[0].verdict.grade, GRADE_GOOD);
    assert_int_equal(b.out[1].verdict.grade, GRADE_BAD);
    (void)state;
}

static void lets_the_worst_of_mode_and_flags_win(void **state)
{
    struct bench b = bench_with_status();

    b.p.mode = (struct profile_map){ .at = holding(5, 1) };
    add(&b, &b.p.mode, 0, "measuring");
    add(&b, &b.p.mode, 1, "maintenance");
    b.p.flags_n = 1;
    b.flags[0] = (struct profile_flag){ .map.at = discrete(0), .is_for_all = true };
    add(&b, &b.flags[0].map, 1, "uncertain");
    b.words[1] = 1;
    decode(&b);
    assert_int_equal(b.out[0].verdict.grade, GRADE_SUSPECT);
    registers(&b)[5] = 1;
    decode(&b);
    assert_int_equal(b.out[0].verdict.status, STATUS_MAINTENANCE);
    assert_int_equal(b.out[0].verdict.grade, GRADE_BAD);
    registers(&b)[5] = 77; /* not listed: says nothing */
    decode(&b);
    assert_int_equal(b.out[0].verdict.status, STATUS_VALID);
    (void)state;
}

static void does_not_call_good_what_no_status_vouches_for(void **state)
{
    struct bench b = bench_with_status();

    b.p.flags_n = 1;
    b.flags[0] = (struct profile_flag){ .map.at = discrete(0), .is_for_all = true };
    add(&b, &b.flags[0].map, 1, "invalid");
    b.have[1] = 0;
    decode(&b);
    assert_int_equal(b.out[0].verdict.grade, GRADE_NOT_EVALUATED);
    assert_true(decimal_has_value(b.out[0].value));
    assert_int_equal(b.out[2].verdict.grade, GRADE_GOOD);
    (void)state;
}

static void doubts_what_a_diagnostic_outside_its_range_concerns(void **state)
{
    struct bench b = bench_with_status();

    b.points[2].at = holding(8, 1);
    b.points[2].range_min = 700;
    b.points[2].range_max = 900;
    registers(&b)[8] = 800;
    decode(&b);
    assert_int_equal(b.out[0].verdict.grade, GRADE_GOOD);
    registers(&b)[8] = 650;
    decode(&b);
    assert_int_equal(b.out[0].verdict.grade, GRADE_SUSPECT);
    assert_int_equal(b.out[1].verdict.grade, GRADE_SUSPECT);
    b.points[2].is_for_all = false;
    b.points[2].concerns[0] = 1;
    decode(&b);
    assert_int_equal(b.out[0].verdict.grade, GRADE_SUSPECT);
    assert_int_equal(b.out[1].verdict.grade, GRADE_GOOD);
    (void)state;
}

/* In place: the register's map points into its bench. */
static void add_order_register(struct bench *b)
{
    b->p.order = ORDER_CDAB;
    b->p.order_from = (struct profile_map){ .at = holding(4, 1) };
    add_order(b, 0, ORDER_ABCD);
    add_order(b, 1, ORDER_CDAB);
}

static void takes_the_order_from_a_register(void **state)
{
    struct bench b = bench_of(TYPE_U32);

    add_order_register(&b);
    PUT(&b, 1, 2, 0, 0, 0);
    assert_value(decode(&b), 0x10002, 0);
    PUT(&b, 1, 2, 0, 0, 1);
    assert_value(decode(&b), 0x20001, 0);
    assert_value(decode_in(&b, ORDER_ABCD), 0x10002, 0); /* set by hand: the register is moot */
    (void)state;
}

static void never_guesses_an_order(void **state)
{
    struct bench b = bench_of(TYPE_U32);

    add_order_register(&b);
    PUT(&b, 1, 2, 0, 0, 9);
    assert_missing(decode(&b), REASON_UNIT, STATUS_FAULT);
    b.have[5 + 4] = 0;
    assert_missing(decode(&b), REASON_FRAME, STATUS_NO_COMMUNICATION);
    assert_value(decode_in(&b, ORDER_CDAB), 0x20001, 0);
    (void)state;
}

static void encodes_what_it_decodes(void **state)
{
    static const struct {
        enum value_type type;
        double value;
    } cases[] = { { TYPE_U16, 6553.5 }, { TYPE_S16, -3276.8 },     { TYPE_U32, 429496729.5 },
                  { TYPE_S32, -0.1 },   { TYPE_U64, 123456789.1 }, { TYPE_S64, -9.9 },
                  { TYPE_F32, 1234.5 }, { TYPE_F64, 1e-3 } };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int order = 0; order < 4; order++) {
            struct bench b = bench_of(cases[i].type);
            b.points[0].scale = 0.1;
            b.points[0].scale_decimals = 1;
            profile_encode(profile_of(&b), order, &cases[i].value, b.words);
            double back = decimal_to_double(decode_in(&b, order).value);
            assert_true(fabs(back - cases[i].value) < 1e-6);
        }
    (void)state;
}

static void limits_values_to_the_type_and_off_the_codes(void **state)
{
    struct bench b = bench_of(TYPE_S16);
    double value = 1e9;

    b.points[0].invalid[0] = 0x7FFF;
    b.points[0].invalid_n = 1;
    profile_encode(profile_of(&b), -1, &value, b.words);
    assert_value(decode(&b), 32766, 0);
    value = -1e9;
    profile_encode(profile_of(&b), -1, &value, b.words);
    assert_value(decode(&b), -32768, 0);
    (void)state;
}

static void encodes_no_value_as_the_code_for_it(void **state)
{
    struct bench s = bench_of(TYPE_S16), f = bench_of(TYPE_F32);
    double none = (double)NAN;

    s.points[0].invalid[0] = 0x7FFF;
    s.points[0].invalid_n = 1;
    profile_encode(profile_of(&s), -1, &none, s.words);
    assert_int_equal(registers(&s)[0], 0x7FFF);
    profile_encode(profile_of(&f), -1, &none, f.words);
    assert_missing(decode(&f), REASON_NO_VALUE, STATUS_STOPPED);
    (void)state;
}

static void settles_unit_and_order_registers_when_encoding(void **state)
{
    struct bench b = bench_of(TYPE_U32);
    const struct quantity *q = quantity_find("water_level");
    double value = 3.21;

    add_order_register(&b);
    b.points[0].quantity = q;
    b.points[0].unit_from = (struct profile_map){ .at = holding(6, 1) };
    add_unit(&b, &b.points[0].unit_from, 32, "Cel", q);
    add_unit(&b, &b.points[0].unit_from, 48, "cm", q);
    registers(&b)[4] = 99;
    profile_encode(profile_of(&b), -1, &value, b.words);
    assert_int_equal(registers(&b)[4], 1);
    assert_int_equal(registers(&b)[6], 48);
    assert_value(decode(&b), 321, 2);
    (void)state;
}

static void sets_and_clears_the_words_of_flags(void **state)
{
    struct bench b = bench_with_status();

    b.p.flags_n = 2;
    b.flags[0] = (struct profile_flag){ .map.at = discrete(1), .is_for_all = true };
    b.flags[1] = (struct profile_flag){ .map.at = discrete(3), .is_for_all = true };
    add(&b, &b.flags[0].map, 1, "zero");
    add(&b, &b.flags[1].map, 0, "uncertain"); /* "system OK" is 1 */
    assert_int_equal(profile_encode_word(profile_of(&b), "zero", b.words), 0);
    decode(&b);
    assert_int_equal(b.out[0].verdict.status, STATUS_CALIBRATION);
    assert_int_equal(b.words[1 + 3], 1);
    assert_int_equal(profile_encode_word(profile_of(&b), "good", b.words), 0);
    decode(&b);
    assert_int_equal(b.out[0].verdict.status, STATUS_VALID);
    assert_int_equal(b.out[0].verdict.grade, GRADE_GOOD);
    (void)state;
}

static void sets_the_word_of_a_mode_and_leaves_other_bits(void **state)
{
    struct bench b = bench_with_status();

    b.p.mode = (struct profile_map){ .at = holding(5, 1), .mask = 0x0F00, .shift = 8 };
    add(&b, &b.p.mode, 2, "measuring");
    add(&b, &b.p.mode, 7, "span");
    registers(&b)[5] = 0xA0FF;
    assert_int_equal(profile_encode_word(profile_of(&b), "span", b.words), 0);
    assert_int_equal(registers(&b)[5], 0xA7FF);
    assert_int_equal(profile_encode_word(profile_of(&b), "measuring", b.words), 0);
    assert_int_equal(registers(&b)[5], 0xA2FF);
    (void)state;
}

static void refuses_a_word_that_the_instrument_does_not_have(void **state)
{
    struct bench b = bench_with_status();
    uint16_t before[WORDS_N];

    memcpy(before, b.words, sizeof before);
    assert_int_equal(profile_encode_word(profile_of(&b), "zero", b.words), -ENOENT);
    assert_memory_equal(before, b.words, sizeof before);
    (void)state;
}

static void finds_addresses_in_the_spans_only(void **state)
{
    struct bench b = bench_of(TYPE_U16);
    const struct profile *p = profile_of(&b);

    assert_int_equal(profile_offset(p, SPACE_COIL, 7), 0);
    assert_int_equal(profile_offset(p, SPACE_DISCRETE, 3), 4);
    assert_int_equal(profile_offset(p, SPACE_HOLDING, 119), WORDS_N - 1);
    assert_int_equal(profile_offset(p, SPACE_HOLDING, 120), -1);
    assert_int_equal(profile_offset(p, SPACE_HOLDING, 99), -1);
    assert_int_equal(profile_offset(p, SPACE_INPUT, 100), -1);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_16_bits_with_and_without_sign),
        cmocka_unit_test(reads_32_bits_in_four_orders),
        cmocka_unit_test(reads_64_bits_in_four_orders),
        cmocka_unit_test(keeps_64_bits_beyond_the_decimals_as_a_double),
        cmocka_unit_test(swaps_the_bytes_of_16_bit_points_but_not_of_status_words),
        cmocka_unit_test(lets_a_point_keep_its_own_order),
        cmocka_unit_test(gives_floats_as_their_shortest_decimal),
        cmocka_unit_test(has_no_value_for_nan_and_infinity),
        cmocka_unit_test(reads_bits_coils_and_inputs),
        cmocka_unit_test(scales_integers_in_decimals),
        cmocka_unit_test(scales_beyond_64_bits_as_a_double),
        cmocka_unit_test(takes_the_scale_from_a_register),
        cmocka_unit_test(never_guesses_a_scale),
        cmocka_unit_test(moves_the_point_for_powers_of_ten),
        cmocka_unit_test(keeps_one_decimal_beyond_the_step_when_converting),
        cmocka_unit_test(takes_the_unit_from_a_register),
        cmocka_unit_test(takes_the_unit_from_bits_of_two_registers),
        cmocka_unit_test(knows_the_codes_that_mean_no_value),
        cmocka_unit_test(knows_a_code_that_stands_in_a_register),
        cmocka_unit_test(misses_a_value_when_a_word_was_not_read),
        cmocka_unit_test(misses_a_value_when_its_quality_was_not_read),
        cmocka_unit_test(misses_a_value_that_the_image_does_not_hold),
        cmocka_unit_test(takes_quality_from_a_masked_field),
        cmocka_unit_test(unites_quality_bits),
        cmocka_unit_test(applies_a_flag_to_every_measurement),
        cmocka_unit_test(applies_a_flag_to_the_points_it_names),
        cmocka_unit_test(lets_the_worst_of_mode_and_flags_win),
        cmocka_unit_test(does_not_call_good_what_no_status_vouches_for),
        cmocka_unit_test(doubts_what_a_diagnostic_outside_its_range_concerns),
        cmocka_unit_test(takes_the_order_from_a_register),
        cmocka_unit_test(never_guesses_an_order),
        cmocka_unit_test(encodes_what_it_decodes),
        cmocka_unit_test(limits_values_to_the_type_and_off_the_codes),
        cmocka_unit_test(encodes_no_value_as_the_code_for_it),
        cmocka_unit_test(settles_unit_and_order_registers_when_encoding),
        cmocka_unit_test(sets_and_clears_the_words_of_flags),
        cmocka_unit_test(sets_the_word_of_a_mode_and_leaves_other_bits),
        cmocka_unit_test(refuses_a_word_that_the_instrument_does_not_have),
        cmocka_unit_test(finds_addresses_in_the_spans_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
