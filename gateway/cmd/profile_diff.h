/* SPDX-License-Identifier: Apache-2.0 */
/* profile_diff - what differs between two profiles, part by part. */
#pragma once

#include <stdio.h>

#include "sensors/profile/profile.h"

/* Prints one line per difference; returns their number, or -ENOMEM. Simulated levels are no
 * difference: they say nothing of the instrument. */
int profile_diff(const struct profile *a, const struct profile *b, const char *lang, FILE *out);
