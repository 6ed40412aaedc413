/* SPDX-License-Identifier: Apache-2.0 */
/* tail_frames - the daemon's buses as they speak, over its control socket. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "gateway/traffic/record.h"

/* Until the daemon hangs up. An exit status. */
int tail_frames(const char *path, const char *filter, bool is_json);

/* One line of the daemon as a frame. 0; 1: something else, *ret_dropped frames when it tells of
 * lost ones; -EINVAL. */
int tail_frame_read(const char *line, struct record_line *ret, uint64_t *ret_dropped);
