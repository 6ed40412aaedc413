/* SPDX-License-Identifier: Apache-2.0 */
/* The station's options as tables: parser, help and reference page follow from them. */
#include <stdio.h>
#include <string.h>

#include "gateway/conf/config_internal.h"
#include "gateway/conf/packs.h"
#include "gateway/conf/utf8.h"
#include "gateway/conf/value.h"
#include "rules/agg/plan.h"
#include "rules/alert/alert.h"

enum {
    MS = 1,
    SECOND = 1000 * MS,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR,
};

#define AT(type, member) .offset = offsetof(struct type, member)
/* members bound by a group that is no struct of its own */
#define FROM(type, first, member) \
    .offset = offsetof(struct type, member) - offsetof(struct type, first)

/* Always false, with "expected ..., got '...'". */
static bool refuse(const char *text, char *why, size_t size, const char *expected)
{
    char shown[DIAG_SHOWN_BYTES];

    utf8_shown(text, DIAG_SHOWN_MAX, shown, sizeof shown);
    snprintf(why, size, "expected %s, got '%s'", expected, shown);
    return false;
}

static bool topic_level_is_ok(const char *text, char *why, size_t size)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (n > 0 && n <= 64 && text[n] == '\0' && text[0] != '-')
        return true;
    return refuse(text, why, size, "small letters, digits and '-', at most 64 (a topic level)");
}

static bool zone_is_ok(const char *text, char *why, size_t size)
{
    int64_t ms;

    if (config_zone_parse(text, &ms) == 0)
        return true;
    return refuse(text, why, size, "a fixed offset such as \"+08:00\", from -12:00 to +14:00");
}

static bool night_is_ok(const char *text, char *why, size_t size)
{
    struct levels_night night;

    if (levels_night_parse(text, &night))
        return true;
    return refuse(text, why, size, "two full hours such as 22-6 or 22:00-06:00");
}

static bool listen_is_ok(const char *text, char *why, size_t size)
{
    const char *colon = strrchr(text, ':');
    int64_t port;

    if (text[0] == '\0' || strcmp(text, "off") == 0)
        return true;
    bool has_port =
        colon && value_parse_int(colon + 1, &port) == 0 && port >= 0 && port <= 65535;
    bool is_bracketed = text[0] == '[' && colon && colon > text && colon[-1] == ']';
    bool is_plain = colon && strchr(text, ':') == colon;
    if (has_port && colon > text && (is_bracketed || is_plain) && !strpbrk(text, " /\t"))
        return true;
    return refuse(text, why, size, "ADDRESS:PORT such as 127.0.0.1:8080 or [::1]:8080, or off");
}

static bool host_is_ok(const char *text, char *why, size_t size)
{
    if (text[0] && strlen(text) <= 253 && !strpbrk(text, " \t/@?#"))
        return true;
    return refuse(text, why, size, "a host name or an address, without scheme, path or blanks");
}

bool config_path_is_ok(const char *text, char *why, size_t size)
{
    if (text[0] == '/' && strlen(text) < 4096)
        return true;
    return refuse(text, why, size, "a path that begins with '/'");
}

static bool file_is_ok(const char *text, char *why, size_t size)
{
    if (text[0] && strlen(text) < 4096)
        return true;
    return refuse(text, why, size, "the path of a file");
}

static const struct field names_fields[] = {
    { .name = "en", .type = FIELD_TEXT, AT(names, en), .help = "Name in English." },
    { .name = "zh", .type = FIELD_TEXT, AT(names, zh), .help = "Name in Chinese." },
    { 0 },
};

static const struct field position_fields[] = {
    { .name = "lat",
      .type = FIELD_DOUBLE,
      FROM(station_conf, lat, lat),
      .min = -90,
      .max = 90,
      .flags = FIELD_REQUIRED,
      .help = "Latitude, degrees WGS 84, north positive." },
    { .name = "lon",
      .type = FIELD_DOUBLE,
      FROM(station_conf, lat, lon),
      .min = -180,
      .max = 180,
      .flags = FIELD_REQUIRED,
      .help = "Longitude, degrees WGS 84, east positive." },
    { .name = "alt",
      .type = FIELD_DOUBLE,
      FROM(station_conf, lat, alt),
      .min = -500,
      .max = 9000,
      .help = "Altitude above sea level, metres." },
    { 0 },
};

static const struct field station_fields[] = {
    { .name = "id",
      .type = FIELD_TEXT,
      AT(station_conf, id),
      .flags = FIELD_REQUIRED,
      .help = "Identifies the station in all stored and sent data; never changes.",
      .is_ok = topic_level_is_ok },
    { .name = "region",
      .type = FIELD_TEXT,
      AT(station_conf, region),
      .dflt = "default",
      .help = "Region of the monitoring centre, a level of the MQTT topic.",
      .is_ok = topic_level_is_ok },
    { .name = "names",
      .type = FIELD_GROUP,
      AT(station_conf, names),
      .help = "Names for people.",
      .fields = names_fields },
    { .name = "position",
      .type = FIELD_GROUP,
      AT(station_conf, lat),
      .help = "Where the station stands.",
      .fields = position_fields },
    { .name = "zone",
      .type = FIELD_TEXT,
      AT(station_conf, zone),
      .dflt = "+00:00",
      .help = "Fixed offset of the station's time from UTC, such as \"+08:00\".",
      .is_ok = zone_is_ok },
    { .name = "night",
      .type = FIELD_TEXT,
      AT(station_conf, night),
      .dflt = "22-6",
      .help = "Hours of the night, for Ld, Ln and Ldn of days; GB 3096-2008 lets the local "
              "government set others.",
      .is_ok = night_is_ok },
    { 0 },
};

static const struct field tcp_fields[] = {
    { .name = "host",
      .type = FIELD_TEXT,
      AT(bus_tcp_conf, host),
      .flags = FIELD_REQUIRED,
      .help = "Name or address of the instrument or serial server.",
      .is_ok = host_is_ok },
    { .name = "port",
      .type = FIELD_INT,
      AT(bus_tcp_conf, port),
      .dflt = "502",
      .min = 1,
      .max = 65535,
      .help = "TCP port." },
    { .name = "connect_timeout",
      .type = FIELD_DURATION,
      AT(bus_tcp_conf, connect_timeout_ms),
      .dflt = "3s",
      .min = 100,
      .max = MINUTE,
      .help = "Longest time a connection may take to be made." },
    { 0 },
};

static const struct field rtu_tcp_fields[] = {
    { .name = "host",
      .type = FIELD_TEXT,
      AT(bus_rtu_tcp_conf, tcp.host),
      .flags = FIELD_REQUIRED,
      .help = "Name or address of the serial device server.",
      .is_ok = host_is_ok },
    { .name = "port",
      .type = FIELD_INT,
      AT(bus_rtu_tcp_conf, tcp.port),
      .min = 1,
      .max = 65535,
      .flags = FIELD_REQUIRED,
      .help = "TCP port of the serial port in raw mode; every make has its own." },
    { .name = "connect_timeout",
      .type = FIELD_DURATION,
      AT(bus_rtu_tcp_conf, tcp.connect_timeout_ms),
      .dflt = "3s",
      .min = 100,
      .max = MINUTE,
      .help = "Longest time a connection may take to be made." },
    { .name = "pause",
      .type = FIELD_DURATION,
      AT(bus_rtu_tcp_conf, pause_ms),
      .dflt = "0s",
      .min = 0,
      .max = 10 * SECOND,
      .help = "Least silence between frames; the server keeps that of the standard." },
    { 0 },
};

/* Modbus over serial line 1.02, 2.5.1: eight data bits, always. */
const char *const config_formats[] = { "8N1", "8E1", "8O1", "8N2", "8E2", "8O2", NULL };

static const char *const rts_words[] = { "off", "high", "low", NULL };

static const struct field rs485_fields[] = {
    { .name = "rts_on_send",
      .type = FIELD_ENUM,
      AT(bus_rs485_conf, rts_on_send),
      .dflt = "off",
      .help = "Level of RTS while the transceiver is to send; off: it finds out by itself.",
      .words = rts_words },
    { .name = "before",
      .type = FIELD_DURATION,
      AT(bus_rs485_conf, before_ms),
      .dflt = "0ms",
      .min = 0,
      .max = 100,
      .help = "How long RTS comes ahead of the first bit." },
    { .name = "after",
      .type = FIELD_DURATION,
      AT(bus_rs485_conf, after_ms),
      .dflt = "0ms",
      .min = 0,
      .max = 100,
      .help = "How long RTS stays behind the last bit." },
    { 0 },
};

static const struct field rtu_fields[] = {
    { .name = "port",
      .type = FIELD_TEXT,
      AT(bus_rtu_conf, port),
      .flags = FIELD_REQUIRED,
      .help = "Serial device; a name below /dev/serial/by-id or by-path survives replugging.",
      .is_ok = config_path_is_ok },
    { .name = "baud",
      .type = FIELD_INT,
      AT(bus_rtu_conf, baud),
      .dflt = "9600",
      .min = 300,
      .max = 4000000,
      .help = "Bits per second, one of the standard rates." },
    { .name = "format",
      .type = FIELD_TEXT,
      AT(bus_rtu_conf, format),
      .dflt = "8N1",
      .help = "Data bits, parity, stop bits.",
      .words = config_formats },
    { .name = "pause",
      .type = FIELD_DURATION,
      AT(bus_rtu_conf, pause_ms),
      .dflt = "0s",
      .min = 0,
      .max = 10 * SECOND,
      .help = "Silence between frames; never less than the 3.5 characters of the standard." },
    { .name = "rs485",
      .type = FIELD_GROUP,
      AT(bus_rtu_conf, rs485),
      .help = "Direction control by the driver, for ports that do not switch by themselves.",
      .fields = rs485_fields },
    { 0 },
};

static const struct field_kind bus_kinds[] = {
    { .name = "modbus-tcp",
      .help = "Modbus TCP: one instrument or serial server.",
      .fields = tcp_fields,
      .size = sizeof(struct bus_tcp_conf) },
    { .name = "modbus-rtu",
      .help = "Modbus RTU: an RS-485 or RS-232 line.",
      .fields = rtu_fields,
      .size = sizeof(struct bus_rtu_conf) },
    { .name = "modbus-rtu-tcp",
      .help = "Modbus RTU frames over TCP: a serial device server in raw mode.",
      .fields = rtu_tcp_fields,
      .size = sizeof(struct bus_rtu_tcp_conf) },
    { .name = "lora-udp",
      .help = "LoRa packet forwarders (Semtech UDP) and the station's own network server.",
      .fields = lora_udp_fields,
      .size = sizeof(struct bus_lora_udp_conf) },
    { .name = "modbus-lorawan",
      .help = "Modbus RTU through a LoRaWAN bridge of class C.",
      .fields = lora_bridge_fields,
      .size = sizeof(struct bus_bridge_conf) },
    { .name = "lora-serial",
      .help = "Modbus RTU over transparent serial LoRa modems.",
      .fields = lora_modem_fields,
      .size = sizeof(struct bus_modem_conf) },
    { .name = "chirpstack",
      .help = "ChirpStack v4 over MQTT.",
      .fields = lora_lns_fields,
      .size = sizeof(struct bus_lns_conf) },
    { .name = "ttn",
      .help = "The Things Stack v3 over MQTT.",
      .fields = lora_lns_fields,
      .size = sizeof(struct bus_lns_conf) },
    { 0 },
};

static const struct field bus_fields[] = {
    { .name = "id",
      .type = FIELD_ID,
      AT(bus_conf, id),
      .flags = FIELD_REQUIRED | FIELD_UNIQUE,
      .help = "Name that devices refer to." },
    { .name = "type",
      .type = FIELD_VARIANT,
      AT(bus_conf, type),
      .flags = FIELD_REQUIRED,
      .help = "Kind of bus.",
      .kinds = bus_kinds },
    { 0 },
};

/* The checks of a channel, the same in every place where they can be set. */
#define CHECKS(S) \
    { .name = "range", \
      .type = FIELD_RANGE, \
      AT(S, range), \
      .help = "Gross range test: values outside are bad. Not given: the quantity's." }, \
        { .name = "suspect", \
          .type = FIELD_RANGE, \
          AT(S, suspect), \
          .help = "Values outside are suspect. Not given: not tested." }, \
        { .name = "stuck", \
          .type = FIELD_INT, \
          AT(S, stuck), \
          .dflt = "-1", \
          .min = 0, \
          .max = 100000, \
          .help = "So many equal raw values in a row are a stuck sensor; 0: never." }, \
        { .name = "spike", \
          .type = FIELD_GROUP, \
          AT(S, qc.spike), \
          .help = "Values that jump away and back. Not given: the quantity's.", \
          .fields = qc_spike_fields }, \
        { .name = "rate", \
          .type = FIELD_GROUP, \
          AT(S, qc.rate), \
          .help = "Values that change too fast. Not given: the quantity's.", \
          .fields = qc_rate_fields }, \
        { .name = "flat", \
          .type = FIELD_GROUP, \
          AT(S, qc.flat), \
          .help = "Values that hardly move. Not given: not tested, but see stuck.", \
          .fields = qc_flat_fields }, \
        { .name = "attenuated", \
          .type = FIELD_GROUP, \
          AT(S, qc.attenuated), \
          .help = "Values that move less than they use to. Not given: not tested.", \
          .fields = qc_attenuated_fields }, \
        { .name = "settle", \
          .type = FIELD_DURATION, \
          AT(S, qc.settle_ms), \
          .dflt = "-1ms", \
          .min = 0, \
          .max = DAY, \
          .help = \
              "How long values after a calibration are still bad. Not given: not at all." }, \
        { .name = "warmup", \
          .type = FIELD_DURATION, \
          AT(S, qc.warmup_ms), \
          .dflt = "-1ms", \
          .min = 0, \
          .max = DAY, \
          .help = \
              "How long values after a power failure are bad. Not given: the quantity's." }, \
        { .name = "missing", \
          .type = FIELD_TEXTS, \
          AT(S, qc.missing), \
          .help = "Values that mean no value, at most 4, in the canonical unit.", \
          .is_ok = qc_number_is_ok }, \
        { .name = "hold", \
          .type = FIELD_GROUP, \
          AT(S, qc.hold), \
          .help = "What a gap is, and what comes behind it. Not given: the quantity's.", \
          .fields = qc_hold_fields }, \
        { .name = "consistency", \
          .type = FIELD_ENUM, \
          AT(S, qc.consistency), \
          .dflt = "default", \
          .help = "Whether quantities of one device must fit together as is usual.", \
          .words = qc_consistency_words }, \
        { .name = "relations", \
          .type = FIELD_LIST, \
          AT(S, qc.relations), \
          .max = QC_RELATIONS_MAX, \
          .help = "What other channels say of what this one can be.", \
          .fields = qc_relation_fields, \
          .size = sizeof(struct qc_relation_conf) }, \
        { .name = "references", \
          .type = FIELD_LIST, \
          AT(S, qc.references), \
          .max = 16, \
          .help = "Twins, neighbours, rain or wind that make values suspect.", \
          .fields = qc_reference_fields, \
          .size = sizeof(struct qc_reference_conf) }, \
        { .name = "seasons", \
          .type = FIELD_LIST, \
          AT(S, qc.seasons), \
          .max = 64, \
          .help = "What is usual when; the last one that a sample lies in decides.", \
          .fields = qc_season_fields, \
          .size = sizeof(struct qc_season) }, \
    { \
        .name = "depth", .type = FIELD_DOUBLE, AT(S, qc.depth), .min = -500, .max = 12000, \
        .help = "Of the sensor, metres down, for seasons that ask for it." \
    }

static const struct field quality_fields[] = {
    { .name = "id",
      .type = FIELD_TEXT,
      AT(quality_conf, id),
      .flags = FIELD_REQUIRED,
      .help = "Quantity." },
    CHECKS(quality_conf),
    { 0 },
};

static const struct field correction_fields[] = {
    { .name = "id",
      .type = FIELD_TEXT,
      AT(correction_conf, id),
      .flags = FIELD_REQUIRED,
      .help = "Point of the profile." },
    { .name = "factor",
      .type = FIELD_DOUBLE,
      AT(correction_conf, factor),
      .dflt = "1",
      .min = -1e6,
      .max = 1e6,
      .help = "Calibration: value = as read * factor + offset, in the canonical unit." },
    { .name = "offset",
      .type = FIELD_DOUBLE,
      AT(correction_conf, offset),
      .dflt = "0",
      .help = "Calibration, see factor." },
    CHECKS(correction_conf),
    { .name = "calibration",
      .type = FIELD_GROUP,
      AT(correction_conf, calibration),
      .help = "Checks against known values: when, how, and within what limits.",
      .fields = calibration_fields },
    { .name = "statistics",
      .type = FIELD_TEXTS,
      AT(correction_conf, statistics),
      .max = AGG_WANTS_MAX / 2,
      .help = "Periods and their figures, such as [1min, 1h, 1h.l90, day]. Not given: 1min, 1h "
              "and what the standard of the quantity judges by." },
    { .name = "dead_time",
      .type = FIELD_DOUBLE,
      AT(correction_conf, dead_us),
      .dflt = "0",
      .min = 0,
      .max = 1e6,
      .help = "Count rates: dead time of the tube in microseconds, which statistics are "
              "corrected for." },
    { .name = "wrap",
      .type = FIELD_DOUBLE,
      AT(correction_conf, wrap),
      .dflt = "0",
      .min = 0,
      .max = 1e18,
      .help = "Counters: goes on at 0 from here. 0: a smaller value is a reset." },
    { .name = "enabled",
      .type = FIELD_BOOL,
      AT(correction_conf, is_enabled),
      .dflt = "true",
      .help = "false: no channel is made of the point." },
    { 0 },
};

/* 0: the profile's; else enum word_order + 1 */
static const char *const orders[] = { "profile", "ABCD", "CDAB", "BADC", "DCBA", NULL };

static const struct field device_fields[] = {
    { .name = "id",
      .type = FIELD_ID,
      AT(device_conf, id),
      .flags = FIELD_REQUIRED | FIELD_UNIQUE,
      .help = "Identifies the device in all stored and sent data." },
    { .name = "names",
      .type = FIELD_GROUP,
      AT(device_conf, names),
      .help = "Names for people.",
      .fields = names_fields },
    { .name = "profile",
      .type = FIELD_ID,
      AT(device_conf, profile),
      .flags = FIELD_REQUIRED,
      .help = "Id of the instrument's profile; `sluice profile list` shows them." },
    { .name = "bus",
      .type = FIELD_REF,
      AT(device_conf, bus),
      .flags = FIELD_REQUIRED,
      .help = "Id of the bus it hangs on.",
      .path = "buses" },
    { .name = "unit",
      .type = FIELD_INT,
      AT(device_conf, unit),
      .dflt = "-1",
      .min = 0,
      .max = 255,
      .help = "Modbus unit (slave address). Not given: the profile's factory setting." },
    { .name = "poll",
      .type = FIELD_DURATION,
      AT(device_conf, poll_ms),
      .dflt = "10s",
      .min = 100,
      .max = DAY,
      .help = "Interval between two readings." },
    { .name = "timeout",
      .type = FIELD_DURATION,
      AT(device_conf, timeout_ms),
      .dflt = "-1ms",
      .min = 10,
      .max = MINUTE,
      .help = "Longest wait for an answer. Not given: the profile's." },
    { .name = "order",
      .type = FIELD_ENUM,
      AT(device_conf, order),
      .dflt = "profile",
      .help = "Order of the bytes of 32-bit values, when the instrument was set to another.",
      .words = orders },
    { .name = "enabled",
      .type = FIELD_BOOL,
      AT(device_conf, is_enabled),
      .dflt = "true",
      .help = "false: not polled." },
    { .name = "channels",
      .type = FIELD_MAP,
      AT(device_conf, channels),
      .help = "Calibration and checks of single points.",
      .fields = correction_fields,
      .size = sizeof(struct correction_conf) },
    { .name = "lora",
      .type = FIELD_GROUP,
      AT(device_conf, lora),
      .help = "Of a LoRa device: who it is.",
      .fields = lora_fields },
    { 0 },
};

static const char *const level_words[] = { "blue", "yellow", "orange", "red", NULL };

static const struct field level_fields[] = {
    { .name = "id",
      .type = FIELD_TEXT,
      AT(level_conf, id),
      .flags = FIELD_REQUIRED,
      .help = "Colour.",
      .words = level_words },
    { .name = "set",
      .type = FIELD_DOUBLE,
      AT(level_conf, set),
      .flags = FIELD_REQUIRED,
      .help = "Value from which on the level is reached." },
    { .name = "clear",
      .type = FIELD_DOUBLE,
      AT(level_conf, clear),
      .help = "Value at which it ends. Not given: 5 % of set away from it." },
    { .name = "on",
      .type = FIELD_TEXT,
      AT(level_conf, on),
      .dflt = "3 of 3",
      .help = "On-delay: so many of the last samples, or a duration.",
      .is_ok = alert_delay_is_ok },
    { .name = "off",
      .type = FIELD_TEXT,
      AT(level_conf, off),
      .help = "Off-delay, written like on. Not given: twice on.",
      .is_ok = alert_delay_is_ok },
    { .name = "min",
      .type = FIELD_DURATION,
      AT(level_conf, min_ms),
      .dflt = "0s",
      .min = 0,
      .max = 30.0 * DAY,
      .help = "Shortest time the level stays." },
    { 0 },
};

#define RESPONSE_LIMIT(word, member, text) \
    { \
        .name = word, .type = FIELD_DURATION, AT(response_conf, member), .dflt = "-1ms", \
        .min = 0, .max = 90.0 * DAY, .help = text \
    }

static const struct field response_fields[] = {
    { .name = "id",
      .type = FIELD_TEXT,
      AT(response_conf, id),
      .flags = FIELD_REQUIRED,
      .help = "Colour of the alert.",
      .words = level_words },
    RESPONSE_LIMIT("ack_within", ack_ms,
                   "Somebody has acknowledged it by then, else it is escalated; 0s: no limit."),
    RESPONSE_LIMIT("triage_within", triage_ms, "It is judged so soon after that."),
    RESPONSE_LIMIT("route_within", route_ms, "A unit is assigned so soon after that."),
    RESPONSE_LIMIT("handle_within", handle_ms, "The unit has it in hand so soon after that."),
    RESPONSE_LIMIT("verify_within", verify_ms, "Its end is verified so soon after that."),
    { .name = "route",
      .type = FIELD_TEXT,
      AT(response_conf, route),
      .help = "Unit that it is assigned to when nobody names another." },
    { .name = "escalate_to",
      .type = FIELD_TEXT,
      AT(response_conf, escalate_to),
      .help = "Who is told when a limit has passed." },
    { 0 },
};

static const struct field alerts_fields[] = {
    { .name = "response",
      .type = FIELD_MAP,
      AT(alerts_conf, responses),
      .max = 4,
      .help = "How each colour is to be answered, unless the rule says otherwise.",
      .fields = response_fields,
      .size = sizeof(struct response_conf) },
    { .name = "flap",
      .type = FIELD_INT,
      AT(alerts_conf, flap),
      .dflt = "4",
      .min = 0,
      .max = 1000,
      .help = "Raises in an hour that make one unstable alert of them. 0: never." },
    { .name = "flood",
      .type = FIELD_INT,
      AT(alerts_conf, flood),
      .dflt = "10",
      .min = 0,
      .max = 1000,
      .help =
          "Alerts in ten minutes behind which blue and yellow ones notify nobody. 0: all do." },
    { .name = "shelve_max",
      .type = FIELD_DURATION,
      AT(alerts_conf, shelve_max_ms),
      .dflt = "24h",
      .min = MINUTE,
      .max = 30.0 * DAY,
      .help = "Longest time that an alert can be shelved." },
    { .name = "reopen",
      .type = FIELD_DURATION,
      AT(alerts_conf, reopen_ms),
      .dflt = "1h",
      .min = 0,
      .max = 30.0 * DAY,
      .help = "Raised again so soon after it cleared, an alert says that it is reopened." },
    { 0 },
};

static const struct field selector_fields[] = {
    { .name = "quantity",
      .type = FIELD_TEXT,
      FROM(rule_conf, quantity, quantity),
      .help = "Channels of this quantity." },
    { .name = "medium",
      .type = FIELD_TEXT,
      FROM(rule_conf, quantity, medium),
      .help = "Channels of this medium." },
    { .name = "device",
      .type = FIELD_REF,
      FROM(rule_conf, quantity, device),
      .help = "Channels of this device.",
      .path = "devices" },
    { 0 },
};

static bool is_gate_grade(const char *text, char *why, size_t size)
{
    for (int g = 0; g <= GRADE_SUSPECT; g++)
        if (strcmp(text, grade_id((enum grade)g)) == 0)
            return true;
    snprintf(why, size, "expected good, suspect or not_evaluated, got '%s'", text);
    return false;
}

static const char *const over_range_words[] = { "as_limit", "ignore", NULL };

static const struct field gate_fields[] = {
    { .name = "grades",
      .type = FIELD_TEXTS,
      FROM(rule_conf, valid_share, grades),
      .max = GRADE_SUSPECT + 1,
      .help = "Grades of samples that count. Not given: good and suspect.",
      .is_ok = is_gate_grade },
    { .name = "over_range",
      .type = FIELD_ENUM,
      FROM(rule_conf, valid_share, over_range),
      .dflt = "as_limit",
      .words = over_range_words,
      .help = "What a saturated instrument counts as." },
    { .name = "valid_share",
      .type = FIELD_DOUBLE,
      .offset = 0,
      .dflt = "0.75",
      .min = 0,
      .max = 1,
      .help = "Smallest share of valid samples of a mean that may be judged." },
    { 0 },
};

#define ASIDE(member, text) \
    { \
        .name = #member, .type = FIELD_TEXT, AT(watch_conf, member), .help = text \
    }

static const struct field watch_fields[] = {
    { .name = "quantity",
      .type = FIELD_TEXT,
      AT(watch_conf, quantity),
      .flags = FIELD_REQUIRED,
      .help = "Channels of this quantity." },
    { .name = "device",
      .type = FIELD_REF,
      AT(watch_conf, device),
      .help = "Of this device alone.",
      .path = "devices" },
    { .name = "above",
      .type = FIELD_DOUBLE,
      AT(watch_conf, above),
      .help = "Upper limit of the alert, in the canonical unit." },
    { .name = "below",
      .type = FIELD_DOUBLE,
      AT(watch_conf, below),
      .help = "Lower limit of the alert, in the canonical unit." },
    { .name = "resolution",
      .type = FIELD_DOUBLE,
      AT(watch_conf, resolution),
      .min = 1e-9,
      .max = 1e9,
      .help = "Smallest step of the values. Not given: the last decimal of the quantity." },
    ASIDE(wind, "Wind speed beside a sound level meter."),
    ASIDE(rain, "Rain beside a radiation monitor."),
    ASIDE(twin, "Second counter of the same kind at the same place."),
    { .name = "neighbours",
      .type = FIELD_TEXTS,
      AT(watch_conf, neighbours),
      .max = WATCH_NEIGHBOURS_MAX,
      .help = "The same quantity at stations around; their median counts." },
    { .name = NULL },
};

static const char *const at_limit_words[] = { "exceeded", "kept", NULL };

static const struct field backtest_fields[] = {
    { .name = "date",
      .type = FIELD_TEXT,
      AT(backtest_conf, date),
      .help = "When it was tested." },
    { .name = "from",
      .type = FIELD_TEXT,
      AT(backtest_conf, from),
      .help = "First day of the readings." },
    { .name = "to", .type = FIELD_TEXT, AT(backtest_conf, to), .help = "Last day." },
    { .name = "version",
      .type = FIELD_TEXT,
      AT(backtest_conf, version),
      .help = "Version of the rule that was tested." },
    { .name = "raised",
      .type = FIELD_DOUBLE,
      AT(backtest_conf, raised),
      .help = "How often it was raised." },
    { .name = "events",
      .type = FIELD_DOUBLE,
      AT(backtest_conf, events),
      .help = "Known events in that time." },
    { .name = "missed",
      .type = FIELD_DOUBLE,
      AT(backtest_conf, missed),
      .help = "Of these it missed." },
    { .name = "false",
      .type = FIELD_DOUBLE,
      AT(backtest_conf, wrong),
      .help = "False alarms." },
    { .name = "false_per_month",
      .type = FIELD_DOUBLE,
      AT(backtest_conf, wrong_per_month),
      .help = "False alarms a channel and month." },
    { .name = "median_delay_s",
      .type = FIELD_DOUBLE,
      AT(backtest_conf, delay_s),
      .help = "Median delay of the events detected, seconds." },
    { 0 },
};

static const char *const rule_kinds[] = { "environmental", "notice", NULL };

static const struct field rule_fields[] = {
    { .name = "id",
      .type = FIELD_ID,
      AT(rule_conf, id),
      .flags = FIELD_REQUIRED | FIELD_UNIQUE,
      .help = "Identifies the rule in alerts." },
    { .name = "title",
      .type = FIELD_GROUP,
      AT(rule_conf, title),
      .help = "What the alert says, in English and Chinese.",
      .fields = names_fields },
    { .name = "kind",
      .type = FIELD_ENUM,
      AT(rule_conf, kind),
      .dflt = "environmental",
      .words = rule_kinds,
      .help =
          "environmental: an alert that a person answers; notice: a matter of maintenance." },
    { .name = "enabled",
      .type = FIELD_BOOL,
      AT(rule_conf, is_enabled),
      .dflt = "true",
      .help = "false: not judged." },
    { .name = "selector",
      .type = FIELD_GROUP,
      AT(rule_conf, quantity),
      .flags = FIELD_REQUIRED,
      .help = "Which channels the rule judges: all that fit every key given.",
      .fields = selector_fields },
    { .name = "input",
      .type = FIELD_TEXT,
      AT(rule_conf, input),
      .dflt = "raw",
      .help = "What is judged: raw, event, mean(1h), max(1h), rate(10min), residual(24h), "
              "cusum(24h), forecast(2h) ...",
      .is_ok = alert_input_is_ok },
    { .name = "k",
      .type = FIELD_DOUBLE,
      AT(rule_conf, k),
      .min = 0.1,
      .max = 100,
      .help =
          "Standard deviations that an input over some time must be off. Not given: residual "
          "4.5, cusum 0.5, forecast 3." },
    { .name = "direction",
      .type = FIELD_ENUM,
      AT(rule_conf, direction),
      .dflt = "above",
      .help = "Side of the levels that alarms.",
      .words = alert_direction_words },
    { .name = "at_limit",
      .type = FIELD_ENUM,
      AT(rule_conf, at_limit),
      .dflt = "exceeded",
      .words = at_limit_words,
      .help = "Whether a value that equals set is an exceedance, or the limit is kept." },
    { .name = "decimals",
      .type = FIELD_INT,
      AT(rule_conf, decimals),
      .dflt = "-1",
      .min = 0,
      .max = 6,
      .help = "Decimals that values are rounded to, half to even, before they are judged. Not "
              "given: not rounded." },
    { .name = "when",
      .type = FIELD_TEXT,
      AT(rule_conf, when),
      .help = "Condition over this and other channels that must be met, too." },
    { .name = "inhibit_by",
      .type = FIELD_TEXTS,
      AT(rule_conf, inhibit_by),
      .max = 16,
      .help =
          "Rules of the same device that mute this one while they stand; fault: what a watch "
          "finds." },
    { .name = "suppress_when",
      .type = FIELD_TEXT,
      AT(rule_conf, suppress_when),
      .help = "Condition while which nothing is judged; an alert stays as it is." },
    { .name = "unit",
      .type = FIELD_TEXT,
      AT(rule_conf, unit),
      .help = "UCUM unit of set and clear. Not given: the quantity's canonical unit." },
    { .name = "levels",
      .type = FIELD_MAP,
      AT(rule_conf, levels),
      .min = 1,
      .max = 4,
      .flags = FIELD_REQUIRED,
      .help = "One to four colours: blue, yellow, orange, red, each above the last.",
      .fields = level_fields,
      .size = sizeof(struct level_conf) },
    { .name = "gate",
      .type = FIELD_GROUP,
      AT(rule_conf, valid_share),
      .help = "What samples may be judged.",
      .fields = gate_fields },
    { .name = "hold_after",
      .type = FIELD_INT,
      AT(rule_conf, hold_samples),
      .dflt = "2",
      .min = 0,
      .max = 1000,
      .help = "Samples after a gap that are not judged." },
    { .name = "stale_after",
      .type = FIELD_DURATION,
      AT(rule_conf, stale_ms),
      .dflt = "-1ms",
      .min = SECOND,
      .max = 30.0 * DAY,
      .help = "No usable sample for so long: cannot judge. Not given: three intervals." },
    { .name = "rearm",
      .type = FIELD_DURATION,
      AT(rule_conf, rearm_ms),
      .dflt = "30min",
      .min = 0,
      .max = 30.0 * DAY,
      .help = "Shortest time between two raises of one episode." },
    { .name = "flap",
      .type = FIELD_INT,
      AT(rule_conf, flap),
      .dflt = "-1",
      .min = 0,
      .max = 1000,
      .help = "Raises in an hour that make one unstable alert of them. Not given: the "
              "station's." },
    { .name = "response",
      .type = FIELD_MAP,
      AT(rule_conf, responses),
      .max = 4,
      .help = "How each colour is to be answered. What is not given is the station's.",
      .fields = response_fields,
      .size = sizeof(struct response_conf) },
    { .name = "source",
      .type = FIELD_TEXT,
      AT(rule_conf, source),
      .help = "Where its thresholds come from: standard and clause." },
    { .name = "backtest",
      .type = FIELD_GROUP,
      AT(rule_conf, backtest),
      .help = "What sluice replay --labels counted, as it prints it; for people.",
      .fields = backtest_fields },
    { 0 },
};

static const struct field pack_rule_fields[] = {
    { .name = "id",
      .type = FIELD_ID,
      AT(pack_rule_conf, id),
      .flags = FIELD_REQUIRED,
      .help = "Rule of the pack, without the pack's name." },
    { .name = "enabled",
      .type = FIELD_BOOL,
      AT(pack_rule_conf, is_enabled),
      .dflt = "true",
      .help = "false: not in force." },
    { 0 },
};

static const struct field pack_fields[] = {
    { .name = "id",
      .type = FIELD_ID,
      AT(pack_conf, id),
      .help = "Begins the ids of its rules. Not given: the name of the pack." },
    { .name = "pack",
      .type = FIELD_VARIANT,
      AT(pack_conf, pack),
      .flags = FIELD_REQUIRED,
      .kinds = pack_kinds,
      .help = "Name of the pack; `sluice rules list` shows them with their options." },
    { .name = "device",
      .type = FIELD_REF,
      AT(pack_conf, device),
      .path = "devices",
      .help = "Judge the channels of this device alone." },
    { .name = "rules",
      .type = FIELD_MAP,
      AT(pack_conf, rules),
      .help = "What is set for single rules of the pack.",
      .fields = pack_rule_fields,
      .size = sizeof(struct pack_rule_conf) },
    { 0 },
};

static const struct field uplink_fields[] = {
    { .name = "id",
      .type = FIELD_ID,
      AT(uplink_conf, id),
      .flags = FIELD_REQUIRED | FIELD_UNIQUE,
      .help = "Names the cursor in the log: a new id starts from the beginning." },
    { .name = "type",
      .type = FIELD_VARIANT,
      AT(uplink_conf, type),
      .flags = FIELD_REQUIRED,
      .help = "Kind of destination." },
    { .name = "enabled",
      .type = FIELD_BOOL,
      AT(uplink_conf, is_enabled),
      .dflt = "true",
      .help = "false: nothing is sent, and its cursor holds nothing back." },
    { .name = "fallback",
      .type = FIELD_REF,
      AT(uplink_conf, fallback),
      .path = "uplinks",
      .help = "Uplink that takes over while this one is down; both must lead to the same "
              "centre or database. It delivers nothing otherwise." },
    { .name = "failover_after",
      .type = FIELD_DURATION,
      AT(uplink_conf, failover_ms),
      .dflt = "5s",
      .min = 1000,
      .max = 86400000,
      .help = "How long this one does not get on before its fallback takes over." },
    { 0 },
};

static const struct field index_fields[] = {
    { .name = "standard",
      .type = FIELD_TEXTS,
      AT(index_conf, standards),
      .help = "Indices of the air that are formed: hj633-2026, hj633-2012, us-epa-2024, "
              "eaqi-2024." },
    { .name = "from",
      .type = FIELD_TEXTS,
      AT(index_conf, from),
      .help = "Channels that they take, such as roof-o3/ozone. Not given for a pollutant: the "
              "first that measures it." },
    { .name = "not_in_plan",
      .type = FIELD_TEXTS,
      AT(index_conf, unplanned),
      .help = "Pollutants (so2, no2, co, o3, pm10, pm2_5) outside the monitoring plan." },
    { .name = "not_in_plan_clean",
      .type = FIELD_TEXTS,
      AT(index_conf, clean),
      .help = "The same, in three years never primary at light pollution or worse: the index "
              "does without them (HJ 633-2026 5.3)." },
    { .name = "negative_as_zero",
      .type = FIELD_BOOL,
      AT(index_conf, is_negative_zero),
      .dflt = "false",
      .help = "A valid mean below zero counts as zero; else it is missing." },
    { 0 },
};

static const struct field http_fields[] = {
    { .name = "listen",
      .type = FIELD_TEXT,
      AT(http_conf, listen),
      .dflt = "127.0.0.1:8080",
      .help = "ADDRESS:PORT of the station page, or off.",
      .is_ok = listen_is_ok },
    { 0 },
};

static const char *const log_codecs[] = { "auto", "dense", "plain", NULL }; /* enum log_codec */

static const struct field log_fields[] = {
    { .name = "path",
      .type = FIELD_TEXT,
      AT(log_conf, path),
      .dflt = "/var/lib/sluice/station.db",
      .help = "The station's log, an SQLite database.",
      .is_ok = file_is_ok },
    { .name = "commit",
      .type = FIELD_DURATION,
      AT(log_conf, commit_ms),
      .dflt = "1s",
      .min = 10,
      .max = MINUTE,
      .help = "Longest time a sample waits to be safe on disk; 10s spares an SD card." },
    { .name = "seal",
      .type = FIELD_DURATION,
      AT(log_conf, seal_ms),
      .dflt = "1min",
      .min = SECOND,
      .max = DAY,
      .help = "Longest time a row waits to be sealed into a frame and sent." },
    { .name = "seal_rows",
      .type = FIELD_INT,
      AT(log_conf, seal_rows),
      .dflt = "240",
      .min = 1,
      .max = 4096,
      .help = "Rows that seal a frame earlier." },
    { .name = "codec",
      .type = FIELD_ENUM,
      AT(log_conf, codec),
      .dflt = "auto",
      .help = "How rows are coded: dense takes half the bytes of plain, and 6 KB of memory and "
              "0.7 us of time more a channel and value. auto: dense up to 2,000 channels.",
      .words = log_codecs },
    { .name = "size_max",
      .type = FIELD_SIZE,
      AT(log_conf, size_max),
      .dflt = "1GiB",
      .min = 1 << 20,
      .max = 1e13,
      .help =
          "Size that the log never exceeds: acknowledged entries go from 80 % on, oldest "
          "first; when it is full, frames that an uplink still waits for, and an event tells "
          "which." },
    { .name = "ballast",
      .type = FIELD_SIZE,
      AT(log_conf, ballast),
      .dflt = "16MiB",
      .min = 0,
      .max = 1 << 30,
      .help = "Room kept in a file beside the log and given to it when the disk is full. 0: "
              "none." },
    { .name = "age_max",
      .type = FIELD_DURATION,
      AT(log_conf, age_max_ms),
      .dflt = "365d",
      .min = HOUR,
      .max = 36500.0 * DAY,
      .help = "Age beyond which entries go." },
    { 0 },
};

const struct field config_fields[] = {
    { .name = "station",
      .type = FIELD_GROUP,
      AT(config, station),
      .flags = FIELD_REQUIRED,
      .help = "Who and where the station is.",
      .fields = station_fields },
    { .name = "buses",
      .type = FIELD_LIST,
      AT(config, buses),
      .help = "Ways to reach instruments.",
      .fields = bus_fields,
      .size = sizeof(struct bus_conf) },
    { .name = "devices",
      .type = FIELD_LIST,
      AT(config, devices),
      .help = "Instruments.",
      .fields = device_fields,
      .size = sizeof(struct device_conf) },
    { .name = "qc",
      .type = FIELD_MAP,
      AT(config, qualities),
      .help = "Checks of all channels of a quantity; a channel's own go before.",
      .fields = quality_fields,
      .size = sizeof(struct quality_conf) },
    { .name = "watch",
      .type = FIELD_LIST,
      AT(config, watches),
      .help = "Channels that are watched for faults of the instrument and for events.",
      .fields = watch_fields,
      .size = sizeof(struct watch_conf) },
    { .name = "packs",
      .type = FIELD_LIST,
      AT(config, packs),
      .help = "Ready-made rules by standard; those that fit no channel are left out.",
      .fields = pack_fields,
      .size = sizeof(struct pack_conf) },
    { .name = "rules",
      .type = FIELD_LIST,
      AT(config, rules),
      .help = "When to raise an alert.",
      .fields = rule_fields,
      .size = sizeof(struct rule_conf) },
    { .name = "alerts",
      .type = FIELD_GROUP,
      AT(config, alerts),
      .help = "What becomes of alerts once they are raised.",
      .fields = alerts_fields },
    { .name = "uplinks",
      .type = FIELD_LIST,
      AT(config, uplinks),
      .help = "Where the log is sent.",
      .fields = uplink_fields,
      .size = sizeof(struct uplink_conf) },
    { .name = "profiles",
      .type = FIELD_TEXTS,
      AT(config, profile_dirs),
      .dflt = "/etc/sluice/profiles.d",
      .help =
          "Folders searched for profiles before the built-in ones; a relative one starts at "
          "the main file.",
      .is_ok = file_is_ok },
    { .name = "index",
      .type = FIELD_GROUP,
      AT(config, index),
      .help = "Air quality indices of the station, hour by hour.",
      .fields = index_fields },
    { .name = "http",
      .type = FIELD_GROUP,
      AT(config, http),
      .help = "The station page.",
      .fields = http_fields },
    { .name = "log",
      .type = FIELD_GROUP,
      AT(config, log),
      .help = "The station's log.",
      .fields = log_fields },
    { .name = "control",
      .type = FIELD_TEXT,
      AT(config, control),
      .dflt = "/run/sluice/control.sock",
      .help = "Socket through which `sluice tail` and `sluice status` speak to the daemon.",
      .is_ok = file_is_ok },
    { 0 },
};
