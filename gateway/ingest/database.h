/* SPDX-License-Identifier: Apache-2.0 */
/*
 * database - writes lines, and finds out when they are on the database's disk.
 *
 * InfluxDB answers a write after its own log has it. VictoriaMetrics answers while the samples
 * are in memory only and forgets them when it is killed in the next seconds; making a snapshot
 * (and removing it again) is its one documented call that first writes everything to files. A
 * process that began after the write cannot vouch for it: its start time is compared.
 *
 * One thread at a time; database_stop() may come from any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/uplink/line_post.h"

enum database_proof {
    DATABASE_AUTO,     /* SNAPSHOT for VictoriaMetrics, ANSWER for all others */
    DATABASE_ANSWER,   /* a write's answer is all there is */
    DATABASE_SNAPSHOT, /* VictoriaMetrics, single node */
};

struct database_options {
    struct http_post_options http;
    enum line_post_format format;
    bool is_plain; /* requests are not compressed */
    enum database_proof proof;
};

struct database_facts { /* as far as it tells */
    bool is_victoria;
    bool needs_proof;      /* an answered write counts only after database_prove() */
    bool lacks_dedup;      /* a line that comes again would count twice */
    int64_t retention_ms;  /* older points it drops in silence; 0: unknown */
    int64_t start_s, up_s; /* since 1970, of its process; how long it runs */
};

struct database;

/* Does not connect. 0, -ENOMEM, -EINVAL (an address, or credentials no header can carry). */
int database_create(const struct database_options *o, struct database **ret);
void database_destroy(struct database *d);

/* Asks first what it writes to, when that is not known. Verdicts as
 * http_post_request(). */
enum uplink_verdict database_write(struct database *d, const void *body, size_t size,
                                   struct uplink_report *why);

/* Delivered: all that was answered since the last failed proof is on disk. Any other verdict:
 * all of it has to be written again. */
enum uplink_verdict database_prove(struct database *d, struct uplink_report *why);

/* Known after the first delivered write. */
const struct database_facts *database_facts(const struct database *d);

void database_stop(struct database *d);

/* What the text that VictoriaMetrics gives at /metrics says. False when it is not its. Pure. */
bool database_read_metrics(const char *text, struct database_facts *ret);
