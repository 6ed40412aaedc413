/* SPDX-License-Identifier: Apache-2.0 */
/* A command as two entries of the log: what goes ahead of it, and what became of it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/command/internal.h"
#include "gateway/command/sentence.h"

static const char *const outcomes[] = {
    [END_DONE] = "done",
    [END_REFUSED] = "refused",
    [END_NO_ANSWER] = "no_answer",
    [END_UNEXPECTED] = "unexpected",
    [END_NO_LINK] = "no_link",
    [END_INTERRUPTED] = "interrupted",
    [END_NOT_LOGGED] = "not_logged",
};

static json_t *time_json(int64_t ms)
{
    char text[TIME_TEXT_MAX];

    time_print_utc(ms, text);
    return json_string(text);
}

static void put_texts(json_t *event, const struct sentence *s)
{
    static const char *const langs[] = { "en", "zh" };
    json_t *text = json_object();

    for (size_t i = 0; i < 2; i++) {
        struct buf b = BUF_INIT(TEXT_MAX_BYTES);
        sentence_put(&b, s, langs[i]);
        const char *said = buf_text(&b);
        json_object_set_new(text, langs[i], json_string(said ? said : ""));
        buf_done(&b);
    }
    json_object_set_new(event, "text", text);
}

/* Whole numbers as such: an address is 5, not 5.0. */
static json_t *number(double x)
{
    bool is_whole = x == round(x) && fabs(x) < 1e15;

    return is_whole ? json_integer((json_int_t)x) : json_real(x);
}

static json_t *values_of(const struct command_request *q)
{
    json_t *values = json_object();

    for (size_t i = 0; i < q->command->parameters_n; i++) {
        const struct profile_parameter *p = &q->command->parameters[i];
        json_object_set_new(values, p->id, number(isnan(q->value[i]) ? p->dflt : q->value[i]));
    }
    return values;
}

json_t *event_begin(const struct commands_station *s, const struct command_request *q,
                    const struct command_plan *plan, const char *who, int64_t now_ms)
{
    const struct profile_command *c = q->command;
    const char *en = c->en ? c->en : c->id;
    json_t *event = json_pack("{s:s,s:o,s:s,s:s,s:s,s:s,s:s,s:{s:s,s:s},s:o,s:I}", "kind",
                              "command", "time", time_json(now_ms), "what", "begun", "device",
                              s->devices[q->device].id, "command", c->id, "request", q->id,
                              "who", who, "title", "en", en, "zh", c->zh ? c->zh : en, "values",
                              values_of(q), "steps", (json_int_t)plan->n);

    if (event)
        put_texts(event, &(struct sentence){ .event = event, .what = "begun" });
    return event;
}

static void put_found(json_t *event, const struct errand_result *r)
{
    json_t *found = json_array();

    for (size_t i = 0; i < r->n; i++)
        json_array_append_new(found, json_integer(r->found[i]));
    json_object_set_new(event, "found", found);
}

static void put_result(json_t *event, const struct errand_result *r)
{
    json_object_set_new(event, "step", json_integer((json_int_t)r->step + 1));
    json_object_set_new(event, "written", json_integer((json_int_t)r->written));
    if (r->is_unknown)
        json_object_set_new(event, "unknown", json_true());
    if (r->exception)
        json_object_set_new(event, "exception", json_integer(r->exception));
    if (r->outcome == ERRAND_UNEXPECTED)
        put_found(event, r);
}

json_t *event_end(const json_t *begin, enum command_end end, const struct errand_result *r,
                  const struct command_step *step, int64_t now_ms)
{
    json_t *event = json_copy((json_t *)begin);

    if (!event)
        return NULL;
    json_object_set(event, "begun", json_object_get(begin, "time"));
    json_object_set_new(event, "time", time_json(now_ms));
    json_object_set_new(event, "what", json_string(outcomes[end]));
    if (r)
        put_result(event, r);
    put_texts(event, &(struct sentence){ begin, outcomes[end], r, step });
    return event;
}
