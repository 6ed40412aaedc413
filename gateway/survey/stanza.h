/* SPDX-License-Identifier: Apache-2.0 */
/* stanza - what a survey found as a file for conf.d: buses and devices. */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/survey/survey.h"

enum { STANZA_ID_MAX = 64 };

struct stanza_place {
    struct bus_place place;
    const char *bus; /* id of a bus of the configuration that leads there; NULL: none yet */
    const struct survey_device *devices;
    size_t devices_n;
};

struct stanza_count {
    size_t written;  /* devices, whether enabled or not */
    size_t disabled; /* of them */
};

struct stanza_options {
    const struct stanza_place *places;
    size_t places_n;
    int64_t time_ms; /* UTC, for the comment */
    bool is_zh;
    /* Whether the configuration has a bus or device of this id already; NULL: none. */
    bool (*is_taken)(void *user, const char *id);
    void *user;
};

/* Adds the file's text. A device that might as well be another instrument is disabled, with the
 * candidates as comments; one of which nothing is known stands there as a comment. */
struct stanza_count stanza_write(const struct stanza_options *o, struct buf *b);

/* "aqt530" of "vaisala-aqt530": the model, for names of devices and files. */
const char *stanza_model(const struct profile *p);
