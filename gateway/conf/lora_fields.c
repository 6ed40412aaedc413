/* SPDX-License-Identifier: Apache-2.0 */
/* Options of LoRa buses and devices as tables, for config_fields.c. */
#include <stdio.h>
#include <string.h>

#include "gateway/conf/config_internal.h"
#include "gateway/conf/utf8.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };

#define AT(type, member) .offset = offsetof(struct type, member)

static bool refuse(const char *text, char *why, size_t size, const char *expected)
{
    char shown[DIAG_SHOWN_BYTES];

    utf8_shown(text, DIAG_SHOWN_MAX, shown, sizeof shown);
    snprintf(why, size, "expected %s, got '%s'", expected, shown);
    return false;
}

static bool eui_is_ok(const char *text, char *why, size_t size)
{
    uint64_t eui;

    return lorawan_eui_parse(text, &eui) == 0 ||
           refuse(text, why, size, "16 hexadecimal digits (quoted: \"70B3D57ED0000001\")");
}

static bool addr_is_ok(const char *text, char *why, size_t size)
{
    uint32_t addr;

    return lorawan_addr_parse(text, &addr) == 0 ||
           refuse(text, why, size, "8 hexadecimal digits (quoted: \"01AB23CD\")");
}

static bool net_id_is_ok(const char *text, char *why, size_t size)
{
    size_t n = strspn(text, "0123456789abcdefABCDEF");

    return (n == 6 && text[n] == '\0') ||
           refuse(text, why, size, "6 hexadecimal digits (quoted: \"000000\")");
}

static bool region_is_ok(const char *text, char *why, size_t size)
{
    char all[256] = "one of";

    if (region_find(text))
        return true;
    for (const struct region *const *r = region_all(); *r; r++) {
        size_t n = strlen(all);
        snprintf(all + n, sizeof all - n, "%s %s", r == region_all() ? "" : ",", region_id(*r));
    }
    return refuse(text, why, size, all);
}

static const char *const schedule_words[] = { "early", "late", NULL };
static const char *const rx1_words[] = { "region", "same-frequency", NULL };
/* In the order of the enums of gateway/lorawan/network.h. */
static const char *const version_words[] = { "1.0", "1.0.4", "1.1", NULL };
static const char *const class_words[] = { "A", "C", NULL };
static const char *const nonce_words[] = { "by-version", "random", "counter", NULL };
static const char *const adr_words[] = { "on", "static", "off", NULL };

static const struct field gateway_fields[] = {
    { .name = "id",
      .type = FIELD_ID,
      AT(lora_gateway_conf, id),
      .flags = FIELD_REQUIRED | FIELD_UNIQUE,
      .help = "Name of the concentrator in states, events and counters." },
    { .name = "eui",
      .type = FIELD_TEXT,
      AT(lora_gateway_conf, eui),
      .flags = FIELD_REQUIRED,
      .help = "Gateway EUI, as the packet forwarder's configuration says.",
      .is_ok = eui_is_ok },
    { .name = "from",
      .type = FIELD_TEXT,
      AT(lora_gateway_conf, from),
      .help = "Address or network it speaks from, 192.0.2.7 or 192.0.2.0/24. Not given: any." },
    { .name = "keepalive",
      .type = FIELD_DURATION,
      AT(lora_gateway_conf, keepalive_ms),
      .dflt = "10s",
      .min = SECOND,
      .max = 10 * MINUTE,
      .help = "Interval of its PULL_DATA; after three it is silent." },
    { .name = "gps",
      .type = FIELD_BOOL,
      AT(lora_gateway_conf, is_gps),
      .dflt = "false",
      .help = "Its time comes from GPS, and is believed when it agrees within 2 s." },
    { .name = "schedule",
      .type = FIELD_ENUM,
      AT(lora_gateway_conf, schedule),
      .dflt = "early",
      .help = "late: hand transmissions over 300 ms before their time, for forwarders without "
              "a queue.",
      .words = schedule_words },
    { .name = "max_eirp",
      .type = FIELD_INT,
      AT(lora_gateway_conf, max_eirp),
      .dflt = "-1",
      .min = 0,
      .max = 36,
      .help = "Most it may radiate, dBm EIRP. Not given: the region's limit." },
    { 0 },
};

const struct field lora_udp_fields[] = {
    { .name = "listen",
      .type = FIELD_TEXT,
      AT(bus_lora_udp_conf, listen),
      .dflt = "127.0.0.1:1700",
      .help = "UDP address for packet forwarders: loopback or the station's LAN, never the "
              "internet." },
    { .name = "region",
      .type = FIELD_TEXT,
      AT(bus_lora_udp_conf, region),
      .flags = FIELD_REQUIRED,
      .help = "Channel plan, such as cn470, eu868 or us915.",
      .is_ok = region_is_ok },
    { .name = "gateways",
      .type = FIELD_LIST,
      AT(bus_lora_udp_conf, gateways),
      .flags = FIELD_REQUIRED,
      .min = 1,
      .max = NETWORK_GATEWAYS_MAX,
      .help = "The concentrators that may speak.",
      .fields = gateway_fields,
      .size = sizeof(struct lora_gateway_conf) },
    { .name = "keys",
      .type = FIELD_TEXT,
      AT(bus_lora_udp_conf, keys),
      .flags = FIELD_SECRET,
      .help = "Keys of the devices, a line each: DEVEUI app_key=KEY, or DEVEUI nwk_s_key=KEY "
              "app_s_key=KEY." },
    { .name = "net_id",
      .type = FIELD_TEXT,
      AT(bus_lora_udp_conf, net_id),
      .dflt = "000000",
      .help = "NetID given to devices that join; 000000 is for private networks.",
      .is_ok = net_id_is_ok },
    { .name = "rx1_delay",
      .type = FIELD_DURATION,
      AT(bus_lora_udp_conf, rx1_delay_ms),
      .dflt = "1s",
      .min = SECOND,
      .max = 15 * SECOND,
      .help = "From the end of an uplink to its first window, whole seconds." },
    { .name = "rx1_dr_offset",
      .type = FIELD_INT,
      AT(bus_lora_udp_conf, rx1_dr_offset),
      .dflt = "0",
      .min = 0,
      .max = 7,
      .help = "RX1DROffset given to devices that join." },
    { .name = "rx2_dr",
      .type = FIELD_INT,
      AT(bus_lora_udp_conf, rx2_dr),
      .dflt = "-1",
      .min = 0,
      .max = 15,
      .help = "Data rate of the second window. Not given: the region's." },
    { .name = "rx2_frequency",
      .type = FIELD_DOUBLE,
      AT(bus_lora_udp_conf, rx2_mhz),
      .min = 137,
      .max = 1020,
      .help = "Frequency of the second window, MHz. Not given: the region's." },
    { .name = "rx1",
      .type = FIELD_ENUM,
      AT(bus_lora_udp_conf, rx1),
      .dflt = "region",
      .help = "same-frequency: the first window is on the uplink's frequency, as some private "
              "CN470 networks have it.",
      .words = rx1_words },
    { .name = "channels",
      .type = FIELD_TEXT,
      AT(bus_lora_udp_conf, channels),
      .help = "Uplink channels that the concentrators hear, of plans with fixed channels: "
              "80-87. Not given: all." },
    { .name = "extra_channels",
      .type = FIELD_TEXTS,
      AT(bus_lora_udp_conf, extra_mhz),
      .min = 0,
      .max = 5,
      .help = "Further uplink channels given to devices that join, MHz: [867.1, 867.3]." },
    { .name = "adr_margin",
      .type = FIELD_DOUBLE,
      AT(bus_lora_udp_conf, adr_margin),
      .dflt = "10",
      .min = 0,
      .max = 30,
      .help = "dB that adaptive data rate leaves above what a data rate needs." },
    { .name = "down_dwell",
      .type = FIELD_BOOL,
      AT(bus_lora_udp_conf, is_down_dwell),
      .dflt = "false",
      .help = "Downlinks may last 400 ms at most (AS923 and AU915 in some countries)." },
    { .name = "copies",
      .type = FIELD_DURATION,
      AT(bus_lora_udp_conf, dedupe_ms),
      .dflt = "200ms",
      .min = 0,
      .max = SECOND,
      .help = "How long the copies of other concentrators are waited for before one of them "
              "is chosen for the answer; readings never wait." },
    { 0 },
};

const struct field lora_lns_fields[] = {
    { .name = "url",
      .type = FIELD_TEXT,
      AT(bus_lns_conf, url),
      .flags = FIELD_REQUIRED,
      .help = "MQTT broker of the network server: mqtt://HOST:1883 or mqtts://HOST:8883." },
    { .name = "username",
      .type = FIELD_TEXT,
      AT(bus_lns_conf, username),
      .help = "User of the broker; The Things Stack: APPLICATION@TENANT." },
    { .name = "password",
      .type = FIELD_TEXT,
      AT(bus_lns_conf, password),
      .flags = FIELD_SECRET,
      .help = "Its password; The Things Stack: an API key." },
    { .name = "ca",
      .type = FIELD_TEXT,
      AT(bus_lns_conf, ca),
      .help = "Certificates that the broker's is checked by. Not given: the system's." },
    { .name = "client_id",
      .type = FIELD_TEXT,
      AT(bus_lns_conf, client_id),
      .help = "MQTT client id. Not given: made of station and bus." },
    { .name = "application",
      .type = FIELD_TEXT,
      AT(bus_lns_conf, application),
      .help = "Application whose devices are heard; ChirpStack: its UUID, The Things Stack: "
              "APPLICATION@TENANT. Not given: all that the user may hear." },
    { .name = "topic",
      .type = FIELD_TEXT,
      AT(bus_lns_conf, topic),
      .help = "Topic filter of the events, where the server's administrator changed it." },
    { .name = "storage",
      .type = FIELD_TEXT,
      AT(bus_lns_conf, storage),
      .help = "The Things Stack: address of its HTTP API, where uplinks that were missed are "
              "fetched." },
    { 0 },
};

static bool prefix_is_ok(const char *text, char *why, size_t size)
{
    size_t n = strspn(text, "0123456789abcdefABCDEF");

    return (text[n] == '\0' && n % 2 == 0 && n <= 2 * LORA_PREFIX_MAX) ||
           refuse(text, why, size, "at most 16 bytes as pairs of hexadecimal digits");
}

const struct field lora_bridge_fields[] = {
    { .name = "device",
      .type = FIELD_REF,
      AT(bus_bridge_conf, device),
      .flags = FIELD_REQUIRED,
      .help = "The LoRaWAN device that the line hangs on; class C, on a lora-udp bus.",
      .path = "devices" },
    { .name = "fport",
      .type = FIELD_INT,
      AT(bus_bridge_conf, fport),
      .dflt = "2",
      .min = 1,
      .max = 223,
      .help = "Port on which it takes frames and sends answers." },
    { .name = "prefix",
      .type = FIELD_TEXT,
      AT(bus_bridge_conf, prefix),
      .help = "Bytes that its maker wants before each frame, hexadecimal.",
      .is_ok = prefix_is_ok },
    { .name = "strip",
      .type = FIELD_INT,
      AT(bus_bridge_conf, strip),
      .dflt = "0",
      .min = 0,
      .max = 16,
      .help = "Bytes that it puts before each answer." },
    { .name = "reply",
      .type = FIELD_DURATION,
      AT(bus_bridge_conf, reply_ms),
      .dflt = "15s",
      .min = SECOND,
      .max = 5 * MINUTE,
      .help = "An answer that takes longer is given up." },
    { 0 },
};

static const char *const packet_words[] = { "32", "58", "64", "128", "240", NULL };

static const int packets[] = { 32, 58, 64, 128, 240 };

int lora_modem_packet(const struct bus_modem_conf *m)
{
    return packets[m->packet];
}

const struct field lora_modem_fields[] = {
    { .name = "port",
      .type = FIELD_TEXT,
      AT(bus_modem_conf, line.port),
      .flags = FIELD_REQUIRED,
      .help = "Serial device of the modem; a name below /dev/serial/by-id survives replugging.",
      .is_ok = config_path_is_ok },
    { .name = "baud",
      .type = FIELD_INT,
      AT(bus_modem_conf, line.baud),
      .dflt = "9600",
      .min = 300,
      .max = 4000000,
      .help = "Bits per second between the gateway and its modem." },
    { .name = "format",
      .type = FIELD_TEXT,
      AT(bus_modem_conf, line.format),
      .dflt = "8N1",
      .help = "Data bits, parity, stop bits.",
      .words = config_formats },
    { .name = "pause",
      .type = FIELD_DURATION,
      AT(bus_modem_conf, line.pause_ms),
      .dflt = "0s",
      .min = 0,
      .max = 10 * SECOND,
      .help = "Silence between frames; never less than the 3.5 characters of the standard." },
    { .name = "air_rate",
      .type = FIELD_ENUM,
      AT(bus_modem_conf, air_rate),
      .dflt = "2.4k",
      .help = "Air rate that is set in all modems of the channel, bits per second.",
      .words = serial_modem_rate_names },
    { .name = "packet",
      .type = FIELD_ENUM,
      AT(bus_modem_conf, packet),
      .dflt = "240",
      .help = "Sub-packet that is set in them, bytes; 58 with Ebyte E32. Reads are made so "
              "short that each answer fits one.",
      .words = packet_words },
    { .name = "radio",
      .type = FIELD_TEXT,
      AT(bus_modem_conf, radio),
      .help = "Name of the radio channel; buses with the same one take turns and share its air "
              "time. Not given: the port is alone on its channel." },
    { .name = "share",
      .type = FIELD_DOUBLE,
      AT(bus_modem_conf, share),
      .dflt = "0.5",
      .min = 0.001,
      .max = 1,
      .help = "Largest share of the time on the air, both directions together; less where a "
              "duty cycle is the law." },
    { .name = "repeaters",
      .type = FIELD_INT,
      AT(bus_modem_conf, repeaters),
      .dflt = "0",
      .min = 0,
      .max = 3,
      .help = "Repeaters between the two ends; each sends everything once more." },
    { .name = "wor",
      .type = FIELD_DURATION,
      AT(bus_modem_conf, wor_ms),
      .dflt = "0ms",
      .min = 0,
      .max = 4 * SECOND,
      .help = "Wake-on-radio period of the far modems; 0ms: they always listen." },
    { .name = "lbt",
      .type = FIELD_BOOL,
      AT(bus_modem_conf, has_lbt),
      .dflt = "false",
      .help = "The modems listen before they talk, and hold back for up to 2 s." },
    { 0 },
};

static const struct field variable_fields[] = {
    { .name = "id",
      .type = FIELD_TEXT,
      AT(lora_variable_conf, id),
      .flags = FIELD_REQUIRED,
      .help = "Name." },
    { .name = "value",
      .type = FIELD_TEXT,
      AT(lora_variable_conf, value),
      .flags = FIELD_REQUIRED,
      .help = "Text." },
    { 0 },
};

const struct field lora_fields[] = {
    { .name = "dev_eui",
      .type = FIELD_TEXT,
      AT(lora_conf, dev_eui),
      .help = "DevEUI, as on the label.",
      .is_ok = eui_is_ok },
    { .name = "join_eui",
      .type = FIELD_TEXT,
      AT(lora_conf, join_eui),
      .help = "JoinEUI (AppEUI). Not given: any.",
      .is_ok = eui_is_ok },
    { .name = "dev_addr",
      .type = FIELD_TEXT,
      AT(lora_conf, dev_addr),
      .help = "Activation by personalisation: the address set in the device. Not given: the "
              "device joins.",
      .is_ok = addr_is_ok },
    { .name = "version",
      .type = FIELD_ENUM,
      AT(lora_conf, version),
      .dflt = "1.0",
      .help = "LoRaWAN of the device: 1.0 (to 1.0.3), 1.0.4, 1.1.",
      .words = version_words },
    { .name = "class",
      .type = FIELD_ENUM,
      AT(lora_conf, device_class),
      .dflt = "A",
      .help = "C: it listens all the time.",
      .words = class_words },
    { .name = "nonces",
      .type = FIELD_ENUM,
      AT(lora_conf, nonces),
      .dflt = "by-version",
      .help = "How its join requests are numbered; by-version: counted from 1.0.4 on.",
      .words = nonce_words },
    { .name = "adr",
      .type = FIELD_ENUM,
      AT(lora_conf, adr),
      .dflt = "on",
      .help = "Adaptive data rate; static: channel masks alone.",
      .words = adr_words },
    { .name = "codec",
      .type = FIELD_TEXT,
      AT(lora_conf, codec),
      .help = "Script that decodes its payload, in place of the profile's; a relative path "
              "starts at the folder of this file." },
    { .name = "variables",
      .type = FIELD_LIST,
      AT(lora_conf, variables),
      .help = "Given to the script as input.variables.",
      .fields = variable_fields,
      .size = sizeof(struct lora_variable_conf) },
    { 0 },
};
