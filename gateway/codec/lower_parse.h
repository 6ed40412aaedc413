/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_parse - the parts of the parser: statements (lower_parse.c), operators
 * (lower_expression.c), what they join (lower_primary.c), functions and patterns
 * (lower_params.c). Private to lower*.c.
 */
#pragma once

#include "gateway/codec/lower_token.h"

struct parser {
    struct token_reader t;
    struct lowering *l;
    int depth;
    bool has_no_in; /* in the first clause of a for statement */
};

/* Counts a level of nesting; false, with the error set, when it is one too many. The caller
 * ends with parse_leave() either way. */
bool parse_enter(struct parser *p);
void parse_leave(struct parser *p);

void parse_found(struct parser *p, enum lower_feature f);
void parse_require(struct parser *p, bool is_so); /* or the token is unexpected */
void parse_expect(struct parser *p, const char *punctuator);
bool parse_accept(struct parser *p, const char *punctuator);
/* Sets the end of the node to that of the token before. */
struct node *parse_close(struct parser *p, struct node *n);
/* The current token as a node of its own, passed over. */
struct node *parse_leaf(struct parser *p, enum node_kind kind);
struct node *parse_ident(struct parser *p);

struct node *parse_expression(struct parser *p); /* with commas */
struct node *parse_assignment(struct parser *p);
struct node *parse_conditional(struct parser *p);
struct node *parse_postfix(struct parser *p);
/* Elements up to `close`, which is passed over; holes count where `has_holes`. */
void parse_elements(struct parser *p, struct node *list, const char *close, bool has_holes);
struct node *parse_target(struct parser *p); /* binding: name or pattern */
/* From ( to }: a method, or what follows the name of a function. */
void parse_function_rest(struct parser *p, struct node *function);
struct node *parse_function(struct parser *p, bool is_declared);
/* At =>. */
struct node *parse_arrow(struct parser *p, struct node *params);
struct node *parse_block(struct parser *p);
/* An expression, read as what is assigned to. */
void parse_as_pattern(struct parser *p, struct node *n);
/* Names that can be neither variables nor the beginning of an expression. */
bool parse_is_reserved(const struct parser *p);
