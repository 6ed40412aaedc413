/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/dense_model.h"

#include <string.h>

#include "gateway/series/lattice.h"

enum {
    PREDICTORS = 5, /* none, last difference, linear, two means */
    SEEN_MAX = 46,
    RUN_MAX = 255,
    TERM_MAX = 4095,    /* of the linear predictor's terms, after a common shift */
    DOUBLINGS_MAX = 52, /* of a difference: so many are malformed */
    MODELLED_MAX = 30,  /* doublings beyond which the distributions say nothing */
    MODELLED_BITS = 3,  /* of a magnitude, below its highest; the others have equal chances */
    NARROW = 64,        /* an interval of less probability tells nothing */
    CONSTANT_INPUT = 64,
    LMS_MAX = 1 << 17,
    WEIGHT_MAX = 1 << 24,
    DIFFERENCE_MAX = 1 << 28,
};

#define PREDICTION_MAX ((int64_t)1 << 32) /* in 1/16 of a lattice step */
#define DISTANCE_MAX   ((int64_t)1 << 34)

/* Nodes name a decision to the contexts, sets choose the mixer's weights. */
enum {
    NODE_ZERO = 1,
    NODE_SIGN = 2,
    NODE_DOUBLING = 3,
    NODE_BITS = 256,
    SET_ZERO = 0,
    SET_SIGN = 1,
    SET_DOUBLING = 2,
    SET_BITS = 10,
};

/* An expert's predictor, and the number of values after which its mean error adapts no slower.
 */
static const uint8_t expert_predictor[MODEL_EXPERTS] = { 0, 0, 1, 2, 2, 3, 4 };
static const uint8_t expert_memory[MODEL_EXPERTS] = { 6, 46, 6, 6, 46, 6, 46 };

/* Trained once; constants of the format (section 7.8). */
static const int32_t start_weight[MODEL_SETS][MODEL_INPUTS] = {
    { 20142, 7699, 4822, -18117, -9141, 5086, -180, 27150, 4831, 2747, 5642, 3047, 7166,
      -22701 },
    { -18719, -19100, 8755, -7869, 388, 11141, 5065, -4265, -1064, 4412, 8005, 27476, 12196,
      -6533 },
    { 5006, -5278, 12834, 7251, 1848, 7810, 5340, 25174, 5004, 2159, 4525, -2102, 4600,
      -62105 },
    { 2898, -6850, 12602, 8013, -3622, 13906, 634, 27358, 2728, 1400, 1920, -1393, 5530,
      -33733 },
    { 7355, -5280, 9045, 10168, -4015, 12495, -578, 21137, 3837, 2402, 2688, 187, 3750,
      -17272 },
    { 5136, -4968, 8396, 8100, -3275, 11064, -437, 32095, 4860, 2667, 1562, -2706, 3248,
      -3270 },
    { 5222, -1903, 9183, 7363, -245, 4926, 1379, 15905, 2311, 2947, -322, 6129, 4051, 3410 },
    { 8011, -2035, 8168, 9049, -1151, 9281, -1388, 14810, 3565, 364, -258, 3717, 2672, 5656 },
    { 7308, 640, 6864, 7451, 1086, 7361, -182, 11814, 825, 253, -1756, 8465, 149, 6486 },
    { 3570, 4077, 5816, 3809, 4174, 7066, -677, 16461, -439, -3445, -2280, 10554, 644, 7101 },
    { 4905, 972, 13712, 5276, 1444, 7136, 6651, 16630, 1861, 634, 2647, -480, 1587, -33664 },
    { 4834, 3103, 3091, 5794, 3524, 6541, 2717, 21203, 2001, 915, 1571, -3228, 257, -17802 },
    { 7326, 6654, 5027, 7528, 6681, 2136, -931, 17621, 2445, 1718, 2168, -403, 1580, -4224 },
    { 6407, 5092, 6261, 6868, 5278, 6811, 7774, 8204, -238, -80, -1888, 2255, -73, 572 },
    { 7194, 6628, 5865, 6973, 6545, 4192, 3928, 14284, 959, 211, -554, 1457, 185, 136 },
    { 8448, 8588, 7720, 8643, 8499, 6589, 3877, 18626, -63, -721, -1669, 985, -173, -867 },
};

void dense_model_reset(struct dense_model *m, int error)
{
    memset(m, 0, sizeof *m);
    memcpy(m->weight, start_weight, sizeof m->weight);
    for (int q = 0; q < MODEL_EXPERTS; q++)
        m->error[q] = error;
    for (int c = 0; c < MODEL_CONTEXTS; c++)
        for (int i = 0; i < MODEL_SLOTS; i++)
            m->p[c][i] = PROBABILITY_EVEN;
}

/* What the coding of one value needs beside the model. */
struct step {
    struct dense_model *m;
    struct range_coder *r;
    int64_t term[MODEL_TERMS], power; /* of the linear predictor; sum of squares */
    int shift;                        /* that brought the terms within bounds */
    int64_t mu[PREDICTORS];           /* predicted difference, in 1/16 */
    int64_t scale[MODEL_EXPERTS];     /* of the distributions around mu: 2^-rate x scale */
    int rate[MODEL_EXPERTS];
    uint32_t context[MODEL_CONTEXTS];
    int32_t in[MODEL_INPUTS];
    uint32_t left[MODEL_EXPERTS],
        right[MODEL_EXPERTS]; /* distribution functions at the ends of
                               * the interval that is still possible */
};

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* ---- one decision ---- */

/* Codes a bit of which the experts' inputs are in s->in, and learns from it. */
static ALWAYS_INLINE bool decide(struct step *s, bool is_writing, bool bit, uint32_t node,
                                 int set)
{
    struct dense_model *m = s->m;
    int32_t *w = m->weight[set], *in = s->in;
    uint32_t slot[MODEL_CONTEXTS];
    int64_t dot = 0;

    for (int c = 0; c < MODEL_CONTEXTS; c++) {
        slot[c] = (s->context[c] ^ node * 0x9E3779B1U) * 0x2545F491U >> 24;
        in[MODEL_EXPERTS + c] = dense_stretch[m->p[c][slot[c]] >> 4];
    }
    for (int i = 0; i < MODEL_INPUTS; i++)
        dot += (int64_t)w[i] * in[i];
    uint32_t p =
        probability_bounded(dense_logistic(dense_clip(dot >> 16, DENSE_ODDS_MAX)) >> 6);
    bit = range_bit(s->r, is_writing, bit, p);
    int32_t error = (bit ? PROBABILITY_ONE : 0) - (int32_t)p;
    for (int i = 0; i < MODEL_INPUTS; i++) {
        int32_t v = w[i] + (in[i] * error * 14 >> 21); /* 2047 x 65536 x 14 < 2^31 */
        w[i] = v > WEIGHT_MAX ? WEIGHT_MAX : v < -WEIGHT_MAX ? -WEIGHT_MAX : v;
    }
    for (int c = 0; c < MODEL_CONTEXTS; c++)
        adaptive_update(&m->p[c][slot[c]], &m->n[c][slot[c]], bit);
    return bit;
}

/* ---- what is expected ---- */

static void predict(struct step *s)
{
    struct dense_model *m = s->m;
    int64_t big = 1, sum = 0, power = 1;
    int shift = 0;

    for (int i = 0; i < MODEL_TERMS; i++) {
        int64_t x = i < MODEL_DIFFERENCES ? m->d[i] : m->ema[i == MODEL_DIFFERENCES] >> 4;
        s->term[i] = x;
        big = x > big ? x : -x > big ? -x : big;
    }
    while (big >> shift > TERM_MAX)
        shift++;
    for (int i = 0; i < MODEL_TERMS; i++) {
        s->term[i] >>= shift;
        sum += m->lms[i] * s->term[i];
        power += s->term[i] * s->term[i];
    }
    s->shift = shift;
    s->power = power;
    s->mu[0] = 0;
    s->mu[1] = m->d[0] * (int64_t)16;
    s->mu[2] = dense_clip((sum >> 12) * ((int64_t)1 << shift), PREDICTION_MAX);
    s->mu[3] = m->ema[0];
    s->mu[4] = m->ema[1];
    for (int q = 0; q < MODEL_EXPERTS; q++) {
        int64_t a = m->error[q] < 8 ? 8 : m->error[q];
        int b = dense_bit_length((uint64_t)a) - 5;
        s->scale[q] = dense_scale[(b < 0 ? a << -b : a >> b) - 16];
        s->rate[q] = 8 + b;
    }
}

static uint32_t size_class(int64_t d)
{
    uint64_t a = (uint64_t)(d < 0 ? -d : d);
    int n = dense_bit_length(a) + 1;

    return a < 3 ? (uint32_t)a : n > 9 ? 9 : (uint32_t)n;
}

static uint32_t run_class(unsigned run)
{
    return run > 31 ? 31 : run > 8 ? 8 + (run - 8) / 4 : run;
}

/* v within -max..max, counted from 0. */
static uint32_t clip_class(int64_t v, int max)
{
    return (uint32_t)(dense_clip(v, max) + max);
}

static void set_contexts(struct step *s)
{
    const struct dense_model *m = s->m;
    int32_t d = m->d[0];

    s->context[0] = 0;
    s->context[1] = 10 * size_class(d) + size_class(m->d[1]);
    s->context[2] = 49 * clip_class(d, 3) + 7 * clip_class(m->d[1], 3) + clip_class(m->d[2], 3);
    s->context[3] = (uint32_t)m->last;
    s->context[4] = 3 * run_class(m->run) + (uint32_t)(m->sign + 1);
    s->context[5] = 64 * clip_class((s->mu[2] + 8) >> 4, 6) +
                    16 * clip_class((s->mu[4] + 8) >> 4, 4) +
                    (d > 0   ? 1
                     : d < 0 ? 2
                             : 0);
}

/* Distribution function of expert q at x (1/16). */
static ALWAYS_INLINE uint32_t cdf(const struct step *s, int q, int64_t x)
{
    int64_t distance = dense_clip(x - s->mu[expert_predictor[q]], DISTANCE_MAX);

    return dense_logistic(distance * s->scale[q] >> s->rate[q]);
}

/* ---- the parts of a difference ---- */

static ALWAYS_INLINE bool code_is_zero(struct step *s, bool is_writing, int64_t diff)
{
    for (int q = 0; q < MODEL_EXPERTS; q++) {
        s->left[q] = cdf(s, q, -8);
        s->right[q] = cdf(s, q, 8);
        uint32_t within = s->right[q] - s->left[q];
        s->in[q] = dense_log_odds(within, DENSE_ONE - within);
    }
    return decide(s, is_writing, diff == 0, NODE_ZERO, SET_ZERO);
}

/* Afterwards everything is mirrored so that the difference is positive. */
static ALWAYS_INLINE bool code_is_up(struct step *s, bool is_writing, int64_t diff)
{
    for (int q = 0; q < MODEL_EXPERTS; q++) {
        uint32_t beyond = DENSE_ONE - s->right[q];
        s->in[q] = beyond + s->left[q] < NARROW ? 0 : dense_log_odds(beyond, s->left[q]);
    }
    bool is_up = decide(s, is_writing, diff > 0, NODE_SIGN, SET_SIGN);
    if (!is_up)
        for (int i = 0; i < PREDICTORS; i++)
            s->mu[i] = -s->mu[i];
    for (int q = 0; q < MODEL_EXPERTS; q++)
        s->left[q] = is_up ? s->right[q] : cdf(s, q, 8);
    return is_up;
}

/* The power of two below the magnitude. */
static ALWAYS_INLINE int code_doublings(struct step *s, bool is_writing, uint64_t magnitude)
{
    for (int n = 0; n < DOUBLINGS_MAX; n++) {
        for (int q = 0; q < MODEL_EXPERTS; q++) {
            s->right[q] = n > MODELLED_MAX ? DENSE_ONE : cdf(s, q, ((int64_t)32 << n) - 8);
            s->in[q] = n > MODELLED_MAX || DENSE_ONE - s->left[q] < NARROW
                           ? 0
                           : dense_log_odds(DENSE_ONE - s->right[q], s->right[q] - s->left[q]);
        }
        if (!decide(s, is_writing, magnitude >> n > 1, NODE_DOUBLING + (uint32_t)n,
                    SET_DOUBLING + (n > 7 ? 7 : n)))
            return n;
        memcpy(s->left, s->right, sizeof s->left);
    }
    return DOUBLINGS_MAX;
}

/* The n bits below the highest. */
static ALWAYS_INLINE uint64_t code_bits(struct step *s, bool is_writing, uint64_t magnitude,
                                        int n)
{
    uint64_t v = (uint64_t)1 << n;

    for (int j = 0; j < n && j < MODELLED_BITS; j++) {
        uint32_t mid[MODEL_EXPERTS];
        uint64_t half = (uint64_t)1 << (n - 1 - j);
        for (int q = 0; q < MODEL_EXPERTS; q++) {
            mid[q] = n > MODELLED_MAX ? 0 : cdf(s, q, (int64_t)(v + half) * 16 - 8);
            s->in[q] = n > MODELLED_MAX || s->right[q] - s->left[q] < NARROW
                           ? 0
                           : dense_log_odds(s->right[q] - mid[q], mid[q] - s->left[q]);
        }
        uint32_t node = NODE_BITS + 16 * (uint32_t)n - 1 + (uint32_t)(v >> (n - j));
        bool bit =
            decide(s, is_writing, magnitude & half, node, SET_BITS + j + (n > 4 ? 3 : 0));
        memcpy(bit ? s->left : s->right, mid, sizeof mid);
        v += bit ? half : 0;
    }
    if (n > MODELLED_BITS) {
        int rest = n - MODELLED_BITS;
        v += range_raw(s->r, magnitude & (((uint64_t)1 << rest) - 1), rest);
    }
    return v;
}

static ALWAYS_INLINE int64_t code_difference(struct step *s, bool is_writing, int64_t diff)
{
    if (code_is_zero(s, is_writing, diff))
        return 0;
    bool is_up = code_is_up(s, is_writing, diff);
    uint64_t magnitude = (uint64_t)(diff < 0 ? -diff : diff);
    int n = code_doublings(s, is_writing, magnitude);
    if (n == DOUBLINGS_MAX) {
        s->r->is_bad = true;
        return 0;
    }
    int64_t v = (int64_t)code_bits(s, is_writing, magnitude, n);
    if (is_up)
        return v;
    for (int i = 0; i < PREDICTORS; i++)
        s->mu[i] = -s->mu[i];
    return -v;
}

/* ---- learning ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void learn(struct step *s, int64_t diff)
{
    struct dense_model *m = s->m;
    int64_t d = dense_clip(diff, DIFFERENCE_MAX), d16 = d * 16;

    for (int q = 0; q < MODEL_EXPERTS; q++) {
        int64_t e = s->mu[expert_predictor[q]] - d16;
        e = 16 * (e < 0 ? -e : e);
        int memory = m->seen < expert_memory[q] ? m->seen : expert_memory[q];
        m->error[q] += (e - m->error[q]) * dense_recip[memory] >> 16;
    }
    int64_t gain =
        floor_div(dense_clip((d16 - s->mu[2]) >> s->shift, 65536) * 196608, s->power);
    for (int i = 0; i < MODEL_TERMS; i++)
        m->lms[i] = (int32_t)dense_clip(m->lms[i] + (gain * s->term[i] >> 14), LMS_MAX);
    for (int i = 0; i < 2; i++) {
        int64_t mean = m->ema[i] + ((d16 - m->ema[i]) >> (i == 0 ? 2 : 4));
        m->ema[i] = dense_clip(mean - d16, PREDICTION_MAX);
    }
    memmove(m->d + 1, m->d, sizeof m->d - sizeof m->d[0]);
    m->d[0] = (int32_t)d;
    m->seen = (uint8_t)(m->seen + (m->seen < SEEN_MAX));
    m->run = (uint8_t)(diff ? 0 : m->run + (m->run < RUN_MAX));
    m->sign = (int8_t)(diff ? (diff > 0) - (diff < 0) : m->sign);
}

static ALWAYS_INLINE int64_t code(struct dense_model *m, struct range_coder *r, bool is_writing,
                                  int64_t k)
{
    struct step s; /* every part is set before it is used */

    s.m = m;
    s.r = r;
    s.in[MODEL_EXPERTS + MODEL_CONTEXTS] = CONSTANT_INPUT;
    for (int i = MODEL_EXPERTS + MODEL_CONTEXTS + 1; i < MODEL_INPUTS; i++)
        s.in[i] = 0;
    predict(&s);
    set_contexts(&s);
    int64_t diff = code_difference(&s, is_writing, k - m->last);
    if (r->is_bad)
        return m->last;
    learn(&s, diff);
    m->last += diff;
    r->is_bad = m->last > LATTICE_K_MAX || m->last < -LATTICE_K_MAX;
    return m->last;
}

int64_t dense_model_code(struct dense_model *m, struct range_coder *r, int64_t k)
{
    return r->is_writing ? code(m, r, true, k) : code(m, r, false, 0);
}
