/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history - /api/v1/history: rows of one channel from the log.
 *
 *     ?channel=roof-o3/ozone&hours=24[&points=700]    or &from=MS&to=MS for hours
 *
 * Answers
 * {"channel","source","statistic","unit","from_ms","to_ms","period_ms","is_cut","columns","rows"}.
 * Every row as stored, [ms, value, grade], or, when there are more than `points`, one per
 * bucket of equal length between the first and the last: [ms, mean, min, max, worst grade],
 * made of the values fit for use. A span that holds more readings than can be read at once is
 * answered from the 1-minute or 1-hour means.
 *
 * One thread reads, with its own connection to the log; requests wait for it suspended.
 */
#pragma once

#include "gateway/http/server.h"

struct history;

int history_create(struct http *h, struct history **ret);
/* Ends the thread; every request that waits is answered 503. Takes NULL. */
void history_stop(struct history *s);
void history_destroy(struct history *s); /* after the daemon; takes NULL */

enum MHD_Result history_serve(struct request *r);
void history_job_destroy(struct history_job *job); /* takes NULL */
