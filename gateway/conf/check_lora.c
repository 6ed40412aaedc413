/* SPDX-License-Identifier: Apache-2.0 */
/* LoRa buses and devices: plans, keys, who is who. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/conf/config_internal.h"
#include "gateway/conf/path.h"
#include "gateway/conf/value.h"
#include "gateway/forwarder/source.h"
#include "sensors/payload/payload.h"

static bool is_kind(const struct bus_conf *bus, const char *name)
{
    return bus->type.kind && strcmp(bus->type.kind->name, name) == 0;
}

const struct bus_lora_udp_conf *lora_udp_of(const struct bus_conf *bus)
{
    return is_kind(bus, "lora-udp") ? bus->type.options : NULL;
}

const struct bus_lns_conf *lora_lns_of(const struct bus_conf *bus)
{
    return is_kind(bus, "chirpstack") || is_kind(bus, "ttn") ? bus->type.options : NULL;
}

const struct bus_bridge_conf *lora_bridge_of(const struct bus_conf *bus)
{
    return is_kind(bus, "modbus-lorawan") ? bus->type.options : NULL;
}

const struct bus_modem_conf *lora_modem_of(const struct bus_conf *bus)
{
    return is_kind(bus, "lora-serial") ? bus->type.options : NULL;
}

const char *lora_modem_radio(const struct bus_modem_conf *m)
{
    return m->radio ? m->radio : m->line.port;
}

bool lora_bus_is(const struct bus_conf *bus)
{
    return lora_udp_of(bus) || lora_lns_of(bus);
}

/* ---- buses ---- */

static void check_plan(const struct check *k, const struct bus_conf *bus,
                       const struct bus_lora_udp_conf *u)
{
    const struct region *r = u->region ? region_find(u->region) : NULL;
    uint8_t mask[(REGION_CHANNELS_MAX + 7) / 8];
    const char *const *extra = u->extra_mhz.items;
    struct radio_rate rate;

    if (!r)
        return;
    if (u->channels && lora_channels_parse(u->channels, region_channels_n(r), mask) < 0)
        check_error(k, bus, &u->channels, E_VALUE,
                    "expected channels of %s such as 0-7 or 8-15,65, each below %u", u->region,
                    region_channels_n(r));
    if (u->rx2_dr >= 0 && !region_rate(r, (unsigned)u->rx2_dr, false, &rate))
        check_error(k, bus, &u->rx2_dr, E_VALUE, "%s has no downlink data rate %d", u->region,
                    (int)u->rx2_dr);
    if (u->rx1_dr_offset > (int64_t)region_rx1_offset_max(r))
        check_error(k, bus, &u->rx1_dr_offset, E_VALUE, "%s allows offsets up to %u", u->region,
                    region_rx1_offset_max(r));
    if (u->rx1_delay_ms % 1000)
        check_error(k, bus, &u->rx1_delay_ms, E_VALUE, "expected whole seconds");
    for (size_t i = 0; i < u->extra_mhz.n; i++) {
        double mhz;
        if (extra[i] && (value_parse_double(extra[i], &mhz) < 0 || mhz < 137 || mhz > 1020))
            check_error(k, bus, &u->extra_mhz, E_VALUE, "expected MHz such as 867.1, got '%s'",
                        extra[i]);
    }
}

/* The forwarders' protocol knows no password: who may speak is told by address. */
static void check_source(const struct check *k, const struct bus_lora_udp_conf *u,
                         const struct lora_gateway_conf *g)
{
    bool is_loopback =
        strncmp(u->listen, "127.", 4) == 0 || strncmp(u->listen, "[::1]", 5) == 0;
    struct source source;

    if (g->from && source_parse(g->from, &source) < 0)
        check_error(k, g, &g->from, E_VALUE,
                    "expected an address or a network such as 192.0.2.7 or 192.0.2.0/24, got "
                    "'%s'",
                    g->from);
    if (!g->from && !is_loopback)
        check_warning(k, g, &g->id, E_CONFLICT,
                      "anybody who reaches %s can speak for gateway '%s': give its address by "
                      "'from'",
                      u->listen, g->id ? g->id : "");
}

static void check_gateways(const struct check *k, const struct bus_lora_udp_conf *u)
{
    struct lora_gateway_conf *g = u->gateways.items;
    uint64_t eui, other;

    for (size_t i = 0; i < u->gateways.n; i++) {
        g[i].mark = bind_item_mark(k->b, &g[i]);
        check_source(k, u, &g[i]);
        if (!g[i].eui || lorawan_eui_parse(g[i].eui, &eui) < 0)
            continue;
        for (size_t j = 0; j < i; j++)
            if (g[j].eui && lorawan_eui_parse(g[j].eui, &other) == 0 && other == eui)
                check_error(k, &g[i], &g[i].eui, E_ADDRESS, "gateway '%s' has this EUI already",
                            g[j].id ? g[j].id : "");
    }
}

/* Modems that are set differently do not hear each other. */
static void check_modem(const struct check *k, const struct bus_conf *bus,
                        const struct bus_modem_conf *m)
{
    const struct bus_conf *other = k->c->buses.items;

    for (; m->radio && other < bus; other++) {
        const struct bus_modem_conf *o = lora_modem_of(other);
        if (!o || !o->radio || !other->id || strcmp(o->radio, m->radio) != 0 ||
            o->air_rate == m->air_rate)
            continue;
        check_error(k, bus, &m->air_rate, E_CONFLICT,
                    "bus '%s' has the same radio and another air rate, %s", other->id,
                    serial_modem_rate_names[o->air_rate]);
        return;
    }
}

/* Its devices answer when the bridge hears at any time. */
static void check_bridge(const struct check *k, const struct bus_conf *bus,
                         const struct bus_bridge_conf *b)
{
    const struct device_conf *d = k->c->devices.items;

    for (size_t i = 0; i < k->c->devices.n; i++) {
        if (!b->device || !d[i].id || strcmp(d[i].id, b->device) != 0 || !d[i].bus_found)
            continue;
        if (!lora_udp_of(d[i].bus_found))
            check_error(k, bus, &b->device, E_CONFLICT,
                        "device '%s' is on no lora-udp bus of this station", b->device);
        else if (d[i].lora.device_class != LORAWAN_CLASS_C)
            check_error(k, bus, &b->device, E_CONFLICT,
                        "device '%s' must listen all the time: 'lora: {class: C}'", b->device);
    }
}

/* ---- keys ---- */

struct key_taker {
    const struct check *k;
    const struct bus_conf *bus;
    size_t unused;
};

static void take_keys(void *user, const struct lora_keys *keys)
{
    struct key_taker *t = user;
    struct device_conf *dev = t->k->c->devices.items;

    for (size_t i = 0; i < t->k->c->devices.n; i++) {
        if (dev[i].bus_found != t->bus || !dev[i].lora.dev_eui ||
            dev[i].lora.eui != keys->dev_eui)
            continue;
        struct lora_keys *copy = arena_alloc(t->k->arena, sizeof *copy);
        if (!copy)
            return;
        *copy = *keys;
        dev[i].lora.keys = copy;
        return;
    }
    t->unused++;
}

static void check_keys(const struct check *k, const struct bus_conf *bus,
                       const struct bus_lora_udp_conf *u)
{
    struct key_taker t = { .k = k, .bus = bus };
    char why[256];
    int line = u->keys ? lora_keys_parse(u->keys, take_keys, &t, why, sizeof why) : 0;

    if (line)
        check_error(k, bus, &u->keys, E_SECRET, "line %d of the keys: %s", line, why);
    if (t.unused)
        check_warning(k, bus, &u->keys, E_REFERENCE,
                      "%zu line%s of the keys belong%s to no device of this bus", t.unused,
                      t.unused == 1 ? "" : "s", t.unused == 1 ? "s" : "");
}

static unsigned keys_needed(const struct lora_conf *l)
{
    if (!l->dev_addr)
        return 1u << LORA_APP_KEY | (l->version == LORAWAN_1_1 ? 1u << LORA_NWK_KEY : 0);
    return 1u << LORA_APP_S_KEY | 1u << LORA_F_NWK_S_INT_KEY | 1u << LORA_S_NWK_S_INT_KEY |
           1u << LORA_NWK_S_ENC_KEY;
}

/* ---- devices ---- */

static void check_device_keys(const struct check *k, const struct device_conf *dev)
{
    const struct lora_conf *l = &dev->lora;
    unsigned needed = keys_needed(l);

    if (l->keys && (l->keys->has & needed) == needed)
        return;
    check_error(k, dev, &l->dev_eui, E_SECRET, "the keys of bus '%s' have no %s of this device",
                dev->bus,
                !l->dev_addr ? l->version == LORAWAN_1_1 ? "app_key and nwk_key" : "app_key"
                : l->version == LORAWAN_1_1
                    ? "app_s_key, f_nwk_s_int_key, s_nwk_s_int_key and nwk_s_enc_key"
                    : "nwk_s_key and app_s_key");
}

/* A device's own script stands in for the profile's, with the profile's map of its results. */
static void check_codec(const struct check *k, struct device_conf *dev)
{
    const char **codec = &dev->lora.codec;
    char path[PATH_MAX];

    if (dev->profile_found && !payload_script(dev->profile_found)) {
        check_error(
            k, dev, codec, E_CONFLICT,
            "profile '%s' does not map the results of a script: 'payload: {codec, map}'",
            dev->profile_found->id);
        return;
    }
    int err = path_beside(bind_mark(k->b, codec).file, *codec, path, sizeof path);
    if (!err && access(path, R_OK) != 0)
        err = -errno;
    const char *found = err ? NULL : arena_text(k->arena, path, strlen(path));
    if (found)
        *codec = found;
    else
        check_error(k, dev, codec, E_FILE, "the script '%s' cannot be read: %s", *codec,
                    strerror(err ? -err : ENOMEM));
}

static void check_device(const struct check *k, struct device_conf *dev)
{
    const struct profile *p = dev->profile_found;
    bool is_lora = lora_bus_is(dev->bus_found);

    if (p && p->payload && !is_lora)
        check_error(k, dev, &dev->bus, E_CONFLICT,
                    "profile '%s' is of a LoRaWAN device, bus '%s' is none for it", p->id,
                    dev->bus);
    if (p && !p->payload && is_lora)
        check_error(k, dev, &dev->bus, E_CONFLICT,
                    "profile '%s' is read by Modbus, bus '%s' carries LoRaWAN payloads", p->id,
                    dev->bus);
    if (is_lora && !dev->lora.dev_eui)
        check_error(k, dev, &dev->lora, E_MISSING_KEY, "a LoRa device needs 'lora: {dev_eui}'");
    if (!is_lora && dev->lora.dev_eui)
        check_error(k, dev, &dev->lora.dev_eui, E_CONFLICT, "bus '%s' is no LoRa bus",
                    dev->bus);
    if (dev->lora.dev_eui && lora_udp_of(dev->bus_found) && dev->is_enabled)
        check_device_keys(k, dev);
    if (dev->lora.codec)
        check_codec(k, dev);
}

/* Number, by bus and DevEUI: the same twice is an error. */
static int by_eui(const void *a, const void *b)
{
    const struct device_conf *x = *(const struct device_conf *const *)a,
                             *y = *(const struct device_conf *const *)b;

    if (x->bus_found != y->bus_found)
        return x->bus_found < y->bus_found ? -1 : 1;
    if (x->lora.eui != y->lora.eui)
        return x->lora.eui < y->lora.eui ? -1 : 1;
    return (x > y) - (x < y);
}

static void check_twins(const struct check *k)
{
    const struct device_conf *dev = k->c->devices.items;
    const struct device_conf **all = calloc(k->c->devices.n + 1, sizeof *all);
    size_t n = 0;

    for (size_t i = 0; all && i < k->c->devices.n; i++)
        if (dev[i].lora.dev_eui && dev[i].bus_found)
            all[n++] = &dev[i];
    if (n)
        qsort(all, n, sizeof *all, by_eui);
    for (size_t i = 1; i < n; i++)
        if (all[i]->bus_found == all[i - 1]->bus_found &&
            all[i]->lora.eui == all[i - 1]->lora.eui)
            check_error(k, all[i], &all[i]->lora.dev_eui, E_ADDRESS,
                        "device '%s' has this DevEUI, see %s:%d", all[i - 1]->id,
                        all[i - 1]->mark.file, all[i - 1]->mark.line);
    free(all);
}

void check_lora(const struct check *k)
{
    const struct bus_conf *buses = k->c->buses.items;
    struct device_conf *devices = k->c->devices.items;

    for (size_t i = 0; i < k->c->devices.n; i++)
        if (devices[i].lora.dev_eui)
            lorawan_eui_parse(devices[i].lora.dev_eui, &devices[i].lora.eui);
    for (size_t i = 0; i < k->c->buses.n; i++) {
        const struct bus_lora_udp_conf *u = lora_udp_of(&buses[i]);
        if (lora_bridge_of(&buses[i]))
            check_bridge(k, &buses[i], lora_bridge_of(&buses[i]));
        if (lora_modem_of(&buses[i]))
            check_modem(k, &buses[i], lora_modem_of(&buses[i]));
        if (!u)
            continue;
        check_plan(k, &buses[i], u);
        check_gateways(k, u);
        check_keys(k, &buses[i], u);
    }
    for (size_t i = 0; i < k->c->devices.n; i++)
        if (devices[i].bus_found && devices[i].bus_found->type.kind)
            check_device(k, &devices[i]);
    check_twins(k);
}
