/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/forward.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/forward/follow.h"

enum { COLLECT_MS = 1000 }; /* ended early by wake */

struct worker {
    struct follow follow;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t seq, seen; /* newest entry as told, as looked at */
    bool has_started, has_ended;
};

struct forward {
    struct worker *workers;
    struct pair *pairs; /* as many as uplinks, by the first one; cursor_id NULL: none */
    size_t n;
};

/* New entries end the wait, but not one that follows a failure. */
static void wait_for_work(struct worker *w, int64_t ms)
{
    struct timespec until = mono_deadline(ms);
    bool follows_failure = w->follow.wait_until_ms > mono_ms();
    int rc = 0;

    pthread_mutex_lock(&w->lock);
    while (!atomic_load(&w->follow.is_stopping) && rc != ETIMEDOUT &&
           (w->seq == w->seen || follows_failure))
        rc = pthread_cond_timedwait(&w->changed, &w->lock, &until);
    w->seen = w->seq;
    pthread_mutex_unlock(&w->lock);
}

static void *work(void *user)
{
    struct worker *w = user;

    while (!atomic_load(&w->follow.is_stopping)) {
        int64_t wait = follow_step(&w->follow, mono_ms(), COLLECT_MS);
        if (wait > 0)
            wait_for_work(w, wait);
    }
    pthread_mutex_lock(&w->lock);
    w->has_ended = true; /* from here on nobody may wake the uplink */
    pthread_mutex_unlock(&w->lock);
    follow_done(&w->follow);
    return NULL;
}

static int start_worker(struct worker *w, const struct forward_options *o,
                        const struct forward_uplink *fu, struct pair *pair)
{
    pthread_condattr_t attr;

    bool is_second = pair && pair->cursor_id != fu->id;
    int rc = follow_init(&w->follow, o, fu, pair, is_second);
    if (rc < 0)
        return rc;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &attr);
    pthread_condattr_destroy(&attr);
    rc = pthread_create(&w->thread, NULL, work, w);
    if (rc != 0) {
        follow_done(&w->follow);
        pthread_cond_destroy(&w->changed);
        pthread_mutex_destroy(&w->lock);
        return -rc;
    }
    w->has_started = true;
    return 0;
}

/* The pair that uplink `i` is part of, made when its first one is asked for; NULL: none. */
static struct pair *pair_of(struct forward *f, const struct forward_options *o, size_t i)
{
    for (size_t k = 0; k < o->uplinks_n; k++) {
        const struct forward_uplink *first = &o->uplinks[k];
        if (!first->fallback || (k != i && strcmp(first->fallback, o->uplinks[i].id) != 0))
            continue;
        if (!f->pairs[k].cursor_id)
            pair_init(&f->pairs[k], first->id, first->failover_ms);
        return &f->pairs[k];
    }
    return NULL;
}

int forward_create(const struct forward_options *o, struct forward **ret)
{
    struct forward *f = calloc(1, sizeof *f);

    if (!f)
        return -ENOMEM;
    f->n = o->uplinks_n;
    f->workers = calloc(f->n ? f->n : 1, sizeof *f->workers);
    f->pairs = calloc(f->n ? f->n : 1, sizeof *f->pairs);
    int rc = f->workers && f->pairs ? 0 : -ENOMEM;
    for (size_t i = 0; i < f->n && rc == 0; i++) {
        rc = start_worker(&f->workers[i], o, &o->uplinks[i], pair_of(f, o, i));
        if (rc < 0)
            log_error("uplink %s: cannot start; error=%d", o->uplinks[i].id, -rc);
    }
    if (rc < 0) {
        forward_destroy(f);
        return rc;
    }
    *ret = f;
    return 0;
}

void forward_wake(struct forward *f, uint64_t seq)
{
    for (size_t i = 0; i < f->n; i++) {
        struct worker *w = &f->workers[i];
        pthread_mutex_lock(&w->lock);
        w->seq = seq;
        pthread_cond_signal(&w->changed);
        if (w->follow.fu->kind->wake && !w->has_ended)
            w->follow.fu->kind->wake(w->follow.u);
        pthread_mutex_unlock(&w->lock);
    }
}

void forward_poke(struct forward *f)
{
    for (size_t i = 0; i < f->n; i++) {
        struct worker *w = &f->workers[i];
        pthread_mutex_lock(&w->lock);
        if (w->follow.fu->kind->wake && !w->has_ended)
            w->follow.fu->kind->wake(w->follow.u);
        pthread_mutex_unlock(&w->lock);
    }
}

/* is_stopping first: an uplink that was just returning must not be asked to wait again. */
static void stop_worker(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->follow.is_stopping, true);
    if (!w->has_ended)
        w->follow.fu->kind->stop(w->follow.u);
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

void forward_destroy(struct forward *f)
{
    if (!f)
        return;
    for (size_t i = 0; f->workers && i < f->n; i++)
        if (f->workers[i].has_started)
            stop_worker(&f->workers[i]);
    for (size_t i = 0; f->workers && i < f->n; i++) {
        struct worker *w = &f->workers[i];
        if (!w->has_started)
            continue;
        pthread_join(w->thread, NULL);
        pthread_cond_destroy(&w->changed);
        pthread_mutex_destroy(&w->lock);
    }
    for (size_t i = 0; f->pairs && i < f->n; i++)
        if (f->pairs[i].cursor_id)
            pair_done(&f->pairs[i]);
    free(f->pairs);
    free(f->workers);
    free(f);
}
