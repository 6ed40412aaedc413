/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf/utf8.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

struct span {
    int32_t first, last;
};

/* Unicode 14, EastAsianWidth W and F, rounded to blocks; enough to align a caret. */
static const struct span wide[] = {
    { 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0x33ff }, { 0x3400, 0x4dbf },
    { 0x4e00, 0xa4cf },   { 0xa960, 0xa97f },   { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
    { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f },
    { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

static const struct span combining[] = {
    { 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x1ab0, 0x1aff },
    { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f },
};

/* Controls C0 and C1, line separators, and the marks that reorder text (Unicode TR 36, 3.2). */
static const struct span unprintable[] = {
    { -1, 0x1f },       { 0x7f, 0x9f },     { 0x061c, 0x061c },
    { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
    { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
};

#define IS_IN(table, c) is_in(table, sizeof table / sizeof table[0], c)

static bool is_in(const struct span *table, size_t n, int32_t c)
{
    for (size_t i = 0; i < n; i++) {
        if (c >= table[i].first && c <= table[i].last)
            return true;
    }
    return false;
}

static size_t length_of(unsigned char c)
{
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf)
        return 2;
    if (c >= 0xe0 && c <= 0xef)
        return 3;
    return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

size_t utf8_next(const char *p, size_t size, int32_t *ret)
{
    static const int32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *u = (const unsigned char *)p;
    size_t n = length_of(u[0]);

    *ret = -1;
    if (n == 0 || n > size)
        return 1;
    int32_t c = n == 1 ? u[0] : u[0] & (0x7f >> n);
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 1;
        c = c * 64 + (u[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 1;
    *ret = c;
    return n;
}

bool utf8_is_printable(int32_t c)
{
    return !IS_IN(unprintable, c);
}

int utf8_width(int32_t c)
{
    if (c < 0x300)
        return 1;
    return IS_IN(combining, c) ? 0 : IS_IN(wide, c) ? 2 : 1;
}

void utf8_shown(const char *text, size_t chars, char *out, size_t size)
{
    size_t left = strlen(text), used = 0;

    for (size_t n = 0; left > 0; n++) {
        int32_t c;
        size_t step = utf8_next(text, left, &c);
        bool is_shown = utf8_is_printable(c);
        size_t room = is_shown ? step : sizeof REPLACEMENT - 1;

        if (n == chars || used + room + sizeof "..." > size) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        memcpy(out + used, is_shown ? text : REPLACEMENT, room);
        used += room;
        text += step;
        left -= step;
    }
    out[used] = '\0';
}
