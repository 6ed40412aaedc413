/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/poll/radios.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_same(const struct poll_bus *a, const struct poll_bus *b)
{
    return b->place.type == BUS_LORA_SERIAL && strcmp(a->place.radio, b->place.radio) == 0;
}

/* The first bus with its radio; the bus itself when there is none before it. */
static size_t first_of(const struct poll_bus *buses, size_t i)
{
    size_t first = 0;

    while (!is_same(&buses[i], &buses[first]))
        first++;
    return first;
}

/* What the most careful of its buses allows. */
static double share_of(const struct poll_bus *buses, size_t n, size_t i)
{
    double share = buses[i].place.air_share;

    for (size_t k = 0; k < n; k++) {
        if (is_same(&buses[i], &buses[k]) && buses[k].place.air_share < share)
            share = buses[k].place.air_share;
    }
    return share;
}

int radios_init(struct radios *r, uv_loop_t *loop, const struct poll_bus *buses, size_t n)
{
    int rc = 0;

    *r = (struct radios){ .channel = calloc(n + 1, sizeof(void *)), .n = n };
    if (!r->channel)
        return -ENOMEM;
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (buses[i].place.type != BUS_LORA_SERIAL)
            continue;
        size_t first = first_of(buses, i);
        if (first == i)
            rc = radio_channel_create(loop, buses[i].place.radio, share_of(buses, n, i),
                                      &r->channel[i]);
        else
            r->channel[i] = r->channel[first];
    }
    return rc;
}

static bool is_first(const struct radios *r, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (r->channel[k] == r->channel[i])
            return false;
    }
    return r->channel[i] != NULL;
}

size_t radios_close(struct radios *r, void (*on_closed)(void *user), void *user)
{
    size_t closed = 0;

    for (size_t i = 0; r->channel && i < r->n; i++) {
        if (!is_first(r, i))
            continue;
        radio_channel_close(r->channel[i], on_closed, user);
        closed++;
    }
    return closed;
}

void radios_done(struct radios *r)
{
    for (size_t i = r->channel ? r->n : 0; i > 0; i--) {
        if (is_first(r, i - 1))
            radio_channel_destroy(r->channel[i - 1]);
    }
    free(r->channel);
    *r = (struct radios){ 0 };
}
