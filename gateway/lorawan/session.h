/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - what a device and the network have agreed upon: addresses, keys, counters, windows;
 * and the bytes it is kept as. Pure but for OpenSSL.
 *
 * The bytes hold no key: those of a join are derived again from the root keys of the
 * configuration and its nonces, those of ABP are the configuration's. A check value tells
 * whether they are still the same. A backup of the log opens nobody's frames.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/lorawan/frame.h"

enum {
    /* FCntDown is kept ahead in blocks, so that an answer costs no write of its own; a restart
     * skips the rest of the block. */
    SESSION_BLOCK = 32,
    /* After a restore from an older log: more than were used since, one hopes, and less than
     * the gap of 16384 that devices before 1.0.4 put up with. */
    SESSION_SKIP = 1024,
};

/* 1.0 counts downlinks once (N), 1.1 those with application data apart (A). */
enum session_down { SESSION_N_DOWN, SESSION_A_DOWN, SESSION_DOWNS };

struct session {
    struct session_keys keys;
    uint64_t key_check;
    uint64_t block_ticket; /* when that one is kept, all of reserved[] may be used */
    uint32_t dev_addr;
    uint32_t join_nonce, net_id;  /* OTAA: of the join that made it */
    uint32_t fcnt_up;             /* next expected */
    uint32_t doubt_fcnt;          /* is_doubtful: highest counter with a right MIC since, + 1 */
    uint32_t down[SESSION_DOWNS]; /* next to be used */
    uint32_t reserved[SESSION_DOWNS]; /* in the state handed out last: the first not to use */
    uint32_t rx2_hz;                  /* what the device listens to, as far as we know */
    uint16_t dev_nonce;
    uint16_t conf_down; /* 1.1: counter of the last confirmed downlink */
    uint8_t rx2_dr, rx1_delay_s, rx1_dr_offset;
    int8_t join_channel;            /* of the join that made it; -1: none of its own */
    uint8_t dr, tx_power, nb_trans; /* as the device was told, or was heard */
    uint8_t extras;                 /* bit i: it has extra channel i */
    uint8_t unkept[SESSION_DOWNS];  /* the last so many of reserved[] may not be used yet */
    bool is_live : 1, is_1_1 : 1;
    bool is_doubtful : 1; /* the log was restored: nobody knows what was taken since */
    bool is_heard : 1;    /* it has sent a frame: downlinks may be sent */
    bool is_masked : 1;   /* it was told which channels are on */
};

/* The counter of all 32 bits; false: it would pass the last one. next: first not yet taken. */
bool session_fcnt(uint32_t next, uint16_t wire, uint32_t *ret);

/* Takes FCntDown ahead when little is left; the bytes written next hold it. ticket: of the
 * commit that keeps them. */
void session_reserve(struct session *s, uint64_t ticket);
/* Whether `which` may be used now; kept_ticket: the last one that is committed. */
bool session_may_send(struct session *s, enum session_down which, uint64_t kept_ticket);
/* Behind every counter that may have been used. */
void session_skip(struct session *s, uint32_t by);

/* Tells sets of keys and addresses apart; reveals nothing. 0 or -EIO. */
int session_key_check(struct crypto *c, const struct session *s, uint64_t *ret);

/* ---- what is kept of a device ---- */

struct session_record {
    struct session current, pending; /* pending: of a join, until its first uplink */
    uint32_t join_nonce;             /* last given */
    int32_t dev_nonce;               /* last taken; -1: none */
    int64_t joined_ms, heard_ms;     /* UTC; 0: never */
    int16_t battery;                 /* -1: never told */
    int8_t margin;
};

enum { SESSION_RECORD_SIZE_MAX = 160 };

size_t session_record_pack(const struct session_record *r,
                           uint8_t out[SESSION_RECORD_SIZE_MAX]);
/* Without keys: the caller derives them and compares key_check. 0 or -EINVAL: not ours, another
 * version, or damaged. */
int session_record_unpack(const uint8_t *data, size_t size, struct session_record *ret);

/* ---- nonces of joins ---- */

/*
 * DevNonces that were taken, in the order they came: when it is full the oldest is forgotten
 * rather than the device refused for ever. Who replays a join of that age gets an answer and
 * nothing else: a session counts from its first uplink on, which needs the keys.
 */
enum { NONCES_MAX = 1024, NONCES_SIZE_MAX = 8 + 2 * NONCES_MAX };

struct nonces {
    uint16_t *values; /* a ring; grows up to NONCES_MAX */
    uint16_t n, room, oldest;
};

void nonces_done(struct nonces *s);
bool nonces_has(const struct nonces *s, uint16_t v);
int nonces_add(struct nonces *s, uint16_t v); /* 0 or -ENOMEM */
size_t nonces_pack(const struct nonces *s, uint8_t out[NONCES_SIZE_MAX]);
int nonces_unpack(const uint8_t *data, size_t size, struct nonces *ret); /* as above */
