/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/line_print.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

/* The digits of v, ending before `end`. Returns where they begin. */
static char *print_backwards(char *end, uint64_t v)
{
    while (v >= 100) {
        end -= 2;
        memcpy(end, digit_pairs + v % 100 * 2, 2);
        v /= 100;
    }
    if (v >= 10) {
        end -= 2;
        memcpy(end, digit_pairs + v * 2, 2);
    } else {
        *--end = (char)('0' + v);
    }
    return end;
}

char *line_print_natural(char *p, uint64_t v)
{
    char digits[20];
    char *begin = print_backwards(digits + sizeof digits, v);
    size_t n = (size_t)(digits + sizeof digits - begin);

    memcpy(p, begin, n);
    return p + n;
}

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? -(uint64_t)v : (uint64_t)v;
}

char *line_print_integer(char *p, int64_t v)
{
    if (v < 0)
        *p++ = '-';
    return line_print_natural(p, magnitude(v));
}

/* As the reference encoder: with an exponent from a million on and below 0.0001. 15 digits are
 * shortest where "%g" writes none, since it drops zeros at the end; numbers with one are
 * searched from one digit on. */
char *line_print_double(char *p, double v)
{
    const double size = fabs(v);
    const bool has_exponent = size != 0 && (size < 1e-4 || size >= 1e6);
    int n = 0;

    for (int digits = has_exponent ? 1 : 15; digits <= 17; digits++) {
        n = has_exponent ? snprintf(p, LINE_NUMBER_MAX, "%.*e", digits - 1, v)
                         : snprintf(p, LINE_NUMBER_MAX, "%.*g", digits, v);
        if (strtod(p, NULL) == v)
            break;
    }
    return p + n;
}

char *line_print_decimal(char *p, struct decimal d)
{
    if (d.e < 0) {
        double v = decimal_to_double(d);
        return isfinite(v) ? line_print_double(p, v) : NULL;
    }
    if (d.e == 0)
        return line_print_integer(p, d.v);

    char digits[40];
    char *end = digits + sizeof digits;
    char *begin = print_backwards(end, magnitude(d.v));
    while (end - begin <= d.e) /* a digit before the point */
        *--begin = '0';
    size_t whole = (size_t)(end - begin) - (size_t)d.e;

    if (d.v < 0)
        *p++ = '-';
    memcpy(p, begin, whole);
    p += whole;
    *p++ = '.';
    memcpy(p, begin + whole, (size_t)d.e);
    return p + d.e;
}

/* Bytes of the valid UTF-8 sequence at p, 0 when there is none. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t n = p[0] < 0x80             ? 1
               : (p[0] & 0xe0) == 0xc0 ? 2
               : (p[0] & 0xf0) == 0xe0 ? 3
               : (p[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    if (n == 0 || n > left)
        return 0;
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    bool is_surrogate = c >= 0xd800 && c <= 0xdfff;
    return c < least[n] || c > 0x10ffff || is_surrogate ? 0 : n;
}

bool line_is_utf8(struct line_text t)
{
    for (size_t i = 0; i < t.n;) {
        size_t n = utf8_length((const unsigned char *)t.p + i, t.n - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

bool line_is_name(struct line_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if ((unsigned char)t.p[i] < 0x20 || t.p[i] == 0x7f)
            return false;
    return t.n > 0 && t.p[t.n - 1] != '\\' && line_is_utf8(t);
}

void line_put_escaped(struct buf *b, struct line_text t, const char *special)
{
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] && strchr(special, t.p[i]))
            buf_put(b, "\\", 1);
        buf_put(b, t.p + i, 1);
    }
}
