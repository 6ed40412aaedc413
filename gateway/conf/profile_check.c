/* SPDX-License-Identifier: Apache-2.0 */
/* What only the whole profile shows: registers that overlap, and the spans that one scan reads.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/profile_read.h"
#include "sensors/profile/type.h"

struct need { /* registers first .. end-1 of one table */
    uint8_t space;
    uint32_t first, end;
};

static int compare_needs(const void *a, const void *b)
{
    const struct need *x = a, *y = b;

    if (x->space != y->space)
        return x->space < y->space ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static void add_need(struct need *needs, size_t *n, struct register_address at)
{
    if (at.space)
        needs[(*n)++] = (struct need){ at.space, at.first, (uint32_t)at.first + at.count };
}

static size_t collect_needs(const struct profile *p, struct need *needs)
{
    size_t n = 0;

    for (size_t i = 0; i < p->points_n; i++) {
        const struct profile_point *pt = &p->points[i];
        if (pt->type != TYPE_TEXT)
            add_need(needs, &n, pt->at);
        add_need(needs, &n, pt->scale_from);
        add_need(needs, &n, pt->unit_from.at);
        add_need(needs, &n, pt->quality.at);
        add_need(needs, &n, pt->invalid_from);
    }
    for (size_t i = 0; i < p->flags_n; i++)
        add_need(needs, &n, p->flags[i].map.at);
    add_need(needs, &n, p->mode.at);
    add_need(needs, &n, p->order_from.at);
    return n;
}

/* Sorted needs -> spans; only what touches is one span: the poller decides about gaps. */
static void merge_needs(struct profile *p, const struct need *needs, size_t n)
{
    uint32_t end = 0;

    for (size_t i = 0; i < n; i++) {
        struct profile_span *s = p->spans_n ? &p->spans[p->spans_n - 1] : NULL;
        if (!s || s->space != needs[i].space || needs[i].first > end) {
            p->spans[p->spans_n++] =
                (struct profile_span){ needs[i].space, (uint16_t)needs[i].first, 0,
                                       (uint16_t)p->words_n };
            s = &p->spans[p->spans_n - 1];
            end = needs[i].first;
        }
        if (needs[i].end > end) {
            p->words_n += needs[i].end - end;
            s->count = (uint16_t)(s->count + (needs[i].end - end));
            end = needs[i].end;
        }
    }
}

static bool plan_spans(struct profile_reader *r)
{
    struct profile *p = r->p;
    size_t max = 5 * p->points_n + p->flags_n + 2;
    struct need *needs = calloc(max, sizeof *needs);

    p->spans = arena_alloc(r->arena, max * sizeof *p->spans);
    if (!needs || !p->spans) {
        free(needs);
        return false;
    }
    size_t n = collect_needs(p, needs);
    qsort(needs, n, sizeof *needs, compare_needs);
    merge_needs(p, needs, n);
    free(needs);
    if (p->words_n <= PROFILE_WORDS_MAX)
        return true;
    yaml_error(r->y, r->d, yaml_root(r->y), E_RANGE, "%zu registers in one scan, at most %d",
               p->words_n, PROFILE_WORDS_MAX);
    return false;
}

static bool overlaps(struct register_address a, struct register_address b)
{
    return a.space && a.space == b.space && a.bit < 0 && b.bit < 0 &&
           a.first < b.first + b.count && b.first < a.first + a.count;
}

static uint64_t field_bits(const struct profile_point *pt)
{
    uint64_t shifted_out = (UINT64_C(1) << pt->shift) - 1;

    return pt->mask ? pt->mask : type_bits(pt->type) & ~shifted_out;
}

/* Bit fields side by side in the same registers. */
static bool shares_registers(const struct profile_point *a, const struct profile_point *b)
{
    return a->at.first == b->at.first && a->at.count == b->at.count &&
           !(field_bits(a) & field_bits(b));
}

/* Two values in one register: usually a slip, sometimes two readings of one field. */
static void warn_overlaps(struct profile_reader *r)
{
    const struct profile *p = r->p;

    for (size_t i = 0; i < p->points_n; i++)
        for (size_t j = 0; j < i; j++)
            if (overlaps(p->points[i].at, p->points[j].at) &&
                !shares_registers(&p->points[i], &p->points[j]))
                yaml_warning(r->y, r->d, r->nodes[i], E_CONFLICT,
                             "the registers of '%s' overlap those of '%s' in line %d",
                             p->points[i].id ? p->points[i].id : "?",
                             p->points[j].id ? p->points[j].id : "?",
                             yaml_mark(r->y, r->nodes[j]).line);
}

/* What a variant takes over was warned of once. */
static bool has_own_points(const struct profile_reader *r)
{
    static const char *const keys[] = { "bus", "block", "points", "diagnostics",
                                        "calibration" };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (yaml_find(r->variant, keys[i]))
            return true;
    return false;
}

/* A value that no single request may hold would come torn, or not at all. */
static bool check_request_size(struct profile_reader *r)
{
    const struct profile *p = r->p;
    bool is_ok = true;

    for (size_t i = 0; i < p->points_n; i++) {
        if (!p->points[i].at.space || p->points[i].at.count <= p->read_max)
            continue;
        yaml_error(r->y, r->d, r->nodes[i], E_CONFLICT,
                   "'%s' takes %d registers, bus.read.max allows %d in one request",
                   p->points[i].id ? p->points[i].id : "?", p->points[i].at.count, p->read_max);
        is_ok = false;
    }
    return is_ok;
}

bool profile_check(struct profile_reader *r)
{
    bool is_ok = check_request_size(r);

    if (!r->variant || has_own_points(r))
        warn_overlaps(r);
    return plan_spans(r) && is_ok;
}
