/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/traffic/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct traffic_reader {
    const struct profile *profile;
    int order;
    uint16_t *words;
    uint8_t *have; /* per word of the image: read in this scan */
    struct reading *readings;
    bool has_answer;
    int64_t time_ms;
};

int traffic_reader_create(const struct profile *p, int order, struct traffic_reader **ret)
{
    struct traffic_reader *r = calloc(1, sizeof *r);

    if (!r)
        return -ENOMEM;
    r->profile = p;
    r->order = order;
    r->words = calloc(p->words_n + 1, sizeof *r->words);
    r->have = calloc(p->words_n + 1, 1);
    r->readings = calloc(p->points_n + 1, sizeof *r->readings);
    if (!r->words || !r->have || !r->readings) {
        traffic_reader_destroy(r);
        return -ENOMEM;
    }
    *ret = r;
    return 0;
}

void traffic_reader_destroy(struct traffic_reader *r)
{
    if (!r)
        return;
    free(r->words);
    free(r->have);
    free(r->readings);
    free(r);
}

const struct reading *traffic_reader_readings(const struct traffic_reader *r)
{
    return r->readings;
}

bool traffic_reader_end(struct traffic_reader *r, int64_t *ret_time_ms)
{
    if (!r->has_answer)
        return false;
    profile_decode(r->profile, r->order, r->words, r->have, r->readings);
    *ret_time_ms = r->time_ms;
    memset(r->have, 0, r->profile->words_n);
    r->has_answer = false;
    return true;
}

/* The image's word of the i-th register that was asked for; -1: the profile does not read it,
 * as in the holes that a request bridges. */
static int word_of(const struct traffic_reader *r, const struct traffic_exchange *e, unsigned i)
{
    uint32_t address = (uint32_t)e->asked.first + i;

    return address > UINT16_MAX
               ? -1
               : profile_offset(r->profile, e->asked.function, (uint16_t)address);
}

/* Nothing but registers that were read already: the device is at its next scan. What failed is
 * asked again within the same one; so is the block of which a serial line first asked a single
 * register, to tell a late answer from the one that it waits for. */
static bool begins_scan(const struct traffic_reader *r, const struct traffic_exchange *e)
{
    bool has_words = false;

    for (unsigned i = 0; i < e->asked.count; i++) {
        int at = word_of(r, e, i);
        if (at >= 0 && !r->have[at])
            return false;
        has_words |= at >= 0;
    }
    return has_words;
}

bool traffic_reader_take(struct traffic_reader *r, const struct traffic_exchange *e,
                         int64_t *ret_time_ms)
{
    bool is_read = e->asked.function >= BUS_READ_COILS && e->asked.function <= BUS_READ_INPUT;

    if (!is_read)
        return false;
    bool is_done = begins_scan(r, e) && traffic_reader_end(r, ret_time_ms);
    if (e->reply.outcome != BUS_OK && e->reply.outcome != BUS_EXCEPTION)
        return is_done;
    for (unsigned i = 0; e->reply.outcome == BUS_OK && i < e->reply.n; i++) {
        int at = word_of(r, e, i);
        if (at < 0)
            continue;
        r->words[at] = e->reply.words[i];
        r->have[at] = 1;
    }
    r->has_answer |= e->reply.outcome == BUS_OK;
    r->time_ms = e->reply.time_ms;
    return is_done;
}
