/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_record - a parsed file as a flat array in its order, where every value knows its end.
 * Private to yaml: yaml_read.c makes it from the parser's events, yaml.c makes the tree from
 * it.
 */
#pragma once

#include <stdbool.h>

#include "gateway/conf/arena.h"
#include "gateway/conf/yaml.h"

enum record_type { RECORD_SCALAR, RECORD_SEQUENCE, RECORD_MAPPING, RECORD_END, RECORD_ALIAS };

struct record {
    enum record_type type;
    int line, column, width; /* from 1 */
    bool is_plain, is_flow, is_key, is_duplicate;
    size_t parent; /* record of the collection; NO_RECORD at the root */
    size_t next;   /* the record after this value */
    size_t target; /* of an alias */
    const char *text, *anchor;
};

#define NO_RECORD ((size_t)-1)

struct yaml {
    const char *name;
    struct arena arena;
    struct record *records;
    size_t n, cap;
    struct fy_document *doc;
};

/* The records of `text`, clean UTF-8. 0, -ENOMEM, or -EINVAL with what is wrong in `d`. */
int yaml_read_records(struct yaml *y, const char *text, size_t size, struct diag *d);

struct field_mark yaml_mark_at(const struct yaml *y, int line, int column);
