/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index/index.h"
#include "sensors/core/words.h"

#define LUNG_ZH   "肺病患者、"
#define GROUPS_ZH "心血管和呼吸系统疾病患者、青少年、户外活动人群、老年人"
#define GROUPS_EN \
    "people with heart or lung disease, young people, people active outdoors, the elderly"

/* Groups: HJ 633-2026 table 2. */
static const struct {
    const char *id, *label, *quantity, *groups_zh, *groups_en;
} pollutants[INDEX_POLLUTANTS] = {
    [INDEX_SO2] = { "so2", "SO2", "sulfur_dioxide", "哮喘患者、青少年、老年人",
                    "people with asthma, young people, the elderly" },
    [INDEX_NO2] = { "no2", "NO2", "nitrogen_dioxide", LUNG_ZH "青少年、老年人",
                    "people with lung disease, young people, the elderly" },
    [INDEX_CO] = { "co", "CO", "carbon_monoxide", "心血管疾病患者",
                   "people with cardiovascular disease" },
    [INDEX_O3] = { "o3", "O3", "ozone", LUNG_ZH "青少年、户外活动人群、老年人",
                   "people with lung disease, young people, people active outdoors, the "
                   "elderly" },
    [INDEX_PM10] = { "pm10", "PM10", "pm10", GROUPS_ZH, GROUPS_EN },
    [INDEX_PM2_5] = { "pm2_5", "PM2.5", "pm2_5", GROUPS_ZH, GROUPS_EN },
};

static const struct {
    const char *id, *zh, *en;
} causes[INDEX_CAUSE_COUNT_] = {
    [INDEX_OK] = { "ok", "有效", "there is a value" },
    [INDEX_MISSING] = { "missing", "缺测", "no value" },
    [INDEX_INVALID] = { "invalid", "数据无效", "the value is not valid" },
    [INDEX_NEGATIVE] = { "negative", "浓度为负值", "the concentration is below zero" },
    [INDEX_UNLIKELY] = { "implausible", "浓度不合理", "no possible concentration" },
    [INDEX_BELOW] = { "below_column", "低于该平均时间的起算浓度，不计算",
                      "below where this mean begins to count" },
    [INDEX_BEYOND] = { "beyond_column", "超出该平均时间的计算范围，以另一平均时间为准",
                       "above where this mean ends, another mean of the pollutant counts" },
    [INDEX_UNPLANNED] = { "not_in_plan", "不在监测方案内", "not in the monitoring plan" },
    [INDEX_NO_COLUMN] = { "no_column", "该标准无此平均时间", "the scheme has no such mean" },
    [INDEX_INCOMPLETE] = { "incomplete", "有污染物缺测且其余污染物的AQI不大于100",
                           "a pollutant is missing and the others are not above 100" },
    [INDEX_NOTHING] = { "nothing", "没有任何有效的分指数", "there is no sub-index at all" },
};

const char *index_pollutant_id(enum index_pollutant p)
{
    return pollutants[p].id;
}

const char *index_pollutant_label(enum index_pollutant p)
{
    return pollutants[p].label;
}

const char *index_pollutant_quantity(enum index_pollutant p)
{
    return pollutants[p].quantity;
}

const char *index_mean_id(enum index_mean m)
{
    static const char *const ids[INDEX_MEANS] = { "1h", "8h", "24h" };

    return ids[m];
}

const char *index_cause_id(enum index_cause c)
{
    return causes[c].id;
}

const char *index_cause_text(enum index_cause c, const char *lang)
{
    return lang_is_zh(lang) ? causes[c].zh : causes[c].en;
}

const char *index_sensitive_groups(enum index_pollutant p, const char *lang)
{
    return lang_is_zh(lang) ? pollutants[p].groups_zh : pollutants[p].groups_en;
}
