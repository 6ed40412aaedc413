/* SPDX-License-Identifier: Apache-2.0 */
/* What a restart has to know of commands, kept in the log beside their events. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/command/internal.h"

#define STATE_PREFIX "command/"

/* ---- states ---- */

json_t *record_state(struct command_record *rec, const char *device)
{
    json_t *state = json_object_get(rec->states, device);

    if (!state) {
        json_object_set_new(rec->states, device, json_object());
        state = json_object_get(rec->states, device);
    }
    return state;
}

void record_put_mode(struct command_record *rec, const char *device, const char *mode,
                     int64_t until_ms)
{
    json_t *state = record_state(rec, device);

    json_object_set_new(state, "mode", json_string(mode));
    json_object_set_new(state, "until", json_integer(until_ms));
}

void record_drop_mode(struct command_record *rec, const char *device)
{
    json_t *state = record_state(rec, device);

    json_object_del(state, "mode");
    json_object_del(state, "until");
}

bool record_mode(struct command_record *rec, const char *device, int64_t now_ms,
                 struct verdict *ret, int64_t *ret_until_ms)
{
    const json_t *state = record_state(rec, device);
    const char *mode = json_string_value(json_object_get(state, "mode"));
    int64_t until_ms = json_integer_value(json_object_get(state, "until"));

    if (!mode || until_ms <= now_ms || verdict_from_word(mode, ret) < 0)
        return false;
    *ret_until_ms = until_ms;
    return true;
}

static int add_state(struct command_record *rec, struct store_batch *b, const char *device)
{
    char key[STORE_NAME_MAX];
    const json_t *state = json_object_get(rec->states, device);
    bool is_empty = json_object_size(state) == 0;
    char *text = is_empty ? NULL : json_dumps(state, JSON_COMPACT);

    snprintf(key, sizeof key, STATE_PREFIX "%s", device);
    int rc =
        is_empty || text ? store_batch_state(b, key, text, text ? strlen(text) : 0) : -ENOMEM;
    free(text);
    return rc;
}

/* ---- events ---- */

int record_write(struct command_record *rec, const char *device, const json_t *event,
                 char **ret_text)
{
    char *text = json_dumps(event, JSON_COMPACT);
    struct store_batch *b = NULL;
    int rc = text ? store_batch_begin(rec->store, &b) : -ENOMEM;

    if (rc == 0)
        rc = store_batch_event(b, text);
    if (rc == 0)
        rc = add_state(rec, b, device);
    if (rc == 0)
        rc = store_batch_submit(b, STORE_AT_ONCE);
    else if (b)
        store_batch_drop(b);
    if (rc == 0)
        *ret_text = text;
    else
        free(text);
    return rc;
}

void record_remember(struct command_record *rec, json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "request"));

    if (!id || !*id)
        return;
    json_array_append(rec->past, event);
    if (json_array_size(rec->past) > COMMAND_PAST_MAX)
        json_array_remove(rec->past, 0);
}

const json_t *record_find(const struct command_record *rec, const char *id)
{
    json_t *event;
    size_t i;

    json_array_foreach(rec->past, i, event)
    {
        const char *its = json_string_value(json_object_get(event, "request"));
        if (its && strcmp(its, id) == 0)
            return event;
    }
    return NULL;
}

/* ---- life ---- */

static bool take_past(void *user, const struct store_entry *e)
{
    struct command_record *rec = user;
    json_t *event = json_loadb(e->data, e->size, 0, NULL);
    const char *id = json_string_value(json_object_get(event, "request"));
    const char *what = json_string_value(json_object_get(event, "what"));

    if (id && *id && what && strcmp(what, "begun") != 0 && json_object_get(event, "begun"))
        json_array_insert(rec->past, 0, event); /* newest come first */
    json_decref(event);
    return true;
}

static int read_past(struct command_record *rec)
{
    struct store_reader *reader;
    int rc = store_reader_open(rec->store, &reader);

    if (rc < 0)
        return rc;
    rc = store_read_events(reader, "command", 2 * COMMAND_PAST_MAX, take_past, rec);
    store_reader_close(reader);
    return rc;
}

static void take_state(void *user, const char *key, const void *data, size_t size)
{
    struct command_record *rec = user;
    json_t *state = json_loadb(data, size, 0, NULL);

    if (json_is_object(state))
        json_object_set(rec->states, key + strlen(STATE_PREFIX), state);
    json_decref(state);
}

int record_open(struct command_record *rec, struct store *store)
{
    *rec = (struct command_record){ store, json_object(), json_array() };
    if (!rec->states || !rec->past)
        return -ENOMEM;
    int rc = store_state_each(store, STATE_PREFIX, take_state, rec);
    return rc == 0 ? read_past(rec) : rc;
}

void record_close(struct command_record *rec)
{
    json_decref(rec->states);
    json_decref(rec->past);
}
