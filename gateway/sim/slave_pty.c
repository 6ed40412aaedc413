/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   gateway <-> slave side = line = master side <-> frame[] <-> socket pair <-> libmodbus
 *
 * libmodbus listens for one unit only and takes the next frame for another unit's answer when
 * it hears a foreign request. Here one line has many units: a whole frame is collected first,
 * then libmodbus is told to be the unit that the frame names, and given the frame.
 */
#include "gateway/sim/slave_pty.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum {
    REQUEST_BYTES = 8, /* functions 1 to 6: unit, function, two words, CRC */
    SILENCE_MS = 20,   /* ends every other frame, and clears what is left of a broken one */
    BYTE_TIMEOUT_US = 2000, /* the frame is complete: a missing byte will not come */
    UNIT_MAX = 247,         /* Modbus over serial line 2.2 */
};

struct slave_pty {
    uv_poll_t poll; /* of the master side */
    uv_timer_t silence;
    struct slave_group *group;
    modbus_t *modbus;
    int master, slave; /* our own slave side keeps the line up while the gateway is away */
    int ours, theirs;  /* the socket pair; theirs is libmodbus's */
    char *path;        /* of the link */
    uint8_t frame[MODBUS_RTU_MAX_ADU_LENGTH];
    size_t frame_n;
    int handles;
};

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void slave_pty_free(struct slave_pty *p)
{
    close_fd(p->master);
    close_fd(p->slave);
    close_fd(p->ours);
    close_fd(p->theirs);
    if (p->modbus)
        modbus_free(p->modbus);
    free(p->path);
    free(p);
}

static void drain(int fd)
{
    uint8_t junk[256];

    while (recv(fd, junk, sizeof junk, MSG_DONTWAIT) > 0)
        continue;
}

static void forward_reply(struct slave_pty *p)
{
    uint8_t reply[MODBUS_RTU_MAX_ADU_LENGTH];
    ssize_t n = recv(p->ours, reply, sizeof reply, MSG_DONTWAIT);

    /* a line nobody reads is full at some time: bytes are lost there, as on a wire */
    if (n > 0 && write(p->master, reply, (size_t)n) < 0)
        tcflush(p->master, TCIOFLUSH);
}

static void handle_frame(struct slave_pty *p, size_t size)
{
    uint8_t request[MODBUS_RTU_MAX_ADU_LENGTH];

    if (p->frame[0] > UNIT_MAX || modbus_set_slave(p->modbus, p->frame[0]) < 0)
        return;
    if (send(p->ours, p->frame, size, MSG_DONTWAIT) != (ssize_t)size)
        return;
    int n = modbus_receive(p->modbus, request);
    if (n > 0)
        slave_answer(p->group, SLAVE_RTU, p->modbus, request, n);
    drain(p->theirs);
    forward_reply(p);
}

static void on_silence(uv_timer_t *timer)
{
    struct slave_pty *p = timer->data;

    if (p->frame_n >= 4) /* the shortest frame: unit, function, CRC */
        handle_frame(p, p->frame_n);
    p->frame_n = 0;
}

static bool is_fixed_length(const struct slave_pty *p)
{
    return p->frame_n >= 2 && p->frame[1] >= 1 && p->frame[1] <= 6;
}

static void on_bytes(uv_poll_t *poll, int status, int events)
{
    struct slave_pty *p = poll->data;

    (void)events;
    if (status < 0)
        return;
    ssize_t n = read(p->master, p->frame + p->frame_n, sizeof p->frame - p->frame_n);
    if (n <= 0)
        return;
    p->frame_n += (size_t)n;
    while (is_fixed_length(p) && p->frame_n >= REQUEST_BYTES) {
        handle_frame(p, REQUEST_BYTES);
        p->frame_n -= REQUEST_BYTES;
        memmove(p->frame, p->frame + REQUEST_BYTES, p->frame_n);
    }
    if (p->frame_n == sizeof p->frame) /* longer than any frame: noise */
        p->frame_n = 0;
    if (p->frame_n > 0)
        uv_timer_start(&p->silence, on_silence, SILENCE_MS, 0);
    else
        uv_timer_stop(&p->silence);
}

static int open_line(struct slave_pty *p, char *name, size_t size)
{
    struct termios t;

    p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (p->master < 0 || grantpt(p->master) < 0 || unlockpt(p->master) < 0)
        return -errno;
    int rc = ptsname_r(p->master, name, size);
    if (rc != 0)
        return -rc;
    p->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (p->slave < 0 || tcgetattr(p->slave, &t) < 0)
        return -errno;
    cfmakeraw(&t);
    return tcsetattr(p->slave, TCSANOW, &t) < 0 ? -errno : 0;
}

static int make_link(struct slave_pty *p, const char *path, const char *name)
{
    struct stat st;

    if (lstat(path, &st) == 0) {
        if (!S_ISLNK(st.st_mode))
            return -EEXIST;
        if (unlink(path) < 0)
            return -errno;
    }
    if (symlink(name, path) < 0)
        return -errno;
    p->path = strdup(path);
    if (!p->path) {
        unlink(path);
        return -ENOMEM;
    }
    return 0;
}

static int open_modbus(struct slave_pty *p, const char *name)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    p->ours = pair[0];
    p->theirs = pair[1];
    p->modbus = modbus_new_rtu(name, 9600, 'N', 8, 1);
    if (!p->modbus)
        return -errno;
    modbus_set_byte_timeout(p->modbus, 0, BYTE_TIMEOUT_US);
    modbus_set_socket(p->modbus, p->theirs);
    return 0;
}

static int watch(struct slave_pty *p, uv_loop_t *loop)
{
    int rc = uv_poll_init(loop, &p->poll, p->master);

    if (rc < 0)
        return rc;
    uv_timer_init(loop, &p->silence);
    p->poll.data = p->silence.data = p;
    p->handles = 2;
    return uv_poll_start(&p->poll, UV_READABLE, on_bytes);
}

int slave_pty_start(uv_loop_t *loop, const char *path, struct slave_group *g,
                    struct slave_pty **ret)
{
    char name[64]; /* "/dev/pts/N" */
    struct slave_pty *p = calloc(1, sizeof *p);

    if (!p)
        return -ENOMEM;
    p->group = g;
    p->master = p->slave = p->ours = p->theirs = -1;
    int rc = open_line(p, name, sizeof name);
    if (rc == 0)
        rc = open_modbus(p, name);
    if (rc == 0)
        rc = make_link(p, path, name);
    if (rc == 0)
        rc = watch(p, loop);
    if (rc < 0) {
        if (p->path)
            unlink(p->path);
        slave_pty_free(p);
        return rc;
    }
    *ret = p;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct slave_pty *p = handle->data;

    if (--p->handles == 0)
        slave_pty_free(p);
}

void slave_pty_stop(struct slave_pty *p)
{
    if (!p)
        return;
    unlink(p->path);
    uv_poll_stop(&p->poll);
    uv_close((uv_handle_t *)&p->poll, on_closed);
    uv_close((uv_handle_t *)&p->silence, on_closed);
}
