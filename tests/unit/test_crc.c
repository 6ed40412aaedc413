/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/core/crc.h"

#include "tests/unit/unit.h"

static uint32_t bit_by_bit(const uint8_t *p, size_t n)
{
    uint32_t c = 0xFFFFFFFFu;

    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0x82F63B78u : c >> 1;
    }
    return ~c;
}

static void agrees_with_the_published_check_value(void **state)
{
    (void)state;
    assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283u);
    assert_int_equal(crc32c(0, "", 0), 0);
}

static void agrees_with_the_polynomial_at_every_length_and_offset(void **state)
{
    uint8_t data[300];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 151 + (i >> 3) * 7);
    for (size_t at = 0; at < 8; at++)
        for (size_t n = 0; n + at <= sizeof data; n++)
            assert_int_equal(crc32c(0, data + at, n), bit_by_bit(data + at, n));
}

static void goes_on_from_an_earlier_part(void **state)
{
    (void)state;
    assert_int_equal(crc32c(crc32c(0, "12345", 5), "6789", 4), 0xE3069283u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_published_check_value),
        cmocka_unit_test(agrees_with_the_polynomial_at_every_length_and_offset),
        cmocka_unit_test(goes_on_from_an_earlier_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
