/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/backtest_show.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "gateway/app_alerts.h"
#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/words.h"
#include "gateway/conf/utf8.h"

enum { CELL_MAX = 96, COLUMN_GAP = 2 };

#define HOUR_MS 3600000.0

static double per_month(const struct backtest_count *c, uint64_t n)
{
    return c->sensor_months > 0 ? (double)n / c->sensor_months : NAN;
}

/* ---- the table ---- */

enum what {
    RULE,
    CHANNELS,
    RAISED,
    RAISED_MONTH,
    STANDING,
    LONGEST,
    DETECTED,
    MISSED,
    LATE,
    REPEATS,
    SPURIOUS,
    FAULTS,
    BENIGN,
    IGNORED,
    FALSE_MONTH,
    DELAY
};

static const struct column {
    enum what what;
    bool is_of_labels, is_without;
    const char *en, *zh;
} columns[] = {
    { RULE, true, true, "rule", "规则" },
    { CHANNELS, true, true, "channels", "通道" },
    { RAISED, true, true, "raised", "发布" },
    { RAISED_MONTH, false, true, "a month", "每月" },
    { STANDING, false, true, "hours", "小时" },
    { LONGEST, false, true, "longest h", "最长(时)" },
    { DETECTED, true, false, "true", "正确" },
    { MISSED, true, false, "missed", "漏报" },
    { LATE, true, false, "late", "过迟" },
    { REPEATS, true, false, "repeats", "重复" },
    { SPURIOUS, true, false, "spurious", "误报" },
    { FAULTS, true, false, "faults", "故障误作事件" },
    { BENIGN, true, false, "benign", "无害变化" },
    { IGNORED, true, false, "ignored", "不计" },
    { FALSE_MONTH, true, false, "false/month", "每月误报" },
    { DELAY, true, false, "delay s", "延迟(秒)" },
};

enum { COLUMNS = sizeof columns / sizeof columns[0] };

static void print_count(uint64_t n, char *out)
{
    snprintf(out, CELL_MAX, "%" PRIu64, n);
}

static void print_number(double x, int decimals, char *out)
{
    if (isfinite(x))
        snprintf(out, CELL_MAX, "%.*f", decimals, x);
    else
        snprintf(out, CELL_MAX, "-");
}

static void print_cell(const struct backtest_count *c, enum what what, char *out)
{
    const uint64_t counts[] = {
        [CHANNELS] = c->channels, [RAISED] = c->raised, [DETECTED] = c->detected,
        [MISSED] = c->missed,     [LATE] = c->late,     [REPEATS] = c->repeats,
        [SPURIOUS] = c->spurious, [FAULTS] = c->faults, [BENIGN] = c->benign,
        [IGNORED] = c->ignored,   [FALSE_MONTH] = 0,    [DELAY] = 0,
    };

    if (what == RULE)
        snprintf(out, CELL_MAX, "%s", c->rule ? c->rule : say("all together", "合计"));
    else if (what == RAISED_MONTH)
        print_number(per_month(c, c->raised), 2, out);
    else if (what == STANDING)
        print_number((double)c->standing_ms / HOUR_MS, 1, out);
    else if (what == LONGEST)
        print_number((double)c->longest_ms / HOUR_MS, 1, out);
    else if (what == FALSE_MONTH)
        print_number(per_month(c, backtest_false(c)), 2, out);
    else if (what == DELAY)
        print_number(c->delay_s, 0, out);
    else
        print_count(counts[what], out);
}

static int width_of(const char *text)
{
    const size_t size = strlen(text);
    int width = 0;
    int32_t c;

    for (size_t i = 0; i < size; width += utf8_width(c))
        i += utf8_next(text + i, size - i, &c);
    return width;
}

static bool is_shown(const struct backtest *b, const struct column *c)
{
    return backtest_has_labels(b) ? c->is_of_labels : c->is_without;
}

static void print_line(const struct backtest *b, const struct backtest_count *c,
                       const int *widths, FILE *out)
{
    char cell[CELL_MAX];

    for (int i = 0; i < COLUMNS; i++) {
        if (!is_shown(b, &columns[i]))
            continue;
        if (c)
            print_cell(c, columns[i].what, cell);
        else
            snprintf(cell, sizeof cell, "%s", say(columns[i].en, columns[i].zh));
        const int pad = widths[i] - width_of(cell);
        if (i == 0)
            fprintf(out, "%s%*s", cell, pad > 0 ? pad : 0, "");
        else
            fprintf(out, "%*s%s", pad > 0 ? pad : 0, "", cell);
    }
    putc('\n', out);
}

static void print_table(const struct backtest *b, FILE *out)
{
    size_t n;
    const struct backtest_count *c = backtest_counts(b, &n);
    int widths[COLUMNS];
    char cell[CELL_MAX];

    for (int i = 0; i < COLUMNS; i++) {
        widths[i] = width_of(say(columns[i].en, columns[i].zh));
        for (size_t k = 0; k < n; k++) {
            print_cell(&c[k], columns[i].what, cell);
            if (width_of(cell) > widths[i])
                widths[i] = width_of(cell);
        }
        widths[i] += i == 0 ? 0 : COLUMN_GAP;
    }
    print_line(b, NULL, widths, out);
    for (size_t k = 0; k < n; k++)
        if (c[k].rule || n > 2)
            print_line(b, &c[k], widths, out);
}

/* ---- sentences ---- */

static void print_span(const struct backtest_span *s, FILE *out)
{
    char from[TIME_TEXT_MAX] = "-", to[TIME_TEXT_MAX] = "-";

    if (s->first_ms) {
        time_print_utc(s->first_ms, from);
        time_print_utc(s->last_ms, to);
    }
    fprintf(out, say("Back-test of %s, %.16s to %.16s UTC\n", "%s 回测，%.16s 至 %.16s UTC\n"),
            s->config->station.id, from, to);
}

static void print_faults(const struct backtest *b, FILE *out)
{
    const struct backtest_faults *f = backtest_faults(b);

    if (f->notices == 0 && f->labelled == 0)
        return;
    fprintf(out, say("Sensor faults: %" PRIu64 " notices", "传感器故障：%" PRIu64 " 条通知"),
            f->notices);
    if (backtest_has_labels(b))
        fprintf(out,
                say("; %" PRIu64 " of %" PRIu64 " labelled faults noticed, %" PRIu64
                    " notices outside of them",
                    "；发现 %" PRIu64 " 个（标注故障共 %" PRIu64 " 个），其外通知 %" PRIu64
                    " 条"),
                f->noticed, f->labelled, f->false_notices);
    putc('\n', out);
}

/* ---- to paste ---- */

static const struct rule_conf *conf_of(const struct backtest_span *s, const char *id)
{
    const struct rule_conf *rules = s->config->rules.items;

    for (size_t i = 0; i < s->config->rules.n; i++)
        if (strcmp(rules[i].id, id) == 0)
            return &rules[i];
    return NULL;
}

static void version_of(const struct backtest_span *s, const char *id, char *out)
{
    const struct rule_conf *r = conf_of(s, id);

    if (!r || app_alerts_version(r, out) < 0)
        out[0] = '\0';
}

static void print_today(FILE *out)
{
    char today[TIME_TEXT_MAX];
    struct clock clock;

    clock_init(&clock, 1, 0);
    time_print_utc(clock_wall_ms(&clock), today);
    fprintf(out, "date: %.10s", today);
}

static void print_block(const struct backtest *b, const struct backtest_span *s,
                        const struct backtest_count *c, FILE *out)
{
    char version[BOOK_VERSION_MAX], from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

    version_of(s, c->rule, version);
    time_print_utc(s->first_ms, from);
    time_print_utc(s->last_ms, to);
    fprintf(out, "  # %s\n  backtest: {", c->rule);
    print_today(out);
    fprintf(out, ", from: %.10s, to: %.10s, version: \"%s\", raised: %" PRIu64, from, to,
            version, c->raised);
    if (backtest_has_labels(b)) {
        fprintf(out, ", events: %" PRIu64 ", missed: %" PRIu64 ", false: %" PRIu64, c->events,
                c->missed, backtest_false(c));
        if (isfinite(per_month(c, 0)))
            fprintf(out, ", false_per_month: %.3g", per_month(c, backtest_false(c)));
        if (isfinite(c->delay_s))
            fprintf(out, ", median_delay_s: %.0f", c->delay_s);
    }
    fputs("}\n", out);
}

void backtest_print(const struct backtest *b, const struct backtest_span *s, FILE *out)
{
    size_t n;
    const struct backtest_count *c = backtest_counts(b, &n);

    print_span(s, out);
    if (n <= 1 || !s->first_ms) {
        fputs(say("No rule had a sample to judge.\n", "没有规则判断过任何数据。\n"), out);
        return;
    }
    print_table(b, out);
    print_faults(b, out);
    fputs(say("To paste beside the rule:\n", "可粘贴到规则中：\n"), out);
    for (size_t i = 0; i < n; i++)
        if (c[i].rule)
            print_block(b, s, &c[i], out);
}

/* ---- JSON ---- */

static void set_count(json_t *o, const char *key, uint64_t n)
{
    json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void set_number(json_t *o, const char *key, double x)
{
    json_object_set_new(o, key, isfinite(x) ? json_real(round(x * 1e6) / 1e6) : json_null());
}

static json_t *levels_json(const struct backtest_count *c)
{
    json_t *o = json_object();

    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        if (c->by_level[l])
            set_count(o, alert_level_id((enum alert_level)l), c->by_level[l]);
    return o;
}

static void add_scores(const struct backtest_count *c, json_t *o)
{
    set_count(o, "events", c->events);
    set_count(o, "true", c->detected);
    set_count(o, "missed", c->missed);
    set_count(o, "late", c->late);
    set_count(o, "repeats", c->repeats);
    set_count(o, "false", backtest_false(c));
    set_count(o, "spurious", c->spurious);
    set_count(o, "faults_as_events", c->faults);
    set_count(o, "benign", c->benign);
    set_count(o, "ignored", c->ignored);
    set_number(o, "false_per_month", per_month(c, backtest_false(c)));
    set_number(o, "median_delay_s", c->delay_s);
}

static json_t *count_json(const struct backtest *b, const struct backtest_span *s,
                          const struct backtest_count *c)
{
    json_t *o = json_object();
    char version[BOOK_VERSION_MAX];

    if (c->rule) {
        version_of(s, c->rule, version);
        json_object_set_new(o, "rule", json_string(c->rule));
        json_object_set_new(o, "version", json_string(version));
    }
    set_count(o, "channels", c->channels);
    set_number(o, "sensor_months", c->sensor_months);
    set_count(o, "raised", c->raised);
    json_object_set_new(o, "levels", levels_json(c));
    set_number(o, "raised_per_month", per_month(c, c->raised));
    set_number(o, "standing_s", (double)c->standing_ms / 1000);
    set_number(o, "longest_s", (double)c->longest_ms / 1000);
    if (backtest_has_labels(b))
        add_scores(c, o);
    return o;
}

static json_t *faults_json(const struct backtest *b)
{
    const struct backtest_faults *f = backtest_faults(b);
    json_t *o = json_object();

    set_count(o, "notices", f->notices);
    if (backtest_has_labels(b)) {
        set_count(o, "labelled", f->labelled);
        set_count(o, "noticed", f->noticed);
        set_count(o, "false_notices", f->false_notices);
    }
    return o;
}

static void set_time(json_t *o, const char *key, int64_t ms)
{
    char text[TIME_TEXT_MAX];

    time_print_utc(ms, text);
    json_object_set_new(o, key, ms ? json_string(text) : json_null());
}

json_t *backtest_json(const struct backtest *b, const struct backtest_span *s)
{
    size_t n;
    const struct backtest_count *c = backtest_counts(b, &n);
    json_t *o = json_object(), *rules = json_array();

    json_object_set_new(o, "station", json_string(s->config->station.id));
    set_time(o, "from", s->first_ms);
    set_time(o, "to", s->last_ms);
    json_object_set_new(o, "labels", json_boolean(backtest_has_labels(b)));
    for (size_t i = 0; i < n; i++)
        if (c[i].rule)
            json_array_append_new(rules, count_json(b, s, &c[i]));
        else
            json_object_set_new(o, "all", count_json(b, s, &c[i]));
    json_object_set_new(o, "rules", rules);
    json_object_set_new(o, "sensor_faults", faults_json(b));
    return o;
}
