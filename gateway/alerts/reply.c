/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to callers: what was done is told when the log has it. */
#include <stdlib.h>

#include "gateway/alerts/internal.h"
#include "gateway/base/clock.h"

void reply_now(const struct book_request *q, json_t *root)
{
    char *text = root ? json_dumps(root, JSON_FORM) : NULL;

    q->on_answer(q->user, q->ticket, text ? text : "{\"ok\":false}");
    free(text);
    json_decref(root);
}

void reply_committed(struct book *b, const struct book_request *q, json_t *root)
{
    struct reply_later *a = root && b->store ? calloc(1, sizeof *a) : NULL;

    if (!a) {
        reply_now(q, root);
        return;
    }
    a->to = *q;
    a->to.json = a->to.who = NULL;
    a->root = root;
    a->batch = store_submitted(b->store);
    a->until_ms = mono_ms() + BOOK_LOG_PATIENCE;
    a->next = b->later;
    b->later = a;
}

static bool answer_if_committed(struct reply_later *a, uint64_t committed, bool is_last)
{
    if (a->batch > committed && mono_ms() < a->until_ms && !is_last)
        return false;
    if (a->batch > committed)
        json_object_set_new(a->root, "log", json_string("late"));
    reply_now(&a->to, a->root);
    free(a);
    return true;
}

void replies_waiting(struct book *b, bool is_last)
{
    struct reply_later **at = &b->later;
    struct store_health health;

    if (!b->later)
        return;
    store_health_get(b->store, &health);
    while (*at) {
        struct reply_later *a = *at, *next = a->next;
        if (answer_if_committed(a, health.committed.batches, is_last))
            *at = next;
        else
            at = &a->next;
    }
}
