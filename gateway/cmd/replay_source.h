/* SPDX-License-Identifier: Apache-2.0 */
/* replay_source - where the readings of a replay come from: a folder of tables, or a log. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/core/sample.h"

struct replay_progress {
    size_t files, columns; /* tables (streams of a log), channels in them */
    uint64_t rows;
    uint64_t done, total;  /* of the work: bytes, frames */
    bool has_milliseconds; /* times have decimals */
};

struct replay_source {
    void *self;
    /* The next instant at which there is a row. 1, 0 behind the last, -EINVAL: told, or
     * -ENOMEM. */
    int (*next)(void *self, int64_t *ret_ms);
    /* Of that instant, one per point of the profile; NULL: the device has no row. */
    const struct reading *(*readings)(const void *self, size_t device);
    /* Whether there is any column of the channel. */
    bool (*has)(const void *self, uint32_t channel);
    struct replay_progress (*progress)(const void *self);
    void (*close)(void *self);
};
