/* SPDX-License-Identifier: Apache-2.0 */
/* How often alerts are raised: of one rule on one channel, and of all together. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/alerts/internal.h"

#define TEN_MINUTES_MS INT64_C(600000)
#define HOUR_MS        INT64_C(3600000)
#define DAY_MS         (24 * HOUR_MS)

static uint64_t pair_of(const char *rule, const char *channel)
{
    return text_hash(rule) * 31 + text_hash(channel);
}

/* The i-th newest. */
static const struct raise *raise_at(const struct book *b, size_t i)
{
    return &b->raises[(b->raises_at + RAISES_KEPT - 1 - i) % RAISES_KEPT];
}

void flood_note(struct book *b, const char *rule, const char *channel, int64_t time_ms)
{
    struct raise *r = &b->raises[b->raises_at];

    r->time_ms = time_ms;
    r->what = pair_of(rule, channel);
    snprintf(r->rule, sizeof r->rule, "%s", rule);
    b->raises_at = (b->raises_at + 1) % RAISES_KEPT;
    if (b->raises_n < RAISES_KEPT)
        b->raises_n++;
}

static bool is_within(const struct raise *r, int64_t now_ms, int64_t span_ms)
{
    return r->time_ms > now_ms - span_ms && r->time_ms <= now_ms;
}

unsigned flood_raises(const struct book *b, const char *rule, const char *channel,
                      int64_t now_ms)
{
    const uint64_t what = pair_of(rule, channel);
    unsigned n = 0;

    for (size_t i = 0; i < b->raises_n; i++) {
        const struct raise *r = raise_at(b, i);
        n += r->what == what && is_within(r, now_ms, HOUR_MS);
    }
    return n;
}

unsigned flood_ten_minutes(const struct book *b, int64_t now_ms)
{
    unsigned n = 0;

    for (size_t i = 0; i < b->raises_n; i++)
        n += is_within(raise_at(b, i), now_ms, TEN_MINUTES_MS);
    return n;
}

/* ---- at start ---- */

struct lookback {
    struct book *book;
    struct raise *found; /* newest first */
    size_t n;
};

static bool take_event(void *user, const struct store_entry *e)
{
    struct lookback *r = user;
    json_t *event = json_loadb(e->data, e->size, 0, NULL);
    const char *what = json_string_value(json_object_get(event, "transition")),
               *rule = json_string_value(json_object_get(event, "rule")),
               *channel = json_string_value(json_object_get(event, "channel"));

    if (what && rule && channel && strcmp(what, "raised") == 0) {
        struct raise *x = &r->found[r->n++];
        x->time_ms = e->t_first;
        x->what = pair_of(rule, channel);
        snprintf(x->rule, sizeof x->rule, "%s", rule);
    }
    json_decref(event);
    return r->n < RAISES_KEPT;
}

int flood_restore(struct book *b)
{
    struct lookback r = { .book = b };
    struct store_reader *reader;

    b->raises = calloc(RAISES_KEPT, sizeof *b->raises);
    r.found = calloc(RAISES_KEPT, sizeof *r.found);
    int rc = b->raises && r.found ? store_reader_open(b->store, &reader) : -ENOMEM;
    if (rc == 0) {
        rc = store_read_events(reader, "alert", RAISES_KEPT, take_event, &r);
        store_reader_close(reader);
    }
    for (size_t i = r.n; rc == 0 && i-- > 0;) {
        b->raises[b->raises_at] = r.found[i];
        b->raises_at = (b->raises_at + 1) % RAISES_KEPT;
        b->raises_n++;
    }
    free(r.found);
    return rc;
}

/* ---- figures ---- */

/* The most in any ten minutes that begin with a raise. */
static unsigned worst(const struct book *b, int64_t now_ms)
{
    unsigned most = 0;
    size_t from = 0;

    for (size_t i = 0; i < b->raises_n; i++) {
        const struct raise *r = raise_at(b, i);
        if (!is_within(r, now_ms, DAY_MS))
            continue;
        while (from < i && raise_at(b, from)->time_ms >= r->time_ms + TEN_MINUTES_MS)
            from++;
        if (i - from + 1 > most)
            most = (unsigned)(i - from + 1);
    }
    return most;
}

struct tally {
    const char *rule;
    unsigned n;
};

static int by_number(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;

    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->rule, y->rule);
}

static void count_top(const struct book *b, int64_t now_ms, struct book_figures *f)
{
    enum { RULES_MAX = 256 }; /* that raised within a day; more are no help to anybody */
    struct tally t[RULES_MAX];
    size_t n = 0;

    for (size_t i = 0; i < b->raises_n; i++) {
        const struct raise *r = raise_at(b, i);
        size_t at = 0;
        if (!is_within(r, now_ms, DAY_MS))
            continue;
        while (at < n && strcmp(t[at].rule, r->rule) != 0)
            at++;
        if (at == n && n < RULES_MAX)
            t[n++] = (struct tally){ r->rule, 0 };
        if (at < n)
            t[at].n++;
    }
    qsort(t, n, sizeof t[0], by_number);
    f->top_n =
        n < sizeof f->top / sizeof f->top[0] ? (unsigned)n : sizeof f->top / sizeof f->top[0];
    for (unsigned i = 0; i < f->top_n; i++) {
        snprintf(f->top[i].rule, sizeof f->top[i].rule, "%s", t[i].rule);
        f->top[i].raised = t[i].n;
    }
}

static void count_episode(const struct episode *e, int64_t now_ms, struct book_figures *f)
{
    const struct life *l = &e->life;

    if (l->state == LIFE_CLOSED)
        return;
    f->open++;
    f->unacknowledged += l->state < LIFE_ACKNOWLEDGED;
    f->overdue += (l->marks & LIFE_OVERDUE) != 0;
    f->shelved += (l->marks & (LIFE_SHELVED | LIFE_OUT_OF_SERVICE)) != 0;
    f->unstable += (l->marks & LIFE_UNSTABLE) != 0;
    f->standing_day += !(l->marks & LIFE_CLEARED) && now_ms - l->raised_ms > DAY_MS;
}

void book_figures_get(const struct book *b, int64_t now_ms, struct book_figures *ret)
{
    *ret = (struct book_figures){ .dropped = b->dropped };
    for (size_t i = 0; i < b->episodes_n; i++)
        count_episode(b->episodes[i], now_ms, ret);
    for (size_t i = 0; i < b->raises_n; i++)
        ret->raised_day += is_within(raise_at(b, i), now_ms, DAY_MS);
    ret->raised_10min = flood_ten_minutes(b, now_ms);
    ret->worst_10min = worst(b, now_ms);
    count_top(b, now_ms, ret);
}

json_t *flood_json(const struct book *b, int64_t now_ms)
{
    struct book_figures f;
    json_t *top = json_array();

    book_figures_get(b, now_ms, &f);
    for (unsigned i = 0; i < f.top_n; i++)
        json_array_append_new(
            top, json_pack("{s:s,s:i}", "rule", f.top[i].rule, "raised", (int)f.top[i].raised));
    return json_pack("{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:I,s:o}", "open", (int)f.open,
                     "unacknowledged", (int)f.unacknowledged, "overdue", (int)f.overdue,
                     "shelved", (int)f.shelved, "unstable", (int)f.unstable, "standing_24h",
                     (int)f.standing_day, "raised_10min", (int)f.raised_10min, "raised_24h",
                     (int)f.raised_day, "worst_10min", (int)f.worst_10min, "dropped",
                     (json_int_t)f.dropped, "top", top);
}
