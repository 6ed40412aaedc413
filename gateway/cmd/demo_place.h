/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_place - a folder of its own for a demonstration, with free ports and the files that the
 * processes read, written from the templates of packaging/demo. Main thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { PLACE_DIR_MAX = 256, PLACE_PATH_MAX = 320 };

struct place {
    char dir[PLACE_DIR_MAX];
    bool is_ours;                    /* made by us: removed at the end */
    unsigned page, broker, database; /* ports on 127.0.0.1 */
};

/*
 * Makes the folder (`dir` NULL: a new one under TMPDIR), takes the ports (page 0: a free one),
 * and writes station.yaml, mosquitto.conf and, with a centre, conf.d/centre.yaml. 0, or a
 * negative errno with a sentence in `error`.
 */
int place_create(struct place *p, const char *dir, unsigned page, bool has_centre, char *error,
                 size_t size);
/* A path in it: "station.yaml" -> "DIR/station.yaml" in `buf` of PLACE_PATH_MAX bytes. */
const char *place_path(const struct place *p, const char *name, char *buf);
/* Removes the folder with all that is in it, if it is ours. */
void place_remove(struct place *p);
