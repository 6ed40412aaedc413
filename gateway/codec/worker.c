/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child: one Duktape heap per script, kept from message to message, and one message at a
 * time. Everything of a script runs in protected calls, under the CPU time of one call.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/codec/codec.h"
#include "gateway/codec/message.h"
#include "gateway/codec/sandbox.h"
#include "gateway/codec/script.h"

enum {
    CHANNEL = 3,                /* the socket pair's end, as the daemon places it */
    HEAPS_BYTES_MAX = 24 << 20, /* of scripts that rest; with one running below MEMORY_MAX */
    ROOM = CODEC_MESSAGE_MAX + CODEC_PREFIX_SIZE,
};

struct worker {
    struct script *scripts[CODEC_SCRIPTS_MAX];
    struct buf out;
    char *in;
    size_t in_n;
};

static int write_all(const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(CHANNEL, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -EPIPE;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int send_message(struct worker *w, const struct codec_message *m)
{
    buf_clear(&w->out);
    codec_message_put(&w->out, m);
    return w->out.has_failed ? -ENOMEM : write_all(w->out.data, w->out.size);
}

static struct codec_blob blob_of(const char *text)
{
    return (struct codec_blob){ .data = text, .size = text ? strlen(text) : 0 };
}

static int say_hello(struct worker *w, int err, const char *step)
{
    char why[160] = "";

    if (err < 0)
        snprintf(why, sizeof why, "The codec worker could not be shut in: %s: %s.", step,
                 strerror(-err));
    const struct codec_message m = { .kind = CODEC_HELLO,
                                     .code = err < 0,
                                     .blob = { blob_of(why) } };
    return send_message(w, &m);
}

static int load(struct worker *w, const struct codec_message *m)
{
    if (m->script >= CODEC_SCRIPTS_MAX)
        return -EPROTO;
    script_destroy(w->scripts[m->script]);
    w->scripts[m->script] = NULL;
    sandbox_arm(CODEC_CPU_MS);
    const int err = script_create(m->blob[0].data, m->blob[1].data, m->blob[1].size,
                                  &w->scripts[m->script]);
    sandbox_arm(0);
    return err;
}

/* Scripts that rest give their heaps back when all of them hold too much; they are built again
 * when they are needed. */
static void give_back(struct worker *w, uint32_t but)
{
    size_t held = 0;

    for (uint32_t i = 0; i < CODEC_SCRIPTS_MAX; i++)
        held += w->scripts[i] && i != but ? script_bytes(w->scripts[i]) : 0;
    for (uint32_t i = 0; held > HEAPS_BYTES_MAX && i < CODEC_SCRIPTS_MAX; i++)
        if (w->scripts[i] && i != but) {
            held -= script_bytes(w->scripts[i]);
            script_rest(w->scripts[i]);
        }
}

static int call(struct worker *w, const struct codec_message *m)
{
    struct script *s = m->script < CODEC_SCRIPTS_MAX ? w->scripts[m->script] : NULL;
    struct script_answer a;

    if (!s || m->code > CODEC_LIST)
        return -EPROTO;
    const struct codec_input in = {
        .routine = m->code,
        .fport = m->fport,
        .bytes = (const uint8_t *)m->blob[0].data,
        .n = m->blob[0].size,
        .time_ms = m->time_ms,
        .variables = m->blob[1].size ? m->blob[1].data : "{}",
        .data = m->blob[2].size ? m->blob[2].data : "null",
        .more = m->blob[3].size ? m->blob[3].data : "{}",
    };
    give_back(w, m->script);
    script_call(s, &in, &a);
    const struct codec_message answer = {
        .kind = CODEC_RESULT,
        .code = (uint8_t)a.outcome,
        .script = m->script,
        .blob = { { a.json, a.json_n }, blob_of(a.message), { a.log, a.log_n } },
    };
    return send_message(w, &answer);
}

static int handle(struct worker *w, const struct codec_message *m)
{
    switch (m->kind) {
    case CODEC_LOAD:
        return load(w, m);
    case CODEC_CALL:
        return call(w, m);
    default:
        return -EPROTO;
    }
}

/* Takes what has come as a whole. */
static int take_messages(struct worker *w)
{
    struct codec_message m;
    int64_t taken;
    int err = 0;

    while (!err && (taken = codec_message_get(w->in, w->in_n, &m)) != 0) {
        if (taken < 0)
            return (int)taken;
        err = handle(w, &m);
        w->in_n -= (size_t)taken;
        memmove(w->in, w->in + taken, w->in_n);
    }
    return err;
}

static int serve(struct worker *w)
{
    int err = 0;

    while (!err) {
        const ssize_t n = read(CHANNEL, w->in + w->in_n, ROOM - w->in_n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0; /* the daemon is gone or wants us gone */
        w->in_n += (size_t)n;
        err = take_messages(w);
    }
    return err;
}

static void worker_done(struct worker *w)
{
    for (int i = 0; i < CODEC_SCRIPTS_MAX; i++)
        script_destroy(w->scripts[i]);
    buf_done(&w->out);
    free(w->in);
    free(w);
}

int codec_worker_main(void)
{
    struct worker *w = calloc(1, sizeof *w);
    const char *step = "memory";

    if (!w || !(w->in = malloc(ROOM))) {
        free(w);
        return EXIT_FAILURE;
    }
    w->out = BUF_INIT(ROOM);
    int err = sandbox_enter(CHANNEL, &step);
    const int told = say_hello(w, err, step);
    if (!err && !told)
        err = serve(w);
    worker_done(w);
    if (!SANDBOX_IS_RELAXED)
        _exit(err < 0 ? EXIT_FAILURE : EXIT_SUCCESS); /* exit handlers expect system calls */
    return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
