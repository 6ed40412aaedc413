/* SPDX-License-Identifier: Apache-2.0 */
/* One profile and device for the tests of the poller: two blocks of two 16-bit registers. */
#pragma once

#include <string.h>

#include "gateway/poll/poll.h"

enum { BLOCKS = 2, POINTS = 4, UNIT = 9, TIMEOUT_MS = 40 };

struct sheet {
    struct profile profile;
    struct profile_point points[POINTS];
    struct profile_span spans[BLOCKS];
    struct poll_device conf;
};

static inline void sheet_init(struct sheet *s)
{
    memset(s, 0, sizeof *s);
    for (uint16_t i = 0; i < POINTS; i++) {
        s->points[i] = (struct profile_point){
            .id = "p",
            .at = { SPACE_HOLDING, (uint16_t)(i / 2 * 100 + i % 2), 1, -1 },
            .type = TYPE_U16,
            .order = -1,
            .scale = 1,
        };
    }
    for (uint16_t i = 0; i < BLOCKS; i++)
        s->spans[i] =
            (struct profile_span){ SPACE_HOLDING, (uint16_t)(100 * i), 2, (uint16_t)(2 * i) };
    s->profile = (struct profile){ .id = "sheet",
                                   .points = s->points,
                                   .points_n = POINTS,
                                   .spans = s->spans,
                                   .spans_n = BLOCKS,
                                   .words_n = POINTS,
                                   .retries = 1 };
    s->conf = (struct poll_device){ .id = "d",
                                    .profile = &s->profile,
                                    .unit = UNIT,
                                    .order = -1,
                                    .interval_ms = 1000,
                                    .timeout_ms = TIMEOUT_MS,
                                    .is_enabled = true };
}
