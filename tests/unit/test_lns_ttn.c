/* SPDX-License-Identifier: Apache-2.0 */
/* Events as The Things Stack documents them; the values are made up. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/lns/command.h"
#include "gateway/lns/feed.h"

#include "unit.h"

#define TOPIC "v3/river@ttn/devices/weir-3/"
#define IDS \
    "\"end_device_ids\":{\"device_id\":\"weir-3\",\"application_ids\":{\"application_id\":" \
    "\"river\"},\"dev_eui\":\"A84041FFFF1834A2\",\"join_eui\":\"A840410000000100\"," \
    "\"dev_addr\":\"260BAB12\"},\"correlation_ids\":[\"as:up:01HF\"]," \
    "\"received_at\":\"2026-11-22T07:09:30.425123456Z\""
#define UP(body) "{" IDS ",\"uplink_message\":{" body "}}"
#define AT       "\"received_at\":\"2026-11-22T07:09:30.225123456Z\""

static char why[FEED_TEXT_MAX];
static struct feed_message m;

static int parse(const char *event, const char *json)
{
    char topic[200];

    snprintf(topic, sizeof topic, TOPIC "%s", event);
    free(m.object);
    memset(&m, 0x55, sizeof m);
    m.object = NULL;
    *why = '\0';
    return ttn_parse(topic, json, strlen(json), &m, why, sizeof why);
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
        parse("up",
              UP("\"session_key_id\":\"AYx5bW9kZWwtc2Vzcw==\",\"f_port\":2,\"f_cnt\":4711,"
                 "\"frm_payload\":\"AQIDBA==\",\"decoded_payload\":{\"t\":21.3},"
                 "\"rx_metadata\":[{\"gateway_ids\":{\"gateway_id\":\"roof\",\"eui\":"
                 "\"58A0CBFFFE800001\"},\"time\":\"1999-01-01T00:00:00Z\",\"timestamp\":7,"
                 "\"rssi\":-97,\"channel_rssi\":-97,\"snr\":4.25},"
                 "{\"gateway_ids\":{\"gateway_id\":\"hill\"},\"rssi\":-120}],"
                 "\"settings\":{\"data_rate\":{\"lora\":{\"bandwidth\":125000,"
                 "\"spreading_factor\":9,\"coding_rate\":\"4/5\"}},\"frequency\":"
                 "\"867100000\"},\"confirmed\":true,\"consumed_airtime\":\"0.056576s\"," AT)),
        0);
    assert_int_equal(m.kind, FEED_UPLINK);
    assert_true(m.dev_eui == UINT64_C(0xa84041ffff1834a2) && m.dev_addr == 0x260bab12);
    assert_true(m.fcnt == 4711 && m.fport == 2 && m.n == 4 && m.is_confirmed);
    assert_memory_equal(m.payload, "\1\2\3\4", 4);
    assert_true(m.time_ms == INT64_C(1795331370225) && !m.is_time_gps);
    assert_true(m.gateways == 2 && m.rssi == -97 && m.snr == 4.25f);
    assert_string_equal(m.gateway, "roof");
    assert_int_equal(m.freq_hz, 867100000);
    assert_string_equal(m.rate, "SF9BW125");
    assert_string_equal(m.object, "{\"t\":21.3}");
    assert_string_equal(m.device_id, "weir-3");
    assert_string_equal(m.application, "river@ttn");
    assert_string_equal(m.key[0], "a84041ffff1834a2/AYx5bW9kZWwtc2Vzcw==/4711");
    assert_true(feed_message_is_measurement(&m));
}

static void takes_what_is_left_out_for_zero(void **state)
{
    (void)state;
    assert_int_equal(parse("up", UP("\"f_port\":5,\"rx_metadata\":[{\"rssi\":-80}]")), 0);
    assert_true(m.fcnt == 0 && m.fport == 5 && m.n == 0);
    assert_true(m.snr == 0); /* exactly 0 is left out */
    assert_true(m.time_ms == INT64_C(1795331370425));
    assert_string_equal(m.key[0], "");
    assert_string_not_equal(m.key[1], "");
}

static void what_was_simulated_is_no_measurement(void **state)
{
    (void)state;
    assert_int_equal(parse("up", "{" IDS ",\"simulated\":true,\"uplink_message\":{\"f_port\":1,"
                                 "\"frm_payload\":\"AQ==\"}}"),
                     0);
    assert_true(m.is_simulated);
    assert_false(feed_message_is_measurement(&m));
}

static void only_a_near_gps_time_counts(void **state)
{
    (void)state;
    assert_int_equal(parse("up", UP("\"f_port\":1,\"rx_metadata\":[{\"gps_time\":"
                                    "\"2026-11-22T07:09:30.100Z\"}]," AT)),
                     0);
    assert_true(m.is_time_gps && m.time_ms == INT64_C(1795331370100));
    assert_int_equal(parse("up", UP("\"f_port\":1,\"rx_metadata\":[{\"gps_time\":"
                                    "\"2026-11-22T07:09:28.200Z\"}]," AT)),
                     0);
    assert_true(!m.is_time_gps && m.time_ms == INT64_C(1795331370225));
    assert_int_equal(parse("up", UP("\"f_port\":1,\"rx_metadata\":[{\"time\":"
                                    "\"2026-11-22T07:09:30.100Z\"}]," AT)),
                     0);
    assert_false(m.is_time_gps); /* the gateway's own clock */
    assert_int_equal(parse("up", UP("\"f_port\":1,\"rx_metadata\":[{\"fine_timestamp\":\"1\","
                                    "\"time\":\"2026-11-22T07:09:30.100Z\"}]," AT)),
                     0);
    assert_true(m.is_time_gps);
}

static void a_session_id_of_any_length_makes_a_key(void **state)
{
    char first[64];

    (void)state;
    assert_int_equal(parse("up", UP("\"session_key_id\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                    "AAAAAAAAAAAAAAAAAAAAAAAAA\"")),
                     0);
    memcpy(first, m.key[0], sizeof first);
    assert_int_equal(parse("up", UP("\"session_key_id\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                    "AAAAAAAAAAAAAAAAAAAAAAAAB\"")),
                     0);
    assert_string_not_equal(first, m.key[0]);
}

static void reads_a_join(void **state)
{
    (void)state;
    assert_int_equal(
        parse("join", "{" IDS ",\"join_accept\":{\"session_key_id\":\"x\"," AT "}}"), 0);
    assert_true(m.kind == FEED_JOIN && m.dev_addr == 0x260bab12);
    assert_true(m.time_ms == INT64_C(1795331370225));
}

static void follows_a_command(void **state)
{
    static const struct {
        const char *event, *json;
        enum feed_progress progress;
    } cases[] = {
        { "down/queued",
          "{" IDS ",\"downlink_queued\":{\"correlation_ids\":[\"x\",\"sluice:c-1\"]}}",
          FEED_DOWN_QUEUED },
        { "down/sent", "{" IDS ",\"downlink_sent\":{\"correlation_ids\":[\"sluice:c-1\"]}}",
          FEED_DOWN_SENT },
        { "down/ack", "{" IDS ",\"downlink_ack\":{\"correlation_ids\":[\"sluice:c-1\"]}}",
          FEED_DOWN_ACKNOWLEDGED },
        { "down/nack", "{" IDS ",\"downlink_nack\":{\"correlation_ids\":[\"sluice:c-1\"]}}",
          FEED_DOWN_REFUSED },
        { "down/failed",
          "{" IDS ",\"downlink_failed\":{\"downlink\":{\"correlation_ids\":[\"sluice:c-1\"]},"
          "\"error\":{\"name\":\"no_session\",\"message_format\":\"no active session\"}}}",
          FEED_DOWN_FAILED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(cases[i].event, cases[i].json), 0);
        assert_int_equal(m.kind, FEED_DOWNLINK);
        assert_int_equal(m.progress, cases[i].progress);
        assert_string_equal(m.key[0], "c-1");
    }
    assert_string_equal(m.code, "no_session");
    assert_string_equal(m.text, "no active session");
}

static void other_events_are_of_no_concern(void **state)
{
    static const char *const topics[] = {
        TOPIC "service/data",
        TOPIC "location/solved",
        TOPIC "down/push",
        "v3/a@t/devices/x",
        "v3/a@t",
        "v2/a@t/devices/x/up",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        assert_int_equal(ttn_parse(topics[i], "{}", 2, &m, why, sizeof why), -ENOENT);
}

static void says_what_is_wrong_and_what_would_be_right(void **state)
{
    static const struct {
        const char *json, *part[2];
    } cases[] = {
        { "\x0a\x24protobuf", { "begins with 0x0a", "JSON" } },
        { "{}", { "dev_eui is missing", "16 hexadecimal digits" } },
        { "{" IDS "}", { "uplink_message is missing", "object" } },
        { "{" IDS ",\"uplink_message\":[]}", { "uplink_message is a list", "object" } },
        { UP("\"f_cnt\":4294967296"), { "f_cnt is 4294967296", "from 0 to 4294967295" } },
        { UP("\"f_port\":true"), { "f_port is true", "from 0 to 255" } },
        { UP("\"frm_payload\":\"AQ=A\""), { "frm_payload", "base64" } },
        { UP("\"received_at\":\"yesterday\""), { "received_at is", "such as" } },
        { "{\"end_device_ids\":{\"device_id\":\"other\",\"dev_eui\":\"A84041FFFF1834A2\"},"
          "\"uplink_message\":{}}",
          { "another device than the one of the topic", "" } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse("up", cases[i].json), -EBADMSG);
        assert_says(TOPIC "up: ");
        assert_says(cases[i].part[0]);
        assert_says(cases[i].part[1]);
        assert_int_equal(why[strlen(why) - 1], '.');
    }
}

static void a_stored_uplink_has_the_keys_of_the_live_one(void **state)
{
    static const char live[] =
        UP("\"session_key_id\":\"S\",\"f_port\":2,\"f_cnt\":9,\"frm_payload\":\"AQ==\"," AT);
    char text[1024], keys[2][64];
    int64_t at_ms = 0;

    (void)state;
    assert_int_equal(parse("up", live), 0);
    memcpy(keys, m.key, sizeof keys);
    snprintf(text, sizeof text, "{\"result\":%s}", live);
    assert_int_equal(ttn_stored_parse(text, strlen(text), &m, &at_ms, why, sizeof why), 0);
    assert_string_equal(m.key[0], keys[0]);
    assert_string_equal(m.key[1], keys[1]);
    assert_true(at_ms == INT64_C(1795331370425) && m.time_ms == INT64_C(1795331370225));
}

static void an_error_of_the_storage_is_told(void **state)
{
    static const char text[] = "{\"error\":{\"code\":7,\"message\":\"no rights\"}}";
    int64_t at_ms = 5;

    (void)state;
    assert_int_equal(ttn_stored_parse(text, strlen(text), &m, &at_ms, why, sizeof why), -EIO);
    assert_says("no rights");
    assert_int_equal(ttn_stored_parse("{}", 2, &m, &at_ms, why, sizeof why), -EBADMSG);
    assert_says("result is missing");
    assert_true(at_ms == 5);
}

/* ---- topics and commands ---- */

static const struct feed_conf conf = {
    .id = "t", .server = FEED_TTN, .url = "mqtts://x", .username = "river@ttn"
};

static void subscribes_to_what_it_understands(void **state)
{
    char filter[FEED_FILTERS_MAX][FEED_TOPIC_MAX];

    (void)state;
    assert_int_equal(feed_filters(&conf, filter), 7);
    assert_string_equal(filter[0], "v3/river@ttn/devices/+/up");
    assert_string_equal(filter[6], "v3/river@ttn/devices/+/down/failed");
}

static void prints_a_command(void **state)
{
    struct feed_command k = { .device_id = "weir-3",
                              .fport = 2,
                              .bytes = (const uint8_t *)"\1\2\3",
                              .n = 3,
                              .id = "c-1" };
    char topic[FEED_TOPIC_MAX];
    struct buf b = BUF_INIT(FEED_COMMAND_MAX);

    (void)state;
    assert_int_equal(feed_command_print(&conf, &k, topic, &b), 0);
    assert_string_equal(topic, TOPIC "down/push");
    assert_string_equal(buf_text(&b),
                        "{\"downlinks\":[{\"f_port\":2,\"frm_payload\":\"AQID\","
                        "\"priority\":\"NORMAL\",\"confirmed\":false,\"correlation_ids\":"
                        "[\"sluice:c-1\"]}]}");
    buf_clear(&b);
    k.device_id = "weir/3";
    assert_int_equal(feed_command_print(&conf, &k, topic, &b), -EINVAL);
    k.device_id = "weir-3";
    k.id = "\"}";
    assert_int_equal(feed_command_print(&conf, &k, topic, &b), -EINVAL);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_uplink),
        cmocka_unit_test(takes_what_is_left_out_for_zero),
        cmocka_unit_test(what_was_simulated_is_no_measurement),
        cmocka_unit_test(only_a_near_gps_time_counts),
        cmocka_unit_test(a_session_id_of_any_length_makes_a_key),
        cmocka_unit_test(reads_a_join),
        cmocka_unit_test(follows_a_command),
        cmocka_unit_test(other_events_are_of_no_concern),
        cmocka_unit_test(says_what_is_wrong_and_what_would_be_right),
        cmocka_unit_test(a_stored_uplink_has_the_keys_of_the_live_one),
        cmocka_unit_test(an_error_of_the_storage_is_told),
        cmocka_unit_test(subscribes_to_what_it_understands),
        cmocka_unit_test(prints_a_command),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    free(m.object);
    return rc;
}
