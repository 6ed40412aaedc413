/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token - JSON (RFC 8259) piece by piece, where it lies: nothing is allocated or copied. A
 * reception must cost a microsecond on a slow station; a tree of it costs ten.
 *
 * Strict, but for two things: text is not checked for UTF-8, and a number is any size. Whoever
 * wants a value asks whether it fits. Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOKEN_DEPTH_MAX = 16 }; /* the protocol needs 4 */

enum token_type {
    TOKEN_NONE, /* of a field that was not there */
    TOKEN_BAD,  /* not JSON, too deep, or cut off; for good */
    TOKEN_DONE, /* the document is complete and nothing follows */
    TOKEN_OBJECT,
    TOKEN_OBJECT_END,
    TOKEN_ARRAY,
    TOKEN_ARRAY_END,
    TOKEN_KEY,
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_TRUE,
    TOKEN_FALSE,
    TOKEN_NULL,
};

struct token {
    enum token_type type;
    bool has_escapes; /* of a key or string */
    const char *text; /* key, string: between the quotes; number: as written */
    size_t n;
};

struct tokens { /* where the reader stands */
    const char *at, *end;
    uint32_t arrays; /* bit d: the container at depth d is an array */
    uint8_t depth;
    uint8_t expected;
};

void tokens_init(struct tokens *t, const char *text, size_t n);
struct token tokens_next(struct tokens *t);

/* Reads to the end of the value that began with `first`. False: it is not JSON. */
bool tokens_skip(struct tokens *t, struct token first);

/* The rest of an object whose TOKEN_OBJECT was just read: members named in `names` go to `ret`
 * at the same place, others are skipped; the last of a repeated one counts. Containers are
 * skipped too, only their type stays. False: it is not JSON. */
bool tokens_object(struct tokens *t, const char *const *names, size_t n, struct token *ret);

/* Whether a key or string is that text. */
bool token_is_text(const struct token *k, const char *text);
/* The characters of a string without escapes (those beyond ASCII become '?'), NUL-terminated.
 * The count, or -EINVAL: no string; -EMSGSIZE: longer than size - 1. */
int token_text(const struct token *k, char *out, size_t size);
/* A number times 10^scale, rounded half away from zero. -EINVAL: no number; -ERANGE: beyond
 * int64_t. scale: 0 to 9. */
int token_number(const struct token *k, unsigned scale, int64_t *ret);
