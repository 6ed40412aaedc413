/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal - a survey's state, shared by its two halves: looking for devices (survey.c) and
 * asking one what it is (device.c). Inside gateway/survey only.
 */
#pragma once

#include "gateway/survey/steps.h"
#include "gateway/survey/survey.h"

enum {
    DEVICES_MAX = 1024,
    AGAIN_MAX = 256,
    AGAINS_MAX = 2,    /* of one unit: what is late or damaged for ever is not found */
    RETRY_MS = 100,    /* between two tries to get a connection */
    IDENTIFY_MS = 700, /* patience with a device that is known to answer */
    DAMAGED_MAX = 2,   /* tries after a damaged answer */
    HANGUPS_MAX = 2,   /* a peer that hangs up on a question does not answer it */
    GATEWAY_PATH = 10, /* Modbus protocol, section 7 */
    GATEWAY_TARGET = 11,
    DEVICE_FAILURE = 4, /* codes from here on may be a gateway's own */
};

enum mode { ASKING, IDENTIFYING, READING };

struct again {
    struct survey_step step;
    int64_t from_ms; /* real monotonic */
};

struct survey {
    struct survey_options opt;
    struct survey_step *steps;
    size_t steps_n, at;
    size_t total, done; /* combinations */
    int64_t left_ms;
    struct again again[AGAIN_MAX];
    size_t again_n;
    uint8_t retries[256]; /* of units, at this setting */

    struct bus *bus;
    int setting; /* of the bus; -1: none */
    uv_timer_t timer;
    bool has_timer, is_link_up, is_over, is_stopping;
    int64_t lost_ms; /* since when there is no link */
    int rc;

    enum mode mode;
    struct survey_step step;
    bool is_asked;     /* a request has no reply yet */
    bool is_switching; /* the bus closes, for one with another setting */
    struct bus_request request;
    int64_t quiet_ms; /* the unit asked last may still answer: it is left alone for so long */
    int damaged, hangups;
    struct match match;
    struct survey_device device;
    size_t read;

    struct survey_device *devices;
    size_t devices_n;
    size_t decoys_asked, decoys_hit;
    uint8_t decoy_hits[SURVEY_DECOYS];
    uint8_t decoy_exception; /* what absent units give; 0: nothing in common */
    bool has_noise[SURVEY_SETTINGS_MAX], has_gateway;
};

static inline const struct survey_setting *survey_setting_of(const struct survey *s)
{
    return &s->opt.settings[s->step.setting];
}

static inline void survey_set_request(struct survey *s, uint8_t function, uint16_t first,
                                      uint16_t count, int64_t timeout_ms)
{
    s->request = (struct bus_request){ .unit = s->step.unit,
                                       .function = function,
                                       .first = first,
                                       .count = count,
                                       .timeout_ms = timeout_ms };
}

/* ---- survey.c ---- */

/* Sends s->request, as soon as there is a link. */
void survey_ask(struct survey *s);
/* The same to the unit asked last, after the quiet that it is due. */
void survey_ask_on(struct survey *s);
/* The step is settled: on to the next one. */
void survey_end_step(struct survey *s);
void survey_finish(struct survey *s, int rc);

/* ---- device.c ---- */

/* It answered the question of the step. */
void survey_begin_device(struct survey *s, const struct bus_reply *r);
void survey_take_identity(struct survey *s, const struct bus_reply *r);
void survey_take_read(struct survey *s, const struct bus_reply *r);
