/* SPDX-License-Identifier: Apache-2.0 */
/* document - the JSON that the log itself understands: dictionaries and the frame of events.
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/buf.h"

/*
 * Completes a dictionary (series format, section 9) by its stream's number and by "layout", the
 * CRC-32C of its canonical form (RFC 8785). *ret_text is freed by the caller. 0, -ENOMEM, or
 * -EINVAL when it is no object or holds a number that is no integer.
 */
int document_layout(const char *dictionary, uint32_t stream, uint32_t *ret_layout,
                    char **ret_text);

enum { TOPIC_MAX = 64 };

/* Whether a dictionary says "local": true: the stream's frames are not for the uplinks. 0 or
 * -EINVAL: no JSON, or no memory. */
int document_is_local(const char *dictionary, bool *ret);

/* Asked before an event is accepted: later only memory can be wanting. */
bool document_is_object(const char *json, size_t size);

/* What the log keeps beside an event: its "kind" ("" without one) and its "time" (0 without). 0
 * or -EINVAL: no JSON, or no memory. */
int document_event(const char *json, size_t size, char topic[TOPIC_MAX], int64_t *ret_time_ms);

/* The event as it is stored and sent: "epoch" and "seq" put in front. */
void document_put_event(struct buf *out, uint64_t epoch, uint64_t seq, const char *json,
                        size_t size);
