/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slave_tcp - a TCP port on the loop, with the instruments of one group behind it. Loop thread
 * only. Listening and connections; the requests themselves are link.h's.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "gateway/sim/slave.h"

enum {
    SLAVE_TCP_CONNECTIONS_MAX = 32, /* of one port; more are closed at once, as real ones do */
};

struct slave_tcp;

/* Digits alone, 0 to 65535. */
bool slave_tcp_port_is_ok(const char *port);
/* Listens on host and port ("0": any free one). The group must outlive it. 0 or a negative
 * errno. */
int slave_tcp_start(uv_loop_t *loop, const char *host, const char *port, struct slave_group *g,
                    struct slave_tcp **ret);
unsigned slave_tcp_port(const struct slave_tcp *t);
/* Closes everything; memory goes when the loop has run the close callbacks. Takes NULL. */
void slave_tcp_stop(struct slave_tcp *t);
