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
    bool is_json;
};

/* Told on standard error. Returns EXIT_USAGE. */
int rules_wrong(const char *sentence);
