/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline - calibrate -> qc -> aggregate -> rules -> log: what happens to every reading.
 *
 * Main thread. Time comes with the scans and by pipeline_tick(); nothing here reads a clock, so
 * a replay runs the same code. Everything one scan or tick changes is one store batch.
 */
#pragma once

#include "gateway/base/channel.h"
#include "gateway/base/scan.h"
#include "gateway/store/store.h"
#include "rules/alert/alert.h"
#include "rules/qc/qc.h"

enum { PIPELINE_NO_CHANNEL = -1 };

struct pipeline_device {
    const char *id;
    uint32_t stream; /* index into table->streams: its readings */
    const int32_t
        *channel_of; /* per point of the profile: channel index or PIPELINE_NO_CHANNEL */
    size_t points_n;
    /* Where conversion or calibration is not the identity the value as read is kept too, in a
     * stream of its own that is not forwarded: its number, and the point of each column. */
    uint32_t raw_stream;
    const uint32_t *raw_points;
    uint32_t raw_n;
};

/* How a reading channel is treated; one per channel, zero for statistics. */
struct pipeline_channel {
    double factor, offset; /* calibration, canonical unit */
    struct qc_config qc;
};

struct pipeline_options {
    const struct channel_table *table;
    const struct pipeline_device *devices;
    size_t devices_n;
    const struct pipeline_channel *channels; /* table->n */
    const struct alert_rule *rules;          /* compiled, each bound to one channel */
    size_t rules_n;
    struct store *store;
    /* Live view; each may be NULL. on_alert tells those that stand already from within
     * pipeline_create(). */
    void (*on_sample)(void *user, const struct sample *s);
    void (*on_alert)(void *user, const struct alert_rule *rule, const struct alert_change *c);
    void (*on_event)(void *user, const char *json);
    void *user;
};

struct pipeline;

/* Takes up aggregation and alert state from the log. Options must outlive it. */
int pipeline_create(const struct pipeline_options *o, struct pipeline **ret);
void pipeline_destroy(struct pipeline *p);

void pipeline_scan(struct pipeline *p, const struct scan *s);

/* About once a second of station time: closes periods, judges silence. */
void pipeline_tick(struct pipeline *p, int64_t now_ms);

/* A notice (device silent, clock stepped, configuration changed ...): an event of kind
 * "notice". `details` is a JSON object or NULL. */
void pipeline_notice(struct pipeline *p, int64_t now_ms, const char *what, const char *subject,
                     const char *text_en, const char *text_zh, const char *details);

struct pipeline_counters {
    uint64_t samples, rows, statistics, events, refused; /* refused: the log's queue was full */
};
void pipeline_counters_get(const struct pipeline *p, struct pipeline_counters *ret);
