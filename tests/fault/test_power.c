/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power goes at a random write, sync or truncation, again and again: what was reported as
 * committed is there after every cut, once and whole. SLUICE_CUTS: how many (default 2000);
 * SLUICE_SEED: of the first.
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
    CUTS_DEFAULT = 2000,
    CUTS_PER_LOG = 40,
    OPS_FIRST = 3, /* the power goes at the 3rd to 402nd operation */
    OPS_SPREAD = 400,
    STEPS_MAX = 400,
    BEHIND = 64, /* rows are read again from so many steps before the last cut */
    NORMAL_CUTS_MAX = 300,
};

struct tally {
    unsigned cuts, while_opening;
    uint64_t steps, seed;
};

static uint64_t setting(const char *name, uint64_t dflt)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : dflt;
}

static uint64_t mix(uint64_t seed, uint64_t i)
{
    uint64_t z = (seed + i) * UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 32)) * UINT64_C(0xD6E8FEB86659FD93);
    return z ^ (z >> 32);
}

/* Steps until the power goes, some waited for one by one, some in flocks. */
static void feed_until_off(struct rig *r, uint64_t dice)
{
    for (unsigned i = 0; i < STEPS_MAX && !crash_vfs_is_off(r->disk); i++) {
        rig_step(r);
        if (dice >> (i % 61) & 1 && !rig_wait(r))
            break;
    }
    rig_wait(r);
}

/* One life of the station, ended by a cut (perhaps as early as in its opening, or in its
 * closing). */
static void live(struct rig *r, struct tally *t, uint64_t dice)
{
    crash_vfs_cut_at(r->disk, OPS_FIRST + dice % OPS_SPREAD);
    if (rig_open(r) == 0) {
        feed_until_off(r, dice);
        rig_close(r);
    } else {
        t->while_opening++;
    }
    crash_vfs_power_on(r->disk);
}

/* True when all is as it should be. */
static bool is_intact(struct rig *r, uint64_t from)
{
    if (rig_open(r) < 0)
        return false;
    bool is_good = rig_judge(r, from);
    rig_close(r);
    return is_good;
}

/* CUTS_PER_LOG lives of one log. False when one left damage. */
static bool wear_log(struct rig *r, struct tally *t)
{
    rig_format(r, t->seed);
    for (unsigned i = 0; i < CUTS_PER_LOG; i++) {
        bool is_last = i + 1 == CUTS_PER_LOG;
        uint64_t steps = r->made.steps;
        uint64_t from = is_last || steps < BEHIND ? 0 : steps - BEHIND;
        live(r, t, mix(t->seed, i));
        t->cuts++;
        if (!is_intact(r, from))
            return false;
        rig_resume(r);
    }
    t->steps += r->made.steps;
    return true;
}

static void no_cut_takes_what_was_reported(void **state)
{
    struct tally t = { .seed = setting("SLUICE_SEED", 1) };
    uint64_t cuts = setting("SLUICE_CUTS", CUTS_DEFAULT);
    time_t start = time(NULL);
    struct rig r;

    (void)state;
    rig_set_up(&r);
    for (; t.cuts < cuts; t.seed++)
        if (!wear_log(&r, &t))
            fail_msg("seed %" PRIu64 ", cut %u: %s", t.seed, t.cuts % CUTS_PER_LOG, r.why);
    rig_tear_down(&r);
    printf("%u power cuts, %u of them while the log was opened: %" PRIu64
           " committed batches, 0 lost, %ld s\n",
           t.cuts, t.while_opening, t.steps, (long)(time(NULL) - start));
    assert_true(t.steps > t.cuts);
}

/* What the promise rests on: without it the same judgement finds damage. */
static void with_synchronous_normal_the_same_cuts_lose_data(void **state)
{
    struct tally t = { .seed = 1 };
    bool is_intact_still = true;
    struct rig r;

    (void)state;
    rig_set_up(&r);
    crash_vfs_synchronous(r.disk, CRASH_SYNC_LIES);
    for (; is_intact_still && t.cuts < NORMAL_CUTS_MAX; t.seed++)
        is_intact_still = wear_log(&r, &t);
    assert_false(is_intact_still);
    print_message("%u cuts: %s\n", t.cuts, r.why);
    rig_tear_down(&r);
}

static void a_database_that_stays_with_normal_is_refused(void **state)
{
    struct rig r;

    (void)state;
    rig_set_up(&r);
    crash_vfs_synchronous(r.disk, CRASH_SYNC_NORMAL);
    assert_true(rig_open(&r) < 0);
    assert_non_null(strstr(r.why, "synchronous=FULL"));
    rig_tear_down(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_cut_takes_what_was_reported),
        cmocka_unit_test(with_synchronous_normal_the_same_cuts_lose_data),
        cmocka_unit_test(a_database_that_stays_with_normal_is_refused),
    };

    log_set_level((enum log_level)(LOG_ERROR - 1));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
