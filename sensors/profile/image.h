/* SPDX-License-Identifier: Apache-2.0 */
/* image - the word image seen through a profile's addresses and maps: shared by decoder,
 * encoder. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensors/profile/profile.h"

enum { ORDER_UNKNOWN = -1 };

/* The bits of a map, masked and shifted, most significant first. `order` counts for maps of
 * more than one register. */
uint64_t profile_map_raw(const struct profile *p, const struct profile_map *map,
                         enum word_order order, const uint16_t *words);

/* The choice that `raw` selects (the first one of several bits); NULL when none does. */
const struct profile_choice *profile_map_find(const struct profile_map *map, uint64_t raw);

/* What the raw value says; of several bits the worst. `other` for a code that is not listed. */
struct verdict profile_map_verdict(const struct profile_map *map, uint64_t raw,
                                   struct verdict other);
/* Nothing to report: neither a status nor a grade nor a reason. */
bool profile_choice_is_good(const struct profile_choice *c);
/* A raw value that means so. */
uint64_t profile_map_quiet(const struct profile_map *map);

/* The word order of the device: `order` when given, what order_from says, or the profile's.
 * ORDER_UNKNOWN when order_from holds a code that its map does not list. */
int profile_order(const struct profile *p, int order, const uint16_t *words);

/* 10^n as a double, exact for 0 <= n <= 22. */
double profile_pow10(int n);

static inline enum value_type profile_map_type(const struct profile_map *map)
{
    if (map->at.count >= 4)
        return TYPE_U64;
    return map->at.count >= 2 ? TYPE_U32 : TYPE_U16;
}

/* A point's bit field out of its registers. */
static inline uint64_t profile_field(const struct profile_point *pt, uint64_t raw)
{
    return (pt->mask ? raw & pt->mask : raw) >> pt->shift;
}

static inline bool profile_bit(const uint8_t *set, size_t i)
{
    return set[i / 8] >> i % 8 & 1;
}
