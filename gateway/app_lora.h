/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_lora - the LoRa devices of the configuration in force, for app.c: their scans into the
 * pipeline, their states into events and the live view, people's requests from the control
 * socket. Main thread, but for app_lora_committed().
 */
#pragma once

#include <pthread.h>

#include "gateway/app_view.h"
#include "gateway/control/control.h"
#include "gateway/lora/lora.h"

struct app_lora {
    struct table *table; /* gets the carriers of its bridges */
    struct pipeline *pipeline;
    struct view *view;
    const struct timeline *timeline;
    const struct clock *clock;
    struct control *control;
    struct lora *lora; /* NULL: there is no LoRa bus */
    bool is_stopped;
    pthread_mutex_t lock;       /* guards what the log's thread tells: */
    struct lora *committed_for; /* NULL also while it stops */
};

/* For good, around everything else. */
void app_lora_init(struct app_lora *a);
void app_lora_done(struct app_lora *a);

/* With table, pipeline, view, timeline and clock filled in; nothing without LoRa buses. 0, or a
 * negative errno after a line in the log. */
int app_lora_start(struct app_lora *a, uv_loop_t *loop, struct store *store);
/* Calls on_closed, perhaps from inside. */
void app_lora_stop(struct app_lora *a, void (*on_closed)(void *user), void *user);
void app_lora_destroy(struct app_lora *a);

/* Any thread. */
void app_lora_committed(struct app_lora *a, uint64_t batches);
void app_lora_tick(struct app_lora *a);
void app_lora_watch(struct app_lora *a, bool is_on);
/* Takes "lora" of the socket. */
void app_lora_listen(struct app_lora *a, struct control *control);
