/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lorawan/mac.h"

#include <errno.h>
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

bool mac_put(uint8_t *out, size_t *n, size_t room, uint8_t cid, const uint8_t *payload,
             size_t payload_n)
{
    if (*n >= room || payload_n > room - *n - 1)
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
