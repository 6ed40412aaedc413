/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "gateway/app.h"
#include "gateway/base/log.h"
#include "gateway/cmd/cmd.h"

struct run_options {
    const char *config, *clock, *listen, *control;
    bool is_drain, is_verbose;
};

#define OPTION(member) .offset = offsetof(struct run_options, member)

static const struct cmd_option options[] = {
    { .name = "config",
      .letter = 'c',
      .type = OPTION_TEXT,
      OPTION(config),
      .value = "FILE",
      .dflt = "/etc/sluice/sluice.yaml",
      .help = "Configuration; conf.d/*.yaml beside it joins." },
    { .name = "listen",
      .type = OPTION_TEXT,
      OPTION(listen),
      .value = "ADDR:PORT",
      .help = "Serve the page here instead of http.listen; \"off\" serves none." },
    { .name = "control",
      .type = OPTION_TEXT,
      OPTION(control),
      .value = "PATH",
      .help = "Control socket instead of the configuration's." },
    { .name = "drain",
      .type = OPTION_FLAG,
      OPTION(is_drain),
      .help = "Measure nothing: deliver what the log holds, then end." },
    { .name = "clock",
      .type = OPTION_TEXT,
      OPTION(clock),
      .value = "TEXT",
      .help = "Fast station clock of a demonstration, as sluice demo hands it over." },
    { .name = "verbose",
      .letter = 'v',
      .type = OPTION_FLAG,
      OPTION(is_verbose),
      .help = "Log every detail." },
    { 0 },
};

static int run(const void *opt, int argc, char **argv)
{
    const struct run_options *o = opt;
    struct app_options app = {
        .config_path = o->config,
        .http_listen = o->listen,
        .control_path = o->control,
        .is_drain = o->is_drain,
    };

    (void)argc, (void)argv;
    clock_init(&app.clock, 1, 0);
    if (o->clock && clock_parse(o->clock, &app.clock) < 0) {
        fprintf(stderr, "sluice run: --clock is not a clock's text: '%s'.\n", o->clock);
        return EXIT_USAGE;
    }
    if (o->is_verbose)
        log_set_level(LOG_DEBUG);
    return app_run(&app);
}

const struct cmd cmd_run = {
    .name = "run",
    .usage = "",
    .summary = "Run the gateway: poll, judge, alert, log and forward.",
    .details =
        "Stays in the foreground and logs to standard error. SIGHUP reloads the\n"
        "configuration and keeps the old one when the new one is wrong; SIGTERM commits,\n"
        "seals and ends within two seconds.\n\n"
        "Example: sluice run --config station.yaml",
    .options = options,
    .options_size = sizeof(struct run_options),
    .run = run,
};
