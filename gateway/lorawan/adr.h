/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adr - adaptive data rate: the fastest data rate and the least power that still leave a
 * margin, and repetitions where frames get lost (facts: lorawan section 6.1).
 *
 * Pure; time is an argument. One struct adr a device, 96 bytes; zeroed it is new. Whoever owns
 * it asks only when the device's uplink had its ADR bit set and sends the answer as LinkADRReq.
 *
 *   uplink -> adr_note -> adr_decide -> LinkADRReq, adr_sent -> LinkADRAns: refused:
 * adr_refused
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/lorawan/region.h"

enum {
    ADR_NOTES = 20,                    /* uplinks that are looked back on */
    ADR_CHANGE_EVERY = 20,             /* uplinks between two changes */
    ADR_REFUSED_MS = 24 * 3600 * 1000, /* a device that refused is left alone */
};

struct adr_note {
    int8_t snr; /* half dB */
    uint8_t tx_power;
    uint16_t fcnt; /* its lower half */
};

struct adr {
    struct adr_note notes[ADR_NOTES]; /* a ring */
    uint8_t n, next;
    uint8_t wait;        /* uplinks until the next change may be sent */
    uint8_t payload_max; /* FRMPayload of the largest uplink seen */
    int64_t refused_until_ms;
};

struct adr_uplink {
    double snr; /* best of all concentrators, dB; NaN: none (FSK) */
    uint32_t fcnt;
    unsigned tx_power; /* index in force when it was sent */
    size_t payload_n;
};
/* A new data frame; retransmissions and copies are none. */
void adr_note(struct adr *a, const struct adr_uplink *u);
/* A new session: what was seen belongs to the old one. Not so a refusal, nor the payload. */
void adr_forget(struct adr *a);

struct adr_setting {                 /* LinkADRReq without its mask */
    unsigned dr, tx_power, nb_trans; /* nb_trans 0 means 1 */
};
struct adr_question {
    const struct region *region;
    struct adr_setting now; /* data rate of the last uplink, what the device last accepted */
    bool is_up_dwell;       /* a limit of 400 ms on uplinks */
    double margin_db;       /* 10 as usual */
    int64_t now_ms;         /* any clock that does not go back */
};
/* Whether something is to change, and to what. Changes nothing itself. */
bool adr_decide(const struct adr *a, const struct adr_question *q, struct adr_setting *ret);
/* The change was handed over for transmission. */
void adr_sent(struct adr *a);
/* The device answered, and took not all of it. */
void adr_refused(struct adr *a, int64_t now_ms);
