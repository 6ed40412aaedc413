/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series instead of instruments: the pipeline of the station in virtual time, without a log.
 * Nothing here reads a clock but the progress bar, so two runs give the same bytes.
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
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/export_show.h"
#include "gateway/cmd/replay_series.h"
#include "gateway/cmd/replay_write.h"

enum {
    TICK_MS = 1000,
    GRACE_MS = 1000, /* periods are closed so long after their end */
    MINUTE_MS = 60000,
    DAY_MS = 1440 * MINUTE_MS,
    WATCHED_MS = 2 * MINUTE_MS, /* behind the last sample every second is played */
    SHOW_EVERY = 1024,          /* instants between two looks at the bar */
};

#define ABSENT_MS (32 * INT64_C(86400000)) /* a station was not there, rather than silent */

struct pace {                     /* of a device: are its rows as often as the station polls? */
    int64_t last_ms, shortest_ms; /* the step; 0: none yet */
    uint64_t steps, longer, shorter; /* than the poll interval, clearly */
};

struct replay {
    const struct replay_station_options *o;
    struct table *table;
    struct pipeline_device *devices; /* as the table has them, without points that have no
                                      * series: these are no missing values */
    struct replay_series *series;
    struct replay_writer *writer;
    struct pipeline *pipeline;
    struct pace *pace;         /* per device */
    enum replay_output *out;   /* per channel: where its rows go */
    bool *is_written;          /* per channel */
    int64_t first_ms, last_ms; /* of instants */
    int64_t tick_ms;           /* the next */
    struct export_bar bar;
};

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
    replay_write_event(((struct replay *)user)->writer, json);
}

/* ---- time ---- */

/* Behind that tick. Where nothing comes for long the hand goes from minute to minute: there
 * periods end, and nothing else happens. Of a pause of months a day is played: one wrong year
 * in a table must not take hours. */
static int64_t next_tick(const struct replay *r, int64_t now_ms)
{
    const int64_t silent_ms = r->tick_ms - r->last_ms, left_ms = now_ms - r->tick_ms;

    if (silent_ms > DAY_MS && left_ms > ABSENT_MS)
        return now_ms - now_ms % TICK_MS;
    if (silent_ms > WATCHED_MS && left_ms > MINUTE_MS + GRACE_MS)
        return r->tick_ms - r->tick_ms % MINUTE_MS + MINUTE_MS + GRACE_MS;
    return r->tick_ms + TICK_MS;
}

/* The station's second hand. */
static void tick_to(struct replay *r, int64_t now_ms)
{
    while (r->tick_ms <= now_ms) {
        pipeline_tick(r->pipeline, r->tick_ms);
        r->tick_ms = next_tick(r, now_ms);
    }
}

static int64_t poll_of(const struct replay *r, size_t device)
{
    return ((const struct device_conf *)r->table->config->devices.items)[device].poll_ms;
}

static void keep_pace(struct replay *r, size_t device, int64_t time_ms)
{
    struct pace *p = &r->pace[device];
    const int64_t poll_ms = poll_of(r, device), step_ms = time_ms - p->last_ms;

    if (p->last_ms) {
        if (p->steps++ == 0 || step_ms < p->shortest_ms)
            p->shortest_ms = step_ms;
        p->longer += 2 * step_ms > 3 * poll_ms;
        p->shorter += 2 * step_ms < poll_ms;
    }
    p->last_ms = time_ms;
}

static void play_instant(struct replay *r, int64_t time_ms)
{
    tick_to(r, time_ms);
    for (size_t i = 0; i < r->table->config->devices.n; i++) {
        const struct scan scan = {
            .device = (uint32_t)i,
            .time_ms = time_ms,
            .start_ms = time_ms,
            .outcome = SCAN_OK,
            .readings = replay_series_readings(r->series, i),
            .n = r->devices[i].points_n,
        };
        if (!scan.readings)
            continue;
        pipeline_scan(r->pipeline, &scan);
        keep_pace(r, i, time_ms);
    }
}

static void show(struct replay *r, uint64_t instant)
{
    char day[TIME_TEXT_MAX];

    if (!r->bar.is_on || instant % SHOW_EVERY)
        return;
    const struct replay_progress p = replay_series_progress(r->series);
    time_print_utc(r->last_ms, day);
    day[10] = '\0';
    export_bar_show(&r->bar, p.bytes, p.bytes_total, day);
}

/* Periods that the last samples fill are closed; those that go on are not. */
static void finish(struct replay *r)
{
    const int64_t last_ms = r->last_ms;
    int64_t longest_ms = 0;

    for (size_t i = 0; i < r->table->config->devices.n; i++) {
        const int64_t poll_ms = poll_of(r, i), step_ms = r->pace[i].shortest_ms,
                      filled_ms = poll_ms > step_ms || step_ms > DAY_MS ? poll_ms : step_ms;
        if (r->pace[i].last_ms == last_ms && filled_ms > longest_ms)
            longest_ms = filled_ms;
    }
    if (r->first_ms)
        tick_to(r, last_ms + longest_ms + GRACE_MS);
    pipeline_end_rows(r->pipeline);
}

static int play(struct replay *r)
{
    int64_t time_ms = 0;
    int rc;

    for (uint64_t n = 0; (rc = replay_series_next(r->series, &time_ms)) > 0; n++) {
        if (r->first_ms == 0) {
            r->first_ms = r->last_ms = time_ms;
            r->tick_ms = time_ms - time_ms % TICK_MS;
        }
        play_instant(r, time_ms);
        r->last_ms = time_ms;
        show(r, n);
        if (replay_writer_has_failed(r->writer))
            return 0; /* told when it is closed */
    }
    finish(r);
    export_bar_clear(&r->bar);
    return rc;
}

/* ---- summary ---- */

static void warn_of_pace(const struct replay *r)
{
    for (size_t i = 0; i < r->table->config->devices.n; i++) {
        const struct pace *p = &r->pace[i];
        const bool is_longer = 2 * p->longer > p->steps;
        if (!is_longer && 2 * p->shorter <= p->steps)
            continue;
        fprintf(stderr,
                is_longer
                    ? say("sluice replay: the rows of %s are further apart than its poll of "
                          "%" PRId64 " ms; gaps and shares of means are judged by that.\n",
                          "sluice replay：%s 的数据间隔大于其采集周期 %" PRId64
                          " 毫秒；缺数与有效率按该周期判断。\n")
                    : say("sluice replay: the rows of %s are closer together than its poll of "
                          "%" PRId64 " ms; shares of means are judged by that.\n",
                          "sluice replay：%s 的数据间隔小于其采集周期 %" PRId64
                          " 毫秒；有效率按该周期判断。\n"),
                r->devices[i].id, poll_of(r, i));
    }
}

static void tell_counts(const struct replay *r)
{
    const struct replay_counts *c = replay_writer_counts(r->writer);
    const struct replay_progress p = replay_series_progress(r->series);
    const char *between = say(": ", "：");

    fprintf(stderr,
            say("%" PRIu64 " rows, tables: %zu, channels: %zu",
                "%" PRIu64 " 行，%zu 个表格，%zu 个通道"),
            p.rows, p.files, p.columns);
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

static void print_json(const struct replay *r)
{
    const struct replay_counts *c = replay_writer_counts(r->writer);
    const struct replay_progress p = replay_series_progress(r->series);
    json_t *o = json_object(), *lines = json_object();

    json_object_set_new(o, "station", json_string(r->table->config->station.id));
    set_time(o, "from", r->first_ms);
    set_time(o, "to", r->last_ms);
    set_number(o, "tables", p.files);
    set_number(o, "channels", p.columns);
    set_number(o, "rows", p.rows);
    json_object_set_new(o, "grades", grades_json(c));
    json_object_set_new(o, "reasons", reasons_json(c));
    for (int i = 0; i < REPLAY_OUTPUTS_COUNT_; i++)
        set_number(lines, replay_output_name((enum replay_output)i), c->lines[i]);
    json_object_set_new(o, "lines", lines);
    json_dumpf(o, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(o);
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
        r->is_written[i] = ch->is_index || replay_series_has(r->series, ch->source);
    }
}

static int choose_points(struct replay *r)
{
    for (size_t i = 0; i < r->table->config->devices.n; i++) {
        const struct pipeline_device *d = &r->table->device[i];
        int32_t *channel_of = calloc(d->points_n + 1, sizeof *channel_of);
        if (!channel_of)
            return -ENOMEM;
        for (size_t k = 0; k < d->points_n; k++) {
            const int32_t at = d->channel_of[k];
            channel_of[k] =
                at != PIPELINE_NO_CHANNEL && replay_series_has(r->series, (uint32_t)at)
                    ? at
                    : PIPELINE_NO_CHANNEL;
        }
        r->devices[i] = *d;
        r->devices[i].channel_of = channel_of;
        r->devices[i].raw_n = 0;
    }
    return 0;
}

static void uncalibrate(struct table *t)
{
    for (size_t i = 0; i < t->channels.n; i++) {
        t->treatment[i].factor = 1;
        t->treatment[i].offset = 0;
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
        const bool has_ms = replay_series_progress(r->series).has_milliseconds;
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

static int start(struct replay *r, struct pipeline_options *po)
{
    const size_t channels_n = r->table->channels.n + 1, n = r->table->config->devices.n + 1;
    struct csv_form form;

    r->devices = calloc(n, sizeof *r->devices);
    r->pace = calloc(n, sizeof *r->pace);
    r->out = calloc(channels_n, sizeof *r->out);
    r->is_written = calloc(channels_n, sizeof *r->is_written);
    if (!r->devices || !r->pace || !r->out || !r->is_written)
        return -ENOMEM;
    int rc = replay_series_open(r->o->series, r->table, &r->series);
    if (rc == 0)
        rc = bind_form(r, &form);
    if (rc == 0)
        rc = choose_points(r);
    if (rc < 0)
        return rc;
    choose_channels(r);
    rc =
        replay_writer_open(r->o->out, &r->table->channels, &form, r->o->is_flagged, &r->writer);
    *po = (struct pipeline_options){
        .table = &r->table->channels,
        .devices = r->devices,
        .devices_n = n - 1,
        .channels = r->table->treatment,
        .rules = r->table->rule,
        .rules_n = r->table->rules_n,
        .watches = r->table->watch,
        .watches_n = r->table->watches_n,
        .indices = r->table->index,
        .indices_n = r->table->indices_n,
        .on_event = on_event,
        .on_row = on_row,
        .on_index = on_index,
        .user = r,
    };
    return rc == 0 ? pipeline_create(po, &r->pipeline) : rc;
}

static int run_table(struct replay *r)
{
    struct pipeline_options po;
    int rc = start(r, &po);

    export_bar_begin(&r->bar, isatty(STDERR_FILENO));
    if (rc == 0)
        rc = play(r);
    export_bar_clear(&r->bar);
    if (rc == 0 && !replay_writer_has_failed(r->writer)) {
        warn_of_pace(r);
        if (r->o->is_json)
            print_json(r);
        else
            tell_counts(r);
    }
    const int closed = replay_writer_close(r->writer);
    pipeline_destroy(r->pipeline);
    replay_series_close(r->series);
    for (size_t i = 0; r->devices && i < r->table->config->devices.n; i++)
        free((void *)r->devices[i].channel_of);
    free(r->devices);
    free(r->pace);
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

static int run_config(const struct replay_station_options *o, const struct config *c)
{
    struct replay r = { .o = o };
    int rc = table_create(c, &r.table);

    if (rc == 0 && o->is_calibrated)
        uncalibrate(r.table);
    if (rc == 0)
        rc = run_table(&r);
    table_destroy(r.table);
    return exit_code(rc);
}

int replay_station(const struct replay_station_options *o)
{
    struct config *config = NULL;
    struct diag *d;

    if (is_same_folder(o->series, o->out)) {
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
