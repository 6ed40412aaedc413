/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/serial_line.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <modbus.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/bus/modbus_frame.h"
#include "gateway/bus/rtu_master.h"

enum {
    GAP_FAST_US = 1750, /* over Serial Line V1.02, 2.5.1.1: above 19200 baud */
    GAP_FAST_BAUD = 19200,
    STRANGE_US =
        20000, /* silence that ends a strange frame; USB adapters deliver every 16 ms */
    RADIO_ERRORS_MAX = 30,
};

struct serial_line {
    struct serial_options opt;
    struct rtu_master *master;
    modbus_t *modbus;
    int fd; /* -1: closed */
    int wake_fd;
    atomic_bool is_final;
    int errors; /* transactions in a row */
    bool is_rs485_told;
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
    rtu_master_lose(l->master, now_us());
}

/* libmodbus takes 9600 for a rate that it does not know. */
static bool has_right_speed(const struct serial_line *l)
{
    struct termios t;

    return l->opt.port->baud == 9600 || tcgetattr(l->fd, &t) != 0 || cfgetospeed(&t) != B9600;
}

/* A driver that cannot do it leaves the line to whoever wired it: said once. */
static void set_rs485(struct serial_line *l)
{
    const struct bus_rs485 *c = &l->opt.port->rs485;
    struct serial_rs485 s = {
        .flags = SER_RS485_ENABLED |
                 (c->is_rts_low_on_send ? SER_RS485_RTS_AFTER_SEND : SER_RS485_RTS_ON_SEND),
        .delay_rts_before_send = (uint32_t)c->before_ms,
        .delay_rts_after_send = (uint32_t)c->after_ms,
    };

    if (!c->is_on || ioctl(l->fd, TIOCSRS485, &s) == 0 || l->is_rs485_told)
        return;
    l->is_rs485_told = true;
    log_error("the driver of this port has no RS-485 direction control (%s); take out 'rs485' "
              "and use an adapter that switches by itself port=%s",
              strerror(errno), l->opt.port->device);
}

int serial_line_open(struct serial_line *l)
{
    if (modbus_connect(l->modbus) != 0)
        return errno ? -errno : -EIO;
    l->fd = modbus_get_socket(l->modbus);
    if (!has_right_speed(l)) {
        close_port(l);
        return -EINVAL;
    }
    set_rs485(l);
    ioctl(l->fd, TIOCEXCL); /* a pty refuses, which does no harm */
    tcflush(l->fd, TCIFLUSH);
    l->errors = 0;
    rtu_master_open(l->master, now_us());
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

static bool is_gone(ssize_t n)
{
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static bool is_leaving(const struct serial_line *l)
{
    int waiting = 0;

    return ioctl(l->fd, TIOCOUTQ, &waiting) == 0 && waiting > 0;
}

static void take_bytes(struct serial_line *l)
{
    uint8_t buf[ADU_RTU_MAX];
    ssize_t n = read(l->fd, buf, sizeof buf);

    if (is_gone(n))
        close_port(l);
    else if (n > 0)
        rtu_master_take(l->master, buf, (size_t)n, is_leaving(l), now_us());
}

/* Until bytes came, a moment passed (INT64_MAX: never), or someone interrupts. */
static void await(struct serial_line *l, int64_t until_us)
{
    struct pollfd fds[2] = { { l->wake_fd, POLLIN, 0 }, { l->fd, POLLIN, 0 } };
    int64_t left_us = larger(until_us == INT64_MAX ? 0 : until_us - now_us(), 0);
    struct timespec t = { left_us / 1000000, left_us % 1000000 * 1000 };

    if (ppoll(fds, 2, until_us == INT64_MAX ? NULL : &t, NULL) <= 0)
        return;
    if (fds[0].revents)
        drain_wake(l);
    if (fds[1].revents & POLLIN)
        take_bytes(l);
    else if (fds[1].revents)
        close_port(l); /* POLLHUP, POLLERR, POLLNVAL */
}

/* ---- transactions ---- */

void serial_line_wait(struct serial_line *l, int timeout_ms)
{
    int64_t until_us = timeout_ms < 0 ? INT64_MAX : now_us() + timeout_ms * INT64_C(1000);
    struct rtu_step step;

    if (rtu_master_next(l->master, now_us(), &step) == RTU_WAIT && step.until_us < until_us)
        until_us = step.until_us;
    await(l, until_us);
}

static void send_request(struct serial_line *l, const struct rtu_step *step)
{
    int n = (int)step->n;

    rtu_master_sent(l->master, now_us());
    if (modbus_send_raw_request(l->modbus, step->bytes, n - ADU_CRC) != n)
        close_port(l); /* a frame always fits a port that works */
}

/* Until the transaction is over or it is the end of all. */
static void run_transaction(struct serial_line *l, struct bus_reply *ret)
{
    struct rtu_step step;

    while (!atomic_load(&l->is_final)) {
        switch (rtu_master_next(l->master, now_us(), &step)) {
        case RTU_WAIT:
            await(l, step.until_us);
            break;
        case RTU_SEND:
            send_request(l, &step);
            break;
        case RTU_DONE:
            *ret = step.reply;
            return;
        }
    }
    *ret = (struct bus_reply){ .outcome = BUS_NO_LINK };
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

/* Through the air three answers get lost on any day; the port is not to blame. */
static int errors_max(const struct serial_line *l)
{
    return l->opt.port->type == BUS_LORA_SERIAL ? RADIO_ERRORS_MAX : BUS_ERRORS_MAX;
}

static void note_errors(struct serial_line *l, enum bus_outcome outcome)
{
    bool has_failed = outcome == BUS_NO_ANSWER || outcome == BUS_BAD_FRAME;

    l->errors = has_failed ? l->errors + 1 : 0;
    if (has_failed && l->fd >= 0)
        tcflush(l->fd, TCOFLUSH);
    if (l->errors >= errors_max(l) && l->fd >= 0)
        reopen_port(l);
}

void serial_line_ask(struct serial_line *l, const struct bus_request *r, struct bus_reply *ret)
{
    if (rtu_master_ask(l->master, r, now_us()) != 0) {
        *ret = (struct bus_reply){ .outcome = BUS_NO_LINK };
        return;
    }
    run_transaction(l, ret);
    note_errors(l, ret->outcome);
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

static void on_echo(void *user)
{
    const struct serial_line *l = user;

    log_notice("this serial adapter hands back what is sent, which is passed over port=%s",
               l->opt.port->device);
}

static void on_late(void *user, uint8_t unit, int64_t took_us)
{
    const struct serial_line *l = user;

    l->opt.on_late(l->opt.user, unit, took_us < 0 ? -1 : took_us / 1000);
}

static void on_frame(void *user, const struct bus_frame *f)
{
    const struct serial_line *l = user;

    l->opt.on_frame(l->opt.user, f);
}

int64_t serial_char_us(const struct bus_place *p)
{
    int bits = 1 + p->data_bits + (p->parity != 'N') + p->stop_bits;

    return INT64_C(1000000) * bits / p->baud + 1;
}

static int create_master(struct serial_line *l)
{
    const struct bus_place *p = l->opt.port;
    int64_t char_us = serial_char_us(p);
    int64_t standard_us = p->baud > GAP_FAST_BAUD ? GAP_FAST_US : char_us * 7 / 2;
    int64_t gap_us = larger(standard_us, p->pause_ms * 1000);
    bool has_modem = p->type == BUS_LORA_SERIAL;
    const struct rtu_options o = {
        .char_us = char_us,
        .gap_us = gap_us,
        .strange_us = larger(gap_us, has_modem ? lora_packet_gap_us(&p->modem) : STRANGE_US),
        .modem = has_modem ? p->modem : (struct lora_modem){ 0 },
        .on_late = on_late,
        .on_frame = l->opt.on_frame ? on_frame : NULL,
        .on_echo = on_echo,
        .user = l,
    };

    return rtu_master_create(&o, &l->master);
}

static bool is_port(const struct bus_place *p)
{
    return p->device && p->baud > 0 &&
           (p->parity == 'N' || p->parity == 'E' || p->parity == 'O') &&
           (p->type != BUS_LORA_SERIAL || p->modem.packet > 0) &&
           (p->data_bits == 7 || p->data_bits == 8) && (p->stop_bits == 1 || p->stop_bits == 2);
}

int serial_line_create(const struct serial_options *o, struct serial_line **ret)
{
    const struct bus_place *p = o->port;
    struct serial_line *l = is_port(p) ? calloc(1, sizeof *l) : NULL;

    if (!l)
        return is_port(p) ? -ENOMEM : -EINVAL;
    l->opt = *o;
    l->fd = -1;
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->modbus = modbus_new_rtu(p->device, p->baud, p->parity, p->data_bits, p->stop_bits);
    int rc = create_master(l);
    if (rc == 0 && (l->wake_fd < 0 || !l->modbus || modbus_set_slave(l->modbus, 1) != 0))
        rc = errno ? -errno : -ENOMEM;
    if (rc != 0) {
        serial_line_destroy(l);
        return rc;
    }
    *ret = l;
    return 0;
}

void serial_line_destroy(struct serial_line *l)
{
    if (!l)
        return;
    close_port(l);
    rtu_master_destroy(l->master);
    if (l->modbus)
        modbus_free(l->modbus);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    free(l);
}
