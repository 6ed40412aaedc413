/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/tail_row.h"

#include <stdio.h>

static const char *const tones[] = { "", "\033[32m", "\033[33m", "\033[31m" };

void tail_row_print(const struct tail_row *r, bool has_color)
{
    printf("%s  %-32s %12s %s%s%s\n", r->time, r->id, r->value, has_color ? tones[r->tone] : "",
           r->rest, has_color && r->tone ? "\033[0m" : "");
}
