/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forwarder/counter.h"

#include <stdlib.h>

enum {
    RESTART_US = 60 * 1000 * 1000,
    STUCK_US = 1000 * 1000,
    DRIFT_PPM = 500, /* what the kernel may steer its clock by, and any crystal with it */
    LATE_US = 1000 * 1000,
    AGREE_US = 100 * 1000,
    AGREE_N = 3,
};

static int64_t drift_us(int64_t elapsed_us)
{
    return elapsed_us / (1000000 / DRIFT_PPM);
}

/* Counter value at now_us if a reception ended now; not wrapped. */
static int64_t count_at(const struct counter *c, int64_t now_us)
{
    return now_us - c->offset_us;
}

static int64_t unwrap(const struct counter *c, uint32_t tmst, int64_t now_us)
{
    const int64_t expected = count_at(c, now_us);

    return expected + (int32_t)(tmst - (uint32_t)expected);
}

static void learn(struct counter *c, uint32_t tmst, int64_t now_us)
{
    *c = (struct counter){ .is_known = true,
                           .tmst = tmst,
                           .arrived_us = now_us,
                           .offset_us = now_us - tmst,
                           .offset_at_us = now_us };
}

/* A counter that began again within a minute of its value looks like one delay for all that
 * comes. Frames that were held back differ in their delay, as they were sent at different
 * times. */
static bool is_shifted(struct counter *c, int64_t offset_us, int64_t count_us)
{
    const bool agrees = c->late.n > 0 && llabs(offset_us - c->late.offset_us) < AGREE_US;

    if (agrees && count_us - c->late.count_us < LATE_US)
        return false;
    c->late.n = agrees ? c->late.n + 1 : 1;
    c->late.offset_us = offset_us;
    c->late.count_us = count_us;
    return c->late.n == AGREE_N;
}

static bool is_restart(struct counter *c, int64_t offset_us, int64_t count_us, int64_t now_us)
{
    const int64_t away_us = offset_us - c->offset_us;

    if (llabs(away_us) > RESTART_US + drift_us(now_us - c->offset_at_us))
        return true;
    if (away_us > LATE_US + drift_us(now_us - c->offset_at_us))
        return is_shifted(c, offset_us, count_us);
    c->late.n = 0;
    return false;
}

enum counter_step counter_take(struct counter *c, uint32_t tmst, int64_t now_us,
                               int64_t *ret_age_us)
{
    *ret_age_us = 0;
    if (!c->is_known) {
        learn(c, tmst, now_us);
        return COUNTER_GOES_ON;
    }
    if (tmst == c->tmst && now_us - c->arrived_us > STUCK_US)
        return COUNTER_STUCK;
    const int64_t count_us = unwrap(c, tmst, now_us), offset_us = now_us - count_us;
    if (is_restart(c, offset_us, count_us, now_us)) {
        learn(c, tmst, now_us);
        return COUNTER_RESTARTED;
    }
    const int64_t risen_us = c->offset_us + drift_us(now_us - c->offset_at_us);
    c->offset_us = offset_us < risen_us ? offset_us : risen_us;
    c->offset_at_us = now_us;
    c->tmst = tmst;
    c->arrived_us = now_us;
    *ret_age_us = offset_us - c->offset_us;
    return COUNTER_GOES_ON;
}

int64_t counter_mono_us(const struct counter *c, uint32_t tmst, int64_t now_us)
{
    return c->is_known ? unwrap(c, tmst, now_us) + c->offset_us : now_us;
}
