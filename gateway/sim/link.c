/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   bytes -> frame[] -> slave_answer() -> waiting[] by due time -> bytes
 *
 * A frame ends by its length; one whose length its function does not tell ends by silence, as
 * does what is left of a broken one.
 */
#include "gateway/sim/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SILENCE_MS = 20,
    WAITING_MAX = 32, /* answers on their way; a device that is asked more often loses them */
    RTU_SHORTEST = 4, /* unit, function, CRC */
};

struct waiting {
    int64_t due_ms;
    struct fault_answer answer;
    size_t sent;
};

struct link {
    struct link_options o;
    uv_poll_t poll;
    uv_timer_t silence, send;
    int handles; /* not yet closed */
    bool is_ended;
    int64_t busy_until_ms; /* a slow device's other requests wait */
    size_t frame_n;
    uint8_t frame[EXCHANGE_FRAME_MAX];
    size_t waiting_n;
    struct waiting *waiting[WAITING_MAX]; /* the one being sent first, then by due time */
};

static void end(struct link *l, bool is_fault)
{
    if (l->is_ended)
        return;
    l->is_ended = true;
    l->o.on_end(l->o.user, is_fault);
}

/* ---- answers ---- */

static void on_due(uv_timer_t *timer);

static void arm(struct link *l)
{
    int64_t wait = l->waiting_n > 0 ? l->waiting[0]->due_ms - mono_ms() : 0;

    if (l->waiting_n > 0)
        uv_timer_start(&l->send, on_due, wait > 0 ? (uint64_t)wait : 0, 0);
}

static void drop_first(struct link *l)
{
    free(l->waiting[0]);
    l->waiting_n--;
    memmove(l->waiting, l->waiting + 1, l->waiting_n * sizeof *l->waiting);
}

/* A line that nobody reads is full at some time: bytes are lost there, as on a wire; a
 * connection ends. */
static void put(struct link *l, const uint8_t *bytes, size_t n)
{
    if (write(l->o.fd, bytes, n) != (ssize_t)n && isatty(l->o.fd) == 0)
        end(l, false);
}

/* Sends what is due of the first one; true when it is done. */
static bool send_first(struct link *l)
{
    struct waiting *w = l->waiting[0];
    const struct fault_answer *a = &w->answer;

    if (a->is_hang_up) {
        end(l, true);
        return true;
    }
    size_t n = a->trickle_ms > 0 ? 1 : a->n - w->sent;
    put(l, a->bytes + w->sent, n);
    w->sent += n;
    w->due_ms += a->trickle_ms;
    return w->sent >= a->n;
}

static void send_due(struct link *l)
{
    while (l->waiting_n > 0 && l->waiting[0]->due_ms <= mono_ms() && !l->is_ended) {
        if (send_first(l))
            drop_first(l);
    }
    if (!l->is_ended)
        arm(l);
}

static void on_due(uv_timer_t *timer)
{
    send_due(timer->data);
}

/* Behind those due before it, and behind the one half sent. */
static void queue_in(struct link *l, struct waiting *w)
{
    size_t at = l->waiting_n;

    while (at > 0 && l->waiting[at - 1]->due_ms > w->due_ms && l->waiting[at - 1]->sent == 0)
        at--;
    memmove(l->waiting + at + 1, l->waiting + at, (l->waiting_n - at) * sizeof *l->waiting);
    l->waiting[at] = w;
    l->waiting_n++;
}

static void take_once(struct link *l, const struct fault_answer *a)
{
    int64_t now = mono_ms();

    if (a->n == 0 && !a->is_hang_up)
        return;
    if (a->slow_ms == 0 && a->late_ms == 0 && a->trickle_ms == 0 && !a->is_hang_up &&
        l->waiting_n == 0 && l->busy_until_ms <= now) {
        put(l, a->bytes, a->n);
        return;
    }
    struct waiting *w = l->waiting_n < WAITING_MAX ? malloc(sizeof *w) : NULL;
    if (!w)
        return;
    if (a->slow_ms > 0)
        l->busy_until_ms = (l->busy_until_ms > now ? l->busy_until_ms : now) + a->slow_ms;
    int64_t ready = l->busy_until_ms > now ? l->busy_until_ms : now;
    *w = (struct waiting){ .due_ms = ready + a->late_ms, .answer = *a };
    queue_in(l, w);
    send_due(l);
}

static void take_answer(struct link *l, const struct fault_answer *a)
{
    struct fault_answer copy = *a;

    take_once(l, a);
    if (a->copy_ms == 0 || a->is_hang_up || l->is_ended)
        return;
    copy.late_ms += a->copy_ms;
    copy.slow_ms = 0;
    take_once(l, &copy);
}

/* ---- requests ---- */

static void answer(struct link *l, size_t n)
{
    struct fault_answer a;

    slave_answer(l->o.group, l->frame, n, &a);
    l->frame_n -= n;
    memmove(l->frame, l->frame + n, l->frame_n);
    take_answer(l, &a);
}

static void on_silence(uv_timer_t *timer)
{
    struct link *l = timer->data;

    if (l->o.group->line == SLAVE_RTU && l->frame_n >= RTU_SHORTEST)
        answer(l, l->frame_n);
    l->frame_n = 0;
}

/* 0: not yet whole; -1: not to be told, or longer than there is room. */
static int whole_frame(const struct link *l)
{
    int size = exchange_request_size(l->o.group->line, l->frame, l->frame_n);

    if (size > (int)sizeof l->frame)
        return -1;
    return size > (int)l->frame_n ? 0 : size;
}

static void take_bytes(struct link *l)
{
    int size;

    while (!l->is_ended && (size = whole_frame(l)) > 0)
        answer(l, (size_t)size);
    if (l->is_ended)
        return;
    if (l->o.group->line == SLAVE_TCP && whole_frame(l) < 0) {
        end(l, false); /* no Modbus: the stream cannot be read on */
        return;
    }
    if (l->frame_n == sizeof l->frame) /* longer than any frame: noise */
        l->frame_n = 0;
    if (l->o.group->line == SLAVE_RTU && l->frame_n > 0)
        uv_timer_start(&l->silence, on_silence, SILENCE_MS, 0);
    else
        uv_timer_stop(&l->silence);
}

static void on_bytes(uv_poll_t *poll, int status, int events)
{
    struct link *l = poll->data;

    (void)events;
    if (l->is_ended)
        return;
    ssize_t n =
        status < 0 ? 0 : read(l->o.fd, l->frame + l->frame_n, sizeof l->frame - l->frame_n);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        end(l, false);
        return;
    }
    l->frame_n += (size_t)n;
    take_bytes(l);
}

/* ---- life ---- */

int link_open(const struct link_options *o, struct link **ret)
{
    struct link *l = calloc(1, sizeof *l);

    if (!l)
        return -ENOMEM;
    l->o = *o;
    int rc = uv_poll_init(o->loop, &l->poll, o->fd);
    if (rc < 0) {
        free(l);
        return rc;
    }
    uv_timer_init(o->loop, &l->silence);
    uv_timer_init(o->loop, &l->send);
    l->poll.data = l->silence.data = l->send.data = l;
    l->handles = 3;
    uv_poll_start(&l->poll, UV_READABLE, on_bytes);
    *ret = l;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct link *l = handle->data;

    if (--l->handles > 0)
        return;
    void (*tell)(void *user) = l->o.on_closed;
    void *user = l->o.user;
    while (l->waiting_n > 0)
        drop_first(l);
    free(l);
    tell(user);
}

void link_close(struct link *l)
{
    l->is_ended = true;
    uv_close((uv_handle_t *)&l->poll, on_closed);
    uv_close((uv_handle_t *)&l->silence, on_closed);
    uv_close((uv_handle_t *)&l->send, on_closed);
}
