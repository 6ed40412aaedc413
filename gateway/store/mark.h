/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mark - a small file beside the database that says how far it had got. A database that knows
 * less than its mark was rolled back or restored: its numbers would be given twice, so it
 * starts a new epoch. The file is also the lock that keeps a second process out. Written now
 * and then, synced with a new epoch only: it may lag behind the database, which proves nothing.
 */
#pragma once

#include <stdint.h>

struct mark {
    int fd; /* -1: none */
    uint64_t epoch, seq;
};

/* Opens "<database>-mark" and locks it. A new one has epoch 0. 0, -EBUSY when another process
 * has it, or another negative errno. */
int mark_open(struct mark *m, const char *database);
void mark_close(struct mark *m);

/* A failure is harmless: a later roll-back may go unseen. */
void mark_write(struct mark *m, uint64_t epoch, uint64_t seq);
