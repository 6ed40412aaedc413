/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/core/unit.h"

#include <errno.h>
#include <string.h>

#include "sensors/core/words.h"

/* Litres that a mole of gas takes at 298.15 K and 1013.25 hPa: ug/m3 per ppb is M over it. */
#define MOLAR_VOLUME   24.465

#define MASS_IN_AIR    "mass concentration in air"
#define SHARE_OF_GAS   "share by volume"
#define MASS_IN_WATER  "mass concentration in water"
#define SUBSTANCE      "substance concentration"
#define MASS_SHARE     "mass share"
#define TEMPERATURE    "temperature"
#define SHARE          "share"
#define PRESSURE       "pressure"
#define SPEED          "speed"
#define ANGLE          "angle"
#define LENGTH         "length"
#define RAIN_RATE      "rain rate"
#define IRRADIANCE     "irradiance"
#define ILLUMINANCE    "illuminance"
#define LEVEL          "level"
#define ACIDITY        "pH"
#define CONDUCTIVITY   "conductivity"
#define RESISTIVITY    "resistivity"
#define VOLTAGE        "voltage"
#define CURRENT        "current"
#define DOSE_RATE      "dose rate"
#define DOSE_EQUIV     "dose equivalent rate"
#define COUNT_RATE     "count rate"
#define ACTIVITY_WATER "activity in water"
#define ACTIVITY_AIR   "activity in air"
#define ACTIVITY_MASS  "activity by mass"
#define FLOW           "flow"
#define VOLUME         "volume"
#define TIME           "time"
#define FREQUENCY      "frequency"
#define NUMBER_DENSITY "number concentration"
#define ABSORBANCE     "absorbance"
#define DEPOSITION     "deposition"
#define NUMBER         "number"

/* clang-format off */
const struct unit units[] = {
    { "ug/m3", "µg/m³", MASS_IN_AIR, 1, 0, "µg/m³ μg/m³ µg/m3 μg/m3 ug/m^3 ug/m³ ugm-3" },
    { "mg/m3", "mg/m³", MASS_IN_AIR, 1e3, 0, "mg/m³ mg/m^3 mgm-3" },
    { "ng/m3", "ng/m³", MASS_IN_AIR, 1e-3, 0, "ng/m³ ng/m^3 ngm-3" },
    { "g/m3", "g/m³", MASS_IN_AIR, 1e6, 0, "g/m³ g/m^3 gm-3" },
    { "kg/m3", "kg/m³", MASS_IN_AIR, 1e9, 0, "kg/m³ kg/m^3" },

    { "[ppb]", "ppb", SHARE_OF_GAS, 1, 0, "ppb ppbv PPB ppbV" },
    { "[ppm]", "ppm", SHARE_OF_GAS, 1e3, 0, "ppm ppmv PPM ppmV" },
    { "[ppth]", "‰", SHARE_OF_GAS, 1e6, 0, NULL },
    { "nmol/mol", "nmol/mol", SHARE_OF_GAS, 1, 0, NULL },
    { "umol/mol", "µmol/mol", SHARE_OF_GAS, 1e3, 0, "µmol/mol μmol/mol" },

    { "mg/L", "mg/L", MASS_IN_WATER, 1, 0, "mg/l" },
    { "ug/L", "µg/L", MASS_IN_WATER, 1e-3, 0, "ug/l µg/L μg/L µg/l μg/l" },
    { "ng/L", "ng/L", MASS_IN_WATER, 1e-6, 0, "ng/l" },
    { "g/L", "g/L", MASS_IN_WATER, 1e3, 0, "g/l" },
    /* The analyser gives the ion, the vocabulary the element: the base is mg/L as N or P. */
    { "mg/L{NO3}", "mg/L (NO₃)", "nitrate", 0.2259, 0, NULL },
    { "mg/L{NO2}", "mg/L (NO₂)", "nitrite", 0.3045, 0, NULL },
    { "mg/L{NH4}", "mg/L (NH₄)", "ammonium", 0.7765, 0, NULL },
    { "mg/L{PO4}", "mg/L (PO₄)", "phosphate", 0.3261, 0, NULL },
    { "mmol/L", "mmol/L", SUBSTANCE, 1, 0, "mmol/l" },
    { "meq/L", "meq/L", SUBSTANCE " of charge", 1, 0, "meq/l" },

    { "mg/kg", "mg/kg", MASS_SHARE, 1, 0, NULL },
    { "g/kg", "g/kg", MASS_SHARE, 1e3, 0, NULL },

    { "Cel", "°C", TEMPERATURE, 1, 0, "°C ℃ degC C" },
    { "K", "K", TEMPERATURE, 1, -273.15, NULL },
    { "[degF]", "°F", TEMPERATURE, 1 / 1.8, -32 / 1.8, "°F ℉ degF F" },

    { "%", "%", SHARE, 1, 0, "%RH %rh %vol %VWC V/V" },
    { "m3/m3", "m³/m³", SHARE, 100, 0, "VWC m³/m³" },

    { "hPa", "hPa", PRESSURE, 1, 0, NULL },
    { "Pa", "Pa", PRESSURE, 0.01, 0, NULL },
    { "kPa", "kPa", PRESSURE, 10, 0, NULL },
    { "mbar", "mbar", PRESSURE, 1, 0, NULL },
    { "bar", "bar", PRESSURE, 1e3, 0, NULL },
    { "mm[Hg]", "mmHg", PRESSURE, 1.333224, 0, "mmHg" },
    { "[in_i'Hg]", "inHg", PRESSURE, 33.8639, 0, "inHg" },
    { "[psi]", "psi", PRESSURE, 68.9476, 0, "psi" },

    { "m/s", "m/s", SPEED, 1, 0, NULL },
    { "km/h", "km/h", SPEED, 1 / 3.6, 0, "kmh kph" },
    { "[kn_i]", "kn", SPEED, 0.514444, 0, "kn kt" },
    { "[mi_i]/h", "mph", SPEED, 0.44704, 0, "mph" },

    { "deg", "°", ANGLE, 1, 0, "° degree degrees" },
    { "rad", "rad", ANGLE, 57.29578, 0, NULL },

    { "m", "m", LENGTH, 1, 0, NULL },
    { "cm", "cm", LENGTH, 0.01, 0, NULL },
    { "mm", "mm", LENGTH, 0.001, 0, NULL },
    { "km", "km", LENGTH, 1e3, 0, NULL },
    { "[ft_i]", "ft", LENGTH, 0.3048, 0, "ft" },
    { "[in_i]", "in", LENGTH, 0.0254, 0, "in" },

    { "mm/h", "mm/h", RAIN_RATE, 1, 0, NULL },
    { "mm/min", "mm/min", RAIN_RATE, 60, 0, NULL },

    { "W/m2", "W/m²", IRRADIANCE, 1, 0, "W/m² W/㎡ W/m^2" },
    { "kW/m2", "kW/m²", IRRADIANCE, 1e3, 0, "kW/m² kW/㎡ kW/m^2" },
    { "lx", "lx", ILLUMINANCE, 1, 0, "lux Lux" },
    { "klx", "klx", ILLUMINANCE, 1e3, 0, "klux" },

    /* Annotations: a UCUM reader sees plain dB. The quantity says which level. */
    { "dB[SPL]", "dB", LEVEL, 1, 0, NULL },
    { "dB{A}", "dB(A)", LEVEL, 1, 0, "dB(A) dBA" },
    { "dB", "dB", LEVEL, 1, 0, NULL },
    { "dB{mW}", "dBm", LEVEL, 1, 0, "dBm" },

    { "[pH]", "pH", ACIDITY, 1, 0, "pH" },
    { "uS/cm", "µS/cm", CONDUCTIVITY, 1, 0, "us/cm µS/cm μS/cm" },
    { "mS/cm", "mS/cm", CONDUCTIVITY, 1e3, 0, "ms/cm" },
    { "S/m", "S/m", CONDUCTIVITY, 1e4, 0, NULL },
    { "mS/m", "mS/m", CONDUCTIVITY, 10, 0, NULL },
    { "S/cm", "S/cm", CONDUCTIVITY, 1e6, 0, NULL },
    { "Ohm.cm", "Ω·cm", RESISTIVITY, 1, 0, "Ω·cm Ohm·cm" },
    { "kOhm.cm", "kΩ·cm", RESISTIVITY, 1e3, 0, "kΩ·cm" },
    { "MOhm.cm", "MΩ·cm", RESISTIVITY, 1e6, 0, "MΩ·cm" },

    /* White light, infrared and formazin readings differ: no factor between them. */
    { "{NTU}", "NTU", "turbidity NTU", 1, 0, "NTU" },
    { "{FNU}", "FNU", "turbidity FNU", 1, 0, "FNU" },
    { "{FTU}", "FTU", "turbidity FTU", 1, 0, "FTU" },

    { "V", "V", VOLTAGE, 1, 0, NULL },
    { "mV", "mV", VOLTAGE, 1e-3, 0, NULL },
    { "A", "A", CURRENT, 1, 0, NULL },
    { "mA", "mA", CURRENT, 1e-3, 0, NULL },

    { "nGy/h", "nGy/h", DOSE_RATE, 1, 0, NULL },
    { "uGy/h", "µGy/h", DOSE_RATE, 1e3, 0, "µGy/h μGy/h" },
    { "mGy/h", "mGy/h", DOSE_RATE, 1e6, 0, NULL },
    { "nSv/h", "nSv/h", DOSE_EQUIV, 1, 0, NULL },
    { "uSv/h", "µSv/h", DOSE_EQUIV, 1e3, 0, "µSv/h μSv/h" },
    { "mSv/h", "mSv/h", DOSE_EQUIV, 1e6, 0, NULL },
    { "{count}/min", "CPM", COUNT_RATE, 1, 0, "cpm CPM" },
    { "{count}/s", "CPS", COUNT_RATE, 60, 0, "cps CPS" },
    { "{CPM}", "CPM", COUNT_RATE, 1, 0, NULL },
    { "Bq/L", "Bq/L", ACTIVITY_WATER, 1, 0, "Bq/l" },
    { "Bq/m3", "Bq/m³", ACTIVITY_AIR, 1, 0, "Bq/m³" },
    { "mBq/m3", "mBq/m³", ACTIVITY_AIR, 1e-3, 0, "mBq/m³" },
    { "Bq/kg", "Bq/kg", ACTIVITY_MASS, 1, 0, NULL },

    { "L/min", "L/min", FLOW, 1, 0, "l/min lpm" },
    { "cm3/min", "cm³/min", FLOW, 1e-3, 0, "cm³/min cc/min sccm" },
    { "L/s", "L/s", FLOW, 60, 0, "l/s" },
    { "L/h", "L/h", FLOW, 1.0 / 60, 0, "l/h" },
    { "m3/s", "m³/s", FLOW, 6e4, 0, "m³/s" },
    { "m3/h", "m³/h", FLOW, 1e3 / 60, 0, "m³/h" },
    { "m3", "m³", VOLUME, 1, 0, "m³" },
    { "L", "L", VOLUME, 1e-3, 0, "l" },

    { "s", "s", TIME, 1, 0, "sec" },
    { "ms", "ms", TIME, 1e-3, 0, NULL },
    { "min", "min", TIME, 60, 0, NULL },
    { "h", "h", TIME, 3600, 0, "hr" },
    { "d", "d", TIME, 86400, 0, "day" },
    { "Hz", "Hz", FREQUENCY, 1, 0, NULL },
    { "kHz", "kHz", FREQUENCY, 1e3, 0, NULL },

    { "/cm3", "/cm³", NUMBER_DENSITY, 1, 0, "1/cm3 /cm³ #/cm³ #/cm3 p/cm³ p/cm3" },
    { "/m3", "/m³", NUMBER_DENSITY, 1e-6, 0, "1/m3 /m³" },
    { "/L", "/L", NUMBER_DENSITY, 1e-3, 0, "1/L /l" },
    { "/mL", "/mL", NUMBER_DENSITY, 1, 0, "1/mL" },
    { "{#}/cm3", "/cm³", NUMBER_DENSITY, 1, 0, NULL },
    { "{particles}/mL", "/mL", NUMBER_DENSITY, 1, 0, "p/mL" },
    { "{MPN}/L", "MPN/L", NUMBER_DENSITY, 1e-3, 0, "MPN/L" },
    { "/m", "1/m", ABSORBANCE, 1, 0, "1/m m-1" },
    { "/cm", "1/cm", ABSORBANCE, 100, 0, "1/cm" },
    { "t/km2/mo", "t/(km²·月)", DEPOSITION, 1, 0, "t/(km²·30d) t/km²/mo" },

    { "1", "", NUMBER, 1, 0, NULL },
    { "{AQI}", "", NUMBER, 1, 0, NULL },
    { "{UVI}", "", NUMBER, 1, 0, NULL },
    { "{Hazen}", "Hazen", NUMBER, 1, 0, "Hazen" },
    { "{count}", "", NUMBER, 1, 0, NULL },
};
/* clang-format on */

const size_t units_n = sizeof units / sizeof *units;

/* Which elements a reading of an ion may stand for. */
static const struct {
    const char *dimension, *quantities;
} species[] = {
    { "nitrate", "nitrate_nitrogen" },
    { "nitrite", "nitrite_nitrogen" },
    { "ammonium", "ammonia_nitrogen" },
    { "phosphate", "phosphate_p total_phosphorus" },
};

const struct unit *unit_find_ucum(const char *code)
{
    for (size_t i = 0; i < units_n; i++)
        if (strcmp(units[i].code, code) == 0)
            return &units[i];
    return NULL;
}

const struct unit *unit_find(const char *text)
{
    const struct unit *u = unit_find_ucum(text);

    for (size_t i = 0; !u && i < units_n; i++)
        if (words_have(units[i].aliases, text))
            u = &units[i];
    return u;
}

static bool has_dimension(const struct unit *u, const char *dimension)
{
    return strcmp(u->dimension, dimension) == 0;
}

static bool is_species_of(const struct unit *u, const struct quantity *q)
{
    for (size_t i = 0; i < sizeof species / sizeof *species; i++)
        if (has_dimension(u, species[i].dimension))
            return words_have(species[i].quantities, q->id);
    return false;
}

/* What one base unit of `from` is in base units of `to`; 0: they do not convert. */
static double base_ratio(const struct unit *from, const struct unit *to,
                         const struct quantity *q)
{
    const double per_ppb = q->molar_mass / MOLAR_VOLUME;

    if (has_dimension(from, to->dimension))
        return 1;
    if (has_dimension(to, MASS_IN_WATER) && is_species_of(from, q))
        return 1;
    if (has_dimension(from, SHARE_OF_GAS) && has_dimension(to, MASS_IN_AIR))
        return per_ppb;
    if (has_dimension(from, MASS_IN_AIR) && has_dimension(to, SHARE_OF_GAS) && per_ppb > 0)
        return 1 / per_ppb;
    return 0;
}

int unit_conversion_for(const struct unit *from, const struct quantity *q,
                        struct unit_conversion *ret)
{
    const struct unit *to = unit_find_ucum(q->unit);
    const double ratio = to ? base_ratio(from, to, q) : 0;

    if (ratio <= 0)
        return -EDOM;
    if (ratio == 1 && from->factor == to->factor && from->offset == to->offset)
        *ret = (struct unit_conversion){ 1, 0, true };
    else
        *ret =
            (struct unit_conversion){ from->factor * ratio / to->factor,
                                      (from->offset * ratio - to->offset) / to->factor, false };
    return 0;
}
