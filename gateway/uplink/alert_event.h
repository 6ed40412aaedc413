/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_event - an event of the log as the uplinks of alerts see it: a change of an alert, or a
 * notice of a fault. Pure.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"

enum alert_colour { COLOUR_NONE, COLOUR_BLUE, COLOUR_YELLOW, COLOUR_ORANGE, COLOUR_RED };
extern const char *const alert_colour_ids[];   /* closed by NULL */
extern const char *const alert_lowest_words[]; /* from blue on: of the option `lowest` */

struct alert_event {
    json_t *root;   /* owns all texts, which are "" when the event has none */
    bool is_notice; /* else an alert */
    const char *key, *what, *rule, *version, *channel, *device, *quantity, *medium, *unit;
    const char *direction, *state, *verdict, *quiet, *note, *actor;
    enum alert_colour level, peak;
    int64_t number; /* of the change; 0: the gateway keeps no book */
    int64_t time_ms, raised_ms;
};

/* 0; -ENOENT: it tells of something else; -EINVAL: it is no event; -ENOMEM. */
int alert_event_read(const char *json, size_t size, struct alert_event *ret);
/* The same of an object; takes a reference. */
int alert_event_of(json_t *root, struct alert_event *ret);
void alert_event_done(struct alert_event *e); /* takes a zero one */

const char *alert_event_text(const struct alert_event *e, const char *member);
/* "title" or "text", in that language. */
const char *alert_event_in(const struct alert_event *e, const char *member, const char *lang);
bool alert_event_has_mark(const struct alert_event *e, const char *mark);
/* A number as the log has it, "" when there is none. `out`: ALERT_NUMBER_MAX bytes. */
enum { ALERT_NUMBER_MAX = 32 };
const char *alert_event_number(const struct alert_event *e, const char *member, char *out);

/*
 * Somebody has to know that it is so: its condition stands and nobody has judged that it is
 * nothing, nor put it on a shelf.
 */
bool alert_event_stands(const struct alert_event *e);

/* A name that may come from outside, as letters, digits and "-._/@:"; all others as %XX. */
void alert_put_name(struct buf *b, const char *name);

/* What is the same whenever this change is sent: the alert's key and the number of the change.
 */
void alert_put_identity(struct buf *b, const struct alert_event *e);
