/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line_check - a configuration whose lines can carry what is asked of them.
 *
 * A serial line that is asked for more than all of its time is an error, with the numbers and
 * what would fit; from LINE_CHECK_WARN on a warning. Times are computed (gateway/poll/load.h),
 * nothing is asked.
 */
#pragma once

#include <stdio.h>

#include "gateway/conf/config.h"

/* Share of a line's time; above it one late answer makes others late. */
#define LINE_CHECK_WARN 0.8

/* config_load(), this check and that of gateway/lora_check.h: what run, reload and check go by.
 */
int line_check_load(const char *path, const struct field_kind *uplink_kinds, struct diag *d,
                    struct config **ret);

/* Messages into `d`. 0 or -ENOMEM. */
int line_check(const struct config *c, struct diag *d);

/* "bus rs485-1: 9600 8N1, 3 devices, 41 % of the line": one line for each bus, in the
 * user's language. 0 or -ENOMEM. */
int line_check_print(const struct config *c, FILE *out);
