/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream - /api/v1/live: server-sent events, one stream per client.
 *
 * Each client follows the live view with version numbers of its own: at most one batch of
 * events a second, only what is new, nothing kept for it meanwhile. A client that does not read
 * is ended and never delays another.
 *
 *     event: hello    {"time","station","version","started"}
 *     event: samples  {"time","samples":[{"channel","time","value",...}]}
 *     event: alerts   {"time","alerts":[...]}
 *     event: devices  {"time","devices":[...]}
 *     event: delivery {"time","log":{...},"uplinks":[...]}
 *     event: beat     {"time"}
 */
#pragma once

#include "gateway/http/server.h"

struct streams;

int streams_create(struct http *h, struct streams **ret);
void streams_destroy(struct streams *s);

enum MHD_Result stream_serve(struct request *r);
/* Wakes the streams for which something is new, ends those that do not read. Ticker. */
void streams_tick(struct streams *s);
/* Every stream ends at its next call; wakes all. Any thread. */
void streams_stop(struct streams *s);
unsigned streams_count(struct streams *s); /* any thread */
