/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/poll/line.h"

void line_add(struct line *l, struct device *d)
{
    d->sibling = l->devices;
    l->devices = d;
    device_know_line(d, &l->load);
    l->devices_n += d->conf->is_enabled;
}

bool line_is_too_slow(const struct line *l, const struct device *d, const struct clock *c)
{
    return l->devices_n > 1 &&
           d->answer_us * l->devices_n > clock_real_ms(c, d->conf->interval_ms) * 1000;
}

static void queue_put(struct line_queue *q, struct device *d)
{
    d->next = NULL;
    if (q->tail)
        q->tail->next = d;
    else
        q->head = d;
    q->tail = d;
}

static struct device *queue_take(struct line_queue *q)
{
    struct device *d = q->head;

    if (d) {
        q->head = d->next;
        if (!q->head)
            q->tail = NULL;
    }
    return d;
}

void line_put(struct line *l, struct device *d, int64_t now_ms)
{
    d->queued_ms = now_ms;
    queue_put(d->is_slow ? &l->slow : &l->ready, d);
}

/* Real time until a sound device is due; INT64_MAX: none is. */
static int64_t slack_ms(const struct line *l, const struct schedule *slots,
                        const struct clock *c, int64_t now_ms)
{
    int64_t due_ms, first_ms = INT64_MAX;

    for (const struct device *d = l->devices; d; d = d->sibling) {
        if (!device_is_in_trouble(d) && !line_is_too_slow(l, d, c) &&
            schedule_due(slots, d->number, &due_ms) && due_ms < first_ms)
            first_ms = due_ms;
    }
    if (first_ms == INT64_MAX)
        return INT64_MAX;
    return first_ms > now_ms ? clock_real_ms(c, first_ms - now_ms) - LINE_MARGIN_MS : 0;
}

/* Whether a device that has waited so long may hold up the others. */
static bool is_granted(struct line *l, const struct device *d, int64_t now_ms)
{
    if (now_ms - d->queued_ms < d->conf->interval_ms * LINE_PATIENCE)
        return false;
    if (!device_is_in_trouble(d))
        return true;
    if (now_ms < l->grant_ms)
        return false;
    l->grant_ms = now_ms + LINE_GRANT_MS;
    return true;
}

static bool is_starved(const struct line *l, const struct device *d, int64_t now_ms)
{
    return now_ms - d->queued_ms >= d->conf->interval_ms * LINE_STARVED &&
           (!device_is_in_trouble(d) || now_ms >= l->grant_ms);
}

struct device *line_take(struct line *l, const struct schedule *slots, const struct clock *c,
                         int64_t now_ms, int64_t *ret_timeout_ms)
{
    const struct device *d = l->slow.head;

    *ret_timeout_ms = INT64_MAX;
    if (!d || (l->ready.head && !is_starved(l, d, now_ms)))
        return queue_take(&l->ready);
    int64_t left_ms = slack_ms(l, slots, c, now_ms);
    if (device_need_ms(d) > left_ms)
        return is_granted(l, d, now_ms) ? queue_take(&l->slow) : NULL;
    if (device_is_in_trouble(d))
        *ret_timeout_ms = left_ms;
    return queue_take(&l->slow);
}
