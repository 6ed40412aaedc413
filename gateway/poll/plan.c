/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/poll/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int limit(int wanted, int most)
{
    return wanted > 0 && wanted < most ? wanted : most;
}

/* glue[i]: word i of the image belongs to the same value as word i - 1. */
static void glue_address(const struct profile *p, struct register_address at, uint8_t *glue)
{
    for (size_t s = 0; s < p->spans_n && at.space; s++) {
        const struct profile_span *span = &p->spans[s];
        int from = at.first - span->first;
        if (at.space != span->space || from < 0 || from >= span->count)
            continue;
        for (int i = from + 1; i < from + at.count && i < span->count; i++)
            glue[span->offset + i] = 1;
    }
}

static void glue_values(const struct profile *p, uint8_t *glue)
{
    for (size_t i = 0; i < p->points_n; i++) {
        glue_address(p, p->points[i].at, glue);
        glue_address(p, p->points[i].scale_from, glue);
        glue_address(p, p->points[i].unit_from.at, glue);
        glue_address(p, p->points[i].quality.at, glue);
        glue_address(p, p->points[i].invalid_from, glue);
    }
    for (size_t i = 0; i < p->flags_n; i++)
        glue_address(p, p->flags[i].map.at, glue);
    glue_address(p, p->mode.at, glue);
    glue_address(p, p->order_from.at, glue);
}

/* A number has at most four registers and is never torn, whatever read_max says; a long text
 * is. */
enum { NUMBER_MAX = 4 };

/* A whole span where the profile is atomic, otherwise up to the next word that starts a value.
 */
static int piece_length(const struct profile *p, const struct profile_span *span, int at,
                        int read_max, const uint8_t *glue)
{
    int max = p->read_atomic          ? PROFILE_REQUEST_MAX
              : read_max > NUMBER_MAX ? read_max
                                      : NUMBER_MAX;
    int n = 1;

    while (at + n < span->count && n < max && (p->read_atomic || glue[span->offset + at + n]))
        n++;
    return n;
}

static void cut_pieces(struct plan *pl, const struct profile *p, const uint8_t *glue)
{
    for (size_t s = 0; s < p->spans_n; s++) {
        const struct profile_span *span = &p->spans[s];
        for (int at = 0, n; at < span->count; at += n) {
            n = piece_length(p, span, at, pl->max, glue);
            pl->pieces[pl->pieces_n++] = (struct plan_piece){
                .space = span->space,
                .first = (uint16_t)(span->first + at),
                .count = (uint16_t)n,
                .offset = (uint16_t)(span->offset + at),
            };
        }
    }
}

static int end_of(const struct plan_piece *a)
{
    return a->first + a->count;
}

/* Registers that stand unused between two neighbours. */
static int gap_before(const struct plan *pl, size_t piece)
{
    return pl->pieces[piece].first - end_of(&pl->pieces[piece - 1]);
}

static int64_t bytes_of(uint8_t space, int registers)
{
    bool is_bits = space == SPACE_COIL || space == SPACE_DISCRETE;

    return is_bits ? (registers + 7) / 8 : 2 * registers;
}

/* A hole pays while its bytes take less time than another exchange. */
static bool is_worth(const struct plan *pl, uint8_t space, int gap)
{
    return bytes_of(space, gap) * pl->cost.byte <= pl->cost.exchange;
}

static bool can_join(const struct plan *pl, size_t from, size_t piece)
{
    const struct plan_piece *a = &pl->pieces[from], *b = &pl->pieces[piece];
    const struct plan_piece *last = b - 1;
    int gap = gap_before(pl, piece);

    if (!pl->is_joining || a->space != b->space || b->is_cut || last->is_on_trial ||
        b->is_on_trial)
        return false;
    return gap >= 0 && gap <= pl->gap && end_of(b) - a->first <= pl->max &&
           is_worth(pl, a->space, gap);
}

void plan_merge(struct plan *pl)
{
    bool is_open = false; /* the last request ends with the piece before */

    pl->requests_n = 0;
    pl->is_stale = false;
    for (size_t i = 0; i < pl->pieces_n; i++) {
        struct plan_request *last = is_open ? &pl->requests[pl->requests_n - 1] : NULL;
        if (pl->pieces[i].is_left_out)
            is_open = false;
        else if (last && can_join(pl, last->from, i))
            last->to++;
        else {
            pl->requests[pl->requests_n++] =
                (struct plan_request){ (uint16_t)i, (uint16_t)(i + 1) };
            is_open = true;
        }
    }
}

void plan_reset(struct plan *pl)
{
    for (size_t i = 0; i < pl->pieces_n; i++)
        pl->pieces[i].is_left_out = pl->pieces[i].is_on_trial = pl->pieces[i].is_cut = false;
    plan_merge(pl);
}

void plan_try(struct plan *pl, bool cuts)
{
    for (size_t i = 0; i < pl->pieces_n; i++) {
        struct plan_piece *a = &pl->pieces[i];
        a->is_on_trial = a->is_left_out;
        a->is_left_out = false;
        a->is_cut = a->is_cut && !cuts;
    }
    plan_merge(pl);
}

size_t plan_left_out(const struct plan *pl)
{
    size_t n = 0;

    for (size_t i = 0; i < pl->pieces_n; i++)
        n += pl->pieces[i].is_left_out;
    return n;
}

bool plan_has_cuts(const struct plan *pl)
{
    for (size_t i = 0; i < pl->pieces_n; i++) {
        if (pl->pieces[i].is_cut)
            return true;
    }
    return false;
}

static size_t count_words(const struct profile *p)
{
    size_t n = 0;

    for (size_t s = 0; s < p->spans_n; s++)
        n += p->spans[s].count;
    return n;
}

int plan_init(struct plan *pl, const struct profile *p, struct plan_cost cost)
{
    size_t words = count_words(p);
    uint8_t *glue = calloc(p->words_n + 1, 1);

    *pl = (struct plan){
        .max = limit(cost.registers, limit(p->read_max, PROFILE_REQUEST_MAX)),
        .gap = p->read_gap > 0 ? p->read_gap : 0,
        .cost = cost,
        .is_joining = !p->read_atomic && !p->read_single,
    };
    /* At most one piece per word while cutting; what is not needed goes back. */
    pl->pieces = calloc(words ? words : 1, sizeof pl->pieces[0]);
    if (!glue || !pl->pieces) {
        free(glue);
        plan_done(pl);
        return -ENOMEM;
    }
    glue_values(p, glue);
    cut_pieces(pl, p, glue);
    free(glue);
    pl->requests = calloc(pl->pieces_n ? pl->pieces_n : 1, sizeof pl->requests[0]);
    if (!pl->requests || words == 0) {
        int rc = pl->requests ? -EINVAL : -ENOMEM;
        plan_done(pl);
        return rc;
    }
    struct plan_piece *fitting = realloc(pl->pieces, pl->pieces_n * sizeof pl->pieces[0]);
    if (fitting)
        pl->pieces = fitting;
    plan_merge(pl);
    return 0;
}

void plan_done(struct plan *pl)
{
    free(pl->pieces);
    free(pl->requests);
    *pl = (struct plan){ 0 };
}

struct plan_read plan_read_of(const struct plan *pl, size_t request)
{
    const struct plan_request *r = &pl->requests[request];
    const struct plan_piece *a = &pl->pieces[r->from];

    return (struct plan_read){ a->space, a->first,
                               (uint16_t)(end_of(&pl->pieces[r->to - 1]) - a->first) };
}

int64_t plan_read_bytes(const struct plan_read *r)
{
    return bytes_of(r->space, r->count);
}

void plan_store(struct plan *pl, size_t request, const uint16_t *answer, uint16_t *words,
                uint8_t *have)
{
    const struct plan_request *r = &pl->requests[request];
    uint16_t first = pl->pieces[r->from].first;

    for (size_t i = r->from; i < r->to; i++) {
        struct plan_piece *a = &pl->pieces[i];
        memcpy(words + a->offset, answer + (a->first - first), a->count * sizeof words[0]);
        memset(have + a->offset, 1, a->count);
        pl->is_stale = pl->is_stale || a->is_on_trial;
        a->is_on_trial = false;
    }
}

/* Unused registers are the likeliest cause: cut at the widest hole, without one in the middle.
 */
static uint16_t cut_at(const struct plan *pl, const struct plan_request *r)
{
    size_t best = r->from + (r->to - r->from) / 2u;

    for (size_t i = r->from + 1u; i < r->to; i++) {
        if (gap_before(pl, i) > gap_before(pl, best))
            best = i;
    }
    return (uint16_t)best;
}

/* The cause lies inside these pieces: the cuts beside them were not needed. */
static void take_back_cuts(struct plan *pl, const struct plan_request *r)
{
    pl->pieces[r->from].is_cut = false;
    if (r->to < pl->pieces_n)
        pl->pieces[r->to].is_cut = false;
}

static void split(struct plan *pl, size_t request)
{
    struct plan_request *r = &pl->requests[request];
    uint16_t cut = cut_at(pl, r);

    memmove(r + 2, r + 1, (pl->requests_n - request - 1) * sizeof *r);
    r[1] = (struct plan_request){ cut, r->to };
    r[0].to = cut;
    pl->pieces[cut].is_cut = true;
    pl->requests_n++;
}

static enum plan_refusal leave_out(struct plan *pl, size_t request,
                                   struct plan_piece *ret_piece)
{
    struct plan_request *r = &pl->requests[request];
    struct plan_piece *piece = &pl->pieces[r->from];
    bool is_known = piece->is_reported;

    piece->is_left_out = piece->is_reported = true;
    piece->is_on_trial = false;
    *ret_piece = *piece;
    memmove(r, r + 1, (pl->requests_n - request - 1) * sizeof *r);
    pl->requests_n--;
    return is_known ? PLAN_LEFT_OUT_AGAIN : PLAN_LEFT_OUT;
}

enum plan_refusal plan_refuse(struct plan *pl, size_t request, struct plan_piece *ret_piece)
{
    const struct plan_request *r = &pl->requests[request];

    if (pl->pieces[r->from].is_on_trial) /* as it was before */
        return leave_out(pl, request, ret_piece);
    take_back_cuts(pl, r);
    pl->is_stale = true;
    if (r->to - r->from == 1)
        return leave_out(pl, request, ret_piece);
    split(pl, request);
    return PLAN_SPLIT;
}

void plan_rotate(struct plan *pl)
{
    if (pl->requests_n < 2)
        return;
    struct plan_request first = pl->requests[0];
    memmove(pl->requests, pl->requests + 1, (pl->requests_n - 1) * sizeof first);
    pl->requests[pl->requests_n - 1] = first;
}
