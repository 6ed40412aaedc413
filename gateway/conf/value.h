/* SPDX-License-Identifier: Apache-2.0 */
/* value - numbers, durations and sizes as people write them in a configuration. Pure; the C
 * locale is assumed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VALUE_TEXT_MAX = 40 }; /* 24 of a double, 20 of an integer, and a unit */

/* The whole text must be the value. 0, -EINVAL (not such a value) or -ERANGE (does not fit). */
int value_parse_int(const char *text, int64_t *ret);
int value_parse_double(const char *text, double *ret); /* finite; no hexadecimal */
int value_parse_duration(const char *text, int64_t *ret_ms);
int value_parse_size(const char *text, int64_t *ret_bytes);

/* "5min" for "5m", "5 minutes", "5"...: what was probably meant, into `out`; false: no idea. */
bool value_guess_duration(const char *text, char *out, size_t size);

/* The shortest text that reads back as the same value; `out` has VALUE_TEXT_MAX. */
void value_double_text(double v, char *out);
void value_duration_text(int64_t ms, char *out);
void value_size_text(int64_t bytes, char *out);
