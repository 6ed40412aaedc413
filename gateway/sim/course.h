/* SPDX-License-Identifier: Apache-2.0 */
/*
 * course - how each quantity usually goes through a day at a station by a river in a town:
 * level, daily swing, noise, what it is driven by, and how high it climbs in an episode.
 * Constant data.
 */
#pragma once

enum course_shape {
    COURSE_DAY,       /* a cosine with its maximum at peak_hour */
    COURSE_SUN,       /* half a sine from 6 to 18 h, swing high */
    COURSE_DIRECTION, /* wanders round the compass */
    COURSE_RAIN,      /* showers: intensity, swing high */
    COURSE_RAIN_SUM   /* the counter of the same showers */
};

/* What several quantities share, so that they move together or against each other. */
enum course_driver {
    DRIVER_NONE,
    DRIVER_WEATHER, /* warm, dry, clear */
    DRIVER_AIR,     /* still air that lets dust gather */
    DRIVER_TRAFFIC,
    DRIVER_RIVER, /* more water */
    DRIVER_COUNT_
};

struct course {
    const char *quantity;
    double base, swing, noise; /* canonical unit; noise is a standard deviation */
    double peak_hour;          /* local time */
    enum course_driver driver;
    double coupling; /* share of the driver in the noise, -1..1 */
    double episode;  /* level of an episode, canonical unit; 0: has none */
    enum course_shape shape;
};

/* NULL when nothing is known of this quantity. */
const struct course *course_find(const char *quantity);
