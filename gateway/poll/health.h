/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health - whether a device is worth asking at every slot. Pure.
 *
 * HEALTH_FAILURES_MAX failed scans in a row make it silent; it is then probed at growing
 * intervals, and one good scan brings it back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    HEALTH_FAILURES_MAX = 3,
    HEALTH_PROBE_MAX_MS = 60000, /* a repaired device is seen within a minute */
    HEALTH_PROBE_FACTOR = 10,    /* alone on its link a probe costs nobody anything */
};

enum health_change { HEALTH_SAME, HEALTH_WENT_SILENT, HEALTH_CAME_ONLINE };

struct health {
    bool is_online, is_silent; /* neither: no verdict yet */
    int failures;              /* in a row */
    int64_t probe_ms;          /* of a silent one: interval of the next probe */
};

enum health_change health_note(struct health *h, bool has_answered);

/* Time to the next scan: the interval, or the probe's, which doubles with every call. */
int64_t health_wait(struct health *h, int64_t interval_ms, bool is_alone);

/* The link came back: what was found out through the old one counts no more. */
void health_hope(struct health *h);
