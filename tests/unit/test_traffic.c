/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/bus/modbus_frame.h"
#include "gateway/conf/profile_load.h"
#include "gateway/traffic/answers.h"
#include "gateway/traffic/reader.h"

#define T0 1795331096123LL /* 2026-11-22T07:04:56.123Z */

static struct record_line line_of(const char *text)
{
    struct record_line l;
    char error[160] = "";

    if (record_parse(text, &l, error, sizeof error))
        fail_msg("'%s': %s", text, error);
    return l;
}

static void a_line_reads_back_as_it_was_written(void **state)
{
    static const char *const lines[] = {
        "2026-11-22T07:04:56.123Z line-1 17 roof-o3 rtu > 11 04 00 12 00 02 D3 5E\n",
        "2024-02-29T23:59:59.999Z tcp-1 255 - tcp <foreign 00 01 00 00 00 03 FF 84 02\n",
        "1970-01-01T00:00:00.000Z b 0 d rtu <damaged FF\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct buf b = BUF_INIT(RECORD_LINE_MAX);
        char text[RECORD_LINE_MAX];
        snprintf(text, sizeof text, "%s", lines[i]);
        text[strcspn(text, "\n")] = '\0';
        struct record_line l = line_of(text);
        record_print(&l, &b);
        assert_string_equal(buf_text(&b), lines[i]);
        buf_done(&b);
    }
    assert_int_equal(line_of("2026-11-22T07:04:56.123Z b 1 - rtu > 01").time_ms, T0);
}

static void every_part_of_a_line_is_checked(void **state)
{
    static const struct {
        const char *text, *part;
    } lines[] = {
        { "x", "a time such as" },
        { "2026-11-22T07:04:56Z b 1 - rtu > 01", "a time such as" },
        { "2026-13-22T07:04:56.123Z b 1 - rtu > 01", "a time such as" },
        { "2026-11-22T07:04:56.123Z", "found the end of the line" },
        { "2026-11-22T07:04:56.123Z B 1 - rtu > 01", "the id of a bus, found 'B'" },
        { "2026-11-22T07:04:56.123Z b 256 - rtu > 01", "a unit from 0 to 255" },
        { "2026-11-22T07:04:56.123Z b -1 - rtu > 01", "a unit from 0 to 255" },
        { "2026-11-22T07:04:56.123Z b 1 d/e rtu > 01", "the id of a device" },
        { "2026-11-22T07:04:56.123Z b 1 - udp > 01", "tcp or rtu" },
        { "2026-11-22T07:04:56.123Z b 1 - rtu >> 01", ">, <, <refused" },
        { "2026-11-22T07:04:56.123Z b 1 - rtu >", "1 to 260 bytes" },
        { "2026-11-22T07:04:56.123Z b 1 - rtu > 1", "1 to 260 bytes" },
        { "2026-11-22T07:04:56.123Z b 1 - rtu > 0g", "1 to 260 bytes" },
        { "2026-11-22T07:04:56.123Z b 1 - rtu > 0102", "1 to 260 bytes" },
    };
    struct record_line l;
    char error[160], many[2000] = "2026-11-22T07:04:56.123Z b 1 - rtu >";
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(record_parse(lines[i].text, &l, error, sizeof error), -EINVAL);
        if (!strstr(error, lines[i].part))
            fail_msg("'%s': %s", lines[i].text, error);
    }
    for (size_t i = 0, n = strlen(many); i < 261; i++, n += 3)
        memcpy(many + n, " 00", 4);
    assert_int_equal(record_parse(many, &l, error, sizeof error), -EINVAL);
    assert_int_equal(record_parse("# a comment", &l, error, sizeof error), 1);
    assert_int_equal(record_parse("", &l, error, sizeof error), 1);
}

/* ---- a small world: a bus that is recorded ---- */

struct tape {
    struct record_line line[16];
    size_t n;
};

static struct record_line *put(struct tape *t, enum bus_fate fate, int64_t ms, bool is_tcp)
{
    struct record_line *l = &t->line[t->n++];

    *l = (struct record_line){ .time_ms = T0 + ms, .unit = 1, .fate = fate, .is_tcp = is_tcp };
    memcpy(l->bus, "b", 2);
    return l;
}

static void put_request(struct tape *t, int64_t ms, uint8_t function, uint16_t first,
                        uint16_t count, bool is_tcp)
{
    const struct bus_request r = {
        .unit = 1, .function = function, .first = first, .count = count
    };
    struct record_line *l = put(t, BUS_SENT, ms, is_tcp);

    l->n = is_tcp ? adu_tcp_build(&r, 7, l->bytes) : adu_rtu_build(&r, l->bytes);
}

static void put_answer(struct tape *t, enum bus_fate fate, int64_t ms, const uint8_t *pdu,
                       size_t n, bool is_tcp)
{
    struct record_line *l = put(t, fate, ms, is_tcp);
    size_t head = is_tcp ? 6 : 0;

    if (is_tcp)
        memcpy(l->bytes, (const uint8_t[]){ 0, 7, 0, 0, 0, (uint8_t)(n + 1) }, 6);
    l->bytes[head] = 1;
    memcpy(l->bytes + head + 1, pdu, n);
    l->n = head + 1 + n;
    if (is_tcp)
        return;
    uint16_t crc = adu_crc(l->bytes, l->n);
    l->bytes[l->n++] = (uint8_t)crc;
    l->bytes[l->n++] = (uint8_t)(crc >> 8);
}

struct tally {
    struct bus_reply reply[16];
    size_t n;
};

static void pair(const struct tape *t, struct tally *out)
{
    struct traffic_pairing p = { 0 };
    struct traffic_exchange e;

    out->n = 0;
    for (size_t i = 0; i < t->n; i++) {
        bool is_again = true;
        while (is_again && traffic_feed(&p, &t->line[i], &e, &is_again))
            out->reply[out->n++] = e.reply;
    }
    if (traffic_end(&p, &e))
        out->reply[out->n++] = e.reply;
}

static void an_answer_is_judged_as_the_bus_judged_it(void **state)
{
    static const uint8_t two[] = { 4, 4, 0x42, 0x08, 0, 0 }, refusal[] = { 0x84, 2 },
                         short_one[] = { 4, 2, 0, 1 };
    (void)state;
    for (int is_tcp = 0; is_tcp < 2; is_tcp++) {
        struct tape t = { 0 };
        struct tally out;
        put_request(&t, 0, 4, 0x12, 2, is_tcp);
        put_answer(&t, BUS_DAMAGED, 10, two, sizeof two, is_tcp);
        put_answer(&t, BUS_TAKEN, 40, two, sizeof two, is_tcp);
        put_answer(&t, BUS_LATE, 41, two, sizeof two, is_tcp);
        put_request(&t, 100, 4, 0x12, 2, is_tcp);
        put_answer(&t, BUS_REFUSED, 120, refusal, sizeof refusal, is_tcp);
        put_request(&t, 200, 4, 0x12, 2, is_tcp);
        put_request(&t, 300, 4, 0x12, 2, is_tcp);
        put_answer(&t, BUS_TAKEN, 310, short_one, sizeof short_one, is_tcp);
        put_request(&t, 400, 4, 0x12, 2, is_tcp);
        pair(&t, &out);
        assert_int_equal(out.n, 5);
        assert_int_equal(out.reply[0].outcome, BUS_OK);
        assert_int_equal(out.reply[0].words[0], 0x4208);
        assert_int_equal(out.reply[0].time_ms, T0 + 40);
        assert_int_equal(out.reply[0].took_ms, 40);
        assert_int_equal(out.reply[1].outcome, BUS_EXCEPTION);
        assert_int_equal(out.reply[1].exception, 2);
        assert_int_equal(out.reply[2].outcome, BUS_NO_ANSWER);
        assert_int_equal(out.reply[3].outcome, BUS_BAD_FRAME);
        assert_int_equal(out.reply[4].outcome, BUS_NO_ANSWER);
    }
}

static void frames_that_are_none_harm_nobody(void **state)
{
    struct traffic_pairing p = { 0 };
    struct traffic_exchange e;
    bool is_again;
    (void)state;
    for (size_t n = 1; n < 14; n++)
        for (int is_tcp = 0; is_tcp < 2; is_tcp++) {
            struct record_line l = { .fate = BUS_SENT, .n = n, .is_tcp = is_tcp };
            memset(l.bytes, 4, n);
            traffic_feed(&p, &l, &e, &is_again);
            if (is_again)
                traffic_feed(&p, &l, &e, &is_again);
            l.fate = BUS_TAKEN;
            assert_true(traffic_feed(&p, &l, &e, &is_again));
            assert_int_not_equal(e.reply.outcome, BUS_OK);
        }
}

/* ---- readings ---- */

static const char profile_text[] =
    "profile: 1\nid: p\nnames: {en: P, zh: P}\nvendor: v\nmodels: [m]\nmedium: weather\n"
    "verified: template\nbus: {doc_base: 0}\npoints:\n"
    "  - {id: t, at: i:0, type: s16, scale: 0.1, unit: Cel, quantity: air_temp,"
    " range: [-60, 60]}\n"
    "  - {id: far, at: h:100, type: u16}\n"
    "  - {id: near, at: i:1, type: u16}\n";

enum { POINTS = 3 }; /* of that profile */

static struct profile *make_profile(void)
{
    struct diag *d;

    assert_int_equal(diag_create(&d), 0);
    struct profile *p = profile_load_text("p", profile_text, sizeof profile_text - 1, d);
    diag_print(d, stderr);
    diag_destroy(d);
    assert_non_null(p);
    return p;
}

/* Everything of the tape through a reader; the last scan too. Returns how many scans. */
static size_t decode(const struct tape *t, struct reading out[][POINTS], int64_t *times)
{
    struct profile *p = make_profile();
    struct traffic_reader *r;
    struct traffic_pairing pairing = { 0 };
    struct traffic_exchange e;
    size_t n = 0;

    assert_int_equal(traffic_reader_create(p, -1, &r), 0);
    for (size_t i = 0; i < t->n; i++) {
        bool is_again = true;
        while (is_again && traffic_feed(&pairing, &t->line[i], &e, &is_again))
            if (traffic_reader_take(r, &e, &times[n]))
                memcpy(out[n++], traffic_reader_readings(r), sizeof out[0]);
    }
    if (traffic_reader_end(r, &times[n]))
        memcpy(out[n++], traffic_reader_readings(r), sizeof out[0]);
    traffic_reader_destroy(r);
    profile_destroy(p);
    return n;
}

static void scans_end_where_the_device_is_asked_anew(void **state)
{
    static const uint8_t warm[] = { 4, 2, 0x00, 0xD5 }, cold[] = { 4, 2, 0xFF, 0x9C },
                         far[] = { 3, 2, 0x00, 0x07 };
    struct tape t = { 0 };
    struct reading out[8][POINTS];
    int64_t times[8];
    (void)state;
    put_request(&t, 0, 4, 0, 1, true);
    put_answer(&t, BUS_TAKEN, 10, warm, sizeof warm, true);
    put_request(&t, 20, 3, 100, 1, true);
    put_answer(&t, BUS_TAKEN, 30, far, sizeof far, true);
    put_request(&t, 1000, 4, 0, 1, true);
    put_answer(&t, BUS_TAKEN, 1010, cold, sizeof cold, true);
    put_request(&t, 1020, 3, 100, 1, true); /* not answered */
    assert_int_equal(decode(&t, out, times), 2);
    assert_int_equal(times[0], T0 + 30);
    assert_float_equal(decimal_to_double(out[0][0].value), 21.3, 0);
    assert_float_equal(decimal_to_double(out[0][1].value), 7, 0);
    assert_int_equal(times[1], T0 + 1010);
    assert_float_equal(decimal_to_double(out[1][0].value), -10, 0);
    assert_int_equal(out[1][1].verdict.grade, GRADE_MISSING);
}

static void a_retry_belongs_to_its_scan(void **state)
{
    static const uint8_t warm[] = { 4, 2, 0x00, 0xD5 }, far[] = { 3, 2, 0x00, 0x07 };
    struct tape t = { 0 };
    struct reading out[8][POINTS];
    int64_t times[8];
    (void)state;
    put_request(&t, 0, 3, 100, 1, false);
    put_answer(&t, BUS_TAKEN, 10, far, sizeof far, false);
    put_request(&t, 20, 4, 0, 1, false); /* not answered */
    put_request(&t, 1020, 4, 0, 1, false);
    put_answer(&t, BUS_TAKEN, 1030, warm, sizeof warm, false);
    assert_int_equal(decode(&t, out, times), 1);
    assert_float_equal(decimal_to_double(out[0][0].value), 21.3, 0);
    assert_float_equal(decimal_to_double(out[0][1].value), 7, 0);
}

/* As rtu_master does after a foreign answer: a shorter request of the same block, then the
 * block. */
static void a_question_that_only_clears_the_line_is_no_scan(void **state)
{
    static const uint8_t old[] = { 4, 4, 0x00, 0xD5, 0x00, 0x01 }, one[] = { 4, 2, 0x00, 0xD6 },
                         both[] = { 4, 4, 0x00, 0xD7, 0x00, 0x02 };
    struct tape t = { 0 };
    struct reading out[8][POINTS];
    int64_t times[8];
    (void)state;
    put_request(&t, 0, 4, 0, 2, false);
    put_answer(&t, BUS_TAKEN, 10, old, sizeof old, false);
    put_request(&t, 1000, 4, 0, 2, false); /* not answered */
    put_request(&t, 2000, 4, 0, 1, false);
    put_answer(&t, BUS_TAKEN, 2010, one, sizeof one, false);
    put_request(&t, 2020, 4, 0, 2, false);
    put_answer(&t, BUS_TAKEN, 2030, both, sizeof both, false);
    assert_int_equal(decode(&t, out, times), 2);
    assert_int_equal(times[1], T0 + 2030);
    assert_float_equal(decimal_to_double(out[1][0].value), 21.5, 0);
    assert_float_equal(decimal_to_double(out[1][2].value), 2, 0);
}

/* ---- answering ---- */

static void answers_come_in_their_order_and_then_again(void **state)
{
    static const uint8_t first[] = { 4, 2, 0, 1 }, second[] = { 4, 2, 0, 2 };
    static const uint8_t ask[] = { 1, 4, 0, 0, 0, 1 }, other[] = { 1, 4, 0, 1, 0, 1 };
    struct tape t = { 0 };
    struct traffic_pairing p = { 0 };
    struct traffic_exchange e;
    struct answers *a;
    size_t n = 0;
    bool is_again;
    (void)state;
    put_request(&t, 0, 4, 0, 1, true);
    put_answer(&t, BUS_TAKEN, 10, first, sizeof first, true);
    put_request(&t, 20, 4, 0, 1, true);
    put_answer(&t, BUS_TAKEN, 30, second, sizeof second, true);
    put_request(&t, 40, 4, 1, 1, true); /* not answered */
    assert_int_equal(answers_create(&a), 0);
    for (size_t i = 0; i < t.n; i++)
        if (traffic_feed(&p, &t.line[i], &e, &is_again))
            assert_int_equal(answers_add(a, &e), 0);
    assert_true(traffic_end(&p, &e));
    assert_int_equal(answers_add(a, &e), 0);
    answers_sort(a);
    assert_int_equal(answers_requests(a), 1);
    for (int i = 0; i < 5; i++) {
        const uint8_t *got = answers_next(a, ask, sizeof ask, &n);
        assert_int_equal(n, 5);
        assert_int_equal(got[0], 1);
        assert_int_equal(got[4], i % 2 ? 2 : 1);
    }
    assert_null(answers_next(a, other, sizeof other, &n));
    assert_null(answers_next(a, ask, sizeof ask - 1, &n));
    assert_null(answers_next(a, NULL, 0, &n));
    answers_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_reads_back_as_it_was_written),
        cmocka_unit_test(every_part_of_a_line_is_checked),
        cmocka_unit_test(an_answer_is_judged_as_the_bus_judged_it),
        cmocka_unit_test(frames_that_are_none_harm_nobody),
        cmocka_unit_test(scans_end_where_the_device_is_asked_anew),
        cmocka_unit_test(a_retry_belongs_to_its_scan),
        cmocka_unit_test(a_question_that_only_clears_the_line_is_no_scan),
        cmocka_unit_test(answers_come_in_their_order_and_then_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
