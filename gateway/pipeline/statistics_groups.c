/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/pipeline/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)

/* ---- which channel belongs to which group ---- */

enum part { PART_MAIN, PART_LEVELS, PART_DAYNIGHT, PART_MAX8H };

struct entry { /* a statistic channel on its way into a group */
    uint32_t source, channel, stream;
    struct agg_want want;
    enum part part;
};

/* Percentiles of 8 h and days are formed of samples, beside the mean of the hours. */
static enum part part_of(struct agg_want w)
{
    const enum agg_figure f = w.figure;

    if (f == AGG_FIGURE_MAX8H)
        return PART_MAX8H;
    if (agg_figure_is_percentile(f) && agg_periods[w.period].is_of_hours)
        return PART_LEVELS;
    return f == AGG_FIGURE_LD || f == AGG_FIGURE_LN || f == AGG_FIGURE_LDN ? PART_DAYNIGHT
                                                                           : PART_MAIN;
}

/* What follows the quantity in the id of a point: "_us" of "wind_dir_us". */
static const char *suffix_of(const struct channel *c)
{
    const size_t n = strlen(c->quantity->id);

    return strncmp(c->point, c->quantity->id, n) == 0 ? c->point + n : c->point;
}

uint32_t pipeline_beside(const struct channel_table *t, uint32_t channel, const char *quantity)
{
    const struct channel *mine = &t->channels[channel];
    uint32_t first = PIPELINE_NONE_BESIDE;

    for (uint32_t i = 0; i < t->n; i++) {
        const struct channel *c = &t->channels[i];
        if (c->statistic || strcmp(c->device, mine->device) != 0 ||
            strcmp(c->quantity->id, quantity) != 0)
            continue;
        if (strcmp(suffix_of(c), suffix_of(mine)) == 0)
            return i;
        if (first == PIPELINE_NONE_BESIDE)
            first = i;
    }
    return first;
}

/* The length of the mean vector comes from the accumulation of the direction. */
static bool make_entry(const struct channel_table *t, uint32_t channel, uint32_t stream,
                       struct entry *ret)
{
    const struct channel *ch = &t->channels[channel];
    char why[128];

    *ret = (struct entry){ .source = ch->source, .channel = channel, .stream = stream };
    if (ch->is_index || agg_want_parse(ch->statistic, &ret->want, why, sizeof why) < 0)
        return false;
    if (ret->want.figure == AGG_FIGURE_VECTOR && ch->quantity->agg != AGG_VECTOR) {
        ret->source = pipeline_beside(t, ch->source, "wind_dir");
        ret->want.figure = AGG_FIGURE_VECTOR_SPEED;
    }
    ret->part = part_of(ret->want);
    return ret->source != NO_GROUP;
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->want.period != y->want.period)
        return x->want.period < y->want.period ? -1 : 1;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    return x->channel < y->channel ? -1 : 1;
}

static bool is_same_group(const struct entry *a, const struct entry *b)
{
    return a->source == b->source && a->want.period == b->want.period && a->part == b->part;
}

/* ---- how a group works ---- */

static enum agg_kind kind_of_8h(const struct quantity *q, const struct entry *e)
{
    if (e->part == PART_LEVELS)
        return AGG_KIND_RUNNING_LEVELS;
    return q->agg == AGG_VECTOR ? AGG_KIND_RUNNING_WIND : AGG_KIND_RUNNING;
}

static enum agg_kind kind_of(const struct pipeline *p, const struct entry *e, size_t n)
{
    const struct channel_table *t = p->o->table;
    const struct quantity *q = t->channels[e->source].quantity;

    if (e->part == PART_MAX8H || e->part == PART_DAYNIGHT)
        return e->part == PART_MAX8H ? AGG_KIND_MAX8H : AGG_KIND_DAYNIGHT;
    if (e->want.period == AGG_8H)
        return kind_of_8h(q, e);
    if (strcmp(q->id, "wind_dir") == 0 &&
        pipeline_beside(t, e->source, "wind_speed") != NO_GROUP)
        return AGG_KIND_WIND;
    for (size_t i = 0; i < n; i++)
        if (agg_figure_is_percentile(e[i].want.figure))
            return AGG_KIND_LEVELS;
    return AGG_KIND_PLAIN;
}

static bool is_same_config(const struct agg_config *a, const struct agg_config *b)
{
    return a->how == b->how && a->period_ms == b->period_ms &&
           a->interval_ms == b->interval_ms && a->need == b->need &&
           a->expected == b->expected && a->enough == b->enough && a->wrap == b->wrap &&
           a->dead_s == b->dead_s && a->decimals == b->decimals;
}

/* Many channels are treated alike; the index of theirs. */
static size_t keep_config(struct statistics *st, const struct agg_config *c)
{
    for (size_t i = 0; i < st->configs_n; i++)
        if (is_same_config(&st->configs[i], c))
            return i;
    st->configs[st->configs_n] = *c;
    return st->configs_n++;
}

static struct levels_night night_of(const struct agg_settings *s)
{
    return s->night.begin == s->night.end ? AGG_NIGHT : s->night;
}

static struct agg_config config_of(const struct pipeline *p, const struct entry *e)
{
    const struct channel_table *t = p->o->table;
    const struct channel *source = &t->channels[e->source];
    struct agg_settings settings = p->o->channels[e->source].agg;

    settings.night = night_of(&settings);
    struct agg_config c =
        agg_config_for(source->quantity, e->want, source->period_ms, t->zone_ms, &settings);
    c.decimals = t->channels[e->channel].decimals;
    return c;
}

/* ---- making them ---- */

struct making {
    struct pipeline *p;
    struct statistics *st;
    struct entry *entries;
    size_t n;
    size_t *config; /* of each group */
};

static int collect(struct making *m)
{
    const struct channel_table *t = m->p->o->table;

    m->entries = calloc(t->n + 1, sizeof *m->entries);
    m->config = calloc(t->n + 1, sizeof *m->config);
    if (!m->entries || !m->config)
        return -ENOMEM;
    for (uint32_t s = 0; s < t->streams_n; s++)
        for (uint32_t i = t->streams[s].first; i < t->streams[s].first + t->streams[s].n; i++)
            if (t->channels[i].statistic && make_entry(t, i, s, &m->entries[m->n]))
                m->n++;
    qsort(m->entries, m->n, sizeof *m->entries, compare);
    return 0;
}

static size_t same_group(const struct making *m, size_t from)
{
    size_t n = 1;

    while (from + n < m->n && is_same_group(&m->entries[from], &m->entries[from + n]))
        n++;
    return n;
}

/* What the value is rounded to is told by the column that has it. */
static const struct entry *value_entry(const struct entry *e, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (e[i].want.figure == AGG_VALUE)
            return &e[i];
    return e;
}

static void add_group(struct making *m, const struct entry *e, size_t n)
{
    struct statistics *st = m->st;
    const struct agg_config c = config_of(m->p, value_entry(e, n));
    struct group *g = &st->groups[st->n];

    *g = (struct group){ .source = e->source,
                         .stream = e->stream,
                         .from = NO_GROUP,
                         .next = NO_GROUP,
                         .first = NO_GROUP };
    g->s.kind = kind_of(m->p, e, n);
    m->config[st->n] = keep_config(st, &c);
    for (size_t i = 0; i < n; i++) {
        st->of[e[i].channel] = (uint32_t)st->n;
        st->figure[e[i].channel] = (uint8_t)e[i].want.figure;
    }
    st->n++;
}

/* A longer period takes the rows of the hours, the largest 8 h those of the 8 h. */
static void link(struct making *m, size_t at, struct agg_want want)
{
    struct statistics *st = m->st;
    struct group *g = &st->groups[at];
    const struct channel *source = &m->p->o->table->channels[g->source];
    const int64_t wanted = g->s.kind == AGG_KIND_MAX8H ? agg_periods[AGG_8H].ms : HOUR_MS;

    if (!agg_want_is_of_hours(source->quantity, want, source->period_ms))
        return;
    for (size_t i = at; i-- > 0 && st->groups[i].source == g->source;) {
        struct group *from = &st->groups[i];
        if (st->configs[m->config[i]].period_ms != wanted)
            continue;
        g->from = (uint32_t)i;
        g->next = from->first;
        from->first = (uint32_t)at;
        return;
    }
}

static int start(struct making *m)
{
    struct statistics *st = m->st;
    size_t size = 0;

    for (size_t i = 0; i < st->n; i++)
        size += agg_extra_size(st->groups[i].s.kind);
    char *at = st->extras = calloc(1, size + 1);
    if (!at)
        return -ENOMEM;
    for (size_t i = 0; i < st->n; i++) {
        struct group *g = &st->groups[i];
        const struct agg_settings *settings = &m->p->o->channels[g->source].agg;
        const size_t n = agg_extra_size(g->s.kind);
        agg_statistic_init(&g->s, g->s.kind, &st->configs[m->config[i]], night_of(settings),
                           n ? at : NULL);
        at += n;
    }
    return 0;
}

static int make_groups(struct making *m)
{
    struct statistics *st = m->st;
    const size_t n = m->p->o->table->n;

    st->groups = calloc(m->n + 1, sizeof *st->groups);
    st->configs = calloc(m->n + 1, sizeof *st->configs);
    st->of = malloc((n + 1) * sizeof *st->of);
    st->figure = calloc(n + 1, sizeof *st->figure);
    if (!st->groups || !st->configs || !st->of || !st->figure)
        return -ENOMEM;
    for (size_t i = 0; i <= n; i++) /* a stream without channels may begin at n */
        st->of[i] = NO_GROUP;
    for (size_t i = 0; i < m->n;) {
        const size_t same = same_group(m, i);
        add_group(m, &m->entries[i], same);
        link(m, st->n - 1, m->entries[i].want);
        i += same;
    }
    struct agg_config *fewer = realloc(st->configs, (st->configs_n + 1) * sizeof *st->configs);
    if (fewer)
        st->configs = fewer;
    struct group *groups = realloc(st->groups, (st->n + 1) * sizeof *st->groups);
    if (groups)
        st->groups = groups;
    return start(m);
}

/* ---- who takes the samples of a channel ---- */

static uint32_t speed_of(const struct pipeline *p, const struct group *g)
{
    const bool is_wind = g->s.kind == AGG_KIND_WIND || g->s.kind == AGG_KIND_RUNNING_WIND;

    return is_wind ? pipeline_beside(p->o->table, g->source, "wind_speed") : NO_GROUP;
}

static void count_taker(struct pipeline *p, uint32_t channel)
{
    if (channel != NO_GROUP)
        p->followers[channel].statistics_n++;
}

static void add_taker(struct pipeline *p, uint32_t channel, uint32_t group)
{
    if (channel == NO_GROUP)
        return;
    struct followers *f = &p->followers[channel];
    p->statistics->takers[f->statistics_from + f->statistics_n++] = group;
}

/* Counting sort: `takers` holds the groups of every channel side by side. */
static int index_takers(struct pipeline *p)
{
    struct statistics *st = p->statistics;
    uint32_t at = 0;

    for (size_t i = 0; i < st->n; i++) {
        const struct group *g = &st->groups[i];
        if (g->from == NO_GROUP)
            count_taker(p, g->source);
        count_taker(p, speed_of(p, g));
    }
    for (size_t i = 0; i < p->o->table->n; i++) {
        p->followers[i].statistics_from = at;
        at += p->followers[i].statistics_n;
        p->followers[i].statistics_n = 0;
    }
    st->takers = calloc(at + 1, sizeof *st->takers);
    if (!st->takers)
        return -ENOMEM;
    for (uint32_t i = 0; i < st->n; i++) {
        const struct group *g = &st->groups[i];
        if (g->from == NO_GROUP)
            add_taker(p, g->source, i);
        add_taker(p, speed_of(p, g), i);
    }
    return 0;
}

int groups_init(struct pipeline *p)
{
    struct making m = { .p = p, .st = p->statistics };
    int rc = collect(&m);

    if (rc == 0)
        rc = make_groups(&m);
    if (rc == 0)
        rc = index_takers(p);
    free(m.entries);
    free(m.config);
    return rc;
}

/* ---- rows of shorter periods ---- */

struct period_row { /* what a row says of one group */
    struct sample value;
    double lo, hi;
    uint32_t n;
    bool has_n;
};

static void read_figure(struct period_row *r, enum agg_figure figure,
                        const struct series_cell *cell)
{
    const struct decimal d = series_value(cell);

    if (figure == AGG_VALUE) {
        r->value.value = d;
        r->value.verdict = verdict_from_flag(cell->flag);
    } else if (figure == AGG_FIGURE_MIN) {
        r->lo = decimal_to_double(d);
    } else if (figure == AGG_FIGURE_MAX) {
        r->hi = decimal_to_double(d);
    } else if (figure == AGG_FIGURE_N) {
        r->n = decimal_has_value(d) ? (uint32_t)decimal_to_double(d) : 0;
        r->has_n = true;
    }
}

static uint32_t expected_of(const struct group *g)
{
    const struct agg_config *c = g->s.config;

    return c->interval_ms > 0 && c->interval_ms <= c->period_ms
               ? (uint32_t)(c->period_ms / c->interval_ms)
               : 1;
}

/* A row without the number of its samples weighs all or nothing. */
static void feed_group(struct pipeline *p, const struct group *from, struct period_row *r)
{
    const uint32_t expected = expected_of(from);

    if (!r->has_n)
        r->n = agg_is_usable(&r->value, decimal_to_double(r->value.value)) ? expected : 0;
    for (uint32_t at = from->first; at != NO_GROUP; at = p->statistics->groups[at].next) {
        struct group *g = &p->statistics->groups[at];
        struct agg_input in = agg_input_of_period(g->s.config, &r->value, r->n, expected);
        if (!isnan(r->lo))
            in.lo = r->lo;
        if (!isnan(r->hi))
            in.hi = r->hi;
        agg_statistic_put(&g->s, &in);
    }
}

void groups_feed(struct pipeline *p, uint32_t stream, int64_t time_ms,
                 const struct series_cell *cells)
{
    const struct channel_stream *s = &p->o->table->streams[stream];
    const struct statistics *st = p->statistics;

    for (uint32_t i = 0; i < s->n;) {
        const uint32_t group = st->of[s->first + i];
        struct period_row r = { .value = { .time_ms = time_ms, .value = DECIMAL_MISSING },
                                .lo = NAN,
                                .hi = NAN };
        do {
            read_figure(&r, (enum agg_figure)st->figure[s->first + i], &cells[i]);
            i++;
        } while (i < s->n && st->of[s->first + i] == group);
        if (group != NO_GROUP && st->groups[group].first != NO_GROUP)
            feed_group(p, &st->groups[group], &r);
    }
}
