/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http - the station page and its API, on libmicrohttpd's own threads.
 *
 * Reads the live view and the log (its own read-only connection), writes nothing. GET and HEAD
 * only, limits on connections, time and size; a flood here cannot delay polling.
 */
#pragma once

#include "gateway/live/live.h"
#include "gateway/store/store.h"

struct http;

/* listen: "127.0.0.1:8080", "[::1]:0"; port 0 takes a free one. store may be NULL (no history).
 * 0 or a negative errno with a sentence in `error`. */
int http_start(const char *listen, struct live *live, struct store *store, struct http **ret,
               char *error, size_t error_size);
unsigned http_port(const struct http *h);
void http_stop(struct http *h); /* within 1 s, also with open streams; takes NULL */
