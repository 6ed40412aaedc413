/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/segment.h"

#include <errno.h>
#include <stdlib.h>

enum {
    CRCS_FIRST = 16,
    COLUMN_BYTES = 64, /* state of a decoder per column, rounded up */
    CELL_BYTES = 18,
    INFLATE_BYTES = 48 << 10,
};

int segment_create(struct run *run, uint32_t stream, uint32_t number, struct segment **ret)
{
    struct segment *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->run = run;
    s->stream = stream;
    s->number = number;
    *ret = s;
    return 0;
}

void segment_destroy(struct segment *s)
{
    series_decoder_destroy(s->decoder);
    free(s->crcs);
    s->decoder = NULL;
    s->crcs = NULL;
    s->is_closed = true;
    if (s->unsettled == 0)
        free(s);
}

void segment_settled(struct segment *s)
{
    if (--s->unsettled == 0 && s->is_closed)
        free(s);
}

/* ---- order ---- */

static enum segment_verdict judge_known(const struct segment *s, const struct series_info *info)
{
    return s->crcs[info->seq] == info->crc ? SEGMENT_DUPLICATE : SEGMENT_FOREIGN;
}

enum segment_verdict segment_judge(const struct segment *s, const struct series_info *info)
{
    if (!s->has_key)
        return info->is_key ? SEGMENT_NEXT : SEGMENT_AHEAD;
    if (info->seq <= s->last_seq)
        return judge_known(s, info);
    if (info->seq > s->last_seq + 1)
        return SEGMENT_AHEAD;
    bool follows =
        info->chain == (uint16_t)s->crcs[s->last_seq] && info->is_dense == s->is_dense;
    return follows ? SEGMENT_NEXT : SEGMENT_FOREIGN;
}

static int reserve_crc(struct segment *s, uint32_t seq)
{
    if (seq < s->crcs_cap)
        return 0;
    size_t cap = s->crcs_cap ? s->crcs_cap * 2 : CRCS_FIRST;
    uint32_t *more = realloc(s->crcs, cap * sizeof *more);
    if (!more)
        return -ENOMEM;
    s->crcs = more;
    s->crcs_cap = cap;
    return 0;
}

int segment_advance(struct segment *s, const struct series_info *info,
                    const struct line_layout *layout)
{
    int rc = reserve_crc(s, info->seq);

    if (rc < 0)
        return rc;
    if (info->is_key) {
        s->has_key = true;
        s->is_dense = info->is_dense;
        s->layout = layout;
    }
    s->crcs[info->seq] = info->crc;
    s->last_seq = info->seq;
    s->queued++;
    s->unsettled++;
    s->ask_ms = s->ask_wait_ms = 0;
    return 0;
}

bool segment_put_aside(struct segment *s, struct item *i)
{
    struct item **at = &s->aside;

    if (s->aside_n == SEGMENT_ASIDE_MAX)
        return false;
    while (*at && (*at)->info.seq < i->info.seq)
        at = &(*at)->next;
    if (*at && (*at)->info.seq == i->info.seq)
        return false;
    i->next = *at;
    *at = i;
    s->aside_n++;
    return true;
}

struct item *segment_take_aside(struct segment *s, bool is_any)
{
    struct item *i = s->aside;

    if (!i || (!is_any && segment_judge(s, &i->info) == SEGMENT_AHEAD))
        return NULL;
    s->aside = i->next;
    s->aside_n--;
    return i;
}

bool segment_lacks(const struct segment *s, uint32_t *ret_from)
{
    if (!s->aside || segment_judge(s, &s->aside->info) != SEGMENT_AHEAD)
        return false;
    *ret_from = s->has_key ? s->last_seq + 1 : 0;
    return true;
}

void segment_asked(struct segment *s, int64_t now_ms)
{
    s->ask_wait_ms = s->ask_wait_ms ? s->ask_wait_ms * 2 : SEGMENT_ASK_MS;
    if (s->ask_wait_ms > SEGMENT_ASK_MAX_MS)
        s->ask_wait_ms = SEGMENT_ASK_MAX_MS;
    s->ask_ms = now_ms + s->ask_wait_ms;
}

/* ---- decoding ---- */

static size_t decoder_bytes(const struct series_info *info)
{
    size_t cells = (size_t)info->rows * info->columns;

    return info->columns * COLUMN_BYTES + cells * CELL_BYTES +
           (info->is_deflated ? INFLATE_BYTES + cells : 0);
}

int segment_decode(struct segment *s, const struct item *i, struct series_frame *out)
{
    int rc = s->decoder ? 0 : series_decoder_create(&s->decoder);

    if (rc == 0)
        rc = series_decode(s->decoder, i->data, i->size, out);
    if (rc < 0)
        return rc;
    size_t bytes = decoder_bytes(&out->info);
    if (bytes > s->decoder_bytes)
        s->decoder_bytes = bytes;
    return 0;
}

const char *segment_error_text(int broken)
{
    switch (broken) {
    case -EINVAL:
        return "its columns do not fit its dictionary, or names there cannot be used";
    case SERIES_ECHAIN:
        return "it, or one before it in its segment, does not follow its predecessor";
    default:
        return series_error_text(broken);
    }
}

size_t segment_bytes(const struct segment *s)
{
    return sizeof *s + s->crcs_cap * sizeof *s->crcs + s->decoder_bytes;
}
