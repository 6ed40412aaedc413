/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lorawan/dedupe.h"

#include <errno.h>
#include <stdlib.h>

enum { WAYS = 8, SETS_MIN = 64 };

int dedupe_init(struct dedupe *d, size_t frames)
{
    size_t sets = SETS_MIN;

    while (sets * WAYS < frames && sets * WAYS < DEDUPE_FRAMES_MAX)
        sets *= 2;
    *d = (struct dedupe){ .sets = sets };
    d->entries = calloc(sets * WAYS, sizeof *d->entries);
    return d->entries ? 0 : -ENOMEM;
}

void dedupe_done(struct dedupe *d)
{
    free(d->entries);
}

uint64_t dedupe_tag(const uint8_t *phy, size_t n)
{
    uint64_t h = 0xcbf29ce484222325; /* FNV-1a, and a finish so that every bit picks the set */

    for (size_t i = 0; i < n; i++)
        h = (h ^ phy[i]) * 0x100000001b3;
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15;
    h ^= h >> 29;
    return h ? h : 1;
}

static struct dedupe_entry *set_of(const struct dedupe *d, uint64_t tag)
{
    return d->entries + (size_t)(tag & (d->sets - 1)) * WAYS;
}

static int32_t age_ms(const struct dedupe_entry *e, int64_t mono_us)
{
    return (int32_t)((uint32_t)(mono_us / 1000) - e->ms);
}

bool dedupe_find(const struct dedupe *d, uint64_t tag, int64_t mono_us, uint32_t *ret_device,
                 int64_t *ret_age_us)
{
    const struct dedupe_entry *set = set_of(d, tag);

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].tag != tag)
            continue;
        int32_t age = age_ms(&set[i], mono_us);
        if (age > DEDUPE_MS || age < -DEDUPE_MS)
            return false;
        *ret_device = set[i].device;
        *ret_age_us = age < 0 ? 0 : (int64_t)age * 1000;
        return true;
    }
    return false;
}

void dedupe_put(struct dedupe *d, uint64_t tag, int64_t mono_us, uint32_t device)
{
    struct dedupe_entry *set = set_of(d, tag), *best = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (!set[i].tag || set[i].tag == tag) {
            best = &set[i];
            break;
        }
        if (age_ms(&set[i], mono_us) > age_ms(best, mono_us))
            best = &set[i];
    }
    *best = (struct dedupe_entry){
        .tag = tag,
        .ms = (uint32_t)(mono_us / 1000),
        .device = device,
    };
}
