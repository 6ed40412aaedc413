/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alertmanager_alert - an alert or a notice as an object of the Alertmanager's API v2. Pure.
 * Labels stay the same from the first change of an episode to its last, whatever its colour:
 * Alertmanager takes other labels for another alert.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "gateway/uplink/alert_event.h"
#include "gateway/uplink/uplink.h"

struct alertmanager_times {
    int64_t now_ms;   /* by the Alertmanager's clock */
    int64_t keep_ms;  /* how long it stands without another word */
    int64_t ahead_ms; /* the Alertmanager's clock before the station's */
};

/* `severity`: a label more; NULL: none. NULL without memory. */
json_t *alertmanager_alert(const struct alert_event *e, const struct uplink_station *station,
                           const char *severity, const struct alertmanager_times *t);

/* The same object, ended, or standing for another while. */
void alertmanager_set_end(json_t *alert, int64_t end_ms);
