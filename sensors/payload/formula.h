/* SPDX-License-Identifier: Apache-2.0 */
/* formula - arithmetic that a device leaves to the reader of its numbers. Pure; any thread. */
#pragma once

#include <stdint.h>

#include "sensors/payload/layout.h"

/* NaN where it has no value: a division by zero, the root of a negative number. */
double formula_value(const struct payload_formula *f, double x, double y);

/*
 * The x between min and max at which the formula gives `value`, for the simulator. The nearest
 * that was found when it never does; of several any one.
 */
double formula_inverse(const struct payload_formula *f, double value, double y, double min,
                       double max);
