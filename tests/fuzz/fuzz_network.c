/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PHYPayloads of any kind through a network server that knows devices, and signed ones with any
 * content: the commands behind a right MIC are an attacker's, too, who has bought a device.
 *
 * Input: records of one byte (what), one (length), and so many bytes.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "gateway/lorawan/network.h"

enum { DEVICES = 4, GATEWAYS = 2, STEPS_MAX = 64 };

struct scene {
    struct crypto *crypto;
    struct network *network;
    struct network_device devices[DEVICES];
    struct network_gateway gateways[GATEWAYS];
    uint32_t fcnt[DEVICES], last[DEVICES];
    int64_t now_us;
    uint64_t tx, ticket;
    enum radio_result result;
};

static void check(bool is_kept)
{
    if (!is_kept)
        abort();
}

static void keep(struct scene *s, const struct network_keep *k)
{
    if (k->ticket)
        s->ticket = k->ticket;
}

static void on_uplink(void *user, const struct network_uplink *u)
{
    struct scene *s = user;

    /* Nothing is taken twice. */
    check(u->fcnt + 1 > s->last[u->device]);
    s->last[u->device] = u->fcnt + 1;
    check(u->payload_n <= FRAME_PAYLOAD_MAX);
    keep(s, &u->keep);
}

static void on_keep(void *user, uint32_t device, const struct network_keep *k)
{
    (void)device;
    keep(user, k);
}

static void on_refused(void *user, uint32_t device, enum network_refusal why,
                       const struct radio_rx *rx, const struct frame *f)
{
    (void)user, (void)device, (void)rx, (void)f;
    check(network_refusal_text(why, "en") != NULL);
}

static void on_transmit(void *user, const struct radio_tx *tx)
{
    struct scene *s = user;

    check(tx->id > s->tx && tx->gateway < GATEWAYS && tx->n >= 12);
    s->tx = tx->id;
    network_result(s->network, tx->id, s->result, s->now_us);
}

static void on_sent(void *user, uint32_t device, uint64_t id, int result)
{
    (void)user, (void)device, (void)id, (void)result;
}

static void start(struct scene *s)
{
    static const enum lorawan_version versions[DEVICES] = { LORAWAN_1_0, LORAWAN_1_0,
                                                            LORAWAN_1_1, LORAWAN_1_1 };
    struct network_options o = {
        .region = region_find("eu868"),
        .rx1_delay_s = 1,
        .rx2_dr = -1,
        .adr_margin_db = 10,
        .dedupe_ms = 100,
        .gateways = s->gateways,
        .gateways_n = GATEWAYS,
        .devices = s->devices,
        .devices_n = DEVICES,
        .on_uplink = on_uplink,
        .on_join = on_keep,
        .on_keep = on_keep,
        .on_refused = on_refused,
        .on_transmit = on_transmit,
        .on_sent = on_sent,
        .user = s,
    };

    for (uint32_t i = 0; i < DEVICES; i++)
        s->devices[i] = (struct network_device){
            .id = "device",
            .dev_eui = i + 1,
            .version = versions[i],
            .device_class = i % 2 ? LORAWAN_CLASS_C : LORAWAN_CLASS_A,
            .is_enabled = true,
            .has_keys = true,
            .is_otaa = i == 0,
            .dev_addr = i / 2, /* shared */
        };
    for (size_t i = 0; i < GATEWAYS; i++)
        s->gateways[i] = (struct network_gateway){ .id = "gw", .max_eirp_dbm = INT_MAX };
    s->now_us = 1000000;
    check(crypto_create(&s->crypto) == 0);
    check(network_create(&o, &s->network) == 0);
}

/* A genuine frame around those bytes: FCtrl, port, then commands or payload. */
static size_t sign(struct scene *s, unsigned what, const uint8_t *bytes, size_t n, uint8_t *out)
{
    uint32_t i = 1 + what / 8 % (DEVICES - 1);
    uint8_t fopts_n = (uint8_t)(n > 2 ? bytes[1] % 16 : 0);
    struct frame_data d = {
        .type = what & 64 ? FRAME_UP_CONFIRMED : FRAME_UP,
        .dev_addr = s->devices[i].dev_addr,
        .fctrl = n ? bytes[0] & 0xD0 : 0,
        .fport = -1,
    };
    struct frame_context x = { .is_1_1 = s->devices[i].version == LORAWAN_1_1,
                               .fcnt = s->fcnt[i]++,
                               .tx_dr = 5 };

    if (n > 2) {
        size_t rest = n - 2;

        d.fopts_n = fopts_n < rest ? fopts_n : (uint8_t)rest;
        d.fopts = bytes + 2;
        d.fport = d.fopts_n ? 1 : 0;
        d.payload = bytes + 2 + d.fopts_n;
        d.payload_n = rest - d.fopts_n;
    }
    int size = frame_data_write(s->crypto, &s->devices[i].keys, &x, &d, out);
    return size > 0 ? (size_t)size : 0;
}

static void hear(struct scene *s, unsigned what, const uint8_t *bytes, size_t n)
{
    struct radio_rx rx = {
        .gateway = what / 4 % GATEWAYS,
        .tmst = (uint32_t)s->now_us,
        .freq_hz = 868100000,
        .rate = { .sf = 7, .bw_hz = 125000 },
        .snr = 5,
        .mono_us = s->now_us,
        .phy = bytes,
        .n = n,
    };

    network_rx(s->network, &rx, s->now_us);
    if (what & 1)
        network_rx(s->network, &rx, s->now_us);
}

static void send_down(struct scene *s, unsigned what, const uint8_t *bytes, size_t n)
{
    struct network_downlink d = {
        .id = what,
        .fport = (uint8_t)(what + n),
        .is_confirmed = what & 64,
        .bytes = bytes,
        .n = n,
        .deadline_us = s->now_us + 10000000,
    };

    network_send(s->network, what / 8 % DEVICES, &d, s->now_us);
}

static void step(struct scene *s, unsigned what, const uint8_t *bytes, size_t n)
{
    uint8_t phy[FRAME_SIZE_MAX];

    if ((what & 3) == 3)
        send_down(s, what, bytes, n);
    else if ((what & 3) == 2)
        hear(s, what, bytes, n);
    else
        hear(s, what, phy, sign(s, what, bytes, n, phy));
    s->result = (enum radio_result)(what / 16 % RADIO_RESULT_COUNT_);
    if (what & 128)
        network_kept(s->network, s->ticket, s->now_us);
    for (int i = 0; i < 20; i++, s->now_us += 200000)
        network_tick(s->network, s->now_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scene s = { 0 };

    start(&s);
    for (int i = 0; i < STEPS_MAX && size >= 2; i++) {
        size_t n = data[1] < size - 2 ? data[1] : size - 2;

        step(&s, data[0], data + 2, n);
        data += 2 + n;
        size -= 2 + n;
    }
    network_destroy(s.network);
    crypto_destroy(s.crypto);
    return 0;
}
