/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile serial line in virtual time, as a script:
 *
 *   | step 1 | ... |       step: 0 to 0x3F   so many bytes come, which follow
 *                                0x40        the answer comes that would be right
 *                                0x41        the last request comes back
 *                                0x80 to ..  time passes, 1 ms << (step & 15)
 *                                all others  a request begins: | unit 1 | function 1 | count 1
 * |
 *
 * Whatever comes, every transaction ends in bounded time, the machine never waits for the past,
 * and what it takes fits its request.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/bus/modbus_frame.h"
#include "gateway/bus/rtu_master.h"
#include "sensors/core/bytes.h"
#include "tests/fuzz/fuzz.h"

enum {
    STEP_BYTES_MAX = 0x3F,
    STEP_ANSWER = 0x40,
    STEP_ECHO = 0x41,
    STEP_TIME = 0x80,
    TIMEOUT_MS = 100,
    CHAR_US = 1000,
    LONGEST_US = 15000000, /* quiet of 10 s, three exchanges with their silences */
};

struct line {
    struct rtu_master *master;
    struct bus_request request, sent_request;
    uint16_t words[BUS_WRITE_MAX];
    uint8_t sent[ADU_RTU_MAX];
    size_t sent_n;
    int64_t now_us, asked_us;
    bool is_asked, is_taken;
};

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void on_late(void *user, uint8_t unit, int64_t took_us)
{
    (void)user;
    (void)unit;
    require(took_us >= -1);
}

static void on_frame(void *user, const struct bus_frame *f)
{
    struct line *l = user;
    bool is_sound = f->fate != BUS_SENT && f->fate != BUS_DAMAGED;

    require(f->n >= 1 && f->n <= ADU_RTU_MAX && f->since_us >= -1);
    require(!is_sound || adu_rtu_any(f->bytes, f->n) > 0);
    l->is_taken = l->is_taken || f->fate == BUS_TAKEN || f->fate == BUS_REFUSED;
}

static void check_reply(struct line *l, const struct bus_reply *r)
{
    require(l->is_asked && l->now_us - l->asked_us <= LONGEST_US);
    require((r->outcome != BUS_OK && r->outcome != BUS_EXCEPTION) || l->is_taken);
    require(r->n <= BUS_TEXT_MAX && (r->outcome == BUS_OK || r->n == 0));
    l->is_asked = false;
}

/* What is due, until the machine waits. Returns until when. */
static int64_t run(struct line *l)
{
    struct rtu_step step;

    for (;;) {
        switch (rtu_master_next(l->master, l->now_us, &step)) {
        case RTU_WAIT:
            require(step.until_us > l->now_us);
            return step.until_us;
        case RTU_SEND:
            l->sent_n = step.n;
            memcpy(l->sent, step.bytes, step.n);
            rtu_master_sent(l->master, l->now_us);
            break;
        case RTU_DONE:
            check_reply(l, &step.reply);
            break;
        }
    }
}

static void pass(struct line *l, int64_t us)
{
    int64_t end_us = l->now_us + us;

    for (int64_t until_us; (until_us = run(l)) <= end_us;)
        l->now_us = until_us;
    l->now_us = end_us;
}

static void take(struct line *l, const uint8_t *p, size_t n)
{
    rtu_master_take(l->master, p, n, n % 5 == 4, l->now_us);
    run(l);
}

static void answer(struct line *l)
{
    uint8_t out[ADU_RTU_MAX + 8] = { 0 };
    uint16_t count = get_be16(l->sent + 4);
    size_t n = 6;

    if (l->sent_n == 0)
        return;
    memcpy(out, l->sent, 6);
    if (out[1] <= BUS_READ_INPUT) {
        out[2] = (uint8_t)adu_data_bytes(out[1], count);
        n = 3u + out[2];
    }
    uint16_t crc = adu_crc(out, n);
    out[n] = (uint8_t)crc;
    out[n + 1] = (uint8_t)(crc >> 8);
    take(l, out, n + ADU_CRC);
}

static void ask(struct line *l, const uint8_t *p)
{
    static const uint8_t functions[] = { 1, 2, 3, 4, 5, 6, 15, 16, 0x2B };
    struct bus_request r = {
        .unit = p[0] % 3,
        .function = functions[p[1] % sizeof functions],
        .count = (uint16_t)(1 + p[2] % BUS_WORDS_MAX),
        .timeout_ms = TIMEOUT_MS,
        .pause_ms = p[1] / 64,
    };

    if (r.function == BUS_WRITE_COIL || r.function == BUS_WRITE_REGISTER ||
        r.function == BUS_IDENTIFY)
        r.count = 1;
    r.words = adu_is_write(r.function) ? l->words : NULL;
    if (!adu_is_request(&r) || rtu_master_ask(l->master, &r, l->now_us) != 0)
        return;
    l->is_asked = true;
    l->is_taken = false;
    l->asked_us = l->now_us;
    run(l);
}

/* One step at p; returns its length. */
static size_t step(struct line *l, const uint8_t *p, size_t n)
{
    if (p[0] <= STEP_BYTES_MAX) {
        size_t k = p[0] < n - 1 ? p[0] : n - 1;
        if (k > 0)
            take(l, p + 1, k);
        return 1 + k;
    }
    if (p[0] >= STEP_TIME) {
        pass(l, INT64_C(1000) << (p[0] & 15));
    } else if (p[0] == STEP_ANSWER) {
        answer(l);
    } else if (p[0] == STEP_ECHO) {
        take(l, l->sent, l->sent_n);
    } else if (n > 3) {
        ask(l, p + 1);
        return 4;
    }
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct line l = { .now_us = 1 };
    const struct rtu_options o = {
        .char_us = CHAR_US,
        .gap_us = 4 * CHAR_US,
        .strange_us = 20 * CHAR_US,
        .on_late = on_late,
        .on_frame = on_frame,
        .user = &l,
    };

    if (rtu_master_create(&o, &l.master) != 0)
        return 0;
    rtu_master_open(l.master, l.now_us);
    for (size_t at = 0; at < size; at += step(&l, data + at, size - at))
        ;
    for (int i = 0; l.is_asked && i < 100; i++)
        pass(&l, LONGEST_US / 10);
    require(!l.is_asked);
    rtu_master_destroy(l.master);
    return 0;
}
