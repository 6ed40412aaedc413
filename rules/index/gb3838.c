/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index/gb3838.h"

#include <string.h>

#include "sensors/core/words.h"

#define PH "ph"

enum { OXYGEN_SATURATED_PCT = 90, PH_LEAST = 6, PH_MOST = 9 };

/* clang-format off */
#define BOTH(a, b, c, d, e) { { a, b, c, d, e }, { a, b, c, d, e } }
#define MG(quantity_, digits_, ...) \
    { quantity_, "mg/L", digits_, false, false, BOTH(__VA_ARGS__) }
#define NO_LIMIT { -1, -1, -1, -1, -1 }

/* Decimals of the limits, then classes I to V. */
const struct gb3838_item gb3838_items[] = {
    { PH, "[pH]", 0, false, false, BOTH(PH_MOST, PH_MOST, PH_MOST, PH_MOST, PH_MOST) },
    { "dissolved_oxygen", "mg/L", 1, true, false, BOTH(75, 60, 50, 30, 20) },
    MG("codmn", 0,                2,    4,     6,    10,    15),
    MG("cod", 0,                 15,   15,    20,    30,    40),
    MG("bod5", 0,                 3,    3,     4,     6,    10),
    MG("ammonia_nitrogen", 2,    15,   50,   100,   150,   200),
    { "total_phosphorus", "mg/L", 3, false, false,
      { { 20, 100, 200, 300, 400 }, { 10, 25, 50, 100, 200 } } },
    { "total_nitrogen", "mg/L", 1, false, true, { NO_LIMIT, { 2, 5, 10, 15, 20 } } },
    MG("copper", 2,               1,  100,   100,   100,   100),
    MG("zinc", 2,                 5,  100,   100,   200,   200),
    MG("fluoride", 1,            10,   10,    10,    15,    15),
    MG("selenium", 2,             1,    1,     1,     2,     2),
    MG("arsenic", 2,              5,    5,     5,    10,    10),
    MG("mercury", 5,              5,    5,    10,   100,   100),
    MG("cadmium", 3,              1,    5,     5,     5,    10),
    MG("chromium_vi", 2,          1,    5,     5,     5,    10),
    MG("lead", 2,                 1,    1,     5,     5,    10),
    MG("cyanide", 3,              5,   50,   200,   200,   200),
    MG("phenols", 3,              2,    2,     5,    10,   100),
    MG("oil_in_water", 2,         5,    5,     5,    50,   100),
    MG("surfactants_anionic", 1,  2,    2,     2,     3,     3),
    MG("sulfide", 2,              5,   10,    20,    50,   100),
    { "faecal_coliforms", "/L", 0, false, true, BOTH(200, 2000, 10000, 20000, 40000) },
};
/* clang-format on */
const size_t gb3838_items_n = sizeof gb3838_items / sizeof *gb3838_items;

const struct gb3838_item *gb3838_find(const char *quantity)
{
    for (size_t i = 0; i < gb3838_items_n; i++)
        if (strcmp(gb3838_items[i].quantity, quantity) == 0)
            return &gb3838_items[i];
    return NULL;
}

static int class_of_ph(struct decimal x)
{
    const struct decimal least = { PH_LEAST, 0 }, most = { PH_MOST, 0 };

    return exact_compare(x, least) < 0 || exact_compare(x, most) > 0 ? GB3838_WORSE : 1;
}

int gb3838_class(const struct gb3838_item *item, enum gb3838_body body, struct decimal value,
                 struct exact_ratio by)
{
    struct decimal x;

    if (item->limit[body][0] < 0 || exact_value(value, by, &x) < 0 || x.v < 0)
        return GB3838_NONE;
    if (strcmp(item->quantity, PH) == 0)
        return class_of_ph(x);
    for (int i = 0; i < GB3838_CLASSES; i++) {
        const struct decimal limit = { item->limit[body][i], item->digits };
        const int order = exact_compare(x, limit);
        if (item->is_least ? order >= 0 : order <= 0)
            return i + 1;
    }
    return GB3838_WORSE;
}

int gb3838_class_of_oxygen(struct decimal mg_l, struct decimal saturation_pct)
{
    const struct decimal saturated = { OXYGEN_SATURATED_PCT, 0 };
    const int by_mass = gb3838_class(gb3838_find("dissolved_oxygen"), GB3838_RIVER, mg_l,
                                     (struct exact_ratio){ 0 });
    struct decimal x;

    if (exact_value(saturation_pct, (struct exact_ratio){ 0 }, &x) == 0 &&
        exact_compare(x, saturated) >= 0)
        return 1;
    return by_mass;
}

const char *gb3838_class_name(int class_no, const char *lang)
{
    static const char *const zh[] = { "无", "I类", "II类", "III类", "IV类", "V类", "劣V类" };
    static const char *const en[] = { "none",     "class I", "class II",          "class III",
                                      "class IV", "class V", "worse than class V" };

    if (class_no < GB3838_NONE || class_no > GB3838_WORSE)
        class_no = GB3838_NONE;
    return lang_is_zh(lang) ? zh[class_no] : en[class_no];
}
