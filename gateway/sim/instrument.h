/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instrument - one simulated instrument: a profile whose registers show what its signals say at
 * the station's time, with calibration windows and passing status bits where the profile has
 * words for them. One thread; the profile and the options must outlive it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/sim/disturbance.h"
#include "gateway/sim/fault.h"
#include "gateway/sim/signal.h"
#include "sensors/profile/profile.h"

struct instrument_set { /* a point that the user holds at a value, canonical unit */
    const char *device; /* NULL: of every device */
    const char *point;
    double value; /* NaN: the instrument's code for "no value" */
};

struct instrument_options {
    const char *id; /* of the device: part of its seed and of targets */
    const struct profile *profile;
    int order;              /* enum word_order; -1: the profile's */
    uint8_t unit;           /* Modbus unit */
    uint64_t seed;          /* of the station: the same seed gives the same signals */
    int64_t zone_ms;        /* of local time */
    int64_t origin_ms;      /* station time from which episodes count */
    bool is_calm;           /* no episodes, calibrations, status bits of its own */
    int64_t calibration_ms; /* zero and span checks so often; 0: each 12 h, calm: never */
    const char *flag;       /* a word held all the time; NULL: none */
    const struct instrument_set *sets;
    size_t sets_n;
    const struct signal_episode *episodes;
    size_t episodes_n;
    const struct disturbance *disturbances; /* of all devices */
    size_t disturbances_n;
    const struct fault *faults; /* of all devices; its own are taken over */
    size_t faults_n;
};

struct instrument;

/* Does "pm2_5", "ozone" or "roof-o3/ozone" mean this point of a device? A quantity means the
 * points that measure it. */
bool instrument_is_target(const char *device, const struct profile_point *pt,
                          const char *target);

/* False for integers without a code for it: they cannot say that they have no value. */
bool instrument_can_be_missing(const struct profile_point *pt);

/* 0, -ENOENT when the profile has no such flag word, -E2BIG (more than FAULTS_MAX), -ENOMEM. */
int instrument_create(const struct instrument_options *o, struct instrument **ret);
void instrument_destroy(struct instrument *in);

const struct instrument_options *instrument_options_of(const struct instrument *in);

struct fault_state *instrument_faults(struct instrument *in);

/* Brings the registers up to station time; they change once a second, as most instruments do.
 */
void instrument_advance(struct instrument *in, int64_t t_ms);

/* What a point shows, canonical unit, as of the last advance. */
double instrument_value(const struct instrument *in, size_t point);
/* "good", "zero", "span", "uncertain" ... as of the last advance. */
const char *instrument_word(const struct instrument *in);

/*
 * The registers first .. first + count of one Modbus table into out. Registers between two that
 * the profile names answer 0 as far as the profile allows a read to bridge them. Returns 0, or
 * -EFAULT when one of them does not exist.
 */
int instrument_read(const struct instrument *in, uint8_t space, unsigned first, unsigned count,
                    uint16_t *out);

/*
 * Writes to registers (or coils) that a command of the profile names; at station time t_ms the
 * command's mode begins. Returns 0, -EFAULT when one of them cannot be written, -ENOTSUP when
 * the instrument takes no writes at all.
 */
int instrument_write(struct instrument *in, uint8_t space, unsigned first, unsigned count,
                     const uint16_t *words, int64_t t_ms);
