/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The N-th read, write, sync, truncation, opening or removal fails, for every N that the work
 * of a short life has: once, or for good; as an error, as half a write, as a full disk. What
 * was reported stays; an error that passes loses nothing; a log that could not be opened can be
 * opened once the disk works. SLUICE_STRIDE: only every so many N beyond the first 40 (default
 * 11; 1 tries all).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/log.h"
#include "tests/fault/rig.h"
#include "tests/unit/unit.h"

enum { STEPS = 45, MORE_STEPS = 5, ALL_BELOW = 40, STRIDE_DEFAULT = 11, N_MAX = 100000 };

enum end { /* of the life with the fault */
           END_CLOSED,
           END_POWER_CUT, /* after its last commit: nothing may rest on a sync that failed */
};

static unsigned stride(void)
{
    const char *text = getenv("SLUICE_STRIDE");
    unsigned long n = text ? strtoul(text, NULL, 10) : STRIDE_DEFAULT;

    return n < 1 ? 1 : (unsigned)n;
}

static void feed(struct rig *r, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        rig_step(r);
        if (i % 3 != 2 && !rig_wait_unless_failed(r))
            return;
    }
}

/* The life with the fault in it. True when all its steps must have been committed. */
static bool live(struct rig *r, const struct crash_fault *f, enum end end)
{
    crash_vfs_fail(r->disk, *f);
    int rc = rig_open(r);
    if (rc < 0) {
        assert_true(crash_vfs_has_failed(r->disk));
        assert_true(r->why[0] != '\0');
        return true;
    }
    feed(r, STEPS);
    if (end == END_POWER_CUT) {
        rig_wait(r);
        crash_vfs_cut_at(r->disk, 1);
    }
    rig_close(r);
    return end == END_CLOSED && (!f->is_persistent || !crash_vfs_has_failed(r->disk));
}

static void check(struct rig *r, const struct crash_fault *f, const char *when)
{
    bool is_good = rig_judge(r, 0);

    if (!is_good)
        fail_msg("ops %u, n %" PRIu64 "%s%s%s: %s: %s", f->ops, f->at,
                 f->is_persistent ? ", persistent" : "", f->is_short ? ", short" : "",
                 f->is_full ? ", full" : "", when, r->why);
}

/* True when the fault came: there are more places for it. */
static bool try_one(struct rig *r, const struct crash_fault *f, enum end end)
{
    rig_format(r, f->at);
    bool is_whole = live(r, f, end);
    bool has_failed = crash_vfs_has_failed(r->disk);

    crash_vfs_fail(r->disk, (struct crash_fault){ 0 });
    if (end == END_POWER_CUT)
        crash_vfs_power_on(r->disk);
    if (rig_open(r) < 0)
        fail_msg("ops %u, n %" PRIu64 ": not opened again: %s", f->ops, f->at, r->why);
    check(r, f, "afterwards");
    if (is_whole && r->found.steps != r->made.steps)
        fail_msg("ops %u, n %" PRIu64 ": %" PRIu64 " of %" PRIu64 " steps", f->ops, f->at,
                 r->found.steps, r->made.steps);
    rig_resume(r);
    feed(r, MORE_STEPS);
    rig_wait(r);
    check(r, f, "later");
    rig_close(r);
    return has_failed;
}

static void sweep(struct crash_fault f, enum end end, const char *name)
{
    unsigned step = stride(), tried = 0;
    struct rig *r = calloc(1, sizeof *r);
    clock_t start = clock();

    assert_non_null(r);
    rig_set_up(r);
    for (f.at = 1; f.at < N_MAX; f.at += f.at < ALL_BELOW ? 1 : step) {
        tried++;
        if (!try_one(r, &f, end))
            break;
    }
    assert_true(f.at < N_MAX);
    printf("%-28s %u of %" PRIu64 " operations failed in turn, %.1f s\n", name, tried - 1,
           f.at - 1, (double)(clock() - start) / CLOCKS_PER_SEC);
    rig_tear_down(r);
    free(r);
}

static void an_error_that_passes_loses_nothing(void **state)
{
    (void)state;
    sweep((struct crash_fault){ .ops = CRASH_READ }, END_CLOSED, "reads");
    sweep((struct crash_fault){ .ops = CRASH_WRITE }, END_CLOSED, "writes");
    sweep((struct crash_fault){ .ops = CRASH_WRITE, .is_short = true }, END_CLOSED,
          "short writes");
    sweep((struct crash_fault){ .ops = CRASH_WRITE, .is_full = true, .is_short = true },
          END_CLOSED, "writes to a full disk");
    sweep((struct crash_fault){ .ops = CRASH_SYNC }, END_CLOSED, "syncs");
    sweep((struct crash_fault){ .ops = CRASH_SYNC }, END_POWER_CUT, "syncs, then a power cut");
    sweep((struct crash_fault){ .ops = CRASH_WRITE, .is_short = true }, END_POWER_CUT,
          "short writes, then a cut");
    sweep((struct crash_fault){ .ops = CRASH_TRUNCATE | CRASH_OPEN | CRASH_DELETE }, END_CLOSED,
          "truncations, openings, removals");
}

static void an_error_that_stays_keeps_what_was_reported(void **state)
{
    (void)state;
    sweep((struct crash_fault){ .ops = CRASH_READ, .is_persistent = true }, END_CLOSED,
          "reads for good");
    sweep((struct crash_fault){ .ops = CRASH_WRITE, .is_persistent = true, .is_short = true },
          END_CLOSED, "writes for good");
    sweep((struct crash_fault){ .ops = CRASH_WRITE, .is_persistent = true, .is_full = true },
          END_CLOSED, "full disk for good");
    sweep((struct crash_fault){ .ops = CRASH_SYNC, .is_persistent = true }, END_CLOSED,
          "syncs for good");
    sweep((struct crash_fault){ .ops = CRASH_ANY, .is_persistent = true }, END_CLOSED,
          "all for good");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_that_passes_loses_nothing),
        cmocka_unit_test(an_error_that_stays_keeps_what_was_reported),
    };

    log_set_level((enum log_level)(LOG_ERROR - 1));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
