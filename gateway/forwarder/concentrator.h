/* SPDX-License-Identifier: Apache-2.0 */
/*
 * concentrator - what is known of one packet forwarder: its address, its counter, its figures.
 * For concentrators.c alone. No socket, no clock: time is an argument.
 */
#pragma once

#include <sys/socket.h>

#include "gateway/forwarder/concentrators.h"
#include "gateway/forwarder/counter.h"
#include "gateway/forwarder/semtech.h"
#include "gateway/forwarder/source.h"

enum { CONCENTRATOR_MINUTES = 60 };

struct concentrator {
    const struct concentrator_conf *conf;
    struct source source;
    enum concentrator_state state;
    struct concentrator_counters counters; /* without what concentrator_get() works out */
    struct counter counter;
    uint8_t version; /* of its last PULL_DATA */
    struct sockaddr_storage address;
    int64_t start_us, pull_us, push_us; /* monotonic; 0: never */
    bool has_rx;                        /* since the last stat */
    struct {
        int64_t minute; /* it belongs to, monotonic */
        uint32_t rx;
        int64_t tx_us;
    } minutes[CONCENTRATOR_MINUTES];
};

/* 0, or -EINVAL: `from` is no network. */
int concentrator_init(struct concentrator *c, const struct concentrator_conf *conf,
                      int64_t now_us);

/* PULL_DATA: transmissions go there from now on. True: it was not up before. */
bool concentrator_pulled(struct concentrator *c, const struct semtech_datagram *d,
                         const struct sockaddr *from, int64_t now_us, int64_t utc_ms);
/* PUSH_DATA as a whole. */
void concentrator_pushed(struct concentrator *c, const struct semtech_push *p, int64_t now_us,
                         int64_t utc_ms);
/* Sets the times of a reception that arrived now. True: its counter began again. */
bool concentrator_date(struct concentrator *c, struct semtech_rx *r, int64_t now_us,
                       int64_t boot_ms, int64_t utc_ms);
/* What became of a transmission. */
void concentrator_sent(struct concentrator *c, const struct radio_tx *tx, enum radio_result r,
                       int64_t now_us);

/* When it counts as silent unless PULL_DATA comes; INT64_MAX: it does already. */
int64_t concentrator_silent_us(const struct concentrator *c);
void concentrator_fall_silent(struct concentrator *c);
/* When a transmission is to be handed over. */
int64_t concentrator_hand_over_us(const struct concentrator *c, const struct radio_tx *tx,
                                  int64_t now_us);

void concentrator_get(const struct concentrator *c, int64_t now_us,
                      struct concentrator_counters *ret);
