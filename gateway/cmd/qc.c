/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/app_view.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/qc_table.h"
#include "gateway/line_check.h"
#include "gateway/table.h"

struct qc_cmd_options {
    const char *config;
    struct option_texts channels;
    bool is_flagged;
};

#define OPTION(member) .offset = offsetof(struct qc_cmd_options, member)

static const struct cmd_option options[] = {
    { .name = "config",
      .letter = 'c',
      .type = OPTION_TEXT,
      OPTION(config),
      .value = "FILE",
      .help = "The station's configuration: its channels are judged as it says." },
    { .name = "channel",
      .type = OPTION_TEXTS,
      OPTION(channels),
      .value = "NAME",
      .help = "Name of the next column, for a table without a heading; may be repeated." },
    { .name = "flagged",
      .type = OPTION_FLAG,
      OPTION(is_flagged),
      .help = "Leave out the samples that are good." },
    { 0 },
};

static bool find_in_table(const struct table *t, struct qc_column *column)
{
    for (size_t i = 0; i < t->channels.n; i++) {
        const struct channel *ch = &t->channel[i];
        if (ch->statistic || strcmp(ch->id, column->name) != 0)
            continue;
        column->quantity = ch->quantity;
        column->config = t->treatment[i].qc;
        column->is_configured = true;
        return true;
    }
    return false;
}

static const char *peer_name(void *user, unsigned peer)
{
    const struct table *t = user;

    return t->channel[peer].id;
}

/* "ozone", or what stands behind the device in "roof/ozone" and before "@1min". */
static const struct quantity *quantity_of(const char *name)
{
    char text[QC_NAME_MAX];
    const char *slash = strrchr(name, '/');

    snprintf(text, sizeof text, "%s", slash ? slash + 1 : name);
    text[strcspn(text, "@")] = '\0';
    return quantity_find(text);
}

static bool find_column(void *user, int64_t interval_ms, struct qc_column *column)
{
    const struct table *t = user;

    if (t && find_in_table(t, column))
        return true;
    column->quantity = quantity_of(column->name);
    if (!column->quantity)
        return false;
    column->config = qc_default(column->quantity, interval_ms);
    return true;
}

static int judge_file(const struct qc_cmd_options *o, const char *path, struct table *t)
{
    const struct qc_job job = {
        .find = find_column,
        .peer_name = peer_name,
        .user = t,
        .names = o->channels.text,
        .names_n = o->channels.n,
        .is_flagged_only = o->is_flagged,
    };
    FILE *in = path ? fopen(path, "r") : stdin;

    if (!in) {
        fprintf(stderr, "sluice qc: %s: %s\n", path, strerror(errno));
        return EXIT_USAGE;
    }
    const int status = qc_table_run(&job, in, stdout);
    if (path)
        fclose(in);
    return status;
}

static int run_with_config(const struct qc_cmd_options *o, const char *path)
{
    struct config *c = NULL;
    struct table *t = NULL;
    struct diag *d;
    int status = EXIT_USAGE;

    if (diag_create(&d) < 0)
        return EXIT_FOUND;
    const int rc = line_check_load(o->config, uplink_choices(), d, &c);
    if (rc < 0)
        diag_print(d, stderr);
    else if (table_create(c, &t) == 0)
        status = judge_file(o, path, t);
    table_destroy(t);
    config_destroy(c);
    diag_destroy(d);
    return status;
}

static int run(const void *opt, int argc, char **argv)
{
    const struct qc_cmd_options *o = opt;
    const char *path = argc > 0 && strcmp(argv[0], "-") != 0 ? argv[0] : NULL;

    return o->config ? run_with_config(o, path) : judge_file(o, path, NULL);
}

const struct cmd cmd_qc = {
    .name = "qc",
    .usage = "[FILE]",
    .summary = "Judge a table of measurements by the checks of the station.",
    .details =
        "Reads a table (time,value,value...; standard input without FILE) in the form of\n"
        "`sluice series`: time as Unix seconds, milliseconds or ISO 8601 UTC. Its heading\n"
        "names channels of the configuration (roof/ozone) or quantities (ozone), which are\n"
        "judged by their defaults. Values are in the canonical unit. Writes one line a "
        "sample:\n"
        "its QARTOD flag, grade and reasons, and the flag of every test that was done:\n\n"
        "  sluice qc --config station.yaml < series.csv\n"
        "  sluice qc --channel ozone --flagged ozone.csv\n\n"
        "Exit status: 0 done, 1 the output cannot be written, 2 errors in the table or the\n"
        "configuration.",
    .options = options,
    .options_size = sizeof(struct qc_cmd_options),
    .args_max = 1,
    .run = run,
};
