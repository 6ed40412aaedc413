/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_job - one run of bind_create(): bind.c joins the files and looks references up,
 * bind_map.c binds a mapping by its table, bind_value.c what stands behind one key. Private.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gateway/conf/bind.h"
#include "gateway/conf/bind_scalar.h"

enum { LISTS_MAX = 16 }; /* at the root; five exist */

struct place {
    const void *address;
    bool is_item; /* a list item or group, not its first member */
    struct field_mark mark;
    int width;
};

struct ref { /* a FIELD_REF to be looked up when all lists are there */
    const char *const *slot;
    const char *path;
};

struct bind {
    struct place *places;
    size_t places_n, places_cap;
};

/* State of one bind_create(). */
struct job {
    const struct bind_input *in;
    struct bind *b;
    const struct yaml *yaml; /* of the value being bound */
    const char *file;        /* its name, owned by the arena */
    const char *list;        /* name of the root field being bound */
    struct ref *refs;
    size_t refs_n, refs_cap;
    const struct field
        *broken[LISTS_MAX]; /* lists that are none: nothing is known of their ids */
    size_t broken_n;
    bool is_partial; /* as in bind_input, or a file is no mapping */
    bool has_failed; /* no memory */
};

/* Where a field's member lies in its struct. */
void *job_member(void *base, const struct field *f);
/* n zeroed items of the arena; NULL without memory, which the job remembers. */
void *job_alloc(struct job *j, size_t n, size_t size);
/* is_item: the address is that of a list item or group, not of its first member. */
void job_note_place(struct job *j, struct fy_node *node, const void *address, bool is_item);

/* The field called "id" of an item's table; NULL. */
const struct field *job_id_field(const struct field *fields);
bool job_is_list(const struct field *f, struct fy_node *node);
/* Items that a node brings to a list, 0 after an error; and these into `items`. */
size_t job_count_items(struct job *j, const struct field *f, struct fy_node *node);
size_t job_bind_items(struct job *j, const struct field *f, struct fy_node *node, char *items);
/* The number of items against [min, max]. */
void job_finish_list(struct job *j, const struct field *f, struct fy_node *node,
                     const struct field_array *a);

/* A field that is not there: its default; one that is. */
void job_bind_absent(struct job *j, const struct field *f, void *base);
void job_bind_present(struct job *j, const struct field *f, struct fy_node *node, void *base);
/* A single value from text; `node` is its place, NULL for a default. */
void job_bind_text(struct job *j, const struct field *f, const char *text, struct fy_node *node,
                   void *base);

/* One field of a mapping, there or not. */
void job_bind_field(struct job *j, const struct field *f, struct fy_node *map, void *base);
/* A mapping and its table; `key`: the field that the key before the mapping gave, NULL. */
void job_bind_fields(struct job *j, const struct field *fields, const struct field *key,
                     struct fy_node *map, void *base);
/* Unknown keys of a mapping at the root. */
void job_check_root_keys(struct job *j, struct fy_node *map);
