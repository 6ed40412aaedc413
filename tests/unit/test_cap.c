/* SPDX-License-Identifier: Apache-2.0 */
/* What an alert looks like to others: CAP messages, Alertmanager objects, names and marks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/uplink/alertmanager_alert.h"
#include "gateway/uplink/cap.h"
#include "gateway/uplink/cap_course.h"
#include "gateway/uplink/xml.h"

#include "unit.h"

#define T0 INT64_C(1763800430000) /* 2025-11-22T08:33:50Z */

static const struct uplink_place place = { 36.65, 117.12 };
static const struct uplink_station station = {
    .id = "north-01", .region = "jn", .name_en = "North", .name_zh = "北站", .place = &place
};

static const struct cap_options usual = { .sender = "n1@example.cn",
                                          .scope = CAP_RESTRICTED,
                                          .restriction = "Console",
                                          .radius_km = 2,
                                          .expires_ms = 3600000 };

static struct alert_event read_event(json_t *root)
{
    struct alert_event e;

    assert_non_null(root);
    assert_int_equal(alert_event_of(root, &e), 0);
    json_decref(root);
    return e;
}

/* An event with these members beside, or instead of, the usual ones. */
static struct alert_event event_with(const char *more)
{
    static const char plain[] =
        "{\"kind\":\"alert\",\"time\":\"2025-11-22T08:33:50.123Z\",\"transition\":\"raised\","
        "\"key\":\"smog/gas-1/ozone@1h/1763800430000\",\"rule\":\"smog\",\"version\":\"ab12\","
        "\"title\":{\"en\":\"Smog\",\"zh\":\"烟雾\"},\"channel\":\"gas-1/ozone@1h\","
        "\"device\":\"gas-1\",\"quantity\":\"ozone\",\"medium\":\"air\",\"unit\":\"ug/m3\","
        "\"level\":\"yellow\",\"from\":\"none\",\"peak\":\"yellow\",\"direction\":\"above\","
        "\"value\":171.5,\"limit\":160,\"extreme\":180,\"flag\":0,"
        "\"raised\":\"2025-11-22T08:33:50.000Z\",\"number\":1,\"state\":\"raised\"}";
    json_t *root = json_loads(plain, 0, NULL);
    json_t *other = json_loads(more, 0, NULL);

    assert_non_null(other);
    json_object_update(root, other);
    json_decref(other);
    return read_event(root);
}

/* The message, the caller's to free(); NULL: there is none. */
static char *message_of(const char *more, const struct cap_options *o, enum alert_colour lowest)
{
    struct alert_event e = event_with(more);
    struct buf b = BUF_INIT(CAP_MESSAGE_MAX);
    int rc = cap_write(&b, o, &station, &e, lowest);
    char *text = rc == 1 ? strdup(buf_text(&b)) : NULL;

    assert_true(rc == 0 || rc == 1);
    assert_int_equal(rc == 0, b.size == 0);
    buf_done(&b);
    alert_event_done(&e);
    return text;
}

static void expect(const char *more, const char *const *parts)
{
    char *text = message_of(more, &usual, COLOUR_BLUE);

    assert_non_null(text);
    for (const char *at = text; *parts; parts++) {
        const char *found = strstr(at, *parts);
        if (!found)
            print_error("%s\nlacks, or has in another place: %s\n", text, *parts);
        assert_non_null(found);
        at = found; /* in this order */
    }
    free(text);
}

static void has_the_facts_in_the_order_of_the_schema_in_both_languages(void **state)
{
    static const char *const parts[] = {
        "<identifier>north-01/smog/gas-1/ozone@1h/1763800430000/1</identifier>",
        "<sender>n1@example.cn</sender>",
        "<sent>2025-11-22T08:33:50-00:00</sent>",
        "<status>Actual</status>",
        "<msgType>Alert</msgType>",
        "<scope>Restricted</scope>",
        "<restriction>Console</restriction>",
        "<language>zh-CN</language>",
        "<category>Env</category>",
        "<event>烟雾</event>",
        "<responseType>Monitor</responseType>",
        "<urgency>Immediate</urgency>",
        "<severity>Moderate</severity>",
        "<certainty>Observed</certainty>",
        "<eventCode><valueName>HJ212</valueName><value>a05024</value></eventCode>",
        "<effective>2025-11-22T08:33:50-00:00</effective>",
        "<onset>2025-11-22T08:33:50-00:00</onset>",
        "<expires>2025-11-22T09:33:50-00:00</expires>",
        "<senderName>北站</senderName>",
        "<headline>烟雾（黄色）：171.5 ug/m3，限值 160</headline>",
        "<valueName>value</valueName><value>171.5</value>",
        "<valueName>version</valueName><value>ab12</value>",
        "<valueName>period</valueName><value>1h</value>",
        "<areaDesc>北站</areaDesc>",
        "<circle>36.650000,117.120000 2.000</circle>",
        "<language>en-US</language>",
        "<event>Smog</event>",
        "<headline>Smog (yellow): 171.5 ug/m3, limit 160</headline>",
        "<areaDesc>North</areaDesc>",
        "</alert>",
        NULL,
    };

    (void)state;
    expect("{}", parts);
}

static void escapes_names_that_are_hostile(void **state)
{
    static const char *const parts[] = {
        "<identifier>north-01/a%2C%20b%3C%26/1</identifier>",
        "<event>&lt;/event&gt;&amp;amp;&quot;\xef\xbf\xbd\xef\xbf\xbd</event>",
        "<value>]]&gt;</value>",
        NULL,
    };

    (void)state;
    expect("{\"key\":\"a, "
           "b<&\",\"title\":{\"en\":\"x\",\"zh\":\"</event>&amp;\\\"\\u0007\\ufffe\"},"
           "\"rule\":\"]]>\"}",
           parts);
}

static void refers_to_all_messages_before_and_to_nothing_else(void **state)
{
    static const char *const parts[] = {
        "<msgType>Update</msgType>",
        "<references>n1@example.cn,north-01/smog/gas-1/ozone@1h/1763800430000/1,"
        "2025-11-22T08:33:50-00:00 "
        "n1@example.cn,north-01/smog/gas-1/ozone@1h/1763800430000/3,"
        "2025-11-22T08:33:52-00:00</references>",
        "<responseType>AllClear</responseType>",
        "<urgency>Past</urgency>",
        NULL,
    };

    (void)state;
    expect("{\"transition\":\"cleared\",\"number\":4,\"level\":\"none\",\"earlier\":["
           "[1,1763800430999,\"raised\",\"yellow\",\"yellow\",\"\",\"\"],"
           "[2,1763800431000,\"commented\",\"yellow\",\"yellow\",\"\",\"\"],"
           "[3,1763800432000,\"acknowledged\",\"yellow\",\"yellow\",\"\",\"\"],"
           "[\"hostile\"],7]}",
           parts);
}

static void is_silent_about_what_nobody_outside_has_to_know(void **state)
{
    static const char *const silent[] = {
        "{\"transition\":\"commented\"}",
        "{\"transition\":\"assigned\"}",
        "{\"transition\":\"closed\"}",
        "{\"quiet\":\"shelved\"}",
        "{\"transition\":\"cleared\",\"level\":\"none\"}", /* of nothing that was told */
        "{\"transition\":\"superseded\",\"level\":\"none\"}",
        "{\"transition\":\"acknowledged\",\"level\":\"none\"}",
        "{\"kind\":\"notice\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
        assert_null(message_of(silent[i], &usual, COLOUR_BLUE));
    assert_null(message_of("{}", &usual, COLOUR_ORANGE));
}

static void begins_with_the_colour_that_is_told_first(void **state)
{
    static const char red[] = "{\"transition\":\"upgraded\",\"number\":2,\"level\":\"red\","
                              "\"peak\":\"red\",\"earlier\":["
                              "[1,1763800430999,\"raised\",\"yellow\",\"yellow\",\"\",\"\"]]}";
    char *text = message_of(red, &usual, COLOUR_RED);

    (void)state;
    assert_non_null(strstr(text, "<msgType>Alert</msgType>"));
    assert_null(strstr(text, "<references>"));
    free(text);
    text = message_of(red, &usual, COLOUR_BLUE);
    assert_non_null(strstr(text, "<msgType>Update</msgType>"));
    assert_non_null(strstr(text, "<severity>Extreme</severity>"));
    free(text);
}

static void is_as_certain_as_the_alert_is(void **state)
{
    static const char *const forecast[] = { "<urgency>Expected</urgency>",
                                            "<certainty>Likely</certainty>",
                                            "<valueName>crossing</valueName>", NULL };
    static const char *const doubtful[] = {
        "<certainty>Possible</certainty>", "存疑",
        "<valueName>mark</valueName><value>doubtful</value>", NULL
    };

    (void)state;
    expect("{\"crossing\":\"2025-11-22T10:00:00.000Z\"}", forecast);
    expect("{\"marks\":[\"doubtful\",7]}", doubtful);
}

static void says_that_it_is_a_drill_and_for_whom(void **state)
{
    struct cap_options o = usual;

    (void)state;
    o.status = CAP_EXERCISE;
    o.scope = CAP_PUBLIC;
    o.geocode = "370100";
    char *text = message_of("{}", &o, COLOUR_BLUE);
    assert_non_null(strstr(text, "<status>Exercise</status>"));
    assert_null(strstr(text, "<restriction>"));
    assert_non_null(strstr(text, "<valueName>GB/T2260</valueName><value>370100</value>"));
    free(text);
}

static void says_no_more_than_there_is_room_for(void **state)
{
    struct alert_event e = event_with("{}");
    struct buf b = BUF_INIT(1000);

    (void)state;
    assert_int_equal(cap_write(&b, &usual, &station, &e, COLOUR_BLUE), -ENOSPC);
    buf_done(&b);
    alert_event_done(&e);
}

/* ---- the course of an episode ---- */

struct step {
    const char *what, *verdict, *quiet;
    enum alert_colour level;
    enum cap_type type;
};

static void walk(const struct step *steps)
{
    struct cap_course c = { .has_begun = false };

    for (const struct step *s = steps; s->what; s++) {
        const struct cap_change x = { s->what, s->verdict, s->quiet, s->level, COLOUR_RED };
        assert_int_equal(cap_course_step(&c, &x, COLOUR_BLUE), s->type);
    }
}

static void a_cancelled_alert_is_told_no_more_unless_it_rises_again(void **state)
{
    static const struct step steps[] = {
        { "raised", "", "", COLOUR_RED, CAP_ALERT },
        { "triaged", "sensor_fault", "", COLOUR_RED, CAP_CANCEL },
        { "acknowledged", "sensor_fault", "", COLOUR_RED, CAP_NONE },
        { "cleared", "sensor_fault", "", COLOUR_NONE, CAP_NONE },
        { "withdrawn", "sensor_fault", "", COLOUR_NONE, CAP_NONE },
        { "reopened", "", "", COLOUR_NONE, CAP_NONE },
        { "upgraded", "", "", COLOUR_RED, CAP_ALERT },
        { "downgraded", "", "", COLOUR_BLUE, CAP_UPDATE },
        { "triaged", "true", "", COLOUR_BLUE, CAP_UPDATE },
        { "cleared", "true", "", COLOUR_NONE, CAP_UPDATE },
        { "superseded", "true", "", COLOUR_NONE, CAP_CANCEL },
        { NULL, NULL, NULL, COLOUR_NONE, CAP_NONE },
    };

    (void)state;
    walk(steps);
}

static void the_end_of_what_was_told_is_told_from_the_shelf_too(void **state)
{
    static const struct step told[] = {
        { "raised", "", "", COLOUR_RED, CAP_ALERT },
        { "upgraded", "", "shelved", COLOUR_RED, CAP_NONE },
        { "cleared", "", "shelved", COLOUR_NONE, CAP_UPDATE },
        { NULL, NULL, NULL, COLOUR_NONE, CAP_NONE },
    };
    static const struct step untold[] = {
        { "raised", "", "shelved", COLOUR_RED, CAP_NONE },
        { "cleared", "", "shelved", COLOUR_NONE, CAP_NONE },
        { "raised", "", "", COLOUR_RED, CAP_ALERT },
        { NULL, NULL, NULL, COLOUR_NONE, CAP_NONE },
    };

    (void)state;
    walk(told);
    walk(untold);
}

/* ---- Alertmanager ---- */

static const struct alertmanager_times times = { T0 + 60000, 3600000, 0 };

static json_t *object_of(const char *more)
{
    struct alert_event e = event_with(more);
    json_t *o = alertmanager_alert(&e, &station, NULL, &times);

    assert_non_null(o);
    alert_event_done(&e);
    return o;
}

static const char *member(const json_t *o, const char *part, const char *name)
{
    return json_string_value(json_object_get(part ? json_object_get(o, part) : o, name));
}

static void labels_stay_the_same_whatever_becomes_of_an_alert(void **state)
{
    json_t *first = object_of("{}");
    json_t *last = object_of("{\"transition\":\"cleared\",\"level\":\"none\",\"peak\":\"red\","
                             "\"number\":9,\"state\":\"handling\",\"value\":3,"
                             "\"time\":\"2025-11-22T09:00:00.000Z\"}");

    (void)state;
    assert_true(json_equal(json_object_get(first, "labels"), json_object_get(last, "labels")));
    assert_string_equal(member(first, NULL, "startsAt"), "2025-11-22T08:33:50.000Z");
    assert_string_equal(member(first, NULL, "endsAt"), "2025-11-22T09:34:50.000Z");
    assert_string_equal(member(last, NULL, "startsAt"), "2025-11-22T08:33:50.000Z");
    assert_string_equal(member(last, NULL, "endsAt"), "2025-11-22T09:00:00.000Z");
    assert_string_equal(member(first, "labels", "kind"), "environmental");
    assert_null(member(first, "labels", "level"));
    json_decref(first);
    json_decref(last);
}

static void an_end_is_behind_its_beginning(void **state)
{
    json_t *o = object_of("{\"level\":\"none\",\"time\":\"2025-11-22T08:33:50.000Z\"}");

    (void)state;
    assert_string_equal(member(o, NULL, "endsAt"), "2025-11-22T08:33:50.001Z");
    json_decref(o);
}

static void a_notice_is_never_a_colour(void **state)
{
    json_t *o = object_of("{\"kind\":\"notice\",\"what\":\"sensor_fault\",\"fault\":\"stuck\","
                          "\"subject\":\"gas-1/ozone\",\"text\":{\"en\":\"x\",\"zh\":\"y\"}}");

    (void)state;
    assert_string_equal(member(o, "labels", "kind"), "notice");
    assert_string_equal(member(o, "labels", "alertname"), "sensor_fault");
    assert_string_equal(member(o, "labels", "fault"), "stuck");
    assert_null(member(o, "annotations", "level"));
    json_decref(o);
}

static void stands_until_it_ends_is_judged_to_be_nothing_or_laid_aside(void **state)
{
    static const char *const gone[] = {
        "{\"level\":\"none\"}",    "{\"verdict\":\"false\"}", "{\"verdict\":\"duplicate\"}",
        "{\"quiet\":\"shelved\"}", "{\"state\":\"closed\"}",
    };
    struct alert_event e = event_with("{\"verdict\":\"true\"}");

    (void)state;
    assert_true(alert_event_stands(&e));
    alert_event_done(&e);
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        e = event_with(gone[i]);
        assert_false(alert_event_stands(&e));
        alert_event_done(&e);
    }
}

static void refuses_what_is_no_event_of_an_alert(void **state)
{
    static const struct {
        const char *json;
        int rc;
    } cases[] = {
        { "", -EINVAL },
        { "[]", -EINVAL },
        { "{}", -ENOENT },
        { "{\"kind\":\"evidence\"}", -ENOENT },
        { "{\"kind\":\"alert\"}", -EINVAL },
        { "{\"kind\":\"alert\",\"key\":\"k\",\"transition\":\"raised\",\"time\":\"yesterday\"}",
          -EINVAL },
        { "{\"kind\":7,\"time\":\"2025-11-22T08:33:50.000Z\"}", -ENOENT },
    };
    struct alert_event e;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(alert_event_read(cases[i].json, strlen(cases[i].json), &e),
                         cases[i].rc);
}

static void xml_has_no_bytes_that_are_no_text(void **state)
{
    struct buf b = BUF_INIT(1000);

    (void)state;
    xml_text(&b, 0, "a", "\x01\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe5");
    const char *text = buf_text(&b);
    for (const char *p = text; *p; p++)
        assert_true((unsigned char)*p == 0xef || (unsigned char)*p == 0xbf ||
                    (unsigned char)*p == 0xbd || ((unsigned char)*p < 0x80 && *p >= ' ') ||
                    *p == '\n');
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_facts_in_the_order_of_the_schema_in_both_languages),
        cmocka_unit_test(escapes_names_that_are_hostile),
        cmocka_unit_test(refers_to_all_messages_before_and_to_nothing_else),
        cmocka_unit_test(is_silent_about_what_nobody_outside_has_to_know),
        cmocka_unit_test(begins_with_the_colour_that_is_told_first),
        cmocka_unit_test(is_as_certain_as_the_alert_is),
        cmocka_unit_test(says_that_it_is_a_drill_and_for_whom),
        cmocka_unit_test(says_no_more_than_there_is_room_for),
        cmocka_unit_test(a_cancelled_alert_is_told_no_more_unless_it_rises_again),
        cmocka_unit_test(the_end_of_what_was_told_is_told_from_the_shelf_too),
        cmocka_unit_test(labels_stay_the_same_whatever_becomes_of_an_alert),
        cmocka_unit_test(an_end_is_behind_its_beginning),
        cmocka_unit_test(a_notice_is_never_a_colour),
        cmocka_unit_test(stands_until_it_ends_is_judged_to_be_nothing_or_laid_aside),
        cmocka_unit_test(refuses_what_is_no_event_of_an_alert),
        cmocka_unit_test(xml_has_no_bytes_that_are_no_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
