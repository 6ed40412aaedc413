/* SPDX-License-Identifier: Apache-2.0 */
/* rules - what the subcommands of sluice rules share: their options. */
#pragma once

#include "gateway/cmd/cmd.h"

struct rules_options {
    const char *config;
    /* explain */
    const char *log, *replay, *series;
    int64_t before;
    bool is_all;
    /* list */
    const char *pack;
    struct option_texts set;
    /* both */
    bool is_json;
};

/* The packs, or the rules of the station whose configuration stands in argv[0]. An exit status.
 */
int rules_list(const struct rules_options *o, int argc, char **argv);

/* Told on standard error. Returns EXIT_USAGE. */
int rules_wrong(const char *sentence);
