/* SPDX-License-Identifier: Apache-2.0 */
/* bus_rig - runs a bus on a loop against a peer thread that follows a script. */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "gateway/bus/modbus_frame.h"
#include "sensors/core/bytes.h"
#include "tests/unit/unit.h"

/* PATIENT_MS is for answers that come, on a busy machine late. */
enum { RIG_LIMIT_MS = 5000, PATIENT_MS = 3000, RIG_UNIT = 7, RIG_FRAMES_MAX = 16 };

struct rig_frame {
    enum bus_fate fate;
    uint8_t unit;
    size_t n;
    int64_t since_us;
    int replies; /* told before it */
    uint8_t bytes[ADU_TCP_MAX];
};

struct rig {
    uv_loop_t loop;
    uv_timer_t limit;
    struct clock clock;
    struct bus *bus;
    struct bus_reply reply;
    int replies, lates, ups, downs;
    int64_t late_ms;
    struct rig_frame frame[RIG_FRAMES_MAX]; /* while watched */
    int frames;
    bool is_closed, is_over_limit;
    pthread_t peer;
    int peer_fd;
    char path[64];
    atomic_bool is_peer_over;
};

static inline void rig_on_reply(void *user, const struct bus_reply *r)
{
    struct rig *rig = user;

    rig->reply = *r;
    rig->replies++;
}

static inline void rig_on_late(void *user, uint8_t unit, int64_t took_ms)
{
    struct rig *rig = user;

    assert_int_equal(unit, RIG_UNIT);
    rig->lates++;
    rig->late_ms = took_ms;
}

static inline void rig_on_link(void *user, bool is_up)
{
    struct rig *rig = user;

    rig->ups += is_up;
    rig->downs += !is_up;
}

static inline void rig_on_frame(void *user, const struct bus_frame *f)
{
    struct rig *rig = user;

    if (rig->frames == RIG_FRAMES_MAX)
        return;
    struct rig_frame *to = &rig->frame[rig->frames++];
    *to = (struct rig_frame){ f->fate, f->unit, f->n, f->since_us, rig->replies, { 0 } };
    assert_in_range(f->n, 1, sizeof to->bytes);
    memcpy(to->bytes, f->bytes, f->n);
    assert_in_range(clock_wall_ms(&rig->clock) - f->time_ms, 0, RIG_LIMIT_MS);
}

static inline struct bus_events rig_events(struct rig *rig)
{
    return (struct bus_events){ rig_on_reply, rig_on_late, rig_on_link, rig_on_frame, rig };
}

static inline void rig_on_limit(uv_timer_t *t)
{
    ((struct rig *)t->data)->is_over_limit = true;
}

static inline void rig_init(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    rig->peer_fd = -1;
    signal(SIGPIPE, SIG_IGN); /* of peers whose bus hangs up first */
    clock_init(&rig->clock, 1, 0);
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    uv_timer_init(&rig->loop, &rig->limit);
    rig->limit.data = rig;
}

/* Runs the loop until *count changes. */
static inline void rig_wait(struct rig *rig, const int *count)
{
    int before = *count;

    rig->is_over_limit = false;
    uv_timer_start(&rig->limit, rig_on_limit, RIG_LIMIT_MS, 0);
    while (*count == before && !rig->is_over_limit)
        uv_run(&rig->loop, UV_RUN_ONCE);
    uv_timer_stop(&rig->limit);
    assert_false(rig->is_over_limit);
}

static inline struct bus_request rig_request(uint16_t first, uint16_t count, int64_t timeout_ms)
{
    return (struct bus_request){ .unit = RIG_UNIT,
                                 .function = BUS_READ_HOLDING,
                                 .first = first,
                                 .count = count,
                                 .timeout_ms = timeout_ms };
}

static inline enum bus_outcome rig_ask(struct rig *rig, uint16_t first, uint16_t count,
                                       int64_t timeout_ms)
{
    struct bus_request r = rig_request(first, count, timeout_ms);

    while (bus_send(rig->bus, &r) != 0)
        rig_wait(rig, &rig->ups);
    rig_wait(rig, &rig->replies);
    return rig->reply.outcome;
}

/* The peers answer every register with its own address: a foreign answer shows. */
static inline void rig_assert_words(const struct rig *rig, uint16_t first, uint16_t count)
{
    assert_int_equal(rig->reply.outcome, BUS_OK);
    assert_int_equal(rig->reply.n, count);
    for (uint16_t i = 0; i < count; i++)
        assert_int_equal(rig->reply.words[i], first + i);
}

static inline void rig_read(struct rig *rig, uint16_t first, uint16_t count)
{
    rig_ask(rig, first, count, PATIENT_MS);
    rig_assert_words(rig, first, count);
}

/* The fates of all frames so far, by their first letters. */
static inline void rig_assert_fates(const struct rig *rig, const char *fates)
{
    char got[RIG_FRAMES_MAX + 1] = { 0 };

    for (int i = 0; i < rig->frames; i++)
        got[i] = bus_fate_name(rig->frame[i].fate)[0];
    assert_string_equal(got, fates);
}

static inline void rig_on_closed(void *user)
{
    ((struct rig *)user)->is_closed = true;
}

static inline void rig_stop_bus(struct rig *rig)
{
    int64_t start_ms = mono_ms();

    bus_stop(rig->bus, rig_on_closed, rig);
    while (!rig->is_closed)
        uv_run(&rig->loop, UV_RUN_ONCE);
    assert_in_range(mono_ms() - start_ms, 0, 500);
    bus_destroy(rig->bus);
}

static inline void rig_done(struct rig *rig)
{
    rig_stop_bus(rig);
    uv_close((uv_handle_t *)&rig->limit, NULL);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
}

/* ---- peer side ---- */

static inline void peer_pause(int ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

    nanosleep(&t, NULL);
}

/* Reads exactly n bytes; false at the end of the peer. */
static inline bool peer_read(struct rig *rig, uint8_t *buf, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t k = read(rig->peer_fd, buf + got, n - got);
        if (k > 0)
            got += (size_t)k;
        else if (atomic_load(&rig->is_peer_over) || k == 0 || (k < 0 && errno != EAGAIN))
            return false;
        else
            peer_pause(1);
    }
    return true;
}

static inline void peer_write(struct rig *rig, const void *bytes, size_t n)
{
    if (write(rig->peer_fd, bytes, n) < 0)
        return; /* the bus may have hung up: its side says what that means */
}

/* Adds the CRC. */
static inline size_t rig_seal(uint8_t *adu, size_t n)
{
    uint16_t crc = adu_crc(adu, n);

    adu[n] = (uint8_t)crc;
    adu[n + 1] = (uint8_t)(crc >> 8);
    return n + ADU_CRC;
}

/* The answer to a serial read of registers. */
static inline size_t rig_rtu_answer(const uint8_t *adu, uint8_t *out)
{
    uint16_t first = get_be16(adu + 2), count = get_be16(adu + 4);

    memcpy(out, adu, 2);
    out[2] = (uint8_t)(2 * count);
    for (uint16_t i = 0; i < count; i++)
        put_be16(out + 3 + 2 * i, (uint16_t)(first + i));
    return rig_seal(out, 3u + 2u * count);
}
