/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_alerts - ties the book of alerts (gateway/alerts) to the configuration that says how each
 * colour is to be answered, to the pipeline that raises, and to those who act: the control
 * socket, and the centre through an uplink.
 */
#pragma once

#include "gateway/alerts/book.h"
#include "gateway/control/control.h"
#include "gateway/live/live.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/table.h"

/* Zero at start; must not move while attached. */
struct app_alerts {
    struct book *book; /* NULL: none, a station without still raises */
    const struct clock *clock;
    struct control *control;
    /* of the configuration in force */
    struct pipeline *pipeline;             /* set when it is created */
    struct book_plan *plans;               /* per rule of the configuration */
    const struct book_plan **plan_of;      /* per bound rule */
    const char *centres[LIVE_UPLINKS_MAX]; /* uplinks by which the centre itself acknowledges */
    size_t centres_n;
    int64_t shown_ms; /* when the figures were told last */
    void (*on_event)(void *user, const char *json);
    void *user;
};

/* The version of a rule as its alerts have it: BOOK_VERSION_MAX bytes. 0 or -ENOMEM. */
int app_alerts_version(const struct rule_conf *r, char *out);

void app_alerts_start(struct app_alerts *a, struct store *store);
/* Before the pipeline is created, with clock, on_event and user set. */
void app_alerts_attach(struct app_alerts *a, const struct table *t,
                       const struct timeline *timeline);
/* After the pipeline is gone. */
void app_alerts_detach(struct app_alerts *a);
void app_alerts_done(struct app_alerts *a);

/* From now on the socket, once a start, takes "alert". */
void app_alerts_listen(struct app_alerts *a, struct control *c);
void app_alerts_tick(struct app_alerts *a);
/* How much is asked of a person on duty, for status and page; what the centre has received. */
void app_alerts_show(struct app_alerts *a, struct live *live);
/* Of the configuration in force, which must outlive it. */
void app_alerts_centre(struct app_alerts *a, const char *uplink);
/* The log has committed: who waited for that is answered. */
void app_alerts_committed(struct app_alerts *a);
/* An event of calibration: alerts that it calls doubtful are marked in the book. */
void app_alerts_hear(struct app_alerts *a, const char *json);

/* A request of somebody who may (gateway/alerts/book.h); a gateway without a book says so. */
void app_alerts_ask(struct app_alerts *a, const char *json, const char *who,
                    book_answer *on_answer, void *user, uint64_t ticket);
