/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lorawan_bench [UPLINKS] - what an uplink costs the network server, from its PHYPayload to the
 * decrypted bytes and the state to keep: time of the process and memory, 2,000 devices, one in
 * twenty confirmed, every frame through two concentrators. 1 when it does not hold.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/lorawan/network.h"

enum { DEVICES = 2000, GATEWAYS = 2, BLOCK = 20000, PAYLOAD = 20, CONFIRMED_EVERY = 20 };

#define HOLD_UPLINKS_S 2000.0
#define AIM_UPLINKS_S  10000.0
#define HOLD_KIB       8192.0 /* a third of the gateway's 24 MiB */

struct recorded {
    uint8_t phy[FRAME_OVERHEAD + PAYLOAD];
    uint8_t n;
};

struct bench {
    struct crypto *crypto;
    struct network *network;
    struct network_device devices[DEVICES];
    struct network_gateway gateways[GATEWAYS];
    uint32_t fcnt[DEVICES];
    struct recorded block[BLOCK];
    uint64_t uplinks, kept_bytes, transmitted, ticket;
    int64_t now_us;
};

static double process_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static void on_keep(void *user, uint32_t device, const struct network_keep *k)
{
    struct bench *b = user;

    (void)device;
    b->kept_bytes += k->size;
    if (k->ticket)
        b->ticket = k->ticket;
}

static void on_uplink(void *user, const struct network_uplink *u)
{
    struct bench *b = user;

    b->uplinks++;
    on_keep(user, u->device, &u->keep);
    if (u->keep.ticket)
        network_kept(b->network, u->keep.ticket, b->now_us);
}

static void on_refused(void *user, uint32_t device, enum network_refusal why,
                       const struct radio_rx *rx, const struct frame *f)
{
    (void)user, (void)device, (void)why, (void)rx, (void)f;
}

static void on_transmit(void *user, const struct radio_tx *tx)
{
    struct bench *b = user;

    b->transmitted++;
    network_result(b->network, tx->id, RADIO_ACCEPTED, b->now_us);
}

static void on_sent(void *user, uint32_t device, uint64_t id, int result)
{
    (void)user, (void)device, (void)id, (void)result;
}

static int start(struct bench *b)
{
    struct network_options o = {
        .region = region_find("cn470"),
        .rx1_delay_s = 1,
        .rx2_dr = -1,
        .adr_margin_db = 10,
        .dedupe_ms = 200,
        .gateways = b->gateways,
        .gateways_n = GATEWAYS,
        .devices = b->devices,
        .devices_n = DEVICES,
        .on_uplink = on_uplink,
        .on_join = on_keep,
        .on_keep = on_keep,
        .on_refused = on_refused,
        .on_transmit = on_transmit,
        .on_sent = on_sent,
        .user = b,
    };

    for (uint32_t i = 0; i < DEVICES; i++) {
        b->devices[i] = (struct network_device){ .id = "device",
                                                 .dev_eui = i,
                                                 .is_enabled = true,
                                                 .has_keys = true,
                                                 .dev_addr = i * 7919 };
        memcpy(b->devices[i].keys.app.bytes, &i, sizeof i);
    }
    for (size_t i = 0; i < GATEWAYS; i++)
        b->gateways[i] = (struct network_gateway){ .id = "gw", .max_eirp_dbm = INT_MAX };
    b->now_us = 1000000;
    return crypto_create(&b->crypto) < 0 ? -1 : network_create(&o, &b->network);
}

static void sign(struct bench *b)
{
    uint8_t payload[PAYLOAD] = { 1, 2, 3 };

    for (size_t i = 0; i < BLOCK; i++) {
        uint32_t device = (uint32_t)(i % DEVICES);
        struct frame_data d = {
            .type = i % CONFIRMED_EVERY ? FRAME_UP : FRAME_UP_CONFIRMED,
            .dev_addr = b->devices[device].dev_addr,
            .fport = 1,
            .payload = payload,
            .payload_n = sizeof payload,
        };
        struct frame_context x = { .fcnt = b->fcnt[device]++ };
        uint8_t out[FRAME_SIZE_MAX];
        int n = frame_data_write(b->crypto, &b->devices[device].keys, &x, &d, out);

        memcpy(b->block[i].phy, out, n > 0 ? (size_t)n : 0);
        b->block[i].n = (uint8_t)(n > 0 ? n : 0);
    }
}

static void hear(struct bench *b, const struct recorded *r)
{
    struct radio_rx rx = {
        .freq_hz = 486300000,
        .rate = { .sf = 7, .bw_hz = 125000 },
        .phy = r->phy,
        .n = r->n,
    };

    for (uint32_t g = 0; g < GATEWAYS; g++) {
        rx.gateway = g;
        rx.snr = (float)g;
        rx.mono_us = b->now_us;
        rx.tmst = (uint32_t)b->now_us + g * 1000;
        network_rx(b->network, &rx, b->now_us);
        b->now_us += 250; /* 2,000 uplinks a second */
    }
    if (network_due(b->network) <= b->now_us)
        network_tick(b->network, b->now_us);
}

int main(int argc, char **argv)
{
    long want = argc > 1 ? strtol(argv[1], NULL, 10) : 200000;
    struct bench *b = calloc(1, sizeof *b);
    double before = resident_kib(), spent = 0;

    if (!b || want < BLOCK || start(b) < 0)
        return 2;
    for (long done = 0; done < want; done += BLOCK) {
        sign(b);
        double from = process_s();
        for (size_t i = 0; i < BLOCK; i++)
            hear(b, &b->block[i]);
        spent += process_s() - from;
    }
    double rate = (double)b->uplinks / spent;
    double memory = resident_kib() - before - (double)sizeof *b / 1024;
    printf("uplinks %llu, of the process %.2f s: %.0f uplinks/s (hold %.0f, aim %.0f)\n",
           (unsigned long long)b->uplinks, spent, rate, HOLD_UPLINKS_S, AIM_UPLINKS_S);
    printf("transmitted %llu, state kept %.0f bytes an uplink\n",
           (unsigned long long)b->transmitted, (double)b->kept_bytes / (double)b->uplinks);
    printf("memory %.0f KiB with %d devices, OpenSSL's included (hold %.0f)\n", memory, DEVICES,
           HOLD_KIB);
    bool is_held = rate >= HOLD_UPLINKS_S && memory <= HOLD_KIB && b->uplinks >= (uint64_t)want;
    network_destroy(b->network);
    crypto_destroy(b->crypto);
    free(b);
    return is_held ? 0 : 1;
}
