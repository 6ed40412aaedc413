/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/options.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define AT(type, member) .offset = offsetof(struct type, member)

#define DAY              (24.0 * 3600 * 1000)

static const char *const methods[] = { "differential", "average", NULL };
static const char *const statistics[] = { "deviation", "range", NULL };
static const char *const relations[] = { "at_most", "at_least", "sum_of", "moves_with", NULL };
static const char *const references[] = { "twin", "neighbours", "while_above", NULL };
static const char *const calendars[] = { "instant", "year",        "quarter", "month",
                                         "week",    "day_of_year", "day",     "day_of_week",
                                         "hour",    "minute",      "second",  NULL };

const char *const qc_consistency_words[] = { "default", "usual", "off", NULL };

/* Bound in place by the tables below. */
static_assert(sizeof(enum qc_calendar) == sizeof(int), "an enum is bound as an int");
static_assert(sizeof(struct qc_span) == sizeof(struct field_range),
              "a span is bound as a range");

const struct field qc_spike_fields[] = {
    { .name = "method",
      .type = FIELD_ENUM,
      AT(qc_spike_conf, method),
      .dflt = "differential",
      .help = "The smaller of two opposite steps, or the distance from both neighbours' mean.",
      .words = methods },
    { .name = "suspect",
      .type = FIELD_DOUBLE,
      AT(qc_spike_conf, suspect),
      .min = 0,
      .max = 1e12,
      .help = "A higher spike is suspect; 0: never." },
    { .name = "fail",
      .type = FIELD_DOUBLE,
      AT(qc_spike_conf, fail),
      .min = 0,
      .max = 1e12,
      .help = "A higher spike fails the test; it stays suspect, as an event begins like one." },
    { 0 },
};

const struct field qc_rate_fields[] = {
    { .name = "per",
      .type = FIELD_DURATION,
      AT(qc_rate_conf, per_ms),
      .dflt = "1min",
      .min = 1,
      .max = DAY,
      .help = "The time in which a change is allowed; shorter intervals may use all of it." },
    { .name = "suspect",
      .type = FIELD_DOUBLE,
      AT(qc_rate_conf, suspect),
      .min = 0,
      .max = 1e12,
      .help = "A larger change within `per` is suspect; 0: never." },
    { .name = "fail",
      .type = FIELD_DOUBLE,
      AT(qc_rate_conf, fail),
      .min = 0,
      .max = 1e12,
      .help =
          "A larger change fails the test; it stays suspect, as an event begins like one." },
    { .name = "deviations",
      .type = FIELD_DOUBLE,
      AT(qc_rate_conf, deviations),
      .min = 0,
      .max = 1000,
      .help =
          "Suspect, too, from so many standard deviations of the values before; 0: never." },
    { .name = "over",
      .type = FIELD_DURATION,
      AT(qc_rate_conf, over_ms),
      .dflt = "1h",
      .min = 1000,
      .max = 30 * DAY,
      .help = "The time over which deviations are formed." },
    { 0 },
};

const struct field qc_flat_fields[] = {
    { .name = "tolerance",
      .type = FIELD_DOUBLE,
      AT(qc_flat_conf, tolerance),
      .min = 0,
      .max = 1e12,
      .help = "Values that move by less are flat; it should be above the resolution." },
    { .name = "suspect",
      .type = FIELD_DURATION,
      AT(qc_flat_conf, suspect_ms),
      .dflt = "0s",
      .min = 0,
      .max = 30 * DAY,
      .help = "Flat for so long is suspect; 0: never." },
    { .name = "fail",
      .type = FIELD_DURATION,
      AT(qc_flat_conf, fail_ms),
      .dflt = "0s",
      .min = 0,
      .max = 30 * DAY,
      .help = "Flat for so long is bad; 0: never." },
    { 0 },
};

const struct field qc_attenuated_fields[] = {
    { .name = "over",
      .type = FIELD_DURATION,
      AT(qc_attenuated_conf, over_ms),
      .dflt = "-1ms",
      .min = 1000,
      .max = 30 * DAY,
      .help = "The time over which the statistic is formed." },
    { .name = "statistic",
      .type = FIELD_ENUM,
      AT(qc_attenuated_conf, statistic),
      .dflt = "deviation",
      .help = "The standard deviation, or largest minus smallest value.",
      .words = statistics },
    { .name = "suspect",
      .type = FIELD_DOUBLE,
      AT(qc_attenuated_conf, suspect),
      .min = 0,
      .max = 1e12,
      .help = "A smaller statistic is suspect." },
    { .name = "fail",
      .type = FIELD_DOUBLE,
      AT(qc_attenuated_conf, fail),
      .min = 0,
      .max = 1e12,
      .help = "A smaller statistic is bad." },
    { .name = "least",
      .type = FIELD_INT,
      AT(qc_attenuated_conf, least),
      .dflt = "3",
      .min = 1,
      .max = 10000,
      .help = "With fewer values in that time nothing is said." },
    { 0 },
};

const struct field qc_hold_fields[] = {
    { .name = "gap",
      .type = FIELD_INT,
      AT(qc_hold_conf, gap),
      .dflt = "-1",
      .min = 0,
      .max = 100,
      .help = "A longer pause, in poll intervals, is a gap: nothing is compared across it; 0: "
              "never." },
    { .name = "samples",
      .type = FIELD_INT,
      AT(qc_hold_conf, samples),
      .dflt = "-1",
      .min = 0,
      .max = 1000,
      .help = "So many samples behind a gap are not evaluated." },
    { 0 },
};

const struct field qc_relation_fields[] = {
    { .name = "kind",
      .type = FIELD_ENUM,
      AT(qc_relation_conf, kind),
      .flags = FIELD_REQUIRED,
      .help = "Never above, never below, the sum of, or moving only together with another.",
      .words = relations },
    { .name = "of",
      .type = FIELD_TEXT,
      AT(qc_relation_conf, of),
      .flags = FIELD_REQUIRED,
      .help = "The other channel: DEVICE/POINT, or POINT of the same device." },
    { .name = "plus",
      .type = FIELD_TEXT,
      AT(qc_relation_conf, plus),
      .help = "sum_of: the second one, counted once." },
    { .name = "factor",
      .type = FIELD_DOUBLE,
      AT(qc_relation_conf, factor),
      .dflt = "1",
      .min = -1e6,
      .max = 1e6,
      .help = "sum_of: times the first one." },
    { .name = "limit",
      .type = FIELD_DOUBLE,
      AT(qc_relation_conf, limit),
      .dflt = "0",
      .min = 0,
      .max = 1e12,
      .help = "By so much it may be missed; moves_with: a larger step is one." },
    { .name = "share",
      .type = FIELD_DOUBLE,
      AT(qc_relation_conf, share),
      .dflt = "0",
      .min = 0,
      .max = 10,
      .help = "And by this share of the larger side; 0.1 is 10 %." },
    { .name = "rest",
      .type = FIELD_DOUBLE,
      AT(qc_relation_conf, rest),
      .dflt = "0",
      .min = 0,
      .max = 1e12,
      .help = "moves_with: a larger step of the other one goes with it." },
    { 0 },
};

const struct field qc_reference_fields[] = {
    { .name = "kind",
      .type = FIELD_ENUM,
      AT(qc_reference_conf, kind),
      .flags = FIELD_REQUIRED,
      .help =
          "Far from the mean of twins, from the median of neighbours, or while any is above "
          "the limit (rain, wind).",
      .words = references },
    { .name = "of",
      .type = FIELD_TEXTS,
      AT(qc_reference_conf, of),
      .flags = FIELD_REQUIRED,
      .help = "The other channels, at most 8: DEVICE/POINT, or POINT of the same device; the "
              "channel itself is left out." },
    { .name = "least",
      .type = FIELD_INT,
      AT(qc_reference_conf, least),
      .dflt = "1",
      .min = 1,
      .max = QC_REFERENCE_PEERS_MAX,
      .help = "With fewer of them at work nothing is said." },
    { .name = "limit",
      .type = FIELD_DOUBLE,
      AT(qc_reference_conf, limit),
      .dflt = "0",
      .min = -1e12,
      .max = 1e12,
      .help = "A larger distance is suspect; while_above: in the unit of the others." },
    { .name = "share",
      .type = FIELD_DOUBLE,
      AT(qc_reference_conf, share),
      .dflt = "0",
      .min = 0,
      .max = 10,
      .help = "And by this share of the larger side; 0.1 is 10 %." },
    { 0 },
};

const struct field qc_season_fields[] = {
    { .name = "calendar",
      .type = FIELD_ENUM,
      AT(qc_season, calendar),
      .dflt = "month",
      .help = "What the span is counted in, by UTC.",
      .words = calendars },
    { .name = "from",
      .type = FIELD_DOUBLE,
      AT(qc_season, time.min),
      .flags = FIELD_REQUIRED,
      .help = "The first of the season, inside it." },
    { .name = "to",
      .type = FIELD_DOUBLE,
      AT(qc_season, time.max),
      .flags = FIELD_REQUIRED,
      .help = "The last, inside it; over the turn of the year it takes two seasons." },
    { .name = "usual",
      .type = FIELD_RANGE,
      AT(qc_season, usual),
      .flags = FIELD_REQUIRED,
      .help = "Values outside are suspect." },
    { .name = "range",
      .type = FIELD_RANGE,
      AT(qc_season, fail),
      .help = "Values outside are bad. Not given: none is." },
    { .name = "depth",
      .type = FIELD_RANGE,
      AT(qc_season, depth),
      .help = "Of the sensor, metres down. Not given: any." },
    { 0 },
};

bool qc_number_is_ok(const char *text, char *why, size_t size)
{
    char *end;
    const double x = strtod(text, &end);

    if (end != text && *end == '\0' && isfinite(x))
        return true;
    snprintf(why, size, "expected a number that stands for no value, such as -999, got '%.40s'",
             text);
    return false;
}

static void configure_rate(const struct qc_rate_conf *o, struct qc_rate *c)
{
    const double seconds = (double)o->per_ms / 1000;

    if (!isnan(o->suspect) || !isnan(o->fail)) {
        c->tick_ms = o->per_ms;
        c->share = 0;
        c->suspect = o->suspect > 0 ? o->suspect / seconds : NAN;
        c->fail = o->fail > 0 ? o->fail / seconds : NAN;
        c->n_dev = 0; /* whoever knows the limit needs no guess from the last hour */
    }
    if (isnan(o->deviations))
        return;
    c->n_dev = o->deviations;
    c->dev_ms = o->over_ms;
    c->dev_least = 0;
}

static unsigned intervals_in(int64_t ms, const struct qc_config *c)
{
    return ms > 0 && c->interval_ms > 0
               ? qc_flat_count((double)ms / 1000, (double)c->interval_ms / 1000)
               : QC_FLAT_OFF;
}

/* More than there is room for is refused by the configuration's checks. */
static void configure_missing(const struct field_array *texts, struct qc_sentinels *c)
{
    const char *const *text = texts->items;

    c->n = 0;
    for (size_t i = 0; i < texts->n && i < QC_SENTINELS_MAX; i++)
        if (text[i])
            c->value[c->n++] = strtod(text[i], NULL);
}

void qc_configure(const struct qc_options *o, struct qc_config *c)
{
    if (!isnan(o->spike.suspect) || !isnan(o->spike.fail))
        c->spike = (struct qc_spike){ (enum qc_spike_method)o->spike.method, o->spike.suspect,
                                      o->spike.fail };
    configure_rate(&o->rate, &c->rate);
    if (o->flat.tolerance > 0)
        c->flat = (struct qc_flat){ intervals_in(o->flat.suspect_ms, c),
                                    intervals_in(o->flat.fail_ms, c), o->flat.tolerance };
    if (o->attenuated.over_ms > 0)
        c->attenuated = (struct qc_attenuated){
            .kind = (enum qc_attenuated_kind)o->attenuated.statistic,
            .suspect = o->attenuated.suspect,
            .fail = o->attenuated.fail,
            .period_ms = o->attenuated.over_ms,
            .min_n = (unsigned)o->attenuated.least,
        };
    if (o->missing.n)
        configure_missing(&o->missing, &c->sentinels);
    if (o->hold.gap >= 0)
        c->hold.gap_intervals = (unsigned)o->hold.gap;
    if (o->hold.samples >= 0)
        c->hold.gap_samples = (unsigned)o->hold.samples;
    if (o->seasons.n) {
        c->seasons = o->seasons.items;
        c->seasons_n = (unsigned)o->seasons.n;
    }
    if (!isnan(o->depth))
        c->depth = o->depth;
    if (o->settle_ms >= 0)
        c->service.settle_ms = o->settle_ms;
    if (o->warmup_ms >= 0)
        c->hold.warmup_ms = o->warmup_ms;
}

struct qc_relation qc_relation_of(const struct qc_relation_conf *o)
{
    return (struct qc_relation){ .kind = (enum qc_relation_kind)o->kind,
                                 .factor = o->factor,
                                 .limit = o->limit,
                                 .share = o->share,
                                 .rest = o->rest };
}

struct qc_reference qc_reference_of(const struct qc_reference_conf *o)
{
    return (struct qc_reference){ .kind = (enum qc_reference_kind)o->kind,
                                  .least = (unsigned)o->least,
                                  .limit = o->limit,
                                  .share = o->share };
}
