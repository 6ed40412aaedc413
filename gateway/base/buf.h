/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf - a growing byte buffer with a stated limit, for texts and messages. One thread at a
 * time. A write that would pass the limit, or finds no memory, sets `has_failed` and is dropped
 * whole; check once at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data;
    size_t size, cap, max;
    bool has_failed;
};

#define BUF_INIT(limit) ((struct buf){ .max = (limit) })

void buf_done(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory, forgets a failure */

void buf_put(struct buf *b, const void *data, size_t size);
void buf_puts(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_varint(struct buf *b, uint64_t v); /* LEB128, shortest form */

/* A JSON string with its quotes; invalid UTF-8 becomes U+FFFD. NULL gives null. */
void buf_json(struct buf *b, const char *text);

/* The text, NUL-terminated (the NUL is not counted); NULL after a failure. */
const char *buf_text(struct buf *b);

/* Reads a LEB128 varint of at most 10 bytes. Returns the bytes read, 0 when malformed or cut.
 */
size_t varint_get(const uint8_t *p, size_t size, uint64_t *ret);
