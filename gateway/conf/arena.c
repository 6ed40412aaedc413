/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 16 * 1024 }; /* a station's whole configuration takes one to three */

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used;
    alignas(max_align_t) unsigned char data[];
};

static struct arena_chunk *chunk_create(size_t size)
{
    struct arena_chunk *c = calloc(1, sizeof *c + size);

    if (c)
        c->size = size;
    return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);

    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + align - 1) / align * align;
    struct arena_chunk *c = a->chunks;
    if (!c || c->size - c->used < size) {
        c = chunk_create(size > CHUNK_SIZE ? size : CHUNK_SIZE);
        if (!c)
            return NULL;
        c->next = a->chunks;
        a->chunks = c;
    }
    void *p = c->data + c->used;
    c->used += size;
    return p;
}

char *arena_text(struct arena *a, const char *text, size_t size)
{
    char *copy = size < SIZE_MAX ? arena_alloc(a, size + 1) : NULL;

    if (copy && size)
        memcpy(copy, text, size);
    return copy;
}

void arena_done(struct arena *a)
{
    for (struct arena_chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    a->chunks = NULL;
}
