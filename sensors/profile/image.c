/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/profile/image.h"

#include <stddef.h>

#include "sensors/profile/type.h"

int profile_offset(const struct profile *p, uint8_t space, uint16_t address)
{
    size_t lo = 0, hi = p->spans_n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct profile_span *s = &p->spans[mid];
        if (s->space == space && address >= s->first && address - s->first < s->count)
            return s->offset + (address - s->first);
        if (s->space < space || (s->space == space && s->first < address))
            lo = mid + 1;
        else
            hi = mid;
    }
    return -1;
}

uint64_t profile_raw(const struct profile *p, struct register_address at, enum value_type type,
                     enum word_order order, const uint16_t *words)
{
    size_t n = profile_type_words(type);
    int offset = profile_offset(p, at.space, at.first);

    if (offset < 0 || (size_t)offset + n > p->words_n)
        return 0;
    if (at.bit >= 0)
        return words[offset] >> at.bit & 1;
    if (type == TYPE_BIT)
        return words[offset] != 0;
    return raw_from_words(&words[offset], n, order);
}

uint64_t profile_map_raw(const struct profile *p, const struct profile_map *map,
                         enum word_order order, const uint16_t *words)
{
    enum value_type type = profile_map_type(map);
    uint64_t raw = profile_raw(p, map->at, type, type == TYPE_U16 ? ORDER_ABCD : order, words);

    return (map->mask ? raw & map->mask : raw) >> map->shift;
}

const struct profile_choice *profile_map_find(const struct profile_map *map, uint64_t raw)
{
    for (size_t i = 0; i < map->n; i++) {
        uint64_t code = (uint64_t)map->choice[i].raw;
        if (map->is_bits ? (raw & code) != 0 : raw == code)
            return &map->choice[i];
    }
    return NULL;
}

int profile_order(const struct profile *p, int order, const uint16_t *words)
{
    const struct profile_choice *c;

    if (order >= 0)
        return order;
    if (!p->order_from.at.space)
        return p->order;
    c = profile_map_find(&p->order_from, profile_map_raw(p, &p->order_from, ORDER_ABCD, words));
    return c ? c->verdict.status : ORDER_UNKNOWN;
}

double profile_pow10(int n)
{
    static const double table[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

    if (n < 0)
        return 1 / profile_pow10(-n);
    return table[n < 22 ? n : 22];
}

bool profile_choice_is_good(const struct profile_choice *c)
{
    return c->verdict.status == STATUS_VALID && c->verdict.grade == GRADE_GOOD &&
           !c->verdict.reasons;
}

uint64_t profile_map_quiet(const struct profile_map *map)
{
    uint64_t raw = 0;

    if (map->is_bits)
        return 0;
    for (size_t i = 0; i < map->n; i++)
        if (profile_choice_is_good(&map->choice[i]))
            return (uint64_t)map->choice[i].raw;
    while (profile_map_find(map, raw))
        raw++;
    return raw;
}

struct verdict profile_map_verdict(const struct profile_map *map, uint64_t raw,
                                   struct verdict other)
{
    const struct profile_choice *c = profile_map_find(map, raw);
    struct verdict v = { 0 };

    if (!map->is_bits)
        return c ? c->verdict : other;
    for (size_t i = 0; i < map->n; i++)
        if (raw & (uint64_t)map->choice[i].raw)
            v = verdict_merge(v, map->choice[i].verdict);
    return v;
}
