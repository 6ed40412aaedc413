/* SPDX-License-Identifier: Apache-2.0 */
/* mask - hide secrets in the source lines that messages show. Pure. */
#pragma once

#include <stddef.h>

/* Replaces the characters of what stands behind "password:", "token:" and the like, and of the
 * "user:password" in "mqtt://user:password@host", by '*', in place; for files that cannot be
 * understood well enough to know their secrets. A character of several bytes becomes one '*'.
 * Returns the new size. */
size_t mask_secrets(char *text, size_t size);

/* The same for `width` characters from character `column` (from 1) of the line that starts at
 * `line`. Returns the new size of the whole text. */
size_t mask_span(char *text, size_t size, size_t line, int column, int width);
