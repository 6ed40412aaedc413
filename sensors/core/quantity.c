/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/core/quantity.h"

#include <errno.h>
#include <string.h>

#include "sensors/core/words.h"

#define UNVERIFIED(code) code
#define SEA(name)        name
#define NEAR(name)       name
#define QUANTITY(id_, zh_, en_, unit_, medium_, agg_, decimals_, min_, max_, mass_, cf_, hj_, \
                 aqs_, aliases_) \
    { .id = #id_, \
      .zh = zh_, \
      .en = en_, \
      .unit = unit_, \
      .medium = MEDIUM_##medium_, \
      .agg = AGG_##agg_, \
      .decimals = decimals_, \
      .range_min = min_, \
      .range_max = max_, \
      .molar_mass = mass_, \
      .cf = cf_, \
      .hj212 = hj_, \
      .aqs = aqs_, \
      .aliases = aliases_ },

const struct quantity quantities[] = {
#include "sensors/core/quantities.def"
};
const size_t quantities_n = sizeof quantities / sizeof *quantities;

static const struct {
    const char *id, *zh, *en;
} media[MEDIUM_COUNT_] = {
    [MEDIUM_AIR] = { "air", "空气", "air" },
    [MEDIUM_WEATHER] = { "weather", "气象", "weather" },
    [MEDIUM_WATER] = { "water", "水质", "water" },
    [MEDIUM_SOIL] = { "soil", "土壤", "soil" },
    [MEDIUM_NOISE] = { "noise", "噪声", "noise" },
    [MEDIUM_RADIATION] = { "radiation", "辐射", "radiation" },
    [MEDIUM_STATION] = { "station", "站房", "station" },
};

const struct quantity *quantity_find(const char *name)
{
    for (size_t i = 0; i < quantities_n; i++)
        if (strcmp(quantities[i].id, name) == 0)
            return &quantities[i];
    for (size_t i = 0; i < quantities_n; i++)
        if (words_have(quantities[i].aliases, name))
            return &quantities[i];
    return NULL;
}

const char *medium_id(enum medium m)
{
    return (unsigned)m < MEDIUM_COUNT_ ? media[m].id : "";
}

const char *medium_name(enum medium m, const char *lang)
{
    if ((unsigned)m >= MEDIUM_COUNT_)
        return "";
    return lang_is_zh(lang) ? media[m].zh : media[m].en;
}

int medium_find(const char *id, enum medium *ret)
{
    for (int m = 0; m < MEDIUM_COUNT_; m++)
        if (strcmp(media[m].id, id) == 0) {
            *ret = (enum medium)m;
            return 0;
        }
    return -ENOENT;
}
