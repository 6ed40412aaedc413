/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "gateway/base/base64.h"

static int decode(const char *text, char *out, size_t max)
{
    size_t n = 0;
    int rc = base64_decode(text, strlen(text), out, max, &n);

    return rc < 0 ? rc : (int)n;
}

/* RFC 4648 section 10. */
static void agrees_with_the_samples_of_the_standard(void **state)
{
    static const char *const samples[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
    };
    char text[16], bytes[16];

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const char *plain = samples[i][0], *coded = samples[i][1];
        assert_int_equal(base64_encode(plain, strlen(plain), text), strlen(coded));
        assert_string_equal(text, coded);
        assert_int_equal(decode(coded, bytes, sizeof bytes), strlen(plain));
        assert_memory_equal(bytes, plain, strlen(plain));
    }
}

static void comes_back_at_every_length(void **state)
{
    uint8_t in[256], out[256];
    char text[BASE64_SIZE(256) + 1];
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 167 + 13);
    for (size_t i = 0; i <= sizeof in; i++) {
        assert_int_equal(base64_encode(in, i, text), BASE64_SIZE(i));
        assert_int_equal(base64_decode(text, BASE64_SIZE(i), out, i, &n), 0);
        assert_int_equal(n, i);
        assert_memory_equal(in, out, i);
    }
}

static void takes_both_alphabets_with_and_without_padding(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(decode("+/8=", out, 2), 2);
    assert_memory_equal(out, "\xfb\xff", 2);
    assert_int_equal(decode("-_8", out, 2), 2);
    assert_memory_equal(out, "\xfb\xff", 2);
    assert_int_equal(decode("-/8", out, 2), 2);
    assert_int_equal(decode("Zg", out, 1), 1);
    assert_int_equal(decode("Zg=", out, 1), 1);
}

static void refuses_what_is_not_base64_or_too_long(void **state)
{
    char out[3];

    (void)state;
    assert_int_equal(decode("Z", out, 3), -EINVAL);
    assert_int_equal(decode("Zg===", out, 3), -EINVAL);
    assert_int_equal(decode("Z===", out, 3), -EINVAL);
    assert_int_equal(decode("Zm9*", out, 3), -EINVAL);
    assert_int_equal(decode("Zm 9v", out, 3), -EINVAL);
    assert_int_equal(decode("Z=g=", out, 3), -EINVAL);
    assert_int_equal(decode("Zm9vYg==", out, 3), -EMSGSIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_samples_of_the_standard),
        cmocka_unit_test(comes_back_at_every_length),
        cmocka_unit_test(takes_both_alphabets_with_and_without_padding),
        cmocka_unit_test(refuses_what_is_not_base64_or_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
