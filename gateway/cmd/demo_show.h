/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_show - the terminal of a running demonstration, from what /api/v1/now says: on a
 * terminal a table drawn anew each second, otherwise a line now and then and one for every
 * alert that moves. Main thread.
 */
#pragma once

#include <stdint.h>

struct show;

struct show_context {
    const char *page; /* address of the page */
    const char *lang; /* "zh" or "en" */
    double speed;
    int64_t left_s; /* until the end; -1: none set */
    int has_centre;
};

int show_create(const struct show_context *c, struct show **ret);
void show_destroy(struct show *s);
/* `text`: the JSON of /api/v1/now. */
void show_update(struct show *s, const char *text, int64_t left_s);
/* Gives the screen back for ordinary lines; takes NULL. */
void show_end(struct show *s);
