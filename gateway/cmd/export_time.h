/* SPDX-License-Identifier: Apache-2.0 */
/* export_time - a time as people write it on a command line. Pure. */
#pragma once

#include <stdint.h>

/*
 * "2026-11-22", "2026-11-22T10:00[:00[.125]][Z|+08:00]" (or a blank for the T), Unix seconds or
 * milliseconds, "now", "24h" or "-24h" before now. UTC where no offset is given. 0 or -EINVAL.
 */
int export_time_parse(const char *text, int64_t now_ms, int64_t *ret_ms);
