/* SPDX-License-Identifier: Apache-2.0 */
/*
 * end_device - the LoRaWAN side of a simulated sensor: joins, sends on time, opens its windows,
 * obeys the MAC commands that networks really send. LoRaWAN 1.0 and 1.1, classes A and C. Pure
 * but for OpenSSL: the air is the owner's, time is an argument, microseconds of any clock that
 * never goes back. One thread.
 */
#pragma once

#include "gateway/lorawan/frame.h"
#include "gateway/lorawan/network.h"
#include "gateway/lorawan/region.h"

enum { END_DEVICE_ANSWERS_MAX = 15 }; /* bytes of MAC answers: what fits into FOpts */

struct end_device_options {
    struct network_device
        id; /* EUIs, keys, version, class, activation: as the network has them */
    const struct region *region;
    uint8_t channels[(REGION_CHANNELS_MAX + 7) / 8]; /* in use; all zero: all */
    unsigned dr;                                     /* of the first uplink */
    int64_t every_us;                                /* between two uplinks */
    int64_t first_us;         /* its first transmission, on the owner's clock */
    unsigned confirmed_every; /* each so many uplinks one is confirmed; 0: none */
    uint64_t seed;            /* of channels and nonces */
    /* The bytes of the next uplink; their number, 0: nothing to say. */
    int (*payload)(void *user, uint8_t *ret_fport, uint8_t *out, size_t size);
    /* NULL, or data that came down. A reply goes up at once by end_device_say(). */
    void (*on_data)(void *user, uint8_t fport, const uint8_t *bytes, size_t n);
    /* Onto the air, now: at that frequency and rate. */
    void (*transmit)(void *user, uint32_t freq_hz, const struct radio_rate *rate,
                     const uint8_t *phy, size_t n);
    void *user;
};

struct end_device;

/* Options are copied; the region and what id points to must outlive it. 0 or a negative errno.
 */
int end_device_create(const struct end_device_options *o, struct end_device **ret);
void end_device_destroy(struct end_device *d); /* takes NULL */

/* When it wants to be called next. */
int64_t end_device_due(const struct end_device *d);
void end_device_tick(struct end_device *d, int64_t now_us);

/* Whether a transmission that begins at `at_us` would be received. */
bool end_device_listens(const struct end_device *d, uint32_t freq_hz,
                        const struct radio_rate *rate, int64_t at_us);
/* It was, wholly. False: not for this device, or not genuine. */
bool end_device_hear(struct end_device *d, const uint8_t *phy, size_t n, int64_t now_us);

/* Bytes up as soon as the device may: the answer to data that came down. 0, -EBUSY (the one
 * before has not left yet), -ENOTCONN (not joined), -EMSGSIZE. */
int end_device_say(struct end_device *d, uint8_t fport, const uint8_t *bytes, size_t n);

struct end_device_counters {
    bool is_joined;
    uint32_t fcnt_up, fcnt_down; /* next to send, highest heard */
    unsigned dr, tx_power;
    uint64_t joins, uplinks, retransmissions, downlinks, acks, in_rx1, in_rx2, bad;
};
void end_device_get(const struct end_device *d, struct end_device_counters *ret);
