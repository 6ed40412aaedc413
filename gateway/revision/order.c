/* SPDX-License-Identifier: Apache-2.0 */
/* What a restart has to know: orders and how far they got, in one change with their rows; and
 * what was ever revised of a channel. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/revision/internal.h"

#define ORDER_PREFIX "revision/"
#define COVER_PREFIX "revised/"

/* Of "calibration" events so many are looked through for those of revisions. */
enum { EVENTS_MAX = 400, FORM = JSON_COMPACT };

/* ---- writing ---- */

static json_t *spans_json(const struct spans *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n; i++)
        json_array_append_new(
            list, json_pack("[I,I]", (json_int_t)s->at[i].from, (json_int_t)s->at[i].to));
    return list;
}

static json_t *course_json(const struct calibration_course *c)
{
    if (!isfinite(c->from) || !isfinite(c->to))
        return json_null();
    return json_pack("[I,I,f,f]", (json_int_t)c->from_ms, (json_int_t)c->to_ms, c->from, c->to);
}

static json_t *order_json(const struct revision *x)
{
    return json_pack(
        "{s:s,s:s,s:I,s:I,s:I,s:b,s:o,s:o,s:o,s:b,s:b,s:I,s:i,s:I,s:I,s:I,s:I,s:I}", "channel",
        x->channel_id, "check", x->check, "from", (json_int_t)x->from_ms, "to",
        (json_int_t)x->to_ms, "began", (json_int_t)x->began_ms, "corrected", x->is_corrected,
        "zero", course_json(&x->drift.zero), "factor", course_json(&x->drift.factor), "before",
        spans_json(&x->before), "begun", x->is_begun, "cut", x->is_cut, "period",
        (json_int_t)x->period_ms, "part", (int)x->part, "next", (json_int_t)x->next_ms, "rows",
        (json_int_t)x->rows, "statistics", (json_int_t)x->statistic_rows, "alerts",
        (json_int_t)x->alerts, "oldest", (json_int_t)x->oldest_ms);
}

static int put(struct store_batch *b, const char *key, json_t *value)
{
    char *text = value ? json_dumps(value, FORM) : NULL;
    int rc = text ? store_batch_state(b, key, text, strlen(text)) : -ENOMEM;

    free(text);
    json_decref(value);
    return rc;
}

static void order_key(const struct revision *x, char key[STORE_NAME_MAX])
{
    snprintf(key, STORE_NAME_MAX, ORDER_PREFIX "%016" PRIx64, x->number);
}

int order_put(struct store_batch *b, const struct revision *x)
{
    char key[STORE_NAME_MAX];

    order_key(x, key);
    return put(b, key, order_json(x));
}

int order_drop(struct store_batch *b, const struct revision *x)
{
    char key[STORE_NAME_MAX];

    order_key(x, key);
    return store_batch_state(b, key, NULL, 0);
}

int order_put_cover(struct store_batch *b, const struct cover *c)
{
    char key[STORE_NAME_MAX];

    snprintf(key, sizeof key, COVER_PREFIX "%s", c->channel_id);
    return put(b, key, spans_json(&c->spans));
}

/* ---- reading ---- */

static int64_t integer_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static void take_spans(const json_t *list, struct spans *ret)
{
    const json_t *pair;
    size_t i;

    json_array_foreach(list, i, pair)
    {
        spans_add(ret, json_integer_value(json_array_get(pair, 0)),
                  json_integer_value(json_array_get(pair, 1)));
    }
}

static struct calibration_course course_of(const json_t *list)
{
    struct calibration_course c = { .from = NAN, .to = NAN };

    if (json_array_size(list) == 4)
        c = (struct calibration_course){ json_integer_value(json_array_get(list, 0)),
                                         json_integer_value(json_array_get(list, 1)),
                                         json_number_value(json_array_get(list, 2)),
                                         json_number_value(json_array_get(list, 3)) };
    return c;
}

static void put_text(const json_t *o, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(o, key));

    snprintf(out, size, "%s", text ? text : "");
}

static void fill_order(struct revision *x, const json_t *o)
{
    put_text(o, "channel", x->channel_id, sizeof x->channel_id);
    put_text(o, "check", x->check, sizeof x->check);
    x->channel = NOWHERE;
    x->from_ms = integer_of(o, "from");
    x->to_ms = integer_of(o, "to");
    x->began_ms = integer_of(o, "began");
    x->is_corrected = json_is_true(json_object_get(o, "corrected"));
    x->drift.zero = course_of(json_object_get(o, "zero"));
    x->drift.factor = course_of(json_object_get(o, "factor"));
    take_spans(json_object_get(o, "before"), &x->before);
    x->is_begun = json_is_true(json_object_get(o, "begun"));
    x->is_cut = json_is_true(json_object_get(o, "cut"));
    x->period_ms = integer_of(o, "period");
    x->part = (unsigned)integer_of(o, "part");
    x->next_ms = integer_of(o, "next");
    x->rows = (uint64_t)integer_of(o, "rows");
    x->statistic_rows = (uint64_t)integer_of(o, "statistics");
    x->alerts = (uint64_t)integer_of(o, "alerts");
    x->oldest_ms = integer_of(o, "oldest");
}

/* Keys are sorted: the oldest comes first. */
static void take_order(void *user, const char *key, const void *data, size_t size)
{
    struct revisions *r = user;
    json_t *o = json_loadb(data, size, 0, NULL);
    struct revision *x = json_is_object(o) ? calloc(1, sizeof *x) : NULL;
    struct revision **end = &r->first;

    if (x) {
        fill_order(x, o);
        x->number = strtoull(key + strlen(ORDER_PREFIX), NULL, 16);
        r->number = x->number > r->number ? x->number : r->number;
        while (*end)
            end = &(*end)->next;
        *end = x;
    } else {
        log_error("a revision of readings cannot be taken up again: key=%s", key);
    }
    json_decref(o);
}

static void take_cover(void *user, const char *key, const void *data, size_t size)
{
    struct revisions *r = user;
    json_t *list = json_loadb(data, size, 0, NULL);
    struct cover *c = json_is_array(list) ? calloc(1, sizeof *c) : NULL;

    if (c) {
        snprintf(c->channel_id, sizeof c->channel_id, "%s", key + strlen(COVER_PREFIX));
        take_spans(list, &c->spans);
        c->next = r->covers;
        r->covers = c;
    }
    json_decref(list);
}

static bool take_finished(void *user, const struct store_entry *e)
{
    struct revisions *r = user;
    json_t *event = json_loadb(e->data, e->size, 0, NULL);
    const char *what = json_string_value(json_object_get(event, "what"));

    if (what && strcmp(what, "revision_ended") == 0)
        json_array_insert(r->finished, 0, event); /* newest come first */
    json_decref(event);
    return json_array_size(r->finished) < REVISIONS_FINISHED_MAX;
}

static int read_finished(struct revisions *r)
{
    struct store_reader *reader;
    int rc = store_reader_open(r->store, &reader);

    if (rc < 0)
        return rc;
    rc = store_read_events(reader, "calibration", EVENTS_MAX, take_finished, r);
    store_reader_close(reader);
    return rc;
}

int orders_restore(struct revisions *r)
{
    r->finished = json_array();
    if (!r->finished)
        return -ENOMEM;
    int rc = store_state_each(r->store, ORDER_PREFIX, take_order, r);
    if (rc == 0)
        rc = store_state_each(r->store, COVER_PREFIX, take_cover, r);
    return rc == 0 ? read_finished(r) : rc;
}
