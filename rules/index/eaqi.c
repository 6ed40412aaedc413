/* SPDX-License-Identifier: Apache-2.0 */
/*
 * European Air Quality Index, bands of 2024: hourly means, upper bound included, the worst of
 * the measured pollutants counts. Bands as public implementations agree on them; no page of the
 * EEA with the 2024 bands was read, and the colours are those of its viewer, unverified.
 * Concentrations are not rounded. Gases are at 293 K: ppb are converted so; a value in ug/m3 is
 * taken as it is, although at 298.15 K it is 1.7 % lower.
 */
#include "rules/index/tables.h"

/* clang-format off */
#define BANDS(p, a, b, c, d, e) \
    { .pollutant = (p), .mean = INDEX_1H, .unit = "ug/m3", .n = 6, \
      .lo = { 0, a, b, c, d, e }, .hi = { a, b, c, d, e, INDEX_MORE } }
/* clang-format on */

static const struct index_column columns[] = {
    BANDS(INDEX_SO2, 20, 40, 125, 190, 275), BANDS(INDEX_NO2, 10, 25, 60, 100, 150),
    BANDS(INDEX_O3, 60, 100, 120, 160, 180), BANDS(INDEX_PM10, 15, 45, 120, 195, 270),
    BANDS(INDEX_PM2_5, 5, 15, 50, 90, 140),
};

static const struct index_level levels[] = {
    { 1, "第1级", "band 1", "好", "Good", "青色", "cyan", { 80, 240, 230 } },
    { 2, "第2级", "band 2", "尚可", "Fair", "绿色", "green", { 80, 204, 170 } },
    { 3, "第3级", "band 3", "中等", "Moderate", "黄色", "yellow", { 240, 230, 65 } },
    { 4, "第4级", "band 4", "差", "Poor", "红色", "red", { 255, 80, 80 } },
    { 5, "第5级", "band 5", "很差", "Very poor", "深红色", "dark red", { 150, 0, 50 } },
    { INT16_MAX,
      "第6级",
      "band 6",
      "极差",
      "Extremely poor",
      "紫色",
      "purple",
      { 125, 33, 129 } },
};

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define LINES \
    { \
        { INDEX_SO2, INDEX_1H, false, true }, { INDEX_NO2, INDEX_1H, false, true }, \
            { INDEX_O3, INDEX_1H, false, true }, { INDEX_PM10, INDEX_1H, false, true }, \
        { \
            INDEX_PM2_5, INDEX_1H, false, true \
        } \
    }

const struct index_scheme index_eaqi_2024 = {
    .id = "eaqi-2024",
    .standard = "EAQI 2024",
    .clauses = "bands of hourly means",
    .name_zh = "欧洲空气质量指数",
    .name_en = "European air quality index",
    .is_raw = true,
    .exceeding_above = INDEX_NONE,
    .primary_above = INDEX_NONE,
    .need_24h = 20,
    .molar_ml = MOLAR_ML_293_K,
    .rows = 6,
    .lo = { 1, 2, 3, 4, 5, 6 },
    .hi = { 1, 2, 3, 4, 5, 6 },
    .columns = columns,
    .columns_n = COUNT(columns),
    .levels = levels,
    .levels_n = COUNT(levels),
    .lines = { LINES },
    .lines_n = { 5, 0 },
};
