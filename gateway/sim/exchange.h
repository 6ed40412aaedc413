/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange - libmodbus at one end of a socket pair: whole frames go in, whole frames come out,
 * and what is on the real line is nobody's business here. One thread; never waits longer than
 * 2 ms.
 */
#pragma once

#include <modbus.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slave_line {
    SLAVE_TCP, /* MBAP header */
    SLAVE_RTU, /* unit, PDU, CRC: serial lines, and TCP ports of serial device servers */
};

enum { EXCHANGE_FRAME_MAX = 260 };

struct exchange;

/* 0 or a negative errno. */
int exchange_create(enum slave_line line, struct exchange **ret);
void exchange_destroy(struct exchange *e); /* takes NULL */

/*
 * How long the request at the start of p[0..n) is: 0 when that cannot be said yet, -1 when
 * only silence will tell (RTU) or when it is no Modbus at all (TCP).
 */
int exchange_request_size(enum slave_line line, const uint8_t *p, size_t n);

/* Puts a request in; req has EXCHANGE_FRAME_MAX bytes. What modbus_receive() makes of it: its
 * length, 0 not for this unit, or -EBADMSG when libmodbus does not take it. */
int exchange_receive(struct exchange *e, const uint8_t *frame, size_t n, uint8_t *req);

/* For modbus_reply() and modbus_reply_exception(). */
modbus_t *exchange_context(struct exchange *e);

/* Takes out what was replied, at most EXCHANGE_FRAME_MAX bytes; 0: nothing. */
size_t exchange_take(struct exchange *e, uint8_t *frame);

/*
 * Frames a unit and PDU of our own making, as a frame answers `request` (its transaction).
 * Returns its length, 0 when it does not fit a frame.
 */
size_t exchange_frame(struct exchange *e, const uint8_t *request, const uint8_t *unit_pdu,
                      size_t n, uint8_t *frame);

/* Where unit and PDU lie in a frame of n bytes; *ret_n: how many bytes they have. */
const uint8_t *exchange_content(const struct exchange *e, const uint8_t *frame, size_t n,
                                size_t *ret_n);

/* Whether checksum or header fit: for requests that libmodbus does not know. */
bool exchange_is_sound(struct exchange *e, const uint8_t *frame, size_t n);
