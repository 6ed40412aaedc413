/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/bucket.h"

#include <math.h>
#include <string.h>

struct bucket {
    size_t rows, usable;
    double sum;
    struct decimal min, max;
    uint8_t worst;
};

static void put_value(struct buf *b, struct decimal d)
{
    char text[DECIMAL_TEXT_MAX];

    if (decimal_has_value(d) && isfinite(decimal_to_double(d))) {
        decimal_print(d, text);
        buf_puts(b, text);
    } else {
        buf_puts(b, "null");
    }
}

void rows_put(struct buf *b, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, "%s[%lld,", i ? "," : "", (long long)rows[i].time_ms);
        put_value(b, rows[i].value);
        buf_printf(b, ",\"%s\"]", grade_id(rows[i].grade));
    }
}

static void add(struct bucket *k, const struct row *r)
{
    k->rows++;
    if (r->grade > k->worst)
        k->worst = r->grade;
    if (!row_is_usable(r))
        return;
    double x = decimal_to_double(r->value);
    if (!isfinite(x))
        return;
    if (k->usable == 0 || x < decimal_to_double(k->min))
        k->min = r->value;
    if (k->usable == 0 || x > decimal_to_double(k->max))
        k->max = r->value;
    k->sum += x;
    k->usable++;
}

static void put_bucket(struct buf *b, const struct bucket *k, int64_t middle, int digits,
                       bool is_first)
{
    buf_printf(b, "%s[%lld,", is_first ? "" : ",", (long long)middle);
    if (k->usable) {
        put_value(b, decimal_round(k->sum / (double)k->usable, digits));
        buf_puts(b, ",");
        put_value(b, k->min);
        buf_puts(b, ",");
        put_value(b, k->max);
    } else {
        buf_puts(b, "null,null,null");
    }
    buf_printf(b, ",\"%s\"]", grade_id(k->worst));
}

void buckets_put(struct buf *b, const struct row *rows, size_t n, int64_t from, int64_t to,
                 unsigned points, int digits)
{
    int64_t width = (to - from + points - 1) / points;
    bool is_first = true;

    if (width < 1)
        width = 1;
    for (size_t i = 0; i < n;) {
        struct bucket k = { 0 };
        int64_t at = (rows[i].time_ms - from) / width;
        while (i < n && (rows[i].time_ms - from) / width == at)
            add(&k, &rows[i++]);
        put_bucket(b, &k, from + at * width + width / 2, digits, is_first);
        is_first = false;
    }
}
