/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/rtu_short.h"

#include "gateway/bus/modbus_frame.h"

static uint8_t read_function(uint8_t function)
{
    static const uint8_t reads[] = {
        [BUS_READ_COILS] = BUS_READ_COILS,     [BUS_READ_DISCRETE] = BUS_READ_DISCRETE,
        [BUS_READ_HOLDING] = BUS_READ_HOLDING, [BUS_READ_INPUT] = BUS_READ_INPUT,
        [BUS_WRITE_COIL] = BUS_READ_COILS,     [BUS_WRITE_REGISTER] = BUS_READ_HOLDING,
        [BUS_WRITE_COILS] = BUS_READ_COILS,    [BUS_WRITE_REGISTERS] = BUS_READ_HOLDING,
        [BUS_IDENTIFY] = BUS_READ_HOLDING,
    };

    return reads[function];
}

/* Whatever a function answers of which nothing is outstanding proves the rest to be over, an
 * exception too. */
static uint8_t fresh_function(const struct rtu_open *o, uint8_t otherwise)
{
    for (uint8_t f = BUS_READ_INPUT; f >= BUS_READ_COILS; f--) {
        if (!rtu_open_has_function(o, f))
            return f;
    }
    return otherwise;
}

static void set_place(struct bus_request *s, uint8_t function, size_t data_bytes,
                      uint16_t first)
{
    bool is_bits = function <= BUS_READ_DISCRETE;

    s->function = function;
    s->count = (uint16_t)(is_bits ? 8 * data_bytes - 7 : data_bytes / 2);
    s->first = first;
    if ((uint32_t)first + s->count > 0x10000)
        s->first = (uint16_t)(0x10000 - s->count);
}

/* Fewest registers whose answer looks like none outstanding, nor like the one to come: it
 * proves all. The last ones are for a unit that is heard. */
static bool find_fresh(struct rtu_open *o, const struct bus_request *r,
                       struct rtu_knowledge known, struct bus_request *s)
{
    size_t room = known.is_heard ? RTU_OPEN_MAX : RTU_OPEN_MAX - RTU_OPEN_LAST;
    uint8_t function = read_function(r->function);

    if (known.has_doubt)
        function = fresh_function(o, function);
    for (size_t words = 1; o->n < room && words <= RTU_OPEN_MAX + 1; words++) {
        size_t bytes = function <= BUS_READ_DISCRETE ? words : 2 * words;
        set_place(s, function, bytes, r->first);
        if (adu_is_request(s) && adu_key(s) != adu_key(r) && !rtu_open_find(o, adu_key(s)))
            return true;
    }
    return false;
}

/* The outstanding read that was asked last, again: enough to see whether the unit is back. The
 * others may be forgotten meanwhile. */
static bool find_stale(const struct rtu_open *o, const struct bus_request *r,
                       struct bus_request *s)
{
    int64_t best_us = INT64_MIN;

    for (size_t i = 0; i < o->n; i++) {
        const struct rtu_open_answer *a = &o->answer[i];
        struct bus_request again = *s;
        if (a->key >> 32 > BUS_READ_INPUT || a->key == adu_key(r) || a->last_us <= best_us)
            continue;
        set_place(&again, (uint8_t)(a->key >> 32), (size_t)(a->key & UINT8_MAX), r->first);
        if (!adu_is_request(&again)) /* another master may ask for more than we do */
            continue;
        best_us = a->last_us;
        *s = again;
    }
    return best_us > INT64_MIN;
}

bool rtu_short_read(struct rtu_open *o, const struct bus_request *r, struct rtu_knowledge known,
                    struct bus_request *ret)
{
    struct bus_request s = *r;

    s.words = NULL;
    if (!find_fresh(o, r, known, &s) && !find_stale(o, r, &s))
        return false;
    *ret = s;
    return true;
}
