/* SPDX-License-Identifier: Apache-2.0 */
/* options - command lines read by the option table of a command; help printed from it. */
#pragma once

#include <stdio.h>

#include "gateway/cmd/cmd.h"

enum option_result {
    OPTION_RUN,   /* go on: options bound, positional arguments first in argv */
    OPTION_HELP,  /* --help was asked for */
    OPTION_WRONG, /* `error` tells what, a full sentence */
};

/*
 * Binds argv[0..argc) (without program and command name) into `options` (options_size bytes)
 * and moves the positional arguments to the front of argv; *ret_args is their number. Texts
 * point into argv. "--name VALUE", "--name=VALUE", "-l VALUE", "--" are understood.
 */
enum option_result options_bind(const struct cmd *c, int argc, char **argv, void *options,
                                int *ret_args, char *error, size_t error_size);

/* The manual of one command, and the overview of all. */
void options_print_help(const struct cmd *c, FILE *out);
void options_print_overview(FILE *out);

/* NULL when there is none of this name. */
const struct cmd *cmd_find(const char *name);
/* The nearest command name to a misspelt one, NULL when none is near. */
const char *cmd_nearest(const char *name);
