/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk fills and is freed again, over and over, beside an uplink that acknowledges nothing:
 * the feeder is never held up, commits go on by themselves, and every sample is in the log or
 * in an event that says it was lost. SLUICE_CYCLES: how many (default 15).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "tests/fault/rig.h"
#include "tests/unit/unit.h"

enum {
    CYCLES_DEFAULT = 15,
    STEPS_BEFORE = 1000,
    STEPS_MAX = 3000,
    STEPS_WHILE_FULL = 20,
    STEPS_AFTER = 300,
    ROOM = 60 << 10, /* before the disk is full */
    SIZE_MAX_ = 2 << 20,
};

static unsigned cycles(void)
{
    const char *text = getenv("SLUICE_CYCLES");

    return text ? (unsigned)strtoul(text, NULL, 10) : CYCLES_DEFAULT;
}

/* Steps until a commit finds no room. */
static void fill(struct rig *r)
{
    struct store_health h;
    unsigned i = 0;

    crash_vfs_limit(r->disk, crash_vfs_used(r->disk) + ROOM);
    do {
        assert_true(++i < STEPS_MAX);
        rig_step(r);
    } while (rig_wait_unless_failed(r));
    store_health_get(r->store, &h);
    assert_true(h.is_full);
    assert_non_null(strstr(h.error, "full"));
}

/* Every sample accepted is in a frame, pending, or told as lost; until events went too, and
 * such of losses with them. */
static void check_account(struct rig *r)
{
    struct store_health h;

    store_health_get(r->store, &h);
    assert_int_equal(h.error[0], '\0');
    assert_false(h.is_full);
    int64_t missing = rig_ask(
        r, "SELECT samples - (SELECT coalesce(sum(samples), 0) FROM entry)"
           " - (SELECT coalesce(sum(data ->> 'samples'), 0) FROM entry WHERE topic = 'loss')"
           " FROM log");
    if (rig_ask(r, "SELECT sum(data ->> 'events') IS NULL FROM entry WHERE topic = 'loss'"))
        assert_in_range(missing, 0, 8 * (RIG_WIDE + RIG_NARROW)); /* rows in no frame yet */
    assert_int_equal(rig_ask(r, "SELECT rows FROM log"),
                     r->made.steps + (r->made.steps + 2) / 3);
}

static void a_full_disk_passes_without_hands(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    unsigned n = cycles();
    time_t start = time(NULL);
    uint64_t steps = 0;

    (void)state;
    assert_non_null(r);
    rig_set_up(r);
    rig_format(r, 1);
    r->size_max_bytes = SIZE_MAX_;
    r->has_dead_uplink = true;
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(rig_open(r), 0);
        for (unsigned k = 0; i == 0 && k < STEPS_BEFORE; k++)
            rig_step(r);
        fill(r);
        for (unsigned k = 0; k < STEPS_WHILE_FULL; k++)
            rig_step(r);
        crash_vfs_limit(r->disk, 0);
        for (unsigned k = 0; k < STEPS_AFTER; k++)
            rig_step(r);
        assert_true(rig_wait(r));
        check_account(r);
        steps = r->made.steps;
        if (i + 1 < n)
            rig_close(r);
    }
    printf("%u times a full disk: %" PRIu64 " steps committed, %" PRId64
           " samples lost and told, %ld s\n",
           n, steps,
           rig_ask(r, "SELECT coalesce(sum(data ->> 'samples'), 0) FROM entry"
                      " WHERE topic = 'loss'"),
           (long)(time(NULL) - start));
    rig_tear_down(r);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_passes_without_hands),
    };

    log_set_level((enum log_level)(LOG_ERROR - 1));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
