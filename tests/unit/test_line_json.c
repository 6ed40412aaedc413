/* SPDX-License-Identifier: Apache-2.0 */
/* Lines as JSON lines: names, numbers, order, and that no part of one is another. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/uplink/line_json.h"

#include "unit.h"

static const struct line_json_names as_default = { .separator = "_", .database_label = "db" };

static int convert(const char *lines, const struct line_json_names *names, struct buf *out)
{
    struct line_json *j = line_json_create();

    assert_non_null(j);
    int rc = line_json_write(j, lines, strlen(lines), names, out);
    line_json_destroy(j);
    return rc;
}

static void assert_json(const char *lines, const struct line_json_names *names,
                        const char *expected)
{
    struct buf out = BUF_INIT(1 << 20);

    assert_int_equal(convert(lines, names, &out), 0);
    assert_string_equal(buf_text(&out), expected);
    buf_done(&out);
}

static void gathers_the_samples_of_a_series(void **state)
{
    (void)state;
    assert_json("ozone,dev=a,station=s v=41.20,f=0i 1763795370125\n"
                "ph,station=s v=-7,f=3i 1763795370125\n"
                "ozone,dev=a,station=s f=9i 1763795371125\n"
                "ozone,dev=a,station=s v=1e-07,f=0i 1763795372125\n",
                &as_default,
                "{\"metric\":{\"__name__\":\"ozone_v\",\"dev\":\"a\",\"station\":\"s\"},"
                "\"values\":[41.20,1e-07],\"timestamps\":[1763795370125,1763795372125]}\n"
                "{\"metric\":{\"__name__\":\"ozone_f\",\"dev\":\"a\",\"station\":\"s\"},"
                "\"values\":[0,9,0],\"timestamps\":[1763795370125,1763795371125,"
                "1763795372125]}\n"
                "{\"metric\":{\"__name__\":\"ph_v\",\"station\":\"s\"},"
                "\"values\":[-7],\"timestamps\":[1763795370125]}\n"
                "{\"metric\":{\"__name__\":\"ph_f\",\"station\":\"s\"},"
                "\"values\":[3],\"timestamps\":[1763795370125]}\n");
}

static void keeps_the_text_of_numbers(void **state)
{
    static const char *const numbers[] = {
        "0", "-0", "12.50", "9223372036854775807", "0.30000000000000004", "1e+20", "-2.5E-300",
    };
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char line[128], expected[160];
        snprintf(line, sizeof line, "m v=%s 1\n", numbers[i]);
        snprintf(expected, sizeof expected,
                 "{\"metric\":{\"__name__\":\"m_v\"},\"values\":[%s],\"timestamps\":[1]}\n",
                 numbers[i]);
        assert_json(line, &as_default, expected);
    }
}

static void undoes_escapes_and_makes_those_of_json(void **state)
{
    (void)state;
    assert_json("a\\,b\\ c,k\\=1=x\\,y\\ z\\=\"q\",t=\xc3\xa9 v=1 5\n", &as_default,
                "{\"metric\":{\"__name__\":\"a,b c_v\",\"k=1\":\"x,y z=\\\"q\\\"\","
                "\"t\":\"\xc3\xa9\"},\"values\":[1],\"timestamps\":[5]}\n");
    assert_json("a\\b v=1 5\n", &as_default,
                "{\"metric\":{\"__name__\":\"a\\\\b_v\"},\"values\":[1],\"timestamps\":[5]}\n");
}

static void names_series_as_the_server_does(void **state)
{
    const struct line_json_names database = { .separator = "_",
                                              .database_label = "db",
                                              .database = "e\"nv" };
    const struct line_json_names dotted = { .separator = ".", .skips_single_field = true };
    const struct line_json_names bare = { .separator = "_", .skips_measurement = true };
    (void)state;

    assert_json("m,a=1 v=1 5\n", &database,
                "{\"metric\":{\"__name__\":\"m_v\",\"a\":\"1\",\"db\":\"e\\\"nv\"},"
                "\"values\":[1],\"timestamps\":[5]}\n");
    assert_json("m,db=x v=1 5\n", &database,
                "{\"metric\":{\"__name__\":\"m_v\",\"db\":\"x\"},"
                "\"values\":[1],\"timestamps\":[5]}\n");
    assert_json("m f=1i 5\nm v=2,f=1i 6\nm f=3i 7\n", &dotted,
                "{\"metric\":{\"__name__\":\"m\"},\"values\":[1,3],\"timestamps\":[5,7]}\n"
                "{\"metric\":{\"__name__\":\"m.v\"},\"values\":[2],\"timestamps\":[6]}\n"
                "{\"metric\":{\"__name__\":\"m.f\"},\"values\":[1],\"timestamps\":[6]}\n");
    assert_json("m v=1 5\n", &bare,
                "{\"metric\":{\"__name__\":\"v\"},\"values\":[1],\"timestamps\":[5]}\n");
}

static void refuses_what_is_no_line_of_numbers_with_a_time(void **state)
{
    static const char *const bad[] = {
        "m v=1 5",
        "m v=1\n",
        "m v=1 \n",
        "m v=1 0\n",
        "m v=1 -5\n",
        "m v=1 5x\n",
        "m v= 5\n",
        "m v 5\n",
        "m =1 5\n",
        "m 5\n",
        "m\n",
        "\n",
        " v=1 5\n",
        ",a=b v=1 5\n",
        "m,a v=1 5\n",
        "m,a= v=1 5\n",
        "m,=b v=1 5\n",
        "m,a=b, v=1 5\n",
        "m v=1, 5\n",
        "m v=.5 5\n",
        "m v=1. 5\n",
        "m v=+1 5\n",
        "m v=NaN 5\n",
        "m v=1e 5\n",
        "m v=- 5\n",
        "m v=true 5\n",
        "m v=\"x\" 5\n",
        "m v=1u 5\n",
        "m v=1 5 \n",
        "m v=1 5\n\n",
        "m v=1 5\nm v=x 5\n",
        "# comment\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf out = BUF_INIT(1000);
        buf_puts(&out, "before");
        assert_int_equal(convert(bad[i], &as_default, &out), -EINVAL);
        assert_string_equal(buf_text(&out), "before");
        buf_done(&out);
    }
}

static void leaves_a_full_buffer_as_it_was(void **state)
{
    struct buf out = BUF_INIT(40);

    (void)state;
    buf_puts(&out, "before");
    assert_int_equal(convert("m v=1 5\n", &as_default, &out), -ENOSPC);
    assert_string_equal(buf_text(&out), "before");
    buf_done(&out);
}

static void has_nothing_to_say_of_nothing(void **state)
{
    (void)state;
    assert_json("", &as_default, "");
}

/* Whether braces close: strings hold none in this test. */
static bool is_closed(const char *text, size_t n)
{
    int depth = 0;

    for (size_t i = 0; i < n; i++)
        depth += (text[i] == '{') - (text[i] == '}');
    return n > 0 && depth == 0;
}

static void no_part_of_a_line_is_one(void **state)
{
    struct buf out = BUF_INIT(1000);

    (void)state;
    assert_int_equal(convert("ozone,dev=a,station=s v=41.2 1763795370125\n", &as_default, &out),
                     0);
    for (size_t n = 1; n < out.size - 1; n++)
        assert_false(is_closed(out.data, n));
    assert_true(is_closed(out.data, out.size - 1));
    buf_done(&out);
}

/* More series than the table first has room for, again and again with the same object. */
static void keeps_any_number_of_series_apart(void **state)
{
    enum { SERIES = 5000, ROWS = 3 };
    struct buf lines = BUF_INIT(4 << 20), out = BUF_INIT(4 << 20), again = BUF_INIT(4 << 20);
    struct line_json *j = line_json_create();
    (void)state;

    for (int row = 0; row < ROWS; row++)
        for (int s = 0; s < SERIES; s++)
            buf_printf(&lines, "m,ch=%d v=%d %d\n", s, s * 10 + row, row + 1);
    assert_int_equal(line_json_write(j, lines.data, lines.size, &as_default, &out), 0);
    assert_int_equal(line_json_write(j, "x v=1 1\n", 8, &as_default, &again), 0);
    buf_clear(&again);
    assert_int_equal(line_json_write(j, lines.data, lines.size, &as_default, &again), 0);
    assert_int_equal(out.size, again.size);
    assert_memory_equal(out.data, again.data, out.size);

    const char *p = buf_text(&out);
    for (int s = 0; s < SERIES; s++) {
        char expected[160];
        int n = snprintf(expected, sizeof expected,
                         "{\"metric\":{\"__name__\":\"m_v\",\"ch\":\"%d\"},"
                         "\"values\":[%d,%d,%d],\"timestamps\":[1,2,3]}\n",
                         s, s * 10, s * 10 + 1, s * 10 + 2);
        assert_memory_equal(p, expected, (size_t)n);
        p += n;
    }
    line_json_destroy(j);
    buf_done(&lines);
    buf_done(&out);
    buf_done(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gathers_the_samples_of_a_series),
        cmocka_unit_test(keeps_the_text_of_numbers),
        cmocka_unit_test(undoes_escapes_and_makes_those_of_json),
        cmocka_unit_test(names_series_as_the_server_does),
        cmocka_unit_test(refuses_what_is_no_line_of_numbers_with_a_time),
        cmocka_unit_test(leaves_a_full_buffer_as_it_was),
        cmocka_unit_test(has_nothing_to_say_of_nothing),
        cmocka_unit_test(no_part_of_a_line_is_one),
        cmocka_unit_test(keeps_any_number_of_series_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
