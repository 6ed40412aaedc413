/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit - the UCUM subset that profiles and configuration may use, and conversion into the
 * canonical unit of a quantity. Constant data, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sensors/core/quantity.h"

struct unit {
    const char *code;    /* UCUM, what is stored: "ug/m3" */
    const char *display; /* for people only: "µg/m³" */
    const char *dimension;
    double factor, offset; /* base = x * factor + offset */
    const char *aliases;   /* accepted on input, separated by a blank; never written */
};

extern const struct unit units[];
extern const size_t units_n;

/* By UCUM code or alias; NULL when unknown. "ppb", "NTU", "dB(A)" are aliases: input only. */
const struct unit *unit_find(const char *text);

/* By UCUM code alone: what a profile must use. */
const struct unit *unit_find_ucum(const char *code);

struct unit_conversion {
    double factor, offset; /* canonical = x * factor + offset */
    bool is_identity;
};

/*
 * How a value in `from` becomes the canonical unit of `q`: same dimension, or ppb/ppm to mass
 * concentration through the molar mass (298.15 K, 1013.25 hPa).
 * Returns 0, or -EDOM when the two do not convert; then *ret is untouched.
 */
int unit_conversion_for(const struct unit *from, const struct quantity *q,
                        struct unit_conversion *ret);
