/* SPDX-License-Identifier: Apache-2.0 */
/* region_plan - which channels a device uses: what a join accept and LinkADRReq tell it. */
#include <string.h>

#include "gateway/lorawan/region_tables.h"

enum {
    BLOCK = 16,      /* channels of one ChMask */
    WIDE_FIRST = 64, /* US915, AU915: channels of 500 kHz */
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

static struct masks masks_of(const struct region *r, const uint8_t *enabled)
{
    unsigned bits = mask_bits(r), narrow = r->has_wide ? WIDE_FIRST : bits;
    bool is_all = !is_any_on(enabled, bits);
    struct masks m = { .n = narrow / BLOCK };

    for (unsigned i = 0; i < bits; i++) {
        uint16_t bit = (uint16_t)(1u << i % BLOCK);
        uint16_t wanted = is_all || is_on(enabled, i) ? bit : 0;

        if (i >= narrow) {
            m.wide = (uint16_t)(m.wide | wanted);
            continue;
        }
        m.have[i / BLOCK] = (uint16_t)(m.have[i / BLOCK] | bit);
        m.want[i / BLOCK] = (uint16_t)(m.want[i / BLOCK] | wanted);
    }
    return m;
}

/* What the first mask of a change makes of all blocks; the next ones put right what differs. */
struct start {
    uint8_t cntl;          /* REGION_MASK_NONE: no such command, or none is used */
    const uint16_t *state; /* NULL: unknown, every block must be told */
};

static unsigned masks_from(const struct masks *m, const struct start *s,
                           struct region_mask *ret)
{
    unsigned n = 0;

    if (s->state)
        ret[n++] = (struct region_mask){ m->wide, s->cntl };
    for (unsigned i = 0; i < m->n; i++)
        if (!s->state || m->want[i] != s->state[i])
            ret[n++] = (struct region_mask){ m->want[i], (uint8_t)i };
    return n;
}

unsigned region_masks(const struct region *r, const uint8_t *enabled,
                      struct region_mask ret[REGION_MASKS_MAX])
{
    static const uint16_t off[BLOCKS_MAX];
    struct masks m = masks_of(r, enabled);
    const struct start starts[] = { { r->mask_on, m.have },
                                    { r->mask_off, off },
                                    { REGION_MASK_NONE, NULL } };
    unsigned best = REGION_MASKS_MAX + 1;

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct region_mask masks[REGION_MASKS_MAX];

        /* the wide channels have their mask in the first command: there has to be one */
        if (starts[i].state ? starts[i].cntl == REGION_MASK_NONE : r->has_wide)
            continue;
        unsigned n = masks_from(&m, &starts[i], masks);
        if (n < best) {
            best = n;
            memcpy(ret, masks, n * sizeof *ret);
        }
    }
    return best;
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
    if (r->has_wide)
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
