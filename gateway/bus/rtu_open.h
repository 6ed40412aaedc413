/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtu_open - which answers of one unit may still come. Pure; inside gateway/bus only.
 *
 * A unit answers in the order in which it was asked, or not at all. So an answer proves that
 * everything asked before its own request is over, however late it is. Which request is its
 * own, Modbus RTU does not say: of several that would be answered alike (equal adu_key()) it
 * may be the oldest, and no more than that is concluded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTU_OPEN_MAX = 16,  /* different answers outstanding */
    RTU_OPEN_SPARE = 4, /* of these, for short reads alone */
    RTU_OPEN_LAST = 2,  /* of these, once the unit is heard again */
};

struct rtu_open_answer {
    uint64_t key;
    int64_t first_us, last_us; /* its oldest and newest request */
    bool is_foreign;           /* other masters alone asked */
    uint32_t foreign_n;        /* so often */
};

struct rtu_open {
    struct rtu_open_answer answer[RTU_OPEN_MAX]; /* keys differ */
    size_t n;
};

/* NULL: no such answer is outstanding. */
struct rtu_open_answer *rtu_open_find(struct rtu_open *o, uint64_t key);

/* Whether an answer, exceptions included, to a request with this function is outstanding. */
bool rtu_open_has_function(const struct rtu_open *o, uint8_t function);

/* A request leaves; times never repeat. A new key is left out of a full table, another master's
 * out of one with no more than RTU_OPEN_SPARE free. */
void rtu_open_add(struct rtu_open *o, uint64_t key, int64_t asked_us, bool is_foreign);

/* An answer came that is_foreign. */
void rtu_open_foreign_answered(struct rtu_open *o, struct rtu_open_answer *a);

/* What was asked last before then will not be answered any more. */
void rtu_open_forget(struct rtu_open *o, int64_t before_us);

/* An answer with this key came, which is in the table. True: it can only belong to its newest
 * request. */
bool rtu_open_answered(struct rtu_open *o, uint64_t key);

/* The same for an exception to this function, asked last at asked_us. */
bool rtu_open_refused(struct rtu_open *o, uint8_t function, int64_t asked_us);
