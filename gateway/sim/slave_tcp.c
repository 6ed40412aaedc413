/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/slave_tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/sim/link.h"

struct connection {
    struct slave_tcp *port;
    struct link *link;
    int fd;
};

struct slave_tcp {
    uv_poll_t poll;
    struct slave_group *group;
    int fd;
    unsigned number;
    struct connection *connections[SLAVE_TCP_CONNECTIONS_MAX];
    unsigned handles; /* not yet closed: the object goes with the last one */
};

static void release(struct slave_tcp *t)
{
    if (--t->handles == 0)
        free(t);
}

static void on_connection_closed(void *user)
{
    struct connection *c = user;

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
    link_close(c->link);
}

static void on_end(void *user, bool is_fault)
{
    (void)is_fault;
    connection_close(user);
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
    struct connection **place = free_place(t);
    struct connection *c = place ? calloc(1, sizeof *c) : NULL;
    int on = 1;

    if (!c)
        return place ? -ENOMEM : -EMFILE;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->port = t;
    c->fd = fd;
    int rc = link_open(&(struct link_options){ .loop = t->poll.loop,
                                               .fd = fd,
                                               .group = t->group,
                                               .on_end = on_end,
                                               .on_closed = on_connection_closed,
                                               .user = c },
                       &c->link);
    if (rc < 0) {
        free(c);
        return rc;
    }
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
    int fd = accept4(t->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0 && connection_open(t, fd) < 0)
        close(fd);
}

bool slave_tcp_port_is_ok(const char *port)
{
    size_t n = strlen(port);

    return n > 0 && n <= 5 && strspn(port, "0123456789") == n &&
           strtol(port, NULL, 10) <= UINT16_MAX;
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
    modbus_t *modbus = modbus_new_tcp_pi(host, port);

    if (!modbus)
        return -errno;
    errno = 0;
    t->fd = modbus_tcp_pi_listen(modbus, SLAVE_TCP_CONNECTIONS_MAX);
    int rc = t->fd >= 0 ? 0 : errno ? -errno : -EADDRNOTAVAIL;
    modbus_free(modbus);
    if (rc < 0)
        return rc;
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
