/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch - follow one channel as somebody would who knows its medium: tell when its instrument
 * is at fault though every value is plausible, and when the environment does something, at the
 * limit or well below it.
 *
 * One kind per medium (noise.c, counts.c, air.c, water.c), each put together from the
 * mechanisms of rules/detect. A kind sees every slot once, in order: a sample, or that none
 * came when one was due. Faults go before events: what is recognised as a fault is no event,
 * and ends one.
 *
 * Pure; time is the sample's. State is one block of watch_size() bytes, bounded, filled by
 * watch_init(); no allocation behind that. O(1) or a short bounded loop a sample. Definitions
 * and figures: docs/watching.md; source: facts on alerting, sections 7, 8 and 10, and own
 * measurements on its benchmark.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/core/quantity.h"
#include "sensors/core/sample.h"

enum watch_kind {
    WATCH_NONE,
    WATCH_NOISE,  /* sound levels; beside: wind speed, m/s */
    WATCH_COUNTS, /* counts a sample; beside: rain mm/h, a twin counter */
    WATCH_AIR,    /* hourly concentrations; beside: the median of neighbours */
    WATCH_WATER   /* slow water quantities */
};

/* What is beside a channel; which of them a kind asks for stands at enum watch_kind. */
enum watch_aside { WATCH_WIND, WATCH_RAIN, WATCH_TWIN, WATCH_NEIGHBOURS, WATCH_ASIDES };

/* Faults, bits. Each is a notice of its own: to maintenance, never a colour. */
enum watch_fault {
    WATCH_NO_DATA = 1 << 0,
    WATCH_GARBAGE = 1 << 1,     /* values that cannot be, again and again */
    WATCH_CALIBRATION = 1 << 2, /* announced, or recognised by its values */
    WATCH_STUCK = 1 << 3,
    WATCH_STEADY = 1 << 4,      /* steadier than a real source: hum, a held input */
    WATCH_SCATTER = 1 << 5,     /* wildly scattered, jumping to and fro */
    WATCH_TRANSIENT = 1 << 6,   /* dies away behind a gap: power-on */
    WATCH_DRIFT = 1 << 7,       /* drift or slow change that no reference shares */
    WATCH_DISTURBED = 1 << 8,   /* by wind */
    WATCH_UNCONFIRMED = 1 << 9, /* an event for long, with nothing to compare it with */
    WATCH_FAULTS = 10
};

enum { WATCH_NEIGHBOURS_MAX = 16 };

struct watch_config {
    enum watch_kind kind;
    int64_t step_ms;              /* from sample to sample */
    double limit_high, limit_low; /* of the alert, canonical unit; NaN: none */
    double range_min, range_max;  /* gross range */
    double resolution;            /* smallest step of the values; 0: not known */
    bool has[WATCH_ASIDES];       /* what is connected */
    const struct quantity *quantity;
};

struct watch_sample {
    int64_t time_ms;
    double value;               /* NaN: none */
    struct verdict verdict;     /* of the chain of checks */
    double aside[WATCH_ASIDES]; /* NaN: none at this time */
};

enum watch_use { /* what became of the sample */
                 WATCH_JUDGED,
                 WATCH_SET_ASIDE, /* a fault, or held off behind one: neither for nor against an
                                     event */
};

struct watch_result {
    uint16_t faults; /* those that stand now */
    bool is_event;   /* stands now */
    int side;        /* of the event: 1 above, -1 below */
    double limit;    /* what the value was compared with last; NaN: nothing yet */
    enum watch_use use;
};

/* The kind that fits a quantity; WATCH_NONE where none does. */
enum watch_kind watch_kind_of(const struct quantity *q);
/* NULL, or a sentence: which figure of the configuration cannot be. */
const char *watch_config_error(const struct watch_config *c);

/* How far back samples matter, ms: behind a restart those are told again. */
int64_t watch_lookback(const struct watch_config *c);

size_t watch_size(const struct watch_config *c);
void watch_init(const struct watch_config *c, void *state);

/* One sample; slots that were missed since the last one are told first. A sample that is not
 * newer than the last one changes nothing. */
void watch_step(const struct watch_config *c, void *state, const struct watch_sample *s,
                struct watch_result *ret);
/* Time passes: slots that are overdue by half a step. */
void watch_elapse(const struct watch_config *c, void *state, int64_t now_ms,
                  struct watch_result *ret);
/* The clock moved by that much. */
void watch_shift(void *state, int64_t by_ms);

/* What the faults say of the sample: reasons, suspect at most. */
struct verdict watch_verdict(struct verdict v, uint16_t faults);

const char *watch_fault_id(uint16_t fault); /* of one bit: "stuck" */
const char *watch_fault_text(uint16_t fault,
                             const char *lang); /* a clause: "its values do..." */
const char *watch_aside_id(enum watch_aside a); /* "wind" */
