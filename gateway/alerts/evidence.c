/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The samples around a raise, as an event of the log: what a duty officer looks at first, and
 * what an auditor asks for. The log is read by a thread of its own, one window at a time; the
 * main thread only hands over what to read and writes what was found. What is still to be
 * written is part of the episode's state, so a restart neither forgets nor repeats it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/alerts/internal.h"
#include "gateway/base/log.h"

enum {
    BEFORE = 60, /* samples; and the raise's own */
    AFTER = 60,
    SAMPLES_MAX = BEFORE + 1 + AFTER,
    COMMIT_MS = 15000, /* flash media commit so seldom: only then the rows can be read */
};

#define AFTER_MAX_MS \
    INT64_C(3600000) /* evidence of slow instruments does not wait for longer */

struct found {
    int64_t time_ms;
    struct series_cell cell;
};

enum stage { IDLE, ASKED, DONE };

struct evidence {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum stage stage;
    bool is_stopping, has_thread;
    /* the window asked for, and what was found; the thread's while ASKED */
    char key[BOOK_KEY_MAX];
    uint32_t stream, column;
    int64_t at_ms, from_ms, to_ms;
    struct found found[SAMPLES_MAX];
    size_t n;
    uint32_t layout;
};

/* ---- the reading thread ---- */

/* Of those before the raise the newest are kept, of those behind it the oldest. */
static bool take_row(void *user, int64_t time_ms, const struct series_cell *cells,
                     unsigned columns, uint32_t layout)
{
    struct evidence *v = user;

    if (layout != v->layout || v->column >= columns)
        return true;
    if (v->n == SAMPLES_MAX && time_ms > v->at_ms)
        return false;
    if (v->n > BEFORE && time_ms <= v->at_ms) {
        memmove(&v->found[0], &v->found[1], (v->n - 1) * sizeof v->found[0]);
        v->n--;
    }
    v->found[v->n++] = (struct found){ time_ms, cells[v->column] };
    return true;
}

static void read_window(struct evidence *v)
{
    struct store_reader *r;
    int rc = store_reader_open(v->store, &r);

    v->n = 0;
    if (rc == 0) {
        v->layout = store_read_stream_layout(r, v->stream);
        rc = store_read_rows(r, v->stream, v->from_ms, v->to_ms, take_row, v);
        store_reader_close(r);
    }
    if (rc < 0)
        log_warning("the samples around alert %s cannot be read: %s", v->key, strerror(-rc));
}

static void *work(void *user)
{
    struct evidence *v = user;

    pthread_mutex_lock(&v->lock);
    while (!v->is_stopping) {
        if (v->stage != ASKED) {
            pthread_cond_wait(&v->changed, &v->lock);
            continue;
        }
        pthread_mutex_unlock(&v->lock);
        read_window(v);
        pthread_mutex_lock(&v->lock);
        v->stage = DONE;
    }
    pthread_mutex_unlock(&v->lock);
    return NULL;
}

int evidence_open(struct book *b)
{
    struct evidence *v = calloc(1, sizeof *v);

    if (!v)
        return -ENOMEM;
    b->evidence = v;
    v->store = b->store;
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->changed, NULL);
    v->has_thread = pthread_create(&v->thread, NULL, work, v) == 0;
    return v->has_thread ? 0 : -EAGAIN;
}

void evidence_close(struct book *b)
{
    struct evidence *v = b->evidence;

    if (!v)
        return;
    pthread_mutex_lock(&v->lock);
    v->is_stopping = true;
    pthread_cond_signal(&v->changed);
    pthread_mutex_unlock(&v->lock);
    if (v->has_thread)
        pthread_join(v->thread, NULL);
    pthread_cond_destroy(&v->changed);
    pthread_mutex_destroy(&v->lock);
    free(v);
    b->evidence = NULL;
}

/* ---- the main thread ---- */

static json_t *samples_json(const struct evidence *v)
{
    json_t *list = json_array();

    for (size_t i = 0; i < v->n; i++) {
        const struct series_cell *c = &v->found[i].cell;
        const struct decimal d = series_value(c);
        json_t *value = decimal_has_value(d) ? json_real(decimal_to_double(d)) : json_null();
        json_array_append_new(list,
                              json_pack("[I,o,I]", (json_int_t)(v->found[i].time_ms - v->at_ms),
                                        value, (json_int_t)c->flag));
    }
    return list;
}

static const char *clock_word(const struct timeline *t)
{
    return t ? clock_state_id(t->state) : clock_state_id(CLOCK_UNSYNCHRONISED);
}

static json_t *event_evidence(const struct book *b, const struct episode *e,
                              const struct evidence *v)
{
    static const char *const members[] = { "rule", "channel", "device", "quantity", "unit" };
    char en[SENTENCE_MAX], zh[SENTENCE_MAX];
    json_t *event =
        json_pack("{s:s,s:o,s:s,s:I,s:s,s:o,s:o,s:s,s:o}", "kind", "evidence", "time",
                  when_json(b->now_ms), "key", e->key, "no", (json_int_t)e->no, "version",
                  e->version, "raised", when_json(e->life.raised_ms), "at", when_json(v->at_ms),
                  "clock", clock_word(b->station.timeline), "samples", samples_json(v));

    snprintf(en, sizeof en, "Alert %llu: %zu samples around its raise are in the log.",
             (unsigned long long)e->no, v->n);
    snprintf(zh, sizeof zh, "报警 %llu：前后 %zu 个样本已存入日志。", (unsigned long long)e->no,
             v->n);
    json_object_set_new(event, "text", json_pack("{s:s,s:s}", "en", en, "zh", zh));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        json_object_set_new(event, members[i], json_string(episode_text(e, members[i])));
    return event;
}

/* A newer raise or upgrade has a window of its own. */
static void write_found(struct book *b, const struct evidence *v)
{
    struct episode *e = episode_of_key(b, v->key);

    if (!e || e->evidence_ms != v->at_ms)
        return;
    struct book_change c = book_begin(b, b->now_ms);
    e->evidence_ms = 0;
    episode_keep(b, e, c.batch);
    book_event(&c, event_evidence(b, e, v));
    book_end(&c);
}

/* The window is over and in the log. */
static bool is_ripe(const struct book *b, const struct episode *e, int64_t *ret_after_ms)
{
    const struct book_station *s = &b->station;

    if (e->evidence_ms == 0 || e->rule == NO_RULE)
        return false;
    const int64_t period_ms = s->table->channels[s->rules[e->rule].channel].period_ms;
    const int64_t after_ms = AFTER * period_ms;
    *ret_after_ms = after_ms < AFTER_MAX_MS ? after_ms : AFTER_MAX_MS;
    return b->now_ms >= e->evidence_ms + *ret_after_ms + period_ms + COMMIT_MS;
}

static void ask(struct book *b, struct evidence *v)
{
    const struct book_station *s = &b->station;
    int64_t after_ms;

    for (size_t i = 0; i < b->episodes_n; i++) {
        const struct episode *e = b->episodes[i];
        if (!is_ripe(b, e, &after_ms))
            continue;
        const struct channel *ch = &s->table->channels[s->rules[e->rule].channel];
        memcpy(v->key, e->key, sizeof v->key);
        v->stream = ch->stream;
        v->column = ch->column;
        v->at_ms = e->evidence_ms;
        v->from_ms = v->at_ms - (BEFORE + 1) * ch->period_ms;
        v->to_ms = v->at_ms + after_ms + 1;
        v->stage = ASKED;
        pthread_cond_signal(&v->changed);
        return;
    }
}

void evidence_tick(struct book *b)
{
    struct evidence *v = b->evidence;

    if (!v)
        return;
    pthread_mutex_lock(&v->lock);
    if (v->stage == DONE) {
        write_found(b, v);
        v->stage = IDLE;
    }
    if (v->stage == IDLE)
        ask(b, v);
    pthread_mutex_unlock(&v->lock);
}
