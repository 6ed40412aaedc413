/* SPDX-License-Identifier: Apache-2.0 */
/* replay_station - sluice replay --station: whole series through the station's pipeline. */
#pragma once

#include <stdbool.h>

struct replay_station_options {
    const char *station; /* its configuration */
    const char *series, *out;
    const char *times; /* "iso", "s", "ms" */
    bool is_calibrated, is_flagged, is_json;
};

/* An exit status; errors are told on standard error. */
int replay_station(const struct replay_station_options *o);
