/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus - one way to reach Modbus devices: one request, one reply.
 *
 * Main thread; a serial line has a thread of its own behind this interface. A bus carries one
 * request at a time and answers it exactly once, later, never from inside bus_send(). It keeps
 * its connection or port up by itself, and it never hands out an answer that could belong to
 * another request: what does not match exactly is dropped, late answers are reported as such.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "gateway/base/clock.h"

enum {
    BUS_WORDS_MAX = 125,      /* registers or bits of one answer: Modbus protocol 6.3 */
    BUS_REOPEN_MAX_MS = 1500, /* longest wait between two tries: a device that is back is found
                               * within 2 s */
    BUS_REOPEN_FIRST_MS = 100,
    BUS_ERRORS_MAX = 3, /* failures in a row after which a link is not believed any more */
};

enum bus_outcome {
    BUS_OK,
    BUS_EXCEPTION, /* the device answered with an exception code */
    BUS_NO_ANSWER, /* nothing that matches within the deadline */
    BUS_NO_LINK,   /* connection or port lost, or not to be had */
    BUS_BAD_FRAME, /* an answer came and was damaged or did not fit the request */
};

struct bus_request {
    uint8_t unit;
    uint8_t function;      /* 1..4: read coils, discrete inputs, holding, input registers */
    uint16_t first, count; /* PDU address; at most BUS_WORDS_MAX */
    int64_t timeout_ms;    /* real time, from the sending to the last byte of the answer */
};

struct bus_reply {
    enum bus_outcome outcome;
    uint8_t exception; /* Modbus code, with BUS_EXCEPTION */
    int64_t time_ms;   /* station UTC at the arrival of the last byte, or of the failure */
    int64_t took_ms;   /* real time from the sending */
    int64_t quiet_ms; /* leave this unit alone for so long: its answer may still be under way */
    uint16_t n;       /* words, with BUS_OK: the request's count */
    uint16_t words[BUS_WORDS_MAX]; /* host order; a bit is 0 or 1 */
};

struct bus_events {
    void (*on_reply)(void *user, const struct bus_reply *r);
    /* An answer came after its deadline, took_ms after its request (-1: not known), and was
     * dropped. */
    void (*on_late)(void *user, uint8_t unit, int64_t took_ms);
    void (*on_link)(void *user, bool is_up);
    void *user;
};

struct bus;

struct bus_tcp_options {
    uv_loop_t *loop;
    const struct clock *clock;
    struct bus_events on;
    const char *host; /* name or address; names are looked up off the loop */
    uint16_t port;
    int64_t connect_timeout_ms;
};

struct bus_rtu_options {
    uv_loop_t *loop;
    const struct clock *clock;
    struct bus_events on;
    const char *device; /* path; a pty will do */
    int baud;
    char parity; /* 'N', 'E', 'O' */
    int data_bits, stop_bits;
    int64_t pause_ms; /* silence between frames, at least the standard's 3.5 characters */
};

/* What the options point to must outlive the bus. Returns 0 or a negative errno. */
int bus_tcp_create(const struct bus_tcp_options *o, struct bus **ret);
int bus_rtu_create(const struct bus_rtu_options *o, struct bus **ret);

/* Goes for the connection or port. Returns 0 or a negative errno (no thread to be had); then
 * the bus refuses every request. */
int bus_start(struct bus *b);

/* Returns 0: on_reply will be called once; -ENOTCONN: the link is known to be down, no reply
 * will come; -EBUSY: the last request has no reply yet; -EINVAL: not a request. */
int bus_send(struct bus *b, const struct bus_request *r);

/* Ends everything within 500 ms and calls on_closed once; no other callback comes after this
 * call. A bus that was never started closes inside the call. */
void bus_stop(struct bus *b, void (*on_closed)(void *user), void *user);

/* After on_closed, or never started. Takes NULL. */
void bus_destroy(struct bus *b);

/* ---- for the kinds of bus only ---- */

struct bus_kind {
    int (*start)(struct bus *b);
    int (*send)(struct bus *b, const struct bus_request *r);
    void (*stop)(struct bus *b);
    void (*destroy)(struct bus *b);
};

/* First member of every kind's own struct. */
struct bus {
    const struct bus_kind *kind;
    const struct clock *clock;
    struct bus_events on;
    void (*on_closed)(void *user);
    void *closed_user;
    bool is_stopping;
};

void bus_tell_reply(struct bus *b, const struct bus_reply *r);
void bus_tell_late(struct bus *b, uint8_t unit, int64_t took_ms);
void bus_tell_link(struct bus *b, bool is_up);
