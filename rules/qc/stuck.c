/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/checks.h"

const char *qc_stuck_error(const struct qc_stuck *c)
{
    if (c->exempt.min > c->exempt.max)
        return "The values exempt from the stuck test end below their start.";
    if (c->n == 1)
        return "One value cannot be stuck: 2 or more equal ones, or 0 for never.";
    return NULL;
}

static bool is_exempt(const struct qc_stuck *c, double x)
{
    return x >= c->exempt.min && x <= c->exempt.max;
}

/* Equal as read, before calibration and scale could hide or make a difference. */
enum qc_flag qc_stuck_step(const struct qc_stuck *c, struct qc_stuck_state *st, int64_t raw_v,
                           int8_t raw_e, double x)
{
    if (!c->n)
        return QC_NONE;
    if (st->equal == 0 || raw_v != st->raw_v || raw_e != st->raw_e || is_exempt(c, x)) {
        st->raw_v = raw_v;
        st->raw_e = raw_e;
        st->equal = 1;
    } else if (st->equal < UINT32_MAX) {
        st->equal++;
    }
    return st->equal >= c->n ? QC_FAIL : QC_GOOD;
}
