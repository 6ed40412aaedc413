/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/poll/load.h"

#include <errno.h>

enum {
    REQUEST_BYTES = 8, /* unit, function, address, count, CRC */
    ANSWER_BYTES = 5,  /* unit, function, byte count, CRC */
    FAST_BAUD = 19200, /* Modbus over serial line 2.5.1.1: above it silences are fixed */
    FAST_SILENCE_US = 1750,
    TCP_BYTE_NS = 80, /* 100 Mbit/s */
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void serial_line(const struct bus_place *p, struct load_line *ret)
{
    bool is_known = (p->type == BUS_MODBUS_RTU || p->type == BUS_LORA_SERIAL) && p->baud > 0;
    int baud = is_known ? p->baud : LOAD_ASSUMED_BAUD;
    int bits = is_known ? 1 + p->data_bits + (p->parity != 'N') + p->stop_bits : 10;
    int64_t byte_ns = INT64_C(1000000000) * bits / baud;
    int64_t silence_us = baud > FAST_BAUD ? FAST_SILENCE_US : byte_ns * 7 / 2000;

    silence_us = larger(silence_us, p->pause_ms * 1000);
    *ret = (struct load_line){
        .is_serial = true,
        .is_known = is_known,
        .byte_ns = byte_ns,
        .frame_us = (REQUEST_BYTES + ANSWER_BYTES) * byte_ns / 1000 + 2 * silence_us,
        .silence_us = silence_us,
        .turnaround_us = LOAD_TURNAROUND_US,
        .air_share = 1,
    };
    if (p->type != BUS_LORA_SERIAL)
        return;
    ret->modem = p->modem;
    ret->air_share = p->air_share;
    ret->turnaround_us = 0; /* in its exchanges */
}

void load_line_of(const struct bus_place *place, struct load_line *ret)
{
    if (place->type != BUS_MODBUS_TCP) {
        serial_line(place, ret);
        return;
    }
    *ret = (struct load_line){
        .byte_ns = TCP_BYTE_NS,
        .frame_us = LOAD_ROUND_TRIP_US,
        .turnaround_us = LOAD_TURNAROUND_US,
        .air_share = 1,
    };
}

static struct lora_exchange radio_exchange(const struct load_line *l, int64_t data_bytes)
{
    return lora_exchange_of(&l->modem, l->byte_ns / 1000, REQUEST_BYTES,
                            (size_t)(ANSWER_BYTES + data_bytes));
}

static int64_t radio_us(const struct load_line *l, int64_t data_bytes)
{
    const struct lora_exchange x = radio_exchange(l, data_bytes);

    return lora_usual_us(&x);
}

/* An exchange costs what makers' figures say, whatever was measured. */
static struct plan_cost radio_cost(const struct load_line *l)
{
    int registers = lora_registers_max(&l->modem);
    int64_t empty_us = radio_us(l, 0);

    return (struct plan_cost){
        .exchange = empty_us * 1000,
        .byte = (radio_us(l, 2 * registers) - empty_us) * 1000 / (2 * registers),
        .registers = registers,
    };
}

struct plan_cost load_cost(const struct load_line *l, int64_t turnaround_us)
{
    if (l->modem.packet > 0)
        return radio_cost(l);
    if (turnaround_us < 0)
        turnaround_us = l->turnaround_us;
    return (struct plan_cost){ .exchange = (l->frame_us + turnaround_us) * 1000,
                               .byte = l->byte_ns };
}

int64_t load_wire_us(const struct load_line *l, const struct plan_read *r, int64_t pause_ms)
{
    int64_t longer_us = larger(pause_ms * 1000 - l->silence_us, 0);

    if (l->modem.packet > 0)
        return longer_us + radio_us(l, plan_read_bytes(r));
    return l->frame_us + longer_us + plan_read_bytes(r) * l->byte_ns / 1000;
}

static int64_t air_us(const struct load_line *l, const struct plan_read *r)
{
    if (l->modem.packet == 0)
        return 0;
    const struct lora_exchange x = radio_exchange(l, plan_read_bytes(r));
    return x.air_us * SERIAL_MODEM_USUAL_TENTHS / 10;
}

/* Before a read whose answer looks like that of the one before it. */
static int64_t copy_us(const struct load_line *l, const struct plan_read *before,
                       const struct plan_read *r)
{
    if (l->modem.packet == 0 || before->space != r->space || before->count != r->count)
        return 0;
    return lora_copy_us(&l->modem, (size_t)(ANSWER_BYTES + plan_read_bytes(r)));
}

static int load_of(const struct load_line *l, const struct profile *p, struct load_device *ret)
{
    struct plan pl;
    int rc = plan_init(&pl, p, load_cost(l, -1));

    if (rc != 0)
        return rc;
    *ret = (struct load_device){ .requests = pl.requests_n };
    struct plan_read before = { 0 };
    for (size_t i = 0; i < pl.requests_n; i++) {
        struct plan_read r = plan_read_of(&pl, i);
        ret->scan_us += copy_us(l, &before, &r);
        before = r;
        ret->scan_us += load_wire_us(l, &r, p->read_pause_ms) + l->turnaround_us;
        ret->air_us += air_us(l, &r);
    }
    plan_done(&pl);
    return 0;
}

int load_device_of(const struct load_line *l, const struct poll_device *d,
                   struct load_device *ret)
{
    struct load_device most, other;
    int rc = load_of(l, d->profile, &most);

    for (size_t i = 0; i < d->profile->variants_n && rc == 0; i++) {
        rc = load_of(l, d->profile->variants[i], &other);
        if (rc == 0 && other.scan_us > most.scan_us)
            most = other;
    }
    if (rc != 0)
        return rc;
    most.share = d->is_enabled ? (double)most.scan_us / 1000 / (double)d->interval_ms : 0;
    *ret = most;
    return 0;
}

int load_bus_of(const struct bus_place *place, uint32_t bus, const struct poll_device *devices,
                size_t n, struct load_device *each, struct load_bus *ret)
{
    struct load_bus sum = { 0 };

    load_line_of(place, &sum.line);
    for (size_t i = 0; i < n; i++) {
        if (devices[i].bus != bus)
            continue;
        int rc = load_device_of(&sum.line, &devices[i], &each[i]);
        if (rc != 0)
            return rc;
        if (!devices[i].is_enabled)
            continue;
        sum.devices_n++;
        sum.share += each[i].share;
        sum.air += (double)each[i].air_us / 1000 / (double)devices[i].interval_ms;
        sum.requests_hz += (double)each[i].requests * 1000 / (double)devices[i].interval_ms;
    }
    *ret = sum;
    return 0;
}
