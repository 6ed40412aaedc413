/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "sensors/profile/image.h"
#include "sensors/profile/type.h"

static void put_raw(const struct profile *p, struct register_address at, enum value_type type,
                    int order, uint64_t raw, uint16_t *words)
{
    size_t n = profile_type_words(type);
    int offset = profile_offset(p, at.space, at.first);

    if (offset < 0 || (size_t)offset + n > p->words_n)
        return;
    if (at.bit >= 0) {
        uint16_t mask = (uint16_t)(1u << at.bit);
        words[offset] = (uint16_t)((words[offset] & ~mask) | (raw ? mask : 0));
        return;
    }
    words_from_raw(raw, n, (enum word_order)order, &words[offset]);
}

/* Write a map's field and leave the other bits of its registers. */
static void put_map(const struct profile *p, const struct profile_map *map, int order,
                    uint64_t raw, uint16_t *words)
{
    enum value_type type = profile_map_type(map);
    int o = type == TYPE_U16 ? ORDER_ABCD : order;
    uint64_t old = profile_raw(p, map->at, type, (enum word_order)o, words);
    uint64_t mask = map->mask ? map->mask : UINT64_MAX;

    put_raw(p, map->at, type, o, (old & ~mask) | (raw << map->shift & mask), words);
}

/* The order in force after the order register, if it said nothing known, got the profile's. */
static int settle_order(const struct profile *p, int order, uint16_t *words)
{
    int found = profile_order(p, order, words);

    if (found != ORDER_UNKNOWN)
        return found;
    for (size_t i = 0; i < p->order_from.n; i++)
        if (p->order_from.choice[i].verdict.status == p->order) {
            put_map(p, &p->order_from, ORDER_ABCD, (uint64_t)p->order_from.choice[i].raw,
                    words);
            break;
        }
    return p->order;
}

static bool serves(const struct profile_point *pt, const struct profile_choice *c)
{
    return c && (!pt->quantity || c->conversion.factor != 0);
}

/* The unit to write in: the quantity's own where the instrument offers it. */
static const struct profile_choice *choose_unit(const struct profile_point *pt)
{
    const struct profile_choice *first = NULL;

    for (size_t i = 0; i < pt->unit_from.n; i++) {
        const struct profile_choice *c = &pt->unit_from.choice[i];
        if (serves(pt, c) && c->conversion.is_identity)
            return c;
        if (serves(pt, c) && !first)
            first = c;
    }
    return first;
}

/* The conversion in force, after the unit register was made to name a unit that serves. */
static struct unit_conversion settle_unit(const struct profile *p,
                                          const struct profile_point *pt, int order,
                                          uint16_t *words)
{
    const struct unit_conversion identity = { 1, 0, true };
    const struct profile_map *map = &pt->unit_from;
    const struct profile_choice *c;

    if (!map->at.space)
        return pt->quantity ? pt->conversion : identity;
    c = profile_map_find(map, profile_map_raw(p, map, (enum word_order)order, words));
    if (!serves(pt, c)) {
        c = choose_unit(pt);
        if (c)
            put_map(p, map, order, (uint64_t)c->raw, words);
    }
    return c && pt->quantity ? c->conversion : identity;
}

/* The factor in force, after the scale register was made to hold one. */
static double settle_scale(const struct profile *p, const struct profile_point *pt, int order,
                           uint16_t *words)
{
    enum value_type t = pt->scale_type;
    int o = profile_type_words(t) > 1 ? order : ORDER_ABCD;
    double s;

    if (!pt->scale_from.space)
        return 1;
    s = type_number(t, profile_raw(p, pt->scale_from, t, (enum word_order)o, words));
    if (pt->scale_rule == SCALE_FACTOR ? s != 0 && isfinite(s) : fabs(s) <= DECIMAL_MAX_E)
        return pt->scale_rule == SCALE_FACTOR
                   ? s
                   : profile_pow10(pt->scale_rule == SCALE_POW10 ? (int)s : -(int)s);
    put_raw(p, pt->scale_from, t, o, type_raw(t, pt->scale_rule == SCALE_FACTOR), words);
    return 1;
}

static bool is_code(const struct profile_point *pt, uint64_t raw)
{
    for (size_t i = 0; i < pt->invalid_n; i++)
        if (pt->invalid[i] == raw)
            return true;
    return false;
}

/* The nearest value towards 0 (from 0: above) that does not mean "no value". */
static uint64_t off_the_code(enum value_type t, uint64_t code)
{
    double x = type_number(t, code);

    if (t == TYPE_F32)
        return type_raw(t, (double)nextafterf((float)x, x == 0 ? 1 : 0));
    if (t == TYPE_F64)
        return type_raw(t, nextafter(x, x == 0 ? 1 : 0));
    return type_raw(t, x > 0 ? x - 1 : x + 1);
}

/* Write a point's bit field and leave the other bits of its registers. */
static void put_field(const struct profile *p, const struct profile_point *pt, int order,
                      uint64_t field, uint16_t *words)
{
    uint64_t mask = pt->mask ? pt->mask : type_bits(pt->type);
    uint64_t old = profile_raw(p, pt->at, pt->type, (enum word_order)order, words);

    put_raw(p, pt->at, pt->type, order, (old & ~mask) | (field << pt->shift & mask), words);
}

static void put_missing(const struct profile *p, const struct profile_point *pt, int order,
                        uint16_t *words)
{
    uint64_t nibbles = type_bits(pt->type); /* no decimal digits: no value of a BCD type */

    if (pt->invalid_n)
        put_field(p, pt, order, pt->invalid[0], words);
    else if (type_is_float(pt->type))
        put_raw(p, pt->at, pt->type, order, type_raw(pt->type, (double)NAN), words);
    else if (!type_is_valid(pt->type, nibbles))
        put_raw(p, pt->at, pt->type, order, nibbles, words);
}

static void encode_point(const struct profile *p, const struct profile_point *pt, int order,
                         double value, uint16_t *words)
{
    if (!pt->at.space || pt->type == TYPE_TEXT)
        return;
    order = pt->order >= 0 ? pt->order : order;
    if (!isfinite(value)) {
        put_missing(p, pt, order, words);
        return;
    }

    struct unit_conversion c = settle_unit(p, pt, order, words);
    double x = c.is_identity || c.factor == 0 ? value : (value - c.offset) / c.factor;
    x /= settle_scale(p, pt, order, words);
    x = (x - pt->offset) / pt->scale;
    uint64_t raw = type_raw(pt->type, x), most = profile_field(pt, type_bits(pt->type));
    if ((pt->mask || pt->shift) && raw > most)
        raw = most;
    for (size_t i = 0; i < pt->invalid_n && is_code(pt, raw); i++)
        raw = off_the_code(pt->type, raw);
    put_field(p, pt, order, raw, words);
}

void profile_encode(const struct profile *p, int order, const double *value, uint16_t *words)
{
    int in_force = settle_order(p, order, words);

    for (size_t i = 0; i < p->points_n; i++)
        encode_point(p, &p->points[i], in_force, value[i], words);
}

static const struct profile_choice *find_word(const struct profile_map *map, const char *word)
{
    for (size_t i = 0; i < map->n; i++)
        if (!strcmp(map->choice[i].word, word))
            return &map->choice[i];
    return NULL;
}

static void quieten(const struct profile *p, const struct profile_map *map, int order,
                    uint16_t *words)
{
    uint64_t raw;
    const struct profile_choice *c;

    if (!map->at.space)
        return;
    raw = profile_map_raw(p, map, (enum word_order)order, words);
    c = profile_map_find(map, raw);
    if (!c || !profile_choice_is_good(c))
        put_map(p, map, order, profile_map_quiet(map), words);
}

static void quieten_all(const struct profile *p, int order, uint16_t *words)
{
    quieten(p, &p->mode, order, words);
    for (size_t i = 0; i < p->flags_n; i++)
        quieten(p, &p->flags[i].map, order, words);
    for (size_t i = 0; i < p->points_n; i++)
        quieten(p, &p->points[i].quality, p->points[i].order >= 0 ? p->points[i].order : order,
                words);
}

/* The map of the whole device that has the word: the mode, then a flag for every point, then
 * any. */
static const struct profile_map *find_map(const struct profile *p, const char *word)
{
    const struct profile_map *some = NULL;

    if (p->mode.at.space && find_word(&p->mode, word))
        return &p->mode;
    for (size_t i = 0; i < p->flags_n; i++) {
        const struct profile_flag *f = &p->flags[i];
        if (!find_word(&f->map, word))
            continue;
        if (f->is_for_all)
            return &f->map;
        some = some ? some : &f->map;
    }
    return some;
}

/* Points that have the word in their own quality; sets it when `words` is given. */
static size_t put_quality(const struct profile *p, const char *word, int order, uint16_t *words)
{
    size_t n = 0;

    for (size_t i = 0; i < p->points_n; i++) {
        const struct profile_point *pt = &p->points[i];
        const struct profile_choice *c = find_word(&pt->quality, word);
        n += c != NULL;
        if (c && words)
            put_map(p, &pt->quality, pt->order >= 0 ? pt->order : order, (uint64_t)c->raw,
                    words);
    }
    return n;
}

int profile_encode_word(const struct profile *p, const char *word, uint16_t *words)
{
    bool is_none = !strcmp(word, "good") || !strcmp(word, "measuring");
    const struct profile_map *map = is_none ? NULL : find_map(p, word);

    if (!is_none && !map && !put_quality(p, word, ORDER_ABCD, NULL))
        return -ENOENT;

    int order = settle_order(p, -1, words);
    quieten_all(p, order, words);
    if (map)
        put_map(p, map, order, (uint64_t)find_word(map, word)->raw, words);
    else if (!is_none)
        put_quality(p, word, order, words);
    return 0;
}
