/* SPDX-License-Identifier: Apache-2.0 */
/* view_lists - alerts, devices and destinations as lists, and the tiles that sum them up. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/http/view.h"
#include "gateway/live/live_json.h"
#include "sensors/core/unit.h"

enum { KEY_MAX = 48, CLEARED_SHOWN = 2 };

static void number_text(double x, char *buf)
{
    if (isfinite(x))
        snprintf(buf, VIEW_NUMBER_MAX, "%.6g", x);
    else
        snprintf(buf, VIEW_NUMBER_MAX, "–");
}

static void rounded_text(const struct quantity *q, double x, char *buf)
{
    if (q && isfinite(x))
        decimal_print(decimal_round(x, q->decimals), buf);
    else
        number_text(x, buf);
}

static void put_alert(struct buf *b, const struct view *v, const struct live_alert *a)
{
    const struct channel *c = a->channel < v->table->n ? &v->table->channels[a->channel] : NULL;
    const struct quantity *q = c ? c->quantity : NULL;
    const struct unit *unit = q ? unit_find_ucum(q->unit) : NULL;
    int level = a->is_cleared ? a->peak : a->level;
    int64_t since = a->is_cleared ? a->cleared_ms : a->raised_ms;
    char key[KEY_MAX], value[VIEW_NUMBER_MAX], limit[VIEW_NUMBER_MAX], extreme[VIEW_NUMBER_MAX];
    char title[VIEW_TITLE_MAX] = "", when[VIEW_TIME_MAX], iso[VIEW_TIME_MAX];

    if (q)
        view_title(v, q, title);
    snprintf(key, sizeof key, "level.%s", live_level_id(level));
    rounded_text(q, a->value, value);
    number_text(a->limit, limit);
    rounded_text(q, a->extreme, extreme);
    view_time(v, since, when);
    view_iso(since, iso);
    view_put(b, v, "alert.html",
             (const struct template_value[]){
                 { "level", live_level_id(level) },
                 { "cleared", a->is_cleared ? "true" : "false" },
                 { "word", view_word(v, key) },
                 { "title", view_pick(v, a->title_en, a->title_zh) },
                 { "quantity", title },
                 { "device", c ? view_device_name(v, c->device) : "" },
                 { "value", value },
                 { "limit", limit },
                 { "extreme", extreme },
                 { "unit", unit && unit->display ? unit->display : "" },
                 { "since", view_word(v, a->is_cleared ? "alert.cleared" : "alert.since") },
                 { "iso", iso },
                 { "time", when },
                 { 0 },
             });
}

/* The standing ones and the newest cleared ones; the others fold away. */
void view_put_alerts(struct buf *b, const struct view *v)
{
    struct buf shown = BUF_INIT(PAGE_MAX), folded = BUF_INIT(PAGE_MAX);
    size_t cleared = 0;
    char count[VIEW_NUMBER_MAX];

    for (size_t i = 0; i < v->alerts_n; i++) {
        cleared += v->alerts[i].is_cleared;
        put_alert(cleared > CLEARED_SHOWN ? &folded : &shown, v, &v->alerts[i]);
    }
    if (v->alerts_n == 0)
        view_put(&shown, v, "no_alert.html", NULL);
    view_count(cleared > CLEARED_SHOWN ? cleared - CLEARED_SHOWN : 0, count);
    if (buf_text(&shown) && buf_text(&folded))
        view_put(b, v, "alerts.html",
                 (const struct template_value[]){
                     { "shown", shown.data },
                     { "folded", folded.data },
                     { "count", count },
                     { 0 },
                 });
    b->has_failed |= shown.has_failed || folded.has_failed;
    buf_done(&shown);
    buf_done(&folded);
}

static const char *device_icon(int state)
{
    static const char *const icons[] = { "open", "ok", "bad", "none" };

    return state >= 0 && state < 4 ? icons[state] : "none";
}

static void put_device(struct buf *b, const struct view *v, const struct live_device *d)
{
    char key[KEY_MAX], when[VIEW_TIME_MAX], iso[VIEW_TIME_MAX], share[VIEW_NUMBER_MAX] = "–";

    snprintf(key, sizeof key, "device.%s", live_device_state_id(d->state));
    view_time(v, d->last_answer_ms, when);
    view_iso(d->last_answer_ms, iso);
    if (d->polls)
        snprintf(share, sizeof share, "%.4g %%", 100.0 * (double)d->answers / (double)d->polls);
    view_put(b, v, "device.html",
             (const struct template_value[]){
                 { "id", d->id },
                 { "name", view_pick(v, d->en, d->zh) },
                 { "state", live_device_state_id(d->state) },
                 { "icon", device_icon(d->state) },
                 { "word", view_word(v, key) },
                 { "why", d->why },
                 { "profile", d->profile },
                 { "bus", d->bus },
                 { "share", share },
                 { "iso", iso },
                 { "time", *when ? when : "–" },
                 { 0 },
             });
}

void view_put_devices(struct buf *b, const struct view *v)
{
    for (size_t i = 0; i < v->devices_n; i++)
        put_device(b, v, &v->devices[i]);
}

static void put_uplink(struct buf *b, const struct view *v, const struct live_uplink *u)
{
    char backlog[VIEW_NUMBER_MAX], acked[VIEW_NUMBER_MAX], aside[VIEW_NUMBER_MAX];
    bool is_well = u->is_connected || u->is_standby;

    view_count(u->backlog, backlog);
    view_count(u->acked_seq, acked);
    view_count(u->set_aside, aside);
    view_put(b, v, "uplink.html",
             (const struct template_value[]){
                 { "id", u->id },
                 { "kind", u->kind },
                 { "state", is_well ? "online" : "silent" },
                 { "icon", is_well ? "ok" : "bad" },
                 { "word", view_word(v, u->is_standby     ? "uplink.standby"
                                        : u->is_connected ? "uplink.on"
                                                          : "uplink.off") },
                 { "backlog", backlog },
                 { "acked", acked },
                 { "aside", aside },
                 { "error", u->error },
                 { 0 },
             });
}

void view_put_uplinks(struct buf *b, const struct view *v)
{
    for (size_t i = 0; i < v->uplinks_n; i++)
        put_uplink(b, v, &v->uplinks[i]);
    if (v->uplinks_n == 0)
        view_put(b, v, "no_uplink.html", NULL);
}

/* ---- tiles ---- */

struct tile {
    const char *name, *icon, *mood, *note;
    char figure[VIEW_NUMBER_MAX], of[VIEW_NUMBER_MAX];
};

static void put_tile(struct buf *b, const struct view *v, const struct tile *t)
{
    char label[KEY_MAX];

    snprintf(label, sizeof label, "tile.%s", t->name);
    view_put(b, v, "tile.html",
             (const struct template_value[]){
                 { "tile", t->name },
                 { "icon", t->icon },
                 { "mood", t->mood },
                 { "label", view_word(v, label) },
                 { "figure", t->figure },
                 { "of", t->of },
                 { "note", t->note },
                 { 0 },
             });
}

static struct tile readings_tile(const struct view *v)
{
    struct tile t = { .name = "readings", .icon = "ok", .mood = "good" };
    size_t all = 0, good = 0;

    for (size_t i = 0; i < v->table->n; i++) {
        if (v->table->channels[i].statistic)
            continue;
        all++;
        good += strcmp(view_state_of(&v->samples[i]).key, "good") == 0;
    }
    if (good < all) {
        t.icon = good ? "warn" : "none";
        t.mood = "fair";
    }
    snprintf(t.figure, sizeof t.figure, "%zu", good);
    snprintf(t.of, sizeof t.of, "/ %zu", all);
    t.note = view_word(v, "tile.readings.note");
    return t;
}

static struct tile alerts_tile(const struct view *v)
{
    struct tile t = { .name = "alerts", .icon = "ok", .mood = "good" };
    size_t standing = 0;
    int highest = 0;

    for (size_t i = 0; i < v->alerts_n && !v->alerts[i].is_cleared; i++) {
        standing++;
        highest = v->alerts[i].level > highest ? v->alerts[i].level : highest;
    }
    if (standing) {
        t.icon = "warn";
        t.mood = live_level_id(highest);
    }
    snprintf(t.figure, sizeof t.figure, "%zu", standing);
    t.note = view_word(v, standing ? "tile.alerts.some" : "tile.alerts.none");
    return t;
}

static struct tile devices_tile(const struct view *v)
{
    struct tile t = { .name = "devices", .icon = "ok", .mood = "good" };
    size_t online = 0, wanted = 0;

    for (size_t i = 0; i < v->devices_n; i++) {
        online += v->devices[i].state == 1;
        wanted += v->devices[i].state != 3;
    }
    if (online < wanted) {
        t.icon = "warn";
        t.mood = "fair";
    }
    snprintf(t.figure, sizeof t.figure, "%zu", online);
    snprintf(t.of, sizeof t.of, "/ %zu", wanted);
    t.note = view_word(v, online < wanted ? "tile.devices.some" : "tile.devices.all");
    return t;
}

static struct tile log_tile(const struct view *v)
{
    bool is_well = !v->log.error[0];
    struct tile t = { .name = "log",
                      .icon = is_well ? "ok" : "bad",
                      .mood = is_well ? "good" : "poor" };

    view_count(v->log.samples, t.figure);
    t.note = view_word(v, is_well ? "tile.log.well" : "tile.log.failing");
    return t;
}

static struct tile centre_tile(const struct view *v)
{
    struct tile t = { .name = "centre", .icon = "open", .mood = "plain" };
    uint64_t backlog = 0;
    bool is_connected = true;

    for (size_t i = 0; i < v->uplinks_n; i++) {
        backlog = v->uplinks[i].backlog > backlog ? v->uplinks[i].backlog : backlog;
        is_connected &= v->uplinks[i].is_connected || v->uplinks[i].is_standby;
    }
    t.note = view_word(v, "tile.centre.none");
    snprintf(t.figure, sizeof t.figure, "–");
    if (v->uplinks_n) {
        t.icon = is_connected ? "ok" : "warn";
        t.mood = is_connected ? "good" : "fair";
        t.note = view_word(v, is_connected ? "tile.centre.on" : "tile.centre.off");
        view_count(backlog, t.figure);
    }
    return t;
}

void view_put_tiles(struct buf *b, const struct view *v)
{
    const struct tile tiles[] = { readings_tile(v), alerts_tile(v), devices_tile(v),
                                  log_tile(v), centre_tile(v) };

    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++)
        put_tile(b, v, &tiles[i]);
}
