/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field - describe one configuration option as data.
 *
 * A module that has options declares a plain struct and a table of these, closed by an entry
 * without a name. The loader (gateway/conf/) walks the table to bind YAML, apply defaults,
 * check ranges, print the effective configuration and write the reference page. The module
 * itself never sees YAML.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
    FIELD_BOOL,     /* bool */
    FIELD_INT,      /* int64_t */
    FIELD_DOUBLE,   /* double; an absent optional one without default is NaN */
    FIELD_DURATION, /* int64_t, milliseconds: "250ms", "5s", "10min", "1h", "2d" */
    FIELD_SIZE,     /* int64_t, bytes: "64MiB", "4kB" */
    FIELD_TEXT,     /* const char *, owned by the configuration; NULL when absent */
    FIELD_ENUM,     /* int: index into `words` */
    FIELD_ID,       /* const char *: [a-z0-9][a-z0-9_-]{0,63} */
    FIELD_REF,   /* const char *: id of an item of the list at `path`; checked after binding */
    FIELD_RANGE, /* struct field_range: [min, max] */
    FIELD_GROUP, /* struct at offset; `fields` binds it in place. Absent: its defaults */
    FIELD_LIST,  /* struct field_array: sequence of structs of `size` bytes by `fields` */
    FIELD_MAP,   /* the same from a mapping; the key goes into the FIELD_ID/TEXT called "id" */
    FIELD_TEXTS, /* struct field_array of const char *: a sequence of texts, or one text */
    FIELD_VARIANT, /* struct field_variant: which table applies is told by the sibling `type` */
};

enum field_flag {
    FIELD_REQUIRED = 1 << 0,
    FIELD_SECRET = 1 << 1, /* printed as "***"; NAME_file: PATH reads it from a file instead */
    FIELD_UNIQUE = 1 << 2, /* no two items of one list may share it */
};

struct field_range {
    double min, max; /* both NaN when absent */
};

struct field_array {
    void *items; /* n structs, one after another; owned by the configuration */
    size_t n;
};

struct field_variant {
    const struct field_kind *kind; /* chosen by the word */
    void *options;                 /* struct of kind->size bytes, bound by kind->fields */
};

/* One choice of a FIELD_VARIANT. Tables of kinds are closed by one without a name. */
struct field_kind {
    const char *name; /* the word after `type:` */
    const char *help;
    const struct field *fields;
    size_t size;
};

/* Where a configured thing stands, for messages: "file:line:col". */
struct field_mark {
    const char *file;
    int line, column; /* from 1; 0 when it was not written */
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    const char *dflt; /* as the user would write it; NULL: zero, NULL or NaN */
    double min, max; /* numbers, durations, sizes and counts of lists; both 0 means unchecked */
    unsigned flags;
    const char *help;               /* one sentence, ends up in the manual */
    const char *const *words;       /* FIELD_ENUM: closed by NULL */
    const struct field *fields;     /* GROUP, LIST, MAP */
    size_t size;                    /* LIST, MAP: bytes of one item */
    const char *path;               /* REF: "buses" */
    const struct field_kind *kinds; /* VARIANT; NULL: given to the loader by name at run time */
    /* FIELD_TEXT alone: further check of the text (units, quantities, addresses). Writes what
     * is wrong and what would be right into `why`, a full sentence; NULL: anything goes. */
    bool (*is_ok)(const char *text, char *why, size_t size);
};
