/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/poll/jitter.h"

#include <math.h>

static void note(struct jitter_sum *s, int64_t us)
{
    int64_t off_us = us < 0 ? -us : us;

    s->n++;
    s->sum_us += (double)us;
    s->square_us += (double)us * (double)us;
    if (off_us > s->max_us)
        s->max_us = off_us;
}

void jitter_note_slot(struct jitter *j, int64_t late_us)
{
    note(&j->slot, late_us);
}

void jitter_note_interval(struct jitter *j, int64_t longer_us)
{
    note(&j->interval, longer_us);
}

static double mean_of(const struct jitter_sum *s)
{
    return s->n ? s->sum_us / (double)s->n : 0;
}

static double deviation_of(const struct jitter_sum *s)
{
    double mean = mean_of(s), variance = s->n ? s->square_us / (double)s->n - mean * mean : 0;

    return variance > 0 ? sqrt(variance) : 0;
}

void jitter_get(const struct jitter *j, struct poll_jitter *ret)
{
    *ret = (struct poll_jitter){
        .mean_us = mean_of(&j->slot),
        .deviation_us = deviation_of(&j->slot),
        .max_us = j->slot.max_us,
        .interval_deviation_us = deviation_of(&j->interval),
        .interval_max_us = j->interval.max_us,
    };
}
