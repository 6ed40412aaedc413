/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/state.h"
#include "sensors/core/crc.h"

enum {
    ITEM_BYTES = sizeof(struct item),
    DICTIONARY_MAX = 1 << 20, /* as line_layout_create() */
    LAYOUT_FACTOR = 2,        /* ready prefixes beside the text they come from, about */
};

/* ---- stations ---- */

static size_t slot_of(const struct centre *c, const struct mqtt_topic *t)
{
    uint32_t h = crc32c(0, t->region, strlen(t->region) + 1);
    size_t at = crc32c(h, t->station, strlen(t->station)) & (c->stations_cap - 1);

    while (c->stations[at] && (strcmp(c->stations[at]->name.station, t->station) != 0 ||
                               strcmp(c->stations[at]->name.region, t->region) != 0))
        at = (at + 1) & (c->stations_cap - 1);
    return at;
}

static struct station *station_create(const struct mqtt_topic *t)
{
    struct mqtt_topic ack = *t;
    struct station *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->name = *t;
    ack.leaf = MQTT_ACK;
    if (mqtt_topic_print(&ack, s->ack_topic) == 0)
        return s;
    free(s);
    return NULL;
}

struct station *station_get(struct centre *c, const struct mqtt_topic *t)
{
    size_t at = slot_of(c, t);

    if (c->stations[at])
        return c->stations[at];
    if (c->stations_n == c->o.limits.stations) {
        c->counts.dropped++;
        centre_complain(c, COMPLAIN_LIMIT, LOG_ERROR, NULL,
                        "More than %zu stations: '%s' is not served; give its shard to another "
                        "ingest.",
                        c->stations_n, t->station);
        return NULL;
    }
    struct station *s = station_create(t);
    if (s) {
        c->stations[at] = s;
        c->stations_n++;
    }
    return s;
}

/* ---- layouts ---- */

static size_t layout_place(const struct station *s, uint32_t id)
{
    size_t lo = 0, hi = s->layouts_n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s->layouts[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct line_layout *station_layout(const struct station *s, uint32_t id)
{
    size_t at = layout_place(s, id);

    return at < s->layouts_n && s->layouts[at].id == id ? s->layouts[at].lines : NULL;
}

/* The number is a checksum of the canonical form without `layout` (series format, section 9):
 * a dictionary under another's number would put values under wrong names. */
static bool is_layout(uint32_t id, const char *json, size_t size)
{
    json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL);
    char *text = NULL;

    if (json_is_object(root)) {
        json_object_del(root, "layout");
        text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    }
    bool is_same = text && series_layout_id(text, strlen(text)) == id;
    free(text);
    json_decref(root);
    return is_same;
}

static int add_layout(struct centre *c, struct station *s, uint32_t id, struct line_layout *l,
                      size_t bytes)
{
    if (s->layouts_n == s->layouts_cap) {
        size_t cap = s->layouts_cap ? s->layouts_cap * 2 : 8;
        struct layout *more = realloc(s->layouts, cap * sizeof *more);
        if (!more)
            return -ENOMEM;
        s->layouts = more;
        s->layouts_cap = cap;
    }
    size_t at = layout_place(s, id);
    memmove(s->layouts + at + 1, s->layouts + at, (s->layouts_n - at) * sizeof *s->layouts);
    s->layouts[at] = (struct layout){ id, l };
    s->layouts_n++;
    c->layout_bytes += bytes;
    return 0;
}

bool station_rejects(const struct station *s, uint32_t id)
{
    size_t n = s->rejected_n < STATE_REJECTED_MAX ? s->rejected_n : STATE_REJECTED_MAX;

    for (size_t i = 0; i < n; i++)
        if (s->rejected[i] == id)
            return true;
    return false;
}

static void remember_rejected(struct station *s, uint32_t id)
{
    if (!station_rejects(s, id))
        s->rejected[s->rejected_n++ % STATE_REJECTED_MAX] = id;
}

static int reject_layout(struct centre *c, const struct station *s, uint32_t id, int rc,
                         const char *why)
{
    c->counts.malformed += rc == -EINVAL;
    c->counts.dropped += rc != -EINVAL;
    centre_complain(c, COMPLAIN_LAYOUT, LOG_WARNING, s, "Layout %08" PRIx32 " is not used: %s",
                    id, why);
    return rc;
}

int station_put_layout(struct centre *c, struct station *s, uint32_t id, const char *json,
                       size_t size)
{
    size_t bytes = size * LAYOUT_FACTOR;
    struct line_layout *l;
    char why[160];

    if (station_layout(s, id))
        return 0;
    if (s->layouts_n == STATE_LAYOUTS_MAX || c->layout_bytes + bytes > c->o.limits.layout_bytes)
        return reject_layout(c, s, id, -ENOSPC, "there are too many.");
    if (size > DICTIONARY_MAX || !is_layout(id, json, size))
        return reject_layout(c, s, id, -EINVAL, "the dictionary has another number.");
    int rc = line_layout_create(json, size, s->name.station, &l, why, sizeof why);
    if (rc == -EINVAL) /* this is the dictionary: no other will come under its number */
        remember_rejected(s, id);
    if (rc < 0)
        return reject_layout(c, s, id, rc, why);
    rc = add_layout(c, s, id, l, bytes);
    if (rc < 0)
        line_layout_destroy(l);
    return rc;
}

/* ---- items ---- */

struct item *item_keep(struct centre *c, struct run *r, uint64_t seq, uint32_t crc,
                       const void *data, size_t size)
{
    const struct centre_limits *max = &c->o.limits;
    size_t bytes = ITEM_BYTES + size;
    struct item *i = NULL;

    if (c->kept_bytes + bytes <= max->kept_bytes &&
        r->kept_bytes + bytes <= max->kept_station_bytes)
        i = malloc(bytes);
    if (!i || (ledger_find(&r->ledger, seq, crc) != LEDGER_STORED &&
               ledger_keep(&r->ledger, seq, crc) < 0)) {
        free(i);
        c->counts.dropped++;
        centre_complain(
            c, COMPLAIN_LIMIT, LOG_WARNING, r->station,
            "Too much waits for the database: messages are dropped, and come again; "
            "kept=%zu",
            c->kept_bytes);
        return NULL;
    }
    *i = (struct item){ .run = r, .seq = seq, .crc = crc, .came_ms = c->now_ms, .size = size };
    memcpy(i->data, data, size);
    r->items++;
    r->kept_bytes += bytes;
    c->kept_bytes += bytes;
    size_t ledger = ledger_bytes(&r->ledger);
    c->state_bytes += ledger - r->ledger_bytes;
    r->ledger_bytes = ledger;
    return i;
}

static void run_destroy(struct centre *c, struct run *r);

void item_release(struct centre *c, struct item *i)
{
    struct run *r = i->run;
    size_t bytes = ITEM_BYTES + i->size;

    ledger_drop(&r->ledger, i->seq);
    r->items--;
    r->kept_bytes -= bytes;
    c->kept_bytes -= bytes;
    free(i);
    if (r->is_gone && r->items == 0)
        run_destroy(c, r);
}

void item_set_aside(struct centre *c, struct item *i)
{
    c->aside_bytes += ITEM_BYTES + i->size;
    i->run->aside_bytes += ITEM_BYTES + i->size;
}

void item_take_back(struct centre *c, struct item *i)
{
    c->aside_bytes -= ITEM_BYTES + i->size;
    i->run->aside_bytes -= ITEM_BYTES + i->size;
}

/* ---- segments ---- */

static size_t stream_place(const struct run *r, uint32_t number)
{
    size_t lo = 0, hi = r->streams_n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (r->streams[mid]->number < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct stream *find_stream(struct run *r, uint32_t number)
{
    size_t at = stream_place(r, number);

    return at < r->streams_n && r->streams[at]->number == number ? r->streams[at] : NULL;
}

static int grow_streams(struct run *r)
{
    size_t cap = r->streams_cap ? r->streams_cap * 2 : 8;

    if (r->streams_n < r->streams_cap)
        return 0;
    struct stream **more = realloc(r->streams, cap * sizeof *more);
    if (!more)
        return -ENOMEM;
    r->streams = more;
    r->streams_cap = cap;
    return 0;
}

static struct stream *get_stream(struct centre *c, struct run *r, uint32_t number)
{
    struct stream *s = find_stream(r, number);

    if (s)
        return s;
    if (r->streams_n < c->o.limits.streams && grow_streams(r) == 0)
        s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->number = number;
    size_t at = stream_place(r, number);
    memmove(r->streams + at + 1, r->streams + at, (r->streams_n - at) * sizeof r->streams[0]);
    r->streams[at] = s;
    r->streams_n++;
    c->state_bytes += sizeof *s;
    return s;
}

struct segment *run_find_segment(struct run *r, uint32_t stream, uint32_t number)
{
    struct stream *s = find_stream(r, stream);
    struct segment *g = s ? s->segments : NULL;

    while (g && g->number != number)
        g = g->next;
    return g;
}

static void unlink_use(struct centre *c, struct segment *s)
{
    *(s->newer ? &s->newer->older : &c->newest) = s->older;
    *(s->older ? &s->older->newer : &c->oldest) = s->newer;
    s->newer = s->older = NULL;
}

static void link_use(struct centre *c, struct segment *s)
{
    s->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = s;
    c->newest = s;
}

static void unlink_stream(struct stream *of, const struct segment *s)
{
    struct segment **at = &of->segments;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    of->segments_n--;
}

void segment_drop_aside(struct centre *c, struct segment *s)
{
    for (struct item *i; (i = segment_take_aside(s, true));) {
        item_take_back(c, i);
        c->counts.dropped++;
        item_release(c, i);
    }
}

void segment_close(struct centre *c, struct segment *s)
{
    unlink_stream(find_stream(s->run, s->stream), s);
    unlink_use(c, s);
    c->state_bytes -= segment_bytes(s);
    segment_drop_aside(c, s);
    segment_destroy(s);
}

/* The least recently used goes that nothing in order waits for. */
static void make_room(struct centre *c, const struct segment *spared)
{
    struct segment *newer;

    for (struct segment *s = c->oldest; s && c->state_bytes > c->o.limits.state_bytes;
         s = newer) {
        newer = s->newer;
        if (s->queued == 0 && s != spared)
            segment_close(c, s);
    }
}

void segment_used(struct centre *c, struct segment *s, size_t bytes_before)
{
    c->state_bytes += segment_bytes(s) - bytes_before;
    s->used_ms = c->now_ms;
    unlink_use(c, s);
    link_use(c, s);
    if (c->state_bytes > c->o.limits.state_bytes)
        make_room(c, s);
}

static struct segment *least_used_idle(const struct stream *st)
{
    struct segment *least = NULL;

    for (struct segment *s = st->segments; s; s = s->next)
        if (s->queued == 0 && (!least || s->used_ms <= least->used_ms))
            least = s;
    return least;
}

/* Those whose frames wait stay: they are few as long as what is kept is. */
static bool has_place(struct centre *c, struct stream *st)
{
    for (struct segment *s; st->segments_n >= STATE_SEGMENTS_MAX && (s = least_used_idle(st));)
        segment_close(c, s);
    return st->segments_n < STATE_SEGMENTS_BUSY_MAX;
}

struct segment *run_get_segment(struct centre *c, struct run *r, uint32_t stream,
                                uint32_t number)
{
    struct segment *s = run_find_segment(r, stream, number);

    if (s)
        return s;
    make_room(c, NULL);
    struct stream *st =
        c->state_bytes < c->o.limits.state_bytes ? get_stream(c, r, stream) : NULL;
    if (!st || !has_place(c, st) || segment_create(r, stream, number, &s) < 0) {
        c->counts.dropped++;
        centre_complain(c, COMPLAIN_LIMIT, LOG_WARNING, r->station,
                        "Too many streams or open segments: frames are dropped; streams=%zu",
                        r->streams_n);
        return NULL;
    }
    s->next = st->segments;
    st->segments = s;
    st->segments_n++;
    link_use(c, s);
    s->used_ms = c->now_ms;
    c->state_bytes += segment_bytes(s);
    return s;
}

void centre_close_idle(struct centre *c)
{
    struct segment *newer;

    for (struct segment *s = c->oldest; s && c->now_ms - s->used_ms > STATE_IDLE_MS;
         s = newer) {
        newer = s->newer;
        if (s->aside && s->queued == 0)
            segment_close(c, s);
    }
}

/* ---- runs ---- */

static void close_stream(struct centre *c, struct stream *st)
{
    while (st->segments)
        segment_close(c, st->segments);
    c->state_bytes -= sizeof *st;
}

static void run_destroy(struct centre *c, struct run *r)
{
    run_be_silent(c, r);
    for (size_t i = 0; i < r->streams_n; i++)
        close_stream(c, r->streams[i]);
    for (size_t i = 0; i < r->streams_n; i++)
        free(r->streams[i]);
    c->state_bytes -= sizeof *r + r->ledger_bytes;
    free(r->streams);
    ledger_done(&r->ledger);
    free(r);
}

static struct run *run_create(struct centre *c, struct station *s, uint64_t epoch)
{
    struct run *r = NULL;

    make_room(c, NULL);
    if (c->state_bytes < c->o.limits.state_bytes)
        r = calloc(1, sizeof *r);
    if (!r || ledger_init(&r->ledger) < 0) {
        free(r);
        c->counts.dropped++;
        return NULL;
    }
    r->station = s;
    r->epoch = epoch;
    r->ledger_bytes = ledger_bytes(&r->ledger);
    c->state_bytes += sizeof *r + r->ledger_bytes;
    return r;
}

/* What is in order is still written: its log may be gone. What is aside cannot be. */
static void retire(struct centre *c, struct run *r)
{
    run_be_silent(c, r);
    r->items++; /* held until all is dropped */
    for (size_t i = 0; i < r->streams_n; i++)
        for (struct segment *s = r->streams[i]->segments; s; s = s->next)
            segment_drop_aside(c, s);
    r->items--;
    r->is_gone = true;
    if (r->items == 0)
        run_destroy(c, r);
}

struct run *station_run(struct centre *c, struct station *s, uint64_t epoch)
{
    if (s->run && s->run->epoch == epoch)
        return s->run;
    struct run *r = run_create(c, s, epoch);
    if (!r)
        return NULL;
    if (s->run) {
        centre_complain(c, COMPLAIN_EPOCH, LOG_WARNING, s,
                        "Log begun anew, epoch %016" PRIx64 " after %016" PRIx64
                        ": restored, recreated, or two stations with one id.",
                        epoch, s->run->epoch);
        retire(c, s->run);
    }
    s->run = r;
    return r;
}

void station_destroy(struct centre *c, struct station *s)
{
    if (!s)
        return;
    if (s->run)
        run_destroy(c, s->run);
    for (size_t i = 0; i < s->layouts_n; i++)
        line_layout_destroy(s->layouts[i].lines);
    free(s->layouts);
    free(s);
}
