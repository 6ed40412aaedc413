/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value - from the number that a device sent to the value and verdict of a point: what
 * registers and payloads share. Pure; any thread.
 */
#pragma once

#include <stdbool.h>

#include "sensors/core/decimal.h"
#include "sensors/profile/profile.h"

/* What a value lacks (device-profiles section 4, quality-control sections 1 and 2.1). */
static const struct verdict VALUE_NONE = { STATUS_STOPPED, GRADE_MISSING, REASON_NO_VALUE };
static const struct verdict VALUE_UNCERTAIN = { STATUS_VALID, GRADE_SUSPECT, REASON_INSTR };

struct decimal value_multiply(struct decimal a, struct decimal b);
/* d x 10^n, exactly where 64 bits and 18 decimals hold it. */
struct decimal value_shift(struct decimal d, int n);
/* d * scale + offset in decimals, so that 213 x 0.1 is 21.3. */
struct decimal value_scale(struct decimal d, double scale, double offset, int decimals);
/* Unit to canonical unit. A power of ten only moves the point; anything else keeps one decimal
 * beyond the instrument's step, expressed in the new unit. */
struct decimal value_convert(struct decimal d, const struct unit_conversion *c);

/* The point is in the set, or a measurement when all are meant. */
bool value_is_concerned(const struct profile *p, size_t i, bool is_for_all, const uint8_t *set);
/* Merges a verdict into the readings concerned; a good one says nothing. */
void value_add_verdict(const struct profile *p, bool is_for_all, const uint8_t *set,
                       struct verdict v, struct reading *out);
/* Status that could not be read is no proof of health: nothing concerned is better than "not
 * evaluated". */
void value_cap_grade(const struct profile *p, bool is_for_all, const uint8_t *set,
                     struct reading *out);
/* A diagnostic outside its range makes what it concerns uncertain, and itself. */
void value_judge_diagnostics(const struct profile *p, struct reading *out);
