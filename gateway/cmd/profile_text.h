/* SPDX-License-Identifier: Apache-2.0 */
/* profile_text - parts of a profile in one line of text each, as profiles write them: for
 * comparing them and for the instrument pages. */
#pragma once

#include "gateway/base/buf.h"
#include "sensors/profile/profile.h"

extern const char *const profile_orders[]; /* by enum word_order */
extern const char *const profile_roles[];  /* by enum point_role: "measurement" ... */

/* "h:28 & 0xF0 >> 4 {0: Cel, 1: [degF]}"; codes of bits as masks. Nothing without a map. */
void put_map(struct buf *b, const struct profile_map *map);
/* "0x7FFF 0x8000", a register as "h:12"; nothing without a code. */
void put_codes(struct buf *b, const struct profile_point *pt);
/* "-40..60"; nothing when not given. */
void put_span(struct buf *b, double min, double max);
/* "write h:100 u16 $interval", "wait 500 ms", "expect c:3 1". */
void put_step(struct buf *b, const struct profile_command *c, const struct profile_step *s);
/* "object 1 = AQT530 (needed)", "h:6 = 4", "i:44 f32 0..60". */
void put_test(struct buf *b, const struct profile_identify *t);
/* The ids of points, or "all". */
void put_concerned(struct buf *b, const struct profile *p, bool is_for_all, const uint8_t *set);
