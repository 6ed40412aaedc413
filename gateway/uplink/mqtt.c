/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mqtt - frames and events to the regional centre over a broker (MQTT 5, or 3.1.1).
 *
 * With `confirm: centre` only the centre's own acknowledgement counts; a PUBACK says no more
 * than that the next hop has the message, perhaps in memory. `confirm: broker` counts PUBACKs:
 * weaker. Paho C up to 1.3.13 does not hand over the reason code of a positive PUBACK, so
 * "accepted, but nobody subscribes" (10h) is only told apart with a library that does.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/uplink/mqtt_address.h"
#include "gateway/uplink/mqtt_link.h"
#include "gateway/uplink/mqtt_message.h"
#include "gateway/uplink/mqtt_show.h"
#include "gateway/uplink/mqtt_topic.h"
#include "gateway/uplink/uplink.h"

enum {
    CONNECT_MS = 15000,
    STALL_MS = 30000, /* no PUBACK for so long: the connection is dead, whatever TCP says */
    GOODBYE_MS = 300,
    ENTRIES_MAX = 512,    /* of one series message */
    GATHERED_MAX = 1024,  /* acknowledged ranges not yet collected; more are sent again */
    ANNOUNCED_MAX = 4096, /* layouts remembered as announced; more are announced again */
    UNFIT_MAX = 64,       /* layouts remembered as too large; more are looked at again */
    WILL_DELAY_S = 30,    /* a short drop does not flap */
    INBOX_MAX = 256,
    INBOX_BYTES_MAX = 1 << 20,
    PACKET_IN_MAX = 64 << 10, /* acknowledgements, commands */
    FILTERS_MAX = 2,
    STATUS_MAX = 256,
    PACKET_TOO_LARGE = 0x95, /* reason code */
};

enum confirm { CONFIRM_CENTRE, CONFIRM_BROKER };
enum commands { COMMANDS_NONE, COMMANDS_ALERTS };

struct mqtt_options {
    const char *url, *client_id, *username, *password, *ca, *cert, *key;
    int64_t keepalive_ms, ack_interval_ms;
    int confirm, version, commands;
    bool has_topic_alias;
};

struct message { /* one publication without PUBACK yet; its tag is its place + 1 */
    uint64_t entries[ENTRIES_MAX];
    size_t n; /* 0: free */
    size_t bytes;
};

struct misfit { /* an entry that the connection cannot carry */
    uint64_t seq;
    const char *text; /* a constant, or the uplink's */
};

struct uplink {
    const struct mqtt_options *opt;
    const struct uplink_station *station;
    struct mqtt_link_options link_options;
    struct mqtt_link *link;
    char client_id[MQTT_LEVEL_MAX + 16];
    char status_topic[MQTT_TOPIC_MAX], series_topic[MQTT_TOPIC_MAX],
        event_topic[MQTT_TOPIC_MAX];
    char ack_topic[MQTT_TOPIC_MAX];
    char command_topic[MQTT_TOPIC_MAX], reply_topic[MQTT_TOPIC_MAX];
    char will[STATUS_MAX];
    const char *filters[FILTERS_MAX];
    uint32_t announced[ANNOUNCED_MAX];
    size_t announced_n;
    uint32_t unfit[UNFIT_MAX]; /* layouts whose dictionary this connection cannot carry */
    size_t unfit_n;
    char unfit_text[160];
    struct buf body; /* the series message being filled */
    struct message draft, sent[MQTT_WINDOW_MAX];
    int64_t progress_ms; /* last PUBACK, or first publication after all were acknowledged */
    /* for the next collect() */
    struct uplink_range acked[GATHERED_MAX];
    size_t acked_n;
    struct uplink_acks other; /* need and refused */
    struct misfit misfits[ENTRIES_MAX];
    size_t misfits_n;
};

static bool url_is_ok(const char *text, char *why, size_t size)
{
    struct mqtt_address a;

    return mqtt_address_parse(text, &a, why, size) == 0;
}

static const char *const confirm_words[] = { "centre", "broker", NULL };
static const char *const commands_words[] = { "none", "alerts", NULL };
static const char *const version_words[] = { "auto", "3.1.1", "5", NULL };

#define OPTION(member) offsetof(struct mqtt_options, member)

static const struct field mqtt_fields[] = {
    { .name = "url",
      .type = FIELD_TEXT,
      .offset = OPTION(url),
      .flags = FIELD_REQUIRED,
      .help = "Address of the broker: mqtt://host:1883 or mqtts://host:8883.",
      .is_ok = url_is_ok },
    { .name = "client_id",
      .type = FIELD_TEXT,
      .offset = OPTION(client_id),
      .help = "MQTT client id; without one it is made from the station's id." },
    { .name = "username",
      .type = FIELD_TEXT,
      .offset = OPTION(username),
      .help = "User name at the broker." },
    { .name = "password",
      .type = FIELD_TEXT,
      .offset = OPTION(password),
      .flags = FIELD_SECRET,
      .help = "Password at the broker." },
    { .name = "ca",
      .type = FIELD_TEXT,
      .offset = OPTION(ca),
      .help = "File of certificates to trust instead of the system's." },
    { .name = "cert",
      .type = FIELD_TEXT,
      .offset = OPTION(cert),
      .help = "File with the station's own certificate." },
    { .name = "key",
      .type = FIELD_TEXT,
      .offset = OPTION(key),
      .help = "File with its private key." },
    { .name = "keepalive",
      .type = FIELD_DURATION,
      .offset = OPTION(keepalive_ms),
      .dflt = "60s",
      .min = 5000,
      .max = 3600000,
      .help = "Longest silence on the connection." },
    { .name = "ack_interval",
      .type = FIELD_DURATION,
      .offset = OPTION(ack_interval_ms),
      .dflt = "30s",
      .min = 1000,
      .max = 3600000,
      .help =
          "The centre acknowledges at least this often; after twice that, entries go again." },
    { .name = "confirm",
      .type = FIELD_ENUM,
      .offset = OPTION(confirm),
      .dflt = "centre",
      .words = confirm_words,
      .help =
          "Who says that an entry has arrived: the centre's database, or only the broker." },
    { .name = "commands",
      .type = FIELD_ENUM,
      .offset = OPTION(commands),
      .dflt = "none",
      .words = commands_words,
      .help = "What the centre may ask of the station over this connection: nothing, or to "
              "acknowledge, judge, assign, close and shelve alerts." },
    { .name = "version",
      .type = FIELD_ENUM,
      .offset = OPTION(version),
      .dflt = "auto",
      .words = version_words,
      .help = "MQTT version; auto is 5, and 3.1.1 with a broker that refuses it." },
    { .name = "topic_alias",
      .type = FIELD_BOOL,
      .offset = OPTION(has_topic_alias),
      .dflt = "false",
      .help = "For metered links: topics are said once for a connection (MQTT 5), and the "
              "centre's acknowledgements are not acknowledged in turn." },
    { .name = NULL },
};

/* ---- life ---- */

static int print_topic(const struct uplink *u, enum mqtt_leaf leaf, uint32_t layout, char *out)
{
    struct mqtt_topic t = { .leaf = leaf, .layout = layout };
    int region = snprintf(t.region, sizeof t.region, "%s", u->station->region);
    int station = snprintf(t.station, sizeof t.station, "%s", u->station->id);

    if (region > MQTT_LEVEL_MAX || station > MQTT_LEVEL_MAX)
        return -EINVAL;
    return mqtt_topic_print(&t, out);
}

static int print_texts(struct uplink *u)
{
    struct buf b = BUF_INIT(STATUS_MAX - 1);
    int rc = print_topic(u, MQTT_STATUS, 0, u->status_topic);

    if (rc == 0)
        rc = print_topic(u, MQTT_SERIES, 0, u->series_topic);
    if (rc == 0)
        rc = print_topic(u, MQTT_EVENT, 0, u->event_topic);
    if (rc == 0)
        rc = print_topic(u, MQTT_ACK, 0, u->ack_topic);
    if (rc == 0)
        rc = print_topic(u, MQTT_COMMAND, 0, u->command_topic);
    if (rc == 0)
        rc = print_topic(u, MQTT_REPLY, 0, u->reply_topic);
    mqtt_status_write(&b, "offline", u->station->epoch);
    snprintf(u->will, sizeof u->will, "%s", buf_text(&b) ? b.data : "");
    buf_done(&b);
    snprintf(u->client_id, sizeof u->client_id, "sluice-%s", u->station->id);
    return rc;
}

/* Returns how many. */
static size_t fill_filters(struct uplink *u)
{
    size_t n = 0;

    if (u->opt->confirm == CONFIRM_CENTRE)
        u->filters[n++] = u->ack_topic;
    if (u->opt->commands != COMMANDS_NONE && u->station->asking)
        u->filters[n++] = u->command_topic;
    return n;
}

static void fill_link_options(struct uplink *u)
{
    const struct mqtt_options *o = u->opt;
    bool has_id = o->client_id && *o->client_id;

    u->link_options = (struct mqtt_link_options){
        .url = o->url,
        .client_id = has_id ? o->client_id : u->client_id,
        .username = o->username,
        .password = o->password,
        .ca = o->ca,
        .cert = o->cert,
        .key = o->key,
        .keepalive_ms = o->keepalive_ms,
        .version = (enum mqtt_version)o->version,
        .will_topic = u->status_topic,
        .will = u->will,
        .will_delay_s = WILL_DELAY_S,
        .has_topic_alias = o->has_topic_alias,
        .is_frugal = o->has_topic_alias, /* a lost acknowledgement costs a repetition */
        .filters = u->filters,
        .filters_n = fill_filters(u),
        .packet_in_max = PACKET_IN_MAX,
        .inbox_max = INBOX_MAX,
        .inbox_bytes_max = INBOX_BYTES_MAX,
    };
}

static bool is_centre(const void *options)
{
    return ((const struct mqtt_options *)options)->confirm == CONFIRM_CENTRE;
}

static void mqtt_destroy(struct uplink *u);

static int mqtt_create(const void *options, const struct uplink_station *station,
                       struct uplink **ret)
{
    struct uplink *u = calloc(1, sizeof *u);

    if (!u)
        return -ENOMEM;
    u->opt = options;
    u->station = station;
    u->body = BUF_INIT(MQTT_PACKET_MAX);
    int rc = print_texts(u);
    if (rc == 0) {
        fill_link_options(u);
        rc = mqtt_link_create(&u->link_options, &u->link);
    }
    if (rc < 0) {
        mqtt_destroy(u);
        return rc;
    }
    *ret = u;
    return 0;
}

/* ---- what came back ---- */

static void gather_range(struct uplink *u, struct uplink_range r)
{
    struct uplink_range *last = u->acked_n ? &u->acked[u->acked_n - 1] : NULL;

    if (last && r.from == last->to + 1)
        last->to = r.to;
    else if (u->acked_n < GATHERED_MAX)
        u->acked[u->acked_n++] = r;
}

static void gather_refusal(struct uplink *u, const struct message *m, enum uplink_verdict v,
                           const char *text)
{
    size_t room = sizeof u->other.refused / sizeof u->other.refused[0];

    if (m->n == 0 || u->other.refused_n == room)
        return; /* sent again after its time, and refused again */
    struct uplink_refusal *r = &u->other.refused[u->other.refused_n++];
    *r = (struct uplink_refusal){ { m->entries[0], m->entries[m->n - 1] }, v, "" };
    snprintf(r->text, sizeof r->text, "%s", text);
}

/* PUBACK. A negative reason is a failure of the connection, which is reported on its own. */
static void take_published(struct uplink *u, const struct mqtt_note *n)
{
    struct message none = { .n = 0 };
    struct message *m = n->tag >= 1 && n->tag <= MQTT_WINDOW_MAX ? &u->sent[n->tag - 1] : &none;

    u->progress_ms = mono_ms();
    enum uplink_verdict v = n->reason < 0 ? UPLINK_SENT : mqtt_reason_verdict(n->reason);
    if (v == UPLINK_DELIVERED && u->opt->confirm == CONFIRM_BROKER) {
        for (size_t i = 0; i < m->n; i++)
            gather_range(u, (struct uplink_range){ m->entries[i], m->entries[i] });
    } else if (v != UPLINK_DELIVERED && v != UPLINK_SENT) {
        gather_refusal(u, m, v, mqtt_reason_text(n->reason));
    }
    m->n = 0;
}

/* A retained command would be carried out anew with each connection. */
static bool take_command(const struct uplink *u, const struct mqtt_note *n)
{
    const struct uplink_asking *a = u->station->asking;

    if (u->opt->commands == COMMANDS_NONE || !a || strcmp(n->topic, u->command_topic) != 0)
        return false;
    if (n->is_retained)
        log_warning("uplink mqtt: a retained command is not carried out");
    else if (!a->take(a->user, (const char *)n->data, n->size))
        log_warning("uplink mqtt: a command found no room, it is to be sent again");
    return true;
}

static void take_message(struct uplink *u, const struct mqtt_note *n)
{
    struct uplink_acks acks = { .acked_n = 0 };

    if (take_command(u, n))
        return;
    if (strcmp(n->topic, u->ack_topic) != 0 || n->is_retained)
        return;
    if (mqtt_ack_parse((const char *)n->data, n->size, u->station->epoch, &acks) < 0)
        return; /* not for us: another epoch, or nonsense; the entries are sent again */
    for (size_t i = 0; i < acks.acked_n; i++)
        gather_range(u, acks.acked[i]);
    size_t room = sizeof u->other.need / sizeof u->other.need[0];
    for (size_t i = 0; i < acks.need_n && u->other.need_n < room; i++)
        u->other.need[u->other.need_n++] = acks.need[i];
    room = sizeof u->other.refused / sizeof u->other.refused[0];
    for (size_t i = 0; i < acks.refused_n && u->other.refused_n < room; i++)
        u->other.refused[u->other.refused_n++] = acks.refused[i];
}

static void forget_sent(struct uplink *u)
{
    for (size_t i = 0; i < MQTT_WINDOW_MAX; i++)
        u->sent[i].n = 0;
}

/* A broker that closes the connection over a packet's size does not say which packet. */
static void refuse_largest(struct uplink *u)
{
    const struct message *largest = NULL;

    for (size_t i = 0; i < MQTT_WINDOW_MAX; i++)
        if (u->sent[i].n > 0 && (!largest || u->sent[i].bytes > largest->bytes))
            largest = &u->sent[i];
    if (largest)
        gather_refusal(u, largest, UPLINK_REFUSED, mqtt_reason_text(PACKET_TOO_LARGE));
}

/* One note, waited for at most timeout_ms. False when there was none. */
static bool pump(struct uplink *u, int64_t timeout_ms)
{
    struct mqtt_note n;

    mqtt_link_next(u->link, timeout_ms, &n);
    if (n.kind == MQTT_NOTE_PUBLISHED)
        take_published(u, &n);
    if (n.kind == MQTT_NOTE_MESSAGE)
        take_message(u, &n);
    if (n.kind == MQTT_NOTE_LOST && n.reason == PACKET_TOO_LARGE)
        refuse_largest(u);
    if (n.kind == MQTT_NOTE_LOST)
        forget_sent(u);
    mqtt_note_done(&n);
    return n.kind != MQTT_NOTE_NONE;
}

/* What has come already, as far as there is room for what it acknowledges. */
static void pump_all(struct uplink *u)
{
    while (u->acked_n < GATHERED_MAX / 2 && pump(u, 0))
        ;
}

/* After "later" the forwarder neither collects nor counts on what was under way: a connection
 * kept here would never hear that it is lost. */
static void drop_connection(struct uplink *u)
{
    pump_all(u); /* it may say why it ended */
    mqtt_link_disconnect(u->link);
    forget_sent(u);
}

static bool has_something_under_way(const struct uplink *u)
{
    for (size_t i = 0; i < MQTT_WINDOW_MAX; i++)
        if (u->sent[i].n > 0)
            return true;
    return false;
}

static bool is_stalled(const struct uplink *u)
{
    return has_something_under_way(u) && mono_ms() - u->progress_ms > STALL_MS;
}

/* ---- sending ---- */

static enum uplink_verdict later(struct uplink_report *why, const char *text)
{
    snprintf(why->text, sizeof why->text, "%s", text);
    return UPLINK_LATER;
}

static enum uplink_verdict wait_for_room(struct uplink *u, struct uplink_report *why)
{
    int64_t deadline = mono_ms() + STALL_MS;

    while (!mqtt_link_has_room(u->link)) {
        int64_t left = deadline - mono_ms();
        if (mqtt_link_is_stopping(u->link))
            return later(why, "stopping");
        if (!mqtt_link_is_connected(u->link))
            return later(why, "connection lost");
        if (left <= 0)
            return later(why, "the broker stopped answering");
        pump(u, left);
    }
    return UPLINK_SENT;
}

static struct message *free_message(struct uplink *u)
{
    for (size_t i = 0; i < MQTT_WINDOW_MAX; i++)
        if (u->sent[i].n == 0)
            return &u->sent[i];
    return NULL;
}

/* `m`: the entries it carries, NULL for none. */
static enum uplink_verdict publish(struct uplink *u, const char *topic, const void *data,
                                   size_t size, bool is_retained, const struct message *m,
                                   struct uplink_report *why)
{
    enum uplink_verdict v = wait_for_room(u, why);
    struct message *kept = m && v == UPLINK_SENT ? free_message(u) : NULL;

    if (v != UPLINK_SENT)
        return v;
    if (m && !kept)
        return later(why, "too many messages under way");
    uint64_t tag = kept ? (uint64_t)(kept - u->sent) + 1 : 0;
    if (!has_something_under_way(u))
        u->progress_ms = mono_ms();
    if (mqtt_link_publish(u->link, topic, data, size, is_retained, tag) < 0)
        return later(why, "cannot publish");
    if (kept) {
        memcpy(kept->entries, m->entries, m->n * sizeof m->entries[0]);
        kept->n = m->n;
        kept->bytes = size;
    }
    return UPLINK_SENT;
}

static enum uplink_verdict flush(struct uplink *u, struct uplink_report *why)
{
    enum uplink_verdict v = UPLINK_SENT;

    if (u->draft.n > 0)
        v = publish(u, u->series_topic, u->body.data, u->body.size, false, &u->draft, why);
    u->draft.n = 0;
    return v;
}

/* Without room: when it is sent again after its time, it is found again. */
static void refuse_entry(struct uplink *u, const struct uplink_entry *e, const char *text)
{
    if (u->misfits_n < ENTRIES_MAX)
        u->misfits[u->misfits_n++] = (struct misfit){ e->seq, text };
}

static bool has_layout(const uint32_t *list, size_t n, uint32_t layout)
{
    for (size_t i = n; i-- > 0;)
        if (list[i] == layout)
            return true;
    return false;
}

static void note_layout(uint32_t *list, size_t *n, size_t max, uint32_t layout)
{
    if (*n == max)
        *n = 0;
    list[(*n)++] = layout;
}

/* Without its dictionary nobody could read a frame: it is not sent either. */
static void note_unfit(struct uplink *u, uint32_t layout, size_t size, size_t max)
{
    note_layout(u->unfit, &u->unfit_n, UNFIT_MAX, layout);
    snprintf(u->unfit_text, sizeof u->unfit_text,
             "the dictionary of layout %08" PRIx32 " has %zu bytes, the broker takes "
             "%zu: raise its limit, or read fewer points of the device",
             layout, size, max);
    log_warning("uplink mqtt: frames are set aside: %s", u->unfit_text);
}

/*
 * The dictionary goes out, retained, before the first frame that names it on this connection.
 * UPLINK_REFUSED when it is too large for that.
 */
static enum uplink_verdict announce(struct uplink *u, uint32_t layout,
                                    struct uplink_report *why)
{
    char topic[MQTT_TOPIC_MAX];

    if (has_layout(u->unfit, u->unfit_n, layout))
        return UPLINK_REFUSED;
    if (layout == 0 || has_layout(u->announced, u->announced_n, layout) ||
        print_topic(u, MQTT_LAYOUT, layout, topic) < 0)
        return UPLINK_SENT;
    char *json =
        u->station->layout_json ? u->station->layout_json(u->station->user, layout) : NULL;
    size_t size = json ? strlen(json) : 0, max = mqtt_link_payload_max(u->link, strlen(topic));
    enum uplink_verdict v = UPLINK_SENT;
    if (size > max) {
        note_unfit(u, layout, size, max);
        v = UPLINK_REFUSED;
    } else if (json) {
        v = publish(u, topic, json, size, true, NULL, why);
    }
    free(json);
    if (v == UPLINK_SENT)
        note_layout(u->announced, &u->announced_n, ANNOUNCED_MAX, layout);
    return v;
}

static enum uplink_verdict put_frame(struct uplink *u, const struct uplink_entry *e,
                                     struct uplink_report *why)
{
    size_t max = mqtt_link_payload_max(u->link, strlen(u->series_topic));

    if (e->size + MQTT_ENTRY_HEAD + MQTT_SERIES_HEAD > max) {
        refuse_entry(u, e, "the frame is larger than the broker's maximum packet size");
        return UPLINK_SENT;
    }
    enum uplink_verdict v = announce(u, e->layout, why);
    if (v == UPLINK_REFUSED) {
        refuse_entry(u, e, u->unfit_text);
        return UPLINK_SENT;
    }
    bool is_full = u->draft.n == ENTRIES_MAX || u->body.size + MQTT_ENTRY_HEAD + e->size > max;
    if (v == UPLINK_SENT && u->draft.n > 0 && is_full)
        v = flush(u, why);
    if (v != UPLINK_SENT)
        return v;
    if (u->draft.n == 0) {
        buf_clear(&u->body);
        mqtt_series_begin(&u->body, u->station->epoch);
    }
    mqtt_series_add(&u->body, e->seq, e->data, e->size);
    u->draft.entries[u->draft.n++] = e->seq;
    return u->body.has_failed ? later(why, "memory is short") : UPLINK_SENT;
}

static enum uplink_verdict put_event(struct uplink *u, const struct uplink_entry *e,
                                     struct uplink_report *why)
{
    const struct message one = { .entries = { e->seq }, .n = 1 };

    if (e->size > mqtt_link_payload_max(u->link, strlen(u->event_topic))) {
        refuse_entry(u, e, "the event is larger than the broker's maximum packet size");
        return UPLINK_SENT;
    }
    enum uplink_verdict v = flush(u, why);
    return v == UPLINK_SENT ? publish(u, u->event_topic, e->data, e->size, false, &one, why)
                            : v;
}

static enum uplink_verdict say_status(struct uplink *u, const char *state,
                                      struct uplink_report *why)
{
    struct buf b = BUF_INIT(STATUS_MAX);

    mqtt_status_write(&b, state, u->station->epoch);
    enum uplink_verdict v = b.has_failed
                                ? later(why, "memory is short")
                                : publish(u, u->status_topic, b.data, b.size, true, NULL, why);
    buf_done(&b);
    return v;
}

static enum uplink_verdict connect_first(struct uplink *u, struct uplink_report *why)
{
    if (mqtt_link_is_connected(u->link))
        return UPLINK_SENT;
    forget_sent(u);
    u->announced_n = u->unfit_n = 0;
    enum uplink_verdict v = mqtt_link_connect(u->link, CONNECT_MS, why);
    return v == UPLINK_DELIVERED ? say_status(u, "online", why) : v;
}

static enum uplink_verdict mqtt_send(struct uplink *u, const struct uplink_batch *b,
                                     struct uplink_report *why)
{
    *why = (struct uplink_report){ .text = "sent" };
    u->draft.n = 0;
    enum uplink_verdict v = connect_first(u, why);
    for (size_t i = 0; i < b->n && v == UPLINK_SENT; i++)
        v = b->entries[i].is_event ? put_event(u, &b->entries[i], why)
                                   : put_frame(u, &b->entries[i], why);
    if (v == UPLINK_SENT)
        v = flush(u, why);
    if (v == UPLINK_LATER && !mqtt_link_is_stopping(u->link))
        drop_connection(u);
    return v;
}

/* ---- collecting, ending ---- */

static void hand_over_misfits(struct uplink *u, struct uplink_acks *ret)
{
    size_t room = sizeof ret->refused / sizeof ret->refused[0], n = 0;

    for (; n < u->misfits_n && ret->refused_n < room; n++) {
        const struct misfit *m = &u->misfits[n];
        struct uplink_refusal *r = &ret->refused[ret->refused_n++];
        *r = (struct uplink_refusal){ { m->seq, m->seq }, UPLINK_REFUSED, "" };
        snprintf(r->text, sizeof r->text, "%s", m->text);
    }
    memmove(u->misfits, u->misfits + n, (u->misfits_n - n) * sizeof u->misfits[0]);
    u->misfits_n -= n;
}

static void hand_over(struct uplink *u, struct uplink_acks *ret)
{
    size_t room = sizeof ret->acked / sizeof ret->acked[0];
    size_t n = u->acked_n < room ? u->acked_n : room;

    *ret = u->other;
    hand_over_misfits(u, ret);
    memcpy(ret->acked, u->acked, n * sizeof u->acked[0]);
    ret->acked_n = n;
    memmove(u->acked, u->acked + n, (u->acked_n - n) * sizeof u->acked[0]);
    u->acked_n -= n;
    u->other.need_n = u->other.refused_n = 0;
}

/* As many as the window has room for; the others go with the next turn. */
static void send_replies(struct uplink *u)
{
    const struct uplink_asking *a = u->station->asking;
    struct uplink_report why;

    while (a && mqtt_link_is_connected(u->link) && mqtt_link_has_room(u->link)) {
        char *text = a->next_reply(a->user);
        if (!text)
            return;
        if (publish(u, u->reply_topic, text, strlen(text), false, NULL, &why) != UPLINK_SENT)
            log_warning("uplink mqtt: a reply could not be sent: %s", why.text);
        free(text);
    }
}

static bool mqtt_collect(struct uplink *u, int64_t timeout_ms, struct uplink_acks *ret)
{
    bool has_something = u->acked_n || u->other.need_n || u->other.refused_n || u->misfits_n;

    if (mqtt_link_is_connected(u->link) && pump(u, has_something ? 0 : timeout_ms))
        pump_all(u);
    send_replies(u);
    if (mqtt_link_is_connected(u->link) && is_stalled(u))
        drop_connection(u);
    hand_over(u, ret);
    return mqtt_link_is_connected(u->link);
}

static void say_goodbye(struct uplink *u)
{
    struct uplink_report why;
    int64_t deadline = mono_ms() + GOODBYE_MS;

    if (!mqtt_link_has_room(u->link) || say_status(u, "stopped", &why) != UPLINK_SENT)
        return;
    /* its PUBACK comes last: the broker answers in order */
    for (int64_t left; (left = deadline - mono_ms()) > 0 && mqtt_link_is_connected(u->link);)
        if (!mqtt_link_is_idle(u->link))
            pump(u, left);
        else
            break;
}

static void mqtt_destroy(struct uplink *u)
{
    if (!u)
        return;
    if (u->link && mqtt_link_is_connected(u->link))
        say_goodbye(u);
    mqtt_link_destroy(u->link);
    buf_done(&u->body);
    free(u);
}

static int64_t mqtt_resend_ms(const struct uplink *u)
{
    return u->opt->ack_interval_ms * 2;
}

static size_t mqtt_under_way(const struct uplink *u)
{
    size_t bytes = 0;

    for (size_t i = 0; i < MQTT_WINDOW_MAX; i++)
        bytes += u->sent[i].n > 0 ? u->sent[i].bytes : 0;
    return bytes;
}

static void mqtt_disconnect(struct uplink *u)
{
    if (!mqtt_link_is_connected(u->link))
        return;
    say_goodbye(u);
    mqtt_link_disconnect(u->link);
    forget_sent(u);
}

static int mqtt_show_batch(struct uplink *u, const struct uplink_batch *b, bool is_whole,
                           struct buf *out)
{
    return mqtt_show(u->station, b, is_whole, out);
}

static void mqtt_wake(struct uplink *u)
{
    mqtt_link_wake(u->link);
}

static void mqtt_stop(struct uplink *u)
{
    mqtt_link_stop(u->link);
}

const struct uplink_kind uplink_mqtt = {
    .name = "mqtt",
    .title = "MQTT to the regional centre",
    .is_windowed = true,
    .options = mqtt_fields,
    .options_size = sizeof(struct mqtt_options),
    .is_centre = is_centre,
    .create = mqtt_create,
    .destroy = mqtt_destroy,
    .send = mqtt_send,
    .collect = mqtt_collect,
    .resend_ms = mqtt_resend_ms,
    .wake = mqtt_wake,
    .under_way = mqtt_under_way,
    .disconnect = mqtt_disconnect,
    .show = mqtt_show_batch,
    .stop = mqtt_stop,
};
