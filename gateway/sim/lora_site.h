/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lora_site - the LoRa side of a simulated station: concentrators with their packet forwarders,
 * devices with their instruments, and the air between them. On the loop, in real time; only the
 * instruments live in station time.
 */
#pragma once

#include "gateway/base/clock.h"
#include "gateway/sim/air.h"
#include "gateway/sim/concentrator_sim.h"
#include "gateway/sim/end_device.h"
#include "gateway/sim/instrument.h"

struct lora_site_options {
    uv_loop_t *loop;
    const struct clock *clock; /* of the instruments */
    uint64_t seed;
    double loss;      /* share of frames that the air loses, each way and ear by ear */
    double duplicate; /* share of receptions that reach the gateway twice */
};

struct lora_site;

/* 0 or -ENOMEM. */
int lora_site_create(const struct lora_site_options *o, struct lora_site **ret);

/* A concentrator that speaks to `server`; its counter begins near its wrap. 0 or a negative
 * errno; -EINVAL: server is no address and port. */
int lora_site_add_concentrator(struct lora_site *s, uint64_t eui, const char *server);

/* A device: `id` says who it is on the network; `every_us` real time. The instrument's profile
 * has a payload; region and texts outlive the site. 0 or a negative errno (-ENOTSUP: only a
 * script knows its payload; -ENOBUFS: no room in the air). */
struct lora_site_device {
    struct network_device id;
    const struct region *region;
    uint8_t channels[(REGION_CHANNELS_MAX + 7) / 8]; /* all zero: all */
    int64_t every_us;
    /* NULL, or the line behind it: answers a frame into `out`, returns its length, 0: silence
     */
    size_t (*answer)(void *user, const uint8_t *frame, size_t n, uint8_t *out, size_t size);
    void *user;
};
int lora_site_add_device(struct lora_site *s, const struct lora_site_device *d,
                         const struct instrument_options *in);

/* Begins to send. */
void lora_site_start(struct lora_site *s);

struct lora_site_counters {
    size_t devices, joined;
    uint64_t uplinks, retransmissions, downlinks, acks, in_rx1, in_rx2, bad;
};
void lora_site_get(const struct lora_site *s, struct lora_site_counters *ret);

/* Closes everything; memory goes when the loop has run the close callbacks. Takes NULL. */
void lora_site_destroy(struct lora_site *s);
