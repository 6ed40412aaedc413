/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mac - MAC commands: their lengths, fields and names (facts: lorawan section 6). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mac_cid {
    MAC_RESET = 0x01,
    MAC_LINK_CHECK = 0x02,
    MAC_LINK_ADR = 0x03,
    MAC_DUTY_CYCLE = 0x04,
    MAC_RX_PARAM_SETUP = 0x05,
    MAC_DEV_STATUS = 0x06,
    MAC_NEW_CHANNEL = 0x07,
    MAC_RX_TIMING_SETUP = 0x08,
    MAC_TX_PARAM_SETUP = 0x09,
    MAC_DL_CHANNEL = 0x0A,
    MAC_REKEY = 0x0B,
    MAC_ADR_PARAM_SETUP = 0x0C,
    MAC_DEVICE_TIME = 0x0D,
    MAC_FORCE_REJOIN = 0x0E,
    MAC_REJOIN_PARAM_SETUP = 0x0F,
    MAC_PING_SLOT_INFO = 0x10,
    MAC_PING_SLOT_CHANNEL = 0x11,
    MAC_BEACON_TIMING = 0x12,
    MAC_BEACON_FREQ = 0x13,
    MAC_DEVICE_MODE = 0x20,
};

enum { MAC_PAYLOAD_MAX = 5 };

struct mac_command {
    uint8_t cid;
    const uint8_t *payload; /* into the bytes read */
    uint8_t n;
};

/* The next command at *at of bytes[0..n), which moves on. 1: there is one; 0: the end;
 * -EINVAL: an unknown command, whose length nobody knows, or one that is cut off. */
int mac_next(const uint8_t *bytes, size_t n, bool is_up, size_t *at, struct mac_command *ret);
/* "LinkADRReq"; NULL when unknown. */
const char *mac_name(uint8_t cid, bool is_up);

struct mac_link_adr { /* LinkADRReq */
    uint8_t dr, tx_power;
    uint16_t ch_mask;
    uint8_t ch_mask_cntl, nb_trans;
};

/* Each appends one command to out[*n], of which `room` bytes are left in all; false: it does
 * not fit, nothing changes. */
bool mac_put(uint8_t *out, size_t *n, size_t room, uint8_t cid, const uint8_t *payload,
             size_t payload_n);
bool mac_put_link_check(uint8_t *out, size_t *n, size_t room, uint8_t margin, uint8_t gateways);
bool mac_put_link_adr(uint8_t *out, size_t *n, size_t room, const struct mac_link_adr *a);
/* gps_ms: milliseconds since 1980-01-06, without leap seconds, of the end of the uplink. */
bool mac_put_device_time(uint8_t *out, size_t *n, size_t room, int64_t gps_ms);
bool mac_put_rx_param(uint8_t *out, size_t *n, size_t room, uint8_t rx1_dr_offset,
                      uint8_t rx2_dr, uint32_t rx2_hz);
bool mac_put_new_channel(uint8_t *out, size_t *n, size_t room, uint8_t index, uint32_t hz,
                         uint8_t dr_min, uint8_t dr_max);

/* Every field of a command in the specification's words, "DR5 TXPower 0 ChMask 00ff ChMaskCntl
 * 0 NbTrans 1". At most `size` bytes with the closing 0; MAC_TEXT_SIZE is enough for all. ""
 * for a command without fields. */
enum { MAC_TEXT_SIZE = 96 };
void mac_print(const struct mac_command *m, bool is_up, char *out, size_t size);
