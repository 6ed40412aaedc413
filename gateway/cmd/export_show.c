/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/export_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"

enum {
    FIRST_MS = 500, /* what takes no longer needs no bar */
    EVERY_MS = 200,
    BLOCKS = 24,
};

void export_bar_begin(struct export_bar *b, bool is_on)
{
    int64_t now = mono_ms();

    *b = (struct export_bar){ .is_on = is_on, .since_ms = now, .next_ms = now + FIRST_MS };
}

void export_bar_show(struct export_bar *b, uint64_t done, uint64_t total, const char *what)
{
    char blocks[BLOCKS + 1];
    int64_t now;

    if (!b->is_on || total == 0 || (now = mono_ms()) < b->next_ms)
        return;
    double share = (double)done / (double)total;
    int64_t left_s = (int64_t)((double)(now - b->since_ms) * (1 - share) / share / 1000) + 1;
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = i < (int)(share * BLOCKS) ? '#' : '.';
    blocks[BLOCKS] = '\0';
    fprintf(stderr,
            say("\r[%s] %3d %%  %" PRId64 ":%02d left  %.40s\033[K",
                "\r[%s] %3d %%  剩余 %" PRId64 ":%02d  %.40s\033[K"),
            blocks, (int)(share * 100), left_s / 60, (int)(left_s % 60), what);
    b->is_drawn = true;
    b->next_ms = now + EVERY_MS;
}

void export_bar_clear(struct export_bar *b)
{
    if (b->is_drawn)
        fputs("\r\033[K", stderr);
    b->is_drawn = false;
}
