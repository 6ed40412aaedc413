/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/aggregate_table.h"
#include "gateway/cmd/cmd.h"
#include "gateway/conf/config_internal.h"
#include "gateway/conf/value.h"

struct aggregate_options {
    const char *period, *kind, *interval, *zone, *percentiles, *night, *label;
    struct option_texts channels;
    int64_t decimals;
    double dead_us, wrap, share;
    bool is_json, is_wide;
};

#define OPTION(member) .offset = offsetof(struct aggregate_options, member)

static const struct cmd_option options[] = {
    { .name = "period",
      .letter = 'p',
      .type = OPTION_TEXT,
      OPTION(period),
      .value = "P",
      .help = "1min, 10min, 1h, 8h (running, one each hour) or day." },
    { .name = "kind",
      .letter = 'k',
      .type = OPTION_TEXT,
      OPTION(kind),
      .value = "K",
      .help = "mean, vector, energy, counts, sum, total, last, max or min; not given: by the "
              "quantity that a column is named by." },
    { .name = "interval",
      .letter = 'i',
      .type = OPTION_TEXT,
      OPTION(interval),
      .value = "TIME",
      .help = "How often a value is expected, such as 1s; not given: the middle step of the "
              "table." },
    { .name = "zone",
      .type = OPTION_TEXT,
      OPTION(zone),
      .dflt = "+00:00",
      .value = "+HH:MM",
      .help = "Days begin at midnight of this fixed offset." },
    { .name = "percentiles",
      .type = OPTION_TEXT,
      OPTION(percentiles),
      .dflt = "5,10,50,90,95",
      .value = "N,N",
      .help = "Levels exceeded N % of the time; \"\": none." },
    { .name = "night",
      .type = OPTION_TEXT,
      OPTION(night),
      .dflt = "22-6",
      .value = "H-H",
      .help = "Hours of the night, for Ld, Ln and Ldn of days." },
    { .name = "label",
      .type = OPTION_TEXT,
      OPTION(label),
      .dflt = "start",
      .value = "L",
      .help = "Periods are named by their start or end." },
    { .name = "decimals",
      .type = OPTION_INT,
      OPTION(decimals),
      .dflt = "6",
      .value = "N",
      .min = 0,
      .max = 12,
      .help = "Decimals of results, which are to be rounded once, for the publication." },
    { .name = "share",
      .type = OPTION_DOUBLE,
      OPTION(share),
      .dflt = "-1",
      .value = "SHARE",
      .min = -1,
      .max = 1,
      .help = "Share of the expected values that makes a period valid; -1: what the standard "
              "of the quantity asks for, else 0.75." },
    { .name = "dead-time",
      .type = OPTION_DOUBLE,
      OPTION(dead_us),
      .max = 1e6,
      .value = "US",
      .help = "Counts: dead time of the tube in microseconds." },
    { .name = "wrap",
      .type = OPTION_DOUBLE,
      OPTION(wrap),
      .max = 1e18,
      .value = "AT",
      .help = "Totals: the counter goes on at 0 from here; 0: a smaller value is a reset." },
    { .name = "channel",
      .type = OPTION_TEXTS,
      OPTION(channels),
      .value = "NAME",
      .help = "Name of the next column, for a table without a heading; may be repeated." },
    { .name = "json", .type = OPTION_FLAG, OPTION(is_json), .help = "One JSON object a line." },
    { .name = "wide",
      .type = OPTION_FLAG,
      OPTION(is_wide),
      .help = "A table of values and flags as sluice index reads it; ozone of a day is its "
              "largest 8 h mean." },
    { 0 },
};

static int wrong(const char *option, const char *allowed, const char *allowed_zh,
                 const char *found)
{
    if (say_zh())
        fprintf(stderr, "sluice aggregate：--%s 应为%s，实为“%s”。\n", option, allowed_zh,
                found);
    else
        fprintf(stderr, "sluice aggregate: --%s is %s, not '%s'.\n", option, allowed, found);
    return -EINVAL;
}

static int take_period(const struct aggregate_options *o, struct aggregate_job *j)
{
    for (int i = 0; o->period && i < AGG_PERIODS; i++)
        if (strcmp(o->period, agg_periods[i].id) == 0) {
            j->period = (enum agg_period)i;
            return 0;
        }
    return wrong("period", "1min, 10min, 1h, 8h or day", " 1min、10min、1h、8h 或 day",
                 o->period ? o->period : "");
}

static int take_kind(const struct aggregate_options *o, struct aggregate_job *j)
{
    static const char *const kinds[] = {
        [AGG_MEAN] = "mean",     [AGG_VECTOR] = "vector", [AGG_ENERGY] = "energy",
        [AGG_COUNTS] = "counts", [AGG_SUM] = "sum",       [AGG_DIFF] = "total",
        [AGG_LAST] = "last",     [AGG_MAX] = "max",       [AGG_MIN] = "min",
    };

    if (!o->kind)
        return 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(o->kind, kinds[i]) == 0) {
            j->has_how = true;
            j->how = (enum aggregate)i;
            return 0;
        }
    return wrong("kind", "mean, vector, energy, counts, sum, total, last, max or min",
                 " mean、vector、energy、counts、sum、total、last、max 或 min", o->kind);
}

static int take_times(const struct aggregate_options *o, struct aggregate_job *j)
{
    if (o->interval &&
        (value_parse_duration(o->interval, &j->interval_ms) < 0 || j->interval_ms <= 0))
        return wrong("interval", "a time such as 1s or 1min", "时间，例如 1s 或 1min",
                     o->interval);
    if (config_zone_parse(o->zone, &j->zone_ms) < 0)
        return wrong("zone", "an offset such as +08:00", "时差，例如 +08:00", o->zone);
    j->is_end_labelled = strcmp(o->label, "end") == 0;
    if (!j->is_end_labelled && strcmp(o->label, "start") != 0)
        return wrong("label", "start or end", " start 或 end", o->label);
    return 0;
}

static int take_night(const struct aggregate_options *o, struct aggregate_job *j)
{
    if (levels_night_parse(o->night, &j->settings.night))
        return 0;
    return wrong("night", "two hours such as 22-6", "两个整点，例如 22-6", o->night);
}

static int take_percentiles(const struct aggregate_options *o, struct aggregate_job *j)
{
    const char *p = o->percentiles;

    while (*p) {
        char *end;
        const double x = strtod(p, &end);
        if (end == p || !(x > 0 && x < 100) || (*end && *end != ',') ||
            j->percents_n == AGGREGATE_PERCENTILES_MAX)
            return wrong("percentiles", "up to 16 numbers between 0 and 100 such as 10,50,90",
                         "至多 16 个 0 到 100 之间的数，例如 10,50,90", o->percentiles);
        j->percents[j->percents_n++] = x;
        p = *end ? end + 1 : end;
    }
    if (j->period == AGG_8H)
        j->percents_n = 0; /* running periods overlap: nothing of the kind is published */
    return 0;
}

static int make_job(const struct aggregate_options *o, struct aggregate_job *j)
{
    *j = (struct aggregate_job){
        .settings = { .dead_s = o->dead_us * 1e-6, .wrap = o->wrap },
        .decimals = (int)o->decimals,
        .valid_share = o->share < 0 ? NAN : o->share,
        .form = o->is_json   ? AGGREGATE_JSON
                : o->is_wide ? AGGREGATE_WIDE
                             : AGGREGATE_CSV,
        .names = o->channels.text,
        .names_n = o->channels.n,
    };

    int rc = take_period(o, j);
    if (rc == 0)
        rc = take_kind(o, j);
    if (rc == 0)
        rc = take_times(o, j);
    if (rc == 0)
        rc = take_night(o, j);
    return rc == 0 ? take_percentiles(o, j) : rc;
}

static int run(const void *opt, int argc, char **argv)
{
    const char *path = argc > 0 && strcmp(argv[0], "-") != 0 ? argv[0] : NULL;
    struct aggregate_job job;

    if (make_job(opt, &job) < 0)
        return EXIT_USAGE;
    FILE *in = path ? fopen(path, "r") : stdin;
    if (!in) {
        fprintf(stderr, "sluice aggregate: %s: %s\n", path, strerror(errno));
        return EXIT_USAGE;
    }
    const int status = aggregate_table_run(&job, in, stdout);
    if (path)
        fclose(in);
    return status;
}

const struct cmd cmd_aggregate = {
    .name = "aggregate",
    .usage = "--period P [FILE]",
    .summary = "Form means, levels, totals of periods from a table of measurements.",
    .details =
        "Reads a table (time,value,value...; standard input without FILE) in the form of\n"
        "`sluice series`. Its heading names quantities (ozone, roof/laeq), which say how a\n"
        "period is formed: arithmetic, by energy, as directions, counts or totals. Writes one\n"
        "line a period and column: the value, whether enough was there, and its figures.\n"
        "8 h and days are formed of hours, as the standards have it.\n\n"
        "  sluice aggregate --period 1h < minutes.csv\n"
        "  sluice aggregate --period 1h --channel laeq --percentiles 10,90 levels.csv\n"
        "  sluice aggregate --period day --zone +08:00 --wide hours.csv | sluice index ...\n\n"
        "Exit status: 0 done, 1 the output cannot be written, 2 errors in the table.",
    .options = options,
    .options_size = sizeof(struct aggregate_options),
    .args_max = 1,
    .run = run,
};
