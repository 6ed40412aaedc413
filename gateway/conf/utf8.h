/* SPDX-License-Identifier: Apache-2.0 */
/* utf8 - step through text that may be hostile, and how wide it stands on a terminal. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at p, at most `size` (> 0) bytes: returns its length, *ret the code point. A
 * byte that starts no valid sequence (overlong, surrogate, cut) has length 1 and gives -1. */
size_t utf8_next(const char *p, size_t size, int32_t *ret);

/* False for everything that would move the cursor, colour the terminal or reorder the line:
 * controls, bidirectional marks, invalid bytes (-1). */
bool utf8_is_printable(int32_t c);

/* Columns on a terminal: 0 combining, 2 East Asian wide, else 1. */
int utf8_width(int32_t c);

/* `text` into `out` with every unprintable character as U+FFFD, cut at a character's border
 * with
 * "..." when it has more than `chars` characters or does not fit. */
void utf8_shown(const char *text, size_t chars, char *out, size_t size);
