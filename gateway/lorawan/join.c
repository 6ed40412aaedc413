/* SPDX-License-Identifier: Apache-2.0 */
/* join - join requests (facts: lorawan section 3), and sessions made from configuration. */
#include <errno.h>

#include "gateway/lorawan/network_internal.h"

enum { NONCE_24 = 0xFFFFFF, ADDR_BITS = 32, DELAY_ABP_S = 1 };

/* ---- which nonces are taken ---- */

static bool is_counted(const struct network_device *d)
{
    return d->nonces == NONCE_COUNTER ||
           (d->nonces == NONCE_BY_VERSION && d->version != LORAWAN_1_0);
}

/*
 * After a restore the set may miss nonces of joins since the backup: a recorded request of
 * those would get an answer. It opens nothing: the session that the answer offers counts from
 * its first uplink on, and to make that takes the root keys. The old session stays until then.
 */
static bool is_nonce_new(const struct node *node, uint16_t dev_nonce)
{
    if (is_counted(node->conf))
        return (int32_t)dev_nonce > node->rec.dev_nonce;
    return dev_nonce != node->rec.dev_nonce && !nonces_has(&node->nonces, dev_nonce);
}

static void keep_nonces(struct network *n, const struct node *node)
{
    char key[STATE_KEY_SIZE];
    uint8_t bytes[NONCES_SIZE_MAX];

    network_state_key(node->conf, "/nonces", key);
    n->o.on_keep(n->o.user, node_number(n, node),
                 &(struct network_keep){
                     .key = key,
                     .data = bytes,
                     .size = nonces_pack(&node->nonces, bytes),
                 });
}

static int take_nonce(struct network *n, struct node *node, uint16_t dev_nonce)
{
    if (!is_counted(node->conf)) {
        if (nonces_add(&node->nonces, dev_nonce) < 0)
            return -ENOMEM;
        keep_nonces(n, node);
    }
    node->rec.dev_nonce = dev_nonce;
    return 0;
}

/* ---- addresses ---- */

/* A DevAddr of the network (NetID types 0 to 7: as many ones, a zero, NwkID), and of this
 * device always the same. Two devices may share one: the MIC tells them apart. */
static uint32_t address_of(const struct network *n, const struct network_device *d)
{
    static const uint8_t nwk_id_bits[8] = { 6, 6, 9, 11, 12, 13, 15, 17 };
    unsigned type = n->o.net_id >> 21 & 7, id_bits = nwk_id_bits[type];
    unsigned own_bits = ADDR_BITS - (type + 1) - id_bits;
    uint64_t prefix = (1u << (type + 1)) - 2;
    uint64_t id = n->o.net_id & ((1u << id_bits) - 1);
    uint64_t h = d->dev_eui * 0x9e3779b97f4a7c15;

    h ^= h >> 31;
    return (uint32_t)(prefix << (ADDR_BITS - type - 1) | id << own_bits |
                      (h & ((1u << own_bits) - 1)));
}

/* ---- keys ---- */

static struct join_accept accept_of(const struct session *s)
{
    return (struct join_accept){
        .join_nonce = s->join_nonce,
        .net_id = s->net_id,
        .dev_addr = s->dev_addr,
        .is_opt_neg = s->is_1_1,
        .rx1_dr_offset = s->rx1_dr_offset,
        .rx2_dr = s->rx2_dr,
        .rx_delay = s->rx1_delay_s,
    };
}

static int derive_keys(struct network *n, const struct network_device *d, struct session *s)
{
    struct join_accept a = accept_of(s);
    struct join_request of = { d->join_eui, d->dev_eui, s->dev_nonce };

    return join_keys(n->crypto, &d->app_key, s->is_1_1 ? &d->nwk_key : NULL, &a, &of, &s->keys);
}

int join_restore_keys(struct network *n, const struct network_device *d, struct session *s)
{
    uint64_t check = 0;

    if (!d->has_keys || s->is_1_1 != (d->version == LORAWAN_1_1))
        return -EINVAL;
    if (!d->is_otaa && s->dev_addr != d->dev_addr)
        return -EINVAL;
    if (d->is_otaa && derive_keys(n, d, s) < 0)
        return -EINVAL;
    if (!d->is_otaa)
        s->keys = d->keys;
    if (session_key_check(n->crypto, s, &check) < 0)
        return -EINVAL;
    return check == s->key_check ? 0 : -EINVAL;
}

int join_start_abp(struct network *n, struct node *node)
{
    const struct network_device *d = node->conf;
    struct region_window rx2 = region_rx2(n->o.region, -1);
    struct session *s = &node->rec.current;

    *s = (struct session){
        .keys = d->keys,
        .dev_addr = d->dev_addr,
        .is_live = true,
        .is_1_1 = d->version == LORAWAN_1_1,
        .is_doubtful = n->o.is_restored,
        .rx2_hz = rx2.freq_hz,
        .rx2_dr = (uint8_t)rx2.dr,
        .rx1_delay_s = DELAY_ABP_S,
        .join_channel = -1,
        .nb_trans = 1,
    };
    /* A log that lost this device may have seen it send: its counters are unknown, too. */
    if (n->o.is_restored)
        session_skip(s, SESSION_SKIP);
    lookup_add(&n->by_addr, s->dev_addr, node_number(n, node) * 2);
    return session_key_check(n->crypto, s, &s->key_check);
}

/* ---- the accept ---- */

static bool cf_list(const struct network *n, uint8_t ret[CF_LIST_SIZE])
{
    return region_cf_list(n->o.region, n->o.extra_hz, n->channels, ret);
}

static uint8_t extras_of(const struct network *n)
{
    uint8_t bits = 0;

    for (unsigned i = 0; i < REGION_EXTRA_MAX; i++)
        bits |= n->o.extra_hz[i] ? (uint8_t)(1u << i) : 0;
    return bits;
}

static int make_session(struct network *n, struct node *node, const struct radio_rx *rx,
                        const struct frame *f, struct session *ret)
{
    const struct network_device *d = node->conf;
    int join_channel = region_join_channel_of(n->o.region, rx->freq_hz);
    uint8_t list[CF_LIST_SIZE];
    bool has_list = cf_list(n, list), is_fixed = region_is_fixed(n->o.region);
    struct session s = {
        .dev_addr = address_of(n, d),
        .join_nonce = node->rec.join_nonce,
        .net_id = n->o.net_id,
        .dev_nonce = f->dev_nonce,
        .is_live = true,
        .is_1_1 = d->version == LORAWAN_1_1,
        .rx2_hz = region_rx2(n->o.region, join_channel).freq_hz,
        .rx2_dr = (uint8_t)network_rx2_dr(n, join_channel),
        .rx1_delay_s = (uint8_t)n->o.rx1_delay_s,
        .rx1_dr_offset = (uint8_t)n->o.rx1_dr_offset,
        .join_channel = (int8_t)join_channel,
        .dr = (uint8_t)region_dr_of(n->o.region, &rx->rate, true),
        .nb_trans = 1,
        .extras = has_list && !is_fixed ? extras_of(n) : 0,
        /* 1.0.0 to 1.0.2 skip a CFList of masks without a word: they are told again. */
        .is_masked = has_list && is_fixed && d->version != LORAWAN_1_0,
    };

    if (derive_keys(n, d, &s) < 0 || session_key_check(n->crypto, &s, &s.key_check) < 0)
        return -EIO;
    *ret = s;
    return 0;
}

static void write_accept(struct network *n, const struct node *node, const struct frame *f,
                         struct answer *a)
{
    const struct session *s = &node->rec.pending;
    const struct network_device *d = node->conf;
    struct join_accept accept = accept_of(s);
    struct join_request of = { f->join_eui, f->dev_eui, f->dev_nonce };

    accept.has_cf_list = cf_list(n, accept.cf_list);
    int size = join_accept_write(n->crypto, s->is_1_1 ? &d->nwk_key : &d->app_key, &accept, &of,
                                 a->phy);
    a->phy_n = size > 0 ? (size_t)size : 0;
}

/* ---- the request ---- */

static enum network_refusal check(struct network *n, const struct node *node,
                                  const struct radio_rx *rx, const struct frame *f)
{
    const struct network_device *d = node->conf;
    int dr = region_dr_of(n->o.region, &rx->rate, true);
    struct region_window rx1;

    if (!d->is_enabled)
        return NETWORK_DISABLED;
    if (!d->is_otaa)
        return NETWORK_UNKNOWN_EUI;
    if (f->join_eui != d->join_eui)
        return NETWORK_JOIN_EUI;
    if (!d->has_keys)
        return NETWORK_NO_KEYS;
    if (dr < 0 ||
        !region_rx1(n->o.region, rx->freq_hz, (unsigned)dr, 0, n->o.is_down_dwell, true, &rx1))
        return NETWORK_REGION;
    if (join_request_mic_is_ok(n->crypto, d->version == LORAWAN_1_1 ? &d->nwk_key : &d->app_key,
                               f) != 1)
        return NETWORK_KEY;
    return is_nonce_new(node, f->dev_nonce) ? NETWORK_TAKEN : NETWORK_NONCE;
}

static void set_pending(struct network *n, struct node *node, const struct session *s)
{
    uint32_t value = node_number(n, node) * 2 + 1;

    if (node->rec.pending.is_live)
        lookup_drop(&n->by_addr, node->rec.pending.dev_addr, value);
    node->rec.pending = *s;
    lookup_add(&n->by_addr, s->dev_addr, value);
}

static void accept(struct network *n, struct node *node, const struct radio_rx *rx,
                   const struct frame *f)
{
    struct network_state st;
    struct session s;

    node->rec.join_nonce = (node->rec.join_nonce + 1) & NONCE_24;
    if (take_nonce(n, node, f->dev_nonce) < 0 || make_session(n, node, rx, f, &s) < 0)
        return; /* no memory: the device asks again */
    session_reserve(&s, n->ticket + 1);
    set_pending(n, node, &s);
    node->rec.joined_ms = rx->time_ms;
    node->joins++;
    node->refused = NETWORK_TAKEN;
    n->counters.joins++;

    struct answer *a = answer_begin(n, node, ANSWER_JOIN);
    uint64_t ticket = ++n->ticket;
    if (a) {
        a->ticket = ticket;
        a->up_us = rx->mono_us;
        a->open_us = network_copies_until(n, rx);
        a->rx1_us = JOIN_DELAY_S * US_PER_S;
        a->up_dr = s.dr;
        a->rx2 = region_rx2(n->o.region, s.join_channel);
        answer_hear(a, rx);
        write_accept(n, node, f, a);
    }
    struct network_keep k = network_pack(n, node, &st, ticket);
    n->o.on_join(n->o.user, node_number(n, node), &k);
}

void join_take(struct network *n, const struct radio_rx *rx, const struct frame *f)
{
    uint64_t tag = dedupe_tag(f->bytes, f->n);
    size_t i = lookup_first(&n->by_eui, f->dev_eui);

    if (uplink_is_copy(n, rx, f, tag))
        return;
    if (i == n->by_eui.n) {
        network_refuse(n, NULL, NETWORK_UNKNOWN_EUI, rx, f);
        return;
    }
    struct node *node = &n->nodes[n->by_eui.entries[i].value];
    enum network_refusal why = check(n, node, rx, f);
    if (why != NETWORK_TAKEN) {
        network_refuse(n, node, why, rx, f);
        return;
    }
    dedupe_put(&n->dedupe, tag, rx->mono_us, node_number(n, node));
    accept(n, node, rx, f);
}
