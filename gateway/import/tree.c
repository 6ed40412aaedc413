/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/import/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct tree *tree_add(struct tree_maker *m, struct tree *parent, enum tree_kind kind,
                      const char *key)
{
    struct tree *t = m->n < TREE_NODES_MAX ? arena_alloc(m->arena, sizeof *t) : NULL;

    if (!t) {
        if (diag_errors(m->d) == 0)
            diag_error(m->d, (struct field_mark){ .file = m->file }, 0, E_FILE,
                       m->n < TREE_NODES_MAX ? "no memory to read the file"
                                             : "more than %d values in one file",
                       TREE_NODES_MAX);
        return NULL;
    }
    m->n++;
    t->kind = kind;
    t->key = key;
    t->text = "";
    if (parent && parent->last)
        parent->last->next = t;
    else if (parent)
        parent->first = t;
    if (parent) {
        parent->last = t;
        parent->n++;
    }
    return t;
}

struct tree *tree_get(const struct tree *table, const char *key)
{
    struct tree *t = table ? table->first : NULL;

    while (t && !(t->key && strcmp(t->key, key) == 0))
        t = t->next;
    return t;
}

void tree_error(const struct tree_maker *m, const struct tree *at, enum diag_code code,
                const char *format, ...)
{
    char text[DIAG_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    diag_error(m->d, (struct field_mark){ m->file, at ? at->line : 0, at ? at->column : 0 },
               at ? at->width : 0, code, "%s", text);
}
