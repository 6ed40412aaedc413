/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/checks.h"

static double allowance(const struct qc_relation *c, double x, double other)
{
    return c->limit + c->share * fmax(fabs(x), fabs(other));
}

enum qc_flag qc_relation_check(const struct qc_relation *c, double x, double a, double b)
{
    const double other = c->kind == QC_SUM_OF ? c->factor * a + b : a;

    if (!isfinite(x))
        return QC_MISSING;
    if (!isfinite(other))
        return QC_NOT_EVALUATED;
    const double more = x - other, most = allowance(c, x, other);
    const bool is_wrong = c->kind == QC_AT_MOST    ? more > most
                          : c->kind == QC_AT_LEAST ? -more > most
                                                   : fabs(more) > most;
    return is_wrong ? QC_SUSPECT : QC_GOOD;
}

enum qc_flag qc_moves_step(const struct qc_relation *c, struct qc_moves_state *st, double x,
                           double a)
{
    const double move_x = st->has_last ? fabs(x - st->x) : NAN;
    const double move_a = st->has_last ? fabs(a - st->a) : NAN;

    *st = (struct qc_moves_state){ x, a, true };
    if (!isfinite(x))
        return QC_MISSING;
    if (!isfinite(move_x) || !isfinite(move_a))
        return QC_NOT_EVALUATED;
    return move_x > c->limit && move_a <= c->rest ? QC_SUSPECT : QC_GOOD;
}
