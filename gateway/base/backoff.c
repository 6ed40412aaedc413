/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/backoff.h"

#include <sys/random.h>
#include <time.h>

int64_t backoff_next(struct backoff *b, uint32_t random)
{
    b->now_ms = b->now_ms ? b->now_ms * 2 : b->first_ms;
    if (b->now_ms > b->max_ms)
        b->now_ms = b->max_ms;

    int64_t half = b->now_ms / 2;
    return b->now_ms - (half ? (int64_t)random % half : 0);
}

void backoff_reset(struct backoff *b)
{
    b->now_ms = 0;
}

uint64_t random_u64(void)
{
    uint64_t x;
    struct timespec t;

    if (getrandom(&x, sizeof x, 0) == (ssize_t)sizeof x)
        return x;
    clock_gettime(CLOCK_REALTIME, &t); /* before the kernel's pool is ready: unique enough */
    return (uint64_t)t.tv_nsec * 0x9E3779B97F4A7C15u ^ (uint64_t)t.tv_sec;
}

uint32_t random_u32(void)
{
    return (uint32_t)random_u64();
}
