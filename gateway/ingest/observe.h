/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe - /metrics and /healthz of an ingest, for its monitoring. Serves texts that it was
 * given: a flood of requests cannot delay the work. GET and HEAD only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct observe;

/* "127.0.0.1:9180", "[::1]:0"; port 0 takes a free one. 0 or a negative errno with a sentence
 * in `error`. */
int observe_start(const char *listen, struct observe **ret, char *error, size_t error_size);
unsigned observe_port(const struct observe *o);
void observe_stop(struct observe *o); /* takes NULL */

/* From now on; copied. `trouble`: one line, "" when all is well. Any thread. */
void observe_set(struct observe *o, const char *metrics, size_t size, const char *trouble);
