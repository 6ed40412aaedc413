/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/export_time.h"

#include <errno.h>

#include "unit.h"

#define NOW  INT64_C(1795340000125)
#define NOON INT64_C(1795348800000) /* 2026-11-22T12:00:00Z */

static void reads_times_as_people_write_them(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        { "2026-11-22", NOON - 43200000 },
        { "2026-11-22T12:00", NOON },
        { "2026-11-22T12:00Z", NOON },
        { "2026-11-22 12:00", NOON },
        { "2026-11-22T12:00:00Z", NOON },
        { "2026-11-22T12:00:00", NOON },
        { "2026-11-22T20:00+08:00", NOON },
        { "2026-11-22T20:00:00+08:00", NOON },
        { "2026-11-22 06:30:00-05:30", NOON },
        { "2026-11-22T12:00:00.125Z", NOON + 125 },
        { "1795348800", NOON },
        { "1795348800.5", NOON + 500 },
        { "1795348800125", NOON + 125 },
        { "now", NOW },
        { "24h", NOW - 86400000 },
        { "-24h", NOW - 86400000 },
        { "7d", NOW - 7 * INT64_C(86400000) },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = 0;
        if (export_time_parse(cases[i].text, NOW, &ms) != 0 || ms != cases[i].ms)
            fail_msg("%s: %lld", cases[i].text, (long long)ms);
    }
}

static void refuses_what_is_no_time(void **state)
{
    static const char *const texts[] = {
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "2026-11-22T",
        "2026-11-22T25:00",
        "2026-11-22T12:00+8",
        "12:00",
        "-",
        "--24h",
        "2026-11-22T12:00:00.1234567890123456789",
        "999999d",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t ms = 7;
        if (export_time_parse(texts[i], NOW, &ms) != -EINVAL || ms != 7)
            fail_msg("%s: %lld", texts[i], (long long)ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_times_as_people_write_them),
        cmocka_unit_test(refuses_what_is_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
