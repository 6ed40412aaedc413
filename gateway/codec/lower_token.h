/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_token - tokens of a source, one at a time and on demand: only the parser knows whether
 * a slash divides or opens a regular expression and whether a brace closes a substitution, so
 * it says which it wants. Private to lower*.c.
 */
#pragma once

#include "gateway/codec/lower_tree.h"

enum token_type {
    TOKEN_END,
    TOKEN_NAME, /* words too */
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_TEMPLATE, /* its opening ` */
    TOKEN_PUNCTUATOR,
};

struct token {
    enum token_type type;
    bool is_after_newline;
    bool has_escape;    /* in a name: never a keyword */
    bool has_separator; /* in a number */
    uint32_t start, end;
};

struct token_reader {
    struct lowering *l;
    uint32_t pos;
    struct token now;
    uint32_t end_before; /* of the token before */
};

void token_next(struct token_reader *t);
/* The current token is / or /=: read again as a regular expression. */
void token_as_regexp(struct token_reader *t);
/* From `pos` to ` or ${, which are passed over. Returns the end of the chunk; `is_last` when it
 * was `. */
uint32_t token_template_chunk(struct token_reader *t, uint32_t pos, bool *is_last);
bool token_is(const struct token_reader *t, const char *text); /* punctuator */
bool token_is_word(const struct token_reader *t, const char *word);
/* The name that the token spells, escapes resolved. */
uint32_t token_name(struct token_reader *t);
/* Not understood: no refusal when nothing of the source was to be rewritten. */
void token_unexpected(struct token_reader *t);
