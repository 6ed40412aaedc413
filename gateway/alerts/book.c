/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/alerts/book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/alerts/internal.h"

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
    link_restore(b);
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
    episode_told(e, "escalated", b->now_ms);
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
    link_shift(b, batch, by_ms);
    b->now_ms += by_ms;
}
