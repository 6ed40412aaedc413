/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PM NowCast: sum of w^i c_i over sum of w^i, w = max(1/2, smallest / largest), over the valid
 * hours i back (EPA-454/B-24-002, PM NowCast). The weight is a ratio p/q of whole numbers, so
 * both sums times q^11 are whole too: the truncation compares those, because in doubles 10 and
 * 15 give 11.999 where the definition says 12.
 */
#include <errno.h>
#include <string.h>

#include "rules/index/index.h"

enum {
    HOUR_DIGITS = 4, /* of an hourly mean that take part */
    LIMBS = 14       /* of 32 bits: twelve hours below 2^32 and their weights, 12 x 32 + 36 */
};

#define HOUR_MOST INT64_C(4294967295) /* 429496.7295: no such air */

struct big { /* a natural number, lowest limb first */
    uint32_t limb[LIMBS];
};

static void big_multiply(struct big *a, uint32_t by)
{
    uint64_t carry = 0;

    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)a->limb[i] * by;
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void big_add(struct big *a, const struct big *b)
{
    uint64_t carry = 0;

    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)a->limb[i] + b->limb[i];
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static int big_compare(const struct big *a, const struct big *b)
{
    for (int i = LIMBS - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static double big_to_double(const struct big *a)
{
    double x = 0;

    for (int i = LIMBS - 1; i >= 0; i--)
        x = x * 4294967296.0 + a->limb[i];
    return x;
}

struct weight { /* w = p / q */
    uint32_t p, q;
};

static struct weight weight_of(const int64_t *c, const bool *is_valid)
{
    int64_t least = INT64_MAX, most = 0;

    for (int i = 0; i < NOWCAST_HOURS; i++) {
        if (!is_valid[i])
            continue;
        least = c[i] < least ? c[i] : least;
        most = c[i] > most ? c[i] : most;
    }
    if (most == 0)
        return (struct weight){ 1, 1 };
    if (2 * least <= most)
        return (struct weight){ 1, 2 };
    return (struct weight){ (uint32_t)least, (uint32_t)most };
}

/* Both sums times q^11, by Horner from the oldest hour. */
static void sum_up(const int64_t *c, const bool *is_valid, struct weight w, struct big *ret_num,
                   struct big *ret_den)
{
    struct big scale = { { 1 } }; /* q^(11 - i) */

    memset(ret_num, 0, sizeof *ret_num);
    memset(ret_den, 0, sizeof *ret_den);
    for (int i = NOWCAST_HOURS - 1; i >= 0; i--) {
        big_multiply(ret_num, w.p);
        big_multiply(ret_den, w.p);
        if (is_valid[i]) {
            struct big term = scale;
            big_add(ret_den, &term);
            big_multiply(&term, (uint32_t)c[i]);
            big_add(ret_num, &term);
        }
        big_multiply(&scale, w.q);
    }
}

/* The largest k with k x den x unit <= num; doubles are at most one off. */
static int64_t floor_of(const struct big *num, const struct big *den, uint32_t unit)
{
    struct big step = *den, product;

    big_multiply(&step, unit);
    int64_t k = (int64_t)(big_to_double(num) / big_to_double(&step)) + 1;
    for (; k > 0; k--) {
        product = step;
        big_multiply(&product, (uint32_t)k);
        if (big_compare(&product, num) <= 0)
            break;
    }
    return k;
}

/* A mean below zero is noise around it and counts as zero: a weight cannot be negative. */
static bool take_hour(struct decimal hour, int64_t *ret)
{
    struct decimal x;

    if (exact_round(hour, (struct exact_ratio){ 0 }, HOUR_DIGITS, EXACT_HALF_EVEN, &x) < 0 ||
        x.v > HOUR_MOST)
        return false;
    *ret = x.v < 0 ? 0 : x.v;
    return true;
}

int index_nowcast(const struct decimal hours[NOWCAST_HOURS], int digits, double *ret_raw,
                  struct decimal *ret)
{
    int64_t c[NOWCAST_HOURS] = { 0 };
    bool is_valid[NOWCAST_HOURS];
    struct big num, den;
    uint32_t unit = 1;

    for (int i = 0; i < NOWCAST_HOURS; i++)
        is_valid[i] = take_hour(hours[i], &c[i]);
    if (is_valid[0] + is_valid[1] + is_valid[2] < 2)
        return -ENODATA;
    for (int i = digits; i < HOUR_DIGITS; i++)
        unit *= 10;
    sum_up(c, is_valid, weight_of(c, is_valid), &num, &den);
    *ret_raw = big_to_double(&num) / big_to_double(&den) / 10000;
    *ret = (struct decimal){ floor_of(&num, &den, unit), (int8_t)digits };
    return 0;
}

static void begin(struct nowcast *n, int64_t hour)
{
    for (int i = 0; i < NOWCAST_HOURS; i++)
        n->hours[i] = DECIMAL_MISSING;
    n->newest = hour;
    n->has_begun = true;
}

void nowcast_put(struct nowcast *n, int64_t hour, struct decimal value)
{
    if (!n->has_begun || hour - n->newest >= NOWCAST_HOURS)
        begin(n, hour);
    for (; n->newest < hour; n->newest++) {
        memmove(n->hours + 1, n->hours, (NOWCAST_HOURS - 1) * sizeof n->hours[0]);
        n->hours[0] = DECIMAL_MISSING;
    }
    if (n->newest - hour < NOWCAST_HOURS)
        n->hours[n->newest - hour] = value;
}
