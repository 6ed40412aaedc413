/* SPDX-License-Identifier: Apache-2.0 */
/* mac_answers - MAC commands of a device, and what we want to tell it (facts: lorawan 6). */
#include <math.h>
#include <string.h>

#include "gateway/lorawan/network_internal.h"

enum {
    ADR_TAKEN = 0x07, /* channels, data rate and power */
    RX_TAKEN = 0x07,
    CHANNEL_TAKEN = 0x03,
    MINOR_1_1 = 1,
    MODE_A = 0,
    MODE_C = 2,
    LINK_ADR_SIZE = 5, /* with its identifier */
    SETUP_TRIES = 3,   /* unanswered, before the device is left alone for a day */
    MARGIN_UNKNOWN = 0,
};
#define DAY_US    ((int64_t)24 * 3600 * US_PER_S)
#define STATUS_US DAY_US                         /* between two questions that are answered */
#define AGAIN_US  ((int64_t)6 * 3600 * US_PER_S) /* and after one that is not */

/* ---- what the device says ---- */

struct taking {
    struct network *n;
    struct node *node;
    struct session *s;
    struct mac_wants *wants;
    bool is_new;
};

static bool is_answer_to(struct taking *t, uint8_t request)
{
    if (!t->is_new || !(t->node->asked & request))
        return false;
    t->node->asked &= (uint8_t)~request;
    t->node->setup_tries = 0;
    return true;
}

static void take_link_check(struct taking *t, const uint8_t *p)
{
    (void)p;
    t->wants->bits |= WANT_LINK_CHECK;
}

static void take_device_time(struct taking *t, const uint8_t *p)
{
    (void)p;
    t->wants->bits |= WANT_DEVICE_TIME;
}

static void take_link_adr(struct taking *t, const uint8_t *p)
{
    struct node *node = t->node;

    /* A block of requests has one verdict, which a device may give several times. */
    if (!is_answer_to(t, REQUEST_ADR))
        return;
    if (p[0] != ADR_TAKEN) {
        adr_refused(&node->adr, t->n->now_us / US_PER_MS);
        return;
    }
    t->s->tx_power = node->adr_power;
    t->s->nb_trans = node->adr_nb_trans;
    t->s->is_masked = true;
}

static void take_rx_param(struct taking *t, const uint8_t *p)
{
    t->wants->bits |= WANT_ANYTHING;
    if (!is_answer_to(t, REQUEST_RX))
        return;
    if (p[0] != RX_TAKEN) {
        t->node->setup_us = t->n->now_us + DAY_US;
        return;
    }
    t->s->rx2_hz = network_rx2_hz(t->n, t->s->join_channel);
    t->s->rx2_dr = (uint8_t)network_rx2_dr(t->n, t->s->join_channel);
    t->s->rx1_dr_offset = (uint8_t)t->n->o.rx1_dr_offset;
}

static void take_timing(struct taking *t, const uint8_t *p)
{
    (void)p;
    t->wants->bits |= WANT_ANYTHING;
    if (is_answer_to(t, REQUEST_TIMING))
        t->s->rx1_delay_s = (uint8_t)t->n->o.rx1_delay_s;
}

static void take_channel(struct taking *t, const uint8_t *p)
{
    if (!is_answer_to(t, REQUEST_CHANNEL))
        return;
    if (p[0] == CHANNEL_TAKEN)
        t->s->extras |= (uint8_t)(1u << t->node->asked_channel);
    else
        t->node->setup_us = t->n->now_us + DAY_US;
}

static void take_status(struct taking *t, const uint8_t *p)
{
    int margin = p[1] & 0x3F; /* six bits with a sign */

    if (!t->is_new)
        return;
    t->node->rec.battery = p[0];
    t->node->rec.margin = (int8_t)(margin > 31 ? margin - 64 : margin);
    t->node->status_us = t->n->now_us + STATUS_US;
}

static void take_sticky(struct taking *t, const uint8_t *p)
{
    (void)p;
    t->wants->bits |= WANT_ANYTHING;
}

/* The device forgot what it was told; its counters it did not (security: no relaxed mode). */
static void take_reset(struct taking *t, const uint8_t *p)
{
    struct region_window rx2 = region_rx2(t->n->o.region, -1);

    t->wants->bits |= WANT_RESET;
    t->wants->minor = p[0];
    if (t->node->conf->is_otaa || !t->is_new)
        return;
    t->s->rx2_hz = rx2.freq_hz;
    t->s->rx2_dr = (uint8_t)rx2.dr;
    t->s->rx1_dr_offset = t->s->tx_power = t->s->extras = 0;
    t->s->rx1_delay_s = t->s->nb_trans = 1;
    t->s->is_masked = false;
}

static void take_rekey(struct taking *t, const uint8_t *p)
{
    t->wants->bits |= WANT_REKEY;
    t->wants->minor = p[0];
}

static void take_mode(struct taking *t, const uint8_t *p)
{
    t->wants->bits |= WANT_DEVICE_MODE;
    t->wants->mode = p[0] == MODE_C ? MODE_C : MODE_A;
}

static const struct {
    uint8_t cid;
    void (*take)(struct taking *t, const uint8_t *p);
} takes[] = {
    { MAC_RESET, take_reset },
    { MAC_LINK_CHECK, take_link_check },
    { MAC_LINK_ADR, take_link_adr },
    { MAC_RX_PARAM_SETUP, take_rx_param },
    { MAC_DEV_STATUS, take_status },
    { MAC_NEW_CHANNEL, take_channel },
    { MAC_RX_TIMING_SETUP, take_timing },
    { MAC_TX_PARAM_SETUP, take_sticky },
    { MAC_DL_CHANNEL, take_sticky },
    { MAC_REKEY, take_rekey },
    { MAC_DEVICE_TIME, take_device_time },
    { MAC_DEVICE_MODE, take_mode },
};

void mac_take(struct network *n, struct node *node, struct session *s, const uint8_t *bytes,
              size_t size, bool is_new, struct mac_wants *ret)
{
    struct taking t = { n, node, s, ret, is_new };
    struct mac_command m;
    size_t at = 0;

    while (mac_next(bytes, size, true, &at, &m) == 1) {
        for (size_t i = 0; i < sizeof takes / sizeof takes[0]; i++) {
            if (takes[i].cid == m.cid)
                takes[i].take(&t, m.payload);
        }
    }
}

/* ---- what it is to be told ---- */

/* The channels of this session: it has not heard of all extra ones, perhaps. */
static void session_channels(const struct network *n, const struct session *s,
                             uint8_t ret[(REGION_CHANNELS_MAX + 7) / 8])
{
    unsigned own = region_channels_n(n->o.region);

    memcpy(ret, n->channels, sizeof n->channels);
    if (region_is_fixed(n->o.region))
        return;
    for (unsigned i = own; i < own + REGION_EXTRA_MAX; i++) {
        if (!(s->extras >> (i - own) & 1))
            ret[i / 8] &= (uint8_t) ~(1u << i % 8);
    }
}

static bool has_mask(const struct network *n)
{
    for (size_t i = 0; i < sizeof n->o.enabled; i++) {
        if (n->o.enabled[i])
            return region_is_fixed(n->o.region);
    }
    return false;
}

/* Whether a LinkADRReq is due: for the data rate, or for the channels alone. */
static bool wants_adr(const struct network *n, const struct node *node, const struct session *s,
                      struct adr_setting *ret)
{
    struct adr_question q = {
        .region = n->o.region,
        .now = { s->dr, s->tx_power, s->nb_trans },
        .margin_db = n->o.adr_margin_db,
        .now_ms = n->now_us / US_PER_MS,
    };

    *ret = q.now;
    if (node->conf->adr == ADR_OFF || q.now_ms < node->adr.refused_until_ms)
        return false;
    bool is_changed =
        node->conf->adr == ADR_ON && node->is_adr && adr_decide(&node->adr, &q, ret);
    return is_changed || (has_mask(n) && !s->is_masked && n->now_us >= node->setup_us);
}

static bool may_set_up(const struct network *n, const struct node *node)
{
    return n->now_us >= node->setup_us;
}

static bool wants_rx(const struct network *n, const struct node *node, const struct session *s)
{
    return may_set_up(n, node) && (s->rx2_hz != network_rx2_hz(n, s->join_channel) ||
                                   s->rx2_dr != network_rx2_dr(n, s->join_channel) ||
                                   s->rx1_dr_offset != n->o.rx1_dr_offset);
}

static bool wants_timing(const struct network *n, const struct node *node,
                         const struct session *s)
{
    return may_set_up(n, node) && s->rx1_delay_s != n->o.rx1_delay_s;
}

/* The first extra channel it does not have; -1: none. */
static int wants_channel(const struct network *n, const struct node *node,
                         const struct session *s)
{
    for (int i = 0; i < REGION_EXTRA_MAX && !region_is_fixed(n->o.region); i++) {
        if (n->o.extra_hz[i] && !(s->extras >> i & 1))
            return may_set_up(n, node) ? i : -1;
    }
    return -1;
}

static bool wants_status(const struct network *n, const struct node *node)
{
    return node->status_us != INT64_MIN && n->now_us >= node->status_us;
}

bool mac_is_due(const struct network *n, const struct node *node, const struct session *s)
{
    struct adr_setting setting;

    return wants_adr(n, node, s, &setting) || wants_rx(n, node, s) ||
           wants_timing(n, node, s) || wants_channel(n, node, s) >= 0 || wants_status(n, node);
}

/* ---- telling it ---- */

struct writing {
    struct network *n;
    struct node *node;
    const struct answer *a;
    uint8_t *out;
    size_t at, room;
};

static uint8_t distinct_gateways(const struct answer *a)
{
    return (uint8_t)a->heard_n; /* one reception a concentrator */
}

static uint8_t margin_of(const struct writing *w)
{
    struct radio_rate rate;
    double best = -INFINITY;

    for (size_t i = 0; i < w->a->heard_n; i++)
        best = fmax(best, (double)w->a->heard[i].snr);
    if (!region_rate(w->n->o.region, w->a->up_dr, true, &rate) || rate.is_fsk)
        return MARGIN_UNKNOWN;
    double margin = best - radio_snr_min(rate.sf);
    return margin > 0 ? (uint8_t)fmin(margin, 254) : 0;
}

static void write_link_check(struct writing *w)
{
    mac_put_link_check(w->out, &w->at, w->room, margin_of(w), distinct_gateways(w->a));
}

/* Where the station's clock is not believed there is no answer: no time is better than a wrong
 * one. */
static void write_device_time(struct writing *w)
{
    int64_t gps_ms = w->n->o.gps_ms ? w->n->o.gps_ms(w->n->o.user, w->a->up_us) : INT64_MIN;

    if (gps_ms != INT64_MIN)
        mac_put_device_time(w->out, &w->at, w->room, gps_ms);
}

static void write_version(struct writing *w, uint8_t cid)
{
    uint8_t minor = w->a->wants.minor < MINOR_1_1 ? w->a->wants.minor : MINOR_1_1;

    mac_put(w->out, &w->at, w->room, cid, &minor, 1);
}

static void write_wanted(struct writing *w)
{
    const struct mac_wants *wants = &w->a->wants;

    if (wants->bits & WANT_RESET)
        write_version(w, MAC_RESET);
    if (wants->bits & WANT_REKEY)
        write_version(w, MAC_REKEY);
    if (wants->bits & WANT_DEVICE_MODE)
        mac_put(w->out, &w->at, w->room, MAC_DEVICE_MODE, &wants->mode, 1);
    if (wants->bits & WANT_LINK_CHECK)
        write_link_check(w);
    if (wants->bits & WANT_DEVICE_TIME)
        write_device_time(w);
}

/* All masks in one frame, or none: devices take them as one change. They may be more than FOpts
 * holds; then everything goes on port 0. */
static void write_adr(struct writing *w, size_t limit)
{
    uint8_t channels[(REGION_CHANNELS_MAX + 7) / 8];
    struct region_mask masks[REGION_MASKS_MAX];
    struct session *s = w->a->session;
    struct node *node = w->node;
    struct adr_setting to;

    if (!wants_adr(w->n, node, s, &to))
        return;
    session_channels(w->n, s, channels);
    unsigned count = region_masks(w->n->o.region, channels, masks);
    if (count * LINK_ADR_SIZE > FRAME_FOPTS_MAX)
        w->room = limit;
    if (w->at + count * LINK_ADR_SIZE > w->room)
        return;
    for (unsigned i = 0; i < count; i++) {
        struct mac_link_adr r = {
            .dr = (uint8_t)to.dr,
            .tx_power = (uint8_t)to.tx_power,
            .ch_mask = masks[i].ch_mask,
            .ch_mask_cntl = masks[i].ch_mask_cntl,
            .nb_trans = (uint8_t)to.nb_trans,
        };
        mac_put_link_adr(w->out, &w->at, w->room, &r);
    }
    node->adr_power = (uint8_t)to.tx_power;
    node->adr_nb_trans = (uint8_t)to.nb_trans;
    node->asked |= REQUEST_ADR;
    adr_sent(&node->adr);
}

static void write_rx(struct writing *w)
{
    const struct session *s = w->a->session;
    struct network *n = w->n;

    if (wants_rx(n, w->node, s) &&
        mac_put_rx_param(w->out, &w->at, w->room, (uint8_t)n->o.rx1_dr_offset,
                         (uint8_t)network_rx2_dr(n, s->join_channel),
                         network_rx2_hz(n, s->join_channel)))
        w->node->asked |= REQUEST_RX;
}

static void write_timing(struct writing *w)
{
    uint8_t delay = (uint8_t)w->n->o.rx1_delay_s;

    if (wants_timing(w->n, w->node, w->a->session) &&
        mac_put(w->out, &w->at, w->room, MAC_RX_TIMING_SETUP, &delay, 1))
        w->node->asked |= REQUEST_TIMING;
}

static void write_channel(struct writing *w)
{
    struct network *n = w->n;
    int extra = wants_channel(n, w->node, w->a->session);

    if (extra < 0 ||
        !mac_put_new_channel(w->out, &w->at, w->room,
                             (uint8_t)(region_channels_n(n->o.region) + (unsigned)extra),
                             n->o.extra_hz[extra], (uint8_t)region_dr_min(n->o.region),
                             (uint8_t)region_dr_adr_max(n->o.region)))
        return;
    w->node->asked |= REQUEST_CHANNEL;
    w->node->asked_channel = (uint8_t)extra;
}

static void write_status(struct writing *w)
{
    if (!wants_status(w->n, w->node) ||
        !mac_put(w->out, &w->at, w->room, MAC_DEV_STATUS, NULL, 0))
        return;
    w->node->asked |= REQUEST_STATUS;
    w->node->status_us = w->n->now_us + AGAIN_US;
}

/* Whoever never answers is not asked with every uplink for ever. */
static void count_tries(struct network *n, struct node *node)
{
    if (!(node->asked & ~REQUEST_STATUS) || ++node->setup_tries < SETUP_TRIES)
        return;
    node->setup_tries = 0;
    node->setup_us = n->now_us + DAY_US;
}

size_t mac_write(struct network *n, struct node *node, const struct answer *a, uint8_t *out,
                 size_t room)
{
    struct writing w = {
        .n = n,
        .node = node,
        .a = a,
        .out = out,
        .room = room < FRAME_FOPTS_MAX ? room : FRAME_FOPTS_MAX,
    };

    node->asked = 0; /* what was not answered is asked again */
    write_wanted(&w);
    write_adr(&w, room < MAC_SIZE_MAX ? room : MAC_SIZE_MAX);
    write_rx(&w);
    write_timing(&w);
    write_channel(&w);
    write_status(&w);
    count_tries(n, node);
    return w.at;
}
