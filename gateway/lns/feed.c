/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lns/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/lns/command.h"
#include "gateway/lns/listener.h"

enum {
    TURN_MAX = 64,        /* notes taken at once: the loop has other work */
    NAMES_MAX = 4096,     /* devices whose names are remembered for commands */
    BAD_EVERY_MS = 60000, /* a server that sends nonsense is logged as often */
};

struct name {
    uint64_t dev_eui;
    char device_id[FEED_NAME_MAX], application[FEED_NAME_MAX];
};

struct feed {
    struct feed_options o;
    uv_async_t async;
    struct listener *listener;
    struct feed_counters counters;
    bool has_been_up, is_stopping;
    int64_t bad_ms; /* when a bad message was logged; 0: none yet */
    uint64_t bad_n; /* since */
    struct name *names;
    size_t names_n, names_cap, names_next; /* next: to be overwritten when full */
    void (*on_closed)(void *user);
    void *closed_user;
};

/* ---- names ---- */

static struct name *find_name(const struct feed *f, uint64_t dev_eui)
{
    for (size_t i = 0; i < f->names_n; i++)
        if (f->names[i].dev_eui == dev_eui)
            return &f->names[i];
    return NULL;
}

/* A place for one more; when all are taken, the one of whoever came first. */
static struct name *add_name(struct feed *f)
{
    if (f->names_n == f->names_cap && f->names_cap < NAMES_MAX) {
        size_t cap = f->names_cap ? f->names_cap * 2 : 16;
        struct name *more = realloc(f->names, cap * sizeof *more);
        if (more) {
            f->names = more;
            f->names_cap = cap;
        }
    }
    if (f->names_n < f->names_cap)
        return &f->names[f->names_n++];
    return f->names_cap ? &f->names[f->names_next++ % f->names_cap] : NULL;
}

static void learn_name(struct feed *f, const struct feed_message *m)
{
    struct name *n = find_name(f, m->dev_eui);

    if (!n)
        n = add_name(f);
    if (!n || !m->application[0])
        return;
    n->dev_eui = m->dev_eui;
    memcpy(n->device_id, m->device_id, sizeof n->device_id);
    memcpy(n->application, m->application, sizeof n->application);
}

/* ---- notes ---- */

static void take_state(struct feed *f, const struct listener_note *n)
{
    bool is_new = n->is_up && !f->counters.is_up;
    bool is_plain = strcmp(n->text, LISTENER_CONNECTED) == 0;

    f->counters.reconnects += is_new && f->has_been_up;
    f->has_been_up |= n->is_up;
    f->counters.is_up = n->is_up;
    snprintf(f->counters.error, sizeof f->counters.error, "%s", is_plain ? "" : n->text);
    f->o.on_state(f->o.user, n->is_up, n->text);
}

static void take_bad(struct feed *f, const char *why)
{
    int64_t now = mono_ms();

    f->counters.messages++;
    f->counters.malformed++;
    f->bad_n++;
    snprintf(f->counters.error, sizeof f->counters.error, "%s", why);
    if (f->bad_ms && now - f->bad_ms < BAD_EVERY_MS)
        return;
    log_warning("feed %s: %s messages=%" PRIu64, f->o.conf->id, why, f->bad_n);
    f->bad_ms = now;
    f->bad_n = 0;
}

static void take_message(struct feed *f, struct feed_message *m)
{
    f->counters.messages++;
    f->counters.uplinks += m->kind == FEED_UPLINK;
    f->counters.backfilled += m->is_backfill;
    learn_name(f, m);
    f->o.on_message(f->o.user, m);
}

static void on_async_closed(uv_handle_t *h)
{
    struct feed *f = h->data;

    if (f->on_closed)
        f->on_closed(f->closed_user);
}

static void take_note(struct feed *f, struct listener_note *n)
{
    if (n->kind == LISTENER_ENDED) {
        listener_destroy(f->listener);
        f->listener = NULL;
        uv_close((uv_handle_t *)&f->async, on_async_closed);
    } else if (f->is_stopping) {
        free(n->message.object);
    } else if (n->kind == LISTENER_MESSAGE) {
        take_message(f, &n->message);
    } else if (n->kind == LISTENER_STATE) {
        take_state(f, n);
    } else {
        take_bad(f, n->text);
    }
}

static void on_async(uv_async_t *a)
{
    struct feed *f = a->data;
    struct listener_note n;
    size_t turns = 0;

    while (f->listener && turns++ < TURN_MAX && listener_take(f->listener, &n))
        take_note(f, &n);
    if (turns > TURN_MAX && f->listener)
        uv_async_send(a);
}

static void wake(void *user)
{
    struct feed *f = user;

    uv_async_send(&f->async);
}

/* ---- life ---- */

static int start_listener(struct feed *f)
{
    const struct listener_options lo = { .conf = f->o.conf,
                                         .clock = f->o.clock,
                                         .since_ms = f->o.since_ms,
                                         .wake = wake,
                                         .user = f };

    return listener_create(&lo, &f->listener);
}

static void free_closed(uv_handle_t *h)
{
    free(h->data);
}

int feed_start(const struct feed_options *o, struct feed **ret)
{
    char why[FEED_TEXT_MAX];

    if (feed_check(o->conf, why, sizeof why) < 0) {
        log_error("feed %s: %s", o->conf->id, why);
        return -EINVAL;
    }
    struct feed *f = calloc(1, sizeof *f);
    if (!f)
        return -ENOMEM;
    f->o = *o;
    f->async.data = f;
    int rc = uv_async_init(o->loop, &f->async, on_async);
    if (rc < 0) {
        free(f);
        return rc;
    }
    rc = start_listener(f);
    if (rc < 0) {
        uv_close((uv_handle_t *)&f->async, free_closed);
        return rc;
    }
    *ret = f;
    return 0;
}

void feed_stop(struct feed *f, void (*on_closed)(void *user), void *user)
{
    f->on_closed = on_closed;
    f->closed_user = user;
    f->is_stopping = true;
    listener_stop(f->listener);
}

void feed_destroy(struct feed *f)
{
    if (!f)
        return;
    free(f->names);
    free(f);
}

void feed_counters_get(const struct feed *f, struct feed_counters *ret)
{
    *ret = f->counters;
    ret->dropped = f->listener ? listener_dropped(f->listener) : 0;
}

/* ---- commands ---- */

/* What is not known of the names yet stays NULL. */
static void fill_names(const struct feed *f, struct feed_command *k)
{
    const struct name *n = find_name(f, k->dev_eui);

    if (!k->device_id && n)
        k->device_id = n->device_id;
    k->application = f->o.conf->application ? f->o.conf->application
                     : n                    ? n->application
                                            : NULL;
}

int feed_send(struct feed *f, uint64_t dev_eui, const char *device_id, uint8_t fport,
              const uint8_t *bytes, size_t n, bool is_confirmed, const char *id)
{
    struct feed_command k = { .dev_eui = dev_eui,
                              .device_id = device_id,
                              .fport = fport,
                              .bytes = bytes,
                              .n = n,
                              .is_confirmed = is_confirmed,
                              .id = id };
    struct listener_command c = { .dev_eui = dev_eui };
    struct buf json = BUF_INIT(sizeof c.json - 1);

    if (!f->counters.is_up || f->is_stopping)
        return -ENOTCONN;
    fill_names(f, &k);
    if (f->o.conf->server == FEED_TTN ? !k.device_id : !k.application)
        return -ENOENT;
    int rc = feed_command_print(f->o.conf, &k, c.topic, &json);
    if (rc == 0) {
        memcpy(c.json, json.data, json.size);
        c.n = json.size;
        snprintf(c.id, sizeof c.id, "%s", id ? id : "");
        rc = listener_send(f->listener, &c);
    }
    buf_done(&json);
    return rc;
}
