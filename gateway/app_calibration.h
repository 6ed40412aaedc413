/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_calibration - ties gateway/calibration to what it acts on: the pipeline that marks
 * readings, the commands of profiles that turn gas on, the table that corrects, the revisions
 * that write doubtful readings again, the live view.
 */
#pragma once

#include "gateway/calibration/calibrations.h"
#include "gateway/command/commands.h"
#include "gateway/control/control.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/revision/revisions.h"
#include "gateway/table.h"

/* Zero at start; must not move while attached. */
struct app_calibration {
    struct calibrations *calibrations; /* NULL: none, a station without still measures */
    struct revisions *revisions;       /* NULL: doubtful readings are not written again */
    struct commands *commands;         /* NULL: none can be sent */
    const struct clock *clock;
    struct control *control;
    /* of the configuration in force */
    struct pipeline *pipeline;
    struct table *table;
    void (*on_event)(void *user, const char *json);
    void *user;
    const char **devices;
};

void app_calibration_start(struct app_calibration *a, struct store *store);
/* With pipeline, table, on_event and user set; after commands_attach(). */
void app_calibration_attach(struct app_calibration *a);
/* After commands_detach(), before the pipeline goes. */
void app_calibration_detach(struct app_calibration *a);
void app_calibration_done(struct app_calibration *a);

/* From now on the socket, once a start, takes "calibrate" and "maint". */
void app_calibration_listen(struct app_calibration *a, struct control *c);
void app_calibration_tick(struct app_calibration *a);
