/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told late: raised while no destination was reached, and for long. Since when that is
 * so is a state of the log, for a power cut takes the link with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/alerts/internal.h"

#define KEY "book/down"

void link_restore(struct book *b)
{
    size_t size = 0;
    void *data = store_state_get(b->store, KEY, &size);

    if (data && size == sizeof b->down_ms)
        memcpy(&b->down_ms, data, size);
    free(data);
}

static void keep(const struct book *b, struct store_batch *batch)
{
    if (batch) /* without one the next change of the link keeps it */
        store_batch_state(batch, KEY, &b->down_ms, b->down_ms ? sizeof b->down_ms : 0);
}

void link_shift(struct book *b, struct store_batch *batch, int64_t by_ms)
{
    if (b->down_ms == 0)
        return;
    b->down_ms += by_ms;
    keep(b, batch);
}

static void tell_late(struct book_change *c)
{
    struct book *b = c->book;

    for (size_t i = 0; i < b->episodes_n; i++) {
        struct episode *e = b->episodes[i];
        if (e->life.state == LIFE_CLOSED || e->last_raise_ms < b->down_ms ||
            c->now_ms - e->last_raise_ms < LATE_MS || !life_mark(&e->life, LIFE_LATE, true))
            continue;
        snprintf(e->actor, sizeof e->actor, "gateway");
        snprintf(e->note, sizeof e->note, "no destination was reached");
        book_changed(c, e, "late", "told late", "滞后通知");
    }
}

void book_link(struct book *b, bool is_up)
{
    if (!b->station.table || is_up == (b->down_ms == 0))
        return;
    struct book_change c = book_begin(b, b->now_ms);
    c.has_any = true;
    if (is_up)
        tell_late(&c);
    b->down_ms = is_up ? 0 : b->now_ms;
    keep(b, c.batch);
    book_end(&c);
}
