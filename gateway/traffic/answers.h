/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers - what recorded devices answered, to answer with again: per request the answers in
 * the order in which they came, over and over. What was never asked, and what was never
 * answered, gets none. Pure but for its memory.
 */
#pragma once

#include "gateway/traffic/exchange.h"

enum { ANSWERS_MAX = 200000 }; /* exchanges of one file: a day of a busy line */

struct answers;

int answers_create(struct answers **ret); /* 0 or -ENOMEM */
void answers_destroy(struct answers *a);  /* takes NULL */

/* 0, -ENOMEM or -E2BIG. */
int answers_add(struct answers *a, const struct traffic_exchange *e);
/* After the last one; then only answers_next(). */
void answers_sort(struct answers *a);

/* Unit and PDU that answer this unit and PDU; *ret_n their bytes; NULL: silence. */
const uint8_t *answers_next(struct answers *a, const uint8_t *request, size_t n, size_t *ret_n);

size_t answers_requests(const struct answers *a); /* different ones that have an answer */
size_t answers_total(const struct answers *a);
