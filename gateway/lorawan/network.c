/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/lorawan/network_internal.h"

#define KEY_NONCES "/nonces"

enum { FRAMES_PER_DEVICE = 64 /* more than one a second for the minute they are remembered */ };

/* ---- life ---- */

static bool is_sane(const struct network_options *o)
{
    return o->region && o->gateways_n && o->gateways_n <= NETWORK_GATEWAYS_MAX &&
           o->devices_n < UINT32_MAX / 2 && o->rx1_delay_s >= 1 && o->rx1_delay_s <= 15 &&
           o->rx1_dr_offset <= region_rx1_offset_max(o->region) && o->rx2_dr < REGION_DRS;
}

static int take_room(struct network *n)
{
    size_t devices = n->o.devices_n ? n->o.devices_n : 1;

    n->nodes = calloc(devices, sizeof *n->nodes);
    n->queued = calloc(devices, sizeof *n->queued);
    n->gateways = calloc(n->o.gateways_n, sizeof *n->gateways);
    n->answers = calloc(ANSWERS_MAX, sizeof *n->answers);
    n->free = calloc(ANSWERS_MAX, sizeof *n->free);
    n->busy = calloc(ANSWERS_MAX, sizeof *n->busy);
    if (!n->nodes || !n->queued || !n->gateways || !n->answers || !n->free || !n->busy ||
        lookup_init(&n->by_eui, devices) < 0 || lookup_init(&n->by_addr, 2 * devices) < 0 ||
        dedupe_init(&n->dedupe, devices * FRAMES_PER_DEVICE) < 0)
        return -ENOMEM;
    for (size_t i = ANSWERS_MAX; i-- > 0;)
        n->free[n->free_n++] = &n->answers[i];
    for (size_t i = 0; i < n->o.gateways_n; i++)
        n->gateways[i].is_up = true;
    return 0;
}

static bool is_any(const uint8_t *bits, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bits[i])
            return true;
    }
    return false;
}

/* The channels a device shall use: those of the plan that are enabled, and the extra ones. */
static void set_channels(struct network *n)
{
    const struct network_options *o = &n->o;
    unsigned own = region_channels_n(o->region);
    bool is_all = !region_is_fixed(o->region) || !is_any(o->enabled, sizeof o->enabled);

    for (unsigned i = 0; i < own; i++) {
        if (is_all || (o->enabled[i / 8] >> i % 8 & 1))
            n->channels[i / 8] |= (uint8_t)(1u << i % 8);
    }
    for (unsigned i = 0; i < REGION_EXTRA_MAX && !region_is_fixed(o->region); i++) {
        if (o->extra_hz[i])
            n->channels[(own + i) / 8] |= (uint8_t)(1u << (own + i) % 8);
    }
}

static int add_node(struct network *n, uint32_t i)
{
    const struct network_device *d = &n->o.devices[i];
    struct node *node = &n->nodes[i];

    *node = (struct node){
        .conf = d,
        .up_us = INT64_MIN,
        .rssi = NAN,
        .snr = NAN,
        .rec = { .dev_nonce = -1, .battery = -1 },
        /* Not all of them with their first uplink after a start. */
        .status_us = INT64_MIN,
    };
    lookup_add(&n->by_eui, d->dev_eui, i);
    return d->is_otaa ? 0 : join_start_abp(n, node);
}

int network_create(const struct network_options *o, struct network **ret)
{
    struct network *n;
    int r;

    if (!is_sane(o))
        return -EINVAL;
    n = calloc(1, sizeof *n);
    if (!n)
        return -ENOMEM;
    n->o = *o;
    n->counters.lead_us_min = INT64_MAX;
    r = take_room(n);
    if (r == 0)
        r = crypto_create(&n->crypto);
    if (r == 0)
        set_channels(n);
    for (uint32_t i = 0; r == 0 && i < o->devices_n; i++)
        r = add_node(n, i);
    if (r < 0) {
        network_destroy(n);
        return r;
    }
    *ret = n;
    return 0;
}

void network_destroy(struct network *n)
{
    if (!n)
        return;
    for (size_t i = 0; n->nodes && i < n->o.devices_n; i++) {
        nonces_done(&n->nodes[i].nonces);
        down_queue_clear(&n->nodes[i]);
    }
    crypto_destroy(n->crypto);
    dedupe_done(&n->dedupe);
    lookup_done(&n->by_addr);
    lookup_done(&n->by_eui);
    free(n->busy);
    free(n->free);
    free(n->answers);
    free(n->gateways);
    free(n->queued);
    free(n->nodes);
    free(n);
}

/* ---- what is kept ---- */

void network_state_key(const struct network_device *d, const char *suffix,
                       char ret[STATE_KEY_SIZE])
{
    snprintf(ret, STATE_KEY_SIZE, NETWORK_KEY_PREFIX "%016" PRIx64 "%s", d->dev_eui, suffix);
}

struct network_keep network_pack(struct network *n, const struct node *node,
                                 struct network_state *st, uint64_t ticket)
{
    (void)n;
    network_state_key(node->conf, "", st->key);
    return (struct network_keep){
        .key = st->key,
        .data = st->bytes,
        .size = session_record_pack(&node->rec, st->bytes),
        .ticket = ticket,
    };
}

uint64_t network_keep_node(struct network *n, struct node *node, bool is_waited)
{
    struct network_state st;
    /* What nobody waits for is in the commit of whatever comes next, at the latest. */
    uint64_t ticket = is_waited ? ++n->ticket : n->ticket + 1;

    if (node->rec.current.is_live)
        session_reserve(&node->rec.current, ticket);
    struct network_keep k = network_pack(n, node, &st, is_waited ? ticket : 0);
    n->o.on_keep(n->o.user, node_number(n, node), &k);
    return ticket;
}

static struct node *find_node(const struct network *n, uint64_t dev_eui)
{
    size_t i = lookup_first(&n->by_eui, dev_eui);

    return i < n->by_eui.n ? &n->nodes[n->by_eui.entries[i].value] : NULL;
}

static void doubt(struct session *s)
{
    if (!s->is_live)
        return;
    s->is_doubtful = true;
    session_skip(s, SESSION_SKIP);
}

static int restore_session(struct network *n, struct node *node, struct session *s,
                           bool is_pending)
{
    if (!s->is_live)
        return 0;
    if (join_restore_keys(n, node->conf, s) < 0) {
        *s = (struct session){ 0 };
        return -EINVAL;
    }
    if (n->o.is_restored)
        doubt(s);
    lookup_add(&n->by_addr, s->dev_addr, node_number(n, node) * 2 + is_pending);
    return 0;
}

static void drop_addresses(struct network *n, const struct node *node)
{
    lookup_drop(&n->by_addr, node->rec.current.dev_addr, node_number(n, node) * 2);
    lookup_drop(&n->by_addr, node->rec.pending.dev_addr, node_number(n, node) * 2 + 1);
}

static int restore_record(struct network *n, struct node *node, const void *data, size_t size)
{
    struct session_record r;

    if (session_record_unpack(data, size, &r) < 0)
        return -EINVAL;
    drop_addresses(n, node);
    node->rec = r;
    if (n->o.is_restored)
        node->rec.join_nonce += SESSION_SKIP; /* 1.0.4 and 1.1 devices take none twice */
    int current = restore_session(n, node, &node->rec.current, false);
    int pending = restore_session(n, node, &node->rec.pending, true);
    if (!node->conf->is_otaa && current < 0)
        join_start_abp(n, node);
    return current < 0 || pending < 0 ? -EINVAL : 0;
}

int network_restore(struct network *n, const char *key, const void *data, size_t size)
{
    const char *at = key + strlen(NETWORK_KEY_PREFIX);
    uint64_t eui = 0;
    char full[STATE_KEY_SIZE];

    if (strncmp(key, NETWORK_KEY_PREFIX, strlen(NETWORK_KEY_PREFIX)) != 0)
        return -EINVAL;
    for (int i = 0; i < 16; i++, at++) {
        const char *digits = "0123456789abcdef", *d = *at ? strchr(digits, *at) : NULL;

        if (!d)
            return -EINVAL;
        eui = eui << 4 | (uint64_t)(d - digits);
    }
    struct node *node = find_node(n, eui);
    if (!node)
        return -ENOENT;
    network_state_key(node->conf, KEY_NONCES, full);
    if (strcmp(key, full) == 0)
        return nonces_unpack(data, size, &node->nonces);
    return *at ? -EINVAL : restore_record(n, node, data, size);
}

/* Doubts and skipped counters are kept before anything else happens: the next start does not
 * know that the log was restored. */
static void tell_doubts(struct network *n)
{
    if (n->is_told)
        return;
    n->is_told = true;
    for (size_t i = 0; n->o.is_restored && i < n->o.devices_n; i++) {
        const struct session_record *r = &n->nodes[i].rec;

        if (r->current.is_live || r->pending.is_live || r->join_nonce)
            network_keep_node(n, &n->nodes[i], false);
    }
}

/* ---- receptions ---- */

void network_refuse(struct network *n, struct node *node, enum network_refusal why,
                    const struct radio_rx *rx, const struct frame *f)
{
    n->counters.refusals[why]++;
    n->counters.copies += why == NETWORK_COPY;
    n->counters.neighbours += why == NETWORK_NOT_OURS;
    if (node) {
        if (node->refusals[why] < UINT16_MAX)
            node->refusals[why]++;
        node->copies += why == NETWORK_COPY;
        node->repeated += why == NETWORK_REPEATED;
        if (why != NETWORK_COPY && why != NETWORK_REPEATED) {
            node->refused = (uint8_t)why;
            node->refused_ms = rx->time_ms;
            node->refused_hz = rx->freq_hz;
        }
    }
    n->o.on_refused(n->o.user, node ? node_number(n, node) : UINT32_MAX, why, rx, f);
}

int network_channel(const struct network *n, const struct radio_rx *rx, int *ret_dr)
{
    *ret_dr = region_dr_of(n->o.region, &rx->rate, true);
    return region_channel_of(n->o.region, n->o.extra_hz, rx->freq_hz, &rx->rate);
}

size_t network_gateways_up(const struct network *n)
{
    size_t up = 0;

    for (size_t i = 0; i < n->o.gateways_n; i++)
        up += n->gateways[i].is_up;
    return up;
}

int64_t network_copies_until(const struct network *n, const struct radio_rx *rx)
{
    return network_gateways_up(n) > 1 ? rx->mono_us + n->o.dedupe_ms * (int64_t)US_PER_MS : 0;
}

unsigned network_rx2_dr(const struct network *n, int join_channel)
{
    return n->o.rx2_dr >= 0 ? (unsigned)n->o.rx2_dr : region_rx2(n->o.region, join_channel).dr;
}

uint32_t network_rx2_hz(const struct network *n, int join_channel)
{
    return n->o.rx2_hz ? n->o.rx2_hz : region_rx2(n->o.region, join_channel).freq_hz;
}

void network_rx(struct network *n, const struct radio_rx *rx, int64_t mono_us)
{
    struct frame f;

    n->now_us = mono_us;
    tell_doubts(n);
    n->counters.rx++;
    if (rx->gateway >= n->o.gateways_n || frame_parse(rx->phy, rx->n, &f) != FRAME_OK) {
        network_refuse(n, NULL, NETWORK_FRAME, rx, NULL);
        return;
    }
    schedule_see(&n->gateways[rx->gateway].schedule, rx->tmst, rx->mono_us);
    if (f.type == FRAME_JOIN_REQUEST)
        join_take(n, rx, &f);
    else if (f.type == FRAME_UP || f.type == FRAME_UP_CONFIRMED)
        uplink_take(n, rx, &f);
    else
        network_refuse(n, NULL, NETWORK_TYPE, rx, &f);
    network_run(n, mono_us);
}

/* ---- what waits ---- */

static void run_once(struct network *n)
{
    for (size_t i = n->busy_n; i-- > 0;) {
        if (i < n->busy_n)
            answer_step(n, n->busy[i]);
    }
    for (size_t i = n->queued_n; i-- > 0;) {
        if (i < n->queued_n)
            down_queue_step(n, &n->nodes[n->queued[i]]);
    }
}

void network_run(struct network *n, int64_t now_us)
{
    n->now_us = now_us;
    n->is_again = true;
    if (n->is_running)
        return;
    n->is_running = true;
    while (n->is_again) {
        n->is_again = false;
        run_once(n);
    }
    n->is_running = false;
}

void network_kept(struct network *n, uint64_t ticket, int64_t mono_us)
{
    if (ticket > n->kept)
        n->kept = ticket;
    network_run(n, mono_us);
}

int64_t network_due(const struct network *n)
{
    int64_t due = n->is_told || !n->o.is_restored ? INT64_MAX : 0;

    for (size_t i = 0; i < n->busy_n; i++) {
        int64_t at = answer_due(n, n->busy[i]);

        due = at < due ? at : due;
    }
    for (size_t i = 0; i < n->queued_n; i++) {
        int64_t at = down_queue_due(n, &n->nodes[n->queued[i]]);

        due = at < due ? at : due;
    }
    return due;
}

void network_tick(struct network *n, int64_t mono_us)
{
    tell_doubts(n);
    network_run(n, mono_us);
}

void network_result(struct network *n, uint64_t id, enum radio_result r, int64_t mono_us)
{
    n->now_us = mono_us;
    for (size_t i = 0; i < n->busy_n; i++) {
        if (n->busy[i]->id == id) {
            answer_result(n, n->busy[i], r);
            break;
        }
    }
    network_run(n, mono_us);
}

void network_gateway_lost(struct network *n, uint32_t gateway, int64_t mono_us)
{
    if (gateway >= n->o.gateways_n)
        return;
    n->now_us = mono_us;
    schedule_reset(&n->gateways[gateway].schedule);
    for (size_t i = n->busy_n; i-- > 0;) {
        if (i < n->busy_n && n->busy[i]->id && n->busy[i]->gateway == gateway)
            answer_lost(n, n->busy[i]);
    }
    network_run(n, mono_us);
}

void network_gateway_up(struct network *n, uint32_t gateway, bool is_up)
{
    if (gateway < n->o.gateways_n)
        n->gateways[gateway].is_up = is_up;
}

/* ---- operators ---- */

int network_forget_nonces(struct network *n, uint32_t device)
{
    char key[STATE_KEY_SIZE];

    if (device >= n->o.devices_n)
        return -ENOENT;
    struct node *node = &n->nodes[device];
    nonces_done(&node->nonces);
    node->rec.dev_nonce = -1;
    network_state_key(node->conf, KEY_NONCES, key);
    n->o.on_keep(n->o.user, device, &(struct network_keep){ .key = key });
    network_keep_node(n, node, false);
    return 0;
}

int network_confirm(struct network *n, uint32_t device, uint32_t fcnt_next)
{
    if (device >= n->o.devices_n)
        return -ENOENT;
    struct node *node = &n->nodes[device];
    /* Of two doubtful ones the device uses the one that was heard. */
    struct session *s = node->rec.pending.is_live && node->rec.pending.doubt_fcnt
                            ? &node->rec.pending
                            : &node->rec.current;
    if (!s->is_live)
        s = &node->rec.pending;
    if (!s->is_live)
        return -ENOENT;
    s->is_doubtful = false;
    s->doubt_fcnt = 0;
    s->fcnt_up = fcnt_next;
    network_keep_node(n, node, false);
    return 0;
}

/* ---- state, for people ---- */

static size_t queue_length(const struct node *node)
{
    size_t length = 0;

    for (const struct message *m = node->queue; m; m = m->next)
        length++;
    return length;
}

void network_device_get(const struct network *n, uint32_t device,
                        struct network_device_state *ret)
{
    const struct node *node = &n->nodes[device];
    const struct session_record *r = &node->rec;
    const struct session *s = r->current.is_live ? &r->current : &r->pending;

    *ret = (struct network_device_state){
        .is_joined = s->is_live,
        .is_doubtful = s->is_doubtful || r->pending.doubt_fcnt,
        .dev_addr = s->dev_addr,
        .joined_ms = r->joined_ms,
        .heard_ms = r->heard_ms,
        .gateway = node->best_gateway,
        .rssi = node->rssi,
        .snr = node->snr,
        .dr = s->dr,
        .fcnt_up = s->fcnt_up,
        .fcnt_down = s->down[s->is_1_1 ? SESSION_A_DOWN : SESSION_N_DOWN],
        .uplinks = node->uplinks,
        .lost = node->lost,
        .repeated = node->repeated,
        .copies = node->copies,
        .joins = node->joins,
        .downlinks = node->downlinks,
        .missed = node->missed,
        .battery = r->battery,
        .margin = r->margin,
        .refused = (enum network_refusal)node->refused,
        .refused_ms = node->refused_ms,
        .refused_hz = node->refused_hz,
        .doubt_fcnt = r->pending.doubt_fcnt ? r->pending.doubt_fcnt : s->doubt_fcnt,
        .queued = queue_length(node),
    };
    for (size_t i = 0; i < NETWORK_REFUSAL_COUNT_; i++)
        ret->refusals[i] = node->refusals[i];
}

void network_counters_get(const struct network *n, struct network_counters *ret)
{
    *ret = n->counters;
}
