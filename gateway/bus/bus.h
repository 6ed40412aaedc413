/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus - one way to reach Modbus devices: one request, one reply.
 *
 * Main thread; a serial line has a thread of its own behind this interface. A bus carries one
 * request at a time and answers it exactly once, later, never from inside bus_send(). It keeps
 * its connection or port up by itself, and it never hands out an answer that could belong to
 * another request: what does not match exactly is dropped, late answers are reported as such.
 *
 * It sends every request once and never again by itself. A write that ends otherwise than with
 * BUS_OK or BUS_EXCEPTION may or may not have happened.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "gateway/base/clock.h"
#include "gateway/bus/lora_timing.h"

enum {
    BUS_WORDS_MAX = 125,      /* registers or bits of one answer: Modbus protocol 6.3 */
    BUS_WRITE_MAX = 123,      /* registers or bits of one write: Modbus protocol 6.12 */
    BUS_TEXT_MAX = 244,       /* bytes of one identification object: Modbus protocol 6.21 */
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

/* Numbers of Modbus Application Protocol V1.1b3, section 6. */
enum bus_function {
    BUS_READ_COILS = 1,
    BUS_READ_DISCRETE = 2,
    BUS_READ_HOLDING = 3,
    BUS_READ_INPUT = 4,
    BUS_WRITE_COIL = 5,
    BUS_WRITE_REGISTER = 6,
    BUS_WRITE_COILS = 15,
    BUS_WRITE_REGISTERS = 16,
    BUS_IDENTIFY = 0x2B, /* with MEI type 0x0E, one object (access code 4) */
};

struct bus_request {
    uint8_t unit;
    uint8_t function;      /* enum bus_function */
    uint16_t first, count; /* PDU address; at most BUS_WORDS_MAX, writes BUS_WRITE_MAX.
                            * Identification: the object, 1 */
    const uint16_t *words; /* writes: count of them, host order, a bit is 0 or 1; must live
                            * until the reply. NULL for everything else */
    int64_t pause_ms;      /* since the last transaction, at least; for slow instruments */
    int64_t timeout_ms;    /* real time, from the sending to the last byte of the answer;
                            * lora-serial: not looked at, learnt by itself */
};

struct bus_reply {
    enum bus_outcome outcome;
    uint8_t exception; /* Modbus code, with BUS_EXCEPTION */
    int64_t time_ms;   /* station UTC at the arrival of the last byte, or of the failure */
    int64_t boot_ms;   /* the same instant since the machine started (clock_boot_ms) */
    int64_t took_ms;   /* real time from the sending */
    int64_t quiet_ms; /* leave this unit alone for so long: its answer may still be under way */
    uint16_t n; /* with BUS_OK: words of a read, bytes of an identification, 0 of a write */
    union {
        uint16_t words[BUS_WORDS_MAX]; /* host order; a bit is 0 or 1 */
        char text[BUS_TEXT_MAX + 1];   /* closed by 0; any bytes but 0 */
    };
};

/* What became of one frame, for people who look on: tail --frames, record, test. */
enum bus_fate {
    BUS_SENT,    /* a request of ours */
    BUS_TAKEN,   /* the answer to it */
    BUS_REFUSED, /* an exception that answers it */
    BUS_LATE,    /* came after its deadline: dropped */
    BUS_FOREIGN, /* sound, but the answer to something else: dropped */
    BUS_DAMAGED, /* neither: dropped */
    BUS_FATE_COUNT_
};

struct bus_frame {
    enum bus_fate fate;
    uint8_t unit;         /* of the request under way; of the frame itself when sound */
    int64_t time_ms;      /* station UTC of its last byte */
    int64_t since_us;     /* real time since the request was sent; -1: unknown */
    const uint8_t *bytes; /* as on the wire, with MBAP header or CRC; live during the call */
    size_t n;             /* at most 260; noise is handed on in such pieces */
};

/* "sent", "taken", "late" ...: a word for files and screens. */
const char *bus_fate_name(enum bus_fate fate);

/* "illegal data address" ...; "unknown code" for what Modbus does not define. zh or en. */
const char *bus_exception_text(uint8_t code, const char *lang);

struct bus_events {
    void (*on_reply)(void *user, const struct bus_reply *r);
    /* An answer came after its deadline, took_ms after its request (-1: not known), and was
     * dropped. */
    void (*on_late)(void *user, uint8_t unit, int64_t took_ms);
    void (*on_link)(void *user, bool is_up);
    /* NULL, or every frame while somebody watches (bus_watch), in the order of the wire; the
     * frames of a transaction come before its on_reply. */
    void (*on_frame)(void *user, const struct bus_frame *f);
    void *user;
};

struct bus;

/* RS-485 direction control by the driver (TIOCSRS485), for ports that do not switch by
 * themselves. */
struct bus_rs485 {
    bool is_on;
    bool is_rts_low_on_send; /* the transceiver drives the line while RTS is low */
    int before_ms, after_ms; /* RTS ahead of the first and behind the last bit */
};

enum bus_type {
    BUS_MODBUS_TCP,
    BUS_MODBUS_RTU,
    BUS_MODBUS_RTU_TCP, /* RTU frames over a TCP connection: a serial device server, raw mode */
    BUS_MODBUS_CARRIED, /* RTU frames by a struct bus_carrier */
    BUS_LORA_SERIAL,    /* RTU frames over transparent LoRa modems, one of them at a port */
    BUS_NONE,           /* its devices speak by themselves and are never asked: LoRa */
};

/*
 * How frames go where the gateway has no wire: a LoRaWAN bridge with an RS-485 line behind it.
 * Main thread. What is handed in may be lost; what comes back stands in pieces of any size.
 */
struct bus_carrier {
    /* One frame on its way, answered after reply_ms at the latest. 0 or a negative errno. */
    int (*send)(void *user, const uint8_t *frame, size_t n, int64_t reply_ms);
    /* From now on bytes that come are told; on_bytes NULL: nobody wants them any more. */
    void (*listen)(void *user, void (*on_bytes)(void *to, const uint8_t *bytes, size_t n),
                   void *to);
    void *user;
};

/* Where devices are reached. Texts must outlive the bus. */
struct bus_place {
    enum bus_type type;
    const char *host; /* TCP types: name or address; names are looked up off the loop */
    uint16_t port;
    int64_t connect_timeout_ms;
    const char *device; /* RTU: path of the port; a pty will do */
    int baud;
    char parity; /* 'N', 'E', 'O' */
    int data_bits, stop_bits;
    int64_t pause_ms; /* RTU types: silence between frames, at least 3.5 characters */
    struct bus_rs485 rs485;
    const struct bus_carrier *carrier; /* carried: outlives the bus */
    int64_t reply_ms;                  /* carried: an answer takes so long, at most */
    struct lora_modem modem;           /* lora-serial */
    const char *radio;                 /* lora-serial: name of the channel */
    double air_share;                  /* lora-serial: of the channel's time, at most */
    struct radio_channel *channel; /* lora-serial: outlives the bus; NULL: it is alone there */
};

/* Whether `device` says where it is: a port that bears one master. */
bool bus_has_port(const struct bus_place *p);

/* Returns 0 or a negative errno. */
int bus_create(uv_loop_t *loop, const struct clock *clock, const struct bus_place *place,
               const struct bus_events *on, struct bus **ret);

/* Goes for the connection or port. Returns 0 or a negative errno (no thread to be had); then
 * the bus refuses every request. */
int bus_start(struct bus *b);

/* Returns 0: on_reply will be called once; -ENOTCONN: the link is known to be down, no reply
 * will come; -EBUSY: the last request has no reply yet; -EINVAL: not a request. */
int bus_send(struct bus *b, const struct bus_request *r);

/* Whether frames are told; off at first. Any time; costs nothing while off. */
void bus_watch(struct bus *b, bool is_on);

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
    atomic_bool is_watched;
};

void bus_tell_reply(struct bus *b, const struct bus_reply *r);
void bus_tell_late(struct bus *b, uint8_t unit, int64_t took_ms);
void bus_tell_link(struct bus *b, bool is_up);
/* Whether bus_tell_frame() has a reader; any thread. */
bool bus_is_watched(const struct bus *b);
void bus_tell_frame(struct bus *b, const struct bus_frame *f);
