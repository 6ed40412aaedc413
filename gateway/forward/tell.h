/* SPDX-License-Identifier: Apache-2.0 */
/* tell - what an uplink lets others know: its status, and events in the log when a person has
 * to do something. Internal to the forwarder. */
#pragma once

#include "gateway/forward/follow.h"

/* Counts that were not told yet. */
bool tell_is_due(const struct follow *f);
/* When: milliseconds from now. */
int64_t tell_wait_ms(const struct follow *f, int64_t now_ms);
void tell_status(struct follow *f, uint64_t last, int64_t now_ms);

/* It delivers, or does not for this reason: one line when it breaks and one when it is well
 * again, not one for every try. */
void tell_connected(struct follow *f, bool is_connected, const char *why);
/* The destination does not let us in: a line and an event. */
void tell_denied(struct follow *f, const char *why);
/* Entry `seq` was set aside. Events of one minute become one. */
void tell_aside(struct follow *f, uint64_t seq, const char *why, int64_t now_ms);
