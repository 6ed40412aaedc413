/* SPDX-License-Identifier: Apache-2.0 */
/* region_band - what a gateway may transmit: power, and time on air in a sliding hour. */
#include <math.h>

#include "gateway/lorawan/region_tables.h"

#define MINUTE_US (60 * INT64_C(1000000))
#define HOUR_US   (60 * MINUTE_US)

/* Number of the sub-band; -1: between them. */
static int band_of(const struct region *r, uint32_t freq_hz)
{
    for (int i = 0; i < REGION_BANDS_MAX; i++)
        if (freq_hz >= r->bands[i].hz_min && freq_hz < r->bands[i].hz_max)
            return i;
    return -1;
}

int region_down_eirp(const struct region *r, uint32_t freq_hz)
{
    int band = r->bands ? band_of(r, freq_hz) : -1;

    return band >= 0 && r->bands[band].eirp_dbm ? r->bands[band].eirp_dbm : r->down_eirp_dbm;
}

/* A minute counts whole until its end is an hour ago. */
static int64_t used_us(const struct band_account *a, int band, int64_t minute)
{
    int64_t sum = 0;

    for (int i = 0; i < REGION_BAND_SLOTS; i++)
        if (a->slots[band][i].slot > minute - REGION_BAND_SLOTS)
            sum += a->slots[band][i].us;
    return sum;
}

static int64_t limit_us(const struct region *r, int band)
{
    return HOUR_US / 1000 * r->bands[band].per_mille;
}

static void book(struct band_account *a, int band, int64_t minute, int64_t us)
{
    int64_t place = minute % REGION_BAND_SLOTS;

    if (place < 0)
        place += REGION_BAND_SLOTS;
    if (a->slots[band][place].slot < minute) {
        a->slots[band][place].slot = minute;
        a->slots[band][place].us = 0;
    }
    a->slots[band][place].us += us;
}

bool region_band_take(const struct region *r, struct band_account *a, uint32_t freq_hz,
                      int64_t now_us, int64_t us)
{
    int64_t minute = now_us / MINUTE_US;

    if (!r->bands)
        return true;

    int band = band_of(r, freq_hz);
    if (band < 0 || us > limit_us(r, band) - used_us(a, band, minute))
        return false;
    book(a, band, minute, us);
    return true;
}

double region_band_used(const struct region *r, const struct band_account *a, uint32_t freq_hz,
                        int64_t now_us)
{
    int band = r->bands ? band_of(r, freq_hz) : -1;

    if (band < 0)
        return NAN;
    return (double)used_us(a, band, now_us / MINUTE_US) / (double)limit_us(r, band);
}
