/* SPDX-License-Identifier: Apache-2.0 */
/*
 * radio - what goes between a concentrator and the network: one reception, one transmission.
 * Whoever has concentrators (Semtech UDP today) speaks in these. Constant after being handed
 * over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RADIO_SIZE_MAX = 255 };

struct radio_rate {
    bool is_fsk;
    uint8_t sf;      /* LoRa: 5..12 */
    uint32_t bw_hz;  /* LoRa: 125000 ... */
    uint32_t bits_s; /* FSK */
};

struct radio_rx {
    uint32_t gateway; /* number of the concentrator */
    uint32_t tmst;    /* its counter at the end of reception, microseconds, wraps */
    uint32_t freq_hz;
    struct radio_rate rate;
    float rssi, snr; /* dBm, dB; snr NaN with FSK */
    int64_t mono_us; /* monotonic microseconds at the end of reception: arrival less its
                      * estimated age */
    int64_t boot_ms; /* the same instant since the machine started (clock_boot_ms) */
    int64_t time_ms; /* the same, station UTC */
    const uint8_t *phy;
    size_t n;
};

struct radio_tx {
    uint64_t id; /* of the network's making; comes back with the result */
    uint32_t gateway;
    bool is_immediate; /* class C; tmst does not count */
    uint32_t tmst;     /* of the gateway's counter, when it begins */
    uint32_t freq_hz;
    struct radio_rate rate;
    int power_dbm; /* EIRP */
    uint8_t phy[RADIO_SIZE_MAX];
    uint8_t n;
};

enum radio_result {
    RADIO_ACCEPTED, /* queued by the concentrator: nobody will say whether it was radiated */
    RADIO_TOO_LATE,
    RADIO_TOO_EARLY,
    RADIO_COLLISION, /* with another packet or a beacon, or its queue is full */
    RADIO_REFUSED,   /* frequency, power, GPS, unknown */
    RADIO_NO_ANSWER, /* old forwarders never answer: it may have been sent */
    RADIO_NO_PATH,   /* the concentrator is not connected: not sent */
    RADIO_RESULT_COUNT_
};

/* ---- data rates: pure, any thread ---- */

/* Microseconds of n bytes of PHYPayload with the preamble and header LoRaWAN uses (facts:
 * lorawan section 10); has_crc: uplinks. 0: no such rate. */
int64_t radio_airtime_us(const struct radio_rate *rate, size_t n, bool has_crc);
/* SNR a spreading factor needs, dB: SF7 -7.5 .. SF12 -20. */
double radio_snr_min(unsigned sf);
bool radio_rate_is_same(const struct radio_rate *a, const struct radio_rate *b);
/* "SF7BW125", "FSK50000". */
enum { RADIO_RATE_TEXT_SIZE = 16 };
void radio_rate_print(const struct radio_rate *rate, char out[RADIO_RATE_TEXT_SIZE]);
int radio_rate_parse(const char *text, struct radio_rate *ret); /* 0 or -EINVAL */
