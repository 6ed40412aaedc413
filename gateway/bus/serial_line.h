/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serial_line - Modbus RTU transactions on one serial port, by a thread that may block.
 *
 * libmodbus sets up the port and sends; answers are read here against an absolute deadline.
 * Modbus RTU numbers nothing, so an answer that comes after its deadline looks like the answer
 * to the next request. Three things keep it out:
 *
 *   silence   nothing is sent before the line has been silent; what came until then is dropped
 *   quiet     a unit that missed a deadline is left alone for a multiple of its answer time
 *   length    its next answer must have another length than every one still outstanding; if it
 *             would not, a short read of another length goes first. Units answer in order, so
 *             whatever comes after that answer belongs to what was asked after it
 *
 * One thread at a time; only serial_line_interrupt() may come from another.
 */
#pragma once

#include "gateway/bus/bus.h"

struct serial_line;

struct serial_options {
    const struct bus_place *port;
    /* A sound frame of a unit came after its deadline. */
    void (*on_late)(void *user, uint8_t unit, int64_t took_ms);
    void *user;
};

/* The port's options must outlive the line. 0 or a negative errno. */
int serial_line_create(const struct serial_options *o, struct serial_line **ret);
void serial_line_destroy(struct serial_line *l);

/* 0 or a negative errno: the port cannot be had now. */
int serial_line_open(struct serial_line *l);
bool serial_line_is_open(const struct serial_line *l);

/* Waits until something comes in or someone interrupts, at most timeout_ms (< 0: for ever), and
 * drops what nobody asked for. Closes a port that went away. */
void serial_line_wait(struct serial_line *l, int timeout_ms);

/* One transaction on an open line. Always fills *ret; time_ms is the caller's to set. Closes a
 * port that went away, reopens one that failed BUS_ERRORS_MAX times in a row. */
void serial_line_ask(struct serial_line *l, const struct bus_request *r, struct bus_reply *ret);

/* Any thread: ends serial_line_wait(); with is_final also a transaction, now and for ever. */
void serial_line_interrupt(struct serial_line *l, bool is_final);
bool serial_line_is_final(const struct serial_line *l);
