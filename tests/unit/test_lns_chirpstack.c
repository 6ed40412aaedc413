/* SPDX-License-Identifier: Apache-2.0 */
/* Events as ChirpStack v4 documents them; the values are made up. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/lns/command.h"
#include "gateway/lns/feed.h"

#include "unit.h"

#define APPLICATION "0b8c9d52-7a3e-4f6e-9a51-2f4f6c0f7d11"
#define BASE        "application/" APPLICATION "/device/a84041ffff1834a2/event/"
#define DEVICE \
    "\"deviceInfo\":{\"tenantId\":\"t\",\"applicationId\":\"" APPLICATION "\"," \
    "\"applicationName\":\"river\",\"deviceName\":\"weir-3\",\"devEui\":\"a84041ffff1834a2\"}"
#define UP_HEAD \
    "{\"deduplicationId\":\"5f0f2c5e-43c1-4b1f-8a55-0d6f8f0c9b21\"," \
    "\"time\":\"2026-11-22T07:09:30.125123+00:00\"," DEVICE ","

static char why[FEED_TEXT_MAX];
static struct feed_message m;

static int parse(const char *event, const char *json)
{
    char topic[200];

    snprintf(topic, sizeof topic, BASE "%s", event);
    free(m.object);
    memset(&m, 0x55, sizeof m);
    m.object = NULL;
    *why = '\0';
    return chirpstack_parse(topic, json, strlen(json), &m, why, sizeof why);
}

static void assert_says(const char *part)
{
    if (!strstr(why, part))
        fail_msg("\"%s\" does not say \"%s\"", why, part);
}

static void reads_an_uplink(void **state)
{
    (void)state;
    assert_int_equal(
        parse("up", UP_HEAD
              "\"devAddr\":\"01ab23cd\",\"adr\":true,\"dr\":5,\"fCnt\":4711,\"fPort\":2,"
              "\"confirmed\":true,\"data\":\"AQIDBA==\",\"object\":{\"t\":21.3,\"n\":[1,2]},"
              "\"rxInfo\":[{\"gatewayId\":\"0016c001f1500812\",\"uplinkId\":1,"
              "\"gwTime\":\"2026-11-22T07:09:30.125123+00:00\","
              "\"nsTime\":\"2026-11-22T07:09:30.201+00:00\",\"rssi\":-112,\"snr\":-3.5},"
              "{\"gatewayId\":\"0016c001f1500813\",\"rssi\":-61,\"channel\":2}],"
              "\"txInfo\":{\"frequency\":868300000,\"modulation\":{\"lora\":{"
              "\"bandwidth\":125000,\"spreadingFactor\":7,\"codeRate\":\"CR_4_5\"}}},"
              "\"regionConfigId\":\"eu868\",\"somethingNew\":{\"a\":[true]}}"),
        0);
    assert_int_equal(m.kind, FEED_UPLINK);
    assert_true(m.dev_eui == UINT64_C(0xa84041ffff1834a2) && m.dev_addr == 0x01ab23cd);
    assert_int_equal(m.fcnt, 4711);
    assert_int_equal(m.fport, 2);
    assert_int_equal(m.n, 4);
    assert_memory_equal(m.payload, "\1\2\3\4", 4);
    assert_true(m.is_confirmed && !m.is_simulated && !m.is_time_gps);
    assert_true(m.time_ms == INT64_C(1795331370125));
    assert_int_equal(m.gateways, 2);
    assert_string_equal(m.gateway, "0016c001f1500813");
    assert_true(m.rssi == -61 && m.snr == 0); /* 0 is left out */
    assert_int_equal(m.freq_hz, 868300000);
    assert_string_equal(m.rate, "SF7BW125");
    assert_string_equal(m.object, "{\"t\":21.3,\"n\":[1,2]}");
    assert_string_equal(m.device_id, "weir-3");
    assert_string_equal(m.application, APPLICATION);
    assert_string_equal(m.key[0], "5f0f2c5e-43c1-4b1f-8a55-0d6f8f0c9b21");
    assert_true(feed_message_is_measurement(&m));
}

static void takes_what_is_left_out_for_zero(void **state)
{
    (void)state;
    assert_int_equal(parse("up", "{" DEVICE "}"), 0);
    assert_true(m.fcnt == 0 && m.fport == 0 && m.n == 0 && !m.is_confirmed);
    assert_true(m.time_ms == INT64_MIN && isnan(m.rssi) && isnan(m.snr));
    assert_string_equal(m.key[0], "");
    assert_null(m.object);
    assert_false(feed_message_is_measurement(&m)); /* no port: no bytes of an application */
}

static void null_is_as_good_as_absent(void **state)
{
    (void)state;
    assert_int_equal(parse("up", UP_HEAD "\"fPort\":3,\"data\":null,\"fCnt\":null,"
                                         "\"rxInfo\":null,\"object\":null}"),
                     0);
    assert_true(m.fport == 3 && m.n == 0 && m.fcnt == 0);
}

static void reads_counters_that_are_texts(void **state)
{
    (void)state;
    assert_int_equal(parse("up", UP_HEAD "\"fPort\":\"3\",\"fCnt\":\"4294967295\"}"), 0);
    assert_true(m.fport == 3 && m.fcnt == UINT32_MAX);
}

static void the_second_key_tells_content_counter_and_session_apart(void **state)
{
    static const char *const others[] = {
        "\"devAddr\":\"00000001\",\"fCnt\":1,\"fPort\":1,\"data\":\"AQ==\"}",
        "\"devAddr\":\"00000001\",\"fCnt\":2,\"fPort\":1,\"data\":\"AQ==\"}",
        "\"devAddr\":\"00000002\",\"fCnt\":1,\"fPort\":1,\"data\":\"AQ==\"}",
        "\"devAddr\":\"00000001\",\"fCnt\":1,\"fPort\":1,\"data\":\"Ag==\"}",
        "\"devAddr\":\"00000001\",\"fCnt\":1,\"fPort\":2,\"data\":\"AQ==\"}",
    };
    char first[64], text[1024];

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(text, sizeof text, UP_HEAD "%s", others[i]);
        assert_int_equal(parse("up", text), 0);
        if (i == 0)
            memcpy(first, m.key[1], sizeof first);
        else
            assert_string_not_equal(m.key[1], first);
    }
    snprintf(text, sizeof text, "{\"deduplicationId\":\"another\"," DEVICE ",%s", others[0]);
    assert_int_equal(parse("up", text), 0);
    assert_string_equal(m.key[1], first);
}

static void reads_events_of_older_servers(void **state)
{
    (void)state;
    assert_int_equal(parse("up", "{" DEVICE ",\"fPort\":1,\"rxInfo\":[{\"gatewayId\":\"x\","
                                 "\"time\":\"2026-11-22T08:09:30+01:00\",\"rssi\":-90,"
                                 "\"snr\":7.25}]}"),
                     0);
    assert_true(m.time_ms == INT64_C(1795331370000) && m.snr == 7.25f);
}

/* 1795331370125 ms UTC is 1479366588.125 s of GPS time. */
static void a_near_gps_time_is_better_than_the_servers(void **state)
{
    (void)state;
    assert_int_equal(parse("up", UP_HEAD "\"rxInfo\":[{\"rssi\":-1,\"timeSinceGpsEpoch\":"
                                         "\"1479366588.000s\","
                                         "\"nsTime\":\"2026-11-22T07:09:30.300Z\"}]}"),
                     0);
    assert_true(m.is_time_gps);
    assert_true(m.time_ms == INT64_C(1795331370000));
}

/* A receiver that lost 1024 weeks: the server takes its time unchecked. */
static void a_gateway_decades_off_is_not_believed(void **state)
{
    (void)state;
    assert_int_equal(parse("up", "{\"time\":\"2007-04-08T07:09:30Z\"," DEVICE
                                 ",\"rxInfo\":[{\"gwTime\":\"2007-04-08T07:09:30Z\","
                                 "\"timeSinceGpsEpoch\":\"860051388.125s\","
                                 "\"nsTime\":\"2026-11-22T07:09:30.300Z\"}]}"),
                     0);
    assert_false(m.is_time_gps);
    assert_true(m.time_ms == INT64_C(1795331370300));
}

static void what_is_odd_about_the_reception_costs_no_measurement(void **state)
{
    (void)state;
    assert_int_equal(parse("up", UP_HEAD "\"fPort\":1,\"data\":\"AQ==\",\"rxInfo\":[7,{"
                                         "\"rssi\":\"loud\",\"snr\":[],\"gatewayId\":5,"
                                         "\"nsTime\":4}],\"txInfo\":\"none\",\"object\":4}"),
                     0);
    assert_true(m.n == 1 && m.gateways == 1 && m.freq_hz == 0 && m.rate[0] == '\0');
    assert_null(m.object);
}

static void names_other_modulations(void **state)
{
    (void)state;
    assert_int_equal(parse("up", UP_HEAD "\"txInfo\":{\"modulation\":{\"fsk\":{"
                                         "\"frequencyDeviation\":25000,\"datarate\":50000}}}}"),
                     0);
    assert_string_equal(m.rate, "FSK50");
    assert_int_equal(parse("up", UP_HEAD "\"txInfo\":{\"modulation\":{\"lrFhss\":{}}}}"), 0);
    assert_string_equal(m.rate, "LR-FHSS");
}

static void a_decoder_that_prints_nul_costs_no_measurement(void **state)
{
    (void)state;
    assert_int_equal(parse("up", UP_HEAD "\"fPort\":1,\"object\":{\"name\":\"ab\\u0000\"}}"),
                     0);
    assert_string_equal(m.object, "{\"name\":\"ab\\u0000\"}");
}

static void reads_a_join(void **state)
{
    (void)state;
    assert_int_equal(parse("join", UP_HEAD "\"devAddr\":\"01ab23cd\"}"), 0);
    assert_true(m.kind == FEED_JOIN && m.dev_addr == 0x01ab23cd);
}

static void reads_the_battery(void **state)
{
    static const struct {
        const char *json;
        int battery, margin;
    } cases[] = {
        { "\"margin\":7,\"batteryLevel\":74.8}", 75, 7 },
        { "\"margin\":-12,\"externalPowerSource\":true}", -1, -12 },
        { "\"batteryLevelUnavailable\":true,\"batteryLevel\":10}", -2, 0 },
        { "\"margin\":1}", 0, 1 },
        { "\"margin\":9000,\"batteryLevel\":101}", -2, 0 },
    };
    char text[1024];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, UP_HEAD "%s", cases[i].json);
        assert_int_equal(parse("status", text), 0);
        assert_int_equal(m.kind, FEED_STATUS);
        assert_int_equal(m.battery, cases[i].battery);
        assert_int_equal(m.margin, cases[i].margin);
    }
}

static void reads_a_log_event(void **state)
{
    (void)state;
    assert_int_equal(parse("log",
                           UP_HEAD "\"level\":\"ERROR\",\"code\":\"DOWNLINK_PAYLOAD_SIZE\","
                                   "\"description\":\"too large\",\"context\":{"
                                   "\"queue_item_id\":\"q-1\"}}"),
                     0);
    assert_int_equal(m.kind, FEED_LOG);
    assert_string_equal(m.code, "DOWNLINK_PAYLOAD_SIZE");
    assert_string_equal(m.text, "too large");
    assert_string_equal(m.key[0], "q-1");
}

static void follows_a_command(void **state)
{
    (void)state;
    assert_int_equal(parse("txack", UP_HEAD "\"queueItemId\":\"q-1\",\"fCntDown\":3}"), 0);
    assert_true(m.kind == FEED_DOWNLINK && m.progress == FEED_DOWN_SENT);
    assert_int_equal(parse("ack", UP_HEAD "\"queueItemId\":\"q-1\",\"acknowledged\":true}"), 0);
    assert_int_equal(m.progress, FEED_DOWN_ACKNOWLEDGED);
    assert_string_equal(m.key[0], "q-1");
    assert_int_equal(parse("ack", UP_HEAD "\"queueItemId\":\"q-1\"}"), 0);
    assert_int_equal(m.progress, FEED_DOWN_REFUSED);
}

static void other_events_are_of_no_concern(void **state)
{
    (void)state;
    assert_int_equal(parse("location", "{}"), -ENOENT);
    assert_int_equal(parse("integration", "not even JSON"), -ENOENT);
    assert_int_equal(chirpstack_parse("", "{}", 2, &m, why, sizeof why), -ENOENT);
}

static void says_what_is_wrong_and_what_would_be_right(void **state)
{
    static const struct {
        const char *json, *part[2];
    } cases[] = {
        { "\x0a\x24protobuf", { "begins with 0x0a", "json = true" } },
        { "", { "is empty", "JSON object" } },
        { "[1]", { "no JSON object", "0x5b" } },
        { "{\"a\":", { "no valid JSON", "line 1" } },
        { "{\"a\":1e999}", { "no valid JSON", "line 1" } },
        { "{}", { "deviceInfo.devEui is missing", "16 hexadecimal digits" } },
        { "{\"devEUI\":\"qEBB//8YNKI=\",\"fCnt\":1}", { "ChirpStack 3", "version 4" } },
        { "{\"deviceInfo\":[]}", { "deviceInfo is a list", "an object" } },
        { "{\"deviceInfo\":{\"devEui\":\"a84041\"}}", { "devEui is \"a84041\"", "16 hex" } },
        { "{\"deviceInfo\":{\"devEui\":\"0000000000000001\"}}",
          { "another device than the one of the topic", "" } },
        { UP_HEAD "\"fCnt\":-1}", { "fCnt is -1", "from 0 to 4294967295" } },
        { UP_HEAD "\"fCnt\":1.5}", { "fCnt is 1.5", "whole number" } },
        { UP_HEAD "\"fPort\":256}", { "fPort is 256", "from 0 to 255" } },
        { UP_HEAD "\"data\":\"!!!!\"}", { "data is \"!!!!\"", "base64" } },
        { UP_HEAD "\"data\":5}", { "data is 5", "base64" } },
        { UP_HEAD "\"confirmed\":1}", { "confirmed is 1", "true or false" } },
        { UP_HEAD "\"deduplicationId\":\"a\\u0000b\"}", { "deduplicationId", "without NUL" } },
        { "{\"time\":\"2026-02-30T00:00:00Z\"," DEVICE "}", { "time is", "such as" } },
        { "{\"time\":\"2026-11-22 07:09\"," DEVICE "}", { "time is", "such as" } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse("up", cases[i].json), -EBADMSG);
        assert_says(BASE "up: ");
        assert_says(cases[i].part[0]);
        assert_says(cases[i].part[1]);
        assert_int_equal(why[strlen(why) - 1], '.');
    }
}

static void refuses_more_bytes_than_a_frame_carries(void **state)
{
    static char text[8192];
    size_t n = (size_t)snprintf(text, sizeof text, UP_HEAD "\"data\":\"");

    (void)state;
    memset(text + n, 'A', 344); /* 258 bytes */
    memcpy(text + n + 344, "\"}", 3);
    assert_int_equal(parse("up", text), -EBADMSG);
    assert_says("more than 255 bytes");
}

static void hostile_shapes_end_in_a_sentence(void **state)
{
    size_t n = FEED_EVENT_MAX;
    char *deep = malloc(n + 2);

    (void)state;
    assert_non_null(deep);
    memset(deep, '{', n + 1);
    deep[n + 1] = '\0';
    assert_int_equal(parse("up", deep), -EBADMSG);
    assert_says("at most");
    for (size_t i = 0; i + 5 <= n; i += 5)
        memcpy(deep + i, "{\"a\":", 5);
    deep[n] = '\0';
    assert_int_equal(parse("up", deep), -EBADMSG);
    assert_says("no valid JSON");
    free(deep);
    assert_int_equal(parse("up", "{\"deviceInfo\":{\"devEui\":\"\x1b[2J\"}}"), -EBADMSG);
    assert_null(strchr(why, '\x1b'));
}

static void a_failure_leaves_the_message_alone(void **state)
{
    struct feed_message before;

    (void)state;
    memset(&m, 0x55, sizeof m);
    m.object = NULL;
    before = m;
    assert_int_equal(chirpstack_parse(BASE "up", "{}", 2, &m, why, sizeof why), -EBADMSG);
    assert_memory_equal(&before, &m, sizeof m);
}

/* ---- topics and commands ---- */

static struct feed_conf conf = { .id = "c", .url = "mqtt://127.0.0.1:1883" };

static void subscribes_to_all_applications_or_one(void **state)
{
    char filter[FEED_FILTERS_MAX][FEED_TOPIC_MAX];
    struct feed_conf c = conf;

    (void)state;
    assert_int_equal(feed_filters(&c, filter), 1);
    assert_string_equal(filter[0], "application/+/device/+/event/+");
    c.application = APPLICATION;
    assert_int_equal(feed_filters(&c, filter), 1);
    assert_string_equal(filter[0], "application/" APPLICATION "/device/+/event/+");
    c.topic = "site/7/app-{{application_id}}/eui-{{ dev_eui }}/{{ event }}";
    c.application = NULL;
    assert_int_equal(feed_filters(&c, filter), 1);
    assert_string_equal(filter[0], "site/7/+/+/+");
}

static void prints_a_command(void **state)
{
    struct feed_command k = { .dev_eui = UINT64_C(0xa84041ffff1834a2),
                              .application = APPLICATION,
                              .fport = 2,
                              .bytes = (const uint8_t *)"\1\2\3",
                              .n = 3,
                              .is_confirmed = true,
                              .id = "5f0f2c5e-43c1-4b1f-8a55-0d6f8f0c9b21" };
    char topic[FEED_TOPIC_MAX];
    struct buf b = BUF_INIT(FEED_COMMAND_MAX);

    (void)state;
    assert_int_equal(feed_command_print(&conf, &k, topic, &b), 0);
    assert_string_equal(topic,
                        "application/" APPLICATION "/device/a84041ffff1834a2/command/down");
    assert_string_equal(buf_text(&b),
                        "{\"id\":\"5f0f2c5e-43c1-4b1f-8a55-0d6f8f0c9b21\","
                        "\"devEui\":\"a84041ffff1834a2\",\"confirmed\":true,\"fPort\":2,"
                        "\"data\":\"AQID\"}");
    buf_clear(&b);
    struct feed_conf other = conf;
    other.topic = "site/{{ application_id }}/{{dev_eui}}/event/{{event}}";
    assert_int_equal(feed_command_print(&other, &k, topic, &b), 0);
    assert_string_equal(topic, "site/" APPLICATION "/a84041ffff1834a2/command/down");
    k.id = "no-uuid";
    assert_int_equal(feed_command_print(&conf, &k, topic, &b), -EINVAL);
    k.id = NULL;
    k.fport = 0;
    assert_int_equal(feed_command_print(&conf, &k, topic, &b), -EINVAL);
    k.fport = 224;
    assert_int_equal(feed_command_print(&conf, &k, topic, &b), -EINVAL);
    k.fport = 1;
    k.n = FEED_DOWN_MAX + 1;
    assert_int_equal(feed_command_print(&conf, &k, topic, &b), -EMSGSIZE);
    k.n = 1;
    k.application = "a/b";
    assert_int_equal(feed_command_print(&conf, &k, topic, &b), -EINVAL);
    buf_done(&b);
}

static void ids_of_commands_are_uuids(void **state)
{
    char id[FEED_ID_MAX], other[FEED_ID_MAX];

    (void)state;
    feed_id_make(id);
    feed_id_make(other);
    assert_int_equal(strlen(id), FEED_ID_MAX - 1);
    assert_int_equal(id[14], '4');
    assert_non_null(strchr("89ab", id[19]));
    assert_string_not_equal(id, other);
}

static void says_what_is_wrong_with_a_feed(void **state)
{
    static const struct {
        struct feed_conf c;
        const char *part;
    } cases[] = {
        { { .url = NULL }, "url is missing" },
        { { .url = "http://x" }, "mqtt://" },
        { { .url = "mqtt://x", .application = "a/+" }, "application" },
        { { .url = "mqtt://x", .topic = "a/#" }, "{{event}}" },
        { { .url = "mqtt://x", .topic = "a/{{event}}/b" }, "{{event}}" },
        { { .url = "mqtt://x", .topic = "a/{{deveui}}/{{event}}" }, "{{event}}" },
        { { .url = "mqtt://x", .client_id = "" }, "client_id" },
        { { .url = "mqtt://x", .storage_url = "https://x" }, "storage" },
        { { .url = "mqtt://x", .server = FEED_TTN }, "my-app@ttn" },
        { { .url = "mqtt://x", .server = FEED_TTN, .application = "a@t", .topic = "x" },
          "only for ChirpStack" },
        { { .url = "mqtt://x",
            .server = FEED_TTN,
            .username = "a@t",
            .storage_url = "ftp://x" },
          "https://" },
        { { .url = "mqtt://x",
            .server = FEED_TTN,
            .username = "a@t",
            .storage_url = "https://x" },
          "password" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(feed_check(&cases[i].c, why, sizeof why), -EINVAL);
        assert_says(cases[i].part);
    }
    assert_int_equal(feed_check(&conf, why, sizeof why), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_uplink),
        cmocka_unit_test(takes_what_is_left_out_for_zero),
        cmocka_unit_test(null_is_as_good_as_absent),
        cmocka_unit_test(reads_counters_that_are_texts),
        cmocka_unit_test(the_second_key_tells_content_counter_and_session_apart),
        cmocka_unit_test(reads_events_of_older_servers),
        cmocka_unit_test(a_near_gps_time_is_better_than_the_servers),
        cmocka_unit_test(a_gateway_decades_off_is_not_believed),
        cmocka_unit_test(what_is_odd_about_the_reception_costs_no_measurement),
        cmocka_unit_test(names_other_modulations),
        cmocka_unit_test(a_decoder_that_prints_nul_costs_no_measurement),
        cmocka_unit_test(reads_a_join),
        cmocka_unit_test(reads_the_battery),
        cmocka_unit_test(reads_a_log_event),
        cmocka_unit_test(follows_a_command),
        cmocka_unit_test(other_events_are_of_no_concern),
        cmocka_unit_test(says_what_is_wrong_and_what_would_be_right),
        cmocka_unit_test(refuses_more_bytes_than_a_frame_carries),
        cmocka_unit_test(hostile_shapes_end_in_a_sentence),
        cmocka_unit_test(a_failure_leaves_the_message_alone),
        cmocka_unit_test(subscribes_to_all_applications_or_one),
        cmocka_unit_test(prints_a_command),
        cmocka_unit_test(ids_of_commands_are_uuids),
        cmocka_unit_test(says_what_is_wrong_with_a_feed),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    free(m.object);
    return rc;
}
