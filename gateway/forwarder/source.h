/* SPDX-License-Identifier: Apache-2.0 */
/* source - the network datagrams may come from: "192.0.2.7", "192.0.2.0/24", "fd00::/8". Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct source { /* IPv4 as ::ffff:a.b.c.d, so that a socket of both kinds needs no case */
    uint8_t address[16];
    unsigned bits; /* 0: any */
};

/* 0 or -EINVAL: no address or network, or bits set behind its length. */
int source_parse(const char *text, struct source *ret);
bool source_has(const struct source *s, const struct sockaddr *from);
