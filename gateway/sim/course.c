/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/course.h"

#include <stddef.h>
#include <string.h>

/* clang-format off */
static const struct course courses[] = {
    /* quantity              base   swing  noise  peak  driver          coupling  episode */
    { "ozone",                 70,     40,     4,   15, DRIVER_WEATHER,   0.6,   260, COURSE_DAY },
    { "nitrogen_dioxide",      35,     12,     3,    8, DRIVER_TRAFFIC,   0.6,   280, COURSE_DAY },
    { "nitric_oxide",          12,      7,   1.5,    8, DRIVER_TRAFFIC,   0.7,   150, COURSE_DAY },
    { "nitrogen_oxides",       53,     20,     4,    8, DRIVER_TRAFFIC,   0.7,   480, COURSE_DAY },
    { "sulfur_dioxide",         9,      3,   0.8,   10, DRIVER_AIR,       0.4,   620, COURSE_DAY },
    { "carbon_monoxide",      0.6,    0.2,  0.05,    8, DRIVER_TRAFFIC,   0.6,    14, COURSE_DAY },
    { "hydrogen_sulfide",       2,    0.6,   0.2,    5, DRIVER_AIR,       0.4,    60, COURSE_DAY },
    { "total_reduced_sulfur",   2,    0.6,   0.2,    5, DRIVER_AIR,       0.4,    50, COURSE_DAY },
    { "ammonia",                8,      2,   0.5,   13, DRIVER_AIR,       0.4,   250, COURSE_DAY },
    { "carbon_dioxide",       430,     20,     4,    5, DRIVER_AIR,       0.5,  1500, COURSE_DAY },
    { "tvoc",                 120,     40,    10,    9, DRIVER_TRAFFIC,   0.5,  2000, COURSE_DAY },
    { "formaldehyde",           9,      3,     1,   14, DRIVER_WEATHER,   0.4,   120, COURSE_DAY },
    { "pm1",                   16,      5,   1.4,   22, DRIVER_AIR,       0.8,   120, COURSE_DAY },
    { "pm2_5",                 28,      9,   2.4,   22, DRIVER_AIR,       0.8,   190, COURSE_DAY },
    { "pm10",                  48,     15,     4,   22, DRIVER_AIR,       0.8,   340, COURSE_DAY },
    { "tsp",                   80,     24,     7,   22, DRIVER_AIR,       0.8,   560, COURSE_DAY },
    { "particles_n",         4000,   1500,   400,   22, DRIVER_AIR,       0.8, 30000, COURSE_DAY },
    { "black_carbon",         1.6,    0.6,   0.2,    8, DRIVER_TRAFFIC,   0.7,    18, COURSE_DAY },

    { "air_temp",              17,      6,   0.3,   15, DRIVER_WEATHER,   0.8,     0, COURSE_DAY },
    { "dew_point",             10,      1,   0.2,   10, DRIVER_WEATHER,  -0.3,     0, COURSE_DAY },
    { "wet_bulb",              13,      3,   0.2,   15, DRIVER_WEATHER,   0.5,     0, COURSE_DAY },
    { "rh",                    64,     18,   1.6,    4, DRIVER_WEATHER,  -0.8,     0, COURSE_DAY },
    { "abs_humidity",           9,    0.8,   0.2,   10, DRIVER_WEATHER,  -0.3,     0, COURSE_DAY },
    { "press",               1011,      1,   0.2,   10, DRIVER_NONE,        0,     0, COURSE_DAY },
    { "press_sea",           1014,      1,   0.2,   10, DRIVER_NONE,        0,     0, COURSE_DAY },
    { "wind_speed",             3,    1.2,   0.6,   14, DRIVER_AIR,      -0.5,     0, COURSE_DAY },
    { "wind_gust",              6,      2,   1.1,   14, DRIVER_AIR,      -0.5,     0, COURSE_DAY },
    { "wind_dir",             135,     40,    25,   15, DRIVER_NONE,        0,     0, COURSE_DIRECTION },
    { "wind_gust_dir",        135,     40,    30,   15, DRIVER_NONE,        0,     0, COURSE_DIRECTION },
    { "precip",                 0,      9,     0,    0, DRIVER_NONE,        0,     0, COURSE_RAIN_SUM },
    { "precip_intensity",       0,      9,     0,    0, DRIVER_NONE,        0,     0, COURSE_RAIN },
    { "irradiance",             0,    760,   1.5,   12, DRIVER_WEATHER,   0.9,     0, COURSE_SUN },
    { "irradiance_lw",        330,     25,     3,   16, DRIVER_WEATHER,  -0.4,     0, COURSE_DAY },
    { "uv_index",               0,      7,  0.02,   12, DRIVER_WEATHER,   0.9,     0, COURSE_SUN },
    { "illuminance",            0,  82000,     5,   12, DRIVER_WEATHER,   0.9,     0, COURSE_SUN },
    { "visibility",         12000,   3000,   400,   15, DRIVER_AIR,      -0.8,     0, COURSE_DAY },

    { "water_temp",            16,    0.8,  0.03,   17, DRIVER_WEATHER,   0.5,     0, COURSE_DAY },
    { "ph",                   7.6,   0.25,  0.02,   16, DRIVER_RIVER,     0.5,   4.9, COURSE_DAY },
    { "dissolved_oxygen",     8.4,    1.2,  0.05,   16, DRIVER_RIVER,     0.5,   1.5, COURSE_DAY },
    { "dissolved_oxygen_sat",  88,     12,   0.7,   16, DRIVER_RIVER,     0.5,    16, COURSE_DAY },
    { "conductivity",         420,     15,     2,    6, DRIVER_RIVER,    -0.6,  1800, COURSE_DAY },
    { "turbidity",             12,      2,   0.6,    3, DRIVER_RIVER,     0.7,   260, COURSE_DAY },
    { "turbidity_fnu",         12,      2,   0.6,    3, DRIVER_RIVER,     0.7,   260, COURSE_DAY },
    { "orp",                  210,     15,     2,   15, DRIVER_RIVER,     0.3,   -80, COURSE_DAY },
    { "salinity",             0.2,   0.01, 0.002,    6, DRIVER_RIVER,    -0.6,     0, COURSE_DAY },
    { "tds",                  270,     10,   1.5,    6, DRIVER_RIVER,    -0.6,  1200, COURSE_DAY },
    { "suspended_solids",      14,      2,   0.7,    3, DRIVER_RIVER,     0.7,   300, COURSE_DAY },
    { "cod",                   14,    1.5,   0.3,   20, DRIVER_RIVER,    -0.3,    55, COURSE_DAY },
    { "codmn",                3.6,    0.3,  0.07,   20, DRIVER_RIVER,    -0.3,    18, COURSE_DAY },
    { "toc",                  4.2,    0.4,  0.08,   20, DRIVER_RIVER,    -0.3,    22, COURSE_DAY },
    { "uv254",                 18,      2,   0.4,   20, DRIVER_RIVER,    -0.3,    90, COURSE_DAY },
    { "ammonia_nitrogen",    0.35,   0.08,  0.02,   20, DRIVER_RIVER,    -0.3,   3.2, COURSE_DAY },
    { "nitrate_nitrogen",     2.4,    0.2,  0.04,   20, DRIVER_RIVER,    -0.3,    14, COURSE_DAY },
    { "total_nitrogen",       3.1,    0.2,  0.05,   20, DRIVER_RIVER,    -0.3,    16, COURSE_DAY },
    { "total_phosphorus",    0.09,   0.01, 0.003,   20, DRIVER_RIVER,    -0.3,   0.6, COURSE_DAY },
    { "chlorophyll_a",          6,    1.5,   0.3,   15, DRIVER_WEATHER,   0.4,    80, COURSE_DAY },
    { "water_level",          2.4,   0.05, 0.004,    4, DRIVER_RIVER,     0.8,   5.6, COURSE_DAY },
    { "water_flow",            38,      2,   0.4,    4, DRIVER_RIVER,     0.8,   160, COURSE_DAY },
    { "water_velocity",       0.8,   0.05,  0.02,    4, DRIVER_RIVER,     0.8,   2.6, COURSE_DAY },

    { "soil_temp",             15,    2.5,  0.05,   17, DRIVER_WEATHER,   0.5,     0, COURSE_DAY },
    { "soil_moisture",         27,    0.8,   0.1,    7, DRIVER_WEATHER,  -0.5,     0, COURSE_DAY },
    { "soil_ec",              350,      8,   2.5,   15, DRIVER_NONE,        0,  2600, COURSE_DAY },
    { "soil_ph",              6.7,   0.02,  0.02,   12, DRIVER_NONE,        0,     0, COURSE_DAY },
    { "soil_salinity",        180,      4,   1.5,   15, DRIVER_NONE,        0,  1500, COURSE_DAY },
    { "soil_nitrogen",         46,      1,   0.8,   12, DRIVER_NONE,        0,     0, COURSE_DAY },
    { "soil_phosphorus",       22,      1,   0.8,   12, DRIVER_NONE,        0,     0, COURSE_DAY },
    { "soil_potassium",       110,      2,     1,   12, DRIVER_NONE,        0,     0, COURSE_DAY },

    { "sound_level",           54,      6,     2,   14, DRIVER_TRAFFIC,   0.6,    88, COURSE_DAY },
    { "laeq",                  54,      6,   1.6,   14, DRIVER_TRAFFIC,   0.6,    86, COURSE_DAY },
    { "la_max",                66,      6,   2.5,   14, DRIVER_TRAFFIC,   0.6,    98, COURSE_DAY },
    { "la_min",                44,      5,   1.2,   14, DRIVER_TRAFFIC,   0.6,    70, COURSE_DAY },

    { "dose_rate_air",         82,    2.5,   1.8,    5, DRIVER_NONE,        0,   460, COURSE_DAY },
    { "dose_rate_h10",         98,      3,   2.2,    5, DRIVER_NONE,        0,   560, COURSE_DAY },
    { "count_rate",            24,      1,   4.5,    5, DRIVER_NONE,        0,   170, COURSE_DAY },
    { "radon",                 14,      6,     2,    6, DRIVER_AIR,       0.5,   220, COURSE_DAY },

    { "battery",             12.8,    0.3,  0.02,   13, DRIVER_WEATHER,   0.4,     0, COURSE_DAY },
    { "supply_voltage",       224,      3,   0.7,    3, DRIVER_NONE,        0,     0, COURSE_DAY },
    { "cabin_temp",            24,    1.5,   0.1,   16, DRIVER_WEATHER,   0.4,     0, COURSE_DAY },
    { "cabin_rh",              45,      5,   0.5,    5, DRIVER_WEATHER,  -0.4,     0, COURSE_DAY },
    { "sample_flow",          0.8,      0, 0.004,    0, DRIVER_NONE,        0,     0, COURSE_DAY },
    { "sample_temp",           28,      1,   0.1,   15, DRIVER_WEATHER,   0.4,     0, COURSE_DAY },
    { "sample_press",        1002,      1,   0.3,   10, DRIVER_NONE,        0,     0, COURSE_DAY },
};
/* clang-format on */

const struct course *course_find(const char *quantity)
{
    for (size_t i = 0; i < sizeof courses / sizeof courses[0]; i++) {
        if (strcmp(courses[i].quantity, quantity) == 0)
            return &courses[i];
    }
    return NULL;
}
