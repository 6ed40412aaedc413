/* SPDX-License-Identifier: Apache-2.0 */
/* index - tables of means to indices, classes and limits of a standard. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/index_table.h"
#include "gateway/conf/config_internal.h"

enum { OUT_MAX = 1 << 20, NAME_LENGTH = 32 };

#define OPTION(member) .offset = offsetof(struct index_options, member)

static const struct cmd_option options[] = {
    { .name = "standard",
      .letter = 's',
      .type = OPTION_TEXT,
      OPTION(standard),
      .value = "S",
      .help = "What judges; --list names them." },
    { .name = "list", .type = OPTION_FLAG, OPTION(is_list), .help = "List the standards." },
    { .name = "report",
      .type = OPTION_TEXT,
      OPTION(report),
      .dflt = "hour",
      .value = "hour|day",
      .help = "Whether a row is an hour or a day." },
    { .name = "format",
      .letter = 'f',
      .type = OPTION_TEXT,
      OPTION(format),
      .dflt = "text",
      .value = "text|json|csv",
      .help = "A line for people, a JSON object a row, or (indices of air) a table." },
    { .name = "columns",
      .type = OPTION_TEXT,
      OPTION(columns),
      .value = "LIST",
      .help = "Names of a table without a heading, such as pm2_5,o3_8h,- (without the time)." },
    { .name = "zone",
      .type = OPTION_TEXT,
      OPTION(zone),
      .dflt = "+08:00",
      .value = "OFFSET",
      .help = "Local time, for limits by date and for day and night." },
    { .name = "not-in-plan",
      .type = OPTION_TEXT,
      OPTION(unplanned),
      .value = "LIST",
      .help = "hj633-2026: pollutants outside the monitoring plan, such as co,so2." },
    { .name = "not-in-plan-clean",
      .type = OPTION_TEXT,
      OPTION(clean),
      .value = "LIST",
      .help = "The same, in three years never primary at light pollution or worse." },
    { .name = "negative-as-zero",
      .type = OPTION_FLAG,
      OPTION(is_negative_zero),
      .help =
          "Indices of air: a valid value below zero is noise around zero and counts as it." },
    { .name = "grade",
      .type = OPTION_INT,
      OPTION(grade),
      .dflt = "2",
      .min = 1,
      .max = 2,
      .value = "1|2",
      .help = "gb3095-2026: area, 1 parks and reserves, 2 everywhere else." },
    { .name = "as-of",
      .type = OPTION_TEXT,
      OPTION(as_of),
      .value = "DATE",
      .help = "gb3095-2026: limits of that day, 2031-01-01 for the final ones." },
    { .name = "annual",
      .type = OPTION_FLAG,
      OPTION(is_annual),
      .help = "gb3095-2026: rows are days; one statement a calendar year." },
    { .name = "lake",
      .type = OPTION_FLAG,
      OPTION(is_lake),
      .help = "gb3838-2002: lakes and reservoirs instead of rivers." },
    { .name = "class",
      .type = OPTION_TEXT,
      OPTION(zoning),
      .dflt = "2",
      .value = "0..3|4a|4b",
      .help = "gb3096-2008: acoustic zone." },
    { .name = "night",
      .type = OPTION_TEXT,
      OPTION(night),
      .dflt = "22:00-06:00",
      .value = "HOURS",
      .help = "gb3096-2008: the night." },
    { .name = "background",
      .type = OPTION_DOUBLE,
      OPTION(background),
      .dflt = "0",
      .max = 1e9,
      .value = "RATE",
      .help = "dose: known background, with --deviation; else learned from the hours so far." },
    { .name = "deviation",
      .type = OPTION_DOUBLE,
      OPTION(deviation),
      .dflt = "0",
      .max = 1e9,
      .value = "RATE",
      .help = "dose: standard deviation of the background's hourly means." },
    { .name = "quiet",
      .letter = 'q',
      .type = OPTION_FLAG,
      OPTION(is_quiet),
      .help = "Do not tell which columns are left out." },
    { 0 },
};

/* `words` are spellings without blanks and marks, closed by a blank. */
static const struct {
    const char *id, *words, *en, *zh;
    const struct index_kind *kind;
} standards[] = {
    { "hj633-2026", "hj6332026 cnhj6332026 hj633 ", "air quality index, HJ 633-2026",
      "空气质量指数，HJ 633-2026", &index_kind_air },
    { "hj633-2012", "hj6332012 cnhj6332012 ", "air quality index, HJ 633-2012, for old series",
      "空气质量指数，HJ 633-2012（历史数据）", &index_kind_air },
    { "us-epa-2024", "usepa2024 usepa epa ", "US air quality index of May 2024, PM NowCast",
      "美国空气质量指数（2024年5月），颗粒物NowCast", &index_kind_air },
    { "eaqi-2024", "eaqi2024 eueaqi2024 eaqi ", "European air quality index, bands of 2024",
      "欧洲空气质量指数，2024年分级", &index_kind_air },
    { "gb3095-2026", "gb30952026 gb3095 ", "ambient air limits, GB 3095-2026",
      "环境空气质量标准，GB 3095-2026", &index_kind_limits },
    { "gb3838-2002", "gb38382002 gb3838 ", "surface water class, GB 3838-2002",
      "地表水环境质量标准，GB 3838-2002", &index_kind_water },
    { "gb3096-2008", "gb30962008 gb3096 ", "noise by zone, day and night, GB 3096-2008",
      "声环境质量标准，GB 3096-2008", &index_kind_noise },
    { "dose", "dose doserate ", "gamma dose rate against the station's background",
      "γ剂量率与本站本底比较", &index_kind_dose },
};

enum { STANDARDS = sizeof standards / sizeof *standards };

static void print_standards(FILE *out)
{
    for (int i = 0; i < STANDARDS; i++)
        fprintf(out, "  %-12s  %s\n", standards[i].id, say(standards[i].en, standards[i].zh));
}

/* "HJ 633-2026", "CN_HJ633_2026", "hj633": -1 when it is none. */
static int standard_named(const char *name)
{
    char plain[NAME_LENGTH] = "";
    size_t n = 0;

    for (; *name && n < sizeof plain - 2; name++) {
        const char c = (char)(*name >= 'A' && *name <= 'Z' ? *name + 32 : *name);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            plain[n++] = c;
    }
    if (n == 0 || *name)
        return -1;
    plain[n] = ' ';
    for (int i = 0; i < STANDARDS; i++)
        for (const char *w = standards[i].words; *w; w += strcspn(w, " ") + 1)
            if (strncmp(w, plain, n + 1) == 0)
                return i;
    return -1;
}

/* ---- what the kinds share ---- */

int index_complain(const struct index_job *j, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "sluice index: %s:%" PRIu64 ": ", j->file, j->line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs(".\n", stderr);
    return -EINVAL;
}

void index_put_decimal(struct buf *b, struct decimal d)
{
    char text[DECIMAL_TEXT_MAX];

    buf_put(b, text, decimal_print(d, text));
}

void index_row_begin(struct index_job *j, const struct index_row *r, const char *standard)
{
    struct buf *b = &j->out;

    if (j->format == FORMAT_JSON)
        buf_printf(b, "{\"time\":\"%.*s\",\"standard\":\"%s\"", r->time_n, r->time, standard);
    else if (j->format == FORMAT_CSV)
        buf_printf(b, "%.*s", r->time_n, r->time);
    else
        buf_printf(b, "%.*s  ", r->time_n, r->time);
}

bool index_is_usable(const struct sample *s)
{
    return index_accepts(s->verdict) && decimal_has_value(s->value);
}

struct gb3095_date index_date_of(int64_t local_ms)
{
    char text[TIME_TEXT_MAX];
    struct gb3095_date d = { 0 };

    time_print_utc(local_ms, text);
    sscanf(text, "%4d-%2d-%2d", &d.year, &d.month, &d.day);
    return d;
}

int index_ratio(const struct index_job *j, unsigned column, const char *unit, int molar_ml,
                struct exact_ratio *ret)
{
    const struct index_heading *h = &j->columns[column];
    const struct unit *to = unit_find_ucum(unit);
    const struct unit *from = h->unit       ? h->unit
                              : h->quantity ? unit_find_ucum(h->quantity->unit)
                                            : to;
    static const struct quantity none = { .id = "" };

    if (from && to &&
        exact_ratio_between(from, to, h->quantity ? h->quantity : &none, molar_ml, ret) == 0)
        return 0;
    return index_complain(j, "%s: %s cannot be converted to %s", h->name,
                          from ? from->code : "its unit", unit);
}

/* ---- the command ---- */

static int wrong(const char *option, const char *allowed, const char *found)
{
    fprintf(stderr, "sluice index: --%s is %s, not '%s'.\n", option, allowed, found);
    return -EINVAL;
}

static int set_up(struct index_job *j, struct index_options *o)
{
    const int i = o->standard ? standard_named(o->standard) : -1;

    if (i < 0) {
        if (o->standard)
            fprintf(stderr, "sluice index: there is no standard '%s'. ", o->standard);
        else
            fputs("sluice index: --standard says what judges. ", stderr);
        fputs("There are:\n", stderr);
        print_standards(stderr);
        return -EINVAL;
    }
    o->standard = standards[i].id;
    j->kind = standards[i].kind;
    if (strcmp(o->report, "hour") != 0 && strcmp(o->report, "day") != 0)
        return wrong("report", "hour or day", o->report);
    if (config_zone_parse(o->zone, &j->zone_ms) < 0)
        return wrong("zone", "an offset such as +08:00", o->zone);
    j->format = strcmp(o->format, "json") == 0  ? FORMAT_JSON
                : strcmp(o->format, "csv") == 0 ? FORMAT_CSV
                                                : FORMAT_TEXT;
    if (j->format == FORMAT_TEXT && strcmp(o->format, "text") != 0)
        return wrong("format", "text, json or csv", o->format);
    if (j->format == FORMAT_CSV && !j->kind->head)
        return wrong("format", "text or json for this standard", o->format);
    return j->kind->begin(j);
}

static int judge(struct index_job *j, struct index_options *o, FILE *in)
{
    const int rc = set_up(j, o);

    return rc < 0 ? EXIT_USAGE : index_table_run(j, in);
}

static int run(const void *opt, int argc, char **argv)
{
    struct index_options o = *(const struct index_options *)opt;
    const bool is_stdin = argc < 1 || strcmp(argv[0], "-") == 0;

    if (o.is_list) {
        print_standards(stdout);
        return EXIT_DONE;
    }
    FILE *in = is_stdin ? stdin : fopen(argv[0], "rb");
    if (!in) {
        fprintf(stderr, "sluice index: %s cannot be read: %s.\n", argv[0], strerror(errno));
        return EXIT_USAGE;
    }
    struct index_job *j = calloc(1, sizeof *j);
    int status = EXIT_FOUND;
    if (j) {
        j->o = &o;
        j->file = is_stdin ? "standard input" : argv[0];
        j->is_zh = say_zh();
        j->out = BUF_INIT(OUT_MAX);
        status = judge(j, &o, in);
        buf_done(&j->out);
    } else {
        fputs("sluice index: no memory.\n", stderr);
    }
    free(j);
    if (!is_stdin)
        fclose(in);
    return status;
}

const struct cmd cmd_index = {
    .name = "index",
    .usage = "--standard S [FILE]",
    .summary = "Judge a table of means by a standard: index, class, limit.",
    .details =
        "Reads tables as `sluice series` and `sluice export` write them, with a heading that\n"
        "names quantity, mean and unit: time,pm2_5,o3_8h,no2 (ppb). Without a mean it is the\n"
        "one the report asks for, without a unit the quantity's own (ug/m3, CO mg/m3).\n"
        "A column the standard does not judge is left out and told.\n\n"
        "  sluice index --standard hj633-2026 < hours.csv\n"
        "  sluice index --standard hj633-2026 --report day --format json < days.csv\n"
        "  sluice index --standard gb3095-2026 --annual < days.csv\n"
        "  sluice index --standard gb3838-2002 < river.csv\n\n"
        "Exit status: 0 done, 1 the output cannot be written, 2 the input is not what it "
        "should be.",
    .options = options,
    .options_size = sizeof(struct index_options),
    .args_min = 0,
    .args_max = 1,
    .run = run,
};
