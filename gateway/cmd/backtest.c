/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/backtest.h"

#include <errno.h>
#include <fnmatch.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVENT_STEPS = 2, /* before and behind an event */
    FAULT_STEPS = 3, /* behind a fault */
    IGNORE_STEPS = 1
};

#define MONTH_MS 2629800000.0 /* a twelfth of 365.25 days */

struct episode {
    uint32_t rule; /* number of the table's */
    uint8_t peak;
    bool is_open;
    int64_t start_ms, end_ms;
};

struct notice {
    char *channel, *fault;
    bool is_open;
    int64_t start_ms, end_ms;
};

struct backtest {
    const struct table *table;
    const struct backtest_labels *labels;
    struct episode *episodes;
    size_t episodes_n, episodes_cap;
    uint32_t *open; /* per rule of the table: its open episode + 1 */
    bool *judges;   /* per rule of the table: its channel has readings */
    struct notice *notices;
    size_t notices_n, notices_cap;
    struct backtest_count *counts;
    size_t counts_n;
    struct backtest_faults faults;
    int64_t first_ms, last_ms;
    bool has_failed;
};

int backtest_create(const struct table *t, const struct backtest_labels *labels,
                    struct backtest **ret)
{
    struct backtest *b = calloc(1, sizeof *b);

    if (!b)
        return -ENOMEM;
    b->table = t;
    b->labels = labels;
    b->open = calloc(t->rules_n + 1, sizeof *b->open);
    b->judges = calloc(t->rules_n + 1, sizeof *b->judges);
    b->counts = calloc(t->config->rules.n + 1, sizeof *b->counts);
    if (!b->open || !b->judges || !b->counts) {
        backtest_destroy(b);
        return -ENOMEM;
    }
    *ret = b;
    return 0;
}

void backtest_destroy(struct backtest *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->notices_n; i++) {
        free(b->notices[i].channel);
        free(b->notices[i].fault);
    }
    free(b->notices);
    free(b->episodes);
    free(b->open);
    free(b->judges);
    free(b->counts);
    free(b);
}

/* One more element behind n; NULL without memory. */
static void *grow(struct backtest *b, void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return items;
    void *more = realloc(items, (*cap ? 2 * *cap : 64) * size);
    if (!more) {
        b->has_failed = true;
        return NULL;
    }
    *cap = *cap ? 2 * *cap : 64;
    return more;
}

/* ---- what is told ---- */

static void begin_episode(struct backtest *b, uint32_t rule, int64_t now_ms)
{
    struct episode *more =
        grow(b, b->episodes, b->episodes_n, &b->episodes_cap, sizeof *b->episodes);

    if (!more)
        return;
    b->episodes = more;
    more[b->episodes_n++] =
        (struct episode){ .rule = rule, .is_open = true, .start_ms = now_ms, .end_ms = now_ms };
    b->open[rule] = (uint32_t)b->episodes_n;
}

void backtest_take_alert(struct backtest *b, const struct alert_rule *rule,
                         const struct alert_change *c, int64_t now_ms)
{
    const uint32_t i = (uint32_t)(rule - b->table->rule);

    if (c->what == ALERT_RAISED)
        begin_episode(b, i, now_ms);
    if (b->open[i] == 0)
        return;
    struct episode *e = &b->episodes[b->open[i] - 1];
    if (c->level > e->peak)
        e->peak = c->level;
    e->end_ms = now_ms;
    if (c->what != ALERT_CLEARED)
        return;
    e->is_open = false;
    b->open[i] = 0;
}

static void begin_notice(struct backtest *b, const char *channel, const char *fault,
                         int64_t now_ms)
{
    struct notice *more =
        grow(b, b->notices, b->notices_n, &b->notices_cap, sizeof *b->notices);

    if (!more)
        return;
    b->notices = more;
    struct notice *n = &more[b->notices_n++];
    *n = (struct notice){ strdup(channel), strdup(fault), true, now_ms, now_ms };
    b->has_failed |= !n->channel || !n->fault;
}

static void end_notice(struct backtest *b, const char *channel, const char *fault,
                       int64_t now_ms)
{
    for (size_t i = b->notices_n; i-- > 0;) {
        struct notice *n = &b->notices[i];
        if (!n->is_open || !n->channel || !n->fault || strcmp(n->channel, channel) != 0 ||
            strcmp(n->fault, fault) != 0)
            continue;
        n->is_open = false;
        n->end_ms = now_ms;
        return;
    }
}

void backtest_take_event(struct backtest *b, const char *json, int64_t now_ms)
{
    static const char what[] = "\"what\":\"sensor_fault\"";
    json_t *o = strstr(json, what) ? json_loads(json, 0, NULL) : NULL;
    const char *transition = json_string_value(json_object_get(o, "transition"));
    const char *channel = json_string_value(json_object_get(o, "channel"));
    const char *fault = json_string_value(json_object_get(o, "fault"));

    if (transition && channel && fault) {
        if (strcmp(transition, "raised") == 0)
            begin_notice(b, channel, fault, now_ms);
        else
            end_notice(b, channel, fault, now_ms);
    }
    json_decref(o);
}

/* ---- against labels ---- */

static const struct channel *channel_of(const struct backtest *b, uint32_t rule)
{
    return &b->table->channel[b->table->rule[rule].channel];
}

static bool is_of_channel(const struct backtest *b, const struct backtest_label *l,
                          const struct channel *ch)
{
    return !l->channel || fnmatch(l->channel, ch->id, 0) == 0 ||
           fnmatch(l->channel, b->table->channel[ch->source].id, 0) == 0;
}

static bool is_about(const struct backtest *b, const struct backtest_label *l, uint32_t rule)
{
    return (!l->rule || strcmp(l->rule, b->table->rule[rule].id) == 0) &&
           is_of_channel(b, l, channel_of(b, rule));
}

/* How far around a label an episode still belongs to it. */
static bool is_within(const struct backtest_label *l, int64_t at_ms, int64_t step_ms)
{
    int64_t before_ms = 0, behind_ms = 0;

    if (l->kind == LABEL_EVENT) {
        before_ms = l->early_ms + EVENT_STEPS * step_ms;
        behind_ms = EVENT_STEPS * step_ms;
    } else if (l->kind == LABEL_FAULT) {
        behind_ms = FAULT_STEPS * step_ms;
    } else if (l->kind == LABEL_IGNORE) {
        before_ms = behind_ms = IGNORE_STEPS * step_ms;
    }
    return at_ms >= l->start_ms - before_ms && at_ms <= l->end_ms + behind_ms;
}

/* Events before faults before benign changes before what is not judged; -1: none. */
static int64_t find_label(const struct backtest *b, const struct episode *e)
{
    const int64_t step_ms = channel_of(b, e->rule)->period_ms;

    for (int k = 0; k < LABEL_KINDS; k++)
        for (size_t i = 0; i < b->labels->n; i++) {
            const struct backtest_label *l = &b->labels->items[i];
            if ((int)l->kind == k && is_within(l, e->start_ms, step_ms) &&
                is_about(b, l, e->rule))
                return (int64_t)i;
        }
    return -1;
}

struct scoring {
    const struct backtest *b;
    struct backtest_count *count;
    int64_t *told_ms; /* per label: the first episode that belongs to it; 0: none */
};

static void judge_episode(struct scoring *s, const struct episode *e)
{
    const int64_t at = find_label(s->b, e);
    uint64_t *const by_kind[LABEL_KINDS] = { NULL, &s->count->faults, &s->count->benign,
                                             &s->count->ignored };

    if (at < 0) {
        s->count->spurious++;
        return;
    }
    uint64_t *n = by_kind[s->b->labels->items[at].kind];
    if (n)
        ++*n;
    else if (s->told_ms[at])
        s->count->repeats++;
    else
        s->told_ms[at] = e->start_ms;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static bool is_in_group(const struct backtest *b, const char *id, uint32_t rule)
{
    return b->judges[rule] && (!id || strcmp(id, b->table->rule[rule].id) == 0);
}

static bool concerns(const struct backtest *b, const struct backtest_label *l, const char *id)
{
    for (uint32_t i = 0; i < b->table->rules_n; i++)
        if (is_in_group(b, id, i) && is_about(b, l, i))
            return true;
    return false;
}

/* Labels of times that were not replayed ask nothing. */
static bool is_played(const struct backtest *b, const struct backtest_label *l)
{
    return l->end_ms >= b->first_ms && l->start_ms <= b->last_ms;
}

static int judge_events(struct scoring *s)
{
    const struct backtest_labels *all = s->b->labels;
    double *delays = calloc(all->n + 1, sizeof *delays);
    size_t n = 0;

    if (!delays)
        return -ENOMEM;
    for (size_t i = 0; i < all->n; i++) {
        const struct backtest_label *l = &all->items[i];
        if (l->kind != LABEL_EVENT || !is_played(s->b, l) || !concerns(s->b, l, s->count->rule))
            continue;
        const bool is_told = s->told_ms[i] != 0;
        s->count->events++;
        s->count->late += is_told && s->told_ms[i] > l->deadline_ms;
        if (is_told && s->told_ms[i] <= l->deadline_ms)
            delays[n++] = (double)(s->told_ms[i] - l->start_ms) / 1000;
    }
    s->count->detected = n;
    s->count->missed = s->count->events - n;
    qsort(delays, n, sizeof *delays, compare_doubles);
    s->count->delay_s = n ? (delays[(n - 1) / 2] + delays[n / 2]) / 2 : NAN;
    free(delays);
    return 0;
}

/* ---- counts ---- */

static void count_episode(struct backtest_count *c, const struct episode *e)
{
    const int64_t length_ms = e->end_ms - e->start_ms;

    c->raised++;
    c->by_level[e->peak]++;
    c->standing_ms += length_ms;
    if (length_ms > c->longest_ms)
        c->longest_ms = length_ms;
}

static bool is_first_of_channel(const struct backtest *b, const char *id, uint32_t rule)
{
    for (uint32_t i = 0; i < rule; i++)
        if (is_in_group(b, id, i) && channel_of(b, i)->source == channel_of(b, rule)->source)
            return false;
    return true;
}

static void count_channels(const struct backtest *b, struct backtest_count *c)
{
    for (uint32_t i = 0; i < b->table->rules_n; i++) {
        if (!is_in_group(b, c->rule, i) || !is_first_of_channel(b, c->rule, i))
            continue;
        c->channels++;
        c->sensor_months +=
            (double)(b->last_ms - b->first_ms + channel_of(b, i)->period_ms) / MONTH_MS;
    }
}

static int count_rule(struct backtest *b, const char *id)
{
    struct backtest_count *c = &b->counts[b->counts_n++];
    struct scoring s = { b, c, NULL };
    int rc = 0;

    *c = (struct backtest_count){ .rule = id, .delay_s = NAN };
    count_channels(b, c);
    if (b->labels)
        s.told_ms = calloc(b->labels->n + 1, sizeof *s.told_ms);
    if (b->labels && !s.told_ms)
        return -ENOMEM;
    for (size_t i = 0; i < b->episodes_n; i++) {
        if (!is_in_group(b, id, b->episodes[i].rule))
            continue;
        count_episode(c, &b->episodes[i]);
        if (b->labels)
            judge_episode(&s, &b->episodes[i]);
    }
    if (b->labels)
        rc = judge_events(&s);
    free(s.told_ms);
    return rc;
}

/* ---- notices ---- */

static bool is_noticed_by(const struct backtest *b, const struct backtest_label *l,
                          const struct notice *n)
{
    for (uint32_t i = 0; i < b->table->channels.n; i++) {
        const struct channel *ch = &b->table->channel[i];
        if (strcmp(ch->id, n->channel) != 0 || !is_of_channel(b, l, ch))
            continue;
        const int64_t behind_ms = l->kind == LABEL_FAULT ? FAULT_STEPS * ch->period_ms : 0;
        return n->start_ms <= l->end_ms + behind_ms && n->end_ms >= l->start_ms;
    }
    return false;
}

static void count_notices(struct backtest *b)
{
    const struct backtest_labels *all = b->labels;

    b->faults.notices = b->notices_n;
    for (size_t i = 0; all && i < all->n; i++) {
        bool is_noticed = false;
        if (all->items[i].kind != LABEL_FAULT || !is_played(b, &all->items[i]))
            continue;
        for (size_t k = 0; k < b->notices_n && !is_noticed; k++)
            is_noticed = is_noticed_by(b, &all->items[i], &b->notices[k]);
        b->faults.labelled++;
        b->faults.noticed += is_noticed;
    }
    for (size_t k = 0; all && k < b->notices_n; k++) {
        bool is_known = false;
        for (size_t i = 0; i < all->n && !is_known; i++)
            is_known =
                (all->items[i].kind == LABEL_FAULT || all->items[i].kind == LABEL_IGNORE) &&
                is_noticed_by(b, &all->items[i], &b->notices[k]);
        b->faults.false_notices += !is_known;
    }
}

/* ---- */

static bool has_judged(const struct backtest *b, const char *id)
{
    for (uint32_t i = 0; i < b->table->rules_n; i++)
        if (is_in_group(b, id, i))
            return true;
    return false;
}

int backtest_end(struct backtest *b, const struct replay_source *source, int64_t first_ms,
                 int64_t last_ms)
{
    const struct rule_conf *rules = b->table->config->rules.items;
    int rc = b->has_failed ? -ENOMEM : 0;

    b->first_ms = first_ms;
    b->last_ms = last_ms;
    for (size_t i = 0; i < b->episodes_n; i++)
        if (b->episodes[i].is_open)
            b->episodes[i].end_ms = last_ms;
    for (size_t i = 0; i < b->notices_n; i++)
        if (b->notices[i].is_open)
            b->notices[i].end_ms = last_ms;
    for (uint32_t i = 0; i < b->table->rules_n; i++)
        b->judges[i] =
            source->has(source->self, channel_of(b, i)->source) || channel_of(b, i)->is_index;
    for (size_t i = 0; rc == 0 && i < b->table->config->rules.n; i++)
        if (has_judged(b, rules[i].id))
            rc = count_rule(b, rules[i].id);
    if (rc == 0)
        rc = count_rule(b, NULL);
    if (rc == 0)
        count_notices(b);
    return rc;
}

const struct backtest_count *backtest_counts(const struct backtest *b, size_t *ret_n)
{
    *ret_n = b->counts_n;
    return b->counts;
}

const struct backtest_faults *backtest_faults(const struct backtest *b)
{
    return &b->faults;
}

bool backtest_has_labels(const struct backtest *b)
{
    return b->labels != NULL;
}

uint64_t backtest_false(const struct backtest_count *c)
{
    return c->spurious + c->faults + c->benign;
}
