/* SPDX-License-Identifier: Apache-2.0 */
/* internal - what the files of this folder share. Nobody else includes it. */
#pragma once

#include <stdatomic.h>

#include "gateway/base/buf.h"
#include "gateway/lns/seen.h"
#include "gateway/lora/lora.h"
#include "sensors/payload/payload.h"

enum {
    LORA_NOTE_MAX = 2048,   /* bytes of a frame's note: 242 of payload and what is around */
    LORA_SILENT_AFTER = 3,  /* expected intervals without an uplink */
    LORA_WAITING_MAX = 256, /* answers that wait for their commit; a further one is not sent */
    LORA_NO_SCRIPT = -1,
};

/* A message on its way to readings: one uplink of whatever server. */
struct lora_message {
    uint32_t device; /* index into options->devices */
    uint32_t fcnt;
    uint8_t fport;
    const uint8_t *payload;
    size_t n;
    int64_t boot_ms, time_ms; /* of its reception */
    bool is_urgent;           /* an answer waits for the commit */
    bool is_late;             /* of before what the log has: a back-fill */
    const struct scan_state *states;
    size_t states_n;
    const char *note;
};

/* Answers wait for commits: what was handed to the log as batch number `batch` is committed
 * when so many are. */
struct lora_wait {
    uint64_t batch, ticket;
    uint32_t bus;
};

struct lora_side { /* one bus */
    struct lora *lora;
    uint32_t bus;
    struct concentrators *concentrators;
    struct network *network;
    struct feed *feed;
    uint32_t *device_of; /* of the network's device numbers: index into options->devices */
    struct network_device *devices;
    size_t devices_n;
};

struct lora_seen { /* one device, beside what its network knows */
    enum lora_state state;
    int64_t heard_mono_ms; /* station time; of the last message, or of the start */
    int64_t heard_ms;      /* UTC; 0: never */
    uint64_t decoded, undecoded;
    enum payload_outcome outcome; /* of the last that was not decoded */
    char *trouble;                /* what the script said then; NULL: `outcome` says it all */
    uint32_t number;              /* of the device in its bus's network */
    int script;                   /* number in codecs; LORA_NO_SCRIPT */
    bool is_told;                 /* of the trouble, until a message is decoded again */
    /* LORA_FEED */
    struct network_device_state net;
    char gateway[40];
};

struct lora {
    struct lora_options o;
    struct lora_side *sides; /* per bus */
    struct lora_seen *seen;  /* per device */
    struct codecs *codecs;   /* NULL: no device has a script */
    struct codec_script *scripts;
    size_t scripts_n;
    struct seen *repeats; /* of feeds */
    uv_timer_t wake;      /* of the networks */
    int64_t wake_us;      /* monotonic; 0: not armed */
    uv_async_t committed;
    _Atomic uint64_t batches; /* committed */
    struct lora_wait waits[LORA_WAITING_MAX];
    size_t waits_n;
    struct buf note;
    struct bridge *bridges;
    bool is_watched, is_stopping;
    size_t open; /* handles and parts not closed yet */
    void (*on_closed)(void *user);
    void *closed_user;
};

/* lora.c */
void lora_arm(struct lora *l);
/* Once the batch handed over last is committed, the network of that bus may answer. */
void lora_wait_for_commit(struct lora *l, uint32_t bus, uint64_t ticket);
void lora_part_closed(void *user); /* user: the lora */

/* udp.c, feeds.c: one bus. 0 or a negative errno; `error` gets a full sentence. */
int udp_create(struct lora_side *s, char *error, size_t size);
void udp_stop(struct lora_side *s);
void udp_destroy(struct lora_side *s);
int64_t udp_due(const struct lora_side *s);
void udp_restore(struct lora_side *s, const char *key, const void *data, size_t size);
/* What was seen of feeds before. 0 or a negative errno. */
int feeds_take_up(struct lora *l);
int feeds_create(struct lora_side *s, char *error, size_t size);
void feeds_stop(struct lora_side *s);
void feeds_destroy(struct lora_side *s);

/* decode.c: readings of a message, into the log with all that belongs to it. 0: the log has
 * it. */
int decode_message(struct lora *l, const struct lora_message *m);
/* Reads the scripts that devices name. 0 or a negative errno; `error` gets a full sentence. */
int decode_create(struct lora *l, char *error, size_t size);
/* A frame whose script had not run yet when an earlier run ended. */
void decode_take_up(struct lora *l, const char *key, const void *data, size_t size);
void decode_destroy(struct lora *l);
#define DECODE_PREFIX "lora.undecoded/"
#define LORA_EPOCH_KEY \
    "lora.epoch" /* of the log, when it last ran: another one was restored \
                  */

/* bridge.c: an uplink of a bridge is an answer, no measurement. False: it is none. */
bool bridge_take(struct lora *l, uint32_t device, uint8_t fport, const uint8_t *bytes,
                 size_t n);
void bridges_destroy(struct lora *l);

/* state.c */
void state_heard(struct lora *l, uint32_t device, int64_t time_ms);
void state_decoded(struct lora *l, uint32_t device);
void state_undecoded(struct lora *l, uint32_t device, enum payload_outcome why,
                     const char *trouble);
void state_tick(struct lora *l);

/* note.c: frames as they came, {"kind":"lora",...}, in l->note. NULL without memory. */
const char *note_uplink(struct lora *l, const struct lora_side *s,
                        const struct network_uplink *u);
const char *note_refused(struct lora *l, uint32_t device, enum network_refusal why,
                         const struct lora_side *s, const struct radio_rx *rx);
const char *note_feed(struct lora *l, uint32_t device, const struct feed_message *m);

/* gps_time.c: milliseconds since 1980-01-06 without leap seconds of a UTC instant; INT64_MIN:
 * the number of leap seconds is not known on this machine. */
int64_t gps_time_ms(int64_t utc_ms);

static inline int64_t lora_now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}
