/* SPDX-License-Identifier: Apache-2.0 */
/*
 * type - what the types of registers are: their names, widths, and the number or text that raw
 * bits mean. Pure; any thread.
 *
 * "Raw" is the content of the registers as one unsigned integer, most significant first after
 * the word order was undone; unused upper bits are 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/core/decimal.h"
#include "sensors/profile/profile.h"

/* "u16", "bcd32", "str" ... as profiles write them. */
const char *type_name(enum value_type t);
bool type_is_float(enum value_type t);
/* Without sign: such types can have bit fields. */
bool type_is_unsigned(enum value_type t);
/* All bits that the type has; 0 for text. */
uint64_t type_bits(enum value_type t);

/* False for a BCD nibble beyond 9: the instrument has no value. Floats are not judged here. */
bool type_is_valid(enum value_type t, uint64_t raw);
/* Raw bits -> the number, exactly where 64 bits and 18 decimals hold it. */
struct decimal type_decimal(enum value_type t, uint64_t raw);
double type_number(enum value_type t, uint64_t raw);

/* False when x rounded to a whole number (floats: as it is) lies beyond the type. */
bool type_holds(enum value_type t, double x);
/* The raw bits of x, rounded for integers and limited to the type. */
uint64_t type_raw(enum value_type t, double x);

/* Registers as they stand on the wire <-> raw bits; n is 1, 2 or 4. */
uint64_t raw_from_words(const uint16_t *words, size_t n, enum word_order order);
void words_from_raw(uint64_t raw, size_t n, enum word_order order, uint16_t *ret);

/*
 * Two characters per register, the first one in the upper byte; BADC and DCBA swap the bytes.
 * Ends at NUL or at the end; blanks at the end are left out and what is not printable ASCII
 * becomes '?'. Returns the length; `ret` holds size > 0 bytes, cut and always ended by NUL.
 */
size_t text_from_words(const uint16_t *words, size_t n, enum word_order order, char *ret,
                       size_t size);
/* The inverse; the rest of the registers is NUL, a longer text is cut. */
void words_from_text(const char *text, size_t n, enum word_order order, uint16_t *ret);
