/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/segment.h"

enum { LATER_FIRST_MS = 200, LATER_MAX_MS = 30000 };

int journal_init(struct journal *j)
{
    *j = (struct journal){ .later = { .first_ms = LATER_FIRST_MS, .max_ms = LATER_MAX_MS } };
    j->items_end = &j->items;
    j->text = malloc(JOURNAL_BYTES); /* pages that are not used cost nothing */
    return j->text ? 0 : -ENOMEM;
}

void journal_done(struct journal *j)
{
    free(j->text);
    j->text = NULL;
}

bool journal_has_room(const struct journal *j, size_t size)
{
    return size <= JOURNAL_BYTES - j->size;
}

static void note_time(struct journal *j, int64_t now_ms)
{
    if (j->size == 0 && !j->items)
        j->since_ms = now_ms;
}

void journal_add(struct journal *j, const char *lines, size_t size, int64_t now_ms)
{
    note_time(j, now_ms);
    memcpy(j->text + j->size, lines, size);
    j->size += size;
}

void journal_add_item(struct journal *j, struct item *i, int64_t now_ms)
{
    note_time(j, now_ms);
    i->next = NULL;
    *j->items_end = i;
    j->items_end = &i->next;
    j->items_n++;
}

/* ---- proof ---- */

int64_t journal_wait_ms(const struct journal *j, int64_t now_ms, int64_t interval_ms)
{
    if (!j->items || j->is_replaying)
        return INT64_MAX;
    bool is_pressing = j->size > JOURNAL_BYTES / 2 || j->items_n >= JOURNAL_ITEMS;
    int64_t due = is_pressing ? now_ms : j->since_ms + interval_ms;

    if (due < j->not_before_ms)
        due = j->not_before_ms;
    return due > now_ms ? due - now_ms : 0;
}

void journal_begin_proof(struct journal *j, int64_t now_ms)
{
    j->begun_ms = now_ms;
}

struct item *journal_proven(struct journal *j, int64_t now_ms)
{
    struct item *items = j->items;
    int64_t rest_ms = JOURNAL_REST * (now_ms - j->begun_ms);

    j->items = NULL;
    j->items_end = &j->items;
    j->items_n = 0;
    j->size = 0;
    j->not_before_ms = now_ms + (rest_ms < JOURNAL_REST_MAX_MS ? rest_ms : JOURNAL_REST_MAX_MS);
    backoff_reset(&j->later);
    return items;
}

void journal_doubted(struct journal *j, int64_t now_ms)
{
    j->is_replaying = j->size > 0;
    j->replayed = 0;
    j->not_before_ms = now_ms + backoff_next(&j->later, random_u32());
}

const char *journal_replay(struct journal *j, size_t max, size_t *ret_size)
{
    const char *begin = j->text + j->replayed;
    size_t left = j->size - j->replayed;

    if (left > max) {
        const char *last = memrchr(begin, '\n', max);
        if (!last) /* one very long line */
            last = memchr(begin, '\n', left);
        left = last ? (size_t)(last - begin) + 1 : left;
    }
    j->replayed += left;
    j->is_replaying = j->replayed < j->size;
    *ret_size = left;
    return begin;
}
