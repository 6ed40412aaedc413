/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the log as points: integer codes in fields, bounded identifiers in tags. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/uplink/line_print.h"
#include "gateway/uplink/line_protocol.h"

enum { FIELDS_MAX = 8 };

/* Members of an event that become tags, in the order of their tags; the station is not taken
 * from the text. */
static const struct {
    const char *tag, *member;
} tag_members[] = {
    { "ch", "channel" }, { "dev", "device" },      { "kind", "kind" }, { "rule", "rule" },
    { "station", NULL }, { "subject", "subject" }, { "what", "what" },
};
static const char *const number_members[][2] = {
    { "value", "v" },
    { "limit", "limit" },
    { "extreme", "extreme" },
};
static const char *const code_members[][2] = {
    { "level", "level" },
    { "from", "from" },
    { "peak", "peak" },
};
/* The codes that charts and alarms of the centre rely on: never renumbered, only added to. */
static const char *const level_words[] = { "none", "blue", "yellow", "orange", "red" };
static const char *const change_words[] = { "quiet",        "raised",  "upgraded",
                                            "downgraded",   "cleared", "cannot_judge",
                                            "judges_again", "doubtful" };

static const char *const state_words[] = { "pending",      "raised",   "received",
                                           "acknowledged", "triaged",  "routed",
                                           "in_handling",  "verified", "closed" };

struct event_point {
    struct line_tag tags[sizeof tag_members / sizeof tag_members[0]];
    struct line_field fields[FIELDS_MAX];
    size_t tags_n, fields_n;
};

static int64_t find_word(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0)
            return (int64_t)i;
    return -1;
}

static void add_integer(struct event_point *p, const char *key, int64_t v)
{
    p->fields[p->fields_n++] =
        (struct line_field){ .key = line_text(key), .type = LINE_INT, .integer = v };
}

static bool is_tag_value(struct line_text t)
{
    return t.n <= LINE_NAME_MAX && line_is_name(t) && !memchr(t.p, '\\', t.n);
}

/* The measurement already says "alert". */
static bool is_left_out(const char *tag, bool is_alert)
{
    return is_alert && (strcmp(tag, "kind") == 0 || strcmp(tag, "what") == 0);
}

static void add_tags(struct event_point *p, json_t *event, bool is_alert, const char *station)
{
    for (size_t i = 0; i < sizeof tag_members / sizeof tag_members[0]; i++) {
        const char *member = tag_members[i].member;
        json_t *v = member ? json_object_get(event, member) : NULL;
        struct line_text text = line_text(station);
        if (member)
            text = (struct line_text){ json_string_value(v), json_string_length(v) };
        if (text.p && is_tag_value(text) && !is_left_out(tag_members[i].tag, is_alert))
            p->tags[p->tags_n++] = (struct line_tag){ line_text(tag_members[i].tag), text };
    }
}

static void add_codes(struct event_point *p, json_t *event)
{
    json_t *transition = json_object_get(event, "transition");
    if (json_is_string(transition)) {
        int64_t code = find_word(json_string_value(transition), change_words,
                                 sizeof change_words / sizeof change_words[0]);
        if (code >= 0)
            add_integer(p, "change", code);
    }
    json_t *state = json_object_get(event, "state");
    if (json_is_string(state)) {
        int64_t code = find_word(json_string_value(state), state_words,
                                 sizeof state_words / sizeof state_words[0]);
        if (code >= 0)
            add_integer(p, "state", code);
    }
    for (size_t i = 0; i < sizeof code_members / sizeof code_members[0]; i++) {
        json_t *v = json_object_get(event, code_members[i][0]);
        int64_t code = -1;
        if (json_is_integer(v))
            code = json_integer_value(v);
        else if (json_is_string(v))
            code = find_word(json_string_value(v), level_words,
                             sizeof level_words / sizeof level_words[0]);
        if (code >= 0)
            add_integer(p, code_members[i][1], code);
    }
}

/* Milliseconds, or what time_print_utc() writes; 0 otherwise. */
static int64_t time_of(json_t *v)
{
    return json_is_string(v) ? time_read_utc(json_string_value(v)) : json_integer_value(v);
}

static void add_numbers(struct event_point *p, json_t *event)
{
    for (size_t i = 0; i < sizeof number_members / sizeof number_members[0]; i++) {
        json_t *v = json_object_get(event, number_members[i][0]);
        if (json_is_number(v) && isfinite(json_number_value(v)))
            p->fields[p->fields_n++] =
                (struct line_field){ .key = line_text(number_members[i][1]),
                                     .type = LINE_FLOAT,
                                     .number = json_number_value(v) };
    }
}

static int write_event(struct buf *b, json_t *event, const char *station, int64_t latest_ms,
                       struct line_counts *ret)
{
    struct event_point p = { .tags_n = 0 };
    json_t *kind = json_object_get(event, "kind");
    int64_t t = time_of(json_object_get(event, "time"));

    if (!json_is_string(kind))
        return 0;
    if (t <= 0 || t > latest_ms) {
        ret->rows_refused = 1;
        return 0;
    }
    bool is_alert = strcmp(json_string_value(kind), "alert") == 0;
    add_tags(&p, event, is_alert, station);
    add_codes(&p, event);
    add_numbers(&p, event);
    if (!is_alert || p.fields_n == 0)
        add_integer(&p, "n", 1);

    int rc = line_write_point(b, &(struct line_point){
                                     .measurement = line_text(is_alert ? "alert" : "event"),
                                     .tags = p.tags,
                                     .tags_n = p.tags_n,
                                     .fields = p.fields,
                                     .fields_n = p.fields_n,
                                     .has_time = true,
                                     .time = t,
                                 });
    ret->lines = rc == 0;
    return rc == -ENOSPC ? rc : 0;
}

int line_write_event(struct buf *b, const char *json, size_t size, const char *station,
                     int64_t latest_ms, struct line_counts *ret)
{
    json_error_t error;
    json_t *event = json_loadb(json, size, 0, &error);

    *ret = (struct line_counts){ 0 };
    if (!event)
        return 0;
    int rc = write_event(b, event, station, latest_ms, ret);
    json_decref(event);
    return rc;
}
