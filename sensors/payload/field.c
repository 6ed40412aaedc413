/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/payload/field.h"

#include <math.h>
#include <string.h>

#include "sensors/payload/formula.h"
#include "sensors/payload/number.h"
#include "sensors/profile/image.h"
#include "sensors/profile/value.h"

enum {
    FORMULA_DECIMALS = 9, /* of a value that does not move with its number */
    FLOAT_STEP_BITS = 23, /* of a float32: what the number itself can resolve */
};

void moment_clear(struct payload_moment *m)
{
    for (size_t i = 0; i < m->p->points_n; i++)
        m->readings[i] = (struct reading){ DECIMAL_MISSING, VALUE_NONE, DECIMAL_MISSING };
    memset(m->has, 0, m->p->points_n);
    m->has_any = false;
}

void moment_set(struct payload_moment *m, size_t point, struct decimal d)
{
    const struct profile_point *pt = &m->p->points[point];
    struct reading r = { .value = d, .raw = d };

    if (!decimal_has_value(d)) {
        moment_set_missing(m, point);
        return;
    }
    if (pt->quantity)
        r.value = value_convert(d, &pt->conversion);
    m->readings[point] = r;
    m->has[point] = 1;
    m->has_any = true;
}

void moment_set_missing(struct payload_moment *m, size_t point)
{
    m->readings[point] = (struct reading){ DECIMAL_MISSING, VALUE_NONE, DECIMAL_MISSING };
    m->has[point] = 1;
    m->has_any = true;
}

static bool is_invalid(const struct payload_field *f, uint64_t raw)
{
    if (number_is_float((enum number_type)f->at.type) && !isfinite(place_number(&f->at, raw)))
        return true;
    for (size_t i = 0; i < f->invalid_n; i++)
        if (f->invalid[i] == raw)
            return true;
    return false;
}

static struct decimal from_table(const struct payload_table *t, int64_t raw)
{
    for (size_t i = 0; i < t->n; i++)
        if (!t->entry[i].text && t->entry[i].raw == raw)
            return t->entry[i].value;
    return DECIMAL_MISSING;
}

/* One decimal beyond the step of the number that the device sent, without idle zeros. */
static struct decimal from_formula(const struct payload_field *f, uint64_t raw, double y)
{
    double x = place_number(&f->at, raw);
    bool is_float = number_is_float((enum number_type)f->at.type);
    double next = is_float ? x + ldexp(fabs(x), -FLOAT_STEP_BITS) : x + 1;
    double value = formula_value(&f->formula, x, y);
    double step = fabs(formula_value(&f->formula, next, y) - value);
    int e = FORMULA_DECIMALS;

    if (isnan(value))
        return DECIMAL_MISSING;
    if (step > 0 && isfinite(step))
        e = (int)fmin(ceil(-log10(step)) + 1, DECIMAL_MAX_E);
    return decimal_from_double(decimal_to_double(decimal_round(value, e < 0 ? 0 : e)));
}

/* The number in the unit of the point; missing without a value. */
static struct decimal number_of(const struct payload_field *f, uint64_t raw, double y)
{
    if (is_invalid(f, raw))
        return DECIMAL_MISSING;
    if (f->table.n)
        return from_table(&f->table, (int64_t)raw);
    if (f->formula.n)
        return from_formula(f, raw, y);
    return value_scale(place_decimal(&f->at, raw), f->scale, f->offset, f->scale_decimals);
}

static bool read_field(struct payload_moment *m, const struct payload_field *f,
                       const uint8_t *bytes, size_t n)
{
    uint64_t raw, beside = 0, status = 0;

    if (!place_read(&f->at, bytes, n, &raw) ||
        (f->formula.has_y && !place_read(&f->formula.y, bytes, n, &beside)) ||
        (f->quality.map.n && !place_read(&f->quality.at, bytes, n, &status)))
        return f->is_option;
    double y = f->formula.has_y ? place_number(&f->formula.y, beside) : 0;
    moment_set(m, f->point, number_of(f, raw, y));
    struct verdict *v = &m->readings[f->point].verdict;
    if (f->quality.map.n && v->grade != GRADE_MISSING)
        *v = profile_map_verdict(&f->quality.map, status, VALUE_UNCERTAIN);
    return true;
}

bool moment_read(struct payload_moment *m, const struct payload_group *g, const uint8_t *bytes,
                 size_t n)
{
    bool is_whole = true;

    for (size_t i = 0; i < g->fields_n; i++)
        is_whole = read_field(m, &g->fields[i], bytes, n) && is_whole;
    return is_whole;
}

bool moment_judge(struct payload_moment *m, const struct payload_group *g, const uint8_t *bytes,
                  size_t n)
{
    const struct verdict nothing = { 0 };
    bool is_whole = true;
    uint64_t raw;

    for (size_t i = 0; i < g->flags_n; i++) {
        const struct payload_flag *f = &g->flags[i];
        if (!place_read(&f->at, bytes, n, &raw)) {
            is_whole = false;
            value_cap_grade(m->p, f->flag.is_for_all, f->flag.points, m->readings);
            continue;
        }
        value_add_verdict(m->p, f->flag.is_for_all, f->flag.points,
                          profile_map_verdict(&f->flag.map, raw, nothing), m->readings);
    }
    return is_whole;
}

void moment_finish(struct payload_moment *m)
{
    value_judge_diagnostics(m->p, m->readings);
    for (size_t i = 0; i < m->p->points_n; i++)
        if (m->readings[i].verdict.grade == GRADE_MISSING)
            m->readings[i].value = DECIMAL_MISSING;
}

static uint64_t raw_from_table(const struct payload_table *t, double x)
{
    double distance = (double)INFINITY;
    uint64_t raw = 0;

    for (size_t i = 0; i < t->n; i++) {
        double d = fabs(decimal_to_double(t->entry[i].value) - x);
        if (d < distance) {
            distance = d;
            raw = (uint64_t)t->entry[i].raw;
        }
    }
    return raw;
}

/* The number beside: the middle of what it can be, so that the field has room both ways. */
static double write_beside(const struct payload_field *f, uint8_t *bytes, size_t n)
{
    double min, max;

    if (!f->formula.has_y)
        return 0;
    place_range(&f->formula.y, &min, &max);
    uint64_t raw = place_raw(&f->formula.y, min + (max - min) / 2);
    place_write(&f->formula.y, bytes, n, raw);
    return place_number(&f->formula.y, raw);
}

static uint64_t raw_of(const struct payload_field *f, double x, double y)
{
    double min, max;

    if (f->table.n)
        return raw_from_table(&f->table, x);
    if (!f->formula.n)
        return place_raw(&f->at, (x - f->offset) / f->scale);
    place_range(&f->at, &min, &max);
    return place_raw(&f->at, formula_inverse(&f->formula, x, y, min, max));
}

/* The nearest number towards 0 (from 0: above) that does not mean "no value". */
static uint64_t off_the_codes(const struct payload_field *f, uint64_t raw)
{
    for (size_t i = 0; i < f->invalid_n && is_invalid(f, raw); i++) {
        double x = place_number(&f->at, raw);
        double step = number_is_float((enum number_type)f->at.type) ? fabs(x) * 1e-6 : 1;
        raw = place_raw(&f->at, x > 0 ? x - step : x + step);
    }
    return raw;
}

void field_write(const struct profile *p, const struct payload_field *f, double value,
                 uint8_t *bytes, size_t n)
{
    const struct profile_point *pt = &p->points[f->point];
    const struct unit_conversion *c = &pt->conversion;

    if (f->quality.map.n)
        place_write(&f->quality.at, bytes, n, profile_map_quiet(&f->quality.map));
    if (!isfinite(value)) {
        if (f->invalid_n)
            place_write(&f->at, bytes, n, f->invalid[0]);
        else if (number_is_float((enum number_type)f->at.type))
            place_write(&f->at, bytes, n, place_raw(&f->at, (double)NAN));
        return;
    }
    if (pt->quantity && !c->is_identity)
        value = (value - c->offset) / c->factor;
    double y = write_beside(f, bytes, n);
    uint64_t raw = raw_of(f, value, y);
    place_write(&f->at, bytes, n, f->table.n ? raw : off_the_codes(f, raw));
}
