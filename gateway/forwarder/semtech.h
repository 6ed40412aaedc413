/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semtech - datagrams of the packet forwarder protocol, versions 1 and 2, as the server reads
 * and writes them (PROTOCOL.md 1.6 of the reference forwarder; facts: lorawan section 1). Pure.
 *
 *   version 1 | token 2 | identifier 1 | EUI 8, towards us | JSON
 */
#pragma once

#include "gateway/lorawan/radio.h"

enum {
    SEMTECH_ACK_SIZE = 4,
    SEMTECH_RX_MAX = 255, /* receptions of one datagram */
    SEMTECH_TX_MAX = 768, /* a PULL_RESP: 340 characters of base64 and 250 around them */
};

enum semtech_type {
    SEMTECH_PUSH_DATA,
    SEMTECH_PUSH_ACK,
    SEMTECH_PULL_DATA,
    SEMTECH_PULL_RESP,
    SEMTECH_PULL_ACK,
    SEMTECH_TX_ACK,
};

struct semtech_datagram { /* that came in; `json` points into it */
    uint8_t version;      /* 1 or 2 */
    uint16_t token;       /* as written: it only goes back */
    enum semtech_type type;
    uint64_t eui;
    const char *json;
    size_t json_n; /* without the NULs and white space that some append */
};

/* PUSH_DATA, PULL_DATA and TX_ACK alone. 0, or -EINVAL: anything else. */
int semtech_parse(const void *data, size_t n, struct semtech_datagram *ret);

/* PUSH_ACK or PULL_ACK of it. */
void semtech_print_ack(const struct semtech_datagram *d, uint8_t ret[SEMTECH_ACK_SIZE]);

struct semtech_rx {
    struct radio_rx rx; /* phy points to `bytes`; gateway and the three times are not set */
    const char *time;   /* as it writes its own time, in the datagram; NULL: not told */
    size_t time_n;
    uint8_t bytes[RADIO_SIZE_MAX];
};

struct semtech_stat {
    int64_t rxnb, rxok, rxfw, dwnb, txnb;
    double ackr, temp, lat, lon, alt; /* NaN: not told */
};

struct semtech_push { /* large: its owner keeps one */
    size_t n;         /* good receptions */
    unsigned crc_bad, malformed;
    bool has_stat;
    struct semtech_stat stat;
    struct semtech_rx rx[SEMTECH_RX_MAX];
};

/* The JSON of a PUSH_DATA. A reception that is not one, or the 256th, is counted in
 * `malformed`; its CRC bad or missing: in `crc_bad`. 0, or -EINVAL: it is not JSON (then
 * nothing of it counts). */
int semtech_read_push(const char *json, size_t n, struct semtech_push *ret);
/* Milliseconds UTC of its own time; INT64_MIN: not told, or not a time. */
int64_t semtech_utc_ms(const struct semtech_rx *rx);

/* The JSON of a TX_ACK; none: accepted. Errors of later protocols are RADIO_REFUSED. 0 or
 * -EINVAL. */
int semtech_read_tx_ack(const char *json, size_t n, enum radio_result *ret);

/* A whole PULL_RESP. Its size. */
size_t semtech_print_tx(const struct radio_tx *tx, uint8_t version, uint16_t token,
                        char ret[SEMTECH_TX_MAX]);
