/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expected figures are those of the regional parameters as published, typed here once more: no
 * table of the code is compared with itself.
 */
#include "gateway/lorawan/region.h"

#include <math.h>
#include <string.h>

#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const struct region *of(const char *id)
{
    const struct region *r = region_find(id);

    assert_non_null(r);
    assert_string_equal(region_id(r), id);
    return r;
}

/* Text of a data rate, "-" when there is none. */
static void assert_rate(const struct region *r, unsigned dr, bool is_up, const char *expect)
{
    struct radio_rate rate;
    char text[RADIO_RATE_TEXT_SIZE] = "-";

    if (region_rate(r, dr, is_up, &rate)) {
        struct radio_rate exact;

        radio_rate_print(&rate, text);
        assert_int_equal(radio_rate_parse(text, &exact), 0);
        assert_true(radio_rate_is_same(&rate, &exact));
        assert_int_equal(region_dr_of(r, &rate, is_up), dr);
    }
    if (strcmp(text, expect) != 0)
        fail_msg("%s DR%u: %s, expected %s", region_id(r), dr, text, expect);
}

static void has_every_region_and_no_other(void **state)
{
    static const char *const ids[] = {
        "eu868", "us915", "au915", "as923-1",   "as923-2",   "as923-3",   "as923-4",
        "in865", "kr920", "cn470", "cn470-20a", "cn470-20b", "cn470-26a", "cn470-26b",
    };
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++)
        of(ids[i]);
    while (region_all()[n])
        n++;
    assert_int_equal(n, COUNT(ids));
    assert_null(region_find("eu433"));
    assert_null(region_find("EU868"));
    assert_null(region_find(""));
}

/* ---- channels, RX1, RX2 ---- */

static void numbers_the_channels_of_a_plan(void **state)
{
    static const struct {
        const char *id;
        unsigned n, channel;
        uint32_t hz;
    } rows[] = {
        { "eu868", 3, 0, 868100000 },
        { "eu868", 3, 1, 868300000 },
        { "eu868", 3, 2, 868500000 },
        { "eu868", 3, 3, 0 },
        { "in865", 3, 0, 865062500 },
        { "in865", 3, 1, 865402500 },
        { "in865", 3, 2, 865985000 },
        { "as923-1", 2, 0, 923200000 },
        { "as923-1", 2, 1, 923400000 },
        { "as923-2", 2, 0, 921400000 },
        { "as923-2", 2, 1, 921600000 },
        { "as923-3", 2, 0, 916600000 },
        { "as923-3", 2, 1, 916800000 },
        { "as923-4", 2, 0, 917300000 },
        { "as923-4", 2, 1, 917500000 },
        { "kr920", 3, 0, 922100000 },
        { "kr920", 3, 1, 922300000 },
        { "kr920", 3, 2, 922500000 },
        { "us915", 72, 0, 902300000 },
        { "us915", 72, 8, 903900000 },
        { "us915", 72, 63, 914900000 },
        { "us915", 72, 64, 903000000 },
        { "us915", 72, 71, 914200000 },
        { "us915", 72, 72, 0 },
        { "au915", 72, 0, 915200000 },
        { "au915", 72, 63, 927800000 },
        { "au915", 72, 64, 915900000 },
        { "au915", 72, 71, 927100000 },
        { "cn470", 96, 0, 470300000 },
        { "cn470", 96, 80, 486300000 },
        { "cn470", 96, 87, 487700000 },
        { "cn470", 96, 95, 489300000 },
        { "cn470", 96, 96, 0 },
        { "cn470-20a", 64, 0, 470300000 },
        { "cn470-20a", 64, 31, 476500000 },
        { "cn470-20a", 64, 32, 503500000 },
        { "cn470-20a", 64, 63, 509700000 },
        { "cn470-20b", 64, 0, 476900000 },
        { "cn470-20b", 64, 31, 483100000 },
        { "cn470-20b", 64, 32, 496900000 },
        { "cn470-20b", 64, 63, 503100000 },
        { "cn470-26a", 48, 0, 470300000 },
        { "cn470-26a", 48, 47, 479700000 },
        { "cn470-26b", 48, 0, 480300000 },
        { "cn470-26b", 48, 47, 489700000 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct region *r = of(rows[i].id);
        struct radio_rate rate;

        assert_int_equal(region_channels_n(r), rows[i].n);
        assert_int_equal(region_channel_hz(r, NULL, rows[i].channel), rows[i].hz);
        if (!rows[i].hz)
            continue;
        /* 500 kHz on the wide channels, which follow the 64 narrow ones */
        bool is_wide = rows[i].n == 72 && rows[i].channel >= 64;
        assert_true(radio_rate_parse(is_wide ? "SF8BW500" : "SF9BW125", &rate) == 0);
        assert_int_equal(region_channel_of(r, NULL, rows[i].hz, &rate), rows[i].channel);
    }
}

static void knows_no_channel_beside_the_raster(void **state)
{
    static const struct {
        const char *id;
        uint32_t hz;
        const char *rate;
    } rows[] = {
        { "eu868", 868200000, "SF9BW125" },
        { "eu868", 868700000, "SF9BW125" },
        { "eu868", 0, "SF9BW125" },
        { "eu868", 868100000, "SF9BW500" },
        { "us915", 902300001, "SF9BW125" },
        { "us915", 902100000, "SF9BW125" },
        { "us915", 903000000, "SF8BW125" },
        { "us915", 902300000, "SF8BW500" },
        { "us915", 902300000, "SF11BW125" },
        { "cn470", 489500000, "SF9BW125" },
        { "cn470-20a", 476700000, "SF9BW125" },
        { "cn470-26a", 479900000, "SF9BW125" },
        { "in865", 865985001, "SF9BW125" },
    };
    struct radio_rate rate;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(radio_rate_parse(rows[i].rate, &rate), 0);
        assert_int_equal(region_channel_of(of(rows[i].id), NULL, rows[i].hz, &rate), -1);
    }
}

static void numbers_extra_channels_behind_the_default_ones(void **state)
{
    static const uint32_t extra_hz[5] = { 867100000, 0, 867500000, 0, 867900000 };
    const struct region *eu = of("eu868"), *us = of("us915");
    struct radio_rate rate = { .sf = 12, .bw_hz = 125000 };

    (void)state;
    assert_int_equal(region_channel_of(eu, extra_hz, 867100000, &rate), 3);
    assert_int_equal(region_channel_of(eu, extra_hz, 867500000, &rate), 5);
    assert_int_equal(region_channel_of(eu, extra_hz, 867900000, &rate), 7);
    assert_int_equal(region_channel_of(eu, extra_hz, 867300000, &rate), -1);
    assert_int_equal(region_channel_of(eu, extra_hz, 0, &rate), -1);
    assert_int_equal(region_channel_hz(eu, extra_hz, 5), 867500000);
    assert_int_equal(region_channel_hz(eu, extra_hz, 4), 0);
    assert_int_equal(region_channel_hz(eu, extra_hz, 8), 0);
    rate.sf = 10;
    assert_int_equal(region_channel_of(us, extra_hz, 867100000, &rate), -1);
    assert_int_equal(region_channel_hz(us, extra_hz, 72), 0);
    assert_false(region_is_fixed(eu));
    assert_true(region_is_fixed(us));
}

static void answers_in_rx1_where_the_plan_says(void **state)
{
    static const struct {
        const char *id;
        uint32_t up_hz;
        unsigned up_dr;
        uint32_t hz;
        const char *rate;
    } rows[] = {
        { "eu868", 868300000, 5, 868300000, "SF7BW125" },
        { "eu868", 868300000, 6, 868300000, "SF7BW250" },
        { "eu868", 867100000, 0, 867100000, "SF12BW125" },
        { "eu868", 868800000, 7, 868800000, "FSK50000" },
        { "in865", 865402500, 2, 865402500, "SF10BW125" },
        { "as923-1", 923400000, 2, 923400000, "SF10BW125" },
        { "as923-3", 916800000, 5, 916800000, "SF7BW125" },
        { "kr920", 922500000, 3, 922500000, "SF9BW125" },
        { "kr920", 923300000, 3, 923300000, "SF9BW125" },
        { "us915", 902300000, 0, 923300000, "SF10BW500" },
        { "us915", 903900000, 3, 923300000, "SF7BW500" },  /* 8 */
        { "us915", 905300000, 3, 927500000, "SF7BW500" },  /* 15 */
        { "us915", 903000000, 4, 923300000, "SF7BW500" },  /* 64 */
        { "us915", 914200000, 4, 927500000, "SF7BW500" },  /* 71 */
        { "au915", 915400000, 0, 923900000, "SF12BW500" }, /* 1 */
        { "au915", 916800000, 0, 923300000, "SF12BW500" }, /* 8 */
        { "au915", 917500000, 6, 923900000, "SF7BW500" },  /* 65 */
        { "cn470", 470300000, 0, 500300000, "SF12BW125" },
        { "cn470", 479700000, 5, 509700000, "SF7BW125" }, /* 47 */
        { "cn470", 479900000, 5, 500300000, "SF7BW125" }, /* 48 */
        { "cn470", 486300000, 3, 506700000, "SF9BW125" }, /* 80 */
        { "cn470-20a", 470500000, 3, 484100000, "SF9BW125" },
        { "cn470-20a", 476500000, 3, 490100000, "SF9BW125" },
        { "cn470-20a", 503500000, 6, 490300000, "SF7BW500" },
        { "cn470-20a", 509700000, 7, 496500000, "FSK50000" },
        { "cn470-20b", 476900000, 1, 476900000, "SF11BW125" },
        { "cn470-20b", 503100000, 1, 503100000, "SF11BW125" },
        { "cn470-26a", 470300000, 2, 490100000, "SF10BW125" },
        { "cn470-26a", 475100000, 2, 490100000, "SF10BW125" }, /* 24 */
        { "cn470-26a", 479700000, 2, 494700000, "SF10BW125" },
        { "cn470-26b", 480300000, 2, 500100000, "SF10BW125" },
        { "cn470-26b", 489700000, 2, 504700000, "SF10BW125" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct region *r = of(rows[i].id);
        struct region_window w;
        char text[RADIO_RATE_TEXT_SIZE];

        assert_true(region_rx1(r, rows[i].up_hz, rows[i].up_dr, 0, false, false, &w));
        assert_int_equal(w.freq_hz, rows[i].hz);
        radio_rate_print(&w.rate, text);
        assert_string_equal(text, rows[i].rate);
        assert_int_equal(region_dr_of(r, &w.rate, false), w.dr);
    }
}

static void takes_no_uplink_outside_the_plan(void **state)
{
    static const struct {
        const char *id;
        uint32_t up_hz;
        unsigned up_dr;
    } rows[] = {
        { "eu868", 862900000, 0 },   { "eu868", 870000000, 0 },   { "eu868", 868100000, 8 },
        { "eu868", 868100000, 99 },  { "in865", 865062500, 6 },   { "in865", 868100000, 0 },
        { "as923-1", 914900000, 0 }, { "as923-4", 923200000, 0 }, { "kr920", 922100000, 6 },
        { "kr920", 920700000, 0 },   { "us915", 868100000, 0 },   { "us915", 902300000, 4 },
        { "us915", 903000000, 0 },   { "us915", 902300000, 8 },   { "au915", 915900000, 5 },
        { "cn470", 489500000, 0 },   { "cn470", 470300000, 6 },   { "cn470-20b", 470300000, 3 },
        { "au915", 915200000, 6 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct region_window w = { .freq_hz = 77 };

        assert_false(
            region_rx1(of(rows[i].id), rows[i].up_hz, rows[i].up_dr, 0, false, false, &w));
        assert_int_equal(w.freq_hz, 77);
    }
}

static void listens_in_rx2_where_the_plan_says(void **state)
{
    static const struct {
        const char *id;
        int join;
        uint32_t hz;
        unsigned dr;
        const char *rate;
    } rows[] = {
        { "eu868", -1, 869525000, 0, "SF12BW125" },
        { "in865", -1, 866550000, 2, "SF10BW125" },
        { "as923-1", -1, 923200000, 2, "SF10BW125" },
        { "as923-2", -1, 921400000, 2, "SF10BW125" },
        { "as923-3", -1, 916600000, 2, "SF10BW125" },
        { "as923-4", -1, 917300000, 2, "SF10BW125" },
        { "kr920", -1, 921900000, 0, "SF12BW125" },
        { "us915", -1, 923300000, 8, "SF12BW500" },
        { "au915", -1, 923300000, 8, "SF12BW500" },
        { "cn470", -1, 505300000, 0, "SF12BW125" },
        { "cn470-20a", -1, 486900000, 1, "SF11BW125" },
        { "cn470-20a", 0, 485300000, 1, "SF11BW125" },
        { "cn470-20a", 1, 486900000, 1, "SF11BW125" },
        { "cn470-20a", 3, 490100000, 1, "SF11BW125" },
        { "cn470-20a", 4, 491700000, 1, "SF11BW125" },
        { "cn470-20a", 6, 494900000, 1, "SF11BW125" },
        { "cn470-20a", 7, 496500000, 1, "SF11BW125" },
        { "cn470-20b", -1, 498300000, 1, "SF11BW125" },
        { "cn470-20b", 8, 478300000, 1, "SF11BW125" },
        { "cn470-20b", 9, 498300000, 1, "SF11BW125" },
        { "cn470-26a", -1, 492500000, 1, "SF11BW125" },
        { "cn470-26a", 12, 492500000, 1, "SF11BW125" },
        { "cn470-26b", -1, 502500000, 1, "SF11BW125" },
        { "cn470-26b", 19, 502500000, 1, "SF11BW125" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct region_window w = region_rx2(of(rows[i].id), rows[i].join);
        char text[RADIO_RATE_TEXT_SIZE];

        assert_int_equal(w.freq_hz, rows[i].hz);
        assert_int_equal(w.dr, rows[i].dr);
        radio_rate_print(&w.rate, text);
        assert_string_equal(text, rows[i].rate);
    }
}

static void answers_joins_of_cn470_on_their_own_channels(void **state)
{
    static const struct {
        const char *id;
        int join;
        uint32_t up_hz, rx1_hz;
    } rows[] = {
        { "cn470-20a", 0, 470900000, 484500000 },  { "cn470-20a", 1, 472500000, 486100000 },
        { "cn470-20a", 2, 474100000, 487700000 },  { "cn470-20a", 3, 475700000, 489300000 },
        { "cn470-20a", 4, 504100000, 490900000 },  { "cn470-20a", 5, 505700000, 492500000 },
        { "cn470-20a", 6, 507300000, 494100000 },  { "cn470-20a", 7, 508900000, 495700000 },
        { "cn470-20b", 8, 479900000, 479900000 },  { "cn470-20b", 9, 499900000, 499900000 },
        { "cn470-26a", 10, 470300000, 492500000 }, { "cn470-26a", 11, 472300000, 492500000 },
        { "cn470-26a", 12, 474300000, 492500000 }, { "cn470-26a", 13, 476300000, 492500000 },
        { "cn470-26a", 14, 478300000, 492500000 }, { "cn470-26b", 15, 480300000, 502500000 },
        { "cn470-26b", 16, 482300000, 502500000 }, { "cn470-26b", 17, 484300000, 502500000 },
        { "cn470-26b", 18, 486300000, 502500000 }, { "cn470-26b", 19, 488300000, 502500000 },
    };
    static const struct {
        const char *id;
        uint32_t up_hz;
    } beside[] = {
        { "cn470-20a", 477300000 }, { "cn470-20a", 510500000 }, { "cn470-26a", 480300000 },
        { "cn470-26b", 490300000 }, { "cn470-26b", 478300000 },
    };
    struct region_window w;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct region *r = of(rows[i].id);

        assert_int_equal(region_join_channel_of(r, rows[i].up_hz), rows[i].join);
        /* an offset is of the session that is yet to come */
        assert_true(region_rx1(r, rows[i].up_hz, 3, 2, false, true, &w));
        assert_int_equal(w.freq_hz, rows[i].rx1_hz);
        assert_int_equal(w.dr, 3);
    }
    for (size_t i = 0; i < COUNT(beside); i++)
        assert_int_equal(region_join_channel_of(of(beside[i].id), beside[i].up_hz), -1);
    /* a data channel, and a join channel that would select another plan */
    assert_false(region_rx1(of("cn470-20a"), 470300000, 3, 0, false, true, &w));
    assert_false(region_rx1(of("cn470-20a"), 479900000, 3, 0, false, true, &w));
    assert_int_equal(region_join_channel_of(of("cn470-20a"), 470300000), -1);
    assert_int_equal(region_join_channel_of(of("cn470-26a"), 480300000), -1);
    assert_int_equal(region_join_channel_of(of("cn470"), 470900000), -1);
    assert_int_equal(region_join_channel_of(of("eu868"), 868100000), -1);
    assert_true(region_rx1(of("eu868"), 868100000, 0, 3, false, true, &w));
    assert_int_equal(w.freq_hz, 868100000);
}

/* ---- data rate of RX1 ---- */

struct rx1_row {
    const char *id;
    uint32_t hz;
    unsigned dr;
    int down[9]; /* by offset, closed by -1 */
};

static void assert_rx1_rates(const struct rx1_row *row, bool is_dwell)
{
    const struct region *r = of(row->id);
    unsigned offset = 0;

    for (; row->down[offset] >= 0; offset++) {
        struct region_window w;

        assert_true(region_rx1(r, row->hz, row->dr, offset, is_dwell, false, &w));
        if ((int)w.dr != row->down[offset])
            fail_msg("%s DR%u offset %u: DR%u, expected DR%d", row->id, row->dr, offset, w.dr,
                     row->down[offset]);
    }
    assert_int_equal(region_rx1_offset_max(r), offset - 1);
}

static void lowers_the_data_rate_of_rx1_by_the_offset(void **state)
{
    static const struct rx1_row rows[] = {
        { "eu868", 868100000, 0, { 0, 0, 0, 0, 0, 0, -1 } },
        { "eu868", 868100000, 3, { 3, 2, 1, 0, 0, 0, -1 } },
        { "eu868", 868100000, 5, { 5, 4, 3, 2, 1, 0, -1 } },
        { "eu868", 868100000, 7, { 7, 6, 5, 4, 3, 2, -1 } },
        { "kr920", 922100000, 5, { 5, 4, 3, 2, 1, 0, -1 } },
        { "kr920", 922100000, 2, { 2, 1, 0, 0, 0, 0, -1 } },
        { "in865", 865062500, 2, { 2, 1, 0, 0, 0, 0, 3, 4, -1 } },
        { "in865", 865062500, 4, { 4, 3, 2, 1, 0, 0, 5, 5, -1 } },
        { "in865", 865062500, 5, { 5, 4, 3, 2, 1, 0, 5, 5, -1 } },
        { "as923-1", 923200000, 0, { 0, 0, 0, 0, 0, 0, 1, 2, -1 } },
        { "as923-2", 921400000, 3, { 3, 2, 1, 0, 0, 0, 4, 5, -1 } },
        { "as923-1", 923200000, 7, { 5, 5, 5, 4, 3, 2, 5, 5, -1 } },
        { "us915", 902300000, 0, { 10, 9, 8, 8, -1 } },
        { "us915", 902300000, 1, { 11, 10, 9, 8, -1 } },
        { "us915", 902300000, 2, { 12, 11, 10, 9, -1 } },
        { "us915", 902300000, 3, { 13, 12, 11, 10, -1 } },
        { "us915", 903000000, 4, { 13, 13, 12, 11, -1 } },
        { "au915", 915200000, 0, { 8, 8, 8, 8, 8, 8, -1 } },
        { "au915", 915200000, 1, { 9, 8, 8, 8, 8, 8, -1 } },
        { "au915", 915200000, 2, { 10, 9, 8, 8, 8, 8, -1 } },
        { "au915", 915200000, 3, { 11, 10, 9, 8, 8, 8, -1 } },
        { "au915", 915200000, 4, { 12, 11, 10, 9, 8, 8, -1 } },
        { "au915", 915200000, 5, { 13, 12, 11, 10, 9, 8, -1 } },
        { "au915", 915900000, 6, { 13, 13, 12, 11, 10, 9, -1 } },
        { "cn470", 470300000, 4, { 4, 3, 2, 1, 0, 0, -1 } },
        { "cn470-20a", 470300000, 0, { 1, 1, 1, 1, 1, 1, -1 } },
        { "cn470-20a", 470300000, 3, { 3, 2, 1, 1, 1, 1, -1 } },
        { "cn470-20b", 476900000, 3, { 3, 2, 1, 1, 1, 1, -1 } },
        { "cn470-26a", 470300000, 5, { 5, 4, 3, 2, 1, 1, -1 } },
        { "cn470-26b", 480300000, 2, { 2, 1, 1, 1, 1, 1, -1 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_rx1_rates(&rows[i], false);
}

static void keeps_rx1_of_as923_within_the_dwell_time(void **state)
{
    static const struct rx1_row rows[] = {
        { "as923-1", 923200000, 0, { 2, 2, 2, 2, 2, 2, 2, 2, -1 } },
        { "as923-3", 916600000, 4, { 4, 3, 2, 2, 2, 2, 5, 5, -1 } },
        { "au915", 915200000, 0, { 8, 8, 8, 8, 8, 8, -1 } },
        { "cn470-20b", 476900000, 2, { 2, 1, 1, 1, 1, 1, -1 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_rx1_rates(&rows[i], true);
}

static void takes_an_offset_too_large_for_the_largest(void **state)
{
    struct region_window w;

    (void)state;
    assert_true(region_rx1(of("us915"), 902300000, 3, 7, false, false, &w));
    assert_int_equal(w.dr, 10);
    assert_true(region_rx1(of("eu868"), 868100000, 6, 7, false, false, &w));
    assert_int_equal(w.dr, 1);
}

/* ---- data rates and payloads ---- */

static void has_the_data_rates_of_its_region(void **state)
{
    static const char *const eu[] = { "SF12BW125", "SF11BW125", "SF10BW125", "SF9BW125",
                                      "SF8BW125",  "SF7BW125",  "SF7BW250",  "FSK50000",
                                      "-",         "-",         "-",         "-",
                                      "-",         "-",         "-",         "-" };
    static const char *const us[] = { "SF10BW125", "SF9BW125", "SF8BW125", "SF7BW125",
                                      "SF8BW500" };
    static const char *const wide[] = { "SF12BW500", "SF11BW500", "SF10BW500",
                                        "SF9BW500",  "SF8BW500",  "SF7BW500" };

    (void)state;
    for (unsigned dr = 0; dr < 16; dr++) {
        const char *six = dr < 6 ? eu[dr] : "-";

        for (int is_up = 0; is_up < 2; is_up++) {
            assert_rate(of("eu868"), dr, is_up, eu[dr]);
            assert_rate(of("as923-1"), dr, is_up, eu[dr]);
            assert_rate(of("as923-4"), dr, is_up, eu[dr]);
            assert_rate(of("kr920"), dr, is_up, six);
            assert_rate(of("cn470"), dr, is_up, six);
            assert_rate(of("in865"), dr, is_up, dr == 7 ? "FSK50000" : six);
            assert_rate(of("cn470-20a"), dr, is_up, dr == 6 ? "SF7BW500" : eu[dr]);
            assert_rate(of("cn470-26b"), dr, is_up, dr == 6 ? "SF7BW500" : eu[dr]);
        }
        assert_rate(of("us915"), dr, true, dr < 5 ? us[dr] : "-");
        assert_rate(of("au915"), dr, true, dr == 6 ? "SF8BW500" : six);
        assert_rate(of("us915"), dr, false, dr > 7 && dr < 14 ? wide[dr - 8] : "-");
        assert_rate(of("au915"), dr, false, dr > 7 && dr < 14 ? wide[dr - 8] : "-");
    }
    assert_rate(of("eu868"), 16, true, "-");
}

static void limits_payloads_by_data_rate(void **state)
{
    static const struct {
        const char *id;
        bool is_up, is_dwell;
        unsigned n[16];
    } rows[] = {
        { "eu868", true, false, { 51, 51, 51, 115, 222, 222, 222, 222 } },
        { "eu868", false, false, { 51, 51, 51, 115, 222, 222, 222, 222 } },
        { "in865", true, false, { 51, 51, 51, 115, 222, 222, 0, 222 } },
        { "kr920", false, false, { 51, 51, 51, 115, 222, 222 } },
        { "as923-1", true, false, { 51, 51, 115, 115, 222, 222, 222, 222 } },
        { "as923-1", true, true, { 0, 0, 11, 53, 125, 222, 222, 222 } },
        { "as923-3", false, true, { 0, 0, 11, 53, 125, 222, 222, 222 } },
        { "as923-4", false, false, { 51, 51, 115, 115, 222, 222, 222, 222 } },
        { "us915", true, false, { 11, 53, 125, 222, 222 } },
        { "us915", false, false, { 0, 0, 0, 0, 0, 0, 0, 0, 33, 109, 222, 222, 222, 222 } },
        { "au915", true, false, { 51, 51, 51, 115, 222, 222, 222 } },
        { "au915", true, true, { 0, 0, 11, 53, 125, 222, 222 } },
        { "au915", false, true, { 0, 0, 0, 0, 0, 0, 0, 0, 33, 109, 222, 222, 222, 222 } },
        { "cn470", true, false, { 51, 51, 51, 115, 222, 222 } },
        { "cn470-20a", true, false, { 0, 23, 86, 184, 222, 222, 222, 222 } },
        { "cn470-20b", true, false, { 0, 23, 86, 184, 222, 222, 222, 222 } },
        { "cn470-26a", false, false, { 0, 23, 86, 184, 222, 222, 222, 222 } },
        { "cn470-26b", true, false, { 0, 23, 86, 184, 222, 222, 222, 222 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (unsigned dr = 0; dr < 16; dr++) {
            unsigned n =
                region_payload_max(of(rows[i].id), dr, rows[i].is_up, rows[i].is_dwell);

            if (n != rows[i].n[dr])
                fail_msg("%s DR%u: %u bytes, expected %u", rows[i].id, dr, n, rows[i].n[dr]);
        }
    assert_int_equal(region_payload_max(of("eu868"), 16, true, false), 0);
}

static void has_the_powers_of_its_region(void **state)
{
    static const struct {
        const char *id;
        double eirp;
        unsigned powers;
        uint32_t hz;
        int down;
        unsigned dr_min, dr_adr_max;
    } rows[] = {
        { "eu868", 16, 8, 868100000, 16, 0, 5 },
        { "eu868", 16, 8, 869525000, 29, 0, 5 },
        { "in865", 30, 11, 865062500, 30, 0, 5 },
        { "as923-1", 16, 8, 923200000, 16, 0, 5 },
        { "as923-2", 16, 8, 921400000, 16, 0, 5 },
        { "as923-3", 16, 8, 916600000, 16, 0, 5 },
        { "as923-4", 16, 8, 917300000, 16, 0, 5 },
        { "kr920", 14, 8, 922100000, 23, 0, 5 },
        { "us915", 30, 15, 923300000, 21, 0, 3 },
        { "au915", 30, 15, 923300000, 30, 0, 5 },
        { "cn470", 19.15, 8, 505300000, 19, 0, 5 },
        { "cn470-20a", 19.15, 8, 486900000, 19, 1, 5 },
        { "cn470-20b", 19.15, 8, 498300000, 19, 1, 5 },
        { "cn470-26a", 19.15, 8, 492500000, 19, 1, 5 },
        { "cn470-26b", 19.15, 8, 502500000, 19, 1, 5 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct region *r = of(rows[i].id);

        assert_true(fabs(region_eirp_max(r) - rows[i].eirp) < 1e-9);
        assert_int_equal(region_tx_powers(r), rows[i].powers);
        assert_int_equal(region_down_eirp(r, rows[i].hz), rows[i].down);
        assert_int_equal(region_dr_min(r), rows[i].dr_min);
        assert_int_equal(region_dr_adr_max(r), rows[i].dr_adr_max);
    }
}

/* ---- masks and CFLists ---- */

/* A set of channels: ranges, closed by -1. */
struct channels {
    uint8_t bits[12];
};

static struct channels some(const int ranges[][2])
{
    struct channels c = { { 0 } };

    for (int i = 0; ranges[i][0] >= 0; i++)
        for (int k = ranges[i][0]; k <= ranges[i][1]; k++)
            c.bits[k / 8] = (uint8_t)(c.bits[k / 8] | 1u << k % 8);
    return c;
}

static void masks_exactly_the_channels_asked_for(void **state)
{
    static const struct {
        const char *id;
        int ranges[4][2];
        unsigned n;
        struct region_mask masks[7];
    } rows[] = {
        { "eu868", { { 0, 7 }, { -1, 0 } }, 1, { { 0x00FF, 0 } } },
        { "eu868", { { 0, 2 }, { -1, 0 } }, 1, { { 0x0007, 0 } } },
        { "in865", { { 2, 3 }, { -1, 0 } }, 1, { { 0x000C, 0 } } },
        { "as923-2", { { 0, 1 }, { -1, 0 } }, 1, { { 0x0003, 0 } } },
        { "kr920", { { 15, 15 }, { -1, 0 } }, 1, { { 0x8000, 0 } } },
        /* the second sub-band, as most networks of America use it */
        { "us915", { { 8, 15 }, { 65, 65 }, { -1, 0 } }, 2, { { 0x0002, 7 }, { 0xFF00, 0 } } },
        { "us915", { { 0, 63 }, { 64, 71 }, { -1, 0 } }, 1, { { 0x00FF, 6 } } },
        { "us915", { { 0, 63 }, { -1, 0 } }, 1, { { 0x0000, 6 } } },
        { "us915", { { 64, 71 }, { -1, 0 } }, 1, { { 0x00FF, 7 } } },
        { "us915", { { 0, 47 }, { 64, 71 }, { -1, 0 } }, 2, { { 0x00FF, 6 }, { 0x0000, 3 } } },
        { "au915",
          { { 8, 23 }, { 71, 71 }, { -1, 0 } },
          3,
          { { 0x0080, 7 }, { 0xFF00, 0 }, { 0x00FF, 1 } } },
        { "cn470", { { 0, 95 }, { -1, 0 } }, 1, { { 0, 6 } } },
        { "cn470",
          { { 80, 87 }, { -1, 0 } },
          6,
          { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 0, 3 }, { 0, 4 }, { 0x00FF, 5 } } },
        { "cn470", { { 0, 90 }, { -1, 0 } }, 2, { { 0, 6 }, { 0x07FF, 5 } } },
        { "cn470-20a", { { 32, 39 }, { -1, 0 } }, 2, { { 0, 7 }, { 0x00FF, 2 } } },
        { "cn470-20a", { { 0, 62 }, { -1, 0 } }, 2, { { 0, 6 }, { 0x7FFF, 3 } } },
        { "cn470-20b", { { 63, 63 }, { -1, 0 } }, 2, { { 0, 7 }, { 0x8000, 3 } } },
        { "cn470-26b", { { 0, 0 }, { -1, 0 } }, 2, { { 0, 4 }, { 0x0001, 0 } } },
        { "au915", { { 0, 63 }, { 65, 65 }, { -1, 0 } }, 1, { { 0x0002, 6 } } },
        { "cn470-20b", { { 0, 63 }, { -1, 0 } }, 1, { { 0, 6 } } },
        { "cn470-26a", { { 0, 47 }, { -1, 0 } }, 1, { { 0, 3 } } },
        { "cn470-26a", { { 40, 47 }, { -1, 0 } }, 2, { { 0, 4 }, { 0xFF00, 2 } } },
        { "cn470-26b", { { 0, 31 }, { -1, 0 } }, 2, { { 0, 3 }, { 0x0000, 2 } } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct region *r = of(rows[i].id);
        struct channels c = some(rows[i].ranges);
        struct region_mask masks[REGION_MASKS_MAX];
        unsigned n = region_masks(r, c.bits, masks);

        if (n != rows[i].n)
            fail_msg("row %zu (%s): %u masks, expected %u", i, rows[i].id, n, rows[i].n);
        for (unsigned k = 0; k < n; k++)
            if (masks[k].ch_mask_cntl != rows[i].masks[k].ch_mask_cntl ||
                masks[k].ch_mask != rows[i].masks[k].ch_mask)
                fail_msg("row %zu (%s) mask %u: %u/%04x", i, rows[i].id, k,
                         masks[k].ch_mask_cntl, masks[k].ch_mask);
    }
}

static void masks_all_channels_when_none_is_named(void **state)
{
    static const uint8_t none[12];
    struct region_mask masks[REGION_MASKS_MAX];

    (void)state;
    assert_int_equal(region_masks(of("us915"), none, masks), 1);
    assert_int_equal(masks[0].ch_mask_cntl, 6);
    assert_int_equal(masks[0].ch_mask, 0x00FF);
    assert_int_equal(region_masks(of("cn470"), NULL, masks), 1);
    assert_int_equal(masks[0].ch_mask_cntl, 6);
    assert_int_equal(region_masks(of("eu868"), NULL, masks), 1);
    assert_int_equal(masks[0].ch_mask_cntl, 6);
}

static void lists_extra_channels_in_a_join_accept(void **state)
{
    /* 867.1 .. 867.9 MHz in steps of 100 Hz, least significant byte first */
    static const uint32_t extra_hz[5] = { 867100000, 867300000, 867500000, 867700000,
                                          867900000 };
    static const uint8_t expect[16] = { 0x18, 0x4F, 0x84, 0xE8, 0x56, 0x84, 0xB8, 0x5E,
                                        0x84, 0x88, 0x66, 0x84, 0x58, 0x6E, 0x84, 0x00 };
    static const uint32_t one_hz[5] = { 0, 922700000, 0, 0, 0 };
    static const uint8_t one[16] = { 0, 0, 0, 0xF8, 0xCA, 0x8C };
    static const uint32_t none_hz[5] = { 0 };
    uint8_t list[16] = { 0xEE };

    (void)state;
    assert_false(region_cf_list(of("eu868"), NULL, NULL, list));
    assert_false(region_cf_list(of("eu868"), none_hz, NULL, list));
    assert_int_equal(list[0], 0xEE);
    assert_true(region_cf_list(of("eu868"), extra_hz, NULL, list));
    assert_memory_equal(list, expect, 16);
    assert_true(region_cf_list(of("kr920"), one_hz, NULL, list));
    assert_memory_equal(list, one, 16);
}

static void lists_masks_in_a_join_accept(void **state)
{
    static const struct {
        const char *id;
        int ranges[3][2];
        uint8_t list[16];
    } rows[] = {
        { "us915",
          { { 8, 15 }, { 65, 65 }, { -1, 0 } },
          { 0x00, 0xFF, 0, 0, 0, 0, 0, 0, 0x02, 0x00, 0, 0, 0, 0, 0, 1 } },
        { "au915",
          { { 0, 71 }, { -1, 0 } },
          { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 1 } },
        { "cn470-20a",
          { { 32, 39 }, { -1, 0 } },
          { 0, 0, 0, 0, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
        { "cn470-26b",
          { { 0, 47 }, { -1, 0 } },
          { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
    };
    uint8_t list[16] = { 0xEE };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct channels c = some(rows[i].ranges);

        assert_true(region_cf_list(of(rows[i].id), NULL, c.bits, list));
        assert_memory_equal(list, rows[i].list, 16);
    }
    /* RP001 of China has no CFList */
    assert_false(region_cf_list(of("cn470"), NULL, NULL, list));
}

/* ---- sub-bands ---- */

#define S INT64_C(1000000)

static void books_time_on_air_by_sub_band(void **state)
{
    static const struct {
        uint32_t hz;
        int64_t us; /* of an hour */
    } rows[] = {
        { 864000000, 3600000 }, { 866500000, 36 * S },  { 868100000, 36 * S },
        { 868800000, 3600000 }, { 869525000, 360 * S }, { 869800000, 36 * S },
        { 868650000, 0 },       { 869300000, 0 },       { 869670000, 0 },
        { 862000000, 0 },       { 915000000, 0 },
    };
    const struct region *r = of("eu868");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct band_account a = { 0 };

        assert_false(region_band_take(r, &a, rows[i].hz, 5 * S, rows[i].us + 1));
        if (!rows[i].us) {
            assert_true(isnan(region_band_used(r, &a, rows[i].hz, 5 * S)));
            continue;
        }
        assert_true(region_band_take(r, &a, rows[i].hz, 5 * S, rows[i].us / 4));
        assert_true(fabs(region_band_used(r, &a, rows[i].hz, 6 * S) - 0.25) < 1e-9);
        assert_true(region_band_take(r, &a, rows[i].hz, 6 * S, rows[i].us / 4 * 3));
        assert_false(region_band_take(r, &a, rows[i].hz, 7 * S, 1));
    }
}

static void knows_the_edges_of_the_sub_bands(void **state)
{
    static const struct {
        uint32_t hz_min, hz_max;
        double per_mille;
        int eirp;
    } rows[] = {
        { 863000000, 864999999, 1, 16 },   { 865000000, 867999999, 10, 16 },
        { 868000000, 868599999, 10, 16 },  { 868700000, 869199999, 1, 16 },
        { 869400000, 869649999, 100, 29 }, { 869700000, 869999999, 10, 16 },
    };
    static const uint32_t beside[] = { 862999999, 868600000, 868699999, 869200000,
                                       869399999, 869650000, 869699999, 870000000 };
    const struct region *r = of("eu868");

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        uint32_t hz = i % 2 ? rows[i / 2].hz_max : rows[i / 2].hz_min;
        struct band_account a = { 0 };

        assert_true(region_band_take(r, &a, hz, 0, 1800000));
        double used = region_band_used(r, &a, hz, 0);
        assert_true(fabs(used - 0.5 / rows[i / 2].per_mille) < 1e-9);
        assert_int_equal(region_down_eirp(r, hz), rows[i / 2].eirp);
        /* the other edge is of the same sub-band, the next sub-band has its own account */
        assert_true(fabs(region_band_used(r, &a, rows[i / 2].hz_min, 0) - used) < 1e-9);
        assert_true(region_band_used(r, &a, rows[(i / 2 + 1) % COUNT(rows)].hz_min, 0) < 1e-9);
    }
    for (size_t i = 0; i < COUNT(beside); i++)
        assert_true(isnan(region_band_used(r, &(struct band_account){ 0 }, beside[i], 0)));
}

static void takes_channels_of_its_band_alone(void **state)
{
    static const struct {
        const char *id;
        uint32_t hz_min, hz_max;
    } rows[] = {
        { "eu868", 863000000, 869999999 },   { "in865", 865000000, 866999999 },
        { "as923-1", 915000000, 927999999 }, { "as923-2", 920000000, 922999999 },
        { "as923-3", 915000000, 920999999 }, { "as923-4", 917000000, 919999999 },
        { "kr920", 920900000, 923399999 },
    };
    struct region_window w;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct region *r = of(rows[i].id);

        assert_true(region_rx1(r, rows[i].hz_min, 2, 0, false, false, &w));
        assert_true(region_rx1(r, rows[i].hz_max, 2, 0, false, true, &w));
        assert_int_equal(w.freq_hz, rows[i].hz_max);
        assert_false(region_rx1(r, rows[i].hz_min - 1, 2, 0, false, false, &w));
        assert_false(region_rx1(r, rows[i].hz_max + 1, 2, 0, false, false, &w));
    }
}

static void gives_time_on_air_back_after_an_hour_and_not_before(void **state)
{
    const struct region *r = of("eu868");
    struct band_account a = { 0 };
    int64_t begin = 59 * S;

    (void)state;
    assert_true(region_band_take(r, &a, 868100000, begin, 30 * S));
    assert_true(region_band_take(r, &a, 868100000, begin + 1800 * S, 6 * S));
    for (int64_t t = begin; t <= begin + 3600 * S; t += 20 * S)
        assert_false(region_band_take(r, &a, 868100000, t, 1));
    /* a minute later at most the first is free again, the second is not */
    assert_true(region_band_take(r, &a, 868100000, begin + 3660 * S, 30 * S));
    assert_false(region_band_take(r, &a, 868100000, begin + 3660 * S, 1));
}

static void books_out_of_order_without_losing_anything(void **state)
{
    const struct region *r = of("eu868");
    struct band_account a = { 0 };

    (void)state;
    assert_true(region_band_take(r, &a, 869525000, 500 * S, 180 * S));
    assert_true(region_band_take(r, &a, 869525000, 380 * S, 180 * S));
    assert_false(region_band_take(r, &a, 869525000, 380 * S, 1));
    assert_false(region_band_take(r, &a, 869525000, 500 * S, 1));
}

static void allows_272_downlinks_an_hour_in_rx2(void **state)
{
    /* twelve bytes of PHYPayload at SF12, 991.2 ms each, would be 363; a poll of Modbus with 21
     * bytes is 1318.9 ms */
    const struct region *r = of("eu868");
    struct region_window w = region_rx2(r, -1);
    struct band_account a = { 0 };
    int n = 0;

    (void)state;
    while (region_band_take(r, &a, w.freq_hz, 1800 * S, radio_airtime_us(&w.rate, 21, false)))
        n++;
    assert_int_equal(n, 272);
}

static void limits_nothing_where_no_sub_bands_are_known(void **state)
{
    const struct region *r = of("us915");
    struct band_account a = { 0 };

    (void)state;
    assert_true(region_band_take(r, &a, 923300000, 0, 3600 * S * 2));
    assert_true(isnan(region_band_used(r, &a, 923300000, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_every_region_and_no_other),
        cmocka_unit_test(numbers_the_channels_of_a_plan),
        cmocka_unit_test(knows_no_channel_beside_the_raster),
        cmocka_unit_test(numbers_extra_channels_behind_the_default_ones),
        cmocka_unit_test(answers_in_rx1_where_the_plan_says),
        cmocka_unit_test(takes_no_uplink_outside_the_plan),
        cmocka_unit_test(listens_in_rx2_where_the_plan_says),
        cmocka_unit_test(answers_joins_of_cn470_on_their_own_channels),
        cmocka_unit_test(lowers_the_data_rate_of_rx1_by_the_offset),
        cmocka_unit_test(keeps_rx1_of_as923_within_the_dwell_time),
        cmocka_unit_test(takes_an_offset_too_large_for_the_largest),
        cmocka_unit_test(has_the_data_rates_of_its_region),
        cmocka_unit_test(limits_payloads_by_data_rate),
        cmocka_unit_test(has_the_powers_of_its_region),
        cmocka_unit_test(masks_exactly_the_channels_asked_for),
        cmocka_unit_test(masks_all_channels_when_none_is_named),
        cmocka_unit_test(lists_extra_channels_in_a_join_accept),
        cmocka_unit_test(lists_masks_in_a_join_accept),
        cmocka_unit_test(books_time_on_air_by_sub_band),
        cmocka_unit_test(knows_the_edges_of_the_sub_bands),
        cmocka_unit_test(takes_channels_of_its_band_alone),
        cmocka_unit_test(gives_time_on_air_back_after_an_hour_and_not_before),
        cmocka_unit_test(books_out_of_order_without_losing_anything),
        cmocka_unit_test(allows_272_downlinks_an_hour_in_rx2),
        cmocka_unit_test(limits_nothing_where_no_sub_bands_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
