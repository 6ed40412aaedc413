/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/lookup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOST_MAX = 254,         /* RFC 1035: 253 characters */
    STACK_MAX = 512 * 1024, /* name service modules use up to 100 kB of it */
};

/* Shared by the main thread and the resolving one; the last of both frees it. */
struct job {
    pthread_mutex_t lock;
    int owners;
    bool is_cancelled;
    char host[HOST_MAX], port[8];
    struct addrinfo *list;
    uv_async_t *done; /* no longer there once is_cancelled */
};

/* Main thread only. */
struct lookup {
    uv_async_t done;
    struct job *job;
    void (*on_done)(void *user, const struct addrinfo *list);
    void *user;
};

static void release(struct job *j)
{
    pthread_mutex_lock(&j->lock);
    bool is_last = --j->owners == 0;
    pthread_mutex_unlock(&j->lock);
    if (!is_last)
        return;
    if (j->list)
        freeaddrinfo(j->list);
    pthread_mutex_destroy(&j->lock);
    free(j);
}

static void *resolve(void *arg)
{
    static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                                           .ai_flags = AI_ADDRCONFIG };
    struct job *j = arg;
    struct addrinfo *list = NULL;

    if (getaddrinfo(j->host, j->port, &hints, &list) != 0)
        list = NULL;
    pthread_mutex_lock(&j->lock);
    j->list = list;
    if (!j->is_cancelled)
        uv_async_send(j->done);
    pthread_mutex_unlock(&j->lock);
    release(j);
    return NULL;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

static void finish(struct lookup *l)
{
    release(l->job);
    uv_close((uv_handle_t *)&l->done, on_closed);
}

static void on_async(uv_async_t *async)
{
    struct lookup *l = async->data;

    pthread_mutex_lock(&l->job->lock); /* the sender has let go of the handle */
    const struct addrinfo *list = l->job->list;
    pthread_mutex_unlock(&l->job->lock);
    l->on_done(l->user, list);
    finish(l);
}

void lookup_cancel(struct lookup *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->job->lock);
    l->job->is_cancelled = true;
    pthread_mutex_unlock(&l->job->lock);
    finish(l);
}

/* Detached; signals are for the main thread. */
static int start_thread(struct job *j)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_MAX);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&thread, &attr, resolve, j);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return -rc;
}

static struct job *make_job(const char *host, uint16_t port)
{
    struct job *j = strlen(host) < HOST_MAX ? calloc(1, sizeof *j) : NULL;

    if (!j)
        return NULL;
    pthread_mutex_init(&j->lock, NULL);
    snprintf(j->host, sizeof j->host, "%s", host);
    snprintf(j->port, sizeof j->port, "%u", (unsigned)port);
    j->owners = 2;
    return j;
}

int lookup_start(uv_loop_t *loop, const char *host, uint16_t port,
                 void (*on_done)(void *user, const struct addrinfo *list), void *user,
                 struct lookup **ret)
{
    struct lookup *l = calloc(1, sizeof *l);
    struct job *j = make_job(host, port);

    if (!l || !j || uv_async_init(loop, &l->done, on_async) != 0) {
        free(l);
        free(j);
        return -ENOMEM;
    }
    l->job = j;
    l->on_done = on_done;
    l->user = user;
    l->done.data = l;
    j->done = &l->done;
    int rc = start_thread(j);
    if (rc != 0) {
        release(j);
        lookup_cancel(l);
        return rc;
    }
    *ret = l;
    return 0;
}
