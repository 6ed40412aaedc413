/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/import/guess.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 160 };

/* Names beyond those of the vocabulary (quantities.def), in small letters with single blanks.
 * is_bare: only where the device does not say that it stands elsewhere. A rain register is not
 * here: whether it counts or gives an amount, no name tells. */
static const struct {
    const char *name, *quantity;
    bool is_bare;
} names[] = {
    { "temperature", "air_temp", true },
    { "temp", "air_temp", true },
    { "温度", "air_temp", true },
    { "outdoor temperature", "air_temp", false },
    { "ambient temperature", "air_temp", false },
    { "outside temperature", "air_temp", false },
    { "大气温度", "air_temp", false },
    { "空气温度", "air_temp", false },
    { "环境温度", "air_temp", false },
    { "humidity", "rh", true },
    { "湿度", "rh", true },
    { "outdoor humidity", "rh", false },
    { "ambient humidity", "rh", false },
    { "air humidity", "rh", false },
    { "空气湿度", "rh", false },
    { "环境湿度", "rh", false },
    { "大气湿度", "rh", false },
    { "atmospheric pressure", "press", false },
    { "barometric pressure", "press", false },
    { "air pressure", "press", false },
    { "大气压", "press", false },
    { "大气压力", "press", false },
    { "windspeed", "wind_speed", false },
    { "wind direction", "wind_dir", false },
    { "winddirection", "wind_dir", false },
    { "solar radiation", "irradiance", false },
    { "global radiation", "irradiance", false },
    { "太阳辐射", "irradiance", false },
    { "总辐射", "irradiance", false },
    { "光照度", "illuminance", false },
    { "光照强度", "illuminance", false },
    { "pm25", "pm2_5", false },
    { "pm 2 5", "pm2_5", false },
    { "noise", "sound_level", false },
    { "noise level", "sound_level", false },
    { "噪声", "sound_level", false },
    { "噪音", "sound_level", false },
    { "二氧化碳浓度", "carbon_dioxide", false },
    { "water temperature", "water_temp", false },
    { "dissolved oxygen", "dissolved_oxygen", false },
    { "土壤湿度", "soil_moisture", false },
    { "土壤水分", "soil_moisture", false },
    { "battery voltage", "battery", false },
    { "电池电压", "battery", false },
};

/* In the name of a device: its temperature is not that of the air outside. */
static const char *const elsewhere[] = { "cabin", "indoor", "room",   "shelter",  "box",
                                         "water", "soil",   "plc",    "inverter", "heat",
                                         "pump",  "tank",   "boiler", "meter",    "站房",
                                         "室内",  "机柜",   "箱",     "水",       "土",
                                         "仓",    "井",     "管",     NULL };

/* Endings of names in programs that know no units. */
static const struct {
    const char *ending, *unit;
} endings[] = {
    { "c", "Cel" },     { "degc", "Cel" },  { "celsius", "Cel" }, { "degf", "[degF]" },
    { "ppm", "[ppm]" }, { "ppb", "[ppb]" }, { "ugm3", "ug/m3" },  { "mgm3", "mg/m3" },
    { "hpa", "hPa" },   { "kpa", "kPa" },   { "mbar", "mbar" },   { "lux", "lx" },
    { "percent", "%" }, { "pct", "%" },     { "volts", "V" },     { "v", "V" },
    { "mps", "m/s" },   { "kmh", "km/h" },  { "deg", "deg" },     { "degrees", "deg" },
    { "ntu", "{NTU}" }, { "wm2", "W/m2" },  { "dba", "dB{A}" },   { "db", "dB" },
};

/* Small letters; what is no letter or digit becomes one blank; the ends are bare. */
static void normalise(const char *text, char *out, size_t size)
{
    size_t n = 0;

    for (; *text && n + 1 < size; text++) {
        unsigned char c = (unsigned char)*text;
        bool is_kept = c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9');
        if (is_kept)
            out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : (char)c;
        else if (n && out[n - 1] != ' ')
            out[n++] = ' ';
    }
    while (n && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
}

/* The text between the last opening bracket and the closing one at the end. */
static bool bracketed(const char *name, const char *open, const char *close, char *unit,
                      size_t unit_size, char *bare, size_t size)
{
    size_t n = strlen(name), end = strlen(close);
    const char *from = NULL;

    if (n <= end || strcmp(name + n - end, close) != 0)
        return false;
    for (const char *p = name; (p = strstr(p, open)); p += strlen(open))
        from = p;
    if (!from || from == name)
        return false;
    const char *inside = from + strlen(open);
    snprintf(unit, unit_size, "%.*s", (int)(name + n - end - inside), inside);
    snprintf(bare, size, "%.*s", (int)(from - name), name);
    return true;
}

const struct unit *guess_unit_in(const char *name, char *bare, size_t size)
{
    char unit[48], whole[NAME_MAX_BYTES];

    snprintf(bare, size, "%s", name);
    if (bracketed(name, "(", ")", unit, sizeof unit, bare, size) ||
        bracketed(name, "（", "）", unit, sizeof unit, bare, size) ||
        bracketed(name, "[", "]", unit, sizeof unit, bare, size))
        return unit_find(unit);
    normalise(name, whole, sizeof whole);
    char *last = strrchr(whole, ' ');
    for (size_t i = 0; last && i < sizeof endings / sizeof *endings; i++) {
        if (strcmp(last + 1, endings[i].ending) != 0)
            continue;
        *last = '\0';
        snprintf(bare, size, "%s", whole);
        return unit_find(endings[i].unit);
    }
    return NULL;
}

bool guess_is_elsewhere(const char *name)
{
    char text[NAME_MAX_BYTES];

    normalise(name, text, sizeof text);
    for (size_t i = 0; elsewhere[i]; i++)
        if (strstr(text, elsewhere[i]))
            return true;
    return false;
}

static const struct quantity *by_name(const char *name, bool *ret_is_bare)
{
    *ret_is_bare = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].name, name) == 0) {
            *ret_is_bare = names[i].is_bare;
            return quantity_find(names[i].quantity);
        }
    for (size_t i = 0; i < quantities_n; i++) {
        char own[NAME_MAX_BYTES];
        normalise(quantities[i].en, own, sizeof own);
        if (strcmp(own, name) == 0 || strcmp(quantities[i].zh, name) == 0)
            return &quantities[i];
        normalise(quantities[i].id, own, sizeof own);
        if (strcmp(own, name) == 0)
            return &quantities[i];
    }
    return strchr(name, ' ') ? NULL : quantity_find(name); /* "o3", "co2": an alias */
}

const struct quantity *guess_quantity(const char *name, const struct unit *unit,
                                      bool *ret_is_bare)
{
    char whole[NAME_MAX_BYTES];
    struct unit_conversion c;

    if (!unit)
        return NULL;
    normalise(name, whole, sizeof whole);
    const struct quantity *q = whole[0] ? by_name(whole, ret_is_bare) : NULL;
    return q && unit_conversion_for(unit, q, &c) == 0 ? q : NULL;
}
