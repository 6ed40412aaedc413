/* SPDX-License-Identifier: Apache-2.0 */
/* overview - indices and maintenance as the daemon tells them, in the user's language. */
#pragma once

#include <jansson.h>

/* A line each: "HJ 633-2026 1h  74  good (class II), primary PM10, 2026-11-22 08:00 UTC". */
void overview_print_indices(const json_t *indices, const char *indent);
/* A line each: device, from when to when, who, why. */
void overview_print_maintenances(const json_t *list, const char *indent);
