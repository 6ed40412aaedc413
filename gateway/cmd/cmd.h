/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd - the subcommands: one file each, one line in cmd.def, one option table each, from which
 * parser, help and completion follow.
 *
 * Exit codes: 0 done, 1 ran and found something wrong, 2 wrong usage or configuration.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXIT_DONE = 0, EXIT_FOUND = 1, EXIT_USAGE = 2 };

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_INT, OPTION_DOUBLE, OPTION_TEXTS };

struct option_texts { /* of a repeatable option, in order; points into argv */
    const char *text[64];
    size_t n;
};

struct cmd_option {
    const char *name; /* "speed": --speed VALUE or --speed=VALUE */
    char letter;      /* 0: none */
    enum option_type type;
    size_t offset;     /* bool, const char *, int64_t, double, struct option_texts */
    const char *dflt;  /* NULL: false, NULL, 0 */
    double min, max;   /* both 0: unchecked */
    const char *value; /* name of the value in the help: "FILE" */
    const char *help;  /* one sentence */
};

/* The row for the daemon's socket, in a table whose options have a member `control`. */
#define CMD_CONTROL_OPTION \
    { \
        .name = "control", .type = OPTION_TEXT, OPTION(control), .value = "PATH", \
        .help = "Control socket of the daemon; default SLUICE_CONTROL, then " CONTROL_PATH "." \
    }

struct cmd {
    const char *name;
    const char *usage;                /* what follows the name: "[FILE]" */
    const char *summary;              /* one line, a sentence */
    const char *details;              /* paragraphs and examples; NULL */
    const struct cmd_option *options; /* closed by one without a name */
    size_t options_size;
    int args_min, args_max; /* positional arguments; max -1: any number */
    int (*run)(const void *options, int argc, char **argv); /* positional ones only */
};

/* All commands, from cmd.def, closed by NULL. */
extern const struct cmd *const cmds[];

#define SLUICE_NAME "sluice"
extern const char sluice_version[];

/* "zh" or "en": from --lang, else LC_ALL, LC_MESSAGES, LANG. For people only. */
const char *cmd_lang(void);
bool say_zh(void);
/* The one of the two that the user reads. */
__attribute__((format_arg(1), format_arg(2))) const char *say(const char *en, const char *zh);

/* Whether every one of them is a folder; for one that is not, a sentence on stderr. */
bool cmd_has_folders(const char *command, const struct option_texts *folders);

/* The log that the configuration names; free() it. NULL after telling why. */
char *cmd_log_path(const char *config);
