/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/checks.h"

/* The very first sample follows a pause of unknown length. */
static bool is_gap(const struct qc_hold *c, int64_t interval_ms, const struct qc_hold_state *st,
                   int64_t time_ms)
{
    return c->gap_intervals &&
           (st->last_ms == 0 || time_ms - st->last_ms > c->gap_intervals * interval_ms);
}

enum qc_flag qc_hold_step(const struct qc_hold *c, int64_t interval_ms,
                          struct qc_hold_state *st, int64_t time_ms, bool *ret_gap)
{
    enum qc_flag flag = QC_GOOD;

    *ret_gap = is_gap(c, interval_ms, st, time_ms);
    if (*ret_gap)
        st->left = c->gap_samples;
    if (st->had_power_loss)
        st->power_ms = time_ms;
    st->had_power_loss = false;
    if (st->left) {
        st->left--;
        flag = QC_NOT_EVALUATED;
    }
    if (st->power_ms != 0 && time_ms - st->power_ms >= c->warmup_ms)
        st->power_ms = 0;
    st->last_ms = time_ms;
    return st->power_ms != 0 ? QC_FAIL : flag;
}
