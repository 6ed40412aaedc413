/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lorawan/mac.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/lorawan/wire.h"

enum { NONE = -1 }; /* no such command in that direction */

/* Names and payload lengths: LoRaWAN L2 1.1 section 5; 0x20 of 1.1 alone. */
static const struct kind {
    uint8_t cid;
    int8_t up, down;
    const char *up_name, *down_name;
} kinds[] = {
    { MAC_RESET, 1, 1, "ResetInd", "ResetConf" },
    { MAC_LINK_CHECK, 0, 2, "LinkCheckReq", "LinkCheckAns" },
    { MAC_LINK_ADR, 1, 4, "LinkADRAns", "LinkADRReq" },
    { MAC_DUTY_CYCLE, 0, 1, "DutyCycleAns", "DutyCycleReq" },
    { MAC_RX_PARAM_SETUP, 1, 4, "RXParamSetupAns", "RXParamSetupReq" },
    { MAC_DEV_STATUS, 2, 0, "DevStatusAns", "DevStatusReq" },
    { MAC_NEW_CHANNEL, 1, 5, "NewChannelAns", "NewChannelReq" },
    { MAC_RX_TIMING_SETUP, 0, 1, "RXTimingSetupAns", "RXTimingSetupReq" },
    { MAC_TX_PARAM_SETUP, 0, 1, "TXParamSetupAns", "TXParamSetupReq" },
    { MAC_DL_CHANNEL, 1, 4, "DlChannelAns", "DlChannelReq" },
    { MAC_REKEY, 1, 1, "RekeyInd", "RekeyConf" },
    { MAC_ADR_PARAM_SETUP, 0, 1, "ADRParamSetupAns", "ADRParamSetupReq" },
    { MAC_DEVICE_TIME, 0, 5, "DeviceTimeReq", "DeviceTimeAns" },
    { MAC_FORCE_REJOIN, NONE, 2, NULL, "ForceRejoinReq" },
    { MAC_REJOIN_PARAM_SETUP, 1, 1, "RejoinParamSetupAns", "RejoinParamSetupReq" },
    { MAC_PING_SLOT_INFO, 1, 0, "PingSlotInfoReq", "PingSlotInfoAns" },
    { MAC_PING_SLOT_CHANNEL, 1, 4, "PingSlotChannelAns", "PingSlotChannelReq" },
    { MAC_BEACON_TIMING, 0, 3, "BeaconTimingReq", "BeaconTimingAns" },
    { MAC_BEACON_FREQ, 1, 3, "BeaconFreqAns", "BeaconFreqReq" },
    { MAC_DEVICE_MODE, 1, 1, "DeviceModeInd", "DeviceModeConf" },
};

static const struct kind *kind_of(uint8_t cid)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].cid == cid)
            return &kinds[i];
    return NULL;
}

int mac_next(const uint8_t *bytes, size_t n, bool is_up, size_t *at, struct mac_command *ret)
{
    if (*at >= n)
        return 0;
    const struct kind *k = kind_of(bytes[*at]);
    int size = !k ? NONE : is_up ? k->up : k->down;
    if (size == NONE || (size_t)size > n - *at - 1)
        return -EINVAL;
    *ret = (struct mac_command){ bytes[*at], bytes + *at + 1, (uint8_t)size };
    *at += 1 + (size_t)size;
    return 1;
}

const char *mac_name(uint8_t cid, bool is_up)
{
    const struct kind *k = kind_of(cid);

    return !k ? NULL : is_up ? k->up_name : k->down_name;
}

/* ---- writing ---- */

bool mac_put(uint8_t *out, size_t *n, size_t room, uint8_t cid, const uint8_t *payload,
             size_t payload_n)
{
    if (*n + 1 + payload_n > room)
        return false;
    out[*n] = cid;
    if (payload_n)
        memcpy(out + *n + 1, payload, payload_n);
    *n += 1 + payload_n;
    return true;
}

bool mac_put_link_check(uint8_t *out, size_t *n, size_t room, uint8_t margin, uint8_t gateways)
{
    const uint8_t p[] = { margin, gateways };

    return mac_put(out, n, room, MAC_LINK_CHECK, p, sizeof p);
}

bool mac_put_link_adr(uint8_t *out, size_t *n, size_t room, const struct mac_link_adr *a)
{
    const uint8_t p[] = { (uint8_t)(a->dr << 4 | (a->tx_power & 15)), (uint8_t)a->ch_mask,
                          (uint8_t)(a->ch_mask >> 8),
                          (uint8_t)((a->ch_mask_cntl & 7) << 4 | (a->nb_trans & 15)) };

    return mac_put(out, n, room, MAC_LINK_ADR, p, sizeof p);
}

bool mac_put_device_time(uint8_t *out, size_t *n, size_t room, int64_t gps_ms)
{
    uint8_t p[5];

    put_le(p, (uint64_t)(gps_ms / 1000), 4);
    p[4] = (uint8_t)(gps_ms % 1000 * 256 / 1000);
    return mac_put(out, n, room, MAC_DEVICE_TIME, p, sizeof p);
}

bool mac_put_rx_param(uint8_t *out, size_t *n, size_t room, uint8_t rx1_dr_offset,
                      uint8_t rx2_dr, uint32_t rx2_hz)
{
    uint8_t p[4] = { (uint8_t)((rx1_dr_offset & 7) << 4 | (rx2_dr & 15)) };

    put_le(p + 1, rx2_hz / 100, 3);
    return mac_put(out, n, room, MAC_RX_PARAM_SETUP, p, sizeof p);
}

bool mac_put_new_channel(uint8_t *out, size_t *n, size_t room, uint8_t index, uint32_t hz,
                         uint8_t dr_min, uint8_t dr_max)
{
    uint8_t p[5] = { index };

    put_le(p + 1, hz / 100, 3);
    p[4] = (uint8_t)(dr_max << 4 | (dr_min & 15));
    return mac_put(out, n, room, MAC_NEW_CHANNEL, p, sizeof p);
}

/* ---- in words ---- */

static void print_rx_param(const uint8_t *p, char *out, size_t size)
{
    snprintf(out, size, "RX1DROffset %d RX2DataRate DR%d %u.%04u MHz", p[0] >> 4 & 7, p[0] & 15,
             (unsigned)(get_u24(p + 1) / 10000), (unsigned)(get_u24(p + 1) % 10000));
}

static void print_new_channel(const uint8_t *p, char *out, size_t size)
{
    snprintf(out, size, "channel %d %u.%04u MHz DR%d to DR%d", p[0],
             (unsigned)(get_u24(p + 1) / 10000), (unsigned)(get_u24(p + 1) % 10000), p[4] & 15,
             p[4] >> 4);
}

static void print_down(const struct mac_command *m, char *out, size_t size)
{
    const uint8_t *p = m->payload;

    switch (m->cid) {
    case MAC_LINK_CHECK:
        snprintf(out, size, "margin %d dB, %d gateways", p[0], p[1]);
        break;
    case MAC_LINK_ADR:
        snprintf(out, size, "DR%d TXPower %d ChMask %04x ChMaskCntl %d NbTrans %d", p[0] >> 4,
                 p[0] & 15, get_u16(p + 1), p[3] >> 4 & 7, p[3] & 15);
        break;
    case MAC_RX_PARAM_SETUP:
        print_rx_param(p, out, size);
        break;
    case MAC_NEW_CHANNEL:
        print_new_channel(p, out, size);
        break;
    case MAC_RX_TIMING_SETUP:
        snprintf(out, size, "delay %d s", p[0] & 15 ? p[0] & 15 : 1);
        break;
    case MAC_DUTY_CYCLE:
        snprintf(out, size, "1/%u", 1u << (p[0] & 15));
        break;
    case MAC_TX_PARAM_SETUP:
        snprintf(out, size, "uplink dwell %s, downlink dwell %s, EIRP index %d",
                 p[0] & 0x10 ? "400 ms" : "free", p[0] & 0x20 ? "400 ms" : "free", p[0] & 15);
        break;
    case MAC_DL_CHANNEL:
        snprintf(out, size, "channel %d %u.%04u MHz", p[0], (unsigned)(get_u24(p + 1) / 10000),
                 (unsigned)(get_u24(p + 1) % 10000));
        break;
    case MAC_DEVICE_TIME:
        snprintf(out, size, "GPS %u.%03d s", (unsigned)get_u32(p), p[4] * 1000 / 256);
        break;
    default:
        if (m->n == 1)
            snprintf(out, size, "%02x", p[0]);
        break;
    }
}

/* Bits of an answer that say "taken"; names, lowest bit first. */
static void print_taken(uint8_t bits, const char *const *names, int n, char *out, size_t size)
{
    int used = 0;

    for (int i = 0; i < n && used >= 0 && (size_t)used < size; i++)
        used += snprintf(out + used, size - (size_t)used, "%s%s %s", i ? ", " : "", names[i],
                         bits & 1 << i ? "taken" : "refused");
}

static void print_up(const struct mac_command *m, char *out, size_t size)
{
    static const char *const adr[] = { "channel mask", "data rate", "power" };
    static const char *const rx_param[] = { "channel", "RX2 data rate", "RX1 offset" };
    static const char *const new_channel[] = { "frequency", "data rates" };
    static const char *const dl_channel[] = { "frequency", "uplink frequency" };
    const uint8_t *p = m->payload;

    switch (m->cid) {
    case MAC_LINK_ADR:
        print_taken(p[0], adr, 3, out, size);
        break;
    case MAC_RX_PARAM_SETUP:
        print_taken(p[0], rx_param, 3, out, size);
        break;
    case MAC_NEW_CHANNEL:
        print_taken(p[0], new_channel, 2, out, size);
        break;
    case MAC_DL_CHANNEL:
        print_taken(p[0], dl_channel, 2, out, size);
        break;
    case MAC_DEV_STATUS: {
        int margin = (p[1] & 0x20) ? (p[1] & 0x3F) - 64 : p[1] & 0x3F; /* 6 bits, signed */
        snprintf(out, size, "battery %d, margin %d dB", p[0], margin);
        break;
    }
    default:
        if (m->n == 1)
            snprintf(out, size, "%02x", p[0]);
        break;
    }
}

void mac_print(const struct mac_command *m, bool is_up, char *out, size_t size)
{
    if (size == 0)
        return;
    out[0] = '\0';
    if (is_up)
        print_up(m, out, size);
    else
        print_down(m, out, size);
}
