/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/clock.h"

#include <errno.h>

#include "unit.h"

static void prints_times_of_every_range(void **state)
{
    char text[TIME_TEXT_MAX];

    (void)state;
    time_print_utc(1763795370125, text);
    assert_string_equal(text, "2025-11-22T07:09:30.125Z");
    time_print_utc(4102444800000, text); /* 2100: beyond 32 bits */
    assert_string_equal(text, "2100-01-01T00:00:00.000Z");
    time_print_utc(-5, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    time_print_utc(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void a_fast_clock_starts_in_the_past_and_meets_the_present(void **state)
{
    struct clock c;

    (void)state;
    clock_init(&c, 20, 1000000);
    int64_t wall = clock_wall_ms(&c);
    assert_true(wall >= 1000000 && wall < 1000000 + 20 * 5000);
    assert_int_equal(clock_real_ms(&c, 20000), 1000);
    assert_int_equal(clock_real_ms(&c, 5), 1);
    assert_int_equal(clock_real_ms(&c, 0), 0);

    c.mono0_ms -= 3600000; /* an hour later */
    c.meet_ms = 60000;
    wall = clock_wall_ms(&c);
    int64_t want = 1000000 + 60000 * 20 + 3540000;
    assert_true(wall >= want && wall < want + 5000);
    assert_int_equal(clock_real_ms(&c, 20000), 20000);
}

static void its_text_makes_the_same_clock(void **state)
{
    struct clock c, d;
    char text[CLOCK_TEXT_MAX];

    (void)state;
    clock_init(&c, 12.5, 1700000000000);
    clock_print(&c, text);
    assert_int_equal(clock_parse(text, &d), 0);
    assert_true(c.speed == d.speed && c.wall0_ms == d.wall0_ms && c.mono0_ms == d.mono0_ms &&
                c.meet_ms == d.meet_ms);
}

static void refuses_other_texts(void **state)
{
    static const char *const texts[] = { "",        "20",        "20,1,2",    "20,1,2,3x",
                                         "0,1,2,3", "nan,1,2,3", "1e9,1,2,3", "20,1,2,-3" };
    struct clock c = { .speed = 7 };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(clock_parse(texts[i], &c), -EINVAL);
    assert_true(c.speed == 7);
}

static void goes_by_its_offset_where_it_has_one(void **state)
{
    _Atomic int64_t offset_ms = 1700000000000;
    struct clock c;

    (void)state;
    clock_init(&c, 1, 0);
    c.offset_ms = &offset_ms;
    int64_t before = clock_boot_ms(&c) + offset_ms;
    int64_t wall = clock_wall_ms(&c);
    assert_true(wall >= before && wall < before + 5000);
}

static void reads_the_clocks_of_the_machine(void **state)
{
    struct clock_reading r;
    struct clock c;
    char id[CLOCK_BOOT_ID_MAX], again[CLOCK_BOOT_ID_MAX];

    (void)state;
    clock_init(&c, 1, 0);
    clock_read(&c, &r);
    assert_true(r.boot_ms > 0 && clock_boot_ms(&c) >= r.boot_ms);
    assert_true(r.wall_ms >= clock_wall_ms(&c) - 60000 && r.wall_ms <= clock_wall_ms(&c));
    clock_boot_id(id);
    clock_boot_id(again);
    assert_string_equal(id, again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_times_of_every_range),
        cmocka_unit_test(a_fast_clock_starts_in_the_past_and_meets_the_present),
        cmocka_unit_test(its_text_makes_the_same_clock),
        cmocka_unit_test(refuses_other_texts),
        cmocka_unit_test(goes_by_its_offset_where_it_has_one),
        cmocka_unit_test(reads_the_clocks_of_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
