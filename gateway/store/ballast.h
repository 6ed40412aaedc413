/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ballast - a file that only takes room, to be given away when the disk is full: on a full disk
 * even a deletion fails, as it is written to the WAL first. Writer's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ballast {
    char *path; /* "<database>-ballast" */
    int64_t bytes;
    bool is_held;
};

/* Takes nothing yet; `bytes` 0: never will. 0 or -ENOMEM. */
int ballast_init(struct ballast *b, const char *database, int64_t bytes);
/* The file stays. */
void ballast_done(struct ballast *b);

/* Reserves the room. 0, also when it is held already, or a negative errno. */
int ballast_take(struct ballast *b);

/* Whether twice its size is free: it may be taken without making others fail. */
bool ballast_has_room(const struct ballast *b);

/* Gives the room away. True when there was some. */
bool ballast_release(struct ballast *b);
