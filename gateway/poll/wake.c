/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/poll/wake.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct wake *w = poll->data;
    uint64_t times;

    (void)status, (void)events;
    if (read(w->fd, &times, sizeof times) == (ssize_t)sizeof times)
        w->on_wake(w->user);
}

int wake_init(uv_loop_t *loop, struct wake *w, void (*on_wake)(void *user), void *user)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    *w = (struct wake){ .fd = fd, .on_wake = on_wake, .user = user };
    int rc = uv_poll_init(loop, &w->poll, fd);
    if (rc == 0) {
        w->poll.data = w;
        rc = uv_poll_start(&w->poll, UV_READABLE, on_readable);
    }
    if (rc != 0)
        close(fd);
    return rc;
}

void wake_at(struct wake *w, int64_t mono_ms)
{
    struct itimerspec at = { .it_value = { .tv_sec = mono_ms / 1000,
                                           .tv_nsec = mono_ms % 1000 * 1000000 } };

    if (mono_ms <= 0) /* 0 would switch it off */
        at.it_value = (struct timespec){ .tv_nsec = 1 };
    timerfd_settime(w->fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void on_poll_closed(uv_handle_t *h)
{
    struct wake *w = h->data;

    close(w->fd);
    w->on_closed(w->user);
}

void wake_close(struct wake *w, void (*on_closed)(void *user))
{
    w->on_closed = on_closed;
    uv_close((uv_handle_t *)&w->poll, on_poll_closed);
}
