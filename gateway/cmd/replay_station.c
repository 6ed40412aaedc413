/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series or a log instead of instruments: the pipeline of the station in virtual time, what it
 * finds in files, and what its rules raised counted. Nothing here reads a clock but the
 * progress bar and the defaults of --from and --to, so two runs give the same bytes.
 */
#include "gateway/cmd/replay_station.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/app_view.h"
#include "gateway/base/clock.h"
#include "gateway/cmd/backtest_show.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/export_show.h"
#include "gateway/cmd/export_time.h"
#include "gateway/cmd/replay_log.h"
#include "gateway/cmd/replay_play.h"
#include "gateway/cmd/replay_series.h"
#include "gateway/cmd/replay_write.h"

enum { SHOW_EVERY = 1024 /* instants between two looks at the bar */ };

struct replay {
    const struct replay_station_options *o;
    struct table *table;
    struct replay_source source;  /* close NULL: not open yet */
    struct replay_writer *writer; /* NULL: nothing is written */
    struct replay_play *play;
    struct backtest_labels labels;
    struct backtest *backtest; /* NULL: nobody asks */
    enum replay_output *out;   /* per channel: where its rows go */
    bool *is_written;          /* per channel */
    uint64_t instants;
    struct export_bar bar;
};

static struct replay_progress progress_of(const struct replay *r)
{
    return r->source.progress(r->source.self);
}

static bool has_failed(const struct replay *r)
{
    return r->writer && replay_writer_has_failed(r->writer);
}

/* ---- what comes out ---- */

static void on_row(void *user, uint32_t stream, int64_t time_ms,
                   const struct series_cell *cells)
{
    const struct replay *r = user;
    const struct channel_stream *s = &r->table->stream[stream];

    for (uint32_t i = 0; i < s->n; i++)
        if (r->is_written[s->first + i])
            replay_write_value(r->writer, r->out[s->first + i], s->first + i, time_ms,
                               &cells[i]);
}

static void on_index(void *user, const struct pipeline_index *ix, int64_t time_ms,
                     const struct index_result *result)
{
    const struct replay *r = user;
    struct index_json as = { .scheme = ix->scheme, .report = ix->report };

    if (ix->scheme->is_nowcast && ix->report == INDEX_HOUR)
        as.nowcasts = 1u << INDEX_PM10 | 1u << INDEX_PM2_5;
    replay_write_index(r->writer, &as, time_ms, result);
}

static void on_event(void *user, const char *json)
{
    const struct replay *r = user;

    if (r->writer)
        replay_write_event(r->writer, json);
    if (r->backtest)
        backtest_take_event(r->backtest, json, replay_play_now(r->play));
}

static void on_alert(void *user, const struct alert_rule *rule, const struct alert_change *c)
{
    const struct replay *r = user;

    backtest_take_alert(r->backtest, rule, c, replay_play_now(r->play));
}

static bool on_instant(void *user, int64_t time_ms)
{
    struct replay *r = user;
    char day[TIME_TEXT_MAX];

    if (has_failed(r))
        return false; /* told when it is closed */
    if (!r->bar.is_on || r->instants++ % SHOW_EVERY)
        return true;
    const struct replay_progress p = progress_of(r);
    time_print_utc(time_ms, day);
    day[10] = '\0';
    export_bar_show(&r->bar, p.done, p.total, day);
    return true;
}

/* ---- summary ---- */

static void tell_rows(const struct replay *r, const char *end)
{
    const struct replay_progress p = progress_of(r);

    fprintf(stderr,
            r->o->log ? say("%" PRIu64 " rows, streams: %zu, channels: %zu%s",
                            "%" PRIu64 " 行，%zu 个数据流，%zu 个通道%s")
                      : say("%" PRIu64 " rows, tables: %zu, channels: %zu%s",
                            "%" PRIu64 " 行，%zu 个表格，%zu 个通道%s"),
            p.rows, p.files, p.columns, end);
}

static void tell_counts(const struct replay *r)
{
    const struct replay_counts *c = replay_writer_counts(r->writer);
    const char *between = say(": ", "：");

    tell_rows(r, "");
    for (int g = 0; g < GRADE_COUNT_; g++) {
        if (c->grades[g] == 0)
            continue;
        fprintf(stderr, "%s%s %" PRIu64, between, grade_name((enum grade)g, cmd_lang()),
                c->grades[g]);
        between = say(", ", "，");
    }
    between = say("; reasons: ", "；原因：");
    for (unsigned i = 0; i < 31; i++) {
        if (c->reasons[i] == 0)
            continue;
        fprintf(stderr, "%s%s %" PRIu64, between, reason_name(UINT32_C(1) << i, cmd_lang()),
                c->reasons[i]);
        between = say(", ", "，");
    }
    fprintf(stderr,
            say("; %" PRIu64 " statistics, %" PRIu64 " index values, %" PRIu64
                " changes of alerts, %" PRIu64 " other events\n",
                "；统计值 %" PRIu64 "，指数值 %" PRIu64 "，报警变化 %" PRIu64
                "，其他事件 %" PRIu64 "\n"),
            c->lines[REPLAY_STATISTICS], c->lines[REPLAY_INDICES], c->lines[REPLAY_ALERTS],
            c->lines[REPLAY_EVENTS]);
}

static void set_number(json_t *o, const char *key, uint64_t n)
{
    json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void set_time(json_t *o, const char *key, int64_t ms)
{
    char text[TIME_TEXT_MAX];

    time_print_utc(ms, text);
    json_object_set_new(o, key, ms ? json_string(text) : json_null());
}

static json_t *grades_json(const struct replay_counts *c)
{
    json_t *o = json_object();

    for (int g = 0; g < GRADE_COUNT_; g++)
        set_number(o, grade_id((enum grade)g), c->grades[g]);
    return o;
}

static json_t *reasons_json(const struct replay_counts *c)
{
    json_t *o = json_object();

    for (unsigned i = 0; i < 31; i++)
        if (c->reasons[i])
            set_number(o, reason_id(UINT32_C(1) << i), c->reasons[i]);
    return o;
}

static void add_counts(const struct replay *r, json_t *o)
{
    const struct replay_counts *c = replay_writer_counts(r->writer);
    json_t *lines = json_object();

    json_object_set_new(o, "grades", grades_json(c));
    json_object_set_new(o, "reasons", reasons_json(c));
    for (int i = 0; i < REPLAY_OUTPUTS_COUNT_; i++)
        set_number(lines, replay_output_name((enum replay_output)i), c->lines[i]);
    json_object_set_new(o, "lines", lines);
}

static struct backtest_span span_of(const struct replay *r)
{
    struct backtest_span s = { .config = r->table->config };

    replay_play_span(r->play, &s.first_ms, &s.last_ms);
    return s;
}

static void print_json(const struct replay *r)
{
    const struct replay_progress p = progress_of(r);
    const struct backtest_span span = span_of(r);
    json_t *o = json_object();

    json_object_set_new(o, "station", json_string(r->table->config->station.id));
    set_time(o, "from", span.first_ms);
    set_time(o, "to", span.last_ms);
    set_number(o, "tables", p.files);
    set_number(o, "channels", p.columns);
    set_number(o, "rows", p.rows);
    if (!r->o->is_rules_only)
        add_counts(r, o);
    if (r->backtest)
        json_object_set_new(o, "backtest", backtest_json(r->backtest, &span));
    json_dumpf(o, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(o);
}

static void tell(const struct replay *r)
{
    const struct backtest_span span = span_of(r);

    replay_play_warn_of_pace(r->play);
    if (r->o->is_json) {
        print_json(r);
        return;
    }
    if (r->o->is_rules_only)
        tell_rows(r, "\n");
    else
        tell_counts(r);
    if (r->backtest)
        backtest_print(r->backtest, &span, stdout);
}

/* backtest.json, beside what the pipeline found. */
static int write_backtest(const struct replay *r)
{
    const struct backtest_span span = span_of(r);
    char *path = NULL;

    if (!r->backtest || !r->o->out)
        return 0;
    if (asprintf(&path, "%s/backtest.json", r->o->out) < 0)
        return -ENOMEM;
    json_t *o = backtest_json(r->backtest, &span);
    const int rc = json_dump_file(o, path, JSON_INDENT(2));
    if (rc < 0)
        fprintf(stderr,
                say("sluice replay: %s cannot be written: %s\n",
                    "sluice replay：无法写入 %s：%s\n"),
                path, strerror(errno));
    json_decref(o);
    free(path);
    return rc < 0 ? -EIO : 0;
}

/* ---- start ---- */

/* Statistics of channels without a series are none; an index says itself what it lacks. */
static void choose_channels(struct replay *r)
{
    const struct table *t = r->table;

    for (uint32_t i = 0; i < t->channels.n; i++) {
        const struct channel *ch = &t->channel[i];
        r->out[i] = ch->is_index    ? REPLAY_INDICES
                    : ch->statistic ? REPLAY_STATISTICS
                                    : REPLAY_FLAGS;
        r->is_written[i] = ch->is_index || r->source.has(r->source.self, ch->source);
    }
}

static bool is_same_folder(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int bind_form(const struct replay *r, struct csv_form *ret)
{
    static const struct {
        const char *name;
        enum csv_times times;
    } forms[] = { { "iso", CSV_ISO }, { "s", CSV_SECONDS }, { "ms", CSV_MILLISECONDS } };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(forms[i].name, r->o->times) != 0)
            continue;
        const bool has_ms = progress_of(r).has_milliseconds;
        *ret = (struct csv_form){ .times = forms[i].times,
                                  .decimals =
                                      has_ms && forms[i].times != CSV_MILLISECONDS ? 3 : 0 };
        return 0;
    }
    fprintf(stderr, "sluice replay: %s '%s'.\n",
            say("--times is iso, s or ms, not", "--times 应为 iso、s 或 ms，实为"),
            r->o->times);
    return -EINVAL;
}

static int wrong_time(const char *option, const char *text)
{
    fprintf(
        stderr,
        say("sluice replay: %s is no time: '%s'.\n", "sluice replay：%s 不是时间：“%s”。\n"),
        option, text);
    return -EINVAL;
}

static int open_log(struct replay *r)
{
    struct replay_log_options o = { r->o->log, 1, INT64_MAX, "replay" };
    struct clock clock;

    clock_init(&clock, 1, 0);
    const int64_t now_ms = clock_wall_ms(&clock);
    if (r->o->from && export_time_parse(r->o->from, now_ms, &o.from_ms) < 0)
        return wrong_time("--from", r->o->from);
    if (r->o->to && export_time_parse(r->o->to, now_ms, &o.to_ms) < 0)
        return wrong_time("--to", r->o->to);
    if (o.from_ms >= o.to_ms) {
        fputs(say("sluice replay: --from is not before --to.\n",
                  "sluice replay：--from 不早于 --to。\n"),
              stderr);
        return -EINVAL;
    }
    return replay_log_open(&o, r->table, &r->source);
}

static int open_writer(struct replay *r)
{
    struct csv_form form;
    int rc = bind_form(r, &form);

    if (rc < 0 || !r->o->out)
        return rc;
    return replay_writer_open(r->o->out, &r->table->channels, &form, r->o->is_flagged,
                              r->o->is_rules_only ? REPLAY_RULES : REPLAY_ALL, &r->writer);
}

static int begin_backtest(struct replay *r)
{
    int rc = r->o->labels ? backtest_labels_read(r->o->labels, &r->labels) : 0;

    if (rc < 0 || !(r->o->labels || r->o->is_rules_only))
        return rc;
    return backtest_create(r->table, r->o->labels ? &r->labels : NULL, &r->backtest);
}

static int open_all(struct replay *r)
{
    const size_t channels_n = r->table->channels.n + 1;

    r->out = calloc(channels_n, sizeof *r->out);
    r->is_written = calloc(channels_n, sizeof *r->is_written);
    if (!r->out || !r->is_written)
        return -ENOMEM;
    int rc = begin_backtest(r);
    if (rc == 0)
        rc = r->o->log ? open_log(r) : replay_series_open(r->o->series, r->table, &r->source);
    if (rc < 0)
        return rc;
    choose_channels(r);
    return open_writer(r);
}

static int play(struct replay *r)
{
    const bool writes_all = !r->o->is_rules_only;
    const struct replay_play_options po = {
        .table = r->table,
        .source = &r->source,
        .hooks = { .on_event = on_event,
                   .on_alert = r->backtest ? on_alert : NULL,
                   .on_row = writes_all ? on_row : NULL,
                   .on_index = writes_all ? on_index : NULL,
                   .user = r },
        .on_instant = on_instant,
        .user = r,
    };
    int64_t first_ms, last_ms;
    int rc = replay_play_create(&po, &r->play);

    export_bar_begin(&r->bar, isatty(STDERR_FILENO));
    if (rc == 0)
        rc = replay_play_run(r->play);
    export_bar_clear(&r->bar);
    if (rc == 0 && r->backtest) {
        replay_play_span(r->play, &first_ms, &last_ms);
        rc = backtest_end(r->backtest, &r->source, first_ms, last_ms);
    }
    if (rc == 0)
        rc = write_backtest(r);
    if (rc == 0 && !has_failed(r))
        tell(r);
    replay_play_destroy(r->play);
    return rc;
}

static int run_table(struct replay *r)
{
    int rc = open_all(r);

    if (rc == 0)
        rc = play(r);
    const int closed = replay_writer_close(r->writer);
    backtest_destroy(r->backtest);
    backtest_labels_done(&r->labels);
    if (r->source.close)
        r->source.close(r->source.self);
    free(r->out);
    free(r->is_written);
    return rc < 0 ? rc : closed;
}

static int exit_code(int rc)
{
    if (rc == -ENOMEM)
        fputs(say("sluice replay: no memory.\n", "sluice replay：内存不足。\n"), stderr);
    return rc == 0 ? EXIT_DONE : rc == -EINVAL ? EXIT_USAGE : EXIT_FOUND;
}

/* The rules asked for judge, also those that the configuration has switched off; others do not.
 */
static int choose_rules(const struct option_texts *wanted, const struct config *c)
{
    struct rule_conf *rules = c->rules.items;

    for (size_t i = 0; i < wanted->n; i++) {
        size_t k = 0;
        while (k < c->rules.n && strcmp(rules[k].id, wanted->text[i]) != 0)
            k++;
        if (k < c->rules.n)
            continue;
        fprintf(stderr,
                say("sluice replay: the configuration has no rule '%s'; it has:",
                    "sluice replay：配置中没有规则“%s”；现有规则："),
                wanted->text[i]);
        for (k = 0; k < c->rules.n; k++)
            fprintf(stderr, "%s %s", k ? "," : "", rules[k].id);
        fputs(".\n", stderr);
        return -EINVAL;
    }
    for (size_t k = 0; wanted->n && k < c->rules.n; k++) {
        rules[k].is_enabled = false;
        for (size_t i = 0; i < wanted->n; i++)
            rules[k].is_enabled |= strcmp(rules[k].id, wanted->text[i]) == 0;
    }
    return 0;
}

static int run_config(const struct replay_station_options *o, const struct config *c)
{
    struct replay r = { .o = o };
    int rc = choose_rules(&o->rules, c);

    if (rc == 0)
        rc = table_create(c, &r.table);
    if (rc == 0 && (o->is_calibrated || o->log))
        replay_play_calibrated(r.table);
    if (rc == 0)
        rc = run_table(&r);
    table_destroy(r.table);
    return exit_code(rc);
}

int replay_station(const struct replay_station_options *o)
{
    struct config *config = NULL;
    struct diag *d;

    if (o->series && o->out && is_same_folder(o->series, o->out)) {
        fputs(say("sluice replay: --out is the folder of the series; name another one.\n",
                  "sluice replay：--out 与数据目录相同，请另行指定。\n"),
              stderr);
        return EXIT_USAGE;
    }
    if (diag_create(&d) < 0)
        return EXIT_FOUND;
    const int rc = config_load(o->station, uplink_choices(), d, &config);
    if (rc < 0)
        diag_print(d, stderr);
    diag_destroy(d);
    if (rc < 0)
        return EXIT_USAGE;
    const int status = run_config(o, config);
    config_destroy(config);
    return status;
}
