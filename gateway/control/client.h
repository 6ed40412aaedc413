/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client - the other end of the control socket, for the subcommands. Blocks, with limits.
 */
#pragma once

#include <stddef.h>

#define CONTROL_PATH "/run/sluice/control.sock"

enum { CONTROL_LINE_MAX = 4 << 20, CONTROL_REQUEST_MAX = 4096 };

/* The option, else SLUICE_CONTROL, else CONTROL_PATH. */
const char *control_path(const char *option);

struct control_client;

/* Connects and asks. 0, or a negative errno with a sentence in `error`. */
int control_client_open(const char *path, const char *request, struct control_client **ret,
                        char *error, size_t error_size);
void control_client_close(struct control_client *c); /* takes NULL */

/*
 * The next line without its end; lives until the next call. NULL when the daemon has hung up,
 * sent no line within timeout_ms (< 0: waits for ever), or sent one beyond CONTROL_LINE_MAX;
 * *ret_err is then 0, -ETIMEDOUT or another negative errno.
 */
char *control_client_line(struct control_client *c, int timeout_ms, int *ret_err);
