/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "gateway/bus/modbus_frame.h"

static const struct bus_request two_holding = {
    .unit = 0x11, .function = 3, .first = 0x6B, .count = 2, .timeout_ms = 100
};

static enum adu_verdict tcp(const char *bytes, size_t n, struct adu_content *c)
{
    return adu_tcp_check(&two_holding, 0x1501, (const uint8_t *)bytes, n, c);
}

static enum adu_verdict rtu(const uint8_t *p, size_t n, size_t *used, struct adu_content *c)
{
    return adu_rtu_check(&two_holding, p, n, used, c);
}

static size_t with_crc(uint8_t *p, size_t n)
{
    uint16_t crc = adu_crc(p, n);

    p[n] = (uint8_t)crc;
    p[n + 1] = (uint8_t)(crc >> 8);
    return n + 2;
}

static void builds_the_tcp_request_of_the_standard(void **state)
{
    uint8_t adu[ADU_TCP_REQUEST];

    (void)state;
    adu_tcp_build(&two_holding, 0x1501, adu);
    assert_memory_equal(adu, "\x15\x01\0\0\0\6\x11\3\0\x6B\0\2", sizeof adu);
}

static void computes_the_crc_of_the_standard(void **state)
{
    (void)state; /* over Serial Line V1.02, 6.2.2: 02 07 gives 1241h */
    assert_int_equal(adu_crc((const uint8_t *)"\2\7", 2), 0x1241);
}

static void takes_a_tcp_answer_that_fits(void **state)
{
    struct adu_content c;

    (void)state;
    assert_int_equal(tcp("\x15\1\0\0\0\7\x11\3\4\x12\x34\xFF\xFE", 13, &c), ADU_ANSWER);
    assert_int_equal(c.words[0], 0x1234);
    assert_int_equal(c.words[1], 0xFFFE);
}

static void takes_a_tcp_exception(void **state)
{
    struct adu_content c;

    (void)state;
    assert_int_equal(tcp("\x15\1\0\0\0\3\x11\x83\2", 9, &c), ADU_EXCEPTION);
    assert_int_equal(c.exception, 2);
}

static void knows_another_transaction_as_foreign(void **state)
{
    struct adu_content c;

    (void)state;
    assert_int_equal(tcp("\x15\0\0\0\0\7\x11\3\4\x12\x34\xFF\xFE", 13, &c), ADU_FOREIGN);
}

static void refuses_tcp_answers_that_do_not_fit(void **state)
{
    static const struct {
        const char *what, *bytes;
        size_t n;
    } bad[] = {
        { "foreign unit", "\x15\1\0\0\0\7\x12\3\4\1\2\3\4", 13 },
        { "foreign function", "\x15\1\0\0\0\7\x11\4\4\1\2\3\4", 13 },
        { "byte count too small", "\x15\1\0\0\0\7\x11\3\2\1\2\3\4", 13 },
        { "byte count too large", "\x15\1\0\0\0\7\x11\3\xFE\1\2\3\4", 13 },
        { "one register", "\x15\1\0\0\0\5\x11\3\2\1\2", 11 },
        { "one byte over", "\x15\1\0\0\0\x08\x11\3\4\1\2\3\4\5", 14 },
        { "exception of another function", "\x15\1\0\0\0\3\x11\x84\2", 9 },
        { "exception 0", "\x15\1\0\0\0\3\x11\x83\0", 9 },
        { "exception 12", "\x15\1\0\0\0\3\x11\x83\x0C", 9 },
        { "exception with a tail", "\x15\1\0\0\0\4\x11\x83\2\2", 10 },
    };
    struct adu_content c;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (tcp(bad[i].bytes, bad[i].n, &c) != ADU_DAMAGED)
            fail_msg("took %s", bad[i].what);
    }
}

static void finds_the_length_of_tcp_frames(void **state)
{
    (void)state;
    assert_int_equal(adu_tcp_length((const uint8_t *)"\1\2\0\0\0", 5), 0);
    assert_int_equal(adu_tcp_length((const uint8_t *)"\1\2\0\0\0\3", 6), 9);
    assert_int_equal(adu_tcp_length((const uint8_t *)"\1\2\0\0\0\xFE", 6), 260);
    assert_int_equal(adu_tcp_length((const uint8_t *)"\1\2\0\0\0\xFF", 6), -1);
    assert_int_equal(adu_tcp_length((const uint8_t *)"\1\2\0\0\0\2", 6), -1);
    assert_int_equal(adu_tcp_length((const uint8_t *)"\1\2\0\1", 4), -1);
    assert_int_equal(adu_tcp_length((const uint8_t *)"HTTP/1", 6), -1);
}

static void unpacks_bits_lowest_first(void **state)
{
    const struct bus_request ten_coils = {
        .unit = 1, .function = 1, .first = 0x13, .count = 10, .timeout_ms = 1
    };
    uint8_t adu[16] = { 1, 1, 2, 0xCD, 0x01 };
    struct adu_content c;
    size_t used;

    (void)state;
    size_t n = with_crc(adu, 5);
    assert_int_equal(adu_rtu_length(&ten_coils), n);
    assert_int_equal(adu_rtu_check(&ten_coils, adu, n, &used, &c), ADU_ANSWER);
    static const uint16_t expected[10] = { 1, 0, 1, 1, 0, 0, 1, 1, 1, 0 };
    assert_memory_equal(c.words, expected, sizeof expected);
}

static void takes_a_serial_answer_byte_by_byte(void **state)
{
    uint8_t adu[16] = { 0x11, 3, 4, 0, 1, 0, 2 };
    struct adu_content c;
    size_t used, n = with_crc(adu, 7);

    (void)state;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(rtu(adu, i, &used, &c), ADU_MORE);
    assert_int_equal(rtu(adu, n, &used, &c), ADU_ANSWER);
    assert_int_equal(used, 9);
    assert_int_equal(c.words[1], 2);
}

static void drops_serial_answers_of_others_whole(void **state)
{
    uint8_t other_unit[16] = { 0x12, 3, 4, 0, 1, 0, 2 };
    uint8_t other_length[16] = { 0x11, 3, 2, 0, 1 };
    uint8_t other_request[16] = { 0x20, 3, 0, 1, 0, 9 };
    struct adu_content c;
    size_t used;

    (void)state;
    assert_int_equal(rtu(other_unit, with_crc(other_unit, 7), &used, &c), ADU_FOREIGN);
    assert_int_equal(used, 9);
    assert_int_equal(rtu(other_length, with_crc(other_length, 5), &used, &c), ADU_FOREIGN);
    assert_int_equal(used, 7);
    assert_int_equal(rtu(other_request, with_crc(other_request, 6), &used, &c), ADU_FOREIGN);
    assert_int_equal(used, 8);
}

static void refuses_a_serial_answer_with_any_bit_flipped(void **state)
{
    uint8_t good[16] = { 0x11, 3, 4, 0, 1, 0, 2 };
    struct adu_content c;
    size_t used, n = with_crc(good, 7);

    (void)state;
    for (size_t bit = 0; bit < n * 8; bit++) {
        uint8_t bad[16];
        memcpy(bad, good, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        enum adu_verdict v = rtu(bad, n, &used, &c);
        assert_true(v == ADU_DAMAGED || v == ADU_STRANGE);
    }
}

static void gives_up_on_endless_foreign_bytes(void **state)
{
    uint8_t noise[ADU_RTU_MAX];
    struct adu_content c;
    size_t used;

    (void)state;
    memset(noise, 0x55, sizeof noise);
    assert_int_equal(rtu(noise, sizeof noise - 1, &used, &c), ADU_STRANGE);
    assert_int_equal(rtu(noise, sizeof noise, &used, &c), ADU_DAMAGED);
    assert_int_equal(used, sizeof noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_the_tcp_request_of_the_standard),
        cmocka_unit_test(computes_the_crc_of_the_standard),
        cmocka_unit_test(takes_a_tcp_answer_that_fits),
        cmocka_unit_test(takes_a_tcp_exception),
        cmocka_unit_test(knows_another_transaction_as_foreign),
        cmocka_unit_test(refuses_tcp_answers_that_do_not_fit),
        cmocka_unit_test(finds_the_length_of_tcp_frames),
        cmocka_unit_test(unpacks_bits_lowest_first),
        cmocka_unit_test(takes_a_serial_answer_byte_by_byte),
        cmocka_unit_test(drops_serial_answers_of_others_whole),
        cmocka_unit_test(refuses_a_serial_answer_with_any_bit_flipped),
        cmocka_unit_test(gives_up_on_endless_foreign_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
