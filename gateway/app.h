/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app - builds everything of a running gateway in order, owns it, tears it down in reverse.
 *
 * Two lives: the gateway's own (loop, log, signals, control socket), and one of the
 * configuration in force (tables, poller, pipeline, live view, page, forwarder), which a reload
 * replaces. Runs on the calling thread until SIGTERM or SIGINT.
 */
#pragma once

#include <stdbool.h>

#include "gateway/base/clock.h"

struct app_options {
    const char *config_path;
    struct clock clock;
    const char *http_listen;  /* replaces the configuration's; NULL: does not */
    const char *control_path; /* the same */
    bool is_drain;            /* only forward what the log holds, then end */
};

/* Returns an exit status of gateway/cmd/cmd.h. */
int app_run(const struct app_options *o);
