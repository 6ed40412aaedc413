/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/http/frames.h"
#include "gateway/http/guard.h"
#include "gateway/http/histories.h"
#include "gateway/http/history.h"
#include "gateway/http/server.h"
#include "gateway/http/stream.h"
#include "gateway/http/web.h"

enum { TICK_MS = 250, BACKLOG = 64, HOST_SIZE = 256, PORT_SIZE = 8 };

struct listener {
    struct http http;
    unsigned port;
    pthread_t ticker;
    bool has_ticker;
    pthread_mutex_t lock; /* is_stopping */
    pthread_cond_t wake;
    bool is_stopping;
};

/* ---- what is served where ---- */

/* docs/series/sf1.mjs: the frames' decoder, for the page and for everybody. */
static enum MHD_Result decoder_serve(struct request *r)
{
    const struct embedded_file *f = web_find(web_files, web_files_n, "sf1.mjs");

    return reply_file(r, "text/javascript; charset=utf-8", f->data, f->size);
}

static const struct {
    const char *path;
    handler *serve;
} routes[] = {
    { "/", page_serve },
    { "/api/v1/now", api_now_serve },
    { "/api/v1/live", stream_serve },
    { "/api/v1/history", history_serve },
    { "/api/v1/histories", histories_serve },
    { "/api/v1/frames", frames_serve },
    { "/api/v1/layout", layout_serve },
    { "/api/v1/alerts", api_alerts_serve },
    { "/metrics", metrics_serve },
    { "/healthz", health_serve },
    { "/sf1.js", decoder_serve },
};

static const struct {
    const char *ending, *type;
} types[] = {
    { ".js", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".json", "application/json" },
    { ".svg", "image/svg+xml" },
};

const struct embedded_file *web_find(const struct embedded_file *files, size_t n,
                                     const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
    return NULL;
}

static const char *type_of(const char *name)
{
    const char *ending = strrchr(name, '.');

    for (size_t i = 0; ending && i < sizeof types / sizeof *types; i++)
        if (strcmp(ending, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

static const struct embedded_file *find_asset(const char *name)
{
    const struct embedded_file *f = web_find(web_files, web_files_n, name);

    return f ? f : web_find(web_library, web_library_n, name);
}

static enum MHD_Result dispatch(struct request *r, const char *path)
{
    static const char assets[] = "/assets/", parts[] = "/part/";

    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(path, routes[i].path) == 0)
            return routes[i].serve(r);
    if (strncmp(path, parts, strlen(parts)) == 0)
        return page_part_serve(r, path + strlen(parts));
    const struct embedded_file *f =
        strncmp(path, assets, strlen(assets)) == 0 ? find_asset(path + strlen(assets)) : NULL;
    if (f)
        return reply_file(r, type_of(f->name), f->data, f->size);
    return reply_error(r, MHD_HTTP_NOT_FOUND, "There is nothing at this address.");
}

/* ---- one exchange ---- */

struct lengths {
    unsigned content_lengths, encodings;
    bool has_body;
};

static enum MHD_Result count_length(void *cls, enum MHD_ValueKind kind, const char *key,
                                    const char *value)
{
    struct lengths *l = cls;

    (void)kind;
    if (strcasecmp(key, "Content-Length") == 0) {
        l->content_lengths++;
        l->has_body |= !value || strspn(value, "0") != strlen(value);
    } else if (strcasecmp(key, "Transfer-Encoding") == 0) {
        l->encodings++;
        l->has_body = true;
    }
    return MHD_YES;
}

/* A request whose length can be read in two ways is an attack on a proxy in front of us; one
 * with a body is not for a server that takes nothing. */
static const char *bad_request(struct MHD_Connection *c)
{
    struct lengths l = { 0 };

    MHD_get_connection_values(c, MHD_HEADER_KIND, count_length, &l);
    if (l.content_lengths > 1 || (l.content_lengths && l.encodings))
        return "The length of the request is ambiguous.";
    if (l.has_body)
        return "A request with a body is not accepted here.";
    return NULL;
}

static bool accepts_gzip(struct MHD_Connection *c)
{
    const char *v = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept-Encoding");
    const char *gzip = v ? strstr(v, "gzip") : NULL;

    return gzip && strncmp(gzip + 4, ";q=0,", 5) != 0 && strcmp(gzip + 4, ";q=0") != 0;
}

static struct request *request_create(struct http *h, struct MHD_Connection *c)
{
    struct request *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    *r = (struct request){ .http = h, .connection = c, .accepts_gzip = accepts_gzip(c) };
    r->lang = lang_choose(MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "lang"),
                          MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept-Language"));
    return r;
}

static enum MHD_Result begin(struct http *h, struct MHD_Connection *c, const char *method,
                             void **context)
{
    struct request *r = request_create(h, c);

    if (!r)
        return MHD_NO;
    *context = r;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return reply_error(r, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD are answered.");
    const char *bad = bad_request(c);
    return bad ? reply_error(r, MHD_HTTP_BAD_REQUEST, bad) : MHD_YES;
}

static enum MHD_Result serve(void *cls, struct MHD_Connection *c, const char *path,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **context)
{
    (void)version;
    (void)upload;
    if (!*context)
        return begin(cls, c, method, context);
    *upload_size = 0;
    return dispatch(*context, path);
}

static void complete(void *cls, struct MHD_Connection *c, void **context,
                     enum MHD_RequestTerminationCode how)
{
    struct http *h = cls;
    struct request *r = *context;

    (void)how;
    guard_renew(h->guard, c);
    if (!r)
        return;
    history_job_destroy(r->job);
    free(r);
    *context = NULL;
}

/* ---- the ticker ---- */

static void tick(struct http *h)
{
    int64_t now = live_now(h->live);

    if (now != h->now_seen_ms) {
        h->now_seen_ms = now;
        atomic_store(&h->moved_ms, mono_ms());
    }
    streams_tick(h->streams);
    guard_sweep(h->guard, REQUEST_MAX_MS);
}

static void *ticker_main(void *user)
{
    struct listener *l = user;

    pthread_mutex_lock(&l->lock);
    while (!l->is_stopping) {
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_nsec += TICK_MS * 1000000L;
        at.tv_sec += at.tv_nsec / 1000000000L;
        at.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&l->wake, &l->lock, &at);
        pthread_mutex_unlock(&l->lock);
        tick(&l->http);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static int init_wake(struct listener *l)
{
    pthread_condattr_t attr;
    int err = pthread_condattr_init(&attr);

    if (err)
        return -err;
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    err = pthread_cond_init(&l->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (!err && (err = pthread_mutex_init(&l->lock, NULL)) != 0)
        pthread_cond_destroy(&l->wake);
    return -err;
}

static int start_ticker(struct listener *l)
{
    int err = pthread_create(&l->ticker, NULL, ticker_main, l);

    l->has_ticker = !err;
    return -err;
}

static void stop_ticker(struct listener *l)
{
    if (!l->has_ticker)
        return;
    pthread_mutex_lock(&l->lock);
    l->is_stopping = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->ticker, NULL);
    l->has_ticker = false;
}

/* ---- start and stop ---- */

static int refuse(char *error, size_t size, const char *listen, const char *why)
{
    snprintf(error, size, "cannot listen on '%s': %s", listen, why);
    return -EINVAL;
}

/* "host:port", "[v6]:port" into two texts. */
static bool split(const char *listen, char *host, char *port)
{
    const char *colon = strrchr(listen, ':');
    size_t n = colon ? (size_t)(colon - listen) : 0;

    if (n > 1 && listen[0] == '[' && listen[n - 1] == ']') {
        listen++;
        n -= 2;
    } else if (memchr(listen, ':', n)) {
        return false;
    }
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    if (n == 0 || n >= HOST_SIZE || digits == 0 || digits >= PORT_SIZE || colon[1 + digits] ||
        strtoul(colon + 1, NULL, 10) > 65535)
        return false;
    memcpy(host, listen, n);
    host[n] = '\0';
    memcpy(port, colon + 1, digits + 1);
    return true;
}

static int listen_on(const struct addrinfo *a, int *ret)
{
    int fd =
        socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    const int on = 1;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, BACKLOG)) {
        int err = -errno;
        close(fd);
        return err;
    }
    *ret = fd;
    return 0;
}

static int open_socket(const char *listen, int *ret, char *error, size_t error_size)
{
    char host[HOST_SIZE], port[PORT_SIZE];
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *a;

    if (!split(listen, host, port))
        return refuse(error, error_size, listen,
                      "expected an address and a port such as 127.0.0.1:8080 or [::1]:8080");
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof host, "127.0.0.1");
    if (getaddrinfo(host, port, &hints, &a))
        return refuse(error, error_size, listen, "the host is not a numeric address");
    int err = listen_on(a, ret);
    freeaddrinfo(a);
    if (err)
        refuse(error, error_size, listen, strerror(-err));
    return err;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof a;

    if (getsockname(fd, (struct sockaddr *)&a, &size))
        return 0;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&a)->sin6_port
                                         : ((struct sockaddr_in *)(void *)&a)->sin_port);
}

static int start_daemon(struct http *h, int fd)
{
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, guard_accept,
        h->guard, serve, h, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_MAX_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, complete, h,
        MHD_OPTION_NOTIFY_CONNECTION, guard_notify, h->guard, MHD_OPTION_END);
    return h->daemon ? 0 : -EIO;
}

static int start_parts(struct listener *l, int *fd, char *error, size_t error_size)
{
    struct http *h = &l->http;
    int err = guard_create(&h->guard);

    if (!err)
        err = words_create(&h->words);
    if (!err)
        err = streams_create(h, &h->streams);
    if (!err && h->store)
        err = history_create(h, &h->history);
    if (!err)
        err = start_ticker(l);
    if (!err)
        err = start_daemon(h, *fd);
    if (err)
        snprintf(error, error_size, "the page could not be started: %s", strerror(-err));
    else
        *fd = -1; /* closed by the daemon */
    return err;
}

int http_start(const char *listen, struct live *live, struct store *store, struct http **ret,
               char *error, size_t error_size)
{
    struct listener *l = calloc(1, sizeof *l);
    int fd = -1;

    if (!l || init_wake(l)) {
        free(l);
        snprintf(error, error_size, "the page could not be started: out of memory");
        return -ENOMEM;
    }
    l->http.live = live;
    l->http.store = store;
    atomic_store(&l->http.moved_ms, mono_ms());
    page_zone_parse(live_station_of(live)->zone, &l->http.zone_ms);
    int err = open_socket(listen, &fd, error, error_size);
    l->port = err ? 0 : port_of(fd);
    if (!err)
        err = start_parts(l, &fd, error, error_size);
    if (err) {
        if (fd >= 0)
            close(fd);
        http_stop(&l->http);
        return err;
    }
    *ret = &l->http;
    return 0;
}

unsigned http_port(const struct http *h)
{
    return ((const struct listener *)(const void *)h)->port; /* http is its first member */
}

void http_stop(struct http *h)
{
    struct listener *l = (struct listener *)(void *)h;

    if (!h)
        return;
    stop_ticker(l);
    if (h->streams)
        streams_stop(h->streams);
    history_stop(h->history);
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    history_destroy(h->history);
    streams_destroy(h->streams);
    words_destroy(h->words);
    guard_destroy(h->guard);
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
