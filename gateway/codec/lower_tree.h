/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_tree - what the parts of the rewriter share: the source as a tree with positions, its
 * names, scopes and bindings, all in one arena. Private to lower*.c.
 *
 * Every node covers src[start..end); children stand in source order and do not overlap, so what
 * lies between them (operators, keywords, comments, blanks) can be copied as it is.
 *
 * Errors stick in `error`: the first one counts, later calls do nothing of harm, and the parts
 * look at it once at the end.
 */
#pragma once

#include "gateway/codec/lower.h"

enum {
    LOWER_DEPTH_MAX = 400,      /* nesting; codecs reach 40, the stack bears 2,000 */
    LOWER_ARENA_MAX = 40 << 20, /* a 256 KiB source of single letters takes 25 MiB */
    LOWER_TEXT_MAX = 4 << 20,   /* of the result */
    LOWER_CHAIN_MAX = 50,       /* ?. and spread calls in one chain */
};

#define LOWER_NO_NAME UINT32_MAX

enum node_kind {
    NODE_GROUP, /* anything that only its children matter of */
    NODE_STATEMENT,
    NODE_BLOCK,
    NODE_SWITCH, /* from { to }: a scope; its statement is the group around it */
    NODE_FOR,
    NODE_FOR_EACH, /* in, of: target, subject, body */
    NODE_CATCH,
    NODE_DECLARATION,
    NODE_DECLARATOR,
    NODE_FUNCTION,
    NODE_PARAMS,
    NODE_IDENT,
    NODE_THIS,
    NODE_NEW_TARGET,
    NODE_LEAF, /* string, number, regular expression, property name */
    NODE_NUMBER,
    NODE_TEMPLATE,
    NODE_CHUNK,
    NODE_ARRAY,
    NODE_HOLE,
    NODE_OBJECT,
    NODE_PROPERTY,
    NODE_SPREAD,
    NODE_PAREN,
    NODE_ASSIGN,
    NODE_NULLISH,
    NODE_NEW,
    NODE_CHAIN, /* head, then members, indexes and calls */
    NODE_MEMBER,
    NODE_INDEX,
    NODE_CALL,
    NODE_ARRAY_PATTERN,
    NODE_OBJECT_PATTERN,
};

enum node_flag {
    IS_OPEN_ENDED = 1 << 0, /* statement: closed by automatic semicolon insertion */
    IS_STRING = 1 << 1,     /* leaf */
    IS_DIRECTIVE = 1 << 1,  /* statement of one string */
    IS_LEXICAL = 1 << 2,    /* declaration: let or const */
    IS_ARROW = 1 << 3,      /* function */
    IS_DECLARED = 1 << 4,   /* function: a declaration */
    IS_NAMED = 1 << 5,      /* function: first child is its name */
    IS_SIMPLE = 1 << 6,     /* parameters: names only */
    HAS_COMMA = 1 << 7,     /* trailing */
    IS_OF = 1 << 8,         /* for each */
    HAS_INIT = 1 << 9,      /* for: first child is the first clause */
    IS_SHORTHAND = 1 << 10, /* property */
    IS_COMPUTED = 1 << 11,
    IS_ACCESSOR = 1 << 12,
    IS_WRITTEN = 1 << 13,  /* name: assigned here */
    IS_OPTIONAL = 1 << 14, /* member, index, call after ?. */
    IS_LOOP = 1 << 15,     /* group: while, do */
    HAS_SPREAD = 1 << 16,  /* array, object, call */
    IS_METHOD = 1 << 17,   /* property, function */
    IS_DELETE = 1 << 18,   /* group */
    IS_BARE = 1 << 19,     /* parameter without parentheses; catch without binding */
    IS_CONCISE = 1 << 20,  /* arrow with an expression as body */
};

struct binding;
struct scope;
struct function;

struct node {
    uint8_t kind;
    uint32_t flags;
    uint32_t start, end;
    uint32_t name; /* NODE_IDENT */
    uint32_t at;   /* offset of =>, of the operator, of the keyword of or in */
    struct node *next;
    union {
        struct {
            struct node *first, *last;
        };
        struct {               /* NODE_IDENT */
            struct node *same; /* the one before of this name */
            struct function *function;
        };
    };
    union {
        struct binding *binding; /* NODE_IDENT; NULL: a global */
        struct scope *scope;     /* what opens one */
        struct function *own;    /* NODE_FUNCTION */
        struct function *user;   /* NODE_THIS in an arrow: whose this it is */
        const char *holder;      /* parameter that is a pattern: the name it got */
    };
};

enum binding_kind { BINDING_VAR, BINDING_PARAM, BINDING_FUNCTION, BINDING_LEXICAL };

struct binding {
    uint32_t name;
    uint8_t kind;
    bool is_inner;    /* in a block of its function, so that a var would be seen too widely */
    bool is_captured; /* by a closure, once for each turn of a loop */
    bool is_assigned; /* in the body of the loop whose head declares it */
    bool is_renamed;
    const char *text;      /* how it is written now; NULL: as it is */
    const char *head_text; /* in the head of its loop, when that differs */
    uint32_t body_start;   /* where the head ends */
    struct scope *scope;
    struct binding *next;   /* of this scope */
    struct binding *hidden; /* while resolving */
    bool is_again;          /* declared before in the same scope: that one counts */
};

struct scope {
    struct scope *parent;
    struct function *function;
    struct node *loop; /* the nearest around, in the same function */
    struct node *head; /* the for statement whose head this is */
    struct binding *first;
    bool is_top, is_function_name;
};

struct function {
    struct node *node; /* NULL: the program */
    struct function *parent;
    struct scope *scope;
    bool is_arrow;
    bool lends_this, lends_arguments; /* to arrows within */
    struct temporary *temporaries;    /* to be declared at its beginning */
};

struct temporary {
    struct temporary *next;
    const char *text;
};

struct name {
    const char *text; /* not closed by 0 */
    uint32_t size, next;
    struct binding *top;     /* while resolving */
    struct node *occurrence; /* the last */
};

struct lowering {
    const char *src;
    uint32_t size;
    struct lower_chunk *chunks; /* of the arena */
    size_t arena_size;
    uint32_t *lines; /* offsets of their beginnings */
    uint32_t lines_n;
    struct name *names;
    uint32_t names_n, names_cap;
    uint32_t *buckets;
    uint32_t fresh;
    unsigned found;
    int error;      /* 0 or a negative errno */
    bool is_syntax; /* it is no more than not understood */
    uint32_t error_at;
    char why[200];
    struct node *program;
    struct function *root; /* the program */
    struct node spare;     /* stands for what could not be allocated */
};

/* Zeroed; NULL after setting the error. Lives as long as the lowering. */
void *lower_alloc(struct lowering *l, size_t size);
void lower_free(struct lowering *l);
void lower_refuse(struct lowering *l, uint32_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void lower_fail(struct lowering *l, int error, uint32_t at, const char *why);
int lower_index_lines(struct lowering *l);
uint32_t lower_line_of(const struct lowering *l, uint32_t at); /* from 1 */
uint32_t lower_name(struct lowering *l, const char *text, uint32_t size);
/* A name that the source does not use: stem, then stem with a number. */
const char *lower_fresh(struct lowering *l, const char *stem, size_t size);

struct node *lower_node(struct lowering *l, enum node_kind kind, uint32_t start);
void lower_append(struct lowering *l, struct node *parent, struct node *child);

/* The steps, each after the one before. */
void lower_parse(struct lowering *l);
void lower_resolve(struct lowering *l);
/* NULL when nothing needs to be rewritten; free(). */
void lower_print(struct lowering *l, char **ret, size_t *ret_size);
