/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey - looks for Modbus devices on a line or behind an address, and finds out what they
 * are.
 *
 * Every combination of setting and unit gets one cheap question with a short deadline, likely
 * ones first and with more patience. Any answer, exceptions 1 to 3 too, proves a device; it is
 * then asked what it is (survey/match). Answers that come late or damaged make their unit be
 * asked again with patience. One bus at a time, everything on the loop.
 */
#pragma once

#include <uv.h>

#include "gateway/bus/bus.h"
#include "gateway/survey/match.h"

enum {
    SURVEY_SETTINGS_MAX = 48,
    SURVEY_UNITS_MAX = 256,
    SURVEY_READS_MAX = 8,
    SURVEY_LIKELY_MS =
        400, /* patience with likely units; most instruments begin within 100 ms */
    SURVEY_OTHER_MS = 100, /* with the others: late answers are noticed and asked for again */
    SURVEY_AGAIN_MS = 1500,
    SURVEY_TCP_MS = 600,   /* behind an address a gateway may wait for the device */
    SURVEY_LINK_MS = 4000, /* without a connection for so long, the survey gives up */
    SURVEY_DECOYS = 3,     /* unlikely units that show whether a device looks at units at all */
};

struct survey_setting {
    int baud; /* 0: the place has none */
    char parity;
    int data_bits, stop_bits;
};

bool survey_setting_is_same(const struct survey_setting *a, const struct survey_setting *b);
/* "9600 8N1", "" without a speed. Returns buf. */
enum { SURVEY_SETTING_TEXT = 24 };
const char *survey_setting_text(const struct survey_setting *s, char *buf);

/* "8N1"; 0 or -EINVAL. */
int survey_format(const char *text, struct survey_setting *ret);

struct survey_read { /* a block to be read of the device under the magnifying glass */
    uint8_t function;
    uint16_t first, count;
};

struct survey_device {
    struct survey_setting setting;
    uint8_t unit;
    uint8_t function;         /* of the question that it answered */
    enum bus_outcome outcome; /* BUS_OK or BUS_EXCEPTION */
    uint8_t exception;
    uint16_t n; /* words of the answer */
    int64_t took_ms;
    char product[MATCH_TEXT_MAX];
    struct match_candidate best[MATCH_BEST];
    size_t best_n;
    bool is_alias;     /* another entry is the same device */
    bool ignores_unit; /* answers whatever the unit */
};

enum survey_hint {
    HINT_NOISE,     /* something answers, damaged: other speed or format, or two at once */
    HINT_LATE,      /* an answer came late: asked again with patience */
    HINT_GATEWAY,   /* a gateway answers for units that are absent */
    HINT_ALL_UNITS, /* the device answers whatever the unit */
};

struct survey_progress {
    size_t done, total;
    int64_t left_ms;
    struct survey_setting setting;
    uint8_t unit;
};

struct survey_options {
    uv_loop_t *loop;
    const struct clock *clock;
    struct bus_place place;                /* its speed and format are set from `settings` */
    const struct survey_setting *settings; /* in the order of trying; at least one */
    size_t settings_n;
    const uint8_t *units; /* in ascending order or as asked for */
    size_t units_n;
    int64_t timeout_ms; /* of every question; 0: as the survey thinks best */
    bool is_single;     /* one known unit: identify at once, without a question before */
    bool is_watched;    /* on_frame */
    const struct survey_read *reads;
    size_t reads_n;
    const struct profile *const *profiles;
    size_t profiles_n;

    void (*on_device)(void *user, const struct survey_device *d);
    void (*on_read)(void *user, const struct survey_device *d, const struct survey_read *r,
                    const struct bus_reply *reply);
    void (*on_hint)(void *user, enum survey_hint hint, const struct survey_setting *s,
                    uint8_t unit);
    void (*on_progress)(void *user, const struct survey_progress *p);
    void (*on_frame)(void *user, const struct bus_frame *f);
    /* The reply that the frames before belong to; NULL user texts are none of its business. */
    void (*on_reply)(void *user, const struct bus_request *q, const struct bus_reply *r);
    void *user;
};

struct survey;

/* 0 or a negative errno. */
int survey_create(const struct survey_options *o, struct survey **ret);
void survey_destroy(struct survey *s);

/* Combinations, and how long they take when nothing answers. */
void survey_estimate(const struct survey *s, struct survey_progress *ret);

/* Runs the loop until the survey is over. 0, -ENOTCONN when there is no connection or port,
 * -ECANCELED after survey_stop(). */
int survey_run(struct survey *s);

/* From a callback or a signal handle on the loop: ends soon. */
void survey_stop(struct survey *s);

/* What was found, aliases too, in the order of finding. */
const struct survey_device *survey_devices(const struct survey *s, size_t *ret_n);
