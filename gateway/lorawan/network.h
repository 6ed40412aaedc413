/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network - the minimum of a LoRaWAN network and join server: who a frame is from, whether it
 * is genuine and new, what is answered, when and through which concentrator.
 *
 * Main thread. Pure but for OpenSSL: no socket, loop, log or clock; time is an argument, so a
 * day runs in a test in milliseconds. What must survive a restart (counters, nonces, keys of
 * sessions) is handed out as bytes to keep; nothing is transmitted before the owner has said
 * that they are kept (network_kept): a kill at any instant neither opens a replay nor repeats a
 * counter. Facts: lorawan sections 3 to 7.
 *
 *   concentrators -> network_rx -> on_uplink (row, raw bytes and state in one commit)
 *                                     '-> network_kept -> on_transmit -> concentrators
 *
 * Callbacks may call back: network_kept() from on_uplink, on_join and on_keep, network_result()
 * from on_transmit, network_send() from all but on_transmit.
 */
#pragma once

#include "gateway/lorawan/frame.h"
#include "gateway/lorawan/radio.h"
#include "gateway/lorawan/region.h"

enum lorawan_version { LORAWAN_1_0, LORAWAN_1_0_4, LORAWAN_1_1 }; /* 1_0: 1.0.0 to 1.0.3 */
enum lorawan_class { LORAWAN_CLASS_A, LORAWAN_CLASS_C };
enum nonce_policy {
    NONCE_BY_VERSION, /* a counter from 1.0.4 on, else random */
    NONCE_RANDOM,     /* none twice */
    NONCE_COUNTER,    /* each above the last */
};
enum adr_mode { ADR_ON, ADR_STATIC /* channel masks alone */, ADR_OFF };

struct network_device { /* by configuration; lives as long as the network */
    const char *id;
    uint64_t dev_eui, join_eui;
    enum lorawan_version version;
    enum lorawan_class device_class;
    enum nonce_policy nonces;
    enum adr_mode adr;
    bool is_otaa, is_enabled;
    bool has_keys;                       /* false: its uplinks are refused for lack of them */
    struct lorawan_key app_key, nwk_key; /* OTAA; nwk_key with 1.1 alone */
    uint32_t dev_addr;                   /* ABP */
    struct session_keys keys;            /* ABP */
    int64_t every_ms;                    /* expected interval of uplinks; 0: not known */
};

enum { NETWORK_GATEWAYS_MAX = 16 };

struct network_gateway {
    const char *id;
    int max_eirp_dbm; /* the operator's limit; INT_MAX: the region's */
    bool is_late;     /* its forwarder has no queue: transmissions are handed over 300 ms before
                       * their time, not at once */
};

/* Bytes that must be in the log before anything that follows from them goes out. size 0: the
 * key is to be deleted. Live during the call. */
#define NETWORK_KEY_PREFIX "lorawan/"
struct network_keep {
    const char *key; /* "lorawan/<dev_eui>", "lorawan/<dev_eui>/nonces" */
    const void *data;
    size_t size;
    uint64_t ticket; /* for network_kept(); 0: nothing waits for it */
};

/* Why a frame was not taken: what `sluice lora devices` says. */
enum network_refusal {
    NETWORK_TAKEN,
    NETWORK_FRAME,       /* not a frame: enum frame_fault */
    NETWORK_NOT_OURS,    /* unknown DevAddr: a neighbour's */
    NETWORK_UNKNOWN_EUI, /* join of a DevEUI that is not configured */
    NETWORK_JOIN_EUI,    /* join with another JoinEUI than configured */
    NETWORK_NO_KEYS,
    NETWORK_KEY,     /* join MIC: wrong AppKey or NwkKey */
    NETWORK_NONCE,   /* DevNonce was used before */
    NETWORK_MIC,     /* no session of that DevAddr made this MIC */
    NETWORK_COUNTER, /* genuine, but not new: a replay, or the device started again (ABP) */
    NETWORK_REGION,  /* frequency or data rate outside the plan */
    NETWORK_DISABLED,
    NETWORK_DOUBTFUL, /* the log was restored: counters of this session are not known */
    NETWORK_TYPE,     /* rejoin, proprietary, or a downlink that was heard */
    NETWORK_COPY,     /* the same frame through another concentrator, or again: no refusal */
    NETWORK_REPEATED, /* retransmission of what is stored: answered, not stored */
    NETWORK_REFUSAL_COUNT_
};
/* A full sentence that says what to do; zh or en. */
const char *network_refusal_text(enum network_refusal r, const char *lang);
const char *network_refusal_id(enum network_refusal r); /* "mic", "counter" ... */

struct network_uplink { /* a new data frame, decrypted; once */
    uint32_t device;
    uint32_t fcnt;
    int fport; /* -1: none, 0: MAC commands alone; then payload_n is 0 */
    const uint8_t *payload;
    size_t payload_n;
    bool is_confirmed;
    bool is_answered; /* an answer waits for network_kept(keep.ticket): commit at once */
    unsigned dr;
    uint32_t lost;             /* frames between the last one and this */
    const struct radio_rx *rx; /* of the first copy */
    struct network_keep keep;
};

struct network_options {
    const struct region *region;
    uint32_t net_id;      /* 000000: private */
    unsigned rx1_delay_s; /* 1..15 */
    unsigned rx1_dr_offset;
    int rx2_dr;           /* -1: the region's */
    uint32_t rx2_hz;      /* 0: the region's */
    bool is_rx1_same_hz;  /* private CN470 networks that answer on the uplink's frequency */
    uint32_t extra_hz[5]; /* CFList channels of dynamic plans; 0: none */
    uint8_t enabled[(REGION_CHANNELS_MAX + 7) / 8]; /* fixed plans: channels in use; all zero:
                                                     * all */
    double adr_margin_db;                           /* 10 as usual */
    bool is_down_dwell;                             /* 400 ms on downlinks (AS923, AU915) */
    int dedupe_ms; /* how long further copies are waited for, with several gateways */
    const struct network_gateway *gateways;
    size_t gateways_n;
    const struct network_device *devices;
    size_t devices_n;
    /* The log was rolled back or restored since the states were kept. Doubts are handed to
     * on_keep by the first network_rx() or network_tick(); once those are committed the next
     * start is a usual one. ABP devices without a state are doubtful, too. */
    bool is_restored;
    /* GPS time may be told to devices (DeviceTimeReq): ms since 1980-01-06, INT64_MIN while the
     * station's clock is not believed. */
    int64_t (*gps_ms)(void *user, int64_t mono_us);
    void (*on_uplink)(void *user, const struct network_uplink *u);
    /* A join was accepted: its answer waits for keep.ticket. on_keep came before with its
     * nonce; both belong into one commit, or in this order. */
    void (*on_join)(void *user, uint32_t device, const struct network_keep *k);
    /* State that follows from no uplink (class C counters, a battery level ...). */
    void (*on_keep)(void *user, uint32_t device, const struct network_keep *k);
    /* Every reception that is no new uplink; device UINT32_MAX: nobody's. f NULL: no frame. */
    void (*on_refused)(void *user, uint32_t device, enum network_refusal why,
                       const struct radio_rx *rx, const struct frame *f);
    void (*on_transmit)(void *user, const struct radio_tx *tx);
    /* What became of network_send(). */
    void (*on_sent)(void *user, uint32_t device, uint64_t id, int result);
    void *user;
};

struct network;

/* 0 or a negative errno. Options, gateways and devices must outlive it. */
int network_create(const struct network_options *o, struct network **ret);
void network_destroy(struct network *n); /* takes NULL */

/* State of an earlier run, before the first network_rx(). -EINVAL: not ours, or damaged: the
 * device has to join again. A state of a device no longer configured: -ENOENT. */
int network_restore(struct network *n, const char *key, const void *data, size_t size);

/* One reception. mono_us: now. Calls back from inside. */
void network_rx(struct network *n, const struct radio_rx *rx, int64_t mono_us);
/* Everything handed out with a ticket up to this one is committed. */
void network_kept(struct network *n, uint64_t ticket, int64_t mono_us);
/* When network_tick() has something to do next, monotonic us; INT64_MAX: nothing waits. */
int64_t network_due(const struct network *n);
void network_tick(struct network *n, int64_t mono_us);
/* What became of a transmission; RX2 is tried when RX1 was not accepted. */
void network_result(struct network *n, uint64_t id, enum radio_result r, int64_t mono_us);
/* A concentrator restarted or went away: what was scheduled there is tried elsewhere. */
void network_gateway_lost(struct network *n, uint32_t gateway, int64_t mono_us);
/* Whether it may be chosen for answers. */
void network_gateway_up(struct network *n, uint32_t gateway, bool is_up);

/*
 * Data for a device: class C as soon as its window is free, class A behind its next uplink. The
 * bytes are copied. on_sent(id) comes once: 0 handed to a concentrator (confirmed:
 * acknowledged), -ETIMEDOUT not sent before its deadline, -ENOTCONN no concentrator, -EMSGSIZE
 * too long for the data rate, -ECANCELED. Returns 0, -ENOENT (no session), -EBUSY (queue full),
 * -EMSGSIZE, -EINVAL.
 */
enum { NETWORK_QUEUE_MAX = 8 };
struct network_downlink {
    uint64_t id;   /* of the caller's making */
    uint8_t fport; /* 1..223 */
    bool is_confirmed;
    const uint8_t *bytes;
    size_t n;
    int64_t deadline_us; /* monotonic */
    int64_t reply_us;    /* class C: how long the expected reply keeps the device busy */
};
int network_send(struct network *n, uint32_t device, const struct network_downlink *d,
                 int64_t mono_us);

/* ---- operators ---- */

/* Its nonces are forgotten: a device whose counter started again may join. */
int network_forget_nonces(struct network *n, uint32_t device);
/* A doubtful session, or one whose counter started again, is good from this counter on. */
int network_confirm(struct network *n, uint32_t device, uint32_t fcnt_next);

/* ---- state, for people ---- */

struct network_device_state {
    bool is_joined, is_doubtful; /* OTAA: has a session; ABP: always */
    uint32_t dev_addr;
    int64_t joined_ms; /* UTC, 0: never */
    int64_t heard_ms;  /* UTC of the last genuine frame; 0: never */
    uint32_t gateway;  /* that heard it best */
    float rssi, snr;
    unsigned dr;
    uint32_t fcnt_up, fcnt_down; /* next expected, next used (1.1: AFCntDown) */
    uint64_t uplinks, lost, repeated, copies, joins, downlinks, missed;
    int battery;                  /* 0 external, 1..254, 255 unknown; -1: never told */
    int margin;                   /* dB at the device; with battery */
    enum network_refusal refused; /* the last refusal; NETWORK_TAKEN: none since it was heard */
    int64_t refused_ms;
    uint32_t refused_hz;
    uint64_t refusals[NETWORK_REFUSAL_COUNT_]; /* each at most 65,535 */
    uint32_t doubt_fcnt; /* doubtful: highest counter with a right MIC seen since, + 1 */
    size_t queued;       /* downlinks that wait */
};
void network_device_get(const struct network *n, uint32_t device,
                        struct network_device_state *ret);

struct network_counters {
    uint64_t rx, uplinks, copies, neighbours, joins, missed, band_refused;
    uint64_t tx, tx_rx1, tx_rx2; /* tx_rx2: class C, too */
    uint64_t refusals[NETWORK_REFUSAL_COUNT_];
    int64_t lead_us_min; /* least time between hand-over and RX1/RX2; INT64_MAX: none yet */
};
void network_counters_get(const struct network *n, struct network_counters *ret);
