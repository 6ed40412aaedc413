/* SPDX-License-Identifier: Apache-2.0 */
/* Looks the subcommand up and calls it. */
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/options.h"
#include "gateway/codec/codec.h"

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
            name, near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
    return EXIT_USAGE;
}

/*
 * Takes "--lang zh" or "--lang=zh" out of the command line, wherever it stands; commands read
 * it through cmd_lang(). False when it names no language.
 */
static bool take_lang(int *argc, char **argv)
{
    int n = 1;

    for (int i = 1; i < *argc; i++) {
        bool is_lang = strncmp(argv[i], "--lang", 6) == 0;
        const char *lang = is_lang && argv[i][6] == '=' ? argv[i] + 7 : NULL;
        if (strcmp(argv[i], "--") == 0) {
            memmove(argv + n, argv + i, (size_t)(*argc - i) * sizeof *argv);
            n += *argc - i;
            break;
        }
        if (is_lang && !argv[i][6] && i + 1 < *argc)
            lang = argv[++i];
        if (!lang)
            argv[n++] = argv[i];
        else if ((strcmp(lang, "zh") && strcmp(lang, "en")) ||
                 setenv("SLUICE_LANG", lang, 1) < 0)
            return false;
    }
    *argc = n;
    return true;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    signal(SIGPIPE, SIG_IGN); /* a peer that went away is an error of write(), not our end */

    if (argc == 2 && strcmp(argv[1], CODEC_WORKER_COMMAND) == 0)
        return codec_worker_main();
    if (!take_lang(&argc, argv)) {
        fputs(SLUICE_NAME ": --lang is zh or en.\n", stderr);
        return EXIT_USAGE;
    }
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
