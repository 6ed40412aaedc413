/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/http/guard.h"
#include "gateway/live/live_json.h"

enum {
    EVENT_SAMPLES_MAX = 2000,  /* in one event; the others come a second later */
    EVENT_BYTES_MAX = 1 << 20, /* 2,000 samples of 250 bytes, alerts and devices */
    SPACING_MS = 1000,
    BEAT_MS = 10000,
    UNREAD_MAX_MS = 20000, /* nothing taken for so long: the client is gone or hostile */
    BLOCK_SIZE = 16 << 10,
};

struct stream {
    struct streams *all;
    struct MHD_Connection *connection;
    struct stream *next;
    /* by the lock of all */
    bool is_suspended;
    uint64_t version_seen;
    int64_t next_ms, beat_ms, taken_ms;
    /* by libmicrohttpd's thread */
    struct live_versions seen;
    uint64_t samples_seen;
    bool is_greeted;
    bool is_behind; /* samples were left for the next batch */
    struct buf out;
    size_t out_at;
};

struct streams {
    struct http *http;
    struct sample *samples; /* EVENT_SAMPLES_MAX, of libmicrohttpd's thread */
    pthread_mutex_t lock;
    struct stream *first;
    unsigned n;
    bool is_stopping;
};

int streams_create(struct http *h, struct streams **ret)
{
    struct streams *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->http = h;
    s->samples = calloc(EVENT_SAMPLES_MAX, sizeof *s->samples);
    if (!s->samples || pthread_mutex_init(&s->lock, NULL)) {
        free(s->samples);
        free(s);
        return -ENOMEM;
    }
    *ret = s;
    return 0;
}

void streams_destroy(struct streams *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s->samples);
    free(s);
}

static void open_event(struct buf *b, struct live *l, const char *name)
{
    buf_printf(b, "event: %s\ndata: {\"time\":", name);
    live_json_time(b, live_now(l));
}

static void close_event(struct buf *b)
{
    buf_puts(b, "}\n\n");
}

static void put_hello(struct buf *b, struct live *l)
{
    const struct live_station *station = live_station_of(l);

    buf_puts(b, "retry: 2000\n");
    open_event(b, l, "hello");
    buf_puts(b, ",\"station\":");
    buf_json(b, station->id);
    buf_puts(b, ",\"version\":");
    buf_json(b, station->version);
    buf_puts(b, ",\"started\":");
    live_json_time(b, station->started_ms);
    close_event(b);
}

static void put_samples(struct stream *st, struct live *l)
{
    const struct channel_table *table = live_channels(l);
    struct sample *samples = st->all->samples;
    size_t n = live_samples(l, st->samples_seen, samples, EVENT_SAMPLES_MAX, &st->samples_seen);

    if (n == 0)
        return;
    open_event(&st->out, l, "samples");
    buf_puts(&st->out, ",\"samples\":[");
    for (size_t i = 0; i < n; i++) {
        buf_puts(&st->out, i ? "," : "");
        live_json_sample(&st->out, &table->channels[samples[i].channel], &samples[i],
                         LIVE_BRIEF);
    }
    buf_puts(&st->out, "]");
    close_event(&st->out);
}

static void put_list(struct stream *st, struct live *l, const char *name,
                     int (*put)(struct buf *, struct live *))
{
    open_event(&st->out, l, name);
    buf_printf(&st->out, ",\"%s\":", name);
    if (put(&st->out, l))
        st->out.has_failed = true;
    close_event(&st->out);
}

static void put_delivery(struct stream *st, struct live *l)
{
    open_event(&st->out, l, "delivery");
    buf_puts(&st->out, ",\"log\":");
    live_json_log(&st->out, l);
    buf_puts(&st->out, ",\"uplinks\":");
    live_json_uplinks(&st->out, l);
    close_event(&st->out);
}

static void put_overview(struct stream *st, struct live *l)
{
    open_event(&st->out, l, "overview");
    buf_puts(&st->out, ",\"indices\":");
    live_json_indices(&st->out, l);
    buf_puts(&st->out, ",\"maintenance\":");
    live_json_maintenances(&st->out, l);
    close_event(&st->out);
}

/* What is new since the last batch. */
static void put_news(struct stream *st, struct live *l)
{
    struct live_versions now, seen = st->seen;

    live_versions_get(l, &now);
    if (!st->is_greeted)
        put_hello(&st->out, l);
    if (now.samples > st->samples_seen)
        put_samples(st, l);
    if (now.alerts > seen.alerts || !st->is_greeted)
        put_list(st, l, "alerts", live_json_alerts);
    if (now.devices > seen.devices || !st->is_greeted)
        put_list(st, l, "devices", live_json_devices);
    if (now.delivery > seen.delivery || !st->is_greeted)
        put_delivery(st, l);
    if (now.overview > seen.overview)
        put_overview(st, l);
    st->seen = now;
    st->is_greeted = true;
}

static void fill(struct stream *st, bool is_beat_due)
{
    struct live *l = st->all->http->live;

    buf_clear(&st->out);
    st->out_at = 0;
    put_news(st, l);
    if (is_beat_due && st->out.size == 0) {
        open_event(&st->out, l, "beat");
        close_event(&st->out);
    }
    if (st->samples_seen < st->seen.samples)
        st->is_behind = true;
}

static size_t take(struct stream *st, char *to, size_t max)
{
    size_t left = st->out.size - st->out_at;
    size_t n = left < max ? left : max;

    memcpy(to, st->out.data + st->out_at, n);
    st->out_at += n;
    return n;
}

enum turn { TURN_END, TURN_WAIT, TURN_TALK };

/* Decides under the lock whether this stream speaks now, and suspends it if not. */
static enum turn turn_of(struct stream *st, bool *ret_is_beat_due)
{
    struct streams *all = st->all;
    int64_t now = mono_ms();
    enum turn turn = TURN_TALK;

    pthread_mutex_lock(&all->lock);
    st->taken_ms = now;
    if (all->is_stopping) {
        turn = TURN_END;
    } else if (now < st->next_ms ||
               (live_version(all->http->live) <= st->version_seen && now < st->beat_ms)) {
        turn = TURN_WAIT;
        st->is_suspended = true;
        MHD_suspend_connection(st->connection);
    } else {
        *ret_is_beat_due = now >= st->beat_ms;
        st->version_seen = live_version(all->http->live);
        st->is_behind = false;
        st->next_ms = now + SPACING_MS;
        st->beat_ms = now + BEAT_MS;
    }
    pthread_mutex_unlock(&all->lock);
    return turn;
}

static ssize_t read_stream(void *cls, uint64_t at, char *to, size_t max)
{
    struct stream *st = cls;
    bool is_beat_due = false;

    (void)at;
    if (st->out_at == st->out.size) {
        enum turn turn = turn_of(st, &is_beat_due);
        if (turn != TURN_TALK)
            return turn == TURN_END ? MHD_CONTENT_READER_END_OF_STREAM : 0;
        fill(st, is_beat_due);
        if (st->out.has_failed)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (st->out.size == 0)
            return 0;
    }
    pthread_mutex_lock(&st->all->lock);
    st->taken_ms = mono_ms();
    if (st->is_behind)
        st->version_seen = 0;
    pthread_mutex_unlock(&st->all->lock);
    return (ssize_t)take(st, to, max);
}

static void end_stream(void *cls)
{
    struct stream *st = cls;
    struct streams *all = st->all;

    pthread_mutex_lock(&all->lock);
    for (struct stream **at = &all->first; *at; at = &(*at)->next) {
        if (*at == st) {
            *at = st->next;
            all->n--;
            break;
        }
    }
    pthread_mutex_unlock(&all->lock);
    buf_done(&st->out);
    free(st);
}

static bool add_stream(struct streams *all, struct stream *st)
{
    bool has_room;

    pthread_mutex_lock(&all->lock);
    has_room = all->n < STREAMS_MAX && !all->is_stopping;
    if (has_room) {
        st->next = all->first;
        all->first = st;
        all->n++;
    }
    pthread_mutex_unlock(&all->lock);
    return has_room;
}

enum MHD_Result stream_serve(struct request *r)
{
    struct streams *all = r->http->streams;
    struct stream *st = calloc(1, sizeof *st);

    if (!st)
        return MHD_NO;
    *st = (struct stream){ .all = all,
                           .connection = r->connection,
                           .out = BUF_INIT(EVENT_BYTES_MAX),
                           .taken_ms = mono_ms() };
    if (!add_stream(all, st)) {
        free(st);
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE,
                           "Too many clients follow the station already.");
    }
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_stream, st, end_stream);
    if (!response) {
        end_stream(st);
        return MHD_NO;
    }
    guard_exempt(r->http->guard, r->connection);
    reply_dress(response, "text/event-stream", REPLY_NO_STORE);
    MHD_add_response_header(response, "X-Accel-Buffering", "no");
    return reply_queue(r, MHD_HTTP_OK, response);
}

void streams_tick(struct streams *s)
{
    int64_t now = mono_ms();
    uint64_t version = live_version(s->http->live);

    pthread_mutex_lock(&s->lock);
    for (struct stream *st = s->first; st; st = st->next) {
        bool has_news =
            now >= st->next_ms && (version > st->version_seen || now >= st->beat_ms);
        if (st->is_suspended && has_news) {
            st->is_suspended = false;
            st->taken_ms = now;
            MHD_resume_connection(st->connection);
        } else if (!st->is_suspended && now - st->taken_ms > UNREAD_MAX_MS) {
            guard_end(s->http->guard, st->connection);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

void streams_stop(struct streams *s)
{
    pthread_mutex_lock(&s->lock);
    s->is_stopping = true;
    for (struct stream *st = s->first; st; st = st->next) {
        if (st->is_suspended)
            MHD_resume_connection(st->connection);
        st->is_suspended = false;
    }
    pthread_mutex_unlock(&s->lock);
}

unsigned streams_count(struct streams *s)
{
    pthread_mutex_lock(&s->lock);
    unsigned n = s->n;
    pthread_mutex_unlock(&s->lock);
    return n;
}
