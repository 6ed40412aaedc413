/* SPDX-License-Identifier: Apache-2.0 */
/* internal - what the files of this folder share. Nobody else includes it. */
#pragma once

#include <pthread.h>

#include "gateway/live/live.h"

/* The channels with a sample form a list in the order of their newest sample, so that a
 * follower costs what has changed, not what exists. */
struct live_slot {
    struct sample sample;
    uint64_t version; /* 0: none yet */
    uint32_t older, newer;
};

struct live_event {
    uint32_t size; /* with its NUL */
    char text[LIVE_EVENT_MAX];
};

struct live {
    const struct live_station *station; /* constant after creation, as is the table */
    const struct channel_table *table;

    pthread_mutex_t lock; /* all below */
    int64_t now_ms;
    struct live_versions versions;
    struct live_slot *slots; /* table->n */
    uint32_t oldest, newest;
    struct live_device *devices;
    size_t devices_n;
    struct live_alert alerts[LIVE_ALERTS_MAX];
    size_t alerts_n;
    uint64_t alerts_dropped;
    struct live_uplink uplinks[LIVE_UPLINKS_MAX];
    size_t uplinks_n;
    struct live_log log;
    struct live_polling polling;
    struct live_clock clock;
    struct live_index indices[LIVE_INDICES_MAX];
    size_t indices_n;
    struct live_maintenance maintenances[LIVE_MAINTENANCES_MAX];
    size_t maintenances_n;
    struct live_duty duty;
    bool has_duty;
    struct live_bus *buses;
    size_t buses_n;
    struct live_event *events; /* a ring of LIVE_EVENTS_KEPT */
    uint64_t events_n;         /* ever put */
};
