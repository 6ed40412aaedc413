/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensors/core/bytes.h"

enum {
    BYTE_TIMEOUT_US = 2000, /* the frame is complete: a missing byte will not come */
    RTU_FIXED = 8,          /* functions 1 to 6: unit, function, two words, CRC */
    RTU_WRITE_HEAD = 7,     /* functions 15 and 16: unit, function, two words, byte count */
    RTU_IDENTIFY = 7,       /* unit, function, MEI type, code, object, CRC */
    MBAP = 6,               /* transaction, protocol, length of what follows */
    MBAP_LENGTH_MAX = 254,  /* unit and a PDU of 253 */
    CRC_SIZE = 2,
    UNIT_MAX = 247, /* Modbus over serial line 2.2 */
};

struct exchange {
    enum slave_line line;
    modbus_t *modbus;
    int ours, theirs; /* theirs is libmodbus's */
};

static int open_pair(struct exchange *e)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    e->ours = pair[0];
    e->theirs = pair[1];
    return e->theirs < FD_SETSIZE ? 0 : -EMFILE; /* libmodbus waits with select() */
}

int exchange_create(enum slave_line line, struct exchange **ret)
{
    struct exchange *e = calloc(1, sizeof *e);

    if (!e)
        return -ENOMEM;
    e->line = line;
    e->ours = e->theirs = -1;
    int rc = open_pair(e);
    if (rc == 0) { /* address and port are never opened */
        e->modbus = line == SLAVE_RTU ? modbus_new_rtu("/dev/null", 9600, 'N', 8, 1)
                                      : modbus_new_tcp("127.0.0.1", MODBUS_TCP_DEFAULT_PORT);
        rc = e->modbus ? 0 : -errno;
    }
    if (rc < 0) {
        exchange_destroy(e);
        return rc;
    }
    modbus_set_byte_timeout(e->modbus, 0, BYTE_TIMEOUT_US);
    modbus_set_socket(e->modbus, e->theirs);
    *ret = e;
    return 0;
}

void exchange_destroy(struct exchange *e)
{
    if (!e)
        return;
    if (e->modbus)
        modbus_free(e->modbus);
    if (e->ours >= 0) {
        close(e->ours);
        close(e->theirs);
    }
    free(e);
}

static int rtu_size(const uint8_t *p, size_t n)
{
    if (n < 2)
        return 0;
    if (p[1] >= MODBUS_FC_READ_COILS && p[1] <= MODBUS_FC_WRITE_SINGLE_REGISTER)
        return RTU_FIXED;
    if (p[1] == MODBUS_FC_WRITE_MULTIPLE_COILS || p[1] == MODBUS_FC_WRITE_MULTIPLE_REGISTERS)
        return n < RTU_WRITE_HEAD ? 0 : RTU_WRITE_HEAD + p[RTU_WRITE_HEAD - 1] + CRC_SIZE;
    return p[1] == 0x2B ? RTU_IDENTIFY : -1;
}

static int tcp_size(const uint8_t *p, size_t n)
{
    if (n < MBAP)
        return 0;
    unsigned length = get_be16(p + 4);
    if (get_be16(p + 2) != 0 || length < 2 || length > MBAP_LENGTH_MAX)
        return -1;
    return MBAP + (int)length;
}

int exchange_request_size(enum slave_line line, const uint8_t *p, size_t n)
{
    return line == SLAVE_RTU ? rtu_size(p, n) : tcp_size(p, n);
}

static void drain(int fd)
{
    uint8_t junk[EXCHANGE_FRAME_MAX];

    while (recv(fd, junk, sizeof junk, MSG_DONTWAIT) > 0)
        continue;
}

int exchange_receive(struct exchange *e, const uint8_t *frame, size_t n, uint8_t *req)
{
    /* libmodbus listens for one unit only and takes the next frame for another unit's answer
     * when it hears a foreign request: it is made the unit that the frame names */
    if (e->line == SLAVE_RTU &&
        (frame[0] > UNIT_MAX || modbus_set_slave(e->modbus, frame[0]) < 0))
        return -EBADMSG;
    if (send(e->ours, frame, n, MSG_DONTWAIT) != (ssize_t)n)
        return -EBADMSG;
    int got = modbus_receive(e->modbus, req);
    drain(e->theirs);
    return got < 0 ? -EBADMSG : got;
}

modbus_t *exchange_context(struct exchange *e)
{
    return e->modbus;
}

size_t exchange_take(struct exchange *e, uint8_t *frame)
{
    ssize_t n = recv(e->ours, frame, EXCHANGE_FRAME_MAX, MSG_DONTWAIT);

    return n > 0 ? (size_t)n : 0;
}

size_t exchange_frame(struct exchange *e, const uint8_t *request, const uint8_t *unit_pdu,
                      size_t n, uint8_t *frame)
{
    uint8_t raw[EXCHANGE_FRAME_MAX];

    if (n > sizeof raw)
        return 0;
    memcpy(raw, unit_pdu, n);
    if (modbus_send_raw_request(e->modbus, raw, (int)n) < 0)
        return 0;
    size_t size = exchange_take(e, frame);
    if (e->line == SLAVE_TCP && size >= MBAP)
        memcpy(frame, request, 2); /* libmodbus counts transactions of its own */
    return size;
}

const uint8_t *exchange_content(const struct exchange *e, const uint8_t *frame, size_t n,
                                size_t *ret_n)
{
    *ret_n = n - (e->line == SLAVE_TCP ? MBAP : CRC_SIZE);
    return e->line == SLAVE_TCP ? frame + MBAP : frame;
}

bool exchange_is_sound(struct exchange *e, const uint8_t *frame, size_t n)
{
    uint8_t again[EXCHANGE_FRAME_MAX];
    size_t content_n;
    const uint8_t *content = exchange_content(e, frame, n, &content_n);

    return exchange_frame(e, frame, content, content_n, again) == n &&
           memcmp(again, frame, n) == 0;
}
