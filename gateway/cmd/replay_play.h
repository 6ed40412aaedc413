/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay_play - a source's readings through the pipeline of a station in virtual time, without
 * a log. Nothing here reads a clock, so two runs do the same.
 */
#pragma once

#include "gateway/cmd/replay_source.h"
#include "gateway/table.h"

struct replay_play_options {
    const struct table *table;
    const struct replay_source *source;
    /* What the pipeline tells; table, devices and rules are filled in. */
    struct pipeline_options hooks;
    /* Behind each instant; false ends the replay. NULL: nobody asks. */
    bool (*on_instant)(void *user, int64_t time_ms);
    void *user; /* of on_instant; that of the hooks stands in them */
};

struct replay_play;

/* Factor and offset are in the source's values already. */
void replay_play_calibrated(struct table *t);

/* The options must outlive it. 0 or -ENOMEM, or what pipeline_create() says. */
int replay_play_create(const struct replay_play_options *o, struct replay_play **ret);
void replay_play_destroy(struct replay_play *p); /* takes NULL */

/* All of it. 0, or what the source says. */
int replay_play_run(struct replay_play *p);

const struct pipeline *replay_play_pipeline(const struct replay_play *p);

/* The station's time at which something is told. */
int64_t replay_play_now(const struct replay_play *p);

/* The first and the last instant; 0: there was none. */
void replay_play_span(const struct replay_play *p, int64_t *ret_first_ms, int64_t *ret_last_ms);

/* On standard error: devices whose rows are not as often as the station polls. */
void replay_play_warn_of_pace(const struct replay_play *p);
