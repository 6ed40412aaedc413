/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cap - one change of an alert as one message of the Common Alerting Protocol 1.2. Pure: the
 * same event gives the same bytes.
 *
 * The first change of an episode that others are told of is an Alert, later ones are Updates
 * that refer to all messages before; the condition's end is an Update with AllClear; an alert
 * that was found to be none is cancelled. The event says what came before it (its member
 * "earlier"), so that nothing need be remembered.
 */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/uplink/alert_event.h"
#include "gateway/uplink/uplink.h"
#include "sensors/core/field.h"

struct cap_options {
    const char *sender; /* NULL: the station's id */
    int status;         /* enum cap_status */
    int scope;          /* enum cap_scope */
    const char *restriction;
    const char *area, *geocode, *contact;
    double radius_km;
    int64_t expires_ms;
};

enum cap_status { CAP_ACTUAL, CAP_EXERCISE, CAP_TEST };
enum cap_scope { CAP_PUBLIC, CAP_RESTRICTED };

extern const struct field cap_fields[]; /* of struct cap_options */

enum { CAP_MESSAGE_MAX = 96 << 10 };

/*
 * Appends the message. 1; 0 when this change is none that others are told of (`lowest`: the
 * colour below which nobody is); -ENOSPC when it does not fit.
 */
int cap_write(struct buf *b, const struct cap_options *o, const struct uplink_station *station,
              const struct alert_event *e, enum alert_colour lowest);

/* The name of the message of this change. */
void cap_identifier(struct buf *b, const struct uplink_station *station,
                    const struct alert_event *e);
