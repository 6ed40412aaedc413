/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec - payload codecs of a site: TS013 JavaScript in a worker process (facts: payload-codecs
 * sections 2 to 5).
 *
 * One child of this binary for all scripts of the station; requests and answers go over a
 * socket pair. The child has no file, network or clock of its own and bounded CPU, memory and
 * time; what misbehaves costs one killed worker and one notice, and after three kills in an
 * hour the script is switched off for an hour. Main loop only.
 */
#pragma once

#include <uv.h>

#include "gateway/base/clock.h"

enum {
    CODEC_SOURCE_MAX = 256 << 10, /* bytes of a script */
    CODEC_RESULT_MAX = 64 << 10,  /* bytes of a result as JSON */
    CODEC_CPU_MS = 200,
    CODEC_WALL_MS = 2000,
    CODEC_HEAP_MAX = 8 << 20,
    CODEC_KILLS_MAX = 3,     /* in an hour: then the script rests for an hour */
    CODEC_SCRIPTS_MAX = 256, /* of a station */
};

enum codec_routine {
    CODEC_DECODE_UPLINK,
    CODEC_ENCODE_DOWNLINK,
    CODEC_DECODE_DOWNLINK,
    CODEC_LIST, /* runs nothing: {"functions": ["decodeUplink", ...]} */
};

struct codec_script {
    const char *name;   /* file name, for messages */
    const char *source; /* the user's file as it is */
    size_t size;
};

struct codec_input {
    enum codec_routine routine;
    uint8_t fport;
    const uint8_t *bytes; /* decode */
    size_t n;
    int64_t time_ms; /* recvTime, and "now" inside the script; INT64_MIN: none, and 1970 */
    const char *variables; /* JSON object, NULL: {} */
    const char *data;      /* encode: JSON of input.data */
    const char *more;      /* JSON object: further members of input, NULL: none */
};

enum codec_outcome {
    CODEC_OK,
    CODEC_ERROR,       /* the script threw, has no such function, or its result is none */
    CODEC_REFUSED,     /* cannot be compiled or lowered; message has the line */
    CODEC_KILLED,      /* CPU time or patience used up: the worker was ended */
    CODEC_QUARANTINED, /* switched off for having been killed too often */
    CODEC_BROKEN,      /* no worker is to be had */
};

struct codec_answer {
    enum codec_outcome outcome;
    const char *json;    /* with CODEC_OK: {"data": ..., "warnings": [...], "errors": [...]},
                          * or {"bytes": [...], "fPort": n, ...}; lives during the call */
    const char *message; /* otherwise: a full sentence, with the script's name and line */
    const char *log;     /* what it said to console.log, "" mostly */
};

struct codecs;

struct codecs_options {
    uv_loop_t *loop;
    const struct clock *clock;
    const char *self;                   /* path of this program; NULL: /proc/self/exe */
    const struct codec_script *scripts; /* live as long as the object */
    size_t scripts_n;
    /* A worker was killed, a script was switched off or is tried again: once each. Full
     * sentences. */
    void (*on_notice)(void *user, size_t script, const char *what, const char *en,
                      const char *zh);
    void *user;
};

/* Starts no worker before the first request. 0 or a negative errno, -E2BIG: too many or too
 * large scripts. */
int codecs_create(const struct codecs_options *o, struct codecs **ret);
/* Runs one script; on_answer comes once, later, in the order asked. 0 or -ENOMEM, -EBUSY (more
 * than CODEC_WAITING_MAX wait). Input is copied. */
enum { CODEC_WAITING_MAX = 1024 };
int codecs_run(struct codecs *c, size_t script, const struct codec_input *in,
               void (*on_answer)(void *user, const struct codec_answer *a), void *user);
/* Kills the worker; whatever waits is answered with CODEC_BROKEN before. Then on_closed. */
void codecs_stop(struct codecs *c, void (*on_closed)(void *user), void *user);
void codecs_destroy(struct codecs *c); /* after on_closed; takes NULL */

/* What the program is started with to be the worker; no command that help lists. */
#define CODEC_WORKER_COMMAND "codec-worker"
/* The worker's own main: requests from file descriptor 3 until it is closed. Exit code. */
int codec_worker_main(void);
