/* SPDX-License-Identifier: Apache-2.0 */
/* What LoRa buses and devices of a configuration may say. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/config.h"
#include "unit.h"

enum { TEXT_SIZE = 8192 };

static const struct field_kind no_uplinks[] = { { 0 } };

#define KEY "000102030405060708090A0B0C0D0E0F"
#define EUI "70B3D57ED0000001"

/* Loads it; the messages of what is wrong in `said`. */
static int load(const char *buses, const char *devices, struct config **ret, char *said,
                size_t size)
{
    char text[TEXT_SIZE];
    struct diag *d = NULL;
    FILE *out = fmemopen(said, size, "w");

    assert_non_null(out);
    assert_int_equal(diag_create(&d), 0);
    int n = snprintf(text, sizeof text,
                     "station: {id: s}\nbuses:\n%sdevices:\n%s"
                     "log: {path: /tmp/x.db}\n",
                     buses, devices);
    int rc = config_load_text("s.yaml", text, (size_t)n, no_uplinks, d, ret);
    diag_print(d, out);
    fclose(out);
    diag_destroy(d);
    return rc;
}

#define BUS \
    "  - {id: lora, type: lora-udp, region: eu868, gateways: [{id: roof, eui: " \
    "\"0102030405060708\"}], keys: \"" EUI " app_key=" KEY "\"}\n"
#define DEVICE \
    "  - {id: soil, profile: dragino-lse01, bus: lora, poll: 20min, lora: {dev_eui: \"" EUI \
    "\"}}\n"

static void takes_a_device_with_its_keys(void **state)
{
    struct config *c = NULL;
    char said[TEXT_SIZE] = "";

    (void)state;
    assert_int_equal(load(BUS, DEVICE, &c, said, sizeof said), 0);
    const struct device_conf *d = c->devices.items;
    assert_true(d->lora.eui == UINT64_C(0x70B3D57ED0000001));
    assert_non_null(d->lora.keys);
    assert_int_equal(d->lora.keys->key[LORA_APP_KEY].bytes[15], 0x0F);
    const struct bus_lora_udp_conf *u = lora_udp_of(d->bus_found);
    assert_non_null(u);
    assert_int_equal(u->rx1_delay_ms, 1000);
    assert_int_equal(u->rx2_dr, -1);
    config_destroy(c);
}

static void printed_configurations_show_no_key(void **state)
{
    char said[TEXT_SIZE] = "", text[TEXT_SIZE] = "";
    struct config *c = NULL;
    FILE *out = fmemopen(text, sizeof text, "w");

    (void)state;
    assert_int_equal(load(BUS, DEVICE, &c, said, sizeof said), 0);
    assert_int_equal(config_print(c, out), 0);
    fclose(out);
    assert_non_null(strstr(text, "region: eu868"));
    assert_null(strstr(text, KEY));
    config_destroy(c);
}

static void refuses(const char *buses, const char *devices, const char *why)
{
    char said[TEXT_SIZE] = "";
    struct config *c = NULL;

    assert_int_equal(load(buses, devices, &c, said, sizeof said), -EINVAL);
    if (!strstr(said, why))
        fail_msg("expected '%s' in: %s", why, said);
}

#define BUS_WITH(what) \
    "  - {id: lora, type: lora-udp, region: eu868, gateways: [{id: roof, eui: " \
    "\"0102030405060708\"}], " what "}\n"

static void says_what_is_wrong(void **state)
{
    (void)state;
    refuses("  - {id: lora, type: lora-udp, region: mars, gateways: [{id: a, eui: "
            "\"0102030405060708\"}]}\n",
            "", "eu868");
    refuses(BUS_WITH("rx2_dr: 15"), "", "downlink data rate");
    refuses(BUS_WITH("rx1_delay: 1500ms"), "", "whole seconds");
    refuses(BUS_WITH("channels: 0-99"), "", "channels of eu868");
    refuses(BUS_WITH("keys: \"" EUI " app_key=00\""), DEVICE, "32 hexadecimal digits");
    refuses(BUS_WITH("keys: \"" EUI " nwk_s_key=" KEY "\""), DEVICE, "no app_key");
    refuses("  - {id: lora, type: lora-udp, region: eu868, gateways: [{id: a, eui: "
            "\"0102030405060708\", from: here}]}\n",
            "", "192.0.2.0/24");
    refuses(BUS, "  - {id: soil, profile: dragino-lse01, bus: lora}\n", "dev_eui");
    refuses(BUS,
            "  - {id: soil, profile: teledyne-t400, bus: lora, lora: {dev_eui: \"" EUI "\"}}\n",
            "read by Modbus");
    refuses(BUS "  - {id: line, type: modbus-tcp, host: h}\n",
            "  - {id: soil, profile: dragino-lse01, bus: line, poll: 1min}\n",
            "is none for it");
    refuses(BUS,
            DEVICE "  - {id: twin, profile: dragino-lse01, bus: lora, lora: {dev_eui: \"" EUI
                   "\"}}\n",
            "has this DevEUI");
    refuses(BUS "  - {id: far, type: modbus-lorawan, device: soil}\n", DEVICE, "class: C");
}

static void warns_of_an_open_door(void **state)
{
    struct config *c = NULL;
    char said[TEXT_SIZE] = "";

    (void)state;
    assert_int_equal(load(BUS_WITH("listen: \"0.0.0.0:1700\""), "", &c, said, sizeof said), 0);
    assert_non_null(strstr(said, "anybody who reaches"));
    config_destroy(c);
}

static size_t lines;

static void count(void *user, const struct lora_keys *k)
{
    (void)user;
    lines++;
    assert_true(k->has);
}

static void keys_stand_in_lines(void **state)
{
    char why[256] = "";

    (void)state;
    lines = 0;
    assert_int_equal(lora_keys_parse("# keys\n\n" EUI " app_key=" KEY " nwk_key=" KEY "\r\n"
                                     "70:B3:D5:7E:D0:00:00:02\tnwk_s_key=" KEY
                                     " app_s_key=" KEY,
                                     count, NULL, why, sizeof why),
                     0);
    assert_int_equal(lines, 2);
    static const struct {
        const char *text;
        int line;
    } wrong[] = {
        { "x app_key=" KEY, 1 },
        { "\n" EUI " app_key=" KEY "0", 2 },
        { EUI " app_kex=" KEY, 1 },
        { EUI, 1 },
        { EUI " app_key=" KEY " app_key=" KEY, 1 },
        { EUI " app_key", 1 },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(lora_keys_parse(wrong[i].text, count, NULL, why, sizeof why),
                         wrong[i].line);
        assert_null(strstr(why, KEY));
        assert_non_null(strchr(why, '.'));
    }
}

static void channels_are_lists_of_ranges(void **state)
{
    uint8_t mask[12];

    (void)state;
    assert_int_equal(lora_channels_parse("80-87", 96, mask), 0);
    assert_int_equal(mask[10], 0xFF);
    assert_int_equal(mask[9] | mask[11], 0);
    assert_int_equal(lora_channels_parse("0,2-3, 64", 72, mask), 0);
    assert_int_equal(mask[0], 0x0D);
    assert_int_equal(mask[8], 0x01);
    static const char *const wrong[] = { "", "96", "3-2", "1-", "-1", "a", "1,", "1 2" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(lora_channels_parse(wrong[i], 96, mask), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_device_with_its_keys),
        cmocka_unit_test(printed_configurations_show_no_key),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(warns_of_an_open_door),
        cmocka_unit_test(keys_stand_in_lines),
        cmocka_unit_test(channels_are_lists_of_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
