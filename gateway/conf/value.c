/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf/value.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scale {
    const char *name;
    int64_t factor;
};

/* Largest first. */
static const struct scale durations[] = {
    { "d", 86400000 }, { "h", 3600000 }, { "min", 60000 }, { "s", 1000 }, { "ms", 1 }, { 0 },
};

static const struct scale sizes[] = {
    { "TiB", 1LL << 40 }, { "TB", 1000000000000 },
    { "GiB", 1 << 30 },   { "GB", 1000000000 },
    { "MiB", 1 << 20 },   { "MB", 1000000 },
    { "KiB", 1 << 10 },   { "kB", 1000 },
    { "B", 1 },           { 0 },
};

/* Other words for units of time: never taken, only suggested. */
static const struct {
    const char *from, *to;
} guesses[] = {
    { "", "s" },       { "m", "min" },       { "mn", "min" },  { "minute", "min" },
    { "mins", "min" }, { "minutes", "min" }, { "sec", "s" },   { "secs", "s" },
    { "second", "s" }, { "seconds", "s" },   { "S", "s" },     { "msec", "ms" },
    { "hr", "h" },     { "hour", "h" },      { "hours", "h" }, { "H", "h" },
    { "day", "d" },    { "days", "d" },      { "D", "d" },     { "MIN", "min" },
    { "Min", "min" },
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int value_parse_int(const char *text, int64_t *ret)
{
    const char *digits = text + (*text == '-' || *text == '+');
    char *end;

    if (!is_digit(*digits))
        return -EINVAL;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (*end)
        return -EINVAL;
    if (errno)
        return -ERANGE;
    *ret = v;
    return 0;
}

/* Length of the decimal number at the start of `text`, 0 when there is none. */
static size_t number_length(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');
    size_t digits = 0;

    for (; is_digit(*p); p++)
        digits++;
    if (*p == '.') {
        for (p++; is_digit(*p); p++)
            digits++;
    }
    if (digits == 0)
        return 0;
    if (*p == 'e' || *p == 'E') {
        const char *e = p + 1 + (p[1] == '-' || p[1] == '+');
        if (!is_digit(*e))
            return (size_t)(p - text);
        for (p = e; is_digit(*p); p++)
            ;
    }
    return (size_t)(p - text);
}

int value_parse_double(const char *text, double *ret)
{
    size_t n = number_length(text);

    if (n == 0 || text[n])
        return -EINVAL;
    double v = strtod(text, NULL);
    if (!isfinite(v))
        return -ERANGE;
    *ret = v;
    return 0;
}

/* NUMBER UNIT, also with a blank between; the result is a whole number of the smallest unit. */
static int parse_scaled(const char *text, const struct scale *scales, int64_t *ret)
{
    size_t n = number_length(text);
    const char *unit = text + n + strspn(text + n, " ");

    if (n == 0)
        return -EINVAL;
    for (; scales->name; scales++) {
        if (strcmp(unit, scales->name) != 0)
            continue;
        double v = strtod(text, NULL) * (double)scales->factor;
        if (!(fabs(v) < 9e15)) /* beyond, a double no longer holds every integer */
            return -ERANGE;
        *ret = llround(v);
        return 0;
    }
    return -EINVAL;
}

int value_parse_duration(const char *text, int64_t *ret_ms)
{
    return parse_scaled(text, durations, ret_ms);
}

int value_parse_size(const char *text, int64_t *ret_bytes)
{
    return parse_scaled(text, sizes, ret_bytes);
}

bool value_guess_duration(const char *text, char *out, size_t size)
{
    size_t n = number_length(text);
    const char *unit = text + n + strspn(text + n, " ");

    if (n == 0 || n > 20)
        return false;
    for (size_t i = 0; i < sizeof guesses / sizeof guesses[0]; i++) {
        if (strcmp(unit, guesses[i].from) == 0) {
            int len = snprintf(out, size, "%.*s%s", (int)n, text, guesses[i].to);
            return len > 0 && (size_t)len < size;
        }
    }
    return false;
}

void value_double_text(double v, char *out)
{
    for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
        snprintf(out, VALUE_TEXT_MAX, "%.*g", digits, v);
        if (strtod(out, NULL) == v)
            return;
    }
}

static void scaled_text(int64_t v, const struct scale *scales, char *out)
{
    for (; scales[1].name; scales++) {
        if (v != 0 && v % scales->factor == 0)
            break;
    }
    snprintf(out, VALUE_TEXT_MAX, "%" PRId64 "%s", v / scales->factor, scales->name);
}

void value_duration_text(int64_t ms, char *out)
{
    if (ms == 0)
        snprintf(out, VALUE_TEXT_MAX, "0s");
    else
        scaled_text(ms, durations, out);
}

void value_size_text(int64_t bytes, char *out)
{
    scaled_text(bytes, sizes, out);
}
