/* SPDX-License-Identifier: Apache-2.0 */
/*
 * concentrator_sim - a packet forwarder with its concentrator, as the reference forwarder
 * behaves (facts: lorawan sections 1.2 and 1.3): two sockets, keepalives, statistics, a strict
 * reader of txpk, the just-in-time queue, a counter of its own. It shares no code with the
 * gateway's side of the protocol, so that one cannot hide a mistake of the other. Real time;
 * loop thread only.
 */
#pragma once

#include <uv.h>

#include "gateway/sim/air.h"

struct concentrator_sim_options {
    uv_loop_t *loop;
    const char *server; /* "127.0.0.1:1700" */
    uint64_t eui;
    struct air *air;         /* NULL: concentrator_sim_hear() and on_radiate alone */
    int keepalive_ms;        /* 0: 10 s */
    int stat_ms;             /* 0: 30 s */
    uint32_t tmst_start;     /* its counter now */
    uint32_t min_hz, max_hz; /* it transmits between them, else TX_FREQ; max_hz 0: anywhere */
    double loss;             /* share of datagrams, both ways, that the network loses */
    double duplicate;        /* share of PUSH_DATA that arrives twice */
    double crc_bad;          /* share of receptions that are garbled and told with stat -1 */
    bool is_mute;            /* of before version 1.3: never answers a transmission */
    uint64_t seed;
    /* A transmission begins at f->start_us, in 40 ms at most. May be NULL. */
    void (*on_radiate)(void *user, const struct air_frame *f);
    void *user;
};

struct concentrator_sim_counters {
    uint64_t heard, deaf, garbled; /* frames of the air; deaf: it was transmitting */
    uint64_t push, push_acked;     /* acknowledged within 100 ms */
    uint64_t pull, pull_acked;     /* within 200 ms */
    uint64_t asked;                /* PULL_RESP */
    uint64_t unreadable;           /* of them: dropped without a word */
    uint64_t too_late, too_early, collisions, refused;
    uint64_t accepted, radiated, overlapped; /* overlapped: while it was still transmitting */
};

struct concentrator_sim;

/* 0 or a negative errno; -EINVAL: server is no address and port. */
int concentrator_sim_create(const struct concentrator_sim_options *o,
                            struct concentrator_sim **ret);
/* Memory goes when the loop has run the close callbacks. Takes NULL. */
void concentrator_sim_destroy(struct concentrator_sim *c);

/* A frame of the air has ended at f->end_us. */
void concentrator_sim_hear(struct concentrator_sim *c, const struct air_frame *f, float rssi,
                           float snr);
/* Its counter now. */
uint32_t concentrator_sim_tmst(const struct concentrator_sim *c);
/* Power off and on: the counter begins at 0, the queue is empty, sockets are others. 0 or a
 * negative errno of the sockets. */
int concentrator_sim_restart(struct concentrator_sim *c);
/* Its cable is out: datagrams go and come nowhere. */
void concentrator_sim_cut(struct concentrator_sim *c, bool is_cut);
void concentrator_sim_get(const struct concentrator_sim *c,
                          struct concentrator_sim_counters *ret);
