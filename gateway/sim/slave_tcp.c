/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/slave_tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    BYTE_TIMEOUT_US = 100 * 1000, /* a client that stops in the middle of a frame is dropped */
    SEND_TIMEOUT_US = 200 * 1000, /* as is one that does not read its answers */
};

struct connection {
    uv_poll_t poll; /* first: handles are cast back */
    struct slave_tcp *port;
    int fd;
};

struct slave_tcp {
    uv_poll_t poll;
    struct slave_group *group;
    modbus_t *modbus; /* one for all connections: it keeps nothing between requests */
    int fd;
    unsigned number;
    struct connection *connections[SLAVE_TCP_CONNECTIONS_MAX];
    unsigned handles; /* not yet closed: the object goes with the last one */
};

static void release(struct slave_tcp *t)
{
    if (--t->handles > 0)
        return;
    modbus_free(t->modbus);
    free(t);
}

static void on_connection_closed(uv_handle_t *handle)
{
    struct connection *c = (struct connection *)handle;

    close(c->fd);
    release(c->port);
    free(c);
}

static void connection_close(struct connection *c)
{
    for (size_t i = 0; i < SLAVE_TCP_CONNECTIONS_MAX; i++) {
        if (c->port->connections[i] == c)
            c->port->connections[i] = NULL;
    }
    uv_poll_stop(&c->poll);
    uv_close((uv_handle_t *)&c->poll, on_connection_closed);
}

static void on_request(uv_poll_t *poll, int status, int events)
{
    struct connection *c = (struct connection *)poll;
    struct slave_tcp *t = c->port;
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];

    (void)events;
    modbus_set_socket(t->modbus, c->fd);
    int n = status < 0 ? -1 : modbus_receive(t->modbus, request);
    if (n < 0 || (n > 0 && slave_answer(t->group, SLAVE_TCP, t->modbus, request, n) < 0))
        connection_close(c);
}

static struct connection **free_place(struct slave_tcp *t)
{
    for (size_t i = 0; i < SLAVE_TCP_CONNECTIONS_MAX; i++) {
        if (!t->connections[i])
            return &t->connections[i];
    }
    return NULL;
}

static int connection_open(struct slave_tcp *t, int fd)
{
    struct timeval patience = { .tv_usec = SEND_TIMEOUT_US };
    struct connection **place = free_place(t);
    struct connection *c;
    int on = 1;

    if (!place || fd >= FD_SETSIZE) /* libmodbus waits with select() */
        return -EMFILE;
    c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    c->port = t;
    c->fd = fd;
    int rc = uv_poll_init(t->poll.loop, &c->poll, fd);
    if (rc < 0) {
        free(c);
        return rc;
    }
    /* uv_poll_init made the descriptor non-blocking; libmodbus reads on until a frame is whole
     */
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    uv_poll_start(&c->poll, UV_READABLE, on_request);
    *place = c;
    t->handles++;
    return 0;
}

static void on_client(uv_poll_t *poll, int status, int events)
{
    struct slave_tcp *t = (struct slave_tcp *)poll;

    (void)events;
    if (status < 0)
        return;
    int fd = accept4(t->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0 && connection_open(t, fd) < 0)
        close(fd);
}

static unsigned bound_port(int fd)
{
    struct sockaddr_storage a = { 0 };
    socklen_t size = sizeof a;

    if (getsockname(fd, (struct sockaddr *)&a, &size) < 0)
        return 0;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                         : ((struct sockaddr_in *)&a)->sin_port);
}

static int listen_at(struct slave_tcp *t, const char *host, const char *port)
{
    t->modbus = modbus_new_tcp_pi(host, port);
    if (!t->modbus)
        return -errno;
    modbus_set_byte_timeout(t->modbus, 0, BYTE_TIMEOUT_US);
    errno = 0;
    t->fd = modbus_tcp_pi_listen(t->modbus, SLAVE_TCP_CONNECTIONS_MAX);
    if (t->fd < 0)
        return errno ? -errno : -EADDRNOTAVAIL;
    t->number = bound_port(t->fd);
    return 0;
}

int slave_tcp_start(uv_loop_t *loop, const char *host, const char *port, struct slave_group *g,
                    struct slave_tcp **ret)
{
    struct slave_tcp *t = calloc(1, sizeof *t);

    if (!t)
        return -ENOMEM;
    t->group = g;
    t->fd = -1;
    int rc = listen_at(t, host, port);
    if (rc == 0)
        rc = uv_poll_init(loop, &t->poll, t->fd);
    if (rc < 0) {
        if (t->fd >= 0)
            close(t->fd);
        if (t->modbus)
            modbus_free(t->modbus);
        free(t);
        return rc;
    }
    t->handles = 1;
    uv_poll_start(&t->poll, UV_READABLE, on_client);
    *ret = t;
    return 0;
}

unsigned slave_tcp_port(const struct slave_tcp *t)
{
    return t->number;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct slave_tcp *t = (struct slave_tcp *)handle;

    close(t->fd);
    release(t);
}

void slave_tcp_stop(struct slave_tcp *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < SLAVE_TCP_CONNECTIONS_MAX; i++) {
        if (t->connections[i])
            connection_close(t->connections[i]);
    }
    uv_poll_stop(&t->poll);
    uv_close((uv_handle_t *)&t->poll, on_listener_closed);
}
