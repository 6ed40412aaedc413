/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lora_timing - how long a Modbus exchange takes over a pair of transparent LoRa modems, and
 * how long its answer is waited for. Pure.
 *
 *   serial, air, serial, instrument, serial, air, serial
 *
 * The first timeout of a unit comes from makers' figures, the later ones from its own round
 * trips as TCP does it (RFC 6298). Round trips are held as multiples of the least time of their
 * exchange: a short read teaches something about a long one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/lorawan/serial_modem.h"

enum { LORA_TIMEOUT_MAX_US = 60000000 };

/* As the modems are set. */
struct lora_modem {
    enum serial_modem_rate rate;
    int packet;     /* bytes of a sub-packet; 0: no modem */
    int repeaters;  /* between the two */
    int64_t wor_ms; /* wake-on-radio period: a preamble that long goes ahead of a request */
    bool has_lbt;   /* they listen before they talk */
};

struct lora_exchange {
    int64_t wire_us; /* four serial stretches, modems and the instrument */
    int64_t air_us;  /* both ways, at least */
    int64_t wait_us; /* for a free channel, at most */
};

/* A request and an answer of so many bytes; char_us: of a character on the serial line. */
struct lora_exchange lora_exchange_of(const struct lora_modem *m, int64_t char_us,
                                      size_t request_n, size_t answer_n);

/* No answer comes sooner; what makers' figures say; what is waited for the first answer. */
int64_t lora_least_us(const struct lora_exchange *x);
int64_t lora_usual_us(const struct lora_exchange *x);
int64_t lora_start_us(const struct lora_exchange *x);

/* Air time of an exchange that took so long, for the budget of its channel. */
int64_t lora_spent_us(const struct lora_exchange *x, int64_t took_us, bool is_answered);

/* Time from one sub-packet of an answer to the next, at most. */
int64_t lora_packet_gap_us(const struct lora_modem *m);

/* Silence after which nothing of an answer is under way any more. */
int64_t lora_drain_us(const struct lora_modem *m);

/* After an answer of so many bytes, until a copy of it that a repeater or a cautious modem
 * sends has come. */
int64_t lora_copy_us(const struct lora_modem *m, size_t answer_n);

/* Registers of an answer that fits one sub-packet. */
int lora_registers_max(const struct lora_modem *m);

/* ---- round trips of one unit; all 0: none was measured ---- */

struct lora_rtt {
    int64_t smooth, deviation; /* of the least time, in 1/1024 */
    int misses;                /* since the last answer */
};

void lora_rtt_answered(struct lora_rtt *t, const struct lora_exchange *x, int64_t took_us);
void lora_rtt_missed(struct lora_rtt *t);

/* From the least time of the exchange to LORA_TIMEOUT_MAX_US. */
int64_t lora_rtt_timeout_us(const struct lora_rtt *t, const struct lora_exchange *x);
