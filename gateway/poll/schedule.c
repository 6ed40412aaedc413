/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/poll/schedule.h"

#include <errno.h>
#include <stdlib.h>

int schedule_init(struct schedule *s, size_t capacity)
{
    *s = (struct schedule){ .capacity = capacity };
    s->heap = calloc(capacity ? capacity : 1, sizeof s->heap[0]);
    s->place = calloc(capacity ? capacity : 1, sizeof s->place[0]);
    if (s->heap && s->place)
        return 0;
    schedule_done(s);
    return -ENOMEM;
}

void schedule_done(struct schedule *s)
{
    free(s->heap);
    free(s->place);
    *s = (struct schedule){ 0 };
}

static bool is_before(const struct schedule_entry *a, const struct schedule_entry *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->id < b->id;
}

static void set(struct schedule *s, size_t at, struct schedule_entry e)
{
    s->heap[at] = e;
    s->place[e.id] = (uint32_t)at + 1;
}

static size_t rise(struct schedule *s, size_t at, struct schedule_entry e)
{
    while (at > 0 && is_before(&e, &s->heap[(at - 1) / 2])) {
        set(s, at, s->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    return at;
}

static size_t sink(struct schedule *s, size_t at, struct schedule_entry e)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < s->n && is_before(&s->heap[child + 1], &s->heap[child]))
            child++;
        if (child >= s->n || !is_before(&s->heap[child], &e))
            return at;
        set(s, at, s->heap[child]);
        at = child;
    }
}

static void place(struct schedule *s, size_t at, struct schedule_entry e)
{
    set(s, sink(s, rise(s, at, e), e), e);
}

void schedule_remove(struct schedule *s, uint32_t id)
{
    if (!s->place[id])
        return;
    size_t at = s->place[id] - 1u;
    s->place[id] = 0;
    if (at < --s->n)
        place(s, at, s->heap[s->n]);
}

void schedule_put(struct schedule *s, uint32_t id, int64_t due_ms)
{
    schedule_remove(s, id);
    place(s, s->n++, (struct schedule_entry){ due_ms, id });
}

bool schedule_has(const struct schedule *s, uint32_t id)
{
    return s->place[id] != 0;
}

bool schedule_due(const struct schedule *s, uint32_t id, int64_t *ret_due_ms)
{
    if (!s->place[id])
        return false;
    *ret_due_ms = s->heap[s->place[id] - 1u].due_ms;
    return true;
}

bool schedule_pop(struct schedule *s, int64_t now_ms, struct schedule_entry *ret)
{
    if (s->n == 0 || s->heap[0].due_ms > now_ms)
        return false;
    *ret = s->heap[0];
    schedule_remove(s, ret->id);
    return true;
}

bool schedule_next(const struct schedule *s, int64_t *ret_due_ms)
{
    if (s->n == 0)
        return false;
    *ret_due_ms = s->heap[0].due_ms;
    return true;
}

int64_t schedule_slot(int64_t origin_ms, int64_t interval_ms, int64_t from_ms)
{
    int64_t past = (from_ms - origin_ms) % interval_ms;

    if (past < 0)
        past += interval_ms;
    return past ? from_ms + interval_ms - past : from_ms;
}
