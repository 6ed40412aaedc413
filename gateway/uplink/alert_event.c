/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/alert_event.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"

const char *const alert_colour_ids[] = { "none", "blue", "yellow", "orange", "red", NULL };
const char *const alert_lowest_words[] = { "blue", "yellow", "orange", "red", NULL };

static const char *text_of(const json_t *o, const char *member)
{
    const char *text = json_string_value(json_object_get(o, member));

    return text ? text : "";
}

static enum alert_colour colour_of(const json_t *o, const char *member)
{
    const char *text = text_of(o, member);

    for (int i = COLOUR_BLUE; i <= COLOUR_RED; i++)
        if (strcmp(text, alert_colour_ids[i]) == 0)
            return (enum alert_colour)i;
    return COLOUR_NONE;
}

static void read_members(const json_t *o, struct alert_event *e)
{
    const struct {
        const char **to, *member;
    } texts[] = {
        { &e->key, "key" },           { &e->what, "transition" },
        { &e->rule, "rule" },         { &e->version, "version" },
        { &e->channel, "channel" },   { &e->device, "device" },
        { &e->quantity, "quantity" }, { &e->medium, "medium" },
        { &e->unit, "unit" },         { &e->direction, "direction" },
        { &e->state, "state" },       { &e->verdict, "verdict" },
        { &e->quiet, "quiet" },       { &e->note, "note" },
        { &e->actor, "actor" },
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i].to = text_of(o, texts[i].member);
    e->level = colour_of(o, "level");
    e->peak = colour_of(o, "peak");
    e->number = json_integer_value(json_object_get(o, "number"));
    e->time_ms = time_read_utc(text_of(o, "time"));
    e->raised_ms = time_read_utc(text_of(o, "raised"));
}

int alert_event_of(json_t *root, struct alert_event *ret)
{
    const char *kind = text_of(root, "kind");
    struct alert_event e = { .is_notice = strcmp(kind, "notice") == 0 };

    if (!json_is_object(root))
        return -EINVAL;
    if (!e.is_notice && strcmp(kind, "alert") != 0)
        return -ENOENT;
    read_members(root, &e);
    if (e.time_ms <= 0 || (!e.is_notice && (!*e.key || !*e.what)))
        return -EINVAL;
    e.root = json_incref(root);
    *ret = e;
    return 0;
}

int alert_event_read(const char *json, size_t size, struct alert_event *ret)
{
    json_t *root = json_loadb(json, size, 0, NULL);

    if (!root)
        return -EINVAL;
    int rc = alert_event_of(root, ret);
    json_decref(root);
    return rc;
}

void alert_event_done(struct alert_event *e)
{
    json_decref(e->root);
    *e = (struct alert_event){ .root = NULL };
}

const char *alert_event_text(const struct alert_event *e, const char *member)
{
    return text_of(e->root, member);
}

const char *alert_event_in(const struct alert_event *e, const char *member, const char *lang)
{
    return text_of(json_object_get(e->root, member), lang);
}

bool alert_event_has_mark(const struct alert_event *e, const char *mark)
{
    const json_t *marks = json_object_get(e->root, "marks");
    bool is_found = false;

    for (size_t i = 0; i < json_array_size(marks) && !is_found; i++) {
        const char *one = json_string_value(json_array_get(marks, i));
        is_found = one && strcmp(one, mark) == 0;
    }
    return is_found;
}

const char *alert_event_number(const struct alert_event *e, const char *member, char *out)
{
    const json_t *x = json_object_get(e->root, member);

    out[0] = '\0';
    if (json_is_integer(x))
        snprintf(out, ALERT_NUMBER_MAX, "%" PRId64, (int64_t)json_integer_value(x));
    else if (json_is_real(x) && isfinite(json_real_value(x)))
        snprintf(out, ALERT_NUMBER_MAX, "%.9g", json_real_value(x));
    return out;
}

bool alert_event_stands(const struct alert_event *e)
{
    const bool is_judged = *e->verdict && strcmp(e->verdict, "true") != 0;

    if (e->is_notice)
        return strcmp(e->what, "cleared") != 0;
    return e->level != COLOUR_NONE && !is_judged && !*e->quiet &&
           strcmp(e->state, "closed") != 0;
}

void alert_put_name(struct buf *b, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._/@:";

    for (; *name; name++) {
        if (strchr(plain, *name))
            buf_put(b, name, 1);
        else
            buf_printf(b, "%%%02X", (unsigned)(unsigned char)*name);
    }
}

void alert_put_identity(struct buf *b, const struct alert_event *e)
{
    alert_put_name(b, e->key);
    if (e->number > 0)
        buf_printf(b, "/%" PRId64, e->number);
    else
        buf_printf(b, "/%s-%" PRId64, e->what, e->time_ms);
}
