/* SPDX-License-Identifier: Apache-2.0 */
/* export_show - what sluice export tells on standard error: progress and sentences. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct export_bar {
    bool is_on;
    bool is_drawn;
    int64_t since_ms, next_ms; /* monotonic */
};

void export_bar_begin(struct export_bar *b, bool is_on);
/* "[ 42 %] dev.roof-o3  1:05 left" now and then. */
void export_bar_show(struct export_bar *b, uint64_t done, uint64_t total, const char *what);
void export_bar_clear(struct export_bar *b);
