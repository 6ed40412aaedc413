/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "gateway/poll/load.h"

static const struct bus_place slow_line = {
    .type = BUS_MODBUS_RTU, .baud = 9600, .parity = 'N', .data_bits = 8, .stop_bits = 1
};

/* One request of 50 registers, or two when a hole of 20 is too wide. */
struct sheet {
    struct profile_span spans[2];
    struct profile profile;
    struct poll_device conf;
};

static void sheet_init(struct sheet *s, uint16_t registers)
{
    memset(s, 0, sizeof *s);
    s->spans[0] = (struct profile_span){ SPACE_HOLDING, 0, registers, 0 };
    s->profile = (struct profile){
        .id = "p", .spans = s->spans, .spans_n = 1, .words_n = registers, .read_gap = 60
    };
    s->conf = (struct poll_device){
        .id = "d", .profile = &s->profile, .interval_ms = 1000, .is_enabled = true
    };
}

static void add_block(struct sheet *s, uint16_t first, uint16_t registers)
{
    s->spans[1] =
        (struct profile_span){ SPACE_HOLDING, first, registers, (uint16_t)s->profile.words_n };
    s->profile.spans_n = 2;
    s->profile.words_n += registers;
}

static struct load_device load_of(const struct bus_place *place, const struct sheet *s)
{
    struct load_line l;
    struct load_device d;

    load_line_of(place, &l);
    assert_int_equal(load_device_of(&l, &s->conf, &d), 0);
    return d;
}

/* 8 + 105 characters and two silences of 3.5 at 9600 8N1: 125 ms without the turnaround; the
 * limit of 8 such reads in a second is what a line can do at all. */
static void counts_characters_and_silences(void **state)
{
    struct sheet s;

    (void)state;
    sheet_init(&s, 50);
    struct load_device d = load_of(&slow_line, &s);
    assert_int_equal(d.requests, 1);
    assert_in_range(d.scan_us - LOAD_TURNAROUND_US, 124900, 125100);
    assert_true(d.share > 0.134 && d.share < 0.136);
}

static void counts_parity_and_second_stop_bits(void **state)
{
    struct bus_place p = slow_line;
    struct sheet s;

    (void)state;
    sheet_init(&s, 50);
    p.parity = 'E';
    assert_in_range(load_of(&p, &s).scan_us - LOAD_TURNAROUND_US, 137400, 137600);
}

static void counts_the_pauses_of_line_and_device(void **state)
{
    struct bus_place p = slow_line;
    struct sheet s;

    (void)state;
    sheet_init(&s, 50);
    int64_t plain_us = load_of(&p, &s).scan_us;
    s.profile.read_pause_ms = 50; /* instead of the 3.6 ms before a request */
    assert_in_range(load_of(&p, &s).scan_us - plain_us, 46300, 46400);
    s.profile.read_pause_ms = 0;
    p.pause_ms = 10; /* instead of both silences */
    assert_in_range(load_of(&p, &s).scan_us - plain_us, 12600, 12800);
}

/* An exchange takes 31 ms, a register 2.1. */
static void bridges_holes_up_to_what_an_exchange_costs(void **state)
{
    struct bus_place fast = slow_line;
    struct sheet s;

    (void)state;
    sheet_init(&s, 2);
    add_block(&s, 2 + 14, 2);
    assert_int_equal(load_of(&slow_line, &s).requests, 1);
    add_block(&s, 2 + 16, 2);
    assert_int_equal(load_of(&slow_line, &s).requests, 2);
    fast.baud = 115200; /* the turnaround is what counts there */
    add_block(&s, 2 + 60, 2);
    assert_int_equal(load_of(&fast, &s).requests, 1);
}

static void bridges_over_tcp_whatever_the_profile_allows(void **state)
{
    struct sheet s;

    (void)state;
    sheet_init(&s, 2);
    add_block(&s, 62, 2);
    assert_int_equal(load_of(&(struct bus_place){ .type = BUS_MODBUS_TCP }, &s).requests, 1);
    add_block(&s, 63, 2);
    assert_int_equal(load_of(&(struct bus_place){ .type = BUS_MODBUS_TCP }, &s).requests, 2);
}

static void adds_up_the_devices_of_a_bus(void **state)
{
    struct sheet s;
    struct poll_device d[4];
    struct load_device each[4] = { 0 };
    struct load_bus bus;

    (void)state;
    sheet_init(&s, 50);
    for (int i = 0; i < 4; i++)
        d[i] = s.conf;
    d[1].interval_ms = 2000;
    d[2].bus = 1;
    d[3].is_enabled = false;
    assert_int_equal(load_bus_of(&slow_line, 0, d, 4, each, &bus), 0);
    assert_int_equal(bus.devices_n, 2);
    assert_true(bus.line.is_known);
    assert_true(bus.share > 0.2024 && bus.share < 0.2026);
    assert_true(bus.requests_hz > 1.49 && bus.requests_hz < 1.51);
}

static void does_not_know_the_speed_behind_a_device_server(void **state)
{
    struct load_line l;

    (void)state;
    load_line_of(&(struct bus_place){ .type = BUS_MODBUS_RTU_TCP }, &l);
    assert_true(l.is_serial);
    assert_false(l.is_known);
}

static void goes_by_the_largest_variant(void **state)
{
    struct sheet s, large;
    struct profile *variants[] = { &large.profile };

    (void)state;
    sheet_init(&s, 10);
    sheet_init(&large, 50);
    s.profile.variants = variants;
    s.profile.variants_n = 1;
    assert_int_equal(load_of(&slow_line, &s).scan_us, load_of(&slow_line, &large).scan_us);
}

static const struct bus_place radio = { .type = BUS_LORA_SERIAL,
                                        .baud = 9600,
                                        .parity = 'N',
                                        .data_bits = 8,
                                        .stop_bits = 1,
                                        .modem = { .rate = SERIAL_MODEM_2K4, .packet = 240 },
                                        .radio = "ch-18",
                                        .air_share = 0.5 };

/* About one poll of ten registers per second at 2.4 kbit/s. */
static void counts_the_air_of_modems_by_their_makers_figures(void **state)
{
    struct sheet s;

    (void)state;
    sheet_init(&s, 10);
    struct load_device l = load_of(&radio, &s);
    assert_int_equal(l.requests, 1);
    assert_in_range(l.scan_us, 1100000, 1300000);
    assert_true(l.air_us > l.scan_us * 3 / 4 && l.air_us < l.scan_us);
}

static void reads_so_much_that_the_answer_fits_a_packet(void **state)
{
    static const struct {
        int packet;
        uint16_t registers;
        size_t requests;
    } of[] = { { 58, 26, 1 }, { 58, 27, 2 }, { 32, 27, 3 }, { 240, 117, 1 }, { 240, 118, 2 } };
    struct bus_place place = radio;
    struct sheet s;

    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        place.modem.packet = of[i].packet;
        sheet_init(&s, of[i].registers);
        assert_int_equal(load_of(&place, &s).requests, of[i].requests);
    }
}

/* Two answers that look alike are kept apart, so that a copy is none of them. */
static void counts_the_wait_for_copies(void **state)
{
    struct sheet alike, other;

    (void)state;
    sheet_init(&alike, 20);
    add_block(&alike, 200, 20);
    sheet_init(&other, 20);
    add_block(&other, 200, 21);
    assert_true(load_of(&radio, &alike).scan_us > load_of(&radio, &other).scan_us + 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_characters_and_silences),
        cmocka_unit_test(counts_parity_and_second_stop_bits),
        cmocka_unit_test(counts_the_pauses_of_line_and_device),
        cmocka_unit_test(bridges_holes_up_to_what_an_exchange_costs),
        cmocka_unit_test(bridges_over_tcp_whatever_the_profile_allows),
        cmocka_unit_test(adds_up_the_devices_of_a_bus),
        cmocka_unit_test(does_not_know_the_speed_behind_a_device_server),
        cmocka_unit_test(goes_by_the_largest_variant),
        cmocka_unit_test(counts_the_air_of_modems_by_their_makers_figures),
        cmocka_unit_test(reads_so_much_that_the_answer_fits_a_packet),
        cmocka_unit_test(counts_the_wait_for_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
