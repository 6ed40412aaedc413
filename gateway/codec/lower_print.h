/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_print - the tree as ES5. What needs no change is copied; lines stay where they are.
 * Private to lower*.c.
 *
 * Text that moves forward keeps its lines, text that would have to come before its line is
 * written on one line (`is_squashed`): comments go, semicolons that were inserted are written.
 */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/codec/lower_tree.h"

/* A place of the result where the temporaries of a function are declared once they are known.
 */
struct hole {
    uint32_t pos;
    const struct function *function; /* NULL: only the semicolon */
    bool has_semicolon;
};

struct printer {
    struct lowering *l;
    struct buf out;
    struct hole *holes; /* in the order of their places */
    uint32_t holes_n, holes_cap;
    struct function *function;
    const char *this_name, *arguments_name;
    uint32_t line; /* of the result */
    uint32_t edits;
    bool is_squashed;
};

/* Core. */
void print_text(struct printer *p, const char *text); /* of our own, without line breaks */
void print_copy(struct printer *p, uint32_t from, uint32_t to);
void print_sync(struct printer *p, uint32_t at); /* goes to the line of the source */
void print_node(struct printer *p, struct node *n);
void print_moved(struct printer *p, struct node *n);
/* Children, and all that is between them, from `from` to `to`. */
void print_between(struct printer *p, struct node *first, uint32_t from, uint32_t to);
const char *print_temporary(struct printer *p);
void print_declare(struct printer *p, const char *name); /* at the head of the function */
const char *print_binding(struct printer *p, const struct binding *b);
uint32_t print_hole(struct printer *p, const struct function *f);

/* Statements. */
void print_block(struct printer *p, struct node *n);
void print_statements(struct printer *p, struct node *first, uint32_t from, uint32_t to);
void print_statement(struct printer *p, struct node *n);
void print_for(struct printer *p, struct node *n);
void print_for_each(struct printer *p, struct node *n);
void print_catch(struct printer *p, struct node *n);
/* Catch clauses as scopes of what closures keep; the count of braces to close. */
int print_open_scope(struct printer *p, const struct scope *s);
void print_close_scope(struct printer *p, int n);

/* Functions. */
void print_function(struct printer *p, struct node *n);

/* Patterns. Where a value is found: base, base.key, base[key] or base[index]. */
struct place {
    const char *base;
    struct node *key; /* NULL: an index */
    const char *key_text;
    bool has_index;
    uint32_t index;
};

void print_place(struct printer *p, const struct place *from);
/* ", a = from.a, ..." for whatever the target holds; `is_first` leaves out the first comma. */
void print_bind(struct printer *p, struct node *target, const struct place *from,
                bool *is_first);
void print_declaration(struct printer *p, struct node *n);
void print_assign(struct printer *p, struct node *n);
/* Whether a name of the target is kept by closures, once a turn. */
bool print_is_captured(const struct node *target);
/* Declares those that are not at the head of the function. */
void print_declare_others(struct printer *p, struct node *target);

/* Expressions. */
void print_template(struct printer *p, struct node *n);
void print_array(struct printer *p, struct node *n);
void print_object(struct printer *p, struct node *n);
void print_property(struct printer *p, struct node *n);
void print_call(struct printer *p, struct node *n);
void print_chain(struct printer *p, struct node *n);
void print_nullish(struct printer *p, struct node *n);
