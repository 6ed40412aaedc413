/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_payload - the parts of `payload:`, each read and checked where it stands. Shared by
 * the profile_payload*.c of this folder only; the manner is that of profile_read.h.
 */
#pragma once

#include "gateway/conf/profile_read.h"
#include "sensors/payload/layout.h"

/* Where a field stands that does not say it: behind the one before it. */
struct payload_cursor {
    enum endian endian; /* of numbers that do not say otherwise */
    int64_t off;
};

/* profile_payload_place.c */
/* {off, type, endian, mask, shift, sign}; other keys are left to the caller. `type` < 0: it
 * must be given. Moves the cursor behind the place. */
bool payload_read_place(struct profile_reader *r, struct fy_node *node, int type,
                        struct payload_cursor *c, struct payload_place *ret);
/* A code as the place holds it: hexadecimal is raw, decimal the number. */
bool payload_read_code(struct profile_reader *r, struct fy_node *node,
                       const struct payload_place *at, uint64_t *ret);
/* A map whose codes are those of the place. */
struct profile_map payload_map_of(const struct payload_place *at);

/* profile_payload_field.c */
extern const char *const payload_field_keys[]; /* closed by NULL */
bool payload_read_field(struct profile_reader *r, struct fy_node *node,
                        struct payload_cursor *c, struct payload_field *f);
/* What is left when the place is known: scaling, formula, table, codes. */
bool payload_read_meaning(struct profile_reader *r, struct fy_node *node,
                          struct payload_cursor c, struct payload_field *f);
/* The point that `point:` names. */
bool payload_read_point(struct profile_reader *r, struct fy_node *node, uint8_t *ret);
/* A number per code, or with `at` NULL per word. */
bool payload_read_table(struct profile_reader *r, struct fy_node *node,
                        const struct payload_place *at, struct payload_table *ret);

/* profile_payload_group.c */
/* `fields` and `flags` of a mapping; other keys are left to the caller. Neither need be there.
 */
bool payload_read_group(struct profile_reader *r, struct fy_node *node, enum endian endian,
                        struct payload_group *ret);
/* `size`, or to the end of the last field; nothing may lie beyond it. */
bool payload_read_size(struct profile_reader *r, struct fy_node *node,
                       struct payload_group *ret);

/* profile_payload_form.c */
/* Where the groups begin: `start`. */
bool payload_read_start(struct profile_reader *r, struct fy_node *node,
                        struct payload_message *m);
/* Room for the groups of the list `key`, or NULL after an error. */
struct payload_group *payload_begin_groups(struct profile_reader *r, struct fy_node *parent,
                                           const char *key, size_t max,
                                           struct payload_message *m);
/* blocks, tlv, lpp, records: at most one of them. */
bool payload_read_forms(struct profile_reader *r, struct fy_node *node, enum endian endian,
                        struct payload_message *m);

/* profile_payload_lpp.c */
bool payload_read_lpp(struct profile_reader *r, struct fy_node *node, enum endian endian,
                      struct payload_message *m);

/* profile_payload_formula.c */
bool payload_read_formula(struct profile_reader *r, struct fy_node *node,
                          struct payload_formula *ret);

/* profile_payload_script.c */
bool payload_read_script(struct profile_reader *r, struct fy_node *node, struct payload *ret);
