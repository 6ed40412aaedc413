/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table - the station's channels, streams and bound rules, made from a configuration.
 *
 * Built once at start or reload, constant afterwards but for table_correct(); the configuration
 * must outlive it.
 */
#pragma once

#include "gateway/base/channel.h"
#include "gateway/conf/config.h"
#include "gateway/live/live.h"
#include "gateway/lora/lora.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/poll/poll.h"
#include "gateway/store/store.h"

struct table {
    const struct config *config;
    struct channel_table channels;
    struct channel *channel;               /* = channels.channels */
    struct channel_stream *stream;         /* = channels.streams */
    struct pipeline_channel *treatment;    /* per channel */
    struct calibration_setup *calibration; /* per channel; zero for statistics */
    struct pipeline_device *device;        /* per device of the configuration */
    struct alert_rule *rule;               /* per rule and channel that it selects */
    size_t rules_n;
    struct expression **condition; /* those that rules point to */
    size_t conditions_n;
    struct pipeline_watch *watch;
    size_t watches_n;
    struct pipeline_index *index; /* table_indices.c */
    size_t indices_n;
    struct poll_bus *bus;
    struct poll_device *poll_device;
    struct live_device *live_device;
    struct lora_bus *lora_bus;       /* per bus of the configuration */
    struct lora_device *lora_device; /* those that are LoRa devices */
    size_t lora_devices_n;
};

/* Everything but the streams' numbers. 0 or -ENOMEM. */
int table_create(const struct config *config, struct table **ret);
void table_destroy(struct table *t); /* takes NULL */

/* From now on readings of the channel are corrected so, behind factor and offset of the
 * configuration. */
void table_correct(struct table *t, uint32_t channel, const struct calibration_correction *k);

/* table_statistics.c, for table.c: how many there are, in how many streams at most, and all of
 * them behind the readings. 0 or -ENOMEM. */
size_t table_statistics_n(const struct config *config);
size_t table_statistics_streams_n(size_t statistics_n);
int table_add_statistics(struct table *t);

/* table_indices.c, for table.c: how many the configuration asks for, and all of them behind the
 * statistics that they are formed of. 0 or -ENOMEM. */
size_t table_indices_n(const struct config *config);
int table_add_indices(struct table *t);

/* table_rules.c, for table.c: each rule for every channel that it selects. 0 or -ENOMEM. */
int table_add_rules(struct table *t);
void table_forget_rules(struct table *t);

/* table_watches.c, for table.c. 0 or -ENOMEM. */
int table_add_watches(struct table *t);

/* table_lora.c, for table.c: buses and devices of gateway/lora. 0 or -ENOMEM. */
int table_add_lora(struct table *t);
void table_forget_lora(struct table *t);

/* Opens every stream in the log and takes over its number. 0 or a negative errno. */
int table_open_streams(struct table *t, struct store *store);

/* table_quality.c, for table.c: what other channels each one is compared with. 0 or -ENOMEM. */
int table_relate(struct table *t);
void table_forget_peers(struct table *t);
