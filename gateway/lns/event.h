/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event - reads the JSON of a network server's event. What a measurement hangs on is read
 * strictly: the first member that is wrong is remembered with a sentence, and everything after
 * it reads as absent. What is only said about the reception is read as far as it makes sense.
 * Servers leave out what is 0, false or empty, so an absent member is that. Pure.
 */
#pragma once

#include <jansson.h>

#include "gateway/lns/feed.h"

struct event {
    const char *topic; /* for sentences */
    json_t *root;
    char *why;
    size_t size;
    bool has_failed;
};

/* `hint`: what to do about an event that is no JSON. 0 or -EBADMSG, `why` is filled. */
int event_open(struct event *e, const void *json, size_t n, const char *hint);
void event_close(struct event *e);

/* The first failure counts. Always returns -EBADMSG. */
int event_fail(struct event *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A member, named with its path for sentences: "deviceInfo.devEui" is devEui of `in`. Absent
 * and null are the same. */
json_t *event_object(struct event *e, json_t *in, const char *path);   /* NULL: absent */
const char *event_text(struct event *e, json_t *in, const char *path); /* "": absent */
uint32_t event_number(struct event *e, json_t *in, const char *path, uint32_t max);
bool event_bool(struct event *e, json_t *in, const char *path);
/* UTC in milliseconds; INT64_MIN: absent. */
int64_t event_time(struct event *e, json_t *in, const char *path);
/* As many hexadecimal digits, of either case; 0: absent. */
uint64_t event_hex(struct event *e, json_t *in, const char *path, size_t digits);
/* base64; absent: no byte. */
void event_payload(struct event *e, json_t *in, const char *path, struct feed_message *m);

/* ---- lenient ---- */

double event_real(json_t *in, const char *key, double absent); /* also of a number in quotes */
/* RFC 3339 with a zone; INT64_MIN: it is none. */
int64_t event_read_time(const char *text);
/* Copies what fits, whole characters only. */
void event_copy(char *out, size_t size, const char *text);
/* As compact JSON, free(); NULL when absent or larger than FEED_OBJECT_MAX. */
char *event_dump(json_t *object);
/* Names of the members that say how an uplink was received. */
struct event_radio {
    const char *lora, *bandwidth, *spreading, *fsk, *bitrate, *fhss;
};
/* Of `modulation`: "SF7BW125", "FSK50"; "" when it says nothing of the kind. */
void event_rate(json_t *modulation, const struct event_radio *r, char *out, size_t size);

/* ---- what both servers share ---- */

/* Counts the gateways; the one that heard it best, with its level. NULL: none. */
json_t *event_receptions(json_t *list, struct feed_message *m);
uint32_t event_frequency(json_t *in); /* Hz; 0: not told */
void event_init_message(struct feed_message *m, enum feed_kind kind);
/* key[1]: device, address, counter and content. */
void event_second_key(struct feed_message *m);
uint64_t event_hash(const void *data, size_t n);
