/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gb3096 - noise against GB 3096-2008 table 1: LAeq by acoustic zone, day and night; a sudden
 * noise at night may pass the night's limit by 15 dB. Values are compared as they are. The
 * night's hours are the local government's to set. Pure.
 */
#pragma once

#include <stdbool.h>

#include "rules/index/exact.h"

struct gb3096_zone {
    const char *id; /* "0" .. "3", "4a", "4b" */
    const char *zh, *en;
    int day, night; /* dB(A) */
};

extern const struct gb3096_zone gb3096_zones[];
extern const int gb3096_zones_n;

enum {
    GB3096_NIGHT_BEGIN = 22 * 60, /* minutes of the local day */
    GB3096_NIGHT_END = 6 * 60,
    GB3096_SUDDEN_DB = 15
};

enum gb3096_what { GB3096_DAY, GB3096_NIGHT, GB3096_NIGHT_MAX };

const struct gb3096_zone *gb3096_find(const char *id);
bool gb3096_is_night(int minute_of_day, int begin, int end);
int gb3096_limit(const struct gb3096_zone *z, enum gb3096_what what);

struct gb3096_verdict {
    int limit;
    struct decimal over; /* value - limit, negative below */
    bool is_exceeded;
};

/* Returns 0, -ENODATA without a value, -ERANGE when it is no level. */
int gb3096_judge(const struct gb3096_zone *z, enum gb3096_what what, struct decimal level,
                 struct gb3096_verdict *ret);
