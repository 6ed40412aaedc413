/* SPDX-License-Identifier: Apache-2.0 */
/* page - `/` and its parts. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "gateway/http/server.h"
#include "gateway/http/view.h"
#include "gateway/live/live_json.h"

static const struct {
    const char *name;
    void (*put)(struct buf *b, const struct view *v);
} parts[] = {
    { "body", view_put_body },       { "tiles", view_put_tiles },
    { "alerts", view_put_alerts },   { "devices", view_put_devices },
    { "uplinks", view_put_uplinks }, { "overview", view_put_overview },
};

enum { PARTS = sizeof parts / sizeof *parts };

void page_zone_parse(const char *zone, int64_t *ret_ms)
{
    int hours = 0, minutes = 0;
    char sign = '+';

    *ret_ms = 0;
    if (zone && sscanf(zone, "%c%2d:%2d", &sign, &hours, &minutes) == 3 && hours <= 14 &&
        minutes < 60)
        *ret_ms = (sign == '-' ? -1 : 1) * (hours * 60 + minutes) * 60000LL;
}

static void put_part(struct buf *b, const struct view *v,
                     void (*put)(struct buf *b, const struct view *v), struct buf *into)
{
    *into = BUF_INIT(PAGE_MAX);
    put(into, v);
    b->has_failed |= !buf_text(into);
}

static void position_text(const struct live_station *s, char *buf, size_t size)
{
    struct buf b = BUF_INIT(64);

    live_json_double(&b, s->lat);
    buf_puts(&b, ", ");
    live_json_double(&b, s->lon);
    const char *text = buf_text(&b);
    snprintf(buf, size, "%s", text && !strstr(text, "null") ? text : "");
    buf_done(&b);
}

void view_put_body(struct buf *b, const struct view *v)
{
    const struct live_station *s = live_station_of(v->http->live);
    struct buf tiles, overview, alerts, groups, devices, uplinks;
    char when[VIEW_TIME_MAX], iso[VIEW_TIME_MAX], position[64];

    put_part(b, v, view_put_tiles, &tiles);
    put_part(b, v, view_put_overview, &overview);
    put_part(b, v, view_put_alerts, &alerts);
    put_part(b, v, view_put_groups, &groups);
    put_part(b, v, view_put_devices, &devices);
    put_part(b, v, view_put_uplinks, &uplinks);
    view_time(v, v->now_ms, when);
    view_iso(v->now_ms, iso);
    position_text(s, position, sizeof position);
    if (!b->has_failed)
        view_put(b, v, "body.html",
                 (const struct template_value[]){
                     { "station", view_pick(v, s->en, s->zh) },
                     { "other", v->lang == LANG_ZH ? s->en : s->zh },
                     { "id", s->id },
                     { "region", s->region },
                     { "zone", s->zone },
                     { "position", position },
                     { "version", s->version },
                     { "time", when },
                     { "iso", iso },
                     { "tiles", tiles.data },
                     { "overview", overview.data },
                     { "alerts", alerts.data },
                     { "groups", groups.data },
                     { "devices", devices.data },
                     { "uplinks", uplinks.data },
                     { v->lang == LANG_ZH ? "zh_current" : "en_current", "true" },
                     { v->lang == LANG_ZH ? "en_current" : "zh_current", "false" },
                     { 0 },
                 });
    buf_done(&tiles);
    buf_done(&overview);
    buf_done(&alerts);
    buf_done(&groups);
    buf_done(&devices);
    buf_done(&uplinks);
}

static void put_document(struct buf *b, const struct view *v)
{
    const struct live_station *s = live_station_of(v->http->live);
    struct buf body;

    put_part(b, v, view_put_body, &body);
    if (!b->has_failed)
        view_put(b, v, "page.html",
                 (const struct template_value[]){
                     { "lang", v->lang == LANG_ZH ? "zh-CN" : "en" },
                     { "station", view_pick(v, s->en, s->zh) },
                     { "zone", s->zone },
                     { "body", body.data },
                     { 0 },
                 });
    buf_done(&body);
}

static enum MHD_Result serve(struct request *r,
                             void (*put)(struct buf *b, const struct view *v))
{
    struct view v;
    struct buf b = BUF_INIT(PAGE_MAX);

    if (view_init(&v, r->http, r->lang))
        return MHD_NO;
    put(&b, &v);
    view_done(&v);
    return reply_buf(r, MHD_HTTP_OK, "text/html; charset=utf-8", &b);
}

enum MHD_Result page_serve(struct request *r)
{
    return serve(r, put_document);
}

enum MHD_Result page_part_serve(struct request *r, const char *part)
{
    for (size_t i = 0; i < PARTS; i++)
        if (strcmp(part, parts[i].name) == 0)
            return serve(r, parts[i].put);
    return reply_error(r, MHD_HTTP_NOT_FOUND, "There is nothing at this address.");
}
