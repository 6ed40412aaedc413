/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notice - something that stands until it has not been seen for a number of samples in a row.
 * On-delay: ask with a counter or m of n for `on`. Slots that cannot judge are not told, so
 * that it stays as it is. Pure, plain data.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct notice {
    bool is_up;
    uint16_t quiet; /* samples in a row without it, while it is up */
};

/* Down: `on` raises it. Up: ends with the `off`-th sample in a row that is not `still` so,
 * whatever `on` is. Whether it is up. */
bool notice_step(struct notice *n, bool on, bool still, int off);

/* The two halves, for those who decide one by one. */
void notice_raise(struct notice *n);
bool notice_pass(struct notice *n, bool still, int off);
void notice_end(struct notice *n);
