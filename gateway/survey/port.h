/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port - serial ports of this machine: which there are, and who else has one open.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { PORT_PATH_MAX = 256, PORTS_MAX = 64 };

struct port_owner {
    long pid;
    char name[64]; /* of the program: "sluice" */
};

/* True, and *ret, when another process has the port open (as far as this user may look). A
 * simulator that holds both ends of a pseudo terminal does not count. */
bool port_owner(const char *path, struct port_owner *ret);

/* 0; -ENOENT, -EACCES: this user may not read and write it; -ENOTTY: it is none. Does not open
 * the port, which could disturb whoever uses it. */
int port_check(const char *path);

/* True for a pseudo terminal: it has no speed. */
bool port_is_pty(const char *path);

struct port_entry {
    char path[PORT_PATH_MAX];   /* the stable name where there is one */
    char device[PORT_PATH_MAX]; /* "/dev/ttyUSB0" */
};

/* The serial ports under `dev` ("/dev"), by-id names first, every port once. Returns how many.
 */
size_t port_list(const char *dev, struct port_entry ports[PORTS_MAX]);
