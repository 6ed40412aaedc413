/* SPDX-License-Identifier: Apache-2.0 */
/*
 * US EPA, EPA-454/B-24-002 (May 2024): table 6 and section IV. Concentrations are truncated
 * (ozone to 0.001 ppm, PM2.5 to 0.1, CO to 0.1, the others to whole numbers), the result is
 * rounded to the nearest. Above 500 the last slope goes on. Ozone of one hour counts from
 * 0.125 ppm, of eight hours up to 0.200; SO2 of one hour up to 304 ppb, above it that of 24
 * hours does, and where that is below 305 the sub-index is 200. Three quarters of the hours
 * make a mean of 24 h (40 CFR 50.4 d).
 */
#include "rules/index/tables.h"

/* clang-format off */
#define COLUMN(p, m, unit_, digits_) \
    .pollutant = INDEX_##p, .mean = INDEX_##m, .unit = unit_, .digits = digits_, .scale = digits_

static const struct index_column columns[] = {
    { COLUMN(O3, 8H, "[ppm]", 3), .n = 5, .beyond = INDEX_NONE,
      .lo = {  0, 55, 71,  86, 106 },
      .hi = { 54, 70, 85, 105, 200 } },
    { COLUMN(O3, 1H, "[ppm]", 3), .first = 2, .n = 6, .is_extended = true,
      .lo = { 0, 0, 125, 165, 205, 405 },
      .hi = { 0, 0, 164, 204, 404, 604 } },
    { COLUMN(PM2_5, 24H, "ug/m3", 1), .n = 6, .is_extended = true,
      .lo = {  0,  91, 355,  555, 1255, 2255 },
      .hi = { 90, 354, 554, 1254, 2254, 3254 } },
    { COLUMN(PM10, 24H, "ug/m3", 0), .n = 6, .is_extended = true,
      .lo = {  0,  55, 155, 255, 355, 425 },
      .hi = { 54, 154, 254, 354, 424, 604 } },
    { COLUMN(CO, 8H, "[ppm]", 1), .n = 6, .is_extended = true,
      .lo = {  0, 45,  95, 125, 155, 305 },
      .hi = { 44, 94, 124, 154, 304, 504 } },
    { COLUMN(SO2, 1H, "[ppb]", 0), .n = 4, .beyond = INDEX_NONE, .least = 200,
      .lo = {  0, 36,  76, 186 },
      .hi = { 35, 75, 185, 304 } },
    { COLUMN(SO2, 24H, "[ppb]", 0), .first = 4, .n = 6, .is_extended = true,
      .lo = { 0, 0, 0, 0, 305,  605 },
      .hi = { 0, 0, 0, 0, 604, 1004 } },
    { COLUMN(NO2, 1H, "[ppb]", 0), .n = 6, .is_extended = true,
      .lo = {  0,  54, 101, 361,  650, 1250 },
      .hi = { 53, 100, 360, 649, 1249, 2049 } },
};
/* clang-format on */

static const struct index_level levels[] = {
    { 50, "第1级", "level 1", "好", "Good", "绿色", "green", { 0, 228, 0 } },
    { 100, "第2级", "level 2", "中等", "Moderate", "黄色", "yellow", { 255, 255, 0 } },
    { 150,
      "第3级",
      "level 3",
      "对敏感人群不健康",
      "Unhealthy for Sensitive Groups",
      "橙色",
      "orange",
      { 255, 126, 0 } },
    { 200, "第4级", "level 4", "不健康", "Unhealthy", "红色", "red", { 255, 0, 0 } },
    { 300,
      "第5级",
      "level 5",
      "非常不健康",
      "Very Unhealthy",
      "紫色",
      "purple",
      { 143, 63, 151 } },
    { INT16_MAX, "第6级", "level 6", "危险", "Hazardous", "褐红色", "maroon", { 126, 0, 35 } },
};

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define LINES \
    { \
        { INDEX_SO2, INDEX_1H, false, true }, { INDEX_SO2, INDEX_24H, true, false }, \
            { INDEX_NO2, INDEX_1H, false, true }, { INDEX_CO, INDEX_8H, false, true }, \
            { INDEX_O3, INDEX_8H, false, true }, { INDEX_O3, INDEX_1H, true, false }, \
            { INDEX_PM10, INDEX_24H, false, true }, \
        { \
            INDEX_PM2_5, INDEX_24H, false, true \
        } \
    }

const struct index_scheme index_us_epa_2024 = {
    .id = "us-epa-2024",
    .standard = "EPA-454/B-24-002",
    .clauses = "table 6, section IV",
    .name_zh = "美国空气质量指数",
    .name_en = "US air quality index",
    .mode = EXACT_TRUNCATE,
    .is_nowcast = true,
    .exceeding_above = INDEX_NONE,
    .primary_above = INDEX_NONE,
    .need_24h = 18,
    .molar_ml = MOLAR_ML_298_K,
    .rows = 6,
    .lo = { 0, 51, 101, 151, 201, 301 },
    .hi = { 50, 100, 150, 200, 300, 500 },
    .columns = columns,
    .columns_n = COUNT(columns),
    .levels = levels,
    .levels_n = COUNT(levels),
    .lines = { LINES, LINES },
    .lines_n = { 8, 8 },
};
