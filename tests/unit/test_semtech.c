/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/forwarder/semtech.h"
#include "gateway/forwarder/token.h"

static struct semtech_push push;

/* Reception samples of PROTOCOL.md, section 4. */
static const char protocol_sample[] =
    "{\"rxpk\":[{\"time\":\"2013-03-31T16:21:17.528002Z\",\"tmst\":3512348611,\"chan\":2,"
    "\"rfch\":0,\"freq\":866.349812,\"stat\":1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\","
    "\"codr\":\"4/6\",\"rssi\":-35,\"lsnr\":5.1,\"size\":32,"
    "\"data\":\"-DS4CGaDCdG+48eJNM3Vai-zDpsR71Pn9CPA9uCON84\"},"
    "{\"time\":\"2013-03-31T16:21:17.530974Z\",\"tmst\":3512348514,\"chan\":9,\"rfch\":1,"
    "\"freq\":869.1,\"stat\":1,\"modu\":\"FSK\",\"datr\":50000,\"rssi\":-75,\"size\":16,"
    "\"data\":\"VEVTVF9QQUNLRVRfMTIzNA==\"},"
    "{\"time\":\"2013-03-31T16:21:17.532038Z\",\"tmst\":3316387610,\"chan\":0,\"rfch\":0,"
    "\"freq\":863.00981,\"stat\":1,\"modu\":\"LORA\",\"datr\":\"SF10BW125\",\"codr\":\"4/7\","
    "\"rssi\":-38,\"lsnr\":5.5,\"size\":32,"
    "\"data\":\"ysgRl452xNLep9S1NTIg2lomKDxUgn3DJ7DE+b00Ass\"}]}";

static int read_push(const char *json)
{
    return semtech_read_push(json, strlen(json), &push);
}

/* One reception whose members are `text`. */
static int read_one(const char *text)
{
    static char json[2048]; /* what was read points into it */

    snprintf(json, sizeof json, "{\"rxpk\":[{%s}]}", text);
    return read_push(json);
}

#define GOOD \
    "\"tmst\":1,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"AAEC\""

static void reads_the_samples_of_the_protocol(void **state)
{
    (void)state;
    assert_int_equal(read_push(protocol_sample), 0);
    assert_int_equal(push.n, 3);
    assert_int_equal(push.crc_bad + push.malformed, 0);
    const struct radio_rx *rx = &push.rx[0].rx;
    assert_true(rx->tmst == 3512348611U);
    assert_int_equal(rx->freq_hz, 866349800);
    assert_int_equal(rx->rate.sf, 7);
    assert_int_equal(rx->rate.bw_hz, 125000);
    assert_true(rx->rssi == -35.0F && rx->snr == 5.1F);
    assert_int_equal(rx->n, 32);
    assert_memory_equal(rx->phy, "\xf8\x34\xb8\x08", 4);
    assert_true(push.rx[1].rx.rate.is_fsk);
    assert_int_equal(push.rx[1].rx.rate.bits_s, 50000);
    assert_true(isnan(push.rx[1].rx.snr));
    assert_memory_equal(push.rx[1].rx.phy, "TEST_PACKET_1234", 16);
    assert_int_equal(push.rx[2].rx.rate.sf, 10);
}

static void reads_the_time_a_forwarder_writes(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } times[] = {
        { "2013-03-31T16:21:17.528002Z", INT64_C(1364746877528) },
        { "2013-03-31T16:21:17.5Z", INT64_C(1364746877500) },
        { "2013-03-31T16:21:17Z", INT64_C(1364746877000) },
        { "2013-03-31T16:21:17.528002", INT64_MIN },
        { "2014-01-12 08:59:28 GMT", INT64_MIN },
        { "2013-13-31T16:21:17.528002Z", INT64_MIN },
        { "Z", INT64_MIN },
        { "", INT64_MIN },
    };

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s,\"time\":\"%s\"", GOOD, times[i].text);
        assert_int_equal(read_one(text), 0);
        assert_int_equal(push.n, 1);
        assert_true(semtech_utc_ms(&push.rx[0]) == times[i].ms);
    }
    assert_int_equal(read_one(GOOD), 0);
    assert_true(semtech_utc_ms(&push.rx[0]) == INT64_MIN);
}

static void brings_frequencies_to_steps_of_100_hz(void **state)
{
    static const struct {
        const char *text;
        uint32_t hz;
    } freqs[] = {
        { "868.1", 868100000 },
        { "868.100000", 868100000 },
        { "867.7000122070312", 867700000 },
        { "868.299999", 868300000 },
        { "8.685e2", 868500000 },
        { "486", 486000000 },
        { "865.0625", 865062500 },
        { "865.402500", 865402500 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof freqs / sizeof freqs[0]; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "\"tmst\":1,\"freq\":%s,\"datr\":\"SF7BW125\",\"data\":\"AAEC\"",
                 freqs[i].text);
        assert_int_equal(read_one(text), 0);
        assert_int_equal(push.n, 1);
        assert_int_equal(push.rx[0].rx.freq_hz, freqs[i].hz);
    }
}

static void drops_and_counts_receptions_with_a_bad_crc(void **state)
{
    (void)state;
    assert_int_equal(read_push("{\"rxpk\":[{" GOOD ",\"stat\":-1},{" GOOD ",\"stat\":0},{" GOOD
                               ",\"stat\":1},{" GOOD "}]}"),
                     0);
    assert_int_equal(push.n, 2);
    assert_int_equal(push.crc_bad, 2);
}

static void counts_receptions_that_are_none(void **state)
{
    static const char *const wrong[] = {
        "",
        "\"tmst\":4294967296,\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":\"AAEC\"",
        "\"tmst\":-1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":\"AAEC\"",
        "\"tmst\":\"1\",\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":\"AAEC\"",
        "\"tmst\":1,\"freq\":0,\"datr\":\"SF7BW125\",\"data\":\"AAEC\"",
        "\"tmst\":1,\"freq\":1e300,\"datr\":\"SF7BW125\",\"data\":\"AAEC\"",
        "\"tmst\":1,\"freq\":868.1,\"datr\":\"SF77BW125\",\"data\":\"AAEC\"",
        "\"tmst\":1,\"freq\":868.1,\"datr\":7,\"modu\":\"LORA\",\"data\":\"AAEC\"",
        "\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"modu\":\"FHSS\",\"data\":\"AA\"",
        "\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":\"\"",
        "\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":\"A*EC\"",
        "\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":null",
        "\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(read_one(wrong[i]), 0);
        assert_int_equal(push.n, 0);
        assert_int_equal(push.malformed, 1);
    }
    assert_int_equal(read_push("{\"rxpk\":[1,[{}],null,{" GOOD "}]}"), 0);
    assert_int_equal(push.n, 1);
    assert_int_equal(push.malformed, 3);
}

static void takes_what_forwarders_write_differently(void **state)
{
    (void)state;
    assert_int_equal(read_one("\"data\":\"\\/\\/8=\",\"size\":99,\"rsig\":[{\"ant\":0}],"
                              "\"jver\":1,\"tmst\":7,\"freq\":868.5,\"datr\":\"SF12BW125\""),
                     0);
    assert_int_equal(push.n, 1);
    assert_int_equal(push.rx[0].rx.n, 2);
    assert_memory_equal(push.rx[0].rx.phy, "\xff\xff", 2);
    assert_true(isnan(push.rx[0].rx.rssi) && isnan(push.rx[0].rx.snr));
    assert_int_equal(read_one("\"tmst\":7,\"freq\":868.8,\"modu\":\"FSK\",\"datr\":\"50000\","
                              "\"data\":\"AA\""),
                     0);
    assert_int_equal(push.n, 1);
    assert_true(push.rx[0].rx.rate.is_fsk);
}

static void takes_255_bytes_and_not_256(void **state)
{
    char text[600] = "\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":\"";
    const size_t at = strlen(text);

    (void)state;
    memset(text + at, 'A', 340);
    strncpy(text + at + 340, "\"", 2);
    assert_int_equal(read_one(text), 0);
    assert_int_equal(push.n, 1);
    assert_int_equal(push.rx[0].rx.n, 255);
    strncpy(text + at + 340, "AA\"", 4);
    assert_int_equal(read_one(text), 0);
    assert_int_equal(push.malformed, 1);
}

static void takes_255_receptions_and_counts_the_rest(void **state)
{
    static char json[65536] = "{\"rxpk\":[";
    size_t n = strlen(json);

    (void)state;
    for (int i = 0; i < 300; i++)
        n += (size_t)snprintf(json + n, sizeof json - n, "%s{%s}", i ? "," : "", GOOD);
    snprintf(json + n, sizeof json - n, "]}");
    assert_int_equal(read_push(json), 0);
    assert_int_equal(push.n, SEMTECH_RX_MAX);
    assert_int_equal(push.malformed, 300 - SEMTECH_RX_MAX);
}

static void reads_statistics_with_and_without_position(void **state)
{
    (void)state;
    assert_int_equal(
        read_push("{\"stat\":{\"time\":\"2014-01-12 08:59:28 GMT\",\"lati\":46.24000,"
                  "\"long\":-3.25230,\"alti\":145,\"rxnb\":2,\"rxok\":2,\"rxfw\":1,"
                  "\"ackr\":100.0,\"dwnb\":3,\"txnb\":4,\"temp\":23.5}}"),
        0);
    assert_true(push.has_stat);
    assert_int_equal(push.stat.rxnb, 2);
    assert_int_equal(push.stat.rxfw, 1);
    assert_int_equal(push.stat.dwnb, 3);
    assert_int_equal(push.stat.txnb, 4);
    assert_true(push.stat.lat == 46.24 && push.stat.lon == -3.2523 && push.stat.alt == 145);
    assert_true(push.stat.ackr == 100 && push.stat.temp == 23.5);
    assert_int_equal(read_push("{\"stat\":{\"rxnb\":-5}}"), 0);
    assert_true(isnan(push.stat.lat) && isnan(push.stat.temp) && isnan(push.stat.ackr));
    assert_int_equal(push.stat.rxnb, 0);
    assert_int_equal(read_push("{}"), 0);
    assert_false(push.has_stat);
}

static void refuses_what_is_not_json_and_keeps_nothing(void **state)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "1",
        "{",
        "{\"rxpk\":[{" GOOD "}]",
        "{\"rxpk\":[{" GOOD "},]}",
        "{\"rxpk\":[{" GOOD "}]}x",
        "{\"rxpk\":[{" GOOD ",}]}",
        "{\"rxpk\":[{" GOOD "}]]",
        "{\"rxpk\":[{" GOOD "}],\"a\":nan}",
        "{\"rxpk\":[{" GOOD "}],\"a\":01}",
        "{\"rxpk\":[{" GOOD "}],\"a\":1.}",
        "{\"rxpk\":[{" GOOD "}],\"a\":\"\\x\"}",
        "{\"rxpk\":[{" GOOD "}],\"a\":\"\t\"}",
        "{\"rxpk\":[{" GOOD "}],a:1}",
        "{\"rxpk\":[{" GOOD "}] \"a\":1}",
        "{\"rxpk\":[{" GOOD "}],\"a\" 1}",
        "{\"rxpk\":[{" GOOD "}],\"a\":[1 2]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(read_push(wrong[i]), -EINVAL);
        assert_int_equal(push.n + push.malformed, 0);
    }
}

static void every_cut_of_a_datagram_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof protocol_sample - 1; n++)
        assert_int_equal(semtech_read_push(protocol_sample, n, &push), -EINVAL);
}

static void depth_is_bounded(void **state)
{
    char json[256] = "{\"a\":";
    size_t n = strlen(json);

    (void)state;
    memset(json + n, '[', TOKEN_DEPTH_MAX - 1);
    memset(json + n + TOKEN_DEPTH_MAX - 1, ']', TOKEN_DEPTH_MAX - 1);
    json[n + 2 * (TOKEN_DEPTH_MAX - 1)] = '}';
    assert_int_equal(read_push(json), 0);
    memset(json + n, '[', TOKEN_DEPTH_MAX);
    memset(json + n + TOKEN_DEPTH_MAX, ']', TOKEN_DEPTH_MAX);
    json[n + 2 * TOKEN_DEPTH_MAX] = '}';
    assert_int_equal(read_push(json), -EINVAL);
}

static void takes_headers_of_both_versions_alone(void **state)
{
    uint8_t b[16] = { 2,    0xab, 0xcd, SEMTECH_PUSH_DATA,
                      0,    0x16, 0xc0, 1,
                      0xff, 0x10, 0xa2, 0x35,
                      '{',  '}',  '\n', 0 };
    uint8_t ack[SEMTECH_ACK_SIZE];
    struct semtech_datagram d;

    (void)state;
    assert_int_equal(semtech_parse(b, sizeof b, &d), 0);
    assert_true(d.eui == UINT64_C(0x0016c001ff10a235));
    assert_int_equal(d.json_n, 2);
    semtech_print_ack(&d, ack);
    assert_memory_equal(ack, "\x02\xab\xcd\x01", 4);
    b[0] = 1;
    b[3] = SEMTECH_PULL_DATA;
    assert_int_equal(semtech_parse(b, 12, &d), 0);
    assert_int_equal(d.json_n, 0);
    semtech_print_ack(&d, ack);
    assert_memory_equal(ack, "\x01\xab\xcd\x04", 4);
    assert_int_equal(semtech_parse(b, 11, &d), -EINVAL);
    b[0] = 3;
    assert_int_equal(semtech_parse(b, 12, &d), -EINVAL);
    b[0] = 2;
    b[3] = SEMTECH_PULL_RESP;
    assert_int_equal(semtech_parse(b, 12, &d), -EINVAL);
}

static void reads_every_answer_to_a_transmission(void **state)
{
    static const struct {
        const char *json;
        int result; /* -EINVAL: not readable */
    } answers[] = {
        { "", RADIO_ACCEPTED },
        { "{}", RADIO_ACCEPTED },
        { "{\"txpk_ack\":{}}", RADIO_ACCEPTED },
        { "{\"txpk_ack\":{\"error\":\"NONE\"}}", RADIO_ACCEPTED },
        { "{\"txpk_ack\":{\"warn\":\"TX_POWER\",\"value\":20}}", RADIO_ACCEPTED },
        { "{\"txpk_ack\":{\"error\":\"TOO_LATE\"}}", RADIO_TOO_LATE },
        { "{\"txpk_ack\":{\"error\":\"TOO_EARLY\"}}", RADIO_TOO_EARLY },
        { "{\"txpk_ack\":{\"error\":\"COLLISION_PACKET\"}}", RADIO_COLLISION },
        { "{\"txpk_ack\":{\"error\":\"COLLISION_BEACON\"}}", RADIO_COLLISION },
        { "{\"txpk_ack\":{\"error\":\"TX_FREQ\"}}", RADIO_REFUSED },
        { "{\"txpk_ack\":{\"error\":\"TX_POWER\"}}", RADIO_REFUSED },
        { "{\"txpk_ack\":{\"error\":\"GPS_UNLOCKED\"}}", RADIO_REFUSED },
        { "{\"txpk_ack\":{\"error\":\"SOMETHING_NEW\"}}", RADIO_REFUSED },
        { "{\"txpk_ack\":{\"error\":7}}", RADIO_REFUSED },
        { "{\"txpk_ack\":1}", -EINVAL },
        { "{\"txpk_ack\":{\"error\":\"TOO_LATE\"}", -EINVAL },
        { "x", -EINVAL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        enum radio_result r = RADIO_RESULT_COUNT_;
        int rc = semtech_read_tx_ack(answers[i].json, strlen(answers[i].json), &r);
        assert_int_equal(rc < 0 ? rc : (int)r, answers[i].result);
    }
}

static void prints_a_transmission_as_the_reference_forwarder_reads_it(void **state)
{
    const struct radio_tx tx = { .tmst = 4294967295U,
                                 .freq_hz = 868000100,
                                 .rate = { .sf = 12, .bw_hz = 125000 },
                                 .power_dbm = 14,
                                 .phy = { 0x60, 1, 2 },
                                 .n = 3 };
    char text[SEMTECH_TX_MAX];
    const size_t n = semtech_print_tx(&tx, 2, 0x1234, text);

    (void)state;
    assert_memory_equal(text, "\x02\x12\x34\x03", 4);
    assert_int_equal(n, 4 + strlen(text + 4));
    assert_string_equal(text + 4,
                        "{\"txpk\":{\"imme\":false,\"tmst\":4294967295,\"freq\":868.000100,"
                        "\"rfch\":0,\"powe\":14,\"modu\":\"LORA\",\"datr\":\"SF12BW125\","
                        "\"codr\":\"4/5\",\"ipol\":true,\"prea\":8,\"ncrc\":true,\"size\":3,"
                        "\"data\":\"YAEC\"}}");
}

static void prints_the_longest_transmission_within_its_limit(void **state)
{
    struct radio_tx tx = { .tmst = UINT32_MAX,
                           .freq_hz = UINT32_MAX,
                           .rate = { .is_fsk = true, .bits_s = UINT32_MAX },
                           .power_dbm = INT32_MIN,
                           .n = RADIO_SIZE_MAX };
    char text[SEMTECH_TX_MAX];

    (void)state;
    size_t n = semtech_print_tx(&tx, 1, 0xffff, text);
    assert_true(n < SEMTECH_TX_MAX && n == 4 + strlen(text + 4));
    assert_memory_equal(text + n - 2, "}}", 2);
    tx.is_immediate = true;
    tx.rate = (struct radio_rate){ .sf = 7, .bw_hz = 500000 };
    n = semtech_print_tx(&tx, 1, 0xffff, text);
    assert_true(n < SEMTECH_TX_MAX && n == 4 + strlen(text + 4));
    assert_non_null(strstr(text + 4, "\"imme\":true,\"freq\""));
}

static void numbers_are_exact_or_refused(void **state)
{
    static const struct {
        const char *text;
        unsigned scale;
        int64_t v; /* INT64_MIN: -ERANGE */
    } numbers[] = {
        { "0", 0, 0 },
        { "-0.0", 3, 0 },
        { "4294967295", 0, 4294967295 },
        { "-7.25", 3, -7250 },
        { "0.0005", 3, 1 },
        { "0.00049999", 3, 0 },
        { "-0.0015", 3, -2 },
        { "1e3", 0, 1000 },
        { "123456789012345678901234567890e-20", 0, 1234567890 },
        { "9.999999999999999999999", 3, 10000 },
        { "1e19", 0, INT64_MIN },
        { "1e999999999999", 0, INT64_MIN },
        { "1e-999999999999", 6, 0 },
        { "0e999999999999", 6, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const struct token k = { TOKEN_NUMBER, false, numbers[i].text,
                                 strlen(numbers[i].text) };
        int64_t v = -1;
        int rc = token_number(&k, numbers[i].scale, &v);
        assert_int_equal(rc, numbers[i].v == INT64_MIN ? -ERANGE : 0);
        assert_true(rc < 0 ? v == -1 : v == numbers[i].v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_samples_of_the_protocol),
        cmocka_unit_test(reads_the_time_a_forwarder_writes),
        cmocka_unit_test(brings_frequencies_to_steps_of_100_hz),
        cmocka_unit_test(drops_and_counts_receptions_with_a_bad_crc),
        cmocka_unit_test(counts_receptions_that_are_none),
        cmocka_unit_test(takes_what_forwarders_write_differently),
        cmocka_unit_test(takes_255_bytes_and_not_256),
        cmocka_unit_test(takes_255_receptions_and_counts_the_rest),
        cmocka_unit_test(reads_statistics_with_and_without_position),
        cmocka_unit_test(refuses_what_is_not_json_and_keeps_nothing),
        cmocka_unit_test(every_cut_of_a_datagram_is_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(takes_headers_of_both_versions_alone),
        cmocka_unit_test(reads_every_answer_to_a_transmission),
        cmocka_unit_test(prints_a_transmission_as_the_reference_forwarder_reads_it),
        cmocka_unit_test(prints_the_longest_transmission_within_its_limit),
        cmocka_unit_test(numbers_are_exact_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
