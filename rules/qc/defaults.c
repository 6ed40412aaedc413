/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an unconfigured channel is judged by. The gross range is that of the quantity
 * (quantities.def); all other defaults are the tables below. docs/quality-control.md names the
 * source of each.
 */
#include <string.h>

#include "rules/qc/qc.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define NEVER  0, 0
#define NO_EXEMPT \
    { \
        NAN, NAN \
    }

/* No station has measured before it was built. */
#define EARLIEST_MS INT64_C(946684800000) /* 2000-01-01 */
#define AHEAD_MS    (5 * MINUTE)          /* an instrument's own clock may be so much fast */

/*
 * Stuck is a time: so many equal values at the interval of the table; who polls faster waits as
 * long, who polls slower sees as many.
 */
struct stuck_habit {
    unsigned n;
    int64_t interval_ms;
    struct qc_span exempt;
};

static const struct {
    unsigned gap_intervals, gap_hold;
    int64_t gap_hold_ms; /* 0: gap_hold samples */
    int64_t warmup_ms;
    struct stuck_habit habit;
} media[MEDIUM_COUNT_] = {
    [MEDIUM_AIR] = { 3, 2, 0, 10 * MINUTE, { 30, MINUTE, NO_EXEMPT } },
    [MEDIUM_WEATHER] = { 3, 2, 0, 0, { 60, MINUTE, NO_EXEMPT } },
    [MEDIUM_WATER] = { 2, 1, 0, 0, { 12, 15 * MINUTE, NO_EXEMPT } },
    [MEDIUM_SOIL] = { 2, 1, 0, 0, { 96, 15 * MINUTE, NO_EXEMPT } }, /* dry soil rests a day */
    [MEDIUM_NOISE] = { 5, 5, 5 * SECOND, 0, { 10, SECOND, NO_EXEMPT } },
    [MEDIUM_RADIATION] = { 3, 3, 0, 0, { 10, MINUTE, NO_EXEMPT } },
    [MEDIUM_STATION] = { 3, 0, 0, 0, { NEVER, NO_EXEMPT } },
};

/* Where the medium's habit is wrong: what may rest, rests at a value, or is measured in cycles.
 */
static const struct {
    const char *quantity;
    struct stuck_habit habit;
} quantity_habits[] = {
    { "pm1", { 10, MINUTE, NO_EXEMPT } },
    { "pm2_5", { 10, MINUTE, NO_EXEMPT } },
    { "pm10", { 10, MINUTE, NO_EXEMPT } },
    { "tsp", { 10, MINUTE, NO_EXEMPT } },
    /* below the detection limit most of the year */
    { "hydrogen_sulfide", { 30, MINUTE, { 0, 0 } } },
    { "hydrogen_chloride", { 30, MINUTE, { 0, 0 } } },
    { "chlorine", { 30, MINUTE, { 0, 0 } } },
    { "total_reduced_sulfur", { 30, MINUTE, { 0, 0 } } },
    { "formaldehyde", { 30, MINUTE, { 0, 0 } } },
    { "tvoc", { 30, MINUTE, { 0, 0 } } },
    { "benzene", { 30, MINUTE, { 0, 0 } } },
    { "toluene", { 30, MINUTE, { 0, 0 } } },
    { "ethylbenzene", { 30, MINUTE, { 0, 0 } } },
    { "xylenes", { 30, MINUTE, { 0, 0 } } },
    { "styrene", { 30, MINUTE, { 0, 0 } } },
    /* calm, no rain, night, fog: legitimate rest */
    { "wind_speed", { 60, MINUTE, { 0, 0.5 } } },
    { "wind_gust", { 60, MINUTE, { 0, 0.5 } } },
    { "rh", { 60, MINUTE, { 99.5, 105 } } },
    { "precip_intensity", { 60, MINUTE, { 0, 0 } } },
    { "irradiance", { 60, MINUTE, { -20, 10 } } },
    { "uv_index", { 60, MINUTE, { 0, 0 } } },
    { "illuminance", { 60, MINUTE, { 0, 1 } } },
    /* a vane rests in a calm that only the wind speed knows of */
    { "wind_dir", { NEVER, NO_EXEMPT } },
    { "wind_gust_dir", { NEVER, NO_EXEMPT } },
    /* codes, counters and what saturates or rests for days */
    { "precip", { NEVER, NO_EXEMPT } },
    { "precip_type", { NEVER, NO_EXEMPT } },
    { "snow_depth", { NEVER, NO_EXEMPT } },
    { "sunshine", { NEVER, NO_EXEMPT } },
    { "visibility", { NEVER, NO_EXEMPT } },
    { "dustfall", { NEVER, NO_EXEMPT } },
    { "aqi_cn", { NEVER, NO_EXEMPT } },
    { "aqi_us", { NEVER, NO_EXEMPT } },
    { "eaqi", { NEVER, NO_EXEMPT } },
    { "water_class", { NEVER, NO_EXEMPT } },
    { "colour", { NEVER, NO_EXEMPT } },
    { "bod5", { NEVER, NO_EXEMPT } },
    { "faecal_coliforms", { NEVER, NO_EXEMPT } },
    { "turbidity", { 24, 15 * MINUTE, NO_EXEMPT } },
    { "turbidity_fnu", { 24, 15 * MINUTE, NO_EXEMPT } },
    { "water_flow", { 12, 15 * MINUTE, { 0, 0 } } },
    { "water_velocity", { 12, 15 * MINUTE, { 0, 0 } } },
    /* wet-chemical analysers give one result in up to four hours */
    { "cod", { 6, 4 * HOUR, NO_EXEMPT } },
    { "codmn", { 6, 4 * HOUR, NO_EXEMPT } },
    { "toc", { 6, 4 * HOUR, NO_EXEMPT } },
    { "ammonia_nitrogen", { 6, 4 * HOUR, NO_EXEMPT } },
    { "nitrate_nitrogen", { 6, 4 * HOUR, NO_EXEMPT } },
    { "nitrite_nitrogen", { 6, 4 * HOUR, NO_EXEMPT } },
    { "total_nitrogen", { 6, 4 * HOUR, NO_EXEMPT } },
    { "total_phosphorus", { 6, 4 * HOUR, NO_EXEMPT } },
    { "phosphate_p", { 6, 4 * HOUR, NO_EXEMPT } },
    { "fluoride", { 6, 4 * HOUR, { 0, 0 } } },
    { "sulfide", { 6, 4 * HOUR, { 0, 0 } } },
    { "cyanide", { 6, 4 * HOUR, { 0, 0 } } },
    { "phenols", { 6, 4 * HOUR, { 0, 0 } } },
    { "oil_in_water", { 6, 4 * HOUR, { 0, 0 } } },
    { "surfactants_anionic", { 6, 4 * HOUR, { 0, 0 } } },
    { "copper", { 6, 4 * HOUR, { 0, 0 } } },
    { "zinc", { 6, 4 * HOUR, { 0, 0 } } },
    { "lead", { 6, 4 * HOUR, { 0, 0 } } },
    { "cadmium", { 6, 4 * HOUR, { 0, 0 } } },
    { "arsenic", { 6, 4 * HOUR, { 0, 0 } } },
    { "mercury", { 6, 4 * HOUR, { 0, 0 } } },
    { "chromium_vi", { 6, 4 * HOUR, { 0, 0 } } },
    { "iron", { 6, 4 * HOUR, { 0, 0 } } },
    { "manganese", { 6, 4 * HOUR, { 0, 0 } } },
    { "nickel", { 6, 4 * HOUR, { 0, 0 } } },
    /* figures of a period stand until the next one */
    { "laeq", { 10, MINUTE, NO_EXEMPT } },
    { "lceq", { 10, MINUTE, NO_EXEMPT } },
    { "lzeq", { 10, MINUTE, NO_EXEMPT } },
    { "la_max", { NEVER, NO_EXEMPT } },
    { "la_min", { NEVER, NO_EXEMPT } },
    { "l5", { NEVER, NO_EXEMPT } },
    { "l10", { NEVER, NO_EXEMPT } },
    { "l50", { NEVER, NO_EXEMPT } },
    { "l90", { NEVER, NO_EXEMPT } },
    { "l95", { NEVER, NO_EXEMPT } },
    { "l_day", { NEVER, NO_EXEMPT } },
    { "l_night", { NEVER, NO_EXEMPT } },
    { "l_dn", { NEVER, NO_EXEMPT } },
    { "sel", { NEVER, NO_EXEMPT } },
    { "radon", { 10, HOUR, NO_EXEMPT } },
    { "gross_alpha", { NEVER, NO_EXEMPT } },
    { "gross_beta", { NEVER, NO_EXEMPT } },
    { "aerosol_alpha", { NEVER, NO_EXEMPT } },
    { "aerosol_beta", { NEVER, NO_EXEMPT } },
};

/*
 * The largest step that is usual within `tick_ms`; a larger one is suspect as a rate, and as a
 * spike when the value returns at once. Who polls faster than the tick may make the step at
 * once, who polls slower may make it in every tick.
 */
static const struct {
    const char *quantity;
    double step, share; /* share: of the value; the step must be larger than both */
    int64_t tick_ms;
} quantity_steps[] = {
    { "air_temp", 3, 0, MINUTE },
    { "press", 0.5, 0, MINUTE },
    { "press_sea", 0.5, 0, MINUTE },
    { "ph", 0.5, 0, 15 * MINUTE },
    { "dissolved_oxygen", 2, 0, 15 * MINUTE },
    { "conductivity", 10, 0.1, 15 * MINUTE },
};

/* Of gases and particles: steps beside what the last hour was like. */
#define AIR_N_DEV  10   /* standard deviations */
#define AIR_DEV_MS HOUR /* of the samples before */
#define AIR_LEAST  0.05 /* share of the gross range: noise of quiet air is no event */

/* Quantities of air that are measured continuously; codes, indices and dustfall are not. */
static bool is_ambient(const struct quantity *q)
{
    return q->medium == MEDIUM_AIR && q->agg == AGG_MEAN;
}

static const struct stuck_habit *habit_of(const struct quantity *q)
{
    for (size_t i = 0; i < sizeof quantity_habits / sizeof *quantity_habits; i++)
        if (strcmp(quantity_habits[i].quantity, q->id) == 0)
            return &quantity_habits[i].habit;
    return &media[q->medium].habit;
}

static unsigned stuck_count(const struct stuck_habit *h, int64_t interval_ms)
{
    if (interval_ms <= 0 || interval_ms >= h->interval_ms)
        return h->n;
    return (unsigned)((h->n * h->interval_ms + interval_ms - 1) / interval_ms);
}

static struct qc_hold hold_of(enum medium m, int64_t interval_ms)
{
    struct qc_hold h = { media[m].gap_intervals, media[m].gap_hold, media[m].warmup_ms };

    if (media[m].gap_hold_ms && interval_ms > 0)
        h.gap_samples = (unsigned)((media[m].gap_hold_ms + interval_ms - 1) / interval_ms);
    return h;
}

static void set_steps(const struct quantity *q, struct qc_config *c)
{
    for (size_t i = 0; i < sizeof quantity_steps / sizeof *quantity_steps; i++) {
        if (strcmp(quantity_steps[i].quantity, q->id) != 0)
            continue;
        c->rate.tick_ms = quantity_steps[i].tick_ms;
        c->rate.suspect = quantity_steps[i].step / ((double)quantity_steps[i].tick_ms / 1000);
        c->rate.share = quantity_steps[i].share;
        if (quantity_steps[i].share == 0)
            c->spike.suspect = quantity_steps[i].step;
    }
    if (!is_ambient(q))
        return;
    c->rate.n_dev = AIR_N_DEV;
    c->rate.dev_ms = AIR_DEV_MS;
    c->rate.dev_least = c->spike.suspect = AIR_LEAST * (q->range_max - q->range_min);
}

struct qc_config qc_default(const struct quantity *q, int64_t interval_ms)
{
    const struct stuck_habit *h = habit_of(q);
    struct qc_config c = {
        .interval_ms = interval_ms,
        .time = { .from_ms = EARLIEST_MS, .ahead_ms = AHEAD_MS },
        .range = { .fail = { q->range_min, q->range_max }, .suspect = QC_OPEN_SPAN },
        .hold = hold_of(q->medium, interval_ms),
        .stuck = { stuck_count(h, interval_ms), h->exempt },
        .spike = { .suspect = NAN, .fail = NAN },
        .rate = { .suspect = NAN, .fail = NAN, .tick_ms = 1 },
        .flat = { QC_FLAT_OFF, QC_FLAT_OFF, 0 },
        .depth = NAN,
    };

    /* A counter grows past what a period of it can mean. */
    if (q->agg == AGG_DIFF)
        c.range.fail.max = NAN;
    set_steps(q, &c);
    return c;
}

/*
 * Consistency inside one device. The allowance is for the noise of both: a limit in the unit,
 * and a share of the larger value.
 */
static const struct {
    const char *x, *a, *b; /* b: of a sum */
    struct qc_relation relation;
} quantity_relations[] = {
    { "pm2_5", "pm10", NULL, { .kind = QC_AT_MOST, .limit = 5, .share = 0.1 } },
    { "pm1", "pm2_5", NULL, { .kind = QC_AT_MOST, .limit = 5, .share = 0.1 } },
    { "pm10", "tsp", NULL, { .kind = QC_AT_MOST, .limit = 5, .share = 0.1 } },
    { "dew_point", "air_temp", NULL, { .kind = QC_AT_MOST, .limit = 0.5 } },
    { "wet_bulb", "air_temp", NULL, { .kind = QC_AT_MOST, .limit = 0.5 } },
    { "wind_gust", "wind_speed", NULL, { .kind = QC_AT_LEAST, .limit = 0.5 } },
    { "l90", "l10", NULL, { .kind = QC_AT_MOST, .limit = 0.1 } },
    { "l50", "l10", NULL, { .kind = QC_AT_MOST, .limit = 0.1 } },
    { "l90", "l50", NULL, { .kind = QC_AT_MOST, .limit = 0.1 } },
    { "la_max", "la_min", NULL, { .kind = QC_AT_LEAST, .limit = 0.1 } },
    /* NOx counts all of it as NO2: 46.0055 / 30.0061 */
    { "nitrogen_oxides",
      "nitric_oxide",
      "nitrogen_dioxide",
      { .kind = QC_SUM_OF, .factor = 1.5332, .limit = 10, .share = 0.1 } },
};

unsigned qc_default_relations(const struct quantity *q,
                              int (*find)(void *user, const char *quantity), void *user,
                              struct qc_relation *ret)
{
    unsigned n = 0;

    for (size_t i = 0; i < sizeof quantity_relations / sizeof *quantity_relations; i++) {
        if (strcmp(quantity_relations[i].x, q->id) != 0 || n == QC_RELATIONS_MAX)
            continue;
        const int a = find(user, quantity_relations[i].a);
        const int b = quantity_relations[i].b ? find(user, quantity_relations[i].b) : a;
        if (a < 0 || b < 0)
            continue;
        ret[n] = quantity_relations[i].relation;
        ret[n].a = (unsigned)a;
        ret[n].b = (unsigned)b;
        n++;
    }
    return n;
}
