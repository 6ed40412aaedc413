/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict - what an answer means for the cursor, for the batch, and for when to try again.
 * Internal to the forwarder.
 */
#pragma once

#include "gateway/forward/follow.h"

/* What a try of the batch's first `n` entries brought. */
void verdict_take(struct follow *f, enum uplink_verdict v, size_t n,
                  const struct uplink_report *why, int64_t now_ms);

/* Entries from..to need not be sent any more. */
void verdict_acked(struct follow *f, uint64_t from, uint64_t to);
/* An acknowledgement came: larger batches again. */
void verdict_grow(struct follow *f);
/* The same again after a pause; under way is nothing any more. */
void verdict_later(struct follow *f, const struct uplink_report *why, int64_t now_ms);
void verdict_denied(struct follow *f, const char *text, int64_t now_ms);
/* False when the log cannot take it now: the entry is tried again. */
bool verdict_put_aside(struct follow *f, uint64_t seq, const char *why, int64_t now_ms);

/* Passes over a frame at the beginning of the batch that cannot be decoded any more: its
 * segment was cut by retention, or is damaged. False when it can. */
bool verdict_skip_undecodable(struct follow *f, int64_t now_ms);
