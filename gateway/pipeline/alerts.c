/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts: the rules of a channel judge its samples; every transition is an event of the log, in
 * the same transaction as the sample that caused it and the rule's new state. Told outside only
 * by the uplinks, which follow the log: so never before it is committed, and never twice after
 * a kill.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/pipeline/internal.h"

#define STATE_PREFIX  "alert/"
#define STATE_VERSION 3 /* of struct alert_state as stored: another one starts quiet */
#define KEY_MAX       256

struct stored_state {
    uint32_t version;
    struct alert_state state;
};

/* "alert/RULE/DEVICE/QUANTITY": stable as long as rule and channel keep their names. */
static bool state_key(const struct pipeline *p, const struct alert_rule *r, char *key)
{
    int n = snprintf(key, KEY_MAX, STATE_PREFIX "%s/%s", r->id,
                     p->o->table->channels[r->channel].id);

    return n > 0 && n < KEY_MAX;
}

/* An alert is judged to its end by the rule that raised it. */
static const struct alert_rule *rule_of(const struct pipeline *p, size_t rule)
{
    return p->former_rules && p->former_rules[rule] ? p->former_rules[rule]
                                                    : &p->o->rules[rule];
}

static void forget_former(struct pipeline *p, size_t rule)
{
    if (!p->former_rules)
        return;
    free(p->former_rules[rule]);
    p->former_rules[rule] = NULL;
}

static void look_for_former(struct pipeline *p, size_t rule)
{
    struct alert_rule former = p->o->rules[rule];

    if (!p->o->book || former.input.kind == ALERT_EVENT ||
        !book_rule(p->o->book, rule, &former))
        return;
    if (!p->former_rules)
        p->former_rules = calloc(p->o->rules_n + 1, sizeof(struct alert_rule *));
    struct alert_rule *r = p->former_rules ? malloc(sizeof *r) : NULL;
    if (!r)
        return; /* without memory the rule of now judges on */
    *r = former;
    p->former_rules[rule] = r;
}

void alerts_done(struct pipeline *p)
{
    for (size_t i = 0; p->former_rules && i < p->o->rules_n; i++)
        free(p->former_rules[i]);
    free(p->former_rules);
}

/* An alert that stands is shown at once after a restart, not only when it changes. */
static void tell_standing(struct pipeline *p, size_t rule)
{
    const struct alert_rule *r = &p->o->rules[rule];
    const struct alert_state *s = &p->alerts[rule];

    if (s->level == LEVEL_NONE || s->level >= LEVEL_COUNT_ || r->is_notice)
        return;
    const struct alert_change change = { .what = ALERT_RAISED,
                                         .time_ms = s->last_sample_ms,
                                         .raised_ms = s->raised_ms,
                                         .level = s->level,
                                         .from_level = s->level,
                                         .peak = s->peak,
                                         .value = s->last_value,
                                         .limit = r->level[s->level].set,
                                         .extreme = s->extreme,
                                         .verdict = s->last_verdict };
    if (p->o->book)
        book_standing(p->o->book, rule, &change);
    look_for_former(p, rule);
    if (p->o->on_alert)
        p->o->on_alert(p->o->user, r, &change);
}

int alerts_restore(struct pipeline *p)
{
    char key[KEY_MAX];

    for (size_t i = 0; i < p->o->rules_n; i++) {
        const struct stored_state *stored;
        size_t size = 0;
        if (!state_key(p, &p->o->rules[i], key))
            return -ENAMETOOLONG;
        void *data = store_state_get(p->o->store, key, &size);
        stored = data;
        if (stored && size == sizeof *stored && stored->version == STATE_VERSION &&
            stored->state.level < LEVEL_COUNT_ && stored->state.peak < LEVEL_COUNT_)
            p->alerts[i] = stored->state;
        free(data);
        tell_standing(p, i);
    }
    return 0;
}

static void keep_state(struct pipeline *p, struct change *c, size_t rule)
{
    struct stored_state stored;
    char key[KEY_MAX];

    if (!p->o->store)
        return;
    memset(&stored, 0, sizeof stored); /* padding goes to disk: never leftovers of the stack */
    stored.version = STATE_VERSION;
    stored.state = p->alerts[rule];
    if (!c->batch || !state_key(p, &p->o->rules[rule], key) ||
        store_batch_state(c->batch, key, &stored, sizeof stored) < 0)
        p->counters.refused++;
}

/* Of a rule that flaps, the episode it belongs to began earlier. */
static const struct episode *enter_book(struct pipeline *p, struct change *c, size_t rule,
                                        struct alert_change *a)
{
    if (a->what == ALERT_QUIET || !p->o->book || p->o->rules[rule].is_notice)
        return NULL;
    const struct episode *e = book_take(p->o->book, rule, a, c->batch);
    if (e)
        p->alerts[rule].raised_ms = a->raised_ms;
    return e;
}

static void take_change(struct pipeline *p, struct change *c, size_t rule,
                        struct alert_change *a, bool is_touched)
{
    const struct alert_rule *r = rule_of(p, rule);
    const struct episode *e = enter_book(p, c, rule, a);

    if (is_touched)
        keep_state(p, c, rule);
    if (a->what == ALERT_QUIET)
        return;
    c->urgency = STORE_AT_ONCE;
    alert_event_write(p, r, a, e);
    event_put(p, c);
    if (p->o->on_alert && !r->is_notice)
        p->o->on_alert(p->o->user, r, a);
    if (a->what == ALERT_CLEARED)
        forget_former(p, rule);
}

/* Of one rule: a sample that it looks at, or (NULL) that time passes. */
static void judge_rule(struct pipeline *p, struct change *c, uint32_t rule,
                       const struct sample *s, int64_t now_ms)
{
    struct alert_change a = { 0 };
    bool is_touched = false;
    struct alert_state *state = &p->alerts[rule], before;
    struct alert_look look;

    if (p->o->on_judged)
        before = *state;
    if (s) {
        look = look_of(p, rule, s);
        alert_judge(rule_of(p, rule), state, &look, &a, &is_touched);
    } else {
        alert_tick(rule_of(p, rule), state, now_ms, &a, &is_touched);
    }
    if (p->o->on_judged && (s || a.what != ALERT_QUIET))
        p->o->on_judged(
            p->o->user,
            &(struct pipeline_judged){ rule, now_ms, s, s ? &look : NULL, &before, state, &a });
    take_change(p, c, rule, &a, is_touched);
}

void alerts_step(struct pipeline *p, struct change *c, const struct sample *s)
{
    const struct followers *f = &p->followers[s->channel];

    for (uint32_t i = 0; i < f->rules_n; i++)
        judge_rule(p, c, p->rule_index[f->rules_from + i], s, s->time_ms);
}

void alerts_tick(struct pipeline *p, struct change *c, int64_t now_ms)
{
    for (uint32_t i = 0; i < p->o->rules_n; i++)
        judge_rule(p, c, i, NULL, now_ms);
}

void alerts_shift(struct pipeline *p, struct change *c, int64_t by_ms)
{
    for (size_t i = 0; i < p->o->rules_n; i++) {
        if (p->alerts[i].last_sample_ms == 0 && p->alerts[i].last_raise_ms == 0)
            continue;
        alert_shift(&p->alerts[i], by_ms);
        keep_state(p, c, i);
    }
    if (p->o->book)
        book_shift(p->o->book, c->batch, by_ms);
}

bool pipeline_is_pending(const struct pipeline *p, size_t rule)
{
    const struct alert_state *s = &p->alerts[rule];
    bool is_any = false;

    for (int l = LEVEL_BLUE; s->level == LEVEL_NONE && l < LEVEL_COUNT_; l++)
        is_any |= s->on_bits[l] != 0 || s->on_since_ms[l] != 0;
    return is_any;
}

void pipeline_withdraw(struct pipeline *p, size_t rule, struct store_batch *batch)
{
    struct alert_state *s = &p->alerts[rule];
    struct change c = { .batch = batch };
    const struct alert_change gone = { .what = ALERT_CLEARED,
                                       .time_ms = s->last_sample_ms,
                                       .raised_ms = s->raised_ms,
                                       .from_level = s->level,
                                       .peak = s->peak,
                                       .value = s->last_value,
                                       .limit = (double)NAN,
                                       .extreme = s->extreme };

    memset(s, 0, sizeof *s);
    forget_former(p, rule);
    keep_state(p, &c, rule);
    if (p->o->on_alert && gone.from_level != LEVEL_NONE)
        p->o->on_alert(p->o->user, &p->o->rules[rule], &gone);
}
