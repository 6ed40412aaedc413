/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile Modbus device may send:
 *
 *   | wire 1 | unit 1 | function 1 | count 1 | transaction 2 | stream ... |
 *
 * wire: bit 0 serial instead of TCP, bit 1 a right CRC over the last two bytes. function: below
 * 0x80 a read, else any. An answer that
 * is taken, built again from its words, must be the very bytes that came.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/bus/modbus_frame.h"
#include "sensors/core/bytes.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD = 6, STREAM_MAX = 1024, WIRE_SERIAL = 1, WIRE_CRC = 2 };

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

/* From the unit on, without CRC. Returns the length. Of an identification the bytes that may be
 * anything come from what was taken. */
static size_t build(const struct bus_request *r, const struct adu_content *c,
                    const uint8_t *taken, uint8_t *out)
{
    size_t data = adu_data_bytes(r->function, r->count);

    if (r->function == BUS_IDENTIFY) {
        require(strlen(c->text) == c->n && memcmp(taken + 10, c->text, c->n) == 0);
        memcpy(out, taken, 10u + taken[9]);
        memcpy(out, (const uint8_t[]){ r->unit, BUS_IDENTIFY, 0x0E, 4 }, 4);
        out[8] = (uint8_t)r->first;
        return 10u + taken[9];
    }
    if (adu_is_write(r->function)) {
        adu_rtu_build(r, out);
        return 6;
    }
    out[0] = r->unit;
    out[1] = r->function;
    out[2] = (uint8_t)data;
    memset(out + 3, 0, data);
    for (size_t i = 0; i < r->count; i++) {
        if (r->function <= 2)
            out[3 + i / 8] |= (uint8_t)(c->words[i] << i % 8);
        else
            put_be16(out + 3 + 2 * i, c->words[i]);
    }
    return 3 + data;
}

/* Unused bits of the last byte of an answer with coils may be anything. */
static bool is_same(const struct bus_request *r, const uint8_t *a, const uint8_t *b, size_t n)
{
    unsigned spare = r->function <= BUS_READ_DISCRETE && r->count % 8 ? 8 - r->count % 8u : 0;
    uint8_t mask = (uint8_t)(0xFF >> spare);

    return memcmp(a, b, n - 1) == 0 && (a[n - 1] & mask) == (b[n - 1] & mask);
}

static void require_content(const struct bus_request *r, enum adu_verdict v,
                            const struct adu_content *c, const uint8_t *unit_on, size_t n)
{
    uint8_t again[ADU_TCP_MAX];

    if (v == ADU_EXCEPTION)
        require(n == 3 && c->exception == unit_on[2] && unit_on[1] == (r->function | 0x80));
    if (v == ADU_ANSWER)
        require(build(r, c, unit_on, again) == n && is_same(r, again, unit_on, n));
}

static void run_tcp(const struct bus_request *r, uint16_t transaction, const uint8_t *p,
                    size_t n)
{
    struct adu_content c;
    int length;

    for (size_t at = 0; at < n; at += (size_t)length) {
        length = adu_tcp_length(p + at, n - at);
        if (length <= 0 || (size_t)length > n - at)
            return;
        require(length <= ADU_TCP_MAX);
        enum adu_verdict v = adu_tcp_check(r, transaction, p + at, (size_t)length, &c);
        require(v != ADU_MORE && v != ADU_STRANGE);
        require_content(r, v, &c, p + at + 6, (size_t)length - 6);
    }
}

static void run_serial(const struct bus_request *r, const uint8_t *p, size_t n)
{
    struct adu_content c;
    size_t used, at = 0, end = 1;

    while (at < n && end <= n) {
        enum adu_verdict v = adu_rtu_check(r, p + at, end - at, &used, &c);
        if (v == ADU_MORE || v == ADU_STRANGE) {
            require(used == 0 && end - at < ADU_RTU_MAX);
            end++;
            continue;
        }
        require(used > 0 && used <= end - at);
        require_content(r, v, &c, p + at, used - 2);
        at += used;
        if (end <= at)
            end = at + 1;
    }
}

static struct bus_request request_of(const uint8_t *data)
{
    static const uint16_t words[BUS_WRITE_MAX] = { 1, 0, 1 };
    static const uint8_t functions[] = { 1, 2, 3, 4, 5, 6, 15, 16, 0x2B };
    uint8_t function =
        data[2] < 0x80 ? (uint8_t)(1 + data[2] % 4) : functions[data[2] % sizeof functions];
    bool is_single = function == BUS_WRITE_COIL || function == BUS_WRITE_REGISTER ||
                     function == BUS_IDENTIFY;
    bool is_write = adu_is_write(function);
    int count_max = is_write ? BUS_WRITE_MAX : BUS_WORDS_MAX;

    return (struct bus_request){
        .unit = data[1],
        .function = function,
        .count = (uint16_t)(is_single ? 1 : 1 + data[3] % count_max),
        .words = is_write ? words : NULL,
        .timeout_ms = 1,
    };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t stream[STREAM_MAX];

    if (size < HEAD || size - HEAD > STREAM_MAX)
        return 0;
    const struct bus_request r = request_of(data);
    size_t n = size - HEAD;
    memcpy(stream, data + HEAD, n);
    if (data[0] & WIRE_CRC && n > 2) {
        uint16_t crc = adu_crc(stream, n - 2);
        stream[n - 2] = (uint8_t)crc;
        stream[n - 1] = (uint8_t)(crc >> 8);
    }
    if (data[0] & WIRE_SERIAL)
        run_serial(&r, stream, n);
    else
        run_tcp(&r, get_be16(data + 4), stream, n);
    return 0;
}
