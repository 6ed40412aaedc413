/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app_standing.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"

enum { EVERY_MS = 5000 }; /* changes go out by themselves, this is for repeats */

static char *give(void *user, int64_t *ret_mono_ms)
{
    struct app_standing *s = user;

    pthread_mutex_lock(&s->lock);
    char *copy = s->text ? strdup(s->text) : NULL;
    *ret_mono_ms = s->mono_ms;
    pthread_mutex_unlock(&s->lock);
    return copy;
}

void app_standing_init(struct app_standing *s)
{
    *s = (struct app_standing){ .given = { give, s } };
    pthread_mutex_init(&s->lock, NULL);
}

void app_standing_done(struct app_standing *s)
{
    free(s->next);
    free(s->text);
    s->text = s->next = NULL;
    pthread_mutex_destroy(&s->lock);
}

static void tell(struct app_standing *s)
{
    pthread_mutex_lock(&s->lock);
    char *old = s->text;
    s->text = s->next;
    s->mono_ms = s->next_mono_ms;
    pthread_mutex_unlock(&s->lock);
    s->next = NULL;
    free(old);
}

static void take(struct app_standing *s, const struct book *b, struct store *store,
                 int64_t now_ms)
{
    s->next_mono_ms = mono_ms();
    s->next_batch = store_submitted(store);
    s->next = book_standing_json(b, now_ms);
}

void app_standing_put(struct app_standing *s, const struct book *b, struct store *store,
                      int64_t now_ms)
{
    struct store_health health;

    if (!b || !s->is_wanted)
        return;
    const bool is_first = !s->text; /* as the log has it */
    if (!s->next && (is_first || mono_ms() - s->mono_ms >= EVERY_MS))
        take(s, b, store, now_ms);
    if (!s->next)
        return;
    store_health_get(store, &health);
    if (is_first || health.committed.batches >= s->next_batch)
        tell(s);
}
