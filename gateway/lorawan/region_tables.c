/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region_tables - RP002 and, for the legacy CN470 plan, RP001. Where the editions differ
 * or devices in the field disagree with them, the entry says which side it takes.
 */
#include "gateway/lorawan/region_tables.h"

#define KHZ(x) ((uint32_t)((x)*1000u))
#define LORA(s, bw) \
    { \
        .sf = (s), .bw_hz = (bw) \
    }
#define FSK_50K \
    { \
        .is_fsk = true, .bits_s = 50000 \
    }

/* ---- data rates ---- */

/* LR-FHSS and SF5, SF6 of later editions are left out: no packet forwarder reports them. */
static const struct radio_rate eu_rates[REGION_DRS] = {
    LORA(12, 125000), LORA(11, 125000), LORA(10, 125000), LORA(9, 125000),
    LORA(8, 125000),  LORA(7, 125000),  LORA(7, 250000),  FSK_50K,
};

static const struct radio_rate in_rates[REGION_DRS] = {
    LORA(12, 125000), LORA(11, 125000), LORA(10, 125000), LORA(9, 125000),
    LORA(8, 125000),  LORA(7, 125000),  [7] = FSK_50K,
};

static const struct radio_rate six_rates[REGION_DRS] = {
    /* KR920, CN470 legacy */
    LORA(12, 125000), LORA(11, 125000), LORA(10, 125000),
    LORA(9, 125000),  LORA(8, 125000),  LORA(7, 125000),
};

static const struct radio_rate cn_rates[REGION_DRS] = {
    LORA(12, 125000), LORA(11, 125000), LORA(10, 125000), LORA(9, 125000),
    LORA(8, 125000),  LORA(7, 125000),  LORA(7, 500000),  FSK_50K,
};

static const struct radio_rate us_rates[REGION_DRS] = {
    LORA(10, 125000), LORA(9, 125000), LORA(8, 125000), LORA(7, 125000), LORA(8, 500000),
};

static const struct radio_rate au_rates[REGION_DRS] = {
    LORA(12, 125000), LORA(11, 125000), LORA(10, 125000), LORA(9, 125000),
    LORA(8, 125000),  LORA(7, 125000),  LORA(8, 500000),
};

static const struct radio_rate wide_rates[REGION_DRS] = {
    /* downlinks of US915 and AU915 */
    [8] = LORA(12, 500000), LORA(11, 500000), LORA(10, 500000),
    LORA(9, 500000),        LORA(8, 500000),  LORA(7, 500000),
};

/* ---- payloads: with a repeater in mind; a device that is never repeated could take more ----
 */

static const struct region_sizes eu_sizes = { { 51, 51, 51, 115, 222, 222, 222, 222 } };
static const struct region_sizes in_sizes = { { 51, 51, 51, 115, 222, 222, 0, 222 } };
static const struct region_sizes six_sizes = { { 51, 51, 51, 115, 222, 222 } };
/* DR2: 51 before RP002-1.0.1. */
static const struct region_sizes as_sizes = { { 51, 51, 115, 115, 222, 222, 222, 222 } };
static const struct region_sizes as_dwell_sizes = { { 0, 0, 11, 53, 125, 222, 222, 222 } };
static const struct region_sizes us_sizes = { { 11, 53, 125, 222, 222 } };
static const struct region_sizes au_sizes = { { 51, 51, 51, 115, 222, 222, 222 } };
static const struct region_sizes au_dwell_sizes = { { 0, 0, 11, 53, 125, 222, 222 } };
static const struct region_sizes wide_sizes = { { [8] = 33, 109, 222, 222, 222, 222 } };
/* What one second on the air carries (MIIT notice 2019/52: the source of the rule was not at
 * hand, the numbers follow from the time on air). */
static const struct region_sizes cn_sizes = { { 0, 23, 86, 184, 222, 222, 222, 222 } };

/* ---- data rate of RX1: rows are data rates of the uplink, columns offsets ---- */

static const uint8_t us_rx1[REGION_DRS][REGION_RX1_OFFSETS] = {
    { 10, 9, 8, 8 },    { 11, 10, 9, 8 },   { 12, 11, 10, 9 },
    { 13, 12, 11, 10 }, { 13, 13, 12, 11 },
};

static const uint8_t au_rx1[REGION_DRS][REGION_RX1_OFFSETS] = {
    { 8, 8, 8, 8, 8, 8 },      { 9, 8, 8, 8, 8, 8 },    { 10, 9, 8, 8, 8, 8 },
    { 11, 10, 9, 8, 8, 8 },    { 12, 11, 10, 9, 8, 8 }, { 13, 12, 11, 10, 9, 8 },
    { 13, 13, 12, 11, 10, 9 },
};

/* ---- sub-bands ---- */

/* ETSI EN 300 220 as device code has it. The sub-bands bind a gateway too; 869.4 to 869.65,
 * where RX2 is, lets it transmit for six minutes an hour and at 27 dBm ERP. */
static const struct region_band eu_bands[REGION_BANDS_MAX] = {
    { KHZ(863000), KHZ(865000), 1, 0 },    { KHZ(865000), KHZ(868000), 10, 0 },
    { KHZ(868000), KHZ(868600), 10, 0 },   { KHZ(868700), KHZ(869200), 1, 0 },
    { KHZ(869400), KHZ(869650), 100, 29 }, { KHZ(869700), KHZ(870000), 10, 0 },
};

/* ---- regions of few channels, which devices are told the others of ---- */

#define DYNAMIC .has_cf_list = true, .mask_on = 6, .mask_off = REGION_MASK_NONE

static const struct region eu868 = {
    .id = "eu868",
    .hz_min = KHZ(863000),
    .hz_max = KHZ(870000),
    .blocks = { { .hz = KHZ(868100), .step_hz = KHZ(200), .n = 3, .dr_max = 7 } },
    .up = eu_rates,
    .down = eu_rates,
    .sizes_up = &eu_sizes,
    .sizes_up_dwell = &eu_sizes,
    .sizes_down = &eu_sizes,
    .sizes_down_dwell = &eu_sizes,
    .dr_adr_max = 5,
    .rx1_rule = REGION_RX1_DOWN,
    .rx1_offset_max = 5,
    /* The Things Network uses DR3 here: a device moved from there needs the configuration. */
    .rx2_hz = KHZ(869525),
    .rx2_dr = 0,
    .eirp_dbm = 16,
    .tx_powers = 8,
    .down_eirp_dbm = 16,
    .bands = eu_bands,
    DYNAMIC,
};

static const struct region in865 = {
    .id = "in865",
    .hz_min = KHZ(865000),
    .hz_max = KHZ(867000),
    .blocks = { { .hz = 865062500, .n = 1, .dr_max = 7 },
                { .hz = 865402500, .n = 1, .dr_max = 7 },
                { .hz = KHZ(865985), .n = 1, .dr_max = 7 } },
    .up = in_rates,
    .down = in_rates,
    .sizes_up = &in_sizes,
    .sizes_up_dwell = &in_sizes,
    .sizes_down = &in_sizes,
    .sizes_down_dwell = &in_sizes,
    .dr_adr_max = 5,
    .rx1_rule = REGION_RX1_SIGNED,
    .rx1_offset_max = 7,
    .rx1_dr_max = 5,
    .rx2_hz = KHZ(866550),
    .rx2_dr = 2,
    .eirp_dbm = 30,
    .tx_powers = 11, /* RP002 as far as known; ChirpStack counts on to 14 */
    .down_eirp_dbm = 30,
    DYNAMIC,
};

/* The four AS923 plans are one that is moved. How RX1DROffset 6 and 7 end is not settled
 * between the editions: RP002 and device code stop at DR5, ChirpStack at DR7. DR5 here: what
 * every device can hear. The limits of the bands are those device code checks CFLists against.
 */
#define AS923(name, down_khz, min_khz, max_khz) \
    { \
        .id = (name), .hz_min = KHZ(min_khz), .hz_max = KHZ(max_khz), \
        .blocks = { { .hz = KHZ(923200 - (down_khz)), \
                      .step_hz = KHZ(200), \
                      .n = 2, \
                      .dr_max = 7 } }, \
        .up = eu_rates, .down = eu_rates, .sizes_up = &as_sizes, \
        .sizes_up_dwell = &as_dwell_sizes, .sizes_down = &as_sizes, \
        .sizes_down_dwell = &as_dwell_sizes, .dr_adr_max = 5, .down_dr_min_dwell = 2, \
        .rx1_rule = REGION_RX1_SIGNED, .rx1_offset_max = 7, .rx1_dr_max = 5, \
        .rx2_hz = KHZ(923200 - (down_khz)), .rx2_dr = 2, .eirp_dbm = 16, .tx_powers = 8, \
        .down_eirp_dbm = 16, DYNAMIC \
    }

static const struct region as923_1 = AS923("as923-1", 0, 915000, 928000);
static const struct region as923_2 = AS923("as923-2", 1800, 920000, 923000);
static const struct region as923_3 = AS923("as923-3", 6600, 915000, 921000);
static const struct region as923_4 = AS923("as923-4", 5900, 917000, 920000);

static const struct region kr920 = {
    .id = "kr920",
    .hz_min = KHZ(920900),
    .hz_max = KHZ(923400), /* the last channel is 923.3 */
    .blocks = { { .hz = KHZ(922100), .step_hz = KHZ(200), .n = 3, .dr_max = 5 } },
    .up = six_rates,
    .down = six_rates,
    .sizes_up = &six_sizes,
    .sizes_up_dwell = &six_sizes,
    .sizes_down = &six_sizes,
    .sizes_down_dwell = &six_sizes,
    .dr_adr_max = 5,
    .rx1_rule = REGION_RX1_DOWN,
    .rx1_offset_max = 5,
    .rx2_hz = KHZ(921900),
    .rx2_dr = 0,
    .eirp_dbm = 14, /* 10 below 922 MHz: devices see to that themselves */
    .tx_powers = 8,
    .down_eirp_dbm = 23,
    DYNAMIC,
};

/* ---- regions with all their channels from the start ---- */

static const struct region us915 = {
    .id = "us915",
    .blocks = { { .hz = KHZ(902300),
                  .step_hz = KHZ(200),
                  .n = 64,
                  .dr_max = 3,
                  .rx1_hz = KHZ(923300),
                  .rx1_step_hz = KHZ(600),
                  .rx1_n = 8 },
                { .hz = KHZ(903000),
                  .step_hz = KHZ(1600),
                  .n = 8,
                  .dr_min = 4,
                  .dr_max = 4,
                  .rx1_hz = KHZ(923300),
                  .rx1_step_hz = KHZ(600),
                  .rx1_n = 8 } },
    .up = us_rates,
    .down = wide_rates,
    .sizes_up = &us_sizes,
    .sizes_up_dwell = &us_sizes,
    .sizes_down = &wide_sizes,
    .sizes_down_dwell = &wide_sizes,
    .dr_adr_max = 3,
    .rx1_rule = REGION_RX1_TABLE,
    .rx1_offset_max = 3,
    .rx1_table = us_rx1,
    .rx2_hz = KHZ(923300),
    .rx2_dr = 8,
    .eirp_dbm = 30,
    .tx_powers = 15,
    .down_eirp_dbm = 21,
    .has_cf_list = true,
    .has_wide = true,
    .mask_on = 6,
    .mask_off = 7,
};

static const struct region au915 = {
    .id = "au915",
    .blocks = { { .hz = KHZ(915200),
                  .step_hz = KHZ(200),
                  .n = 64,
                  .dr_max = 5,
                  .rx1_hz = KHZ(923300),
                  .rx1_step_hz = KHZ(600),
                  .rx1_n = 8 },
                { .hz = KHZ(915900),
                  .step_hz = KHZ(1600),
                  .n = 8,
                  .dr_min = 6,
                  .dr_max = 6,
                  .rx1_hz = KHZ(923300),
                  .rx1_step_hz = KHZ(600),
                  .rx1_n = 8 } },
    .up = au_rates,
    .down = wide_rates,
    .sizes_up = &au_sizes,
    .sizes_up_dwell = &au_dwell_sizes,
    .sizes_down = &wide_sizes,
    .sizes_down_dwell = &wide_sizes,
    .dr_adr_max = 5,
    .rx1_rule = REGION_RX1_TABLE,
    .rx1_offset_max = 5,
    .rx1_table = au_rx1,
    .rx2_hz = KHZ(923300),
    .rx2_dr = 8,
    .eirp_dbm = 30,
    .tx_powers = 15,
    .down_eirp_dbm = 30,
    .has_cf_list = true,
    .has_wide = true,
    .mask_on = 6,
    .mask_off = 7,
};

/* ---- CN470 ---- */

/* Devices and gateways of before 2020: eight-channel gateways mostly listen on 80 to 87. Limits
 * of payload are its own; mixed with those of RP002, DR0 would carry nothing. */
static const struct region cn470 = {
    .id = "cn470",
    .blocks = { { .hz = KHZ(470300),
                  .step_hz = KHZ(200),
                  .n = 96,
                  .dr_max = 5,
                  .rx1_hz = KHZ(500300),
                  .rx1_step_hz = KHZ(200),
                  .rx1_n = 48 } },
    .up = six_rates,
    .down = six_rates,
    .sizes_up = &six_sizes,
    .sizes_up_dwell = &six_sizes,
    .sizes_down = &six_sizes,
    .sizes_down_dwell = &six_sizes,
    .dr_adr_max = 5,
    .rx1_rule = REGION_RX1_DOWN,
    .rx1_offset_max = 5,
    .rx2_hz = KHZ(505300),
    .rx2_dr = 0,
    .eirp_dbm = 19.15,
    .tx_powers = 8,
    .down_eirp_dbm = 19,
    .mask_on = 6,
    .mask_off = REGION_MASK_NONE,
};

/* 494.9 MHz for join channel 6: some device code has 494.0 there, against its own formula. */
static const struct region_join joins_20a[REGION_JOINS_MAX] = {
    { 0, 4, KHZ(470900), KHZ(1600), KHZ(484500), KHZ(1600), KHZ(485300), KHZ(1600) },
    { 4, 4, KHZ(504100), KHZ(1600), KHZ(490900), KHZ(1600), KHZ(491700), KHZ(1600) },
};
static const struct region_join joins_20b[REGION_JOINS_MAX] = {
    { 8, 1, KHZ(479900), 0, KHZ(479900), 0, KHZ(478300), 0 },
    { 9, 1, KHZ(499900), 0, KHZ(499900), 0, KHZ(498300), 0 },
};
static const struct region_join joins_26a[REGION_JOINS_MAX] = {
    { 10, 5, KHZ(470300), KHZ(2000), KHZ(492500), 0, KHZ(492500), 0 },
};
static const struct region_join joins_26b[REGION_JOINS_MAX] = {
    { 15, 5, KHZ(480300), KHZ(2000), KHZ(502500), 0, KHZ(502500), 0 },
};

/* What the four plans of RP002 share. CFList: channel masks; no device was at hand to prove it
 * on. RX1 never goes below DR1: DR0 carries nothing. */
#define CN470_RP002 \
    .up = cn_rates, .down = cn_rates, .sizes_up = &cn_sizes, .sizes_up_dwell = &cn_sizes, \
    .sizes_down = &cn_sizes, .sizes_down_dwell = &cn_sizes, .dr_min = 1, .dr_adr_max = 5, \
    .down_dr_min = 1, .down_dr_min_dwell = 1, .rx1_rule = REGION_RX1_DOWN, \
    .rx1_offset_max = 5, .rx2_dr = 1, .eirp_dbm = 19.15, .tx_powers = 8, .down_eirp_dbm = 19, \
    .has_cf_list = true

static const struct region cn470_20a = {
    .id = "cn470-20a",
    .blocks = { { .hz = KHZ(470300),
                  .step_hz = KHZ(200),
                  .n = 32,
                  .dr_max = 7,
                  .rx1_hz = KHZ(483900),
                  .rx1_step_hz = KHZ(200),
                  .rx1_n = 32 },
                { .hz = KHZ(503500),
                  .step_hz = KHZ(200),
                  .n = 32,
                  .dr_max = 7,
                  .rx1_hz = KHZ(490300),
                  .rx1_step_hz = KHZ(200),
                  .rx1_n = 32 } },
    .joins = joins_20a,
    .rx2_hz = KHZ(486900),
    .mask_on = 6,
    .mask_off = 7,
    CN470_RP002,
};

static const struct region cn470_20b = {
    .id = "cn470-20b",
    .blocks = { { .hz = KHZ(476900), .step_hz = KHZ(200), .n = 32, .dr_max = 7 },
                { .hz = KHZ(496900), .step_hz = KHZ(200), .n = 32, .dr_max = 7 } },
    .joins = joins_20b,
    .rx2_hz = KHZ(498300),
    .mask_on = 6,
    .mask_off = 7,
    CN470_RP002,
};

static const struct region cn470_26a = {
    .id = "cn470-26a",
    .blocks = { { .hz = KHZ(470300),
                  .step_hz = KHZ(200),
                  .n = 48,
                  .dr_max = 7,
                  .rx1_hz = KHZ(490100),
                  .rx1_step_hz = KHZ(200),
                  .rx1_n = 24 } },
    .joins = joins_26a,
    .rx2_hz = KHZ(492500),
    .mask_on = 3,
    .mask_off = 4,
    CN470_RP002,
};

static const struct region cn470_26b = {
    .id = "cn470-26b",
    .blocks = { { .hz = KHZ(480300),
                  .step_hz = KHZ(200),
                  .n = 48,
                  .dr_max = 7,
                  .rx1_hz = KHZ(500100),
                  .rx1_step_hz = KHZ(200),
                  .rx1_n = 24 } },
    .joins = joins_26b,
    .rx2_hz = KHZ(502500),
    .mask_on = 3,
    .mask_off = 4,
    CN470_RP002,
};

const struct region *const region_tables[] = {
    &eu868, &us915, &au915,     &as923_1,   &as923_2,   &as923_3,   &as923_4, &in865,
    &kr920, &cn470, &cn470_20a, &cn470_20b, &cn470_26a, &cn470_26b, NULL,
};
