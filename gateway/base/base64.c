/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/base64.h"

#include <errno.h>

/* Value + 1 by character, 0: none. '-' and '_' are those of the URL alphabet. */
static const uint8_t values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
    ['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
    ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
    ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
    ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
    ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
    ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
    ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
    ['-'] = 63, ['/'] = 64, ['_'] = 64,
};
static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const void *data, size_t n, char *out)
{
    const uint8_t *p = data;
    char *at = out;

    for (; n > 0; p += 3) {
        const size_t take = n < 3 ? n : 3;
        const uint32_t v = (uint32_t)p[0] << 16 | (take > 1 ? (uint32_t)p[1] << 8 : 0) |
                           (take > 2 ? p[2] : 0U);
        *at++ = alphabet[v >> 18];
        *at++ = alphabet[v >> 12 & 63];
        *at++ = '=';
        *at++ = '=';
        if (take > 1)
            at[-2] = alphabet[v >> 6 & 63];
        if (take > 2)
            at[-1] = alphabet[v & 63];
        n -= take;
    }
    *at = '\0';
    return (size_t)(at - out);
}

static size_t without_padding(const char *text, size_t n)
{
    for (int i = 0; i < 2 && n > 0 && text[n - 1] == '='; i++)
        n--;
    return n;
}

int base64_decode(const char *text, size_t n, void *out, size_t max, size_t *ret_n)
{
    uint8_t *to = out;
    uint32_t bits = 0;
    size_t made = 0;

    n = without_padding(text, n);
    if (n % 4 == 1)
        return -EINVAL;
    if (n / 4 * 3 + (n % 4 ? n % 4 - 1 : 0) > max)
        return -EMSGSIZE;
    for (size_t i = 0; i < n; i++) {
        const unsigned v = values[(uint8_t)text[i]];
        if (v == 0)
            return -EINVAL;
        bits = bits << 6 | (v - 1);
        if (i % 4 != 0)
            to[made++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    *ret_n = made;
    return 0;
}
