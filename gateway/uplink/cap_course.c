/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/cap_course.h"

#include <string.h>

enum weight {
    NOTHING,   /* of the people who handle it */
    CHANGE,    /* of what was told */
    RISE,      /* has to be told even to those who were told it is over */
    ALL_CLEAR, /* the condition is gone */
    CALLED_OFF /* there never was one */
};

static enum weight weight_of(const struct cap_change *x)
{
    static const struct {
        const char *what;
        enum weight weight;
    } weights[] = {
        { "raised", RISE },       { "upgraded", RISE },         { "reopened", RISE },
        { "downgraded", CHANGE }, { "acknowledged", CHANGE },   { "triaged", CHANGE },
        { "cleared", ALL_CLEAR }, { "superseded", CALLED_OFF }, { "withdrawn", CALLED_OFF },
    };

    if (strcmp(x->what, "triaged") == 0 && strcmp(x->verdict, "true") != 0)
        return CALLED_OFF;
    for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++)
        if (strcmp(x->what, weights[i].what) == 0)
            return weights[i].weight;
    return NOTHING;
}

/* What ends an alert is told to whoever was told of it, also while it lies on a shelf. */
static enum cap_type end(struct cap_course *c, enum weight w)
{
    if (!c->has_begun || c->is_cancelled)
        return CAP_NONE;
    c->is_cancelled = w == CALLED_OFF;
    return w == CALLED_OFF ? CAP_CANCEL : CAP_UPDATE;
}

enum cap_type cap_course_step(struct cap_course *c, const struct cap_change *x,
                              enum alert_colour lowest)
{
    const enum weight w = weight_of(x);

    if (w == NOTHING || x->peak < lowest)
        return CAP_NONE;
    if (w == ALL_CLEAR || w == CALLED_OFF)
        return end(c, w);
    if (*x->quiet || x->level == COLOUR_NONE || (w == CHANGE && c->is_cancelled))
        return CAP_NONE;
    const bool is_new = !c->has_begun || c->is_cancelled;
    *c = (struct cap_course){ .has_begun = true };
    return is_new ? CAP_ALERT : CAP_UPDATE;
}

static const char *text_at(const json_t *list, size_t i)
{
    const char *text = json_string_value(json_array_get(list, i));

    return text ? text : "";
}

static enum alert_colour colour_at(const json_t *list, size_t i)
{
    const char *text = text_at(list, i);

    for (int c = COLOUR_BLUE; c <= COLOUR_RED; c++)
        if (strcmp(text, alert_colour_ids[c]) == 0)
            return (enum alert_colour)c;
    return COLOUR_NONE;
}

bool cap_earlier_read(const json_t *one, struct cap_earlier *ret)
{
    *ret = (struct cap_earlier){
        .number = json_integer_value(json_array_get(one, 0)),
        .time_ms = json_integer_value(json_array_get(one, 1)),
        .change = { .what = text_at(one, 2),
                    .level = colour_at(one, 3),
                    .peak = colour_at(one, 4),
                    .verdict = text_at(one, 5),
                    .quiet = text_at(one, 6) },
    };
    return ret->number > 0 && ret->time_ms > 0;
}
