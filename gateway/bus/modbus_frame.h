/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modbus_frame - Modbus application data units (ADU): requests and their answers, for TCP (MBAP
 * header) and for serial lines (CRC). Pure; every byte of an answer is hostile.
 *
 *   TCP     | transaction 2 | protocol 0 2 | length 2 | unit 1 | function 1 | data |
 *   serial                                            | unit 1 | function 1 | data | CRC 2 |
 *
 *   data of requests                              of answers
 *   1 to 4   | first 2 | count 2 |                | bytes 1 | bits or registers |
 *   5, 6     | address 2 | value 2 |              the same
 *   15, 16   | first 2 | count 2 | bytes 1 | .. | | first 2 | count 2 |
 *   0x2B     | 0E | 04 | object 1 |               | 0E | 04 | conformity 1 | more 1 | next 1 |
 *                                                 | objects 1 | object 1 | length 1 | text |
 *
 * The CRC has its low byte first, everything else its high byte. An answer is taken only when
 * everything in it fits its request. Modbus Application Protocol V1.1b3 sections 6 and 7,
 * Messaging on TCP/IP V1.0b section 3.1, over Serial Line V1.02 section 2.5.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gateway/bus/bus.h"

enum {
    ADU_TCP_HEADER = 7,
    ADU_TCP_MAX = 260,    /* 7 + PDU of 253 */
    ADU_TCP_REQUEST = 12, /* of a read */
    ADU_RTU_MAX = 256,    /* unit + PDU of 253 + CRC */
    ADU_RTU_REQUEST = 8,  /* of a read */
    ADU_RTU_EXCEPTION = 5,
    ADU_RTU_TEXT = 64, /* of an identification, about */
    ADU_CRC = 2,
};

enum adu_verdict {
    ADU_ANSWER,    /* fits the request; n and words or text filled */
    ADU_EXCEPTION, /* fits the request; exception filled */
    ADU_MORE,      /* so far it fits; bytes are missing */
    ADU_STRANGE,   /* so far it does not fit, but may become a sound frame of someone else */
    ADU_FOREIGN,   /* whole and sound, but the answer to something else */
    ADU_DAMAGED,   /* neither */
};

struct adu_content {
    uint8_t exception;
    uint16_t n; /* words of a read, bytes of an identification, 0 of a write */
    union {
        uint16_t words[BUS_WORDS_MAX];
        char text[BUS_TEXT_MAX + 1]; /* closed by 0 */
    };
};

/* Whether r can be put into a frame: function, count, addresses, words. */
bool adu_is_request(const struct bus_request *r);

/* Whether the function changes something in the device. */
bool adu_is_write(uint8_t function);

/* Outcome, exception, n, words and text of *ret, as the content of a verdict ADU_ANSWER or
 * ADU_EXCEPTION says; the rest stays. */
void adu_fill_reply(enum adu_verdict v, const struct adu_content *c, struct bus_reply *ret);

/* Bytes of the data that a full answer to a read carries: its "byte count". */
size_t adu_data_bytes(uint8_t function, uint16_t count);

/* What can tell answers apart on a line that numbers nothing: requests to one unit with equal
 * keys have answers that could be taken for each other. Never 0. */
uint64_t adu_key(const struct bus_request *r);

/* ---- TCP ---- */

/* Of an adu_is_request(). Returns the length. */
size_t adu_tcp_build(const struct bus_request *r, uint16_t transaction,
                     uint8_t buf[ADU_TCP_MAX]);

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

/* Of an adu_is_request(), with its CRC. Returns the length. */
size_t adu_rtu_build(const struct bus_request *r, uint8_t buf[ADU_RTU_MAX]);

/* Length of the full answer; of an identification, as long as they mostly are. */
size_t adu_rtu_answer_size(const struct bus_request *r);

/*
 * Judge what has come so far, from the first byte of a frame. *ret_used: bytes that belong to
 * the verdict and may be dropped; with ADU_DAMAGED all of them, for then only silence tells
 * where the next frame begins. The content is written with ADU_ANSWER and ADU_EXCEPTION only.
 */
enum adu_verdict adu_rtu_check(const struct bus_request *r, const uint8_t *p, size_t n,
                               size_t *ret_used, struct adu_content *ret);

/* Length of a sound frame at p (answer, exception or request) in at most n bytes, 0: none. */
size_t adu_rtu_any(const uint8_t *p, size_t n);

/* Of a sound frame: what it may answer, 0 when it is an exception; and, should it be the
 * request of another master, what the answer to it will look like, 0 when it is none. */
uint64_t adu_rtu_key(const uint8_t *p, size_t n);
uint64_t adu_rtu_asks(const uint8_t *p, size_t n);
bool adu_rtu_is_exception(const uint8_t *p, size_t n);
