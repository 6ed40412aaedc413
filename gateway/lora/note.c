/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame as it came, for the log: what readings were made of, so that they can be made again
 * with a better codec, and what was refused, with its reason. Keys never stand in it.
 */
#include <math.h>

#include "gateway/lora/internal.h"

static void begin(struct lora *l, int64_t time_ms, const char *device)
{
    char when[TIME_TEXT_MAX];

    time_print_utc(time_ms, when);
    buf_clear(&l->note);
    buf_printf(&l->note, "{\"kind\":\"lora\",\"time\":\"%s\",\"device\":", when);
    buf_json(&l->note, device);
}

static void put_hex(struct buf *b, const char *name, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char pair[2];

    buf_printf(b, ",\"%s\":\"", name);
    for (size_t i = 0; i < n; i++) {
        pair[0] = digits[bytes[i] >> 4];
        pair[1] = digits[bytes[i] & 15];
        buf_put(b, pair, 2);
    }
    buf_puts(b, "\"");
}

static void put_link(struct buf *b, double rssi, double snr, uint32_t freq_hz, const char *rate,
                     const char *gateway)
{
    if (isfinite(rssi))
        buf_printf(b, ",\"rssi\":%.0f", rssi);
    if (isfinite(snr))
        buf_printf(b, ",\"snr\":%.1f", snr);
    if (freq_hz)
        buf_printf(b, ",\"frequency\":%u", (unsigned)freq_hz);
    if (rate[0])
        buf_printf(b, ",\"rate\":\"%s\"", rate);
    if (gateway && gateway[0]) {
        buf_puts(b, ",\"gateway\":");
        buf_json(b, gateway);
    }
}

static void put_rx(struct lora *l, const struct lora_side *s, const struct radio_rx *rx)
{
    const struct lora_bus *bus = &l->o.buses[s->bus];
    char rate[16];

    radio_rate_print(&rx->rate, rate);
    put_link(&l->note, (double)rx->rssi, (double)rx->snr, rx->freq_hz, rate,
             rx->gateway < bus->concentrators_n ? bus->concentrators[rx->gateway].id : "");
}

const char *note_uplink(struct lora *l, const struct lora_side *s,
                        const struct network_uplink *u)
{
    begin(l, u->rx->time_ms, l->o.devices[s->device_of[u->device]].id);
    buf_printf(&l->note, ",\"fcnt\":%u", (unsigned)u->fcnt);
    if (u->fport >= 0)
        buf_printf(&l->note, ",\"fport\":%d", u->fport);
    put_hex(&l->note, "data", u->payload, u->payload_n);
    if (u->lost)
        buf_printf(&l->note, ",\"lost\":%u", (unsigned)u->lost);
    put_rx(l, s, u->rx);
    buf_puts(&l->note, "}");
    return buf_text(&l->note);
}

const char *note_refused(struct lora *l, uint32_t device, enum network_refusal why,
                         const struct lora_side *s, const struct radio_rx *rx)
{
    begin(l, rx->time_ms, l->o.devices[device].id);
    buf_printf(&l->note, ",\"refused\":\"%s\"", network_refusal_id(why));
    put_hex(&l->note, "phy", rx->phy, rx->n);
    put_rx(l, s, rx);
    buf_puts(&l->note, "}");
    return buf_text(&l->note);
}

const char *note_feed(struct lora *l, uint32_t device, const struct feed_message *m)
{
    begin(l, m->time_ms, l->o.devices[device].id);
    buf_printf(&l->note, ",\"fcnt\":%u,\"fport\":%u", (unsigned)m->fcnt, (unsigned)m->fport);
    put_hex(&l->note, "data", m->payload, m->n);
    buf_puts(&l->note, ",\"id\":");
    buf_json(&l->note, m->key[0]);
    put_link(&l->note, (double)m->rssi, (double)m->snr, m->freq_hz, m->rate, m->gateway);
    buf_puts(&l->note, "}");
    return buf_text(&l->note);
}
