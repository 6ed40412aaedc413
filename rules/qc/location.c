/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/platform.h"

#define DEGREE       0.017453292519943295
#define EARTH_RADIUS 6371000.0 /* of the sphere, metres */

/* The ellipsoid of WGS 84. */
#define WGS84_A 6378137.0
#define WGS84_F (1 / 298.257223563)

/* Vincenty's iteration does not settle for points nearly opposite each other. */
enum { ROUNDS_MAX = 200 };
#define SETTLED 1e-13

static double haversine(struct qc_place a, struct qc_place b)
{
    const double v = sin((b.lat - a.lat) * DEGREE / 2), u = sin((b.lon - a.lon) * DEGREE / 2);
    const double h = v * v + cos(a.lat * DEGREE) * cos(b.lat * DEGREE) * u * u;

    return 2 * EARTH_RADIUS * atan2(sqrt(h), sqrt(1 - h));
}

struct arc { /* between two points of the auxiliary sphere */
    double sigma, sin_sigma, cos_sigma, cos2_alpha, sin_alpha, cos_2m;
};

static struct arc arc_of(double u1, double u2, double lambda)
{
    const double across = cos(u2) * sin(lambda);
    const double along = cos(u1) * sin(u2) - sin(u1) * cos(u2) * cos(lambda);
    struct arc a = { .sin_sigma = sqrt(across * across + along * along),
                     .cos_sigma = sin(u1) * sin(u2) + cos(u1) * cos(u2) * cos(lambda) };

    a.sigma = atan2(a.sin_sigma, a.cos_sigma);
    a.sin_alpha = a.sin_sigma > 0 ? cos(u1) * cos(u2) * sin(lambda) / a.sin_sigma : 0;
    a.cos2_alpha = 1 - a.sin_alpha * a.sin_alpha;
    a.cos_2m =
        a.cos2_alpha > 0 ? a.cos_sigma - 2 * sin(u1) * sin(u2) / a.cos2_alpha : 0; /* equator */
    return a;
}

static double next_lambda(const struct arc *a, double l)
{
    const double c = WGS84_F / 16 * a->cos2_alpha * (4 + WGS84_F * (4 - 3 * a->cos2_alpha));
    const double inner = a->cos_2m + c * a->cos_sigma * (2 * a->cos_2m * a->cos_2m - 1);

    return l + (1 - c) * WGS84_F * a->sin_alpha * (a->sigma + c * a->sin_sigma * inner);
}

static double length_of(const struct arc *a)
{
    const double b = WGS84_A * (1 - WGS84_F);
    const double u2 = a->cos2_alpha * (WGS84_A * WGS84_A - b * b) / (b * b);
    const double big_a = 1 + u2 / 16384 * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)));
    const double big_b = u2 / 1024 * (256 + u2 * (-128 + u2 * (74 - 47 * u2)));
    const double m = a->cos_2m, s = a->sin_sigma;
    const double turn =
        a->cos_sigma * (2 * m * m - 1) - big_b / 6 * m * (4 * s * s - 3) * (4 * m * m - 3);

    return b * big_a * (a->sigma - big_b * s * (m + big_b / 4 * turn));
}

static bool is_pole(struct qc_place p)
{
    return fabs(p.lat) == 90;
}

/* Vincenty's inverse formula: within 0.1 mm. A pole has every longitude. */
static double geodesic(struct qc_place p, struct qc_place q)
{
    const double u1 = atan((1 - WGS84_F) * tan(p.lat * DEGREE));
    const double u2 = atan((1 - WGS84_F) * tan(q.lat * DEGREE));
    const double l = is_pole(p) || is_pole(q) ? 0 : remainder(q.lon - p.lon, 360) * DEGREE;
    double lambda = l;

    for (int i = 0; i < ROUNDS_MAX; i++) {
        const struct arc a = arc_of(u1, u2, lambda);
        const double next = next_lambda(&a, l);
        if (fabs(next - lambda) < SETTLED)
            return length_of(&a);
        lambda = next;
    }
    return haversine(p, q);
}

double qc_distance(enum qc_distance how, struct qc_place a, struct qc_place b)
{
    if (!isfinite(a.lon + a.lat + b.lon + b.lat))
        return NAN;
    if (how == QC_HAVERSINE)
        return haversine(a, b);
    return fabs(a.lat) > 90 || fabs(b.lat) > 90 ? NAN : geodesic(a, b);
}

enum qc_flag qc_location_check(enum qc_distance how, double range_max, struct qc_place before,
                               struct qc_place p)
{
    const bool has_lon = isfinite(p.lon), has_lat = isfinite(p.lat);

    if (has_lon != has_lat)
        return QC_FAIL;
    if (!has_lon)
        return QC_MISSING;
    if (fabs(p.lat) > 90 || fabs(p.lon) > 180)
        return QC_FAIL;
    return qc_distance(how, before, p) > range_max ? QC_SUSPECT : QC_GOOD;
}

static bool is_on_edge(struct qc_place a, struct qc_place b, struct qc_place p)
{
    const double cross = (b.lon - a.lon) * (p.lat - a.lat) - (b.lat - a.lat) * (p.lon - a.lon);

    return cross == 0 && p.lon >= fmin(a.lon, b.lon) && p.lon <= fmax(a.lon, b.lon) &&
           p.lat >= fmin(a.lat, b.lat) && p.lat <= fmax(a.lat, b.lat);
}

/* A ray to the east crosses the outline an odd number of times. */
bool qc_is_inside(const struct qc_place *corner, size_t n, struct qc_place p)
{
    bool is_in = false;

    for (size_t i = 0; i < n; i++) {
        const struct qc_place a = corner[i], b = corner[(i + 1) % n];
        if (is_on_edge(a, b, p))
            return false;
        if ((a.lat > p.lat) != (b.lat > p.lat) &&
            p.lon < (b.lon - a.lon) * (p.lat - a.lat) / (b.lat - a.lat) + a.lon)
            is_in = !is_in;
    }
    return is_in;
}

enum qc_flag qc_bounds_check(const struct qc_place *corner, size_t n, bool fails_inside,
                             struct qc_place p)
{
    if (!isfinite(p.lon) || !isfinite(p.lat))
        return QC_MISSING;
    return qc_is_inside(corner, n, p) == fails_inside ? QC_FAIL : QC_GOOD;
}

enum qc_flag qc_speed_step(const struct qc_speed *c, struct qc_speed_state *st, int64_t time_ms,
                           struct qc_place p)
{
    const struct qc_speed_state before = *st;

    *st = (struct qc_speed_state){ p, time_ms, true };
    if (!before.has_last)
        return QC_NOT_EVALUATED;
    const double metres = qc_distance(QC_WGS84, before.last, p);
    if (isnan(metres))
        return QC_MISSING;
    if (time_ms == QC_NO_TIME || before.last_ms == QC_NO_TIME)
        return QC_GOOD;
    const int64_t seconds = (time_ms - before.last_ms) / 1000;
    const double speed = fabs(metres / (seconds ? (double)seconds : 1));
    return speed > c->fail ? QC_FAIL : speed > c->suspect ? QC_SUSPECT : QC_GOOD;
}
