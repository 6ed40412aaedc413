/* SPDX-License-Identifier: Apache-2.0 */
/* rules - what a station judges by, and why an alert was raised. */
#include "gateway/cmd/rules.h"

#include <stdio.h>
#include <string.h>

#include "gateway/cmd/rules_explain.h"

#define OPTION(member) .offset = offsetof(struct rules_options, member)

static const struct cmd_option options[] = {
    { .name = "config",
      .letter = 'c',
      .type = OPTION_TEXT,
      OPTION(config),
      .dflt = "/etc/sluice/sluice.yaml",
      .value = "FILE",
      .help = "explain: the station's configuration." },
    { .name = "log",
      .type = OPTION_TEXT,
      OPTION(log),
      .value = "FILE",
      .help = "explain: the log that has the alert and the readings. Not given: the "
              "configuration's." },
    { .name = "replay",
      .type = OPTION_TEXT,
      OPTION(replay),
      .value = "FOLDER",
      .help = "explain: what a replay wrote, with the alert in its alerts.json." },
    { .name = "series",
      .type = OPTION_TEXT,
      OPTION(series),
      .value = "FOLDER",
      .help = "explain: the tables that were replayed." },
    { .name = "before",
      .type = OPTION_INT,
      OPTION(before),
      .dflt = "20",
      .min = 0,
      .max = 1000,
      .value = "N",
      .help = "explain: samples shown before the alert was raised." },
    { .name = "all",
      .letter = 'a',
      .type = OPTION_FLAG,
      OPTION(is_all),
      .help = "explain: every sample until the alert ended." },
    { .name = "pack",
      .letter = 'p',
      .type = OPTION_TEXT,
      OPTION(pack),
      .value = "PACK",
      .help = "list: this pack alone." },
    { .name = "set",
      .letter = 's',
      .type = OPTION_TEXTS,
      OPTION(set),
      .value = "OPTION=VALUE",
      .help = "list: as with that option of the packs, such as zone=3." },
    { .name = "json", .type = OPTION_FLAG, OPTION(is_json), .help = "Write one JSON object." },
    { 0 },
};

int rules_wrong(const char *sentence)
{
    fprintf(stderr, "sluice rules: %s\n", sentence);
    return EXIT_USAGE;
}

static int run(const void *opt, int argc, char **argv)
{
    const struct rules_options *o = opt;

    if (argc > 0 && strcmp(argv[0], "list") == 0)
        return rules_list(o, argc - 1, argv + 1);
    if (argc > 0 && strcmp(argv[0], "explain") == 0)
        return rules_explain(o, argc - 1, argv + 1);
    return rules_wrong(say("It is list or explain.", "用法：list 或 explain。"));
}

const struct cmd cmd_rules = {
    .name = "rules",
    .usage = "list [FILE] | explain ALERT",
    .summary = "List rules and ready-made packs, or explain why an alert was raised.",
    .details =
        "list: every pack with its options and, as these are by default, its rules with their\n"
        "thresholds and where these come from. With the configuration FILE of a station: the\n"
        "rules in force there, its own and those of its packs, and the rules of packs that "
        "are\n"
        "not in force and why.\n\n"
        "explain: the readings around an alert are judged once more, and what its rule saw of\n"
        "each is shown. ALERT is the number that `sluice alert list` shows, the key, or its\n"
        "beginning.\n\n"
        "  sluice rules list --pack gb3096 --set zone=3\n"
        "  sluice rules list /etc/sluice/sluice.yaml\n"
        "  sluice rules explain 12\n\n"
        "Exit status: 0 done, 1 not found, 2 wrong usage or a configuration with errors.",
    .options = options,
    .options_size = sizeof(struct rules_options),
    .args_max = 2,
    .run = run,
};
