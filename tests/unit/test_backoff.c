/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/backoff.h"

#include "unit.h"

static void doubles_up_to_its_bound_and_jitters_below(void **state)
{
    struct backoff b = { .first_ms = 1000, .max_ms = 5000 };
    const int64_t bounds[] = { 1000, 2000, 4000, 5000, 5000 };

    (void)state;
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        int64_t wait = backoff_next(&b, 0x9E3779B9u * (uint32_t)(i + 1));
        assert_true(wait > bounds[i] / 2 && wait <= bounds[i]);
    }
    backoff_reset(&b);
    assert_int_equal(backoff_next(&b, 0), 1000);
}

static void jitter_differs(void **state)
{
    struct backoff a = { .first_ms = 1000, .max_ms = 1000 }, b = a;

    (void)state;
    assert_int_not_equal(backoff_next(&a, 1), backoff_next(&b, 400));
    assert_true(random_u64() != random_u64());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_up_to_its_bound_and_jitters_below),
        cmocka_unit_test(jitter_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
