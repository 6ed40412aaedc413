/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed - uplinks of a LoRaWAN network server over MQTT: ChirpStack v4, The Things Stack v3
 * (facts: lora-interop sections 1 and 2).
 *
 * A thread of Paho's connects, subscribes and parses; what came stands in a bounded queue, and
 * the owner takes it on the main loop. The server's event is a transport of the device's bytes:
 * they are decoded here. Every uplink carries ids by which a repetition is known.
 */
#pragma once

#include <uv.h>

#include "gateway/base/clock.h"

enum feed_server { FEED_CHIRPSTACK, FEED_TTN };

struct feed_conf { /* lives as long as the feed */
    const char *id;
    enum feed_server server;
    const char *url; /* mqtt://host:1883, mqtts://host:8883 */
    const char *username, *password, *ca, *client_id;
    const char *application; /* ChirpStack: its UUID, NULL: any; TTN: application@tenant */
    const char *topic;       /* another template than the server's own; NULL */
    const char *storage_url; /* TTN: where to fetch what was missed; NULL: nowhere */
};

enum feed_kind { FEED_UPLINK, FEED_JOIN, FEED_STATUS, FEED_LOG };

enum { FEED_PAYLOAD_MAX = 255, FEED_TEXT_MAX = 256 };

struct feed_message { /* copies: nothing points elsewhere */
    enum feed_kind kind;
    uint64_t dev_eui;
    uint32_t dev_addr;
    /* uplink */
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
    bool is_backfill;
};

struct feed;

struct feed_options {
    uv_loop_t *loop;
    const struct clock *clock;
    const struct feed_conf *conf;
    int64_t since_ms; /* UTC of the last uplink stored; 0: none; for what was missed */
    void (*on_message)(void *user, struct feed_message *m); /* loop; object is the callee's */
    void (*on_state)(void *user, bool is_up, const char *why); /* loop; a full sentence */
    void *user;
};

int feed_start(const struct feed_options *o, struct feed **ret);
struct feed_counters {
    uint64_t messages, uplinks, malformed, dropped, reconnects;
    bool is_up;
    char error[160];
};
void feed_counters_get(const struct feed *f, struct feed_counters *ret);
/* A command to a device, the server's own way of saying it. 0, -ENOTCONN, -EMSGSIZE. */
int feed_send(struct feed *f, uint64_t dev_eui, const char *device_id, uint8_t fport,
              const uint8_t *bytes, size_t n, bool is_confirmed, const char *id);
void feed_stop(struct feed *f, void (*on_closed)(void *user), void *user);
void feed_destroy(struct feed *f);

/* ---- pure: one event of a topic ---- */

/* 0: *ret is filled, -ENOENT: an event of no concern, -EBADMSG: `why` says what is wrong,
 * where, and what would be right. */
int chirpstack_parse(const char *topic, const void *json, size_t n, struct feed_message *ret,
                     char *why, size_t size);
int ttn_parse(const char *topic, const void *json, size_t n, struct feed_message *ret,
              char *why, size_t size);
