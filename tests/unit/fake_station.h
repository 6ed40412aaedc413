/* SPDX-License-Identifier: Apache-2.0 */
/* fake_station - a live view of a station with six media, for the tests of page and control. */
#pragma once

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/live/live.h"

#define FAKE_NOW_MS 1795331096000LL /* 2026-11-22T07:04:56Z */

static const struct {
    const char *device, *point, *quantity;
    double base, swing;
    int decimals;
} fake_points[] = {
    { "roof-gas", "ozone", "ozone", 84, 40, 1 },
    { "roof-gas", "nitrogen_dioxide", "nitrogen_dioxide", 31, 14, 1 },
    { "roof-gas", "sulfur_dioxide", "sulfur_dioxide", 6, 2, 1 },
    { "roof-gas", "carbon_monoxide", "carbon_monoxide", 0.6, 0.2, 2 },
    { "roof-dust", "pm2_5", "pm2_5", 38, 20, 1 },
    { "roof-dust", "pm10", "pm10", 61, 26, 1 },
    { "river", "ph", "ph", 7.62, 0.2, 2 },
    { "river", "dissolved_oxygen", "dissolved_oxygen", 8.4, 0.8, 2 },
    { "river", "conductivity", "conductivity", 412, 30, 1 },
    { "river", "turbidity", "turbidity", 12.4, 4, 1 },
    { "river", "water_temp", "water_temp", 14.2, 1, 2 },
    { "river-nh4", "ammonia_nitrogen", "ammonia_nitrogen", 0.31, 0.1, 3 },
    { "meadow", "soil_moisture", "soil_moisture", 27.5, 2, 1 },
    { "meadow", "soil_temp", "soil_temp", 11.3, 1, 1 },
    { "meadow", "soil_ec", "soil_ec", 640, 60, 0 },
    { "street", "laeq", "laeq", 63.4, 6, 1 },
    { "street", "sound_level", "sound_level", 64.1, 8, 1 },
    { "fence", "dose_rate", "dose_rate_h10", 92, 5, 1 },
    { "mast", "air_temp", "air_temp", 16.8, 4, 1 },
    { "mast", "rh", "rh", 61, 12, 1 },
    { "mast", "press", "press", 1014.2, 2, 1 },
    { "mast", "wind_speed", "wind_speed", 3.4, 2, 1 },
    { "mast", "wind_dir", "wind_dir", 132, 40, 0 },
    { "mast", "precip", "precip", 0.2, 0, 1 },
};

enum {
    FAKE_POINTS = sizeof fake_points / sizeof *fake_points,
    FAKE_DEVICES = 9,
    FAKE_OZONE = 0,
    FAKE_OZONE_MINUTE = FAKE_POINTS, /* roof-gas/ozone@1min, and @1h after it */
    FAKE_CHANNELS = FAKE_POINTS + 2,
};

static const struct live_device fake_devices[FAKE_DEVICES] = {
    { "roof-gas", "Gas analyser, roof", "屋顶气体分析仪", "vaisala-aqt530", "line-1",
      MEDIUM_AIR, .state = 1, .polls = 1200, .answers = 1199,
      .last_answer_ms = FAKE_NOW_MS - 2000 },
    { "roof-dust", "Dust monitor, roof", "屋顶颗粒物监测仪", "metone-bam1020", "line-1",
      MEDIUM_AIR, .state = 1, .polls = 1200, .answers = 1200,
      .last_answer_ms = FAKE_NOW_MS - 3000 },
    { "river", "River sonde", "河道多参数水质仪", "ysi-exo2", "quay", MEDIUM_WATER, .state = 1,
      .polls = 600, .answers = 597, .last_answer_ms = FAKE_NOW_MS - 5000 },
    { "river-nh4", "Ammonia analyser", "氨氮在线分析仪", "hach-amtax", "quay", MEDIUM_WATER,
      .state = 2, .why = "no answer within the deadline", .polls = 600, .answers = 320,
      .last_answer_ms = FAKE_NOW_MS - 754000 },
    { "meadow", "Soil probe, meadow", "草地土壤探头", "rs485-soil-7in1", "line-2", MEDIUM_SOIL,
      .state = 1, .polls = 300, .answers = 300, .last_answer_ms = FAKE_NOW_MS - 9000 },
    { "street", "Sound level meter", "噪声监测仪", "awa6218", "cabinet", MEDIUM_NOISE,
      .state = 1, .polls = 3600, .answers = 3600, .last_answer_ms = FAKE_NOW_MS - 1000 },
    { "fence", "Gamma probe, fence", "围栏伽马剂量率仪", "gamma-tracer", "cabinet",
      MEDIUM_RADIATION, .state = 1, .polls = 600, .answers = 600,
      .last_answer_ms = FAKE_NOW_MS - 4000 },
    { "mast", "Weather station", "气象站", "lufft-ws600", "line-2", MEDIUM_WEATHER, .state = 1,
      .polls = 1200, .answers = 1197, .last_answer_ms = FAKE_NOW_MS - 2000 },
    { "spare", "Spare <probe> & \"case\"", "备用探头", "lufft-ws600", "line-2", MEDIUM_WEATHER,
      .state = 3, .why = "switched off in the configuration" },
};

struct fake_station {
    struct live_station station;
    struct channel channels[FAKE_CHANNELS];
    char ids[FAKE_CHANNELS][64];
    struct channel_stream streams[FAKE_DEVICES];
    struct channel_table table;
    struct live *live;
};

static void fake_put(struct fake_station *f, uint32_t channel, int64_t time_ms, double x,
                     int decimals, struct verdict verdict)
{
    struct sample s = { .time_ms = time_ms, .channel = channel, .verdict = verdict };

    s.value = decimal_round(x, decimals);
    live_put_sample(f->live, &s);
}

static void fake_samples(struct fake_station *f, int64_t time_ms)
{
    double turn = (double)(time_ms % 600000) / 600000.0 * 6.283185307;

    for (uint32_t i = 0; i < FAKE_POINTS; i++) {
        struct verdict verdict = { 0 };
        if (strcmp(fake_points[i].point, "ammonia_nitrogen") == 0)
            verdict = (struct verdict){ STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM };
        else if (strcmp(fake_points[i].point, "sulfur_dioxide") == 0)
            verdict = (struct verdict){ STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO };
        else if (strcmp(fake_points[i].point, "turbidity") == 0)
            verdict = (struct verdict){ STATUS_VALID, GRADE_SUSPECT, REASON_SPIKE };
        bool has_value = verdict.grade != GRADE_MISSING;
        fake_put(f, i, time_ms - 500 * (int64_t)(i % 7),
                 has_value ? fake_points[i].base + fake_points[i].swing * sin(turn + i) : NAN,
                 fake_points[i].decimals, verdict);
    }
    fake_put(f, FAKE_OZONE_MINUTE, time_ms - 60000, 91.4, 1, (struct verdict){ 0 });
    fake_put(f, FAKE_OZONE_MINUTE + 1, time_ms - 3600000, 88.2, 1, (struct verdict){ 0 });
}

static void fake_alerts(struct fake_station *f, int64_t now)
{
    const struct live_alert standing = {
        .key = "ozone-high/roof-gas/1",
        .rule = "ozone-high",
        .title_en = "Ozone over the limit",
        .title_zh = "臭氧浓度超标",
        .channel = FAKE_OZONE,
        .level = 2,
        .peak = 2,
        .raised_ms = now - 780000,
        .changed_ms = now - 780000,
        .value = 171.2,
        .limit = 160,
        .extreme = 188.6,
    };
    const struct live_alert red = {
        .key = "noise/street/1",
        .rule = "noise",
        .title_en = "Night noise over the limit",
        .title_zh = "夜间噪声超标",
        .channel = 15,
        .level = 4,
        .peak = 4,
        .raised_ms = now - 95000,
        .changed_ms = now - 95000,
        .value = 78.9,
        .limit = 70,
        .extreme = 81.3,
    };
    const struct live_alert cleared = {
        .key = "turb/river/1",
        .rule = "turb",
        .title_en = "River turbid <after> rain",
        .title_zh = "河水浑浊",
        .channel = 9,
        .level = 0,
        .peak = 3,
        .is_cleared = true,
        .raised_ms = now - 9000000,
        .changed_ms = now - 5400000,
        .cleared_ms = now - 5400000,
        .value = 18.2,
        .limit = 20,
        .extreme = 64.8,
    };

    live_put_alert(f->live, &standing);
    live_put_alert(f->live, &red);
    live_put_alert(f->live, &cleared);
}

static void fake_delivery(struct fake_station *f, uint64_t samples)
{
    live_put_log(f->live, &(struct live_log){ .seq = samples / 40,
                                              .samples = samples,
                                              .rows = samples / 6,
                                              .events = 37,
                                              .size_bytes = 18 << 20 });
    live_put_uplink(f->live, &(struct live_uplink){ .id = "centre",
                                                    .kind = "mqtt",
                                                    .is_connected = true,
                                                    .acked_seq = samples / 40 - 12,
                                                    .backlog = 12,
                                                    .sent = samples / 40 });
}

/* One index that is, one that is not to be had, and work at an instrument. Not part of
 * fake_create(): most stations have neither. */
static inline void fake_overview(struct fake_station *f)
{
    live_put_index(f->live, &(struct live_index){ .standard = "HJ 633-2026",
                                                  .period = "1h",
                                                  .name_en = "air quality index",
                                                  .name_zh = "空气质量指数",
                                                  .time_ms = FAKE_NOW_MS - 3896000,
                                                  .value = 74,
                                                  .level = 2,
                                                  .level_en = "Level II",
                                                  .level_zh = "二级",
                                                  .class_en = "Good",
                                                  .class_zh = "良",
                                                  .colour_en = "yellow",
                                                  .colour_zh = "黄色",
                                                  .rgb = { 255, 255, 0 },
                                                  .primary = { "PM10", "PM2.5" } });
    live_put_index(f->live, &(struct live_index){ .standard = "HJ 633-2026",
                                                  .period = "day",
                                                  .name_en = "air quality index",
                                                  .name_zh = "空气质量指数",
                                                  .value = -1,
                                                  .cause = "awaited",
                                                  .cause_en = "the first day is not over",
                                                  .cause_zh = "首日尚未结束" });
    live_put_maintenances(f->live,
                          &(struct live_maintenance){ .device = "roof-gas",
                                                      .en = "Gas analyser, roof",
                                                      .zh = "屋顶气体分析仪",
                                                      .since_ms = FAKE_NOW_MS - 600000,
                                                      .until_ms = FAKE_NOW_MS + 6600000,
                                                      .who = "uid 1000",
                                                      .why = "new <filter>" },
                          1);
}

static int fake_create(struct fake_station *f)
{
    *f = (struct fake_station){ .station = { .id = "riverside-01",
                                             .en = "Riverside",
                                             .zh = "滨河站",
                                             .region = "demo",
                                             .zone = "+08:00",
                                             .lat = 31.2304,
                                             .lon = 121.4737,
                                             .started_ms = FAKE_NOW_MS - 86400000,
                                             .version = "0.1.0" } };
    for (uint32_t i = 0; i < FAKE_CHANNELS; i++) {
        uint32_t p = i < FAKE_POINTS ? i : FAKE_OZONE;
        const char *statistic = i < FAKE_POINTS ? NULL : i == FAKE_OZONE_MINUTE ? "1min" : "1h";
        snprintf(f->ids[i], sizeof f->ids[i], "%s/%s%s%s", fake_points[p].device,
                 fake_points[p].point, statistic ? "@" : "", statistic ? statistic : "");
        f->channels[i] = (struct channel){
            .id = f->ids[i],
            .device = fake_points[p].device,
            .point = fake_points[p].point,
            .statistic = statistic,
            .quantity = quantity_find(fake_points[p].quantity),
            .period_ms = i < FAKE_POINTS          ? 10000
                         : i == FAKE_OZONE_MINUTE ? 60000
                                                  : 3600000,
            .decimals = -1,
            .column = i,
            .source = p,
        };
        if (!f->channels[i].quantity)
            return -1;
    }
    f->table = (struct channel_table){ .station = "riverside-01",
                                       .channels = f->channels,
                                       .n = FAKE_CHANNELS };
    if (live_create(&f->station, &f->table, fake_devices, FAKE_DEVICES, &f->live))
        return -1;
    live_set_now(f->live, FAKE_NOW_MS);
    fake_samples(f, FAKE_NOW_MS);
    fake_alerts(f, FAKE_NOW_MS);
    fake_delivery(f, 1284310);
    return 0;
}
