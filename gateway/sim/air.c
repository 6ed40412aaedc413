/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/air.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/lorawan/region.h"
#include "gateway/sim/noise.h"

struct flight {
    bool is_used, is_hit;
    unsigned from;
    struct air_frame frame;
};

struct air {
    uv_timer_t timer;
    struct air_options o;
    int64_t draws; /* of random numbers */
    struct air_ear ears[AIR_EARS_MAX];
    struct flight flights[AIR_FRAMES_MAX];
};

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static bool is_same_channel(const struct air_frame *a, const struct air_frame *b)
{
    return a->freq_hz == b->freq_hz && a->is_inverted == b->is_inverted &&
           a->rate.is_fsk == b->rate.is_fsk && a->rate.sf == b->rate.sf &&
           a->rate.bw_hz == b->rate.bw_hz;
}

static bool meet(const struct air_frame *a, const struct air_frame *b)
{
    return is_same_channel(a, b) && a->start_us < b->end_us && b->start_us < a->end_us;
}

static void mark_collisions(struct air *a, struct flight *new)
{
    for (size_t i = 0; i < AIR_FRAMES_MAX; i++) {
        struct flight *f = &a->flights[i];
        if (f == new || !f->is_used || !meet(&f->frame, &new->frame))
            continue;
        f->is_hit = true;
        new->is_hit = true;
    }
}

static void reach(struct air *a, const struct flight *f, unsigned to)
{
    const struct air_ear *e = &a->ears[to];
    float rssi = -70, snr = 9;

    if (!e->hear || to == f->from || e->hears_inverted != f->frame.is_inverted)
        return;
    if (a->o.link)
        a->o.link(a->o.user, f->from, to, &rssi, &snr);
    if (!f->frame.rate.is_fsk && (double)snr < radio_snr_min(f->frame.rate.sf))
        return;
    if (noise_uniform(a->o.seed, a->draws++) >= a->o.loss)
        e->hear(e->user, &f->frame, rssi, snr);
}

/* The place is free before the ears hear: they may send at once. */
static void land(struct air *a, struct flight *f)
{
    const struct flight landed = *f;

    f->is_used = false;
    for (unsigned i = 0; !landed.is_hit && i < AIR_EARS_MAX; i++)
        reach(a, &landed, i);
}

static struct flight *next(struct air *a)
{
    struct flight *first = NULL;

    for (size_t i = 0; i < AIR_FRAMES_MAX; i++) {
        struct flight *f = &a->flights[i];
        if (f->is_used && (!first || f->frame.end_us < first->frame.end_us))
            first = f;
    }
    return first;
}

static void on_timer(uv_timer_t *timer);

static void arm(struct air *a)
{
    const struct flight *f = next(a);
    const int64_t wait_us = f ? f->frame.end_us - now_us() : 0;

    if (f && !uv_is_closing((uv_handle_t *)&a->timer))
        uv_timer_start(&a->timer, on_timer, wait_us > 0 ? (uint64_t)(wait_us + 999) / 1000 : 0,
                       0);
}

static void on_timer(uv_timer_t *timer)
{
    struct air *a = timer->data;
    struct flight *f;

    while ((f = next(a)) && f->frame.end_us <= now_us())
        land(a, f);
    arm(a);
}

int air_create(const struct air_options *o, struct air **ret)
{
    struct air *a = calloc(1, sizeof *a);

    if (!a)
        return -ENOMEM;
    a->o = *o;
    uv_timer_init(o->loop, &a->timer);
    a->timer.data = a;
    *ret = a;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void air_destroy(struct air *a)
{
    if (a)
        uv_close((uv_handle_t *)&a->timer, on_closed);
}

int air_join(struct air *a, const struct air_ear *e)
{
    for (int i = 0; i < AIR_EARS_MAX; i++) {
        if (a->ears[i].hear)
            continue;
        a->ears[i] = *e;
        return i;
    }
    return -ENOBUFS;
}

void air_leave(struct air *a, unsigned ear)
{
    a->ears[ear] = (struct air_ear){ .hear = NULL };
}

static struct flight *free_place(struct air *a)
{
    for (size_t i = 0; i < AIR_FRAMES_MAX; i++) {
        if (!a->flights[i].is_used)
            return &a->flights[i];
    }
    return NULL;
}

int air_send(struct air *a, unsigned from, const struct air_frame *f)
{
    struct flight *place = free_place(a);

    if (!place)
        return -ENOBUFS;
    *place = (struct flight){ .is_used = true, .from = from, .frame = *f };
    place->frame.end_us = f->start_us + radio_airtime_us(&f->rate, f->n, f->has_crc);
    if (a->o.is_colliding)
        mark_collisions(a, place);
    arm(a);
    return 0;
}
