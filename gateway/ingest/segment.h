/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment - one run of chained frames as far as it has come: which frame is next, which are
 * kept aside until the gap before them is filled, and the decoder that follows behind. Pure;
 * time is an argument; one thread.
 *
 * Frames are judged by their headers when they come and decoded when their lines are wanted, so
 * that what waits for a slow database is small.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/series/series.h"
#include "gateway/uplink/line_protocol.h"

enum {
    SEGMENT_ASIDE_MAX = 64, /* frames: more come again when the gap is filled */
    SEGMENT_ASK_MS = 2000,  /* between the first two questions for a gap; doubles */
    SEGMENT_ASK_MAX_MS = 60000,
};

struct run; /* station.h */
struct segment;

struct item { /* an entry that is kept: a frame, or an event when there is no segment */
    struct item *next;
    struct run *run;
    struct segment *segment;
    uint64_t seq;
    uint32_t crc;
    int64_t came_ms;
    int64_t newest_ms; /* of its rows that are written; 0: none */
    struct series_info info;
    bool is_replay; /* stored before: only brings the decoder forward */
    size_t size;
    uint8_t data[];
};

struct segment {
    struct segment *next;          /* of the stream, latest used first */
    struct segment *newer, *older; /* of all, by use */
    struct run *run;
    uint32_t stream, number;
    int64_t used_ms;

    bool has_key, is_dense;
    uint32_t last_seq; /* of the frames in order; valid with has_key */
    uint32_t *crcs;    /* of them, by number of the frame */
    size_t crcs_cap;
    const struct line_layout *layout;

    struct item *aside; /* by number of the frame */
    size_t aside_n;
    int64_t ask_ms, ask_wait_ms; /* when to ask for the gap; wait 0: not asked yet */

    struct series_decoder *decoder;
    size_t decoder_bytes; /* estimate */
    size_t queued;        /* frames in order that are not decoded yet: it stays open for them */
    size_t unsettled;     /* the same, or decoded and not stored yet */
    bool is_closed;       /* goes with its last unsettled frame */
    int broken;           /* why a frame could not be decoded: nothing behind it can; or 0 */
    uint32_t broken_seq;  /* that frame */
};

int segment_create(struct run *run, uint32_t stream, uint32_t number, struct segment **ret);
/* Nothing is aside and nothing queued: only what its unsettled frames need stays. */
void segment_destroy(struct segment *s);
/* One of its frames is stored, or given up. */
void segment_settled(struct segment *s);

enum segment_verdict {
    SEGMENT_NEXT,      /* follows: segment_advance() */
    SEGMENT_AHEAD,     /* frames before it are missing */
    SEGMENT_DUPLICATE, /* the same frame came before */
    SEGMENT_FOREIGN,   /* another frame than the one that came before, or not its successor */
};

/* Judges by the header alone. */
enum segment_verdict segment_judge(const struct segment *s, const struct series_info *info);

/* The frame is the next in order. 0 or -ENOMEM, and nothing has changed. `layout`: of a key
 * frame; lives as long as the segment. */
int segment_advance(struct segment *s, const struct series_info *info,
                    const struct line_layout *layout);

/* Takes over the frame. False when too many are aside, or this one is: it stays the caller's.
 */
bool segment_put_aside(struct segment *s, struct item *i);
/* The first one aside, when it is the next in order or, `is_any`, whatever it is; the caller's
 * then. NULL when there is none. */
struct item *segment_take_aside(struct segment *s, bool is_any);

/* True when frames are missing before those aside; *ret_from is the first of them. */
bool segment_lacks(const struct segment *s, uint32_t *ret_from);
/* The question was sent. */
void segment_asked(struct segment *s, int64_t now_ms);

/* Decodes the oldest queued frame; *out lives until the next call. 0, a series_error,
 * -ENOMEM: as it was. */
int segment_decode(struct segment *s, const struct item *i, struct series_frame *out);

/* Why it is broken, in words. */
const char *segment_error_text(int broken);

size_t segment_bytes(const struct segment *s);
