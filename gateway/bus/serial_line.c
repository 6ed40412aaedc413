/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/serial_line.h"

#include <errno.h>
#include <fcntl.h>
#include <modbus.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "gateway/bus/modbus_frame.h"

enum {
    UNITS = 256,
    OPEN_MAX_LENGTHS =
        3,              /* outstanding answers of different length; a fourth waits for quiet */
    GAP_FAST_US = 1750, /* over Serial Line V1.02, 2.5.1.1: above 19200 baud */
    GAP_FAST_BAUD = 19200,
    STRANGE_US =
        20000, /* silence that ends a strange frame; USB adapters deliver every 16 ms */
    QUIET_TIMEOUTS = 2, /* quiet after a timeout: the larger of these multiples */
    QUIET_ANSWERS = 3,
    INPUT_MAX = 2 * ADU_RTU_MAX,
};

struct unit {
    uint8_t open[OPEN_MAX_LENGTHS]; /* data bytes of answers still outstanding */
    uint8_t open_n;
    int64_t asked_us;   /* the last request */
    int64_t quiet_us;   /* not to be asked before */
    int64_t slowest_us; /* answer so far, late ones too; fades */
};

struct serial_line {
    struct serial_options opt;
    modbus_t *modbus;
    int fd; /* -1: closed */
    int wake_fd;
    atomic_bool is_final;
    int64_t char_us, gap_us, strange_us;
    int64_t last_us; /* last byte that came in or went out */
    int errors;      /* transactions in a row */
    size_t n;
    uint8_t in[INPUT_MAX];
    struct unit units[UNITS];
};

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- port ---- */

static void close_port(struct serial_line *l)
{
    if (l->fd < 0)
        return;
    tcflush(l->fd, TCIOFLUSH); /* or closing waits for bytes that nobody takes */
    modbus_close(l->modbus);
    l->fd = -1;
    l->n = 0;
}

int serial_line_open(struct serial_line *l)
{
    if (modbus_connect(l->modbus) != 0)
        return errno ? -errno : -EIO;
    l->fd = modbus_get_socket(l->modbus);
    ioctl(l->fd, TIOCEXCL); /* a pty refuses, which does no harm */
    tcflush(l->fd, TCIFLUSH);
    l->n = 0;
    l->errors = 0;
    l->last_us = now_us();
    return 0;
}

bool serial_line_is_open(const struct serial_line *l)
{
    return l->fd >= 0;
}

static void drain_wake(struct serial_line *l)
{
    uint64_t count;

    if (read(l->wake_fd, &count, sizeof count) < 0)
        return;
}

enum event { EVENT_BYTES, EVENT_TIME, EVENT_WAKE, EVENT_GONE };

static bool is_gone(ssize_t n)
{
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static enum event take_bytes(struct serial_line *l)
{
    if (l->n == sizeof l->in)
        l->n = 0; /* babble: no frame is that long */
    ssize_t n = read(l->fd, l->in + l->n, sizeof l->in - l->n);
    if (is_gone(n)) {
        close_port(l);
        return EVENT_GONE;
    }
    if (n < 0)
        return EVENT_TIME;
    l->n += (size_t)n;
    l->last_us = now_us();
    return EVENT_BYTES;
}

/* Until bytes came, a moment passed (INT64_MAX: never), or someone interrupts. */
static enum event await(struct serial_line *l, int64_t until_us)
{
    struct pollfd fds[2] = { { l->wake_fd, POLLIN, 0 }, { l->fd, POLLIN, 0 } };
    int64_t left_us = larger(until_us == INT64_MAX ? 0 : until_us - now_us(), 0);
    struct timespec t = { left_us / 1000000, left_us % 1000000 * 1000 };

    if (ppoll(fds, 2, until_us == INT64_MAX ? NULL : &t, NULL) <= 0)
        return EVENT_TIME;
    if (fds[0].revents) {
        drain_wake(l);
        return EVENT_WAKE;
    }
    if (fds[1].revents & POLLIN)
        return take_bytes(l);
    close_port(l); /* POLLHUP, POLLERR, POLLNVAL */
    return EVENT_GONE;
}

/* ---- what nobody asked for ---- */

static void note_frame(struct serial_line *l, const uint8_t *frame)
{
    struct unit *u = &l->units[frame[0]];
    int64_t took_us = now_us() - u->asked_us;

    if (u->open_n == 0)
        return; /* of another master's dialogue */
    u->slowest_us = larger(u->slowest_us, took_us);
    l->opt.on_late(l->opt.user, frame[0], took_us / 1000);
}

static void drop_front(struct serial_line *l, size_t n)
{
    l->n -= n;
    memmove(l->in, l->in + n, l->n);
}

static void take_strays(struct serial_line *l)
{
    for (size_t used; (used = adu_rtu_any(l->in, l->n)) > 0;) {
        note_frame(l, l->in);
        drop_front(l, used);
    }
}

void serial_line_wait(struct serial_line *l, int timeout_ms)
{
    int64_t until_us = timeout_ms < 0 ? INT64_MAX : now_us() + timeout_ms * INT64_C(1000);

    if (await(l, until_us) == EVENT_BYTES)
        take_strays(l);
}

/* Silence for a frame's gap and a unit's quiet time, dropping what comes. False: the port went
 * away, the line is never silent, or it is the end. */
static bool settle(struct serial_line *l, int64_t quiet_us, int64_t give_up_us)
{
    while (!atomic_load(&l->is_final) && l->fd >= 0) {
        int64_t until_us = larger(l->last_us + l->gap_us, quiet_us);
        if (now_us() >= until_us) {
            l->n = 0;
            return true;
        }
        if (now_us() >= larger(give_up_us, quiet_us))
            return false;
        if (await(l, until_us) == EVENT_BYTES)
            take_strays(l);
    }
    return false;
}

/* ---- one exchange ---- */

static bool send_request(struct serial_line *l, const struct bus_request *r)
{
    uint8_t adu[ADU_RTU_MAX];
    size_t n = adu_rtu_build(r, adu);

    if (modbus_send_raw_request(l->modbus, adu, (int)(n - ADU_CRC)) == (int)n)
        return true;
    close_port(l); /* a frame always fits a port that works */
    return false;
}

/* Bytes while the request is still leaving are noise, never part of its answer. */
static bool is_too_early(const struct serial_line *l)
{
    int waiting = 0;

    return ioctl(l->fd, TIOCOUTQ, &waiting) == 0 && waiting > 0;
}

struct exchange {
    const struct bus_request *request;
    int64_t deadline_us;
    bool has_noise;  /* something came that was not the answer */
    bool is_strange; /* what is in the buffer does not begin like the answer */
    struct adu_content content;
};

/* Judges what is there. True: the exchange is over and *ret says how. */
static bool judge(struct serial_line *l, struct exchange *x, enum bus_outcome *ret)
{
    size_t used;

    x->is_strange = false;
    while (l->n > 0) {
        bool is_own = l->in[0] == x->request->unit;
        enum adu_verdict v = adu_rtu_check(x->request, l->in, l->n, &used, &x->content);
        x->is_strange = v == ADU_STRANGE;
        if (v == ADU_MORE || v == ADU_STRANGE)
            return false;
        if (v == ADU_FOREIGN)
            note_frame(l, l->in);
        drop_front(l, used);
        if (v == ADU_ANSWER || v == ADU_EXCEPTION) {
            *ret = v == ADU_ANSWER ? BUS_OK : BUS_EXCEPTION;
            return true;
        }
        x->has_noise = true;
        if (v == ADU_DAMAGED && is_own) {
            *ret = BUS_BAD_FRAME;
            return true;
        }
    }
    return false;
}

/* A strange beginning followed by silence was noise: what comes next is a frame of its own. */
static void end_strange(struct serial_line *l, struct exchange *x)
{
    if (!x->is_strange || now_us() < l->last_us + l->strange_us)
        return;
    l->n = 0;
    x->is_strange = false;
    x->has_noise = true;
}

static int64_t next_look(const struct serial_line *l, const struct exchange *x)
{
    int64_t silent_us = l->last_us + l->strange_us;

    return x->is_strange && silent_us < x->deadline_us ? silent_us : x->deadline_us;
}

static enum bus_outcome read_answer(struct serial_line *l, struct exchange *x)
{
    enum bus_outcome outcome;
    bool is_first = true;

    while (!atomic_load(&l->is_final)) {
        enum event e = await(l, next_look(l, x));
        if (e == EVENT_GONE)
            return BUS_NO_LINK;
        if (e == EVENT_BYTES && is_first && is_too_early(l)) {
            l->n = 0;
            x->has_noise = true;
        }
        is_first = is_first && e != EVENT_BYTES;
        if (e == EVENT_BYTES && judge(l, x, &outcome))
            return outcome;
        end_strange(l, x);
        if (now_us() >= x->deadline_us)
            return x->has_noise || l->n > 0 ? BUS_BAD_FRAME : BUS_NO_ANSWER;
    }
    return BUS_NO_LINK;
}

static void remember_open(struct unit *u, size_t data_bytes)
{
    if (u->open_n == OPEN_MAX_LENGTHS) {
        memmove(u->open, u->open + 1, OPEN_MAX_LENGTHS - 1);
        u->open_n--;
    }
    u->open[u->open_n++] = (uint8_t)data_bytes;
}

static bool is_open(const struct unit *u, size_t data_bytes)
{
    return u->open_n > 0 && memchr(u->open, (int)data_bytes, u->open_n) != NULL;
}

static void note_answer_time(struct unit *u, int64_t took_us)
{
    u->slowest_us -=
        u->slowest_us / 64; /* a slow day is forgotten after some hundred answers */
    u->slowest_us = larger(u->slowest_us, took_us);
}

/* The unit's answer may still come: remember its length; after a deadline leave the unit alone.
 */
static void note_failure(struct serial_line *l, const struct exchange *x)
{
    const struct bus_request *r = x->request;
    struct unit *u = &l->units[r->unit];
    int64_t quiet_us =
        larger(r->timeout_ms * 1000 * QUIET_TIMEOUTS, u->slowest_us * QUIET_ANSWERS);

    if (l->fd >= 0)
        tcflush(l->fd, TCOFLUSH);
    remember_open(u, adu_data_bytes(r->function, r->count));
    if (now_us() >= x->deadline_us)
        u->quiet_us = now_us() + quiet_us;
}

/* An exception has no length of its own: while answers are outstanding it proves nothing. What
 * it answers is settled by waiting for the other one. */
static enum bus_outcome doubt_exception(struct unit *u, const struct bus_request *r)
{
    if (u->open_n == 0)
        return BUS_EXCEPTION;
    u->open_n = 0;
    u->quiet_us = now_us() + r->timeout_ms * 1000;
    return BUS_BAD_FRAME;
}

static enum bus_outcome exchange(struct serial_line *l, struct exchange *x)
{
    const struct bus_request *r = x->request;
    struct unit *u = &l->units[r->unit];

    if (!settle(l, u->quiet_us, now_us() + r->timeout_ms * 1000))
        return l->fd < 0 || atomic_load(&l->is_final) ? BUS_NO_LINK : BUS_BAD_FRAME;
    u->asked_us = now_us();
    if (!send_request(l, r))
        return BUS_NO_LINK;
    x->deadline_us = u->asked_us + ADU_RTU_REQUEST * l->char_us + r->timeout_ms * 1000;
    l->last_us = u->asked_us + ADU_RTU_REQUEST * l->char_us;
    enum bus_outcome outcome = read_answer(l, x);
    if (outcome == BUS_EXCEPTION)
        outcome = doubt_exception(u, r);
    else if (outcome != BUS_OK)
        note_failure(l, x);
    if (outcome == BUS_OK || outcome == BUS_EXCEPTION) {
        u->open_n = 0;
        note_answer_time(u, now_us() - u->asked_us);
    }
    return outcome;
}

/* ---- one transaction ---- */

/* A read of the same registers whose answer differs in length from all outstanding ones. */
static struct bus_request resync_request(const struct unit *u, const struct bus_request *r)
{
    struct bus_request s = *r;

    for (unsigned bytes = 1; bytes <= OPEN_MAX_LENGTHS + 1; bytes++) {
        s.count = (uint16_t)(r->function <= 2 ? 8 * bytes - 7 : bytes);
        if (!is_open(u, adu_data_bytes(s.function, s.count)))
            break;
    }
    if ((uint32_t)s.first + s.count > 0x10000)
        s.first = (uint16_t)(0x10000 - s.count);
    return s;
}

static enum bus_outcome transact(struct serial_line *l, struct exchange *x)
{
    const struct bus_request *r = x->request;
    struct unit *u = &l->units[r->unit];

    if (is_open(u, adu_data_bytes(r->function, r->count))) {
        struct bus_request s = resync_request(u, r);
        struct exchange y = { .request = &s };
        enum bus_outcome outcome = exchange(l, &y);
        if (outcome != BUS_OK)
            return outcome;
    }
    return exchange(l, x);
}

/* The path may lead to another device by now. Held open meanwhile, so that the far end of a pty
 * does not see it hang up. */
static void reopen_port(struct serial_line *l)
{
    ioctl(l->fd, TIOCNXCL);
    int hold = open(l->opt.port->device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    close_port(l);
    serial_line_open(l);
    if (hold >= 0)
        close(hold);
}

static void note_errors(struct serial_line *l, enum bus_outcome outcome)
{
    bool has_failed = outcome == BUS_NO_ANSWER || outcome == BUS_BAD_FRAME;

    l->errors = has_failed ? l->errors + 1 : 0;
    if (l->errors >= BUS_ERRORS_MAX && l->fd >= 0)
        reopen_port(l);
}

void serial_line_ask(struct serial_line *l, const struct bus_request *r, struct bus_reply *ret)
{
    struct unit *u = &l->units[r->unit];
    struct exchange x = { .request = r };
    enum bus_outcome outcome = transact(l, &x);
    int64_t now = now_us();

    ret->exception = 0;
    ret->n = 0;
    if (outcome == BUS_OK || outcome == BUS_EXCEPTION)
        adu_fill_reply(outcome == BUS_OK ? ADU_ANSWER : ADU_EXCEPTION, &x.content, ret);
    ret->outcome = outcome;
    ret->took_ms = (now - u->asked_us) / 1000;
    ret->quiet_ms = u->quiet_us > now ? (u->quiet_us - now + 999) / 1000 : 0;
    note_errors(l, outcome);
}

/* ---- life ---- */

void serial_line_interrupt(struct serial_line *l, bool is_final)
{
    uint64_t one = 1;

    if (is_final)
        atomic_store(&l->is_final, true);
    if (write(l->wake_fd, &one, sizeof one) < 0)
        return; /* only when the counter is full, and then it wakes anyway */
}

bool serial_line_is_final(const struct serial_line *l)
{
    return atomic_load(&l->is_final);
}

static void set_timing(struct serial_line *l)
{
    const struct bus_place *p = l->opt.port;
    int bits = 1 + p->data_bits + (p->parity != 'N') + p->stop_bits;

    l->char_us = INT64_C(1000000) * bits / p->baud + 1;
    l->gap_us = p->baud > GAP_FAST_BAUD ? GAP_FAST_US : l->char_us * 7 / 2;
    l->gap_us = larger(l->gap_us, p->pause_ms * 1000);
    l->strange_us = larger(l->gap_us, STRANGE_US);
}

int serial_line_create(const struct serial_options *o, struct serial_line **ret)
{
    const struct bus_place *p = o->port;
    struct serial_line *l = p->baud > 0 ? calloc(1, sizeof *l) : NULL;

    if (!l)
        return p->baud > 0 ? -ENOMEM : -EINVAL;
    l->opt = *o;
    l->fd = -1;
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->modbus = modbus_new_rtu(p->device, p->baud, p->parity, p->data_bits, p->stop_bits);
    if (l->wake_fd < 0 || !l->modbus || modbus_set_slave(l->modbus, 1) != 0) {
        int rc = errno ? -errno : -ENOMEM;
        serial_line_destroy(l);
        return rc;
    }
    set_timing(l);
    *ret = l;
    return 0;
}

void serial_line_destroy(struct serial_line *l)
{
    if (!l)
        return;
    close_port(l);
    if (l->modbus)
        modbus_free(l->modbus);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    free(l);
}
