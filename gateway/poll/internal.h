/* SPDX-License-Identifier: Apache-2.0 */
/* internal - what the files of this folder share: the poller's state. Nobody else includes it.
 */
#pragma once

#include "gateway/poll/device.h"
#include "gateway/poll/jitter.h"
#include "gateway/poll/line.h"
#include "gateway/poll/poll.h"
#include "gateway/poll/radios.h"
#include "gateway/poll/schedule.h"
#include "gateway/poll/wake.h"

struct errand_job;

struct served {
    struct poll *poll;
    struct bus *bus;
    struct line line;
    struct errand_job *errand; /* its request is on the bus, for line.asked */
    bool is_up;                /* what the bus said last */
};

struct poll {
    struct poll_options opt;
    struct served *buses;
    struct radios radios;
    struct device *devices;
    struct reading *readings;   /* of the scan being handed over */
    struct schedule slots;      /* station time */
    struct schedule rests;      /* real time */
    struct errand_job *errands; /* under way, oldest first; few, mostly none */
    struct errand_job *over;    /* a bus may still look at their words: kept to the end of it */
    int64_t origin_ms;          /* of all slots: a UTC midnight */
    struct wake wake;
    int64_t armed_ms; /* real time the timer waits for; 0: not armed */
    struct jitter jitter;
    bool is_stopping;
    size_t open; /* buses and handles not closed yet */
    void (*on_closed)(void *user);
    void *closed_user;
};

/* poll.c */
void poll_arm(struct poll *p);
void poll_serve(struct served *b);

/* errands.c */
/* When one of them wants the line next, real time; INT64_MAX: none waits for a time. */
int64_t errands_due_ms(const struct poll *p);
/* Serves the lines of those whose rest is over. */
void errands_wake(struct poll *p);
/* Sends the request of the first that may go. False: there is none. */
bool errands_send(struct served *b);
void errands_take(struct served *b, const struct bus_reply *r);
void errands_stop(struct poll *p);
void errands_free(struct poll *p);
