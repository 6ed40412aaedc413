/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/checks.h"

const char *qc_spike_error(const struct qc_spike *c)
{
    if (c->suspect < 0 || c->fail < 0)
        return "The threshold of a spike cannot be negative.";
    if (c->suspect > 0 && c->fail > 0 && c->suspect > c->fail)
        return "A spike must be suspect from a lower threshold than it fails.";
    return NULL;
}

static double height(enum qc_spike_method method, double before, double x, double after)
{
    if (method == QC_SPIKE_AVERAGE)
        return fabs(x - (before + after) / 2);
    const double up = x - before, down = after - x;
    return up * down < 0 ? fmin(fabs(up), fabs(down)) : 0;
}

static bool is_applied(double threshold)
{
    return threshold != 0 && !isnan(threshold);
}

static enum qc_flag judge(const struct qc_spike *c, double before, double x, double after)
{
    const double d = height(c->method, before, x, after);

    if (is_applied(c->fail) && d > c->fail)
        return QC_FAIL;
    return is_applied(c->suspect) && d > c->suspect ? QC_SUSPECT : QC_GOOD;
}

enum qc_flag qc_spike_step(const struct qc_spike *c, struct qc_spike_state *st, double x)
{
    const double before = st->before, last = st->last;
    const uint8_t seen = st->n;

    st->before = last;
    st->last = x;
    st->n = seen < 2 ? (uint8_t)(seen + 1) : seen;
    if (seen == 0)
        return QC_NONE;
    if (!isfinite(last))
        return QC_MISSING;
    if (seen == 1 || !isfinite(before) || !isfinite(x))
        return QC_NOT_EVALUATED;
    return judge(c, before, last, x);
}

enum qc_flag qc_spike_end(const struct qc_spike_state *st)
{
    if (st->n == 0)
        return QC_NONE;
    return isfinite(st->last) ? QC_NOT_EVALUATED : QC_MISSING;
}
