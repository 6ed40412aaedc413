/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline - calibrate -> qc -> aggregate -> rules -> log: what happens to every reading.
 *
 * Main thread. Time comes with the scans and by pipeline_tick(); nothing here reads a clock, so
 * a replay runs the same code. Everything one scan or tick changes is one store batch.
 *
 * With a timeline the time of a row is that of its scan's boot_ms. No two rows of a stream have
 * the same time: where a time is taken, after the clock was set back, the row gets the next
 * free millisecond and its samples the flag CLK_DUP. Rows are numbered in the order they came;
 * their times are in that order too but for steps back of more than TIMELINE_SLEW_MS.
 *
 * While the clock is not believed, samples are shown, judged and alerted on at once, and
 * committed at once, with the flag CLK_UNSYNC; their rows enter stream and statistics when it
 * is believed, with the time it then was (the flag stays: it says that the time was put right),
 * or with a guess when it was waited for too long. Rows of an earlier boot keep the guess of
 * that boot. Rows that wait are lost when their device's channels change across a restart
 * meanwhile; a notice says so.
 *
 * Statistics around a step: a period that goes on in the new time goes on being counted. Any
 * other period under way is closed with the samples it has, valid from 75 % of them as always.
 * No row is written twice: samples of a period whose row stands are judged, not written.
 */
#pragma once

#include "gateway/alerts/book.h"
#include "gateway/base/channel.h"
#include "gateway/base/scan.h"
#include "gateway/clock/timeline.h"
#include "gateway/store/store.h"
#include "rules/agg/plan.h"
#include "rules/alert/alert.h"
#include "rules/index/index.h"
#include "rules/qc/qc.h"
#include "rules/watch/watch.h"

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
    struct agg_settings agg; /* all zero: as usual */
};

/* The reading of that quantity which belongs to another one of its device: wind_speed_us to
 * wind_dir_us, else the first. PIPELINE_NONE_BESIDE: there is none. */
#define PIPELINE_NONE_BESIDE UINT32_MAX
uint32_t pipeline_beside(const struct channel_table *t, uint32_t channel, const char *quantity);

/* The columns of an index's stream. Sets of pollutants have 1 << enum index_pollutant. */
enum pipeline_index_column {
    PIPELINE_INDEX_VALUE,   /* "@1h": NA has the flag of what is missing */
    PIPELINE_INDEX_LEVEL,   /* "@1h.level": 1 is the best */
    PIPELINE_INDEX_PRIMARY, /* "@1h.primary": a set; 0: none is */
    PIPELINE_INDEX_GAPS,    /* "@1h.gaps": the set of those that count as missing */
    PIPELINE_INDEX_SUB,     /* "@1h.so2_iaqi" ...: the sub-index of each pollutant, by enum
                             * index_pollutant; they stand also where the index is NA */
    PIPELINE_INDEX_COLUMNS = PIPELINE_INDEX_SUB + INDEX_POLLUTANTS
};

struct pipeline_index {
    const struct index_scheme *scheme;
    enum index_report report;
    uint32_t stream; /* index into table->streams */
    /* The channels with the means, "@1h", or "@day" and of ozone "@day.max8h";
     * PIPELINE_NONE_BESIDE: it is not measured. */
    uint32_t of[INDEX_POLLUTANTS];
    int64_t mean_ms; /* their period: a day may be formed of hours */
    enum index_plan plan[INDEX_POLLUTANTS];
    bool is_negative_zero;
};

struct pipeline_aside { /* several: their median */
    uint32_t channel[WATCH_NEIGHBOURS_MAX];
    unsigned n;
};

struct pipeline_watch {
    uint32_t channel;
    struct watch_config config;
    struct pipeline_aside aside[WATCH_ASIDES];
};

/* What a rule saw, and what became of its state. */
struct pipeline_judged {
    size_t rule; /* its number */
    int64_t time_ms;
    const struct sample *sample;   /* NULL: time passed, and there was none */
    const struct alert_look *look; /* NULL, too */
    const struct alert_state *before, *after;
    const struct alert_change *change;
};

struct pipeline_options {
    const struct channel_table *table;
    const struct pipeline_device *devices;
    size_t devices_n;
    const struct pipeline_channel *channels; /* table->n */
    const struct alert_rule *rules;          /* compiled, each bound to one channel */
    size_t rules_n;
    const struct pipeline_watch *watches; /* of readings; one a channel at most */
    size_t watches_n;
    const struct pipeline_index *indices;
    size_t indices_n;
    struct store *store; /* NULL: nothing is kept or taken up; a timeline is none then */
    struct book *book; /* attached to these rules; NULL: transitions are told, nobody answers */
    struct timeline *timeline; /* NULL: the times of the scans are the rows' */
    /* Live view; each may be NULL. on_alert and on_index tell what stands already from within
     * pipeline_create(). */
    void (*on_sample)(void *user, const struct sample *s);
    void (*on_alert)(void *user, const struct alert_rule *rule, const struct alert_change *c);
    void (*on_event)(void *user, const char *json);
    /* Every sample that a rule judges, and what changes without one; before on_event. */
    void (*on_judged)(void *user, const struct pipeline_judged *j);
    void (*on_index)(void *user, const struct pipeline_index *index, int64_t time_ms,
                     const struct index_result *r);
    /* Without a store, for whom it takes the place of the log: rows as they are for good, of
     * each stream in their order. */
    void (*on_row)(void *user, uint32_t stream, int64_t time_ms,
                   const struct series_cell *cells);
    void *user;
};

struct pipeline;

/* Takes up aggregation and alert state from the log. Options must outlive it. */
int pipeline_create(const struct pipeline_options *o, struct pipeline **ret);
void pipeline_destroy(struct pipeline *p);

/* 0, or a negative errno: the log did not take it, nor what was to be kept with it. */
int pipeline_scan(struct pipeline *p, const struct scan *s);
/* The time of the newest row of a device's readings, in the log or on its way there; 0: none.
 */
int64_t pipeline_newest_ms(const struct pipeline *p, uint32_t device);

/* About once a second of station time: closes periods, judges silence. */
void pipeline_tick(struct pipeline *p, int64_t now_ms);

/* What a condition of a rule compares, as it is known at that time: one value per channel of
 * the expression. */
void pipeline_values(const struct pipeline *p, const struct expression *e, int64_t time_ms,
                     struct expression_value *ret);

/* No more samples will come: rows whose flags might still have changed are told as they are. */
void pipeline_end_rows(struct pipeline *p);

/* The timeline has changed (timeline_observe): also when nothing is to be told, as long as
 * jump_ms is not 0. */
void pipeline_clock(struct pipeline *p, const struct timeline_change *change);
#define PIPELINE_CLOCK_KEY \
    "clock" /* state of the log: struct clock_record, with each commit \
             */

struct pipeline_service {
    enum qc_service service; /* QC_MEASURING: none */
    int64_t until_ms;        /* it ends by itself then; 0: when it is told to */
};

/*
 * What operator or schedule do to an instrument: to one channel, or to the device as a whole
 * (channel PIPELINE_NO_CHANNEL). Samples are judged by it from the next one on, beside what the
 * instrument says itself; maintenance counts above calibration, a channel's calibration above
 * its device's. QC_MEASURING ends it, then the channels settle. Kept in the log, at once: it
 * goes on after a restart or a reload. It writes no event. 0, -EINVAL (no such device, no
 * channel of it), -ENOMEM or -EAGAIN.
 */
int pipeline_service(struct pipeline *p, uint32_t device, int32_t channel,
                     const struct pipeline_service *s);
/* A person has withdrawn the alert of rule number `rule`: it begins quiet. Into the batch. */
void pipeline_withdraw(struct pipeline *p, size_t rule, struct store_batch *batch);
/* Its condition is true, its on-delay runs. */
bool pipeline_is_pending(const struct pipeline *p, size_t rule);
/* What of it is in force for a channel. */
struct pipeline_service pipeline_service_of(const struct pipeline *p, uint32_t channel,
                                            int64_t now_ms);
/* What the newest sample of a channel was part of, however that became known: by the instrument
 * or the pattern of its values, too, and while it settles. */
enum qc_service pipeline_service_seen(const struct pipeline *p, uint32_t channel);

/* A notice (device silent, clock stepped, configuration changed ...): an event of kind
 * "notice". `details` is a JSON object or NULL. */
void pipeline_notice(struct pipeline *p, int64_t now_ms, const char *what, const char *subject,
                     const char *text_en, const char *text_zh, const char *details);

struct pipeline_counters {
    uint64_t samples, rows, statistics, events, refused; /* refused: the log's queue was full */
    uint64_t held;                                       /* rows that wait for the clock, now */
};
void pipeline_counters_get(const struct pipeline *p, struct pipeline_counters *ret);
