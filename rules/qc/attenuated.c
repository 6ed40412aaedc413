/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/checks.h"

/* Closer to a threshold than running sums are exact. */
#define CLOSE 1e-6

const char *qc_attenuated_error(const struct qc_attenuated *c)
{
    if (c->suspect < 0 || c->fail < 0)
        return "The threshold of an attenuated signal cannot be negative.";
    if (c->suspect < c->fail)
        return "A signal must be suspect from a higher threshold than it fails.";
    if (c->period_ms < 0)
        return "The period of an attenuated signal cannot be negative.";
    return NULL;
}

enum qc_flag qc_attenuated_flag(const struct qc_attenuated *c, double statistic)
{
    if (isnan(statistic))
        return QC_NOT_EVALUATED;
    if (statistic < c->fail)
        return QC_FAIL;
    return statistic < c->suspect ? QC_SUSPECT : QC_GOOD;
}

static bool is_close(double statistic, double threshold)
{
    return fabs(statistic - threshold) <= CLOSE * (fabs(statistic) + fabs(threshold));
}

static double deviation(const struct qc_attenuated *c, const struct qc_window *w)
{
    const double d = qc_window_deviation(w);

    if (is_close(d, c->suspect) || is_close(d, c->fail))
        return qc_window_deviation_exact(w);
    return d;
}

static double statistic_of(const struct qc_attenuated *c, const struct qc_attenuated_state *st,
                           int64_t from_ms)
{
    if (st->window.n < c->min_n)
        return NAN;
    if (c->kind == QC_DEVIATION)
        return deviation(c, &st->window);
    return st->had_missing && st->missing_ms >= from_ms ? NAN : qc_window_range(&st->window);
}

enum qc_flag qc_attenuated_step(const struct qc_attenuated *c, struct qc_attenuated_state *st,
                                int64_t time_ms, double x)
{
    const int64_t from_ms = time_ms - c->period_ms + 1;

    if (time_ms == QC_NO_TIME)
        return isfinite(x) ? QC_NOT_EVALUATED : QC_MISSING;
    if (!isfinite(x)) {
        st->had_missing = true;
        st->missing_ms = time_ms;
        return QC_MISSING;
    }
    qc_window_put(&st->window, time_ms, x);
    qc_window_drop(&st->window, from_ms);
    return qc_attenuated_flag(c, statistic_of(c, st, from_ms));
}

void qc_attenuated_restart(struct qc_attenuated_state *st)
{
    qc_window_clear(&st->window);
    st->had_missing = false;
}
