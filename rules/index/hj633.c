/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HJ 633: the Chinese index.
 *
 * 2012: table 1, formula (1), 6.2 (up to a whole number), notes of table 1 (no 1 h SO2
 * sub-index above 800, the 24 h one counts; no 8 h ozone sub-index above 800, the 1 h one
 * counts). It has no rule for the decimals of a concentration and no column for hourly
 * particles. 2026: table 3, 4.2.2 (concentrations by GB/T 8170 to whole numbers, CO to one
 * decimal), 4.2.4 (hourly particles use the day's column), 4.2.6 (up), 4.3 (largest; primary
 * above 50), 5.3 (missing pollutants), tables 1, 2 and A.1. SO2 1 h above 800 counts as 200,
 * ozone 8 h as 300.
 */
#include "rules/index/tables.h"

/* clang-format off */
#define COLUMN(p, m, unit_, digits_, beyond_, n_, a, b, c, d, e, f, g) \
    { .pollutant = INDEX_##p, .mean = INDEX_##m, .unit = unit_, .digits = digits_, \
      .beyond = beyond_, .n = n_, .lo = { 0, a, b, c, d, e, f }, .hi = { a, b, c, d, e, f, g }, \
      .is_by_24h = INDEX_##p == INDEX_SO2 && (beyond_) == INDEX_NONE }
#define UG "ug/m3", 0
#define MG "mg/m3", 1
#define COL(...) COLUMN(__VA_ARGS__)

/* The end of the column, its rows, then the concentrations at 50, 100, 150, 200, 300, 400, 500. */
#define COMMON \
    COL(SO2, 24H, UG, 500, 7,     50, 150, 475,  800, 1600, 2100, 2620), \
    COL(NO2, 24H, UG, 500, 7,     40,  80, 180,  280,  565,  750,  940), \
    COL(NO2,  1H, UG, 500, 7,    100, 200, 700, 1200, 2340, 3090, 3840), \
    COL(CO,  24H, MG, 500, 7,      2,   4,  14,   24,   36,   48,   60), \
    COL(CO,   1H, MG, 500, 7,      5,  10,  35,   60,   90,  120,  150), \
    COL(O3,   1H, UG, 500, 7,    160, 200, 300,  400,  800, 1000, 1200)

static const struct index_column columns_2012[] = {
    COMMON,
    COL(SO2,   1H,  UG, INDEX_NONE, 4, 150, 500, 650, 800,   0,   0,   0),
    COL(O3,    8H,  UG, INDEX_NONE, 5, 100, 160, 215, 265, 800,   0,   0),
    COL(PM10,  24H, UG, 500, 7,         50, 150, 250, 350, 420, 500, 600),
    COL(PM2_5, 24H, UG, 500, 7,         35,  75, 115, 150, 250, 350, 500),
};

static const struct index_column columns_2026[] = {
    COMMON,
    COL(SO2,   1H,  UG, 200, 4,        150, 500, 650, 800,   0,   0,   0),
    COL(O3,    8H,  UG, 300, 5,        100, 160, 215, 265, 800,   0,   0),
    COL(PM10,  24H, UG, 500, 7,         50, 120, 250, 350, 420, 500, 600),
    COL(PM10,  1H,  UG, 500, 7,         50, 120, 250, 350, 420, 500, 600),
    COL(PM2_5, 24H, UG, 500, 7,         35,  60, 115, 150, 250, 350, 500),
    COL(PM2_5, 1H,  UG, 500, 7,         35,  60, 115, 150, 250, 350, 500),
};
/* clang-format on */

/* Both editions: table 1 and the colour table of annex A. */
static const struct index_level levels[] = {
    { 50, "一级", "level I", "优", "excellent", "绿色", "green", { 0, 228, 0 } },
    { 100, "二级", "level II", "良", "good", "黄色", "yellow", { 255, 255, 0 } },
    { 150,
      "三级",
      "level III",
      "轻度污染",
      "light pollution",
      "橙色",
      "orange",
      { 255, 126, 0 } },
    { 200, "四级", "level IV", "中度污染", "moderate pollution", "红色", "red", { 255, 0, 0 } },
    { 300, "五级", "level V", "重度污染", "heavy pollution", "紫色", "purple", { 153, 0, 76 } },
    { INT16_MAX,
      "六级",
      "level VI",
      "严重污染",
      "severe pollution",
      "褐红色",
      "maroon",
      { 126, 0, 35 } },
};

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define INDEX_ROWS \
    .rows = 7, .lo = { 0, 50, 100, 150, 200, 300, 400 }, \
    .hi = { 50, 100, 150, 200, 300, 400, 500 }
#define LINE(p, m) \
    { \
        INDEX_##p, INDEX_##m, false, true \
    }
#define LINE_TWO(p, m) \
    { \
        INDEX_##p, INDEX_##m, false, false \
    }
#define NAMES .name_zh = "空气质量指数", .name_en = "air quality index"

const struct index_scheme index_hj633_2012 = {
    .id = "hj633-2012",
    .standard = "HJ 633-2012",
    .clauses = "table 1, 4.1-4.4, 6.2",
    NAMES,
    .is_raw = true,
    .is_up = true,
    .primary_above = 50,
    .exceeding_above = 100,
    .need_24h = 20,
    .molar_ml = MOLAR_ML_298_K,
    INDEX_ROWS,
    .columns = columns_2012,
    .columns_n = COUNT(columns_2012),
    .levels = levels,
    .levels_n = COUNT(levels),
    /* Of the nine indicators of the hour those that have a sub-index. */
    .lines = { { LINE(SO2, 1H), LINE(NO2, 1H), LINE(CO, 1H), LINE(O3, 1H), LINE_TWO(O3, 8H),
                 LINE(PM10, 24H), LINE(PM2_5, 24H) },
               { LINE(SO2, 24H), LINE(NO2, 24H), LINE(CO, 24H), LINE_TWO(O3, 1H), LINE(O3, 8H),
                 LINE(PM10, 24H), LINE(PM2_5, 24H) } },
    .lines_n = { 7, 7 },
};

const struct index_scheme index_hj633_2026 = {
    .id = "hj633-2026",
    .standard = "HJ 633-2026",
    .clauses = "table 3, 4.2, 4.3, 5.3",
    NAMES,
    .mode = EXACT_HALF_EVEN,
    .is_up = true,
    .is_withheld = true,
    .primary_above = 50,
    .exceeding_above = INDEX_NONE,
    .need_24h = 20,
    .molar_ml = MOLAR_ML_298_K,
    INDEX_ROWS,
    .columns = columns_2026,
    .columns_n = COUNT(columns_2026),
    .levels = levels,
    .levels_n = COUNT(levels),
    .lines = { { LINE(SO2, 1H), LINE(NO2, 1H), LINE(CO, 1H), LINE(O3, 1H), LINE(PM10, 1H),
                 LINE(PM2_5, 1H) },
               { LINE(SO2, 24H), LINE(NO2, 24H), LINE(CO, 24H), LINE(O3, 8H), LINE(PM10, 24H),
                 LINE(PM2_5, 24H) } },
    .lines_n = { 6, 6 },
};
