/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch - one unit of change on its way to the writer: operations one after another in a buffer
 * that is used again and again. Built by one thread, read by the writer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gateway/store/store.h"

enum batch_op_kind {
    BATCH_ROW,       /* stream, time_ms; body: n cells */
    BATCH_OPEN_ROW,  /* the same; body: int64_t real ms that it may be open, n cells */
    BATCH_FINAL,     /* the open row as it is for good; as BATCH_ROW */
    BATCH_EVENT,     /* body: JSON; n: BATCH_LOCAL or 0 */
    BATCH_STATE,     /* body: key with its NUL (n bytes), data */
    BATCH_CURSOR,    /* body: uplink with its NUL (n bytes), ranges; seq: acked_to */
    BATCH_SET_ASIDE, /* body: uplink with its NUL (n bytes), reason with its NUL; seq */
    BATCH_TAKE_BACK, /* body: uplink with its NUL; seq: is set aside no longer */
    BATCH_FORGET,    /* body: uplink with its NUL: its cursor goes */
};

enum { BATCH_LOCAL = 1 };

struct batch_op {
    uint32_t kind;
    uint32_t stream;
    uint32_t n;
    uint32_t
        size; /* of the body, which follows; the next operation begins at a multiple of 8 */
    union {
        int64_t time_ms;
        uint64_t seq;
    };
};

struct store_batch {
    struct store *store;
    struct store_batch *next; /* in the queue, or among the spare ones */
    unsigned char *data;
    size_t size, cap;
};

/* A new one, of no memory but its own. NULL without memory. */
struct store_batch *batch_create(struct store *s);
void batch_destroy(struct store_batch *b);

/* Appends an operation with room for its body: returns the body, NULL without memory or when
 * the batch would exceed the queue. */
void *batch_add(struct store_batch *b, const struct batch_op *op);

/* The operation at *at, and *at moved to the next; NULL at the end. The body follows it. */
const struct batch_op *batch_next(const struct store_batch *b, size_t *at);

static inline const void *batch_body(const struct batch_op *op)
{
    return op + 1;
}
