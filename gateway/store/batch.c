/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/batch.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CAP = 1024,
    ALIGN = 8,
};

struct store_batch *batch_create(struct store *s)
{
    struct store_batch *b = calloc(1, sizeof *b);

    if (b)
        b->store = s;
    return b;
}

void batch_destroy(struct store_batch *b)
{
    if (!b)
        return;
    free(b->data);
    free(b);
}

static bool reserve(struct store_batch *b, size_t need)
{
    size_t cap = b->cap ? b->cap : FIRST_CAP;

    if (need <= b->cap)
        return true;
    while (cap < need)
        cap *= 2;
    unsigned char *data = realloc(b->data, cap);
    if (!data)
        return false;
    b->data = data;
    b->cap = cap;
    return true;
}

static size_t op_size(const struct batch_op *op)
{
    return (sizeof *op + op->size + ALIGN - 1) / ALIGN * ALIGN;
}

void *batch_add(struct store_batch *b, const struct batch_op *op)
{
    size_t size = op_size(op);

    if (size > STORE_QUEUE_BYTES_MAX - b->size || !reserve(b, b->size + size))
        return NULL;

    struct batch_op *at = (struct batch_op *)(void *)(b->data + b->size);
    *at = *op;
    b->size += size;
    return at + 1;
}

const struct batch_op *batch_next(const struct store_batch *b, size_t *at)
{
    if (*at == b->size)
        return NULL;
    const struct batch_op *op = (const struct batch_op *)(const void *)(b->data + *at);
    *at += op_size(op);
    return op;
}
