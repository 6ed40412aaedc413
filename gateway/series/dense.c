/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/dense.h"

#include "gateway/series/frame.h"

enum {
    PERIODS_MAX = 1 << 20, /* of one step of time, section 7.7 */
    PHASE_STEP_MAX = 1 << 30,
    CHANGE_CHANCE = 256, /* that parameters change in the middle of a segment, in 1/65536 */
    ZEROS_MAX = 32,
    HALF = 32, /* bits of a double that the model sees */
};

static bool is_beyond(int64_t v, int64_t max)
{
    return v > max || v < -max;
}

/* ---- times ---- */

void dense_times_reset(struct dense_times *t, int64_t period_ms, int64_t unit_ms, int64_t t0_ms)
{
    t->period_ms = period_ms;
    t->unit_ms = unit_ms;
    t->last_ms = t0_ms;
    t->is_regular = true;
    t->regular[0] = t->jump = ADAPTIVE_EVEN;
    t->regular[1] = ADAPTIVE_MOSTLY;
    dense_model_reset(&t->model, MODEL_ERROR_TIMES);
}

/* How one step of time is written: q periods and a change of phase, or as it is. */
struct time_step {
    bool is_jump;
    int64_t q, phase;
};

static int64_t nearest(int64_t a, int64_t b)
{
    int64_t two = 2 * b, n = 2 * a + b;

    if (two < 0) {
        two = -two;
        n = -n;
    }
    return n / two - (n % two < 0);
}

static struct time_step choose_step(const struct dense_times *t, int64_t step_ms)
{
    struct time_step s = { .q = t->period_ms ? nearest(step_ms, t->period_ms) : 1 };

    if (is_beyond(s.q, PERIODS_MAX))
        return (struct time_step){ .is_jump = true };
    int64_t rest = step_ms - s.q * t->period_ms;
    s.phase = rest / t->unit_ms;
    s.is_jump = rest % t->unit_ms != 0 || is_beyond(s.phase, PHASE_STEP_MAX) ||
                is_beyond(t->model.last + s.phase, LATTICE_K_MAX - 1);
    return s;
}

static int64_t phase_code(struct dense_times *t, struct range_coder *r,
                          const struct time_step *s)
{
    int64_t before = t->model.last;
    int64_t phase = dense_model_code(&t->model, r, before + s->phase) - before;

    r->is_bad |= is_beyond(s->q, PERIODS_MAX) || is_beyond(phase, PHASE_STEP_MAX);
    return r->is_bad ? 0 : s->q * t->period_ms + phase * t->unit_ms;
}

int64_t dense_time_code(struct dense_times *t, struct range_coder *r, int64_t time_ms)
{
    int64_t step_ms = time_ms - t->last_ms;
    struct time_step s = { .q = 1 };

    if (r->is_writing)
        s = choose_step(t, step_ms);
    t->is_regular = range_adaptive(r, s.q == 1 && !s.is_jump, &t->regular[t->is_regular]);
    if (t->is_regular) {
        s.q = 1;
        step_ms = phase_code(t, r, &s);
    } else if (range_adaptive(r, s.is_jump, &t->jump)) {
        step_ms = range_signed(r, step_ms);
        r->is_bad |= is_beyond(step_ms, 2 * FRAME_TIME_MAX);
    } else {
        s.q = range_signed(r, s.q);
        step_ms = phase_code(t, r, &s);
    }
    if (!r->is_bad)
        t->last_ms += step_ms;
    r->is_bad |= is_beyond(t->last_ms, FRAME_TIME_MAX);
    return t->last_ms;
}

/* ---- columns ---- */

void dense_column_reset(struct dense_column *c)
{
    c->params = (struct column_params){ .num = 1, .den = 1 };
    c->is_fresh = c->is_same = true;
    c->is_repeat = false;
    c->state = 0;
    c->flag = c->other = 0;
    c->bits = 0;
    c->same[0] = c->was_other = c->missing = ADAPTIVE_EVEN;
    c->same[1] = c->normal[0] = ADAPTIVE_MOSTLY;
    c->normal[1] = c->normal[2] = ADAPTIVE_EVEN;
    c->repeat[0] = c->repeat[1] = ADAPTIVE_EVEN;
}

static uint32_t number32(struct range_coder *r, uint32_t v)
{
    uint64_t u = range_number(r, v);

    r->is_bad |= u > UINT32_MAX;
    return (uint32_t)u;
}

static struct column_params lattice_code(struct range_coder *r, struct column_params p)
{
    bool is_plain = p.num == 1 && p.den == 1 && p.off == 0 && !p.is_even;

    p.e = (uint8_t)range_raw(r, p.e, 5);
    if (range_raw(r, is_plain, 1))
        return (struct column_params){ .mode = COLUMN_LATTICE, .e = p.e, .num = 1, .den = 1 };
    p.num = number32(r, p.num);
    p.den = number32(r, p.den);
    p.off = range_signed(r, p.off);
    p.is_even = range_raw(r, p.is_even, 1);
    return p;
}

void dense_params_code(struct dense_column *c, struct range_coder *r, bool is_key, bool is_new)
{
    struct column_params p = c->params;

    if (!is_key && !range_bit(r, r->is_writing, is_new, CHANGE_CHANCE))
        return;
    p.mode = (uint8_t)range_raw(r, p.mode, 1);
    if (p.mode == COLUMN_RAW) {
        uint8_t zeros = (uint8_t)range_raw(r, p.zeros, 6);
        p = (struct column_params){ .mode = COLUMN_RAW, .zeros = zeros, .num = 1, .den = 1 };
    } else {
        p.zeros = 0;
        p = lattice_code(r, p);
    }
    r->is_bad |= !column_params_are_valid(&p);
    c->params = p;
    c->is_fresh = true;
    dense_model_reset(&c->model, MODEL_ERROR_COLUMN);
}

static uint32_t flag_code(struct dense_column *c, struct range_coder *r, uint32_t flag)
{
    c->is_same = range_adaptive(r, flag == c->flag, &c->same[c->is_same]);
    if (c->is_same)
        return c->flag;
    bool is_other = range_adaptive(r, flag == c->other, &c->was_other);
    flag = is_other ? c->other : number32(r, flag);
    c->other = c->flag;
    c->flag = flag;
    return flag;
}

/* The first value is written as it is, the others by the model. */
static int64_t value_code(struct dense_column *c, struct range_coder *r, int64_t k)
{
    if (!c->is_fresh)
        return dense_model_code(&c->model, r, k);
    c->is_fresh = false;
    c->model.last = range_signed(r, k);
    return c->model.last;
}

/* The upper half of a double as an integer that orders doubles by size, and back. */
static int64_t ordered(int64_t half)
{
    return half < 0 ? half ^ INT32_MAX : half;
}

static uint64_t double_code(struct dense_column *c, struct range_coder *r, uint64_t bits)
{
    int low = HALF - c->params.zeros;

    c->is_repeat = range_adaptive(r, !c->is_fresh && bits == c->bits, &c->repeat[c->is_repeat]);
    if (c->is_repeat)
        return c->bits;
    int64_t half = value_code(c, r, ordered((int32_t)(bits >> HALF)));
    if (half != (int32_t)half) {
        r->is_bad = true;
        return 0;
    }
    c->bits = (uint64_t)(uint32_t)ordered(half) << HALF |
              range_raw(r, (bits & UINT32_MAX) >> c->params.zeros, low) << c->params.zeros;
    return c->bits;
}

static void normal_code(struct dense_column *c, struct range_coder *r, int64_t k,
                        struct series_cell *x)
{
    if (c->params.mode == COLUMN_RAW) {
        x->v = (int64_t)double_code(c, r, (uint64_t)k);
        x->e = DECIMAL_DOUBLE;
        return;
    }
    k = value_code(c, r, k);
    x->e = (int8_t)c->params.e;
    r->is_bad |= is_beyond(k, LATTICE_K_MAX);
    if (!r->is_writing && !r->is_bad)
        r->is_bad = !lattice_value(&c->params, k, &x->v);
}

static void written_out_code(struct range_coder *r, enum cell_kind kind, struct series_cell *x)
{
    if (!range_raw(r, kind == CELL_DECIMAL, 1)) {
        x->v = (int64_t)range_raw(r, (uint64_t)x->v, 64);
        x->e = DECIMAL_DOUBLE;
        return;
    }
    uint64_t e = range_raw(r, (uint64_t)x->e, 5);
    x->v = range_signed(r, x->v);
    x->e = (int8_t)e;
    r->is_bad |= e > DECIMAL_MAX_E;
}

void dense_cell_code(struct dense_column *c, struct range_coder *r, enum cell_kind kind,
                     int64_t k, struct series_cell *x)
{
    x->flag = flag_code(c, r, x->flag);
    if (range_adaptive(r, kind == CELL_NORMAL, &c->normal[c->state])) {
        c->state = 0;
        normal_code(c, r, k, x);
    } else if (range_adaptive(r, kind == CELL_MISSING, &c->missing)) {
        c->state = 1;
        x->v = 0;
        x->e = DECIMAL_NONE;
    } else {
        c->state = 2;
        written_out_code(r, kind, x);
    }
}
