/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slave_pty - a serial line as a pseudo terminal on the loop, with the instruments of one group
 * on it, reached through a symbolic link. Loop thread only. A fault that hangs up pulls it for
 * half a second; then it is back under another name.
 */
#pragma once

#include <uv.h>

#include "gateway/sim/modem.h"
#include "gateway/sim/slave.h"

struct slave_pty;

/*
 * Makes a pseudo terminal and the link `path` to it; a link that is already there is replaced,
 * anything else is not (-EEXIST). modem not NULL: a pair of them stands between. The group must
 * outlive it. 0 or a negative errno.
 */
int slave_pty_start(uv_loop_t *loop, const char *path, const struct modem_setup *modem,
                    struct slave_group *g, struct slave_pty **ret);
/* Removes the link and closes; memory goes when the loop has run the close callbacks. Takes
 * NULL. */
void slave_pty_stop(struct slave_pty *p);
