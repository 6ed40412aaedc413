/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/profile/value.h"

#include <limits.h>
#include <math.h>

#include "sensors/profile/image.h"

static bool is_short(struct decimal d)
{
    return d.e >= 0;
}

struct decimal value_multiply(struct decimal a, struct decimal b)
{
    int64_t v;

    if (!is_short(a) || !is_short(b) || a.e + b.e > DECIMAL_MAX_E ||
        __builtin_mul_overflow(a.v, b.v, &v))
        return decimal_from_double(decimal_to_double(a) * decimal_to_double(b));
    return (struct decimal){ v, (int8_t)(a.e + b.e) };
}

static bool rescale(struct decimal *d, int e)
{
    int64_t v = d->v;

    for (int i = d->e; i < e; i++)
        if (__builtin_mul_overflow(v, 10, &v))
            return false;
    *d = (struct decimal){ v, (int8_t)e };
    return true;
}

static struct decimal decimal_add(struct decimal a, struct decimal b)
{
    int e = a.e > b.e ? a.e : b.e;
    struct decimal x = a, y = b;

    if (!is_short(a) || !is_short(b) || !rescale(&x, e) || !rescale(&y, e) ||
        __builtin_add_overflow(x.v, y.v, &x.v))
        return decimal_from_double(decimal_to_double(a) + decimal_to_double(b));
    return x;
}

struct decimal value_shift(struct decimal d, int n)
{
    struct decimal s = { d.v, (int8_t)(d.e - n) };

    if (!is_short(d) || d.e - n > DECIMAL_MAX_E)
        return decimal_from_double(decimal_to_double(d) * profile_pow10(n));
    if (s.e >= 0)
        return s;
    s = (struct decimal){ d.v, 0 };
    if (!rescale(&s, n - d.e))
        return decimal_from_double(decimal_to_double(d) * profile_pow10(n));
    s.e = 0;
    return s;
}

struct decimal value_scale(struct decimal d, double scale, double offset, int decimals)
{
    double k = profile_pow10(decimals);
    int8_t e = (int8_t)decimals;

    if (scale == 1 && offset == 0)
        return d;
    d = value_multiply(d, (struct decimal){ llround(scale * k), e });
    return offset == 0 ? d : decimal_add(d, (struct decimal){ llround(offset * k), e });
}

/* The k for which `factor` is 10^k, or false. */
static bool is_power_of_ten(double factor, int *ret)
{
    int k = factor > 0 ? (int)lround(log10(factor)) : INT_MAX;

    if (k > DECIMAL_MAX_E || k < -DECIMAL_MAX_E || fabs(factor / profile_pow10(k) - 1) > 1e-12)
        return false;
    *ret = k;
    return true;
}

struct decimal value_convert(struct decimal d, const struct unit_conversion *c)
{
    int k;

    if (c->is_identity)
        return d;
    if (!is_short(d))
        return decimal_from_double(decimal_to_double(d) * c->factor + c->offset);
    if (is_power_of_ten(c->factor, &k)) {
        d = value_shift(d, k);
        return c->offset == 0 ? d : decimal_add(d, decimal_from_double(c->offset));
    }
    int e = d.e + (int)ceil(-log10(fabs(c->factor))) + 1;
    e = e < 0 ? 0 : e > DECIMAL_MAX_E ? DECIMAL_MAX_E : e;
    return decimal_round(decimal_to_double(d) * c->factor + c->offset, e);
}

bool value_is_concerned(const struct profile *p, size_t i, bool is_for_all, const uint8_t *set)
{
    return is_for_all ? p->points[i].role == POINT_MEASUREMENT : profile_bit(set, i);
}

void value_add_verdict(const struct profile *p, bool is_for_all, const uint8_t *set,
                       struct verdict v, struct reading *out)
{
    if (v.status == STATUS_VALID && v.grade == GRADE_GOOD && !v.reasons)
        return;
    for (size_t i = 0; i < p->points_n; i++)
        if (value_is_concerned(p, i, is_for_all, set))
            out[i].verdict = verdict_merge(out[i].verdict, v);
}

void value_cap_grade(const struct profile *p, bool is_for_all, const uint8_t *set,
                     struct reading *out)
{
    for (size_t i = 0; i < p->points_n; i++)
        if (value_is_concerned(p, i, is_for_all, set) && out[i].verdict.grade == GRADE_GOOD)
            out[i].verdict.grade = GRADE_NOT_EVALUATED;
}

void value_judge_diagnostics(const struct profile *p, struct reading *out)
{
    for (size_t i = 0; i < p->points_n; i++) {
        const struct profile_point *pt = &p->points[i];
        double x = decimal_to_double(out[i].value);
        bool is_outside = x < pt->range_min || x > pt->range_max; /* false for NaN */
        if (pt->role != POINT_DIAGNOSTIC || !is_outside)
            continue;
        out[i].verdict = verdict_merge(out[i].verdict, VALUE_UNCERTAIN);
        value_add_verdict(p, pt->is_for_all, pt->concerns, VALUE_UNCERTAIN, out);
    }
}
