/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "gateway/app_alerts.h"
#include "gateway/app_asked.h"
#include "gateway/app_calibration.h"
#include "gateway/app_lora.h"
#include "gateway/app_standing.h"
#include "gateway/app_view.h"
#include "gateway/base/log.h"
#include "gateway/cmd/cmd.h"
#include "gateway/command/commands.h"
#include "gateway/control/control.h"
#include "gateway/deadline.h"
#include "gateway/forward/forward.h"
#include "gateway/http/http.h"
#include "gateway/line_check.h"
#include "gateway/station_clock.h"
#include "gateway/table.h"

#define TICK_MS           1000 /* station time: closing of periods, staleness, live counters */
#define DRAIN_POLL_MS     100  /* real */
#define STOP_MS           1800 /* real: leaves a little of the two seconds that a stop may take */
#define DRAIN_PATIENCE_MS 120000 /* a drain without progress for so long gives up */

/* Everything that hangs on one configuration. */
struct station {
    struct app *app;
    struct config *config;
    struct table *table;
    struct view *view;
    struct pipeline_options pipeline_options;
    struct pipeline *pipeline;
    struct poll *poll;
    struct http *http;
    struct forward_uplink *uplinks;
    struct uplink_place place;
    struct forward_options forward_options;
    struct forward *forward;
};

struct app {
    const struct app_options *o;
    struct station_clock clock;
    uv_loop_t loop;
    uv_timer_t tick;
    uv_signal_t on_term, on_int, on_hup;
    struct store *store;
    struct control *control;
    struct commands *commands; /* NULL: a drain takes none */
    struct app_calibration calibration;
    struct app_alerts alerts;
    struct app_standing standing;
    struct app_asked asked;
    struct app_lora lora;
    struct station *station;
    struct config *next;         /* checked, waiting for the old poller to end */
    pthread_mutex_t commit_lock; /* guards what the log's thread tells: */
    struct forward *forward;
    struct commands *committed_for;
    bool is_stopping;
    bool is_started; /* with its first configuration */
    int status;
};

/* ---- the log's side ---- */

static void on_commit(void *user, const struct store_commit *c)
{
    struct app *a = user;

    pthread_mutex_lock(&a->commit_lock);
    if (a->forward)
        forward_wake(a->forward, c->seq_last);
    if (a->committed_for)
        commands_committed(a->committed_for, c->batches);
    pthread_mutex_unlock(&a->commit_lock);
    app_asked_committed(&a->asked);
    app_lora_committed(&a->lora, c->batches);
}

static void set_forward(struct app *a, struct forward *f)
{
    pthread_mutex_lock(&a->commit_lock);
    a->forward = f;
    pthread_mutex_unlock(&a->commit_lock);
}

/* Channels coded DENSE: 2,000 take 12 MB. */
static const unsigned dense_columns[] = {
    [LOG_CODEC_AUTO] = 2000,
    [LOG_CODEC_DENSE] = UINT_MAX,
    [LOG_CODEC_PLAIN] = 0,
};

static int open_store(struct app *a, const struct log_conf *c)
{
    char error[256] = "";
    const struct store_options o = {
        .path = c->path,
        .commit_ms = c->commit_ms,
        .seal_ms = c->seal_ms,
        .seal_rows = (unsigned)c->seal_rows,
        .dense_columns_max = dense_columns[c->codec],
        .size_max_bytes = c->size_max,
        .ballast_bytes = c->ballast,
        .age_max_ms = c->age_max_ms,
        .is_ending = a->o->is_drain,
        .speed = a->clock.clock.speed,
        .clock = &a->clock.clock,
    };
    int rc = store_open(&o, on_commit, a, &a->store, error, sizeof error);

    if (rc < 0)
        log_error("log %s cannot be opened: %s", c->path, error);
    return rc;
}

/* ---- the field's side ---- */

static void on_scan(void *user, const struct scan *scan)
{
    struct station *s = user;

    pipeline_scan(s->pipeline, scan);
}

static void on_sample(void *user, const struct sample *sample)
{
    struct station *s = user;

    view_on_sample(s->view, sample);
    if (s->app->calibration.pipeline)
        calibrations_sample(s->app->calibration.calibrations, sample);
}

static void on_alert(void *user, const struct alert_rule *rule, const struct alert_change *c)
{
    view_on_alert(((struct station *)user)->view, rule, c);
}

static void on_event(void *user, const char *json)
{
    view_on_event(((struct station *)user)->view, json);
}

static void on_index(void *user, const struct pipeline_index *index, int64_t time_ms,
                     const struct index_result *r)
{
    view_on_index(((struct station *)user)->view, index, time_ms, r);
}

static void on_device_state(void *user, uint32_t device, enum device_state state,
                            enum scan_outcome why)
{
    struct station *s = user;
    int64_t now_ms = clock_wall_ms(&s->app->clock.clock);
    const struct poll_device *d = &s->table->poll_device[device];
    char en[160], zh[160];

    bool was_silent = view_device_state(s->view, s->poll, device, why);
    if (state == DEVICE_SILENT) {
        snprintf(en, sizeof en, "Device %s is silent: %s.", d->id,
                 scan_outcome_text(why, "en"));
        snprintf(zh, sizeof zh, "设备 %s 失联：%s。", d->id, scan_outcome_text(why, "zh"));
        log_notice("device %s is silent: %s", d->id, scan_outcome_text(why, "en"));
        pipeline_notice(s->pipeline, now_ms, "device_silent", d->id, en, zh, NULL);
    } else if (state == DEVICE_ONLINE && was_silent) {
        snprintf(en, sizeof en, "Device %s answers again.", d->id);
        snprintf(zh, sizeof zh, "设备 %s 恢复应答。", d->id);
        log_notice("device %s answers again", d->id);
        pipeline_notice(s->pipeline, now_ms, "device_back", d->id, en, zh, NULL);
    }
}

static const char *device_of(const struct station *s, uint32_t bus, uint8_t unit)
{
    for (size_t i = 0; i < s->config->devices.n; i++) {
        const struct poll_device *d = &s->table->poll_device[i];
        if (d->bus == bus && d->unit == unit)
            return d->id;
    }
    return NULL;
}

static void on_frame(void *user, uint32_t bus, const struct bus_frame *f)
{
    struct station *s = user;
    const struct poll_bus *b = &s->table->bus[bus];

    control_put_frame(s->app->control,
                      &(struct control_frame){
                          .bus = b->id,
                          .device = device_of(s, bus, f->unit),
                          .framing = b->place.type == BUS_MODBUS_TCP ? "tcp" : "rtu",
                          .fate = bus_fate_name(f->fate),
                          .unit = f->unit,
                          .time_ms = f->time_ms,
                          .since_us = f->since_us,
                          .bytes = f->bytes,
                          .n = f->n,
                      });
}

/* Of control: somebody looks at frames now, or nobody any more. */
static void on_watch(void *user, bool is_on)
{
    struct app *a = user;

    if (a->station && a->station->poll && !a->is_stopping)
        poll_watch(a->station->poll, is_on);
    if (!a->is_stopping)
        app_lora_watch(&a->lora, is_on);
}

/* ---- one configuration ---- */

static void station_destroy(struct station *s)
{
    if (!s)
        return;
    http_stop(s->http);
    set_forward(s->app, NULL);
    forward_destroy(s->forward);
    poll_destroy(s->poll);
    app_lora_destroy(&s->app->lora);
    pipeline_destroy(s->pipeline);
    app_alerts_detach(&s->app->alerts);
    view_destroy(s->view);
    table_destroy(s->table);
    free(s->uplinks);
    config_destroy(s->config);
    free(s);
}

static int start_pipeline(struct station *s)
{
    struct table *t = s->table;
    struct app_alerts *alerts = &s->app->alerts;

    alerts->on_event = on_event;
    alerts->user = s;
    app_alerts_attach(alerts, t, s->app->clock.timeline);
    s->pipeline_options = (struct pipeline_options){
        .table = &t->channels,
        .devices = t->device,
        .devices_n = s->config->devices.n,
        .channels = t->treatment,
        .rules = t->rule,
        .rules_n = t->rules_n,
        .watches = t->watch,
        .watches_n = t->watches_n,
        .indices = t->index,
        .indices_n = t->indices_n,
        .store = s->app->store,
        .book = alerts->book,
        .timeline = s->app->clock.timeline,
        .on_sample = on_sample,
        .on_alert = on_alert,
        .on_event = on_event,
        .on_index = on_index,
        .user = s,
    };
    int rc = pipeline_create(&s->pipeline_options, &s->pipeline);
    alerts->pipeline = rc == 0 ? s->pipeline : NULL;
    return rc;
}

static int start_poll(struct station *s)
{
    const struct poll_options o = {
        .loop = &s->app->loop,
        .clock = &s->app->clock.clock,
        .buses = s->table->bus,
        .buses_n = s->config->buses.n,
        .devices = s->table->poll_device,
        .devices_n = s->config->devices.n,
        .on_scan = on_scan,
        .on_state = on_device_state,
        .on_frame = on_frame,
        .user = s,
    };
    int rc = poll_create(&o, &s->poll);

    if (rc < 0)
        return rc;
    poll_watch(s->poll, control_is_watched(s->app->control)); /* since before a reload */
    poll_start(s->poll);
    return 0;
}

static int start_lora(struct station *s)
{
    struct app_lora *l = &s->app->lora;

    l->table = s->table;
    l->pipeline = s->pipeline;
    l->view = s->view;
    l->timeline = s->app->clock.timeline;
    l->clock = &s->app->clock.clock;
    int rc = app_lora_start(l, &s->app->loop, s->app->store);
    return s->app->is_started ? 0 : rc; /* a reload never ends a station that measures */
}

/* A fallback that is not enabled takes over nothing. One that is has no cursor of its own. */
static const char *fallback_of(struct station *s, const struct uplink_conf *u)
{
    const struct uplink_conf *all = s->config->uplinks.items;

    for (size_t i = 0; u->fallback && i < s->config->uplinks.n; i++) {
        if (!all[i].is_enabled || strcmp(all[i].id, u->fallback) != 0)
            continue;
        store_cursor_forget(s->app->store, u->fallback);
        return u->fallback;
    }
    return NULL;
}

static bool is_centre(const struct forward_uplink *u)
{
    return u->kind && u->kind->is_centre && u->kind->is_centre(u->options);
}

/* Before the uplinks begin: the first of their repeats has what an earlier run left. */
static void offer_standing(struct station *s, size_t uplinks_n)
{
    struct app_standing *t = &s->app->standing;

    t->is_wanted = false;
    for (size_t i = 0; i < uplinks_n; i++)
        t->is_wanted |= s->uplinks[i].kind && s->uplinks[i].kind->repeat_ms;
    app_standing_put(t, s->app->alerts.book, s->app->store,
                     clock_wall_ms(&s->app->clock.clock));
}

static int start_forward(struct station *s)
{
    const struct uplink_conf *u = s->config->uplinks.items;
    size_t n = 0;

    s->uplinks = calloc(s->config->uplinks.n + 1, sizeof *s->uplinks);
    if (!s->uplinks)
        return -ENOMEM;
    for (size_t i = 0; i < s->config->uplinks.n; i++) {
        if (u[i].is_enabled)
            s->uplinks[n++] = (struct forward_uplink){
                .id = u[i].id,
                .kind = uplink_kind_find(u[i].type.kind->name),
                .options = u[i].type.options,
                .fallback = fallback_of(s, &u[i]),
                .failover_ms = u[i].failover_ms,
                .asking = app_asked_box(&s->app->asked, u[i].id),
            };
    }
    for (size_t i = 0; i < n; i++)
        if (is_centre(&s->uplinks[i]))
            app_alerts_centre(&s->app->alerts, s->uplinks[i].id);
    offer_standing(s, n);
    s->place = (struct uplink_place){ s->config->station.lat, s->config->station.lon };
    s->forward_options = (struct forward_options){
        .store = s->app->store,
        .clock = &s->app->clock.clock,
        .station = {
            .id = s->config->station.id,
            .region = s->config->station.region,
            .name_en = s->config->station.names.en,
            .name_zh = s->config->station.names.zh,
            .place = isfinite(s->place.lat) ? &s->place : NULL,
            .epoch = store_epoch(s->app->store),
            .standing = &s->app->standing.given,
        },
        .uplinks = s->uplinks,
        .uplinks_n = n,
        .on_status = view_on_uplink,
        .user = s->view,
    };
    int rc = forward_create(&s->forward_options, &s->forward);
    if (rc == 0)
        set_forward(s->app, s->forward);
    return rc;
}

static int start_http(struct station *s)
{
    const char *listen =
        s->app->o->http_listen ? s->app->o->http_listen : s->config->http.listen;
    char error[256] = "";

    if (!listen || !*listen || strcmp(listen, "off") == 0 || s->app->o->is_drain)
        return 0;
    int rc =
        http_start(listen, view_live(s->view), s->app->store, &s->http, error, sizeof error);
    if (rc == 0)
        log_info("page at port %u", http_port(s->http));
    else if (s->app->is_started) /* a reload never ends a station that measures */
        log_error("the page cannot be served at %s, going on without it: %s", listen, error);
    else
        log_error("the page cannot be served at %s: %s", listen, error);
    return s->app->is_started ? 0 : rc;
}

/* What a step of the start does, and its name for the log when it fails. */
static int start_all(struct station *s)
{
    static const struct {
        int (*start)(struct station *s);
        const char *name;
        bool is_for_drain;
    } steps[] = {
        { start_pipeline, "pipeline", false }, { start_forward, "forwarder", true },
        { start_http, "page", false },         { start_lora, "LoRa", false },
        { start_poll, "poller", false },
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof steps / sizeof steps[0]; i++) {
        if (s->app->o->is_drain && !steps[i].is_for_drain)
            continue;
        rc = steps[i].start(s);
        if (rc < 0)
            log_error("%s cannot start: %s", steps[i].name, strerror(-rc));
    }
    return rc;
}

/* Takes over `config` in any case. */
static int station_create(struct app *a, struct config *config, struct station **ret)
{
    struct station *s = calloc(1, sizeof *s);

    if (!s) {
        config_destroy(config);
        return -ENOMEM;
    }
    s->app = a;
    s->config = config;
    int rc = table_create(config, &s->table);
    if (rc == 0)
        rc = table_open_streams(s->table, a->store);
    if (rc == 0)
        rc = view_create(s->table, &a->clock.clock, a->store, &s->view);
    if (rc == 0)
        rc = start_all(s);
    if (rc < 0) {
        station_destroy(s);
        return rc;
    }
    size_t channels_n = config_channels(config);
    log_info(
        "station %s runs: %zu buses, %zu devices, %zu channels, %zu statistics, %zu rules, "
        "%zu uplinks",
        config->station.id, config->buses.n, config->devices.n, channels_n,
        s->table->channels.n - channels_n, config->rules.n, s->forward_options.uplinks_n);
    *ret = s;
    return 0;
}

/* ---- commands of instruments ---- */

static void set_committed_for(struct app *a, struct commands *c)
{
    pthread_mutex_lock(&a->commit_lock);
    a->committed_for = c;
    pthread_mutex_unlock(&a->commit_lock);
}

static void on_answer(void *user, uint64_t ticket, const char *json)
{
    const struct app *a = user;

    control_answer(a->control, ticket, json);
}

static void on_command(void *user, uint64_t ticket, const char *json, const char *who)
{
    struct app *a = user;

    commands_request(a->commands, json, who, on_answer, a, ticket);
}

static void start_commands(struct app *a)
{
    const struct commands_options o = { &a->loop, &a->clock.clock, a->store };

    if (a->o->is_drain)
        return;
    int rc = commands_create(&o, &a->commands);
    if (rc < 0) /* a station that takes no commands still measures */
        log_warning("commands of instruments cannot be taken: %s", strerror(-rc));
    set_committed_for(a, a->commands);
}

static void attach_commands(struct app *a)
{
    const struct station *s = a->station;

    if (a->commands)
        commands_attach(a->commands, &(struct commands_station){
                                         .poll = s->poll,
                                         .devices = s->table->poll_device,
                                         .devices_n = s->config->devices.n,
                                         .zone_ms = s->config->station.zone_ms,
                                         .on_event = view_on_event,
                                         .user = s->view,
                                     });
}

static void on_calibration_event(void *user, const char *json)
{
    struct station *s = user;

    on_event(s, json);
    app_alerts_hear(&s->app->alerts, json);
}

/* After the commands, which turn the gas on. */
static void attach_calibration(struct app *a)
{
    struct app_calibration *k = &a->calibration;

    if (!k->calibrations)
        return;
    k->commands = a->commands;
    k->table = a->station->table;
    k->on_event = on_calibration_event;
    k->user = a->station;
    k->pipeline = a->station->pipeline;
    app_calibration_attach(k);
}

static void detach_calibration(struct app *a)
{
    a->calibration.pipeline = NULL;
    app_calibration_detach(&a->calibration);
}

static void stop_commands(struct app *a)
{
    set_committed_for(a, NULL);
    if (a->commands)
        commands_close(a->commands);
}

static struct config *load_config(const char *path)
{
    struct diag *d = NULL;
    struct config *c = NULL;

    if (diag_create(&d) < 0)
        return NULL;
    if (line_check_load(path, uplink_choices(), d, &c) < 0)
        c = NULL;
    if (diag_errors(d) || diag_warnings(d))
        diag_print(d, stderr);
    diag_destroy(d);
    return c;
}

static void tell_start(const struct app *a, const char *what, const char *en, const char *zh)
{
    if (!a->o->is_drain)
        pipeline_notice(a->station->pipeline, clock_wall_ms(&a->clock.clock), what,
                        a->station->config->station.id, en, zh, NULL);
}

/* ---- stop and reload: both wait for the poller to end ---- */

static void end_loop(struct app *a)
{
    uv_timer_stop(&a->tick);
    uv_close((uv_handle_t *)&a->tick, NULL);
    uv_close((uv_handle_t *)&a->on_term, NULL);
    uv_close((uv_handle_t *)&a->on_int, NULL);
    uv_close((uv_handle_t *)&a->on_hup, NULL);
    control_stop(a->control);
    a->control = NULL;
    stop_commands(a);
}

static bool has_uplink(const struct config *c, const char *id)
{
    const struct uplink_conf *u = c->uplinks.items;

    for (size_t i = 0; i < c->uplinks.n; i++) {
        if (strcmp(u[i].id, id) == 0)
            return true;
    }
    return false;
}

/* The log keeps nothing for a destination that was taken out of the configuration. A disabled
 * one keeps its place. */
static void forget_uplinks(struct app *a, const struct config *old, const struct config *next)
{
    const struct uplink_conf *u = old->uplinks.items;

    for (size_t i = 0; i < old->uplinks.n; i++) {
        if (has_uplink(next, u[i].id) || store_cursor_forget(a->store, u[i].id) < 0)
            continue;
        log_notice("uplink %s is no longer configured, forgetting how far it had got", u[i].id);
    }
}

static void on_field_closed(void *user)
{
    struct app *a = user;
    struct config *next = a->next;

    struct config *old = a->station->config;

    a->next = NULL;
    a->station->config =
        NULL; /* outlives the station: its forwarder writes cursors to the end */
    station_destroy(a->station);
    if (next && !a->is_stopping)
        forget_uplinks(a, old, next);
    config_destroy(old);
    a->station = NULL;
    if (a->is_stopping) {
        config_destroy(next);
        end_loop(a);
        return;
    }
    control_set_live(a->control, NULL);
    if (station_create(a, next, &a->station) < 0) {
        log_error("the new configuration cannot start, ending");
        a->status = EXIT_FOUND;
        end_loop(a);
        return;
    }
    control_set_live(a->control, view_live(a->station->view));
    attach_commands(a);
    attach_calibration(a);
    tell_start(a, "configuration", "A new configuration was taken over.", "已启用新的配置。");
}

static void on_poll_closed(void *user)
{
    struct app *a = user;

    app_lora_stop(&a->lora, on_field_closed, a);
}

/* Ends the station in force; what follows is told by is_stopping and next. */
static void leave_station(struct app *a)
{
    if (!a->station->poll) { /* a drain never polls */
        on_field_closed(a);
        return;
    }
    poll_stop(a->station->poll, on_poll_closed, a);
    if (a->commands)
        commands_detach(a->commands);
    detach_calibration(a);
}

static void stop(struct app *a, int status)
{
    if (a->is_stopping)
        return;
    a->is_stopping = true;
    a->status = status;
    if (!a->next)
        leave_station(a);
}

static void on_stop_signal(uv_signal_t *handle, int signal)
{
    struct app *a = handle->data;

    (void)signal;
    if (!a->is_stopping)
        deadline_start(STOP_MS);
    stop(a, EXIT_DONE);
}

static int reload(void *user, char *answer, size_t size)
{
    struct app *a = user;

    if (a->is_stopping || a->next || a->o->is_drain) {
        snprintf(answer, size, "A reload or a stop is under way already.");
        return -EBUSY;
    }
    a->next = load_config(a->o->config_path);
    if (!a->next) {
        snprintf(answer, size, "The new configuration is wrong, keeping the old one.");
        log_error("the new configuration is wrong, keeping the old one");
        return -EINVAL;
    }
    if (strcmp(a->next->log.path, a->station->config->log.path) != 0)
        log_warning("log.path changes only at a restart, keeping %s",
                    a->station->config->log.path);
    log_notice("configuration reloaded from %s", a->o->config_path);
    snprintf(answer, size, "The configuration is reloaded.");
    station_clock_end_waiting(&a->clock, a->station->pipeline);
    leave_station(a);
    return 0;
}

static void on_hup(uv_signal_t *handle, int signal)
{
    char answer[128];

    (void)signal;
    reload(handle->data, answer, sizeof answer);
}

/* ---- running ---- */

static void on_tick(uv_timer_t *timer)
{
    struct app *a = timer->data;

    if (!a->station || a->is_stopping || a->next)
        return;
    station_clock_tick(&a->clock, a->station->pipeline);
    app_alerts_tick(&a->alerts);
    app_standing_put(&a->standing, a->alerts.book, a->store, clock_wall_ms(&a->clock.clock));
    pipeline_tick(a->station->pipeline, clock_wall_ms(&a->clock.clock));
    app_calibration_tick(&a->calibration);
    app_lora_tick(&a->lora);
    view_tick(a->station->view, a->station->poll, a->station->pipeline);
    view_put_maintenances(a->station->view, a->calibration.calibrations);
    const struct live_clock clock = station_clock_live(&a->clock, a->station->pipeline);
    live_put_clock(view_live(a->station->view), &clock);
    app_alerts_show(&a->alerts, view_live(a->station->view));
}

static void on_drain_tick(uv_timer_t *timer)
{
    struct app *a = timer->data;
    int64_t idle_ms = 0;

    if (view_is_drained(a->station->view, a->station->forward_options.uplinks_n, &idle_ms))
        stop(a, EXIT_DONE);
    else if (idle_ms > DRAIN_PATIENCE_MS) {
        log_error("nothing was delivered for %d s, giving up", DRAIN_PATIENCE_MS / 1000);
        stop(a, EXIT_FOUND);
    }
}

static void start_signals(struct app *a)
{
    uv_signal_init(&a->loop, &a->on_term);
    uv_signal_init(&a->loop, &a->on_int);
    uv_signal_init(&a->loop, &a->on_hup);
    a->on_term.data = a->on_int.data = a->on_hup.data = a;
    uv_signal_start(&a->on_term, on_stop_signal, SIGTERM);
    uv_signal_start(&a->on_int, on_stop_signal, SIGINT);
    uv_signal_start(&a->on_hup, on_hup, SIGHUP);
}

static void start_tick(struct app *a)
{
    uint64_t every = (uint64_t)clock_real_ms(&a->clock.clock, TICK_MS);

    uv_timer_init(&a->loop, &a->tick);
    a->tick.data = a;
    if (a->o->is_drain)
        uv_timer_start(&a->tick, on_drain_tick, DRAIN_POLL_MS, DRAIN_POLL_MS);
    else
        uv_timer_start(&a->tick, on_tick, every, every);
}

static int start_control(struct app *a)
{
    const char *path = a->o->control_path ? a->o->control_path : a->station->config->control;

    if (!path || !*path || a->o->is_drain)
        return 0;
    int rc = control_start(&a->loop, path, view_live(a->station->view), reload, a, &a->control);
    if (rc < 0) /* a station that cannot be asked still measures */
        log_warning("control socket %s cannot be opened: %s, going on without", path,
                    strerror(-rc));
    control_on_watch(a->control, on_watch, a);
    if (a->commands)
        control_take(a->control, "command", on_command, a);
    app_calibration_listen(&a->calibration, a->control);
    app_alerts_listen(&a->alerts, a->control);
    app_lora_listen(&a->lora, a->control);
    return 0;
}

static void on_reply(void *user)
{
    struct app *a = user;

    if (a->station && a->station->forward)
        forward_poke(a->station->forward);
}

/* A station that cannot be asked still measures. */
static void start_asked(struct app *a, const struct config *config)
{
    a->asked.alerts = &a->alerts;
    a->asked.clock = &a->clock.clock;
    a->asked.on_reply = on_reply;
    a->asked.user = a;
    snprintf(a->asked.station, sizeof a->asked.station, "%s", config->station.id);
    if (!a->o->is_drain && app_asked_start(&a->asked, &a->loop) < 0)
        log_warning("the centre cannot ask anything of this station");
}

/* With the log open: until a signal ends it. */
static int run_station(struct app *a, struct config *config)
{
    start_asked(a, config);
    if (station_create(a, config, &a->station) < 0)
        return EXIT_FOUND;
    a->is_started = true;
    start_commands(a);
    attach_commands(a);
    a->calibration.clock = &a->clock.clock;
    if (!a->o->is_drain)
        app_calibration_start(&a->calibration, a->store);
    attach_calibration(a);
    start_signals(a);
    start_tick(a);
    start_control(a);
    tell_start(a, "started", "The gateway has started.", "网关已启动。");
    if (!a->o->is_drain)
        station_clock_tell_start(&a->clock, a->station->pipeline);
    uv_run(&a->loop, UV_RUN_DEFAULT);
    return a->status;
}

int app_run(const struct app_options *o)
{
    struct app a = { .o = o };
    struct config *config = load_config(o->config_path);
    int status = EXIT_FOUND;

    if (!config)
        return EXIT_USAGE;
    if (uv_loop_init(&a.loop) < 0) {
        config_destroy(config);
        return EXIT_FOUND;
    }
    pthread_mutex_init(&a.commit_lock, NULL);
    app_standing_init(&a.standing);
    app_lora_init(&a.lora);
    station_clock_init(&a.clock, &o->clock);
    if (open_store(&a, &config->log) == 0) {
        if (!o->is_drain)
            station_clock_start(&a.clock, a.store);
        a.alerts.clock = &a.clock.clock;
        if (!o->is_drain)
            app_alerts_start(&a.alerts, a.store);
        status = run_station(&a, config);
    } else
        config_destroy(config);
    app_calibration_done(&a.calibration);
    app_alerts_done(&a.alerts);
    store_close(a.store);
    app_asked_stop(&a.asked);
    uv_run(&a.loop, UV_RUN_DEFAULT); /* close callbacks of a start that failed half-way */
    commands_destroy(a.commands);
    uv_loop_close(&a.loop);
    pthread_mutex_destroy(&a.commit_lock);
    app_standing_done(&a.standing);
    app_lora_done(&a.lora);
    log_info("stopped");
    return status;
}
