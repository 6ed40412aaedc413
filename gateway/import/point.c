/* SPDX-License-Identifier: Apache-2.0 */
/* What a point must be to stand in a profile: an id, registers that exist, a decimal factor. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/import/guess.h"
#include "gateway/import/reader.h"
#include "sensors/core/decimal.h"

enum {
    DECIMALS_MAX = 12, /* of a profile's scale and offset */
    ID_BYTES = 49,     /* of a point's id: leaves room for a number behind it */
    TEXT_MAX = 64,     /* registers of one text: what an address may take */
    NAME_BYTES = 256,
};

static bool is_decimal(double x)
{
    struct decimal d = decimal_from_double(x);

    return d.e >= 0 && d.e <= DECIMALS_MAX && fabs(x) * pow(10, d.e) <= 1e15;
}

static bool has_id(const struct import_device *dev, const char *id)
{
    for (const struct import_point *p = dev->points; p; p = p->next)
        if (p->id && strcmp(p->id, id) == 0)
            return true;
    return false;
}

/* "outside_temp" of "Outside Temp."; of a name without Latin letters the quantity, else the
 * address. */
static void base_id(const struct import_point *p, const char *name, char *out, size_t size)
{
    size_t n = 0;

    for (const char *s = name; *s && n + 1 < size; s++) {
        char c = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;
        bool is_kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && n > 0);
        if (is_kept)
            out[n++] = c;
        else if (n && out[n - 1] != '_' && (unsigned char)c < 0x80)
            out[n++] = '_';
    }
    while (n && out[n - 1] == '_')
        n--;
    out[n] = '\0';
    bool is_foreign = false;
    for (const char *s = name; *s; s++)
        is_foreign |= (unsigned char)*s >= 0x80;
    if (n > 0 && !is_foreign)
        return;
    if (p->quantity)
        snprintf(out, size, "%s", p->quantity->id);
    else if (n == 0 || is_foreign)
        snprintf(out, size, "%c%u%s", " cdhi"[p->space], p -> first,
                 p -> bit >= 0 ? "_bit" : "");
}

static const char *point_id(struct import_reader *r, const struct import_device *dev,
                            const struct import_point *p)
{
    char base[ID_BYTES], id[ID_BYTES + 12], bare[NAME_BYTES];

    guess_unit_in(p->name, bare, sizeof bare);
    bool is_bracketed = strncmp(p->name, bare, strlen(bare)) == 0;
    base_id(p, is_bracketed ? bare : p->name, base, sizeof base);
    snprintf(id, sizeof id, "%s", base);
    for (int i = 2; has_id(dev, id); i++)
        snprintf(id, sizeof id, "%s_%d", base, i);
    return import_copy(r, id);
}

static size_t words_of(const struct import_point *p)
{
    return p->type == TYPE_TEXT ? p->count : profile_type_words(p->type);
}

static bool is_refused(struct import_reader *r, struct import_device *dev,
                       const struct import_point *p)
{
    enum import_reason why = IMPORT_REASON_COUNT_;
    bool is_bit_space = p->space == SPACE_COIL || p->space == SPACE_DISCRETE;

    if (is_bit_space && p->type != TYPE_BIT)
        why = IMPORT_TYPE;
    else if (words_of(p) == 0 || words_of(p) > TEXT_MAX ||
             (uint32_t)p->first + words_of(p) > 65536)
        why = IMPORT_ADDRESS;
    else if (p->scale == 0 || !is_decimal(p->scale) || !is_decimal(p->offset))
        why = IMPORT_SCALE;
    else if (dev->points_n == PROFILE_POINTS_MAX ||
             dev->words_n + words_of(p) > PROFILE_WORDS_MAX)
        why = IMPORT_MANY_POINTS;
    if (why == IMPORT_REASON_COUNT_)
        return false;
    import_note(r, why, p->name, p->line, dev);
    return true;
}

static bool is_same_point(const struct import_point *a, const struct import_point *b)
{
    return a->space == b->space && a->first == b->first && a->type == b->type &&
           a->bit == b->bit && a->mask == b->mask && strcmp(a->name, b->name) == 0;
}

/* A bare "temperature" beside soil or water quantities is not that of the air. */
static bool is_in_open_air(const struct import_device *dev)
{
    for (const struct import_point *p = dev->points; p; p = p->next)
        if (p->quantity && !p->is_bare &&
            (p->quantity->medium == MEDIUM_WATER || p->quantity->medium == MEDIUM_SOIL))
            return false;
    return !guess_is_elsewhere(dev->name);
}

static bool is_number(const struct import_point *p)
{
    return p->type != TYPE_TEXT && p->type != TYPE_BIT;
}

static void find_meaning(struct import_point *p)
{
    char bare[NAME_BYTES];
    const struct unit *in_name = guess_unit_in(p->name, bare, sizeof bare);

    if (!p->unit && p->unit_text)
        p->unit = unit_find(p->unit_text);
    if (!p->unit && !p->unit_text)
        p->unit = in_name;
    if (is_number(p))
        p->quantity = guess_quantity(in_name ? bare : p->name, p->unit, &p->is_bare);
}

static void note_meaning(struct import_reader *r, const struct import_device *dev,
                         const struct import_point *p)
{
    if (!p->unit && p->unit_text && *p->unit_text)
        import_note(r, IMPORT_UNIT, p->unit_text, p->line, dev);
    if (is_number(p))
        import_note(r, p->quantity ? IMPORT_QUANTITY : IMPORT_NO_QUANTITY, p->name, p->line,
                    dev);
    if (!p->quantity && (!isnan(p->min) || !isnan(p->max)))
        import_note(r, IMPORT_LIMITS, p->name, p->line, dev);
}

void import_finish_device(struct import_reader *r, struct import_device *dev)
{
    for (struct import_point *p = dev->points; p; p = p->next)
        find_meaning(p);
    bool is_open = is_in_open_air(dev);
    for (struct import_point *p = dev->points; p; p = p->next) {
        if (p->is_bare && !is_open)
            p->quantity = NULL;
        note_meaning(r, dev, p);
        p->id = point_id(r, dev, p);
        r->plan->quantities_n += p->quantity != NULL;
    }
}

void import_add_point(struct import_reader *r, struct import_device *dev,
                      const struct import_point *point)
{
    for (const struct import_point *o = dev->points; o; o = o->next) {
        if (!is_same_point(o, point))
            continue;
        import_note(r, IMPORT_TWICE, point->name, point->line, dev);
        return;
    }
    if (is_refused(r, dev, point))
        return;
    struct import_point *p = arena_alloc(&r->plan->arena, sizeof *p);
    if (!p) {
        r->has_failed = true;
        return;
    }
    *p = *point;
    p->next = NULL;
    p->name = import_copy(r, point->name);
    p->unit_text = point->unit_text ? import_copy(r, point->unit_text) : NULL;
    if (dev->last)
        dev->last->next = p;
    else
        dev->points = p;
    dev->last = p;
    dev->points_n++;
    dev->words_n += words_of(p);
    r->plan->points_n++;
}
