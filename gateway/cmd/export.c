/* SPDX-License-Identifier: Apache-2.0 */
/* export - what the station's log holds, as tables, line protocol, frames or events. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/export_show.h"
#include "gateway/cmd/export_time.h"
#include "gateway/cmd/export_write.h"

#define CONFIG_PATH "/etc/sluice/sluice.yaml"

#define TIME_LIMIT  (INT64_C(1) << 52) /* beyond any time of a row, far from overflow */

enum { ERROR_MAX = 320 };

struct export_options {
    const char *from, *to, *format, *times, *output;
    struct option_texts channels;
    bool is_headless, is_flagless, is_events, is_salvage, is_force, is_quiet;
};

#define OPTION(member) .offset = offsetof(struct export_options, member)

static const struct cmd_option options[] = {
    { .name = "from",
      .type = OPTION_TEXT,
      OPTION(from),
      .value = "TIME",
      .help = "First time: 2026-11-22, 2026-11-22T10:00:00+08:00, Unix s or ms, or 24h for so "
              "long ago. UTC where no offset is given." },
    { .name = "to",
      .type = OPTION_TEXT,
      OPTION(to),
      .value = "TIME",
      .help = "End, itself not included." },
    { .name = "channel",
      .letter = 'c',
      .type = OPTION_TEXTS,
      OPTION(channels),
      .value = "GLOB",
      .help = "Only channels such as 'roof-o3/*', '*@1h'; may be repeated." },
    { .name = "format",
      .letter = 'f',
      .type = OPTION_TEXT,
      OPTION(format),
      .dflt = "csv",
      .value = "csv|lp|frames",
      .help = "Tables, line protocol as the influx uplink writes it, or an SF1 file of the "
              "stored frames." },
    { .name = "output",
      .letter = 'o',
      .type = OPTION_TEXT,
      OPTION(output),
      .value = "FILE|DIR",
      .help = "Write to FILE, or to a file per stream in DIR (there, or ending in /), instead "
              "of the standard output." },
    { .name = "times",
      .type = OPTION_TEXT,
      OPTION(times),
      .dflt = "iso",
      .value = "iso|s|ms",
      .help = "csv: times as ISO 8601 UTC, Unix seconds or milliseconds." },
    { .name = "no-header",
      .type = OPTION_FLAG,
      OPTION(is_headless),
      .help = "csv: no line with the ids of the channels." },
    { .name = "no-flags",
      .type = OPTION_FLAG,
      OPTION(is_flagless),
      .help = "csv: values without their flags; a value that is not fit for use then looks "
              "like any other." },
    { .name = "events",
      .letter = 'e',
      .type = OPTION_FLAG,
      OPTION(is_events),
      .help = "Events as JSON lines instead; with a DIR in events.jsonl beside the rest." },
    { .name = "salvage",
      .type = OPTION_FLAG,
      OPTION(is_salvage),
      .help =
          "For a damaged log: read it entry by entry, past what cannot be read; slow. So is "
          "one that was set aside (LOG-damaged-TIME) in any case." },
    { .name = "force",
      .type = OPTION_FLAG,
      OPTION(is_force),
      .help = "Replace files that are there already." },
    { .name = "quiet",
      .letter = 'q',
      .type = OPTION_FLAG,
      OPTION(is_quiet),
      .help = "No progress and no summary." },
    { 0 },
};

struct job {
    const struct export_options *o;
    struct export_log log;
    struct export_writer writer;
    struct export_counts counts;
    struct export_bar bar;
    int64_t from, to;
    bool is_salvage;
};

static int wrong(const char *what, const char *why)
{
    fprintf(stderr, "sluice export: %s%s%s\n", what, *why ? ": " : "", why);
    return EXIT_USAGE;
}

/* ---- what is asked for ---- */

static int bind_times(struct job *j)
{
    const struct export_options *o = j->o;
    struct clock clock;

    clock_init(&clock, 1, 0);
    int64_t now = clock_wall_ms(&clock);
    j->from = -TIME_LIMIT;
    j->to = TIME_LIMIT;
    if (o->from && export_time_parse(o->from, now, &j->from) < 0)
        return wrong(say("--from is no time", "--from 不是时间"), o->from);
    if (o->to && export_time_parse(o->to, now, &j->to) < 0)
        return wrong(say("--to is no time", "--to 不是时间"), o->to);
    if (j->from >= j->to)
        return wrong(say("--from is not before --to.", "--from 不早于 --to。"), "");
    return EXIT_DONE;
}

static int bind_form(struct job *j)
{
    static const struct {
        const char *name;
        struct csv_form form;
    } forms[] = {
        { "iso", { .times = CSV_ISO, .decimals = 3 } },
        { "s", { .times = CSV_SECONDS, .decimals = 3 } },
        { "ms", { .times = CSV_MILLISECONDS } },
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(forms[i].name, j->o->times) == 0) {
            j->writer.form = forms[i].form;
            return EXIT_DONE;
        }
    return wrong(say("--times is iso, s or ms, not", "--times 应为 iso、s 或 ms"), j->o->times);
}

static int bind_format(struct job *j)
{
    j->writer.format = export_format_find(j->o->format);
    if (j->writer.format)
        return EXIT_DONE;
    return wrong(say("--format is csv, lp or frames, not", "--format 应为 csv、lp 或 frames"),
                 j->o->format);
}

static bool is_folder(const char *path)
{
    struct stat st;
    size_t n = strlen(path);

    return (n > 0 && path[n - 1] == '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

static int open_output(struct job *j)
{
    const char *path = j->o->output;
    struct export_writer *w = &j->writer;

    w->out = path ? NULL : stdout;
    if (!path)
        return EXIT_DONE;
    if (is_folder(path)) {
        w->folder = path;
        if (mkdir(path, 0777) == 0 || errno == EEXIST)
            return EXIT_DONE;
        return wrong(path, strerror(errno));
    }
    w->out = fopen(path, j->o->is_force ? "wb" : "wbx");
    if (w->out)
        return EXIT_DONE;
    return wrong(path, errno == EEXIST ? say("the file is there already; --force replaces it.",
                                             "文件已存在；--force 可替换。")
                                       : strerror(errno));
}

/* ---- the log ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The store gives such a name to a log that it found damaged. */
static bool is_set_aside(const char *log)
{
    const char *name = strrchr(log, '/');

    return strstr(name ? name : log, "-damaged-") != NULL;
}

static int open_log(struct job *j, const char *path)
{
    char error[ERROR_MAX] = "";
    bool is_config = ends_with(path, ".yaml") || ends_with(path, ".yml");
    char *log = is_config ? cmd_log_path(path) : strdup(path);

    if (!log)
        return EXIT_USAGE;
    int rc = access(log, R_OK) == 0
                 ? export_log_open(&j->log, log, &j->o->channels, error, sizeof error)
                 : -errno;
    if (rc < 0)
        fprintf(stderr,
                say("sluice export: the log %s cannot be read: %s\n",
                    "sluice export：无法读取日志 %s：%s\n"),
                log, *error ? error : strerror(-rc));
    j->is_salvage = j->o->is_salvage || is_set_aside(log);
    free(log);
    if (rc < 0)
        return EXIT_USAGE;
    j->writer.station = export_log_station(&j->log);
    const char *glob = export_log_unmatched(&j->log);
    return glob ? wrong(say("no channel of the log matches", "日志中没有匹配的通道"), glob)
                : EXIT_DONE;
}

/* ---- the walk ---- */

static void on_progress(void *user, uint64_t done, uint64_t total, const char *what)
{
    struct export_writer *w = user;
    struct job *j = (struct job *)(void *)((char *)w - offsetof(struct job, writer));

    export_bar_show(&j->bar, done, total, what);
}

static void on_trouble(void *user, const char *sentence)
{
    struct export_writer *w = user;
    struct job *j = (struct job *)(void *)((char *)w - offsetof(struct job, writer));

    export_bar_clear(&j->bar);
    fprintf(stderr, "sluice export: %s\n", sentence);
}

static struct export_walk walk_of(struct job *j, const struct export_sink *sink)
{
    return (struct export_walk){
        .log = &j->log,
        .from = j->from,
        .to = j->to,
        .is_salvage = j->is_salvage,
        .sink = sink,
        .user = &j->writer,
        .progress = on_progress,
        .trouble = on_trouble,
    };
}

static int put_events(struct job *j, const struct export_sink *sink, const char *ending)
{
    struct export_walk w = walk_of(j, sink);
    int rc = j->writer.folder ? export_writer_next(&j->writer, "events", ending) : 0;

    return rc < 0 ? rc : export_walk_events(&w, &j->counts);
}

/* The uplinks deliver events, too; a choice of channels leaves them out. */
static int put_all(struct job *j)
{
    const struct export_sink *sink = &j->writer.format->sink;
    struct export_walk w = walk_of(j, sink);
    int rc = 0;

    if (!j->o->is_events || j->writer.folder)
        rc = export_walk_streams(&w, &j->counts);
    if (rc == 0 && sink->takes_frames && !j->o->is_events)
        rc = export_writer_frames_end(&j->writer);
    if (rc == 0 && sink->event && !j->o->is_events && j->o->channels.n == 0)
        rc = put_events(j, sink, j->writer.format->ending);
    if (rc == 0 && j->o->is_events)
        rc = put_events(j, &export_events, ".jsonl");
    return rc;
}

static void tell_counts(const struct job *j)
{
    const struct export_counts *c = &j->counts;

    if (c->frames_orphaned)
        fprintf(stderr,
                say("sluice export: %" PRIu64 " frames were left out: those before them "
                    "in their segments are no longer kept.\n",
                    "sluice export：略去 %" PRIu64 " 帧：同段之前的帧已不再保存。\n"),
                c->frames_orphaned);
    if (j->writer.rows_refused)
        fprintf(stderr,
                say("sluice export: %" PRIu64 " rows with times before 1970 were left "
                    "out, which databases refuse.\n",
                    "sluice export：略去 %" PRIu64 " 行：时间早于 1970 年，数据库不接受。"
                    "\n"),
                j->writer.rows_refused);
    if (j->writer.rows_unnamed)
        fprintf(stderr,
                say("sluice export: %" PRIu64 " rows were left out: the names of their "
                    "channels are lost or unfit for line protocol; csv has them.\n",
                    "sluice export：略去 %" PRIu64
                    " 行：通道名称已丢失或不能用于行协议；csv 含这些数据。\n"),
                j->writer.rows_unnamed);
    if (c->rows_unsealed && !j->o->is_quiet)
        fprintf(stderr,
                say("sluice export: the newest %" PRIu64 " rows are in no frame yet; csv "
                    "and lp have them.\n",
                    "sluice export：最新 %" PRIu64 " 行尚未封装成帧；csv 和 lp 含这些"
                    "数据。\n"),
                c->rows_unsealed);
}

static void tell_summary(const struct job *j)
{
    const struct export_counts *c = &j->counts;

    if (j->o->is_quiet)
        return;
    if (j->writer.format->sink.takes_frames)
        fprintf(stderr,
                say("%" PRIu64 " frames, %" PRIu64 " events\n",
                    "%" PRIu64 " 帧，%" PRIu64 " 个事件\n"),
                c->frames, c->events);
    else
        fprintf(stderr,
                say("%" PRIu64 " rows, %" PRIu64 " values, %" PRIu64 " events\n",
                    "%" PRIu64 " 行，%" PRIu64 " 个值，%" PRIu64 " 个事件\n"),
                c->rows, c->values, c->events);
}

static int finish(struct job *j, int rc)
{
    int ended = export_writer_end(&j->writer);

    if (j->writer.out && j->writer.out != stdout && fclose(j->writer.out) != 0 && ended == 0)
        ended = -errno;
    if (rc == 0)
        rc = ended;
    export_bar_clear(&j->bar);
    if (rc < 0)
        fprintf(stderr, "sluice export: %s\n", *j->writer.why ? j->writer.why : strerror(-rc));
    tell_counts(j);
    if (rc == 0)
        tell_summary(j);
    return rc < 0 || j->counts.troubles || j->writer.rows_unnamed ? EXIT_FOUND : EXIT_DONE;
}

static int run_job(struct job *j, const char *path)
{
    int status = bind_times(j);

    if (status == EXIT_DONE)
        status = bind_form(j);
    if (status == EXIT_DONE)
        status = bind_format(j);
    if (status == EXIT_DONE)
        status = open_log(j, path);
    if (status == EXIT_DONE)
        status = open_output(j);
    if (status != EXIT_DONE)
        return status;
    export_bar_begin(&j->bar, !j->o->is_quiet && isatty(STDERR_FILENO) &&
                                  (j->o->output || !isatty(STDOUT_FILENO)));
    export_writer_begin(&j->writer);
    return finish(j, put_all(j));
}

static int run(const void *opt, int argc, char **argv)
{
    const struct export_options *o = opt;
    struct job *j = calloc(1, sizeof *j);

    if (!j) {
        fputs("sluice export: no memory.\n", stderr);
        return EXIT_FOUND;
    }
    j->o = o;
    j->writer.has_header = !o->is_headless;
    j->writer.has_flags = !o->is_flagless;
    j->writer.is_force = o->is_force;
    int status = run_job(j, argc > 0 ? argv[0] : CONFIG_PATH);
    export_log_close(&j->log);
    free(j);
    return status;
}

const struct cmd cmd_export = {
    .name = "export",
    .usage = "[CONFIG or LOG]",
    .summary = "Write what the station's log holds as CSV, line protocol or frames.",
    .details =
        "Reads the log of a configuration (" CONFIG_PATH " when not given) beside the\n"
        "running gateway, or a log file: a copy, or one that was set aside. Nothing is\n"
        "written to it. Tables have the form of sluice series: a time and a value per channel\n"
        "on each line, one table per stream, ';' and the flag behind a value that has one.\n\n"
        "  sluice export --from 24h --channel 'roof-o3/*' station.yaml > day.csv\n"
        "  sluice export --format lp station.yaml | curl --data-binary @- DATABASE/write\n"
        "  sluice export --format frames --output archive/ copy-of-the-log.db\n"
        "  sluice export --salvage --output rescued/ damaged-log.db\n\n"
        "Exit status: 0 done, 1 something could not be read or written, which is told, 2 "
        "wrong\n"
        "usage, or no log.",
    .options = options,
    .options_size = sizeof(struct export_options),
    .args_max = 1,
    .run = run,
};
