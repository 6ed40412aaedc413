/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/mqtt_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/queue.h"

enum { ASK_AGAIN_MS = 50 }; /* how late a stop may be noticed while a name is looked up */

static const struct scheme {
    const char *name, *library;
    int port;
    bool is_tls;
} schemes[] = {
    { "mqtt://", "tcp://", 1883, false },
    { "mqtts://", "ssl://", 8883, true },
};

static const struct scheme *find_scheme(const char *url)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncmp(url, schemes[i].name, strlen(schemes[i].name)) == 0)
            return &schemes[i];
    return NULL;
}

/* The bytes of the host: up to the port, "[...]" of an IPv6 address included. */
static size_t host_length(const char *text)
{
    if (*text == '[') {
        const char *end = strchr(text, ']');
        return end ? (size_t)(end + 1 - text) : 0;
    }
    return strcspn(text, ":");
}

static bool port_is_good(const char *text, long *ret)
{
    char *end;

    errno = 0;
    long port = strtol(text, &end, 10);
    if (end == text || *end || errno || port < 1 || port > 65535)
        return false;
    *ret = port;
    return true;
}

int mqtt_address_parse(const char *url, struct mqtt_address *ret, char *why, size_t size)
{
    const struct scheme *s = find_scheme(url);
    struct mqtt_address a = { .is_tls = s && s->is_tls };
    const char *host = s ? url + strlen(s->name) : "";
    size_t n = host_length(host);
    long port = s ? s->port : 0;

    if (!s)
        snprintf(why, size, "The address must begin with mqtt:// or mqtts://.");
    else if (strchr(host, '@'))
        snprintf(why, size,
                 "Credentials do not belong into the address; use username and "
                 "password_file.");
    else if (n == 0 || n >= MQTT_HOST_MAX || strpbrk(host, "/ ?#\t\r\n"))
        snprintf(why, size,
                 "The address must be a host and a port, such as "
                 "mqtt://broker.example:1883.");
    else if (host[n] && (host[n] != ':' || !port_is_good(host + n + 1, &port)))
        snprintf(why, size, "The port must be a number from 1 to 65535.");
    else {
        bool has_brackets = host[0] == '[';
        snprintf(a.host, sizeof a.host, "%.*s", (int)(n - 2 * has_brackets),
                 host + has_brackets);
        snprintf(a.uri, sizeof a.uri, "%s%.*s:%ld", s->library, (int)n, host, port);
        *ret = a;
        return 0;
    }
    return -EINVAL;
}

/* One question, owned by whoever lets go of it last. */
struct question {
    struct queue *answer;
    atomic_int owners;
    char host[MQTT_HOST_MAX];
};

static void let_go(struct question *q)
{
    if (atomic_fetch_sub(&q->owners, 1) > 1)
        return;
    queue_destroy(q->answer);
    free(q);
}

static void *ask(void *user)
{
    struct question *q = user;
    struct addrinfo *found = NULL;
    bool resolves = getaddrinfo(q->host, NULL, NULL, &found) == 0;

    if (resolves)
        freeaddrinfo(found);
    queue_push(q->answer, &resolves);
    let_go(q);
    return NULL;
}

static int start_asking(struct question *q)
{
    pthread_attr_t attr;
    pthread_t thread;

    if (pthread_attr_init(&attr) != 0)
        return -ENOMEM;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    atomic_store(&q->owners, 2);
    int rc = pthread_create(&thread, &attr, ask, q);
    if (rc != 0)
        atomic_store(&q->owners, 1);
    pthread_attr_destroy(&attr);
    return -rc;
}

static bool is_literal(const char *host)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

bool mqtt_address_resolves(const struct mqtt_address *a, int64_t timeout_ms,
                           const atomic_bool *is_stopping)
{
    int64_t deadline = mono_ms() + timeout_ms;
    bool resolves = false;

    if (is_literal(a->host))
        return true;
    struct question *q = calloc(1, sizeof *q);
    if (!q)
        return false;
    atomic_init(&q->owners, 1);
    memcpy(q->host, a->host, sizeof q->host);
    if (queue_create(sizeof resolves, 1, &q->answer) == 0 && start_asking(q) == 0)
        while (!atomic_load(is_stopping) && mono_ms() < deadline &&
               !queue_pop(q->answer, &resolves, ASK_AGAIN_MS))
            ;
    let_go(q);
    return resolves;
}
