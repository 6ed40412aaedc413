/* SPDX-License-Identifier: Apache-2.0 */
/* Which streams have rows of a channel, when these are complete, and what becomes of their
 * dictionaries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/revision/internal.h"

#define DAY_MS INT64_C(86400000)

enum { GRACE_MS = 120000 }; /* from the end of a period to its row in the log, at most */

static bool take_columns(const struct channel_table *t, uint32_t channel,
                         const struct channel_stream *s, struct stage *ret)
{
    ret->n = 0;
    for (uint32_t i = s->first; i < s->first + s->n && ret->n < REVISION_COLUMNS_MAX; i++) {
        const struct channel *ch = &t->channels[i];
        if (ch->source == channel && !ch->is_index)
            ret->channel[ret->n++] = i;
    }
    return ret->n > 0;
}

/* The part of a statistic's name that says its period: "1h" of "1h.max". */
static const char *period_word(const struct channel *ch, char *buf, size_t size)
{
    snprintf(buf, size, "%.*s", (int)strcspn(ch->statistic, "."), ch->statistic);
    return buf;
}

bool stage_of(const struct channel_table *t, uint32_t channel, unsigned k, struct stage *ret)
{
    unsigned found = 0, part = 0;
    int64_t period_ms = 0;

    for (size_t i = 0; i < t->streams_n; i++) {
        if (!take_columns(t, channel, &t->streams[i], ret))
            continue;
        const struct channel *first = &t->channels[ret->channel[0]];
        const int64_t its_ms = first->statistic ? first->period_ms : 0;
        part = found > 0 && its_ms == period_ms ? part + 1 : 0;
        period_ms = its_ms;
        if (found++ < k)
            continue;
        ret->stream = first->stream;
        ret->period_ms = period_ms;
        ret->step_ms = t->streams[i].period_ms;
        ret->part = part;
        return true;
    }
    return false;
}

void stage_find(const struct channel_table *t, struct revision *x)
{
    struct stage s;
    bool is_there;

    x->stage = 0;
    while ((is_there = stage_of(t, x->channel, x->stage, &s)) &&
           (s.period_ms < x->period_ms || (s.period_ms == x->period_ms && s.part < x->part)))
        x->stage++;
    if (!is_there || s.period_ms != x->period_ms || s.part != x->part)
        x->next_ms = 0;
}

/* Of the first rows the bracket has little; it counts when an earlier one has the rest of it.
 */
int64_t stage_from(const struct revision *x, const struct stage *s)
{
    const int64_t least_ms = x->began_ms - REVISIONS_REACH_DAYS * DAY_MS;
    const int64_t from_ms = x->from_ms - s->period_ms;

    return from_ms > least_ms ? from_ms : least_ms;
}

/* A row is revised when more than a quarter of its period lies in the bracket. */
int64_t stage_to(const struct revision *x, const struct stage *s)
{
    return x->to_ms - s->period_ms / 4;
}

int64_t stage_settled(const struct stage *s, int64_t now_ms)
{
    return s->period_ms > 0 ? now_ms - s->period_ms - GRACE_MS : INT64_MAX;
}

/* ---- the stream of revisions ---- */

void stage_name(const struct channel_table *t, const struct revision *x, const struct stage *s,
                char name[STORE_NAME_MAX])
{
    const struct channel *first = &t->channels[s->channel[0]];
    char period[16];

    if (s->period_ms == 0)
        snprintf(name, STORE_NAME_MAX, "rev.%s", x->channel_id);
    else if (s->part == 0)
        snprintf(name, STORE_NAME_MAX, "rev.%s@%s", x->channel_id,
                 period_word(first, period, sizeof period));
    else
        snprintf(name, STORE_NAME_MAX, "rev.%s@%s.%u", x->channel_id,
                 period_word(first, period, sizeof period), s->part);
}

static json_t *find_channel(const json_t *channels, const char *id)
{
    json_t *c;
    size_t i;

    json_array_foreach(channels, i, c)
    {
        const char *have = json_string_value(json_object_get(c, "id"));
        if (have && strcmp(have, id) == 0)
            return c;
    }
    return NULL;
}

static bool add_channel(json_t *list, const json_t *channels, const char *id)
{
    json_t *c = json_deep_copy(find_channel(channels, id));
    char revised[REVISION_ID_MAX];
    const int n = snprintf(revised, sizeof revised, "%s" REVISED, id);

    if (!c || n >= (int)sizeof revised) {
        json_decref(c);
        return false;
    }
    json_object_set_new(c, "id", json_string(revised));
    return json_array_append_new(list, c) == 0;
}

char *stage_dictionary(const struct channel_table *t, const struct stage *s,
                       const char *dictionary)
{
    json_t *root = dictionary ? json_loads(dictionary, 0, NULL) : NULL;
    json_t *list = json_array();
    bool is_whole = root != NULL;
    char *text = NULL;

    for (unsigned i = 0; i < s->n && is_whole; i++)
        is_whole =
            add_channel(list, json_object_get(root, "channels"), t->channels[s->channel[i]].id);
    json_object_del(root, "layout");
    json_object_del(root, "stream");
    if (is_whole && json_object_set(root, "channels", list) == 0)
        text = json_dumps(root, JSON_COMPACT);
    json_decref(list);
    json_decref(root);
    return text;
}
