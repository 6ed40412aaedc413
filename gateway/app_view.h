/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_view - carries what happens into the live view: callbacks of pipeline, poller and
 * forwarder on one side, struct live on the other. Main thread, but for view_on_uplink.
 */
#pragma once

#include "gateway/base/clock.h"
#include "gateway/calibration/calibrations.h"
#include "gateway/forward/forward.h"
#include "gateway/live/live.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/poll/poll.h"
#include "gateway/table.h"

struct view;

/* Takes up the alerts that stand in the log. The arguments must outlive it. */
int view_create(const struct table *t, const struct clock *clock, struct store *store,
                struct view **ret);
void view_destroy(struct view *v);

struct live *view_live(struct view *v);

/* user: the view */
void view_on_sample(void *user, const struct sample *s);
void view_on_alert(void *user, const struct alert_rule *rule, const struct alert_change *c);
void view_on_event(void *user, const char *json);
void view_on_index(void *user, const struct pipeline_index *index, int64_t time_ms,
                   const struct index_result *r);
void view_on_uplink(void *user, const struct forward_status *s); /* an uplink's thread */

/* A device changed its state, and why. True when it had been silent before. */
bool view_device_state(struct view *v, const struct poll *poll, uint32_t device,
                       enum scan_outcome why);

/* The same of a LoRa device, by its number; and once a second what is known of all of them. */
bool view_lora_state(struct view *v, uint32_t number, enum lora_state state);
void view_put_lora(struct view *v, const struct lora *l);

/* About once a second: counters of devices and log, the time. The clock: live_put_clock(). */
void view_tick(struct view *v, const struct poll *poll, const struct pipeline *pipeline);

/* Who works at what; NULL: nobody is asked. */
void view_put_maintenances(struct view *v, const struct calibrations *c);

/* True when every one of n uplinks has everything acknowledged; *idle_ms: real time since the
 * last progress. */
bool view_is_drained(struct view *v, size_t uplinks_n, int64_t *idle_ms);

/* The kinds of uplinks as choices of the configuration; static. */
const struct field_kind *uplink_choices(void);
