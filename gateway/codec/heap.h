/* SPDX-License-Identifier: Apache-2.0 */
/* heap - Duktape heaps whose memory is counted and bounded. Worker only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <duktape.h>

struct heap {
    duk_context *ctx;
    size_t used, max; /* bytes */
    bool was_full;    /* an allocation was refused */
};

/* An empty heap of at most `max` bytes; `h` stays where it is. 0 or -ENOMEM. */
int heap_init(struct heap *h, size_t max);
void heap_done(struct heap *h); /* takes one that was never begun */
