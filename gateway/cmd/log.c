/* SPDX-License-Identifier: Apache-2.0 */
/* log - what the station's log holds, beside the running station or without it. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/store/info.h"

#define CONFIG_PATH "/etc/sluice/sluice.yaml"

enum { ERROR_MAX = 320, PATH_TEXT_MAX = 4096, STREAM_COLUMNS = 28, UPLINK_COLUMNS = 20 };

struct log_options {
    const char *config;
    bool is_json;
};

#define OPTION(member) .offset = offsetof(struct log_options, member)

static const struct cmd_option options[] = {
    { .name = "config",
      .letter = 'c',
      .type = OPTION_TEXT,
      OPTION(config),
      .dflt = CONFIG_PATH,
      .value = "FILE",
      .help = "The configuration that names the log; without FILE on the command line." },
    { .name = "json", .type = OPTION_FLAG, OPTION(is_json), .help = "One JSON object." },
    { 0 },
};

/* ---- collecting: all of it as one JSON object, which is then printed or shown ---- */

static json_t *time_json(int64_t ms)
{
    char text[TIME_TEXT_MAX];

    time_print_utc(ms, text);
    return json_string(text);
}

static void set_number(json_t *o, const char *key, uint64_t n)
{
    json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void take_stream(void *user, const struct info_stream *s)
{
    json_t *o = json_object();

    json_object_set_new(o, "name", json_string(s->name ? s->name : ""));
    set_number(o, "number", s->number);
    set_number(o, "channels", s->columns);
    json_object_set_new(o, "local", json_boolean(s->is_local));
    json_object_set_new(
        o, "codec", s->codec ? json_string(s->codec == 'd' ? "DENSE" : "PLAIN") : json_null());
    set_number(o, "frames", s->frames);
    set_number(o, "samples", s->samples);
    set_number(o, "bytes", s->bytes);
    if (s->frames > 0) {
        json_object_set_new(o, "oldest", time_json(s->t_first));
        json_object_set_new(o, "newest", time_json(s->t_last));
    }
    json_array_append_new(user, o);
}

static void take_cursor(void *user, const struct info_cursor *c)
{
    json_t *o = json_object();

    json_object_set_new(o, "uplink", json_string(c->uplink));
    set_number(o, "acked_to", c->acked_to);
    set_number(o, "waiting", c->waiting);
    set_number(o, "waiting_bytes", c->waiting_bytes);
    set_number(o, "set_aside", c->set_aside);
    if (c->waiting_since)
        json_object_set_new(o, "waiting_since", time_json(c->waiting_since));
    json_array_append_new(user, o);
}

static uint64_t file_bytes(const char *path, const char *end)
{
    char text[PATH_TEXT_MAX];
    struct stat st;

    snprintf(text, sizeof text, "%s%s", path, end);
    return stat(text, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void put_log(json_t *o, const char *path, const struct info_log *l,
                    const struct info_events *e)
{
    char epoch[17];

    snprintf(epoch, sizeof epoch, "%016" PRIx64, l->epoch);
    json_object_set_new(o, "path", json_string(path));
    json_object_set_new(o, "epoch", json_string(epoch));
    set_number(o, "schema", (uint64_t)l->version);
    set_number(o, "first", l->seq_first);
    set_number(o, "last", l->seq_last);
    set_number(o, "samples", l->samples);
    set_number(o, "rows", l->rows);
    set_number(o, "events", l->events);
    set_number(o, "events_kept", e->n);
    set_number(o, "event_bytes", e->bytes);
    set_number(o, "used_bytes", (uint64_t)l->used_bytes);
    set_number(o, "file_bytes", (uint64_t)l->file_bytes);
    set_number(o, "wal_bytes", file_bytes(path, "-wal"));
    set_number(o, "ballast_bytes", file_bytes(path, "-ballast"));
}

static int collect(struct store_reader *r, const char *path, json_t *o)
{
    json_t *streams = json_array(), *cursors = json_array();
    struct info_events events;
    struct info_log l;
    int rc = info_read_log(r, &l);

    if (rc == 0)
        rc = info_read_streams(r, take_stream, streams, &events);
    if (rc == 0)
        rc = info_read_cursors(r, take_cursor, cursors);
    if (rc == 0)
        put_log(o, path, &l, &events);
    json_object_set_new(o, "streams", streams);
    json_object_set_new(o, "cursors", cursors);
    return rc;
}

/* ---- showing ---- */

static json_int_t number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static const char *text(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));

    return t ? t : "-";
}

static double mib(json_int_t bytes)
{
    return (double)bytes / (1 << 20);
}

static void show_head(const json_t *o)
{
    printf("%s: %s\n", say("Log", "日志"), text(o, "path"));
    printf("  %s %s, %s %" JSON_INTEGER_FORMAT "\n", say("epoch", "纪元"), text(o, "epoch"),
           say("tables of version", "数据表版本"), number(o, "schema"));
    printf("  %s %" JSON_INTEGER_FORMAT " .. %" JSON_INTEGER_FORMAT "\n",
           say("entries", "条目"), number(o, "first"), number(o, "last"));
    printf("  %s: %" JSON_INTEGER_FORMAT " %s, %" JSON_INTEGER_FORMAT
           " %s, %" JSON_INTEGER_FORMAT " %s\n",
           say("accepted", "已接收"), number(o, "samples"), say("samples", "样本"),
           number(o, "rows"), say("rows", "行"), number(o, "events"), say("events", "事件"));
    printf("  %s: %.1f MiB, %s %.1f MiB, WAL %.1f MiB, %s %.1f MiB\n", say("in use", "已用"),
           mib(number(o, "used_bytes")), say("file", "文件"), mib(number(o, "file_bytes")),
           mib(number(o, "wal_bytes")), say("ballast", "预留"),
           mib(number(o, "ballast_bytes")));
}

static void show_streams(const json_t *o)
{
    const json_t *streams = json_object_get(o, "streams"), *s;
    size_t i;

    printf("%s:\n", say("Streams: name, channels, codec, samples kept, bytes, bytes a value, "
                        "oldest, newest",
                        "数据流：名称、通道数、编码、保存的样本、字节、每值字节、最早、最新"));
    json_array_foreach(streams, i, s)
    {
        json_int_t samples = number(s, "samples"), bytes = number(s, "bytes");
        printf("  %-*s %4" JSON_INTEGER_FORMAT " %-5s %12" JSON_INTEGER_FORMAT
               " %11" JSON_INTEGER_FORMAT " %6.2f  %s  %s%s\n",
               STREAM_COLUMNS, text(s, "name"), number(s, "channels"), text(s, "codec"),
               samples, bytes, samples ? (double)bytes / (double)samples : 0.0,
               text(s, "oldest"), text(s, "newest"),
               json_is_true(json_object_get(s, "local")) ? say("  (stays here)", "（仅存本站）")
                                                         : "");
    }
}

static void show_cursors(const json_t *o)
{
    const json_t *cursors = json_object_get(o, "cursors"), *c;
    size_t i;

    json_array_foreach(cursors, i, c)
    {
        printf("%s %-*s %s %" JSON_INTEGER_FORMAT ", %s %" JSON_INTEGER_FORMAT
               " %s, %.1f MiB, %s %s, %s %" JSON_INTEGER_FORMAT "\n",
               say("Uplink", "上传"), UPLINK_COLUMNS, text(c, "uplink"),
               say("acknowledged to", "已确认至"), number(c, "acked_to"),
               say("waiting", "待确认"), number(c, "waiting"), say("entries", "条目"),
               mib(number(c, "waiting_bytes")), say("since", "开始于"),
               text(c, "waiting_since"), say("set aside", "被拒收"), number(c, "set_aside"));
    }
}

static void show(const json_t *o, bool is_json)
{
    if (is_json) {
        json_dumpf(o, stdout, JSON_COMPACT);
        putchar('\n');
        return;
    }
    show_head(o);
    show_streams(o);
    show_cursors(o);
}

/* ---- the command ---- */

static int info(const char *path, bool is_json)
{
    char error[ERROR_MAX] = "";
    struct store_reader *r;
    int rc = store_reader_open_file(path, &r, error, sizeof error);

    if (rc < 0) {
        fprintf(stderr, "sluice log: %s\n", error);
        return EXIT_FOUND;
    }
    json_t *o = json_object();
    rc = collect(r, path, o);
    if (rc == 0)
        show(o, is_json);
    else
        fprintf(stderr, "sluice log: %s: %s\n", say("the log cannot be read", "无法读取日志"),
                strerror(-rc));
    json_decref(o);
    store_reader_close(r);
    return rc == 0 ? EXIT_DONE : EXIT_FOUND;
}

static int run(const void *opt, int argc, char **argv)
{
    const struct log_options *o = opt;

    if (strcmp(argv[0], "info") != 0) {
        fprintf(stderr, "sluice log: expected info, found '%s'.\n", argv[0]);
        return EXIT_USAGE;
    }
    char *path = argc > 1 ? strdup(argv[1]) : cmd_log_path(o->config);
    if (!path)
        return EXIT_USAGE;
    int status = info(path, o->is_json);
    free(path);
    return status;
}

const struct cmd cmd_log = {
    .name = "log",
    .usage = "info [FILE]",
    .summary = "Show what the station's log holds and what waits for the uplinks.",
    .details =
        "FILE is a log, of a running station too, or a copy of one; without it the log that "
        "the\nconfiguration names. Nothing is written.\n\n"
        "  sluice log info\n"
        "  sluice log info /var/lib/sluice/log.db --json\n\n"
        "Exit status: 0 done, 1 the log cannot be read, 2 wrong usage or configuration.",
    .options = options,
    .options_size = sizeof(struct log_options),
    .args_min = 1,
    .args_max = 2,
    .run = run,
};
