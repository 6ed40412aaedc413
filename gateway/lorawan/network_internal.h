/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network_internal - what the parts of the network server share; for network*.c, join.c,
 * uplink.c, mac_answers.c, downlink.c, down_queue.c and schedule.c alone.
 *
 *   network.c      life, lookups, counters, states for people
 *   join.c         join requests: nonces, keys, the accept
 *   uplink.c       data frames: who, genuine, new, a copy or a repetition
 *   mac_answers.c  commands of the device, and what we want to tell it
 *   downlink.c     one answer from its making to its handing over, RX1 and RX2
 *   down_queue.c   application data: class A behind uplinks, class C
 *   schedule.c     when a concentrator transmits
 */
#pragma once

#include "gateway/lorawan/adr.h"
#include "gateway/lorawan/dedupe.h"
#include "gateway/lorawan/lookup.h"
#include "gateway/lorawan/mac.h"
#include "gateway/lorawan/network.h"
#include "gateway/lorawan/schedule.h"
#include "gateway/lorawan/session.h"

enum {
    US_PER_MS = 1000,
    US_PER_S = 1000 * 1000,
    /* A forwarder needs 42.5 ms before the window opens; the rest is for the way to it. */
    HAND_OVER_US = 100 * US_PER_MS,
    JOIN_DELAY_S = 5,
    MARGIN_US = 50 * US_PER_MS, /* between a window and whatever must not touch it */
    /* Copies handed out per frame and device before a concentrator counts as stuck; NbTrans and
     * the tries of a confirmed uplink stay below. */
    REPEATS_MAX = 15,
    /* Answers under way: what sixteen forwarders with queues of 32 could hold. */
    ANSWERS_MAX = 512,
    /* Commands of one downlink: the masks of 96 channels (30 bytes) and answers beside them. */
    MAC_SIZE_MAX = 64,
    CONFIRMED_TRIES = 8,
};

/* What a device asked for. */
enum mac_want {
    WANT_LINK_CHECK = 1,
    WANT_DEVICE_TIME = 2,
    WANT_RESET = 4,
    WANT_REKEY = 8,
    WANT_DEVICE_MODE = 16,
    WANT_ANYTHING = 32, /* its answer is repeated until a downlink arrives */
};
struct mac_wants {
    uint8_t bits;
    uint8_t minor; /* the device's, with RESET and REKEY */
    uint8_t mode;  /* class, with DEVICE_MODE */
};

struct message { /* a downlink of the application */
    struct message *next;
    uint64_t id;
    int64_t deadline_us, reply_us;
    bool is_confirmed, is_waiting; /* is_waiting: for its acknowledgement */
    uint8_t fport, tries;
    uint8_t n;
    uint8_t bytes[];
};

enum {
    REQUEST_STATUS = 1,
    REQUEST_ADR = 2,
    REQUEST_RX = 4,
    REQUEST_TIMING = 8,
    REQUEST_CHANNEL = 16
};

struct node { /* a configured device */
    const struct network_device *conf;
    struct session_record rec;
    struct nonces nonces;
    struct adr adr;
    struct answer *answer; /* under way; NULL: none */
    struct message *queue;
    /* the last uplink */
    int64_t up_us;     /* monotonic, its end; INT64_MIN: none in this run */
    int64_t free_us;   /* class C: its last downlink and reply are over */
    uint32_t up_tmst;  /* of its first copy */
    float rssi, snr;   /* of the best */
    uint16_t heard_by; /* a bit a concentrator */
    uint8_t up_gateway, best_gateway, up_dr, repeats;
    /* what it is told */
    uint8_t asked;                   /* REQUEST_ bits under way */
    uint8_t asked_channel;           /* with REQUEST_CHANNEL: which extra one */
    uint8_t setup_tries;             /* of what goes on being asked until it is answered */
    bool is_adr;                     /* its last uplink left the data rate to us */
    uint8_t adr_power, adr_nb_trans; /* of the LinkADRReq under way */
    int64_t status_us;               /* monotonic: when DevStatusReq is due */
    int64_t setup_us;                /* not before: a refused RXParamSetup, NewChannel ... */
    uint32_t uplinks, lost, repeated, copies, joins, downlinks, missed;
    uint8_t refused; /* enum network_refusal */
    uint32_t refused_hz;
    int64_t refused_ms;
    uint16_t refusals[NETWORK_REFUSAL_COUNT_]; /* stay at their highest */
};

struct reception { /* one concentrator's copy of an uplink */
    int64_t mono_us;
    uint32_t tmst, freq_hz;
    float snr, rssi;
    uint8_t gateway;
    bool is_refused; /* it would not transmit in this window */
};

enum answer_kind { ANSWER_JOIN, ANSWER_DATA, ANSWER_CLASS_C };

struct answer {
    enum answer_kind kind;
    uint32_t device;
    uint64_t id;      /* of its transmission; 0: not handed over */
    uint64_t ticket;  /* nothing leaves before this is kept */
    int64_t open_us;  /* until then further copies may come */
    int64_t up_us;    /* end of the uplink */
    int64_t rx1_us;   /* delays of the windows */
    int64_t start_us; /* handed over: when it begins */
    struct reception heard[NETWORK_GATEWAYS_MAX];
    size_t heard_n;
    struct region_window rx2;
    unsigned up_dr;
    struct session *session; /* DATA, CLASS_C */
    uint16_t up_fcnt;        /* acknowledged, where is_ack */
    bool is_ack, is_rx2, is_accepted;
    struct mac_wants wants;
    struct message *message; /* it carries */
    uint32_t gateway;        /* handed over to */
    uint32_t tmst;
    int64_t air_us;
    size_t phy_n; /* 0: not made yet */
    uint8_t phy[FRAME_SIZE_MAX];
};

struct gateway_state {
    bool is_up;
    struct schedule schedule;
    struct band_account band;
};

struct network {
    struct network_options o;
    struct crypto *crypto;
    struct node *nodes;
    struct lookup by_eui, by_addr; /* values: device; device * 2 + is_pending */
    struct dedupe dedupe;
    struct gateway_state *gateways;
    struct answer *answers; /* ANSWERS_MAX */
    struct answer **free, **busy;
    size_t free_n, busy_n;
    uint32_t *queued; /* devices whose queue is not empty */
    size_t queued_n;
    uint64_t ticket, kept; /* given out, committed */
    uint64_t tx_id;
    int64_t now_us;
    uint8_t channels[(REGION_CHANNELS_MAX + 7) / 8]; /* in use, extra ones included */
    bool is_told;                                    /* doubtful states were handed out */
    bool is_running, is_again; /* network_run() is on the stack; something changed below */
    struct network_counters counters;
};

static inline uint32_t node_number(const struct network *n, const struct node *node)
{
    return (uint32_t)(node - n->nodes);
}

/* ---- network.c ---- */

/* node NULL: nobody's. */
void network_refuse(struct network *n, struct node *node, enum network_refusal why,
                    const struct radio_rx *rx, const struct frame *f);
/* on_keep with the state of now; is_waited: something waits for it. Returns the ticket. */
uint64_t network_keep_node(struct network *n, struct node *node, bool is_waited);
/* Writes the key and the bytes; both live as long as their buffers. */
enum { STATE_KEY_SIZE = 48 };
struct network_state {
    char key[STATE_KEY_SIZE];
    uint8_t bytes[SESSION_RECORD_SIZE_MAX];
};
struct network_keep network_pack(struct network *n, const struct node *node,
                                 struct network_state *st, uint64_t ticket);
void network_state_key(const struct network_device *d, const char *suffix,
                       char ret[STATE_KEY_SIZE]);
/* The channel of a reception, -1: none; *ret_dr: -1: none. */
int network_channel(const struct network *n, const struct radio_rx *rx, int *ret_dr);
size_t network_gateways_up(const struct network *n);
/* How long copies through other concentrators are waited for, monotonic; 0: none can come. */
int64_t network_copies_until(const struct network *n, const struct radio_rx *rx);
unsigned network_rx2_dr(const struct network *n, int join_channel);
uint32_t network_rx2_hz(const struct network *n, int join_channel);
void network_run(struct network *n, int64_t now_us);

/* ---- join.c, uplink.c ---- */

void join_take(struct network *n, const struct radio_rx *rx, const struct frame *f);
/* Keys of a session that was read back, or of ABP. 0, or -EINVAL: they are not the same. */
int join_restore_keys(struct network *n, const struct network_device *d, struct session *s);
/* A session of ABP as a device has it that nothing was told. */
int join_start_abp(struct network *n, struct node *node);
void uplink_take(struct network *n, const struct radio_rx *rx, const struct frame *f);
/* Whether the frame was taken a short time ago and this is its copy; deals with it. */
bool uplink_is_copy(struct network *n, const struct radio_rx *rx, const struct frame *f,
                    uint64_t tag);

/* ---- mac_answers.c ---- */

/* Commands of an uplink. is_new: not a repetition, whose answers were taken before. */
void mac_take(struct network *n, struct node *node, struct session *s, const uint8_t *bytes,
              size_t size, bool is_new, struct mac_wants *ret);
/* Whether we have something to tell it. */
bool mac_is_due(const struct network *n, const struct node *node, const struct session *s);
/* Everything that fits, most needed first; returns its size. */
size_t mac_write(struct network *n, struct node *node, const struct answer *a, uint8_t *out,
                 size_t room);

/* ---- downlink.c ---- */

/* A free one for this device, instead of what was under way for it; NULL: none is left. */
struct answer *answer_begin(struct network *n, struct node *node, enum answer_kind kind);
void answer_drop(struct network *n, struct node *node); /* what is under way, if anything */
bool answer_is_in_time(const struct answer *a, int64_t now_us);
void answer_hear(struct answer *a, const struct radio_rx *rx);
/* One step, when there is one to make. */
void answer_step(struct network *n, struct answer *a);
int64_t answer_due(const struct network *n, const struct answer *a);
void answer_result(struct network *n, struct answer *a, enum radio_result r);
/* What was handed to that concentrator and did not begin. */
void answer_lost(struct network *n, struct answer *a);

/* ---- down_queue.c ---- */

void down_queue_step(struct network *n, struct node *node);
int64_t down_queue_due(const struct network *n, const struct node *node);
/* An uplink with or without ACK: what becomes of the message that waits for one. */
void down_queue_acked(struct network *n, struct node *node, bool is_ack);
/* Its transmission is over: sent, or not. */
void down_queue_sent(struct network *n, struct node *node, const struct answer *a,
                     bool is_sent);
void down_queue_end(struct network *n, struct node *node, struct message *m, int result);
void down_queue_clear(struct node *node);
