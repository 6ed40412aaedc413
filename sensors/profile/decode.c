/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <math.h>
#include <stddef.h>

#include "sensors/profile/image.h"
#include "sensors/profile/type.h"

enum { SCALE_EXPONENT_MAX = 18 }; /* beyond it the scale register holds nonsense, not a scale */

/* What a value lacks (device-profiles section 4, quality-control sections 1 and 2.1). */
static const struct verdict NOT_READ = { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_FRAME };
static const struct verdict NO_VALUE = { STATUS_STOPPED, GRADE_MISSING, REASON_NO_VALUE };
static const struct verdict UNIT_UNKNOWN = { STATUS_FAULT, GRADE_MISSING, REASON_UNIT };
static const struct verdict UNCERTAIN = { STATUS_VALID, GRADE_SUSPECT, REASON_INSTR };

struct image {
    const struct profile *p;
    const uint16_t *words;
    const uint8_t *have;
    int order; /* of the device; ORDER_UNKNOWN when nothing known says it */
    bool is_order_read;
};

static bool is_read(const struct image *im, struct register_address at)
{
    int offset = profile_offset(im->p, at.space, at.first);

    if (offset < 0 || (size_t)offset + at.count > im->p->words_n)
        return false;
    for (int i = 0; i < at.count; i++)
        if (!im->have[offset + i])
            return false;
    return true;
}

/* Everything that a value depends on was read. */
static bool is_whole(const struct image *im, const struct profile_point *pt)
{
    const struct register_address needs[] = { pt->at, pt->scale_from, pt->unit_from.at,
                                              pt->quality.at, pt->invalid_from };

    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        if (needs[i].space && !is_read(im, needs[i]))
            return false;
    return true;
}

static bool is_invalid(const struct image *im, const struct profile_point *pt, int order,
                       uint64_t raw)
{
    if (type_is_float(pt->type) ? !isfinite(type_number(pt->type, raw))
                                : !type_is_valid(pt->type, raw))
        return true;
    for (size_t i = 0; i < pt->invalid_n; i++)
        if (raw == pt->invalid[i])
            return true;
    return pt->invalid_from.space && raw == profile_raw(im->p, pt->invalid_from, pt->type,
                                                        (enum word_order)order, im->words);
}

static bool is_short(struct decimal d)
{
    return d.e >= 0;
}

static struct decimal decimal_multiply(struct decimal a, struct decimal b)
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

/* d x 10^n, exactly where 64 bits and 18 decimals hold it. */
static struct decimal decimal_shift(struct decimal d, int n)
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

/* unit value = raw * scale + offset in decimals, so that 213 x 0.1 is 21.3. */
static struct decimal apply_scale(const struct profile_point *pt, struct decimal d)
{
    double k = profile_pow10(pt->scale_decimals);
    int8_t e = (int8_t)pt->scale_decimals;

    if (pt->scale == 1 && pt->offset == 0)
        return d;
    d = decimal_multiply(d, (struct decimal){ llround(pt->scale * k), e });
    return pt->offset == 0 ? d : decimal_add(d, (struct decimal){ llround(pt->offset * k), e });
}

/* False when the scale register holds no scale. */
static bool apply_scale_register(const struct image *im, const struct profile_point *pt,
                                 int order, struct decimal *d)
{
    enum value_type t = pt->scale_type;
    int scale_order = profile_type_words(t) > 1 ? order : ORDER_ABCD;
    uint64_t raw =
        profile_raw(im->p, pt->scale_from, t, (enum word_order)scale_order, im->words);
    struct decimal s = type_decimal(t, raw);

    if (!type_is_valid(t, raw))
        return false;
    if (pt->scale_rule == SCALE_FACTOR) {
        if (!decimal_has_value(s) || s.v == 0 || !isfinite(decimal_to_double(s)))
            return false;
        *d = decimal_multiply(*d, s);
        return true;
    }
    if (s.e != 0 || s.v < -SCALE_EXPONENT_MAX || s.v > SCALE_EXPONENT_MAX)
        return false;
    *d = decimal_shift(*d, pt->scale_rule == SCALE_POW10 ? (int)s.v : -(int)s.v);
    return true;
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

/*
 * Unit to canonical unit. A power of ten only moves the point; anything else keeps one decimal
 * beyond the instrument's step, expressed in the new unit.
 */
static struct decimal convert(struct decimal d, const struct unit_conversion *c)
{
    int k;

    if (c->is_identity)
        return d;
    if (!is_short(d))
        return decimal_from_double(decimal_to_double(d) * c->factor + c->offset);
    if (is_power_of_ten(c->factor, &k)) {
        d = decimal_shift(d, k);
        return c->offset == 0 ? d : decimal_add(d, decimal_from_double(c->offset));
    }
    int e = d.e + (int)ceil(-log10(fabs(c->factor))) + 1;
    e = e < 0 ? 0 : e > DECIMAL_MAX_E ? DECIMAL_MAX_E : e;
    return decimal_round(decimal_to_double(d) * c->factor + c->offset, e);
}

/* False when the unit register holds no unit that serves the point. */
static bool apply_unit(const struct image *im, const struct profile_point *pt, int order,
                       struct decimal *d)
{
    const struct unit_conversion *c = &pt->conversion;

    if (pt->unit_from.at.space) {
        uint64_t raw =
            profile_map_raw(im->p, &pt->unit_from, (enum word_order)order, im->words);
        const struct profile_choice *choice = profile_map_find(&pt->unit_from, raw);
        if (!choice || (pt->quantity && choice->conversion.factor == 0))
            return false;
        c = &choice->conversion;
    }
    if (pt->quantity)
        *d = convert(*d, c);
    return true;
}

/* What the map's bits say now; `other` for a code that it does not list. */
static struct verdict map_verdict(const struct image *im, const struct profile_map *map,
                                  int order, struct verdict other)
{
    uint64_t raw = profile_map_raw(im->p, map, (enum word_order)order, im->words);
    const struct profile_choice *c = profile_map_find(map, raw);
    struct verdict v = { 0 };

    if (!map->is_bits)
        return c ? c->verdict : other;
    for (size_t i = 0; i < map->n; i++)
        if (raw & (uint64_t)map->choice[i].raw)
            v = verdict_merge(v, map->choice[i].verdict);
    return v;
}

static struct reading missing(struct verdict why)
{
    return (struct reading){ DECIMAL_MISSING, why, DECIMAL_MISSING };
}

static struct reading decode_point(const struct image *im, const struct profile_point *pt)
{
    int order = pt->order >= 0 ? pt->order : im->order;

    if (pt->type == TYPE_TEXT || !pt->at.space)
        return missing(NO_VALUE);
    if (!is_whole(im, pt))
        return missing(NOT_READ);
    if (order == ORDER_UNKNOWN && profile_type_words(pt->type) > 1)
        return missing(im->is_order_read ? UNIT_UNKNOWN : NOT_READ);
    order = order == ORDER_UNKNOWN ? ORDER_ABCD : order;

    uint64_t raw = profile_field(
        pt, profile_raw(im->p, pt->at, pt->type, (enum word_order)order, im->words));
    if (is_invalid(im, pt, order, raw))
        return missing(NO_VALUE);
    struct decimal d = apply_scale(pt, type_decimal(pt->type, raw));
    if (pt->scale_from.space && !apply_scale_register(im, pt, order, &d))
        return missing(UNIT_UNKNOWN);
    struct reading r = { .value = d, .raw = d };
    if (!apply_unit(im, pt, order, &r.value))
        return (struct reading){ DECIMAL_MISSING, UNIT_UNKNOWN, d };
    if (pt->quality.at.space)
        r.verdict = map_verdict(im, &pt->quality, order, UNCERTAIN);
    return r;
}

static bool is_concerned(const struct profile *p, size_t i, bool is_for_all, const uint8_t *set)
{
    return is_for_all ? p->points[i].role == POINT_MEASUREMENT : profile_bit(set, i);
}

static void add_verdict(const struct profile *p, bool is_for_all, const uint8_t *set,
                        struct verdict v, struct reading *out)
{
    if (v.status == STATUS_VALID && v.grade == GRADE_GOOD && !v.reasons)
        return;
    for (size_t i = 0; i < p->points_n; i++)
        if (is_concerned(p, i, is_for_all, set))
            out[i].verdict = verdict_merge(out[i].verdict, v);
}

/* Status that could not be read is no proof of health. */
static void cap_grade(const struct profile *p, bool is_for_all, const uint8_t *set,
                      struct reading *out)
{
    for (size_t i = 0; i < p->points_n; i++)
        if (is_concerned(p, i, is_for_all, set) && out[i].verdict.grade == GRADE_GOOD)
            out[i].verdict.grade = GRADE_NOT_EVALUATED;
}

static bool is_status_known(const struct image *im, const struct profile_map *map)
{
    return is_read(im, map->at) && (map->at.count < 2 || im->order != ORDER_UNKNOWN);
}

static void apply_status(const struct image *im, struct reading *out)
{
    const struct verdict nothing = { 0 };
    const struct profile *p = im->p;

    if (p->mode.at.space && is_status_known(im, &p->mode))
        add_verdict(p, true, NULL, map_verdict(im, &p->mode, im->order, nothing), out);
    for (size_t i = 0; i < p->flags_n; i++) {
        const struct profile_flag *f = &p->flags[i];
        if (is_status_known(im, &f->map))
            add_verdict(p, f->is_for_all, f->points,
                        map_verdict(im, &f->map, im->order, nothing), out);
    }
}

static void cap_by_unread_status(const struct image *im, struct reading *out)
{
    const struct profile *p = im->p;

    if (p->mode.at.space && !is_status_known(im, &p->mode))
        cap_grade(p, true, NULL, out);
    for (size_t i = 0; i < p->flags_n; i++)
        if (!is_status_known(im, &p->flags[i].map))
            cap_grade(p, p->flags[i].is_for_all, p->flags[i].points, out);
}

/* A diagnostic outside its range makes what it concerns uncertain, and itself. */
static void apply_diagnostics(const struct profile *p, struct reading *out)
{
    for (size_t i = 0; i < p->points_n; i++) {
        const struct profile_point *pt = &p->points[i];
        double x = decimal_to_double(out[i].value);
        bool is_outside = x < pt->range_min || x > pt->range_max; /* false for NaN */
        if (pt->role != POINT_DIAGNOSTIC || !is_outside)
            continue;
        out[i].verdict = verdict_merge(out[i].verdict, UNCERTAIN);
        add_verdict(p, pt->is_for_all, pt->concerns, UNCERTAIN, out);
    }
}

void profile_decode(const struct profile *p, int order, const uint16_t *words,
                    const uint8_t *have, struct reading *out)
{
    struct image im = { .p = p, .words = words, .have = have };

    im.is_order_read = order >= 0 || !p->order_from.at.space || is_read(&im, p->order_from.at);
    im.order = im.is_order_read ? profile_order(p, order, words) : ORDER_UNKNOWN;
    for (size_t i = 0; i < p->points_n; i++)
        out[i] = decode_point(&im, &p->points[i]);
    apply_status(&im, out);
    apply_diagnostics(p, out);
    cap_by_unread_status(&im, out);
    for (size_t i = 0; i < p->points_n; i++)
        if (out[i].verdict.grade == GRADE_MISSING)
            out[i].value = DECIMAL_MISSING;
}
