/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/clock.h"
#include "gateway/http/server.h"

struct guest {
    struct MHD_Connection *connection; /* NULL: free */
    struct in6_addr address;           /* v4 as ::ffff:a.b.c.d */
    int fd;
    int64_t since_ms;
    bool is_exempt;
};

struct guard {
    pthread_mutex_t lock;
    struct guest guests[CONNECTIONS_MAX];
};

int guard_create(struct guard **ret)
{
    struct guard *g = calloc(1, sizeof *g);

    if (!g)
        return -ENOMEM;
    int err = pthread_mutex_init(&g->lock, NULL);
    if (err) {
        free(g);
        return -err;
    }
    *ret = g;
    return 0;
}

void guard_destroy(struct guard *g)
{
    if (!g)
        return;
    pthread_mutex_destroy(&g->lock);
    free(g);
}

static struct in6_addr address_of(const struct sockaddr *sa)
{
    struct in6_addr a = IN6ADDR_ANY_INIT;

    if (sa && sa->sa_family == AF_INET6) {
        a = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
    } else if (sa && sa->sa_family == AF_INET) {
        a.s6_addr[10] = a.s6_addr[11] = 0xff;
        memcpy(&a.s6_addr[12], &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
    }
    return a;
}

static bool is_loopback(const struct in6_addr *a)
{
    return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

enum MHD_Result guard_accept(void *cls, const struct sockaddr *address, socklen_t size)
{
    struct guard *g = cls;
    struct in6_addr a = address_of(address);
    unsigned n = 0;

    (void)size;
    if (is_loopback(&a))
        return MHD_YES;
    pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        n += g->guests[i].connection && memcmp(&g->guests[i].address, &a, sizeof a) == 0;
    pthread_mutex_unlock(&g->lock);
    return n < CONNECTIONS_PER_IP ? MHD_YES : MHD_NO;
}

static struct guest *find(struct guard *g, const struct MHD_Connection *connection)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (g->guests[i].connection == connection)
            return &g->guests[i];
    return NULL;
}

void guard_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
                  enum MHD_ConnectionNotificationCode what)
{
    struct guard *g = cls;
    bool is_start = what == MHD_CONNECTION_NOTIFY_STARTED;
    const union MHD_ConnectionInfo *fd, *peer;

    (void)socket_context;
    pthread_mutex_lock(&g->lock);
    struct guest *guest = find(g, is_start ? NULL : connection);
    if (guest && is_start) {
        fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        *guest = (struct guest){ .connection = connection,
                                 .fd = fd ? fd->connect_fd : -1,
                                 .address = address_of(peer ? peer->client_addr : NULL),
                                 .since_ms = mono_ms() };
    } else if (guest) {
        *guest = (struct guest){ 0 };
    }
    pthread_mutex_unlock(&g->lock);
}

void guard_renew(struct guard *g, struct MHD_Connection *connection)
{
    pthread_mutex_lock(&g->lock);
    struct guest *guest = find(g, connection);
    if (guest) {
        guest->since_ms = mono_ms();
        guest->is_exempt = false;
    }
    pthread_mutex_unlock(&g->lock);
}

void guard_exempt(struct guard *g, struct MHD_Connection *connection)
{
    pthread_mutex_lock(&g->lock);
    struct guest *guest = find(g, connection);
    if (guest)
        guest->is_exempt = true;
    pthread_mutex_unlock(&g->lock);
}

/* libmicrohttpd closes the socket only after guard_notify(), so a descriptor found here is
 * open. */
static void end(const struct guest *guest)
{
    if (guest->fd >= 0)
        shutdown(guest->fd, SHUT_RDWR);
}

void guard_sweep(struct guard *g, int64_t limit_ms)
{
    int64_t now = mono_ms();

    pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct guest *guest = &g->guests[i];
        if (guest->connection && !guest->is_exempt && now - guest->since_ms > limit_ms)
            end(guest);
    }
    pthread_mutex_unlock(&g->lock);
}

void guard_end(struct guard *g, struct MHD_Connection *connection)
{
    pthread_mutex_lock(&g->lock);
    struct guest *guest = find(g, connection);
    if (guest)
        end(guest);
    pthread_mutex_unlock(&g->lock);
}

unsigned guard_connections(struct guard *g)
{
    unsigned n = 0;

    pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        n += g->guests[i].connection != NULL;
    pthread_mutex_unlock(&g->lock);
    return n;
}
