/* SPDX-License-Identifier: Apache-2.0 */
/* forward - what uplinks would send next, without sending it. */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/app_view.h"
#include "gateway/cmd/cmd.h"
#include "gateway/conf/config.h"
#include "gateway/forward/forward.h"
#include "gateway/line_check.h"
#include "gateway/store/reader.h"

enum { ERROR_MAX = 256 };

struct forward_cmd_options {
    const char *config;
    bool is_dry_run, is_whole, is_all;
};

#define OPTION(member) .offset = offsetof(struct forward_cmd_options, member)

static const struct cmd_option options[] = {
    { .name = "dry-run",
      .letter = 'n',
      .type = OPTION_FLAG,
      OPTION(is_dry_run),
      .help = "Print what would be sent next; required, since sluice run does the sending." },
    { .name = "config",
      .letter = 'c',
      .type = OPTION_TEXT,
      OPTION(config),
      .value = "FILE",
      .dflt = "/etc/sluice/sluice.yaml",
      .help = "Configuration; conf.d/*.yaml beside it joins." },
    { .name = "all",
      .letter = 'a',
      .type = OPTION_FLAG,
      OPTION(is_all),
      .help = "Everything that waits instead of the next batch." },
    { .name = "bytes",
      .letter = 'b',
      .type = OPTION_FLAG,
      OPTION(is_whole),
      .help = "Every byte: payloads in hexadecimal, all lines of every entry." },
    { 0 },
};

static void print(void *user, const char *text, size_t size)
{
    fwrite(text, 1, size, user);
}

/* Whose cursor the uplink goes by: a fallback has none of its own. */
static const char *cursor_of(const struct config *c, const char *id)
{
    const struct uplink_conf *u = c->uplinks.items;

    for (size_t i = 0; i < c->uplinks.n; i++)
        if (u[i].is_enabled && u[i].fallback && strcmp(u[i].fallback, id) == 0)
            return u[i].id;
    return id;
}

static uint64_t epoch_of(const char *log_path, char *error, size_t size)
{
    struct store_reader *r;
    uint64_t epoch = 0;

    if (store_reader_open_file(log_path, &r, error, size) < 0)
        return 0;
    epoch = store_read_epoch(r);
    store_reader_close(r);
    return epoch;
}

static int show_uplink(const struct forward_cmd_options *o, const struct config *c,
                       const struct uplink_conf *u)
{
    const struct forward_uplink uplink = {
        .id = u->id,
        .kind = uplink_kind_find(u->type.kind->name),
        .options = u->type.options,
    };
    const struct uplink_place place = { c->station.lat, c->station.lon };
    char error[ERROR_MAX] = "";
    uint64_t backlog = 0;
    const struct forward_preview p = {
        .log_path = c->log.path,
        .uplink = &uplink,
        .cursor_id = cursor_of(c, u->id),
        .station = { .id = c->station.id,
                     .region = c->station.region,
                     .name_en = c->station.names.en,
                     .name_zh = c->station.names.zh,
                     .place = isfinite(place.lat) ? &place : NULL,
                     .epoch = epoch_of(c->log.path, error, sizeof error) },
        .tries = o->is_all ? UINT_MAX : 1,
        .is_whole = o->is_whole,
        .each = print,
        .user = stdout,
    };

    printf("== %s (%s)%s\n", u->id, u->type.kind->name,
           u->is_enabled ? ""
           : say_zh()    ? "，已停用"
                         : ", disabled");
    if (error[0] || forward_preview(&p, &backlog, error, sizeof error) < 0) {
        fprintf(stderr, "sluice forward: %s\n", error);
        return EXIT_FOUND;
    }
    if (say_zh())
        printf("== 待确认条目：%" PRIu64 "\n", backlog);
    else
        printf("== %" PRIu64 " entries wait\n", backlog);
    return EXIT_DONE;
}

static int show(const struct forward_cmd_options *o, const struct config *c, const char *id)
{
    const struct uplink_conf *u = c->uplinks.items;
    int status = EXIT_DONE;
    size_t n = 0;

    for (size_t i = 0; i < c->uplinks.n; i++) {
        if (id ? strcmp(u[i].id, id) != 0 : !u[i].is_enabled)
            continue;
        int one = show_uplink(o, c, &u[i]);
        status = one > status ? one : status;
        n++;
    }
    if (n > 0)
        return status;
    if (id)
        fprintf(stderr,
                say_zh() ? "sluice forward：没有名为“%s”的上传目的地。\n"
                         : "sluice forward: There is no uplink '%s'.\n",
                id);
    else
        puts(say_zh() ? "未配置上传目的地。" : "No uplink is configured.");
    return id ? EXIT_USAGE : EXIT_DONE;
}

static int run(const void *opt, int argc, char **argv)
{
    const struct forward_cmd_options *o = opt;
    struct config *c = NULL;
    struct diag *d;

    if (!o->is_dry_run) {
        fprintf(stderr, say_zh()
                            ? "sluice forward：请加 --dry-run；实际上传由 sluice run 完成，"
                              "sluice run --drain 只上传日志中已有的数据。\n"
                            : "sluice forward: Say --dry-run; sluice run does the sending, and "
                              "sluice run --drain sends only what the log holds.\n");
        return EXIT_USAGE;
    }
    if (diag_create(&d) < 0)
        return EXIT_USAGE;
    int status = EXIT_USAGE;
    if (line_check_load(o->config, uplink_choices(), d, &c) < 0)
        diag_print(d, stderr);
    else
        status = show(o, c, argc > 0 ? argv[0] : NULL);
    if (c)
        config_destroy(c);
    diag_destroy(d);
    return status;
}

const struct cmd cmd_forward = {
    .name = "forward",
    .usage = "--dry-run [UPLINK]",
    .summary = "Show what an uplink would send next, without sending it.",
    .details =
        "Reads the log, also of a running station, and prints the next batch of each uplink\n"
        "as it would go out: topics and frames of mqtt, lines of influx, files of file.\n"
        "Nothing is connected to and nothing is written; rows that are not in a frame yet do\n"
        "not show.\n\n"
        "Example: sluice forward --dry-run --bytes centre --config station.yaml",
    .options = options,
    .options_size = sizeof(struct forward_cmd_options),
    .args_max = 1,
    .run = run,
};
