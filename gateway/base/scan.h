/* SPDX-License-Identifier: Apache-2.0 */
/* scan - one poll of one device: what the poller hands to the pipeline. Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/core/sample.h"

enum scan_outcome {
    SCAN_OK,        /* registers came; single ones may still be missing */
    SCAN_NO_ANSWER, /* nothing within the deadline */
    SCAN_NO_LINK,   /* port closed, connection refused or lost */
    SCAN_BAD_FRAME, /* CRC, length, foreign or late answer */
    SCAN_EXCEPTION, /* the device refused every register */
    SCAN_NO_TARGET, /* a gateway answered that the device behind it does not (exception 11) */
    SCAN_NO_PATH,   /* a gateway answered that it has no way to the device (exception 10) */
    SCAN_OUTCOME_COUNT_
};

/* What must be in the log together with the readings: state of who made the scan. size 0: the
 * key is to be deleted. */
struct scan_state {
    const char *key;
    const void *data;
    size_t size;
};

struct scan {
    uint32_t device;  /* index into the configuration's devices */
    int64_t time_ms;  /* UTC of the (last) answer; of the failure when there was none */
    int64_t boot_ms;  /* the instant of time_ms since the machine started (clock_boot_ms) */
    int64_t start_ms; /* UTC of the first request */
    enum scan_outcome outcome;
    const struct reading *readings; /* one per point of the profile, in its order; lives during
                                     * the call; all missing when outcome is not SCAN_OK */
    size_t n;
    /* NULL, or per point: 0 where a message says nothing of it: no sample, not even a missing
     * one. */
    const uint8_t *has;
    const struct scan_state *states;
    size_t states_n;
    const char *note; /* NULL, or the message as it came: JSON that stays in the station */
    bool is_urgent;   /* somebody waits for the commit */
    bool is_late; /* of before the newest row: kept at its time, neither judged nor counted */
};

/* "no answer within the deadline" ...; zh or en. */
const char *scan_outcome_text(enum scan_outcome o, const char *lang);
