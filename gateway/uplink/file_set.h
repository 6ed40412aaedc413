/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_set - the files that an uplink `file` is filling: frames, rows and events side by side,
 * and a record of how far they are good.
 *
 *   BASE.sf1.part  BASE.csv.part  BASE.jsonl.part   being written; BASE is
 *                                                   <station>-<epoch, 8 hex>-<first entry>
 *   BASE.sf1       BASE.csv       BASE.jsonl        finished: never touched again
 *   layout-<8 hex>.json                             dictionary of the frames that name it
 *   .<station>.state                                sizes that are on the medium, entries done
 *
 * What lies beyond the recorded sizes was never acknowledged: it is cut off before anything is
 * added, so every entry is in the files once. One thread; blocks on the disk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/uplink/uplink.h"

enum file_part { FILE_FRAMES, FILE_ROWS, FILE_EVENTS, FILE_PARTS_ };

enum {
    FILE_PATH_MAX = 512,
    FILE_BASE_MAX = 128,
    FILE_DONE_MAX = 64, /* ranges of entries remembered; older ones the cursor knows */
};

extern const char *const file_suffix[FILE_PARTS_];

struct file_set {
    const char *dir, *station;
    uint64_t epoch;
    int dir_fd;               /* -1: not open */
    char base[FILE_BASE_MAX]; /* "": nothing is being written */
    int64_t since_ms;
    struct {
        int fd; /* -1: not open */
        int64_t size;
    } part[FILE_PARTS_];
    struct uplink_range done[FILE_DONE_MAX];
    size_t done_n;
};

void file_set_init(struct file_set *s, const char *dir, const char *station, uint64_t epoch);
/* Closes; what is being written stays so and goes on next time. */
void file_set_close(struct file_set *s);

/* Opens the directory (made when its parent exists) and takes up what was left. 0 or a negative
 * errno. */
int file_set_open(struct file_set *s);
bool file_set_is_open(const struct file_set *s);
/* The directory is still the one that was opened: the disk was not changed. */
bool file_set_is_there(const struct file_set *s);

bool file_set_has(const struct file_set *s, uint64_t seq);
/* The largest of the files being written. */
int64_t file_set_size(const struct file_set *s);

/* Renames what is being written; the next append begins new files. 0 or a negative errno. */
int file_set_finish(struct file_set *s);

/* Adds to a file, begun with `head` when it is new. Nothing counts before file_set_commit(). 0
 * or a negative errno: then file_set_undo(). */
int file_set_append(struct file_set *s, enum file_part part, const struct buf *head,
                    const struct buf *data, uint64_t seq, int64_t now_ms);
/* Everything added is on the medium, and entries as done. 0 or a negative errno. */
int file_set_commit(struct file_set *s, const struct uplink_entry *entries, size_t n);
/* As after the last commit, as far as the disk lets us; closes. */
void file_set_undo(struct file_set *s);

/* A small file, once: another one of the name stays. 0 or a negative errno. */
int file_set_put(struct file_set *s, const char *name, const char *data, size_t size);
