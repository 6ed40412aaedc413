/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/sim_lora.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    EVERY_MIN_US = 3000000, /* a fast clock makes no device speak more often */
    ADDRESS_SIZE = 300,
    WHY_SIZE = 128,
};

/* Where the forwarders of that bus send: a gateway that listens everywhere is here, too. */
static void server_of(const struct bus_lora_udp_conf *u, char out[ADDRESS_SIZE])
{
    const char *port = strrchr(u->listen, ':');
    bool is_any = strncmp(u->listen, "0.0.0.0:", 8) == 0;

    snprintf(out, ADDRESS_SIZE, "%s%s", is_any ? "127.0.0.1" : "", is_any ? port : u->listen);
}

static int add_concentrators(struct lora_site *s, const struct bus_lora_udp_conf *u, char *why)
{
    const struct lora_gateway_conf *g = u->gateways.items;
    char server[ADDRESS_SIZE];
    uint64_t eui = 0;
    int rc = 0;

    server_of(u, server);
    for (size_t i = 0; i < u->gateways.n && rc == 0; i++) {
        lorawan_eui_parse(g[i].eui, &eui); /* its form was checked */
        rc = lora_site_add_concentrator(s, eui, server);
        if (rc < 0)
            snprintf(why, WHY_SIZE, "concentrator %s: %s", g[i].id, strerror(-rc));
    }
    return rc;
}

static struct network_device identity_of(const struct device_conf *d)
{
    const struct lora_conf *l = &d->lora;
    struct network_device n = { .id = d->id,
                                .dev_eui = l->eui,
                                .version = (enum lorawan_version)l->version,
                                .device_class = (enum lorawan_class)l->device_class,
                                .is_otaa = !l->dev_addr };

    if (l->join_eui)
        lorawan_eui_parse(l->join_eui, &n.join_eui);
    if (l->dev_addr)
        lorawan_addr_parse(l->dev_addr, &n.dev_addr);
    n.app_key = l->keys->key[LORA_APP_KEY];
    n.nwk_key = l->keys->key[LORA_NWK_KEY];
    n.keys =
        (struct session_keys){ l->keys->key[LORA_APP_S_KEY], l->keys->key[LORA_F_NWK_S_INT_KEY],
                               l->keys->key[LORA_S_NWK_S_INT_KEY],
                               l->keys->key[LORA_NWK_S_ENC_KEY] };
    return n;
}

static int add_device(const struct sim_lora_options *o, struct lora_site *s,
                      const struct device_conf *d, char *why)
{
    const struct bus_lora_udp_conf *u = lora_udp_of(d->bus_found);
    const struct instrument_options in = o->instrument(o->user, d);
    struct lora_site_device device = {
        .id = identity_of(d),
        .region = region_find(u->region),
        .every_us = clock_real_ms(o->clock, d->poll_ms) * 1000,
    };

    if (device.every_us < EVERY_MIN_US)
        device.every_us = EVERY_MIN_US;
    if (u->channels)
        lora_channels_parse(u->channels, region_channels_n(device.region), device.channels);
    int rc = lora_site_add_device(s, &device, &in);
    if (rc < 0)
        snprintf(why, WHY_SIZE, "device %s: %s", d->id,
                 rc == -ENOTSUP ? "only its script knows its payload" : strerror(-rc));
    return rc;
}

static bool is_ours(const struct device_conf *d)
{
    return d->is_enabled && lora_udp_of(d->bus_found);
}

static int fill(const struct sim_lora_options *o, struct lora_site *s, char *why)
{
    const struct bus_conf *buses = o->config->buses.items;
    const struct device_conf *devices = o->config->devices.items;
    int rc = 0;

    for (size_t i = 0; i < o->config->buses.n && rc == 0; i++)
        if (lora_udp_of(&buses[i]))
            rc = add_concentrators(s, lora_udp_of(&buses[i]), why);
    for (size_t i = 0; i < o->config->devices.n && rc == 0; i++)
        if (is_ours(&devices[i]))
            rc = add_device(o, s, &devices[i], why);
    return rc;
}

static bool has_concentrators(const struct config *c)
{
    const struct bus_conf *buses = c->buses.items;

    for (size_t i = 0; i < c->buses.n; i++)
        if (lora_udp_of(&buses[i]))
            return true;
    return false;
}

int sim_lora_create(const struct sim_lora_options *o, uv_loop_t *loop, struct lora_site **ret,
                    char *error, size_t size)
{
    const struct lora_site_options site = { .loop = loop,
                                            .clock = o->clock,
                                            .seed = o->seed,
                                            .loss = o->loss,
                                            .duplicate = o->duplicate };
    char why[WHY_SIZE] = "";

    *ret = NULL;
    if (!has_concentrators(o->config))
        return 0;
    int rc = lora_site_create(&site, ret);
    if (rc == 0)
        rc = fill(o, *ret, why);
    if (rc == 0)
        return 0;
    lora_site_destroy(*ret);
    *ret = NULL;
    snprintf(error, size, "cannot simulate the LoRa side: %s", why[0] ? why : strerror(-rc));
    return rc;
}

void sim_lora_print(const struct config *c)
{
    const struct bus_conf *buses = c->buses.items;
    const struct device_conf *devices = c->devices.items;
    char server[ADDRESS_SIZE];

    for (size_t i = 0; i < c->buses.n; i++) {
        const char *separator = "=";
        if (!lora_udp_of(&buses[i]))
            continue;
        server_of(lora_udp_of(&buses[i]), server);
        printf(" %s", server);
        for (size_t k = 0; k < c->devices.n; k++) {
            if (devices[k].bus_found != &buses[i] || !is_ours(&devices[k]))
                continue;
            printf("%s%s", separator, devices[k].id);
            separator = ",";
        }
    }
}
