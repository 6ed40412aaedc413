/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/calibration/pattern.h"

#include <math.h>

enum {
    DAY_MS = 24 * 3600 * 1000,
    USUAL_MS = 15 * 60 * 1000, /* checks begin that near to their hour */
    JUMP_TOLERANCES = 3,       /* a slow decline to zero is weather */
    BETWEEN_PLATEAUS = 4, /* the way from zero to a standard takes so many plateaus at most */
};

enum level { NOWHERE, AT_ZERO, AT_STANDARD /* and the further ones */ };

static unsigned level_of(const struct calibration_pattern *c, double x)
{
    if (fabs(x - c->zero) <= c->zero_tolerance)
        return AT_ZERO;
    for (unsigned i = 0; i < c->standards_n; i++)
        if (fabs(x - c->standard[i]) <= CALIBRATION_STANDARD_SHARE * fabs(c->standard[i]))
            return AT_STANDARD + i;
    return NOWHERE;
}

static bool is_usual_hour(const struct calibration_pattern *c, int64_t time_ms)
{
    const int64_t off = (time_ms - c->usual_ms) % DAY_MS;
    const int64_t from_hour = off < 0 ? off + DAY_MS : off;

    return c->usual_ms != 0 && (from_hour <= USUAL_MS || from_hour >= DAY_MS - USUAL_MS);
}

static void enter(const struct calibration_pattern *c, struct calibration_pattern_state *st,
                  unsigned level, int64_t time_ms)
{
    if (st->at == AT_ZERO && st->n >= c->samples)
        st->zero_end_ms = time_ms;
    st->at = level;
    st->n = 0;
    st->since_ms = time_ms;
    st->is_told = false;
    st->was_jump =
        st->has_before && fabs(st->before - c->zero) > JUMP_TOLERANCES * c->zero_tolerance;
}

/* The first zero plateau is followed by a standard soon enough. */
static bool follows_zero(const struct calibration_pattern_state *st)
{
    const int64_t zero_took_ms = st->zero_end_ms - st->zero_ms;

    return st->zero_ms != 0 && st->zero_end_ms != 0 &&
           st->since_ms - st->zero_end_ms <= BETWEEN_PLATEAUS * zero_took_ms;
}

enum calibration_hint calibration_pattern_step(const struct calibration_pattern *c,
                                               struct calibration_pattern_state *st,
                                               int64_t time_ms, double x, int64_t *ret_since_ms)
{
    const unsigned level = level_of(c, x);

    if (!isfinite(x))
        return CALIBRATION_NO_HINT;
    if (level != st->at)
        enter(c, st, level, time_ms);
    if (level == NOWHERE) {
        st->before = x;
        st->has_before = true;
        return CALIBRATION_NO_HINT;
    }
    if (++st->n < c->samples || st->is_told)
        return CALIBRATION_NO_HINT;
    st->is_told = true;
    if (level == AT_ZERO) {
        st->zero_ms = st->was_jump ? st->since_ms : 0;
        st->zero_end_ms = 0;
        *ret_since_ms = st->since_ms;
        return st->was_jump && is_usual_hour(c, st->since_ms) ? CALIBRATION_LIKE_ZERO
                                                              : CALIBRATION_NO_HINT;
    }
    if (!follows_zero(st))
        return CALIBRATION_NO_HINT;
    *ret_since_ms = st->zero_ms;
    st->zero_ms = 0;
    return CALIBRATION_LIKE_SEQUENCE;
}
