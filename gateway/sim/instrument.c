/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/instrument.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/sim/extras.h"
#include "gateway/sim/noise.h"

enum {
    MINUTE_MS = 60 * 1000,
    HOUR_MS = 60 * MINUTE_MS,
    IMAGE_STEP_MS = 1000,
    OWN_EPISODE_EVERY_MS = 8 * HOUR_MS,
    OWN_EPISODE_MS = 20 * MINUTE_MS,
    CALIBRATION_EVERY_MS = 12 * HOUR_MS,
    CALIBRATION_MS = 4 * MINUTE_MS, /* of zero, then as much of span */
    TROUBLE_EVERY_MS = 9 * HOUR_MS,
    TROUBLE_MS = 3 * MINUTE_MS,
};

struct point {
    struct signal signal;
    double held;              /* what the user holds it at */
    bool is_held, is_checked; /* checked: takes part in zero and span checks */
    double span;              /* what it shows during a span check */
    struct disturbance *disturbances;
    size_t disturbances_n;
};

struct instrument {
    struct instrument_options o;
    struct point *points;
    double *values;
    uint16_t *words;
    int64_t step;              /* of the image; INT64_MIN: none yet */
    struct signal_episode own; /* target unused: every point by its course */
    struct signal_window zero, span, trouble;
    const char *trouble_word;
    const char *word; /* in force */
    struct extras extras;
    struct fault_state faults;
    const struct profile_command *running; /* what it was told to do; NULL */
    int64_t running_to_ms;
};

bool instrument_is_target(const char *device, const struct profile_point *pt,
                          const char *target)
{
    size_t len = strlen(device);

    if (pt->quantity && strcmp(target, pt->quantity->id) == 0)
        return pt->role == POINT_MEASUREMENT;
    if (strcmp(target, pt->id) == 0)
        return true;
    return strncmp(target, device, len) == 0 && target[len] == '/' &&
           strcmp(target + len + 1, pt->id) == 0;
}

static bool is_inside(const struct profile_point *pt, double x)
{
    return !(x < pt->range_min) && !(x > pt->range_max);
}

/* Identification by plausible values names a level that a point without a range should keep. */
static double level_from_identify(const struct profile *p, const struct profile_point *pt)
{
    for (size_t i = 0; i < p->identify_n; i++) {
        const struct profile_identify *test = &p->identify[i];
        if (test->mei < 0 && !test->equals_text && test->at.space == pt->at.space &&
            test->at.first == pt->at.first)
            return (test->in_min + test->in_max) / 2;
    }
    return NAN;
}

static double level_from_range(const struct profile *p, const struct profile_point *pt)
{
    double named = level_from_identify(p, pt);

    if (!isnan(named))
        return named;
    if (isfinite(pt->range_min) && isfinite(pt->range_max))
        return (pt->range_min + pt->range_max) / 2;
    return 1;
}

/* One step of an integer register, in the canonical unit: quieter signals would look stuck. */
static double register_step(const struct profile_point *pt)
{
    double factor = pt->conversion.factor != 0 ? fabs(pt->conversion.factor) : 1;
    bool is_exact = pt->type == TYPE_F32 || pt->type == TYPE_F64 || pt->type == TYPE_TEXT;

    return is_exact ? 0 : fabs(pt->scale) * factor;
}

/* The profile's level and swing. The sun has no level at night; showers keep their own figures.
 */
static void take_own_figures(const struct profile_point *pt, struct course *c)
{
    double swing = isnan(pt->sim_swing) ? 0 : pt->sim_swing;

    if (isnan(pt->sim_base) || c->shape == COURSE_RAIN || c->shape == COURSE_RAIN_SUM)
        return;
    c->base = c->shape == COURSE_SUN ? 0 : pt->sim_base;
    c->swing = c->shape == COURSE_SUN ? pt->sim_base + swing : swing;
    if (!isnan(pt->sim_noise) && c->shape != COURSE_SUN)
        c->noise = pt->sim_noise;
}

static struct course course_of(const struct profile *p, const struct profile_point *pt)
{
    const struct course *known = pt->quantity ? course_find(pt->quantity->id) : NULL;
    struct course c = known ? *known : (struct course){ .shape = COURSE_DAY, .peak_hour = 15 };

    if (!known || !is_inside(pt, c.base)) {
        c.base = level_from_range(p, pt);
        c.noise = fabs(c.base) * 0.002;
        c.swing = pt->quantity ? fabs(c.base) * 0.05 : 0;
    }
    take_own_figures(pt, &c);
    if (c.noise > 0 && pt->quantity)
        c.noise = fmax(c.noise, 0.8 * register_step(pt));
    if (pt->stat && strcmp(pt->stat, "max") == 0)
        c.base += 2 * c.noise;
    if (pt->stat && strcmp(pt->stat, "min") == 0)
        c.base -= 2 * c.noise;
    return c;
}

static void init_point(const struct instrument_options *o, size_t i, struct point *ret)
{
    const struct profile_point *pt = &o->profile->points[i];
    struct course c = course_of(o->profile, pt);

    *ret = (struct point){
        .signal = { .course = c,
                    .min = pt->range_min,
                    .max = pt->range_max,
                    .seed = noise_seed(noise_seed(o->seed, o->id), pt->id),
                    .station_seed = o->seed,
                    .zone_ms = o->zone_ms },
        .is_checked =
            pt->quantity && pt->quantity->medium == MEDIUM_AIR && pt->role == POINT_MEASUREMENT,
        .span = c.episode != 0 ? c.episode : c.base * 4,
    };
    for (size_t k = 0; k < o->sets_n; k++) {
        const struct instrument_set *s = &o->sets[k];
        if ((!s->device || strcmp(s->device, o->id) == 0) && strcmp(s->point, pt->id) == 0) {
            ret->is_held = true;
            ret->held = s->value;
        }
    }
}

static bool means(const struct instrument *in, size_t point, const struct disturbance *d)
{
    return instrument_is_target(in->o.id, &in->o.profile->points[point], d->target);
}

/* A point's own of all, in their order. */
static int init_disturbances(struct instrument *in, size_t point)
{
    struct point *pt = &in->points[point];
    size_t n = 0;

    for (size_t i = 0; i < in->o.disturbances_n; i++)
        n += means(in, point, &in->o.disturbances[i]);
    if (n == 0)
        return 0;
    pt->disturbances = calloc(n, sizeof *pt->disturbances);
    if (!pt->disturbances)
        return -ENOMEM;
    for (size_t i = 0; i < in->o.disturbances_n; i++) {
        if (means(in, point, &in->o.disturbances[i]))
            pt->disturbances[pt->disturbances_n++] = in->o.disturbances[i];
    }
    return 0;
}

static bool has_word(const struct instrument *in, const char *word)
{
    return profile_encode_word(in->o.profile, word, in->words) == 0;
}

static struct signal_window window(uint64_t seed, int64_t which, int64_t every_ms,
                                   int64_t length_ms)
{
    int64_t phase = (int64_t)(noise_uniform(seed, which) * (double)every_ms);

    return (struct signal_window){ every_ms, phase, length_ms };
}

/* Words that the profile does not have make no windows: a zero check must be told from a zero.
 */
static void init_calibration(struct instrument *in, uint64_t seed)
{
    int64_t every = in->o.calibration_ms ? in->o.calibration_ms : CALIBRATION_EVERY_MS;
    int64_t length = every / 5 < CALIBRATION_MS ? every / 5 : CALIBRATION_MS;
    struct signal_window zero = window(seed, 1, every, length);

    if (has_word(in, "zero"))
        in->zero = zero;
    if (has_word(in, "span")) {
        in->span = zero;
        in->span.phase_ms += length;
    }
}

static void init_trouble(struct instrument *in, uint64_t seed)
{
    static const char *const words[] = { "uncertain", "maintenance", "warmup", "fault" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (has_word(in, words[i])) {
            in->trouble_word = words[i];
            in->trouble = window(seed, 2, TROUBLE_EVERY_MS, TROUBLE_MS);
            return;
        }
    }
}

/* Registers of identification that are polled too hold what the tests of the profile expect. */
static void show_identity(struct instrument *in)
{
    const struct profile *p = in->o.profile;

    for (size_t i = 0; i < p->identify_n; i++) {
        const struct profile_identify *test = &p->identify[i];
        int at = test->mei < 0 ? profile_offset(p, test->at.space, test->at.first) : -1;
        if (at >= 0 && test->type == TYPE_U16 && !test->equals_text)
            in->words[at] = (uint16_t)ceil(test->in_min);
    }
}

static void init_habits(struct instrument *in)
{
    uint64_t seed = noise_seed(in->o.seed, in->o.id);

    if (!in->o.is_calm || in->o.calibration_ms)
        init_calibration(in, seed);
    if (in->o.is_calm)
        return;
    init_trouble(in, seed);
    in->own = (struct signal_episode){
        .times = { .start_ms = (int64_t)(noise_uniform(seed, 3) * OWN_EPISODE_EVERY_MS),
                   .length_ms = OWN_EPISODE_MS,
                   .every_ms = OWN_EPISODE_EVERY_MS },
    };
}

int instrument_create(const struct instrument_options *o, struct instrument **ret)
{
    const struct profile *p = o->profile;
    struct instrument *in = calloc(1, sizeof *in);

    if (!in)
        return -ENOMEM;
    in->o = *o;
    in->step = INT64_MIN;
    in->word = o->flag ? o->flag : "good";
    in->points = calloc(p->points_n + 1, sizeof *in->points);
    in->values = calloc(p->points_n + 1, sizeof *in->values);
    in->words = calloc(p->words_n + 1, sizeof *in->words);
    if (!in->points || !in->values || !in->words) {
        instrument_destroy(in);
        return -ENOMEM;
    }
    int rc = fault_state_init(&in->faults, o->id, noise_seed(o->seed, o->id), o->faults,
                              o->faults_n);
    if (rc == 0 && o->flag && !has_word(in, o->flag))
        rc = -ENOENT;
    for (size_t i = 0; i < p->points_n && rc == 0; i++) {
        init_point(&in->o, i, &in->points[i]);
        rc = init_disturbances(in, i);
    }
    if (rc < 0) {
        instrument_destroy(in);
        return rc;
    }
    if (fault_find(&in->faults, FAULT_ORDER))
        in->o.order = (int)fault_find(&in->faults, FAULT_ORDER)->order;
    extras_init(&in->extras, p, in->o.order);
    init_habits(in);
    show_identity(in);
    *ret = in;
    return 0;
}

void instrument_destroy(struct instrument *in)
{
    if (!in)
        return;
    for (size_t i = 0; in->points && i < in->o.profile->points_n; i++)
        free(in->points[i].disturbances);
    free(in->points);
    free(in->values);
    free(in->words);
    free(in);
}

const struct instrument_options *instrument_options_of(const struct instrument *in)
{
    return &in->o;
}

struct fault_state *instrument_faults(struct instrument *in)
{
    return &in->faults;
}

static const char *word_at(const struct instrument *in, int64_t t_ms)
{
    if (in->o.flag)
        return in->o.flag;
    if (in->running && t_ms < in->running_to_ms)
        return in->running->mode;
    if (signal_window_is_open(&in->zero, t_ms))
        return "zero";
    if (signal_window_is_open(&in->span, t_ms))
        return "span";
    if (signal_window_is_open(&in->trouble, t_ms))
        return in->trouble_word;
    return "good";
}

/* Episodes pull the signal to their peak; its noise stays. */
static double pulled(const struct instrument *in, const struct signal_episode *e, double peak,
                     const struct point *pt, double x, int64_t t_ms)
{
    double share = signal_episode_share(e, in->o.origin_ms, t_ms);

    return share > 0 ? x + share * (peak + signal_scatter(&pt->signal, t_ms) - x) : x;
}

static double with_episodes(const struct instrument *in, size_t i, double x, int64_t t_ms)
{
    const struct point *pt = &in->points[i];
    const struct profile_point *meant = &in->o.profile->points[i];
    double usual_peak = pt->signal.course.episode;

    if (in->own.times.every_ms > 0 && usual_peak != 0 && meant->role == POINT_MEASUREMENT)
        x = pulled(in, &in->own, usual_peak, pt, x, t_ms);
    for (size_t k = 0; k < in->o.episodes_n; k++) {
        const struct signal_episode *e = &in->o.episodes[k];
        if (instrument_is_target(in->o.id, meant, e->target))
            x = pulled(in, e, e->peak, pt, x, t_ms);
    }
    return x;
}

static double limited(const struct signal *s, double x)
{
    if (x < s->min)
        return s->min;
    return x > s->max ? s->max : x;
}

bool instrument_can_be_missing(const struct profile_point *pt)
{
    return pt->invalid_n > 0 || pt->type == TYPE_F32 || pt->type == TYPE_F64;
}

/* Sound, at any time. */
static double sound_value(const struct instrument *in, size_t i, int64_t t_ms)
{
    const struct point *pt = &in->points[i];
    const char *word = word_at(in, t_ms);

    if (pt->is_held)
        return pt->held;
    if (pt->is_checked && strcmp(word, "zero") == 0)
        return limited(&pt->signal, signal_scatter(&pt->signal, t_ms));
    if (pt->is_checked && strcmp(word, "span") == 0)
        return limited(&pt->signal, pt->span + signal_scatter(&pt->signal, t_ms));
    return limited(&pt->signal, with_episodes(in, i, signal_at(&pt->signal, t_ms), t_ms));
}

static double value_at(const struct instrument *in, size_t i, int64_t t_ms)
{
    const struct point *pt = &in->points[i];
    struct disturbed d = { .items = pt->disturbances,
                           .n = pt->disturbances_n,
                           .origin_ms = in->o.origin_ms,
                           .seed = pt->signal.seed };

    if (fault_find(&in->faults, FAULT_NAN) &&
        instrument_can_be_missing(&in->o.profile->points[i]))
        return (double)NAN;
    int64_t instant = disturbed_instant(&d, t_ms);
    return disturbed_value(&d, sound_value(in, i, instant), pt->signal.min, pt->signal.max,
                           instant);
}

void instrument_advance(struct instrument *in, int64_t t_ms)
{
    int64_t step = t_ms / IMAGE_STEP_MS;

    if (step == in->step || (in->step != INT64_MIN && fault_find(&in->faults, FAULT_STUCK)))
        return;
    in->step = step;
    in->word = word_at(in, t_ms);
    for (size_t i = 0; i < in->o.profile->points_n; i++)
        in->values[i] = value_at(in, i, step * IMAGE_STEP_MS);
    profile_encode(in->o.profile, in->o.order, in->values, in->words);
    profile_encode_word(in->o.profile, in->word, in->words);
}

double instrument_value(const struct instrument *in, size_t point)
{
    return in->values[point];
}

const char *instrument_word(const struct instrument *in)
{
    return in->word;
}

/* Inside a hole between two spans that a merged read may cross. */
static bool is_bridged(const struct profile *p, uint8_t space, unsigned address)
{
    unsigned below = 0, above = UINT16_MAX + 1u;
    bool has_below = false;

    for (size_t i = 0; i < p->spans_n; i++) {
        const struct profile_span *s = &p->spans[i];
        unsigned end = (unsigned)s->first + s->count;
        if (s->space != space)
            continue;
        if (end <= address && (!has_below || end > below)) {
            below = end;
            has_below = true;
        }
        if (s->first > address && s->first < above)
            above = s->first;
    }
    return has_below && above <= UINT16_MAX && above - below <= (unsigned)p->read_gap;
}

/* A register of status shows what is; others show what was written into them. */
static bool is_status(const struct profile *p, uint8_t space, unsigned address)
{
    if (p->mode.at.space == space && p->mode.at.first == address)
        return true;
    for (size_t i = 0; i < p->flags_n; i++) {
        const struct register_address *at = &p->flags[i].map.at;
        if (at->space == space && at->first == address)
            return true;
    }
    return false;
}

/* 0, or -EFAULT when there is no such register. */
static int read_one(const struct instrument *in, uint8_t space, unsigned address, uint16_t *ret)
{
    const struct profile *p = in->o.profile;
    const struct extra *x = extras_find(&in->extras, space, (uint16_t)address);
    int at = profile_offset(p, space, (uint16_t)address);

    if (x && (at < 0 || (x->is_written && !is_status(p, space, address))))
        *ret = x->word;
    else if (at >= 0)
        *ret = in->words[at];
    else if (is_bridged(p, space, address))
        *ret = 0;
    else
        return -EFAULT;
    return 0;
}

int instrument_read(const struct instrument *in, uint8_t space, unsigned first, unsigned count,
                    uint16_t *out)
{
    if (count == 0 || first + count > UINT16_MAX + 1u)
        return -EFAULT;
    for (unsigned i = 0; i < count; i++) {
        if (read_one(in, space, first + i, &out[i]) < 0)
            return -EFAULT;
    }
    return 0;
}

static bool is_same_switch(const struct profile_command *a, const struct profile_command *b)
{
    const struct profile_step *x = extras_last_write(a), *y = extras_last_write(b);

    return x->at.space == y->at.space && x->at.first == y->at.first;
}

int instrument_write(struct instrument *in, uint8_t space, unsigned first, unsigned count,
                     const uint16_t *words, int64_t t_ms)
{
    const struct profile_command *c;

    if (in->o.profile->commands_n == 0)
        return -ENOTSUP;
    int rc = extras_write(&in->extras, space, first, count, words, &c);
    if (rc < 0 || !c)
        return rc;
    if (c->mode) {
        in->running = c;
        in->running_to_ms = c->mode_ms > 0 ? t_ms + c->mode_ms : INT64_MAX;
    } else if (in->running && is_same_switch(c, in->running)) {
        in->running = NULL;
    }
    in->step = INT64_MIN;
    return 0;
}
