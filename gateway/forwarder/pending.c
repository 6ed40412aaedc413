/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forwarder/pending.h"

static bool has_token(const struct pending *p, uint16_t token)
{
    for (size_t i = 0; i < PENDING_MAX; i++) {
        if (p->txs[i].state != PENDING_FREE && p->txs[i].token == token)
            return true;
    }
    return false;
}

struct pending_tx *pending_add(struct pending *p, const struct radio_tx *tx, int64_t due_us)
{
    struct pending_tx *place = NULL;

    for (size_t i = 0; !place && i < PENDING_MAX; i++) {
        if (p->txs[i].state == PENDING_FREE)
            place = &p->txs[i];
    }
    if (!place)
        return NULL;
    do
        p->token++;
    while (has_token(p, p->token));
    *place = (struct pending_tx){
        .state = PENDING_HELD, .token = p->token, .due_us = due_us, .tx = *tx
    };
    return place;
}

struct pending_tx *pending_find(struct pending *p, uint32_t gateway, uint16_t token)
{
    for (size_t i = 0; i < PENDING_MAX; i++) {
        struct pending_tx *t = &p->txs[i];
        if (t->state == PENDING_SENT && t->token == token && t->tx.gateway == gateway)
            return t;
    }
    return NULL;
}

static const struct pending_tx *first(const struct pending *p)
{
    const struct pending_tx *best = NULL;

    for (size_t i = 0; i < PENDING_MAX; i++) {
        const struct pending_tx *t = &p->txs[i];
        if (t->state != PENDING_FREE && (!best || t->due_us < best->due_us))
            best = t;
    }
    return best;
}

struct pending_tx *pending_next_due(struct pending *p, int64_t now_us)
{
    const struct pending_tx *t = first(p);

    return t && t->due_us <= now_us ? &p->txs[t - p->txs] : NULL;
}

int64_t pending_due(const struct pending *p)
{
    const struct pending_tx *t = first(p);

    return t ? t->due_us : INT64_MAX;
}
