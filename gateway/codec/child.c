/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/codec/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/codec/codec.h"
#include "gateway/codec/sandbox.h"

enum {
    READY_MS = 10000, /* a machine may be busy when it starts */
    HANDLES = 3,
    WHY_MAX = 256,
    ROOM = CODEC_MESSAGE_MAX + CODEC_PREFIX_SIZE,
};

struct child {
    uv_process_t process;
    uv_pipe_t channel;
    uv_timer_t timer;
    struct child_events events;
    int open; /* handles */
    bool is_ready, is_ending, is_slow, is_wrong;
    int signal;
    char why[WHY_MAX];
    char *in;
    size_t in_n;
};

struct sending {
    uv_write_t request;
    struct buf bytes;
};

static enum child_end end_of(const struct child *c)
{
    if (!c->is_ready)
        return CHILD_NOT_READY;
    if (c->is_slow)
        return CHILD_SLOW;
    if (c->signal == SIGPROF)
        return CHILD_CPU;
    if (c->signal == SIGSYS)
        return CHILD_FORBIDDEN;
    return c->is_wrong || (c->signal && c->signal != SIGKILL) ? CHILD_CRASHED : CHILD_LEFT;
}

static void on_handle_closed(uv_handle_t *h)
{
    struct child *c = h->data;

    if (--c->open > 0)
        return;
    c->events.on_end(c->events.user, end_of(c), c->why);
    free(c->in);
    free(c);
}

static void close_all(struct child *c)
{
    uv_close((uv_handle_t *)&c->process, on_handle_closed);
    uv_close((uv_handle_t *)&c->channel, on_handle_closed);
    uv_close((uv_handle_t *)&c->timer, on_handle_closed);
}

static void on_exit_of(uv_process_t *p, int64_t status, int signal)
{
    struct child *c = p->data;

    (void)status;
    c->signal = signal;
    close_all(c);
}

/* The process may be dying of something else already: that is what counts then. */
static void end(struct child *c)
{
    if (c->is_ending)
        return;
    c->is_ending = true;
    uv_timer_stop(&c->timer);
    uv_read_stop((uv_stream_t *)&c->channel);
    uv_process_kill(&c->process, SIGKILL);
}

void child_stop(struct child *c)
{
    end(c);
}

static void on_time(uv_timer_t *t)
{
    struct child *c = t->data;

    c->is_slow = true;
    end(c);
}

static void take_hello(struct child *c, const struct codec_message *m)
{
    if (m->code) {
        const size_t n = m->blob[0].size;
        memcpy(c->why, m->blob[0].data, n < WHY_MAX ? n : WHY_MAX - 1);
        end(c);
        return;
    }
    c->is_ready = true;
    uv_timer_stop(&c->timer);
    c->events.on_ready(c->events.user);
}

static void take(struct child *c, const struct codec_message *m)
{
    if (m->kind == CODEC_HELLO && !c->is_ready) {
        take_hello(c, m);
    } else if (m->kind == CODEC_RESULT && uv_is_active((uv_handle_t *)&c->timer) &&
               c->is_ready) {
        uv_timer_stop(&c->timer);
        c->events.on_result(c->events.user, m);
    } else {
        c->is_wrong = true;
        end(c);
    }
}

static void on_alloc(uv_handle_t *h, size_t wanted, uv_buf_t *ret)
{
    struct child *c = h->data;

    (void)wanted;
    *ret = uv_buf_init(c->in + c->in_n, (unsigned)(ROOM - c->in_n));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct child *c = s->data;
    struct codec_message m;
    int64_t taken;

    (void)b;
    if (n < 0) {
        end(c);
        return;
    }
    c->in_n += (size_t)n;
    while (!c->is_ending && (taken = codec_message_get(c->in, c->in_n, &m)) != 0) {
        if (taken < 0) {
            c->is_wrong = true;
            end(c);
            return;
        }
        take(c, &m);
        c->in_n -= (size_t)taken;
        memmove(c->in, c->in + taken, c->in_n);
    }
}

static void on_sent(uv_write_t *r, int status)
{
    struct sending *s = (struct sending *)r;

    (void)status; /* a broken channel is seen by reading */
    buf_done(&s->bytes);
    free(s);
}

void child_call(struct child *c, struct buf *messages)
{
    struct sending *s = malloc(sizeof *s);

    if (!s || c->is_ending || messages->has_failed) {
        free(s);
        buf_done(messages);
        end(c);
        return;
    }
    s->bytes = *messages;
    *messages = (struct buf){ 0 };
    const uv_buf_t b = uv_buf_init(s->bytes.data, (unsigned)s->bytes.size);
    uv_timer_start(&c->timer, on_time, CODEC_WALL_MS * SANDBOX_SLOWNESS, 0);
    if (uv_write(&s->request, (uv_stream_t *)&c->channel, &b, 1, on_sent) < 0) {
        buf_done(&s->bytes);
        free(s);
        end(c);
    }
}

/* Descriptor 3 is the channel; nothing of the environment goes with it. */
static int spawn(struct child *c, uv_loop_t *loop, const char *self)
{
    char *argv[] = { (char *)self, (char *)CODEC_WORKER_COMMAND, NULL };
    char *environment[] = { NULL };
    uv_stdio_container_t stdio[] = {
        { .flags = UV_IGNORE },
        { .flags = UV_IGNORE },
        { .flags = SANDBOX_IS_RELAXED ? UV_INHERIT_FD : UV_IGNORE, .data.fd = 2 },
        { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
          .data.stream = (uv_stream_t *)&c->channel },
    };
    const uv_process_options_t options = {
        .file = self,
        .args = argv,
        .env = environment,
        .cwd = "/",
        .stdio = stdio,
        .stdio_count = 4,
        .exit_cb = on_exit_of,
    };

    return uv_spawn(loop, &c->process, &options);
}

static void on_unborn_closed(uv_handle_t *h)
{
    struct child *c = h->data;

    if (--c->open == 0) {
        free(c->in);
        free(c);
    }
}

int child_start(uv_loop_t *loop, const char *self, const struct child_events *events,
                struct child **ret)
{
    struct child *c = calloc(1, sizeof *c);

    if (!c || !(c->in = malloc(ROOM))) {
        free(c);
        return -ENOMEM;
    }
    c->events = *events;
    c->open = HANDLES;
    uv_pipe_init(loop, &c->channel, 0);
    uv_timer_init(loop, &c->timer);
    c->process.data = c->channel.data = c->timer.data = c;
    const int err = spawn(c, loop, self);
    if (err < 0) { /* uv_spawn() has made a handle of it all the same */
        uv_close((uv_handle_t *)&c->process, on_unborn_closed);
        uv_close((uv_handle_t *)&c->channel, on_unborn_closed);
        uv_close((uv_handle_t *)&c->timer, on_unborn_closed);
        return err;
    }
    uv_timer_start(&c->timer, on_time, READY_MS * SANDBOX_SLOWNESS, 0);
    uv_read_start((uv_stream_t *)&c->channel, on_alloc, on_read);
    *ret = c;
    return 0;
}
