/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   frame -> libmodbus -> reply -> content (unit, PDU) -> faults -> framed again -> faults ->
 *   pieces with their times
 *
 * Only an answer that a fault of content meets is framed again.
 */
#include "gateway/sim/slave.h"

#include <errno.h>
#include <string.h>

#include "gateway/sim/identity.h"
#include "sensors/core/bytes.h"

enum {
    BITS_MAX = 2000, /* of one answer: Modbus application protocol 6.1 */
    BITS_WRITE_MAX = 1968,
    WORDS_WRITE_MAX = 123,
    ANY_UNIT_TCP = 255,
    COIL_ON = 0xFF00,
    IDENTIFY = 0x2B,
    EXCEPTION_BIT = 0x80,
};

/* One request on its way. */
struct call {
    struct slave_group *g;
    struct instrument *in; /* NULL: nobody of this unit */
    const uint8_t *frame;
    size_t frame_n;
    const uint8_t *unit_pdu;
    size_t unit_pdu_n;
    uint8_t *reply; /* EXCHANGE_FRAME_MAX bytes */
    size_t reply_n;
};

static struct instrument *instrument_of(const struct slave_group *g, uint8_t unit)
{
    for (size_t i = 0; i < g->n; i++) {
        if (instrument_options_of(g->instruments[i])->unit == unit)
            return g->instruments[i];
    }
    if (g->line == SLAVE_TCP && g->n == 1 && (unit == 0 || unit == ANY_UNIT_TCP))
        return g->instruments[0];
    return NULL;
}

/* ---- what libmodbus replies ---- */

static void refuse(struct call *c, const uint8_t *req, unsigned code)
{
    c->g->exceptions++;
    if (modbus_reply_exception(exchange_context(c->g->exchange), req, code) >= 0)
        c->reply_n = exchange_take(c->g->exchange, c->reply);
}

/* libmodbus replies from a mapping that holds just what was asked for. */
static void reply(struct call *c, const uint8_t *req, int n, uint8_t space, int first,
                  int count, uint16_t *words)
{
    uint8_t bits[BITS_MAX];
    modbus_mapping_t map = { 0 };

    for (int i = 0; i < count && i < BITS_MAX; i++)
        bits[i] = words[i] != 0;
    map.start_bits = map.start_input_bits = map.start_registers = map.start_input_registers =
        first;
    map.nb_bits = space == SPACE_COIL ? count : 0;
    map.nb_input_bits = space == SPACE_DISCRETE ? count : 0;
    map.nb_registers = space == SPACE_HOLDING ? count : 0;
    map.nb_input_registers = space == SPACE_INPUT ? count : 0;
    map.tab_bits = map.tab_input_bits = bits;
    map.tab_registers = map.tab_input_registers = words;
    c->g->answers++;
    if (modbus_reply(exchange_context(c->g->exchange), req, n, &map) >= 0)
        c->reply_n = exchange_take(c->g->exchange, c->reply);
}

static void answer_read(struct call *c, const uint8_t *req, int n, const uint8_t *pdu)
{
    uint16_t words[BITS_MAX];
    uint8_t space = pdu[0];
    unsigned first = get_be16(pdu + 1), count = get_be16(pdu + 3);
    unsigned max = space <= SPACE_DISCRETE ? BITS_MAX : PROFILE_REQUEST_MAX;

    if (count == 0 || count > max) {
        refuse(c, req, MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE);
        return;
    }
    instrument_advance(c->in, clock_wall_ms(c->g->clock));
    if (instrument_read(c->in, space, first, count, words) < 0)
        refuse(c, req, MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS);
    else
        reply(c, req, n, space, (int)first, (int)count, words);
}

struct write {
    uint8_t space;
    unsigned first, count;
    uint16_t words[BITS_WRITE_MAX];
};

static bool read_many(const uint8_t *pdu, size_t n, bool is_bits, struct write *ret)
{
    unsigned max = is_bits ? BITS_WRITE_MAX : WORDS_WRITE_MAX;

    ret->count = get_be16(pdu + 3);
    size_t bytes = is_bits ? (ret->count + 7u) / 8 : 2u * ret->count;
    if (ret->count == 0 || ret->count > max || n != 6 + bytes || pdu[5] != bytes)
        return false;
    for (unsigned i = 0; i < ret->count; i++) {
        if (is_bits)
            ret->words[i] = pdu[6 + i / 8] >> i % 8 & 1;
        else
            ret->words[i] = get_be16(pdu + 6 + 2 * (size_t)i);
    }
    return true;
}

/* False when the request is not what its function says. */
static bool read_write(const uint8_t *pdu, size_t n, struct write *ret)
{
    bool is_bits =
        pdu[0] == MODBUS_FC_WRITE_SINGLE_COIL || pdu[0] == MODBUS_FC_WRITE_MULTIPLE_COILS;
    uint16_t value = get_be16(pdu + 3);

    ret->space = is_bits ? SPACE_COIL : SPACE_HOLDING;
    ret->first = get_be16(pdu + 1);
    if (pdu[0] >= MODBUS_FC_WRITE_MULTIPLE_COILS)
        return n > 6 && read_many(pdu, n, is_bits, ret);
    ret->count = 1;
    ret->words[0] = is_bits ? value == COIL_ON : value;
    return n == 5 && (!is_bits || value == COIL_ON || value == 0);
}

static void answer_write(struct call *c, const uint8_t *req, int n, const uint8_t *pdu,
                         size_t pdu_n)
{
    struct write w;

    if (!read_write(pdu, pdu_n, &w)) {
        refuse(c, req, MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE);
        return;
    }
    int rc =
        instrument_write(c->in, w.space, w.first, w.count, w.words, clock_wall_ms(c->g->clock));
    if (rc < 0)
        refuse(c, req,
               rc == -ENOTSUP ? MODBUS_EXCEPTION_ILLEGAL_FUNCTION
                              : MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS);
    else
        reply(c, req, n, w.space, (int)w.first, (int)w.count, w.words);
}

static void answer_by_libmodbus(struct call *c)
{
    struct exchange *e = c->g->exchange;
    uint8_t req[EXCHANGE_FRAME_MAX];
    int n = exchange_receive(e, c->frame, c->frame_n, req);
    const uint8_t *pdu = req + modbus_get_header_length(exchange_context(e));

    if (n <= 0)
        return;
    if (!c->in) { /* on a line nobody says anything */
        if (c->g->line == SLAVE_TCP)
            refuse(c, req, MODBUS_EXCEPTION_GATEWAY_TARGET);
        return;
    }
    size_t pdu_n = c->unit_pdu_n - 1;
    const struct fault_request r = {
        .function = pdu[0],
        .first = pdu_n >= 5 ? get_be16(pdu + 1) : 0,
        .count = pdu_n >= 5 ? get_be16(pdu + 3) : 0,
    };
    uint8_t code = fault_exception(instrument_faults(c->in), &r);
    bool is_read = pdu[0] >= MODBUS_FC_READ_COILS && pdu[0] <= MODBUS_FC_READ_INPUT_REGISTERS;
    bool is_write = pdu[0] == MODBUS_FC_WRITE_SINGLE_COIL ||
                    pdu[0] == MODBUS_FC_WRITE_SINGLE_REGISTER ||
                    pdu[0] == MODBUS_FC_WRITE_MULTIPLE_COILS ||
                    pdu[0] == MODBUS_FC_WRITE_MULTIPLE_REGISTERS;
    if (code)
        refuse(c, req, code);
    else if ((is_read || is_write) && pdu_n < 5)
        refuse(c, req, MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE);
    else if (is_read)
        answer_read(c, req, n, pdu);
    else if (is_write)
        answer_write(c, req, n, pdu, pdu_n);
    else
        refuse(c, req, MODBUS_EXCEPTION_ILLEGAL_FUNCTION);
}

/* ---- identification: libmodbus does not know the function ---- */

static void answer_identify(struct call *c)
{
    uint8_t out[1 + IDENTITY_PDU_MAX] = { c->unit_pdu[0] };

    if (!exchange_is_sound(c->g->exchange, c->frame, c->frame_n) ||
        (!c->in && c->g->line == SLAVE_RTU))
        return;
    int n = c->in ? identity_answer(instrument_options_of(c->in)->profile, c->unit_pdu + 1,
                                    c->unit_pdu_n - 1, out + 1)
                  : -MODBUS_EXCEPTION_GATEWAY_TARGET;
    if (n < 0) {
        out[1] = IDENTIFY | EXCEPTION_BIT;
        out[2] = (uint8_t)-n;
        n = 2;
        c->g->exceptions++;
    } else {
        c->g->answers++;
    }
    c->reply_n = exchange_frame(c->g->exchange, c->frame, out, 1 + (size_t)n, c->reply);
}

/* ---- somebody else answers ---- */

static void answer_elsewhere(struct call *c)
{
    uint8_t out[EXCHANGE_FRAME_MAX];

    if (!exchange_is_sound(c->g->exchange, c->frame, c->frame_n))
        return;
    size_t n = c->g->answer(c->g->user, c->unit_pdu, c->unit_pdu_n, out);
    if (n == 0)
        return;
    c->reply_n = exchange_frame(c->g->exchange, c->frame, out, n, c->reply);
    c->g->answers++;
}

/* ---- faults ---- */

static void apply_faults(struct call *c, struct fault_answer *a)
{
    struct fault_state *s = instrument_faults(c->in);
    uint8_t content[FAULT_BYTES_MAX];
    size_t n;
    const uint8_t *p = exchange_content(c->g->exchange, a->bytes, a->n, &n);

    memcpy(content, p, n);
    if (fault_content(s, content, &n))
        a->n = exchange_frame(c->g->exchange, c->frame, content, n, a->bytes);
    fault_shape(s, c->g->line == SLAVE_RTU, a);
    c->g->silent += a->n == 0;
}

void slave_answer(struct slave_group *g, const uint8_t *frame, size_t n,
                  struct fault_answer *ret)
{
    struct call c = { .g = g, .frame = frame, .frame_n = n, .reply = ret->bytes };

    *ret = (struct fault_answer){ 0 };
    c.unit_pdu = exchange_content(g->exchange, frame, n, &c.unit_pdu_n);
    if (n > EXCHANGE_FRAME_MAX || c.unit_pdu_n < 2 || c.unit_pdu_n >= n)
        return;
    c.in = g->answer ? NULL : instrument_of(g, c.unit_pdu[0]);
    if (c.in)
        fault_begin(instrument_faults(c.in), mono_ms() - g->start_ms);
    if (g->answer)
        answer_elsewhere(&c);
    else if (c.unit_pdu[1] == IDENTIFY)
        answer_identify(&c);
    else
        answer_by_libmodbus(&c);
    ret->n = c.reply_n;
    g->silent += c.reply_n == 0;
    if (c.in && c.reply_n > 0)
        apply_faults(&c, ret);
}
