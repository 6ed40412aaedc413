/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/lora_site.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sensors/payload/payload.h"

enum {
    FIRST_US = 500000, /* the first device speaks so soon */
    APART_US = 700000, /* the next one so much later */
    POWER_DBM = 14,
    TMST_BEFORE_WRAP = 60000000, /* the counter wraps after a minute: it must not matter */
};

struct site_device {
    struct lora_site *site;
    struct end_device *device;
    struct instrument *instrument;
    const struct profile *profile;
    double *values; /* per point */
    int ear;
    size_t (*answer)(void *user, const uint8_t *frame, size_t n, uint8_t *out, size_t size);
    void *user;
};

struct lora_site {
    struct lora_site_options o;
    struct air *air;
    struct concentrator_sim *concentrators[NETWORK_GATEWAYS_MAX];
    size_t concentrators_n;
    struct site_device **devices;
    size_t devices_n;
    uv_timer_t timer;
    bool is_started;
};

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

/* ---- devices ---- */

static int next_payload(void *user, uint8_t *ret_fport, uint8_t *out, size_t size)
{
    struct site_device *d = user;

    if (d->answer) /* a bridge has nothing to say by itself */
        return 0;
    instrument_advance(d->instrument, clock_wall_ms(d->site->o.clock));
    for (size_t i = 0; i < d->profile->points_n; i++)
        d->values[i] = instrument_value(d->instrument, i);
    return payload_encode(d->profile, d->values, ret_fport, out, size);
}

static void transmit(void *user, uint32_t freq_hz, const struct radio_rate *rate,
                     const uint8_t *phy, size_t n)
{
    const struct site_device *d = user;
    struct air_frame f = { .start_us = now_us(),
                           .freq_hz = freq_hz,
                           .rate = *rate,
                           .power_dbm = POWER_DBM,
                           .has_crc = true,
                           .n = n };

    memcpy(f.phy, phy, n);
    air_send(d->site->air, (unsigned)d->ear, &f);
}

static void on_data(void *user, uint8_t fport, const uint8_t *bytes, size_t n)
{
    struct site_device *d = user;
    uint8_t out[FRAME_PAYLOAD_MAX];
    size_t size = d->answer ? d->answer(d->user, bytes, n, out, sizeof out) : 0;

    if (size)
        end_device_say(d->device, fport, out, size);
}

static void arm(struct lora_site *s);

static void hear_down(void *user, const struct air_frame *f, float rssi, float snr)
{
    struct site_device *d = user;

    (void)rssi, (void)snr;
    if (!end_device_listens(d->device, f->freq_hz, &f->rate, f->start_us))
        return;
    end_device_hear(d->device, f->phy, f->n, f->end_us);
    arm(d->site);
}

static void device_destroy(struct site_device *d)
{
    if (!d)
        return;
    end_device_destroy(d->device);
    instrument_destroy(d->instrument);
    free(d->values);
    free(d);
}

static int make_device(struct lora_site *s, const struct lora_site_device *o,
                       const struct instrument_options *in, struct site_device *d)
{
    const struct end_device_options e = {
        .id = o->id,
        .region = o->region,
        .dr = region_dr_adr_max(o->region),
        .every_us = o->every_us,
        .first_us = now_us() + FIRST_US + (int64_t)s->devices_n * APART_US,
        .confirmed_every = 10,
        .seed = s->o.seed,
        .payload = next_payload,
        .on_data = on_data,
        .transmit = transmit,
        .user = d,
    };
    struct end_device_options with = e;

    memcpy(with.channels, o->channels, sizeof with.channels);
    *d = (struct site_device){
        .site = s, .profile = in->profile, .answer = o->answer, .user = o->user
    };
    d->values = calloc(in->profile->points_n + 1, sizeof *d->values);
    int rc = d->values ? instrument_create(in, &d->instrument) : -ENOMEM;
    if (rc == 0)
        rc = end_device_create(&with, &d->device);
    if (rc < 0)
        return rc;
    const struct air_ear ear = { true, hear_down, d };
    d->ear = air_join(s->air, &ear);
    return d->ear < 0 ? d->ear : 0;
}

int lora_site_add_device(struct lora_site *s, const struct lora_site_device *o,
                         const struct instrument_options *in)
{
    if (!o->answer && payload_script(in->profile))
        return -ENOTSUP;
    struct site_device **more = realloc(s->devices, (s->devices_n + 1) * sizeof(void *));
    if (!more)
        return -ENOMEM;
    s->devices = more;
    struct site_device *d = calloc(1, sizeof *d);
    int rc = d ? make_device(s, o, in, d) : -ENOMEM;
    if (rc < 0) {
        device_destroy(d);
        return rc;
    }
    s->devices[s->devices_n++] = d;
    return 0;
}

/* ---- concentrators ---- */

int lora_site_add_concentrator(struct lora_site *s, uint64_t eui, const char *server)
{
    if (s->concentrators_n == NETWORK_GATEWAYS_MAX)
        return -ENOBUFS;
    const struct concentrator_sim_options o = {
        .loop = s->o.loop,
        .server = server,
        .eui = eui,
        .air = s->air,
        .tmst_start = UINT32_MAX - TMST_BEFORE_WRAP,
        .duplicate = s->o.duplicate,
        .seed = s->o.seed + eui,
    };
    int rc = concentrator_sim_create(&o, &s->concentrators[s->concentrators_n]);
    if (rc == 0)
        s->concentrators_n++;
    return rc;
}

/* ---- time ---- */

static void on_timer(uv_timer_t *t)
{
    struct lora_site *s = t->data;

    for (size_t i = 0; i < s->devices_n; i++)
        if (end_device_due(s->devices[i]->device) <= now_us())
            end_device_tick(s->devices[i]->device, now_us());
    arm(s);
}

static void arm(struct lora_site *s)
{
    int64_t due_us = INT64_MAX;

    for (size_t i = 0; i < s->devices_n; i++) {
        int64_t us = end_device_due(s->devices[i]->device);
        due_us = us < due_us ? us : due_us;
    }
    if (!s->is_started || due_us == INT64_MAX)
        return;
    int64_t left_us = due_us - now_us();
    uv_update_time(s->o.loop);
    uv_timer_start(&s->timer, on_timer, left_us > 0 ? (uint64_t)(left_us + 999) / 1000 : 0, 0);
}

void lora_site_start(struct lora_site *s)
{
    s->is_started = true;
    arm(s);
}

/* ---- life ---- */

/* Each device is as far from each concentrator as their numbers say: always the same place. */
static void link_of(void *user, unsigned from, unsigned to, float *rssi, float *snr)
{
    const struct lora_site *s = user;
    uint64_t z = (s->o.seed + from * UINT64_C(1000003) + to * UINT64_C(10007)) *
                 UINT64_C(0x9E3779B97F4A7C15);
    double share = (double)(z >> 40) / (double)(1 << 24);

    *rssi = (float)(-55 - 60 * share);
    *snr = (float)(11 - 14 * share);
}

int lora_site_create(const struct lora_site_options *o, struct lora_site **ret)
{
    struct lora_site *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->o = *o;
    const struct air_options air = { .loop = o->loop,
                                     .seed = o->seed,
                                     .loss = o->loss,
                                     .is_colliding = true,
                                     .link = link_of,
                                     .user = s };
    int rc = air_create(&air, &s->air);
    if (rc < 0) {
        free(s);
        return rc;
    }
    uv_timer_init(o->loop, &s->timer);
    s->timer.data = s;
    *ret = s;
    return 0;
}

void lora_site_get(const struct lora_site *s, struct lora_site_counters *ret)
{
    struct end_device_counters c;

    *ret = (struct lora_site_counters){ .devices = s->devices_n };
    for (size_t i = 0; i < s->devices_n; i++) {
        end_device_get(s->devices[i]->device, &c);
        ret->joined += c.is_joined;
        ret->uplinks += c.uplinks;
        ret->retransmissions += c.retransmissions;
        ret->downlinks += c.downlinks;
        ret->acks += c.acks;
        ret->in_rx1 += c.in_rx1;
        ret->in_rx2 += c.in_rx2;
        ret->bad += c.bad;
    }
}

static void on_closed(uv_handle_t *h)
{
    struct lora_site *s = h->data;

    for (size_t i = 0; i < s->devices_n; i++)
        device_destroy(s->devices[i]);
    free(s->devices);
    free(s);
}

void lora_site_destroy(struct lora_site *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->concentrators_n; i++)
        concentrator_sim_destroy(s->concentrators[i]);
    air_destroy(s->air);
    uv_close((uv_handle_t *)&s->timer, on_closed);
}
