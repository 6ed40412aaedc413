/* SPDX-License-Identifier: Apache-2.0 */
/* The RS-485 line behind a LoRaWAN device of class C: a frame down on its port, what comes up
 * on it are answers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/lora/internal.h"

enum { FRAME_MAX = 242 };

struct bridge {
    struct bus_carrier carrier; /* first: the pointer handed out points here */
    struct bridge *next;
    struct lora *lora;
    uint32_t device; /* index into options->devices */
    struct lora_bridge_conf conf;
    void (*on_bytes)(void *to, const uint8_t *bytes, size_t n);
    void *to;
};

static int send_frame(void *user, const uint8_t *frame, size_t n, int64_t reply_ms)
{
    struct bridge *b = user;
    struct lora *l = b->lora;
    uint8_t bytes[FRAME_MAX];

    if (b->conf.prefix_n + n > sizeof bytes)
        return -EMSGSIZE;
    memcpy(bytes, b->conf.prefix, b->conf.prefix_n);
    memcpy(bytes + b->conf.prefix_n, frame, n);
    const int64_t now_us = lora_now_us();
    const struct network_downlink d = { .fport = b->conf.fport,
                                        .bytes = bytes,
                                        .n = b->conf.prefix_n + n,
                                        .deadline_us = now_us + reply_ms * 1000,
                                        .reply_us = reply_ms * 1000 };
    int rc = network_send(l->sides[l->o.devices[b->device].bus].network,
                          l->seen[b->device].number, &d, now_us);
    lora_arm(l);
    return rc;
}

static void listen_to(void *user, void (*on_bytes)(void *to, const uint8_t *bytes, size_t n),
                      void *to)
{
    struct bridge *b = user;

    b->on_bytes = on_bytes;
    b->to = to;
}

const struct bus_carrier *lora_carrier(struct lora *l, const struct lora_bridge_conf *c)
{
    for (uint32_t i = 0; i < l->o.devices_n; i++) {
        const struct lora_device *d = &l->o.devices[i];
        if (strcmp(d->id, c->device) != 0 || l->o.buses[d->bus].kind != LORA_UDP)
            continue;
        struct bridge *b = calloc(1, sizeof *b);
        if (!b)
            return NULL;
        *b = (struct bridge){ .carrier = { send_frame, listen_to, b },
                              .next = l->bridges,
                              .lora = l,
                              .device = i,
                              .conf = *c };
        l->bridges = b;
        return &b->carrier;
    }
    return NULL;
}

bool bridge_take(struct lora *l, uint32_t device, uint8_t fport, const uint8_t *bytes, size_t n)
{
    for (struct bridge *b = l->bridges; b; b = b->next) {
        if (b->device != device || b->conf.fport != fport || !b->on_bytes)
            continue;
        if (n > b->conf.strip)
            b->on_bytes(b->to, bytes + b->conf.strip, n - b->conf.strip);
        return true;
    }
    return false;
}

void bridges_destroy(struct lora *l)
{
    while (l->bridges) {
        struct bridge *b = l->bridges;
        l->bridges = b->next;
        free(b);
    }
}
