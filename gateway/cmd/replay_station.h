/* SPDX-License-Identifier: Apache-2.0 */
/* replay_station - sluice replay --station: whole series, or a log, through the station's
 * pipeline. */
#pragma once

#include <stdbool.h>

#include "gateway/cmd/cmd.h"

struct replay_station_options {
    const char *station;       /* its configuration */
    const char *series, *log;  /* one of them: where the readings come from */
    const char *from, *to;     /* of a log */
    const char *out;           /* NULL: with is_rules_only nothing is written */
    const char *labels;        /* what is known to have happened; NULL */
    struct option_texts rules; /* ids; none: all that are enabled */
    const char *times;         /* "iso", "s", "ms" */
    bool is_calibrated, is_flagged, is_json, is_rules_only;
};

/* An exit status; errors are told on standard error. */
int replay_station(const struct replay_station_options *o);
