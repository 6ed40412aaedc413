/* SPDX-License-Identifier: Apache-2.0 */
/* Looks the subcommand up and calls it. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/options.h"

static int run_command(const struct cmd *c, int argc, char **argv)
{
    char error[512];
    int args = 0;
    int status = EXIT_USAGE;
    void *options = calloc(1, c->options_size ? c->options_size : 1);

    if (!options) {
        fputs(SLUICE_NAME ": out of memory.\n", stderr);
        return EXIT_FOUND;
    }
    switch (options_bind(c, argc, argv, options, &args, error, sizeof error)) {
    case OPTION_HELP:
        options_print_help(c, stdout);
        status = EXIT_DONE;
        break;
    case OPTION_WRONG:
        fprintf(stderr, SLUICE_NAME " %s: %s\n", c->name, error);
        break;
    case OPTION_RUN:
        status = c->run(options, args, argv);
        break;
    }
    free(options);
    return status;
}

static int unknown_command(const char *name)
{
    const char *near = cmd_nearest(name);

    fprintf(stderr, SLUICE_NAME ": unknown command '%s'%s%s%s; see " SLUICE_NAME " --help.\n",
            name, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    return EXIT_USAGE;
}

/* "--lang zh" may stand before the command; commands read it through cmd_lang(). */
static int take_lang(int argc, char **argv)
{
    if (argc < 3 || strcmp(argv[1], "--lang") != 0)
        return 0;
    return setenv("SLUICE_LANG", argv[2], 1) == 0 ? 2 : 0;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    signal(SIGPIPE, SIG_IGN); /* a peer that went away is an error of write(), not our end */

    int skip = take_lang(argc, argv);
    argc -= skip;
    argv += skip;
    if (argc < 2) {
        options_print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf(SLUICE_NAME " %s\n", sluice_version);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        options_print_overview(stdout);
        return EXIT_DONE;
    }
    const struct cmd *c = cmd_find(argv[1]);
    return c ? run_command(c, argc - 2, argv + 2) : unknown_command(argv[1]);
}
