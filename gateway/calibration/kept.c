/* SPDX-License-Identifier: Apache-2.0 */
/* What a restart has to know, kept in the log beside the events that tell of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/calibration/internal.h"

#define CHANNEL_PREFIX "calibration/"
#define DEVICE_PREFIX  "maintenance/"

/* ---- writing ---- */

static int add_state(struct store_batch *b, const char *prefix, const char *id,
                     const json_t *state)
{
    const bool is_empty = json_object_size(state) == 0;
    char *text = is_empty ? NULL : json_dumps(state, JSON_FORM);
    char key[STORE_NAME_MAX];

    snprintf(key, sizeof key, "%s%s", prefix, id);
    int rc =
        is_empty || text ? store_batch_state(b, key, text, text ? strlen(text) : 0) : -ENOMEM;
    free(text);
    return rc;
}

/* One change: event, state or both. */
static void submit(struct calibrations *c, const char *prefix, const char *id,
                   const json_t *state, json_t *event)
{
    char *text = event ? json_dumps(event, JSON_FORM) : NULL;
    struct store_batch *b = NULL;
    int rc = event && !text ? -ENOMEM : store_batch_begin(c->store, &b);

    if (rc == 0 && text)
        rc = store_batch_event(b, text);
    if (rc == 0 && prefix)
        rc = add_state(b, prefix, id, state);
    if (rc == 0)
        rc = store_batch_submit(b, event ? STORE_AT_ONCE : STORE_WITH_INTERVAL);
    else if (b)
        store_batch_drop(b);
    if (rc < 0)
        log_error("what was done to an instrument is not in the log: %s", strerror(-rc));
    if (text && c->station.on_event)
        c->station.on_event(c->station.user, text);
    free(text);
    json_decref(event);
}

int kept_put_channel(struct calibrations *c, struct store_batch *b, const char *channel)
{
    return add_state(b, CHANNEL_PREFIX, channel, kept_state(c, channel));
}

void kept_channel(struct calibrations *c, const char *channel, json_t *event)
{
    submit(c, CHANNEL_PREFIX, channel, kept_state(c, channel), event);
}

void kept_device(struct calibrations *c, const char *device, const struct maintenance *m,
                 json_t *event)
{
    json_t *state = m ? json_pack("{s:I,s:I,s:s,s:s,s:b}", "since", (json_int_t)m->since_ms,
                                  "until", (json_int_t)m->until_ms, "who", m->who, "why",
                                  m->why, "warned", m->is_warned)
                      : NULL;

    submit(c, DEVICE_PREFIX, device, state, event);
    json_decref(state);
}

void kept_event(struct calibrations *c, json_t *event)
{
    submit(c, NULL, NULL, NULL, event);
}

/* ---- reading ---- */

json_t *kept_state(struct calibrations *c, const char *channel)
{
    json_t *state = json_object_get(c->states, channel);

    if (!state) {
        json_object_set_new(c->states, channel, json_object());
        state = json_object_get(c->states, channel);
    }
    return state;
}

int64_t kept_time(const json_t *state, const char *group, const char *key)
{
    const json_t *from = group ? json_object_get(state, group) : state;

    return json_integer_value(json_object_get(from, key));
}

void kept_remember(struct calibrations *c, json_t *result)
{
    json_array_append(c->ledger, result);
    if (json_array_size(c->ledger) > CALIBRATIONS_LEDGER_MAX)
        json_array_remove(c->ledger, 0);
}

static bool take_result(void *user, const struct store_entry *e)
{
    struct calibrations *c = user;
    json_t *event = json_loadb(e->data, e->size, 0, NULL);
    const char *what = json_string_value(json_object_get(event, "what"));

    if (what && strcmp(what, "result") == 0)
        json_array_insert(c->ledger, 0, event); /* newest come first */
    json_decref(event);
    return json_array_size(c->ledger) < CALIBRATIONS_LEDGER_MAX;
}

static int read_ledger(struct calibrations *c)
{
    enum { EVENTS_OF_A_RESULT = 7 }; /* begun, result, ended, and what it led to */
    struct store_reader *reader;
    int rc = store_reader_open(c->store, &reader);

    if (rc < 0)
        return rc;
    rc = store_read_events(reader, "calibration", EVENTS_OF_A_RESULT * CALIBRATIONS_LEDGER_MAX,
                           take_result, c);
    store_reader_close(reader);
    return rc;
}

static void take_channel(void *user, const char *key, const void *data, size_t size)
{
    struct calibrations *c = user;
    json_t *state = json_loadb(data, size, 0, NULL);

    if (json_is_object(state))
        json_object_set(c->states, key + strlen(CHANNEL_PREFIX), state);
    json_decref(state);
}

static void put_text(const json_t *o, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(o, key));

    snprintf(out, size, "%s", text ? text : "");
}

static void take_device(void *user, const char *key, const void *data, size_t size)
{
    struct calibrations *c = user;
    json_t *state = json_loadb(data, size, 0, NULL);
    struct maintenance *m =
        json_is_object(state) ? maintenance_add(c, key + strlen(DEVICE_PREFIX)) : NULL;

    if (m) {
        m->since_ms = kept_time(state, NULL, "since");
        m->until_ms = kept_time(state, NULL, "until");
        put_text(state, "who", m->who, sizeof m->who);
        put_text(state, "why", m->why, sizeof m->why);
        m->is_warned = json_is_true(json_object_get(state, "warned"));
        m->is_restored = true;
    }
    json_decref(state);
}

int kept_open(struct calibrations *c)
{
    const char *channel;
    json_t *state;

    c->states = json_object();
    c->ledger = json_array();
    if (!c->states || !c->ledger)
        return -ENOMEM;
    int rc = store_state_each(c->store, CHANNEL_PREFIX, take_channel, c);
    if (rc == 0)
        rc = store_state_each(c->store, DEVICE_PREFIX, take_device, c);
    json_object_foreach(c->states, channel, state)
    {
        if (rc == 0)
            rc = runs_restore(c, channel, state);
    }
    return rc == 0 ? read_ledger(c) : rc;
}
