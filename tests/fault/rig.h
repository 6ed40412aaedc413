/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig - a log on the disk of crash_vfs, a feeder that knows what was reported as committed, and
 * the judgement of what a restart finds.
 *
 * Step i of the feeder is one batch: a row of the stream "wide" whose cells follow from i, with
 * every third step a row of "narrow", with every fifth an event that names i, the state "last"
 * that holds i, now and then the cursor of an uplink.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/store/store.h"
#include "tests/fault/crash_vfs.h"

enum { RIG_WIDE = 3, RIG_NARROW = 1, RIG_BATCHES_MAX = 4096 };

struct rig_mark { /* what holds once a batch is committed */
    uint64_t steps, cursor;
};

struct rig {
    struct crash_vfs *disk;
    char folder[64], path[96]; /* the file with the mark is a real one */
    struct store *store;
    uint32_t wide, narrow;
    uint64_t epoch; /* of the log as it was first opened; 0: not yet */
    int64_t size_max_bytes;
    bool has_dead_uplink; /* its cursor stays where it began */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t batches;                       /* of this run, committed */
    struct rig_mark marks[RIG_BATCHES_MAX]; /* of this run, by batch, from 1 */
    unsigned submitted;
    struct rig_mark made, acked; /* handed over; reported as committed */
    struct rig_mark found;       /* by rig_judge() */
    uint64_t seq_last;           /* newest entry reported */
    bool is_off;
    char why[160]; /* the first thing that is wrong */
};

void rig_set_up(struct rig *r);
/* The same on real files, in memory where there is /dev/shm: rig.disk is NULL. */
void rig_set_up_on_files(struct rig *r);
void rig_tear_down(struct rig *r);

/* A new, empty log. */
void rig_format(struct rig *r, uint64_t seed);

/* Opens log and streams. 0, or the error of store_open or store_stream_open; then it is closed
 * again. */
int rig_open(struct rig *r);
void rig_close(struct rig *r); /* also after the power went */

/* Hands the next step over. False when there was no memory for it: it was not made. */
bool rig_step(struct rig *r);

/* Until all steps are reported or the power is off: true when they are. */
bool rig_wait(struct rig *r);

/* The same, but no longer than the disk works: false also when it failed and the log does not
 * recover within some milliseconds. */
bool rig_wait_unless_failed(struct rig *r);

/*
 * What the log holds, read through the store: rows of the steps 0, 1, ... without a gap, each
 * once and with its values, at least those reported; events, state, cursor, entry numbers that
 * fit; the epoch of before; SQLite's integrity check. Rows before `from_step` are believed.
 * False when something is wrong (rig.why); rig.found says what is there.
 */
bool rig_judge(struct rig *r, uint64_t from_step);

/* After a restart and its judgement: the feeder goes on where the log ends. */
void rig_resume(struct rig *r);

/* One number from the tables, of a log that is open. */
int64_t rig_ask(struct rig *r, const char *sql);
