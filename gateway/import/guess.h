/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guess - quantity and unit of a point from what the other program calls it, where both are
 * certain: the name is a known one as a whole, and the unit is given and converts.
 */
#pragma once

#include "gateway/import/import.h"

/* The unit in a name for people: "Ozone (ppb)", "温度（℃）", "co2_ppm"; NULL when there is
 * none. `bare` gets the name without it. */
const struct unit *guess_unit_in(const char *name, char *bare, size_t size);

/* The quantity that `name` stands for in `unit`, NULL when not certain. *ret_is_bare: only when
 * nothing says that the device stands elsewhere than in the open air, as in "temperature". */
const struct quantity *guess_quantity(const char *name, const struct unit *unit,
                                      bool *ret_is_bare);

/* Whether a device of this name does not stand in the open air: "cabinet", "soil". */
bool guess_is_elsewhere(const char *name);
