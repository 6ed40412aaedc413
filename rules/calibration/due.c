/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/calibration/calibration.h"

enum { DAY_MS = 24 * 3600 * 1000, GRACE_PARTS = 10 };

/* Slots are counted in local time, so that "every day at 01:30" stays there. */
int64_t calibration_slot(const struct calibration_schedule *s, int64_t now_ms)
{
    const int64_t local_ms = now_ms + s->zone_ms - s->at_ms;

    if (s->every_ms <= 0 || s->at_ms < 0)
        return 0;
    return local_ms / s->every_ms - (local_ms % s->every_ms < 0);
}

int64_t calibration_slot_ms(const struct calibration_schedule *s, int64_t slot)
{
    return slot * s->every_ms + s->at_ms - s->zone_ms;
}

bool calibration_is_overdue(int64_t every_ms, int64_t passed_ms, int64_t now_ms)
{
    const int64_t tenth_ms = every_ms / GRACE_PARTS;
    const int64_t grace_ms = tenth_ms < DAY_MS ? tenth_ms : DAY_MS;

    return every_ms > 0 && now_ms - passed_ms > every_ms + grace_ms;
}
