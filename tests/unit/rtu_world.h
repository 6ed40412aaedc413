/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtu_world - a simulated RS-485 line with hostile units on it, in virtual time.
 *
 * Units take requests in order and answer in order, soon, late (up to LATE_MAX_US), never, cut
 * short, with a tail or twice; other masters talk to the same units and to others; noise
 * alters, loses and adds bytes on the way in both directions; what overlaps on the wire is
 * garbled. A register's value says which request it answers, and every piece on the wire knows
 * it too, so that a wrong answer that is taken is always seen.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "gateway/bus/modbus_frame.h"
#include "sensors/core/bytes.h"
#include "tests/unit/unit.h"

enum {
    WORLD_UNITS = 3, /* 1 to 3 */
    WORLD_PIECES = 512,
    WORLD_PIECE_MAX = 320,
    WORLD_CHAR_US = 1042, /* 9600 8N1 */
    WORLD_BURST = 16,     /* bytes: USB adapters hand on every 16 ms */
    WORLD_GAP_US = 3647,
    WORLD_STRANGE_US = 20000,
    WORLD_BACKLOG_MAX = 6,
    LATE_MAX_US = 40000000,
    FOREIGN_SERIAL = -1, /* of what answers another master */
    NOBODY = -2,
};

struct world_habits {
    double late, silent, refuse, shortened, lengthened, twice; /* shares of answers */
    double noise;                                              /* share of bytes */
    double foreign; /* dialogues of others per request of ours */
    bool has_shared_units;
    bool has_echo;
};

struct world_piece {
    int64_t start_us, end_us;
    int64_t serial;  /* of the request that it answers, NOBODY: of none */
    bool is_last;    /* of its frame */
    bool is_garbled; /* on the wire or by noise: what came is not what was sent */
    bool is_request; /* units hear it */
    bool is_own;     /* this master sent it */
    size_t n;
    uint8_t bytes[WORLD_PIECE_MAX];
};

struct world_unit {
    int64_t free_us;                     /* its transmitter */
    int64_t ready_us[WORLD_BACKLOG_MAX]; /* of answers not sent yet */
    int64_t executed;                    /* serial of the last write it carried out */
    bool has_backlog;                    /* takes requests while it is busy */
};

struct world {
    struct world_habits habit;
    uint64_t random;
    int64_t now_us;
    int64_t serial; /* of the last request of ours */
    struct world_unit unit[WORLD_UNITS + 1];
    size_t n;
    struct world_piece piece[WORLD_PIECES]; /* on the wire or to come, in no order */
    long damaged; /* frames for this request or its answer that noise altered */
    long lates, dropped;
};

static inline uint64_t world_random(struct world *w)
{
    uint64_t z = (w->random += 0x9E3779B97F4A7C15u);

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline double world_share(struct world *w)
{
    return (double)(world_random(w) >> 11) * 0x1p-53;
}

static inline int64_t world_between(struct world *w, int64_t low, int64_t high)
{
    return low + (int64_t)(world_random(w) % (uint64_t)(high - low + 1));
}

/* Differs between any two of 65536 requests in a row. */
static inline uint16_t world_value(uint8_t unit, uint16_t address, int64_t serial)
{
    return (uint16_t)((uint64_t)serial * 40503u + address * 257u + unit * 4099u);
}

/* ---- the wire ---- */

static inline void world_garble(struct world *w, struct world_piece *p)
{
    if (p->is_garbled)
        return;
    for (size_t i = 0; i < p->n; i++)
        p->bytes[i] ^= (uint8_t)world_random(w);
    p->is_garbled = true;
}

static inline void world_put(struct world *w, struct world_piece p)
{
    if (w->n == WORLD_PIECES) {
        w->dropped++;
        return;
    }
    for (size_t i = 0; i < w->n; i++) {
        struct world_piece *q = &w->piece[i];
        if (q->start_us < p.end_us && p.start_us < q->end_us && q->serial != p.serial) {
            world_garble(w, q);
            world_garble(w, &p);
        }
    }
    w->piece[w->n++] = p;
}

static inline void world_add_noise(struct world *w, struct world_piece *p)
{
    uint8_t out[WORLD_PIECE_MAX];
    size_t n = 0;

    for (size_t i = 0; i < p->n && n + 2 < sizeof out; i++) {
        double x = w->habit.noise > 0 ? world_share(w) / w->habit.noise : 2;
        if (x < 1)
            p->is_garbled = true;
        if (x < 0.15)
            continue;
        if (x < 0.3)
            out[n++] = (uint8_t)world_random(w);
        bool is_altered = x >= 0.3 && x < 1;
        out[n++] = (uint8_t)(p->bytes[i] ^ (is_altered ? world_between(w, 1, 255) : 0));
    }
    memcpy(p->bytes, out, n);
    p->n = n;
}

/* A frame in pieces of at most WORLD_BURST bytes, as drivers hand them on. Returns when its
 * last byte is over.
 */
static inline int64_t world_transmit(struct world *w, const uint8_t *bytes, size_t n,
                                     int64_t start_us, struct world_piece like)
{
    size_t parts = n / WORLD_BURST + 1 + (size_t)world_between(w, 0, n > 6 ? 2 : 0);

    if (like.is_request)
        parts = 1; /* units hear whole frames */
    for (size_t i = 0; i < parts; i++) {
        size_t from = n * i / parts, to = n * (i + 1) / parts;
        like.start_us = start_us + (int64_t)from * WORLD_CHAR_US;
        like.end_us = start_us + (int64_t)to * WORLD_CHAR_US;
        like.is_last = i + 1 == parts;
        like.n = to - from;
        memcpy(like.bytes, bytes + from, like.n);
        world_put(w, like);
    }
    return start_us + (int64_t)n * WORLD_CHAR_US;
}

/* ---- units ---- */

static inline size_t world_seal(uint8_t *p, size_t n)
{
    uint16_t crc = adu_crc(p, n);

    p[n] = (uint8_t)crc;
    p[n + 1] = (uint8_t)(crc >> 8);
    return n + ADU_CRC;
}

static inline size_t world_read_data(const uint8_t *q, int64_t serial, uint8_t *out)
{
    uint16_t first = get_be16(q + 2), count = get_be16(q + 4);
    size_t data = adu_data_bytes(q[1], count);

    out[2] = (uint8_t)data;
    for (size_t i = 0; i < data; i++) {
        uint16_t v = world_value(q[0], (uint16_t)(first + i / 2), serial);
        out[3 + i] = (uint8_t)(i % 2 ? v : v >> 8);
    }
    return world_seal(out, 3 + data);
}

/* The answer to a sound request. */
static inline size_t world_answer(struct world *w, const uint8_t *q, int64_t serial,
                                  uint8_t *out)
{
    memcpy(out, q, 6);
    if (world_share(w) < w->habit.refuse) {
        out[1] |= 0x80;
        out[2] = 2;
        return world_seal(out, 3);
    }
    if (q[1] == BUS_IDENTIFY) {
        memcpy(out + 1, "\x2B\x0E\4\1\0\0\1", 7);
        out[8] = q[4];
        out[9] = 4;
        put_be16(out + 10, world_value(q[0], q[4], serial) | 0x0101);
        put_be16(out + 12, 0x4142);
        return world_seal(out, 14);
    }
    if (q[1] <= BUS_READ_INPUT)
        return world_read_data(q, serial, out);
    w->unit[q[0]].executed = serial;
    return world_seal(out, 6);
}

static inline int64_t world_delay(struct world *w)
{
    if (world_share(w) >= w->habit.late)
        return world_between(w, 2000, 60000);
    w->lates++;
    int64_t top_us = (int64_t)1 << world_between(w, 18, 25); /* as many short as long ones */
    return world_between(w, top_us / 2, top_us < LATE_MAX_US ? top_us : LATE_MAX_US);
}

static inline bool world_is_busy(struct world_unit *u, int64_t now_us, int64_t ready_us)
{
    size_t limit = u->has_backlog ? WORLD_BACKLOG_MAX : 1;

    for (size_t i = 0; i < limit; i++) {
        if (u->ready_us[i] <= now_us) {
            u->ready_us[i] = ready_us;
            return false;
        }
    }
    return true;
}

static inline void world_hear(struct world *w, const struct world_piece *p)
{
    const uint8_t *q = p->bytes;
    uint8_t out[WORLD_PIECE_MAX];

    if (p->n < 7 || adu_rtu_any(q, p->n) != p->n || q[0] < 1 || q[0] > WORLD_UNITS)
        return;
    struct world_unit *u = &w->unit[q[0]];
    int64_t start_us = w->now_us + world_delay(w);
    if (start_us < u->free_us + WORLD_GAP_US)
        start_us = u->free_us + WORLD_GAP_US;
    if (world_is_busy(u, w->now_us, start_us) || world_share(w) < w->habit.silent)
        return;
    size_t n = world_answer(w, q, p->serial, out);
    double kind = world_share(w);
    bool is_short = kind < w->habit.shortened;
    bool is_long = !is_short && kind < w->habit.shortened + w->habit.lengthened;
    if (is_short)
        n = (size_t)world_between(w, 1, (int64_t)n - 1);
    for (int i = 0; is_long && i < 20; i++)
        out[n++] = (uint8_t)world_random(w);
    struct world_piece like = { .serial = p->serial };
    u->free_us = world_transmit(w, out, n, start_us, like);
    if (!is_long && world_share(w) < w->habit.twice)
        u->free_us = world_transmit(w, out, n, u->free_us, like);
}

/* ---- other masters ---- */

static inline void world_talk_of_others(struct world *w)
{
    uint8_t q[ADU_RTU_MAX] = { 0 }, a[WORLD_PIECE_MAX];
    bool is_shared = w->habit.has_shared_units && world_share(w) < 0.5;
    int64_t start_us = w->now_us + world_between(w, 0, 400000);

    q[0] = (uint8_t)(is_shared ? world_between(w, 1, WORLD_UNITS) : world_between(w, 20, 30));
    q[1] = world_share(w) < 0.2 ? BUS_READ_COILS : BUS_READ_HOLDING;
    put_be16(q + 2, (uint16_t)world_between(w, 0, 100));
    put_be16(q + 4, (uint16_t)(q[1] == BUS_READ_COILS ? 60 : world_between(w, 1, 3)));
    size_t n = world_seal(q, 6);
    struct world_piece like = { .serial = FOREIGN_SERIAL, .is_request = true };
    int64_t end_us = world_transmit(w, q, n, start_us, like);
    if (is_shared)
        return;
    like.is_request = false;
    memcpy(a, q, 2);
    n = world_read_data(q, FOREIGN_SERIAL, a);
    world_transmit(w, a, n, end_us + world_between(w, WORLD_GAP_US, 60000), like);
}

/* ---- the master's side ---- */

static inline void world_send(struct world *w, const uint8_t *bytes, size_t n)
{
    struct world_piece like = { .serial = ++w->serial, .is_request = true, .is_own = true };

    world_transmit(w, bytes, n, w->now_us, like);
    for (double x = w->habit.foreign; world_share(w) < x; x -= 1)
        world_talk_of_others(w);
}

static inline struct world_piece *world_next(struct world *w)
{
    struct world_piece *first = NULL;

    for (size_t i = 0; i < w->n; i++) {
        if (!first || w->piece[i].end_us < first->end_us)
            first = &w->piece[i];
    }
    return first;
}

/* Lets time pass until a piece arrives at the master (true) or the moment has come. */
static inline bool world_pass(struct world *w, int64_t until_us, struct world_piece *ret)
{
    for (struct world_piece *p; (p = world_next(w)) && p->end_us <= until_us;) {
        *ret = *p;
        *p = w->piece[--w->n];
        if (ret->end_us > w->now_us)
            w->now_us = ret->end_us;
        struct world_piece heard = *ret;
        world_add_noise(w, &heard);
        w->damaged += ret->serial == w->serial && heard.is_garbled;
        if (heard.is_request)
            world_hear(w, &heard);
        if (ret->is_own && !w->habit.has_echo)
            continue;
        world_add_noise(w, ret);
        w->damaged += ret->serial == w->serial && ret->is_garbled;
        if (ret->is_own)
            ret->serial = NOBODY;
        if (ret->n > 0)
            return true;
    }
    if (until_us > w->now_us)
        w->now_us = until_us;
    return false;
}

static inline void world_init(struct world *w, const struct world_habits *h, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->habit = *h;
    w->random = seed;
    w->now_us = 1000000;
    for (size_t i = 0; i <= WORLD_UNITS; i++)
        w->unit[i].has_backlog = i % 2;
}
