/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/clock.h"

enum { CHUNK = 64 << 10, CONNECT_MAX_S = 3 };

struct control_client {
    int fd;
    char *data;
    size_t size, cap;
    size_t at; /* of the line not yet handed out */
};

const char *control_path(const char *option)
{
    const char *env = getenv("SLUICE_CONTROL");

    if (option && *option)
        return option;
    return env && *env ? env : CONTROL_PATH;
}

static int refuse(int err, const char *path, char *error, size_t size)
{
    if (err == ENOENT || err == ECONNREFUSED)
        snprintf(error, size, "The daemon does not answer at %s: is `sluice run` running?",
                 path);
    else if (err == EACCES)
        snprintf(error, size, "You may not open %s: join its group.", path);
    else
        snprintf(error, size, "%s: %s.", path, strerror(err));
    return -err;
}

static int connect_to(const char *path, int *ret)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const struct timeval limit = { .tv_sec = CONNECT_MAX_S };

    if (strlen(path) >= sizeof address.sun_path)
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit); /* of the connect, too */
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        int err = errno;
        close(fd);
        return err;
    }
    *ret = fd;
    return 0;
}

/* One line of this size fits any socket buffer, so this does not wait. */
static int ask(int fd, const char *request)
{
    char line[CONTROL_REQUEST_MAX];
    int n = snprintf(line, sizeof line, "%s\n", request);

    if (n < 0 || (size_t)n >= sizeof line)
        return EMSGSIZE;
    return send(fd, line, (size_t)n, MSG_NOSIGNAL) == n ? 0 : errno ? errno : EIO;
}

int control_client_open(const char *path, const char *request, struct control_client **ret,
                        char *error, size_t error_size)
{
    int fd = -1;
    int err = connect_to(path, &fd);

    if (!err)
        err = ask(fd, request);
    struct control_client *c = err ? NULL : calloc(1, sizeof *c);
    if (!c) {
        if (fd >= 0)
            close(fd);
        return refuse(err ? err : ENOMEM, path, error, error_size);
    }
    c->fd = fd;
    *ret = c;
    return 0;
}

void control_client_close(struct control_client *c)
{
    if (!c)
        return;
    close(c->fd);
    free(c->data);
    free(c);
}

static int make_room(struct control_client *c)
{
    if (c->at) {
        memmove(c->data, c->data + c->at, c->size - c->at);
        c->size -= c->at;
        c->at = 0;
    }
    if (c->size >= CONTROL_LINE_MAX)
        return -EMSGSIZE;
    if (c->cap - c->size >= CHUNK)
        return 0;
    char *data = realloc(c->data, c->cap + CHUNK);
    if (!data)
        return -ENOMEM;
    c->data = data;
    c->cap += CHUNK;
    return 0;
}

/* Bytes read, 0 at the end, or a negative errno. */
static long read_more(struct control_client *c, int timeout_ms)
{
    struct pollfd p = { .fd = c->fd, .events = POLLIN };
    int err = make_room(c);

    if (err)
        return err;
    int ready = poll(&p, 1, timeout_ms);
    if (ready <= 0)
        return ready == 0 ? -ETIMEDOUT : -errno;
    ssize_t n = read(c->fd, c->data + c->size, CHUNK);
    if (n < 0)
        return -errno;
    c->size += (size_t)n;
    return n;
}

char *control_client_line(struct control_client *c, int timeout_ms, int *ret_err)
{
    int64_t deadline = mono_ms() + timeout_ms;

    for (;;) {
        char *start = c->data ? c->data + c->at : NULL;
        char *end = start ? memchr(start, '\n', c->size - c->at) : NULL;
        if (end) {
            *end = '\0';
            c->at = (size_t)(end + 1 - c->data);
            return start;
        }
        int64_t left = timeout_ms < 0 ? -1 : deadline - mono_ms();
        long n = timeout_ms >= 0 && left <= 0 ? -ETIMEDOUT : read_more(c, (int)left);
        if (n <= 0) {
            *ret_err = (int)n;
            return NULL;
        }
    }
}
