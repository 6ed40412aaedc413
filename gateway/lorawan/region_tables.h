/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region_tables - what a region is made of. Data alone: a rule that differs between regions is
 * a member here, never a comparison of names. For region*.c.
 */
#pragma once

#include "gateway/lorawan/region.h"

enum {
    REGION_BLOCKS_MAX = 3,    /* uplink channels at one distance */
    REGION_RX1_OFFSETS = 6,   /* columns of the widest table: AU915 */
    REGION_JOINS_MAX = 2,     /* CN470 20 MHz plans */
    REGION_MASK_NONE = 0xFF,  /* no such ChMaskCntl */
    REGION_DYNAMIC_BITS = 16, /* ChMask of a plan with one block */
};

/* N by index of the data rate; 0: it does not exist, or carries nothing. */
struct region_sizes {
    uint8_t n[REGION_DRS];
};

/* Uplink channels hz + step_hz * i, numbered on from the block before. */
struct region_block {
    uint32_t hz, step_hz;
    uint8_t n;
    uint8_t dr_min, dr_max;
    /* RX1 is rx1_hz + rx1_step_hz * (i % rx1_n); rx1_n 0: where the uplink was */
    uint32_t rx1_hz, rx1_step_hz;
    uint8_t rx1_n;
};

/* Join channels; number k of the block is its join channel first + k. */
struct region_join {
    uint8_t first, n;
    uint32_t hz, step_hz;
    uint32_t rx1_hz, rx1_step_hz;
    uint32_t rx2_hz, rx2_step_hz; /* of the session that follows */
};

enum region_rx1_rule {
    REGION_RX1_DOWN,   /* data rate less the offset, not below the region's lowest */
    REGION_RX1_SIGNED, /* the same; offsets 6 and 7 raise it by 1 and 2 */
    REGION_RX1_TABLE,
};

/* A sub-band of which only a share of time may be used. */
struct region_band {
    uint32_t hz_min, hz_max; /* hz_max is outside */
    uint16_t per_mille;      /* of a sliding hour */
    int8_t eirp_dbm;         /* of the gateway; 0: the region's */
};

struct region {
    const char *id;
    uint32_t hz_min, hz_max; /* dynamic plans: channels may lie here; 0: a fixed plan */
    struct region_block blocks[REGION_BLOCKS_MAX];
    const struct region_join *joins; /* REGION_JOINS_MAX; NULL: joins use every channel */

    const struct radio_rate *up, *down; /* REGION_DRS each */
    const struct region_sizes *sizes_up, *sizes_up_dwell, *sizes_down, *sizes_down_dwell;
    uint8_t dr_min, dr_adr_max;
    uint8_t down_dr_min, down_dr_min_dwell;

    enum region_rx1_rule rx1_rule;
    uint8_t rx1_offset_max;
    uint8_t rx1_dr_max; /* REGION_RX1_SIGNED: never above */
    const uint8_t (*rx1_table)[REGION_RX1_OFFSETS];
    uint32_t rx2_hz;
    uint8_t rx2_dr;

    double eirp_dbm; /* of a device at TXPower 0 */
    uint8_t tx_powers;
    int8_t down_eirp_dbm;
    const struct region_band *bands; /* REGION_BANDS_MAX; NULL: nothing is limited */

    bool has_cf_list;
    bool has_wide; /* 64 to 71 are of 500 kHz; all on and all off carry their mask */
    uint8_t mask_on, mask_off; /* ChMaskCntl: all on, all off */
};

extern const struct region *const region_tables[]; /* closed by NULL */
