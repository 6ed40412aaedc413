/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/alerts/book.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/alerts/internal.h"

#define LATE_MS \
    INT64_C(600000) /* behind its time, beyond what a statistic takes to be formed */
#define CALM_MS INT64_C(3600000) /* without a raise for so long it is unstable no more */

/* ---- life ---- */

static bool is_believed(const struct timeline *t)
{
    return !t || (t->state != CLOCK_WAITING && t->state != CLOCK_GUESSED);
}

int book_create(struct store *store, struct book **ret)
{
    struct book *b = calloc(1, sizeof *b);

    if (!b)
        return -ENOMEM;
    b->store = store;
    b->next_no = 1;
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        b->usual[l] = life_response_default((enum alert_level)l);
    int rc = flood_restore(b);
    if (rc == 0)
        rc = episodes_restore(b);
    if (rc == 0)
        rc = shelves_restore(b);
    if (rc == 0)
        rc = evidence_open(b);
    if (rc < 0) {
        book_destroy(b);
        return rc;
    }
    *ret = b;
    return 0;
}

void book_destroy(struct book *b)
{
    if (!b)
        return;
    evidence_close(b);
    replies_waiting(b, true);
    for (size_t i = 0; i < b->episodes_n; i++)
        episode_free(b->episodes[i]);
    free(b->raises);
    free(b);
}

/* An alert is judged on by the rule that raised it; here it is only said that the rule written
 * in the configuration is another one by now. */
static void look_for_new_rule(struct book *b, struct book_change *c, struct episode *e)
{
    const bool is_changed =
        !episode_is_over(e) && e->life.level != LEVEL_NONE &&
        (e->rule == NO_RULE || strcmp(b->station.plans[e->rule]->version, e->version) != 0);

    if (!is_changed || !life_mark(&e->life, LIFE_RULE_CHANGED, true))
        return;
    snprintf(e->actor, sizeof e->actor, "gateway");
    snprintf(e->note, sizeof e->note, "%s",
             e->rule == NO_RULE ? "the rule is no longer configured" : "rule changed");
    book_changed(c, e, "rule_changed", "marked, its rule is another one by now,", "规则已变更");
}

int book_attach(struct book *b, const struct book_station *s, int64_t now_ms)
{
    b->station = *s;
    b->now_ms = now_ms;
    b->was_believed |= is_believed(s->timeline);
    struct book_change c = book_begin(b, now_ms);
    for (size_t i = 0; i < b->episodes_n; i++) {
        episode_attach(b, b->episodes[i]);
        look_for_new_rule(b, &c, b->episodes[i]);
    }
    book_end(&c);
    return 0;
}

void book_detach(struct book *b)
{
    for (size_t i = 0; i < b->episodes_n; i++)
        b->episodes[i]->rule = NO_RULE;
    b->station = (struct book_station){ 0 };
}

/* ---- what the rules find ---- */

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

/* ---- the centre ---- */

/* Entries are numbered when they are committed: one that is not older will do. */
static void note_sent(struct book *b, struct episode *e, const struct store_commit *committed)
{
    if (e->is_unsent)
        e->sent_batch = store_submitted(b->store);
    else if (e->sent_seq == 0 && e->sent_batch <= committed->batches)
        e->sent_seq = committed->seq_last;
    e->is_unsent = false;
}

void book_received(struct book *b, const char *centre, uint64_t seq)
{
    const char *why;

    for (size_t i = 0; b->station.table && i < b->episodes_n; i++) {
        struct episode *e = b->episodes[i];
        const struct life_doing d = { .act = LIFE_RECEIVE, .now_ms = b->now_ms };
        if (e->life.state != LIFE_RAISED || e->sent_seq == 0 || e->sent_seq > seq)
            continue;
        struct book_change c = book_begin(b, b->now_ms);
        life_do(&e->life, &d, episode_response(b, e), &why);
        snprintf(e->actor, sizeof e->actor, "%s", centre);
        e->note[0] = '\0';
        book_changed(&c, e, life_act_done(d.act), life_act_done_name(d.act, "en"),
                     life_act_done_name(d.act, "zh"));
        book_end(&c);
    }
}

void book_doubt(struct book *b, const char *key)
{
    struct episode *e = episode_of_key(b, key);

    if (!e || e->life.marks & LIFE_DOUBTFUL)
        return;
    struct book_change c = book_begin(b, b->now_ms);
    c.has_any = true;
    e->life.marks |= LIFE_DOUBTFUL;
    episode_keep(b, e, c.batch);
    book_end(&c);
}

/* ---- time ---- */

static void escalate(struct book *b, struct episode *e)
{
    struct book_change c = book_begin(b, b->now_ms);
    const uint8_t level = e->life.level != LEVEL_NONE ? e->life.level : e->life.peak;
    const struct life_response *r = &episode_response(b, e)[level];
    const enum life_due due = (enum life_due)e->life.due;
    char en[BOOK_NAME_MAX + 80], zh[BOOK_NAME_MAX + 80];

    snprintf(e->actor, sizeof e->actor, "gateway");
    e->note[0] = '\0';
    snprintf(en, sizeof en, "%s overdue, %s%s", life_due_name(due, "en"),
             r->escalate_to ? "escalated to " : "noted", r->escalate_to ? r->escalate_to : "");
    snprintf(zh, sizeof zh, "%s超时%s%s", life_due_name(due, "zh"),
             r->escalate_to ? "，上报 " : "", r->escalate_to ? r->escalate_to : "");
    e->changed_ms = b->now_ms;
    episode_keep(b, e, c.batch);
    json_t *event = alert_event(b, e, "escalated", en, zh, b->now_ms);
    json_object_set_new(event, "overdue", json_string(life_due_id(due)));
    if (r->escalate_to)
        json_object_set_new(event, "escalate_to", json_string(r->escalate_to));
    book_event(&c, event);
    book_end(&c);
}

static void settle(struct book *b, struct episode *e)
{
    struct book_change c = book_begin(b, b->now_ms);

    life_mark(&e->life, LIFE_UNSTABLE, false);
    snprintf(e->actor, sizeof e->actor, "gateway");
    e->note[0] = '\0';
    book_changed(&c, e, "settled", "called stable again", "恢复稳定");
    book_end(&c);
}

static void tick_episode(struct book *b, struct episode *e)
{
    if (e->life.state != LIFE_CLOSED && e->life.marks & LIFE_UNSTABLE &&
        b->now_ms - e->last_raise_ms > CALM_MS)
        settle(b, e);
    if (life_tick(&e->life, b->now_ms, episode_response(b, e)))
        escalate(b, e);
    if (!e->is_unkept)
        return;
    struct book_change c = book_begin(b, b->now_ms);
    c.has_any = true;
    episode_keep(b, e, c.batch);
    book_end(&c);
}

static size_t oldest_over(const struct book *b, size_t *ret_n)
{
    size_t at = SIZE_MAX;

    *ret_n = 0;
    for (size_t i = 0; i < b->episodes_n; i++) {
        if (!episode_is_over(b->episodes[i]))
            continue;
        ++*ret_n;
        if (at == SIZE_MAX || b->episodes[i]->changed_ms < b->episodes[at]->changed_ms)
            at = i;
    }
    return at;
}

/* Closed ones leave: those of yesterday, and beyond a number. One a tick is enough. */
static void forget_closed(struct book *b)
{
    size_t n, at = oldest_over(b, &n);

    if (at == SIZE_MAX ||
        (n <= BOOK_CLOSED_MAX && b->now_ms - b->episodes[at]->changed_ms < BOOK_CLOSED_KEPT_MS))
        return;
    struct book_change c = book_begin(b, b->now_ms);
    c.has_any = true;
    episode_remove(b, at, c.batch);
    book_end(&c);
}

void book_tick(struct book *b, int64_t now_ms)
{
    if (!b->station.table)
        return;
    b->now_ms = now_ms;
    b->was_believed |= is_believed(b->station.timeline);
    struct store_health health;
    store_health_get(b->store, &health);
    for (size_t i = 0; i < b->episodes_n; i++) {
        tick_episode(b, b->episodes[i]);
        if (b->episodes[i]->life.state == LIFE_RAISED)
            note_sent(b, b->episodes[i], &health.committed);
    }
    shelves_tick(b, now_ms);
    forget_closed(b);
    evidence_tick(b);
    replies_waiting(b, false);
}

void book_committed(struct book *b)
{
    replies_waiting(b, false);
}

/* Limits of an earlier run are times of the clock as it was believed then: they are right when
 * it is believed again. */
void book_shift(struct book *b, struct store_batch *batch, int64_t by_ms)
{
    const bool is_first = !b->was_believed;

    for (size_t i = 0; i < b->episodes_n; i++) {
        struct episode *e = b->episodes[i];
        const bool was_restored = e->is_restored;
        if (e->life.state == LIFE_CLOSED || (is_first && was_restored))
            continue;
        life_shift(&e->life, by_ms);
        e->last_raise_ms += by_ms;
        episode_keep(b, e, batch);
        e->is_restored = was_restored;
    }
    shelves_shift(b, batch, by_ms, is_first);
    b->now_ms += by_ms;
}
