/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/export_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/export_show.h"
#include "gateway/store/tail.h"

enum { SENTENCE_MAX = 320, PENDING_ROWS_MAX = 1 << 22 };

#define EVENTS UINT32_MAX /* "stream" of events in a catalogue */

/* What a pass over a damaged file found, in the order of numbers. */
struct catalogue {
    struct found {
        uint64_t seq;
        uint32_t stream;
    } * found;
    size_t n, cap;
    bool is_made, has_failed;
};

struct pending {
    int64_t *time_ms;
    struct series_cell *cells;
    size_t rows, rows_cap;
    unsigned columns;
    uint32_t layout;
    bool has_failed;
};

struct reading {
    const struct export_walk *w;
    struct export_counts *counts;
    const struct export_stream *stream;
    struct series_decoder *decoder;
    struct catalogue catalogue;
    struct pending pending;
    uint64_t seq_last;
    bool has_last; /* a frame was handed on; the newest: */
    uint32_t segment, frame_seq;
    bool is_told; /* of this segment: it cannot be decoded further */
    uint32_t told_segment;
    uint64_t done, total; /* frames */
    int rc;               /* of the sink */
};

__attribute__((format(printf, 2, 3))) static void tell(struct reading *r, const char *format,
                                                       ...)
{
    char sentence[SENTENCE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    r->counts->troubles++;
    r->w->trouble(r->w->user, sentence);
}

/* ---- rows ---- */

static int put_row(struct reading *r, uint32_t layout, unsigned columns, int64_t time_ms,
                   const struct series_cell *cells)
{
    const struct export_layout *l =
        export_log_layout(r->w->log, layout, r->stream->number, columns);

    if (!l)
        return -ENOMEM;
    if (l->chosen_n == 0)
        return 0;
    r->counts->rows++;
    r->counts->values += l->chosen_n;
    return r->w->sink->row(r->w->user, l, time_ms, cells);
}

static bool is_in_span(const struct reading *r, int64_t time_ms)
{
    return time_ms >= r->w->from && time_ms < r->w->to;
}

static int put_rows(struct reading *r, const struct series_frame *f)
{
    const struct series_cell *cells = f->cells;
    int rc = 0;

    for (unsigned i = 0; i < f->info.rows && rc == 0; i++, cells += f->info.columns)
        if (is_in_span(r, f->time_ms[i]))
            rc = put_row(r, f->info.layout, f->info.columns, f->time_ms[i], cells);
    return rc;
}

/* ---- frames ---- */

/* Told once for a segment: what follows in it has the same cause. */
static void tell_undecodable(struct reading *r, const struct store_entry *e, int why)
{
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

    if ((r->is_told && r->told_segment == e->segment) || e->t_last < r->w->from ||
        e->t_first >= r->w->to)
        return;
    r->is_told = true;
    r->told_segment = e->segment;
    time_print_utc(e->t_first, from);
    time_print_utc(e->t_last, to);
    tell(r,
         say("Entry %" PRIu64 ", a frame of stream %s from %s to %s, cannot be decoded, "
             "nor can those after it in its segment: %s",
             "条目 %" PRIu64 "（数据流 %s 的帧，%s 至 %s）及同段其后各帧无法解码：%s"),
         e->seq, r->stream->name, from, to, series_error_text(why));
}

/* The first frames of the segment are not there, and nothing else is wrong. */
static bool is_orphan(const struct reading *r, const struct store_entry *e, int rc)
{
    bool is_next = r->has_last && r->segment == e->segment;

    return rc == SERIES_ECHAIN && !is_next && e->frame_seq > 0 &&
           !(r->is_told && r->told_segment == e->segment);
}

static int take_decoded(struct reading *r, const struct store_entry *e)
{
    struct series_frame f;
    int rc = e->size ? series_decode(r->decoder, e->data, e->size, &f) : SERIES_EFORMAT;

    if (rc == -ENOMEM)
        return rc;
    if (rc == 0) {
        r->segment = e->segment;
        r->frame_seq = e->frame_seq;
        r->has_last = true;
        return put_rows(r, &f);
    }
    if (is_orphan(r, e, rc) && !r->catalogue.is_made)
        r->counts->frames_orphaned++;
    else
        tell_undecodable(r, e, rc);
    return 0;
}

static int take_stored(struct reading *r, const struct store_entry *e)
{
    struct series_info info;
    int rc = e->size ? series_peek(e->data, e->size, &info) : SERIES_EFORMAT;

    r->segment = e->segment;
    r->frame_seq = e->frame_seq;
    r->has_last = true;
    if (rc < 0) {
        tell_undecodable(r, e, rc);
        return 0;
    }
    return r->w->sink->frame(r->w->user, e);
}

static bool take_frame(void *user, const struct store_entry *e)
{
    struct reading *r = user;

    r->counts->frames++;
    if (++r->done > r->total)
        r->total = r->done;
    r->w->progress(r->w->user, r->done, r->total, r->stream->name);
    r->rc = r->w->sink->takes_frames ? take_stored(r, e) : take_decoded(r, e);
    return r->rc == 0;
}

/* ---- a damaged file ---- */

static bool note_entry(void *user, const struct store_entry *e)
{
    struct reading *r = user;
    struct catalogue *c = &r->catalogue;

    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 4096;
        struct found *grown = realloc(c->found, cap * sizeof *grown);
        if (!grown) {
            c->has_failed = true;
            return false;
        }
        c->found = grown;
        c->cap = cap;
    }
    uint32_t stream = e->kind == STORE_EVENT ? EVENTS : e->stream;
    c->found[c->n++] = (struct found){ e->seq, stream };
    if (stream != EVENTS && export_log_note_stream(r->w->log, stream) < 0)
        c->has_failed = true;
    return !c->has_failed;
}

static void note_lost(void *user, uint64_t from, uint64_t to)
{
    struct reading *r = user;

    if (to == UINT64_MAX)
        tell(r,
             say("Entries from number %" PRIu64 " on cannot be read: the file is damaged "
                 "or cut there.",
                 "自条目 %" PRIu64 " 起无法读取：文件在此处损坏或被截断。"),
             from);
    else
        tell(r,
             say("Entries %" PRIu64 " to %" PRIu64 " cannot be read: the file is damaged "
                 "there.",
                 "条目 %" PRIu64 " 至 %" PRIu64 " 无法读取：文件在此处损坏。"),
             from, to);
}

static int make_catalogue(struct reading *r)
{
    if (r->catalogue.is_made)
        return 0;
    int rc = store_salvage(r->w->log->reader, note_entry, note_lost, r);
    if (rc < 0 || r->catalogue.has_failed)
        return rc < 0 ? rc : -ENOMEM;
    r->catalogue.is_made = true;
    return 0;
}

/* Whether the frame was handed on before the indexes failed. */
static bool is_repeated(const struct reading *r, const struct store_entry *e)
{
    if (!r->has_last)
        return false;
    return e->segment < r->segment ||
           (e->segment == r->segment && e->frame_seq <= r->frame_seq);
}

/* Frames before the span are taken as far back as a segment can reach that goes on into it. */
static bool take_found(void *user, const struct store_entry *e)
{
    struct reading *r = user;

    if (is_repeated(r, e) || e->seq > r->seq_last || e->t_first >= r->w->to ||
        e->t_last < r->w->from - TAIL_FRAME_SPAN_MS)
        return true;
    return take_frame(r, e);
}

static int salvage_frames(struct reading *r)
{
    int rc = make_catalogue(r);

    for (size_t i = 0; rc == 0 && r->rc == 0 && i < r->catalogue.n; i++) {
        const struct found *f = &r->catalogue.found[i];
        if (f->stream != r->stream->number)
            continue;
        rc = store_read_entries(r->w->log->reader, f->seq, f->seq, take_found, r);
        if (rc == -EBADMSG || rc == -EIO) {
            note_lost(r, f->seq, f->seq);
            rc = 0;
        }
    }
    return rc;
}

/* ---- rows in no frame ---- */

static bool keep_pending(void *user, int64_t time_ms, const struct series_cell *cells,
                         unsigned columns, uint32_t layout)
{
    struct pending *p = user;

    if (p->rows == p->rows_cap) {
        size_t cap = p->rows_cap ? p->rows_cap * 2 : 64;
        int64_t *times = realloc(p->time_ms, cap * sizeof *times);
        if (times)
            p->time_ms = times;
        struct series_cell *grown = realloc(p->cells, cap * columns * sizeof *grown);
        if (grown)
            p->cells = grown;
        if (!times || !grown || cap > PENDING_ROWS_MAX) {
            p->has_failed = true;
            return false;
        }
        p->rows_cap = cap;
    }
    p->columns = columns;
    p->layout = layout;
    p->time_ms[p->rows] = time_ms;
    memcpy(p->cells + p->rows++ * columns, cells, columns * sizeof *cells);
    return true;
}

static void forget_pending(struct pending *p)
{
    free(p->time_ms);
    free(p->cells);
    *p = (struct pending){ 0 };
}

static int take_pending(struct reading *r)
{
    struct pending *p = &r->pending;
    int rc;

    forget_pending(p);
    r->seq_last = INT64_MAX;
    rc = store_read_pending(r->w->log->reader, r->stream->number, r->w->from, r->w->to,
                            keep_pending, p, &r->seq_last);
    if (p->has_failed || rc == -ENOMEM)
        return -ENOMEM;
    if (rc < 0)
        tell(r,
             say("Newest rows of stream %s, in no frame yet, cannot be read: %s.",
                 "数据流 %s 尚未封装的最新数据无法读取：%s。"),
             r->stream->name, strerror(-rc));
    return 0;
}

static int put_pending(struct reading *r)
{
    const struct pending *p = &r->pending;
    int rc = 0;

    if (r->w->sink->takes_frames) {
        r->counts->rows_unsealed += p->rows;
        return 0;
    }
    for (size_t i = 0; i < p->rows && rc == 0; i++)
        rc = put_row(r, p->layout, p->columns, p->time_ms[i], p->cells + i * p->columns);
    return rc;
}

/* ---- all streams ---- */

static int read_frames(struct reading *r)
{
    if (r->w->is_salvage || r->catalogue.is_made)
        return salvage_frames(r);
    int rc = store_read_frames(r->w->log->reader, r->stream->number, r->w->from, r->w->to,
                               r->seq_last, take_frame, r);
    if (rc != -EBADMSG && rc != -EIO)
        return rc;
    tell(r,
         say("The log is damaged; stream %s is searched for without its indexes.",
             "日志已损坏；将不经索引查找数据流 %s。"),
         r->stream->name);
    return salvage_frames(r);
}

static int walk_stream(struct reading *r, const struct export_stream *s)
{
    r->stream = s;
    r->has_last = r->is_told = false;
    int rc = r->w->sink->begin(r->w->user, s);
    if (rc == 0)
        rc = take_pending(r);
    if (rc == 0)
        rc = read_frames(r);
    if (rc == 0)
        rc = r->rc;
    if (rc == 0)
        rc = put_pending(r);
    r->counts->streams++;
    return rc;
}

static bool is_for_sink(const struct export_walk *w, const struct export_stream *s)
{
    return !(s->is_local && w->sink->is_for_uplinks) && export_log_wants(w->log, s->number);
}

static uint64_t count_all(const struct export_walk *w)
{
    uint64_t n = 0;

    for (size_t i = 0; i < w->log->streams_n; i++)
        if (is_for_sink(w, &w->log->streams[i]))
            n += store_count_frames(w->log->reader, w->log->streams[i].number, w->from, w->to);
    return n;
}

int export_walk_streams(struct export_walk *w, struct export_counts *counts)
{
    struct reading r = { .w = w, .counts = counts };
    int rc = series_decoder_create(&r.decoder);

    if (rc == 0 && (w->is_salvage || w->log->is_damaged))
        rc = make_catalogue(&r);
    r.total = rc == 0 ? count_all(w) : 0;
    /* the list may grow meanwhile, when a damage is met, and move */
    for (size_t i = 0; rc == 0 && i < w->log->streams_n; i++) {
        const struct export_stream s = w->log->streams[i];
        if (is_for_sink(w, &s))
            rc = walk_stream(&r, &s);
    }
    forget_pending(&r.pending);
    free(r.catalogue.found);
    series_decoder_destroy(r.decoder);
    return rc;
}

/* ---- events ---- */

static bool note_event(void *user, const struct store_entry *e)
{
    const struct reading *r = user;

    return is_in_span(r, e->t_first) ? note_entry(user, e) : true;
}

static bool take_event(void *user, const struct store_entry *e)
{
    struct reading *r = user;

    if (!is_in_span(r, e->t_first))
        return true;
    r->counts->events++;
    r->rc = r->w->sink->event(r->w->user, e);
    return r->rc == 0;
}

/* Newest first, which put_events() turns round. */
static int list_events(struct reading *r)
{
    int rc = r->w->is_salvage
                 ? -EBADMSG
                 : store_read_events(r->w->log->reader, NULL, UINT32_MAX, note_event, r);

    if (rc == -EBADMSG || rc == -EIO) {
        r->catalogue.n = 0;
        return make_catalogue(r);
    }
    return r->catalogue.has_failed ? -ENOMEM : rc;
}

static int put_events(struct reading *r)
{
    const struct catalogue *c = &r->catalogue;
    int rc = 0;

    for (size_t i = 0; i < c->n && rc == 0 && r->rc == 0; i++) {
        const struct found *f = &c->found[c->is_made ? i : c->n - 1 - i];
        if (f->stream != EVENTS)
            continue;
        rc = store_read_entries(r->w->log->reader, f->seq, f->seq, take_event, r);
        if (rc == -EBADMSG || rc == -EIO) {
            note_lost(r, f->seq, f->seq);
            rc = 0;
        }
    }
    return rc < 0 ? rc : r->rc;
}

int export_walk_events(struct export_walk *w, struct export_counts *counts)
{
    struct reading r = { .w = w, .counts = counts };
    int rc = list_events(&r);

    if (rc == 0)
        rc = put_events(&r);
    free(r.catalogue.found);
    return rc;
}
