/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/checks.h"

const char *qc_service_error(const struct qc_service_options *c)
{
    if (c->settle_ms < 0 || c->most_ms < 0)
        return "The settle time and the longest calibration cannot be negative.";
    if (c->standards_n > QC_STANDARDS_MAX)
        return "A calibration pattern has 4 standards at most.";
    if (c->standards_n && !(c->tolerance > 0))
        return "A calibration pattern needs a tolerance above 0.";
    if (c->standards_n && c->standard_samples < 2)
        return "A calibration pattern needs 2 samples or more at each standard.";
    return NULL;
}

static bool is_at(const struct qc_service_options *c, unsigned i, double x)
{
    return fabs(x - c->standard[i]) <= c->tolerance;
}

static bool is_at_any(const struct qc_service_options *c, double x)
{
    for (unsigned i = 0; i < c->standards_n; i++)
        if (is_at(c, i, x))
            return true;
    return false;
}

/* On the way from one standard to the next the reading may be anywhere, but not for longer
 * than it has to stay at one. */
static void travel(const struct qc_service_options *c, struct qc_service_state *st, double x)
{
    st->at_standard = 0;
    if (st->matched && is_at(c, st->matched - 1u, x)) {
        st->away = 0;
        return;
    }
    if (++st->away > c->standard_samples)
        st->matched = 0;
}

/* True from the last sample that completes the pattern until the reading leaves the standards.
 */
static bool is_pattern(const struct qc_service_options *c, struct qc_service_state *st,
                       double x)
{
    if (!c->standards_n)
        return false;
    if (st->matched == c->standards_n) {
        if (is_at_any(c, x))
            return true;
        st->matched = 0;
    }
    if (!is_at(c, st->matched, x)) {
        travel(c, st, x);
        return false;
    }
    st->away = 0;
    if (++st->at_standard < c->standard_samples)
        return false;
    st->at_standard = 0;
    st->matched++;
    return st->matched == c->standards_n;
}

enum qc_service qc_service_step(const struct qc_service_options *c, struct qc_service_state *st,
                                int64_t time_ms, double x, enum qc_service told)
{
    enum qc_service now = told;

    if (now == QC_MEASURING && is_pattern(c, st, x))
        now = QC_CALIBRATION;
    if (now == QC_MEASURING && st->settle_to_ms != 0 && time_ms < st->settle_to_ms)
        now = QC_SETTLING;
    if (now == QC_MEASURING || now == QC_SETTLING) {
        st->since_ms = 0;
        st->is_overlong = false;
    } else {
        if (st->since_ms == 0)
            st->since_ms = time_ms;
        st->settle_to_ms = time_ms + c->settle_ms;
        st->is_overlong = c->most_ms && time_ms - st->since_ms > c->most_ms;
    }
    st->service = (uint8_t)now;
    return now;
}
