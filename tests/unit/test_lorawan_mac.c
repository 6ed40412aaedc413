/* SPDX-License-Identifier: Apache-2.0 */
/* MAC commands: lengths, fields in words, writing. */
#include <errno.h>
#include <string.h>

#include "gateway/lorawan/mac.h"
#include "tests/unit/unit.h"

static const struct {
    bool is_up;
    const char *name, *text;
    uint8_t n, bytes[1 + MAC_PAYLOAD_MAX];
} commands[] = {
    { true, "ResetInd", "LoRaWAN 1.1", 2, { 0x01, 0x01 } },
    { false, "ResetConf", "LoRaWAN 1.1", 2, { 0x01, 0x01 } },
    { true, "LinkCheckReq", "", 1, { 0x02 } },
    { false, "LinkCheckAns", "Margin(dB) 20 Gateways 1", 3, { 0x02, 20, 1 } },
    { true, "LinkADRAns", "Power ok DataRate refused ChMask ok", 2, { 0x03, 0x05 } },
    { false,
      "LinkADRReq",
      "DR5 TXPower 1 ChMask 00ff ChMaskCntl 6 NbTrans 2",
      5,
      { 0x03, 0x51, 0xFF, 0x00, 0x62 } },
    { true, "DutyCycleAns", "", 1, { 0x04 } },
    { false, "DutyCycleReq", "MaxDutyCycle 1/128", 2, { 0x04, 0x07 } },
    { true,
      "RXParamSetupAns",
      "RX1DROffset ok RX2DataRate ok Channel refused",
      2,
      { 0x05, 0x06 } },
    { false,
      "RXParamSetupReq",
      "RX1DROffset 1 RX2 DR2 869.5250 MHz",
      5,
      { 0x05, 0x12, 0xD2, 0xAD, 0x84 } },
    { true, "DevStatusAns", "Battery 254/254 Margin(dB) -1", 3, { 0x06, 254, 0x3F } },
    { false, "DevStatusReq", "", 1, { 0x06 } },
    { true, "NewChannelAns", "DataRates ok Frequency ok", 2, { 0x07, 0x03 } },
    { false,
      "NewChannelReq",
      "Channel 3 867.1000 MHz MinDR0 MaxDR5",
      6,
      { 0x07, 0x03, 0x18, 0x4F, 0x84, 0x50 } },
    { true, "RXTimingSetupAns", "", 1, { 0x08 } },
    { false, "RXTimingSetupReq", "RX1Delay(s) 1", 2, { 0x08, 0x00 } },
    { true, "TXParamSetupAns", "", 1, { 0x09 } },
    { false,
      "TXParamSetupReq",
      "DownlinkDwellTime 1 UplinkDwellTime 0 MaxEIRP(dBm) 16",
      2,
      { 0x09, 0x25 } },
    { true, "DlChannelAns", "UplinkFrequency ok Frequency refused", 2, { 0x0A, 0x02 } },
    { false, "DlChannelReq", "Channel 2 868.5000 MHz", 5, { 0x0A, 2, 0xC8, 0x85, 0x84 } },
    { true, "RekeyInd", "LoRaWAN 1.1", 2, { 0x0B, 0x01 } },
    { false, "RekeyConf", "LoRaWAN 1.1", 2, { 0x0B, 0x01 } },
    { true, "ADRParamSetupAns", "", 1, { 0x0C } },
    { false, "ADRParamSetupReq", "ADR_ACK_LIMIT 64 ADR_ACK_DELAY 32", 2, { 0x0C, 0x65 } },
    { true, "DeviceTimeReq", "", 1, { 0x0D } },
    { false,
      "DeviceTimeAns",
      "GPS(s) 1732584193 + 128/256 s",
      6,
      { 0x0D, 0x01, 0x23, 0x45, 0x67, 0x80 } },
    { false,
      "ForceRejoinReq",
      "Period 2 MaxRetries 1 RejoinType 2 DR3",
      3,
      { 0x0E, 0x23, 0x11 } },
    { true, "RejoinParamSetupAns", "Time ok", 2, { 0x0F, 0x01 } },
    { false, "RejoinParamSetupReq", "MaxTimeN 4 MaxCountN 7", 2, { 0x0F, 0x47 } },
    { true, "PingSlotInfoReq", "Periodicity(s) 128", 2, { 0x10, 0x07 } },
    { false, "PingSlotInfoAns", "", 1, { 0x10 } },
    { true, "PingSlotChannelAns", "DataRate ok Frequency ok", 2, { 0x11, 0x03 } },
    { false, "PingSlotChannelReq", "869.5250 MHz DR3", 5, { 0x11, 0xD2, 0xAD, 0x84, 0x03 } },
    { true, "BeaconTimingReq", "", 1, { 0x12 } },
    { false, "BeaconTimingAns", "Delay(30ms) 258 Channel 3", 4, { 0x12, 0x02, 0x01, 0x03 } },
    { true, "BeaconFreqAns", "Frequency ok", 2, { 0x13, 0x01 } },
    { false, "BeaconFreqReq", "869.5250 MHz", 4, { 0x13, 0xD2, 0xAD, 0x84 } },
    { true, "DeviceModeInd", "Class C", 2, { 0x20, 0x02 } },
    { false, "DeviceModeConf", "Class A", 2, { 0x20, 0x00 } },
};

static void every_command_is_told_in_words(void **state)
{
    char text[MAC_TEXT_SIZE];
    struct mac_command m;

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        size_t at = 0;
        assert_int_equal(mac_next(commands[i].bytes, commands[i].n, commands[i].is_up, &at, &m),
                         1);
        assert_int_equal(at, commands[i].n);
        assert_string_equal(mac_name(m.cid, commands[i].is_up), commands[i].name);
        mac_print(&m, commands[i].is_up, text, sizeof text);
        assert_string_equal(text, commands[i].text);
    }
}

static void every_byte_less_is_a_command_cut_off(void **state)
{
    struct mac_command m;

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        for (size_t n = 1; n < commands[i].n; n++) {
            size_t at = 0;
            assert_int_equal(mac_next(commands[i].bytes, n, commands[i].is_up, &at, &m),
                             -EINVAL);
            assert_int_equal(at, 0);
        }
    }
}

static void stops_at_a_command_whose_length_nobody_knows(void **state)
{
    const uint8_t bytes[] = { 0x02, 0x0E, 0x0D };
    struct mac_command m;
    size_t at = 0;

    (void)state;
    assert_int_equal(mac_next(bytes, sizeof bytes, true, &at, &m), 1);
    assert_int_equal(mac_next(bytes, sizeof bytes, true, &at, &m), -EINVAL);
    assert_int_equal(at, 1);
    assert_null(mac_name(0x0E, true));
    assert_null(mac_name(0xFF, false));
    at = sizeof bytes;
    assert_int_equal(mac_next(bytes, sizeof bytes, true, &at, &m), 0);
}

static void prints_into_whatever_room_there_is(void **state)
{
    const uint8_t payload[] = { 0x51, 0xFF, 0x00, 0x62 };
    const struct mac_command m = { MAC_LINK_ADR, payload, sizeof payload };
    char whole[MAC_TEXT_SIZE], text[MAC_TEXT_SIZE];

    (void)state;
    mac_print(&m, false, whole, sizeof whole);
    for (size_t size = 1; size <= sizeof text; size++) {
        memset(text, '!', sizeof text);
        mac_print(&m, false, text, size);
        assert_true(strlen(text) < size);
        assert_memory_equal(text, whole, strlen(text));
        if (size < sizeof text)
            assert_int_equal(text[size], '!');
    }
    text[0] = '!';
    mac_print(&m, false, text, 0);
    assert_int_equal(text[0], '!');
}

static void what_is_put_is_read(void **state)
{
    const struct mac_link_adr adr = {
        .dr = 5, .tx_power = 1, .ch_mask = 0x00FF, .ch_mask_cntl = 6, .nb_trans = 2
    };
    const uint8_t expected[] = { 0x02, 20,   1,    0x03, 0x51, 0xFF, 0x00, 0x62, 0x05,
                                 0x12, 0xD2, 0xAD, 0x84, 0x07, 3,    0x18, 0x4F, 0x84,
                                 0x50, 0x0D, 0x01, 0x23, 0x45, 0x67, 0x80, 0x06 };
    uint8_t out[64];
    size_t n = 0;

    (void)state;
    assert_true(mac_put_link_check(out, &n, sizeof out, 20, 1));
    assert_true(mac_put_link_adr(out, &n, sizeof out, &adr));
    assert_true(mac_put_rx_param(out, &n, sizeof out, 1, 2, 869525000));
    assert_true(mac_put_new_channel(out, &n, sizeof out, 3, 867100000, 0, 5));
    assert_true(mac_put_device_time(out, &n, sizeof out, 1732584193500));
    assert_true(mac_put(out, &n, sizeof out, MAC_DEV_STATUS, NULL, 0));
    assert_int_equal(n, sizeof expected);
    assert_memory_equal(out, expected, n);
}

static void changes_nothing_when_it_does_not_fit(void **state)
{
    uint8_t out[4] = { 1, 2, 3, 4 };
    const uint8_t before[4] = { 1, 2, 3, 4 };
    size_t n = 2;

    (void)state;
    assert_false(mac_put_link_check(out, &n, sizeof out, 20, 1));
    assert_int_equal(n, 2);
    assert_memory_equal(out, before, sizeof out);
    n = 4;
    assert_false(mac_put(out, &n, sizeof out, MAC_DEV_STATUS, NULL, 0));
    assert_int_equal(n, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_is_told_in_words),
        cmocka_unit_test(every_byte_less_is_a_command_cut_off),
        cmocka_unit_test(stops_at_a_command_whose_length_nobody_knows),
        cmocka_unit_test(prints_into_whatever_room_there_is),
        cmocka_unit_test(what_is_put_is_read),
        cmocka_unit_test(changes_nothing_when_it_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
