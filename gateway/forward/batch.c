/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct stream_state {
    uint32_t stream, segment, layout;
    struct series_decoder *decoder; /* NULL unless rows are wanted */
};

void batch_init(struct batch *b, struct store_reader *reader, bool wants_rows,
                bool (*is_wanted)(void *user, const struct store_entry *e), void *user)
{
    *b = (struct batch){
        .reader = reader,
        .wants_rows = wants_rows,
        .bytes_max = BATCH_BYTES_MAX,
        .is_wanted = is_wanted,
        .user = user,
    };
}

void batch_clear(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        free(b->rows[i]);
        b->rows[i] = NULL;
    }
    b->n = b->begin = b->bytes_n = b->cells = b->begun_n = 0;
    b->examined_to = 0;
    b->is_full = false;
    b->error = 0;
}

void batch_advance(struct batch *b, size_t n)
{
    b->begin += n;
    if (b->begin == b->n)
        batch_clear(b);
}

static void drop_streams(struct batch *b, enum batch_lane lane)
{
    for (size_t i = 0; i < b->streams_n[lane]; i++)
        series_decoder_destroy(b->streams[lane][i].decoder);
    b->streams_n[lane] = 0;
}

void batch_begin_lane(struct batch *b, enum batch_lane lane)
{
    drop_streams(b, lane);
}

void batch_set_bytes(struct batch *b, size_t max)
{
    b->bytes_max = max < BATCH_BYTES_MAX ? max : BATCH_BYTES_MAX;
}

void batch_done(struct batch *b)
{
    batch_clear(b);
    for (int lane = 0; lane < LANE_COUNT_; lane++) {
        drop_streams(b, (enum batch_lane)lane);
        free(b->streams[lane]);
        b->streams[lane] = NULL;
    }
    free(b->bytes);
    b->bytes = NULL;
    b->bytes_cap = 0;
}

/* ---- reading ---- */

static bool has_room(const struct batch *b, const struct store_entry *e)
{
    if (b->n == 0)
        return true;
    return b->n < b->limit && b->bytes_n + e->size <= b->bytes_max &&
           b->cells + e->samples <= BATCH_CELLS_MAX;
}

static bool reserve(struct batch *b, size_t more)
{
    size_t cap = b->bytes_cap ? b->bytes_cap : 4096;

    while (cap < b->bytes_n + more)
        cap *= 2;
    if (cap == b->bytes_cap)
        return true;
    uint8_t *bytes = realloc(b->bytes, cap);
    if (!bytes)
        return false;
    b->bytes = bytes;
    b->bytes_cap = cap;
    return true;
}

/* Copies an entry in; its data becomes a pointer when the memory no longer moves. */
static bool take(struct batch *b, const struct store_entry *e)
{
    if (!has_room(b, e)) {
        b->is_full = true;
        return false;
    }
    if (!reserve(b, e->size)) {
        b->error = -ENOMEM;
        return false;
    }
    memcpy(b->bytes + b->bytes_n, e->data, e->size);
    b->heads[b->n] = *e;
    b->entries[b->n] = (struct uplink_entry){ .seq = e->seq,
                                              .is_event = e->kind == STORE_EVENT,
                                              .size = e->size };
    b->n++;
    b->bytes_n += e->size;
    b->cells += e->samples;
    return true;
}

static bool take_wanted(void *user, const struct store_entry *e)
{
    struct batch *b = user;

    if (!e->is_local && b->is_wanted(b->user, e) && !take(b, e))
        return false;
    b->examined_to = e->seq;
    return true;
}

static bool take_any(void *user, const struct store_entry *e)
{
    return take(user, e);
}

/* ---- decoding ---- */

static size_t find_stream(const struct batch *b, enum batch_lane lane, uint32_t stream)
{
    size_t low = 0, high = b->streams_n[lane];

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (b->streams[lane][middle].stream < stream)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct stream_state *get_stream(struct batch *b, enum batch_lane lane, uint32_t stream)
{
    size_t i = find_stream(b, lane, stream);

    if (i < b->streams_n[lane] && b->streams[lane][i].stream == stream)
        return &b->streams[lane][i];
    if (b->streams_n[lane] == BATCH_STREAMS_MAX) {
        drop_streams(b, lane);
        i = 0;
    }
    struct stream_state *all =
        realloc(b->streams[lane], (b->streams_n[lane] + 1) * sizeof *all);
    if (!all)
        return NULL;
    b->streams[lane] = all;
    memmove(all + i + 1, all + i, (b->streams_n[lane] - i) * sizeof *all);
    all[i] = (struct stream_state){ .stream = stream };
    b->streams_n[lane]++;
    return &all[i];
}

struct rebuild {
    struct stream_state *s;
    uint32_t before; /* frames below this one are decoded */
};

static bool feed(void *user, const struct store_entry *e)
{
    struct rebuild *r = user;
    struct series_frame f;

    if (e->frame_seq >= r->before)
        return false;
    return series_decode(r->s->decoder, e->data, e->size, &f) == 0;
}

/* Decodes, after a break in the chain from the segment's key frame on. */
static int decode(struct batch *b, struct stream_state *s, const struct store_entry *e,
                  struct series_frame *ret)
{
    if (!s->decoder && series_decoder_create(&s->decoder) < 0)
        return -ENOMEM;
    int rc = series_decode(s->decoder, e->data, e->size, ret);
    if (rc != SERIES_ECHAIN)
        return rc;
    struct rebuild r = { s, e->frame_seq };
    rc = store_read_segment(b->reader, e->stream, e->segment, 0, feed, &r);
    return rc < 0 ? rc : series_decode(s->decoder, e->data, e->size, ret);
}

/* The decoder's rows live until its next call: they are copied. */
static int keep_rows(struct batch *b, size_t i, const struct series_frame *f)
{
    size_t times = f->info.rows * sizeof *f->time_ms;
    size_t cells = (size_t)f->info.rows * f->info.columns * sizeof *f->cells;
    uint8_t *rows = malloc(times + cells);

    if (!rows)
        return -ENOMEM;
    memcpy(rows, f->time_ms, times);
    memcpy(rows + times, f->cells, cells); /* both have 8-byte members: aligned */
    b->rows[i] = rows;
    b->frames[i] = *f;
    b->frames[i].time_ms = (int64_t *)rows;
    b->frames[i].cells = (struct series_cell *)(rows + times);
    b->entries[i].frame = &b->frames[i];
    b->entries[i].layout = f->info.layout;
    return 0;
}

static bool peek_layout(void *user, const struct store_entry *e)
{
    struct stream_state *s = user;
    struct series_info info;

    if (series_peek(e->data, e->size, &info) == 0 && info.is_key)
        s->layout = info.layout;
    return false;
}

/* A continuing frame is of no use without those before it: they go first. */
static void note_begun(struct batch *b, const struct store_entry *e)
{
    if (b->begun_n < BATCH_BEGUN_MAX)
        b->begun[b->begun_n++] = (struct uplink_need){ e->stream, e->segment, 0 };
}

/* A continuing frame does not name its layout; the key frame of its segment does. */
static void find_layout(struct batch *b, size_t i, struct stream_state *s)
{
    const struct store_entry *e = &b->heads[i];

    if (e->frame_seq == 0)
        peek_layout(s, e);
    else if (s->segment != e->segment || s->layout == 0) {
        s->layout = 0;
        store_read_segment(b->reader, e->stream, e->segment, 0, peek_layout, s);
    }
    if (e->frame_seq > 0 && s->segment != e->segment)
        note_begun(b, e);
    s->segment = e->segment;
    b->entries[i].layout = s->layout;
}

static int complete_entry(struct batch *b, size_t i, enum batch_lane lane)
{
    struct store_entry *e = &b->heads[i];
    struct series_frame f;

    if (e->kind != STORE_FRAME)
        return 0;
    struct stream_state *s = get_stream(b, lane, e->stream);
    if (!s)
        return -ENOMEM;
    if (!b->wants_rows) {
        find_layout(b, i, s);
        return 0;
    }
    int rc = decode(b, s, e, &f);
    if (rc == 0)
        rc = keep_rows(b, i, &f);
    return rc == -ENOMEM ? rc : 0; /* not decodable: without rows */
}

static int complete(struct batch *b, enum batch_lane lane, int rc)
{
    uint8_t *at = b->bytes;

    if (rc == 0)
        rc = b->error;
    for (size_t i = 0; i < b->n; at += b->heads[i].size, i++)
        b->entries[i].data = b->heads[i].data = at;
    for (size_t i = 0; i < b->n && rc == 0; i++)
        rc = complete_entry(b, i, lane);
    if (rc < 0)
        batch_clear(b);
    return rc;
}

static void begin(struct batch *b, size_t limit)
{
    batch_clear(b);
    b->limit = limit < BATCH_ENTRIES_MAX ? limit : BATCH_ENTRIES_MAX;
}

int batch_read_range(struct batch *b, uint64_t from, uint64_t to, size_t limit,
                     enum batch_lane lane)
{
    begin(b, limit);
    return complete(b, lane,
                    (b->only_events ? store_read_event_entries
                                    : store_read_entries)(b->reader, from, to, take_wanted, b));
}

int batch_read_list(struct batch *b, const uint64_t *seqs, size_t n, enum batch_lane lane)
{
    int rc = 0;

    begin(b, n);
    for (size_t i = 0, end; i < n && rc == 0 && b->error == 0; i = end) {
        size_t before = b->n;
        for (end = i + 1; end < n && seqs[end] == seqs[end - 1] + 1;)
            end++;
        rc = store_read_entries(b->reader, seqs[i], seqs[end - 1], take_any, b);
        if (b->n - before < end - i)
            break; /* full, or trimmed: the rest stays due */
    }
    return complete(b, lane, rc);
}

int batch_read_segment(struct batch *b, const struct uplink_need *need, size_t limit,
                       bool wants_all)
{
    begin(b, limit);
    return complete(b, LANE_LIVE,
                    store_read_segment(b->reader, need->stream, need->segment,
                                       need->from_frame_seq, wants_all ? take_any : take_wanted,
                                       b));
}

static int compare_seq(const void *a, const void *b)
{
    const struct store_entry *x = a, *y = b;

    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Newest first from the log: turned round, bytes included. */
static int turn_round(struct batch *b)
{
    uint8_t *turned = malloc(b->bytes_n ? b->bytes_n : 1);
    size_t at = b->bytes_n, offset = 0;

    if (!turned)
        return -ENOMEM;
    for (size_t i = 0; i < b->n; offset += b->heads[i].size, i++) {
        at -= b->heads[i].size;
        memcpy(turned + at, b->bytes + offset, b->heads[i].size);
    }
    memcpy(b->bytes, turned, b->bytes_n);
    free(turned);
    qsort(b->heads, b->n, sizeof b->heads[0], compare_seq);
    for (size_t i = 0; i < b->n; i++)
        b->entries[i] = (struct uplink_entry){ .seq = b->heads[i].seq,
                                               .is_event = true,
                                               .size = b->heads[i].size };
    return 0;
}

struct events {
    struct batch *b;
    uint64_t after;
};

static bool take_event(void *user, const struct store_entry *e)
{
    struct events *v = user;

    return e->seq > v->after && take_wanted(v->b, e);
}

int batch_read_events(struct batch *b, uint64_t after, size_t limit)
{
    struct events v = { b, after };

    begin(b, limit);
    int rc = store_read_events(b->reader, NULL, (unsigned)b->limit, take_event, &v);
    if (rc == 0 && b->n > 0)
        rc = turn_round(b);
    return complete(b, LANE_LIVE, rc);
}
