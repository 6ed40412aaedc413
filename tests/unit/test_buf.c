/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/buf.h"

#include <string.h>

#include "unit.h"

static void drops_a_write_over_the_limit_whole(void **state)
{
    struct buf b = BUF_INIT(8);

    (void)state;
    buf_puts(&b, "12345");
    buf_puts(&b, "6789");
    assert_true(b.has_failed);
    assert_int_equal(b.size, 5);
    assert_null(buf_text(&b));
    buf_clear(&b);
    buf_puts(&b, "12345678");
    assert_string_equal(buf_text(&b), "12345678");
    buf_done(&b);
}

static void escapes_json_and_replaces_broken_utf8(void **state)
{
    struct buf b = BUF_INIT(256);

    (void)state;
    buf_json(&b, "a\"b\\c\n\x7f 滨 \xff \xc0\x80 \xed\xa0\x80");
    assert_string_equal(buf_text(&b), "\"a\\\"b\\\\c\\u000a\\u007f 滨 \xef\xbf\xbd "
                                      "\xef\xbf\xbd\xef\xbf\xbd "
                                      "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    buf_clear(&b);
    buf_json(&b, NULL);
    assert_string_equal(buf_text(&b), "null");
    buf_done(&b);
}

static void varints_come_back_as_written(void **state)
{
    const uint64_t values[] = { 0, 1, 127, 128, 300, 1u << 31, UINT64_MAX - 1, UINT64_MAX };
    struct buf b = BUF_INIT(256);

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        uint64_t v = 1;
        buf_clear(&b);
        buf_varint(&b, values[i]);
        assert_int_equal(varint_get((const uint8_t *)b.data, b.size, &v), b.size);
        assert_true(v == values[i]);
        assert_int_equal(varint_get((const uint8_t *)b.data, b.size - 1, &v), 0);
    }
    buf_done(&b);
}

static void refuses_a_varint_of_more_than_64_bits(void **state)
{
    const uint8_t too_large[] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 2 };
    const uint8_t too_long[] = { 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0 };
    uint64_t v = 7;

    (void)state;
    assert_int_equal(varint_get(too_large, sizeof too_large, &v), 0);
    assert_int_equal(varint_get(too_long, sizeof too_long, &v), 0);
    assert_int_equal(v, 7);
}

static void prints_long_texts_whole(void **state)
{
    struct buf b = BUF_INIT(4096);
    char want[2000];

    (void)state;
    memset(want, 'x', sizeof want - 1);
    want[sizeof want - 1] = '\0';
    buf_printf(&b, "%s", want);
    assert_string_equal(buf_text(&b), want);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drops_a_write_over_the_limit_whole),
        cmocka_unit_test(escapes_json_and_replaces_broken_utf8),
        cmocka_unit_test(varints_come_back_as_written),
        cmocka_unit_test(refuses_a_varint_of_more_than_64_bits),
        cmocka_unit_test(prints_long_texts_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
