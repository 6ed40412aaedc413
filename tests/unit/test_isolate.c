/* SPDX-License-Identifier: Apache-2.0 */
/* Who is to blame when a destination fails, from its answers alone. */
#include "gateway/forward/isolate.h"

#include <errno.h>

#include "unit.h"

enum { PIECE_MAX = 64 };

static void suspect(struct isolate *i, uint64_t from, uint64_t to)
{
    for (uint64_t seq = from; seq <= to; seq++)
        assert_int_equal(isolate_add(i, seq), 0);
}

/* One trial at a destination that fails at `culprit` only. How many entries it had. */
static size_t try_piece(struct isolate *i, uint64_t culprit)
{
    uint64_t seqs[PIECE_MAX];
    size_t n = isolate_pick(i, seqs, PIECE_MAX);

    for (size_t k = 0; k < n; k++)
        if (seqs[k] == culprit) {
            isolate_failed(i, seqs, n, true);
            return n;
        }
    for (size_t k = 0; k < n; k++)
        isolate_drop(i, seqs[k], seqs[k]);
    isolate_passed(i, seqs[n - 1]);
    isolate_answered(i);
    return n;
}

static void narrows_down_to_the_one_that_fails(void **state)
{
    (void)state;
    struct isolate i = { .n = 0 };
    unsigned tries = 0;

    suspect(&i, 1, 60);
    while (i.n > 1 && tries < 100) {
        try_piece(&i, 37);
        tries++;
    }
    assert_int_equal(i.n, 1);
    assert_true(isolate_has(&i, 37));
    assert_in_range(tries, 10, 30);
    isolate_done(&i);
}

static void convicts_only_between_deliveries_of_others(void **state)
{
    (void)state;
    struct isolate i = { .n = 0 };

    suspect(&i, 7, 7);
    for (int k = 0; k < 100; k++)
        try_piece(&i, 7); /* the same over and over says nothing new */
    assert_int_equal(isolate_convicted(&i), 0);
    isolate_answered(&i);
    assert_int_equal(isolate_convicted(&i), 0);
    for (int k = 1; k < SUSPECT_STRIKES; k++) {
        try_piece(&i, 7);
        isolate_answered(&i);
    }
    assert_int_equal(isolate_convicted(&i), 7);
    isolate_drop(&i, 7, 7);
    assert_int_equal(isolate_convicted(&i), 0);
    isolate_done(&i);
}

static void a_failure_beside_others_failures_does_not_count(void **state)
{
    (void)state;
    struct isolate i = { .n = 0 };
    const uint64_t seq = 7;

    suspect(&i, 7, 7);
    for (int k = 0; k < 100; k++) {
        isolate_failed(&i, &seq, 1, true);
        isolate_doubted(&i);
        isolate_answered(&i);
        isolate_failed(&i, &seq, 1, false); /* nothing got through before */
        isolate_answered(&i);
    }
    assert_int_equal(isolate_convicted(&i), 0);
    isolate_done(&i);
}

static void everyone_has_his_turn(void **state)
{
    (void)state;
    struct isolate i = { .n = 0 };
    uint64_t seq;

    suspect(&i, 10, 14);
    for (uint64_t k = 0; k < 20; k++) {
        assert_int_equal(isolate_pick(&i, &seq, 1), 1);
        assert_int_equal(seq, 10 + k % 5);
        isolate_failed(&i, &seq, 1, true);
    }
    isolate_done(&i);
}

static void takes_each_once_and_only_so_many(void **state)
{
    (void)state;
    struct isolate i = { .n = 0 };

    suspect(&i, 1, SUSPECTS_MAX);
    suspect(&i, 5, 9);
    assert_int_equal(i.n, SUSPECTS_MAX);
    assert_int_equal(isolate_add(&i, SUSPECTS_MAX + 1), -ENOSPC);
    isolate_drop(&i, 0, 100);
    assert_false(isolate_has(&i, 100));
    assert_true(isolate_has(&i, 101));
    assert_int_equal(isolate_add(&i, 50), 0);
    isolate_drop(&i, 0, UINT64_MAX);
    assert_int_equal(i.n, 0);
    assert_null(i.suspects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(narrows_down_to_the_one_that_fails),
        cmocka_unit_test(convicts_only_between_deliveries_of_others),
        cmocka_unit_test(a_failure_beside_others_failures_does_not_count),
        cmocka_unit_test(everyone_has_his_turn),
        cmocka_unit_test(takes_each_once_and_only_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
