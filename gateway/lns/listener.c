/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lns/listener.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/backoff.h"
#include "gateway/lns/backfill.h"
#include "gateway/lns/event.h"
#include "gateway/uplink/mqtt_link.h"

enum {
    CONNECT_MS = 15000,
    KEEPALIVE_MS = 30000,
    STALL_MS = 30000, /* no PUBACK for so long: dead, whatever TCP says */
    RETRY_FIRST_MS = 500,
    RETRY_MAX_MS = 60000,
    BACKFILL_RETRY_FIRST_MS = 30000,
    BACKFILL_RETRY_MAX_MS = 15 * 60000,
    BACKFILL_OVERLAP_MS = 5 * 60000, /* uplinks are not stored in the order of their times */
    SESSION_S = 7 * 86400,           /* the broker keeps our messages over a long weekend */
    INBOX_MAX = 4096,
    INBOX_BYTES_MAX = 16 << 20,
    IDLE_MS = 1000,
    /* Hashes of what went by, for what the storage brings again. More than come while the
     * storage is away are told apart by the owner (seen.h). */
    PASSED_MAX = 4096,
};

struct under_way { /* a command without PUBACK yet; its tag is its place + 1 */
    bool is_used;
    uint64_t dev_eui;
    char id[FEED_NAME_MAX];
};

struct listener {
    struct listener_options o;
    struct mqtt_link_options link_options;
    struct mqtt_link *link;
    struct backfill *backfill; /* NULL: nothing is fetched */
    struct queue *notes, *commands;
    struct queue *room; /* holds a token after notes were taken */
    pthread_t thread;
    bool has_thread;
    char client_id[48];
    char filters[FEED_FILTERS_MAX][FEED_TOPIC_MAX];
    const char *filter[FEED_FILTERS_MAX];
    /* the thread's own */
    struct backoff pause, fetch_pause;
    int64_t retry_ms, fetch_ms, progress_ms;
    int64_t newest_ms;  /* time of the newest uplink, UTC by the server; 0: none */
    int64_t missing_ms; /* from there on it is to be fetched; 0: nothing */
    char told[FEED_TEXT_MAX];
    bool was_up;
    struct under_way under_way[MQTT_WINDOW_MAX];
    uint64_t passed[PASSED_MAX];
    size_t passed_n; /* ever */
};

/* ---- notes ---- */

/* Waits for room. False: stopping, and the note is not in. */
static bool put_note(struct listener *l, struct listener_note *n)
{
    char token;

    while (queue_length(l->notes) >= LISTENER_NOTES_MAX) {
        if (mqtt_link_is_stopping(l->link))
            return false;
        queue_pop(l->room, &token, IDLE_MS);
    }
    bool is_in = queue_push(l->notes, n);
    l->o.wake(l->o.user);
    return is_in;
}

static void tell_state(struct listener *l, bool is_up, const char *text)
{
    struct listener_note n = { .kind = LISTENER_STATE, .is_up = is_up };

    if (is_up == l->was_up && strcmp(text, l->told) == 0)
        return;
    l->was_up = is_up;
    snprintf(l->told, sizeof l->told, "%s", text);
    snprintf(n.text, sizeof n.text, "%s", text);
    put_note(l, &n);
}

static bool tell_bad(struct listener *l, const char *why)
{
    struct listener_note n = { .kind = LISTENER_BAD };

    snprintf(n.text, sizeof n.text, "%s", why);
    return put_note(l, &n);
}

static void tell_failed(struct listener *l, uint64_t dev_eui, const char *id, const char *why)
{
    struct listener_note n = { .kind = LISTENER_MESSAGE };
    struct feed_message *m = &n.message;

    if (!*id)
        return;
    event_init_message(m, FEED_DOWNLINK);
    m->dev_eui = dev_eui;
    m->progress = FEED_DOWN_FAILED;
    m->boot_ms = clock_boot_ms(l->o.clock);
    snprintf(m->key[0], sizeof m->key[0], "%s", id);
    snprintf(m->text, sizeof m->text, "%s", why);
    put_note(l, &n);
}

static bool has_passed(const struct listener *l, uint64_t hash)
{
    size_t n = l->passed_n < PASSED_MAX ? l->passed_n : PASSED_MAX;

    for (size_t i = 0; i < n; i++)
        if (l->passed[i] == hash)
            return true;
    return false;
}

/* Hands a message over, which is the callee's. */
static bool tell_message(struct listener *l, struct feed_message *m)
{
    struct listener_note n = { .kind = LISTENER_MESSAGE };
    const char *key = m->key[0][0] ? m->key[0] : m->key[1];
    uint64_t hash = event_hash(key, strlen(key));

    m->boot_ms = clock_boot_ms(l->o.clock);
    if (m->is_backfill && has_passed(l, hash)) {
        free(m->object);
        return true;
    }
    if (m->kind == FEED_UPLINK && l->backfill) {
        l->passed[l->passed_n++ % PASSED_MAX] = hash;
        if (m->time_ms > l->newest_ms)
            l->newest_ms = m->time_ms;
    }
    n.message = *m;
    if (put_note(l, &n))
        return true;
    free(m->object);
    return false;
}

/* ---- commands ---- */

static struct under_way *free_place(struct listener *l)
{
    for (size_t i = 0; i < MQTT_WINDOW_MAX; i++)
        if (!l->under_way[i].is_used)
            return &l->under_way[i];
    return NULL;
}

static void publish(struct listener *l, const struct listener_command *c)
{
    struct under_way *w = free_place(l);
    uint64_t tag = w ? (uint64_t)(w - l->under_way) + 1 : 0;
    int rc = w ? mqtt_link_publish(l->link, c->topic, c->json, c->n, false, tag) : -EAGAIN;

    if (rc < 0) {
        tell_failed(l, c->dev_eui, c->id, "The broker cannot be reached now.");
        return;
    }
    if (mqtt_link_is_idle(l->link))
        l->progress_ms = mono_ms();
    w->is_used = true;
    w->dev_eui = c->dev_eui;
    memcpy(w->id, c->id, sizeof w->id);
}

static void publish_commands(struct listener *l)
{
    struct listener_command c;

    while (queue_pop(l->commands, &c, 0))
        publish(l, &c);
}

/* ---- what was missed ---- */

static bool take_stored(void *user, struct feed_message *m, const char *why)
{
    struct listener *l = user;

    publish_commands(l); /* which are not to wait for what is history */
    return m ? tell_message(l, m) : tell_bad(l, why);
}

static void fetch_missed(struct listener *l)
{
    const struct backfill_sink sink = { take_stored, l };
    char why[FEED_TEXT_MAX];

    if (!l->backfill || l->missing_ms == 0 || mono_ms() < l->fetch_ms)
        return;
    int64_t from_ms = l->missing_ms;
    int rc = backfill_fetch(l->backfill, &from_ms, &sink, why, sizeof why);
    l->missing_ms = rc == 0 ? 0 : from_ms;
    l->progress_ms = mono_ms(); /* what the broker said meanwhile was not heard yet */
    if (rc == 0) {
        backoff_reset(&l->fetch_pause);
        tell_state(l, true, LISTENER_CONNECTED);
    } else if (rc == -EAGAIN) {
        l->fetch_ms = mono_ms() + backoff_next(&l->fetch_pause, random_u32());
        tell_state(l, true, why);
    }
}

/* ---- the connection ---- */

static void pause_first(struct listener *l)
{
    l->retry_ms = mono_ms() + backoff_next(&l->pause, random_u32());
}

/* Whether the broker has them is not known: the server will not tell either. */
static void drop_under_way(struct listener *l)
{
    for (size_t i = 0; i < MQTT_WINDOW_MAX; i++) {
        struct under_way *w = &l->under_way[i];
        if (w->is_used)
            tell_failed(l, w->dev_eui, w->id,
                        "The connection was lost before the broker confirmed the command.");
        w->is_used = false;
    }
}

static void lose(struct listener *l, const char *why)
{
    char text[FEED_TEXT_MAX];

    mqtt_link_disconnect(l->link);
    snprintf(text, sizeof text, "The connection to %.100s is lost, trying again: %.100s.",
             l->o.conf->url, why);
    tell_state(l, false, text);
    drop_under_way(l);
    pause_first(l);
}

static void connect_now(struct listener *l)
{
    struct uplink_report why;
    char text[FEED_TEXT_MAX];

    if (mqtt_link_connect(l->link, CONNECT_MS, &why) != UPLINK_DELIVERED) {
        pause_first(l);
        snprintf(text, sizeof text, "No connection to %.100s, trying again: %.120s.",
                 l->o.conf->url, why.text);
        if (!mqtt_link_is_stopping(l->link))
            tell_state(l, false, text);
        return;
    }
    backoff_reset(&l->pause);
    l->progress_ms = mono_ms();
    if (l->missing_ms == 0 && l->newest_ms > 0)
        l->missing_ms = l->newest_ms - BACKFILL_OVERLAP_MS;
    l->fetch_ms = 0;
    tell_state(l, true, LISTENER_CONNECTED);
}

static bool is_stalled(const struct listener *l)
{
    return mqtt_link_is_connected(l->link) && !mqtt_link_is_idle(l->link) &&
           mono_ms() - l->progress_ms > STALL_MS;
}

static void hold(struct listener *l)
{
    if (is_stalled(l))
        lose(l, "the broker stopped answering");
    if (!mqtt_link_is_connected(l->link) && mono_ms() >= l->retry_ms)
        connect_now(l);
    if (mqtt_link_is_connected(l->link))
        fetch_missed(l);
}

/* ---- messages ---- */

static void take_published(struct listener *l, const struct mqtt_note *n)
{
    struct under_way *w =
        n->tag >= 1 && n->tag <= MQTT_WINDOW_MAX ? &l->under_way[n->tag - 1] : NULL;

    l->progress_ms = mono_ms();
    if (!w || !w->is_used)
        return;
    w->is_used = false;
    if (n->reason < 0 || n->reason >= 0x80)
        tell_failed(l, w->dev_eui, w->id, "The broker refused the command.");
}

static void take_message(struct listener *l, const struct mqtt_note *n)
{
    struct feed_message m;
    char why[FEED_TEXT_MAX];
    bool is_ttn = l->o.conf->server == FEED_TTN;
    int rc = (is_ttn ? ttn_parse : chirpstack_parse)(n->topic, n->data, n->size, &m, why,
                                                     sizeof why);

    if (rc == 0)
        tell_message(l, &m);
    else if (rc == -EBADMSG)
        tell_bad(l, why);
}

static void take_note(struct listener *l)
{
    struct mqtt_note n;
    int64_t now = mono_ms();
    int64_t wait = mqtt_link_is_connected(l->link) ? IDLE_MS : l->retry_ms - now;

    mqtt_link_next(l->link, wait < 0 ? 0 : wait > IDLE_MS ? IDLE_MS : wait, &n);
    if (n.kind == MQTT_NOTE_MESSAGE)
        take_message(l, &n);
    else if (n.kind == MQTT_NOTE_PUBLISHED)
        take_published(l, &n);
    else if (n.kind == MQTT_NOTE_LOST)
        lose(l, n.text);
    mqtt_note_done(&n);
}

static void *run(void *user)
{
    struct listener *l = user;
    struct listener_note ended = { .kind = LISTENER_ENDED };

    while (!mqtt_link_is_stopping(l->link)) {
        hold(l);
        publish_commands(l);
        take_note(l);
    }
    mqtt_link_disconnect(l->link);
    queue_push(l->notes, &ended); /* one place is kept for it */
    l->o.wake(l->o.user);
    return NULL;
}

/* ---- life ---- */

static int fill_link_options(struct listener *l)
{
    const struct feed_conf *c = l->o.conf;
    bool is_ttn = c->server == FEED_TTN;
    int n = feed_filters(c, l->filters);

    if (n < 0)
        return n;
    for (int i = 0; i < n; i++)
        l->filter[i] = l->filters[i];
    snprintf(l->client_id, sizeof l->client_id, "sluice-lns-%016" PRIx64, random_u64());
    l->link_options = (struct mqtt_link_options){
        .url = c->url,
        .client_id = c->client_id ? c->client_id : l->client_id,
        .username = c->username,
        .password = c->password,
        .ca = c->ca,
        .keepalive_ms = KEEPALIVE_MS,
        .version = is_ttn ? MQTT_VERSION_3_1_1 : MQTT_VERSION_AUTO,
        .filters = l->filter,
        .filters_n = (size_t)n,
        .is_qos0 = is_ttn,
        .session_s = c->client_id && !is_ttn ? SESSION_S : 0,
        .packet_in_max = FEED_EVENT_MAX + (64 << 10), /* and the longest topic */
        .inbox_max = INBOX_MAX,
        .inbox_bytes_max = INBOX_BYTES_MAX,
    };
    return 0;
}

static int create_parts(struct listener *l)
{
    int rc = fill_link_options(l);

    if (rc == 0)
        rc = queue_create(sizeof(struct listener_note), LISTENER_NOTES_MAX + 1, &l->notes);
    if (rc == 0)
        rc = queue_create(sizeof(struct listener_command), LISTENER_COMMANDS_MAX, &l->commands);
    if (rc == 0)
        rc = queue_create(1, 1, &l->room);
    if (rc == 0)
        rc = mqtt_link_create(&l->link_options, &l->link);
    if (rc == 0 && l->o.conf->storage_url)
        rc = backfill_create(l->o.conf, &l->backfill);
    return rc;
}

/* Signals are the main thread's. */
static int start_thread(struct listener *l)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&l->thread, NULL, run, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    l->has_thread = rc == 0;
    return -rc;
}

int listener_create(const struct listener_options *o, struct listener **ret)
{
    struct listener *l = calloc(1, sizeof *l);

    if (!l)
        return -ENOMEM;
    l->o = *o;
    l->newest_ms = o->since_ms;
    l->pause = (struct backoff){ .first_ms = RETRY_FIRST_MS, .max_ms = RETRY_MAX_MS };
    l->fetch_pause = (struct backoff){ .first_ms = BACKFILL_RETRY_FIRST_MS,
                                       .max_ms = BACKFILL_RETRY_MAX_MS };
    int rc = create_parts(l);
    if (rc == 0)
        rc = start_thread(l);
    if (rc < 0) {
        listener_destroy(l);
        return rc;
    }
    *ret = l;
    return 0;
}

void listener_stop(struct listener *l)
{
    const char token = 0;

    backfill_stop(l->backfill);
    mqtt_link_stop(l->link);
    queue_push(l->room, &token);
}

void listener_destroy(struct listener *l)
{
    struct listener_note n;

    if (!l)
        return;
    if (l->has_thread) {
        listener_stop(l);
        pthread_join(l->thread, NULL);
    }
    while (l->notes && queue_pop(l->notes, &n, 0))
        free(n.message.object);
    backfill_destroy(l->backfill);
    mqtt_link_destroy(l->link);
    queue_destroy(l->notes);
    queue_destroy(l->commands);
    queue_destroy(l->room);
    free(l);
}

bool listener_take(struct listener *l, struct listener_note *ret)
{
    const char token = 0;

    if (!queue_pop(l->notes, ret, 0))
        return false;
    if (queue_length(l->notes) == LISTENER_NOTES_MAX / 2)
        queue_push(l->room, &token);
    return true;
}

int listener_send(struct listener *l, const struct listener_command *c)
{
    if (!queue_push(l->commands, c))
        return -EAGAIN;
    mqtt_link_wake(l->link);
    return 0;
}

uint64_t listener_dropped(const struct listener *l)
{
    return mqtt_link_dropped(l->link);
}
