/* SPDX-License-Identifier: Apache-2.0 */
/* region_plan - which channels a device uses: what a join accept and LinkADRReq tell it. */
#include <string.h>

#include "gateway/lorawan/region_tables.h"

enum {
    BLOCK = 16,        /* channels of one ChMask */
    ALL = 0xFFFF,      /* a ChMask */
    WIDE_FIRST = 64,   /* US915, AU915: channels of 500 kHz */
    WIDE_ALL = 0x00FF, /* 64 to 71 */
    BLOCKS_MAX = REGION_CHANNELS_MAX / BLOCK,
    CF_LIST_TYPE_AT = 15,
    CF_LIST_HZ_STEP = 100,
};

/* The channels of a plan as ChMasks of 16. */
struct masks {
    uint16_t want[BLOCKS_MAX], have[BLOCKS_MAX]; /* to be on; existing */
    unsigned n;                                  /* blocks of 125 kHz */
    uint16_t wide;
};

static bool is_on(const uint8_t *enabled, unsigned channel)
{
    return enabled[channel / 8] >> (channel % 8) & 1;
}

static bool is_any_on(const uint8_t *enabled, unsigned n)
{
    for (unsigned i = 0; enabled && i < n; i++)
        if (is_on(enabled, i))
            return true;
    return false;
}

static unsigned mask_bits(const struct region *r)
{
    return region_is_fixed(r) ? region_channels_n(r) : REGION_DYNAMIC_BITS;
}

static bool has_wide(const struct region *r)
{
    return r->mask_wide != REGION_MASK_NONE;
}

static struct masks masks_of(const struct region *r, const uint8_t *enabled)
{
    unsigned bits = mask_bits(r), narrow = has_wide(r) ? WIDE_FIRST : bits;
    bool is_all = !is_any_on(enabled, bits);
    struct masks m = { .n = narrow / BLOCK };

    for (unsigned i = 0; i < narrow; i++) {
        uint16_t bit = (uint16_t)(1u << i % BLOCK);

        m.have[i / BLOCK] |= bit;
        m.want[i / BLOCK] |= is_all || is_on(enabled, i) ? bit : 0;
    }
    for (unsigned i = narrow; i < bits; i++)
        m.wide |= is_all || is_on(enabled, i) ? (uint16_t)(1u << (i - narrow)) : 0;
    return m;
}

/* LinkADRReq masks that start from a state of all channels, or from none known. */
static unsigned masks_from(const struct masks *m, uint8_t cntl, const uint16_t *start,
                           uint8_t wide_cntl, struct region_mask *ret)
{
    unsigned n = 0;

    if (cntl != REGION_MASK_NONE)
        ret[n++] = (struct region_mask){ .ch_mask = m->wide, .ch_mask_cntl = cntl };
    for (unsigned i = 0; i < m->n; i++)
        if (!start || m->want[i] != start[i])
            ret[n++] = (struct region_mask){ m->want[i], (uint8_t)i };
    if (cntl == REGION_MASK_NONE && wide_cntl != REGION_MASK_NONE)
        ret[n++] = (struct region_mask){ m->wide, wide_cntl };
    return n;
}

unsigned region_masks(const struct region *r, const uint8_t *enabled,
                      struct region_mask ret[REGION_MASKS_MAX])
{
    static const uint16_t off[BLOCKS_MAX];
    struct masks m = masks_of(r, enabled);
    struct region_mask other[REGION_MASKS_MAX];
    unsigned other_n, n = masks_from(&m, REGION_MASK_NONE, NULL, r->mask_wide, ret);

    other_n = masks_from(&m, r->mask_on, m.have, r->mask_wide, other);
    if (other_n < n || other_n == 1) {
        n = other_n;
        memcpy(ret, other, n * sizeof *ret);
    }
    if (r->mask_off == REGION_MASK_NONE)
        return n;
    other_n = masks_from(&m, r->mask_off, off, r->mask_wide, other);
    if (other_n < n) {
        n = other_n;
        memcpy(ret, other, n * sizeof *ret);
    }
    return n;
}

/* ---- CFList ---- */

static bool put_frequencies(const uint32_t *extra_hz, uint8_t ret[16])
{
    bool is_any = false;

    memset(ret, 0, 16);
    for (int i = 0; extra_hz && i < REGION_EXTRA_MAX; i++) {
        uint32_t steps = extra_hz[i] / CF_LIST_HZ_STEP;

        for (int k = 0; k < 3; k++)
            ret[3 * i + k] = (uint8_t)(steps >> 8 * k);
        is_any |= steps != 0;
    }
    return is_any;
}

static bool put_masks(const struct region *r, const uint8_t *enabled, uint8_t ret[16])
{
    struct masks m = masks_of(r, enabled);

    memset(ret, 0, 16);
    if (has_wide(r))
        m.want[m.n++] = m.wide;
    for (unsigned i = 0; i < m.n; i++) {
        ret[2 * i] = (uint8_t)m.want[i];
        ret[2 * i + 1] = (uint8_t)(m.want[i] >> 8);
    }
    ret[CF_LIST_TYPE_AT] = 1;
    return true;
}

bool region_cf_list(const struct region *r, const uint32_t extra_hz[REGION_EXTRA_MAX],
                    const uint8_t *enabled, uint8_t ret[16])
{
    uint8_t list[16];

    if (!r->has_cf_list)
        return false;
    if (!(region_is_fixed(r) ? put_masks(r, enabled, list) : put_frequencies(extra_hz, list)))
        return false;
    memcpy(ret, list, sizeof list);
    return true;
}
