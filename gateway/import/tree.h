/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree - what another program's configuration file says, whatever its notation: tables, lists
 * and single values, each with its place. Memory belongs to an arena.
 *
 * The readers of notations (TOML, blocks, YAML) make it; the readers of programs ask it. A node
 * that was asked for is marked as used, so that what nobody understood can be told.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/conf/arena.h"
#include "gateway/conf/diag.h"

enum {
    TREE_FILE_MAX = 1 << 20, /* as of our own files */
    TREE_NODES_MAX = 200000, /* some MB of memory; a site has a few thousand */
    TREE_DEPTH_MAX = 32,
    TREE_KEYS_MAX = 1000, /* in one table: keys are looked for one by one */
};

enum tree_kind {
    TREE_TABLE,
    TREE_LIST,
    TREE_TEXT, /* quoted: never a number */
    TREE_WORD, /* as it stands; a number or a text, as is asked for */
    TREE_BOOL,
};

struct tree {
    enum tree_kind kind;
    const char *key;  /* in a table; NULL in a list */
    const char *text; /* of a single value, and the first argument of a block; else "" */
    bool is_closed;   /* TOML: made by one statement, not to be extended */
    bool is_defined;  /* TOML: by a header of its own */
    bool is_used;
    int line, column, width;
    size_t n; /* children */
    struct tree *first, *last, *next;
};

/* What a reader of a notation works with. */
struct tree_maker {
    const char *file; /* name in messages */
    struct diag *d;
    struct arena *arena;
    size_t n;
};

/* NULL when there is no memory or too much in the file, which is told. */
struct tree *tree_add(struct tree_maker *m, struct tree *parent, enum tree_kind kind,
                      const char *key);
struct tree *tree_get(const struct tree *table, const char *key); /* not marked; exact */

void tree_error(const struct tree_maker *m, const struct tree *at, enum diag_code code,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Each takes a whole file of clean UTF-8. NULL after an error, which is told. */
struct tree *toml_read(struct tree_maker *m, const char *text, size_t size);
/* collectd.conf(5): `Key value ...` and <Block argument>...</Block>. Every statement is a
 * TREE_TABLE whose values and statements are its children; `text` is its first value. */
struct tree *blocks_read(struct tree_maker *m, const char *text, size_t size);
