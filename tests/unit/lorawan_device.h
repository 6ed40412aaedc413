/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lorawan_device - the device's side of LoRaWAN, small: it joins, sends, and takes downlinks
 * apart; and a network server around it whose callbacks are written down. Time is virtual.
 */
#pragma once

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/lorawan/mac.h"
#include "gateway/lorawan/network.h"
#include "unit.h"

enum { US = 1, MS = 1000, SECOND = 1000 * 1000 };

/* ---- the device ---- */

struct device_model {
    const struct network_device *conf;
    struct session_keys keys;
    uint32_t dev_addr, fcnt_up;
    uint32_t down[2]; /* next expected: N, A */
    uint16_t dev_nonce, conf_up, conf_down;
    bool is_1_1;
    struct join_request asked;
    struct join_accept accept;
};

static inline void device_init_abp(struct device_model *d, const struct network_device *conf)
{
    *d = (struct device_model){
        .conf = conf,
        .keys = conf->keys,
        .dev_addr = conf->dev_addr,
        .is_1_1 = conf->version == LORAWAN_1_1,
    };
}

static inline size_t device_join(struct device_model *d, struct crypto *c, uint8_t *out)
{
    bool is_1_1 = d->conf->version == LORAWAN_1_1;

    d->asked = (struct join_request){ d->conf->join_eui, d->conf->dev_eui, ++d->dev_nonce };
    assert_int_equal(
        join_request_write(c, is_1_1 ? &d->conf->nwk_key : &d->conf->app_key, &d->asked, out),
        0);
    return JOIN_REQUEST_SIZE;
}

/* Whether it is an accept of its last request; then it has a session. */
static inline bool device_accept(struct device_model *d, struct crypto *c, const uint8_t *phy,
                                 size_t n)
{
    bool is_1_1 = d->conf->version == LORAWAN_1_1;
    uint8_t plain[JOIN_ACCEPT_SIZE_MAX];

    if (join_accept_read(c, is_1_1 ? &d->conf->nwk_key : &d->conf->app_key, phy, n, &d->asked,
                         &d->accept, plain) != 1)
        return false;
    assert_int_equal(join_keys(c, &d->conf->app_key, is_1_1 ? &d->conf->nwk_key : NULL,
                               &d->accept, &d->asked, &d->keys),
                     0);
    d->dev_addr = d->accept.dev_addr;
    d->is_1_1 = d->accept.is_opt_neg;
    d->fcnt_up = d->down[0] = d->down[1] = 0;
    return true;
}

struct device_send {
    bool is_confirmed, is_ack;
    uint8_t fctrl; /* ADR ... */
    int fport;     /* -1: none */
    const char *text;
    const uint8_t *bytes; /* instead of text */
    size_t n;
    const uint8_t *fopts;
    uint8_t fopts_n;
    uint8_t dr, channel;
};

/* The next frame of it; a repetition is the same bytes again. */
static inline size_t device_send(struct device_model *d, struct crypto *c,
                                 const struct device_send *u, uint8_t *out)
{
    struct frame_data f = {
        .type = u->is_confirmed ? FRAME_UP_CONFIRMED : FRAME_UP,
        .dev_addr = d->dev_addr,
        .fctrl = (uint8_t)(u->fctrl | (u->is_ack ? FCTRL_ACK : 0)),
        .fopts = u->fopts,
        .fopts_n = u->fopts_n,
        .fport = u->fport,
        .payload = u->bytes ? u->bytes : (const uint8_t *)u->text,
        .payload_n = u->bytes  ? u->n
                     : u->text ? strlen(u->text)
                               : 0,
    };
    struct frame_context x = {
        .is_1_1 = d->is_1_1,
        .fcnt = d->fcnt_up++,
        .conf_fcnt = u->is_ack ? d->conf_down : 0,
        .tx_dr = u->dr,
        .tx_ch = u->channel,
    };

    d->conf_up = (uint16_t)x.fcnt;
    int n = frame_data_write(c, &d->keys, &x, &f, out);
    assert_true(n > 0);
    return (size_t)n;
}

struct device_heard {
    bool is_ack, is_confirmed, is_pending, is_adr;
    uint32_t fcnt;
    int fport;
    uint8_t payload[FRAME_SIZE_MAX];
    size_t n;
    uint8_t fopts[FRAME_FOPTS_MAX];
    size_t fopts_n;
};

/* Whether a downlink is for it, genuine and new. */
static inline bool device_hear(struct device_model *d, struct crypto *c, const uint8_t *phy,
                               size_t n, struct device_heard *ret)
{
    struct frame f;

    if (frame_parse(phy, n, &f) != FRAME_OK || f.dev_addr != d->dev_addr ||
        (f.type != FRAME_DOWN && f.type != FRAME_DOWN_CONFIRMED))
        return false;
    int which = d->is_1_1 && f.fport > 0;
    struct frame_context x = {
        .is_1_1 = d->is_1_1,
        .fcnt = d->down[which] + (uint16_t)(f.fcnt - d->down[which]),
        .conf_fcnt = f.fctrl & FCTRL_ACK ? d->conf_up : 0,
        .is_a_fcnt_down = which,
    };
    if (frame_data_mic_is_ok(c, &d->keys, &x, &f) != 1)
        return false;
    d->down[which] = x.fcnt + 1;
    if (f.type == FRAME_DOWN_CONFIRMED)
        d->conf_down = (uint16_t)x.fcnt;
    *ret = (struct device_heard){
        .is_ack = f.fctrl & FCTRL_ACK,
        .is_confirmed = f.type == FRAME_DOWN_CONFIRMED,
        .is_pending = f.fctrl & FCTRL_F_PENDING,
        .is_adr = f.fctrl & FCTRL_ADR,
        .fcnt = x.fcnt,
        .fport = f.fport,
        .n = f.payload_n,
        .fopts_n = f.fopts_n,
    };
    assert_int_equal(frame_payload_crypt(c, &d->keys, &x, &f, ret->payload), 0);
    assert_int_equal(frame_fopts_crypt(c, &d->keys, &x, &f, ret->fopts), 0);
    return true;
}

/* ---- the network server and what it said ---- */

enum { WORLD_DEVICES = 8, WORLD_GATEWAYS = 3, WORLD_KEPT = 64, WORLD_SENT = 32 };

struct world_kept {
    char key[48];
    uint8_t data[2200];
    size_t size;
};

struct world {
    struct crypto *crypto;
    struct network *network;
    struct network_options o;
    struct network_gateway gateways[WORLD_GATEWAYS];
    struct network_device devices[WORLD_DEVICES];
    int64_t now_us, gps_ms;
    uint32_t tmst_ahead; /* of the concentrators' clocks */
    struct world_kept kept[WORLD_KEPT];
    size_t kept_n;
    uint64_t ticket;          /* highest given */
    bool is_slow;             /* commits are done by the test, not at once */
    bool is_deaf;             /* nothing is committed any more */
    enum radio_result result; /* what concentrators say */
    bool is_silent;           /* they say nothing yet */
    unsigned uplinks, joins, refused[NETWORK_REFUSAL_COUNT_];
    struct network_uplink up; /* the last; payload in text */
    uint8_t text[FRAME_SIZE_MAX];
    enum network_refusal why;
    uint32_t why_device;
    struct radio_tx tx[WORLD_SENT];
    size_t tx_n; /* in all; the ring holds the last */
    struct {
        uint64_t id;
        int result;
    } sent[WORLD_SENT];
    size_t sent_n;
};

static inline void world_keep(struct world *w, const struct network_keep *k)
{
    size_t i = 0;

    if (w->is_deaf)
        return;
    while (i < w->kept_n && strcmp(w->kept[i].key, k->key) != 0)
        i++;
    assert_true(i < WORLD_KEPT && k->size <= sizeof w->kept[i].data);
    if (i == w->kept_n)
        w->kept_n++;
    snprintf(w->kept[i].key, sizeof w->kept[i].key, "%s", k->key);
    if (k->size)
        memcpy(w->kept[i].data, k->data, k->size);
    w->kept[i].size = k->size;
    if (k->ticket > w->ticket)
        w->ticket = k->ticket;
    if (k->ticket && !w->is_slow)
        network_kept(w->network, k->ticket, w->now_us);
}

static inline void world_on_uplink(void *user, const struct network_uplink *u)
{
    struct world *w = user;

    w->uplinks++;
    w->up = *u;
    memcpy(w->text, u->payload, u->payload_n);
    w->text[u->payload_n] = 0;
    world_keep(w, &u->keep);
}

static inline void world_on_join(void *user, uint32_t device, const struct network_keep *k)
{
    struct world *w = user;

    (void)device;
    w->joins++;
    world_keep(w, k);
}

static inline void world_on_keep(void *user, uint32_t device, const struct network_keep *k)
{
    (void)device;
    world_keep(user, k);
}

static inline void world_on_refused(void *user, uint32_t device, enum network_refusal why,
                                    const struct radio_rx *rx, const struct frame *f)
{
    struct world *w = user;

    (void)rx, (void)f;
    w->refused[why]++;
    w->why = why;
    w->why_device = device;
}

static inline void world_on_transmit(void *user, const struct radio_tx *tx)
{
    struct world *w = user;

    w->tx[w->tx_n++ % WORLD_SENT] = *tx;
    if (!w->is_silent)
        network_result(w->network, tx->id, w->result, w->now_us);
}

static inline void world_on_sent(void *user, uint32_t device, uint64_t id, int result)
{
    struct world *w = user;

    (void)device;
    w->sent[w->sent_n % WORLD_SENT].id = id;
    w->sent[w->sent_n++ % WORLD_SENT].result = result;
}

static inline int64_t world_gps_ms(void *user, int64_t mono_us)
{
    struct world *w = user;

    return w->gps_ms == INT64_MIN ? INT64_MIN : w->gps_ms + mono_us / 1000;
}

static inline struct lorawan_key key_of(uint8_t v)
{
    struct lorawan_key k;

    for (int i = 0; i < LORAWAN_KEY_SIZE; i++)
        k.bytes[i] = (uint8_t)(v + i * 7);
    return k;
}

/* EU868, one concentrator, device 0 OTAA 1.0, device 1 ABP 1.0, 2 OTAA 1.1, 3 OTAA 1.0.4,
 * 4 class C ABP, 5 ABP with the DevAddr of 1. Change w->o and w->devices, then world_start().
 */
static inline void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    assert_int_equal(crypto_create(&w->crypto), 0);
    w->now_us = 1000 * (int64_t)SECOND;
    w->gps_ms = INT64_MIN;
    for (uint8_t i = 0; i < 6; i++) {
        bool is_otaa = i == 0 || i == 2 || i == 3;
        struct lorawan_key nwk = key_of((uint8_t)(0x40 + i));

        w->devices[i] = (struct network_device){
            .id = "device",
            .dev_eui = 0x70B3D57ED0000000 + i,
            .join_eui = 0x0102030405060708,
            .is_otaa = is_otaa,
            .is_enabled = true,
            .has_keys = true,
            .adr = ADR_OFF,
            .app_key = key_of(i),
            .nwk_key = key_of((uint8_t)(0x80 + i)),
            .dev_addr = i == 5 ? 0x01000001 : 0x01000000u + i,
            .keys = { key_of((uint8_t)(0x20 + i)), nwk, nwk, nwk },
        };
    }
    w->devices[2].version = LORAWAN_1_1;
    w->devices[3].version = LORAWAN_1_0_4;
    w->devices[4].device_class = LORAWAN_CLASS_C;
    for (int i = 0; i < WORLD_GATEWAYS; i++)
        w->gateways[i] = (struct network_gateway){ .id = "gw", .max_eirp_dbm = INT_MAX };
    w->o = (struct network_options){
        .region = region_find("eu868"),
        .rx1_delay_s = 1,
        .rx2_dr = -1,
        .adr_margin_db = 10,
        .dedupe_ms = 200,
        .gateways = w->gateways,
        .gateways_n = 1,
        .devices = w->devices,
        .devices_n = 6,
        .gps_ms = world_gps_ms,
        .on_uplink = world_on_uplink,
        .on_join = world_on_join,
        .on_keep = world_on_keep,
        .on_refused = world_on_refused,
        .on_transmit = world_on_transmit,
        .on_sent = world_on_sent,
        .user = w,
    };
}

static inline void world_start(struct world *w)
{
    assert_int_equal(network_create(&w->o, &w->network), 0);
}

/* kill -9 and the next start, with what was kept. */
static inline void world_restart(struct world *w)
{
    network_destroy(w->network);
    w->is_deaf = false;
    world_start(w);
    for (size_t i = 0; i < w->kept_n; i++) {
        if (w->kept[i].size)
            assert_int_equal(
                network_restore(w->network, w->kept[i].key, w->kept[i].data, w->kept[i].size),
                0);
    }
}

static inline void world_done(struct world *w)
{
    network_destroy(w->network);
    crypto_destroy(w->crypto);
}

struct world_rx {
    uint32_t gateway;
    uint32_t hz; /* 0: 868.1 MHz */
    uint8_t sf;  /* 0: 7 */
    float snr;
    int64_t ago_us; /* received so long before now */
};

static inline uint32_t world_tmst(const struct world *w, uint32_t gateway, int64_t mono_us)
{
    return (uint32_t)mono_us + w->tmst_ahead + gateway * 123456789u;
}

static inline void world_rx(struct world *w, const uint8_t *phy, size_t n,
                            const struct world_rx *how)
{
    int64_t at = w->now_us - how->ago_us;
    struct radio_rx rx = {
        .gateway = how->gateway,
        .tmst = world_tmst(w, how->gateway, at),
        .freq_hz = how->hz ? how->hz : 868100000,
        .rate = { .sf = how->sf ? how->sf : 7, .bw_hz = 125000 },
        .rssi = -60,
        .snr = how->snr,
        .mono_us = at,
        .boot_ms = at / 1000,
        .time_ms = 1790000000000 + at / 1000,
        .phy = phy,
        .n = n,
    };

    network_rx(w->network, &rx, w->now_us);
}

/* As network_rx of the first concentrator, 868.1 MHz, SF7. */
static inline void world_hear(struct world *w, const uint8_t *phy, size_t n)
{
    world_rx(w, phy, n, &(struct world_rx){ .snr = 5 });
}

/* Time goes on, with every tick that is due. */
static inline void world_run(struct world *w, int64_t us)
{
    int64_t end = w->now_us + us, due;
    int turns = 0;

    while ((due = network_due(w->network)) <= end) {
        if (due > w->now_us)
            w->now_us = due;
        network_tick(w->network, w->now_us);
        assert_true(++turns < 10000);
    }
    w->now_us = end;
    network_tick(w->network, w->now_us);
}

static inline const struct radio_tx *world_tx(const struct world *w)
{
    assert_true(w->tx_n > 0);
    return &w->tx[(w->tx_n - 1) % WORLD_SENT];
}

/* Joins over the air; the next uplink makes the session good. */
static inline void world_join(struct world *w, struct device_model *d,
                              const struct network_device *conf)
{
    uint8_t phy[FRAME_SIZE_MAX];
    size_t before = w->tx_n;

    d->conf = conf;
    world_hear(w, phy, device_join(d, w->crypto, phy));
    world_run(w, 7 * (int64_t)SECOND);
    assert_int_equal(w->tx_n, before + 1);
    assert_true(device_accept(d, w->crypto, world_tx(w)->phy, world_tx(w)->n));
}

/* Sends and lets both windows pass; returns the frame's length. */
static inline size_t world_send(struct world *w, struct device_model *d,
                                const struct device_send *u, uint8_t *phy)
{
    size_t n = device_send(d, w->crypto, u, phy);

    world_hear(w, phy, n);
    world_run(w, 3 * (int64_t)SECOND);
    return n;
}
