/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serial_line - Modbus RTU transactions on one serial port, by a thread that may block.
 *
 * libmodbus sets up the port and sends; what is sent and what is believed, rtu_master decides.
 * Here are the port, the waiting and the way to wake it.
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
    /* Every frame; time_ms is 0. NULL: nobody looks. */
    void (*on_frame)(void *user, const struct bus_frame *f);
    void *user;
};

/* Time of a character on the port, rounded up. */
int64_t serial_char_us(const struct bus_place *p);

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
