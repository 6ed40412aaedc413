/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/modbus_frame.h"

#include "sensors/core/bytes.h"

enum {
    EXCEPTION_BIT = 0x80,
    EXCEPTION_MIN = 1,
    EXCEPTION_MAX = 11, /* protocol section 7: the last one is "target failed to respond" */
    PDU_REQUEST = 5,
    PDU_HEAD = 2, /* function and byte count */
    MBAP_UNIT = 6,
    MBAP_LENGTH_MIN = 3, /* unit, function, one byte more: the shortest answer, an exception */
    MBAP_LENGTH_MAX = ADU_TCP_MAX - MBAP_UNIT,
    CRC_SIZE = 2,
};

static bool is_bit_function(uint8_t function)
{
    return function <= 2;
}

size_t adu_data_bytes(uint8_t function, uint16_t count)
{
    return is_bit_function(function) ? (count + 7u) / 8u : count * 2u;
}

static void put_pdu(const struct bus_request *r, uint8_t *p)
{
    p[0] = r->function;
    put_be16(p + 1, r->first);
    put_be16(p + 3, r->count);
}

static void get_words(const struct bus_request *r, const uint8_t *data, uint16_t *words)
{
    for (size_t i = 0; i < r->count; i++) {
        if (is_bit_function(r->function))
            words[i] = data[i / 8] >> (i % 8) & 1;
        else
            words[i] = get_be16(data + 2 * i);
    }
}

/* A whole PDU, from the function code on. */
static enum adu_verdict check_pdu(const struct bus_request *r, const uint8_t *p, size_t n,
                                  struct adu_content *ret)
{
    size_t data = adu_data_bytes(r->function, r->count);

    if (n == 2 && p[0] == (r->function | EXCEPTION_BIT)) {
        if (p[1] < EXCEPTION_MIN || p[1] > EXCEPTION_MAX)
            return ADU_DAMAGED;
        ret->exception = p[1];
        return ADU_EXCEPTION;
    }
    if (n != PDU_HEAD + data || p[0] != r->function || p[1] != data)
        return ADU_DAMAGED;
    get_words(r, p + PDU_HEAD, ret->words);
    return ADU_ANSWER;
}

void adu_tcp_build(const struct bus_request *r, uint16_t transaction,
                   uint8_t buf[ADU_TCP_REQUEST])
{
    put_be16(buf, transaction);
    put_be16(buf + 2, 0);
    put_be16(buf + 4, 1 + PDU_REQUEST);
    buf[MBAP_UNIT] = r->unit;
    put_pdu(r, buf + ADU_TCP_HEADER);
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

void adu_rtu_build(const struct bus_request *r, uint8_t buf[ADU_RTU_REQUEST - 2])
{
    buf[0] = r->unit;
    put_pdu(r, buf + 1);
}

size_t adu_rtu_length(const struct bus_request *r)
{
    return 1 + PDU_HEAD + adu_data_bytes(r->function, r->count) + CRC_SIZE;
}

static bool has_crc(const uint8_t *p, size_t n)
{
    uint16_t crc = adu_crc(p, n - CRC_SIZE);

    return p[n - 2] == (crc & 0xFF) && p[n - 1] == crc >> 8;
}

size_t adu_rtu_any(const uint8_t *p, size_t n)
{
    if (n >= ADU_RTU_EXCEPTION && p[1] & EXCEPTION_BIT && has_crc(p, ADU_RTU_EXCEPTION))
        return ADU_RTU_EXCEPTION;
    if (n >= ADU_RTU_EXCEPTION) {
        size_t answer = 1u + PDU_HEAD + p[2] + CRC_SIZE;
        if (answer <= ADU_RTU_MAX && answer <= n && has_crc(p, answer))
            return answer;
    }
    return n >= ADU_RTU_REQUEST && has_crc(p, ADU_RTU_REQUEST) ? ADU_RTU_REQUEST : 0;
}

/* The length that r's answer will have, judging by what is there; 0: it is none of r's. */
static size_t length_for(const struct bus_request *r, const uint8_t *p, size_t n)
{
    if (p[0] != r->unit)
        return 0;
    if (n >= 2 && p[1] == (r->function | EXCEPTION_BIT))
        return ADU_RTU_EXCEPTION;
    if (n >= 2 && p[1] != r->function)
        return 0;
    if (n >= 3 && p[2] != adu_data_bytes(r->function, r->count))
        return 0;
    return adu_rtu_length(r);
}

enum adu_verdict adu_rtu_check(const struct bus_request *r, const uint8_t *p, size_t n,
                               size_t *ret_used, struct adu_content *ret)
{
    size_t length = n ? length_for(r, p, n) : 1;

    *ret_used = 0;
    if (length && n < length)
        return ADU_MORE;
    if (length && has_crc(p, length)) {
        enum adu_verdict v = check_pdu(r, p + 1, length - 1 - CRC_SIZE, ret);
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
