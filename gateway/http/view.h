/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view - the live view copied once, and the pieces of the page that are made of it.
 *
 * The page is written here alone: the browser updates numbers in place and fetches a piece anew
 * (/part/NAME) when its structure changes, so it also works without JavaScript. On
 * libmicrohttpd's thread.
 */
#pragma once

#include "gateway/http/server.h"
#include "gateway/http/template.h"

struct view {
    struct http *http;
    enum lang lang;
    int64_t now_ms;
    const struct channel_table *table;
    struct sample *samples; /* by channel; time_ms 0: none yet */
    struct live_device *devices;
    size_t devices_n;
    struct live_alert *alerts;
    size_t alerts_n;
    struct live_uplink uplinks[LIVE_UPLINKS_MAX];
    size_t uplinks_n;
    struct live_log log;
    struct live_index indices[LIVE_INDICES_MAX];
    size_t indices_n;
    struct live_maintenance maintenances[LIVE_MAINTENANCES_MAX];
    size_t maintenances_n;
};

/* 0 or -ENOMEM. */
int view_init(struct view *v, struct http *h, enum lang lang);
void view_done(struct view *v);

/* The template `file` of web/ filled with the values. */
void view_put(struct buf *b, const struct view *v, const char *file,
              const struct template_value *values);
const char *view_word(const struct view *v, const char *key);
const char *view_pick(const struct view *v, const char *en, const char *zh);
const char *view_device_name(const struct view *v,
                             const char *id); /* the id when it has none */

enum { VIEW_TIME_MAX = 32, VIEW_NUMBER_MAX = 48 };
/* "15:04:05" of the station's zone, "2026-11-22 15:04:05" when not of today; "" for 0. */
void view_time(const struct view *v, int64_t ms, char *buf);
void view_iso(int64_t ms, char *buf); /* for <time datetime>; "" for 0 */
/* "1 284 310" with narrow blanks. */
void view_count(uint64_t n, char *buf);
/* The quantity as a heading: "Ozone", "pH", "细颗粒物 PM2.5". */
enum { VIEW_TITLE_MAX = 128 };
void view_title(const struct view *v, const struct quantity *q, char *buf);
/* A measured value with the digits of its quantity, never more than it has. */
void view_value(const struct quantity *q, struct decimal d, char *buf);

/* What a sample is, as a key of the words "state.KEY" and the name of its icon. */
struct view_state {
    const char *key, *icon;
};
struct view_state view_state_of(const struct sample *s);

/* The pieces. */
void view_put_tiles(struct buf *b, const struct view *v);
void view_put_overview(struct buf *b, const struct view *v);
void view_put_alerts(struct buf *b, const struct view *v);
void view_put_groups(struct buf *b, const struct view *v);
void view_put_devices(struct buf *b, const struct view *v);
void view_put_uplinks(struct buf *b, const struct view *v);
void view_put_body(struct buf *b, const struct view *v);
