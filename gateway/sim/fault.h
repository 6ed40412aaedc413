/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault - how a simulated instrument misbehaves: what the user asks for as text, and what then
 * becomes of each answer. Pure; a function of the seed, the number of the answer and the time.
 *
 *   [DEVICE:]KIND[=VALUE][/N]      /N: only every Nth answer
 *
 *   late=0.8s slow=300ms silent silent=10s..20s exception=2@h:40 foreign noise=1e-3 trickle=5ms
 *   short long disconnect=30 order=CDAB stuck nan copy=300ms rssi
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/profile/profile.h"

enum {
    FAULTS_MAX = 8,        /* of one instrument; there are 15 kinds */
    FAULT_BYTES_MAX = 300, /* an answer of 260 bytes, and what is added to it */
    FAULT_DEVICE_MAX = 64, /* name of a device, closed by 0 */
    FAULT_EVERY_MAX = 1000000,
};

enum fault_kind {
    FAULT_LATE,       /* comes so much later; the device goes on with other requests */
    FAULT_SLOW,       /* thinks so long before each answer, other requests wait */
    FAULT_SILENT,     /* does not answer; between two times since the start, when given */
    FAULT_EXCEPTION,  /* refuses a register, or every request, with a code */
    FAULT_FOREIGN,    /* a sound answer of another unit, with other data */
    FAULT_NOISE,      /* each byte is changed with this probability; serial lines */
    FAULT_TRICKLE,    /* bytes one by one, so far apart */
    FAULT_SHORT,      /* in turn: a register too few, cut in the middle */
    FAULT_LONG,       /* in turn: a register too many, bytes behind the end */
    FAULT_DISCONNECT, /* hangs up instead of every Nth answer; a pty is pulled */
    FAULT_ORDER,      /* other word order than the profile says */
    FAULT_STUCK,      /* values stand still from the start */
    FAULT_NAN,        /* every point shows its code for "no value" */
    FAULT_COPY,       /* comes once more so much later, as repeaters do it */
    FAULT_RSSI,       /* a byte behind each answer, as a modem adds it that is set so */
};

struct fault {
    char device[FAULT_DEVICE_MAX]; /* "": every device */
    enum fault_kind kind;
    int64_t every;          /* each so many answers; 1: each */
    int64_t from_ms, to_ms; /* FAULT_SILENT, real time since the start */
    int64_t ms;             /* late, slow, trickle */
    double share;           /* noise */
    uint8_t code;           /* exception */
    uint8_t space;          /* exception: 0 any */
    int32_t address;        /* exception: -1 any */
    enum word_order order;
};

/* 0, or -EINVAL with a sentence in `why`. */
int fault_parse(const char *text, struct fault *ret, char *why, size_t size);

/* ---- what becomes of the answers of one device ---- */

struct fault_state {
    struct fault faults[FAULTS_MAX];
    size_t n;
    uint64_t seed;
    int64_t answer; /* number of the present one, from 1 */
    int64_t t_ms;   /* real time since the start */
};

struct fault_request {
    uint8_t function; /* 1 to 4: its registers are looked at */
    unsigned first, count;
};

struct fault_answer {
    uint8_t bytes[FAULT_BYTES_MAX];
    size_t n;           /* 0: nothing is sent */
    int64_t late_ms;    /* the device goes on meanwhile */
    int64_t slow_ms;    /* the device is busy meanwhile */
    int64_t copy_ms;    /* the same once more, so much later; 0: no */
    int64_t trickle_ms; /* between two bytes; 0: all at once */
    bool is_hang_up;    /* the link ends here */
};

/* The device's own of all faults. 0, or -E2BIG when there are more than FAULTS_MAX. */
int fault_state_init(struct fault_state *s, const char *device, uint64_t seed,
                     const struct fault *all, size_t n);

/* NULL when the device has none of this kind. */
const struct fault *fault_find(const struct fault_state *s, enum fault_kind kind);

/* Counts one more answer, t_ms after the start. */
void fault_begin(struct fault_state *s, int64_t t_ms);

/* The Modbus exception that the present request gets instead of its answer, or 0. */
uint8_t fault_exception(const struct fault_state *s, const struct fault_request *r);

/* Changes unit and PDU p[0..*n), which has room for FAULT_BYTES_MAX; true when it did: the
 * frame must be made anew. */
bool fault_content(const struct fault_state *s, uint8_t *p, size_t *n);

/* Changes the whole frame and says when it goes out. Noise is for lines with a checksum. */
void fault_shape(const struct fault_state *s, bool is_serial, struct fault_answer *a);
