/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/observe.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/buf.h"

enum {
    CONNECTIONS_MAX = 32,
    CONNECTIONS_OF_ONE = 8,
    IDLE_S = 10,
    MEMORY_MAX = 16 << 10, /* of a connection: a request's head */
    HOST_MAX = 256,
    TEXT_MAX = 16 << 20, /* 4096 stations with long names */
    TROUBLE_MAX = 256,
};

struct observe {
    struct MHD_Daemon *daemon;
    unsigned port;
    pthread_mutex_t lock;
    bool has_lock;
    struct buf metrics;
    char trouble[TROUBLE_MAX];
};

/* ---- answers ---- */

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, const char *type,
                             const char *text, size_t size)
{
    /* MHD_RESPMEM_MUST_COPY does not change it; its parameter lacks the const */
    struct MHD_Response *r =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);

    if (!r)
        return MHD_NO;
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    enum MHD_Result rc = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return rc;
}

static enum MHD_Result say(struct MHD_Connection *c, unsigned status, const char *text)
{
    return reply(c, status, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result serve_metrics(struct observe *o, struct MHD_Connection *c)
{
    pthread_mutex_lock(&o->lock);
    enum MHD_Result rc = reply(c, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
                               o->metrics.data ? o->metrics.data : "", o->metrics.size);
    pthread_mutex_unlock(&o->lock);
    return rc;
}

static enum MHD_Result serve_health(struct observe *o, struct MHD_Connection *c)
{
    char text[TROUBLE_MAX + 1];

    pthread_mutex_lock(&o->lock);
    snprintf(text, sizeof text, "%s\n", o->trouble[0] ? o->trouble : "ok");
    bool is_well = !o->trouble[0];
    pthread_mutex_unlock(&o->lock);
    return say(c, is_well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, text);
}

static enum MHD_Result serve(void *cls, struct MHD_Connection *c, const char *path,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **context)
{
    static int begun;
    struct observe *o = cls;

    (void)version, (void)upload;
    if (!*context) { /* the head alone: what follows is asked for again */
        *context = &begun;
        return MHD_YES;
    }
    if (*upload_size) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return say(c, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD are answered.\n");
    if (strcmp(path, "/metrics") == 0)
        return serve_metrics(o, c);
    if (strcmp(path, "/healthz") == 0)
        return serve_health(o, c);
    return say(c, MHD_HTTP_NOT_FOUND, "There is nothing at this address.\n");
}

/* ---- life ---- */

/* "host:port" or "[host]:port" into both parts. */
static int split(const char *listen, char *host, const char **port)
{
    const char *colon = strrchr(listen, ':');
    bool is_bracketed = listen[0] == '[';

    if (!colon || !colon[1] || (is_bracketed && colon[-1] != ']'))
        return -EINVAL;
    size_t n = (size_t)(colon - listen) - (is_bracketed ? 2 : 0);
    if (n == 0 || n >= HOST_MAX)
        return -EINVAL;
    memcpy(host, listen + is_bracketed, n);
    host[n] = '\0';
    *port = colon + 1;
    return 0;
}

static int look_up(const char *listen, struct addrinfo **ret)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    char host[HOST_MAX];
    const char *port;

    if (split(listen, host, &port) < 0 || getaddrinfo(host, port, &hints, ret) != 0)
        return -EINVAL;
    return 0;
}

static int start_daemon(struct observe *o, const struct addrinfo *at)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;

    if (at->ai_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    o->daemon = MHD_start_daemon(flags, 0, NULL, NULL, serve, o, MHD_OPTION_SOCK_ADDR,
                                 at->ai_addr, MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                 (unsigned)CONNECTIONS_OF_ONE, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 (size_t)MEMORY_MAX, MHD_OPTION_END);
    if (!o->daemon)
        return -EADDRINUSE;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(o->daemon, MHD_DAEMON_INFO_BIND_PORT);
    o->port = info ? info->port : 0;
    return 0;
}

int observe_start(const char *listen, struct observe **ret, char *error, size_t error_size)
{
    struct addrinfo *at;
    struct observe *o = NULL;
    int rc = look_up(listen, &at);

    if (rc < 0) {
        snprintf(error, error_size, "'%.80s' is no address like 127.0.0.1:9180", listen);
        return rc;
    }
    o = calloc(1, sizeof *o);
    rc = o ? -pthread_mutex_init(&o->lock, NULL) : -ENOMEM;
    if (rc == 0) {
        o->has_lock = true;
        o->metrics = BUF_INIT(TEXT_MAX);
        rc = start_daemon(o, at);
    }
    freeaddrinfo(at);
    if (rc < 0) {
        snprintf(error, error_size, "cannot listen at %.80s: %s", listen, strerror(-rc));
        observe_stop(o);
        return rc;
    }
    *ret = o;
    return 0;
}

unsigned observe_port(const struct observe *o)
{
    return o->port;
}

void observe_stop(struct observe *o)
{
    if (!o)
        return;
    if (o->daemon)
        MHD_stop_daemon(o->daemon);
    if (o->has_lock)
        pthread_mutex_destroy(&o->lock);
    buf_done(&o->metrics);
    free(o);
}

void observe_set(struct observe *o, const char *metrics, size_t size, const char *trouble)
{
    pthread_mutex_lock(&o->lock);
    buf_clear(&o->metrics);
    buf_put(&o->metrics, metrics, size);
    snprintf(o->trouble, sizeof o->trouble, "%s", trouble);
    pthread_mutex_unlock(&o->lock);
}
