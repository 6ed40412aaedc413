/* SPDX-License-Identifier: Apache-2.0 */
/* profile_show - a profile for people and as JSON: what `sluice profile` prints. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "gateway/base/buf.h"
#include "sensors/profile/profile.h"

enum { PROFILE_ADDRESS_BYTES = 24 }; /* "h:65535/64.15" fits */

/* "from the manual, not tried" ...; lang is "zh" or "en". */
const char *profile_trust(const struct profile *p, const char *lang);
/* "air, weather", names in `lang`, or ids when it is NULL. Returns `out`. */
const char *profile_media(const struct profile *p, const char *lang, char *out, size_t size);
/* "h:18", "h:12.3", "h:12/2": PDU address, bit, registers beyond those of the type. */
const char *profile_address(struct register_address at, char *out);

/* Columns that a text takes on a terminal. */
int profile_columns(const char *text);

/* One row of a table: text, then blanks up to `width` columns on a terminal. */
void profile_print_cell(const char *text, int width, FILE *out);

void profile_print(const struct profile *p, const char *lang, FILE *out);
/* One JSON object; `has_points` false: only what a list shows. */
void profile_put_json(struct buf *b, const struct profile *p, bool has_points);
