/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/calibration/calibration.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "sensors/core/words.h"

/* The larger one; NaN is none. */
static double limit_of(double in_unit, double share, double reference)
{
    return fmax(in_unit, share * fabs(reference));
}

static void set_limits(const struct calibration_limits *l, struct calibration_result *r)
{
    const bool is_zero = r->reading.kind == CALIBRATION_ZERO;
    const double reference = r->reading.reference;

    r->warn = is_zero ? l->zero_warn : limit_of(l->warn, l->share_warn, reference);
    r->fail = is_zero ? l->zero_fail : limit_of(l->fail, l->share_fail, reference);
}

/* What the instrument itself is off, the correction taken away. */
static double bare_error(const struct calibration_result *r,
                         const struct calibration_correction *in_force)
{
    const double bare = r->reading.mean / in_force->factor + in_force->zero;
    const double zero = r->zero / in_force->factor + in_force->zero;

    return r->reading.kind == CALIBRATION_ZERO ? bare - r->reading.reference
                                               : bare - zero - r->reading.reference;
}

static enum calibration_verdict verdict_of(const struct calibration_result *r,
                                           const struct calibration_correction *in_force,
                                           unsigned least)
{
    if (r->reading.n < least || !isfinite(r->reading.mean))
        return CALIBRATION_NO_DATA;
    if (isnan(r->fail) || isnan(r->error))
        return CALIBRATION_NOT_JUDGED;
    if (r->reading.sd > r->fail)
        return CALIBRATION_UNSTABLE;
    if (fabs(r->error) > r->fail)
        return CALIBRATION_FAIL;
    if (fabs(r->error) > r->warn || fabs(bare_error(r, in_force)) > r->fail)
        return CALIBRATION_WARN;
    return CALIBRATION_PASS;
}

struct calibration_result calibration_judge(const struct calibration_limits *l,
                                            const struct calibration_reading *r, double zero,
                                            const struct calibration_correction *in_force,
                                            unsigned least)
{
    struct calibration_result ret = { .reading = *r, .factor = NAN };

    if (r->kind != CALIBRATION_ZERO)
        ret.zero = zero;
    ret.deviation = r->mean - r->reference;
    ret.error = r->mean - ret.zero - r->reference;
    if (r->kind == CALIBRATION_SPAN)
        ret.factor = r->reference / (r->mean - ret.zero);
    set_limits(l, &ret);
    ret.verdict = verdict_of(&ret, in_force, least);
    return ret;
}

bool calibration_is_passed(enum calibration_verdict v)
{
    return v == CALIBRATION_PASS || v == CALIBRATION_WARN;
}

struct calibration_correction calibration_correct(enum calibration_policy policy,
                                                  const struct calibration_correction *in_force,
                                                  struct calibration_correction next,
                                                  const struct calibration_result *r)
{
    const struct calibration_correction before = next;

    if (policy == CALIBRATION_OFF || !calibration_is_passed(r->verdict))
        return before;
    const double bare = r->reading.mean / in_force->factor + in_force->zero;
    if (r->reading.kind == CALIBRATION_ZERO)
        next.zero = bare - r->reading.reference;
    else if (r->reading.kind == CALIBRATION_SPAN && policy == CALIBRATION_CORRECT_ZERO_SPAN)
        next.factor = r->reading.reference / (bare - next.zero);
    const bool is_sane = isfinite(next.zero) && next.factor <= CALIBRATION_FACTOR_MAX &&
                         next.factor >= 1 / CALIBRATION_FACTOR_MAX;
    return is_sane ? next : before;
}

/* ---- names ---- */

static const struct {
    const char *id, *zh, *en;
} kinds[CALIBRATION_KIND_COUNT_] = {
    [CALIBRATION_ZERO] = { "zero", "零点", "zero" },
    [CALIBRATION_SPAN] = { "span", "跨度", "span" },
    [CALIBRATION_POINT] = { "point", "标准点", "point" },
}, verdicts[CALIBRATION_VERDICT_COUNT_] = {
    [CALIBRATION_PASS] = { "pass", "合格", "passed" },
    [CALIBRATION_WARN] = { "warn", "合格（接近限值）", "passed near its limit" },
    [CALIBRATION_FAIL] = { "fail", "不合格", "failed" },
    [CALIBRATION_UNSTABLE] = { "unstable", "读数不稳定", "unstable" },
    [CALIBRATION_NO_DATA] = { "no_data", "数据不足", "too few readings" },
    [CALIBRATION_NOT_JUDGED] = { "not_judged", "仅记录", "recorded" },
};

const char *calibration_kind_id(enum calibration_kind k)
{
    return (unsigned)k < CALIBRATION_KIND_COUNT_ ? kinds[k].id : "";
}

const char *calibration_kind_name(enum calibration_kind k, const char *lang)
{
    if ((unsigned)k >= CALIBRATION_KIND_COUNT_)
        return "";
    return lang_is_zh(lang) ? kinds[k].zh : kinds[k].en;
}

const char *calibration_verdict_id(enum calibration_verdict v)
{
    return (unsigned)v < CALIBRATION_VERDICT_COUNT_ ? verdicts[v].id : "";
}

const char *calibration_verdict_name(enum calibration_verdict v, const char *lang)
{
    if ((unsigned)v >= CALIBRATION_VERDICT_COUNT_)
        return "";
    return lang_is_zh(lang) ? verdicts[v].zh : verdicts[v].en;
}

int calibration_kind_find(const char *id, enum calibration_kind *ret)
{
    for (int k = 0; k < CALIBRATION_KIND_COUNT_; k++) {
        if (strcmp(kinds[k].id, id) != 0)
            continue;
        *ret = (enum calibration_kind)k;
        return 0;
    }
    return -ENOENT;
}
