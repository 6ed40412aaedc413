/* SPDX-License-Identifier: Apache-2.0 */
/* What the watch over water is tuned with, and what it knows of each quantity. */
#include <string.h>

#include "rules/watch/water.h"

/* Source, where none is named: own measurement on the alert benchmark and on generated series
 * of other sites; what + or - 20 % of each does: docs/watching.md. Counts are samples; "rooms"
 * are shares of the distance from the baseline to the nearest limit. */
const struct water_figures water_figures = {
    .known = 12,  /* samples that make a baseline */
    .enough = 48, /* samples before anything but the limit itself raises an alarm */

    .sudden_ms = 900000, /* a change within a quarter of an hour is sudden: a spill arrives so */
    .sudden = 4,         /* and within so many samples, where they come more rarely */
    .slow_step_ms = 300000, /* from 5 min on, each sample counts for more */
    .on = 3,                /* samples in a row that make an event; twice as many end it */
    .on_fast = 4,           /* the same below 5 min */

    .away = 0.3, /* rooms from the baseline: nothing that a day's course does */

    /* a sudden change, well below the limit */
    .change = 0.4,       /* rooms from what was shortly before. Smaller pulses are not promised;
                            0.48 misses more of them, 0.32 takes faults for events */
    .change_usual = 2,   /* times the change that this site makes without an event */
    .change_day = 0.7,   /* of that, from the baseline, too: the way back is no event */

    /* a departure from the baseline that was not sudden: oxygen that sags */
    .departure = 0.6,       /* rooms from the baseline, and from that of some days ago */
    .departure_usual = 1.5, /* times the distance that this site's day has */
    .departure_local = 0.1, /* rooms from what was shortly before: it is still going on */

    .usual = 0.97, /* the quantile that is "usual" */
    .steady = 0.35, /* of the displacement: a larger step back is no event that builds up */
    .doubtful = 3,  /* samples more that an event takes where values have been scattering */
    .clear = 0.2, /* of the way from baseline to limit: the event is over. Half of what a change
                     takes, so that an event that dies away is one event */
    .clear_inside = 0.1, /* rooms inside the limit: the same where no baseline is known */

    /* over the limit, yet nothing happened: the baseline itself has crept there */
    .slow_share = 0.5,  /* of the way since some days ago must be of today */
    .slow_local = 0.35, /* or so much of the room was made in a quarter of an hour */
    .slow_hold = 24,    /* samples that the notice of it stands */

    .undecided = 60, /* samples behind which a change that raised no alarm is the new normal */
    .ageing = 384,   /* samples, 4 days of quarter hours: an event inside the limit ends */

    .quiet = 0.01, /* rooms from sample to sample: settled behind a gap */
    .calm = 2,     /* times the usual step: the same */
    .jump = 0.08,  /* rooms: smaller moves are no scatter */

    .garbage_off = 12,       /* samples without an impossible value that end the notice */
    .after_calibration = 2,  /* samples not believed behind an announced calibration */
    .recognised = 2,         /* samples on a standard that tell a calibration */
    .in_solution = 16,       /* samples of one at most: 4 h of quarter hours */
    .off_solution = 3,       /* samples off every standard that end it */
    .repeats_away = 6,       /* equal samples away from the baseline: stuck, ... */
    .repeats_away_most = 24, /* ... or frozen.times the longest run of before, at most so many: a
                                coarse instrument repeats itself in an event, too */
    .small_step = 3.5,       /* steps of the instrument: a run of equal values went on */
    .bottom_from = 0.1,    /* of the range: from above, the value does not drop to its bottom */

    .gap = {
        .gap = 3,      /* missed in a row: it delivers no data */
        .longest = 15, /* held off behind it at most: a sensor wets and warms up */
        .calm = 3,     /* calm steps in a row that end it sooner */
    },
    .frozen = {
        .chance = 1e-9, /* once in a thousand million samples: never */
        .least = 16,    /* equal samples, however lively the water is */
        .most = 1100,   /* 11 days of quarter hours, however still it is */
        .times = 1.5,   /* of the longest run that went on by itself */
        .memory = 0.99, /* half is forgotten in 70 pairs of samples */
        .fade = 0.999, /* half is forgotten in 700 runs: one odd run does not count for ever */
        .share_start = 0.7, /* of the samples repeat the one before, until it is known better */
        .share_min = 0.05,
        .share_max = 0.98,
    },
    .scatter = {
        .usual = 0.9,  /* the quantile of the steps that is the usual one */
        .times = 6,    /* of it: a large move */
        .share = 0.25, /* of the distance from the baseline: noise of a plateau stays below */
        .turns = 2,    /* large moves that turn back ... */
        .of = 12,      /* ... in so many samples */
    },
    .creep = {
        .window = WATER_DAY,
        .rate = 0.05, /* rooms a day that the baseline of some days ago follows */
        .step = 0.08, /* rooms that the median moves a day, two days running: a drift */
        .sum = 0.3,   /* rooms of both days together */
        .even = 3,    /* the larger to the smaller: a sensor drifts evenly, weather does not */
    },
};

/* Standards: what field instruments are calibrated with. Buffers of pH: GB/T 27501-2011 (4.00,
 * 6.86, 9.18) and those of the trade (7.00, 10.01), at 25 °C. Conductivity: 0.01 mol/L KCl,
 * 1413 uS/cm at 25 °C (ISO 7888), and air. Turbidity: clear water and 100 of formazin (ISO
 * 7027-1). Oxygen: zero solution, and water in equilibrium with air at 20 °C and sea
 * level, 9.09 mg/L (ISO 5814). Redox: a shorted input and 476 mV, of the trade (Ag/AgCl, 25 °C;
 * makers differ, no primary source seen). Tolerances: 0.8 % of the largest standard, own
 * measurement; pH 0.035 for temperature and dilution of the buffer. */
static const struct water_quantity quantities_of_water[] = {
    { "ph", { 4.0, 6.86, 7.0, 9.18, 10.01 }, 5, 0.035, WATER_BOTTOM_NEVER },
    { "conductivity", { 0, 1413 }, 2, 11.3, WATER_BOTTOM_NEVER },
    { "dissolved_oxygen", { 0, 9.09 }, 2, 0.0727, WATER_BOTTOM_GRADUAL },
    { "turbidity", { 0, 100 }, 2, 0.8, WATER_BOTTOM_REAL },
    { "turbidity_fnu", { 0, 100 }, 2, 0.8, WATER_BOTTOM_REAL },
    { "orp", { 0, 476 }, 2, 3.81, WATER_BOTTOM_NEVER },
    { NULL, { 0 }, 0, 0, WATER_BOTTOM_REAL },
};

enum { ROWS = sizeof quantities_of_water / sizeof quantities_of_water[0] };

size_t water_quantity_row(const struct quantity *q)
{
    size_t row = 0;

    while (row < ROWS - 1 && !(q && strcmp(q->id, quantities_of_water[row].id) == 0))
        row++;
    return row;
}

const struct water_quantity *water_quantity_at(size_t row)
{
    return &quantities_of_water[row < ROWS ? row : ROWS - 1];
}
