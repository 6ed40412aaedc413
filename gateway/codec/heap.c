/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/codec/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Before each block, so that freeing knows what to count; keeps the alignment of malloc(). */
union block {
    size_t size;
    max_align_t align;
};

static void *heap_realloc(void *user, void *p, duk_size_t size)
{
    struct heap *h = user;
    union block *old = p ? (union block *)p - 1 : NULL;
    const size_t before = old ? old->size : 0;

    if (size == 0) {
        h->used -= before;
        free(old);
        return NULL;
    }
    if (size > h->max || h->used - before > h->max - size) {
        h->was_full = true;
        return NULL;
    }
    union block *new = realloc(old, sizeof *new + size);
    if (!new) {
        h->was_full = true;
        return NULL;
    }
    new->size = size;
    h->used += size - before;
    return new + 1;
}

static void *heap_alloc(void *user, duk_size_t size)
{
    return heap_realloc(user, NULL, size);
}

static void heap_free(void *user, void *p)
{
    heap_realloc(user, p, 0);
}

/* Only a defect of ours or of the engine gets here: the daemon sees the worker end. */
static void on_fatal(void *user, const char *why)
{
    (void)user;
    (void)why;
    _exit(EXIT_FAILURE);
}

int heap_init(struct heap *h, size_t max)
{
    *h = (struct heap){ .max = max };
    h->ctx = duk_create_heap(heap_alloc, heap_realloc, heap_free, h, on_fatal);
    return h->ctx ? 0 : -ENOMEM;
}

void heap_done(struct heap *h)
{
    if (h->ctx)
        duk_destroy_heap(h->ctx);
    *h = (struct heap){ 0 };
}
