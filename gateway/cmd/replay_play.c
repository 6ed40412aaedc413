/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/replay_play.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/cmd/cmd.h"

enum {
    TICK_MS = 1000,
    GRACE_MS = 1000, /* periods are closed so long after their end */
    MINUTE_MS = 60000,
    DAY_MS = 1440 * MINUTE_MS,
    WATCHED_MS = 2 * MINUTE_MS, /* behind the last sample every second is played */
};

#define ABSENT_MS (32 * INT64_C(86400000)) /* a station was not there, rather than silent */

struct pace {                     /* of a device: are its rows as often as the station polls? */
    int64_t last_ms, shortest_ms; /* the step; 0: none yet */
    uint64_t steps, longer, shorter; /* than the poll interval, clearly */
};

struct replay_play {
    const struct replay_play_options *o;
    struct pipeline_options hooks;
    struct pipeline_device *devices; /* as the table has them, without points that have no
                                      * series: these are no missing values */
    struct pipeline *pipeline;
    struct pace *pace;         /* per device */
    int64_t first_ms, last_ms; /* of instants */
    int64_t tick_ms;           /* the next */
    int64_t now_ms;
};

/* ---- time ---- */

/* Behind that tick. Where nothing comes for long the hand goes from minute to minute: there
 * periods end, and nothing else happens. Of a pause of months a day is played: one wrong year
 * in a table must not take hours. */
static int64_t next_tick(const struct replay_play *p, int64_t now_ms)
{
    const int64_t silent_ms = p->tick_ms - p->last_ms, left_ms = now_ms - p->tick_ms;

    if (silent_ms > DAY_MS && left_ms > ABSENT_MS)
        return now_ms - now_ms % TICK_MS;
    if (silent_ms > WATCHED_MS && left_ms > MINUTE_MS + GRACE_MS)
        return p->tick_ms - p->tick_ms % MINUTE_MS + MINUTE_MS + GRACE_MS;
    return p->tick_ms + TICK_MS;
}

/* The station's second hand. */
static void tick_to(struct replay_play *p, int64_t now_ms)
{
    while (p->tick_ms <= now_ms) {
        p->now_ms = p->tick_ms;
        pipeline_tick(p->pipeline, p->tick_ms);
        p->tick_ms = next_tick(p, now_ms);
    }
}

static size_t devices_n(const struct replay_play *p)
{
    return p->o->table->config->devices.n;
}

static int64_t poll_of(const struct replay_play *p, size_t device)
{
    return ((const struct device_conf *)p->o->table->config->devices.items)[device].poll_ms;
}

static void keep_pace(struct replay_play *p, size_t device, int64_t time_ms)
{
    struct pace *pace = &p->pace[device];
    const int64_t poll_ms = poll_of(p, device), step_ms = time_ms - pace->last_ms;

    if (pace->last_ms) {
        if (pace->steps++ == 0 || step_ms < pace->shortest_ms)
            pace->shortest_ms = step_ms;
        pace->longer += 2 * step_ms > 3 * poll_ms;
        pace->shorter += 2 * step_ms < poll_ms;
    }
    pace->last_ms = time_ms;
}

static void play_instant(struct replay_play *p, int64_t time_ms)
{
    const struct replay_source *source = p->o->source;

    tick_to(p, time_ms);
    p->now_ms = time_ms;
    for (size_t i = 0; i < devices_n(p); i++) {
        const struct scan scan = {
            .device = (uint32_t)i,
            .time_ms = time_ms,
            .start_ms = time_ms,
            .outcome = SCAN_OK,
            .readings = source->readings(source->self, i),
            .n = p->devices[i].points_n,
        };
        if (!scan.readings)
            continue;
        pipeline_scan(p->pipeline, &scan);
        keep_pace(p, i, time_ms);
    }
}

/* Periods that the last samples fill are closed; those that go on are not. */
static void finish(struct replay_play *p)
{
    int64_t longest_ms = 0;

    for (size_t i = 0; i < devices_n(p); i++) {
        const int64_t poll_ms = poll_of(p, i), step_ms = p->pace[i].shortest_ms,
                      filled_ms = poll_ms > step_ms || step_ms > DAY_MS ? poll_ms : step_ms;
        if (p->pace[i].last_ms == p->last_ms && filled_ms > longest_ms)
            longest_ms = filled_ms;
    }
    if (p->first_ms)
        tick_to(p, p->last_ms + longest_ms + GRACE_MS);
    pipeline_end_rows(p->pipeline);
}

int replay_play_run(struct replay_play *p)
{
    const struct replay_source *source = p->o->source;
    int64_t time_ms = 0;
    int rc;

    while ((rc = source->next(source->self, &time_ms)) > 0) {
        if (p->first_ms == 0) {
            p->first_ms = p->last_ms = time_ms;
            p->tick_ms = time_ms - time_ms % TICK_MS;
        }
        play_instant(p, time_ms);
        p->last_ms = time_ms;
        if (p->o->on_instant && !p->o->on_instant(p->o->user, time_ms))
            return 0;
    }
    finish(p);
    return rc;
}

/* ---- what was played ---- */

const struct pipeline *replay_play_pipeline(const struct replay_play *p)
{
    return p->pipeline;
}

int64_t replay_play_now(const struct replay_play *p)
{
    return p->now_ms;
}

void replay_play_span(const struct replay_play *p, int64_t *ret_first_ms, int64_t *ret_last_ms)
{
    *ret_first_ms = p->first_ms;
    *ret_last_ms = p->last_ms;
}

void replay_play_warn_of_pace(const struct replay_play *p)
{
    for (size_t i = 0; i < devices_n(p); i++) {
        const struct pace *pace = &p->pace[i];
        const bool is_longer = 2 * pace->longer > pace->steps;
        if (!is_longer && 2 * pace->shorter <= pace->steps)
            continue;
        fprintf(stderr,
                is_longer
                    ? say("sluice replay: the rows of %s are further apart than its poll of "
                          "%" PRId64 " ms; gaps and shares of means are judged by that.\n",
                          "sluice replay：%s 的数据间隔大于其采集周期 %" PRId64
                          " 毫秒；缺数与有效率按该周期判断。\n")
                    : say("sluice replay: the rows of %s are closer together than its poll of "
                          "%" PRId64 " ms; shares of means are judged by that.\n",
                          "sluice replay：%s 的数据间隔小于其采集周期 %" PRId64
                          " 毫秒；有效率按该周期判断。\n"),
                p->devices[i].id, poll_of(p, i));
    }
}

/* ---- start ---- */

void replay_play_calibrated(struct table *t)
{
    for (size_t i = 0; i < t->channels.n; i++) {
        t->treatment[i].factor = 1;
        t->treatment[i].offset = 0;
    }
}

static int choose_points(struct replay_play *p)
{
    const struct replay_source *source = p->o->source;

    for (size_t i = 0; i < devices_n(p); i++) {
        const struct pipeline_device *d = &p->o->table->device[i];
        int32_t *channel_of = calloc(d->points_n + 1, sizeof *channel_of);
        if (!channel_of)
            return -ENOMEM;
        for (size_t k = 0; k < d->points_n; k++) {
            const int32_t at = d->channel_of[k];
            channel_of[k] = at != PIPELINE_NO_CHANNEL && source->has(source->self, (uint32_t)at)
                                ? at
                                : PIPELINE_NO_CHANNEL;
        }
        p->devices[i] = *d;
        p->devices[i].channel_of = channel_of;
        p->devices[i].raw_n = 0;
    }
    return 0;
}

static void bind_table(struct replay_play *p)
{
    const struct table *t = p->o->table;
    struct pipeline_options *po = &p->hooks;

    *po = p->o->hooks;
    po->table = &t->channels;
    po->devices = p->devices;
    po->devices_n = t->config->devices.n;
    po->channels = t->treatment;
    po->rules = t->rule;
    po->rules_n = t->rules_n;
    po->watches = t->watch;
    po->watches_n = t->watches_n;
    po->indices = t->index;
    po->indices_n = t->indices_n;
}

int replay_play_create(const struct replay_play_options *o, struct replay_play **ret)
{
    struct replay_play *p = calloc(1, sizeof *p);

    if (!p)
        return -ENOMEM;
    p->o = o;
    p->devices = calloc(devices_n(p) + 1, sizeof *p->devices);
    p->pace = calloc(devices_n(p) + 1, sizeof *p->pace);
    int rc = p->devices && p->pace ? choose_points(p) : -ENOMEM;
    bind_table(p);
    if (rc == 0)
        rc = pipeline_create(&p->hooks, &p->pipeline);
    if (rc < 0) {
        replay_play_destroy(p);
        return rc;
    }
    *ret = p;
    return 0;
}

void replay_play_destroy(struct replay_play *p)
{
    if (!p)
        return;
    pipeline_destroy(p->pipeline);
    for (size_t i = 0; p->devices && i < devices_n(p); i++)
        free((void *)p->devices[i].channel_of);
    free(p->devices);
    free(p->pace);
    free(p);
}
