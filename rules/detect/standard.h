/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standard - values that lie on a known standard and stay there: somebody calibrates without
 * having said so. One such value is chance, a run of them with little spread is not. Pure,
 * plain data, integers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All values in steps of the instrument. */
struct standard_config {
    const int16_t *values; /* of the standards */
    size_t n;
    int32_t tolerance; /* of the standard and its coupling */
    int32_t spread;    /* from the lowest to the highest of a run */
};

struct standard {
    uint16_t run; /* values in a row on one standard, up to now */
    int16_t lowest, highest;
};

/* Whether x lies on a standard; how many in a row: s->run. */
bool standard_push(const struct standard_config *c, struct standard *s, int16_t x);
