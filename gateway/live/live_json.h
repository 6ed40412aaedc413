/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live_json - the live view as JSON, for the page's API and the control socket alike.
 *
 * Values are written digit by digit from the decimal, never through a double. Any thread; the
 * buffer decides how much is too much (buf.h).
 */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/live/live.h"

/* "2026-11-22T07:09:30.125Z" in quotes; null for 0: never. */
void live_json_time(struct buf *b, int64_t ms);
/* A number of at most 10 significant digits; null when it is not finite. */
void live_json_double(struct buf *b, double x);
void live_json_names(struct buf *b, const char *en, const char *zh);

/* The members of a sample without the braces:
 * "time":…,"value":…,"decimals":…,"status":…,"grade":…, "reasons":[{"id","en","zh"}]. All null
 * with s == NULL: no sample yet. */
void live_json_sample_members(struct buf *b, const struct sample *s);
/* {"channel":"roof-o3/ozone", members}, with "quantity" and "unit" when is_full. */
enum live_detail { LIVE_BRIEF, LIVE_FULL };
void live_json_sample(struct buf *b, const struct channel *c, const struct sample *s,
                      enum live_detail detail);

/* Arrays, as of now. -ENOMEM leaves the buffer as it is or failed. */
int live_json_devices(struct buf *b, struct live *l);
int live_json_channels(struct buf *b, struct live *l);
int live_json_alerts(struct buf *b, struct live *l);
void live_json_uplinks(struct buf *b, struct live *l);
int live_json_buses(struct buf *b, struct live *l);
void live_json_polling(struct buf *b, struct live *l);
/* Indices of the air, each
 * {"standard","period","names","time","value","level","class","colour",
 * "rgb","primary","gaps","reason","provisional"}: a station's own are always provisional. */
void live_json_indices(struct buf *b, struct live *l);
/* {"open","unacknowledged",...}, null when nobody keeps account of alerts. */
void live_json_duty(struct buf *b, struct live *l);
/* Devices under maintenance, each {"device","names","since","until","who","why"}. */
void live_json_maintenances(struct buf *b, struct live *l);
void live_json_clock(struct buf *b, struct live *l);
void live_json_log(struct buf *b, struct live *l);

/* Everything:
 * {"station","time","words","devices","channels","indices","maintenance","polling","buses","alerts",
 * "alerts_dropped","duty","uplinks","log"}.
 * The channels are left out without LIVE_FULL. */
int live_json_now(struct buf *b, struct live *l, enum live_detail detail);

const char *live_device_state_id(int state); /* "waiting" "online" "silent" "disabled" */
const char *live_device_state_name(int state, const char *lang);
const char *live_level_id(int level); /* "none" "blue" "yellow" "orange" "red" */
