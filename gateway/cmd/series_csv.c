/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/series_csv.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "sensors/core/bytes.h"

#define TIME_MAX       ((int64_t)1 << 50)
#define SECONDS_MAX    INT64_C(100000000000) /* larger numbers are milliseconds: from 1973 on */
#define NAN_BITS       UINT64_C(0x7FF8000000000000)
#define NAN_SPELLINGS  3
#define NUMBER_MAX     64
#define DATE_TIME_SIZE 19 /* "2026-11-22T07:09:30" */

static const char separators[] = "T ";
static const char *const zones[] = { "Z", "", "+00:00" };
static const char *const nans[NAN_SPELLINGS] = { "nan", "NaN", "NAN" }; /* by payload */

enum { SEPARATORS = 2, ZONES = 3, DECIMALS_MAX = 3, CELL_TEXT_MAX = 64 };

/* ---- numbers ---- */

static const int scale[DECIMALS_MAX + 1] = { 1000, 100, 10, 1 }; /* milliseconds a unit */

/* "-123.45" with exactly so many decimals, the last of which stands for `unit` milliseconds. */
static int parse_unix(const char *text, size_t n, int decimals, int unit, int64_t *ret_ms)
{
    struct decimal d;

    if (decimal_parse(text, n, &d) != 0 || d.e != decimals)
        return -EINVAL;
    return __builtin_mul_overflow(d.v, (int64_t)unit, ret_ms) ? -ERANGE : 0;
}

/* ---- dates ---- */

static bool all_digits(const char *text, size_t n, int *ret)
{
    *ret = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *ret = *ret * 10 + (text[i] - '0');
    }
    return true;
}

/* Days since 1970 of the Gregorian calendar; years begin in March, so that the leap day is the
 * last of one. */
static int64_t days_of(int year, int month, int day)
{
    static const int before[] = { 306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275 };
    int y = month <= 2 ? year - 1 : year;

    return y * INT64_C(365) + y / 4 - y / 100 + y / 400 + before[month - 1] + day - 719469;
}

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && is_leap);
}

static int parse_date_time(const char *s, int64_t *ret_seconds)
{
    int year, month, day, hour, minute, second;

    if (!all_digits(s, 4, &year) || s[4] != '-' || !all_digits(s + 5, 2, &month) ||
        s[7] != '-' || !all_digits(s + 8, 2, &day) || !all_digits(s + 11, 2, &hour) ||
        s[13] != ':' || !all_digits(s + 14, 2, &minute) || s[16] != ':' ||
        !all_digits(s + 17, 2, &second))
        return -EINVAL;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
        hour > 23 || minute > 59 || second > 59)
        return -ERANGE;
    *ret_seconds =
        days_of(year, month, day) * 86400 + hour * INT64_C(3600) + minute * 60 + second;
    return 0;
}

static bool ends_with(const char *text, size_t n, const char *end)
{
    size_t m = strlen(end);

    return n >= m && memcmp(text + n - m, end, m) == 0;
}

static int parse_iso(const struct csv_form *f, const char *text, size_t n, int64_t *ret_ms)
{
    size_t fraction = f->decimals ? (size_t)f->decimals + 1 : 0;
    size_t need = DATE_TIME_SIZE + fraction + strlen(zones[f->zone]);
    int64_t seconds;
    int part = 0;

    if (n != need || text[10] != separators[f->separator] ||
        !ends_with(text, n, zones[f->zone]))
        return -EINVAL;
    if (fraction && (text[DATE_TIME_SIZE] != '.' ||
                     !all_digits(text + DATE_TIME_SIZE + 1, fraction - 1, &part)))
        return -EINVAL;
    int rc = parse_date_time(text, &seconds);
    if (rc == 0)
        *ret_ms = seconds * 1000 + part * (int64_t)scale[f->decimals];
    return rc;
}

/* ---- forms ---- */

static bool try_form(const struct csv_form *f, const char *text, size_t n)
{
    int64_t ms;

    return csv_time_parse(f, text, n, &ms) != -EINVAL;
}

static bool guess_iso(const char *text, size_t n, struct csv_form *ret)
{
    struct csv_form f = { .times = CSV_ISO };

    for (f.separator = 0; f.separator < SEPARATORS; f.separator++)
        for (f.zone = 0; f.zone < ZONES; f.zone++)
            for (f.decimals = 0; f.decimals <= DECIMALS_MAX; f.decimals++)
                if (try_form(&f, text, n)) {
                    *ret = f;
                    return true;
                }
    return false;
}

int csv_form_guess(const char *text, size_t n, struct csv_form *ret)
{
    struct csv_form f = { .times = CSV_SECONDS };
    struct decimal d;

    if (decimal_parse(text, n, &d) != 0)
        return guess_iso(text, n, ret) ? 0 : -EINVAL;
    if (d.e > DECIMALS_MAX)
        return -EINVAL;
    f.decimals = d.e;
    if (d.e == 0 && (d.v >= SECONDS_MAX || d.v <= -SECONDS_MAX))
        f.times = CSV_MILLISECONDS;
    *ret = f;
    return 0;
}

int csv_time_parse(const struct csv_form *f, const char *text, size_t n, int64_t *ret_ms)
{
    int64_t ms = 0;
    int unit = f->times == CSV_SECONDS ? scale[f->decimals] : 1;
    int rc = f->times == CSV_ISO ? parse_iso(f, text, n, &ms)
                                 : parse_unix(text, n, f->decimals, unit, &ms);

    if (rc < 0)
        return rc;
    if (ms > TIME_MAX || ms < -TIME_MAX)
        return -ERANGE;
    *ret_ms = ms;
    return 0;
}

void csv_time_print(const struct csv_form *f, int64_t ms, struct buf *out)
{
    char text[NUMBER_MAX];

    if (f->times == CSV_ISO) {
        time_print_utc(ms, text); /* "2026-11-22T07:09:30.125Z" */
        text[10] = separators[f->separator];
        buf_put(out, text, (size_t)(DATE_TIME_SIZE + (f->decimals ? f->decimals + 1 : 0)));
        buf_puts(out, zones[f->zone]);
        return;
    }
    struct decimal d = { ms, 0 };
    if (f->times == CSV_SECONDS)
        d = (struct decimal){ ms / scale[f->decimals], (int8_t)f->decimals };
    buf_put(out, text, decimal_print(d, text));
}

static uint32_t layout_of(const struct csv_form *f, unsigned columns)
{
    static const char *const names[CSV_TIMES_COUNT_] = { "s", "ms", "iso" };
    char text[160];
    int n = snprintf(text, sizeof text,
                     "{\"columns\":%u,\"crlf\":%d,\"decimals\":%d,\"separator\":%d,"
                     "\"table\":1,\"times\":\"%s\",\"zone\":%d}",
                     columns, f->is_crlf, f->decimals, f->separator, names[f->times], f->zone);

    return series_layout_id(text, (size_t)n);
}

uint32_t csv_form_layout(const struct csv_form *f, unsigned columns)
{
    return layout_of(f, columns);
}

bool csv_form_find(uint32_t layout, unsigned columns, struct csv_form *ret)
{
    enum { FORMS = CSV_TIMES_COUNT_ * (DECIMALS_MAX + 1) * SEPARATORS * ZONES * 2 };

    for (int i = 0; i < FORMS; i++) {
        int rest = i;
        struct csv_form f = { .is_crlf = rest % 2 };
        rest /= 2;
        f.zone = rest % ZONES;
        rest /= ZONES;
        f.separator = rest % SEPARATORS;
        rest /= SEPARATORS;
        f.decimals = rest % (DECIMALS_MAX + 1);
        f.times = rest / (DECIMALS_MAX + 1);
        if (layout_of(&f, columns) == layout) {
            *ret = f;
            return true;
        }
    }
    return false;
}

/* ---- cells ---- */

static bool parse_bits(const char *text, size_t n, struct decimal *ret)
{
    uint64_t bits = 0;

    if (n != 17 || text[0] != 'x')
        return false;
    for (size_t i = 1; i < n; i++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, text[i]);
        if (!at || !*at)
            return false;
        bits = bits << 4 | (uint64_t)(at - digits);
    }
    *ret = (struct decimal){ (int64_t)bits, DECIMAL_DOUBLE };
    return true;
}

static bool parse_nan(const char *text, size_t n, struct decimal *ret)
{
    for (uint64_t i = 0; i < NAN_SPELLINGS; i++)
        if (n == 3 && memcmp(text, nans[i], 3) == 0) {
            *ret = (struct decimal){ (int64_t)(NAN_BITS | i), DECIMAL_DOUBLE };
            return true;
        }
    return false;
}

/* What is no plain decimal: exponents, many digits, ".5", minus zero. */
static int parse_double(const char *text, size_t n, struct decimal *ret)
{
    char copy[NUMBER_MAX], *end;

    if (n >= sizeof copy || strspn(text, "+-.0123456789eE") < n)
        return -EINVAL;
    memcpy(copy, text, n);
    copy[n] = '\0';
    double x = strtod(copy, &end);
    if (*end || end == copy || !isfinite(x))
        return -EINVAL;
    *ret = x == 0 && signbit(x)
               ? (struct decimal){ (int64_t)bits_from_double(x), DECIMAL_DOUBLE }
               : decimal_from_double(x);
    return 0;
}

static int parse_value(const char *text, size_t n, struct decimal *ret)
{
    *ret = DECIMAL_MISSING;
    if (n == 0 || parse_bits(text, n, ret) || parse_nan(text, n, ret))
        return 0;
    if (decimal_parse(text, n, ret) == 0 && !(ret->v == 0 && text[0] == '-'))
        return 0;
    return parse_double(text, n, ret);
}

static int parse_flag(const char *text, size_t n, uint32_t *ret)
{
    struct decimal d;

    if (decimal_parse(text, n, &d) != 0 || d.e != 0 || d.v < 0 || d.v > UINT32_MAX)
        return -EINVAL;
    *ret = (uint32_t)d.v;
    return 0;
}

/* The shortest text that reads back as the double. */
static int double_text(uint64_t bits, char *out)
{
    double x = double_from_bits(bits);
    int n = 0;

    if ((bits & ~UINT64_C(3)) == NAN_BITS && (bits & 3) < NAN_SPELLINGS)
        return snprintf(out, CELL_TEXT_MAX, "%s", nans[bits & 3]);
    if (!isfinite(x))
        return snprintf(out, CELL_TEXT_MAX, "x%016" PRIx64, bits);
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(out, CELL_TEXT_MAX, "%.*g", digits, x);
        if (bits_from_double(strtod(out, NULL)) == bits)
            break;
    }
    return n;
}

static size_t cell_text(const struct series_cell *c, char *out)
{
    size_t n = 0;

    if (c->e == DECIMAL_DOUBLE)
        n = (size_t)double_text((uint64_t)c->v, out);
    else if (c->e != DECIMAL_NONE)
        n = decimal_print(series_value(c), out);
    if (c->flag)
        n += (size_t)snprintf(out + n, CELL_TEXT_MAX - n, ";%" PRIu32, c->flag);
    return n;
}

int csv_cell_parse(const char *text, size_t n, struct series_cell *ret, bool *ret_is_exact)
{
    const char *mark = memchr(text, ';', n);
    size_t size = mark ? (size_t)(mark - text) : n;
    char again[CELL_TEXT_MAX];
    struct decimal d;
    uint32_t flag = 0;

    if (parse_value(text, size, &d) != 0 ||
        (mark && parse_flag(mark + 1, n - size - 1, &flag) != 0))
        return -EINVAL;
    *ret = series_cell_of(d, flag);
    if (ret_is_exact)
        *ret_is_exact = cell_text(ret, again) == n && memcmp(again, text, n) == 0;
    return 0;
}

bool csv_cell_is_stripped(const struct series_cell *c)
{
    return c->e <= 0 || c->v % 10 != 0;
}

void csv_cell_print(const struct series_cell *c, bool is_stripped, struct buf *out)
{
    char text[CELL_TEXT_MAX];
    struct series_cell short_one = *c;

    while (is_stripped && !csv_cell_is_stripped(&short_one)) {
        short_one.v /= 10;
        short_one.e--;
    }
    buf_put(out, text, cell_text(&short_one, text));
}
