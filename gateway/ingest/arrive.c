/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of stations: judged, then kept in order, put aside, answered at once, or dropped. */
#include <errno.h>
#include <inttypes.h>

#include "gateway/ingest/state.h"
#include "gateway/uplink/mqtt_message.h"
#include "sensors/core/crc.h"

enum { EVENT_MAX = 256 << 10 };

struct arrival { /* one frame of a message */
    struct run *run;
    struct mqtt_series_entry entry;
    struct series_info info;
};

static void malformed(struct centre *c, const struct station *s, const char *what,
                      const char *why)
{
    c->counts.malformed++;
    centre_complain(c, COMPLAIN_MALFORMED, LOG_WARNING, s, "A malformed %s is dropped: %s.",
                    what, why);
}

static void contradicting(struct centre *c, const struct run *r, uint64_t seq, const char *what)
{
    c->counts.contradicting++;
    centre_complain(c, COMPLAIN_CONTRADICTION, LOG_ERROR, r->station,
                    "Entry %" PRIu64 " is refused, not stored and not acknowledged: %s.", seq,
                    what);
}

static void acknowledge_again(struct centre *c, struct run *r, uint64_t seq, uint32_t crc)
{
    c->counts.duplicates++;
    ledger_store(&r->ledger, seq, crc);
    run_speak(c, r, c->now_ms + c->o.ack_interval_ms);
}

/* ---- frames ---- */

/* A key frame waits until its dictionary is known. */
static bool lacks_layout(const struct segment *s, const struct series_info *info)
{
    return info->is_key && !station_layout(s->run->station, info->layout);
}

static void accept(struct centre *c, struct segment *s, struct item *i)
{
    const struct series_info *info = &i->info;
    size_t before = segment_bytes(s);

    if (segment_advance(s, info, station_layout(s->run->station, info->layout)) < 0) {
        c->counts.dropped++;
        item_release(c, i);
        return;
    }
    i->segment = s;
    writing_enqueue(c, i);
    segment_used(c, s, before);
}

/* What was aside may follow now. */
static void drain_aside(struct centre *c, struct segment *s)
{
    for (struct item *i;
         s->aside && !lacks_layout(s, &s->aside->info) && (i = segment_take_aside(s, false));) {
        enum segment_verdict v = segment_judge(s, &i->info);
        item_take_back(c, i);
        if (v == SEGMENT_NEXT) {
            accept(c, s, i);
            continue;
        }
        if (v == SEGMENT_FOREIGN)
            contradicting(c, s->run, i->seq, "it does not follow the frame before it");
        item_release(c, i);
    }
}

static struct item *keep_frame(struct centre *c, const struct arrival *a)
{
    struct item *i =
        item_keep(c, a->run, a->entry.seq, a->info.crc, a->entry.frame, a->entry.size);

    if (i)
        i->info = a->info;
    return i;
}

static void put_aside(struct centre *c, struct segment *s, const struct arrival *a)
{
    const struct centre_limits *max = &c->o.limits;
    bool has_room = c->aside_bytes + a->entry.size <= max->kept_bytes / 2 &&
                    a->run->aside_bytes + a->entry.size <= max->kept_station_bytes / 2;
    struct item *i = has_room ? keep_frame(c, a) : NULL;
    uint32_t from;

    c->counts.dropped += !has_room;
    if (i && segment_put_aside(s, i)) {
        item_set_aside(c, i);
        segment_used(c, s, segment_bytes(s));
    } else if (i) {
        c->counts.dropped++;
        item_release(c, i);
    }
    if (segment_lacks(s, &from) && s->ask_ms <= c->now_ms)
        run_speak(c, s->run, c->now_ms);
}

static void take_next(struct centre *c, struct segment *s, const struct arrival *a,
                      bool is_replay)
{
    struct item *i = keep_frame(c, a);

    if (!i)
        return;
    i->is_replay = is_replay;
    accept(c, s, i);
    drain_aside(c, s);
}

/* Stored already: acknowledged again; the decoder still needs it when others wait behind. */
static void take_stored(struct centre *c, const struct arrival *a)
{
    struct segment *s = run_find_segment(a->run, a->info.stream, a->info.segment);

    acknowledge_again(c, a->run, a->entry.seq, a->info.crc);
    if (s && !s->broken && segment_judge(s, &a->info) == SEGMENT_NEXT &&
        !lacks_layout(s, &a->info))
        take_next(c, s, a, true);
}

/* Short memory passes: the frame comes again, and its segment is begun anew. */
static void take_broken(struct centre *c, const struct segment *s, const struct arrival *a)
{
    if (s->broken == -ENOMEM)
        c->counts.dropped++;
    else
        refuse_entry(c, a->run, a->entry.seq, segment_error_text(s->broken));
}

static void take_foreign(struct centre *c, struct segment *s, const struct arrival *a)
{
    bool is_behind = a->info.seq > s->last_seq;

    contradicting(c, a->run, a->entry.seq,
                  is_behind ? "it does not follow the frame before it"
                            : "another frame came before under its segment and number");
    if (!is_behind || !refuse_is_lasting(a->run, a->entry.seq, a->info.crc))
        return;
    refuse_segment(c, s, a->info.seq, SERIES_ECHAIN);
    refuse_entry(c, a->run, a->entry.seq, segment_error_text(SERIES_ECHAIN));
}

static void take_new(struct centre *c, const struct arrival *a)
{
    const struct series_info *info = &a->info;
    struct segment *s = run_get_segment(c, a->run, info->stream, info->segment);

    if (!s)
        return;
    if (info->is_key && !s->broken && station_rejects(s->run->station, info->layout))
        refuse_segment(c, s, info->seq, -EINVAL);
    if (s->broken && info->seq >= s->broken_seq) {
        take_broken(c, s, a);
        return;
    }
    switch (segment_judge(s, info)) {
    case SEGMENT_NEXT:
        if (lacks_layout(s, &a->info))
            put_aside(c, s, a);
        else
            take_next(c, s, a, false);
        break;
    case SEGMENT_AHEAD:
        put_aside(c, s, a);
        break;
    case SEGMENT_DUPLICATE: /* the ledger forgets only what is stored */
        if (s->unsettled == 0)
            acknowledge_again(c, a->run, a->entry.seq, a->info.crc);
        else
            c->counts.duplicates++;
        break;
    case SEGMENT_FOREIGN:
        take_foreign(c, s, a);
        break;
    }
}

static void take_frame(struct centre *c, const struct arrival *a)
{
    switch (ledger_find(&a->run->ledger, a->entry.seq, a->info.crc)) {
    case LEDGER_UNKNOWN:
        take_new(c, a);
        break;
    case LEDGER_KEPT:
        c->counts.duplicates++;
        break;
    case LEDGER_STORED:
        take_stored(c, a);
        break;
    case LEDGER_OTHER:
        contradicting(c, a->run, a->entry.seq, "other bytes came before under its number");
        break;
    }
}

void arrive_series(struct centre *c, struct station *s, const void *data, size_t size)
{
    struct mqtt_series_reader reader;
    struct arrival a;
    int rc;

    if (mqtt_series_open(data, size, &reader) < 0) {
        malformed(c, s, "series message", "it has no head");
        return;
    }
    a.run = station_run(c, s, reader.epoch);
    if (!a.run)
        return;
    while ((rc = mqtt_series_next(&reader, &a.entry)) > 0) {
        int bad = series_peek(a.entry.frame, a.entry.size, &a.info);
        if (bad == 0) {
            take_frame(c, &a);
            continue;
        }
        malformed(c, s, "frame", series_error_text(bad));
        if (refuse_is_lasting(a.run, a.entry.seq, crc32c(0, a.entry.frame, a.entry.size)))
            refuse_entry(c, a.run, a.entry.seq,
                         "its frame comes with the same damage each time");
    }
    if (rc < 0)
        malformed(c, s, "series message", "it is cut, or its lengths are wrong");
}

/* ---- events, layouts ---- */

void arrive_event(struct centre *c, struct station *s, const void *data, size_t size)
{
    uint32_t crc = crc32c(0, data, size);
    uint64_t epoch, seq;

    if (size > EVENT_MAX || mqtt_event_parse(data, size, &epoch, &seq) < 0) {
        malformed(c, s, "event", "it is too large, no JSON, or has no epoch and number");
        return;
    }
    struct run *r = station_run(c, s, epoch);
    if (!r)
        return;
    switch (ledger_find(&r->ledger, seq, crc)) {
    case LEDGER_UNKNOWN: {
        struct item *i = item_keep(c, r, seq, crc, data, size);
        if (i)
            writing_enqueue(c, i);
        break;
    }
    case LEDGER_KEPT:
        c->counts.duplicates++;
        break;
    case LEDGER_STORED:
        acknowledge_again(c, r, seq, crc);
        break;
    case LEDGER_OTHER:
        contradicting(c, r, seq, "other bytes came before under its number");
        break;
    }
}

/* Its dictionary has come, or can never be used. */
static void settle_aside(struct centre *c, struct segment *g, int rc)
{
    if (rc < 0)
        refuse_segment(c, g, g->aside->info.seq, rc);
    else
        drain_aside(c, g);
}

void arrive_layout(struct centre *c, struct station *s, uint32_t id, const void *data,
                   size_t size)
{
    if (size == 0) /* a retained dictionary was cleared: what is known stays right */
        return;
    int rc = station_put_layout(c, s, id, data, size);

    if ((rc < 0 && !station_rejects(s, id)) || !s->run)
        return;
    for (size_t i = 0; i < s->run->streams_n; i++)
        for (struct segment *g = s->run->streams[i]->segments; g; g = g->next)
            if (g->aside && g->aside->info.is_key && g->aside->info.layout == id)
                settle_aside(c, g, rc);
}
