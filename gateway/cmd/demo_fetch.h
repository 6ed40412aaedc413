/* SPDX-License-Identifier: Apache-2.0 */
/* demo_fetch - short HTTP requests to the demonstration's own servers on loopback. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/buf.h"

struct fetch;

int fetch_create(struct fetch **ret);
void fetch_destroy(struct fetch *f);

/* GET into `b` (cleared first). Returns the HTTP status, or 0 when there was no answer in time.
 */
long fetch_get(struct fetch *f, const char *url, int timeout_ms, struct buf *b);
/* The same for an answer of any length, of which only the lines are counted. */
long fetch_count_lines(struct fetch *f, const char *url, int timeout_ms, uint64_t *ret);

/* True when something listens at this port of 127.0.0.1. */
bool port_answers(unsigned port);
