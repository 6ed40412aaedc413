/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control limits and intervals by quantity. Sources:
 *   F  facts/quality-control section 6, "limits to start with": shares of the US one-point
 *      checks, acoustic, pH, conductivity, oxygen saturation.
 *   E  zero: 5 ppb, carbon monoxide 0.6 ppm, within 14 days; every 14 days: US validation
 *      templates and 40 CFR 58 appendix A, from memory. 1 ppb = molar mass / 24.465 ug/m3.
 *   O  own estimate.
 * The texts of HJ 818, HJ 193 and HJ 355 were not at hand; a station that works by them sets
 * its limits and intervals itself.
 */
#include "rules/calibration/calibration.h"

#include <math.h>
#include <string.h>

#define PPB(molar_mass) (5 * (molar_mass) / 24.465)

enum { DAY_MS = 24 * 3600 * 1000 };

static const struct {
    const char *quantity;
    double zero_fail, fail, share_fail;
    int days;
} table[] = {
    { "ozone", PPB(48.00), NAN, 0.07, 14 },                     /* E, F */
    { "nitrogen_dioxide", PPB(46.01), NAN, 0.15, 14 },          /* E, F */
    { "nitric_oxide", PPB(30.01), NAN, 0.15, 14 },              /* as nitrogen dioxide */
    { "nitrogen_oxides", PPB(46.01), NAN, 0.15, 14 },           /* as nitrogen dioxide */
    { "sulfur_dioxide", PPB(64.06), NAN, 0.10, 14 },            /* E, F */
    { "carbon_monoxide", 0.6 * 28.01 / 24.465, NAN, 0.10, 14 }, /* E, F; mg/m3 */
    { "ph", NAN, 0.1, NAN, 30 },                                /* F; interval O */
    { "conductivity", 10, NAN, 0.05, 30 },      /* F; zero (air) and interval O */
    { "dissolved_oxygen_sat", 5, 5, NAN, 30 },  /* F; interval O */
    { "dissolved_oxygen", 0.5, NAN, 0.05, 30 }, /* F as a share; zero and interval O */
    { "sound_level", NAN, 0.5, NAN, 30 },       /* F; interval O */
    { "laeq", NAN, 0.5, NAN, 30 },              /* as sound_level */
    { "lceq", NAN, 0.5, NAN, 30 },              /* at 1 kHz all weightings are 0 dB */
    { "lzeq", NAN, 0.5, NAN, 30 },
};

/* As the two lines of a control chart: 2 and 3 standard deviations. */
#define WARN_SHARE (2.0 / 3)

bool calibration_default(const struct quantity *q, struct calibration_limits *ret,
                         int64_t *ret_every_ms)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].quantity, q->id) != 0)
            continue;
        *ret = (struct calibration_limits){
            .zero_warn = table[i].zero_fail * WARN_SHARE,
            .zero_fail = table[i].zero_fail,
            .warn = table[i].fail * WARN_SHARE,
            .fail = table[i].fail,
            .share_warn = table[i].share_fail * WARN_SHARE,
            .share_fail = table[i].share_fail,
        };
        *ret_every_ms = (int64_t)table[i].days * DAY_MS;
        return true;
    }
    *ret = (struct calibration_limits){ NAN, NAN, NAN, NAN, NAN, NAN };
    *ret_every_ms = 0;
    return false;
}

static bool is_crossed(double warn, double fail)
{
    return warn > fail || warn < 0 || fail < 0;
}

const char *calibration_limits_error(const struct calibration_limits *l)
{
    if (is_crossed(l->zero_warn, l->zero_fail) || is_crossed(l->warn, l->fail) ||
        is_crossed(l->share_warn, l->share_fail))
        return "The limit of a warning cannot be above that of a failure, and none below 0.";
    return NULL;
}
