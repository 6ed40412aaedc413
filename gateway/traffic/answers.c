/* SPDX-License-Identifier: Apache-2.0 */
/* One array of exchanges, sorted by request and then by time; a group of equal requests keeps
 * in its first entry which answer comes next. */
#include "gateway/traffic/answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint8_t *bytes; /* request, then answer */
    uint16_t request_n, answer_n;
    uint32_t order; /* in the file */
    uint32_t next;  /* of the first of a group: offset of the answer to give */
};

struct answers {
    struct entry *entries;
    size_t n, cap, groups;
};

int answers_create(struct answers **ret)
{
    struct answers *a = calloc(1, sizeof *a);

    if (!a)
        return -ENOMEM;
    *ret = a;
    return 0;
}

void answers_destroy(struct answers *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n; i++)
        free(a->entries[i].bytes);
    free(a->entries);
    free(a);
}

static int compare_request(const uint8_t *x, size_t xn, const uint8_t *y, size_t yn)
{
    int order = memcmp(x, y, xn < yn ? xn : yn);

    return order ? order : (xn > yn) - (xn < yn);
}

static int compare(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    int order = compare_request(a->bytes, a->request_n, b->bytes, b->request_n);

    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static int grow(struct answers *a)
{
    size_t cap = a->cap ? 2 * a->cap : 256;

    if (a->n < a->cap)
        return 0;
    struct entry *more = realloc(a->entries, cap * sizeof *more);
    if (!more)
        return -ENOMEM;
    a->entries = more;
    a->cap = cap;
    return 0;
}

int answers_add(struct answers *a, const struct traffic_exchange *e)
{
    size_t request_n = 0, answer_n = 0;
    const uint8_t *request = traffic_content(e->request, &request_n);
    const uint8_t *answer = e->answer ? traffic_content(e->answer, &answer_n) : NULL;

    if (!request || !answer)
        return 0;
    if (a->n == ANSWERS_MAX)
        return -E2BIG;
    uint8_t *bytes = malloc(request_n + answer_n);
    if (!bytes || grow(a) < 0) {
        free(bytes);
        return -ENOMEM;
    }
    memcpy(bytes, request, request_n);
    memcpy(bytes + request_n, answer, answer_n);
    a->entries[a->n] =
        (struct entry){ bytes, (uint16_t)request_n, (uint16_t)answer_n, (uint32_t)a->n, 0 };
    a->n++;
    return 0;
}

static bool is_same(const struct entry *a, const struct entry *b)
{
    return compare_request(a->bytes, a->request_n, b->bytes, b->request_n) == 0;
}

void answers_sort(struct answers *a)
{
    if (a->n)
        qsort(a->entries, a->n, sizeof *a->entries, compare);
    for (size_t i = 0; i < a->n; i++)
        a->groups += i == 0 || !is_same(&a->entries[i - 1], &a->entries[i]);
}

/* The first entry that is not below the request. */
static size_t lower_bound(const struct answers *a, const uint8_t *request, size_t n)
{
    size_t low = 0, high = a->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct entry *e = &a->entries[mid];
        if (compare_request(e->bytes, e->request_n, request, n) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const uint8_t *answers_next(struct answers *a, const uint8_t *request, size_t n, size_t *ret_n)
{
    size_t first = n ? lower_bound(a, request, n) : a->n;

    if (first == a->n ||
        compare_request(a->entries[first].bytes, a->entries[first].request_n, request, n) != 0)
        return NULL;
    struct entry *head = &a->entries[first];
    const struct entry *e = &a->entries[first + head->next];
    bool is_last = first + head->next + 1 == a->n || !is_same(e, e + 1);
    head->next = is_last ? 0 : head->next + 1;
    *ret_n = e->answer_n;
    return e->bytes + e->request_n;
}

size_t answers_requests(const struct answers *a)
{
    return a->groups;
}

size_t answers_total(const struct answers *a)
{
    return a->n;
}
