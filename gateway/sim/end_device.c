/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/end_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/lorawan/mac.h"

enum {
    SECOND_US = 1000000,
    JOIN_DELAY_US = 5 * SECOND_US,
    JOIN_EVERY_US = 15 * SECOND_US, /* after an attempt without answer */
    LISTEN_US = 20000,              /* how far from its window a preamble is still found */
    RETRIES_MAX = 7,                /* of a confirmed uplink: eight transmissions in all */
    RETRY_US = 2 * SECOND_US,       /* behind RX2; LoRaWAN says 1 to 3 s */
    ADR_ACK_LIMIT = 64,
    DATA_MAX = FRAME_PAYLOAD_MAX,
};

/* A place where it listens. */
struct window {
    int64_t at_us; /* its beginning; INT64_MAX: none */
    uint32_t freq_hz;
    struct radio_rate rate;
};

struct end_device {
    struct end_device_options o;
    struct crypto *crypto;
    struct session_keys keys;
    struct join_request asked;
    uint32_t dev_addr;
    uint32_t fcnt_up, fcnt_down; /* next up; next down that is new */
    bool has_down;
    unsigned dr, tx_power, rx1_dr_offset, rx2_dr;
    uint32_t rx2_hz;
    int64_t rx1_delay_us;
    uint32_t extra_hz[REGION_EXTRA_MAX]; /* by CFList or NewChannelReq; 0: none */
    uint64_t random;
    int64_t due_us, next_us; /* to be called; of the next uplink of its own */
    struct window rx1, rx2;
    bool is_joining;
    /* the uplink that waits for its acknowledgement */
    uint8_t phy[FRAME_SIZE_MAX];
    size_t phy_n;
    int retries_left; /* -1: nothing waits */
    /* what the next uplink carries beside its data */
    uint8_t answers[END_DEVICE_ANSWERS_MAX];
    size_t answers_n;
    bool has_to_ack;
    uint16_t ack_fcnt;
    unsigned since_down;
    uint8_t say[DATA_MAX];
    size_t say_n;
    uint8_t say_fport;
    bool has_say;
    struct end_device_counters counters;
};

/* splitmix64 */
static uint64_t next_random(struct end_device *d)
{
    uint64_t z = d->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static bool is_1_1(const struct end_device *d)
{
    return d->o.id.version == LORAWAN_1_1;
}

static struct window no_window(void)
{
    return (struct window){ .at_us = INT64_MAX };
}

/* ---- channels ---- */

static bool is_enabled(const struct end_device *d, unsigned channel)
{
    return d->o.channels[channel / 8] & 1u << channel % 8;
}

/* Any of those in use. */
static unsigned choose_channel(struct end_device *d, uint32_t *ret_hz)
{
    const struct region *r = d->o.region;
    unsigned own = region_channels_n(r), n = own + (region_is_fixed(r) ? 0 : REGION_EXTRA_MAX);
    unsigned from = (unsigned)(next_random(d) % n);

    for (unsigned i = 0; i < n; i++) {
        unsigned channel = (from + i) % n;
        *ret_hz = region_channel_hz(r, d->extra_hz, channel);
        if (*ret_hz && (channel >= own || is_enabled(d, channel)))
            return channel;
    }
    *ret_hz = region_channel_hz(r, NULL, 0);
    return 0;
}

/* ---- windows ---- */

static void open_windows(struct end_device *d, uint32_t up_hz, unsigned dr, int64_t end_us,
                         bool is_join)
{
    struct region_window w = { 0 },
                         w2 = region_rx2(d->o.region,
                                         is_join ? region_join_channel_of(d->o.region, up_hz)
                                                 : -1);
    int64_t delay_us = is_join ? JOIN_DELAY_US : d->rx1_delay_us;

    d->rx1 = no_window();
    if (region_rx1(d->o.region, up_hz, dr, d->rx1_dr_offset, false, is_join, &w))
        d->rx1 = (struct window){ end_us + delay_us, w.freq_hz, w.rate };
    if (!is_join) {
        w2.freq_hz = d->rx2_hz;
        region_rate(d->o.region, d->rx2_dr, false, &w2.rate);
    }
    d->rx2 = (struct window){ end_us + delay_us + SECOND_US, w2.freq_hz, w2.rate };
}

static bool is_same_rate(const struct radio_rate *a, const struct radio_rate *b)
{
    return a->is_fsk == b->is_fsk && a->sf == b->sf && a->bw_hz == b->bw_hz &&
           a->bits_s == b->bits_s;
}

static bool is_in(const struct window *w, uint32_t freq_hz, const struct radio_rate *rate,
                  int64_t at_us)
{
    return w->at_us != INT64_MAX && llabs(at_us - w->at_us) <= LISTEN_US &&
           w->freq_hz == freq_hz && is_same_rate(&w->rate, rate);
}

bool end_device_listens(const struct end_device *d, uint32_t freq_hz,
                        const struct radio_rate *rate, int64_t at_us)
{
    struct radio_rate rx2;

    if (is_in(&d->rx1, freq_hz, rate, at_us) || is_in(&d->rx2, freq_hz, rate, at_us))
        return true;
    return d->o.id.device_class == LORAWAN_CLASS_C && d->counters.is_joined &&
           freq_hz == d->rx2_hz && region_rate(d->o.region, d->rx2_dr, false, &rx2) &&
           is_same_rate(&rx2, rate);
}

/* ---- up ---- */

static void radiate(struct end_device *d, uint32_t hz, unsigned dr, int64_t now_us,
                    bool is_join)
{
    struct radio_rate rate;

    region_rate(d->o.region, dr, true, &rate);
    open_windows(d, hz, dr, now_us + radio_airtime_us(&rate, d->phy_n, true), is_join);
    d->o.transmit(d->o.user, hz, &rate, d->phy, d->phy_n);
}

static void send_join(struct end_device *d, int64_t now_us)
{
    const struct lorawan_key *key = is_1_1(d) ? &d->o.id.nwk_key : &d->o.id.app_key;
    uint32_t hz;

    d->asked.dev_nonce++;
    choose_channel(d, &hz);
    if (join_request_write(d->crypto, key, &d->asked, d->phy) < 0)
        return;
    d->phy_n = JOIN_REQUEST_SIZE;
    d->is_joining = true;
    d->counters.joins++;
    d->due_us = now_us + JOIN_EVERY_US;
    radiate(d, hz, d->dr, now_us, true);
}

static struct frame_context context_up(const struct end_device *d, unsigned channel)
{
    return (struct frame_context){ .is_1_1 = is_1_1(d),
                                   .fcnt = d->fcnt_up,
                                   .conf_fcnt = is_1_1(d) && d->has_to_ack ? d->ack_fcnt : 0,
                                   .tx_dr = (uint8_t)d->dr,
                                   .tx_ch = (uint8_t)channel };
}

/* Its bytes; false: there is nothing to say. */
static bool fill(struct end_device *d, struct frame_data *f, uint8_t *data)
{
    uint8_t fport = 0;
    int n = 0;

    if (d->has_say) {
        memcpy(data, d->say, d->say_n);
        n = (int)d->say_n;
        fport = d->say_fport;
        d->has_say = false;
    } else if (d->o.payload) {
        n = d->o.payload(d->o.user, &fport, data, DATA_MAX);
    }
    f->fport = n > 0 ? fport : -1;
    f->payload = data;
    f->payload_n = n > 0 ? (size_t)n : 0;
    return n > 0 || d->answers_n > 0 || d->has_to_ack;
}

static void send_data(struct end_device *d, int64_t now_us)
{
    uint8_t data[DATA_MAX];
    uint32_t hz;
    unsigned channel = choose_channel(d, &hz);
    const struct frame_context x = context_up(d, channel);
    struct frame_data f = { .type = FRAME_UP,
                            .dev_addr = d->dev_addr,
                            .fctrl = FCTRL_ADR,
                            .fopts = d->answers,
                            .fopts_n = (uint8_t)d->answers_n };

    d->due_us = d->next_us += d->o.every_us;
    if (!fill(d, &f, data))
        return;
    bool is_confirmed = d->o.confirmed_every && d->fcnt_up % d->o.confirmed_every == 0;
    if (is_confirmed)
        f.type = FRAME_UP_CONFIRMED;
    if (d->has_to_ack)
        f.fctrl |= FCTRL_ACK;
    if (d->since_down >= ADR_ACK_LIMIT)
        f.fctrl |= FCTRL_ADR_ACK_REQ;
    int n = frame_data_write(d->crypto, &d->keys, &x, &f, d->phy);
    if (n < 0)
        return;
    d->phy_n = (size_t)n;
    d->answers_n = 0;
    d->has_to_ack = false;
    d->fcnt_up++;
    d->since_down++;
    d->counters.uplinks++;
    d->retries_left = is_confirmed ? RETRIES_MAX : -1;
    radiate(d, hz, d->dr, now_us, false);
    if (is_confirmed)
        d->due_us = d->rx2.at_us + RETRY_US;
}

static void send_again(struct end_device *d, int64_t now_us)
{
    uint32_t hz;

    choose_channel(d, &hz);
    if (is_1_1(d)) { /* its MIC tells the channel: the next uplink says it anew */
        d->retries_left = -1;
        d->due_us = d->next_us;
        return;
    }
    d->retries_left--;
    d->counters.retransmissions++;
    radiate(d, hz, d->dr, now_us, false);
    d->due_us = d->retries_left > 0 ? d->rx2.at_us + RETRY_US : d->next_us;
}

int64_t end_device_due(const struct end_device *d)
{
    return d->due_us;
}

void end_device_tick(struct end_device *d, int64_t now_us)
{
    if (now_us < d->due_us)
        return;
    if (!d->counters.is_joined)
        send_join(d, now_us);
    else if (d->retries_left > 0)
        send_again(d, now_us);
    else
        send_data(d, now_us);
    if (d->due_us <= now_us)
        d->due_us = now_us + d->o.every_us;
}

int end_device_say(struct end_device *d, uint8_t fport, const uint8_t *bytes, size_t n)
{
    if (!d->counters.is_joined)
        return -ENOTCONN;
    if (n > DATA_MAX)
        return -EMSGSIZE;
    if (d->has_say)
        return -EBUSY;
    memcpy(d->say, bytes, n);
    d->say_n = n;
    d->say_fport = fport;
    d->has_say = true;
    d->due_us = 0;
    d->next_us -= d->o.every_us; /* one that is beside the others */
    return 0;
}

/* ---- down: joins ---- */

/* CFList type 0: five channels in steps of 100 Hz behind the default ones; type 1: masks. */
static void take_cf_list(struct end_device *d, const uint8_t *list)
{
    if (list[CF_LIST_SIZE - 1] == 0) {
        for (unsigned i = 0; i < REGION_EXTRA_MAX; i++)
            d->extra_hz[i] = 100u * (list[3 * i] | (uint32_t)list[3 * i + 1] << 8 |
                                     (uint32_t)list[3 * i + 2] << 16);
        return;
    }
    size_t n = (region_channels_n(d->o.region) + 7) / 8;
    memcpy(d->o.channels, list, n < CF_LIST_SIZE - 1 ? n : CF_LIST_SIZE - 1);
}

static void begin_session(struct end_device *d, uint32_t dev_addr)
{
    const struct region_window rx2 = region_rx2(d->o.region, -1);

    d->dev_addr = dev_addr;
    d->fcnt_up = d->fcnt_down = 0;
    d->has_down = false;
    d->answers_n = 0;
    d->since_down = 0;
    d->rx2_hz = rx2.freq_hz;
    d->rx2_dr = rx2.dr;
    d->rx1_delay_us = SECOND_US;
    d->rx1_dr_offset = 0;
    d->retries_left = -1;
    d->counters.is_joined = true;
}

static bool hear_accept(struct end_device *d, const uint8_t *phy, size_t n, int64_t now_us)
{
    const struct lorawan_key *root = is_1_1(d) ? &d->o.id.nwk_key : &d->o.id.app_key;
    uint8_t plain[JOIN_ACCEPT_SIZE_MAX];
    struct join_accept a;

    if (!d->is_joining ||
        join_accept_read(d->crypto, root, phy, n, &d->asked, &a, plain) != 1 ||
        join_keys(d->crypto, &d->o.id.app_key, is_1_1(d) ? &d->o.id.nwk_key : NULL, &a,
                  &d->asked, &d->keys) < 0)
        return false;
    d->is_joining = false;
    begin_session(d, a.dev_addr);
    d->rx1_dr_offset = a.rx1_dr_offset;
    d->rx2_dr = a.rx2_dr;
    d->rx1_delay_us = (a.rx_delay ? a.rx_delay : 1) * (int64_t)SECOND_US;
    if (a.has_cf_list)
        take_cf_list(d, a.cf_list);
    if (is_1_1(d)) { /* RekeyInd until it is answered; version 1 */
        d->answers[0] = MAC_REKEY;
        d->answers[1] = 1;
        d->answers_n = 2;
    }
    d->next_us = now_us + d->o.every_us / 8; /* the first reading soon */
    d->due_us = d->next_us;
    d->rx1 = d->rx2 = no_window();
    return true;
}

/* ---- down: data ---- */

static void answer(struct end_device *d, uint8_t cid, const uint8_t *payload, size_t n)
{
    mac_put(d->answers, &d->answers_n, sizeof d->answers, cid, payload, n);
}

static void take_link_adr(struct end_device *d, const uint8_t *p)
{
    const uint8_t all_right = 7;
    unsigned dr = p[0] >> 4, power = p[0] & 15;
    struct radio_rate rate;

    if (dr != 15 && region_rate(d->o.region, dr, true, &rate))
        d->dr = dr;
    if (power != 15)
        d->tx_power = power;
    answer(d, MAC_LINK_ADR, &all_right, 1);
}

static void take_rx_param(struct end_device *d, const uint8_t *p)
{
    const uint8_t all_right = 7;

    d->rx1_dr_offset = p[0] >> 4 & 7;
    d->rx2_dr = p[0] & 15;
    d->rx2_hz = 100u * (p[1] | (uint32_t)p[2] << 8 | (uint32_t)p[3] << 16);
    answer(d, MAC_RX_PARAM_SETUP, &all_right, 1);
}

static void take_new_channel(struct end_device *d, const uint8_t *p)
{
    const uint8_t all_right = 3;
    unsigned n = region_channels_n(d->o.region);

    if (p[0] >= n && p[0] - n < REGION_EXTRA_MAX)
        d->extra_hz[p[0] - n] = 100u * (p[1] | (uint32_t)p[2] << 8 | (uint32_t)p[3] << 16);
    answer(d, MAC_NEW_CHANNEL, &all_right, 1);
}

static void take_commands(struct end_device *d, const uint8_t *bytes, size_t n)
{
    const uint8_t status[2] = { 200, 10 }; /* battery level of 254, margin in dB */
    struct mac_command m;
    size_t at = 0;

    while (mac_next(bytes, n, false, &at, &m) == 1) {
        if (m.cid == MAC_LINK_ADR)
            take_link_adr(d, m.payload);
        else if (m.cid == MAC_DEV_STATUS)
            answer(d, MAC_DEV_STATUS, status, sizeof status);
        else if (m.cid == MAC_RX_PARAM_SETUP)
            take_rx_param(d, m.payload);
        else if (m.cid == MAC_NEW_CHANNEL)
            take_new_channel(d, m.payload);
        else if (m.cid == MAC_RX_TIMING_SETUP) {
            unsigned s = m.payload[0] & 15;
            d->rx1_delay_us = (s ? s : 1) * (int64_t)SECOND_US;
            answer(d, MAC_RX_TIMING_SETUP, NULL, 0);
        } else if (m.cid == MAC_DUTY_CYCLE)
            answer(d, MAC_DUTY_CYCLE, NULL, 0);
        else if (m.cid == MAC_TX_PARAM_SETUP)
            answer(d, MAC_TX_PARAM_SETUP, NULL, 0);
    }
}

/* All 32 bits of a downlink's counter, which must be new. */
static bool counter_of(const struct end_device *d, uint16_t wire, uint32_t *ret)
{
    *ret = d->fcnt_down + (uint16_t)(wire - (uint16_t)d->fcnt_down);
    return !d->has_down || *ret >= d->fcnt_down;
}

static bool open_frame(struct end_device *d, const struct frame *f, struct frame_context *x,
                       uint8_t *fopts, uint8_t *payload)
{
    *x = (struct frame_context){ .is_1_1 = is_1_1(d), .is_a_fcnt_down = f->fport > 0 };
    if (!counter_of(d, f->fcnt, &x->fcnt))
        return false;
    if (x->is_1_1 && f->fctrl & FCTRL_ACK)
        x->conf_fcnt = (uint16_t)(d->fcnt_up - 1);
    return frame_data_mic_is_ok(d->crypto, &d->keys, x, f) == 1 &&
           frame_fopts_crypt(d->crypto, &d->keys, x, f, fopts) == 0 &&
           frame_payload_crypt(d->crypto, &d->keys, x, f, payload) == 0;
}

static void note_down(struct end_device *d, const struct frame *f,
                      const struct frame_context *x)
{
    d->fcnt_down = x->fcnt + 1;
    d->has_down = true;
    d->since_down = 0;
    d->counters.downlinks++;
    if (f->fctrl & FCTRL_ACK && d->retries_left >= 0) {
        d->counters.acks++;
        d->retries_left = -1;
        d->due_us = d->next_us;
    }
    if (f->type == FRAME_DOWN_CONFIRMED) {
        d->has_to_ack = true;
        d->ack_fcnt = f->fcnt;
    }
}

static bool hear_data(struct end_device *d, const struct frame *f)
{
    uint8_t fopts[FRAME_FOPTS_MAX], payload[FRAME_SIZE_MAX];
    struct frame_context x;

    if (!d->counters.is_joined || f->dev_addr != d->dev_addr)
        return false;
    if (!open_frame(d, f, &x, fopts, payload)) {
        d->counters.bad++;
        return false;
    }
    note_down(d, f, &x);
    take_commands(d, fopts, f->fopts_n);
    if (f->fport == 0)
        take_commands(d, payload, f->payload_n);
    else if (f->fport > 0 && d->o.on_data)
        d->o.on_data(d->o.user, (uint8_t)f->fport, payload, f->payload_n);
    return true;
}

bool end_device_hear(struct end_device *d, const uint8_t *phy, size_t n, int64_t now_us)
{
    bool is_rx1 = d->rx1.at_us != INT64_MAX && now_us < d->rx2.at_us;
    struct frame f;

    if (frame_parse(phy, n, &f) != FRAME_OK)
        return false;
    bool is_taken = f.type == FRAME_JOIN_ACCEPT ? hear_accept(d, phy, n, now_us)
                    : frame_is_data(f.type) && !frame_is_up(f.type) ? hear_data(d, &f)
                                                                    : false;
    if (!is_taken)
        return false;
    d->counters.in_rx1 += is_rx1;
    d->counters.in_rx2 += !is_rx1;
    d->rx1 = d->rx2 = no_window();
    return true;
}

/* ---- life ---- */

int end_device_create(const struct end_device_options *o, struct end_device **ret)
{
    static const uint8_t none[sizeof o->channels];
    struct end_device *d = calloc(1, sizeof *d);

    if (!d)
        return -ENOMEM;
    int rc = crypto_create(&d->crypto);
    if (rc < 0) {
        free(d);
        return rc;
    }
    d->o = *o;
    if (memcmp(o->channels, none, sizeof none) == 0)
        memset(d->o.channels, 0xff, sizeof d->o.channels);
    d->random = o->seed ^ o->id.dev_eui;
    d->dr = o->dr;
    d->asked = (struct join_request){ .join_eui = o->id.join_eui, .dev_eui = o->id.dev_eui };
    d->rx1 = d->rx2 = no_window();
    d->retries_left = -1;
    d->due_us = d->next_us = o->first_us;
    if (!o->id.is_otaa) {
        d->keys = o->id.keys;
        begin_session(d, o->id.dev_addr);
    }
    *ret = d;
    return 0;
}

void end_device_destroy(struct end_device *d)
{
    if (!d)
        return;
    crypto_destroy(d->crypto);
    free(d);
}

void end_device_get(const struct end_device *d, struct end_device_counters *ret)
{
    *ret = d->counters;
    ret->fcnt_up = d->fcnt_up;
    ret->fcnt_down = d->fcnt_down;
    ret->dr = d->dr;
    ret->tx_power = d->tx_power;
}
