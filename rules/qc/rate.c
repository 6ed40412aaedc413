/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/checks.h"

const char *qc_rate_error(const struct qc_rate *c)
{
    if (c->suspect < 0 || c->fail < 0 || c->n_dev < 0)
        return "The threshold of a rate cannot be negative.";
    if (c->suspect > c->fail)
        return "A rate must be suspect from a lower threshold than it fails.";
    if (c->n_dev > 0 && c->dev_ms <= 0)
        return "A rate by deviations needs the time over which they are formed.";
    return NULL;
}

/* More than so many deviations of what was usual before; they are known after dev_ms. */
static bool is_unusual(const struct qc_rate *c, const struct qc_rate_state *st, int64_t time_ms,
                       double step)
{
    if (!(c->n_dev > 0) || st->since_ms == 0 || time_ms - st->since_ms < c->dev_ms)
        return false;
    return step > c->dev_least && step > c->n_dev * sqrt(st->variance);
}

/* Weighted by how long ago a sample was: 1 / e after dev_ms, in O(1) memory. */
static void learn(const struct qc_rate *c, struct qc_rate_state *st, int64_t time_ms, double x)
{
    if (st->since_ms == 0) {
        st->since_ms = time_ms;
        st->mean = x;
        st->variance = 0;
        return;
    }
    const double apart = fmax(0, (double)(time_ms - st->last_ms));
    const double weight = apart / (apart + (double)c->dev_ms), off = x - st->mean;
    st->mean += weight * off;
    st->variance = (1 - weight) * (st->variance + weight * off * off);
}

static enum qc_flag judge(const struct qc_rate *c, const struct qc_rate_state *st,
                          int64_t time_ms, double x)
{
    const int64_t tick_ms = c->tick_ms > 0 ? c->tick_ms : 1;
    const int64_t apart_ms =
        time_ms > st->last_ms ? time_ms - st->last_ms : st->last_ms - time_ms;
    const int64_t ticks = apart_ms / tick_ms;
    const double seconds = (double)(ticks ? ticks : 1) * ((double)tick_ms / 1000);
    const double step = fabs(x - st->last), rate = step / seconds;

    if (rate > c->fail)
        return QC_FAIL;
    if (rate > c->suspect && !(step <= c->share * fmax(fabs(x), fabs(st->last))))
        return QC_SUSPECT;
    return is_unusual(c, st, time_ms, step) ? QC_SUSPECT : QC_GOOD;
}

enum qc_flag qc_rate_step(const struct qc_rate *c, struct qc_rate_state *st, int64_t time_ms,
                          double x)
{
    enum qc_flag flag = QC_GOOD;

    if (!isfinite(x) || time_ms == QC_NO_TIME) {
        st->has_last = false;
        return isfinite(x) ? QC_GOOD : QC_MISSING;
    }
    if (st->has_last)
        flag = judge(c, st, time_ms, x);
    if (c->n_dev > 0)
        learn(c, st, time_ms, x);
    st->last = x;
    st->last_ms = time_ms;
    st->has_last = true;
    return flag;
}

void qc_rate_restart(struct qc_rate_state *st)
{
    st->has_last = false;
    st->since_ms = 0;
}
