/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lora/lora.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/lora/internal.h"

/* ---- commits ---- */

void lora_wait_for_commit(struct lora *l, uint32_t bus, uint64_t ticket)
{
    if (l->waits_n == LORA_WAITING_MAX) {
        log_warning("an answer to a LoRa device is not sent: too many wait for the log");
        return;
    }
    l->waits[l->waits_n++] = (struct lora_wait){ store_submitted(l->o.store), ticket, bus };
}

static void on_committed(uv_async_t *handle)
{
    struct lora *l = handle->data;
    uint64_t batches = atomic_load(&l->batches);
    size_t kept = 0;

    for (size_t i = 0; i < l->waits_n; i++) {
        const struct lora_wait w = l->waits[i];
        if (w.batch > batches)
            l->waits[kept++] = w;
        else
            network_kept(l->sides[w.bus].network, w.ticket, lora_now_us());
    }
    l->waits_n = kept;
    lora_arm(l);
}

void lora_committed(struct lora *l, uint64_t batches)
{
    atomic_store(&l->batches, batches);
    uv_async_send(&l->committed);
}

/* ---- waking up ---- */

static void on_wake(uv_timer_t *handle)
{
    struct lora *l = handle->data;

    l->wake_us = 0;
    for (size_t i = 0; i < l->o.buses_n; i++)
        if (udp_due(&l->sides[i]) <= lora_now_us())
            network_tick(l->sides[i].network, lora_now_us());
    lora_arm(l);
}

void lora_arm(struct lora *l)
{
    int64_t due_us = INT64_MAX, now_us = lora_now_us();

    for (size_t i = 0; i < l->o.buses_n; i++) {
        int64_t us = udp_due(&l->sides[i]);
        due_us = us < due_us ? us : due_us;
    }
    if (l->is_stopping || due_us == INT64_MAX || (l->wake_us && l->wake_us <= due_us))
        return;
    l->wake_us = due_us;
    uv_update_time(l->o.loop);
    uv_timer_start(&l->wake, on_wake, due_us > now_us ? (uint64_t)(due_us - now_us) / 1000 : 0,
                   0);
}

/* ---- life ---- */

static void on_network_state(void *user, const char *key, const void *data, size_t size)
{
    struct lora *l = user;

    for (size_t i = 0; i < l->o.buses_n; i++)
        if (l->sides[i].network)
            udp_restore(&l->sides[i], key, data, size);
}

static void on_undecoded(void *user, const char *key, const void *data, size_t size)
{
    decode_take_up(user, key, data, size);
}

/* Sockets first: where one cannot be had, no feed's thread has begun yet that would have to end
 * before the configuration goes. */
static int create_sides(struct lora *l, char *error, size_t size)
{
    int rc = 0;

    for (uint32_t i = 0; i < l->o.buses_n; i++)
        l->sides[i] = (struct lora_side){ .lora = l, .bus = i };
    for (size_t i = 0; i < l->o.buses_n && rc == 0; i++)
        if (l->o.buses[i].kind == LORA_UDP)
            rc = udp_create(&l->sides[i], error, size);
    for (size_t i = 0; i < l->o.buses_n && rc == 0; i++)
        if (l->o.buses[i].kind == LORA_FEED)
            rc = feeds_create(&l->sides[i], error, size);
    return rc;
}

/* The log is this one from now on; sessions that came with another are doubtful, and their own
 * states say so. */
static int keep_epoch(struct lora *l)
{
    uint64_t epoch = store_epoch(l->o.store);
    struct store_batch *b;
    int rc = store_batch_begin(l->o.store, &b);

    if (rc == 0)
        rc = store_batch_state(b, LORA_EPOCH_KEY, &epoch, sizeof epoch);
    return rc == 0 ? store_batch_submit(b, STORE_WITH_INTERVAL) : rc;
}

/* Sessions that are doubtful say so in their own states before the log's epoch is noted: a kill
 * in between doubts them once more. */
static void keep_doubts(struct lora *l)
{
    for (size_t i = 0; i < l->o.buses_n; i++)
        if (l->sides[i].network)
            network_tick(l->sides[i].network, lora_now_us());
}

static int take_up(struct lora *l)
{
    int rc = store_state_each(l->o.store, NETWORK_KEY_PREFIX, on_network_state, l);

    if (rc == 0)
        rc = feeds_take_up(l);
    if (rc == 0 && l->codecs)
        rc = store_state_each(l->o.store, DECODE_PREFIX, on_undecoded, l);
    keep_doubts(l);
    return rc == 0 ? keep_epoch(l) : rc;
}

static int allocate(struct lora *l)
{
    size_t points = 1;

    for (size_t i = 0; i < l->o.devices_n; i++)
        if (l->o.devices[i].profile->points_n > points)
            points = l->o.devices[i].profile->points_n;
    l->sides = calloc(l->o.buses_n + 1, sizeof *l->sides);
    l->seen = calloc(l->o.devices_n + 1, sizeof *l->seen);
    l->note = BUF_INIT(LORA_NOTE_MAX);
    for (size_t i = 0; l->seen && i < l->o.devices_n; i++) {
        l->seen[i].state = l->o.devices[i].is_enabled ? LORA_WAITING : LORA_DISABLED;
        l->seen[i].heard_mono_ms = clock_mono_ms(l->o.clock);
    }
    return l->sides && l->seen ? 0 : -ENOMEM;
}

/* A start that failed half-way: what is closing needs nothing of the options any more. */
static void destroy_closed(void *user)
{
    lora_destroy(user);
}

int lora_create(const struct lora_options *o, struct lora **ret, char *error, size_t size)
{
    struct lora *l = calloc(1, sizeof *l);

    if (!l)
        return -ENOMEM;
    l->o = *o;
    int rc = uv_timer_init(o->loop, &l->wake);
    if (rc == 0)
        rc = uv_async_init(o->loop, &l->committed, on_committed);
    if (rc != 0) {
        free(l);
        return rc;
    }
    l->wake.data = l->committed.data = l;
    rc = allocate(l);
    if (rc == 0)
        rc = decode_create(l, error, size);
    if (rc == 0)
        rc = create_sides(l, error, size);
    if (rc == 0)
        rc = take_up(l);
    if (rc < 0) {
        lora_stop(l, destroy_closed, l);
        return rc;
    }
    *ret = l;
    return 0;
}

void lora_tick(struct lora *l, int64_t now_ms)
{
    (void)now_ms;
    state_tick(l);
    lora_arm(l);
}

void lora_watch(struct lora *l, bool is_on)
{
    l->is_watched = is_on;
}

void lora_part_closed(void *user)
{
    struct lora *l = user;

    if (--l->open == 0)
        l->on_closed(l->closed_user);
}

static void on_handle_closed(uv_handle_t *h)
{
    lora_part_closed(h->data);
}

void lora_stop(struct lora *l, void (*on_closed)(void *user), void *user)
{
    l->is_stopping = true;
    l->on_closed = on_closed;
    l->closed_user = user;
    l->open = 2;
    uv_close((uv_handle_t *)&l->wake, on_handle_closed);
    uv_close((uv_handle_t *)&l->committed, on_handle_closed);
    for (size_t i = 0; l->sides && i < l->o.buses_n; i++) {
        udp_stop(&l->sides[i]);
        feeds_stop(&l->sides[i]);
    }
    if (!l->codecs)
        return;
    l->open++;
    codecs_stop(l->codecs, lora_part_closed, l);
}

void lora_destroy(struct lora *l)
{
    if (!l)
        return;
    for (size_t i = 0; l->sides && i < l->o.buses_n; i++) {
        udp_destroy(&l->sides[i]);
        feeds_destroy(&l->sides[i]);
    }
    bridges_destroy(l);
    decode_destroy(l);
    seen_destroy(l->repeats);
    for (size_t i = 0; l->seen && i < l->o.devices_n; i++)
        free(l->seen[i].trouble);
    buf_done(&l->note);
    free(l->sides);
    free(l->seen);
    free(l);
}
