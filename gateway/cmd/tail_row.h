/* SPDX-License-Identifier: Apache-2.0 */
/* tail_row - one value as a line: of tail, of its table, and of replay. */
#pragma once

#include <stdbool.h>

enum {
    TAIL_ID_MAX = 128,
    TAIL_VALUE_MAX = 40,
    TAIL_REST_MAX = 96,
};

enum tail_tone { TONE_PLAIN, TONE_GOOD, TONE_DOUBT, TONE_BAD };

struct tail_row {
    char id[TAIL_ID_MAX], time[16], value[TAIL_VALUE_MAX];
    char rest[TAIL_REST_MAX]; /* unit and state */
    enum tail_tone tone;
};

void tail_row_print(const struct tail_row *r, bool has_color);
