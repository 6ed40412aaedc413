/* SPDX-License-Identifier: Apache-2.0 */
/* http_script - what servers that follow a script share: a port, and requests read whole. */
#pragma once

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

/* The socket that listens on a free port of the loopback. */
static inline int script_listen(uint16_t *ret_port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 8), 0);
    getsockname(fd, (struct sockaddr *)&a, &size);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

/* One request with its body, NUL-terminated, into text of `max` bytes. Returns its size and
 * that of its head; 0 when the other end is gone. */
static inline size_t script_read(int fd, char *text, size_t max, size_t *ret_head)
{
    size_t n = 0, need = SIZE_MAX;

    while (n < need && n < max - 1) {
        ssize_t got = read(fd, text + n, max - 1 - n);
        if (got <= 0)
            return 0;
        n += (size_t)got;
        text[n] = '\0';
        char *end = strstr(text, "\r\n\r\n");
        char *length = strcasestr(text, "Content-Length:");
        if (end) {
            *ret_head = (size_t)(end + 4 - text);
            need = *ret_head + (length ? strtoul(length + 15, NULL, 10) : 0);
        }
    }
    return n;
}
