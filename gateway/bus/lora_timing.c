/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/lora_timing.h"

enum {
    INSTRUMENT_US = 50000, /* from request to answer: most take less */
    MODEM_US = 20000,      /* of one, from its port to the air or back: the silence by which it
                            * cuts, and AUX */
    LBT_US = 2000000,      /* the longest back-off of Ebyte's modems */
    PACKET_GAP_US = 100000,
    GRAIN_US = 100000, /* RFC 6298's G: what adapters and a busy machine add at times */
    ONE = 1024,
    BACKOFFS_MAX = 2, /* a dead unit must not hold up the channel for a minute each time */
    ANSWER_HEAD = 5,  /* unit, function, byte count, CRC */
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t air_us(const struct lora_modem *m, size_t n)
{
    return serial_modem_air_us(m->rate, (size_t)m->packet, n) * (1 + m->repeaters);
}

static int64_t usual(int64_t least_us)
{
    return least_us * SERIAL_MODEM_USUAL_TENTHS / 10;
}

struct lora_exchange lora_exchange_of(const struct lora_modem *m, int64_t char_us,
                                      size_t request_n, size_t answer_n)
{
    return (struct lora_exchange){
        .wire_us = 2 * (int64_t)(request_n + answer_n) * char_us + INSTRUMENT_US + 2 * MODEM_US,
        .air_us = air_us(m, request_n) + air_us(m, answer_n),
        .wait_us = m->wor_ms * 1000 + (m->has_lbt ? LBT_US : 0),
    };
}

int64_t lora_least_us(const struct lora_exchange *x)
{
    return x->wire_us + x->air_us;
}

int64_t lora_usual_us(const struct lora_exchange *x)
{
    return x->wire_us + usual(x->air_us);
}

int64_t lora_start_us(const struct lora_exchange *x)
{
    int64_t us = lora_usual_us(x) + x->wait_us;

    return smaller(us + us / 5, LORA_TIMEOUT_MAX_US);
}

int64_t lora_spent_us(const struct lora_exchange *x, int64_t took_us, bool is_answered)
{
    if (!is_answered)
        return usual(x->air_us);
    return larger(took_us - x->wire_us, x->air_us);
}

int64_t lora_packet_gap_us(const struct lora_modem *m)
{
    return usual(air_us(m, (size_t)m->packet)) + PACKET_GAP_US;
}

int64_t lora_drain_us(const struct lora_modem *m)
{
    return lora_packet_gap_us(m);
}

int64_t lora_copy_us(const struct lora_modem *m, size_t answer_n)
{
    return usual(air_us(m, answer_n)) + PACKET_GAP_US;
}

int lora_registers_max(const struct lora_modem *m)
{
    return (m->packet - ANSWER_HEAD) / 2;
}

/* ---- round trips ---- */

void lora_rtt_answered(struct lora_rtt *t, const struct lora_exchange *x, int64_t took_us)
{
    int64_t r = larger(smaller(took_us, LORA_TIMEOUT_MAX_US), 0) * ONE / lora_least_us(x);

    t->misses = 0;
    if (t->smooth == 0) {
        t->smooth = larger(r, 1);
        t->deviation = r / 2;
        return;
    }
    int64_t off = r > t->smooth ? r - t->smooth : t->smooth - r;
    t->deviation += (off - t->deviation) / 4;
    t->smooth = larger(t->smooth + (r - t->smooth) / 8, 1);
}

void lora_rtt_missed(struct lora_rtt *t)
{
    if (t->misses < BACKOFFS_MAX)
        t->misses++;
}

int64_t lora_rtt_timeout_us(const struct lora_rtt *t, const struct lora_exchange *x)
{
    int64_t least_us = lora_least_us(x);
    int64_t us = lora_start_us(x);

    if (t->smooth > 0)
        us = least_us * t->smooth / ONE + larger(GRAIN_US, least_us * 4 * t->deviation / ONE);
    us = larger(us, least_us) << t->misses;
    return smaller(us, LORA_TIMEOUT_MAX_US);
}
