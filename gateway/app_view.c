/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app_view.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"

enum { BUSY_WINDOW_MS = 60000 }; /* real */

/* A bus at the beginning of the minute under way. */
struct busy {
    int64_t since_ms; /* real */
    uint64_t busy_us;
    double share;
    bool is_whole; /* share is of a whole minute */
};

struct view {
    const struct table *table;
    const struct clock *clock;
    struct store *store;
    struct live *live;
    struct live_station station;
    enum scan_outcome *why; /* per device: of the last change */
    bool *was_silent;       /* per device */
    struct busy *busy;      /* per bus */
    struct live_bus *bus;   /* per bus: what is told of it */
    uint64_t drained_to;    /* sum of acknowledged entries when last looked at */
    int64_t progress_ms;    /* real time of the last progress of a drain */
};

static struct live_alert alert_of(const struct channel_table *t, const struct alert_rule *r,
                                  const struct alert_change *c)
{
    struct live_alert a = {
        .rule = r->id,
        .title_en = r->title_en ? r->title_en : r->id,
        .title_zh = r->title_zh ? r->title_zh : r->id,
        .channel = r->channel,
        .level = c->what == ALERT_CLEARED ? c->from_level : c->level,
        .peak = c->peak,
        .is_cleared = c->what == ALERT_CLEARED,
        .raised_ms = c->raised_ms,
        .changed_ms = c->time_ms,
        .cleared_ms = c->what == ALERT_CLEARED ? c->time_ms : 0,
        .value = c->value,
        .limit = c->limit,
        .extreme = c->extreme,
    };

    snprintf(a.key, sizeof a.key, "%s/%s/%lld", r->id, t->channels[r->channel].id,
             (long long)c->raised_ms);
    return a;
}

static struct live_index index_of(const struct pipeline_index *index)
{
    const struct index_scheme *s = index->scheme;

    return (struct live_index){
        .standard = s->standard,
        .period = index->report == INDEX_DAY ? "day" : "1h",
        .name_en = s->name_en,
        .name_zh = s->name_zh,
        .value = INDEX_NONE,
    };
}

/* What the station will have an index of is shown from the beginning. */
static void put_awaited_indices(struct view *v)
{
    for (size_t i = 0; i < table_indices_n(v->table->config); i++) {
        struct live_index x = index_of(&v->table->index[i]);
        const bool is_day = v->table->index[i].report == INDEX_DAY;
        x.cause = "awaited";
        x.cause_en = is_day ? "the first day is not over" : "the first hour is not over";
        x.cause_zh = is_day ? "首日尚未结束" : "首个小时尚未结束";
        live_put_index(v->live, &x);
    }
}

int view_create(const struct table *t, const struct clock *clock, struct store *store,
                struct view **ret)
{
    const struct station_conf *s = &t->config->station;
    size_t devices_n = t->config->devices.n;
    struct view *v = calloc(1, sizeof *v);

    if (!v)
        return -ENOMEM;
    v->table = t;
    v->clock = clock;
    v->store = store;
    v->progress_ms = mono_ms();
    v->why = calloc(devices_n + 1, sizeof *v->why);
    v->was_silent = calloc(devices_n + 1, sizeof *v->was_silent);
    v->busy = calloc(t->config->buses.n + 1, sizeof *v->busy);
    v->bus = calloc(t->config->buses.n + 1, sizeof *v->bus);
    v->station = (struct live_station){
        .id = s->id,
        .en = s->names.en ? s->names.en : s->id,
        .zh = s->names.zh ? s->names.zh : s->id,
        .region = s->region,
        .zone = s->zone,
        .lat = s->lat,
        .lon = s->lon,
        .started_ms = clock_wall_ms(clock),
        .version = sluice_version,
    };
    int rc = v->why && v->was_silent && v->busy && v->bus
                 ? live_create(&v->station, &t->channels, t->live_device, devices_n, &v->live)
                 : -ENOMEM;
    if (rc < 0) {
        view_destroy(v);
        return rc;
    }
    live_set_now(v->live, clock_wall_ms(clock));
    put_awaited_indices(v);
    *ret = v;
    return 0;
}

void view_destroy(struct view *v)
{
    if (!v)
        return;
    live_destroy(v->live);
    free(v->bus);
    free(v->busy);
    free(v->was_silent);
    free(v->why);
    free(v);
}

struct live *view_live(struct view *v)
{
    return v->live;
}

void view_on_sample(void *user, const struct sample *s)
{
    live_put_sample(((struct view *)user)->live, s);
}

void view_on_alert(void *user, const struct alert_rule *rule, const struct alert_change *c)
{
    struct view *v = user;

    if (c->what == ALERT_CANNOT_JUDGE || c->what == ALERT_JUDGES_AGAIN)
        return; /* the alert stays as it is; the channel's status says why */
    struct live_alert a = alert_of(&v->table->channels, rule, c);
    live_put_alert(v->live, &a);
}

void view_on_event(void *user, const char *json)
{
    live_put_event(((struct view *)user)->live, json);
}

static void name_parts(const struct index_result *r, struct live_index *x)
{
    size_t primary_n = 0, gaps_n = 0;
    unsigned seen = 0;

    for (unsigned i = 0; i < r->parts_n; i++) {
        const struct index_part *p = &r->parts[i];
        const char *label = index_pollutant_label(p->pollutant);
        const unsigned bit = 1u << p->pollutant;
        if (p->is_primary && r->index != INDEX_NONE && !(seen & bit))
            x->primary[primary_n++] = label;
        if (p->is_gap && !(seen & bit << INDEX_POLLUTANTS))
            x->gaps[gaps_n++] = label;
        seen |= (p->is_primary ? bit : 0) | (p->is_gap ? bit << INDEX_POLLUTANTS : 0);
    }
}

void view_on_index(void *user, const struct pipeline_index *index, int64_t time_ms,
                   const struct index_result *r)
{
    const struct index_level *level = r->level;
    struct live_index x = index_of(index);

    x.time_ms = time_ms;
    x.value = r->index;
    x.cause = index_cause_id(r->cause);
    x.cause_en = index_cause_text(r->cause, "en");
    x.cause_zh = index_cause_text(r->cause, "zh");
    if (level) {
        x.level = (int)(level - index->scheme->levels) + 1;
        x.level_en = level->en;
        x.level_zh = level->zh;
        x.class_en = level->class_en;
        x.class_zh = level->class_zh;
        x.colour_en = level->colour_en;
        x.colour_zh = level->colour_zh;
        memcpy(x.rgb, level->rgb, sizeof x.rgb);
    }
    name_parts(r, &x);
    live_put_index(((struct view *)user)->live, &x);
}

void view_put_maintenances(struct view *v, const struct calibrations *c)
{
    struct calibrations_maintenance found[LIVE_MAINTENANCES_MAX];
    struct live_maintenance all[LIVE_MAINTENANCES_MAX];
    const size_t n = c ? calibrations_maintenances(c, found, LIVE_MAINTENANCES_MAX) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct live_device *d = &v->table->live_device[found[i].device];
        all[i] = (struct live_maintenance){
            d->id, d->en, d->zh, found[i].since_ms, found[i].until_ms, "", ""
        };
        snprintf(all[i].who, sizeof all[i].who, "%s", found[i].who);
        snprintf(all[i].why, sizeof all[i].why, "%s", found[i].why);
    }
    live_put_maintenances(v->live, all, n);
}

void view_on_uplink(void *user, const struct forward_status *s)
{
    struct view *v = user;
    struct live_uplink u = {
        .id = s->id,
        .kind = s->kind,
        .is_connected = s->is_connected,
        .is_standby = s->is_standby,
        .acked_seq = s->acked_seq,
        .backlog = s->backlog,
        .backlog_bytes = s->backlog_bytes,
        .oldest_ms = s->oldest_ms,
        .sent = s->sent,
        .set_aside = s->set_aside,
    };

    snprintf(u.error, sizeof u.error, "%s", s->error);
    live_put_uplink(v->live, &u);
}

static void put_device(struct view *v, const struct poll *poll, uint32_t device)
{
    struct live_device d = v->table->live_device[device];
    struct poll_counters c;
    enum device_state state = poll_device_state(poll, device);

    poll_counters_get(poll, device, &c);
    d.state = (int)state;
    if (state == DEVICE_SILENT)
        snprintf(d.why, sizeof d.why, "%s", scan_outcome_text(v->why[device], "en"));
    d.polls = c.polls;
    d.answers = c.answers;
    d.timeouts = c.timeouts;
    d.bad_frames = c.bad_frames;
    d.exceptions = c.exceptions;
    d.link_errors = c.link_errors;
    d.last_answer_ms = c.last_answer_ms;
    live_put_device(v->live, device, &d);
}

bool view_device_state(struct view *v, const struct poll *poll, uint32_t device,
                       enum scan_outcome why)
{
    bool was_silent = v->was_silent[device];

    v->why[device] = why;
    v->was_silent[device] = poll_device_state(poll, device) == DEVICE_SILENT;
    put_device(v, poll, device);
    return was_silent;
}

/* ---- LoRa devices: nobody asks them ---- */

static enum device_state device_state_of(enum lora_state state)
{
    static const enum device_state states[] = { [LORA_WAITING] = DEVICE_WAITING,
                                                [LORA_ONLINE] = DEVICE_ONLINE,
                                                [LORA_SILENT] = DEVICE_SILENT,
                                                [LORA_DISABLED] = DEVICE_DISABLED };
    return states[state];
}

static void put_lora_device(struct view *v, uint32_t number, enum lora_state state,
                            const struct lora_device_view *of)
{
    struct live_device d = v->table->live_device[number];

    d.state = (int)device_state_of(state);
    if (state == LORA_SILENT)
        snprintf(d.why, sizeof d.why, "no uplink for three of its intervals");
    if (of) {
        d.answers = d.polls = of->net.uplinks;
        d.timeouts = of->net.lost;
        d.bad_frames = of->undecoded;
        d.last_answer_ms = of->net.heard_ms;
        if (of->why[0])
            snprintf(d.why, sizeof d.why, "%s", of->why);
    }
    live_put_device(v->live, number, &d);
}

bool view_lora_state(struct view *v, uint32_t number, enum lora_state state)
{
    bool was_silent = v->was_silent[number];

    v->was_silent[number] = state == LORA_SILENT;
    put_lora_device(v, number, state, NULL);
    return was_silent;
}

void view_put_lora(struct view *v, const struct lora *l)
{
    struct lora_device_view of;

    for (size_t i = 0; i < v->table->lora_devices_n; i++) {
        lora_device_get(l, i, "en", &of);
        put_lora_device(v, v->table->lora_device[i].number, of.state, &of);
    }
}

/* Of the last whole minute; of what there was of the first one until then. */
static double busy_share(struct busy *w, uint64_t busy_us)
{
    int64_t now_ms = mono_ms();

    if (w->since_ms == 0)
        *w = (struct busy){ .since_ms = now_ms, .busy_us = busy_us, .share = (double)NAN };
    int64_t window_ms = now_ms - w->since_ms;
    if (window_ms > 0 && (window_ms >= BUSY_WINDOW_MS || !w->is_whole))
        w->share = (double)(busy_us - w->busy_us) / 1e3 / (double)window_ms;
    if (window_ms >= BUSY_WINDOW_MS)
        *w = (struct busy){ now_ms, busy_us, w->share, true };
    return w->share;
}

static void put_polling(struct view *v, const struct poll *poll)
{
    size_t buses_n = v->table->config->buses.n;
    struct poll_jitter j;
    struct poll_bus_load load;

    for (uint32_t i = 0; i < buses_n; i++) {
        poll_bus_load_get(poll, i, &load);
        v->bus[i] = (struct live_bus){
            .id = v->table->bus[i].id,
            .busy = busy_share(&v->busy[i], load.busy_us),
            .busy_s = (double)load.busy_us / 1e6,
            .requests = load.requests,
        };
    }
    poll_jitter_get(poll, &j);
    const struct live_polling p = {
        .slot_mean = j.mean_us / 1e3,
        .slot_deviation = j.deviation_us / 1e3,
        .slot_max = (double)j.max_us / 1e3,
        .interval_deviation = j.interval_deviation_us / 1e3,
        .interval_max = (double)j.interval_max_us / 1e3,
    };
    live_put_polling(v->live, &p, v->bus, buses_n);
}

void view_tick(struct view *v, const struct poll *poll, const struct pipeline *pipeline)
{
    struct store_health h;
    struct pipeline_counters c;
    struct live_log g;

    store_health_get(v->store, &h);
    pipeline_counters_get(pipeline, &c);
    g = (struct live_log){
        .seq = h.committed.seq_last,
        .samples = h.committed.samples,
        .rows = h.committed.rows,
        .events = h.committed.events,
        .refused = c.refused,
        .size_bytes = h.size_bytes,
    };
    snprintf(g.error, sizeof g.error, "%s", h.error);
    live_put_log(v->live, &g);
    for (uint32_t i = 0; i < v->table->config->devices.n; i++)
        if (v->table->lora_bus[v->table->poll_device[i].bus].kind == LORA_NONE)
            put_device(v, poll, i);
    put_polling(v, poll);
    live_set_now(v->live, clock_wall_ms(v->clock));
}

bool view_is_drained(struct view *v, size_t uplinks_n, int64_t *idle_ms)
{
    struct live_uplink uplinks[LIVE_UPLINKS_MAX];
    struct store_health h;
    uint64_t acked = 0;
    size_t done = 0;
    size_t n = live_uplinks(v->live, uplinks, LIVE_UPLINKS_MAX);

    store_health_get(v->store, &h);
    for (size_t i = 0; i < n; i++) {
        acked += uplinks[i].acked_seq;
        done += uplinks[i].acked_seq >= h.committed.seq_last;
    }
    if (acked != v->drained_to) {
        v->drained_to = acked;
        v->progress_ms = mono_ms();
    }
    *idle_ms = mono_ms() - v->progress_ms;
    return done >= uplinks_n;
}

enum { KINDS_MAX = 16 };

const struct field_kind *uplink_choices(void)
{
    static struct field_kind kinds[KINDS_MAX + 1]; /* made once, constant afterwards */

    for (size_t i = 0; uplink_kinds[i] && i < KINDS_MAX && !kinds[i].name; i++)
        kinds[i] = (struct field_kind){
            .name = uplink_kinds[i]->name,
            .help = uplink_kinds[i]->title,
            .fields = uplink_kinds[i]->options,
            .size = uplink_kinds[i]->options_size,
        };
    return kinds;
}
