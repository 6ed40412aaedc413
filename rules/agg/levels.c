/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/agg/levels.h"

#include <math.h>
#include <string.h>

#define NIGHT_PENALTY 10 /* dB */

/* Shares of a count within this are whole: 0.9 x 10 places. */
#define PLACE_NOISE 1e-9

int levels_bin(double level)
{
    const double tenths = round(level * 10);

    if (tenths <= LEVELS_LOW)
        return 0;
    return tenths >= LEVELS_HIGH ? LEVELS_BINS - 1 : (int)tenths - LEVELS_LOW;
}

void levels_put(struct levels_histogram *h, double level)
{
    if (isnan(level) || h->n == UINT32_MAX)
        return;
    h->n++;
    h->count[levels_bin(level)]++;
}

void levels_add(struct levels_histogram *h, const uint16_t count[LEVELS_BINS])
{
    for (int i = 0; i < LEVELS_BINS; i++) {
        h->count[i] += count[i];
        h->n += count[i];
    }
}

/* The place in falling order, from 1. */
static size_t place_of(size_t n, double percent)
{
    const double place = ceil((double)n * percent / 100 - PLACE_NOISE);

    return place < 1 ? 1 : place > (double)n ? n : (size_t)place;
}

double levels_exceeded(const struct levels_histogram *h, double percent)
{
    const size_t place = place_of(h->n, percent);
    size_t above = 0;

    for (int i = LEVELS_BINS - 1; h->n > 0 && i >= 0; i--) {
        above += h->count[i];
        if (above >= place)
            return (LEVELS_LOW + i) / 10.0;
    }
    return NAN;
}

double levels_exceeded_of(const double *rising, size_t n, double percent)
{
    return n > 0 ? rising[n - place_of(n, percent)] : NAN;
}

/* An hour of the day, with or without ":00"; NULL: none. */
static const char *read_hour(const char *text, int *ret)
{
    int hour = 0, digits = 0;

    for (; *text >= '0' && *text <= '9' && digits < 3; text++, digits++)
        hour = hour * 10 + (*text - '0');
    if (digits < 1 || digits > 2 || hour > 24)
        return NULL;
    if (*text == ':') {
        if (strncmp(text, ":00", 3) != 0)
            return NULL;
        text += 3;
    }
    *ret = hour % 24;
    return text;
}

bool levels_night_parse(const char *text, struct levels_night *ret)
{
    struct levels_night n;
    const char *at = read_hour(text, &n.begin);

    if (!at || *at != '-')
        return false;
    at = read_hour(at + 1, &n.end);
    if (!at || *at != '\0' || n.begin == n.end)
        return false;
    *ret = n;
    return true;
}

bool levels_is_night(struct levels_night night, int hour)
{
    if (night.begin <= night.end)
        return hour >= night.begin && hour < night.end;
    return hour >= night.begin || hour < night.end;
}

int levels_night_hours(struct levels_night night)
{
    const int n = night.end - night.begin;

    return n < 0 ? n + 24 : n;
}

double levels_day_night(double day, double day_hours, double night, double night_hours)
{
    const double energy =
        day_hours * pow(10, day / 10) + night_hours * pow(10, (night + NIGHT_PENALTY) / 10);

    return 10 * log10(energy / (day_hours + night_hours));
}

double levels_exposure(double leq, double seconds)
{
    return leq + 10 * log10(seconds);
}
