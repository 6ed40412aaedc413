/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/centre.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/claim.h"
#include "gateway/ingest/database.h"
#include "gateway/ingest/ledger.h"
#include "gateway/ingest/outbox.h"
#include "gateway/ingest/subscriber.h"
#include "gateway/uplink/line_parse.h"
#include "gateway/uplink/mqtt_message.h"
#include "gateway/uplink/mqtt_topic.h"
#include "sensors/core/crc.h"
#include "tests/unit/unit.h"

enum {
    COLUMNS = 2,
    ROWS = 3,
    FRAMES = 96,
    STREAM = 7,
    ACK_MS = 1000,
    LINGER_MS = 300, /* longer than an entry waits for company */
};

#define WALL  INT64_C(1700000000000)
#define EPOCH UINT64_C(0x1122334455667788)
#define CHANNELS \
    "[{\"id\":\"d/ozone\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"}," \
    "{\"id\":\"d/temperature\",\"quantity\":\"temperature\",\"unit\":\"Cel\"}]"
#define DICTIONARY \
    "{\"channels\":" CHANNELS ",\"period_ms\":1000,\"sf1\":1,\"station\":\"s1\",\"stream\":7," \
    "\"unit_ms\":1}"

struct bytes {
    uint8_t data[4096];
    size_t size;
};

/* A station that has a segment of frames, and a centre that hears of them when told. */
struct scene {
    struct centre *c;
    int64_t now;
    uint32_t layout;
    struct bytes frames[FRAMES]; /* of segment 1: frame n is entry n + 1 */
    char told[2048];             /* by the centre, one sentence a line */
    char posted[1 << 16];        /* all that was delivered */
    size_t posted_n;
};

static void on_tell(void *user, enum log_level level, const char *text)
{
    struct scene *s = user;
    size_t n = strlen(s->told);

    (void)level;
    snprintf(s->told + n, sizeof s->told - n, "%s\n", text);
}

static void topic_of(const char *station, enum mqtt_leaf leaf, uint32_t layout, char *out)
{
    struct mqtt_topic t = { .region = "north", .leaf = leaf, .layout = layout };

    snprintf(t.station, sizeof t.station, "%s", station);
    assert_int_equal(mqtt_topic_print(&t, out), 0);
}

static void encode_segment(struct series_encoder *e, uint32_t segment, struct bytes *out,
                           size_t n)
{
    int64_t times[ROWS];
    struct series_cell cells[ROWS * COLUMNS];

    for (size_t f = 0; f < n; f++) {
        for (int r = 0; r < ROWS; r++) {
            times[r] = WALL + ((int64_t)f * ROWS + r) * 1000;
            for (int k = 0; k < COLUMNS; k++)
                cells[r * COLUMNS + k] =
                    (struct series_cell){ .v = (int64_t)f * 10 + r + k, .e = 1 };
        }
        long size = series_encode(e, f == 0, segment, times, cells, ROWS, out[f].data,
                                  sizeof out[f].data);
        assert_true(size > 0);
        out[f].size = (size_t)size;
    }
}

static void make_frames(struct scene *s, uint32_t segment, struct bytes *out, size_t n)
{
    struct series_encoder *e;

    assert_int_equal(
        series_encoder_create(STREAM, SERIES_PLAIN, COLUMNS, s->layout, 1000, 1, NULL, &e), 0);
    encode_segment(e, segment, out, n);
    series_encoder_destroy(e);
}

/* Other content under a right checksum. */
static void damage_payload(struct bytes *frame)
{
    size_t n = frame->size - 4;

    frame->data[n - 1] ^= 0xff;
    frame->data[n - 2] ^= 0xff;
    uint32_t crc = crc32c(0, frame->data, n);
    for (int i = 0; i < 4; i++)
        frame->data[n + (size_t)i] = (uint8_t)(crc >> 8 * i);
}

static struct scene *scene_with(const struct centre_limits *limits)
{
    struct scene *s = calloc(1, sizeof *s);
    struct centre_options o = { .ack_interval_ms = ACK_MS, .tell = on_tell, .user = s };

    assert_non_null(s);
    if (limits)
        o.limits = *limits;
    s->now = 5000;
    s->layout = series_layout_id(DICTIONARY, strlen(DICTIONARY));
    assert_int_equal(centre_create(&o, &s->c), 0);
    make_frames(s, 1, s->frames, FRAMES);
    return s;
}

static void scene_done(struct scene *s)
{
    centre_destroy(s->c);
    free(s);
}

static void say_layout(struct scene *s)
{
    char topic[MQTT_TOPIC_MAX], json[512];
    size_t n = strlen(DICTIONARY);

    /* as the station sends it: with its own number */
    snprintf(json, sizeof json, "%.*s,\"layout\":\"%08" PRIx32 "\"}", (int)n - 1, DICTIONARY,
             s->layout);
    topic_of("s1", MQTT_LAYOUT, s->layout, topic);
    centre_take(s->c, topic, json, strlen(json), s->now);
}

static struct scene *scene(void)
{
    struct scene *s = scene_with(NULL);

    say_layout(s);
    return s;
}

static void say_entry(struct scene *s, uint64_t epoch, uint64_t seq, const struct bytes *frame)
{
    char topic[MQTT_TOPIC_MAX];
    struct buf b = BUF_INIT(1 << 20);

    topic_of("s1", MQTT_SERIES, 0, topic);
    mqtt_series_begin(&b, epoch);
    mqtt_series_add(&b, seq, frame->data, frame->size);
    centre_take(s->c, topic, b.data, b.size, s->now);
    buf_done(&b);
}

/* Frames first..last of segment 1. */
static void say_frames(struct scene *s, size_t first, size_t last)
{
    for (size_t f = first; f <= last; f++)
        say_entry(s, EPOCH, f + 1, &s->frames[f]);
}

static void say_event(struct scene *s, uint64_t seq, const char *members)
{
    char topic[MQTT_TOPIC_MAX], json[512];

    topic_of("s1", MQTT_EVENT, 0, topic);
    snprintf(json, sizeof json, "{\"epoch\":\"%016" PRIx64 "\",\"seq\":%" PRIu64 "%s}", EPOCH,
             seq, members);
    centre_take(s->c, topic, json, strlen(json), s->now);
}

static void answer(struct scene *s, enum uplink_verdict v, const char *text)
{
    struct uplink_report why = { .retry_after_ms = 0 };

    snprintf(why.text, sizeof why.text, "%s", text);
    centre_answer(s->c, s->now, v, &why);
}

static const char *next_post(struct scene *s, size_t *size)
{
    return centre_next_post(s->c, s->now, WALL, size);
}

/* The database takes everything. */
static void deliver(struct scene *s)
{
    size_t size;

    s->now += LINGER_MS;
    for (const char *p; (p = next_post(s, &size));) {
        assert_true(s->posted_n + size < sizeof s->posted);
        memcpy(s->posted + s->posted_n, p, size);
        s->posted_n += size;
        s->posted[s->posted_n] = '\0';
        answer(s, UPLINK_DELIVERED, "");
    }
}

static size_t posted_lines(const struct scene *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->posted_n; i++)
        n += s->posted[i] == '\n';
    return n;
}

/* All acknowledgements until now, as "1-3 5 | need 7/1 from 2"; "" for none. */
static const char *heard(struct scene *s)
{
    static char text[1024];
    struct centre_ack a;
    size_t n = 0;

    s->now += ACK_MS;
    text[0] = '\0';
    while (centre_next_ack(s->c, s->now, &a)) {
        assert_string_equal(strrchr(a.topic, '/'), "/ack");
        for (size_t i = 0; i < a.acked_n; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%" PRIu64 "-%" PRIu64 " ",
                                  a.acked[i].from, a.acked[i].to);
        for (size_t i = 0; i < a.need_n; i++)
            n +=
                (size_t)snprintf(text + n, sizeof text - n, "need %u/%u from %u ",
                                 a.need[i].stream, a.need[i].segment, a.need[i].from_frame_seq);
        for (size_t i = 0; i < a.refused_n; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "refused %" PRIu64 " ",
                                  a.refused[i].seq);
        centre_ack_sent(s->c, s->now);
    }
    return text;
}

/* ---- what is stored is acknowledged, and nothing else ---- */

static void writes_what_the_station_measured(void **state)
{
    struct scene *s = scene();
    struct line_parser q;
    struct line_point p;

    (void)state;
    say_frames(s, 0, 1);
    deliver(s);
    assert_int_equal(posted_lines(s), 2 * ROWS * COLUMNS);
    assert_int_equal(line_parser_init(&q, s->posted, s->posted_n), 0);
    for (size_t i = 0; i < 2 * ROWS * COLUMNS; i++)
        assert_int_equal(line_parse_next(&q, &p), 1);
    assert_int_equal(line_parse_next(&q, &p), 0);
    line_parser_done(&q);
    assert_non_null(strstr(s->posted, "ozone,dev=d,station=s1 v=0.0,f=0i 1700000000000\n"));
    assert_non_null(
        strstr(s->posted, "temperature,dev=d,station=s1 v=1.3,f=0i 1700000005000\n"));
    scene_done(s);
}

static void acknowledges_only_after_the_database(void **state)
{
    struct scene *s = scene();

    (void)state;
    say_frames(s, 0, 3);
    assert_string_equal(heard(s), "");
    deliver(s);
    assert_string_equal(heard(s), "1-4 ");
    assert_string_equal(heard(s), "");
    scene_done(s);
}

static void gathers_acknowledgements_over_the_interval(void **state)
{
    struct scene *s = scene();
    struct centre_ack a;

    (void)state;
    say_frames(s, 0, 0);
    deliver(s);
    assert_false(centre_next_ack(s->c, s->now + ACK_MS - 1, &a));
    assert_true(centre_next_ack(s->c, s->now + ACK_MS, &a));
    scene_done(s);
}

static void repeats_an_acknowledgement_that_could_not_be_published(void **state)
{
    struct scene *s = scene();
    struct centre_ack a;

    (void)state;
    say_frames(s, 0, 0);
    deliver(s);
    assert_true(centre_next_ack(s->c, s->now + ACK_MS, &a)); /* and not sent */
    assert_string_equal(heard(s), "1-1 ");
    scene_done(s);
}

static void posts_the_same_bytes_until_they_are_taken(void **state)
{
    struct scene *s = scene();
    size_t size, again;

    (void)state;
    say_frames(s, 0, 2);
    s->now += LINGER_MS;
    const char *first = next_post(s, &size);
    assert_non_null(first);
    char *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, first, size);
    answer(s, UPLINK_LATER, "HTTP 503");
    assert_null(next_post(s, &again)); /* not at once */
    say_frames(s, 3, 5);
    s->now += 1000;
    const char *second = next_post(s, &again);
    assert_non_null(second);
    assert_int_equal(again, size);
    assert_memory_equal(second, copy, size);
    free(copy);
    answer(s, UPLINK_DELIVERED, "");
    assert_string_equal(heard(s), "1-3 ");
    scene_done(s);
}

static void waits_as_long_as_the_database_asks(void **state)
{
    struct scene *s = scene();
    struct uplink_report why = { .retry_after_ms = 20000 };
    size_t size;

    (void)state;
    say_frames(s, 0, 0);
    s->now += LINGER_MS;
    assert_non_null(next_post(s, &size));
    centre_answer(s->c, s->now, UPLINK_LATER, &why);
    s->now += 19999;
    assert_null(next_post(s, &size));
    s->now += 1;
    assert_non_null(next_post(s, &size));
    scene_done(s);
}

static void tries_every_ten_seconds_when_denied_and_says_so_once(void **state)
{
    struct scene *s = scene();
    size_t size;

    (void)state;
    say_frames(s, 0, 0);
    s->now += LINGER_MS;
    for (int i = 0; i < 3; i++) {
        assert_non_null(next_post(s, &size));
        answer(s, UPLINK_DENIED, "HTTP 401");
        s->now += OUTBOX_DENIED_MS - 1;
        assert_null(next_post(s, &size));
        s->now += 1;
    }
    const char *told = strstr(s->told, "HTTP 401");
    assert_non_null(told);
    assert_null(strstr(told + 1, "HTTP 401"));
    assert_string_equal(heard(s), "");
    scene_done(s);
}

static void does_not_make_an_entry_wait_for_company(void **state)
{
    struct scene *s = scene();
    size_t size;

    (void)state;
    say_frames(s, 0, 0);
    assert_null(next_post(s, &size));
    int64_t wait = centre_wait_ms(s->c, s->now, false);
    assert_in_range(wait, 1, LINGER_MS);
    s->now += wait;
    assert_non_null(next_post(s, &size));
    scene_done(s);
}

/* ---- chains ---- */

static void asks_for_the_segment_it_has_no_state_of(void **state)
{
    struct scene *s = scene();

    (void)state;
    say_frames(s, 4, 6);
    deliver(s);
    assert_int_equal(s->posted_n, 0);
    assert_string_equal(heard(s), "need 7/1 from 0 ");
    scene_done(s);
}

static void fills_a_gap_and_then_writes_all_in_order(void **state)
{
    struct scene *s = scene();

    (void)state;
    say_frames(s, 0, 1);
    say_frames(s, 3, 5);
    deliver(s);
    assert_string_equal(heard(s), "1-2 need 7/1 from 2 ");
    say_frames(s, 2, 2);
    deliver(s);
    assert_int_equal(posted_lines(s), 6 * ROWS * COLUMNS);
    assert_string_equal(heard(s), "3-6 ");
    scene_done(s);
}

static void asks_again_ever_more_rarely(void **state)
{
    struct scene *s = scene();
    int asked = 0;

    (void)state;
    say_frames(s, 1, 1);
    for (int second = 0; second < 130; second++)
        asked += strcmp(heard(s), "") != 0; /* a second passes */
    /* at 0, 2, 6, 14, 30, 62, 122 */
    assert_int_equal(asked, 7);
    scene_done(s);
}

static void keeps_a_bounded_number_of_frames_aside(void **state)
{
    struct scene *s = scene();

    (void)state;
    say_frames(s, 1, FRAMES - 1);
    assert_int_equal(centre_counts(s->c)->dropped, FRAMES - 1 - 64);
    say_frames(s, 0, 0);
    deliver(s);
    assert_string_equal(heard(s), "1-65 ");
    say_frames(s, 65, FRAMES - 1); /* the station sends them again */
    deliver(s);
    assert_string_equal(heard(s), "66-96 ");
    assert_int_equal(posted_lines(s), FRAMES * ROWS * COLUMNS);
    scene_done(s);
}

static void follows_the_live_end_and_the_backlog_at_once(void **state)
{
    struct scene *s = scene();
    static struct bytes live[8];

    (void)state;
    make_frames(s, 2, live, 8);
    for (size_t i = 0; i < 8; i++) {
        say_entry(s, EPOCH, 1000 + i, &live[i]);
        say_frames(s, i, i);
        deliver(s);
    }
    assert_string_equal(heard(s), "1-8 1000-1007 ");
    scene_done(s);
}

static void holds_a_frame_back_until_its_dictionary_is_known(void **state)
{
    struct scene *s = scene_with(NULL);

    (void)state;
    say_frames(s, 0, 3);
    deliver(s);
    assert_int_equal(s->posted_n, 0);
    assert_string_equal(heard(s), ""); /* no question: nothing of the segment is missing */
    say_layout(s);
    deliver(s);
    assert_int_equal(posted_lines(s), 4 * ROWS * COLUMNS);
    assert_string_equal(heard(s), "1-4 ");
    scene_done(s);
}

static void refuses_a_dictionary_under_a_number_that_is_not_its_own(void **state)
{
    struct scene *s = scene_with(NULL);
    char topic[MQTT_TOPIC_MAX];

    (void)state;
    topic_of("s1", MQTT_LAYOUT, s->layout + 1, topic);
    centre_take(s->c, topic, DICTIONARY, strlen(DICTIONARY), s->now);
    assert_int_equal(centre_counts(s->c)->malformed, 1);
    assert_non_null(strstr(s->told, "Station s1: Layout"));
    scene_done(s);
}

static void refuses_what_its_dictionary_does_not_fit(void **state)
{
    struct scene *s = scene_with(NULL);
    struct series_encoder *e;
    static struct bytes narrow[2];
    int64_t t = WALL;
    struct series_cell cell = { .v = 1, .e = 0 };

    (void)state;
    say_layout(s);
    assert_int_equal(
        series_encoder_create(STREAM, SERIES_PLAIN, 1, s->layout, 1000, 1, NULL, &e), 0);
    for (int i = 0; i < 2; i++) {
        long n =
            series_encode(e, i == 0, 1, &t, &cell, 1, narrow[i].data, sizeof narrow[i].data);
        assert_true(n > 0);
        narrow[i].size = (size_t)n;
        t += 1000;
        say_entry(s, EPOCH, 1 + (uint64_t)i, &narrow[i]);
    }
    series_encoder_destroy(e);
    deliver(s);
    assert_null(strstr(s->posted, "ozone"));
    assert_non_null(strstr(s->posted, "event,kind=frame_refused,station=s1 n=1i,entry=1i "));
    assert_string_equal(heard(s), "refused 1 refused 2 ");
    assert_int_equal(centre_counts(s->c)->undecodable, 1);
    say_entry(s, EPOCH, 2, &narrow[1]); /* the station did not hear it */
    assert_string_equal(heard(s), "refused 2 ");
    say_entry(s, EPOCH, 3, &s->frames[0]); /* same segment, other frame: nobody is fooled */
    deliver(s);
    assert_null(strstr(s->posted, "ozone"));
    scene_done(s);
}

static void goes_on_behind_a_segment_that_cannot_be_decoded(void **state)
{
    struct scene *s = scene();
    static struct bytes next[2];

    (void)state;
    make_frames(s, 2, next, 2);
    say_frames(s, 0, 1);
    deliver(s);
    damage_payload(&s->frames[2]);
    say_frames(s, 2, 4); /* the third with a right checksum over nonsense */
    say_entry(s, EPOCH, 6, &next[0]);
    say_entry(s, EPOCH, 7, &next[1]);
    deliver(s);
    assert_string_equal(heard(s), "1-2 6-7 refused 5 refused 3 "); /* 4 did not follow it */
    say_frames(s, 2, 4);
    assert_string_equal(heard(s), "refused 3 refused 4 refused 5 ");
    say_frames(s, 0, 1); /* stored before it broke: known for good */
    assert_string_equal(heard(s), "1-2 ");
    scene_done(s);
}

static void refuses_a_frame_that_is_damaged_in_the_log_not_one_damaged_on_the_way(void **state)
{
    struct scene *s = scene();
    struct bytes bad = s->frames[0];

    (void)state;
    for (uint8_t i = 0; i < 5; i++) { /* each time other damage */
        bad.data[bad.size - 1] = (uint8_t)(s->frames[0].data[bad.size - 1] + 1 + i);
        say_entry(s, EPOCH, 1, &bad);
    }
    assert_string_equal(heard(s), "");
    say_entry(s, EPOCH, 1, &bad);
    assert_string_equal(heard(s), "");
    say_entry(s, EPOCH, 1, &bad);
    assert_string_equal(heard(s), "refused 1 ");
    assert_int_equal(centre_counts(s->c)->refused_entries, 1);
    scene_done(s);
}

static void refuses_what_does_not_follow_however_often_it_comes(void **state)
{
    struct scene *s = scene();
    static struct bytes next[1];

    (void)state;
    make_frames(s, 2, next, 1);
    say_frames(s, 0, 1);
    s->frames[2].data[s->frames[2].size - 5] ^= 1; /* and so another checksum */
    uint32_t crc = crc32c(0, s->frames[2].data, s->frames[2].size - 4);
    for (int i = 0; i < 4; i++)
        s->frames[2].data[s->frames[2].size - 4 + (size_t)i] = (uint8_t)(crc >> 8 * i);
    say_frames(s, 2, 4);
    deliver(s);
    heard(s);
    say_frames(s, 3, 4);
    say_frames(s, 3, 4);
    say_entry(s, EPOCH, 9, &next[0]);
    deliver(s);
    const char *said = heard(s);
    assert_non_null(strstr(said, "9-9 "));
    assert_non_null(strstr(said, "refused 4 "));
    assert_non_null(strstr(said, "refused 5 "));
    scene_done(s);
}

static void refuses_frames_whose_dictionary_cannot_be_used(void **state)
{
#define UNUSABLE "{\"channels\":[{\"id\":\"d/a\",\"quantity\":\"_time\"}]"
    struct scene *s = scene_with(NULL);
    char topic[MQTT_TOPIC_MAX], json[256];

    (void)state;
    s->layout = series_layout_id(UNUSABLE "}", strlen(UNUSABLE "}"));
    make_frames(s, 1, s->frames, 2);
    say_frames(s, 0, 1);
    snprintf(json, sizeof json, UNUSABLE ",\"layout\":\"%08" PRIx32 "\"}", s->layout);
    topic_of("s1", MQTT_LAYOUT, s->layout, topic);
    assert_string_equal(heard(s), "");
    centre_take(s->c, topic, json, strlen(json), s->now);
    assert_string_equal(heard(s), "refused 1 refused 2 ");
    say_frames(s, 0, 1);
    assert_string_equal(heard(s), "refused 1 refused 2 ");
    scene_done(s);
}

/* ---- what comes twice, and what contradicts ---- */

static void acknowledges_a_duplicate_without_writing_it_again(void **state)
{
    struct scene *s = scene();

    (void)state;
    say_frames(s, 0, 2);
    deliver(s);
    assert_string_equal(heard(s), "1-3 ");
    say_frames(s, 0, 2);
    deliver(s);
    assert_int_equal(posted_lines(s), 3 * ROWS * COLUMNS);
    assert_string_equal(heard(s), "1-3 ");
    scene_done(s);
}

static void does_not_acknowledge_a_duplicate_before_the_first_is_stored(void **state)
{
    struct scene *s = scene();

    (void)state;
    say_frames(s, 0, 0);
    say_frames(s, 0, 0);
    assert_string_equal(heard(s), "");
    deliver(s);
    assert_int_equal(posted_lines(s), ROWS * COLUMNS);
    scene_done(s);
}

static void does_not_acknowledge_a_second_number_before_the_first_is_stored(void **state)
{
    struct scene *s = scene();

    (void)state;
    say_frames(s, 0, 0);
    say_entry(s, EPOCH, 700, &s->frames[0]);
    assert_string_equal(heard(s), "");
    deliver(s);
    assert_string_equal(heard(s), "1-1 ");
    scene_done(s);
}

static void refuses_other_bytes_under_a_known_number(void **state)
{
    struct scene *s = scene();

    (void)state;
    say_frames(s, 0, 1);
    deliver(s);
    heard(s);
    say_entry(s, EPOCH, 2, &s->frames[2]);
    deliver(s);
    assert_string_equal(heard(s), "");
    assert_int_equal(centre_counts(s->c)->contradicting, 1);
    assert_non_null(strstr(s->told, "Entry 2 is refused"));
    scene_done(s);
}

static void refuses_another_frame_under_a_known_place_of_its_segment(void **state)
{
    struct scene *s = scene();
    static struct bytes other[1];
    struct series_encoder *e;
    struct series_cell cells[COLUMNS] = { { .v = 99, .e = 1 }, { .v = 98, .e = 1 } };
    int64_t t = WALL;

    (void)state;
    say_frames(s, 0, 1);
    deliver(s);
    heard(s);
    assert_int_equal(
        series_encoder_create(STREAM, SERIES_PLAIN, COLUMNS, s->layout, 1000, 1, NULL, &e), 0);
    other[0].size =
        (size_t)series_encode(e, true, 1, &t, cells, 1, other[0].data, sizeof other[0].data);
    series_encoder_destroy(e);
    say_entry(s, EPOCH, 500, &other[0]);
    deliver(s);
    assert_string_equal(heard(s), "");
    assert_int_equal(centre_counts(s->c)->contradicting, 1);
    scene_done(s);
}

static void begins_anew_with_a_new_epoch(void **state)
{
    struct scene *s = scene();
    struct centre_ack a;

    (void)state;
    say_frames(s, 0, 1);
    deliver(s);
    say_entry(s, EPOCH + 1, 1, &s->frames[0]);
    deliver(s);
    s->now += ACK_MS;
    assert_true(centre_next_ack(s->c, s->now, &a));
    assert_true(a.epoch == EPOCH + 1);
    assert_int_equal(a.acked_n, 1);
    assert_int_equal(a.acked[0].to, 1);
    assert_int_equal(posted_lines(s), 3 * ROWS * COLUMNS);
    scene_done(s);
}

static void still_writes_what_it_kept_of_an_old_epoch(void **state)
{
    struct scene *s = scene();

    (void)state;
    say_frames(s, 0, 1);
    say_entry(s, EPOCH + 1, 1, &s->frames[0]);
    deliver(s);
    assert_int_equal(posted_lines(s), 3 * ROWS * COLUMNS);
    scene_done(s);
}

/* ---- what the database refuses ---- */

/* Takes all but lines that hold `bad`; returns the number of posts. */
static int deliver_except(struct scene *s, const char *bad)
{
    size_t size;
    int posts = 0;

    s->now += LINGER_MS;
    for (const char *p; (p = next_post(s, &size)); posts++) {
        bool is_bad = memmem(p, size, bad, strlen(bad));
        answer(s, is_bad ? UPLINK_REFUSED : UPLINK_DELIVERED,
               is_bad ? "HTTP 400: field type conflict" : "");
        assert_true(posts < 1000);
    }
    return posts;
}

static void finds_the_refused_line_by_halves_and_tells_its_entry(void **state)
{
    struct scene *s = scene();

    (void)state;
    say_frames(s, 0, 63);
    int posts = deliver_except(s, "ozone,dev=d,station=s1 v=31.0,f=0i ");
    assert_in_range(posts, 2, 20);
    assert_int_equal(centre_counts(s->c)->refused_lines, 1);
    assert_int_equal(centre_counts(s->c)->lines, 64 * ROWS * COLUMNS - 1);
    assert_non_null(strstr(s->told, "refuses 1 lines of entry 32"));
    assert_non_null(strstr(s->told, "field type conflict"));
    assert_string_equal(heard(s), "1-64 "); /* after it was told: nothing is held up for ever */
    scene_done(s);
}

static void gets_through_a_batch_of_which_all_is_refused(void **state)
{
    struct scene *s = scene();

    (void)state;
    say_frames(s, 0, 15);
    deliver_except(s, "station=s1");
    assert_int_equal(centre_counts(s->c)->refused_lines, 16 * ROWS * COLUMNS);
    assert_string_equal(heard(s), "1-16 ");
    scene_done(s);
}

static void leaves_out_rows_that_databases_drop_in_silence(void **state)
{
    struct scene *s = scene();
    size_t size;

    (void)state;
    say_frames(s, 0, 0);
    s->now += LINGER_MS;
    const char *p = centre_next_post(s->c, s->now, WALL - INT64_C(3 * 86400000), &size);
    assert_non_null(p);
    static const char event[] =
        "event,kind=rows_refused,station=s1 n=3i,entry=1i,early=0i,late=3i 1699740800000\n";
    assert_int_equal(size, strlen(event));
    assert_memory_equal(p, event, size);
    answer(s, UPLINK_DELIVERED, "");
    assert_int_equal(centre_counts(s->c)->refused_rows, ROWS);
    assert_non_null(strstr(s->told, "entry=1"));
    assert_string_equal(heard(s), "1-1 ");
    scene_done(s);
}

static void leaves_out_rows_that_are_older_than_the_database_keeps(void **state)
{
    enum { REST_MS = 300000 };
    struct scene *s = scene();

    (void)state;
    /* of the rows at WALL + 0, 1, 2 ... s the first four are too old */
    centre_know_database(s->c, false, REST_MS - 4000);
    say_frames(s, 0, 1);
    deliver(s);
    assert_int_equal(centre_counts(s->c)->refused_rows, 4);
    assert_int_equal(posted_lines(s), (2 * ROWS - 4) * COLUMNS + 2);
    assert_non_null(strstr(s->posted, "n=3i,entry=1i,early=3i,late=0i "));
    assert_non_null(strstr(s->posted, "n=1i,entry=2i,early=1i,late=0i "));
    assert_non_null(strstr(s->posted, " 1700000004000\n"));
    assert_null(strstr(s->posted, " 1700000003000\n"));
    assert_string_equal(heard(s), "1-2 ");
    scene_done(s);
}

/* ---- a database that answers before it has written ---- */

static void prove(struct scene *s, enum uplink_verdict v, const char *text)
{
    struct uplink_report why = { .retry_after_ms = 0 };

    snprintf(why.text, sizeof why.text, "%s", text);
    centre_proven(s->c, s->now, v, &why);
}

static void acknowledges_only_what_is_proven(void **state)
{
    struct scene *s = scene();

    (void)state;
    centre_know_database(s->c, true, 0);
    say_frames(s, 0, 1);
    deliver(s);
    assert_string_equal(heard(s), "");
    assert_true(centre_next_proof(s->c, s->now));
    say_frames(s, 0, 0); /* came again meanwhile: neither written nor acknowledged */
    assert_string_equal(heard(s), "");
    s->now += 40;
    prove(s, UPLINK_DELIVERED, "");
    assert_string_equal(heard(s), "1-2 ");
    assert_false(centre_next_proof(s->c, s->now));
    assert_int_equal(posted_lines(s), 2 * ROWS * COLUMNS);
    assert_int_equal(centre_counts(s->c)->entries, 2);
    scene_done(s);
}

static void writes_again_what_the_database_has_forgotten(void **state)
{
    struct scene *s = scene();

    (void)state;
    centre_know_database(s->c, true, 0);
    say_frames(s, 0, 7);
    deliver(s);
    size_t first = s->posted_n;
    s->now += ACK_MS;
    assert_true(centre_next_proof(s->c, s->now));
    prove(s, UPLINK_LATER, "the database was restarted");
    assert_false(centre_next_proof(s->c, s->now)); /* not before all is written again */
    say_frames(s, 8, 8);
    deliver(s);
    assert_memory_equal(s->posted, s->posted + first, first);
    assert_int_equal(posted_lines(s), 17 * ROWS * COLUMNS);
    assert_string_equal(heard(s), "");
    assert_true(centre_next_proof(s->c, s->now));
    prove(s, UPLINK_DELIVERED, "");
    assert_string_equal(heard(s), "1-9 ");
    assert_int_equal(centre_counts(s->c)->rewritten, 1);
    assert_int_equal(centre_counts(s->c)->lines, 9 * ROWS * COLUMNS);
    assert_non_null(strstr(s->told, "the database was restarted"));
    scene_done(s);
}

static void does_not_write_again_what_was_refused(void **state)
{
    struct scene *s = scene();

    (void)state;
    centre_know_database(s->c, true, 0);
    say_frames(s, 0, 63);
    deliver_except(s, "ozone,dev=d,station=s1 v=31.0,f=0i ");
    s->now += ACK_MS;
    assert_true(centre_next_proof(s->c, s->now));
    prove(s, UPLINK_LATER, "HTTP 500");
    deliver(s);
    assert_int_equal(posted_lines(s), 64 * ROWS * COLUMNS - 1);
    assert_null(strstr(s->posted, "v=31.0,f=0i 1700000093000"));
    s->now += ACK_MS;
    assert_true(centre_next_proof(s->c, s->now));
    prove(s, UPLINK_DELIVERED, "");
    assert_string_equal(heard(s), "1-64 ");
    scene_done(s);
}

static void asks_for_proofs_ever_more_rarely_when_they_fail_or_take_long(void **state)
{
    struct scene *s = scene();

    (void)state;
    centre_know_database(s->c, true, 0);
    say_frames(s, 0, 0);
    deliver(s);
    s->now += ACK_MS;
    assert_true(centre_next_proof(s->c, s->now));
    s->now += 3000; /* it took so long */
    prove(s, UPLINK_DELIVERED, "");
    say_frames(s, 1, 1);
    deliver(s);
    s->now += 4000;
    assert_false(centre_next_proof(s->c, s->now));
    s->now += 1000; /* and no longer, however long it took */
    assert_true(centre_next_proof(s->c, s->now));
    for (int i = 0; i < 12; i++) {
        prove(s, UPLINK_LATER, "HTTP 500");
        deliver(s);
        s->now += 31000;
        assert_true(centre_next_proof(s->c, s->now));
    }
    prove(s, UPLINK_LATER, "HTTP 500");
    deliver(s);
    s->now += 10000;
    assert_false(centre_next_proof(s->c, s->now));
    scene_done(s);
}

static void reads_what_victoria_metrics_says_of_itself(void **state)
{
    struct database_facts f;

    (void)state;
    assert_true(database_read_metrics(
        "process_start_time_seconds 1795346308\n"
        "vm_app_version{version=\"x\", short_version=\"\"} 1\nvm_app_uptime_seconds 7\n"
        "flag{name=\"dedup.minScrapeInterval\", value=\"0s\", is_set=\"false\"} 1\n"
        "flag{name=\"retentionPeriod\", value=\"100y\", is_set=\"true\"} 1\n",
        &f));
    assert_true(f.start_s == 1795346308 && f.up_s == 7 && f.lacks_dedup);
    assert_true(f.retention_ms == INT64_C(100) * 365 * 86400000);
    assert_true(database_read_metrics("vm_app_version{} 1\nflag{name=\"retentionPeriod\", "
                                      "value=\"1\", is_set=\"false\"} 1\n",
                                      &f));
    assert_true(f.retention_ms == INT64_C(31) * 86400000 && !f.lacks_dedup);
    assert_true(database_read_metrics("vm_app_version{} 1\nflag{name=\"retentionPeriod\", "
                                      "value=\"1d12h\"} 1\n",
                                      &f));
    assert_false(database_read_metrics("go_threads 9\nxvm_app_version{} 1\n", &f));
    assert_false(database_read_metrics("", &f));
}

/* ---- events ---- */

static void writes_and_acknowledges_events(void **state)
{
    struct scene *s = scene();

    (void)state;
    say_event(s, 1, ",\"kind\":\"start\",\"time\":1700000000000");
    say_event(s, 2, ",\"no\":\"line\"");
    deliver(s);
    assert_int_equal(posted_lines(s), 1);
    assert_string_equal(heard(s), "1-2 ");
    say_event(s, 2, ",\"no\":\"other line\"");
    deliver(s);
    assert_string_equal(heard(s), "");
    assert_int_equal(centre_counts(s->c)->contradicting, 1);
    scene_done(s);
}

/* ---- hostile messages and limits ---- */

static void survives_messages_of_nobody(void **state)
{
    static const char *const topics[] = { "",
                                          "sluice",
                                          "sluice/1/north/00/s1/series",
                                          "sluice/1/north/zz/s1/series",
                                          "sluice/2/north/00/s1/series",
                                          "/////" };
    struct scene *s = scene();
    char series[MQTT_TOPIC_MAX];

    (void)state;
    topic_of("s1", MQTT_SERIES, 0, series);
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        if (strcmp(topics[i], series) != 0)
            centre_take(s->c, topics[i], "x", 1, s->now);
    centre_take(s->c, series, "", 0, s->now);
    centre_take(s->c, series, "\xc0", 1, s->now);
    centre_take(s->c, series, "\xc0........\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 20,
                s->now);
    say_event(s, 0, "");
    deliver(s);
    assert_string_equal(heard(s), "");
    assert_true(centre_counts(s->c)->malformed >= 8);
    scene_done(s);
}

static void survives_every_altered_byte_of_a_message(void **state)
{
    struct scene *s = scene();
    char topic[MQTT_TOPIC_MAX];
    struct buf b = BUF_INIT(1 << 16);

    (void)state;
    topic_of("s1", MQTT_SERIES, 0, topic);
    mqtt_series_begin(&b, EPOCH);
    for (size_t i = 0; i < 3; i++)
        mqtt_series_add(&b, i + 1, s->frames[i].data, s->frames[i].size);
    for (size_t i = 0; i < b.size; i++) {
        b.data[i] = (char)(b.data[i] ^ 0x55);
        centre_take(s->c, topic, b.data, b.size, s->now);
        centre_take(s->c, topic, b.data, i, s->now);
        b.data[i] = (char)(b.data[i] ^ 0x55);
        s->posted_n = 0;
        deliver(s);
    }
    buf_done(&b);
    scene_done(s);
}

static void tells_a_repeated_trouble_once_in_a_while(void **state)
{
    struct scene *s = scene();

    (void)state;
    for (int i = 0; i < 1000; i++)
        centre_take(s->c, "nonsense", "x", 1, s->now);
    s->now += 10000;
    centre_take(s->c, "nonsense", "x", 1, s->now);
    assert_non_null(strstr(s->told, "(999 more like this)"));
    assert_int_equal(centre_counts(s->c)->malformed, 1001);
    scene_done(s);
}

static void drops_what_it_cannot_keep_and_never_acknowledges_it(void **state)
{
    const struct centre_limits few = { .kept_bytes = 4000 };
    struct scene *s = scene_with(&few);

    (void)state;
    say_layout(s);
    say_frames(s, 0, FRAMES - 1);
    assert_true(centre_counts(s->c)->dropped > 0);
    for (int round = 0; round < 30; round++) { /* the station sends again, in its order */
        deliver(s);
        say_frames(s, 0, FRAMES - 1);
    }
    deliver(s);
    assert_int_equal(posted_lines(s), FRAMES * ROWS * COLUMNS);
    assert_int_equal(strncmp(heard(s), "1-96 ", 5), 0);
    scene_done(s);
}

static void serves_no_more_stations_than_it_may(void **state)
{
    const struct centre_limits few = { .stations = 2 };
    struct scene *s = scene_with(&few);
    char topic[MQTT_TOPIC_MAX], name[8];

    (void)state;
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "s%d", i);
        topic_of(name, MQTT_LAYOUT, s->layout, topic);
        centre_take(s->c, topic, DICTIONARY, strlen(DICTIONARY), s->now);
    }
    assert_int_equal(centre_counts(s->c)->dropped, 3);
    scene_done(s);
}

static void throws_old_segments_away_and_gets_them_again(void **state)
{
    const struct centre_limits few = { .state_bytes = 21000 }; /* a ledger and little more */
    struct scene *s = scene_with(&few);
    static struct bytes live[2];

    (void)state;
    say_layout(s);
    for (uint32_t segment = 2; segment < 40; segment++) {
        make_frames(s, segment, live, 2);
        say_entry(s, EPOCH, segment, &live[0]);
        deliver(s);
    }
    make_frames(s, 2, live, 2);
    say_entry(s, EPOCH, 50, &live[1]); /* its key frame was thrown away */
    assert_non_null(strstr(heard(s), "need 7/2 from 0"));
    say_entry(s, EPOCH, 2, &live[0]);
    s->posted_n = 0;
    deliver(s);
    assert_int_equal(posted_lines(s), ROWS * COLUMNS); /* the key frame is not written again */
    assert_string_equal(heard(s), "2-2 50-50 ");
    scene_done(s);
}

/* ---- all of it together, by chance ---- */

struct chance {
    struct scene *s;
    uint64_t state;
    bool is_stored[FRAMES + 1], is_acked[FRAMES + 1];
    bool is_forgetful, was_restarted, is_in_memory[FRAMES + 1];
};

static uint32_t pick(struct chance *x, uint32_t below)
{
    x->state = x->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(x->state >> 33) % below;
}

/* The first cell of a frame tells which it is. */
static void note_stored(struct chance *x, const char *p, size_t size, bool *known)
{
    char line[96];

    (void)x;
    for (size_t f = 0; f < FRAMES; f++) {
        snprintf(line, sizeof line, " %" PRId64 "\n",
                 WALL + (int64_t)(f * ROWS + ROWS - 1) * 1000);
        const char *found = memmem(p, size, line, strlen(line));
        const char *second =
            found ? memmem(found + 1, size - (size_t)(found + 1 - p), line, strlen(line))
                  : NULL;
        known[f + 1] |= second != NULL; /* both columns of the last row */
    }
}

static void let_the_database_answer(struct chance *x)
{
    size_t size;

    x->s->now += pick(x, 400);
    const char *p = next_post(x->s, &size);
    if (!p)
        return;
    bool is_well = pick(x, 4) > 0;
    if (is_well)
        note_stored(x, p, size, x->is_forgetful ? x->is_in_memory : x->is_stored);
    answer(x->s, is_well ? UPLINK_DELIVERED : UPLINK_LATER, "HTTP 503");
}

/* Killed now and then, it forgets what it had in memory; a proof tells. */
static void let_the_database_forget(struct chance *x)
{
    if (!x->is_forgetful)
        return;
    if (pick(x, 10) == 0) {
        memset(x->is_in_memory, 0, sizeof x->is_in_memory);
        x->was_restarted = true;
    }
    if (!centre_next_proof(x->s->c, x->s->now))
        return;
    bool is_well = !x->was_restarted && pick(x, 4) > 0;
    for (size_t e = 1; e <= FRAMES && is_well; e++)
        x->is_stored[e] |= x->is_in_memory[e];
    x->was_restarted = x->was_restarted && is_well;
    prove(x->s, is_well ? UPLINK_DELIVERED : UPLINK_LATER, "HTTP 500");
}

static void hear(struct chance *x)
{
    struct centre_ack a;

    x->s->now += pick(x, 1500);
    while (centre_next_ack(x->s->c, x->s->now, &a)) {
        bool is_lost = pick(x, 3) == 0;
        for (size_t i = 0; i < a.acked_n; i++)
            for (uint64_t e = a.acked[i].from; e <= a.acked[i].to; e++) {
                assert_in_range(e, 1, FRAMES);
                assert_true(x->is_stored[e]);
                x->is_acked[e] |= !is_lost;
            }
        for (size_t i = 0; i < a.need_n; i++)
            for (size_t f = a.need[i].from_frame_seq; f < FRAMES && pick(x, 20) > 0; f++)
                say_frames(x->s, f, f);
        centre_ack_sent(x->s->c, x->s->now);
    }
}

/* All that was known is gone. */
static void begin_anew(struct chance *x)
{
    struct centre_options o = { .ack_interval_ms = ACK_MS, .limits.kept_bytes = 6000 };

    centre_destroy(x->s->c);
    assert_int_equal(centre_create(&o, &x->s->c), 0);
    centre_know_database(x->s->c, x->is_forgetful, 0);
    x->was_restarted = false; /* as it finds it, so it compares with it */
    if (pick(x, 2))
        say_layout(x->s);
}

static bool has_all(const struct chance *x)
{
    for (size_t e = 1; e <= FRAMES; e++)
        if (!x->is_acked[e])
            return false;
    return true;
}

static void send_something(struct chance *x)
{
    size_t first = pick(x, FRAMES);

    for (size_t f = first; f < FRAMES && f < first + 8; f++)
        if (!x->is_acked[f + 1] && pick(x, 5) > 0)
            say_frames(x->s, f, f);
}

static void go_through(struct chance x)
{
    int steps = 0;

    centre_know_database(x.s->c, x.is_forgetful, 0);
    while (!has_all(&x)) {
        assert_true(++steps < 100000);
        send_something(&x);
        let_the_database_answer(&x);
        let_the_database_forget(&x);
        hear(&x);
        if (pick(&x, 200) == 0)
            begin_anew(&x);
        if (pick(&x, 20) == 0)
            say_layout(x.s);
    }
    scene_done(x.s);
}

static void stores_before_it_acknowledges_whatever_happens(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        go_through((struct chance){ .s = scene(), .state = seed });
}

static void proves_before_it_acknowledges_whatever_is_forgotten(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        go_through((struct chance){ .s = scene(), .state = seed, .is_forgetful = true });
}

static void keeps_a_segment_open_whose_frames_still_wait(void **state)
{
    const struct centre_limits few = { .state_bytes = 21000 };
    struct scene *s = scene_with(&few);
    static struct bytes live[1];

    (void)state;
    say_layout(s);
    for (uint32_t segment = 2; segment < 6; segment++) {
        make_frames(s, segment, live, 1);
        say_entry(s, EPOCH, segment, &live[0]);
    }
    make_frames(s, 6, live, 1);
    say_entry(s, EPOCH, 6, &live[0]); /* one more than are kept open: none of the four may go */
    deliver(s);
    assert_string_equal(heard(s), "2-6 ");
    assert_int_equal(centre_counts(s->c)->dropped, 0);
    scene_done(s);
}

/* A station that was often killed has begun a segment each time. */
static void takes_any_number_of_short_segments_while_the_database_proves(void **state)
{
    enum { SEGMENTS = 200 };
    struct scene *s = scene();
    static struct bytes one[1];

    (void)state;
    centre_know_database(s->c, true, 0);
    for (uint32_t segment = 2; segment < 2 + SEGMENTS; segment++) {
        make_frames(s, segment, one, 1);
        say_entry(s, EPOCH, segment - 1, &one[0]);
        if (segment % 50 == 0)
            deliver(s);
    }
    deliver(s);
    say_entry(s, EPOCH, SEGMENTS, &one[0]); /* written, not proven */
    assert_string_equal(heard(s), "");
    assert_true(centre_next_proof(s->c, s->now));
    prove(s, UPLINK_DELIVERED, "");
    assert_string_equal(heard(s), "1-200 ");
    assert_int_equal(centre_counts(s->c)->dropped, 0);
    say_entry(s, EPOCH + 1, 1, &s->frames[0]); /* the log begins anew while one is not proven */
    deliver(s);
    say_entry(s, EPOCH + 2, 1, &s->frames[0]);
    scene_done(s);
}

/* ---- its parts ---- */

static void the_later_ingest_has_the_shards(void **state)
{
    const struct claim a = { .id = 1, .start_ms = 1000, .shards = 0xff };
    struct claim b = { .id = 2, .start_ms = 2000, .shards = 0xff }, read;
    struct buf text = BUF_INIT(512);

    (void)state;
    assert_int_equal(claim_judge(&a, &a), CLAIM_NONE);
    assert_int_equal(claim_judge(&a, &b), CLAIM_YIELD);
    assert_int_equal(claim_judge(&b, &a), CLAIM_ASSERT);
    b.start_ms = a.start_ms; /* one of the two, whichever it is */
    assert_int_equal(claim_judge(&a, &b), CLAIM_YIELD);
    assert_int_equal(claim_judge(&b, &a), CLAIM_ASSERT);
    b.start_ms = 2000;
    b.shards = 0x0f;
    assert_int_equal(claim_judge(&a, &b), CLAIM_SHARED);
    b.shards = 0xf00;
    assert_int_equal(claim_judge(&a, &b), CLAIM_NONE);
    b.shards = UINT64_MAX;
    snprintf(b.region, sizeof b.region, "north"); /* only a part of all regions */
    assert_int_equal(claim_judge(&a, &b), CLAIM_SHARED);
    assert_int_equal(claim_judge(&b, &a), CLAIM_ASSERT);
    claim_write(&text, &b);
    assert_string_equal(buf_text(&text),
                        "{\"id\":\"0000000000000002\",\"start\":2000,\"region\":"
                        "\"north\",\"shards\":\"ffffffffffffffff\"}");
    assert_int_equal(claim_parse(text.data, text.size, &read), 0);
    assert_true(read.id == b.id && read.start_ms == b.start_ms && read.shards == b.shards);
    assert_string_equal(read.region, "north");
    for (size_t n = 0; n < text.size; n++)
        assert_int_equal(claim_parse(text.data, n, &read), -EINVAL);
    assert_int_equal(claim_parse("[]", 2, &read), -EINVAL);
    buf_done(&text);
}

static void ledger_joins_ranges(void **state)
{
    static const uint64_t order[] = { 5, 3, 4, 9, 7, 8, 6, 1 };
    struct ledger l;

    (void)state;
    assert_int_equal(ledger_init(&l), 0);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        ledger_store(&l, order[i], 0);
    assert_int_equal(l.acked_n, 2);
    assert_int_equal(l.acked[0].to, 1);
    assert_int_equal(l.acked[1].from, 3);
    assert_int_equal(l.acked[1].to, 9);
    ledger_done(&l);
}

static void ledger_never_forgets_what_is_kept(void **state)
{
    struct ledger l;
    int rc = 0;
    uint64_t n = 0;

    (void)state;
    assert_int_equal(ledger_init(&l), 0);
    while (n <= LEDGER_SLOTS_MAX && (rc = ledger_keep(&l, n + 1, (uint32_t)n)) == 0)
        n++;
    assert_int_equal(rc, -ENOSPC);
    assert_int_equal(n, LEDGER_SLOTS_MAX);
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(ledger_find(&l, i + 1, (uint32_t)i), LEDGER_KEPT);
    assert_int_equal(ledger_find(&l, 1, 77), LEDGER_OTHER);
    ledger_done(&l);
}

static void reads_sets_of_shards(void **state)
{
    static const char *const bad[] = {
        "", "40", "0", "00-", "3f-00", "00,", "x", "00 01", "0x1"
    };
    uint64_t set = 0;

    (void)state;
    assert_int_equal(shards_parse("00-3f", &set), 0);
    assert_true(set == UINT64_MAX);
    assert_int_equal(shards_parse("01,04-06", &set), 0);
    assert_true(set == 0x72);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(shards_parse(bad[i], &set), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_the_station_measured),
        cmocka_unit_test(acknowledges_only_after_the_database),
        cmocka_unit_test(gathers_acknowledgements_over_the_interval),
        cmocka_unit_test(repeats_an_acknowledgement_that_could_not_be_published),
        cmocka_unit_test(posts_the_same_bytes_until_they_are_taken),
        cmocka_unit_test(waits_as_long_as_the_database_asks),
        cmocka_unit_test(tries_every_ten_seconds_when_denied_and_says_so_once),
        cmocka_unit_test(does_not_make_an_entry_wait_for_company),
        cmocka_unit_test(asks_for_the_segment_it_has_no_state_of),
        cmocka_unit_test(fills_a_gap_and_then_writes_all_in_order),
        cmocka_unit_test(asks_again_ever_more_rarely),
        cmocka_unit_test(keeps_a_bounded_number_of_frames_aside),
        cmocka_unit_test(follows_the_live_end_and_the_backlog_at_once),
        cmocka_unit_test(holds_a_frame_back_until_its_dictionary_is_known),
        cmocka_unit_test(refuses_a_dictionary_under_a_number_that_is_not_its_own),
        cmocka_unit_test(refuses_what_its_dictionary_does_not_fit),
        cmocka_unit_test(acknowledges_a_duplicate_without_writing_it_again),
        cmocka_unit_test(does_not_acknowledge_a_duplicate_before_the_first_is_stored),
        cmocka_unit_test(does_not_acknowledge_a_second_number_before_the_first_is_stored),
        cmocka_unit_test(refuses_other_bytes_under_a_known_number),
        cmocka_unit_test(refuses_another_frame_under_a_known_place_of_its_segment),
        cmocka_unit_test(begins_anew_with_a_new_epoch),
        cmocka_unit_test(still_writes_what_it_kept_of_an_old_epoch),
        cmocka_unit_test(finds_the_refused_line_by_halves_and_tells_its_entry),
        cmocka_unit_test(gets_through_a_batch_of_which_all_is_refused),
        cmocka_unit_test(leaves_out_rows_that_databases_drop_in_silence),
        cmocka_unit_test(writes_and_acknowledges_events),
        cmocka_unit_test(survives_messages_of_nobody),
        cmocka_unit_test(survives_every_altered_byte_of_a_message),
        cmocka_unit_test(tells_a_repeated_trouble_once_in_a_while),
        cmocka_unit_test(drops_what_it_cannot_keep_and_never_acknowledges_it),
        cmocka_unit_test(serves_no_more_stations_than_it_may),
        cmocka_unit_test(throws_old_segments_away_and_gets_them_again),
        cmocka_unit_test(keeps_a_segment_open_whose_frames_still_wait),
        cmocka_unit_test(takes_any_number_of_short_segments_while_the_database_proves),
        cmocka_unit_test(stores_before_it_acknowledges_whatever_happens),
        cmocka_unit_test(goes_on_behind_a_segment_that_cannot_be_decoded),
        cmocka_unit_test(refuses_a_frame_that_is_damaged_in_the_log_not_one_damaged_on_the_way),
        cmocka_unit_test(refuses_what_does_not_follow_however_often_it_comes),
        cmocka_unit_test(refuses_frames_whose_dictionary_cannot_be_used),
        cmocka_unit_test(leaves_out_rows_that_are_older_than_the_database_keeps),
        cmocka_unit_test(acknowledges_only_what_is_proven),
        cmocka_unit_test(writes_again_what_the_database_has_forgotten),
        cmocka_unit_test(does_not_write_again_what_was_refused),
        cmocka_unit_test(asks_for_proofs_ever_more_rarely_when_they_fail_or_take_long),
        cmocka_unit_test(reads_what_victoria_metrics_says_of_itself),
        cmocka_unit_test(proves_before_it_acknowledges_whatever_is_forgotten),
        cmocka_unit_test(the_later_ingest_has_the_shards),
        cmocka_unit_test(ledger_joins_ranges),
        cmocka_unit_test(ledger_never_forgets_what_is_kept),
        cmocka_unit_test(reads_sets_of_shards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
