/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml - libfyaml with our limits and our messages. Main thread, at start and reload.
 *
 * Files are hostile: UTF-8 only, at most 1 MiB, 64 levels and 100,000 values; one document per
 * file; keys are single words and stand once; no tags, no merge keys. Aliases are replaced by
 * what they stand for, inside the same limits, so that readers never see one.
 */
#pragma once

#include <libfyaml.h>
#include <stddef.h>

#include "gateway/conf/diag.h"

enum {
    YAML_FILE_MAX = 1 << 20,
    YAML_DEPTH_MAX = 64,
    YAML_NODES_MAX = 100000 /* 500 devices with 25 corrected channels have 60,000 */
};

struct yaml; /* one document and where it came from */

/* Parse a file, or `size` bytes of text named `name` in messages. NULL after an error that
 * leaves nothing to read, which is in `d`. A key that stands twice is an error in `d` too, but
 * the tree is returned, with the first one: ask diag_errors(). An empty document gives a yaml
 * whose root is NULL. */
struct yaml *yaml_load_file(const char *path, struct diag *d);
struct yaml *yaml_load_text(const char *name, const char *text, size_t size, struct diag *d);
void yaml_destroy(struct yaml *y);

struct fy_node *yaml_root(const struct yaml *y);

/* Where a node starts, and how many columns it takes on its first line. The mark's file lives
 * as long as `y`. */
struct field_mark yaml_mark(const struct yaml *y, struct fy_node *node);
int yaml_width(struct fy_node *node);

/* Error at a node: diag_error() with its mark and width. */
#define yaml_error(y, d, node, code, ...) \
    diag_error(d, yaml_mark(y, node), yaml_width(node), code, __VA_ARGS__)
#define yaml_warning(y, d, node, code, ...) \
    diag_warning(d, yaml_mark(y, node), yaml_width(node), code, __VA_ARGS__)

/* The text of a scalar, NUL-terminated, owned by the document; NULL when it is none. */
const char *yaml_text(struct fy_node *node);
/* True for null, ~ and an empty plain scalar. */
int yaml_is_null(struct fy_node *node);
/* The value of a key of a mapping; NULL when there is none, or `map` is none. */
struct fy_node *yaml_find(struct fy_node *map, const char *key);
/* Into `out` (DIAG_SHOWN_BYTES): what stands there, for messages: 'abc', a list, a mapping. */
const char *yaml_shown(struct fy_node *node, char *out);
