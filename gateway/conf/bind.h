/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind - YAML trees and a field table (sensors/core/field.h) make a struct, with defaults.
 *
 * Goes on after an error, so that all of them are told in one run. Remembers where every value
 * was written, by the address it was bound to: checks that come after can name the place.
 * Main thread, at start and reload.
 *
 * A key written twice, an unknown key, a missing one, a value that is none of its type or range
 * are errors. `key:` with nothing behind it leaves a group or list at its defaults and is an
 * error for a single value. FIELD_TEXT with `words` takes one of them alone. A default outside
 * [min, max] means "not set".
 */
#pragma once

#include "gateway/conf/arena.h"
#include "gateway/conf/diag.h"
#include "gateway/conf/yaml.h"
#include "sensors/core/field.h"

struct bind;

/* The choices of a FIELD_VARIANT without `kinds`, by the name of the list it stands in. */
struct bind_kinds {
    const char *list;
    const struct field_kind *kinds;
};

struct bind_input {
    struct yaml *const *files; /* several: lists are joined, the rest may stand in one only */
    size_t n;
    const struct field *fields;
    const struct bind_kinds *kinds; /* closed by one without a name; NULL: none */
    struct arena *arena;            /* owns every text and array */
    bool is_partial; /* a file could not be read: what seems missing may stand in it */
    struct diag *d;
};

/* Binds into `out`, the zeroed struct of in->fields. 0 also with errors in in->d; -ENOMEM. *ret
 * knows the places; it needs neither the files nor the table any more. */
int bind_create(const struct bind_input *in, void *out, struct bind **ret);
void bind_destroy(struct bind *b);

/* Where the value bound to this address was written; line 0 when it was not. */
struct field_mark bind_mark(const struct bind *b, const void *address);
int bind_width(const struct bind *b, const void *address);
/* The same of an item of a list, or a group. */
struct field_mark bind_item_mark(const struct bind *b, const void *item);

/* `size` bytes bound at `from` live at `to` now. */
void bind_move(struct bind *b, const void *from, size_t size, const void *to);
/* n items of `size` bytes that were made otherwise, each with the place to be blamed for it. 0
 * or -ENOMEM. */
int bind_note_items(struct bind *b, const void *items, size_t size, size_t n,
                    const struct field_mark *marks);

/* Number of fields before the closing one. */
size_t field_count(const struct field *fields);
