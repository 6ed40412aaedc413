/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules find, and the watches: episodes begin, move, end, and give way to faults. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/alerts/internal.h"

static void name_episode(const struct book *b, struct episode *e, size_t rule,
                         const struct alert_change *a)
{
    const struct alert_rule *r = &b->station.rules[rule];

    e->rule = rule;
    e->about = episode_about(b->station.table, r);
    snprintf(e->key, sizeof e->key, "%s/%s/%lld", r->id,
             b->station.table->channels[r->channel].id, (long long)a->raised_ms);
    snprintf(e->version, sizeof e->version, "%s", b->station.plans[rule]->version);
    e->judged = judged_of(r);
    e->life.raised_ms = a->raised_ms;
}

bool book_rule(const struct book *b, size_t rule, struct alert_rule *r)
{
    const struct episode *e = episode_of_rule(b, rule);

    if (!e || !(e->life.marks & LIFE_RULE_CHANGED) || e->life.level == LEVEL_NONE)
        return false;
    judged_apply(&e->judged, r);
    return true;
}

/* Limits run from when somebody can know of it: a mean of an hour is an hour old. */
static int64_t known_ms(const struct book *b, const struct alert_change *a)
{
    return b->now_ms > a->time_ms ? b->now_ms : a->time_ms;
}

/* Beyond what a statistic takes to be formed. */
static bool is_late(const struct book *b, size_t rule, const struct alert_change *a)
{
    const struct alert_rule *r = &b->station.rules[rule];

    return b->now_ms - a->time_ms >
           LATE_MS + 2 * b->station.table->channels[r->channel].period_ms;
}

/* Those of the same rule that came and went unseen are one with the unstable one. */
static void absorb(struct book *b, const struct episode *into, struct store_batch *batch)
{
    struct book_change c = { .book = b, .batch = batch, .now_ms = b->now_ms };

    for (size_t i = 0; i < b->episodes_n; i++) {
        struct episode *e = b->episodes[i];
        if (e == into || e->rule != into->rule || e->life.state > LIFE_RECEIVED ||
            !(e->life.marks & LIFE_CLEARED))
            continue;
        const struct life_response *r = episode_response(b, e);
        const struct life_doing judge = { .act = LIFE_TRIAGE,
                                          .verdict = LIFE_DUPLICATE,
                                          .now_ms = b->now_ms },
                                close = { .act = LIFE_CLOSE, .now_ms = b->now_ms };
        const char *why;
        life_do(&e->life, &judge, r, &why);
        life_do(&e->life, &close, r, &why);
        snprintf(e->actor, sizeof e->actor, "gateway");
        snprintf(e->note, sizeof e->note, "part of unstable alert %llu",
                 (unsigned long long)into->no);
        book_changed(&c, e, "closed", "closed as a duplicate", "作为重复报警关闭");
    }
}

/* The one before it, gone so lately that this is the same matter. */
static void note_reopening(const struct book *b, struct episode *e)
{
    const struct episode *before = NULL;

    for (size_t i = 0; i < b->episodes_n; i++) {
        const struct episode *x = b->episodes[i];
        if (x != e && x->rule == e->rule && x->life.cleared_ms != 0 &&
            e->life.raised_ms - x->life.cleared_ms <= b->station.reopen_ms &&
            (!before || x->life.cleared_ms > before->life.cleared_ms))
            before = x;
    }
    if (!before)
        return;
    e->life.marks |= LIFE_REOPENED;
    snprintf(e->reopens, sizeof e->reopens, "%s", before->key);
}

static struct episode *begin(struct book *b, size_t rule, const struct alert_change *a,
                             struct store_batch *batch)
{
    struct episode *e = episode_add(b, batch);

    if (!e)
        return NULL;
    name_episode(b, e, rule, a);
    if (!e->about) { /* no memory */
        episode_free(e);
        b->episodes_n--;
        b->dropped++;
        return NULL;
    }
    life_raise(&e->life, (enum alert_level)a->level, known_ms(b, a), episode_response(b, e));
    e->life.raised_ms = a->raised_ms;
    e->life.peak = a->peak > a->level ? a->peak : a->level;
    e->last_raise_ms = a->time_ms;
    e->raises = 1;
    return e;
}

static struct episode *raise_new(struct book *b, size_t rule, const struct alert_change *a,
                                 struct store_batch *batch)
{
    struct episode *e = begin(b, rule, a, batch);

    if (!e)
        return NULL;
    const char *channel = episode_text(e, "channel");
    const unsigned before = flood_raises(b, b->station.rules[rule].id, channel, a->time_ms);
    const unsigned flap = b->station.plans[rule]->flap;
    if (flap > 0 && before + 1 >= flap) {
        e->life.marks |= LIFE_UNSTABLE;
        absorb(b, e, batch);
    }
    if (is_late(b, rule, a))
        e->life.marks |= LIFE_LATE;
    if (b->station.flood > 0 && flood_ten_minutes(b, a->time_ms) >= b->station.flood)
        e->life.marks |= LIFE_FLOOD;
    note_reopening(b, e);
    shelves_apply(b, e);
    return e;
}

static struct episode *take_raise(struct book *b, size_t rule, struct alert_change *a,
                                  struct store_batch *batch)
{
    struct episode *e = episode_of_rule(b, rule);

    if (e && e->life.marks & LIFE_UNSTABLE && e->life.state != LIFE_CLOSED) {
        life_raise(&e->life, (enum alert_level)a->level, known_ms(b, a),
                   episode_response(b, e));
        e->last_raise_ms = a->time_ms;
        e->raises++;
    } else {
        e = raise_new(b, rule, a, batch);
    }
    flood_note(b, b->station.rules[rule].id,
               b->station.table->channels[b->station.rules[rule].channel].id, a->time_ms);
    return e;
}

/* The episode of that name; one that the book has lost sight of comes back. */
static struct episode *find_or_begin(struct book *b, size_t rule, const struct alert_change *a,
                                     struct store_batch *batch)
{
    for (size_t i = 0; i < b->episodes_n; i++) {
        struct episode *e = b->episodes[i];
        if (e->rule == rule && e->life.raised_ms == a->raised_ms)
            return e;
    }
    return a->level != LEVEL_NONE ? begin(b, rule, a, batch) : NULL;
}

static void apply(const struct book *b, struct episode *e, const struct alert_change *a)
{
    switch (a->what) {
    case ALERT_UPGRADED:
        life_upgrade(&e->life, (enum alert_level)a->level, known_ms(b, a),
                     episode_response(b, e));
        break;
    case ALERT_DOWNGRADED:
        life_downgrade(&e->life, (enum alert_level)a->level);
        break;
    case ALERT_CLEARED:
        life_clear(&e->life, known_ms(b, a));
        break;
    case ALERT_CANNOT_JUDGE:
    case ALERT_JUDGES_AGAIN:
        life_mark(&e->life, LIFE_CANNOT_JUDGE, a->what == ALERT_CANNOT_JUDGE);
        break;
    default:
        break;
    }
}

static void note_values(const struct book *b, struct episode *e, const struct alert_change *a)
{
    if (isfinite(a->value)) {
        e->value = a->value;
        e->limit = a->limit;
        e->flag = verdict_to_flag(a->verdict);
    }
    if (isfinite(a->extreme))
        e->extreme = a->extreme;
    e->changed_ms = known_ms(b, a);
    snprintf(e->actor, sizeof e->actor, "gateway");
    e->note[0] = '\0';
    if (a->what != ALERT_RAISED && a->what != ALERT_UPGRADED)
        return;
    e->evidence_ms = a->time_ms;
    e->is_unsent = true;
    e->sent_batch = e->sent_seq = 0;
}

const struct episode *book_take(struct book *b, size_t rule, struct alert_change *a,
                                struct store_batch *batch)
{
    struct episode *e;

    if (a->what == ALERT_RAISED)
        e = take_raise(b, rule, a, batch);
    else if (a->what == ALERT_CLEARED || a->level != LEVEL_NONE)
        e = find_or_begin(b, rule, a, batch);
    else
        return NULL; /* of a quiet rule: there is no episode */
    if (!e)
        return NULL;
    if (a->what != ALERT_RAISED)
        apply(b, e, a);
    a->raised_ms = e->life.raised_ms;
    note_values(b, e, a);
    episode_told(e, alert_transition_id(a->what), a->time_ms);
    episode_keep(b, e, batch);
    return e;
}

void book_standing(struct book *b, size_t rule, const struct alert_change *a)
{
    for (size_t i = 0; i < b->episodes_n; i++)
        if (b->episodes[i]->rule == rule && b->episodes[i]->life.raised_ms == a->raised_ms)
            return;
    struct episode *e = begin(b, rule, a, NULL);
    if (!e)
        return;
    note_values(b, e, a);
    e->evidence_ms = 0;
    e->is_unkept = true;
}

/* "roof-o3/ozone" and its statistics, "roof-o3/ozone@1h". */
static bool is_of_channel(const struct episode *e, const char *channel)
{
    const char *its = episode_text(e, "channel");
    const size_t n = strlen(channel);

    return strncmp(its, channel, n) == 0 && (its[n] == '\0' || its[n] == '@');
}

void book_fault(struct book *b, const char *channel, const char *note, int64_t now_ms,
                struct store_batch *batch)
{
    struct book_change c = { .book = b, .batch = batch, .now_ms = now_ms };
    const struct life_doing d = { .act = LIFE_SUPERSEDE, .now_ms = now_ms };
    const char *why;

    for (size_t i = 0; i < b->episodes_n; i++) {
        struct episode *e = b->episodes[i];
        if (!is_of_channel(e, channel) || e->life.state >= LIFE_TRIAGED ||
            e->life.level == LEVEL_NONE)
            continue;
        life_do(&e->life, &d, episode_response(b, e), &why);
        snprintf(e->actor, sizeof e->actor, "gateway");
        snprintf(e->note, sizeof e->note, "%s", note);
        book_quiet(&c, e);
        book_changed(&c, e, life_act_done(d.act), life_act_done_name(d.act, "en"),
                     life_act_done_name(d.act, "zh"));
    }
}
