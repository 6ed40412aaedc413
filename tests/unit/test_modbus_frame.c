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
    uint8_t adu[ADU_TCP_MAX];

    (void)state;
    assert_int_equal(adu_tcp_build(&two_holding, 0x1501, adu), ADU_TCP_REQUEST);
    assert_memory_equal(adu, "\x15\x01\0\0\0\6\x11\3\0\x6B\0\2", ADU_TCP_REQUEST);
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

/* Requests and answers of the examples in protocol 6.1 to 6.21, without unit and CRC. */
static const struct vector {
    struct bus_request request;
    const char *sent;
    size_t sent_n;
    const char *came;
    size_t came_n;
} vectors[] = {
    { { .function = 1, .first = 0x13, .count = 19 }, "\1\0\x13\0\x13", 5, "\1\3\xCD\x6B\5", 5 },
    { { .function = 2, .first = 0xC4, .count = 22 },
      "\2\0\xC4\0\x16",
      5,
      "\2\3\xAC\xDB\x35",
      5 },
    { { .function = 3, .first = 0x6B, .count = 3 },
      "\3\0\x6B\0\3",
      5,
      "\3\6\2\x2B\0\0\0\x64",
      8 },
    { { .function = 4, .first = 8, .count = 1 }, "\4\0\x08\0\1", 5, "\4\2\0\x0A", 4 },
    { { .function = 5, .first = 0xAC, .count = 1, .words = (const uint16_t[]){ 1 } },
      "\5\0\xAC\xFF\0",
      5,
      "\5\0\xAC\xFF\0",
      5 },
    { { .function = 6, .first = 1, .count = 1, .words = (const uint16_t[]){ 3 } },
      "\6\0\1\0\3",
      5,
      "\6\0\1\0\3",
      5 },
    { { .function = 15,
        .first = 0x13,
        .count = 10,
        .words = (const uint16_t[]){ 1, 0, 1, 1, 0, 0, 1, 1, 1, 0 } },
      "\x0F\0\x13\0\x0A\2\xCD\1",
      8,
      "\x0F\0\x13\0\x0A",
      5 },
    { { .function = 16, .first = 1, .count = 2, .words = (const uint16_t[]){ 0x0A, 0x102 } },
      "\x10\0\1\0\2\4\0\x0A\1\2",
      10,
      "\x10\0\1\0\2",
      5 },
    { { .function = 0x2B, .first = 1, .count = 1 },
      "\x2B\x0E\4\1",
      4,
      "\x2B\x0E\4\x81\0\0\1\1\6AQT530",
      15 },
};
enum { VECTORS_N = sizeof vectors / sizeof vectors[0] };

static struct bus_request request_of(const struct vector *v)
{
    struct bus_request r = v->request;

    r.unit = 0x11;
    r.timeout_ms = 1;
    assert_true(adu_is_request(&r));
    return r;
}

static void builds_the_requests_of_the_standard(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS_N; i++) {
        const struct vector *v = &vectors[i];
        const struct bus_request r = request_of(v);
        uint8_t adu[ADU_TCP_MAX];
        assert_int_equal(adu_tcp_build(&r, 1, adu), ADU_TCP_HEADER + v->sent_n);
        assert_int_equal(adu_tcp_length(adu, ADU_TCP_HEADER), ADU_TCP_HEADER + v->sent_n);
        assert_memory_equal(adu + ADU_TCP_HEADER, v->sent, v->sent_n);
        assert_int_equal(adu_rtu_build(&r, adu), 1 + v->sent_n + ADU_CRC);
        assert_memory_equal(adu + 1, v->sent, v->sent_n);
        assert_int_equal(adu_rtu_any(adu, 1 + v->sent_n + ADU_CRC), 1 + v->sent_n + ADU_CRC);
        assert_true(adu_rtu_asks(adu, 1 + v->sent_n + ADU_CRC) == adu_key(&r));
    }
}

static size_t rtu_answer(const struct vector *v, uint8_t *adu)
{
    adu[0] = 0x11;
    memcpy(adu + 1, v->came, v->came_n);
    return with_crc(adu, 1 + v->came_n);
}

static void takes_the_answers_of_the_standard(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS_N; i++) {
        const struct bus_request r = request_of(&vectors[i]);
        uint8_t adu[ADU_TCP_MAX] = { 0, 1 };
        struct adu_content c;
        size_t used, n = rtu_answer(&vectors[i], adu);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(adu_rtu_check(&r, adu, k, &used, &c), ADU_MORE);
        assert_int_equal(adu_rtu_check(&r, adu, n, &used, &c), ADU_ANSWER);
        assert_int_equal(used, n);
        assert_int_equal(adu_rtu_any(adu, n), n);
        assert_true(adu_rtu_key(adu, n) == adu_key(&r));
        uint8_t tcp_adu[ADU_TCP_MAX] = {
            0, 1, 0, 0, 0, (uint8_t)(vectors[i].came_n + 1), 0x11
        };
        memcpy(tcp_adu + ADU_TCP_HEADER, vectors[i].came, vectors[i].came_n);
        n = ADU_TCP_HEADER + vectors[i].came_n;
        assert_int_equal(adu_tcp_check(&r, 1, tcp_adu, n, &c), ADU_ANSWER);
    }
}

/* Every byte counts, but for the data, conformity and next object. */
static bool is_free_byte(const struct vector *v, size_t at)
{
    if (v->request.function <= 4)
        return at >= 2;
    return v->request.function == 0x2B && (at == 3 || at == 5 || at >= 9);
}

static void refuses_answers_with_any_byte_that_does_not_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS_N; i++) {
        const struct bus_request r = request_of(&vectors[i]);
        for (size_t at = 0; at < vectors[i].came_n; at++) {
            uint8_t adu[ADU_TCP_MAX] = { 0, 1, 0, 0, 0, 0, 0x11 };
            struct adu_content c;
            memcpy(adu + ADU_TCP_HEADER, vectors[i].came, vectors[i].came_n);
            adu[ADU_TCP_HEADER + at] ^= 0x08;
            enum adu_verdict v =
                adu_tcp_check(&r, 1, adu, ADU_TCP_HEADER + vectors[i].came_n, &c);
            if ((v == ADU_ANSWER) != is_free_byte(&vectors[i], at))
                fail_msg("function %d, byte %zu", r.function, at);
            size_t used, n = rtu_answer(&vectors[i], adu);
            adu[1 + at] ^= 0x08;
            with_crc(adu, n - ADU_CRC);
            v = adu_rtu_check(&r, adu, n, &used, &c);
            if ((v == ADU_ANSWER) != is_free_byte(&vectors[i], at))
                fail_msg("serial: function %d, byte %zu", r.function, at);
        }
    }
}

static void reads_the_product_of_an_instrument(void **state)
{
    static const char sent[] = "\x01\x2B\x0E\x04\x01\xB2\xE7";
    static const char came[] = "\x01\x2B\x0E\x04\x81\0\0\1\1\6AQT530\xA6\xD3";
    const struct bus_request r = {
        .unit = 1, .function = BUS_IDENTIFY, .first = 1, .count = 1
    };
    uint8_t adu[ADU_RTU_MAX];
    struct adu_content c;
    size_t used;

    (void)state;
    assert_int_equal(adu_rtu_build(&r, adu), sizeof sent - 1);
    assert_memory_equal(adu, sent, sizeof sent - 1);
    assert_int_equal(adu_rtu_check(&r, (const uint8_t *)came, sizeof came - 1, &used, &c),
                     ADU_ANSWER);
    assert_string_equal(c.text, "AQT530");
    assert_int_equal(c.n, 6);
}

static void cuts_texts_that_are_padded(void **state)
{
    const struct bus_request r = {
        .unit = 1, .function = BUS_IDENTIFY, .first = 0, .count = 1
    };
    uint8_t adu[ADU_RTU_MAX] = { 1, 0x2B, 0x0E, 4, 1, 0, 0, 1, 0, 4, 'A', 0, 0, 0 };
    struct adu_content c;
    size_t used, n = with_crc(adu, 14);

    (void)state;
    assert_int_equal(adu_rtu_check(&r, adu, n, &used, &c), ADU_ANSWER);
    assert_int_equal(c.n, 1);
    assert_string_equal(c.text, "A");
}

static void takes_a_text_of_the_greatest_length_and_none_longer(void **state)
{
    const struct bus_request r = {
        .unit = 1, .function = BUS_IDENTIFY, .first = 0, .count = 1
    };
    uint8_t adu[ADU_RTU_MAX + 4] = { 1, 0x2B, 0x0E, 4, 1, 0, 0, 1, 0, BUS_TEXT_MAX };
    struct adu_content c;
    size_t used;

    (void)state;
    memset(adu + 10, 'x', BUS_TEXT_MAX);
    assert_int_equal(with_crc(adu, 10 + BUS_TEXT_MAX), ADU_RTU_MAX);
    assert_int_equal(adu_rtu_check(&r, adu, ADU_RTU_MAX, &used, &c), ADU_ANSWER);
    assert_int_equal(c.n, BUS_TEXT_MAX);
    adu[9]++;
    assert_int_equal(adu_rtu_check(&r, adu, ADU_RTU_MAX, &used, &c), ADU_DAMAGED);
}

static void refuses_what_is_no_request(void **state)
{
    static const uint16_t words[BUS_WRITE_MAX + 1] = { 2 };
    static const struct bus_request bad[] = {
        { .function = 0, .count = 1 },
        { .function = 7, .count = 1 },
        { .function = 3, .count = 0 },
        { .function = 3, .count = BUS_WORDS_MAX + 1 },
        { .function = 3, .first = 0xFFFF, .count = 2 },
        { .function = 3, .count = 1, .words = words },
        { .function = 6, .count = 1 },
        { .function = 6, .count = 2, .words = words },
        { .function = 5, .count = 1, .words = words },
        { .function = 15, .count = 1, .words = words },
        { .function = 16, .count = BUS_WRITE_MAX + 1, .words = words },
        { .function = 0x2B, .first = 256, .count = 1 },
        { .function = 0x2B, .first = 0, .count = 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (adu_is_request(&bad[i]))
            fail_msg("number %zu was taken", i);
    }
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
        cmocka_unit_test(builds_the_requests_of_the_standard),
        cmocka_unit_test(takes_the_answers_of_the_standard),
        cmocka_unit_test(refuses_answers_with_any_byte_that_does_not_fit),
        cmocka_unit_test(reads_the_product_of_an_instrument),
        cmocka_unit_test(cuts_texts_that_are_padded),
        cmocka_unit_test(takes_a_text_of_the_greatest_length_and_none_longer),
        cmocka_unit_test(refuses_what_is_no_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
