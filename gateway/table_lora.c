/* SPDX-License-Identifier: Apache-2.0 */
/* What gateway/lora wants to know of LoRa buses and devices. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/table.h"
#include "sensors/payload/payload.h"

enum { VARIABLES_MAX = 16384 };

static int add_gateways(const struct bus_lora_udp_conf *u, struct lora_bus *b)
{
    const struct lora_gateway_conf *g = u->gateways.items;
    struct concentrator_conf *c = calloc(u->gateways.n, sizeof *c);
    struct network_gateway *n = calloc(u->gateways.n, sizeof *n);

    b->concentrators = c;
    b->gateways = n;
    if (!c || !n)
        return -ENOMEM;
    b->concentrators_n = u->gateways.n;
    for (size_t i = 0; i < u->gateways.n; i++) {
        bool is_late = g[i].schedule != 0;
        c[i] = (struct concentrator_conf){ .id = g[i].id,
                                           .from = g[i].from,
                                           .keepalive_ms = g[i].keepalive_ms,
                                           .is_gps_locked = g[i].is_gps,
                                           .is_late = is_late };
        lorawan_eui_parse(g[i].eui, &c[i].eui); /* its form was checked */
        n[i] = (struct network_gateway){ .id = g[i].id,
                                         .max_eirp_dbm =
                                             g[i].max_eirp < 0 ? INT_MAX : (int)g[i].max_eirp,
                                         .is_late = is_late };
    }
    return 0;
}

static uint32_t hz_of(double mhz)
{
    return isfinite(mhz) ? (uint32_t)llround(mhz * 1e6) : 0;
}

static int describe_udp(const struct bus_lora_udp_conf *u, struct lora_bus *b)
{
    const char *const *extra = u->extra_mhz.items;
    const struct region *region = region_find(u->region);

    b->kind = LORA_UDP;
    b->listen = u->listen;
    b->network = (struct network_options){
        .region = region,
        .net_id = (uint32_t)strtoul(u->net_id, NULL, 16),
        .rx1_delay_s = (unsigned)(u->rx1_delay_ms / 1000),
        .rx1_dr_offset = (unsigned)u->rx1_dr_offset,
        .rx2_dr = (int)u->rx2_dr,
        .rx2_hz = hz_of(u->rx2_mhz),
        .is_rx1_same_hz = u->rx1 != 0,
        .adr_margin_db = u->adr_margin,
        .is_down_dwell = u->is_down_dwell,
        .dedupe_ms = (int)u->dedupe_ms,
    };
    for (size_t i = 0; i < u->extra_mhz.n && i < 5; i++)
        b->network.extra_hz[i] = hz_of(strtod(extra[i], NULL));
    if (u->channels)
        lora_channels_parse(u->channels, region_channels_n(region), b->network.enabled);
    return add_gateways(u, b);
}

/* The broker keeps under its id what it could not deliver: always the same. */
static char *client_id_of(const struct table *t, const struct bus_conf *bus,
                          const struct bus_lns_conf *f)
{
    char *id = NULL;

    if (f->client_id)
        return strdup(f->client_id);
    return asprintf(&id, "sluice-%s-%s", t->config->station.id, bus->id) < 0 ? NULL : id;
}

static int describe_feed(const struct table *t, const struct bus_conf *bus,
                         const struct bus_lns_conf *f, struct lora_bus *b)
{
    b->kind = LORA_FEED;
    b->feed = (struct feed_conf){
        .id = bus->id,
        .server = strcmp(bus->type.kind->name, "ttn") == 0 ? FEED_TTN : FEED_CHIRPSTACK,
        .url = f->url,
        .username = f->username,
        .password = f->password,
        .ca = f->ca,
        .client_id = client_id_of(t, bus, f),
        .application = f->application,
        .topic = f->topic,
        .storage_url = f->storage,
    };
    return b->feed.client_id ? 0 : -ENOMEM;
}

/* {"name":"value"}; *ret NULL: there are none. */
static int print_variables(const struct lora_conf *c, char **ret)
{
    const struct lora_variable_conf *v = c->variables.items;
    struct buf b = BUF_INIT(VARIABLES_MAX);

    if (c->variables.n == 0)
        return 0;
    for (size_t i = 0; i < c->variables.n; i++) {
        buf_puts(&b, i ? "," : "{");
        buf_json(&b, v[i].id);
        buf_puts(&b, ":");
        buf_json(&b, v[i].value);
    }
    buf_puts(&b, "}");
    const char *text = buf_text(&b);
    *ret = text ? strdup(text) : NULL;
    buf_done(&b);
    return *ret ? 0 : -ENOMEM;
}

static struct network_device network_device_of(const struct device_conf *d)
{
    const struct lora_conf *l = &d->lora;
    struct network_device n = {
        .id = d->id,
        .dev_eui = l->eui,
        .version = (enum lorawan_version)l->version,
        .device_class = (enum lorawan_class)l->device_class,
        .nonces = (enum nonce_policy)l->nonces,
        .adr = (enum adr_mode)l->adr,
        .is_otaa = !l->dev_addr,
        .is_enabled = d->is_enabled,
        .has_keys = l->keys != NULL,
        .every_ms = d->poll_ms,
    };

    if (l->join_eui)
        lorawan_eui_parse(l->join_eui, &n.join_eui);
    if (l->dev_addr)
        lorawan_addr_parse(l->dev_addr, &n.dev_addr);
    if (l->keys) {
        n.app_key = l->keys->key[LORA_APP_KEY];
        n.nwk_key = l->keys->key[LORA_NWK_KEY];
        n.keys = (struct session_keys){ l->keys->key[LORA_APP_S_KEY],
                                        l->keys->key[LORA_F_NWK_S_INT_KEY],
                                        l->keys->key[LORA_S_NWK_S_INT_KEY],
                                        l->keys->key[LORA_NWK_S_ENC_KEY] };
    }
    return n;
}

static int add_device(struct table *t, uint32_t number, uint32_t bus)
{
    const struct device_conf *d = (const struct device_conf *)t->config->devices.items + number;
    struct lora_device *l = &t->lora_device[t->lora_devices_n++];
    char *variables = NULL;
    int rc = print_variables(&d->lora, &variables);

    *l = (struct lora_device){
        .number = number,
        .bus = bus,
        .id = d->id,
        .profile = d->profile_found,
        .network = network_device_of(d),
        .script = d->lora.codec ? d->lora.codec : payload_script(d->profile_found),
        .variables = variables,
        .every_ms = d->poll_ms,
        .is_enabled = d->is_enabled,
    };
    return rc;
}

int table_add_lora(struct table *t)
{
    const struct bus_conf *buses = t->config->buses.items;
    const struct device_conf *devices = t->config->devices.items;
    int rc = 0;

    t->lora_bus = calloc(t->config->buses.n + 1, sizeof *t->lora_bus);
    t->lora_device = calloc(t->config->devices.n + 1, sizeof *t->lora_device);
    if (!t->lora_bus || !t->lora_device)
        return -ENOMEM;
    for (size_t i = 0; i < t->config->buses.n && rc == 0; i++) {
        const struct bus_lora_udp_conf *u = lora_udp_of(&buses[i]);
        const struct bus_lns_conf *f = lora_lns_of(&buses[i]);
        t->lora_bus[i].id = buses[i].id;
        if (u)
            rc = describe_udp(u, &t->lora_bus[i]);
        else if (f)
            rc = describe_feed(t, &buses[i], f, &t->lora_bus[i]);
    }
    for (size_t i = 0; i < t->config->devices.n && rc == 0; i++)
        if (lora_bus_is(devices[i].bus_found))
            rc = add_device(t, (uint32_t)i, (uint32_t)(devices[i].bus_found - buses));
    return rc;
}

void table_forget_lora(struct table *t)
{
    for (size_t i = 0; t->lora_bus && i < t->config->buses.n; i++) {
        free((void *)t->lora_bus[i].concentrators);
        free((void *)t->lora_bus[i].gateways);
        free((char *)t->lora_bus[i].feed.client_id);
    }
    for (size_t i = 0; i < t->lora_devices_n; i++)
        free((void *)t->lora_device[i].variables);
    free(t->lora_bus);
    free(t->lora_device);
}
