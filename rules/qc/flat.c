/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/checks.h"

unsigned qc_flat_count(double threshold_s, double interval_s)
{
    const double n = trunc(trunc(threshold_s) / interval_s);

    return n >= 0 && n < QC_FLAT_OFF ? (unsigned)n : QC_FLAT_OFF;
}

const char *qc_flat_error(const struct qc_flat *c)
{
    if (c->tolerance < 0)
        return "The tolerance of a flat line cannot be negative.";
    if (c->suspect != QC_FLAT_OFF && c->fail != QC_FLAT_OFF && c->suspect > c->fail)
        return "A flat line must be suspect earlier than it fails.";
    return NULL;
}

/* Whether the `intervals` + 1 samples up to number `at` move less than the tolerance. */
static bool is_flat(const struct qc_flat *c, unsigned intervals, struct qc_window *w,
                    int64_t at)
{
    if (intervals == QC_FLAT_OFF || !w->cap)
        return false;
    qc_window_drop(w, at - intervals);
    return at >= intervals && qc_window_range(w) < c->tolerance;
}

enum qc_flag qc_flat_step(const struct qc_flat *c, struct qc_flat_state *st, double x)
{
    const int64_t at = st->n++;

    if (!isfinite(x))
        return QC_MISSING;
    qc_window_put(&st->suspect, at, x);
    qc_window_put(&st->fail, at, x);
    const bool is_suspect = is_flat(c, c->suspect, &st->suspect, at);
    return is_flat(c, c->fail, &st->fail, at) ? QC_FAIL : is_suspect ? QC_SUSPECT : QC_GOOD;
}

void qc_flat_restart(struct qc_flat_state *st)
{
    st->n = 0;
    qc_window_clear(&st->suspect);
    qc_window_clear(&st->fail);
}
