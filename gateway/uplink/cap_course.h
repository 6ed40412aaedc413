/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cap_course - which changes of an episode become messages, and of which type. The one place
 * that decides it: for the change that is being told and, from the list it carries, for all
 * before it. Pure.
 */
#pragma once

#include <stdbool.h>

#include "gateway/uplink/alert_event.h"

enum cap_type { CAP_NONE, CAP_ALERT, CAP_UPDATE, CAP_CANCEL };

struct cap_course { /* all zero: nothing was told */
    bool has_begun, is_cancelled;
};

struct cap_change {
    const char *what, *verdict, *quiet;
    enum alert_colour level, peak;
};

enum cap_type cap_course_step(struct cap_course *c, const struct cap_change *x,
                              enum alert_colour lowest);

/* One of the list "earlier" of an event. */
struct cap_earlier {
    int64_t number, time_ms;
    struct cap_change change;
};
/* False: it is not understood. */
bool cap_earlier_read(const json_t *one, struct cap_earlier *ret);
