/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "gateway/lorawan/radio.h"

#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static double ms(unsigned sf, size_t n, bool has_crc)
{
    struct radio_rate rate = { .sf = (uint8_t)sf, .bw_hz = 125000 };

    return (double)radio_airtime_us(&rate, n, has_crc) / 1e3;
}

static void takes_the_time_of_the_data_sheet(void **state)
{
    static const struct {
        size_t n; /* PHYPayload */
        bool has_crc;
        double ms[6]; /* SF7 .. SF12; 0: too long for that data rate */
    } rows[] = {
        { 13 + 1, true, { 46.3, 82.4, 164.9, 288.8, 659.5, 1155.1 } },
        { 13 + 12, true, { 61.7, 113.2, 205.8, 411.6, 823.3, 1482.8 } },
        { 13 + 24, true, { 82.2, 143.9, 267.3, 493.6, 1069.1, 1974.3 } },
        { 13 + 51, true, { 118.0, 215.6, 390.1, 698.4, 1560.6, 2793.5 } },
        { 13 + 115, true, { 215.3, 379.4, 676.9, 1230.8, 0, 0 } },
        { 13 + 222, true, { 368.9, 655.9, 0, 0, 0, 0 } },
        { 23, true, { 61.7, 113.2, 205.8, 370.7, 823.3, 1482.8 } },
        { 12, false, { 41.2, 72.2, 144.4, 288.8, 577.5, 991.2 } },
        { 33, false, { 71.9, 133.6, 246.8, 452.6, 905.2, 1810.4 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (unsigned sf = 7; sf <= 12; sf++) {
            double expect = rows[i].ms[sf - 7], is = ms(sf, rows[i].n, rows[i].has_crc);

            if (expect > 0 && fabs(is - expect) > 0.0501)
                fail_msg("%zu bytes at SF%u: %.3f ms, expected %.1f", rows[i].n, sf, is,
                         expect);
        }
    assert_true(fabs(ms(9, 12, true) - 144.384) < 1e-9);
}

static void follows_the_bandwidth(void **state)
{
    struct radio_rate wide = { .sf = 9, .bw_hz = 500000 };
    struct radio_rate slow = { .sf = 12, .bw_hz = 250000 };

    (void)state;
    assert_int_equal(radio_airtime_us(&wide, 12, true), 144384 / 4);
    /* symbols of 16.384 ms: low data rate optimisation, the frame of SF12/125 in half the time
     */
    assert_true(fabs((double)radio_airtime_us(&slow, 25, true) / 1e3 - 1482.752 / 2) < 1e-9);
}

static void counts_preamble_and_sync_word_of_fsk(void **state)
{
    struct radio_rate fsk = { .is_fsk = true, .bits_s = 50000 };

    (void)state;
    /* 5 + 3 + 1 + 20 + 2 bytes of 160 us */
    assert_int_equal(radio_airtime_us(&fsk, 20, true), 31 * 160);
    assert_int_equal(radio_airtime_us(&fsk, 20, false), 29 * 160);
}

static void has_no_time_for_what_is_no_rate(void **state)
{
    static const struct radio_rate rates[] = {
        { .sf = 4, .bw_hz = 125000 }, { .sf = 13, .bw_hz = 125000 }, { .sf = 7 },
        { .is_fsk = true },           { .sf = 255, .bw_hz = 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rates); i++)
        assert_int_equal(radio_airtime_us(&rates[i], 20, true), 0);
}

/* A request of 8 bytes, a reply of 25, 0.2 s between them, nothing else on the air. */
static void polls_as_often_as_the_air_allows(void **state)
{
    static const double polls_s[] = { 3.0, 2.2, 1.5, 1.0, 0.5, 0.29 };

    (void)state;
    for (unsigned sf = 7; sf <= 12; sf++) {
        double poll_ms = ms(sf, 13 + 8, false) + 200 + ms(sf, 13 + 25, true);

        if (fabs(1e3 / poll_ms / polls_s[sf - 7] - 1) > 0.06)
            fail_msg("SF%u: %.3f polls a second, expected %.2f", sf, 1e3 / poll_ms,
                     polls_s[sf - 7]);
    }
}

/* Uplinks of 20 bytes an hour under 1 %. */
static void sends_as_often_as_a_duty_cycle_allows(void **state)
{
    static const struct {
        unsigned sf;
        int n;
    } rows[] = { { 7, 500 }, { 9, 145 }, { 10, 79 }, { 12, 19 } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int n = (int)(36000.0 / ms(rows[i].sf, 13 + 20, true));

        if (abs(n - rows[i].n) > rows[i].n / 50)
            fail_msg("SF%u: %d, expected %d", rows[i].sf, n, rows[i].n);
    }
}

static void needs_more_signal_the_faster_it_is(void **state)
{
    static const double snr[] = { -7.5, -10, -12.5, -15, -17.5, -20 };

    (void)state;
    for (unsigned sf = 7; sf <= 12; sf++)
        assert_true(fabs(radio_snr_min(sf) - snr[sf - 7]) < 1e-9);
}

static void reads_what_it_prints(void **state)
{
    static const char *const texts[] = { "SF7BW125", "SF12BW500", "SF5BW250", "FSK50000",
                                         "FSK300000" };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct radio_rate rate, again;
        char text[RADIO_RATE_TEXT_SIZE];

        assert_int_equal(radio_rate_parse(texts[i], &rate), 0);
        radio_rate_print(&rate, text);
        assert_string_equal(text, texts[i]);
        assert_int_equal(radio_rate_parse(text, &again), 0);
        assert_true(radio_rate_is_same(&rate, &again));
    }
}

static void tells_rates_apart(void **state)
{
    struct radio_rate a = { .sf = 7, .bw_hz = 125000 }, b = { .sf = 8, .bw_hz = 125000 };
    struct radio_rate c = { .sf = 7, .bw_hz = 250000 };
    struct radio_rate fsk = { .is_fsk = true, .bits_s = 50000 }, fast = fsk;

    (void)state;
    fast.bits_s = 100000;
    assert_false(radio_rate_is_same(&a, &b));
    assert_false(radio_rate_is_same(&a, &c));
    assert_false(radio_rate_is_same(&a, &fsk));
    assert_false(radio_rate_is_same(&fsk, &fast));
}

static void refuses_what_is_no_rate(void **state)
{
    static const char *const texts[] = {
        "",
        "S",
        "SF",
        "SF7",
        "SF7BW",
        "SF7BW126",
        "SF4BW125",
        "SF13BW125",
        "SF7BW125 ",
        "SF-7BW125",
        "sf7bw125",
        "SF7BW1250",
        "FSK",
        "FSK0",
        "FSK50000x",
        "FSK9999999",
        "SF99999999999999999999BW125",
        "7BW125",
        "SF7 BW125",
    };
    struct radio_rate rate = { .sf = 99 };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_int_equal(radio_rate_parse(texts[i], &rate), -EINVAL);
    assert_int_equal(rate.sf, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_time_of_the_data_sheet),
        cmocka_unit_test(follows_the_bandwidth),
        cmocka_unit_test(counts_preamble_and_sync_word_of_fsk),
        cmocka_unit_test(has_no_time_for_what_is_no_rate),
        cmocka_unit_test(polls_as_often_as_the_air_allows),
        cmocka_unit_test(sends_as_often_as_a_duty_cycle_allows),
        cmocka_unit_test(needs_more_signal_the_faster_it_is),
        cmocka_unit_test(reads_what_it_prints),
        cmocka_unit_test(tells_rates_apart),
        cmocka_unit_test(refuses_what_is_no_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
