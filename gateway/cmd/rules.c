/* SPDX-License-Identifier: Apache-2.0 */
/* rules - what the station's rules do, and why. */
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
      .help = "The station's configuration." },
    { .name = "log",
      .type = OPTION_TEXT,
      OPTION(log),
      .value = "LOG",
      .help = "explain: a log instead of the one that the configuration names." },
    { .name = "replay",
      .type = OPTION_TEXT,
      OPTION(replay),
      .value = "DIR",
      .help = "explain: an alert of a replay, from what sluice replay left in DIR; ALERT may be "
              "its number in alerts.json." },
    { .name = "series",
      .type = OPTION_TEXT,
      OPTION(series),
      .value = "DIR",
      .help = "explain: with --replay: the tables that were replayed." },
    { .name = "before",
      .type = OPTION_INT,
      OPTION(before),
      .dflt = "20",
      .min = 1,
      .max = 500,
      .value = "N",
      .help = "explain: samples shown before the alert was raised." },
    { .name = "all",
      .letter = 'a',
      .type = OPTION_FLAG,
      OPTION(is_all),
      .help = "explain: show every sample up to the end, not only those that changed "
              "something." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Print a JSON object." },
    { 0 },
};

static const struct {
    const char *word;
    int (*run)(const struct rules_options *o, int argc, char **argv);
} verbs[] = {
    { "explain", rules_explain },
};

int rules_wrong(const char *sentence)
{
    fprintf(stderr, say("sluice rules: %s\n", "sluice rules：%s\n"), sentence);
    return EXIT_USAGE;
}

static int run(const void *opt, int argc, char **argv)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].word, argv[0]) == 0)
            return verbs[i].run(opt, argc - 1, argv + 1);
    return rules_wrong(say("It is explain ALERT.", "用法：explain 警报。"));
}

const struct cmd cmd_rules = {
    .name = "rules",
    .usage = "explain ALERT",
    .summary = "Tell why an alert was raised, sample by sample.",
    .details =
        "ALERT is the number or the key that `sluice alert list` shows, or the beginning of "
        "the\n"
        "key. The readings around it are taken from the station's log, running or not, and "
        "judged\n"
        "once more by the code that judged them then: with each sample its value, its flag, "
        "what\n"
        "became of it, and how far the delay of each level had got; what conditions compared;\n"
        "why it was raised at this sample and not before; what followed until it cleared.\n"
        "When the present rule is not the one that raised it, this is told.\n\n"
        "  sluice rules explain 12\n"
        "  sluice rules explain high/roof/ozone --config station.yaml --log copy-of-the-log.db\n"
        "  sluice rules explain 3 --config station.yaml --replay judged/ --series week/\n\n"
        "Exit status: 0 done; 1 there is no such alert, or judging it once more does not "
        "raise\n"
        "it; 2 wrong usage, configuration, log or series.",
    .options = options,
    .options_size = sizeof(struct rules_options),
    .args_min = 1,
    .args_max = -1,
    .run = run,
};
