/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/slave.h"

#include <errno.h>

#include "sensors/core/bytes.h"

enum {
    BITS_MAX = 2000, /* of one answer: Modbus application protocol 6.1 */
    ANY_UNIT_TCP = 255,
};

static struct instrument *instrument_of(const struct slave_group *g, enum slave_line line,
                                        uint8_t unit)
{
    for (size_t i = 0; i < g->n; i++) {
        if (instrument_options_of(g->instruments[i])->unit == unit)
            return g->instruments[i];
    }
    if (line == SLAVE_TCP && g->n == 1 && (unit == 0 || unit == ANY_UNIT_TCP))
        return g->instruments[0];
    return NULL;
}

static int refuse(struct slave_group *g, modbus_t *ctx, const uint8_t *req, unsigned code)
{
    g->exceptions++;
    return modbus_reply_exception(ctx, req, code) < 0 ? -EIO : 0;
}

/* libmodbus replies from a mapping that holds just what was asked for. */
static int reply(modbus_t *ctx, const uint8_t *req, int n, uint8_t space, int first, int count,
                 uint16_t *words)
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
    return modbus_reply(ctx, req, n, &map) < 0 ? -EIO : 0;
}

int slave_answer(struct slave_group *g, enum slave_line line, modbus_t *ctx, const uint8_t *req,
                 int n)
{
    const uint8_t *pdu = req + modbus_get_header_length(ctx);
    uint16_t words[BITS_MAX];
    struct instrument *in = instrument_of(g, line, pdu[-1]);

    if (!in) {
        g->silent++;
        return line == SLAVE_RTU ? 0 : refuse(g, ctx, req, MODBUS_EXCEPTION_GATEWAY_TARGET);
    }
    uint8_t space = pdu[0];
    if (space < SPACE_COIL || space > SPACE_INPUT)
        return refuse(g, ctx, req, MODBUS_EXCEPTION_ILLEGAL_FUNCTION);
    if (n < (int)(pdu - req) + 5)
        return refuse(g, ctx, req, MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE);

    unsigned first = get_be16(pdu + 1);
    unsigned count = get_be16(pdu + 3);
    unsigned max = space <= SPACE_DISCRETE ? BITS_MAX : PROFILE_REQUEST_MAX;
    if (count == 0 || count > max)
        return refuse(g, ctx, req, MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE);
    instrument_advance(in, clock_wall_ms(g->clock));
    if (instrument_read(in, space, first, count, words) < 0)
        return refuse(g, ctx, req, MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS);
    g->answers++;
    return reply(ctx, req, n, space, (int)first, (int)count, words);
}
