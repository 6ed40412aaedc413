/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/rtu_open.h"

static uint8_t function_of(uint64_t key)
{
    return (uint8_t)(key >> 32);
}

struct rtu_open_answer *rtu_open_find(struct rtu_open *o, uint64_t key)
{
    for (size_t i = 0; i < o->n; i++) {
        if (o->answer[i].key == key)
            return &o->answer[i];
    }
    return NULL;
}

bool rtu_open_has_function(const struct rtu_open *o, uint8_t function)
{
    for (size_t i = 0; i < o->n; i++) {
        if (function_of(o->answer[i].key) == function)
            return true;
    }
    return false;
}

void rtu_open_add(struct rtu_open *o, uint64_t key, int64_t asked_us, bool is_foreign)
{
    struct rtu_open_answer *a = rtu_open_find(o, key);

    if (a) {
        a->last_us = asked_us;
        a->is_foreign = a->is_foreign && is_foreign;
        a->foreign_n += is_foreign;
    } else if (o->n < (is_foreign ? RTU_OPEN_MAX - RTU_OPEN_SPARE : RTU_OPEN_MAX)) {
        o->answer[o->n++] =
            (struct rtu_open_answer){ key, asked_us, asked_us, is_foreign, is_foreign };
    }
}

static void remove_answer(struct rtu_open *o, struct rtu_open_answer *a)
{
    *a = o->answer[--o->n];
}

void rtu_open_foreign_answered(struct rtu_open *o, struct rtu_open_answer *a)
{
    if (--a->foreign_n == 0)
        remove_answer(o, a);
}

void rtu_open_forget(struct rtu_open *o, int64_t before_us)
{
    for (size_t i = o->n; i-- > 0;) {
        if (o->answer[i].last_us < before_us)
            remove_answer(o, &o->answer[i]);
    }
}

/* Everything asked until then is over. */
static void end_until(struct rtu_open *o, int64_t us)
{
    for (size_t i = o->n; i-- > 0;) {
        struct rtu_open_answer *a = &o->answer[i];
        if (a->last_us <= us)
            remove_answer(o, a);
        else if (a->first_us <= us)
            a->first_us = us + 1; /* at the earliest */
    }
}

bool rtu_open_answered(struct rtu_open *o, uint64_t key)
{
    const struct rtu_open_answer *a = rtu_open_find(o, key);
    bool is_newest = a && a->first_us == a->last_us;

    if (a)
        end_until(o, a->first_us);
    return is_newest;
}

bool rtu_open_refused(struct rtu_open *o, uint8_t function, int64_t asked_us)
{
    int64_t oldest_us = asked_us;

    for (size_t i = 0; i < o->n; i++) {
        const struct rtu_open_answer *a = &o->answer[i];
        if (function_of(a->key) == function && a->first_us < oldest_us)
            oldest_us = a->first_us;
    }
    end_until(o, oldest_us);
    return oldest_us == asked_us;
}
