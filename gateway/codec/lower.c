/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/codec/lower_tree.h"

static const char *const feature_names[] = {
    "let",
    "const",
    "arrow functions",
    "template literals",
    "spread",
    "destructuring",
    "default values",
    "rest parameters",
    "for...of",
    "object spread",
    "optional chaining",
    "\?\? (nullish coalescing)",
    "catch without a name",
    "trailing commas",
    "numeric separators",
};

const char *lower_feature_name(enum lower_feature f)
{
    for (size_t i = 0; i < sizeof feature_names / sizeof feature_names[0]; i++)
        if ((unsigned)f == 1u << i)
            return feature_names[i];
    return "";
}

static int copy_source(const char *source, size_t size, struct lower_result *ret)
{
    char *text = malloc(size + 1);

    if (!text)
        return -ENOMEM;
    if (size > 0)
        memcpy(text, source, size);
    text[size] = '\0';
    ret->text = text;
    ret->size = size;
    ret->is_unchanged = true;
    return 0;
}

/* The column counts characters, not bytes. */
static void report(const struct lowering *l, struct lower_result *ret)
{
    uint32_t at = l->error_at < l->size ? l->error_at : l->size;
    uint32_t line = l->lines ? lower_line_of(l, at) : 1;

    ret->line = (int)line;
    ret->column = 1;
    for (uint32_t i = l->lines ? l->lines[line - 1] : 0; i < at; i++)
        ret->column += ((uint8_t)l->src[i] & 0xc0) != 0x80;
    snprintf(ret->why, sizeof ret->why, "%s", l->why);
}

/* What is only not understood, or too deep, may still be ES5: the engine is to judge it. */
static bool is_for_engine(const struct lowering *l)
{
    return l->found == 0 && (l->is_syntax || l->error == -E2BIG);
}

int lower_source(const char *source, size_t size, struct lower_result *ret)
{
    struct lowering l = { .src = source, .size = (uint32_t)size };
    struct lower_result out = { .text = NULL };

    if (size > LOWER_SOURCE_MAX) {
        out.line = out.column = 1;
        snprintf(out.why, sizeof out.why, "The script has %zu bytes, %d are allowed.", size,
                 LOWER_SOURCE_MAX);
        *ret = out;
        return -E2BIG;
    }
    if (lower_index_lines(&l) != 0)
        return -ENOMEM;
    lower_parse(&l);
    if (!l.error)
        lower_resolve(&l);
    if (!l.error)
        lower_print(&l, &out.text, &out.size);
    int r = l.error;
    if (r == 0 && !out.text)
        r = copy_source(source, size, &out);
    else if (r != 0 && is_for_engine(&l))
        r = copy_source(source, size, &out);
    else if (r != 0)
        report(&l, &out);
    out.found = l.found;
    lower_free(&l);
    if (r != -ENOMEM)
        *ret = out;
    return r;
}
