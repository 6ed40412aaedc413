/* SPDX-License-Identifier: Apache-2.0 */
/* base64 - RFC 4648: written with padding, read in both alphabets with or without it. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Characters of n bytes, without the NUL. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* `out` holds BASE64_SIZE(n) + 1; a NUL is set, not counted in the result. */
size_t base64_encode(const void *data, size_t n, char *out);

/* Of `n` characters at `text`. 0, -EINVAL (a strange character, or cut off) or -EMSGSIZE: more
 * than `max` bytes. `out` may have been written to on failure. */
int base64_decode(const char *text, size_t n, void *out, size_t max, size_t *ret_n);
