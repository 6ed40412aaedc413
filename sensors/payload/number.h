/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number - numbers in the bytes of a message: their types, places, bit fields and signs. Pure;
 * any thread.
 *
 * "Raw" is the content of a place as an unsigned integer, after mask and shift.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/payload/layout.h"

extern const char
    *const number_type_names[];          /* "u8" ... by enum number_type; NULL at the end */
extern const char *const endian_names[]; /* "big", "little", "mixed"; NULL at the end */

size_t number_bytes(enum number_type t);
bool number_is_float(enum number_type t);
bool number_is_signed(enum number_type t);
/* All raw bits that the place can have. */
uint64_t place_bits(const struct payload_place *at);

/* False when the place lies beyond the n bytes. */
bool place_read(const struct payload_place *at, const uint8_t *bytes, size_t n, uint64_t *ret);
/* Leaves the bits outside the mask; nothing when the place lies beyond. */
void place_write(const struct payload_place *at, uint8_t *bytes, size_t n, uint64_t raw);

/* The number that raw bits mean; exact, floats the shortest decimal. */
struct decimal place_decimal(const struct payload_place *at, uint64_t raw);
double place_number(const struct payload_place *at, uint64_t raw);
/* The lowest and highest number that the place can hold. */
void place_range(const struct payload_place *at, double *ret_min, double *ret_max);
/* The raw bits of x, rounded for integers and limited to the place. */
uint64_t place_raw(const struct payload_place *at, double x);
