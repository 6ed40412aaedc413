/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/modbus_frame.h"

#include <string.h>

#include "sensors/core/bytes.h"

enum {
    EXCEPTION_BIT = 0x80,
    EXCEPTION_MIN = 1,
    EXCEPTION_MAX = 11, /* protocol section 7: the last one is "target failed to respond" */
    PDU_SHORT = 5,      /* function and two words: most requests, answers to writes */
    PDU_HEAD = 2,       /* function and byte count */
    PDU_MANY = 6,       /* a write of many, before its data */
    PDU_ASK_OBJECT = 4,
    PDU_OBJECT = 9, /* an identification, before its text */
    MEI_IDENTIFY = 0x0E,
    ONE_OBJECT = 4, /* "Read Device ID code", protocol 6.21 */
    COIL_ON = 0xFF00,
    MBAP_UNIT = 6,
    MBAP_LENGTH_MIN = 3, /* unit, function, one byte more: the shortest answer, an exception */
    MBAP_LENGTH_MAX = ADU_TCP_MAX - MBAP_UNIT,
};

enum shape { SHAPE_NONE, SHAPE_BITS, SHAPE_WORDS, SHAPE_ONE, SHAPE_MANY, SHAPE_OBJECT };

static enum shape shape_of(uint8_t function)
{
    static const uint8_t shapes[] = {
        [BUS_READ_COILS] = SHAPE_BITS,    [BUS_READ_DISCRETE] = SHAPE_BITS,
        [BUS_READ_HOLDING] = SHAPE_WORDS, [BUS_READ_INPUT] = SHAPE_WORDS,
        [BUS_WRITE_COIL] = SHAPE_ONE,     [BUS_WRITE_REGISTER] = SHAPE_ONE,
        [BUS_WRITE_COILS] = SHAPE_MANY,   [BUS_WRITE_REGISTERS] = SHAPE_MANY,
        [BUS_IDENTIFY] = SHAPE_OBJECT,
    };

    return function < sizeof shapes ? (enum shape)shapes[function] : SHAPE_NONE;
}

static bool is_bit_function(uint8_t function)
{
    return function == BUS_READ_COILS || function == BUS_READ_DISCRETE ||
           function == BUS_WRITE_COIL || function == BUS_WRITE_COILS;
}

bool adu_is_write(uint8_t function)
{
    return shape_of(function) == SHAPE_ONE || shape_of(function) == SHAPE_MANY;
}

static bool are_words(const struct bus_request *r)
{
    for (size_t i = 0; r->words && is_bit_function(r->function) && i < r->count; i++) {
        if (r->words[i] > 1)
            return false;
    }
    return r->words != NULL;
}

bool adu_is_request(const struct bus_request *r)
{
    if (r->count < 1 || (uint32_t)r->first + r->count > 0x10000)
        return false;
    switch (shape_of(r->function)) {
    case SHAPE_BITS:
    case SHAPE_WORDS:
        return r->count <= BUS_WORDS_MAX && !r->words;
    case SHAPE_ONE:
        return r->count == 1 && are_words(r);
    case SHAPE_MANY:
        return r->count <= BUS_WRITE_MAX && are_words(r);
    case SHAPE_OBJECT:
        return r->count == 1 && r->first <= UINT8_MAX && !r->words;
    case SHAPE_NONE:
        break;
    }
    return false;
}

size_t adu_data_bytes(uint8_t function, uint16_t count)
{
    return is_bit_function(function) ? (count + 7u) / 8u : count * 2u;
}

/* ---- requests ---- */

/* What follows the address: how many, or the one value. */
static uint16_t second_word(const struct bus_request *r)
{
    if (shape_of(r->function) != SHAPE_ONE)
        return r->count;
    if (r->function == BUS_WRITE_COIL)
        return r->words[0] ? COIL_ON : 0;
    return r->words[0];
}

static void put_short(const struct bus_request *r, uint8_t p[PDU_SHORT])
{
    p[0] = r->function;
    put_be16(p + 1, r->first);
    put_be16(p + 3, second_word(r));
}

static size_t put_object(const struct bus_request *r, uint8_t *p)
{
    p[0] = r->function;
    p[1] = MEI_IDENTIFY;
    p[2] = ONE_OBJECT;
    p[3] = (uint8_t)r->first;
    return PDU_ASK_OBJECT;
}

static size_t put_many(const struct bus_request *r, uint8_t *p)
{
    size_t data = adu_data_bytes(r->function, r->count);

    put_short(r, p);
    p[PDU_SHORT] = (uint8_t)data;
    memset(p + PDU_MANY, 0, data);
    for (size_t i = 0; i < r->count; i++) {
        if (is_bit_function(r->function))
            p[PDU_MANY + i / 8] |= (uint8_t)(r->words[i] << i % 8);
        else
            put_be16(p + PDU_MANY + 2 * i, r->words[i]);
    }
    return PDU_MANY + data;
}

static size_t put_pdu(const struct bus_request *r, uint8_t *p)
{
    switch (shape_of(r->function)) {
    case SHAPE_OBJECT:
        return put_object(r, p);
    case SHAPE_MANY:
        return put_many(r, p);
    default:
        put_short(r, p);
        return PDU_SHORT;
    }
}

/* ---- answers ---- */

static enum adu_verdict check_exception(const uint8_t *p, struct adu_content *ret)
{
    if (p[1] < EXCEPTION_MIN || p[1] > EXCEPTION_MAX)
        return ADU_DAMAGED;
    ret->exception = p[1];
    ret->n = 0;
    return ADU_EXCEPTION;
}

static enum adu_verdict check_read(const struct bus_request *r, const uint8_t *p, size_t n,
                                   struct adu_content *ret)
{
    size_t size = adu_data_bytes(r->function, r->count);
    const uint8_t *data = p + PDU_HEAD;

    if (n != PDU_HEAD + size || p[1] != size)
        return ADU_DAMAGED;
    for (size_t i = 0; i < r->count; i++) {
        if (is_bit_function(r->function))
            ret->words[i] = data[i / 8] >> (i % 8) & 1;
        else
            ret->words[i] = get_be16(data + 2 * i);
    }
    ret->n = r->count;
    return ADU_ANSWER;
}

static enum adu_verdict check_write(const struct bus_request *r, const uint8_t *p, size_t n,
                                    struct adu_content *ret)
{
    uint8_t echo[PDU_SHORT];

    put_short(r, echo);
    if (n != sizeof echo || memcmp(p, echo, sizeof echo) != 0)
        return ADU_DAMAGED;
    ret->n = 0;
    return ADU_ANSWER;
}

/* Of a PDU that is an identification's beginning at least. What conformity and next object say
 * bears on nothing here, and instruments differ in it; "more follows" would mean a part. */
static bool is_object(const struct bus_request *r, const uint8_t *p)
{
    return p[1] == MEI_IDENTIFY && p[2] == ONE_OBJECT && p[4] == 0 && p[6] == 1 &&
           p[7] == r->first && p[8] <= BUS_TEXT_MAX;
}

static enum adu_verdict check_object(const struct bus_request *r, const uint8_t *p, size_t n,
                                     struct adu_content *ret)
{
    if (n < PDU_OBJECT || !is_object(r, p) || n != (size_t)PDU_OBJECT + p[8])
        return ADU_DAMAGED;
    memcpy(ret->text, p + PDU_OBJECT, p[8]);
    ret->text[p[8]] = 0;
    ret->n = (uint16_t)strlen(ret->text); /* some pad with 0 */
    return ADU_ANSWER;
}

/* A whole PDU, from the function code on. */
static enum adu_verdict check_pdu(const struct bus_request *r, const uint8_t *p, size_t n,
                                  struct adu_content *ret)
{
    if (n == 2 && p[0] == (r->function | EXCEPTION_BIT))
        return check_exception(p, ret);
    if (p[0] != r->function)
        return ADU_DAMAGED;
    switch (shape_of(r->function)) {
    case SHAPE_OBJECT:
        return check_object(r, p, n, ret);
    case SHAPE_ONE:
    case SHAPE_MANY:
        return check_write(r, p, n, ret);
    default:
        return check_read(r, p, n, ret);
    }
}

void adu_fill_reply(enum adu_verdict v, const struct adu_content *c, struct bus_reply *ret)
{
    ret->outcome = v == ADU_EXCEPTION ? BUS_EXCEPTION : BUS_OK;
    ret->exception = v == ADU_EXCEPTION ? c->exception : 0;
    ret->n = v == ADU_EXCEPTION ? 0 : c->n;
    if (ret->n > 0)
        memcpy(ret->words, c->words, sizeof ret->words); /* the text too: it is shorter */
}

/* ---- TCP ---- */

size_t adu_tcp_build(const struct bus_request *r, uint16_t transaction,
                     uint8_t buf[ADU_TCP_MAX])
{
    size_t pdu = put_pdu(r, buf + ADU_TCP_HEADER);

    put_be16(buf, transaction);
    put_be16(buf + 2, 0);
    put_be16(buf + 4, (uint16_t)(1 + pdu));
    buf[MBAP_UNIT] = r->unit;
    return ADU_TCP_HEADER + pdu;
}

int adu_tcp_length(const uint8_t *p, size_t n)
{
    if (n >= 4 && get_be16(p + 2) != 0)
        return -1;
    if (n < MBAP_UNIT)
        return 0;
    unsigned length = get_be16(p + 4);
    if (length < MBAP_LENGTH_MIN || length > MBAP_LENGTH_MAX)
        return -1;
    return (int)(MBAP_UNIT + length);
}

uint16_t adu_tcp_transaction(const uint8_t *p)
{
    return get_be16(p);
}

uint8_t adu_tcp_unit(const uint8_t *p)
{
    return p[MBAP_UNIT];
}

enum adu_verdict adu_tcp_check(const struct bus_request *r, uint16_t transaction,
                               const uint8_t *p, size_t n, struct adu_content *ret)
{
    if (adu_tcp_transaction(p) != transaction)
        return ADU_FOREIGN;
    if (p[MBAP_UNIT] != r->unit)
        return ADU_DAMAGED;
    return check_pdu(r, p + ADU_TCP_HEADER, n - ADU_TCP_HEADER, ret);
}

/* ---- serial ---- */

uint16_t adu_crc(const uint8_t *p, size_t n)
{
    unsigned crc = 0xFFFF;

    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
    }
    return (uint16_t)crc;
}

size_t adu_rtu_build(const struct bus_request *r, uint8_t buf[ADU_RTU_MAX])
{
    buf[0] = r->unit;
    size_t n = 1 + put_pdu(r, buf + 1);
    uint16_t crc = adu_crc(buf, n);
    buf[n] = (uint8_t)crc;
    buf[n + 1] = (uint8_t)(crc >> 8);
    return n + ADU_CRC;
}

size_t adu_rtu_answer_size(const struct bus_request *r)
{
    if (r->function == BUS_IDENTIFY)
        return ADU_RTU_TEXT;
    if (adu_is_write(r->function))
        return ADU_RTU_REQUEST;
    return ADU_RTU_EXCEPTION + adu_data_bytes(r->function, r->count);
}

static bool has_crc(const uint8_t *p, size_t n)
{
    uint16_t crc = adu_crc(p, n - ADU_CRC);

    return p[n - 2] == (crc & 0xFF) && p[n - 1] == crc >> 8;
}

/* All objects of an identification, whatever was asked for. 0: none. */
static size_t objects_length(const uint8_t *p, size_t n)
{
    size_t at = 8; /* unit, function, MEI, code, conformity, more, next, objects */

    if (n < at || p[2] != MEI_IDENTIFY)
        return 0;
    for (unsigned i = 0; i < p[7]; i++) {
        if (at + 2 > n)
            return 0;
        at += 2u + p[at + 1];
    }
    return at + ADU_CRC;
}

static bool is_sound(const uint8_t *p, size_t n, size_t length)
{
    return length >= ADU_RTU_EXCEPTION && length <= n && length <= ADU_RTU_MAX &&
           has_crc(p, length);
}

size_t adu_rtu_any(const uint8_t *p, size_t n)
{
    if (n < ADU_RTU_EXCEPTION)
        return 0;
    bool is_many = shape_of(p[1]) == SHAPE_MANY, is_object = shape_of(p[1]) == SHAPE_OBJECT;
    const size_t lengths[] = {
        p[1] & EXCEPTION_BIT ? ADU_RTU_EXCEPTION : 0,
        1u + PDU_HEAD + p[2] + ADU_CRC,
        ADU_RTU_REQUEST,
        is_many && n > PDU_MANY ? 1u + PDU_MANY + p[PDU_MANY] + ADU_CRC : 0,
        is_object ? 1 + PDU_ASK_OBJECT + ADU_CRC : 0,
        is_object ? objects_length(p, n) : 0,
    };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        if (is_sound(p, n, lengths[i]))
            return lengths[i];
    }
    return 0;
}

bool adu_rtu_is_exception(const uint8_t *p, size_t n)
{
    return n == ADU_RTU_EXCEPTION && p[1] & EXCEPTION_BIT;
}

static uint64_t make_key(uint8_t function, uint32_t rest)
{
    return (uint64_t)function << 32 | rest;
}

static uint64_t short_key(uint8_t function, uint16_t first, uint16_t second)
{
    return make_key(function, (uint32_t)first << 16 | second);
}

uint64_t adu_key(const struct bus_request *r)
{
    switch (shape_of(r->function)) {
    case SHAPE_ONE:
    case SHAPE_MANY:
        return short_key(r->function, r->first, second_word(r));
    case SHAPE_OBJECT:
        return make_key(r->function, r->first);
    default:
        return make_key(r->function, (uint32_t)adu_data_bytes(r->function, r->count));
    }
}

uint64_t adu_rtu_key(const uint8_t *p, size_t n)
{
    enum shape shape = shape_of(p[1]);

    if (adu_rtu_is_exception(p, n))
        return 0;
    if ((shape == SHAPE_ONE || shape == SHAPE_MANY) && n == ADU_RTU_REQUEST)
        return short_key(p[1], get_be16(p + 2), get_be16(p + 4));
    if (shape == SHAPE_OBJECT && n > PDU_OBJECT)
        return make_key(p[1], p[8]);
    return make_key(p[1], p[2]);
}

uint64_t adu_rtu_asks(const uint8_t *p, size_t n)
{
    enum shape shape = shape_of(p[1]);

    if (n == ADU_RTU_REQUEST && (shape == SHAPE_BITS || shape == SHAPE_WORDS))
        return make_key(p[1], (uint32_t)adu_data_bytes(p[1], get_be16(p + 4)));
    if (n == ADU_RTU_REQUEST && shape == SHAPE_ONE)
        return short_key(p[1], get_be16(p + 2), get_be16(p + 4));
    if (n > ADU_RTU_REQUEST && shape == SHAPE_MANY)
        return short_key(p[1], get_be16(p + 2), get_be16(p + 4));
    if (n == 1 + PDU_ASK_OBJECT + ADU_CRC && shape == SHAPE_OBJECT)
        return make_key(p[1], p[4]);
    return 0;
}

static bool is_write_so_far(const struct bus_request *r, const uint8_t *p, size_t n)
{
    uint8_t echo[PDU_SHORT];

    put_short(r, echo);
    return memcmp(p + 1, echo, n - 1 < sizeof echo ? n - 1 : sizeof echo) == 0;
}

/* The length of an identification is told by its tenth byte. */
static size_t object_so_far(const struct bus_request *r, const uint8_t *p, size_t n)
{
    if (n <= PDU_OBJECT)
        return 1 + PDU_OBJECT + ADU_CRC;
    return is_object(r, p + 1) ? 1u + PDU_OBJECT + p[PDU_OBJECT] + ADU_CRC : 0;
}

/* The length that r's answer will have, at least, judging by what is there; 0: it is none of
 * r's. */
static size_t length_for(const struct bus_request *r, const uint8_t *p, size_t n)
{
    size_t data = adu_data_bytes(r->function, r->count);

    if (p[0] != r->unit)
        return 0;
    if (n < 2)
        return ADU_RTU_EXCEPTION;
    if (p[1] == (r->function | EXCEPTION_BIT))
        return ADU_RTU_EXCEPTION;
    if (p[1] != r->function)
        return 0;
    switch (shape_of(r->function)) {
    case SHAPE_OBJECT:
        return object_so_far(r, p, n);
    case SHAPE_ONE:
    case SHAPE_MANY:
        return is_write_so_far(r, p, n) ? ADU_RTU_REQUEST : 0;
    default:
        return n >= 3 && p[2] != data ? 0 : 1 + PDU_HEAD + data + ADU_CRC;
    }
}

enum adu_verdict adu_rtu_check(const struct bus_request *r, const uint8_t *p, size_t n,
                               size_t *ret_used, struct adu_content *ret)
{
    size_t length = n ? length_for(r, p, n) : 1;

    *ret_used = 0;
    if (length && n < length)
        return ADU_MORE;
    if (length && has_crc(p, length)) {
        enum adu_verdict v = check_pdu(r, p + 1, length - 1 - ADU_CRC, ret);
        *ret_used = v == ADU_DAMAGED ? n : length;
        return v;
    }
    *ret_used = adu_rtu_any(p, n);
    if (*ret_used)
        return ADU_FOREIGN;
    if (n < ADU_RTU_MAX && !length)
        return ADU_STRANGE; /* its end or silence will tell */
    *ret_used = n;
    return ADU_DAMAGED;
}
