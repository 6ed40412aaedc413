/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform - the QARTOD and Argo tests that are about where an instrument is, what a cast
 * through the water looks like and how a message is written. The chain of a fixed station does
 * not need them; those who carry a sensor about do. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/qc/flag.h"

struct qc_place { /* degrees; NaN: missing */
    double lon, lat;
};

enum qc_distance { QC_HAVERSINE, QC_WGS84 };

/* Metres; NaN when a coordinate is missing, or beyond a pole of the ellipsoid. */
double qc_distance(enum qc_distance how, struct qc_place a, struct qc_place b);

/* On the globe at all, and no further than range_max metres (NaN: not tested) from `before`
 * (NaN for the first). */
enum qc_flag qc_location_check(enum qc_distance how, double range_max, struct qc_place before,
                               struct qc_place p);

/* Inside the polygon of n corners; one on an edge is not. */
bool qc_is_inside(const struct qc_place *corner, size_t n, struct qc_place p);
enum qc_flag qc_bounds_check(const struct qc_place *corner, size_t n, bool fails_inside,
                             struct qc_place p);

struct qc_speed { /* metres a second, along the ellipsoid */
    double suspect, fail;
};

struct qc_speed_state {
    struct qc_place last;
    int64_t last_ms;
    bool has_last;
};

/* Whole seconds count, as in ioos_qc. */
enum qc_flag qc_speed_step(const struct qc_speed *c, struct qc_speed_state *st, int64_t time_ms,
                           struct qc_place p);

struct qc_density { /* both flagged when density grows by less on the way down */
    double suspect, fail;
};

struct qc_density_state {
    double x, depth;
    uint8_t flag; /* enum qc_flag of the sample before, so far */
    bool is_missing;
    unsigned n;
};

/* Takes a sample and gives the final flag of the one before; QC_NONE for the first. */
enum qc_flag qc_density_step(const struct qc_density *c, struct qc_density_state *st, double x,
                             double depth);
enum qc_flag qc_density_end(const struct qc_density_state *st);

/* +1 or -1: which way a cast goes as a whole. */
int qc_cast_direction(const double *x, size_t n);
/* Suspect where it stands still or turns. `before` is NaN for the first. */
enum qc_flag qc_cast_check(int direction, double before, double x);

enum qc_syntax { QC_CHARACTERS, QC_BYTES /* pairs of hexadecimal digits */ };

/* A delimiter that is not NULL or "": its fields are counted instead. */
enum qc_flag qc_syntax_check(enum qc_syntax how, double expected, const char *delimiter,
                             const char *text);

/* Of values in rising order, 0..100, linear between two of them; NaN without any. */
double qc_percentile(const double *sorted, size_t n, double percent);
