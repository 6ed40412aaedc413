/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox - what the codec worker takes from itself before the first script (facts:
 * payload-codecs section 5.1): files, processes, network, memory beyond need; and the CPU time
 * of one call. Worker only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The sanitizers map memory and make system calls of their own: in their builds there is no
 * limit of memory and no filter, and time is counted more generously. Never in a product.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_IS_RELAXED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SANDBOX_IS_RELAXED 1
#endif
#endif
#ifndef SANDBOX_IS_RELAXED
#define SANDBOX_IS_RELAXED 0
#endif

enum { SANDBOX_SLOWNESS = SANDBOX_IS_RELAXED ? 3 : 1 }; /* of limits of time */

/* Leaves descriptor `keep` alone open, and no way to open another. For good. 0 or a negative
 * errno, with the step that failed in `*ret_step`. */
int sandbox_enter(int keep, const char **ret_step);

/* The CPU time from here on; what runs beyond is ended by SIGPROF. 0 ms: stops counting. */
void sandbox_arm(int cpu_ms);
