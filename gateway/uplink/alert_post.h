/* SPDX-License-Identifier: Apache-2.0 */
/* alert_post - what the uplinks of alerts over HTTP have in common: address, credentials and
 * whom they are for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/uplink/alert_event.h"
#include "gateway/uplink/http_post.h"

struct alert_post_options {
    const char *url, *username, *password, *token, *header, *ca, *since;
    int64_t timeout_ms;
    int lowest; /* alert_lowest_words */
    bool has_notices;
};

/* Entries of a field table for a struct `owner` whose member `post` is an alert_post_options.
 */
#define ALERT_POST_FIELDS(owner, url_help) \
    { .name = "url", \
      .type = FIELD_TEXT, \
      .offset = offsetof(struct owner, post.url), \
      .flags = FIELD_REQUIRED, \
      .help = url_help, \
      .is_ok = alert_post_url_is_ok }, \
        { .name = "username", \
          .type = FIELD_TEXT, \
          .offset = offsetof(struct owner, post.username), \
          .help = "User name for basic authorisation." }, \
        { .name = "password", \
          .type = FIELD_TEXT, \
          .offset = offsetof(struct owner, post.password), \
          .flags = FIELD_SECRET, \
          .help = "Password for basic authorisation." }, \
        { .name = "token", \
          .type = FIELD_TEXT, \
          .offset = offsetof(struct owner, post.token), \
          .flags = FIELD_SECRET, \
          .help = "Sent as \"Authorization: Bearer ...\".", \
          .is_ok = alert_post_token_is_ok }, \
        { .name = "header", \
          .type = FIELD_TEXT, \
          .offset = offsetof(struct owner, post.header), \
          .flags = FIELD_SECRET, \
          .help = "One more header with each request, such as \"X-Secret: 4711\".", \
          .is_ok = alert_post_header_is_ok }, \
        { .name = "ca", \
          .type = FIELD_TEXT, \
          .offset = offsetof(struct owner, post.ca), \
          .help = "File of certificates to trust instead of the system's." }, \
        { .name = "timeout", \
          .type = FIELD_DURATION, \
          .offset = offsetof(struct owner, post.timeout_ms), \
          .dflt = "30s", \
          .min = 1000, \
          .max = 300000, \
          .help = "Longest time one request may take." }, \
        { .name = "since", \
          .type = FIELD_TEXT, \
          .offset = offsetof(struct owner, post.since), \
          .help = "What happened before is not sent: 2026-11-22 or 2026-11-22T08:00:00Z. Set " \
                  "it when the station has a history that nobody waits for.", \
          .is_ok = alert_post_since_is_ok }, \
        { .name = "lowest", \
          .type = FIELD_ENUM, \
          .offset = offsetof(struct owner, post.lowest), \
          .dflt = "blue", \
          .words = alert_lowest_words, \
          .help = "Alerts that never reached this colour are not sent." }, \
    { \
        .name = "notices", .type = FIELD_BOOL, \
        .offset = offsetof(struct owner, post.has_notices), .dflt = "false", \
        .help = "Also notices: faults of instruments, and what else needs maintenance." \
    }

bool alert_post_url_is_ok(const char *text, char *why, size_t size);
bool alert_post_token_is_ok(const char *text, char *why, size_t size);
bool alert_post_since_is_ok(const char *text, char *why, size_t size);
bool alert_post_header_is_ok(const char *text, char *why, size_t size);

/* `url`: where to; NULL: as configured. 0, -ENOMEM, -EINVAL. */
int alert_post_create(const struct alert_post_options *o, const char *url,
                      struct http_post **ret);

enum alert_colour alert_post_lowest(const struct alert_post_options *o);
/* Whether this event is of those that the options ask for. */
bool alert_post_wants(const struct alert_post_options *o, const struct alert_event *e);
