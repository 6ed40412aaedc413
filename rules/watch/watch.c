/* SPDX-License-Identifier: Apache-2.0 */
/* Slots: what a kind is told, and when; and the words for faults. */
#include "rules/watch/watch.h"

#include <math.h>
#include <string.h>

#include "rules/watch/kinds.h"
#include "sensors/core/words.h"

enum {
    MINUTE = 60000,
    HOUR = 60 * MINUTE,
    COUNTS_STEP_MAX = 15 * MINUTE,
    AIR_STEP_MAX = 3 * HOUR,
    COUNTS_LOOKBACK = 10 * HOUR,
    AIR_LOOKBACK = 60 * HOUR,
    LOOKBACK_SLOTS = 600
};

enum { MISSED_MAX = 4096 }; /* slots told one by one; behind a longer pause more say no more */

struct head {        /* in front of the state of the kind */
    int64_t last_ms; /* of the newest slot; 0: none yet */
    /* It warms up or settles: kinds set that aside as they do a calibration, but it is none. */
    bool is_warming;
    struct watch_result result;
};

static const struct watch_ops *ops_of(const struct watch_config *c)
{
    switch (c->kind) {
    case WATCH_NOISE:
        return &watch_noise;
    case WATCH_COUNTS:
        return &watch_counts;
    case WATCH_AIR:
        return &watch_air;
    default:
        return &watch_water;
    }
}

static void *body_of(void *state)
{
    return (struct head *)state + 1;
}

enum watch_kind watch_kind_of(const struct quantity *q)
{
    if (q->medium == MEDIUM_NOISE && q->agg == AGG_ENERGY)
        return WATCH_NOISE;
    if (q->medium == MEDIUM_RADIATION && q->agg == AGG_COUNTS)
        return WATCH_COUNTS;
    if (q->medium == MEDIUM_AIR && q->agg == AGG_MEAN)
        return WATCH_AIR;
    if (q->medium == MEDIUM_WATER && q->agg == AGG_MEAN)
        return WATCH_WATER;
    return WATCH_NONE;
}

const char *watch_config_error(const struct watch_config *c)
{
    if (c->step_ms <= 0)
        return "The interval between samples must be known.";
    if (c->kind == WATCH_COUNTS && c->step_ms > COUNTS_STEP_MAX)
        return "Counts must come every 15 minutes at least: a passing source is gone by then.";
    if (c->kind == WATCH_AIR && c->step_ms > AIR_STEP_MAX)
        return "Concentrations must come every three hours at least.";
    if (isnan(c->limit_high) && isnan(c->limit_low))
        return "A limit must be given: what is watched is measured by the room to it.";
    if (!isnan(c->limit_high) && !isnan(c->limit_low) && !(c->limit_low < c->limit_high))
        return "The lower limit must lie below the upper one.";
    if (c->kind != WATCH_WATER && isnan(c->limit_high))
        return "Only quantities of water may have a lower limit alone.";
    if ((c->kind == WATCH_COUNTS || c->kind == WATCH_AIR) && !(c->limit_high > 0))
        return "The limit must lie above zero: what is watched is measured by it.";
    if (!(c->range_min < c->range_max) || !isfinite(c->range_max - c->range_min))
        return "The range must have two finite ends.";
    return NULL;
}

int64_t watch_lookback(const struct watch_config *c)
{
    const int64_t slots_ms = LOOKBACK_SLOTS * c->step_ms;

    switch (
        c->kind) { /* some pool quick samples: their memory lasts for a time, not for slots */
    case WATCH_COUNTS:
        return slots_ms > COUNTS_LOOKBACK ? slots_ms : COUNTS_LOOKBACK;
    case WATCH_AIR:
        return AIR_LOOKBACK;
    default:
        return slots_ms;
    }
}

size_t watch_size(const struct watch_config *c)
{
    return sizeof(struct head) + ops_of(c)->size(c);
}

void watch_init(const struct watch_config *c, void *state)
{
    struct head *h = state;

    *h = (struct head){ .result = { .limit = NAN } };
    ops_of(c)->init(c, body_of(state));
}

/* ---- slots ---- */

/* What the chain says of how values follow each other: each kind has its own eye for that, with
 * the limit in view. */
static const uint32_t COURSE = REASON_STUCK | REASON_FLAT | REASON_ATTENUATED | REASON_SPIKE |
                               REASON_RATE | REASON_MULTI | REASON_REFERENCE | REASON_CLIMATE |
                               REASON_RANGE_SUSPECT | REASON_AFTER_GAP | REASON_CLK_UNSYNC |
                               REASON_CLK_DUP | REASON_CAL_OVERDUE | REASON_CAL_DRIFT;
static const uint32_t SERVICE = REASON_WARMUP | REASON_POWER | REASON_CAL_SETTLE;

static bool is_calibrated(struct verdict v)
{
    return v.status == STATUS_CALIBRATION || v.status == STATUS_MAINTENANCE;
}

static enum watch_gate gate_of(const struct watch_sample *s)
{
    const struct verdict v = s->verdict;

    if (is_calibrated(v) || v.reasons & SERVICE)
        return WATCH_GATE_CALIBRATION;
    if (isnan(s->value))
        return v.reasons & REASON_RANGE ? WATCH_GATE_BAD : WATCH_GATE_MISSING;
    if (v.grade == GRADE_MISSING)
        return WATCH_GATE_BAD; /* a number that means "no value" */
    return v.grade == GRADE_BAD && (v.reasons & ~COURSE) ? WATCH_GATE_BAD : WATCH_GATE_OK;
}

static void tell(const struct watch_config *c, void *state, const struct watch_slot *s)
{
    struct head *h = state;

    h->result.use = WATCH_SET_ASIDE;
    ops_of(c)->slot(c, body_of(state), s, &h->result);
}

static void tell_missed(const struct watch_config *c, void *state, int64_t n)
{
    struct watch_slot none = { .gate = WATCH_GATE_MISSING, .value = NAN };

    for (int i = 0; i < WATCH_ASIDES; i++)
        none.aside[i] = NAN;
    for (int64_t i = 0; i < n && i < MISSED_MAX; i++)
        tell(c, state, &none);
}

/* Slots between the newest and `time_ms`, which is one itself. */
static int64_t missed_before(const struct watch_config *c, const struct head *h,
                             int64_t time_ms)
{
    if (h->last_ms == 0)
        return 0;
    return (time_ms - h->last_ms + c->step_ms / 2) / c->step_ms - 1;
}

static void answer(struct head *h, struct watch_result *ret)
{
    h->is_warming = h->is_warming && h->result.faults & WATCH_CALIBRATION;
    *ret = h->result;
    if (h->is_warming)
        ret->faults &= (uint16_t)~WATCH_CALIBRATION;
}

void watch_step(const struct watch_config *c, void *state, const struct watch_sample *s,
                struct watch_result *ret)
{
    struct head *h = state;
    struct watch_slot slot = { .gate = gate_of(s), .value = s->value };

    if (h->last_ms == 0 || s->time_ms > h->last_ms) {
        if (slot.gate == WATCH_GATE_CALIBRATION)
            h->is_warming = !is_calibrated(s->verdict);
        tell_missed(c, state, missed_before(c, h, s->time_ms));
        memcpy(slot.aside, s->aside, sizeof slot.aside);
        tell(c, state, &slot);
        h->last_ms = s->time_ms;
    }
    answer(h, ret);
}

void watch_elapse(const struct watch_config *c, void *state, int64_t now_ms,
                  struct watch_result *ret)
{
    struct head *h = state;

    if (h->last_ms != 0 && now_ms - h->last_ms >= c->step_ms + c->step_ms / 2) {
        const int64_t due = (now_ms - h->last_ms - c->step_ms / 2) / c->step_ms;
        tell_missed(c, state, due);
        h->last_ms += due * c->step_ms;
    }
    answer(h, ret);
}

void watch_shift(void *state, int64_t by_ms)
{
    struct head *h = state;

    if (h->last_ms != 0)
        h->last_ms += by_ms;
}

/* ---- words ---- */

static const struct {
    const char *id, *en, *zh;
    uint32_t reason;
} faults[WATCH_FAULTS] = {
    { "no_data", "it delivers no values", "没有数据", 0 },
    { "garbage", "it delivers values that cannot be", "出现不可能的数值", 0 },
    { "calibration", "it is calibrated", "正在校准", 0 },
    { "stuck", "its values do not move any more", "数值不再变化", REASON_STUCK },
    { "steady", "its values are steadier than any real source: hum, or a held input",
      "数值比任何真实声源都平稳：可能是电源干扰或输入保持", REASON_FLAT },
    { "scatter", "its values jump wildly to and fro", "数值剧烈来回跳动", REASON_SPIKE },
    { "transient", "its values die away as behind a power-on", "数值如上电后逐渐回落",
      REASON_WARMUP },
    { "drift", "it drifts, or changes slowly as nothing beside it does",
      "数值漂移，或缓慢变化而参照没有变化", REASON_REFERENCE },
    { "disturbed", "wind disturbs it", "受风干扰", REASON_REFERENCE },
    { "unconfirmed", "an alert stands for long and nothing confirms it; check the instrument",
      "报警长时间持续而无参照证实，请检查仪器", 0 },
};

static int index_of(uint16_t fault)
{
    for (int i = 0; i < WATCH_FAULTS; i++)
        if (fault == 1u << i)
            return i;
    return -1;
}

const char *watch_fault_id(uint16_t fault)
{
    const int i = index_of(fault);

    return i < 0 ? NULL : faults[i].id;
}

const char *watch_fault_text(uint16_t fault, const char *lang)
{
    const int i = index_of(fault);

    if (i < 0)
        return NULL;
    return lang_is_zh(lang) ? faults[i].zh : faults[i].en;
}

struct verdict watch_verdict(struct verdict v, uint16_t bits)
{
    for (int i = 0; i < WATCH_FAULTS; i++)
        if (bits & 1u << i && faults[i].reason)
            v = verdict_add(v, GRADE_SUSPECT, faults[i].reason);
    return v;
}

const char *watch_aside_id(enum watch_aside a)
{
    static const char *const ids[WATCH_ASIDES] = { "wind", "rain", "twin", "neighbours" };

    return ids[a];
}
