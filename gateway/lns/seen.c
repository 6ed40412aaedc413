/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lns/seen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/lns/event.h"

enum {
    VERSION = 1,
    HEAD = 24,
    MARK = 24,
    MISSED_MAX = 16384, /* a greater step is a fault of the counter, not loss (LoRaWAN 1.0.3) */
};

struct mark {
    uint64_t id, content; /* hashes of key[0] (0: none) and key[1] */
    int64_t time_ms;      /* INT64_MIN: not told */
};

struct device {
    uint64_t dev_eui, used;
    uint32_t dev_addr, fcnt; /* of the newest uplink */
    int64_t time_ms;
    bool has_counter;
    size_t n, next; /* next: where the oldest is once the ring is full */
    struct mark marks[SEEN_RING];
};

struct seen {
    struct device **devices; /* in order of dev_eui */
    size_t n, cap;
    uint64_t uses;
};

int seen_create(struct seen **ret)
{
    *ret = calloc(1, sizeof **ret);
    return *ret ? 0 : -ENOMEM;
}

void seen_destroy(struct seen *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        free(s->devices[i]);
    free(s->devices);
    free(s);
}

/* ---- devices ---- */

/* Where it is or would be. */
static size_t place_of(const struct seen *s, uint64_t dev_eui)
{
    size_t from = 0, to = s->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (s->devices[middle]->dev_eui < dev_eui)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static struct device *find_device(const struct seen *s, uint64_t dev_eui)
{
    size_t at = place_of(s, dev_eui);

    return at < s->n && s->devices[at]->dev_eui == dev_eui ? s->devices[at] : NULL;
}

static void forget_one(struct seen *s)
{
    size_t oldest = 0;

    for (size_t i = 1; i < s->n; i++)
        if (s->devices[i]->used < s->devices[oldest]->used)
            oldest = i;
    free(s->devices[oldest]);
    s->n--;
    memmove(&s->devices[oldest], &s->devices[oldest + 1],
            (s->n - oldest) * sizeof s->devices[0]);
}

static bool grow(struct seen *s)
{
    if (s->n < s->cap)
        return true;
    size_t cap = s->cap ? s->cap * 2 : 16;
    struct device **more = realloc(s->devices, cap * sizeof *more);
    if (!more)
        return false;
    s->devices = more;
    s->cap = cap;
    return true;
}

/* NULL: no memory. */
static struct device *get_device(struct seen *s, uint64_t dev_eui)
{
    struct device *d = find_device(s, dev_eui);

    if (!d) {
        if (s->n == SEEN_DEVICES_MAX)
            forget_one(s);
        if (!grow(s) || !(d = calloc(1, sizeof *d)))
            return NULL;
        size_t at = place_of(s, dev_eui);
        memmove(&s->devices[at + 1], &s->devices[at], (s->n - at) * sizeof s->devices[0]);
        s->devices[at] = d;
        s->n++;
        d->dev_eui = dev_eui;
    }
    d->used = ++s->uses;
    return d;
}

/* ---- uplinks ---- */

static uint64_t hash_text(const char *text)
{
    uint64_t h = *text ? event_hash(text, strlen(text)) : 0;

    return *text && h == 0 ? 1 : h;
}

static bool is_within(int64_t a, int64_t b)
{
    if (a == INT64_MIN || b == INT64_MIN)
        return true; /* nobody knows, and a repetition is the likelier */
    return a - b <= SEEN_AGAIN_MS && b - a <= SEEN_AGAIN_MS;
}

static bool is_known(const struct device *d, const struct mark *m)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct mark *k = &d->marks[i];
        if ((m->id && k->id == m->id) ||
            (k->content == m->content && is_within(k->time_ms, m->time_ms)))
            return true;
    }
    return false;
}

static void remember(struct device *d, const struct mark *m)
{
    d->marks[d->next] = *m;
    d->next = (d->next + 1) % SEEN_RING;
    if (d->n < SEEN_RING)
        d->n++;
}

static void count(struct device *d, const struct feed_message *m, struct seen_found *f)
{
    bool is_same = d->has_counter && d->dev_addr == m->dev_addr;
    bool is_earlier = m->time_ms < d->time_ms && m->time_ms != INT64_MIN;

    if (is_same && m->fcnt <= d->fcnt) {
        f->is_late = is_earlier;
        f->is_reset = !is_earlier;
    } else if (is_same && m->fcnt - d->fcnt <= MISSED_MAX) {
        f->missed = m->fcnt - d->fcnt - 1;
    } else {
        f->is_late = d->has_counter && is_earlier; /* of the session before */
    }
    if (f->is_late)
        return;
    d->has_counter = true;
    d->dev_addr = m->dev_addr;
    d->fcnt = m->fcnt;
    d->time_ms = m->time_ms;
}

struct seen_found seen_take(struct seen *s, const struct feed_message *m)
{
    const struct mark mark = { hash_text(m->key[0]), hash_text(m->key[1]), m->time_ms };
    struct seen_found f = { .answer = SEEN_NEW };
    struct device *d = get_device(s, m->dev_eui);

    if (!d) {
        f.answer = SEEN_NO_MEMORY;
        return f;
    }
    if (is_known(d, &mark)) {
        f.answer = SEEN_AGAIN;
        return f;
    }
    remember(d, &mark);
    count(d, m, &f);
    return f;
}

void seen_join(struct seen *s, uint64_t dev_eui, uint32_t dev_addr)
{
    struct device *d = find_device(s, dev_eui);

    if (!d)
        return;
    d->has_counter = false;
    d->dev_addr = dev_addr;
}

/* ---- state ---- */

static void put(uint8_t **p, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        *(*p)++ = (uint8_t)(v >> 8 * i);
}

static uint64_t get(const uint8_t **p, size_t bytes)
{
    uint64_t v = 0;

    for (size_t i = 0; i < bytes; i++)
        v |= (uint64_t) * (*p)++ << 8 * i;
    return v;
}

size_t seen_save(const struct seen *s, uint64_t dev_eui, uint8_t *out)
{
    const struct device *d = find_device(s, dev_eui);
    uint8_t *p = out;

    if (!d)
        return 0;
    put(&p, VERSION, 1);
    put(&p, d->n, 1);
    put(&p, d->has_counter, 2);
    put(&p, d->dev_addr, 4);
    put(&p, d->fcnt, 4);
    put(&p, 0, 4);
    put(&p, (uint64_t)d->time_ms, 8);
    size_t oldest = d->n < SEEN_RING ? 0 : d->next;
    for (size_t i = 0; i < d->n; i++) {
        const struct mark *m = &d->marks[(oldest + i) % SEEN_RING];
        put(&p, m->id, 8);
        put(&p, m->content, 8);
        put(&p, (uint64_t)m->time_ms, 8);
    }
    return (size_t)(p - out);
}

static void forget_device(struct seen *s, uint64_t dev_eui)
{
    struct device *d = find_device(s, dev_eui);

    if (d)
        *d = (struct device){ .dev_eui = dev_eui, .used = d->used };
}

int seen_restore(struct seen *s, uint64_t dev_eui, const void *state, size_t n)
{
    const uint8_t *p = state;

    forget_device(s, dev_eui);
    if (n < HEAD || p[0] != VERSION || p[1] > SEEN_RING || n != HEAD + (size_t)p[1] * MARK ||
        p[2] > 1 || p[3] != 0)
        return -EBADMSG;
    struct device *d = get_device(s, dev_eui);
    if (!d)
        return -ENOMEM;
    size_t marks = p[1];
    p += 2;
    d->has_counter = get(&p, 2) != 0;
    d->dev_addr = (uint32_t)get(&p, 4);
    d->fcnt = (uint32_t)get(&p, 4);
    get(&p, 4);
    d->time_ms = (int64_t)get(&p, 8);
    for (size_t i = 0; i < marks; i++) {
        struct mark m = { .id = get(&p, 8) };
        m.content = get(&p, 8);
        m.time_ms = (int64_t)get(&p, 8);
        remember(d, &m);
    }
    return 0;
}
