/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/codec/codec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/codec/child.h"

enum {
    REST_MS = 3600 * 1000,
    TEXT_MAX = 400,
};

struct job {
    struct job *next;
    size_t script;
    bool is_again;   /* its first worker was ended from outside */
    struct buf call; /* the message */
    void (*on_answer)(void *user, const struct codec_answer *a);
    void *user;
};

struct script_state {
    bool is_loaded;                   /* the present worker has it */
    bool is_resting;                  /* until rest_until_ms */
    int64_t kill_ms[CODEC_KILLS_MAX]; /* the last ones, a ring */
    unsigned kills;
    int64_t rest_until_ms;
};

struct codecs {
    struct codecs_options o;
    struct script_state *scripts;
    struct job *first, **last;
    size_t waiting;
    struct child *child; /* NULL: none runs */
    bool is_ready;       /* it takes calls */
    bool is_busy;        /* with the first job */
    uv_timer_t soon;     /* begins what is at the head, outside of every caller's stack */
    bool is_stopping, is_soon_closed;
    void (*on_closed)(void *user);
    void *closed_user;
};

static void pump(struct codecs *c);

int codecs_create(const struct codecs_options *o, struct codecs **ret)
{
    struct codecs *c;

    if (o->scripts_n > CODEC_SCRIPTS_MAX)
        return -E2BIG;
    for (size_t i = 0; i < o->scripts_n; i++)
        if (o->scripts[i].size > CODEC_SOURCE_MAX)
            return -E2BIG;
    if (!(c = calloc(1, sizeof *c)) ||
        !(c->scripts = calloc(o->scripts_n + 1, sizeof *c->scripts))) {
        free(c);
        return -ENOMEM;
    }
    c->o = *o;
    if (!c->o.self)
        c->o.self = "/proc/self/exe"; /* also when the file has been replaced since */
    c->last = &c->first;
    uv_timer_init(o->loop, &c->soon);
    c->soon.data = c;
    *ret = c;
    return 0;
}

/* ---- jobs ---- */

static void job_destroy(struct job *j)
{
    buf_done(&j->call);
    free(j);
}

static void answer(struct codecs *c, const struct codec_answer *a)
{
    struct job *j = c->first;

    if (!(c->first = j->next))
        c->last = &c->first;
    c->waiting--;
    c->is_busy = false;
    j->on_answer(j->user, a);
    job_destroy(j);
}

static void answer_with(struct codecs *c, enum codec_outcome outcome, const char *message)
{
    const struct codec_answer a = { .outcome = outcome, .message = message, .log = "" };

    answer(c, &a);
}

static void on_soon(uv_timer_t *t)
{
    pump(t->data);
}

static void pump_soon(struct codecs *c)
{
    if (!c->is_stopping)
        uv_timer_start(&c->soon, on_soon, 0, 0);
}

int codecs_run(struct codecs *c, size_t script, const struct codec_input *in,
               void (*on_answer)(void *user, const struct codec_answer *a), void *user)
{
    const struct codec_message m = {
        .kind = CODEC_CALL,
        .code = (uint8_t)in->routine,
        .fport = in->fport,
        .script = (uint32_t)script,
        .time_ms = in->time_ms,
        .blob = { { (const char *)in->bytes, in->n },
                  { in->variables, in->variables ? strlen(in->variables) : 0 },
                  { in->data, in->data ? strlen(in->data) : 0 },
                  { in->more, in->more ? strlen(in->more) : 0 } },
    };

    if (c->waiting == CODEC_WAITING_MAX || c->is_stopping)
        return -EBUSY;
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        return -ENOMEM;
    *j = (struct job){ .script = script, .on_answer = on_answer, .user = user };
    j->call = BUF_INIT(CODEC_MESSAGE_MAX);
    codec_message_put(&j->call, &m);
    if (j->call.has_failed) {
        job_destroy(j);
        return -ENOMEM;
    }
    *c->last = j;
    c->last = &j->next;
    c->waiting++;
    pump_soon(c);
    return 0;
}

/* ---- scripts that do harm ---- */

static void notice(struct codecs *c, size_t script, const char *what, const char *en,
                   const char *zh)
{
    if (c->o.on_notice)
        c->o.on_notice(c->o.user, script, what, en, zh);
}

static const char *name_of(const struct codecs *c, size_t script)
{
    return c->o.scripts[script].name;
}

/* CODEC_KILLS_MAX of them within the hour switch it off for one. */
static void count_kill(struct codecs *c, size_t script)
{
    struct script_state *s = &c->scripts[script];
    const int64_t now = clock_mono_ms(c->o.clock);
    char en[TEXT_MAX], zh[TEXT_MAX];

    s->kill_ms[s->kills++ % CODEC_KILLS_MAX] = now;
    if (s->kills < CODEC_KILLS_MAX || now - s->kill_ms[s->kills % CODEC_KILLS_MAX] > REST_MS)
        return;
    s->kills = 0;
    s->is_resting = true;
    s->rest_until_ms = now + REST_MS;
    snprintf(
        en, sizeof en,
        "The script %s was ended %d times within an hour and is switched off for one hour.",
        name_of(c, script), CODEC_KILLS_MAX);
    snprintf(zh, sizeof zh, "脚本 %s 一小时内被终止 %d 次，停用一小时。", name_of(c, script),
             CODEC_KILLS_MAX);
    notice(c, script, "off", en, zh);
}

static bool rests(struct codecs *c, size_t script)
{
    struct script_state *s = &c->scripts[script];
    char en[TEXT_MAX], zh[TEXT_MAX];

    if (!s->is_resting || clock_mono_ms(c->o.clock) < s->rest_until_ms)
        return s->is_resting;
    s->is_resting = false;
    snprintf(en, sizeof en, "The script %s is tried again.", name_of(c, script));
    snprintf(zh, sizeof zh, "重新启用脚本 %s。", name_of(c, script));
    notice(c, script, "on", en, zh);
    return false;
}

static void answer_resting(struct codecs *c)
{
    const size_t script = c->first->script;
    const int64_t left_ms = c->scripts[script].rest_until_ms - clock_mono_ms(c->o.clock);
    char text[TEXT_MAX];

    snprintf(text, sizeof text,
             "%s: it is switched off for another %" PRId64
             " min, because it had to be ended %d times within an hour.",
             name_of(c, script), (left_ms + 59999) / 60000, CODEC_KILLS_MAX);
    answer_with(c, CODEC_QUARANTINED, text);
}

/* ---- the worker ---- */

static const struct {
    const char *en, *zh;
} ends[] = {
    [CHILD_LEFT] = { "the worker was ended from outside", "工作进程被外部终止" },
    [CHILD_CPU] = { "it used more than 200 ms of CPU time", "占用 CPU 超过 200 毫秒" },
    [CHILD_SLOW] = { "it gave no answer within 2 s", "2 秒内没有结果" },
    [CHILD_FORBIDDEN] = { "it made a system call that scripts have not got",
                          "发起了不允许的系统调用" },
    [CHILD_CRASHED] = { "the worker crashed", "工作进程崩溃" },
};
_Static_assert(CODEC_CPU_MS == 200 && CODEC_WALL_MS == 2000, "the texts name both");

/* The job that was being done has cost a worker. */
static void blame(struct codecs *c, enum child_end end)
{
    const size_t script = c->first->script;
    char text[TEXT_MAX], en[TEXT_MAX], zh[TEXT_MAX];

    snprintf(en, sizeof en, "The script %s was ended: %s.", name_of(c, script), ends[end].en);
    snprintf(zh, sizeof zh, "脚本 %s 被终止：%s。", name_of(c, script), ends[end].zh);
    notice(c, script, "killed", en, zh);
    count_kill(c, script);
    snprintf(text, sizeof text, "%s: %s and was ended.", name_of(c, script), ends[end].en);
    answer_with(c, CODEC_KILLED, text);
}

/* Nobody knows who killed the worker, as when the machine is out of memory: another one may
 * try, once. */
static void ask_again(struct codecs *c)
{
    c->first->is_again = true;
    c->is_busy = false;
}

static void answer_broken(struct codecs *c, const char *why)
{
    char text[TEXT_MAX];

    snprintf(text, sizeof text, "%s: no codec worker is to be had%s%s",
             name_of(c, c->first->script), *why ? ". " : ".", why);
    answer_with(c, CODEC_BROKEN, text);
}

static void finish_stop(struct codecs *c)
{
    if (!c->child && c->is_soon_closed && c->on_closed)
        c->on_closed(c->closed_user);
}

static void on_end(void *user, enum child_end end, const char *why)
{
    struct codecs *c = user;

    c->child = NULL;
    c->is_ready = false;
    for (size_t i = 0; i < c->o.scripts_n; i++)
        c->scripts[i].is_loaded = false;
    if (c->is_stopping) {
        finish_stop(c);
        return;
    }
    if (end == CHILD_NOT_READY && c->first)
        answer_broken(c, why);
    else if (c->is_busy && end == CHILD_LEFT && !c->first->is_again)
        ask_again(c);
    else if (c->is_busy)
        blame(c, end);
    pump_soon(c);
}

static void on_ready(void *user)
{
    struct codecs *c = user;

    c->is_ready = true;
    pump_soon(c);
}

static void on_result(void *user, const struct codec_message *m)
{
    struct codecs *c = user;
    const enum codec_outcome outcome = m->code <= CODEC_REFUSED ? m->code : CODEC_ERROR;
    const struct codec_answer a = {
        .outcome = outcome,
        .json = outcome == CODEC_OK ? m->blob[0].data : NULL,
        .message = m->blob[1].data,
        .log = m->blob[2].data,
    };

    if (c->is_busy)
        answer(c, &a);
    pump_soon(c);
}

static void put_script(const struct codecs *c, size_t script, struct buf *b)
{
    const struct codec_script *s = &c->o.scripts[script];
    const struct codec_message m = {
        .kind = CODEC_LOAD,
        .script = (uint32_t)script,
        .blob = { { s->name, strlen(s->name) }, { s->source, s->size } },
    };

    codec_message_put(b, &m);
}

static void send_first(struct codecs *c)
{
    struct job *j = c->first;
    struct buf b = BUF_INIT(2 * CODEC_MESSAGE_MAX);

    if (!c->scripts[j->script].is_loaded)
        put_script(c, j->script, &b);
    buf_put(&b, j->call.data, j->call.size);
    c->scripts[j->script].is_loaded = true;
    c->is_busy = true;
    child_call(c->child, &b);
}

static int start(struct codecs *c)
{
    const struct child_events events = {
        .on_ready = on_ready, .on_result = on_result, .on_end = on_end, .user = c
    };

    return child_start(c->o.loop, c->o.self, &events, &c->child);
}

/* Begins what is first in the queue; one answer at most, the rest after a turn of the loop. */
static void pump(struct codecs *c)
{
    if (c->is_busy || !c->first || c->is_stopping)
        return;
    if (rests(c, c->first->script)) {
        answer_resting(c);
        pump_soon(c);
    } else if (c->is_ready) {
        send_first(c);
    } else if (!c->child) {
        const int err = start(c);
        if (err < 0) {
            answer_broken(c, uv_strerror(err));
            pump_soon(c);
        }
    }
}

/* ---- the end ---- */

static void on_soon_closed(uv_handle_t *h)
{
    struct codecs *c = h->data;

    c->is_soon_closed = true;
    finish_stop(c);
}

void codecs_stop(struct codecs *c, void (*on_closed)(void *user), void *user)
{
    c->is_stopping = true;
    c->on_closed = on_closed;
    c->closed_user = user;
    if (c->child)
        child_stop(c->child);
    while (c->first)
        answer_with(c, CODEC_BROKEN, "The station is being stopped.");
    uv_close((uv_handle_t *)&c->soon, on_soon_closed);
}

void codecs_destroy(struct codecs *c)
{
    if (!c)
        return;
    free(c->scripts);
    free(c);
}
