/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "gateway/app_view.h"
#include "gateway/base/buf.h"
#include "gateway/cmd/cmd.h"
#include "gateway/line_check.h"
#include "gateway/table.h"

enum { REPORT_MAX = 4 << 20 }; /* bytes of the JSON of DIAG_MESSAGES_MAX messages and more */

struct check_options {
    bool is_print, is_strict, is_json;
};

#define OPTION(member) .offset = offsetof(struct check_options, member)

static const struct cmd_option options[] = {
    { .name = "print",
      .letter = 'p',
      .type = OPTION_FLAG,
      OPTION(is_print),
      .help = "Write the effective configuration: defaults filled in, secrets as ***." },
    { .name = "strict",
      .type = OPTION_FLAG,
      OPTION(is_strict),
      .help = "Exit with status 1 when there are warnings." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Write the messages as one JSON object." },
    { 0 },
};

static void put_message(struct buf *b, const struct diag_message *m)
{
    buf_printf(b, "{\"severity\":\"%s\",\"code\":\"E%03d\",\"file\":",
               m->is_warning ? "warning" : "error", (int)m->code);
    buf_json(b, m->mark.file);
    buf_printf(b, ",\"line\":%d,\"column\":%d,\"width\":%d,\"text\":", m->mark.line,
               m->mark.column, m->width);
    buf_json(b, m->text);
    buf_puts(b, "}");
}

static int print_json(const struct diag *d, const char *path)
{
    struct buf b = BUF_INIT(REPORT_MAX);

    buf_puts(&b, "{\"file\":");
    buf_json(&b, path);
    buf_printf(&b, ",\"errors\":%zu,\"warnings\":%zu,\"messages\":[", diag_errors(d),
               diag_warnings(d));
    for (size_t i = 0; i < diag_count(d); i++) {
        struct diag_message m = diag_get(d, i);
        buf_puts(&b, i ? ",\n" : "\n");
        put_message(&b, &m);
    }
    buf_puts(&b, "]}\n");
    const char *text = buf_text(&b);
    if (text)
        fputs(text, stdout);
    buf_done(&b);
    return text ? 0 : -1;
}

static void print_count(size_t n, const char *one, const char *many, const char *end, FILE *out)
{
    fprintf(out, "%zu %s%s", n, n == 1 ? one : many, end);
}

/* The channels that the station makes itself: means of 1 min and 1 h and the like. */
static size_t count_statistics(const struct config *c)
{
    struct table *t;

    if (table_create(c, &t) != 0)
        return 0;
    size_t n = t->channels.n - config_channels(c);
    table_destroy(t);
    return n;
}

static void print_summary_zh(const struct config *c, size_t warnings, FILE *out)
{
    fprintf(out,
            "%s：%zu 条总线，%zu 台仪器，%zu 个通道，%zu 个统计量，%zu 条规则，%zu "
            "个上传，没有错误",
            c->path, c->buses.n, c->devices.n, config_channels(c), count_statistics(c),
            c->rules.n, c->uplinks.n);
    if (warnings)
        fprintf(out, "，%zu 个警告", warnings);
    putc('\n', out);
}

static void print_summary(const struct config *c, size_t warnings, FILE *out)
{
    if (say_zh()) {
        print_summary_zh(c, warnings, out);
        return;
    }
    fprintf(out, "%s: ", c->path);
    print_count(c->buses.n, "bus", "buses", ", ", out);
    print_count(c->devices.n, "device", "devices", ", ", out);
    print_count(config_channels(c), "channel", "channels", ", ", out);
    print_count(count_statistics(c), "statistic", "statistics", ", ", out);
    print_count(c->rules.n, "rule", "rules", ", ", out);
    print_count(c->uplinks.n, "uplink", "uplinks", ": no errors", out);
    if (warnings)
        fprintf(out, ", %zu warning%s", warnings, warnings == 1 ? "" : "s");
    putc('\n', out);
}

/* The report goes where the configuration or the JSON does not. */
static void print_report(const struct check_options *o, const struct diag *d,
                         const struct config *c)
{
    FILE *out = o->is_print || o->is_json ? stderr : stdout;

    if (!o->is_json)
        diag_print(d, out);
    if (c && !o->is_json) {
        line_check_print(c, out);
        print_summary(c, diag_warnings(d), out);
    }
    if (c && o->is_print)
        config_print(c, stdout);
}

static int run(const void *opt, int argc, char **argv)
{
    const struct check_options *o = opt;
    const char *path = argc > 0 ? argv[0] : "/etc/sluice/sluice.yaml";
    struct config *c = NULL;
    struct diag *d;

    if (o->is_json && o->is_print) {
        fputs("sluice check: --print and --json exclude each other.\n", stderr);
        return EXIT_USAGE;
    }
    if (diag_create(&d) < 0) {
        fputs("sluice check: no memory.\n", stderr);
        return EXIT_FOUND;
    }
    int status = line_check_load(path, uplink_choices(), d, &c) < 0 ? EXIT_USAGE
                 : o->is_strict && diag_warnings(d)                 ? EXIT_FOUND
                                                                    : EXIT_DONE;
    print_report(o, d, c);
    if (o->is_json && print_json(d, path) < 0)
        status = EXIT_FOUND;
    if (fflush(stdout) != 0 && status == EXIT_DONE)
        status = EXIT_FOUND;
    config_destroy(c);
    diag_destroy(d);
    return status;
}

const struct cmd cmd_check = {
    .name = "check",
    .usage = "[FILE]",
    .summary = "Check a configuration, offline, and tell all its errors.",
    .details =
        "Reads FILE (/etc/sluice/sluice.yaml when not given) and the .yaml files of conf.d\n"
        "beside it, the secrets and the profiles that they name. Touches no bus and no\n"
        "network. Every error of every file is told with file, line and column, and for every\n"
        "bus how much of its time the devices ask for; a serial line that is asked for more\n"
        "than it has is an error:\n\n"
        "  sluice check station.yaml\n"
        "  sluice check --print station.yaml > effective.yaml\n\n"
        "Exit status: 0 no errors, 1 warnings with --strict, 2 errors.",
    .options = options,
    .options_size = sizeof(struct check_options),
    .args_max = 1,
    .run = run,
};
