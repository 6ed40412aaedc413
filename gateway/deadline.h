/* SPDX-License-Identifier: Apache-2.0 */
/* deadline - ends the process when its orderly end takes too long. */
#pragma once

#include <stdint.h>

/*
 * In `ms` the process is gone, with a line in the log and status 1, unless it has ended by
 * itself: a disk that does not answer cannot be waited for, and what it has committed it keeps
 * as it keeps it when the power fails. Once per process; without memory for it there is no
 * deadline.
 */
void deadline_start(int64_t ms);
