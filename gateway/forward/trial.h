/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial - entries that are tried apart from the lanes: suspects (isolate.h), and now and then
 * those that were set aside, since whoever mends the destination does not tell us. Of a kind
 * that takes entries in any order. Internal to the forwarder.
 */
#pragma once

#include "gateway/forward/follow.h"

/* Fills the empty batch when a trial is due. 0 or a negative errno. */
int trial_read(struct follow *f, int64_t now_ms);
/* Milliseconds from now until a trial is due; INT64_MAX: none will be. */
int64_t trial_wait_ms(const struct follow *f, int64_t now_ms);

/* The destination failed ("later") at the first `n` entries of a batch from the lanes: after
 * the second time they become suspects, and others go before them. */
void trial_suspect(struct follow *f, size_t n, const struct uplink_report *why);
/* The same of a trial. False when it is time to take the destination for down. */
bool trial_failed(struct follow *f, size_t n, const struct uplink_report *why, int64_t now_ms);
/* It refuses the trial for good. False when the entry stands alone and is to be set aside. */
bool trial_refused(struct follow *f, size_t n, int64_t now_ms);
/* It took the first `n` entries of the batch, from wherever they are. */
void trial_delivered(struct follow *f, size_t n, int64_t now_ms);
