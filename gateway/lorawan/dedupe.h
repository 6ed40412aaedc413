/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dedupe - frames that were taken a short time ago, so that copies through other concentrators
 * and late ones over slow links are known for what they are (facts: lorawan section 7).
 *
 * A table of fixed size. Only genuine frames get in, so nobody can flush it from outside; when
 * a set of it is full the oldest goes. That costs a word in a counter, never a frame taken
 * twice: what guards against that are the frame counters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEDUPE_MS = 120 * 1000 }; /* how long a frame is remembered */

struct dedupe_entry {
    uint64_t tag; /* 0: free */
    uint32_t ms;  /* monotonic, wraps: ages alone count */
    uint32_t device;
};

struct dedupe {
    struct dedupe_entry *entries;
    size_t sets; /* a power of two */
};

/* Room for at least `frames`; at most DEDUPE_FRAMES_MAX. 0 or -ENOMEM. */
enum { DEDUPE_FRAMES_MAX = 1 << 17 }; /* 60 s of 2,000 uplinks a second */
int dedupe_init(struct dedupe *d, size_t frames);
void dedupe_done(struct dedupe *d);

/* Of all bytes of a PHYPayload; never 0. */
uint64_t dedupe_tag(const uint8_t *phy, size_t n);
/* The device and how long before mono_us it was heard (0 when it seems later: a copy that came
 * first with more delay). false: not known. */
bool dedupe_find(const struct dedupe *d, uint64_t tag, int64_t mono_us, uint32_t *ret_device,
                 int64_t *ret_age_us);
void dedupe_put(struct dedupe *d, uint64_t tag, int64_t mono_us, uint32_t device);
