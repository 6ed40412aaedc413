/* SPDX-License-Identifier: Apache-2.0 */
/* The list of episodes, and each of them as a state of the log. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/alerts/internal.h"
#include "gateway/base/log.h"

#define PREFIX "episode/"

enum { VERSION = 1 };

uint64_t text_hash(const char *text)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return h ? h : 1; /* 0 is "none" */
}

const char *episode_text(const struct episode *e, const char *member)
{
    const char *text = json_string_value(json_object_get(e->about, member));

    return text ? text : "";
}

void episode_free(struct episode *e)
{
    if (!e)
        return;
    json_decref(e->about);
    json_decref(e->told);
    free(e);
}

bool episode_is_over(const struct episode *e)
{
    return e->life.state == LIFE_CLOSED && (e->life.marks & LIFE_CLEARED || e->rule == NO_RULE);
}

/* ---- finding ---- */

struct episode *episode_of_key(const struct book *b, const char *key)
{
    for (size_t i = 0; i < b->episodes_n; i++)
        if (strcmp(b->episodes[i]->key, key) == 0)
            return b->episodes[i];
    return NULL;
}

struct episode *episode_of_rule(const struct book *b, size_t rule)
{
    struct episode *newest = NULL;

    for (size_t i = 0; i < b->episodes_n; i++) {
        struct episode *e = b->episodes[i];
        if (e->rule == rule && (!newest || e->life.raised_ms > newest->life.raised_ms))
            newest = e;
    }
    return newest;
}

void episode_attach(const struct book *b, struct episode *e)
{
    const struct book_station *s = &b->station;

    e->rule = NO_RULE;
    for (size_t i = 0; i < s->rules_n; i++)
        if (strcmp(s->rules[i].id, episode_text(e, "rule")) == 0 &&
            strcmp(s->table->channels[s->rules[i].channel].id, episode_text(e, "channel")) == 0)
            e->rule = i;
}

const struct life_response *episode_response(const struct book *b, const struct episode *e)
{
    return e->rule == NO_RULE ? b->usual : b->station.plans[e->rule]->response;
}

/* ---- the log ---- */

static json_t *number_json(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *life_json(const struct life *l)
{
    return json_pack("[i,i,i,i,i,i,I,I,I,I,I,I]", l->state, l->verdict, l->level, l->peak,
                     l->due, l->escalations, (json_int_t)l->marks, (json_int_t)l->number,
                     (json_int_t)l->raised_ms, (json_int_t)l->entered_ms,
                     (json_int_t)l->cleared_ms, (json_int_t)l->due_ms);
}

static json_t *requests_json(const struct episode *e)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < e->requests_n && i < REQUESTS_KEPT; i++)
        json_array_append_new(list, json_integer((json_int_t)e->requests[i]));
    return list;
}

static json_t *state_json(const struct episode *e)
{
    return json_pack("{s:i,s:I,s:s,s:o,s:O,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:I,s:I,s:I,s:I,s:I,"
                     "s:o,s:I,s:o,s:O*}",
                     "v", VERSION, "no", (json_int_t)e->no, "key", e->key, "life",
                     life_json(&e->life), "about", e->about, "version", e->version, "assigned",
                     e->assigned, "actor", e->actor, "note", e->note, "reopens", e->reopens,
                     "value", number_json(e->value), "limit", number_json(e->limit), "extreme",
                     number_json(e->extreme), "flag", (json_int_t)e->flag, "changed",
                     (json_int_t)e->changed_ms, "last_raise", (json_int_t)e->last_raise_ms,
                     "raises", (json_int_t)e->raises, "asked", (json_int_t)e->requests_n,
                     "requests", requests_json(e), "evidence", (json_int_t)e->evidence_ms,
                     "judged", judged_json(&e->judged), "told", e->told);
}

static int put_state(const struct episode *e, struct store_batch *batch, const char *text)
{
    char key[STORE_NAME_MAX];
    const int n = snprintf(key, sizeof key, PREFIX "%s", e->key);

    if (!batch || n < 0 || (size_t)n >= sizeof key)
        return -ENAMETOOLONG;
    return store_batch_state(batch, key, text, text ? strlen(text) : 0);
}

void episode_keep(struct book *b, struct episode *e, struct store_batch *batch)
{
    json_t *state = b->store ? state_json(e) : NULL;
    char *text = state ? json_dumps(state, JSON_FORM) : NULL;

    e->is_restored = false;
    e->is_unkept = b->store && (!text || put_state(e, batch, text) < 0);
    free(text);
    json_decref(state);
}

static void put_text(const json_t *o, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(o, key));

    snprintf(out, size, "%s", text ? text : "");
}

static int64_t integer(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static double number(const json_t *o, const char *key)
{
    const json_t *x = json_object_get(o, key);

    return json_is_number(x) ? json_number_value(x) : (double)NAN;
}

static bool read_life(const json_t *a, struct life *l)
{
    enum { MEMBERS = 12 };
    int64_t x[MEMBERS];

    if (json_array_size(a) != MEMBERS)
        return false;
    for (size_t i = 0; i < MEMBERS; i++)
        x[i] = json_integer_value(json_array_get(a, i));
    if (x[0] < 0 || x[0] >= LIFE_STATE_COUNT_ || x[1] < 0 || x[1] >= LIFE_VERDICT_COUNT_ ||
        x[2] < 0 || x[2] >= LEVEL_COUNT_ || x[3] < 0 || x[3] >= LEVEL_COUNT_ || x[4] < 0 ||
        x[4] >= LIFE_DUE_COUNT_ || x[5] < 0 || x[5] > LIFE_ESCALATIONS_MAX)
        return false;
    *l = (struct life){ (uint8_t)x[0], (uint8_t)x[1], (uint8_t)x[2],  (uint8_t)x[3],
                        (uint8_t)x[4], (uint8_t)x[5], (uint32_t)x[6], (uint32_t)x[7],
                        x[8],          x[9],          x[10],          x[11] };
    return true;
}

static void read_requests(const json_t *o, struct episode *e)
{
    const json_t *list = json_object_get(o, "requests");

    e->requests_n = (uint32_t)integer(o, "asked");
    for (size_t i = 0; i < REQUESTS_KEPT; i++)
        e->requests[i] = (uint64_t)json_integer_value(json_array_get(list, i));
}

static bool read_state(const json_t *o, struct episode *e)
{
    json_t *about = json_object_get(o, "about");

    if (integer(o, "v") != VERSION || !json_is_object(about) ||
        !read_life(json_object_get(o, "life"), &e->life) ||
        !judged_read(json_object_get(o, "judged"), &e->judged))
        return false;
    e->no = (uint64_t)integer(o, "no");
    put_text(o, "key", e->key, sizeof e->key);
    e->about = json_incref(about);
    e->told = json_incref(json_object_get(o, "told"));
    put_text(o, "version", e->version, sizeof e->version);
    put_text(o, "assigned", e->assigned, sizeof e->assigned);
    put_text(o, "actor", e->actor, sizeof e->actor);
    put_text(o, "note", e->note, sizeof e->note);
    put_text(o, "reopens", e->reopens, sizeof e->reopens);
    e->value = number(o, "value");
    e->limit = number(o, "limit");
    e->extreme = number(o, "extreme");
    e->flag = (uint32_t)integer(o, "flag");
    e->changed_ms = integer(o, "changed");
    e->last_raise_ms = integer(o, "last_raise");
    e->raises = (uint32_t)integer(o, "raises");
    e->evidence_ms = integer(o, "evidence");
    e->rule = NO_RULE;
    e->is_restored = true;
    e->is_unsent = e->life.state == LIFE_RAISED;
    read_requests(o, e);
    return true;
}

static void take_state(void *user, const char *key, const void *data, size_t size)
{
    struct book *b = user;
    json_t *o = json_loadb(data, size, 0, NULL);
    struct episode *e = b->episodes_n < BOOK_EPISODES_MAX ? calloc(1, sizeof *e) : NULL;

    if (e && read_state(o, e)) {
        b->episodes[b->episodes_n++] = e;
        if (e->no >= b->next_no)
            b->next_no = e->no + 1;
    } else {
        log_warning("alert %s of the log is not understood, and not taken up",
                    key + strlen(PREFIX));
        episode_free(e);
    }
    json_decref(o);
}

int episodes_restore(struct book *b)
{
    return store_state_each(b->store, PREFIX, take_state, b);
}

/* ---- room ---- */

void episode_remove(struct book *b, size_t at, struct store_batch *batch)
{
    struct episode *e = b->episodes[at];

    if (b->store && put_state(e, batch, NULL) < 0)
        return; /* it stays until a batch can be had */
    memmove(&b->episodes[at], &b->episodes[at + 1],
            (b->episodes_n - at - 1) * sizeof(struct episode *));
    b->episodes_n--;
    episode_free(e);
}

/* The one that can be spared first: over, else gone by itself; the oldest of them. */
static size_t most_spare(const struct book *b, bool is_over)
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < b->episodes_n; i++) {
        const struct episode *e = b->episodes[i];
        if (is_over ? !episode_is_over(e) : !(e->life.marks & LIFE_CLEARED))
            continue;
        if (best == SIZE_MAX || e->changed_ms < b->episodes[best]->changed_ms)
            best = i;
    }
    return best;
}

/* An open one never goes without a word. */
static void close_for_room(struct book *b, struct episode *e, struct store_batch *batch)
{
    struct book_change c = { .book = b, .batch = batch, .now_ms = b->now_ms };

    e->life.state = LIFE_CLOSED;
    e->life.number++;
    e->life.due_ms = 0;
    snprintf(e->actor, sizeof e->actor, "gateway");
    snprintf(e->note, sizeof e->note, "no room in the book of alerts");
    book_event(
        &c, alert_event(b, e, "closed", "closed unattended", "无人处理，自动关闭", b->now_ms));
}

struct episode *episode_add(struct book *b, struct store_batch *batch)
{
    if (b->episodes_n == BOOK_EPISODES_MAX) {
        size_t at = most_spare(b, true);
        if (at == SIZE_MAX && (at = most_spare(b, false)) != SIZE_MAX)
            close_for_room(b, b->episodes[at], batch);
        if (at != SIZE_MAX)
            episode_remove(b, at, batch);
    }
    struct episode *e = b->episodes_n < BOOK_EPISODES_MAX ? calloc(1, sizeof *e) : NULL;
    if (!e) {
        b->dropped++;
        return NULL;
    }
    e->no = b->next_no++;
    e->rule = NO_RULE;
    b->episodes[b->episodes_n++] = e;
    return e;
}
