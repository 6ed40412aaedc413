/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_link - keeps one TCP connection on the loop up, for the buses that speak over it.
 *
 *   IDLE -> RESOLVING -> CONNECTING -> UP
 *              ^              |         |      any failure closes the socket
 *              +--- WAITING <-+---------+      (back-off, at most BUS_REOPEN_MAX_MS)
 *
 * Never blocks. The states exclude each other, so one timer serves connect timeout and
 * back-off. Every try takes the next address of the name. Main thread; embedded, and may be
 * freed inside on_closed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/base/backoff.h"
#include "gateway/bus/bus.h"
#include "gateway/bus/lookup.h"

struct tcp_link_events {
    void (*on_up)(void *user);       /* connected: may send */
    void (*on_readable)(void *user); /* to be received */
    void (*on_lost)(void *user);     /* gone, or not to be had; it comes again by itself */
    void (*on_news)(void *user, bool is_up); /* what people want to know, before the others:
                                              * leaving a peer that is not believed is no news,
                                              * not getting it back is */
    void (*on_closed)(void *user);
    void *user;
};

enum tcp_link_state {
    TCP_LINK_IDLE,
    TCP_LINK_RESOLVING,
    TCP_LINK_CONNECTING,
    TCP_LINK_UP,
    TCP_LINK_WAITING,
    TCP_LINK_CLOSED
};

struct tcp_link { /* private but for its size */
    uv_loop_t *loop;
    const struct bus_place *place;
    struct tcp_link_events on;
    enum tcp_link_state state;
    int fd;
    bool has_failed; /* the last try to connect failed: requests need not wait for the next */
    bool is_told_up; /* by on_news */
    bool has_poll;   /* `poll` is a live handle */
    int handles;     /* not closed yet */
    uv_poll_t poll;
    uv_timer_t timer;
    struct lookup *lookup;
    struct backoff backoff;
    unsigned tries; /* walks through the addresses of a name */
};

/* The place must outlive the link. */
void tcp_link_init(struct tcp_link *l, uv_loop_t *loop, const struct bus_place *place,
                   const struct tcp_link_events *on);

/* Goes for the connection. Once. */
void tcp_link_start(struct tcp_link *l);

bool tcp_link_is_up(const struct tcp_link *l);

/* Whether a request need not wait for the connection: it is not to be had now. */
bool tcp_link_is_hopeless(const struct tcp_link *l);

/* A whole frame always fits a working connection: 0, or -ENOTCONN when it is broken. Calls
 * nothing; tcp_link_drop() is the caller's to do. */
int tcp_link_send(struct tcp_link *l, const uint8_t *p, size_t n);

/* What is there, at most n > 0 bytes: their number, 0: none now. When the connection went away,
 * -ENOTCONN, after on_lost. */
ssize_t tcp_link_receive(struct tcp_link *l, uint8_t *buf, size_t n);

/* The peer answers as it should: the next back-off is short. */
void tcp_link_believe(struct tcp_link *l);

/* Leaves the peer and comes again after the back-off; calls nothing. */
void tcp_link_drop(struct tcp_link *l);

/* The same for a connection that turned out to be broken: on_news, then on_lost. */
void tcp_link_lose(struct tcp_link *l);

/* Ends everything; on_closed comes later, once, and nothing else. Only after start. */
void tcp_link_stop(struct tcp_link *l);
