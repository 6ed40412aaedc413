/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lorawan/region.h"

#include <string.h>

#include "gateway/lorawan/region_tables.h"

/* ---- which ---- */

const struct region *const *region_all(void)
{
    return region_tables;
}

const struct region *region_find(const char *id)
{
    for (const struct region *const *r = region_tables; *r; r++)
        if (strcmp((*r)->id, id) == 0)
            return *r;
    return NULL;
}

const char *region_id(const struct region *r)
{
    return r->id;
}

/* ---- data rates ---- */

static bool is_rate(const struct radio_rate *rate)
{
    return rate->is_fsk || rate->sf;
}

bool region_rate(const struct region *r, unsigned dr, bool is_up, struct radio_rate *ret)
{
    const struct radio_rate *rates = is_up ? r->up : r->down;

    if (dr >= REGION_DRS || !is_rate(&rates[dr]))
        return false;
    *ret = rates[dr];
    return true;
}

int region_dr_of(const struct region *r, const struct radio_rate *rate, bool is_up)
{
    const struct radio_rate *rates = is_up ? r->up : r->down;

    for (int dr = 0; dr < REGION_DRS; dr++)
        if (is_rate(&rates[dr]) && radio_rate_is_same(&rates[dr], rate))
            return dr;
    return -1;
}

unsigned region_dr_adr_max(const struct region *r)
{
    return r->dr_adr_max;
}

unsigned region_dr_min(const struct region *r)
{
    return r->dr_min;
}

unsigned region_payload_max(const struct region *r, unsigned dr, bool is_up, bool is_dwell)
{
    const struct region_sizes *up = is_dwell ? r->sizes_up_dwell : r->sizes_up;
    const struct region_sizes *down = is_dwell ? r->sizes_down_dwell : r->sizes_down;

    return dr < REGION_DRS ? (is_up ? up : down)->n[dr] : 0;
}

/* ---- channels ---- */

bool region_is_fixed(const struct region *r)
{
    return !r->hz_max;
}

unsigned region_channels_n(const struct region *r)
{
    unsigned n = 0;

    for (int i = 0; i < REGION_BLOCKS_MAX; i++)
        n += r->blocks[i].n;
    return n;
}

/* Place of a frequency among n that are step_hz apart; -1: it is none of them. */
static int place_of(uint32_t freq_hz, uint32_t hz, uint32_t step_hz, unsigned n)
{
    if (n && freq_hz == hz)
        return 0;
    if (!step_hz || freq_hz < hz || (freq_hz - hz) % step_hz)
        return -1;

    uint32_t at = (freq_hz - hz) / step_hz;
    return at < n ? (int)at : -1;
}

/* The block a frequency is of and its place there; NULL: no channel of the plan. */
static const struct region_block *block_of(const struct region *r, uint32_t freq_hz,
                                           unsigned *ret_first, unsigned *ret_place)
{
    unsigned first = 0;

    for (int i = 0; i < REGION_BLOCKS_MAX; i++) {
        const struct region_block *b = &r->blocks[i];
        int place = place_of(freq_hz, b->hz, b->step_hz, b->n);

        if (place >= 0) {
            *ret_first = first;
            *ret_place = (unsigned)place;
            return b;
        }
        first += b->n;
    }
    return NULL;
}

static bool is_extra(const struct region *r, const uint32_t *extra_hz, unsigned channel)
{
    unsigned n = region_channels_n(r);

    return extra_hz && !region_is_fixed(r) && channel >= n && channel - n < REGION_EXTRA_MAX;
}

uint32_t region_channel_hz(const struct region *r, const uint32_t extra_hz[REGION_EXTRA_MAX],
                           unsigned channel)
{
    if (is_extra(r, extra_hz, channel))
        return extra_hz[channel - region_channels_n(r)];
    for (int i = 0; i < REGION_BLOCKS_MAX; i++) {
        const struct region_block *b = &r->blocks[i];

        if (channel < b->n)
            return b->hz + b->step_hz * channel;
        channel -= b->n;
    }
    return 0;
}

static bool carries(const struct region_block *b, int dr)
{
    return dr >= b->dr_min && dr <= b->dr_max;
}

int region_channel_of(const struct region *r, const uint32_t extra_hz[REGION_EXTRA_MAX],
                      uint32_t freq_hz, const struct radio_rate *rate)
{
    unsigned first, place, n = region_channels_n(r);
    const struct region_block *b = block_of(r, freq_hz, &first, &place);
    int dr = region_dr_of(r, rate, true);

    if (dr < 0 || !freq_hz)
        return -1;
    if (b)
        return carries(b, dr) ? (int)(first + place) : -1;
    for (unsigned i = n; is_extra(r, extra_hz, i); i++)
        if (extra_hz[i - n] == freq_hz)
            return (int)i;
    return -1;
}

static const struct region_join *join_of(const struct region *r, uint32_t freq_hz,
                                         unsigned *ret_place)
{
    for (int i = 0; r->joins && i < REGION_JOINS_MAX; i++) {
        const struct region_join *j = &r->joins[i];
        int place = place_of(freq_hz, j->hz, j->step_hz, j->n);

        if (place >= 0) {
            *ret_place = (unsigned)place;
            return j;
        }
    }
    return NULL;
}

int region_join_channel_of(const struct region *r, uint32_t freq_hz)
{
    unsigned place;
    const struct region_join *j = join_of(r, freq_hz, &place);

    return j ? (int)(j->first + place) : -1;
}

/* ---- receive windows ---- */

static unsigned lowered(unsigned dr, unsigned by, unsigned floor)
{
    return dr < by + floor ? floor : dr - by;
}

static unsigned rx1_dr(const struct region *r, unsigned dr, unsigned offset, bool is_dwell)
{
    unsigned floor = is_dwell ? r->down_dr_min_dwell : r->down_dr_min;
    unsigned down;

    if (offset > r->rx1_offset_max)
        offset = r->rx1_offset_max;
    switch (r->rx1_rule) {
    case REGION_RX1_TABLE:
        return r->rx1_table[dr][offset];
    case REGION_RX1_SIGNED:
        down = offset > 5 ? dr + offset - 5 : lowered(dr, offset, floor);
        down = down < floor ? floor : down;
        return down > r->rx1_dr_max ? r->rx1_dr_max : down;
    case REGION_RX1_DOWN:
        break;
    }
    return lowered(dr, offset, floor);
}

/* Where RX1 of an uplink is; 0: the uplink is not of the plan. */
static uint32_t rx1_hz(const struct region *r, uint32_t up_hz, unsigned up_dr)
{
    unsigned first, place;
    const struct region_block *b = block_of(r, up_hz, &first, &place);

    if (!b)
        return up_hz >= r->hz_min && up_hz < r->hz_max ? up_hz : 0;
    if (!carries(b, (int)up_dr))
        return 0;
    return b->rx1_n ? b->rx1_hz + b->rx1_step_hz * (place % b->rx1_n) : up_hz;
}

static uint32_t join_rx1_hz(const struct region *r, uint32_t up_hz)
{
    unsigned place;
    const struct region_join *j = join_of(r, up_hz, &place);

    return j ? j->rx1_hz + j->rx1_step_hz * place : 0;
}

bool region_rx1(const struct region *r, uint32_t up_hz, unsigned up_dr, unsigned offset,
                bool is_dwell, bool is_join, struct region_window *ret)
{
    struct region_window w;
    struct radio_rate up;

    if (!region_rate(r, up_dr, true, &up))
        return false;
    w.freq_hz = is_join && r->joins ? join_rx1_hz(r, up_hz) : rx1_hz(r, up_hz, up_dr);
    w.dr = rx1_dr(r, up_dr, is_join ? 0 : offset, is_dwell);
    if (!w.freq_hz || !region_rate(r, w.dr, false, &w.rate))
        return false;
    *ret = w;
    return true;
}

struct region_window region_rx2(const struct region *r, int join_channel)
{
    struct region_window w = { .freq_hz = r->rx2_hz,
                               .dr = r->rx2_dr,
                               .rate = r->down[r->rx2_dr] };

    for (int i = 0; r->joins && i < REGION_JOINS_MAX; i++) {
        const struct region_join *j = &r->joins[i];
        int place = join_channel - j->first;

        if (place >= 0 && place < j->n)
            w.freq_hz = j->rx2_hz + j->rx2_step_hz * (uint32_t)place;
    }
    return w;
}

unsigned region_rx1_offset_max(const struct region *r)
{
    return r->rx1_offset_max;
}

/* ---- power ---- */

double region_eirp_max(const struct region *r)
{
    return r->eirp_dbm;
}

unsigned region_tx_powers(const struct region *r)
{
    return r->tx_powers;
}
