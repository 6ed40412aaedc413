/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/hold.h"

#include "rules/detect/count.h"

int hold_miss(struct hold *h)
{
    h->missed = count_up(h->missed);
    return h->missed;
}

bool hold_value(struct hold *h, int gap, int length)
{
    if (h->missed >= gap)
        h->left = (uint16_t)length;
    h->missed = 0;
    return hold_pass(h);
}

bool hold_pass(struct hold *h)
{
    if (h->left == 0)
        return false;
    h->left--;
    return true;
}

void hold_request(struct hold *h, int n)
{
    if (n > h->left)
        h->left = (uint16_t)n;
}
