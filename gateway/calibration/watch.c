/* SPDX-License-Identifier: Apache-2.0 */
/* What nobody at the station began: the instrument checks itself, the hour of a sequence comes,
 * a check is overdue, readings look like a calibration. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/calibration/internal.h"

enum {
    LATE_MS = 3600000,          /* a sequence that could not begin within it is left out */
    LONG_MS = 4 * 3600000,      /* an instrument that checks itself for longer has a fault */
    PLATEAU_SAMPLES = 5,        /* at least, of a pattern */
    PLATEAU_MS = 3 * 60 * 1000, /* and so long */
    /* Said by instrument or bus: not a reading of the value that is on. */
    UNUSABLE = REASON_FRAME | REASON_POWER | REASON_UNIT | REASON_INSTR | REASON_WARMUP |
               REASON_NO_VALUE | REASON_COMM
};

/* ---- samples ---- */

static bool says(const struct sample *s, enum calibration_kind *ret)
{
    if (s->verdict.status != STATUS_CALIBRATION ||
        !(s->verdict.reasons & (REASON_CAL_ZERO | REASON_CAL_SPAN)))
        return false;
    *ret = s->verdict.reasons & REASON_CAL_ZERO ? CALIBRATION_ZERO : CALIBRATION_SPAN;
    return true;
}

/* The value that the configuration has for the kind; a zero is 0 without one. */
static double reference_of(const struct calibration_setup *s, enum calibration_kind kind)
{
    for (unsigned i = 0; i < s->plan.n; i++) {
        if (s->plan.step[i].kind == kind)
            return s->plan.step[i].reference;
    }
    return kind == CALIBRATION_ZERO ? 0 : (double)NAN;
}

static void begin_own(struct calibrations *c, const struct sample *s,
                      enum calibration_kind kind)
{
    const struct calibration_setup *setup = &c->station.setups[s->channel];
    const struct calibration_plan plan = {
        .step = { { kind, reference_of(setup, kind), setup->settle_ms, CALIBRATION_OPEN } },
        .n = 1,
    };

    run_new(c, s->channel, BY_INSTRUMENT, &plan, c->now_ms);
}

/* True while the sample is part of it. */
static bool is_own(struct calibrations *c, struct member *m, const struct sample *s)
{
    enum calibration_kind kind;
    struct run *r = m->run;

    if (r->source != BY_INSTRUMENT)
        return true;
    if (says(s, &kind) && kind == r->course.plan.step[0].kind && !c->devices[m->device].run)
        return true;
    calibration_run_close(&r->course); /* the tick tells of it */
    return false;
}

static void watch_pattern(const struct calibrations *c, struct member *m,
                          const struct sample *s, double x)
{
    const struct calibration_setup *setup = &c->station.setups[s->channel];
    const int64_t period_ms = c->station.table->channels[s->channel].period_ms;
    const int64_t samples = period_ms > 0 ? PLATEAU_MS / period_ms : 0;
    struct calibration_pattern p = {
        .zero = reference_of(setup, CALIBRATION_ZERO),
        .zero_tolerance = setup->limits.zero_fail,
        .samples = samples > PLATEAU_SAMPLES ? (unsigned)samples : PLATEAU_SAMPLES,
        .usual_ms = kept_time(m->state, NULL, "usual"),
    };

    for (unsigned i = 0; i < setup->plan.n; i++) {
        if (setup->plan.step[i].kind != CALIBRATION_ZERO &&
            p.standards_n < CALIBRATION_STANDARDS_MAX)
            p.standard[p.standards_n++] = setup->plan.step[i].reference;
    }
    const enum calibration_hint hint =
        calibration_pattern_step(&p, &m->pattern, s->time_ms, x, &m->hint_ms);
    m->hint = hint ? hint : m->hint;
}

static bool is_watched(const struct calibration_setup *s)
{
    return s->is_recognised && s->plan.n > 0;
}

void watch_sample(struct calibrations *c, struct member *m, const struct sample *s)
{
    const struct calibration_setup *setup = &c->station.setups[s->channel];
    const struct device_member *d = &c->devices[m->device];
    const double x = decimal_has_value(s->value) ? decimal_to_double(s->value) : (double)NAN;
    enum calibration_kind kind;

    if (m->run) {
        if (is_own(c, m, s) && !(s->verdict.reasons & UNUSABLE))
            calibration_run_sample(&m->run->course, x);
        return;
    }
    if (d->run || d->maintenance)
        return;
    if (s->verdict.status != STATUS_CALIBRATION)
        m->is_left = false;
    if (says(s, &kind) && !m->is_left && setup->is_known && c->has_ticked)
        begin_own(c, s, kind);
    else if (s->verdict.status == STATUS_VALID && is_watched(setup))
        watch_pattern(c, m, s, x);
}

/* ---- time ---- */

static void tell_hint(struct calibrations *c, uint32_t channel, int64_t now_ms)
{
    struct member *m = &c->members[channel];
    const char *id = c->station.table->channels[channel].id;
    char en[SENTENCE_MAX], zh[SENTENCE_MAX], at[TIME_TEXT_MAX];

    time_print_utc(m->hint_ms, at);
    if (m->hint == CALIBRATION_LIKE_SEQUENCE) {
        snprintf(en, sizeof en,
                 "%s read zero from %s on and then a known standard: a calibration that nobody "
                 "announced?",
                 id, at);
        snprintf(zh, sizeof zh, "%s 自 %s 起读数为零，随后为标准值：是否有未登记的校准？", id,
                 at);
    } else {
        snprintf(en, sizeof en,
                 "%s reads zero since %s, the hour when it uses to be checked: a calibration "
                 "that nobody announced?",
                 id, at);
        snprintf(zh, sizeof zh, "%s 自 %s（通常的校准时刻）起读数为零：是否有未登记的校准？",
                 id, at);
    }
    m->hint = CALIBRATION_NO_HINT;
    kept_event(c, notice_new("calibration_suspected", id, now_ms, en, zh));
}

static void keep(struct calibrations *c, uint32_t channel, const char *key, int64_t x)
{
    const char *id = c->station.table->channels[channel].id;

    json_object_set_new(kept_state(c, id), key, json_integer(x));
    c->members[channel].state = kept_state(c, id);
}

static void begin_scheduled(struct calibrations *c, uint32_t channel, int64_t now_ms)
{
    const struct calibration_setup *s = &c->station.setups[channel];
    struct run *r = run_new(c, channel, BY_SCHEDULE, &s->plan, now_ms);

    if (!r)
        return;
    for (unsigned i = 0; i < s->plan.n; i++)
        snprintf(r->command[i], sizeof r->command[i], "%s", s->command[i] ? s->command[i] : "");
    snprintf(r->end, sizeof r->end, "%s", s->end ? s->end : "");
    run_begin(c, r, now_ms);
}

static bool is_free(const struct calibrations *c, const struct member *m)
{
    return !m->run && !c->devices[m->device].run && !c->devices[m->device].maintenance;
}

/* A sequence begins in its slot, or within an hour when the instrument was busy. */
static void look_at_hour(struct calibrations *c, uint32_t channel, int64_t now_ms)
{
    const struct calibration_setup *s = &c->station.setups[channel];
    const struct calibration_schedule when = { s->every_ms, s->at_ms, c->station.zone_ms };
    struct member *m = &c->members[channel];
    const int64_t slot = calibration_slot(&when, now_ms);

    if (s->at_ms < 0 || s->every_ms <= 0)
        return;
    if (!json_object_get(m->state, "slot")) { /* it is seen for the first time */
        keep(c, channel, "slot", slot);
        kept_channel(c, c->station.table->channels[channel].id, NULL);
    }
    if (slot <= kept_time(m->state, NULL, "slot"))
        return;
    const bool is_late = now_ms - calibration_slot_ms(&when, slot) > LATE_MS;
    if (!is_late && !is_free(c, m))
        return;
    keep(c, channel, "slot", slot);
    kept_channel(c, c->station.table->channels[channel].id, NULL);
    if (!is_late)
        begin_scheduled(c, channel, now_ms);
}

/* The oldest passed check of the kinds in the sequence; before the first one, when the channel
 * was seen first. */
static int64_t oldest_passed(const struct calibrations *c, uint32_t channel,
                             enum calibration_kind *ret)
{
    const struct calibration_plan *p = &c->station.setups[channel].plan;
    const json_t *state = c->members[channel].state;
    int64_t oldest_ms = INT64_MAX;
    char key[CHECK_KEY_MAX];

    for (unsigned i = 0; i < p->n; i++) {
        check_key(p->step[i].kind, p->step[i].reference, key);
        int64_t at_ms = kept_time(state, "passed", key);
        at_ms = at_ms ? at_ms : kept_time(state, NULL, "since");
        if (at_ms >= oldest_ms)
            continue;
        oldest_ms = at_ms;
        *ret = p->step[i].kind;
    }
    return oldest_ms;
}

static void tell_overdue(struct calibrations *c, uint32_t channel, enum calibration_kind kind,
                         int64_t passed_ms, int64_t now_ms)
{
    const char *id = c->station.table->channels[channel].id;
    char en[SENTENCE_MAX], zh[SENTENCE_MAX], at[TIME_TEXT_MAX];

    time_print_utc(passed_ms, at);
    snprintf(en, sizeof en, "The %s check of %s is overdue: none was passed since %s.",
             calibration_kind_id(kind), id, at);
    snprintf(zh, sizeof zh, "%s 的%s检查已超期：自 %s 以来没有合格的检查。", id,
             calibration_kind_name(kind, "zh"), at);
    kept_channel(c, id, notice_new("calibration_overdue", id, now_ms, en, zh));
}

/* Told once, and again after every further interval. */
static void look_at_calendar(struct calibrations *c, uint32_t channel, int64_t now_ms)
{
    const int64_t every_ms = c->station.setups[channel].every_ms;
    struct member *m = &c->members[channel];
    enum calibration_kind kind = CALIBRATION_ZERO;

    if (every_ms <= 0)
        return;
    if (!json_object_get(m->state, "since")) {
        keep(c, channel, "since", now_ms);
        kept_channel(c, c->station.table->channels[channel].id, NULL);
    }
    const int64_t passed_ms = oldest_passed(c, channel, &kind);
    const int64_t told_ms = kept_time(m->state, NULL, "overdue");
    if (!calibration_is_overdue(every_ms, passed_ms, now_ms) || now_ms - told_ms < every_ms)
        return;
    keep(c, channel, "overdue", now_ms);
    tell_overdue(c, channel, kind, passed_ms, now_ms);
}

/* An instrument that never leaves its own check measures nothing. */
static void look_at_length(struct calibrations *c, struct run *r, int64_t now_ms)
{
    char en[SENTENCE_MAX], zh[SENTENCE_MAX];

    if (r->source != BY_INSTRUMENT || r->was_told || now_ms - r->course.step_ms < LONG_MS)
        return;
    r->was_told = true;
    snprintf(en, sizeof en, "%s: the instrument has been checking itself for hours.",
             r->channel_id);
    snprintf(zh, sizeof zh, "%s：仪器自检校准已持续数小时。", r->channel_id);
    kept_event(c, notice_new("calibration_long", r->channel_id, now_ms, en, zh));
}

void watch_tick(struct calibrations *c, int64_t now_ms)
{
    for (size_t i = 0; i < c->planned_n; i++) {
        const uint32_t channel = c->planned[i];
        c->members[channel].state = kept_state(c, c->station.table->channels[channel].id);
        look_at_hour(c, channel, now_ms);
        look_at_calendar(c, channel, now_ms);
        if (c->members[channel].hint)
            tell_hint(c, channel, now_ms);
    }
    for (struct run *r = c->runs; r; r = r->next)
        look_at_length(c, r, now_ms);
}
