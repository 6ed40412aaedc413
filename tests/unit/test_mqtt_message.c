/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "gateway/uplink/mqtt_message.h"
#include "gateway/uplink/mqtt_topic.h"

#include "unit.h"

#define EPOCH UINT64_C(0x0123456789abcdef)

static void writes_the_series_message_byte_by_byte(void **state)
{
    static const uint8_t expected[] = { 0xc0, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
                                        0xac, 0x02, 0x03, 'a',  'b',  'c',  0x01, 0x00 };
    struct buf b = BUF_INIT(100);

    (void)state;
    mqtt_series_begin(&b, EPOCH);
    mqtt_series_add(&b, 300, (const uint8_t *)"abc", 3);
    mqtt_series_add(&b, 1, NULL, 0);
    assert_int_equal(b.size, sizeof expected);
    assert_memory_equal(b.data, expected, sizeof expected);
    buf_done(&b);
}

static void reads_what_it_wrote(void **state)
{
    struct buf b = BUF_INIT(100);
    struct mqtt_series_reader r;
    struct mqtt_series_entry e;

    (void)state;
    mqtt_series_begin(&b, EPOCH);
    mqtt_series_add(&b, INT64_MAX, (const uint8_t *)"abc", 3);
    mqtt_series_add(&b, 2, (const uint8_t *)"d", 1);
    assert_int_equal(mqtt_series_open((uint8_t *)b.data, b.size, &r), 0);
    assert_true(r.epoch == EPOCH);
    assert_int_equal(mqtt_series_next(&r, &e), 1);
    assert_true(e.seq == INT64_MAX && e.size == 3 && memcmp(e.frame, "abc", 3) == 0);
    assert_int_equal(mqtt_series_next(&r, &e), 1);
    assert_true(e.seq == 2 && e.size == 1);
    assert_int_equal(mqtt_series_next(&r, &e), 0);
    buf_done(&b);
}

static void refuses_every_cut_of_a_series_message(void **state)
{
    struct buf b = BUF_INIT(400);
    struct mqtt_series_reader r;
    struct mqtt_series_entry e;
    uint8_t frame[200] = { 0 };

    (void)state;
    mqtt_series_begin(&b, EPOCH);
    mqtt_series_add(&b, 1000, frame, sizeof frame);
    for (size_t n = 0; n < b.size; n++) {
        int rc = mqtt_series_open((uint8_t *)b.data, n, &r);
        if (n < MQTT_SERIES_HEAD)
            assert_int_equal(rc, -EINVAL);
        else
            assert_int_equal(mqtt_series_next(&r, &e), n == MQTT_SERIES_HEAD ? 0 : -EINVAL);
    }
    buf_done(&b);
}

static void refuses_an_entry_without_number(void **state)
{
    const uint8_t message[] = { 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'x' };
    struct mqtt_series_reader r;
    struct mqtt_series_entry e;

    (void)state;
    assert_int_equal(mqtt_series_open(message, sizeof message, &r), 0);
    assert_int_equal(mqtt_series_next(&r, &e), -EINVAL);
}

static void acknowledges_as_agreed(void **state)
{
    const struct uplink_range acked[] = { { 1, 5 }, { 9, 9 } };
    const struct uplink_need need[] = { { 17, 412, 97 } };
    const struct mqtt_ack ack = {
        .epoch = EPOCH, .acked = acked, .acked_n = 2, .need = need, .need_n = 1
    };
    struct uplink_acks acks = { .acked_n = 0 };
    struct buf b = BUF_INIT(MQTT_ACK_MAX);

    (void)state;
    mqtt_ack_write(&b, &ack);
    assert_string_equal(buf_text(&b),
                        "{\"epoch\":\"0123456789abcdef\",\"seq\":[[1,5],[9,9]],"
                        "\"need\":[{\"stream\":17,\"segment\":412,\"from\":97}]}");
    assert_int_equal(mqtt_ack_parse(b.data, b.size, EPOCH, &acks), 0);
    assert_int_equal(acks.acked_n, 2);
    assert_true(acks.acked[0].from == 1 && acks.acked[0].to == 5 && acks.acked[1].to == 9);
    assert_int_equal(acks.need_n, 1);
    assert_int_equal(acks.need[0].from_frame_seq, 97);
    buf_done(&b);
}

static void names_what_can_never_be_stored(void **state)
{
    const struct mqtt_refused refused[] = { { 7, "it \"rots\"" }, { 12, "so does this" } };
    const struct mqtt_ack ack = { .epoch = EPOCH, .refused = refused, .refused_n = 2 };
    struct uplink_acks acks = { .acked_n = 0 };
    struct buf b = BUF_INIT(MQTT_ACK_MAX);

    (void)state;
    mqtt_ack_write(&b, &ack);
    assert_string_equal(buf_text(&b), "{\"epoch\":\"0123456789abcdef\",\"seq\":[],\"need\":[],"
                                      "\"refused\":[{\"seq\":7,\"why\":\"it \\\"rots\\\"\"},"
                                      "{\"seq\":12,\"why\":\"so does this\"}]}");
    assert_int_equal(mqtt_ack_parse(b.data, b.size, EPOCH, &acks), 0);
    assert_int_equal(acks.refused_n, 2);
    assert_true(acks.refused[0].entries.from == 7 && acks.refused[0].entries.to == 7);
    assert_int_equal(acks.refused[0].verdict, UPLINK_REFUSED);
    assert_string_equal(acks.refused[0].text, "the centre refuses it: it \"rots\"");
    assert_string_equal(acks.refused[1].text, "the centre refuses it: so does this");
    assert_int_equal(mqtt_ack_parse(b.data, b.size, EPOCH, &acks), 0);
    assert_int_equal(acks.refused_n, 4);
    buf_done(&b);
}

static void the_largest_acknowledgement_fits(void **state)
{
    struct uplink_range acked[MQTT_ACK_RANGES];
    struct uplink_need need[MQTT_ACK_NEEDS];
    struct mqtt_refused refused[MQTT_ACK_REFUSED];
    const struct mqtt_ack ack = { EPOCH,           acked,           need,
                                  refused,         MQTT_ACK_RANGES, MQTT_ACK_NEEDS,
                                  MQTT_ACK_REFUSED };
    struct uplink_acks acks = { .acked_n = 0 };
    struct buf b = BUF_INIT(MQTT_ACK_MAX);

    (void)state;
    for (size_t i = 0; i < MQTT_ACK_RANGES; i++)
        acked[i] = (struct uplink_range){ INT64_MAX, INT64_MAX };
    for (size_t i = 0; i < MQTT_ACK_NEEDS; i++)
        need[i] = (struct uplink_need){ UINT32_MAX, UINT32_MAX, SERIES_SEQ_MAX };
    for (size_t i = 0; i < MQTT_ACK_REFUSED; i++) {
        refused[i].seq = INT64_MAX;
        memset(refused[i].why, 1, sizeof refused[i].why - 1); /* longest when escaped */
        refused[i].why[sizeof refused[i].why - 1] = '\0';
    }
    mqtt_ack_write(&b, &ack);
    assert_false(b.has_failed);
    assert_int_equal(mqtt_ack_parse(b.data, b.size, EPOCH, &acks), 0);
    assert_int_equal(acks.acked_n, MQTT_ACK_RANGES);
    assert_int_equal(mqtt_ack_parse(b.data, b.size, EPOCH, &acks), -ENOSPC);
    assert_int_equal(acks.acked_n, MQTT_ACK_RANGES);
    buf_done(&b);
}

static void refuses_hostile_acknowledgements(void **state)
{
#define E "{\"epoch\":\"0123456789abcdef\","
    static const struct {
        const char *json;
        int rc;
    } cases[] = {
        { "", -EINVAL },
        { "[]", -EINVAL },
        { "{}", -EINVAL },
        { E "\"refused\":[{\"seq\":0,\"why\":\"\"}]}", -EINVAL },
        { E "\"refused\":[{\"seq\":1}]}", -EINVAL },
        { E "\"refused\":[{\"why\":\"x\"}]}", -EINVAL },
        { "{\"epoch\":\"0123456789ABCDEF\"}", -EINVAL },
        { "{\"epoch\":\"0123456789abcde\"}", -EINVAL },
        { "{\"epoch\":81985529216486895}", -EINVAL },
        { "{\"epoch\":\"1123456789abcdef\",\"seq\":[[1,9]]}", -ESTALE },
        { E "\"seq\":[[5,4]]}", -EINVAL },
        { E "\"seq\":[[0,4]]}", -EINVAL },
        { E "\"seq\":[[-1,4]]}", -EINVAL },
        { E "\"seq\":[[1,4,5]]}", -EINVAL },
        { E "\"seq\":[1,2]}", -EINVAL },
        { E "\"seq\":[[1,99999999999999999999]]}", -EINVAL },
        { E "\"seq\":[[1,2.5]]}", -EINVAL },
        { E "\"seq\":[[1,2]],\"need\":[{\"stream\":1,\"segment\":2}]}", -EINVAL },
        { E "\"need\":[{\"stream\":4294967296,\"segment\":2,\"from\":0}]}", -EINVAL },
        { E "\"need\":[{\"stream\":1,\"segment\":2,\"from\":65536}]}", -EINVAL },
        { E "\"seq\":[[1,2]],\"seq\":[[1,9]]}", -EINVAL },
        { E "\"seq\":[[1,2]]}", 0 },
        { E "\"more\":1}", 0 },
    };
    struct uplink_acks acks = { .acked_n = 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t before = acks.acked_n;
        int rc = mqtt_ack_parse(cases[i].json, strlen(cases[i].json), EPOCH, &acks);
        assert_int_equal(rc, cases[i].rc);
        if (rc < 0)
            assert_int_equal(acks.acked_n, before);
    }
}

static void finds_the_number_of_an_event(void **state)
{
    static const char good[] = "{\"epoch\":\"0123456789abcdef\",\"seq\":12,\"kind\":\"alert\"}";
    static const char bad[] = "{\"epoch\":\"0123456789abcdef\",\"seq\":0}";
    uint64_t epoch, seq;

    (void)state;
    assert_int_equal(mqtt_event_parse(good, sizeof good - 1, &epoch, &seq), 0);
    assert_true(epoch == EPOCH && seq == 12);
    assert_int_equal(mqtt_event_parse(bad, sizeof bad - 1, &epoch, &seq), -EINVAL);
    assert_int_equal(mqtt_event_parse("x", 1, &epoch, &seq), -EINVAL);
}

static void puts_a_station_into_its_shard(void **state)
{
    struct mqtt_topic t = {
        .region = "demo", .station = "123456789", .leaf = MQTT_LAYOUT, .layout = 0xabc
    };
    char text[MQTT_TOPIC_MAX];

    (void)state;
    assert_int_equal(mqtt_topic_print(&t, text), 0); /* E3069283h mod 64 = 3 */
    assert_string_equal(text, "sluice/1/demo/03/123456789/layout/00000abc");
    t = (struct mqtt_topic){ .layout = 0 };
    assert_int_equal(mqtt_topic_parse(text, strlen(text), &t), 0);
    assert_true(t.leaf == MQTT_LAYOUT && t.layout == 0xabc);
    assert_string_equal(t.station, "123456789");
}

static void refuses_topics_that_are_not_ours(void **state)
{
    static const char *const bad[] = {
        "",
        "sluice/1/",
        "sluice/2/demo/03/123456789/series",
        "sluice/1/demo/04/123456789/series", /* another shard */
        "sluice/1/demo/03/123456789/other",
        "sluice/1/demo/03/123456789/series/x",
        "sluice/1/demo/03/123456789/layout",
        "sluice/1/demo/03/123456789/layout/ABC",
        "sluice/1/demo/03/123456789/layout/00000abcd",
        "sluice/1/demo/03/123456789/layout/zz",
        "sluice/1//03/123456789/series",
        "sluice/1/demo/03/series",
        "sluice/1/De/03/123456789/series",
        "sluice/1/a/03/12345678901234567890123456789012345678901234567890123456789012345/ack",
    };
    struct mqtt_topic t;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(mqtt_topic_parse(bad[i], strlen(bad[i]), &t), -EINVAL);
    assert_int_equal(mqtt_topic_parse("sluice/1/demo/03/123456789/series\0x", 35, &t), -EINVAL);
}

static void refuses_to_print_what_is_no_level(void **state)
{
    char text[MQTT_TOPIC_MAX];

    (void)state;
    assert_int_equal(
        mqtt_topic_print(&(struct mqtt_topic){ .region = "a+", .station = "s" }, text),
        -EINVAL);
    assert_int_equal(
        mqtt_topic_print(&(struct mqtt_topic){ .region = "a", .station = "" }, text), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_series_message_byte_by_byte),
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(refuses_every_cut_of_a_series_message),
        cmocka_unit_test(refuses_an_entry_without_number),
        cmocka_unit_test(acknowledges_as_agreed),
        cmocka_unit_test(names_what_can_never_be_stored),
        cmocka_unit_test(the_largest_acknowledgement_fits),
        cmocka_unit_test(refuses_hostile_acknowledgements),
        cmocka_unit_test(finds_the_number_of_an_event),
        cmocka_unit_test(puts_a_station_into_its_shard),
        cmocka_unit_test(refuses_topics_that_are_not_ours),
        cmocka_unit_test(refuses_to_print_what_is_no_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
