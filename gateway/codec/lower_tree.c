/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/codec/lower_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 64 << 10, BUCKETS = 4096 };

struct lower_chunk {
    struct lower_chunk *next;
    size_t used, size;
    max_align_t data[];
};

void lower_fail(struct lowering *l, int error, uint32_t at, const char *why)
{
    if (l->error)
        return;
    l->error = error;
    l->error_at = at;
    snprintf(l->why, sizeof l->why, "%s", why);
}

void lower_refuse(struct lowering *l, uint32_t at, const char *format, ...)
{
    va_list args;

    if (l->error)
        return;
    l->error = -EINVAL;
    l->error_at = at;
    va_start(args, format);
    vsnprintf(l->why, sizeof l->why, format, args);
    va_end(args);
}

static struct lower_chunk *add_chunk(struct lowering *l, size_t need)
{
    size_t size = need > CHUNK_SIZE ? need : CHUNK_SIZE;

    if (size > LOWER_ARENA_MAX - l->arena_size) {
        lower_fail(l, -E2BIG, 0, "The script is too large to be rewritten.");
        return NULL;
    }
    struct lower_chunk *c = calloc(1, sizeof *c + size);
    if (!c) {
        lower_fail(l, -ENOMEM, 0, "There is not enough memory to rewrite the script.");
        return NULL;
    }
    c->size = size;
    c->next = l->chunks;
    l->chunks = c;
    l->arena_size += size;
    return c;
}

void *lower_alloc(struct lowering *l, size_t size)
{
    struct lower_chunk *c = l->chunks;

    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (!c || size > c->size - c->used)
        c = add_chunk(l, size);
    if (!c)
        return NULL;
    void *p = (char *)c->data + c->used;
    c->used += size;
    return p;
}

void lower_free(struct lowering *l)
{
    while (l->chunks) {
        struct lower_chunk *next = l->chunks->next;
        free(l->chunks);
        l->chunks = next;
    }
    free(l->names);
    free(l->lines);
}

/* The engine counts LF, CR LF and CR alone. */
static bool ends_line(const struct lowering *l, uint32_t i)
{
    return l->src[i] == '\n' ||
           (l->src[i] == '\r' && (i + 1 == l->size || l->src[i + 1] != '\n'));
}

int lower_index_lines(struct lowering *l)
{
    uint32_t n = 1;

    for (uint32_t i = 0; i < l->size; i++)
        n += ends_line(l, i);
    l->lines = malloc(n * sizeof *l->lines);
    if (!l->lines)
        return -ENOMEM;
    l->lines[0] = 0;
    l->lines_n = 1;
    for (uint32_t i = 0; i < l->size; i++)
        if (ends_line(l, i))
            l->lines[l->lines_n++] = i + 1;
    return 0;
}

uint32_t lower_line_of(const struct lowering *l, uint32_t at)
{
    uint32_t low = 0, high = l->lines_n;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (l->lines[mid] <= at)
            low = mid;
        else
            high = mid;
    }
    return low + 1;
}

static uint32_t hash_of(const char *text, uint32_t size)
{
    uint32_t h = 2166136261u;

    for (uint32_t i = 0; i < size; i++)
        h = (h ^ (uint8_t)text[i]) * 16777619u;
    return h % BUCKETS;
}

static uint32_t find_name(const struct lowering *l, const char *text, uint32_t size)
{
    uint32_t i = l->buckets ? l->buckets[hash_of(text, size)] : 0;

    while (i > 0) {
        const struct name *n = &l->names[i - 1];
        if (n->size == size && memcmp(n->text, text, size) == 0)
            return i - 1;
        i = n->next;
    }
    return LOWER_NO_NAME;
}

static bool has_room_for_name(struct lowering *l)
{
    if (!l->buckets)
        l->buckets = lower_alloc(l, BUCKETS * sizeof *l->buckets);
    if (!l->buckets)
        return false;
    if (l->names_n < l->names_cap)
        return true;
    uint32_t cap = l->names_cap ? l->names_cap * 2 : 256;
    struct name *names = realloc(l->names, cap * sizeof *names);
    if (!names) {
        lower_fail(l, -ENOMEM, 0, "There is not enough memory to rewrite the script.");
        return false;
    }
    l->names = names;
    l->names_cap = cap;
    return true;
}

uint32_t lower_name(struct lowering *l, const char *text, uint32_t size)
{
    uint32_t i = find_name(l, text, size);

    if (i != LOWER_NO_NAME)
        return i;
    if (!has_room_for_name(l))
        return LOWER_NO_NAME;
    uint32_t h = hash_of(text, size);
    l->names[l->names_n] = (struct name){ .text = text, .size = size, .next = l->buckets[h] };
    l->buckets[h] = ++l->names_n;
    return l->names_n - 1;
}

const char *lower_fresh(struct lowering *l, const char *stem, size_t size)
{
    char *text = lower_alloc(l, size + sizeof "$4294967295");

    if (!text)
        return "_";
    memcpy(text, stem, size);
    do
        snprintf(text + size, sizeof "$4294967295", "$%u", (unsigned)++l->fresh);
    while (find_name(l, text, (uint32_t)strlen(text)) != LOWER_NO_NAME);
    lower_name(l, text, (uint32_t)strlen(text));
    return text;
}

struct node *lower_node(struct lowering *l, enum node_kind kind, uint32_t start)
{
    struct node *n = lower_alloc(l, sizeof *n);

    if (!n)
        n = &l->spare;
    *n = (struct node){ .kind = (uint8_t)kind, .start = start, .end = start };
    return n;
}

void lower_append(struct lowering *l, struct node *parent, struct node *child)
{
    if (l->error || child == &l->spare || parent == &l->spare)
        return;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    child->next = NULL;
}
