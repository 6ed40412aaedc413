/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t item_size, capacity, head, n;
    uint64_t refused;
    bool is_closed;
    unsigned char items[];
};

int queue_create(size_t item_size, size_t capacity, struct queue **ret)
{
    pthread_condattr_t attr;
    struct queue *q = calloc(1, sizeof *q + item_size * capacity);

    if (!q)
        return -ENOMEM;
    q->item_size = item_size;
    q->capacity = capacity;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->changed, &attr);
    pthread_condattr_destroy(&attr);
    *ret = q;
    return 0;
}

void queue_destroy(struct queue *q)
{
    if (!q)
        return;
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

bool queue_push(struct queue *q, const void *item)
{
    pthread_mutex_lock(&q->lock);
    bool has_room = q->n < q->capacity && !q->is_closed;
    if (has_room) {
        size_t at = (q->head + q->n++) % q->capacity;
        memcpy(q->items + at * q->item_size, item, q->item_size);
        pthread_cond_signal(&q->changed);
    } else {
        q->refused++;
    }
    pthread_mutex_unlock(&q->lock);
    return has_room;
}

bool queue_pop(struct queue *q, void *item, int64_t timeout_ms)
{
    struct timespec until = mono_deadline(timeout_ms > 0 ? timeout_ms : 0);
    int rc = 0;

    pthread_mutex_lock(&q->lock);
    while (q->n == 0 && !q->is_closed && timeout_ms != 0 && rc != ETIMEDOUT)
        rc = timeout_ms < 0 ? pthread_cond_wait(&q->changed, &q->lock)
                            : pthread_cond_timedwait(&q->changed, &q->lock, &until);
    bool has_item = q->n > 0;
    if (has_item) {
        memcpy(item, q->items + q->head * q->item_size, q->item_size);
        q->head = (q->head + 1) % q->capacity;
        q->n--;
    }
    pthread_mutex_unlock(&q->lock);
    return has_item;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->is_closed = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

size_t queue_length(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t n = q->n;
    pthread_mutex_unlock(&q->lock);
    return n;
}

uint64_t queue_refused(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    uint64_t n = q->refused;
    pthread_mutex_unlock(&q->lock);
    return n;
}
