/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load - how much of a line's time its devices ask for. Pure.
 *
 * An exchange on a serial line takes
 *   the silence before it, 8 characters of request, the device's turnaround, 5 characters and
 *   the data of the answer, and a second silence
 * where a silence is 3.5 characters or the line's pause, and the first one at least the
 * device's read pause. The turnaround is assumed until it is measured. Over TCP an exchange is
 * a round trip and its bytes cost next to nothing; a line behind a serial device server has a
 * speed that nobody here knows: its exchanges are counted, its time is not. Over a pair of LoRa
 * modems gateway/bus/lora_timing.h says how long it takes, by makers' figures.
 */
#pragma once

#include "gateway/bus/bus.h"
#include "gateway/poll/plan.h"
#include "gateway/poll/poll.h"

enum {
    LOAD_TURNAROUND_US = 10000, /* of an instrument that has not been heard yet */
    LOAD_ROUND_TRIP_US = 2000,  /* of a local network */
    LOAD_ASSUMED_BAUD = 9600,   /* behind a serial device server: most lines run so */
};

struct load_line {
    bool is_serial;
    bool is_known;           /* its speed */
    int64_t byte_ns;         /* of the answer's data */
    int64_t frame_us;        /* of an exchange without data and turnaround */
    int64_t silence_us;      /* the one before it, part of frame_us */
    int64_t turnaround_us;   /* assumed */
    struct lora_modem modem; /* packet 0: none; then what the air takes is in none of these */
    double air_share;        /* of the time, that may be spent on the air; 1: no limit */
};

void load_line_of(const struct bus_place *place, struct load_line *ret);

/* turnaround_us < 0: not measured. */
struct plan_cost load_cost(const struct load_line *l, int64_t turnaround_us);

/* Time of one exchange without the turnaround. */
int64_t load_wire_us(const struct load_line *l, const struct plan_read *r, int64_t pause_ms);

struct load_device {
    size_t requests; /* of a scan */
    int64_t scan_us;
    int64_t air_us; /* on the air, of scan_us */
    double share;   /* of the line's time: scan_us over the interval; 0 when disabled */
};

/* The variant of the profile that takes longest. 0, -ENOMEM or -EINVAL. */
int load_device_of(const struct load_line *l, const struct poll_device *d,
                   struct load_device *ret);

struct load_bus {
    struct load_line line;
    size_t devices_n;   /* enabled */
    double requests_hz; /* requests in a second */
    double share;       /* of the line's time */
    double air;         /* of the time, on the air */
};

/* All devices of bus number `bus`; each[n] as given, other buses' untouched. */
int load_bus_of(const struct bus_place *place, uint32_t bus, const struct poll_device *devices,
                size_t n, struct load_device *each, struct load_bus *ret);
