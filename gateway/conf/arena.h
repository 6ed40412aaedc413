/* SPDX-License-Identifier: Apache-2.0 */
/* arena - memory that is given back all at once: texts and structs of a document or
 * configuration. One thread at a time. What it holds is bounded by the size of the files read.
 */
#pragma once

#include <stddef.h>

struct arena {
    struct arena_chunk *chunks;
};

/* Zeroed, aligned for any type; NULL when there is no memory. */
void *arena_alloc(struct arena *a, size_t size);
/* A NUL-terminated copy of `size` bytes. */
char *arena_text(struct arena *a, const char *text, size_t size);
/* Frees everything; the arena is empty and usable again. */
void arena_done(struct arena *a);
