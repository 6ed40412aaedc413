/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_rig - a bus over TCP against a server thread whose connections follow a script. */
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/unit/bus_rig.h"

struct server {
    struct rig rig;
    int listen_fd;
    uint16_t port;
    enum bus_type type;
    void (*script)(struct server *s);     /* with an accepted connection in rig.peer_fd */
    void (*afterwards)(struct server *s); /* whoever comes again is served well */
};

static inline void *server_main(void *arg)
{
    struct server *s = arg;
    struct pollfd p = { s->listen_fd, POLLIN, 0 };

    while (!atomic_load(&s->rig.is_peer_over)) {
        if (poll(&p, 1, 5) <= 0)
            continue;
        s->rig.peer_fd = accept(s->listen_fd, NULL, NULL);
        fcntl(s->rig.peer_fd, F_SETFL, O_NONBLOCK);
        s->script(s);
        close(s->rig.peer_fd);
        s->script = s->afterwards;
    }
    return NULL;
}

static inline void listen_on(struct server *s, uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    int one = 1;

    s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(s->listen_fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(s->listen_fd, (struct sockaddr *)&a, &size), 0);
    s->port = ntohs(a.sin_port);
}

static inline void start_peer(struct server *s, void (*script)(struct server *s),
                              void (*afterwards)(struct server *s))
{
    s->script = script;
    s->afterwards = afterwards;
    assert_int_equal(listen(s->listen_fd, 4), 0);
    assert_int_equal(pthread_create(&s->rig.peer, NULL, server_main, s), 0);
}

static inline void start_bus(struct server *s, const char *host)
{
    const struct bus_events on = rig_events(&s->rig);
    const struct bus_place place = {
        .type = s->type, .host = host, .port = s->port, .connect_timeout_ms = 500
    };

    assert_int_equal(bus_create(&s->rig.loop, &s->rig.clock, &place, &on, &s->rig.bus), 0);
    assert_int_equal(bus_start(s->rig.bus), 0);
}

static inline void teardown(struct server *s)
{
    rig_done(&s->rig);
    atomic_store(&s->rig.is_peer_over, true);
    pthread_join(s->rig.peer, NULL);
    close(s->listen_fd);
}
