/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed - uplinks of a LoRaWAN network server over MQTT: ChirpStack v4, The Things Stack v3
 * (facts: lora-interop sections 1 and 2).
 *
 * A thread of the feed's connects, subscribes, fetches what was missed and parses; what came
 * stands in a bounded queue, and the owner takes it on the main loop. The server's event is a
 * transport of the device's bytes: they are decoded here. Every uplink carries ids by which a
 * repetition is known (seen.h). All calls come from the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "gateway/base/clock.h"

enum feed_server { FEED_CHIRPSTACK, FEED_TTN };

struct feed_conf { /* lives as long as the feed */
    const char *id;
    enum feed_server server;
    const char *url; /* mqtt://host:1883, mqtts://host:8883 */
    const char *username, *password, *ca;
    /* Under it the broker keeps what it could not deliver, so it must be the station's own and
     * stay the same. NULL: one for this start; what comes while disconnected is lost. */
    const char *client_id;
    /* ChirpStack: its UUID, NULL: any; TTN: application@tenant, NULL: the user name */
    const char *application;
    /* ChirpStack: another template of events than the server's own, as its configuration has
     * it; it ends in {{event}}. Commands go to the same with "command" for a level "event", and
     * "down" at its end. NULL. */
    const char *topic;
    const char *storage_url; /* TTN: where to fetch what was missed; NULL: nowhere */
};

/* 0, or -EINVAL with a sentence in `why` that says which member is wrong and what would be
 * right. Pure. */
int feed_check(const struct feed_conf *c, char *why, size_t size);

enum feed_kind { FEED_UPLINK, FEED_JOIN, FEED_STATUS, FEED_LOG, FEED_DOWNLINK };

/* How far a command came. */
enum feed_progress {
    FEED_DOWN_QUEUED,
    FEED_DOWN_SENT,         /* it left a gateway */
    FEED_DOWN_ACKNOWLEDGED, /* by the device; of a confirmed one */
    FEED_DOWN_REFUSED,      /* sent, and the device did not acknowledge it */
    FEED_DOWN_FAILED        /* never sent; text says why */
};

enum {
    FEED_PAYLOAD_MAX = 255,
    FEED_TEXT_MAX = 256,
    FEED_NAME_MAX = 64,         /* of a device or an application, by LoRaWAN servers' rules */
    FEED_OBJECT_MAX = 32 << 10, /* larger decoded objects are not taken */
    FEED_EVENT_MAX = 256 << 10, /* bytes of an event: 255 of payload, what 100 gateways say */
};

struct feed_message { /* copies: nothing points elsewhere */
    enum feed_kind kind;
    uint64_t dev_eui;
    uint32_t dev_addr;
    char device_id[FEED_NAME_MAX];   /* the server's name of the device */
    char application[FEED_NAME_MAX]; /* id of its application */
    /* uplink; key[0] also of a downlink and of a log of one: the id of feed_send(); or "" */
    char key[2][64]; /* by which a repetition is known: the server's id; device, session and
                      * counter */
    uint32_t fcnt;
    uint8_t fport;
    uint8_t payload[FEED_PAYLOAD_MAX];
    uint8_t n;
    bool is_simulated, is_confirmed;
    int64_t time_ms;  /* UTC by the server, INT64_MIN: not told */
    bool is_time_gps; /* a gateway's GPS says so */
    int64_t boot_ms;  /* of its arrival (clock_boot_ms) */
    float rssi, snr;  /* the best; NaN: not told */
    unsigned gateways;
    char gateway[40]; /* that heard it best */
    uint32_t freq_hz;
    char rate[16]; /* "SF7BW125" */
    char *object;  /* the server's decoded object as JSON, free(); NULL */
    /* status */
    int battery, margin; /* percent, -1 external, -2 unknown; dB */
    /* log */
    char code[48], text[FEED_TEXT_MAX];
    enum feed_progress progress; /* downlink */
    bool is_backfill;
};

/* It carries bytes of the device's application: port 1 to 223, and nobody made it up. */
bool feed_message_is_measurement(const struct feed_message *m);

struct feed;

struct feed_options {
    uv_loop_t *loop;
    const struct clock *clock;
    const struct feed_conf *conf;
    int64_t since_ms; /* UTC of the last uplink stored; 0: none; for what was missed */
    void (*on_message)(void *user, struct feed_message *m); /* loop; object is the callee's */
    /* loop; a full sentence; again with is_up when only fetching what was missed fails */
    void (*on_state)(void *user, bool is_up, const char *why);
    void *user;
};

/* Connects and goes on trying. 0, -EINVAL (feed_check()), -ENOMEM. */
int feed_start(const struct feed_options *o, struct feed **ret);

struct feed_counters {
    uint64_t messages, uplinks, malformed;
    uint64_t dropped; /* the owner was too slow for them */
    uint64_t reconnects, backfilled;
    bool is_up;
    char error[FEED_TEXT_MAX]; /* of the last message or connection that failed; or "" */
};
void feed_counters_get(const struct feed *f, struct feed_counters *ret);

/*
 * A command to a device, the server's own way of saying it. `id` comes back in key[0] of
 * FEED_DOWNLINK; ChirpStack wants a UUID (feed_id_make()); NULL: none. device_id NULL: as its
 * messages said. 0: on its way to the broker; -ENOTCONN, -EMSGSIZE, -EINVAL (port, id), -EAGAIN
 * (too many under way), -ENOENT: the server's name of the device, or of its application, is not
 * known before its first message.
 */
int feed_send(struct feed *f, uint64_t dev_eui, const char *device_id, uint8_t fport,
              const uint8_t *bytes, size_t n, bool is_confirmed, const char *id);
enum { FEED_ID_MAX = 37 };
void feed_id_make(char *out); /* a random UUID; `out` holds FEED_ID_MAX */

/* No call comes after it but on_closed, from the loop; destroy then. */
void feed_stop(struct feed *f, void (*on_closed)(void *user), void *user);
void feed_destroy(struct feed *f);

/* ---- pure: one event of a topic ---- */

/* 0: *ret is filled, -ENOENT: an event of no concern, -EBADMSG: `why` says what is wrong,
 * where, and what would be right. Not set: boot_ms, is_backfill. */
int chirpstack_parse(const char *topic, const void *json, size_t n, struct feed_message *ret,
                     char *why, size_t size);
int ttn_parse(const char *topic, const void *json, size_t n, struct feed_message *ret,
              char *why, size_t size);

/* One line of the storage integration, {"result":{...}}; *ret_at_ms: when the server had it.
 * -EIO: the server says that it failed, `why` has it. */
int ttn_stored_parse(const void *json, size_t n, struct feed_message *ret, int64_t *ret_at_ms,
                     char *why, size_t size);
