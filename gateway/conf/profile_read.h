/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_read - the parts of a profile file, each read and checked where it stands. Shared by
 * the profile_*.c of this folder only.
 *
 * Every reader reports what is wrong to the diagnostics and returns false; outputs are
 * untouched then. Reading goes on, so that one run finds all errors.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/conf/arena.h"
#include "gateway/conf/diag.h"
#include "gateway/conf/yaml.h"
#include "sensors/profile/profile.h"

enum {
    PROFILE_FLAGS_MAX = 256,  /* status bits of one instrument */
    PROFILE_TESTS_MAX = 16,   /* identification tests */
    PROFILE_SLOTS_MAX = 64,   /* blocks of one layout; the largest known has 16 */
    PROFILE_DECIMALS_MAX = 12 /* of a scale and an offset */
};

/* A repeating block of registers: "block:". */
enum block_field { BLOCK_VALUE, BLOCK_QUALITY, BLOCK_UNIT, BLOCK_SENTINEL, BLOCK_FIELDS };

struct profile_block {
    bool is_given;
    struct register_address base;
    int64_t stride, count;
    struct {
        int64_t off; /* -1: the block has no such field */
        enum value_type type;
    } field[BLOCK_FIELDS];
};

/* The raw codes of "invalid:", by type. */
struct profile_codes {
    uint64_t code[8];
    size_t n;
};

struct profile_reader {
    struct yaml *y;
    struct diag *d;
    struct arena *arena;
    struct profile *p;
    struct fy_node *root;    /* of the file */
    struct fy_node *variant; /* whose keys stand before those of the root; NULL */
    bool is_file;            /* not a text: other files lie beside it */
    bool has_doc_base;
    struct profile_block block;
    struct profile_codes invalid[TYPE_TEXT + 1];
    struct fy_node **nodes; /* where each point stands */
};

/* Choices of a map are units, quality words, modes or word orders. */
enum map_kind { MAP_UNITS, MAP_QUALITY, MAP_MODES, MAP_ORDERS };

extern const char *const profile_type_words_text[]; /* by enum value_type, closed by NULL */
extern const char *const profile_order_words[];     /* by enum word_order */
extern const char *const profile_quality_words[];
extern const char *const profile_mode_words[];

/* profile_value.c: single values */
bool profile_read_keys(struct profile_reader *r, struct fy_node *node, const char *what,
                       const char *const *allowed);
bool profile_read_list(struct profile_reader *r, struct fy_node *node, size_t max);
bool profile_read_text(struct profile_reader *r, struct fy_node *node, const char **ret);
bool profile_read_id(struct profile_reader *r, struct fy_node *node, bool has_dash,
                     const char **ret);
/* One text, or a list of texts joined by `joint`. */
bool profile_read_texts(struct profile_reader *r, struct fy_node *node, const char *joint,
                        const char **ret);
bool profile_read_bool(struct profile_reader *r, struct fy_node *node, bool *ret);
bool profile_read_int(struct profile_reader *r, struct fy_node *node, int64_t min, int64_t max,
                      int64_t *ret);
bool profile_read_bits(struct profile_reader *r, struct fy_node *node, uint64_t *ret);
bool profile_read_number(struct profile_reader *r, struct fy_node *node, double *ret);
bool profile_read_range(struct profile_reader *r, struct fy_node *node, double *ret_min,
                        double *ret_max);
bool profile_read_duration(struct profile_reader *r, struct fy_node *node, int64_t min_ms,
                           int64_t max_ms, int64_t *ret);
/* Index into `words` (closed by NULL). */
bool profile_read_word(struct profile_reader *r, struct fy_node *node, const char *const *words,
                       int *ret);
bool profile_read_names(struct profile_reader *r, struct fy_node *node, const char **en,
                        const char **zh);
/* One text, which is the same for everybody, or {en, zh}. */
bool profile_read_remark(struct profile_reader *r, struct fy_node *node, const char **en,
                         const char **zh);

/* profile_map.c: addresses, types, maps */
bool profile_read_address(struct profile_reader *r, struct fy_node *node,
                          struct register_address *ret);
/* The type; "bits" follows the number of registers of the address. */
bool profile_read_type(struct profile_reader *r, struct fy_node *node,
                       const struct register_address *at, enum value_type *ret);
/* Registers by the type; false with an error when "/count" says otherwise. */
bool profile_fit_type(struct profile_reader *r, struct fy_node *node,
                      struct register_address *at, enum value_type type);
bool profile_read_unit(struct profile_reader *r, struct fy_node *node, const struct quantity *q,
                       const struct unit **ret, struct unit_conversion *ret_conversion);
/* {at, mask, shift, map | bits}. `at` of *ret may be set before: then the key may be left out.
 */
bool profile_read_map(struct profile_reader *r, struct fy_node *node, enum map_kind kind,
                      const struct quantity *q, struct profile_map *ret);
/* {at, mask, shift} alone; other keys are left to the caller. */
bool profile_read_field(struct profile_reader *r, struct fy_node *node,
                        struct profile_map *ret);
/* {mask, shift} of the registers at `at`. */
bool profile_read_mask(struct profile_reader *r, struct fy_node *node,
                       struct register_address at, uint64_t *ret_mask, uint8_t *ret_shift);
/* The field's bits can hold the code: otherwise it is a slip of the pen. */
bool profile_code_fits(const struct profile_map *map, uint64_t code);
/* The choices of a map alone, `node` being the mapping of codes. */
bool profile_read_choices(struct profile_reader *r, struct fy_node *node, enum map_kind kind,
                          const struct quantity *q, struct profile_map *ret);

/* profile_invalid.c: codes that mean "no value": of the profile by type, and of one point */
bool profile_read_invalid(struct profile_reader *r, struct fy_node *node);
bool profile_read_invalid_of(struct profile_reader *r, struct fy_node *point,
                             struct profile_point *pt);

/* profile_block.c: the repeating block, and the address of one field of one slot */
bool profile_read_block(struct profile_reader *r, struct fy_node *node);
bool profile_slot_address(const struct profile_reader *r, int64_t slot, enum block_field f,
                          struct register_address *ret);

/* profile_point.c: points, diagnostics, calibration */
bool profile_read_points(struct profile_reader *r, struct fy_node *const lists[3]);
/* The point whose id stands there. */
bool profile_read_reference(struct profile_reader *r, struct fy_node *node, size_t *ret);
/* A factor as the manual prints it, which must be a decimal: values are computed in decimals.
 * *decimals grows to what it needs. */
bool profile_read_exact(struct profile_reader *r, struct fy_node *node, double *ret,
                        int *decimals);
/* `scale` and `offset` of a mapping, where they are given. */
bool profile_read_scale(struct profile_reader *r, struct fy_node *node, double *ret_scale,
                        double *ret_offset, int *decimals);
/* A list of ids of points into a bit set. */
bool profile_read_concerned(struct profile_reader *r, struct fy_node *node, uint8_t *set,
                            bool *is_for_all);

/* profile_status.c: flags, identify */
bool profile_read_flags(struct profile_reader *r, struct fy_node *node);
bool profile_read_identify(struct profile_reader *r, struct fy_node *node);
/* What a flag says once f->map.at is known: codes and words, points, help. */
bool profile_read_flag_meaning(struct profile_reader *r, struct fy_node *node,
                               struct profile_flag *f);
/* The tests of a list, which is not longer than PROFILE_TESTS_MAX. */
bool profile_read_tests(struct profile_reader *r, struct fy_node *list,
                        struct profile_identify **ret, size_t *ret_n);

/* profile_load.c: a profile, or a variant, as a whole */
struct fy_node *profile_find_key(const struct profile_reader *r, const char *key);
bool profile_check_keys(struct profile_reader *r);
/* Everything but the variants into r->p, which is overwritten. */
bool profile_read_whole(struct profile_reader *r);

/* profile_bus.c */
bool profile_read_bus(struct profile_reader *r, struct fy_node *node);

/* profile_payload.c: after the points */
bool profile_read_payload(struct profile_reader *r, struct fy_node *node);

/* profile_variant.c: into r->p, whose other parts are complete */
bool profile_read_variants(struct profile_reader *r, struct fy_node *list);

/* profile_command.c */
bool profile_read_commands(struct profile_reader *r, struct fy_node *list);

/* profile_check.c: what only the whole shows; fills the spans */
bool profile_check(struct profile_reader *r);
