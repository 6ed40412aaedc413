/* SPDX-License-Identifier: Apache-2.0 */
/* uplink - data frames: whose, genuine, new, a copy or a repetition (facts: lorawan 4, 7). */
#include "gateway/lorawan/network_internal.h"

#include <string.h>

enum {
    PORT_APPLICATION_LAST = 223,
    JITTER_US = 100 * US_PER_MS, /* of what tells when a frame was heard */
    STATUS_SPREAD_S = 3600,
};

/* ---- copies ---- */

/* The same frame sooner than that was not sent twice: a device waits for both windows. */
static int64_t windows_us(const struct node *node, const struct frame *f)
{
    if (f->type == FRAME_JOIN_REQUEST)
        return (JOIN_DELAY_S + 1) * US_PER_S;
    return (node->rec.current.rx1_delay_s + 1) * (int64_t)US_PER_S - JITTER_US;
}

/* A concentrator's own clock knows better than the time of arrival. */
static int64_t age_of(const struct node *node, const struct radio_rx *rx, int64_t age_us)
{
    int32_t ahead;

    if (rx->gateway != node->up_gateway || node->up_us == INT64_MIN)
        return age_us;
    ahead = (int32_t)(rx->tmst - node->up_tmst);
    return ahead < 0 ? 0 : ahead;
}

static bool is_last(const struct node *node, const struct frame *f)
{
    return f->type == FRAME_JOIN_REQUEST ||
           f->fcnt == (uint16_t)(node->rec.current.fcnt_up - 1);
}

static void note_copy(struct node *node, const struct radio_rx *rx)
{
    node->heard_by |= (uint16_t)(1u << rx->gateway);
    if (!(rx->snr > node->snr))
        return;
    node->best_gateway = (uint8_t)rx->gateway;
    node->snr = rx->snr;
    node->rssi = rx->rssi;
}

bool uplink_is_copy(struct network *n, const struct radio_rx *rx, const struct frame *f,
                    uint64_t tag)
{
    uint32_t device;
    int64_t age;

    if (!dedupe_find(&n->dedupe, tag, rx->mono_us, &device, &age))
        return false;
    struct node *node = &n->nodes[device];
    bool is_now = is_last(node, f), is_join = f->type == FRAME_JOIN_REQUEST;
    if (is_now && !is_join)
        age = age_of(node, rx, age);
    bool is_sent_again = is_now && age >= windows_us(node, f);
    if (is_sent_again && (is_join || node->repeats < REPEATS_MAX))
        return false;
    if (is_now && !is_sent_again) {
        if (!is_join)
            note_copy(node, rx);
        if (node->answer && node->answer->kind == (is_join ? ANSWER_JOIN : ANSWER_DATA))
            answer_hear(node->answer, rx);
    }
    network_refuse(n, node, NETWORK_COPY, rx, f);
    return true;
}

/* ---- whose it is ---- */

struct match {
    struct node *node;
    struct session *s;
    uint32_t fcnt;
    int dr, channel;
    enum network_refusal why;
};

static struct frame_context context_of(const struct session *s, const struct frame *f,
                                       const struct match *m, uint32_t fcnt)
{
    return (struct frame_context){
        .is_1_1 = s->is_1_1,
        .fcnt = fcnt,
        .conf_fcnt = f->fctrl & FCTRL_ACK ? s->conf_down : 0,
        .tx_dr = (uint8_t)m->dr,
        .tx_ch = (uint8_t)m->channel,
    };
}

static bool is_genuine(struct network *n, const struct session *s, const struct frame *f,
                       const struct match *m, uint32_t fcnt)
{
    struct frame_context x = context_of(s, f, m, fcnt);

    return frame_data_mic_is_ok(n->crypto, &s->keys, &x, f) == 1;
}

/* Only to say why it was refused, never to take it: the counter as an old frame has it, and as
 * a device has it that started again. */
static bool is_old(struct network *n, const struct session *s, const struct frame *f,
                   const struct match *m)
{
    uint32_t high = s->fcnt_up & 0xFFFF0000;

    if (is_genuine(n, s, f, m, high | f->fcnt))
        return true;
    if (high && is_genuine(n, s, f, m, (high - 0x10000) | f->fcnt))
        return true;
    return high > 0x10000 && is_genuine(n, s, f, m, f->fcnt);
}

static enum network_refusal try_session(struct network *n, struct node *node, struct session *s,
                                        const struct frame *f, struct match *m)
{
    uint32_t fcnt;

    if (!node->conf->is_enabled)
        return NETWORK_DISABLED;
    if (!node->conf->has_keys)
        return NETWORK_NO_KEYS;
    if (!session_fcnt(s->fcnt_up, f->fcnt, &fcnt))
        return is_old(n, s, f, m) ? NETWORK_COUNTER : NETWORK_MIC;
    if (is_genuine(n, s, f, m, fcnt)) {
        m->fcnt = fcnt;
        return NETWORK_TAKEN;
    }
    return is_old(n, s, f, m) ? NETWORK_COUNTER : NETWORK_MIC;
}

/* Every session of that DevAddr; the MIC decides. Of refusals the one that knows most stays. */
static struct match find(struct network *n, const struct radio_rx *rx, const struct frame *f)
{
    const struct lookup *l = &n->by_addr;
    size_t i = lookup_first(l, f->dev_addr);
    struct match m = { .why = NETWORK_NOT_OURS };
    struct region_window rx1;

    m.channel = network_channel(n, rx, &m.dr);
    bool is_plan = m.dr >= 0 && region_rx1(n->o.region, rx->freq_hz, (unsigned)m.dr, 0,
                                           n->o.is_down_dwell, false, &rx1);
    for (; i < l->n && l->entries[i].key == f->dev_addr; i++) {
        struct node *node = &n->nodes[l->entries[i].value / 2];
        struct session *s = l->entries[i].value % 2 ? &node->rec.pending : &node->rec.current;
        /* 1.1 signs the channel: where it has no number the MIC cannot be right. */
        bool is_heard = is_plan && (m.channel >= 0 || !s->is_1_1);
        enum network_refusal why = is_heard ? try_session(n, node, s, f, &m) : NETWORK_REGION;

        if (why == NETWORK_TAKEN || !m.node ||
            (why == NETWORK_COUNTER && m.why != NETWORK_COUNTER)) {
            m.node = node;
            m.s = s;
            m.why = why;
        }
        if (why == NETWORK_TAKEN)
            break;
    }
    return m;
}

/* ---- taking it ---- */

/* The first uplink of a join's session: the old one is over. */
static void promote(struct network *n, struct match *m)
{
    struct node *node = m->node;
    uint32_t value = node_number(n, node) * 2;

    if (m->s == &node->rec.current)
        return;
    answer_drop(n, node);
    if (node->rec.current.is_live)
        lookup_drop(&n->by_addr, node->rec.current.dev_addr, value);
    lookup_drop(&n->by_addr, node->rec.pending.dev_addr, value + 1);
    node->rec.current = node->rec.pending;
    node->rec.pending = (struct session){ 0 };
    lookup_add(&n->by_addr, node->rec.current.dev_addr, value);
    m->s = &node->rec.current;
    adr_forget(&node->adr);
    node->asked = node->setup_tries = 0;
    node->setup_us = INT64_MIN;
    node->status_us = INT64_MIN + 1; /* its battery is asked for at once */
    node->up_us = INT64_MIN;
    down_queue_acked(n, node, false);
}

static uint32_t lost_before(const struct node *node, const struct session *s, uint32_t fcnt)
{
    /* An ABP device may have counted for years before it was configured here. */
    if (!s->is_heard && !node->conf->is_otaa && !s->fcnt_up)
        return 0;
    return fcnt - s->fcnt_up;
}

/* The SNR of the last uplink is the best of all its copies only now. */
static void note_adr(struct node *node, const struct session *s, size_t payload_n)
{
    struct adr_uplink u = {
        .snr = (double)node->snr,
        .fcnt = s->fcnt_up - 1,
        .tx_power = s->tx_power,
        .payload_n = payload_n,
    };

    if (node->up_us != INT64_MIN)
        adr_note(&node->adr, &u);
}

static void note_reception(struct node *node, const struct radio_rx *rx)
{
    node->up_us = rx->mono_us;
    node->up_tmst = rx->tmst;
    node->up_gateway = (uint8_t)rx->gateway;
    node->best_gateway = (uint8_t)rx->gateway;
    node->heard_by = (uint16_t)(1u << rx->gateway);
    node->snr = rx->snr;
    node->rssi = rx->rssi;
}

/* When the battery is asked for: spread after a start, so that not every device's first uplink
 * makes the concentrators deaf. */
static void plan_status(struct node *node, const struct radio_rx *rx)
{
    if (node->status_us == INT64_MIN)
        node->status_us =
            rx->mono_us +
            (int64_t)(node->conf->dev_eui * 2654435761u % STATUS_SPREAD_S) * US_PER_S;
}

static bool needs_answer(const struct network *n, const struct match *m, const struct frame *f,
                         const struct mac_wants *w)
{
    const struct node *node = m->node;

    if (f->type == FRAME_UP_CONFIRMED || f->fctrl & FCTRL_ADR_ACK_REQ || w->bits)
        return true;
    if (node->queue && node->conf->device_class == LORAWAN_CLASS_A)
        return true;
    return mac_is_due(n, node, m->s);
}

static struct answer *begin(struct network *n, const struct match *m, const struct radio_rx *rx,
                            const struct frame *f, const struct mac_wants *w)
{
    struct session *s = m->s;
    struct answer probe = {
        .up_us = rx->mono_us,
        .rx1_us = s->rx1_delay_s * (int64_t)US_PER_S,
    };

    if (!answer_is_in_time(&probe, n->now_us)) {
        n->counters.missed++;
        m->node->missed++;
        return NULL;
    }
    struct answer *a = answer_begin(n, m->node, ANSWER_DATA);
    if (!a)
        return NULL;
    a->session = s;
    a->up_us = probe.up_us;
    a->rx1_us = probe.rx1_us;
    a->open_us = network_copies_until(n, rx);
    a->up_dr = (unsigned)m->dr;
    a->up_fcnt = (uint16_t)m->fcnt;
    a->is_ack = f->type == FRAME_UP_CONFIRMED;
    a->wants = *w;
    if (f->fctrl & FCTRL_ADR_ACK_REQ)
        a->wants.bits |= WANT_ANYTHING;
    a->rx2 = (struct region_window){ .freq_hz = s->rx2_hz, .dr = s->rx2_dr };
    region_rate(n->o.region, s->rx2_dr, false, &a->rx2.rate);
    answer_hear(a, rx);
    return a;
}

/* Commands are in FOpts or alone on port 0. */
static void take_commands(struct network *n, struct match *m, const struct frame *f,
                          const uint8_t *payload, bool is_new, struct mac_wants *ret)
{
    struct frame_context x = context_of(m->s, f, m, m->fcnt);
    uint8_t fopts[FRAME_FOPTS_MAX];

    *ret = (struct mac_wants){ 0 };
    if (f->fport == 0)
        mac_take(n, m->node, m->s, payload, f->payload_n, is_new, ret);
    else if (f->fopts_n && frame_fopts_crypt(n->crypto, &m->s->keys, &x, f, fopts) == 0)
        mac_take(n, m->node, m->s, fopts, f->fopts_n, is_new, ret);
}

static void take_again(struct network *n, struct match *m, const struct radio_rx *rx,
                       const struct frame *f, const uint8_t *payload)
{
    struct node *node = m->node;
    struct mac_wants w;

    if (node->repeats >= REPEATS_MAX) {
        network_refuse(n, node, NETWORK_COPY, rx, f);
        return;
    }
    node->repeats++;
    note_reception(node, rx);
    take_commands(n, m, f, payload, false, &w);
    if (needs_answer(n, m, f, &w)) {
        struct answer *a = begin(n, m, rx, f, &w);
        /* What it repeats may not be in the log yet: an answer says that it is. */
        if (a) {
            a->ticket = UINT64_MAX; /* until it is known */
            a->ticket = network_keep_node(n, node, true);
        }
    }
    network_refuse(n, node, NETWORK_REPEATED, rx, f);
}

static void update(struct network *n, struct match *m, const struct radio_rx *rx,
                   const struct frame *f)
{
    struct node *node = m->node;
    struct session *s = m->s;

    if (node->answer && node->answer->kind == ANSWER_CLASS_C)
        answer_drop(n, node); /* its windows come first */
    note_adr(node, s, f->payload_n);
    s->fcnt_up = m->fcnt + 1;
    s->is_heard = true;
    s->dr = (uint8_t)m->dr;
    note_reception(node, rx);
    plan_status(node, rx);
    node->is_adr = f->fctrl & FCTRL_ADR;
    node->repeats = 0;
    node->uplinks++;
    node->refused = NETWORK_TAKEN;
    node->rec.heard_ms = rx->time_ms;
    n->counters.uplinks++;
}

static void take_new(struct network *n, struct match *m, const struct radio_rx *rx,
                     const struct frame *f, const uint8_t *payload)
{
    struct network_state st;
    struct mac_wants w;
    struct network_uplink u = {
        .device = node_number(n, m->node),
        .fcnt = m->fcnt,
        .fport = f->fport,
        .payload = payload,
        .payload_n = f->fport >= 1 && f->fport <= PORT_APPLICATION_LAST ? f->payload_n : 0,
        .is_confirmed = f->type == FRAME_UP_CONFIRMED,
        .dr = (unsigned)m->dr,
        .rx = rx,
    };

    promote(n, m);
    u.lost = lost_before(m->node, m->s, m->fcnt);
    m->node->lost += u.lost;
    update(n, m, rx, f);
    take_commands(n, m, f, payload, true, &w);
    down_queue_acked(n, m->node, f->fctrl & FCTRL_ACK);

    struct answer *a = needs_answer(n, m, f, &w) ? begin(n, m, rx, f, &w) : NULL;
    session_reserve(m->s, n->ticket + 1);
    if (a)
        a->ticket = ++n->ticket;
    u.is_answered = a;
    u.keep = network_pack(n, m->node, &st, a ? a->ticket : 0);
    n->o.on_uplink(n->o.user, &u);
}

void uplink_take(struct network *n, const struct radio_rx *rx, const struct frame *f)
{
    uint8_t payload[FRAME_SIZE_MAX];
    uint64_t tag = dedupe_tag(f->bytes, f->n);

    if (uplink_is_copy(n, rx, f, tag))
        return;
    struct match m = find(n, rx, f);
    if (m.why == NETWORK_TAKEN && m.s->is_doubtful) {
        if (m.fcnt >= m.s->doubt_fcnt)
            m.s->doubt_fcnt = m.fcnt + 1;
        m.why = NETWORK_DOUBTFUL;
    }
    if (m.why != NETWORK_TAKEN) {
        network_refuse(n, m.node, m.why, rx, f);
        return;
    }
    struct frame_context x = context_of(m.s, f, &m, m.fcnt);
    if (frame_payload_crypt(n->crypto, &m.s->keys, &x, f, payload) < 0)
        return; /* OpenSSL has no memory: as if it had not been heard */
    dedupe_put(&n->dedupe, tag, rx->mono_us, node_number(n, m.node));
    if (m.s->fcnt_up && m.fcnt == m.s->fcnt_up - 1)
        take_again(n, &m, rx, f, payload);
    else
        take_new(n, &m, rx, f, payload);
}
