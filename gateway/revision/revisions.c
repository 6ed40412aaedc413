/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/revision/revisions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/revision/internal.h"

/* ---- orders ---- */

static struct cover *cover_of(struct revisions *r, const char *channel)
{
    struct cover *c = r->covers;

    while (c && strcmp(c->channel_id, channel) != 0)
        c = c->next;
    if (c)
        return c;
    c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    snprintf(c->channel_id, sizeof c->channel_id, "%s", channel);
    c->next = r->covers;
    r->covers = c;
    return c;
}

static uint32_t channel_number(const struct channel_table *t, const char *id)
{
    for (uint32_t i = 0; t && i < t->n; i++) {
        if (!t->channels[i].statistic && strcmp(t->channels[i].id, id) == 0)
            return i;
    }
    return NOWHERE;
}

static struct revision *revision_new(const struct revisions *r, const struct revision_order *o,
                                     const struct cover *c, int64_t now_ms)
{
    struct revision *x = calloc(1, sizeof *x);

    if (!x)
        return NULL;
    snprintf(x->channel_id, sizeof x->channel_id, "%s", o->channel);
    snprintf(x->check, sizeof x->check, "%s", o->check);
    x->number = r->number + 1;
    x->channel = channel_number(r->station.table, o->channel);
    x->from_ms = o->from_ms;
    x->to_ms = o->to_ms;
    x->began_ms = now_ms;
    x->is_corrected = o->drift != NULL;
    if (o->drift)
        x->drift = *o->drift;
    x->before = c->spans;
    x->after_batch = store_submitted(r->store) + 1; /* this one included */
    return x;
}

static void append(struct revisions *r, struct revision *x)
{
    struct revision **end = &r->first;

    while (*end)
        end = &(*end)->next;
    *end = x;
    r->number = x->number;
}

int revisions_add(struct revisions *r, struct store_batch *b, const struct revision_order *o,
                  int64_t now_ms)
{
    struct cover *c = strlen(o->channel) < REVISION_ID_MAX ? cover_of(r, o->channel) : NULL;
    struct revision *x = c ? revision_new(r, o, c, now_ms) : NULL;

    if (!x)
        return -ENOMEM;
    struct cover after = *c;
    spans_add(&after.spans, o->from_ms, o->to_ms);
    int rc = order_put(b, x);
    if (rc == 0)
        rc = order_put_cover(b, &after);
    if (rc < 0) {
        free(x);
        return rc;
    }
    c->spans = after.spans;
    append(r, x);
    return 0;
}

void revision_finish(struct revisions *r, struct revision *x, json_t *ended)
{
    struct revision **at = &r->first;

    while (*at != x)
        at = &(*at)->next;
    *at = x->next;
    free(x);
    json_array_append(r->finished, ended);
    if (json_array_size(r->finished) > REVISIONS_FINISHED_MAX)
        json_array_remove(r->finished, 0);
}

/* ---- time ---- */

/* The oldest; one that does not get on when there is no other. */
static struct revision *find_due(const struct revisions *r)
{
    struct revision *stuck = NULL;
    struct store_health log;

    store_health_get(r->store, &log);
    for (struct revision *x = r->first; x; x = x->next) {
        if (!work_is_due(r, x, &log))
            continue;
        if (!x->is_warned)
            return x;
        stuck = stuck ? stuck : x;
    }
    return stuck;
}

void revisions_tick(struct revisions *r, int64_t now_ms)
{
    if (!r->station.table)
        return;
    r->now_ms = now_ms;
    if (r->busy)
        work_go_on(r);
    if (r->busy)
        return;
    struct revision *x = find_due(r);
    if (!x && r->reader) { /* perhaps for a day */
        reader_stop(r->reader);
        r->reader = NULL;
    }
    if (x)
        work_begin(r, x);
}

/* ---- what is told of them ---- */

static double share_of(const struct revision *x)
{
    const int64_t begin_ms = x->oldest_ms ? x->oldest_ms : x->from_ms;

    if (x->stage > 0)
        return 1;
    if (x->next_ms <= begin_ms || x->to_ms <= begin_ms)
        return 0;
    return (double)(x->next_ms - begin_ms) / (double)(x->to_ms - begin_ms);
}

static json_t *time_json(int64_t ms)
{
    char text[TIME_TEXT_MAX];

    if (ms == 0)
        return json_null();
    time_print_utc(ms, text);
    return json_string(text);
}

static json_t *running_json(const struct revision *x)
{
    return json_pack("{s:s,s:s,s:o,s:o,s:s,s:s,s:f,s:I,s:I}", "channel", x->channel_id, "check",
                     x->check, "start", time_json(x->from_ms), "end", time_json(x->to_ms),
                     "mode", x->is_corrected ? "drift" : "flag", "state",
                     x->stage > 0 ? "statistics" : "reading", "share", share_of(x), "rows",
                     (json_int_t)x->rows, "statistics", (json_int_t)x->statistic_rows);
}

static json_t *finished_json(const json_t *ended)
{
    static const char *const copied[] = { "channel", "check", "start",     "end",
                                          "mode",    "rows",  "statistics" };
    json_t *o = json_pack("{s:s,s:f}", "state", "done", "share", 1.0);

    for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++) {
        json_t *value = json_object_get(ended, copied[i]);
        if (value)
            json_object_set(o, copied[i], value);
    }
    return o;
}

json_t *revisions_list(const struct revisions *r)
{
    json_t *list = json_array();

    for (const struct revision *x = r->first; x; x = x->next)
        json_array_append_new(list, running_json(x));
    for (size_t i = json_array_size(r->finished); i > 0; i--)
        json_array_append_new(list, finished_json(json_array_get(r->finished, i - 1)));
    return list;
}

/* ---- life ---- */

int revisions_create(struct store *store, struct revisions **ret)
{
    struct revisions *r = calloc(1, sizeof *r);

    if (!r)
        return -ENOMEM;
    r->store = store;
    int rc = orders_restore(r);
    if (rc < 0) {
        revisions_destroy(r);
        return rc;
    }
    *ret = r;
    return 0;
}

void revisions_attach(struct revisions *r, const struct revisions_station *s)
{
    r->station = *s;
    for (struct revision *x = r->first; x; x = x->next) {
        x->channel = channel_number(s->table, x->channel_id);
        if (x->channel != NOWHERE)
            stage_find(s->table, x);
    }
}

void revisions_detach(struct revisions *r)
{
    work_forget(r);
    for (struct revision *x = r->first; x; x = x->next)
        x->channel = NOWHERE;
    r->station = (struct revisions_station){ 0 };
}

void revisions_destroy(struct revisions *r)
{
    if (!r)
        return;
    revisions_detach(r);
    while (r->first) {
        struct revision *x = r->first;
        r->first = x->next;
        free(x);
    }
    while (r->covers) {
        struct cover *c = r->covers;
        r->covers = c->next;
        free(c);
    }
    json_decref(r->finished);
    free(r);
}
