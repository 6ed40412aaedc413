/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/notice.h"

#include "rules/detect/count.h"

void notice_raise(struct notice *n)
{
    if (!n->is_up)
        *n = (struct notice){ .is_up = true };
}

void notice_end(struct notice *n)
{
    *n = (struct notice){ 0 };
}

bool notice_pass(struct notice *n, bool still, int off)
{
    if (!n->is_up)
        return false;
    n->quiet = count_while(n->quiet, !still);
    if (n->quiet >= off)
        notice_end(n);
    return n->is_up;
}

bool notice_step(struct notice *n, bool on, bool still, int off)
{
    if (n->is_up)
        return notice_pass(n, still, off);
    if (on)
        notice_raise(n);
    return n->is_up;
}
