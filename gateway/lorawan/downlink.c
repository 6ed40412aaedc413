/* SPDX-License-Identifier: Apache-2.0 */
/*
 * downlink - one answer, from its making to its handing over (facts: lorawan section 5).
 *
 *   made -> what it follows from is kept, copies are in -> RX1 of the best concentrator that is
 *   free, else of the next, else RX2 with the same bytes -> its window opens: over
 *
 * It is handed over as soon as it may be, not as late as it may be: a forwarder with a queue
 * holds it for us, and whatever keeps this process from its work then costs no window.
 */
#include <errno.h>
#include <string.h>

#include "gateway/lorawan/network_internal.h"

enum {
    IMMEDIATE_US = 80 * US_PER_MS, /* what a forwarder adds to "now" */
    RX2_AFTER_US = US_PER_S,
    PROMISED_SIZE = FRAME_OVERHEAD + 32, /* of an answer that is not made yet, about */
    RESULT_US = US_PER_S, /* class C: old forwarders never say what became of it */
};
/* The rest of a band's hour is for acknowledgements and joins. */
static const double BAND_DATA_SHARE = 0.8;

/* ---- its life ---- */

static void answer_end(struct network *n, struct answer *a, bool is_sent)
{
    struct node *node = &n->nodes[a->device];
    size_t i = 0;

    while (n->busy[i] != a)
        i++;
    n->busy[i] = n->busy[--n->busy_n];
    n->free[n->free_n++] = a;
    node->answer = NULL;
    n->is_again = true;
    if (is_sent) {
        node->downlinks++;
        n->counters.tx_rx1 += a->kind != ANSWER_CLASS_C && !a->is_rx2;
        n->counters.tx_rx2 += a->kind == ANSWER_CLASS_C || a->is_rx2;
    }
    if (a->message)
        down_queue_sent(n, node, a, is_sent);
}

static void answer_miss(struct network *n, struct answer *a)
{
    if (a->kind != ANSWER_CLASS_C) {
        n->counters.missed++;
        n->nodes[a->device].missed++;
    }
    answer_end(n, a, false);
}

void answer_drop(struct network *n, struct node *node)
{
    struct answer *a = node->answer;

    if (!a)
        return;
    if (a->id)
        answer_end(n, a, true); /* it may be on the air: its counter is used */
    else
        answer_miss(n, a);
}

struct answer *answer_begin(struct network *n, struct node *node, enum answer_kind kind)
{
    answer_drop(n, node);
    if (!n->free_n) {
        n->counters.missed++;
        node->missed++;
        return NULL;
    }
    struct answer *a = n->free[--n->free_n];
    *a = (struct answer){ .kind = kind, .device = node_number(n, node) };
    n->busy[n->busy_n++] = a;
    node->answer = a;
    n->is_again = true;
    return a;
}

/* One reception a concentrator; of two, as of a strong frame on a neighbouring channel, the
 * better. */
void answer_hear(struct answer *a, const struct radio_rx *rx)
{
    struct reception r = {
        .mono_us = rx->mono_us,
        .tmst = rx->tmst,
        .freq_hz = rx->freq_hz,
        .snr = rx->snr,
        .rssi = rx->rssi,
        .gateway = (uint8_t)rx->gateway,
    };
    size_t i = 0;

    while (i < a->heard_n && a->heard[i].gateway != r.gateway)
        i++;
    if (i == a->heard_n) {
        a->heard[a->heard_n++] = r;
        return;
    }
    if (r.snr > a->heard[i].snr || (r.snr >= a->heard[i].snr && r.rssi > a->heard[i].rssi)) {
        r.is_refused = a->heard[i].is_refused;
        a->heard[i] = r;
    }
}

static int64_t rx2_us(const struct answer *a)
{
    return a->rx1_us + RX2_AFTER_US;
}

bool answer_is_in_time(const struct answer *a, int64_t now_us)
{
    return now_us <= a->up_us + rx2_us(a) - HAND_OVER_US;
}

int64_t answer_due(const struct network *n, const struct answer *a)
{
    int64_t last = a->up_us + rx2_us(a) - HAND_OVER_US;

    if (a->id && a->kind == ANSWER_CLASS_C)
        return a->is_accepted ? a->start_us - IMMEDIATE_US : a->start_us + RESULT_US;
    if (a->id)
        return a->is_accepted || a->start_us > last ? a->start_us : last;
    if (n->kept < a->ticket)
        return a->kind == ANSWER_CLASS_C ? INT64_MAX : last + 1;
    return a->open_us;
}

/* ---- what is in it ---- */

/* The reception whose concentrator shall answer: not refused, up, best. NULL: none. */
static struct reception *best_of(struct network *n, struct answer *a)
{
    struct reception *best = NULL;

    for (size_t i = 0; i < a->heard_n; i++) {
        struct reception *r = &a->heard[i];

        if (r->is_refused || !n->gateways[r->gateway].is_up)
            continue;
        if (!best || r->snr > best->snr || (!(r->snr < best->snr) && r->rssi > best->rssi))
            best = r;
    }
    return best;
}

static bool rx1_of(const struct network *n, const struct answer *a, const struct reception *r,
                   struct region_window *ret)
{
    unsigned offset = a->session ? a->session->rx1_dr_offset : 0;

    if (!region_rx1(n->o.region, r->freq_hz, a->up_dr, offset, n->o.is_down_dwell,
                    a->kind == ANSWER_JOIN, ret))
        return false;
    if (n->o.is_rx1_same_hz)
        ret->freq_hz = r->freq_hz;
    return true;
}

static size_t payload_max(const struct network *n, unsigned dr)
{
    return region_payload_max(n->o.region, dr, false, n->o.is_down_dwell);
}

/* What fits both windows: the same bytes may have to go out in either. */
static size_t room_of(struct network *n, struct answer *a)
{
    size_t rx2 = payload_max(n, a->rx2.dr), rx1;
    struct reception *r = best_of(n, a);
    struct region_window w;

    if (a->kind == ANSWER_CLASS_C || !r || !rx1_of(n, a, r, &w))
        return rx2;
    rx1 = payload_max(n, w.dr);
    return rx1 < rx2 ? rx1 : rx2;
}

static bool is_band_for_data(struct network *n, struct answer *a)
{
    struct reception *r = best_of(n, a);
    struct region_window w = a->rx2;

    if (!r)
        return false;
    if (a->kind != ANSWER_CLASS_C && !rx1_of(n, a, r, &w))
        return true;
    double used =
        region_band_used(n->o.region, &n->gateways[r->gateway].band, w.freq_hz, n->now_us);
    return !(used >= BAND_DATA_SHARE);
}

/* The application's next message, when it fits beside the commands. */
static struct message *pick(struct network *n, struct answer *a, size_t mac_n, size_t room)
{
    struct node *node = &n->nodes[a->device];

    while (node->queue && node->queue->n > room)
        down_queue_end(n, node, node->queue, -EMSGSIZE);
    struct message *m = node->queue;
    if (!m || m->is_waiting || mac_n > FRAME_FOPTS_MAX || mac_n + m->n > room)
        return NULL;
    if (is_band_for_data(n, a))
        return m;
    n->counters.band_refused++;
    return NULL;
}

static uint8_t fctrl_of(const struct node *node, const struct answer *a)
{
    const struct message *after = a->message ? a->message->next : node->queue;
    unsigned bits = node->conf->adr == ADR_ON ? FCTRL_ADR : 0;

    if (a->is_ack)
        bits |= FCTRL_ACK;
    if (after && node->conf->device_class == LORAWAN_CLASS_A)
        bits |= FCTRL_F_PENDING;
    return (uint8_t)bits;
}

static void write_frame(struct network *n, struct answer *a, const uint8_t *mac, size_t mac_n)
{
    const struct message *m = a->message;
    struct session *s = a->session;
    bool is_port_0 = mac_n > FRAME_FOPTS_MAX, is_confirmed = m && m->is_confirmed;
    struct frame_data d = {
        .type = is_confirmed ? FRAME_DOWN_CONFIRMED : FRAME_DOWN,
        .dev_addr = s->dev_addr,
        .fctrl = fctrl_of(&n->nodes[a->device], a),
        .fopts = mac,
        .fopts_n = is_port_0 ? 0 : (uint8_t)mac_n,
        .fport = m           ? m->fport
                 : is_port_0 ? 0
                             : -1,
        .payload = m ? m->bytes : mac,
        .payload_n = m           ? m->n
                     : is_port_0 ? mac_n
                                 : 0,
    };
    enum session_down which = s->is_1_1 && d.fport > 0 ? SESSION_A_DOWN : SESSION_N_DOWN;
    struct frame_context x = {
        .is_1_1 = s->is_1_1,
        .fcnt = s->down[which]++,
        .conf_fcnt = a->is_ack ? a->up_fcnt : 0,
        .is_a_fcnt_down = which == SESSION_A_DOWN,
    };

    int size = frame_data_write(n->crypto, &s->keys, &x, &d, a->phy);
    a->phy_n = size > 0 ? (size_t)size : 0;
    if (!is_confirmed || !s->is_1_1)
        return;
    /* The acknowledgement will be signed with this counter: it must be known after a restart.
     */
    s->conf_down = (uint16_t)x.fcnt;
    a->ticket = network_keep_node(n, &n->nodes[a->device], true);
}

/* Counters of both kinds are kept ahead; nearly always they are. */
static bool has_counters(struct network *n, struct answer *a)
{
    struct session *s = a->session;
    bool is_ready = session_may_send(s, SESSION_N_DOWN, n->kept) &&
                    (!s->is_1_1 || session_may_send(s, SESSION_A_DOWN, n->kept));

    if (is_ready)
        return true;
    if (n->kept >= s->block_ticket || s->block_ticket > n->ticket)
        a->ticket = network_keep_node(n, &n->nodes[a->device], true);
    else
        a->ticket = s->block_ticket;
    return false;
}

static bool is_worn_out(const struct session *s)
{
    return s->down[SESSION_N_DOWN] >= UINT32_MAX - 1 ||
           s->down[SESSION_A_DOWN] >= UINT32_MAX - 1;
}

/* false: it cannot go out now; it waits for a commit or is over. */
static bool make(struct network *n, struct answer *a)
{
    struct node *node = &n->nodes[a->device];
    uint8_t mac[MAC_SIZE_MAX];
    size_t room = room_of(n, a), mac_n = 0;

    if (is_worn_out(a->session)) {
        answer_miss(n, a);
        return false;
    }
    if (!has_counters(n, a))
        return false;
    if (a->kind == ANSWER_DATA)
        mac_n = mac_write(n, node, a, mac, room);
    a->message = pick(n, a, mac_n, room);
    if (!a->message && !a->is_ack && !a->wants.bits && !mac_n) {
        node->free_us = n->now_us + US_PER_S; /* nothing left to say, or its band is used up */
        answer_end(n, a, false);
        return false;
    }
    write_frame(n, a, mac, mac_n);
    if (!a->phy_n) {
        answer_miss(n, a);
        return false;
    }
    return a->ticket <= n->kept;
}

/* ---- handing over ---- */

static int power_of(const struct network *n, uint32_t gateway, uint32_t freq_hz)
{
    int eirp = region_down_eirp(n->o.region, freq_hz),
        limit = n->o.gateways[gateway].max_eirp_dbm;

    return eirp < limit ? eirp : limit;
}

static void hand_over(struct network *n, struct answer *a, const struct reception *r,
                      const struct region_window *w)
{
    struct radio_tx tx = {
        .id = ++n->tx_id,
        .gateway = r->gateway,
        .is_immediate = a->kind == ANSWER_CLASS_C,
        .tmst = a->tmst,
        .freq_hz = w->freq_hz,
        .rate = w->rate,
        .power_dbm = power_of(n, r->gateway, w->freq_hz),
        .n = (uint8_t)a->phy_n,
    };

    memcpy(tx.phy, a->phy, a->phy_n);
    a->id = tx.id;
    a->gateway = r->gateway;
    a->is_accepted = false;
    n->counters.tx++;
    if (!tx.is_immediate && a->start_us - n->now_us < n->counters.lead_us_min)
        n->counters.lead_us_min = a->start_us - n->now_us;
    n->o.on_transmit(n->o.user, &tx);
}

/* Whether this concentrator may transmit in that window; then the time is taken. */
static bool take_window(struct network *n, struct answer *a, const struct reception *r,
                        const struct region_window *w, int64_t delay_us)
{
    struct gateway_state *g = &n->gateways[r->gateway];
    uint32_t tmst = r->tmst + (uint32_t)delay_us;
    int64_t start = r->mono_us + delay_us, air = radio_airtime_us(&w->rate, a->phy_n, false);

    if (n->now_us > start - HAND_OVER_US ||
        !schedule_take(&g->schedule, tmst, air, start, n->now_us))
        return false;
    if (!region_band_take(n->o.region, &g->band, w->freq_hz, start, air)) {
        schedule_drop(&g->schedule, tmst);
        n->counters.band_refused++;
        return false;
    }
    a->tmst = tmst;
    a->start_us = start;
    a->air_us = air;
    return true;
}

/* The best concentrator that is free in this window; those that are not are marked. */
static bool try_window(struct network *n, struct answer *a)
{
    struct region_window w;

    for (struct reception *r; (r = best_of(n, a)) != NULL; r->is_refused = true) {
        int64_t delay = a->is_rx2 ? rx2_us(a) : a->rx1_us;

        if (a->is_rx2)
            w = a->rx2;
        else if (!rx1_of(n, a, r, &w))
            continue;
        if (take_window(n, a, r, &w, delay)) {
            hand_over(n, a, r, &w);
            return true;
        }
    }
    return false;
}

static void open_rx2(struct answer *a)
{
    a->is_rx2 = true;
    for (size_t i = 0; i < a->heard_n; i++)
        a->heard[i].is_refused = false;
}

static void try_windows(struct network *n, struct answer *a)
{
    if (!a->is_rx2 && try_window(n, a))
        return;
    if (!a->is_rx2)
        open_rx2(a);
    if (!try_window(n, a))
        answer_miss(n, a);
}

/* How long after `start` that concentrator must be free for an answer whose bytes are not made
 * yet: a class C downlink that goes in between would cost it RX1. us; 0: not at all. */
static int64_t promised(const struct network *n, uint32_t gateway, int64_t start, int64_t air)
{
    int64_t busy = 0;

    for (size_t i = 0; i < n->busy_n; i++) {
        const struct answer *a = n->busy[i];
        struct region_window w;

        for (size_t k = 0; !a->id && a->kind != ANSWER_CLASS_C && k < a->heard_n; k++) {
            const struct reception *r = &a->heard[k];
            int64_t rx1 = r->mono_us + a->rx1_us;

            if (r->gateway != gateway || a->is_rx2 || !rx1_of(n, a, r, &w))
                continue;
            size_t size = a->phy_n ? a->phy_n : PROMISED_SIZE;
            int64_t end = rx1 + radio_airtime_us(&w.rate, size, false) + SCHEDULE_GAP_US;
            if (start < end && start + air + SCHEDULE_GAP_US > rx1 && end - start > busy)
                busy = end - start;
        }
    }
    return busy;
}

/* Class C: as soon as a concentrator has nothing else to send. */
static void try_now(struct network *n, struct answer *a)
{
    int64_t air = radio_airtime_us(&a->rx2.rate, a->phy_n, false), wait = 0;

    for (struct reception *r; (r = best_of(n, a)) != NULL; r->is_refused = true) {
        struct gateway_state *g = &n->gateways[r->gateway];
        int64_t start = n->now_us + IMMEDIATE_US;
        uint32_t tmst = schedule_tmst(&g->schedule, start);

        int64_t busy = promised(n, r->gateway, start, air);

        if (busy || !schedule_take(&g->schedule, tmst, air, start, n->now_us)) {
            busy = busy ? busy : schedule_busy(&g->schedule, tmst, air);
            wait = !wait || busy < wait ? busy : wait;
            continue;
        }
        if (!region_band_take(n->o.region, &g->band, a->rx2.freq_hz, start, air)) {
            schedule_drop(&g->schedule, tmst);
            n->counters.band_refused++;
            continue;
        }
        a->tmst = tmst;
        a->start_us = start;
        a->air_us = air;
        hand_over(n, a, r, &a->rx2);
        return;
    }
    /* All are busy: later with a new frame, as the device may have spoken by then. */
    n->nodes[a->device].free_us = n->now_us + (wait > 0 ? wait : US_PER_S);
    answer_end(n, a, false);
}

void answer_step(struct network *n, struct answer *a)
{
    if (a->id) {
        if (n->now_us >= answer_due(n, a))
            answer_end(n, a, true);
        return;
    }
    if (a->kind != ANSWER_CLASS_C && !answer_is_in_time(a, n->now_us)) {
        answer_miss(n, a);
        return;
    }
    if (n->kept < a->ticket || n->now_us < a->open_us)
        return;
    if (!a->phy_n && a->kind == ANSWER_JOIN) {
        answer_miss(n, a);
        return;
    }
    if (!a->phy_n && !make(n, a))
        return;
    if (a->kind == ANSWER_CLASS_C)
        try_now(n, a);
    else
        try_windows(n, a);
}

/* ---- what became of it ---- */

static void withdraw(struct network *n, struct answer *a)
{
    for (size_t i = 0; i < a->heard_n; i++) {
        if (a->heard[i].gateway == a->gateway)
            a->heard[i].is_refused = true;
    }
    a->id = 0;
    n->is_again = true;
}

void answer_result(struct network *n, struct answer *a, enum radio_result r)
{
    if (r == RADIO_ACCEPTED || r == RADIO_NO_ANSWER) {
        a->is_accepted = true;
        return;
    }
    schedule_drop(&n->gateways[a->gateway].schedule, a->tmst);
    withdraw(n, a);
}

void answer_lost(struct network *n, struct answer *a)
{
    if (n->now_us < a->start_us)
        withdraw(n, a);
}
