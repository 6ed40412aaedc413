/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/platform.h"

static int sign_of(double x)
{
    return (x > 0) - (x < 0);
}

static enum qc_flag inversion(const struct qc_density *c, double delta)
{
    if (delta < c->fail)
        return QC_FAIL;
    return delta < c->suspect ? QC_SUSPECT : QC_GOOD;
}

enum qc_flag qc_density_step(const struct qc_density *c, struct qc_density_state *st, double x,
                             double depth)
{
    const struct qc_density_state before = *st;
    const bool is_missing = !isfinite(x) || !isfinite(depth);
    enum qc_flag now = QC_GOOD, last = (enum qc_flag)before.flag;

    if (before.n && !before.is_missing && !is_missing) {
        now = inversion(c, sign_of(depth - before.depth) * (x - before.x));
        last = qc_flag_merge(last, now);
    }
    /* One without a value takes the next one with it, which has nothing to be compared to. */
    if (is_missing || (before.n && before.is_missing))
        now = QC_MISSING;
    if (before.n && (before.is_missing || before.flag == QC_MISSING))
        last = QC_MISSING;
    *st = (struct qc_density_state){ x, depth, (uint8_t)now, is_missing, before.n + 1 };
    return before.n ? last : QC_NONE;
}

enum qc_flag qc_density_end(const struct qc_density_state *st)
{
    if (st->n == 1)
        return QC_NOT_EVALUATED;
    return (enum qc_flag)st->flag;
}

int qc_cast_direction(const double *x, size_t n)
{
    double sum = 0, last = NAN;

    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            continue;
        sum += isnan(last) ? 0 : x[i] - last;
        last = x[i];
    }
    return sum < 0 ? -1 : 1;
}

enum qc_flag qc_cast_check(int direction, double before, double x)
{
    if (!isfinite(x))
        return QC_MISSING;
    return direction * (x - before) <= 0 ? QC_SUSPECT : QC_GOOD;
}
