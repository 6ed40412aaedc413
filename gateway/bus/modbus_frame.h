/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modbus_frame - Modbus application data units (ADU) of read requests and their answers, for
 * TCP (MBAP header) and for serial lines (CRC). Pure; every byte of an answer is hostile.
 *
 *   TCP     | transaction 2 | protocol 0 2 | length 2 | unit 1 | function 1 | data |
 *   serial                                            | unit 1 | function 1 | data | CRC 2, low
 * first |
 *
 * An answer is taken only when everything in it fits its request. Modbus Application Protocol
 * V1.1b3 section 6 and 7, Messaging on TCP/IP V1.0b section 3.1, over Serial Line V1.02
 * section 2.5.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gateway/bus/bus.h"

enum {
    ADU_TCP_HEADER = 7,
    ADU_TCP_MAX = 260, /* 7 + PDU of 253 */
    ADU_TCP_REQUEST = 12,
    ADU_RTU_MAX = 256, /* unit + PDU of 253 + CRC */
    ADU_RTU_REQUEST = 8,
    ADU_RTU_EXCEPTION = 5,
};

enum adu_verdict {
    ADU_ANSWER,    /* fits the request; words filled */
    ADU_EXCEPTION, /* fits the request; exception filled */
    ADU_MORE,      /* so far it fits; bytes are missing */
    ADU_STRANGE,   /* so far it does not fit, but may become a sound frame of someone else */
    ADU_FOREIGN,   /* whole and sound, but the answer to something else */
    ADU_DAMAGED,   /* neither */
};

struct adu_content {
    uint8_t exception;
    uint16_t words[BUS_WORDS_MAX]; /* the request's count of them */
};

/* Bytes of the data that a full answer carries: its "byte count". */
size_t adu_data_bytes(uint8_t function, uint16_t count);

/* ---- TCP ---- */

void adu_tcp_build(const struct bus_request *r, uint16_t transaction,
                   uint8_t buf[ADU_TCP_REQUEST]);

/* Length of the frame that starts at p: 0 while the header is incomplete, -1 when this is no
 * Modbus/TCP stream (wrong protocol, impossible length). */
int adu_tcp_length(const uint8_t *p, size_t n);

/* Of a whole frame. */
uint16_t adu_tcp_transaction(const uint8_t *p);
uint8_t adu_tcp_unit(const uint8_t *p);

/* Judge one whole frame of n = adu_tcp_length() bytes. Another transaction: ADU_FOREIGN. The
 * content is written with ADU_ANSWER and ADU_EXCEPTION only. */
enum adu_verdict adu_tcp_check(const struct bus_request *r, uint16_t transaction,
                               const uint8_t *p, size_t n, struct adu_content *ret);

/* ---- serial ---- */

uint16_t adu_crc(const uint8_t *p, size_t n);

/* Unit and PDU, six bytes: whoever sends adds the CRC. */
void adu_rtu_build(const struct bus_request *r, uint8_t buf[ADU_RTU_REQUEST - 2]);

/* Length of a full answer to r. */
size_t adu_rtu_length(const struct bus_request *r);

/*
 * Judge what has come so far, from the first byte of a frame. *ret_used: bytes that belong to
 * the verdict and may be dropped; with ADU_DAMAGED all of them, for then only silence tells
 * where the next frame begins.
 */
enum adu_verdict adu_rtu_check(const struct bus_request *r, const uint8_t *p, size_t n,
                               size_t *ret_used, struct adu_content *ret);

/* Length of a sound frame at p (answer, exception or request) in at most n bytes, 0: none. */
size_t adu_rtu_any(const uint8_t *p, size_t n);
