/* SPDX-License-Identifier: Apache-2.0 */
/*
 * concentrators - the packet forwarders of the station: Semtech UDP versions 1 and 2 on one
 * socket (facts: lorawan section 1). Main loop only.
 *
 * The protocol has no authentication: who may speak is told by the allow-list of EUI and
 * network, and the socket stands on loopback or the station's LAN. A datagram is acknowledged
 * before anything else is done with it.
 */
#pragma once

#include <uv.h>

#include "gateway/base/clock.h"
#include "gateway/lorawan/radio.h"

enum { CONCENTRATORS_MAX = 16 };

struct concentrator_conf { /* lives as long as the object */
    const char *id;
    uint64_t eui;
    const char *from;     /* address or network "192.0.2.0/24"; NULL: any */
    int64_t keepalive_ms; /* of PULL_DATA; it is silent after three */
    bool is_gps_locked;   /* its time is believed when it agrees within 2 s */
    bool is_late;         /* no queue: hand over 300 ms before the time */
};

enum concentrator_state { CONCENTRATOR_WAITING, CONCENTRATOR_UP, CONCENTRATOR_SILENT };

struct concentrator_counters {
    uint64_t push, pull, rx, rx_crc_bad, rx_malformed, tx, tx_accepted, tx_refused,
        tx_no_answer;
    uint64_t restarts;                     /* tmst went back */
    uint64_t tmst_stuck;                   /* receptions with the counter of one long before */
    uint64_t rxnb_same;                    /* stats in a row with one rxnb and no reception */
    bool has_no_pull;                      /* it pushes but cannot be sent to: no PULL_DATA */
    uint64_t rxnb, rxok, rxfw, dwnb, txnb; /* of its last stat */
    double ackr, temp, lat, lon, alt;      /* NaN: not told */
    double tx_share, rx_per_min;           /* of the last hour, of the last minutes */
    int64_t push_ms, pull_ms;              /* UTC of the last; 0: never */
    char address[64];                      /* where transmissions go; "": not known */
};

struct concentrators_options {
    uv_loop_t *loop;
    const struct clock *clock;
    const char *listen; /* "127.0.0.1:1700" */
    const struct concentrator_conf *concentrators;
    size_t n;
    /* Times in mono_us are uv_hrtime() / 1000. */
    void (*on_rx)(void *user, const struct radio_rx *rx);
    void (*on_result)(void *user, uint64_t id, enum radio_result r);
    /* Up, silent (also when it was never heard for three keepalives); is_restart: its counter
     * began again, what it had queued is gone. */
    void (*on_state)(void *user, uint32_t concentrator, enum concentrator_state s,
                     bool is_restart);
    /* NULL, or whoever is refused: unknown EUI, or not from its network. At most one a minute
     * and EUI. A full sentence. */
    void (*on_stranger)(void *user, uint64_t eui, const char *why);
    void *user;
};

struct concentrators;

/* Options' arrays must outlive it. 0 or a negative errno; `error` gets a full sentence. */
int concentrators_start(const struct concentrators_options *o, struct concentrators **ret,
                        char *error, size_t error_size);
unsigned concentrators_port(const struct concentrators *c);
/* Sends at once (or, where is_late, just before its time). on_result comes once, later, and not
 * after concentrators_stop(). 0, -ENOTCONN: the concentrator has no address, it was never heard
 * or is silent; -ENOBUFS: 128 wait for an answer; or what the socket says. */
int concentrators_send(struct concentrators *c, const struct radio_tx *tx);
enum concentrator_state concentrators_get(const struct concentrators *c, uint32_t i,
                                          struct concentrator_counters *ret);
/* Ends everything; on_closed once the handles are gone. */
void concentrators_stop(struct concentrators *c, void (*on_closed)(void *user), void *user);
void concentrators_destroy(struct concentrators *c); /* after on_closed; takes NULL */
