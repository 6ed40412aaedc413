/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lora - the station's LoRa devices: what they send becomes scans, what is said to them goes
 * out.
 *
 *   concentrators -> network server -\
 *                                     >- payload (layout, LPP, script) -> scans
 *   ChirpStack, The Things Stack ----/
 *
 * Main thread, but for lora_committed(). The state of the network server (counters, nonces,
 * sessions), the frame as it came and the readings made of it are one scan, and so one
 * transaction of the log; an answer goes out when that is committed. A frame that a script has
 * to decode is kept first, with a mark; its readings and the end of the mark follow in one
 * transaction, after a restart too.
 */
#pragma once

#include <uv.h>

#include "gateway/base/clock.h"
#include "gateway/base/scan.h"
#include "gateway/bus/bus.h"
#include "gateway/codec/codec.h"
#include "gateway/forwarder/concentrators.h"
#include "gateway/lns/feed.h"
#include "gateway/lorawan/network.h"
#include "gateway/store/store.h"
#include "sensors/profile/profile.h"

enum lora_kind {
    LORA_NONE, /* a Modbus bus: of no concern */
    LORA_UDP,
    LORA_FEED,
};

struct lora_bus {
    const char *id;
    enum lora_kind kind;
    /* LORA_UDP */
    const char *listen;
    const struct concentrator_conf *concentrators;
    const struct network_gateway *gateways; /* the same ones */
    size_t concentrators_n;
    struct network_options network; /* without devices, gateways and callbacks */
    /* LORA_FEED */
    struct feed_conf feed;
};

struct lora_device {
    uint32_t number; /* in scans */
    uint32_t bus;    /* index into buses */
    const char *id;
    const struct profile *profile;
    struct network_device network; /* LORA_FEED: the DevEUI alone */
    const char *script;            /* path of a codec; NULL: the profile's layout decodes */
    const char *variables;         /* JSON object for the script; NULL */
    int64_t every_ms;              /* expected interval of uplinks, station time */
    bool is_enabled;
};

enum lora_state { LORA_WAITING, LORA_ONLINE, LORA_SILENT, LORA_DISABLED };

/* What people want to know of a device. */
struct lora_device_view {
    enum lora_state state;
    struct network_device_state
        net;                     /* LORA_FEED: heard, rssi, snr, fcnt_up, uplinks, battery */
    const char *gateway;         /* that heard it best; NULL: nobody yet */
    uint64_t decoded, undecoded; /* messages */
    const char *why;             /* in the caller's language, of the last that was not; "" */
};

struct lora_options {
    uv_loop_t *loop;
    const struct clock *clock;
    struct store *store;
    const struct lora_bus *buses; /* as many as the configuration has, LORA_NONE in between */
    size_t buses_n;
    const struct lora_device *devices;
    size_t devices_n;
    /* Whether UTC may be told to devices. */
    bool (*is_time_believed)(void *user);
    int (*on_scan)(void *user, const struct scan *s);  /* 0: the log takes it */
    int64_t (*newest_ms)(void *user, uint32_t number); /* of the device's rows; 0: none */
    void (*on_state)(void *user, uint32_t number, enum lora_state state);
    void (*on_notice)(void *user, const char *what, const char *subject, const char *en,
                      const char *zh, const char *details);
    /* NULL, or every PHYPayload while somebody watches: "sent", "taken", "join", or why it was
     * refused. device NULL: it is not known whose it is. */
    void (*on_frame)(void *user, uint32_t bus, const char *device, const uint8_t *phy, size_t n,
                     int64_t time_ms, const char *fate);
    void *user;
};

struct lora;

/* Takes up sessions and undecoded frames from the log; opens sockets. Options' arrays must
 * outlive it. 0 or a negative errno; `error` gets a full sentence. */
int lora_create(const struct lora_options *o, struct lora **ret, char *error, size_t size);
/* Any thread: store_commit.batches of the log. */
void lora_committed(struct lora *l, uint64_t batches);
/* About once a second: silence, health. */
void lora_tick(struct lora *l, int64_t now_ms);
void lora_watch(struct lora *l, bool is_on);
/* Ends everything; on_closed once the handles are gone. */
void lora_stop(struct lora *l, void (*on_closed)(void *user), void *user);
void lora_destroy(struct lora *l); /* after on_closed; takes NULL */

/* ---- for people ---- */

void lora_device_get(const struct lora *l, size_t device, const char *lang,
                     struct lora_device_view *ret);
/* One request of `sluice lora`: {"do": "devices"|"gateways"|"confirm"|"forget-nonces"|"send",
 * ...}; the answer is one JSON object, free() it. NULL without memory. */
char *lora_request(struct lora *l, const char *json, const char *who);

/* A way to the RS-485 line behind a LoRaWAN device of class C, for BUS_MODBUS_CARRIED; lives as
 * long as the lora. NULL: no such device, or no memory. */
struct lora_bridge_conf {
    const char *device; /* id */
    uint8_t fport;
    uint8_t prefix[16]; /* before each frame down */
    size_t prefix_n;
    size_t strip; /* bytes before each frame that comes up */
};
const struct bus_carrier *lora_carrier(struct lora *l, const struct lora_bridge_conf *c);
