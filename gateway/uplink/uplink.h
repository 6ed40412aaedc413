/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uplink - deliver entries of the log to one destination.
 *
 * The forwarder (gateway/forward/) owns cursor, order, retry clock, back-off and thread. An
 * uplink knows one protocol: it is given a batch, it tries once, and says what became of it. It
 * never reads the store and never retries on its own.
 *
 * Threads: every call on one `struct uplink` comes from that uplink's own thread. stop() is the
 * exception and may come from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/series/series.h"
#include "sensors/core/field.h"

struct uplink; /* private to each kind */

/* One entry of the log on its way out; sent again it has the same bytes. */
struct uplink_entry {
    uint64_t seq;
    bool is_event;
    const uint8_t *data; /* frame, or event JSON */
    size_t size;
    /* of a frame, when the kind wants rows: decoded; else NULL */
    const struct series_frame *frame;
    uint32_t layout; /* 0 for events; its dictionary: station->layout_json() */
};

struct uplink_batch {
    const struct uplink_entry *entries;
    size_t n;
};

enum uplink_verdict {
    UPLINK_DELIVERED, /* the destination has it: the cursor may pass */
    UPLINK_SENT,      /* on its way; collect() will tell which entries are acknowledged */
    UPLINK_LATER,     /* transient: keep, send the same bytes again after a pause */
    UPLINK_REFUSED,   /* not as it stands: halve it; one refused entry is set aside */
    UPLINK_DENIED,    /* credentials or destination wrong: stop, keep all, raise an event */
};

/* What happened, in words, for the log and the status page. */
struct uplink_report {
    char text[160];
    int64_t retry_after_ms; /* asked for by the other end; 0 when it did not say */
};

struct uplink_range {
    uint64_t from, to; /* entries, inclusive */
};

struct uplink_need { /* the destination lacks frames of a segment */
    uint32_t stream, segment, from_frame_seq;
};

struct uplink_refusal { /* what send() would have answered, had it known already */
    struct uplink_range entries;
    enum uplink_verdict verdict; /* UPLINK_REFUSED, UPLINK_DENIED or UPLINK_LATER */
    char text[160];
};

/* What came back since the last call. */
struct uplink_acks {
    struct uplink_range acked[64];
    size_t acked_n;
    struct uplink_need need[64];
    size_t need_n;
    struct uplink_refusal refused[8];
    size_t refused_n;
};

/* Who takes what the other end asks, and has the replies. From the uplink's thread. */
struct uplink_asking {
    /* One request. False: there is no room, the other end is to ask again. */
    bool (*take)(void *user, const char *json, size_t size);
    /* The next reply, the caller's to free(); NULL: there is none now. kind->wake() tells when
     * there is one. */
    char *(*next_reply)(void *user);
    void *user;
};

struct uplink_place {
    double lat, lon; /* degrees WGS 84 */
};

/* What stands at the moment, for those who have to be told again and again. */
struct uplink_standing {
    /* The station's alerts whose condition stands, as a JSON list of objects with the members
     * of their events; free() it. NULL: nobody knows yet. *ret_mono_ms: when it was so. From
     * the uplink's thread. */
    char *(*json)(void *user, int64_t *ret_mono_ms);
    void *user;
};

/* Who is sending: the same for all uplinks of a station. */
struct uplink_station {
    const char *id, *region;
    const char *name_en, *name_zh;    /* NULL: it has none */
    const struct uplink_place *place; /* NULL: not known */
    uint64_t epoch;
    const struct clock *clock; /* station time; NULL: the system's */
    /* dictionary of a layout (free() it), NULL when unknown; callable from the uplink's thread
     */
    char *(*layout_json)(void *user, uint32_t layout);
    void *user;
    const struct uplink_asking *asking;     /* of this uplink; NULL: it can be asked nothing */
    const struct uplink_standing *standing; /* NULL: nobody knows */
};

struct uplink_kind {
    const char *name; /* `type:` in the configuration */
    const char *title;
    bool wants_rows;  /* frames must come decoded */
    bool is_windowed; /* send() may answer UPLINK_SENT; several batches may be under way */
    /* An entry may come long after those behind it: one that always fails is passed over. Not
     * of a windowed kind, which acknowledges each by itself. */
    bool takes_any_order;
    /* Not NULL: it takes no frames, and of the events those for which this is true; the others
     * count as delivered. */
    bool (*wants_event)(const struct uplink *u, const uint8_t *json, size_t size);

    const struct field *options; /* closed by an entry without a name */
    size_t options_size;

    /* With these options an acknowledgement is the centre's own word. NULL: it never is. */
    bool (*is_centre)(const void *options);
    /* Make an instance; does not connect. `options` and `station` must outlive it. */
    int (*create)(const void *options, const struct uplink_station *station,
                  struct uplink **ret);
    /* Release everything. Accepts NULL and half-made instances. */
    void (*destroy)(struct uplink *u);
    /* Deliver, connecting first if needed. `why` is always filled. A windowed kind takes an
     * empty batch, which only connects. */
    enum uplink_verdict (*send)(struct uplink *u, const struct uplink_batch *b,
                                struct uplink_report *why);
    /* Wait at most timeout_ms for acknowledgements; windowed kinds only, else NULL. Returns
     * false when the connection is gone: everything unacknowledged is to be sent again. */
    bool (*collect)(struct uplink *u, int64_t timeout_ms, struct uplink_acks *ret);
    /* Not windowed kinds: at the start, and so long after it, send() is called with an empty
     * batch, to say again what stands. NULL: never. */
    int64_t (*repeat_ms)(const struct uplink *u);
    /* How long to wait for an acknowledgement before sending again; windowed kinds only. */
    int64_t (*resend_ms)(const struct uplink *u);
    /* A collect() in progress, or the next one, returns at once; windowed kinds only. Any
     * thread. */
    void (*wake)(struct uplink *u);
    /* Bytes handed over that the next hop has not taken yet; windowed kinds only. */
    size_t (*under_way)(const struct uplink *u);
    /* Leaves in good order; the next send() connects again. NULL: nothing to leave. */
    void (*disconnect)(struct uplink *u);
    /* What send() would put on the wire for this batch, for people to read; `is_whole`: with
     * every byte. Touches nothing outside. 0 or a negative errno. */
    int (*show)(struct uplink *u, const struct uplink_batch *b, bool is_whole, struct buf *out);
    /* Ask a send() or collect() in progress, and every later one, to return soon. Any thread.
     */
    void (*stop)(struct uplink *u);
};

/* All kinds, from kinds.def, closed by NULL; and as the choices of `uplinks: type:`. */
extern const struct uplink_kind *const uplink_kinds[];
const struct uplink_kind *uplink_kind_find(const char *name);
