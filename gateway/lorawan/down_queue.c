/* SPDX-License-Identifier: Apache-2.0 */
/* down_queue - what applications send: class A behind uplinks, class C when its radio is free.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/lorawan/network_internal.h"

enum {
    PORT_LAST = 223,
    REPLY_SLACK_US = 200 * US_PER_MS, /* facts: lorawan section 5 */
    BEFORE_AIR_US = 80 * US_PER_MS,   /* what a forwarder adds to "now" */
    CONFIRM_US = 2 * US_PER_S,        /* class C: an acknowledgement may take that long */
};

/* ---- the queue ---- */

static void unlist(struct network *n, uint32_t device)
{
    for (size_t i = 0; i < n->queued_n; i++) {
        if (n->queued[i] == device) {
            n->queued[i] = n->queued[--n->queued_n];
            return;
        }
    }
}

void down_queue_end(struct network *n, struct node *node, struct message *m, int result)
{
    struct message **at = &node->queue;
    uint64_t id = m->id;

    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    if (node->answer && node->answer->message == m)
        node->answer->message = NULL;
    free(m);
    if (!node->queue)
        unlist(n, node_number(n, node));
    n->is_again = true;
    n->o.on_sent(n->o.user, node_number(n, node), id, result);
}

void down_queue_clear(struct node *node)
{
    while (node->queue) {
        struct message *m = node->queue;

        node->queue = m->next;
        free(m);
    }
}

static struct session *session_of(struct node *node)
{
    struct session_record *r = &node->rec;
    struct session *s = r->current.is_live ? &r->current : &r->pending;

    return s->is_live && !s->is_doubtful ? s : NULL;
}

static size_t length(const struct node *node)
{
    size_t count = 0;

    for (const struct message *m = node->queue; m; m = m->next)
        count++;
    return count;
}

static struct message *message_new(const struct network_downlink *d)
{
    struct message *m = malloc(sizeof *m + d->n);

    if (!m)
        return NULL;
    *m = (struct message){
        .id = d->id,
        .deadline_us = d->deadline_us,
        .reply_us = d->reply_us > 0 ? d->reply_us : 0,
        .is_confirmed = d->is_confirmed,
        .fport = d->fport,
        .n = (uint8_t)d->n,
    };
    if (d->n)
        memcpy(m->bytes, d->bytes, d->n);
    return m;
}

int network_send(struct network *n, uint32_t device, const struct network_downlink *d,
                 int64_t mono_us)
{
    if (device >= n->o.devices_n || !d->fport || d->fport > PORT_LAST)
        return -EINVAL;
    struct node *node = &n->nodes[device];
    const struct session *s = session_of(node);
    if (!s || !node->conf->is_enabled)
        return -ENOENT;
    /* Everything must fit RX2, too. */
    if (d->n > region_payload_max(n->o.region, s->rx2_dr, false, n->o.is_down_dwell))
        return -EMSGSIZE;
    if (length(node) >= NETWORK_QUEUE_MAX)
        return -EBUSY;
    struct message *m = message_new(d), **at = &node->queue;
    if (!m)
        return -ENOMEM;
    if (!node->queue)
        n->queued[n->queued_n++] = device;
    while (*at)
        at = &(*at)->next;
    *at = m;
    network_run(n, mono_us);
    return 0;
}

/* ---- what became of a message ---- */

static void lock(struct node *node, const struct answer *a, const struct message *m)
{
    int64_t reply = m->reply_us;

    if (m->is_confirmed && reply < CONFIRM_US)
        reply = CONFIRM_US;
    node->free_us = a->start_us + a->air_us + reply + REPLY_SLACK_US;
}

void down_queue_sent(struct network *n, struct node *node, const struct answer *a, bool is_sent)
{
    struct message *m = a->message;
    bool is_class_c = node->conf->device_class == LORAWAN_CLASS_C;

    if (is_sent && is_class_c)
        lock(node, a, m);
    if (is_sent && !m->is_confirmed) {
        down_queue_end(n, node, m, 0);
        return;
    }
    if (is_sent) {
        m->is_waiting = true;
        m->tries++;
    }
}

void down_queue_acked(struct network *n, struct node *node, bool is_ack)
{
    struct message *m = node->queue;

    if (!m || !m->is_waiting)
        return;
    m->is_waiting = false;
    if (is_ack)
        down_queue_end(n, node, m, 0);
    else if (m->tries >= CONFIRMED_TRIES)
        down_queue_end(n, node, m, -ETIMEDOUT);
}

/* ---- class C ---- */

/* The earliest start that touches neither RX1 nor RX2 of the last uplink. */
static int64_t earliest_us(const struct network *n, const struct node *node)
{
    const struct session *s = &node->rec.current;
    int64_t at = n->now_us > node->free_us ? n->now_us : node->free_us;
    struct radio_rate rate;

    if (node->up_us == INT64_MIN || !region_rate(n->o.region, s->rx2_dr, false, &rate))
        return at;
    int64_t rx1 = node->up_us + s->rx1_delay_s * (int64_t)US_PER_S, rx2 = rx1 + US_PER_S;
    int64_t air = radio_airtime_us(&rate, node->queue->n + (size_t)FRAME_OVERHEAD, false);
    bool is_before = at + BEFORE_AIR_US + air + MARGIN_US < rx1;
    return is_before || at > rx2 + MARGIN_US ? at : rx2 + MARGIN_US + 1;
}

static bool is_class_c(const struct node *node)
{
    const struct session *s = &node->rec.current;

    return node->conf->device_class == LORAWAN_CLASS_C && s->is_live && s->is_heard &&
           !s->is_doubtful;
}

/* false: there is no concentrator. */
static bool begin(struct network *n, struct node *node)
{
    struct session *s = &node->rec.current;
    struct answer *a;

    if (!network_gateways_up(n))
        return false;
    a = answer_begin(n, node, ANSWER_CLASS_C);
    if (!a) {
        node->free_us = n->now_us + US_PER_S;
        return true; /* answers to uplinks come first */
    }
    a->session = s;
    a->rx2 = (struct region_window){ .freq_hz = s->rx2_hz, .dr = s->rx2_dr };
    region_rate(n->o.region, s->rx2_dr, false, &a->rx2.rate);
    for (uint8_t i = 0; i < n->o.gateways_n; i++) {
        bool is_best = node->up_us != INT64_MIN && i == node->best_gateway;
        bool is_near = node->heard_by >> i & 1;

        a->heard[a->heard_n++] = (struct reception){
            .gateway = i,
            /* Their order alone counts: the best, those that heard it, the others. */
            .snr = is_best   ? 2
                   : is_near ? 1
                             : 0,
        };
    }
    return true;
}

static void expire(struct network *n, struct node *node)
{
    for (struct message *m = node->queue, *next; m; m = next) {
        bool is_under_way = node->answer && node->answer->message == m;

        next = m->next;
        if (n->now_us < m->deadline_us || is_under_way)
            continue;
        down_queue_end(n, node, m, -ETIMEDOUT);
        return; /* the callback may have changed the queue; we come again */
    }
}

void down_queue_step(struct network *n, struct node *node)
{
    expire(n, node);
    struct message *m = node->queue;
    if (!m || node->answer || !is_class_c(node) || n->now_us < earliest_us(n, node))
        return;
    if (m->is_waiting) {
        down_queue_acked(n, node, false); /* no acknowledgement came */
        n->is_again = true;
        return;
    }
    if (!begin(n, node))
        down_queue_end(n, node, m, -ENOTCONN);
}

int64_t down_queue_due(const struct network *n, const struct node *node)
{
    int64_t due = INT64_MAX;

    for (const struct message *m = node->queue; m; m = m->next) {
        if (m->deadline_us < due && !(node->answer && node->answer->message == m))
            due = m->deadline_us;
    }
    if (node->queue && !node->answer && is_class_c(node)) {
        int64_t at = earliest_us(n, node);

        due = at < due ? at : due;
    }
    return due;
}
