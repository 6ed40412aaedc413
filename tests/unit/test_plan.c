/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "gateway/poll/plan.h"

enum { POINTS_MAX = 16, SPANS_MAX = 8 };

static const struct plan_cost free_holes;

struct sheet {
    struct profile profile;
    struct profile_point points[POINTS_MAX];
    struct profile_span spans[SPANS_MAX];
};

static void sheet_init(struct sheet *s, int max, int gap)
{
    memset(s, 0, sizeof *s);
    s->profile.points = s->points;
    s->profile.spans = s->spans;
    s->profile.read_max = max;
    s->profile.read_gap = gap;
}

static void add_span(struct sheet *s, uint8_t space, uint16_t first, uint16_t count)
{
    struct profile *p = &s->profile;

    s->spans[p->spans_n++] = (struct profile_span){ space, first, count, (uint16_t)p->words_n };
    p->words_n += count;
}

static void add_point(struct sheet *s, uint8_t space, uint16_t first, uint8_t count)
{
    s->points[s->profile.points_n++].at = (struct register_address){ space, first, count, -1 };
}

/* Floats one after another from a register on. */
static void add_floats(struct sheet *s, uint16_t first, int n)
{
    add_span(s, SPACE_HOLDING, first, (uint16_t)(2 * n));
    for (int i = 0; i < n; i++)
        add_point(s, SPACE_HOLDING, (uint16_t)(first + 2 * i), 2);
}

static void assert_read(const struct plan *pl, size_t request, uint8_t space, uint16_t first,
                        uint16_t count)
{
    struct plan_read r = plan_read_of(pl, request);

    assert_int_equal(r.space, space);
    assert_int_equal(r.first, first);
    assert_int_equal(r.count, count);
}

static void reads_neighbours_in_one_request(void **state)
{
    struct sheet s;
    struct plan pl;

    (void)state;
    sheet_init(&s, 60, 8);
    add_floats(&s, 18, 2);
    add_floats(&s, 30, 1); /* 8 registers between */
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(pl.requests_n, 1);
    assert_read(&pl, 0, SPACE_HOLDING, 18, 14);
    plan_done(&pl);
}

static void leaves_wider_gaps_and_other_spaces_apart(void **state)
{
    struct sheet s;
    struct plan pl;

    (void)state;
    sheet_init(&s, 60, 8);
    add_span(&s, SPACE_DISCRETE, 0, 3);
    add_floats(&s, 18, 2);
    add_floats(&s, 31, 1); /* 9 registers between */
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(pl.requests_n, 3);
    assert_read(&pl, 0, SPACE_DISCRETE, 0, 3);
    assert_read(&pl, 1, SPACE_HOLDING, 18, 4);
    assert_read(&pl, 2, SPACE_HOLDING, 31, 2);
    plan_done(&pl);
}

static void keeps_numbers_whole_at_the_limit(void **state)
{
    struct sheet s;
    struct plan pl;

    (void)state;
    sheet_init(&s, 5, 0);
    add_floats(&s, 0, 4);
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(pl.requests_n, 2);
    assert_read(&pl, 0, SPACE_HOLDING, 0, 4);
    assert_read(&pl, 1, SPACE_HOLDING, 4, 4);
    plan_done(&pl);
}

static void reads_one_by_one_where_the_profile_says_so(void **state)
{
    struct sheet s;
    struct plan pl;

    (void)state;
    sheet_init(&s, 60, 8);
    s.profile.read_single = true;
    add_floats(&s, 0, 3);
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(pl.requests_n, 3);
    assert_read(&pl, 2, SPACE_HOLDING, 4, 2);
    plan_done(&pl);
}

static void reads_atomic_blocks_as_they_are(void **state)
{
    struct sheet s;
    struct plan pl;
    struct plan_piece piece;

    (void)state;
    sheet_init(&s, 10, 8);
    s.profile.read_atomic = true;
    add_floats(&s, 0, 5);
    add_floats(&s, 12, 5);
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(pl.requests_n, 2);
    assert_read(&pl, 0, SPACE_HOLDING, 0, 10);
    assert_int_equal(plan_refuse(&pl, 0, &piece), PLAN_LEFT_OUT);
    assert_int_equal(piece.count, 10);
    plan_done(&pl);
}

static void stores_answers_where_the_profile_wants_them(void **state)
{
    struct sheet s;
    struct plan pl;
    uint16_t answer[6] = { 1, 2, 99, 99, 3, 4 }, words[4] = { 0 };
    uint8_t have[4] = { 0 };

    (void)state;
    sheet_init(&s, 60, 8);
    add_floats(&s, 10, 1);
    add_floats(&s, 14, 1);
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(pl.requests_n, 1);
    plan_store(&pl, 0, answer, words, have);
    assert_memory_equal(words, ((uint16_t[]){ 1, 2, 3, 4 }), sizeof words);
    assert_memory_equal(have, ((uint8_t[]){ 1, 1, 1, 1 }), sizeof have);
    plan_done(&pl);
}

/* A device that refuses every read that touches one register. */
static int settle(struct plan *pl, uint16_t guilty, struct plan_piece *piece)
{
    int refusals = 0, told = 0;

    for (size_t i = 0; i < pl->requests_n;) {
        struct plan_read r = plan_read_of(pl, i);
        if (guilty < r.first || guilty >= r.first + r.count) {
            i++;
            continue;
        }
        assert_true(++refusals < 20);
        told += plan_refuse(pl, i, piece) == PLAN_LEFT_OUT;
    }
    return told;
}

static void leaves_out_the_guilty_register_alone(void **state)
{
    struct sheet s;
    struct plan_piece piece;

    (void)state;
    for (uint16_t guilty = 100; guilty < 120; guilty++) {
        struct plan pl;
        sheet_init(&s, 60, 0);
        add_floats(&s, 100, 10);
        assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
        assert_int_equal(settle(&pl, guilty, &piece), 1);
        assert_int_equal(piece.first, guilty / 2 * 2);
        assert_int_equal(piece.count, 2);
        uint16_t read = 0;
        for (size_t i = 0; i < pl.requests_n; i++)
            read = (uint16_t)(read + plan_read_of(&pl, i).count);
        assert_int_equal(read, 18);
        plan_done(&pl);
    }
}

static void blames_a_bridged_gap_first(void **state)
{
    struct sheet s;
    struct plan pl;
    struct plan_piece piece;

    (void)state;
    sheet_init(&s, 60, 8);
    add_floats(&s, 0, 1);
    add_floats(&s, 2, 4);
    add_floats(&s, 14, 1);
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(pl.requests_n, 1);
    assert_int_equal(plan_refuse(&pl, 0, &piece), PLAN_SPLIT);
    assert_read(&pl, 0, SPACE_HOLDING, 0, 10);
    assert_read(&pl, 1, SPACE_HOLDING, 14, 2);
    plan_done(&pl);
}

/* The rules a device keeps to that refuses some registers: reads go round until none is
 * refused. Returns the reads that one scan takes then. */
static size_t learn(struct plan *pl, const uint16_t *guilty, size_t n)
{
    struct plan_piece piece;
    uint16_t answer[125] = { 0 }, words[125] = { 0 };
    uint8_t have[125];

    for (int refused = 1, rounds = 0; refused; rounds++) {
        refused = 0;
        assert_true(rounds < 4);
        for (size_t i = 0; i < pl->requests_n;) {
            struct plan_read r = plan_read_of(pl, i);
            bool is_refused = false;
            for (size_t g = 0; g < n; g++)
                is_refused |= guilty[g] >= r.first && guilty[g] < r.first + r.count;
            if (!is_refused)
                plan_store(pl, i++, answer, words, have);
            else
                plan_refuse(pl, i, &piece);
            refused += is_refused;
        }
        plan_merge(pl);
    }
    return pl->requests_n;
}

static void reports_a_register_once(void **state)
{
    struct sheet s;
    struct plan pl;
    struct plan_piece piece;

    (void)state;
    sheet_init(&s, 60, 0);
    add_floats(&s, 0, 4);
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(settle(&pl, 4, &piece), 1);
    plan_reset(&pl);
    assert_int_equal(pl.requests_n, 1);
    assert_read(&pl, 0, SPACE_HOLDING, 0, 8);
    assert_int_equal(settle(&pl, 4, &piece), 0);
    plan_done(&pl);
}

static void joins_again_around_what_is_left_out(void **state)
{
    struct sheet s;
    struct plan pl;

    (void)state;
    sheet_init(&s, 60, 0);
    add_floats(&s, 0, 10);
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(learn(&pl, (uint16_t[]){ 8 }, 1), 2);
    assert_read(&pl, 0, SPACE_HOLDING, 0, 8);
    assert_read(&pl, 1, SPACE_HOLDING, 10, 10);
    assert_int_equal(plan_left_out(&pl), 1);
    plan_done(&pl);
}

static void tries_a_left_out_register_alone(void **state)
{
    struct sheet s;
    struct plan pl;
    struct plan_piece piece;

    (void)state;
    sheet_init(&s, 60, 0);
    add_floats(&s, 0, 10);
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    learn(&pl, (uint16_t[]){ 8 }, 1);
    plan_try(&pl, false);
    assert_int_equal(pl.requests_n, 3);
    assert_read(&pl, 1, SPACE_HOLDING, 8, 2);
    assert_int_equal(plan_refuse(&pl, 1, &piece), PLAN_LEFT_OUT_AGAIN);
    assert_int_equal(pl.requests_n, 2);
    plan_try(&pl, false);
    assert_int_equal(learn(&pl, NULL, 0), 1); /* it answers now */
    assert_int_equal(plan_left_out(&pl), 0);
    plan_done(&pl);
}

/* Registers 4..11 do not exist, and neither side of them is to blame. */
static void finds_that_a_hole_is_refused_and_remembers_it(void **state)
{
    struct sheet s;
    struct plan pl;

    (void)state;
    sheet_init(&s, 60, 8);
    add_floats(&s, 0, 2);
    add_floats(&s, 12, 2);
    add_floats(&s, 18, 1); /* another hole, which is harmless */
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(pl.requests_n, 1);
    assert_int_equal(learn(&pl, (uint16_t[]){ 7 }, 1), 2);
    assert_read(&pl, 0, SPACE_HOLDING, 0, 4);
    assert_read(&pl, 1, SPACE_HOLDING, 12, 8);
    assert_int_equal(plan_left_out(&pl), 0);
    assert_true(plan_has_cuts(&pl));
    plan_try(&pl, false);
    assert_int_equal(pl.requests_n, 2);
    plan_try(&pl, true); /* once a day */
    assert_int_equal(pl.requests_n, 1);
    plan_done(&pl);
}

static void takes_back_a_cut_that_did_not_help(void **state)
{
    struct sheet s;
    struct plan pl;

    (void)state;
    sheet_init(&s, 60, 8);
    add_floats(&s, 0, 2);
    add_floats(&s, 12, 2); /* cut here first: the widest hole */
    add_floats(&s, 18, 1); /* the guilty one */
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(learn(&pl, (uint16_t[]){ 17 }, 1), 2);
    assert_read(&pl, 0, SPACE_HOLDING, 0, 16);
    assert_read(&pl, 1, SPACE_HOLDING, 18, 2);
    plan_done(&pl);
}

static void finds_registers_and_holes_at_once(void **state)
{
    struct sheet s;
    struct plan pl;

    (void)state;
    sheet_init(&s, 60, 8);
    add_floats(&s, 0, 4);
    add_floats(&s, 12, 4);
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(learn(&pl, (uint16_t[]){ 2, 10, 19 }, 3), 3);
    assert_read(&pl, 0, SPACE_HOLDING, 0, 2);
    assert_read(&pl, 1, SPACE_HOLDING, 4, 4);
    assert_read(&pl, 2, SPACE_HOLDING, 12, 6);
    assert_int_equal(plan_left_out(&pl), 2);
    plan_done(&pl);
}

static void keeps_requests_as_short_as_the_device_wants_them(void **state)
{
    struct sheet s;
    struct plan pl;
    struct plan_piece piece;

    (void)state;
    sheet_init(&s, 60, 0);
    add_floats(&s, 0, 8);
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    assert_int_equal(plan_refuse(&pl, 0, &piece), PLAN_SPLIT); /* more than 8 are refused */
    plan_merge(&pl);
    assert_int_equal(pl.requests_n, 2);
    assert_read(&pl, 1, SPACE_HOLDING, 8, 8);
    plan_done(&pl);
}

/* 8 registers between take 16 bytes of the line. */
static void bridges_a_hole_only_while_it_is_cheaper_than_an_exchange(void **state)
{
    struct sheet s;
    struct plan pl;

    (void)state;
    sheet_init(&s, 60, 8);
    add_floats(&s, 0, 1);
    add_floats(&s, 10, 1);
    for (int64_t exchange = 15; exchange <= 16; exchange++) {
        assert_int_equal(
            plan_init(&pl, &s.profile, (struct plan_cost){ .exchange = exchange, .byte = 1 }),
            0);
        assert_int_equal(pl.requests_n, exchange == 16 ? 1 : 2);
        plan_done(&pl);
    }
}

static void counts_bits_of_a_hole_eight_to_a_byte(void **state)
{
    struct sheet s;
    struct plan pl;

    (void)state;
    sheet_init(&s, 60, 20);
    add_span(&s, SPACE_COIL, 0, 1);
    add_span(&s, SPACE_COIL, 17, 1);
    assert_int_equal(plan_init(&pl, &s.profile, (struct plan_cost){ .exchange = 2, .byte = 1 }),
                     0);
    assert_int_equal(pl.requests_n, 1);
    plan_done(&pl);
}

static void refuses_a_profile_without_registers(void **state)
{
    struct sheet s;
    struct plan pl;

    (void)state;
    sheet_init(&s, 60, 0);
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), -EINVAL);
}

static void begins_elsewhere_after_rotating(void **state)
{
    struct sheet s;
    struct plan pl;

    (void)state;
    sheet_init(&s, 60, 0);
    add_floats(&s, 0, 1);
    add_floats(&s, 50, 1);
    assert_int_equal(plan_init(&pl, &s.profile, free_holes), 0);
    plan_rotate(&pl);
    assert_read(&pl, 0, SPACE_HOLDING, 50, 2);
    assert_read(&pl, 1, SPACE_HOLDING, 0, 2);
    plan_done(&pl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_neighbours_in_one_request),
        cmocka_unit_test(leaves_wider_gaps_and_other_spaces_apart),
        cmocka_unit_test(keeps_numbers_whole_at_the_limit),
        cmocka_unit_test(reads_one_by_one_where_the_profile_says_so),
        cmocka_unit_test(reads_atomic_blocks_as_they_are),
        cmocka_unit_test(stores_answers_where_the_profile_wants_them),
        cmocka_unit_test(leaves_out_the_guilty_register_alone),
        cmocka_unit_test(blames_a_bridged_gap_first),
        cmocka_unit_test(reports_a_register_once),
        cmocka_unit_test(joins_again_around_what_is_left_out),
        cmocka_unit_test(tries_a_left_out_register_alone),
        cmocka_unit_test(finds_that_a_hole_is_refused_and_remembers_it),
        cmocka_unit_test(takes_back_a_cut_that_did_not_help),
        cmocka_unit_test(finds_registers_and_holes_at_once),
        cmocka_unit_test(keeps_requests_as_short_as_the_device_wants_them),
        cmocka_unit_test(bridges_a_hole_only_while_it_is_cheaper_than_an_exchange),
        cmocka_unit_test(counts_bits_of_a_hole_eight_to_a_byte),
        cmocka_unit_test(refuses_a_profile_without_registers),
        cmocka_unit_test(begins_elsewhere_after_rotating),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
