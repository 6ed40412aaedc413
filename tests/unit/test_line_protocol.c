/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "gateway/uplink/line_parse.h"
#include "gateway/uplink/line_print.h"

#include "unit.h"

#define T0        INT64_C(1763795370125)
#define FOR_EVER  INT64_MAX
#define LAYOUT(s) "{\"sf1\":1,\"channels\":[" s "]}"
#define OZONE     "{\"id\":\"roof-o3/ozone\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"}"

struct fixture {
    struct buf b;
    struct line_layout *layout;
    struct line_counts counts;
    char why[160];
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){ .b = BUF_INIT(1 << 20) };
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    buf_done(&f->b);
    line_layout_destroy(f->layout);
    return 0;
}

static int open_layout(struct fixture *f, const char *json)
{
    return line_layout_create(json, strlen(json), "riverside-01", &f->layout, f->why,
                              sizeof f->why);
}

static int write_cells(struct fixture *f, const struct series_cell *cells, unsigned columns)
{
    struct series_frame frame = { .time_ms = &(int64_t){ T0 }, .cells = cells };

    frame.info.rows = 1;
    frame.info.columns = columns;
    return line_write_rows(&f->b, f->layout, &frame, 0, 0, FOR_EVER, &f->counts);
}

static void writes_a_reading_with_its_decimals(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(open_layout(f, LAYOUT(OZONE)), 0);
    assert_int_equal(write_cells(f, &(struct series_cell){ 4120, 17, 2 }, 1), 0);
    assert_string_equal(buf_text(&f->b),
                        "ozone,dev=roof-o3,station=riverside-01 v=41.20,f=17i 1763795370125\n");
    assert_int_equal(f->counts.lines, 1);
}

static void names_statistics_by_their_measurement(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        open_layout(f, LAYOUT("{\"id\":\"roof-o3/ozone@1h.max\",\"quantity\":\"ozone\","
                              "\"unit\":\"ug/m3\"}")),
        0);
    assert_int_equal(write_cells(f, &(struct series_cell){ 7, 0, 0 }, 1), 0);
    assert_string_equal(
        buf_text(&f->b),
        "ozone@1h.max,dev=roof-o3,station=riverside-01 v=7,f=0i 1763795370125\n");
}

static void writes_a_revision_as_a_series_of_its_own(void **state)
{
    struct fixture *f = *state;
    const struct series_cell cells[] = { { 1, 0, 0 }, { 2, 0, 0 }, { 3, 0, 0 } };

    assert_int_equal(
        open_layout(f, LAYOUT("{\"id\":\"s/upper@rev\",\"quantity\":\"soil_moisture\"},"
                              "{\"id\":\"s/ozone@1h.max@rev\",\"quantity\":\"ozone\"},"
                              "{\"id\":\"s/ozone@1h.max\",\"quantity\":\"ozone\"}")),
        0);
    assert_int_equal(write_cells(f, cells, 3), 0);
    assert_string_equal(
        buf_text(&f->b),
        "soil_moisture,ch=upper,dev=s,lvl=rev,station=riverside-01 v=1,f=0i 1763795370125\n"
        "ozone@1h.max,dev=s,lvl=rev,station=riverside-01 v=2,f=0i 1763795370125\n"
        "ozone@1h.max,dev=s,station=riverside-01 v=3,f=0i 1763795370125\n");
    assert_int_equal(open_layout(f, LAYOUT("{\"id\":\"s/@rev\",\"quantity\":\"ozone\"}")),
                     -EINVAL);
}

static void tells_two_points_of_one_quantity_apart(void **state)
{
    struct fixture *f = *state;
    const struct series_cell cells[] = { { 1, 0, 0 }, { 2, 0, 0 } };

    assert_int_equal(
        open_layout(f, LAYOUT("{\"id\":\"s/upper\",\"quantity\":\"soil_moisture\"},"
                              "{\"id\":\"s/lower@1h\",\"quantity\":\"soil_moisture\"}")),
        0);
    assert_int_equal(write_cells(f, cells, 2), 0);
    assert_string_equal(
        buf_text(&f->b),
        "soil_moisture,ch=upper,dev=s,station=riverside-01 v=1,f=0i 1763795370125\n"
        "soil_moisture@1h,ch=lower,dev=s,station=riverside-01 v=2,f=0i 1763795370125\n");
}

static void leaves_out_a_value_that_is_missing_but_keeps_its_flag(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(open_layout(f, LAYOUT(OZONE)), 0);
    assert_int_equal(write_cells(f, &(struct series_cell){ 0, 37, DECIMAL_NONE }, 1), 0);
    assert_string_equal(buf_text(&f->b),
                        "ozone,dev=roof-o3,station=riverside-01 f=37i 1763795370125\n");
}

static void leaves_out_a_value_that_is_not_finite(void **state)
{
    struct fixture *f = *state;
    struct series_cell cell = { 0, 1, DECIMAL_DOUBLE };
    double infinite = -INFINITY;

    memcpy(&cell.v, &infinite, sizeof cell.v);
    assert_int_equal(open_layout(f, LAYOUT(OZONE)), 0);
    assert_int_equal(write_cells(f, &cell, 1), 0);
    assert_string_equal(buf_text(&f->b),
                        "ozone,dev=roof-o3,station=riverside-01 f=1i 1763795370125\n");
}

static void escapes_what_separates(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(open_layout(f, LAYOUT("{\"id\":\"roof, east/a=b\",\"quantity\":\"p q\"}")),
                     0);
    assert_int_equal(write_cells(f, &(struct series_cell){ 1, 0, 0 }, 1), 0);
    assert_string_equal(
        buf_text(&f->b),
        "p\\ q,ch=a\\=b,dev=roof\\,\\ east,station=riverside-01 v=1,f=0i 1763795370125\n");
}

static void refuses_names_that_servers_read_differently(void **state)
{
    static const char *const bad[] = {
        LAYOUT("{\"id\":\"d/p\",\"quantity\":\"a\\\\b\"}"),
        LAYOUT("{\"id\":\"d/p\\n\",\"quantity\":\"a\"}"),
        LAYOUT("{\"id\":\"d/p\",\"quantity\":\"\"}"),
        LAYOUT("{\"id\":\"d/\",\"quantity\":\"a\"}"),
        LAYOUT("{\"id\":\"d/p\",\"quantity\":\"#a\"}"),
        LAYOUT("{\"id\":\"d/p\",\"quantity\":\"_a\"}"),
        LAYOUT("{\"id\":\"d/p\"}"),
        LAYOUT(""),
        LAYOUT("7"),
        "[]",
        "{",
        "",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(open_layout(f, bad[i]), -EINVAL);
        assert_true(strlen(f->why) > 0);
    }
}

static void refuses_a_frame_of_other_columns(void **state)
{
    struct fixture *f = *state;
    const struct series_cell cells[2] = { { 0 } };

    assert_int_equal(open_layout(f, LAYOUT(OZONE)), 0);
    assert_int_equal(write_cells(f, cells, 2), -EINVAL);
    assert_int_equal(f->b.size, 0);
}

static void drops_rows_that_databases_drop_silently(void **state)
{
    struct fixture *f = *state;
    const int64_t times[] = { 0, -5, T0, T0 + 1 };
    const struct series_cell cells[4] = { { .e = 0 } };
    struct series_frame frame = { .time_ms = times, .cells = cells };

    frame.info.rows = 4;
    frame.info.columns = 1;
    assert_int_equal(open_layout(f, LAYOUT(OZONE)), 0);
    assert_int_equal(line_write_rows(&f->b, f->layout, &frame, 0, 3, T0, &f->counts), 0);
    assert_int_equal(f->counts.lines, 1);
    assert_int_equal(f->counts.rows_refused, 3);
}

static void refuses_to_truncate(void **state)
{
    struct fixture *f = *state;

    f->b.max = 60;
    assert_int_equal(open_layout(f, LAYOUT(OZONE)), 0);
    assert_int_equal(write_cells(f, &(struct series_cell){ 1, 0, 0 }, 1), -ENOSPC);
    assert_int_equal(f->b.size, 0);
    assert_false(f->b.has_failed);
}

static void prints_every_decimal_exactly(void **state)
{
    static const struct {
        struct decimal d;
        const char *text;
    } cases[] = {
        { { 0, 0 }, "0" },
        { { 0, 3 }, "0.000" },
        { { -5, 2 }, "-0.05" },
        { { 12345, 1 }, "1234.5" },
        { { INT64_MAX, 0 }, "9223372036854775807" },
        { { INT64_MIN, 18 }, "-9.223372036854775808" },
        { { INT64_MIN, 0 }, "-9223372036854775808" },
        { { 1, 18 }, "0.000000000000000001" },
    };
    char text[LINE_NUMBER_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        *line_print_decimal(text, cases[i].d) = '\0';
        assert_string_equal(text, cases[i].text);
    }
    assert_null(line_print_decimal(text, DECIMAL_MISSING));
}

static void shows_an_alert_as_integer_codes(void **state)
{
    static const char json[] =
        "{\"epoch\":\"1\",\"seq\":7,\"kind\":\"alert\",\"time\":\"2026-11-22T07:09:30.125Z\","
        "\"transition\":\"raised\",\"rule\":\"ozone-high\",\"channel\":\"roof-o3/ozone@1min\","
        "\"device\":\"roof-o3\",\"level\":\"orange\",\"from\":\"none\",\"value\":181.5,"
        "\"limit\":160,\"extreme\":null}";
    struct fixture *f = *state;

    assert_int_equal(
        line_write_event(&f->b, json, sizeof json - 1, "riverside-01", FOR_EVER, &f->counts),
        0);
    assert_string_equal(buf_text(&f->b),
                        "alert,ch=roof-o3/ozone@1min,dev=roof-o3,rule=ozone-high,"
                        "station=riverside-01 change=1i,level=3i,from=0i,v=181.5,limit=160 "
                        "1795331370125\n");
}

static void counts_other_events(void **state)
{
    static const char json[] =
        "{\"kind\":\"notice\",\"time\":1763795370125,\"what\":\"silent\","
        "\"subject\":\"roof\\\\o3\"}";
    struct fixture *f = *state;

    assert_int_equal(line_write_event(&f->b, json, sizeof json - 1, "s", FOR_EVER, &f->counts),
                     0);
    assert_string_equal(buf_text(&f->b),
                        "event,kind=notice,station=s,what=silent n=1i 1763795370125\n");
}

static void writes_nothing_for_an_event_it_cannot_place(void **state)
{
    static const char *const bad[] = {
        "",
        "7",
        "{}",
        "{\"kind\":\"alert\"}",
        "{\"kind\":\"alert\",\"time\":\"soon\"}",
        "{\"kind\":\"alert\",\"time\":-1}",
        "{\"kind\":3,\"time\":5}",
        "{\"kind\":\"alert\",\"time\":\"2026-99-22T07:09:30.125Z\"}",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(
            line_write_event(&f->b, bad[i], strlen(bad[i]), "s", FOR_EVER, &f->counts), 0);
    assert_int_equal(f->b.size, 0);
}

static void refuses_points_that_no_server_reads_alike(void **state)
{
    struct fixture *f = *state;
    const struct line_field one = { .key = line_text("v"), .type = LINE_FLOAT, .number = 1 };
    const struct line_field nan = { .key = line_text("v"), .type = LINE_FLOAT, .number = NAN };
    const struct line_tag empty = { line_text("a"), { "", 0 } };
    const struct line_tag twice[] = { { line_text("a"), line_text("b") },
                                      { line_text("a"), line_text("c") } };
    const struct line_point bad[] = {
        { .measurement = line_text("m") },
        { .measurement = line_text("m"), .fields = &nan, .fields_n = 1 },
        { .measurement = line_text("m\\"), .fields = &one, .fields_n = 1 },
        { .measurement = line_text("#m"), .fields = &one, .fields_n = 1 },
        { .measurement = line_text("m"),
          .fields = &one,
          .fields_n = 1,
          .tags = &empty,
          .tags_n = 1 },
        { .measurement = line_text("m"),
          .fields = &one,
          .fields_n = 1,
          .tags = twice,
          .tags_n = 2 },
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(line_write_point(&f->b, &bad[i]), -EINVAL);
    assert_int_equal(f->b.size, 0);
}

static void what_it_writes_can_be_read(void **state)
{
    struct fixture *f = *state;
    struct line_parser q;
    struct line_point p;
    const struct series_cell cells[] = { { -1250, 9, 2 }, { 0, 4, DECIMAL_NONE } };

    assert_int_equal(open_layout(f, LAYOUT(OZONE "," OZONE)), 0);
    assert_int_equal(write_cells(f, cells, 2), 0);
    assert_int_equal(line_parser_init(&q, f->b.data, f->b.size), 0);
    assert_int_equal(line_parse_next(&q, &p), 1);
    assert_int_equal(p.time, T0);
    assert_true(p.fields[0].type == LINE_FLOAT && p.fields[0].number == -12.5);
    assert_true(p.fields[1].type == LINE_INT && p.fields[1].integer == 9);
    assert_int_equal(line_parse_next(&q, &p), 1);
    assert_int_equal(p.fields_n, 1);
    assert_int_equal(line_parse_next(&q, &p), 0);
    line_parser_done(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_reading_with_its_decimals),
        cmocka_unit_test(names_statistics_by_their_measurement),
        cmocka_unit_test(writes_a_revision_as_a_series_of_its_own),
        cmocka_unit_test(tells_two_points_of_one_quantity_apart),
        cmocka_unit_test(leaves_out_a_value_that_is_missing_but_keeps_its_flag),
        cmocka_unit_test(leaves_out_a_value_that_is_not_finite),
        cmocka_unit_test(escapes_what_separates),
        cmocka_unit_test(refuses_names_that_servers_read_differently),
        cmocka_unit_test(refuses_a_frame_of_other_columns),
        cmocka_unit_test(drops_rows_that_databases_drop_silently),
        cmocka_unit_test(refuses_to_truncate),
        cmocka_unit_test(prints_every_decimal_exactly),
        cmocka_unit_test(shows_an_alert_as_integer_codes),
        cmocka_unit_test(counts_other_events),
        cmocka_unit_test(writes_nothing_for_an_event_it_cannot_place),
        cmocka_unit_test(refuses_points_that_no_server_reads_alike),
        cmocka_unit_test(what_it_writes_can_be_read),
    };
    struct CMUnitTest with[sizeof tests / sizeof tests[0]];

    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        with[i] = tests[i];
        with[i].setup_func = set_up;
        with[i].teardown_func = tear_down;
    }
    return cmocka_run_group_tests(with, NULL, NULL);
}
