/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/pair.h"

#include <string.h>

#include "gateway/forward/cursor.h"

void pair_init(struct pair *p, const char *cursor_id, int64_t failover_ms)
{
    *p = (struct pair){ .cursor_id = cursor_id,
                        .failover_ms = failover_ms,
                        .trouble_ms = INT64_MAX };
    pthread_mutex_init(&p->lock, NULL);
}

void pair_done(struct pair *p)
{
    pthread_mutex_destroy(&p->lock);
}

/* Without a place for one more range those entries are delivered once more. */
static void merge(struct store_cursor *to, const struct store_cursor *from)
{
    cursor_ack(to, 1, from->acked_to);
    for (size_t i = 0; i < from->above_n; i++)
        cursor_ack(to, from->above[i].from, from->above[i].to);
}

static bool is_same(const struct store_cursor *a, const struct store_cursor *b)
{
    return a->acked_to == b->acked_to && a->above_n == b->above_n &&
           memcmp(a->above, b->above, a->above_n * sizeof a->above[0]) == 0;
}

bool pair_share(struct pair *p, struct store_cursor *c)
{
    pthread_mutex_lock(&p->lock);
    if (!p->has_cursor)
        p->cursor = *c;
    p->has_cursor = true;
    bool is_news = !is_same(&p->cursor, c);
    if (is_news) {
        merge(&p->cursor, c);
        *c = p->cursor;
    }
    pthread_mutex_unlock(&p->lock);
    return is_news;
}

void pair_report(struct pair *p, int64_t trouble_ms)
{
    pthread_mutex_lock(&p->lock);
    p->trouble_ms = trouble_ms;
    pthread_mutex_unlock(&p->lock);
}

bool pair_has_failed_over(struct pair *p, int64_t now_ms)
{
    pthread_mutex_lock(&p->lock);
    int64_t since_ms = p->trouble_ms;
    pthread_mutex_unlock(&p->lock);
    return since_ms != INT64_MAX && now_ms - since_ms >= p->failover_ms;
}
