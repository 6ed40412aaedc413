/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/mqtt_link.h"

#include <MQTTAsync.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/queue.h"
#include "gateway/uplink/mqtt_address.h"

enum {
    CONTROL_RESERVE = 64, /* notes beside messages: window, connect, subscribe, lost, stop */
    TOPIC_MAX = 65535,
    DISCONNECT_MS = 300, /* waited for an orderly end: the service stops within 2 s */
    KEEPALIVE_LEAST_S = 5,
    BUFFERED_MAX = MQTT_WINDOW_MAX * 2, /* of the library: never reached, we keep the window */
};

/* Notes beyond those that callers see. */
enum inner_kind {
    INNER_CONNECTED = 100,
    INNER_FAILED,
    INNER_SUBSCRIBED,
    INNER_DISCONNECTED,
};

struct slot { /* one publication under way */
    struct mqtt_link *link;
    uint64_t tag;
    bool is_used;
};

struct inner_note {
    struct mqtt_note note;
    int receive_max, packet_max, alias_max; /* CONNECTED */
    struct slot *slot;                      /* PUBLISHED */
};

struct mqtt_link {
    const struct mqtt_link_options *o;
    struct mqtt_address address;
    MQTTAsync handle;
    bool is_connected, speaks_v4; /* v4: the broker refused MQTT 5 */
    size_t window, in_flight, packet_max;
    struct slot slots[MQTT_WINDOW_MAX];
    const char *aliases[MQTT_ALIASES_MAX]; /* topics by alias - 1; copies */
    size_t aliases_n, aliases_max;         /* of this connection */
    struct queue
        *stash; /* messages that came while something else was waited for: the older ones */
    /* shared with the library's threads: */
    struct queue *notes;
    atomic_size_t inbox_bytes;
    atomic_uint_least64_t dropped;
    atomic_bool is_stopping, is_woken; /* woken: a wake-up is in the queue already */
};

/* ---- callbacks: on the library's threads and under its lock, so they only enqueue ---- */

static void push(struct mqtt_link *l, const struct inner_note *n)
{
    queue_push(l->notes, n);
}

static void note_failure(struct mqtt_link *l, int kind, int code, const char *text)
{
    struct inner_note n = { .note.kind = (enum mqtt_note_kind)kind, .note.reason = code };

    snprintf(n.note.text, sizeof n.note.text, "%s", text ? text : "");
    push(l, &n);
}

static int on_message(void *context, char *topic, int topic_size, MQTTAsync_message *m)
{
    struct mqtt_link *l = context;
    size_t topic_n = topic_size > 0 ? (size_t)topic_size : strlen(topic);
    size_t size = m->payloadlen > 0 ? (size_t)m->payloadlen : 0;
    size_t whole = topic_n + 1 + size;
    char *copy = NULL;

    bool has_room = queue_length(l->notes) < l->o->inbox_max &&
                    atomic_load(&l->inbox_bytes) + whole <= l->o->inbox_bytes_max;
    if (has_room)
        copy = malloc(whole);
    if (copy) {
        memcpy(copy, topic, topic_n);
        copy[topic_n] = '\0';
        if (size)
            memcpy(copy + topic_n + 1, m->payload, size);
        struct inner_note n = { .note = { .kind = MQTT_NOTE_MESSAGE,
                                          .topic = copy,
                                          .data = (uint8_t *)copy + topic_n + 1,
                                          .size = size,
                                          .is_retained = m->retained != 0 } };
        atomic_fetch_add(&l->inbox_bytes, whole);
        push(l, &n);
    } else {
        atomic_fetch_add(&l->dropped, 1);
    }
    MQTTAsync_freeMessage(&m);
    MQTTAsync_free(topic);
    return 1; /* 0 would make the library keep it in a queue without bound */
}

static void on_lost(void *context, char *cause)
{
    note_failure(context, MQTT_NOTE_LOST, -1, cause ? cause : "connection lost");
}

static void on_server_disconnect(void *context, MQTTProperties *properties,
                                 enum MQTTReasonCodes reason)
{
    (void)properties;
    note_failure(context, MQTT_NOTE_LOST, (int)reason, mqtt_reason_text((int)reason));
}

static int number_of(MQTTProperties *p, enum MQTTPropertyCodes code, int dflt)
{
    if (!MQTTProperties_hasProperty(p, code))
        return dflt;
    int v = MQTTProperties_getNumericValue(p, code);
    return v > 0 ? v : dflt; /* four bytes may come as a negative int: as good as no limit */
}

static void on_connect5(void *context, MQTTAsync_successData5 *d)
{
    struct inner_note n = { .note.kind = (enum mqtt_note_kind)INNER_CONNECTED };

    n.receive_max =
        number_of(&d->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM, MQTT_WINDOW_MAX);
    n.packet_max =
        number_of(&d->properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE, MQTT_PACKET_MAX);
    n.alias_max = number_of(&d->properties, MQTTPROPERTY_CODE_TOPIC_ALIAS_MAXIMUM, 0);
    push(context, &n);
}

static void on_connect(void *context, MQTTAsync_successData *d)
{
    struct inner_note n = { .note.kind = (enum mqtt_note_kind)INNER_CONNECTED,
                            .receive_max = MQTT_WINDOW_MAX,
                            .packet_max = MQTT_PACKET_MAX };

    (void)d;
    push(context, &n);
}

static void on_failure5(void *context, MQTTAsync_failureData5 *d)
{
    int code = d && d->reasonCode ? (int)d->reasonCode : d ? d->code : -1;

    note_failure(context, INNER_FAILED, code, d ? d->message : NULL);
}

static void on_failure(void *context, MQTTAsync_failureData *d)
{
    note_failure(context, INNER_FAILED, d ? d->code : -1, d ? d->message : NULL);
}

static void on_subscribe5(void *context, MQTTAsync_successData5 *d)
{
    int worst = d->alt.sub.reasonCodeCount > 1 ? 0 : (int)d->reasonCode;

    for (int i = 0; d->alt.sub.reasonCodeCount > 1 && i < d->alt.sub.reasonCodeCount; i++)
        if ((int)d->alt.sub.reasonCodes[i] > worst)
            worst = (int)d->alt.sub.reasonCodes[i];
    note_failure(context, INNER_SUBSCRIBED, worst, NULL);
}

static void on_subscribe(void *context, MQTTAsync_successData *d)
{
    (void)d;
    note_failure(context, INNER_SUBSCRIBED, 0, NULL);
}

static void note_published(void *context, int reason)
{
    struct slot *s = context;
    struct inner_note n = { .note = { .kind = MQTT_NOTE_PUBLISHED, .reason = reason },
                            .slot = s };

    push(s->link, &n);
}

static void on_publish5(void *context, MQTTAsync_successData5 *d)
{
    note_published(context, (int)d->reasonCode);
}

static void on_publish(void *context, MQTTAsync_successData *d)
{
    (void)d;
    note_published(context, 0);
}

static void on_publish_failure5(void *context, MQTTAsync_failureData5 *d)
{
    note_published(context, d && d->reasonCode ? (int)d->reasonCode : -1);
}

static void on_publish_failure(void *context, MQTTAsync_failureData *d)
{
    (void)d;
    note_published(context, -1);
}

static void on_disconnect5(void *context, MQTTAsync_successData5 *d)
{
    (void)d;
    note_failure(context, INNER_DISCONNECTED, 0, NULL);
}

static void on_disconnect(void *context, MQTTAsync_successData *d)
{
    (void)d;
    note_failure(context, INNER_DISCONNECTED, 0, NULL);
}

/* ---- life ---- */

/*
 * The library stops its two threads with the last handle and waits up to a second for them,
 * under its lock; starting them again while they end is a known race. A handle that is never
 * connected nor destroyed keeps them.
 */
static void create_keeper(void)
{
    MQTTAsync keeper;

    if (MQTTAsync_create(&keeper, "tcp://127.0.0.1:1", "", MQTTCLIENT_PERSISTENCE_NONE, NULL))
        return; /* only costs the second */
}

int mqtt_link_create(const struct mqtt_link_options *o, struct mqtt_link **ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char why[160];
    struct mqtt_link *l = calloc(1, sizeof *l);

    if (!l)
        return -ENOMEM;
    l->o = o;
    int rc = mqtt_address_parse(o->url, &l->address, why, sizeof why);
    if (rc == 0)
        rc = queue_create(sizeof(struct inner_note), o->inbox_max + CONTROL_RESERVE, &l->notes);
    if (rc == 0)
        rc = queue_create(sizeof(struct inner_note), o->inbox_max + 1, &l->stash);
    if (rc < 0) {
        queue_destroy(l->notes);
        free(l);
        return rc;
    }
    l->speaks_v4 = o->version == MQTT_VERSION_3_1_1;
    for (size_t i = 0; i < MQTT_WINDOW_MAX; i++)
        l->slots[i].link = l;
    pthread_once(&once, create_keeper);
    *ret = l;
    return 0;
}

void mqtt_note_done(struct mqtt_note *n)
{
    free(n->topic);
    n->topic = NULL;
}

/* A message leaves our memory, or goes to whoever asked for it. */
static void account_for(struct mqtt_link *l, const struct mqtt_note *n)
{
    size_t topic_n = (size_t)((const char *)n->data - n->topic);

    atomic_fetch_sub(&l->inbox_bytes, topic_n + n->size);
}

static void put_aside(struct mqtt_link *l, struct inner_note *n)
{
    if (queue_push(l->stash, n))
        return;
    account_for(l, &n->note);
    mqtt_note_done(&n->note);
    atomic_fetch_add(&l->dropped, 1);
}

void mqtt_link_destroy(struct mqtt_link *l)
{
    struct inner_note n;

    if (!l)
        return;
    mqtt_link_disconnect(l);
    while (queue_pop(l->stash, &n, 0) || queue_pop(l->notes, &n, 0))
        mqtt_note_done(&n.note);
    queue_destroy(l->stash);
    queue_destroy(l->notes);
    free(l);
}

/* ---- connecting ---- */

static int create_handle(struct mqtt_link *l)
{
    MQTTAsync_createOptions o = MQTTAsync_createOptions_initializer5;

    o.sendWhileDisconnected = 0;
    o.maxBufferedMessages = BUFFERED_MAX;
    o.MQTTVersion = l->speaks_v4 ? MQTTVERSION_3_1_1 : MQTTVERSION_5;
    o.allowDisconnectedSendAtAnyTime = 0;
    o.deleteOldestMessages = 0;
    o.restoreMessages = 0;
    if (MQTTAsync_createWithOptions(&l->handle, l->address.uri, l->o->client_id,
                                    MQTTCLIENT_PERSISTENCE_NONE, NULL,
                                    &o) != MQTTASYNC_SUCCESS) {
        l->handle = NULL;
        return -ENOMEM;
    }
    MQTTAsync_setCallbacks(l->handle, l, on_lost, on_message, NULL);
    if (!l->speaks_v4)
        MQTTAsync_setDisconnected(l->handle, l, on_server_disconnect);
    return 0;
}

static void fill_connect(struct mqtt_link *l, MQTTAsync_connectOptions *c, int64_t timeout_ms)
{
    static const MQTTAsync_connectOptions v4 = MQTTAsync_connectOptions_initializer;
    static const MQTTAsync_connectOptions v5 = MQTTAsync_connectOptions_initializer5;
    int keepalive_s = (int)(l->o->keepalive_ms / 1000);

    *c = l->speaks_v4 ? v4 : v5;
    c->keepAliveInterval = keepalive_s < KEEPALIVE_LEAST_S ? KEEPALIVE_LEAST_S : keepalive_s;
    c->maxInflight = MQTT_WINDOW_MAX;
    c->connectTimeout = (int)(timeout_ms / 1000) + 1; /* ours is the deadline */
    c->automaticReconnect = 0;
    c->username = l->o->username;
    c->password = l->o->password;
    c->context = l;
    if (l->speaks_v4) {
        c->MQTTVersion = MQTTVERSION_3_1_1;
        c->cleansession = l->o->session_s == 0;
        c->onSuccess = on_connect;
        c->onFailure = on_failure;
    } else {
        c->cleanstart = l->o->session_s == 0;
        c->onSuccess5 = on_connect5;
        c->onFailure5 = on_failure5;
    }
}

static void add_number(MQTTProperties *p, enum MQTTPropertyCodes code, uint32_t v)
{
    MQTTProperty one = { .identifier = code };

    one.value.integer4 = v;
    MQTTProperties_add(p, &one);
}

static int start_connect(struct mqtt_link *l, int64_t timeout_ms)
{
    MQTTAsync_connectOptions c;
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    MQTTProperties will_properties = MQTTProperties_initializer;
    MQTTProperties properties = MQTTProperties_initializer;

    fill_connect(l, &c, timeout_ms);
    will.topicName = l->o->will_topic;
    will.message = l->o->will;
    will.retained = 1;
    will.qos = 1;
    if (l->o->will_topic)
        c.will = &will;
    if (c.will && !l->speaks_v4) {
        add_number(&will_properties, MQTTPROPERTY_CODE_WILL_DELAY_INTERVAL, l->o->will_delay_s);
        c.willProperties = &will_properties;
    }
    if (!l->speaks_v4) {
        add_number(&properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE,
                   (uint32_t)l->o->packet_in_max);
        if (l->o->session_s > 0)
            add_number(&properties, MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL, l->o->session_s);
        c.connectProperties = &properties;
    }
    tls.trustStore = l->o->ca;
    tls.keyStore = l->o->cert;
    tls.privateKey = l->o->key ? l->o->key : l->o->cert;
    tls.enableServerCertAuth = 1;
    tls.verify = 1; /* the host's name too: off by default */
    tls.sslVersion = MQTT_SSL_VERSION_TLS_1_2;
    if (l->address.is_tls)
        c.ssl = &tls;
    int rc = MQTTAsync_connect(l->handle, &c);
    MQTTProperties_free(&will_properties);
    MQTTProperties_free(&properties);
    return rc == MQTTASYNC_SUCCESS ? 0 : -EIO;
}

/* Waits for one of the notes that end a step; messages that come meanwhile are put aside. */
static bool wait_for(struct mqtt_link *l, int64_t deadline, struct inner_note *n)
{
    while (!atomic_load(&l->is_stopping)) {
        int64_t left = deadline - mono_ms();
        if (left <= 0 || !queue_pop(l->notes, n, left))
            return false;
        int kind = (int)n->note.kind;
        if (kind == MQTT_NOTE_NONE)
            atomic_store(&l->is_woken, false);
        if (kind == MQTT_NOTE_MESSAGE)
            put_aside(l, n);
        else if (kind >= INNER_CONNECTED || kind == MQTT_NOTE_LOST)
            return true;
    }
    return false;
}

static enum uplink_verdict fail(struct mqtt_link *l, enum uplink_verdict v,
                                struct uplink_report *why, const char *what, const char *text)
{
    snprintf(why->text, sizeof why->text, "%s%s%.110s", what, *text ? ": " : "", text);
    mqtt_link_disconnect(l);
    return v;
}

/* CONNACK codes of MQTT 3.1.1, where they are not those of MQTT 5. */
static enum uplink_verdict connack_verdict(int code)
{
    if (code == 2 || code == 4 || code == 5)
        return UPLINK_DENIED;
    return code <= 3 ? UPLINK_LATER : mqtt_reason_verdict(code);
}

static const char *connack_text(const struct inner_note *n)
{
    static const char *const v4[] = { "",
                                      "protocol version refused",
                                      "client id refused",
                                      "server unavailable",
                                      "bad user name or password",
                                      "not authorised" };
    int code = n->note.reason;

    if (code >= 1 && code <= 5)
        return v4[code];
    if (code >= 0x80)
        return mqtt_reason_text(code);
    return n->note.text;
}

static enum uplink_verdict connection_failed(struct mqtt_link *l, const struct inner_note *n,
                                             struct uplink_report *why)
{
    int code = n->note.reason;

    if (!l->speaks_v4 && l->o->version == MQTT_VERSION_AUTO && (code == 1 || code == 0x84)) {
        l->speaks_v4 = true;
        return fail(l, UPLINK_LATER, why, "the broker does not speak MQTT 5, trying 3.1.1", "");
    }
    return fail(l, connack_verdict(code), why, "not connected", connack_text(n));
}

static int start_subscribe(struct mqtt_link *l)
{
    MQTTAsync_responseOptions r = MQTTAsync_responseOptions_initializer;
    int *qos = malloc(l->o->filters_n * sizeof *qos);

    if (!qos)
        return -ENOMEM;
    for (size_t i = 0; i < l->o->filters_n; i++)
        qos[i] = l->o->is_frugal || l->o->is_qos0 ? 0 : 1;
    r.context = l;
    if (l->speaks_v4) {
        r.onSuccess = on_subscribe;
        r.onFailure = on_failure;
    } else {
        r.onSuccess5 = on_subscribe5;
        r.onFailure5 = on_failure5;
    }
    /* the library reads them only, but its interface lacks the const */
    char *const *filters = (char *const *)(uintptr_t)l->o->filters;
    int rc = MQTTAsync_subscribeMany(l->handle, (int)l->o->filters_n, filters, qos, &r);
    free(qos);
    return rc == MQTTASYNC_SUCCESS ? 0 : -EIO;
}

static enum uplink_verdict subscribe(struct mqtt_link *l, int64_t deadline,
                                     struct uplink_report *why)
{
    struct inner_note n;

    if (l->o->filters_n == 0)
        return UPLINK_DELIVERED;
    if (start_subscribe(l) < 0)
        return fail(l, UPLINK_LATER, why, "cannot subscribe", "");
    if (!wait_for(l, deadline, &n))
        return fail(l, UPLINK_LATER, why, "no answer to the subscription", "");
    if ((int)n.note.kind == INNER_SUBSCRIBED && n.note.reason < 0x80)
        return UPLINK_DELIVERED;
    if (n.note.kind == MQTT_NOTE_LOST)
        return fail(l, UPLINK_LATER, why, "connection lost", n.note.text);
    return fail(l, mqtt_reason_verdict(n.note.reason), why, "subscription refused",
                mqtt_reason_text(n.note.reason));
}

static void take_limits(struct mqtt_link *l, const struct inner_note *n)
{
    l->window =
        (size_t)n->receive_max < MQTT_WINDOW_MAX ? (size_t)n->receive_max : MQTT_WINDOW_MAX;
    l->packet_max =
        (size_t)n->packet_max < MQTT_PACKET_MAX ? (size_t)n->packet_max : MQTT_PACKET_MAX;
    l->aliases_max = !l->o->has_topic_alias            ? 0
                     : n->alias_max < MQTT_ALIASES_MAX ? (size_t)n->alias_max
                                                       : MQTT_ALIASES_MAX;
    l->is_connected = true;
}

enum uplink_verdict mqtt_link_connect(struct mqtt_link *l, int64_t timeout_ms,
                                      struct uplink_report *why)
{
    int64_t deadline = mono_ms() + timeout_ms;
    struct inner_note n;

    *why = (struct uplink_report){ .text = "connected" };
    mqtt_link_disconnect(l);
    if (!mqtt_address_resolves(&l->address, timeout_ms, &l->is_stopping))
        return fail(l, UPLINK_LATER, why, "the name of the broker does not resolve",
                    l->address.host);
    if (create_handle(l) < 0 || start_connect(l, timeout_ms) < 0)
        return fail(l, UPLINK_LATER, why, "cannot start a connection", "");
    if (!wait_for(l, deadline, &n))
        return fail(l, UPLINK_LATER, why, "no connection in time", "");
    if ((int)n.note.kind != INNER_CONNECTED)
        return connection_failed(l, &n, why);
    take_limits(l, &n);
    return subscribe(l, deadline, why);
}

bool mqtt_link_is_connected(const struct mqtt_link *l)
{
    return l->is_connected;
}

static void say_goodbye(struct mqtt_link *l)
{
    MQTTAsync_disconnectOptions o = MQTTAsync_disconnectOptions_initializer;
    struct inner_note n = { .note.kind = MQTT_NOTE_NONE };
    int64_t deadline = mono_ms() + DISCONNECT_MS;

    o.timeout = DISCONNECT_MS;
    o.context = l;
    if (l->speaks_v4)
        o.onSuccess = on_disconnect;
    else
        o.onSuccess5 = on_disconnect5;
    if (MQTTAsync_disconnect(l->handle, &o) != MQTTASYNC_SUCCESS)
        return;
    for (int64_t left; (left = deadline - mono_ms()) > 0;) {
        if (!queue_pop(l->notes, &n, left))
            break;
        if (n.note.kind == MQTT_NOTE_NONE)
            atomic_store(&l->is_woken, false);
        if (n.note.kind == MQTT_NOTE_MESSAGE)
            put_aside(l, &n);
        else if ((int)n.note.kind == INNER_DISCONNECTED || n.note.kind == MQTT_NOTE_LOST)
            break;
    }
}

/* What an ended connection left in the queue, its messages excepted. */
static void forget_notes(struct mqtt_link *l)
{
    struct inner_note n;

    while (queue_pop(l->notes, &n, 0))
        if (n.note.kind == MQTT_NOTE_MESSAGE)
            put_aside(l, &n);
    atomic_store(&l->is_woken, false);
}

static void forget_aliases(struct mqtt_link *l)
{
    while (l->aliases_n > 0)
        free((char *)(uintptr_t)l->aliases[--l->aliases_n]);
    l->aliases_max = 0;
}

void mqtt_link_disconnect(struct mqtt_link *l)
{
    if (l->handle) {
        if (l->is_connected)
            say_goodbye(l);
        MQTTAsync_destroy(&l->handle);
    }
    l->handle = NULL;
    l->is_connected = false;
    forget_notes(l);
    forget_aliases(l);
    for (size_t i = 0; i < MQTT_WINDOW_MAX; i++)
        l->slots[i].is_used = false;
    l->in_flight = 0;
}

/* ---- at work ---- */

size_t mqtt_link_payload_max(const struct mqtt_link *l, size_t topic_size)
{
    size_t head = MQTT_PACKET_HEAD + topic_size;

    return l->packet_max > head ? l->packet_max - head : 0;
}

bool mqtt_link_has_room(const struct mqtt_link *l)
{
    return l->is_connected && l->in_flight < l->window;
}

bool mqtt_link_is_idle(const struct mqtt_link *l)
{
    return l->in_flight == 0;
}

static struct slot *take_slot(struct mqtt_link *l, uint64_t tag)
{
    for (size_t i = 0; i < MQTT_WINDOW_MAX; i++) {
        if (l->slots[i].is_used)
            continue;
        l->slots[i].is_used = true;
        l->slots[i].tag = tag;
        return &l->slots[i];
    }
    return NULL;
}

/* The alias of a topic, 0 without one; a new one is said together with the topic. */
static uint16_t find_alias(struct mqtt_link *l, const char *topic, bool *ret_is_new)
{
    *ret_is_new = false;
    for (size_t i = 0; i < l->aliases_n; i++)
        if (strcmp(l->aliases[i], topic) == 0)
            return (uint16_t)(i + 1);
    if (l->aliases_n == l->aliases_max)
        return 0;
    const char *copy = strdup(topic);
    if (!copy)
        return 0;
    l->aliases[l->aliases_n++] = copy;
    *ret_is_new = true;
    return (uint16_t)l->aliases_n;
}

static void drop_newest_alias(struct mqtt_link *l)
{
    free((char *)(uintptr_t)l->aliases[--l->aliases_n]);
}

static void add_alias(MQTTProperties *p, uint16_t alias)
{
    MQTTProperty one = { .identifier = MQTTPROPERTY_CODE_TOPIC_ALIAS };

    one.value.integer2 = alias;
    MQTTProperties_add(p, &one);
}

static int start_publish(struct mqtt_link *l, const char *topic, const void *data, size_t size,
                         bool is_retained, struct slot *s)
{
    MQTTAsync_responseOptions r = MQTTAsync_responseOptions_initializer;
    bool is_new = false;
    uint16_t alias = is_retained ? 0 : find_alias(l, topic, &is_new);

    if (alias > 0)
        add_alias(&r.properties, alias);
    r.context = s;
    if (l->speaks_v4) {
        r.onSuccess = on_publish;
        r.onFailure = on_publish_failure;
    } else {
        r.onSuccess5 = on_publish5;
        r.onFailure5 = on_publish_failure5;
    }
    const char *said = alias > 0 && !is_new ? "" : topic;
    int rc = MQTTAsync_send(l->handle, said, (int)size, data, l->o->is_qos0 ? 0 : 1,
                            is_retained, &r);
    MQTTProperties_free(&r.properties);
    if (rc != MQTTASYNC_SUCCESS && is_new)
        drop_newest_alias(l);
    return rc == MQTTASYNC_SUCCESS ? 0 : rc == MQTTASYNC_DISCONNECTED ? -ENOTCONN : -EIO;
}

int mqtt_link_publish(struct mqtt_link *l, const char *topic, const void *data, size_t size,
                      bool is_retained, uint64_t tag)
{
    if (!l->is_connected)
        return -ENOTCONN;
    if (size > mqtt_link_payload_max(l, strlen(topic)))
        return -EMSGSIZE;
    if (l->in_flight >= l->window)
        return -EAGAIN;
    struct slot *s = take_slot(l, tag);
    if (!s)
        return -EAGAIN;
    int rc = start_publish(l, topic, data, size, is_retained, s);
    if (rc < 0)
        s->is_used = false;
    else
        l->in_flight++;
    return rc;
}

void mqtt_link_next(struct mqtt_link *l, int64_t timeout_ms, struct mqtt_note *ret)
{
    struct inner_note n;

    *ret = (struct mqtt_note){ .kind = MQTT_NOTE_NONE };
    if (!queue_pop(l->stash, &n, 0) && !queue_pop(l->notes, &n, timeout_ms))
        return;
    if (n.note.kind == MQTT_NOTE_NONE)
        atomic_store(&l->is_woken, false);
    if ((int)n.note.kind >= INNER_CONNECTED)
        return;
    *ret = n.note;
    if (n.note.kind == MQTT_NOTE_MESSAGE)
        account_for(l, &n.note);
    if (n.note.kind == MQTT_NOTE_PUBLISHED) {
        ret->tag = n.slot->tag;
        n.slot->is_used = false;
        l->in_flight--;
    }
    if (n.note.kind == MQTT_NOTE_LOST)
        l->is_connected = false;
}

static const struct reason_class {
    int reason;
    enum uplink_verdict verdict;
} reason_classes[] = {
    { 0x00, UPLINK_DELIVERED }, { 0x10, UPLINK_LATER },   { 0x84, UPLINK_DENIED },
    { 0x85, UPLINK_DENIED },    { 0x86, UPLINK_DENIED },  { 0x87, UPLINK_DENIED },
    { 0x8a, UPLINK_DENIED },    { 0x8c, UPLINK_DENIED },  { 0x8f, UPLINK_DENIED },
    { 0x90, UPLINK_REFUSED },   { 0x95, UPLINK_REFUSED }, { 0x99, UPLINK_REFUSED },
};

enum uplink_verdict mqtt_reason_verdict(int reason)
{
    for (size_t i = 0; i < sizeof reason_classes / sizeof reason_classes[0]; i++)
        if (reason_classes[i].reason == reason)
            return reason_classes[i].verdict;
    return UPLINK_LATER;
}

const char *mqtt_reason_text(int reason)
{
    const char *text =
        reason >= 0 ? MQTTReasonCode_toString((enum MQTTReasonCodes)reason) : NULL;

    if (reason == 0x10)
        return "accepted, but nobody subscribes";
    return text ? text : "connection failed";
}

uint64_t mqtt_link_dropped(const struct mqtt_link *l)
{
    return atomic_load(&l->dropped);
}

void mqtt_link_wake(struct mqtt_link *l)
{
    const struct inner_note wake = { .note.kind = MQTT_NOTE_NONE };

    if (!atomic_exchange(&l->is_woken, true) && !queue_push(l->notes, &wake))
        atomic_store(&l->is_woken, false); /* full: nobody waits */
}

void mqtt_link_stop(struct mqtt_link *l)
{
    atomic_store(&l->is_stopping, true);
    mqtt_link_wake(l);
}

bool mqtt_link_is_stopping(const struct mqtt_link *l)
{
    return atomic_load(&l->is_stopping);
}
