/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app_calibration.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

/* ---- what calibrations tell ---- */

/* The pipeline keeps it in the log: what it knows already is not told again. */
static void on_service(void *user, uint32_t device, int32_t channel, enum qc_service service,
                       int64_t until_ms)
{
    const struct app_calibration *a = user;
    const struct channel_stream *s = &a->table->stream[a->table->device[device].stream];
    const int64_t now_ms = clock_wall_ms(a->clock);

    if (s->n == 0)
        return;
    const uint32_t at = channel == CALIBRATIONS_NO_CHANNEL ? s->first : (uint32_t)channel;
    const enum qc_service is = pipeline_service_of(a->pipeline, at, now_ms).service;
    if (service == QC_MEASURING && is == QC_MEASURING)
        return;
    const struct pipeline_service told = { service, until_ms };
    int rc = pipeline_service(
        a->pipeline, device, channel == CALIBRATIONS_NO_CHANNEL ? PIPELINE_NO_CHANNEL : channel,
        &told);
    if (rc < 0)
        log_error("readings of %s are not marked as they should be: %s",
                  a->table->device[device].id, strerror(-rc));
}

static void on_correction(void *user, uint32_t channel, const struct calibration_correction *k)
{
    const struct app_calibration *a = user;

    table_correct(a->table, channel, k);
}

static void on_commanded(void *user, uint64_t number, const char *json)
{
    struct app_calibration *a = user;
    json_t *root = json_loads(json, 0, NULL);
    const bool is_done = json_is_true(json_object_get(root, "ok"));

    json_decref(root);
    calibrations_commanded(a->calibrations, number, is_done, clock_wall_ms(a->clock));
}

static int on_command(void *user, uint32_t device, const char *command, uint64_t number)
{
    struct app_calibration *a = user;
    json_t *root =
        json_pack("{s:s,s:s}", "device", a->table->device[device].id, "command", command);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

    json_decref(root);
    if (!a->commands || !text) {
        free(text);
        return -1;
    }
    commands_request(a->commands, text, "calibration", on_commanded, a, number);
    free(text);
    return 0;
}

static void on_event(void *user, const char *json)
{
    const struct app_calibration *a = user;

    a->on_event(a->user, json);
}

static int on_doubt(void *user, struct store_batch *b, const struct calibrations_doubt *d)
{
    const struct app_calibration *a = user;
    const bool is_corrected =
        d->revise == CALIBRATION_REVISE_DRIFT && calibration_drift_is_known(&d->drift);
    const struct revision_order order = {
        d->channel, d->check, d->from_ms, d->to_ms, is_corrected ? &d->drift : NULL,
    };

    return a->revisions ? revisions_add(a->revisions, b, &order, clock_wall_ms(a->clock))
                        : -ENODEV;
}

static json_t *on_revisions(void *user)
{
    const struct app_calibration *a = user;

    return a->revisions ? revisions_list(a->revisions) : NULL;
}

/* ---- what callers want ---- */

static void on_answer(void *user, uint64_t ticket, const char *json)
{
    const struct app_calibration *a = user;

    control_answer(a->control, ticket, json);
}

static struct calibrations_request request_of(struct app_calibration *a, uint64_t ticket,
                                              const char *json, const char *who)
{
    return (struct calibrations_request){ json,      who, clock_wall_ms(a->clock),
                                          on_answer, a,   ticket };
}

static void on_calibrate(void *user, uint64_t ticket, const char *json, const char *who)
{
    struct app_calibration *a = user;
    const struct calibrations_request q = request_of(a, ticket, json, who);

    calibrations_calibrate(a->calibrations, &q);
}

static void on_maint(void *user, uint64_t ticket, const char *json, const char *who)
{
    struct app_calibration *a = user;
    const struct calibrations_request q = request_of(a, ticket, json, who);

    calibrations_maint(a->calibrations, &q);
}

/* ---- life ---- */

void app_calibration_start(struct app_calibration *a, struct store *store)
{
    int rc = calibrations_create(store, &a->calibrations);

    if (rc < 0)
        log_warning("calibration and maintenance cannot be taken up: %s", strerror(-rc));
    rc = revisions_create(store, &a->revisions);
    if (rc < 0)
        log_warning("doubtful readings cannot be written again: %s", strerror(-rc));
}

void app_calibration_attach(struct app_calibration *a)
{
    const size_t n = a->table->config->devices.n;
    const struct revisions_station revised = { &a->table->channels, on_event, a };

    if (a->revisions)
        revisions_attach(a->revisions, &revised);
    if (!a->calibrations)
        return;
    a->devices = calloc(n + 1, sizeof *a->devices);
    for (size_t i = 0; a->devices && i < n; i++)
        a->devices[i] = a->table->device[i].id;
    const struct calibrations_station s = {
        .table = &a->table->channels,
        .setups = a->table->calibration,
        .devices = a->devices,
        .devices_n = n,
        .zone_ms = a->table->config->station.zone_ms,
        .on_service = on_service,
        .on_correction = on_correction,
        .on_command = on_command,
        .on_event = on_event,
        .on_doubt = on_doubt,
        .on_revisions = on_revisions,
        .user = a,
    };
    if (!a->devices || calibrations_attach(a->calibrations, &s, clock_wall_ms(a->clock)) < 0)
        log_warning("calibration and maintenance are not watched: out of memory");
}

void app_calibration_detach(struct app_calibration *a)
{
    if (a->calibrations)
        calibrations_detach(a->calibrations);
    if (a->revisions)
        revisions_detach(a->revisions);
    free(a->devices);
    a->devices = NULL;
}

void app_calibration_done(struct app_calibration *a)
{
    calibrations_destroy(a->calibrations);
    revisions_destroy(a->revisions);
    free(a->devices);
}

void app_calibration_listen(struct app_calibration *a, struct control *c)
{
    a->control = c;
    if (!a->calibrations)
        return;
    control_take(c, "calibrate", on_calibrate, a);
    control_take(c, "maint", on_maint, a);
}

void app_calibration_tick(struct app_calibration *a)
{
    if (a->calibrations)
        calibrations_tick(a->calibrations, clock_wall_ms(a->clock), clock_boot_ms(a->clock));
    if (a->revisions)
        revisions_tick(a->revisions, clock_wall_ms(a->clock));
}
