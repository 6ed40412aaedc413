/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>

#include "sensors/profile/image.h"
#include "sensors/profile/type.h"
#include "sensors/profile/value.h"

enum { SCALE_EXPONENT_MAX = 18 }; /* beyond it the scale register holds nonsense, not a scale */

/* What a value lacks (device-profiles section 4, quality-control sections 1 and 2.1). */
static const struct verdict NOT_READ = { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_FRAME };
static const struct verdict UNIT_UNKNOWN = { STATUS_FAULT, GRADE_MISSING, REASON_UNIT };

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
        *d = value_multiply(*d, s);
        return true;
    }
    if (s.e != 0 || s.v < -SCALE_EXPONENT_MAX || s.v > SCALE_EXPONENT_MAX)
        return false;
    *d = value_shift(*d, pt->scale_rule == SCALE_POW10 ? (int)s.v : -(int)s.v);
    return true;
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
        *d = value_convert(*d, c);
    return true;
}

/* What the map's bits say now; `other` for a code that it does not list. */
static struct verdict map_verdict(const struct image *im, const struct profile_map *map,
                                  int order, struct verdict other)
{
    uint64_t raw = profile_map_raw(im->p, map, (enum word_order)order, im->words);

    return profile_map_verdict(map, raw, other);
}

static struct reading missing(struct verdict why)
{
    return (struct reading){ DECIMAL_MISSING, why, DECIMAL_MISSING };
}

static struct reading decode_point(const struct image *im, const struct profile_point *pt)
{
    int order = pt->order >= 0 ? pt->order : im->order;

    if (pt->type == TYPE_TEXT || !pt->at.space)
        return missing(VALUE_NONE);
    if (!is_whole(im, pt))
        return missing(NOT_READ);
    if (order == ORDER_UNKNOWN && profile_type_words(pt->type) > 1)
        return missing(im->is_order_read ? UNIT_UNKNOWN : NOT_READ);
    order = order == ORDER_UNKNOWN ? ORDER_ABCD : order;

    uint64_t raw = profile_field(
        pt, profile_raw(im->p, pt->at, pt->type, (enum word_order)order, im->words));
    if (is_invalid(im, pt, order, raw))
        return missing(VALUE_NONE);
    struct decimal d =
        value_scale(type_decimal(pt->type, raw), pt->scale, pt->offset, pt->scale_decimals);
    if (pt->scale_from.space && !apply_scale_register(im, pt, order, &d))
        return missing(UNIT_UNKNOWN);
    struct reading r = { .value = d, .raw = d };
    if (!apply_unit(im, pt, order, &r.value))
        return (struct reading){ DECIMAL_MISSING, UNIT_UNKNOWN, d };
    if (pt->quality.at.space)
        r.verdict = map_verdict(im, &pt->quality, order, VALUE_UNCERTAIN);
    return r;
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
        value_add_verdict(p, true, NULL, map_verdict(im, &p->mode, im->order, nothing), out);
    for (size_t i = 0; i < p->flags_n; i++) {
        const struct profile_flag *f = &p->flags[i];
        if (is_status_known(im, &f->map))
            value_add_verdict(p, f->is_for_all, f->points,
                              map_verdict(im, &f->map, im->order, nothing), out);
    }
}

static void cap_by_unread_status(const struct image *im, struct reading *out)
{
    const struct profile *p = im->p;

    if (p->mode.at.space && !is_status_known(im, &p->mode))
        value_cap_grade(p, true, NULL, out);
    for (size_t i = 0; i < p->flags_n; i++)
        if (!is_status_known(im, &p->flags[i].map))
            value_cap_grade(p, p->flags[i].is_for_all, p->flags[i].points, out);
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
    value_judge_diagnostics(p, out);
    cap_by_unread_status(&im, out);
    for (size_t i = 0; i < p->points_n; i++)
        if (out[i].verdict.grade == GRADE_MISSING)
            out[i].value = DECIMAL_MISSING;
}
