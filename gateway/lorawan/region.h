/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region - channel plans, data rates and limits of LoRaWAN regions as constant data (RP002,
 * RP001 for the legacy CN470 plan; facts: lorawan section 8). Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/lorawan/radio.h"

enum {
    REGION_DRS = 16,
    REGION_CHANNELS_MAX = 96, /* CN470 legacy */
    REGION_MASKS_MAX = 7,     /* LinkADRReq of one change, at most */
    REGION_EXTRA_MAX = 5,     /* channels a CFList of frequencies adds */
    REGION_BANDS_MAX = 8,
    REGION_BAND_SLOTS = 61, /* minutes: 60 whole ones and the one that is running */
};

struct region; /* its tables: region_tables.h, for region*.c alone */

/* "eu868", "us915", "au915", "as923-1" .. "as923-4", "in865", "kr920", "cn470" (legacy, RP001),
 * "cn470-20a", "cn470-20b", "cn470-26a", "cn470-26b". NULL: no such. */
const struct region *region_find(const char *id);
/* All of them, closed by NULL, for help and messages. */
const struct region *const *region_all(void);
const char *region_id(const struct region *r);

/* Data rate of an index; false when it does not exist in that direction. */
bool region_rate(const struct region *r, unsigned dr, bool is_up, struct radio_rate *ret);
/* Index of a data rate; -1: none in that direction. */
int region_dr_of(const struct region *r, const struct radio_rate *rate, bool is_up);
/* The highest data rate ADR may choose: 125 kHz. */
unsigned region_dr_adr_max(const struct region *r);
unsigned region_dr_min(const struct region *r);

/* Application bytes at a data rate, without FOpts; 0 also means none may be sent. is_dwell: a
 * limit of 400 ms holds. Repeater-compatible values. */
unsigned region_payload_max(const struct region *r, unsigned dr, bool is_up, bool is_dwell);

/*
 * Channels. A fixed plan (US915, AU915, CN470) has them all from the start and a device is told
 * which are on. A dynamic plan has two or three; extra_hz[] follow them in a join accept and
 * keep their places where they are 0. NULL: no extra ones. Fixed plans ignore it.
 */
bool region_is_fixed(const struct region *r);
/* Of the plan itself, without extra ones. */
unsigned region_channels_n(const struct region *r);
/* Frequency of an uplink channel, 0: there is none of that number. */
uint32_t region_channel_hz(const struct region *r, const uint32_t extra_hz[REGION_EXTRA_MAX],
                           unsigned channel);
/* The channel (1.1: TxCh) of a frequency; -1: none, or none that carries this data rate. */
int region_channel_of(const struct region *r, const uint32_t extra_hz[REGION_EXTRA_MAX],
                      uint32_t freq_hz, const struct radio_rate *rate);
/* The join channel, 0..19, of CN470 plans of RP002: of those that select this very plan. -1:
 * none, and all regions without channels of their own for joins. */
int region_join_channel_of(const struct region *r, uint32_t freq_hz);

/* How an uplink is answered. offset: RX1DROffset of the session, which joins ignore; is_dwell:
 * a limit of 400 ms on downlinks; is_join: a join request. False: the uplink is not of this
 * plan. Dynamic plans take every frequency of their band: a device may have been given channels
 * by its maker that no CFList of ours names, and it listens where it spoke. */
struct region_window {
    uint32_t freq_hz;
    unsigned dr;
    struct radio_rate rate;
};
bool region_rx1(const struct region *r, uint32_t up_hz, unsigned up_dr, unsigned offset,
                bool is_dwell, bool is_join, struct region_window *ret);
/* Defaults; join_channel: of the join that made the session (region_join_channel_of), -1: ABP,
 * or a region where it does not matter. */
struct region_window region_rx2(const struct region *r, int join_channel);
unsigned region_rx1_offset_max(const struct region *r);

/* EIRP of a device at TXPower index 0, steps of 2 dB down, and how many indices there are. */
double region_eirp_max(const struct region *r);
unsigned region_tx_powers(const struct region *r);
/* EIRP the gateway uses for a downlink at that frequency, dBm. */
int region_down_eirp(const struct region *r, uint32_t freq_hz);

/* CFList of a join accept: channels beyond the default ones (100 Hz steps), or masks. false:
 * there is none to give: CN470 legacy knows no CFList, or no channel is extra. enabled: bit
 * (i % 8) of byte i / 8 is channel i, region_channels_n() of them; NULL or none set: all. */
bool region_cf_list(const struct region *r, const uint32_t extra_hz[REGION_EXTRA_MAX],
                    const uint8_t *enabled, uint8_t ret[16]);

/* The LinkADRReq masks that switch on exactly the channels of `enabled` (as above; two bytes,
 * extra channels included, in dynamic plans), as few as possible, in the order they must be
 * sent in one frame; returns how many, at least one. */
struct region_mask {
    uint16_t ch_mask;
    uint8_t ch_mask_cntl;
};
unsigned region_masks(const struct region *r, const uint8_t *enabled,
                      struct region_mask ret[REGION_MASKS_MAX]);

/* ---- limits of transmission that bind the gateway, too (EU868 and the like) ---- */

struct band_account { /* time on air of the last hour by sub-band; of one gateway; zeroed */
    struct {
        int64_t slot; /* minute it belongs to */
        int64_t us;
    } slots[REGION_BANDS_MAX][REGION_BAND_SLOTS];
};
/* Whether a transmission of us microseconds at that frequency still fits; then it is booked.
 * False, too, between the sub-bands, where nothing may be sent. now_us: monotonic, when it
 * begins; bookings may come out of order by some minutes. */
bool region_band_take(const struct region *r, struct band_account *a, uint32_t freq_hz,
                      int64_t now_us, int64_t us);
/* Share of the limit used in the last hour, 0..1; NaN: no limit there. */
double region_band_used(const struct region *r, const struct band_account *a, uint32_t freq_hz,
                        int64_t now_us);
