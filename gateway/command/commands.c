/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a command:
 *
 *   request -> event "begun" + state in one batch -> committed -> poll_command
 *           -> event with the outcome, state closed -> answer
 *
 * The state command/<device> in the log is what a restart has to know: the event of a command
 * that is under way, and the mode that its device's readings have until when.
 */
#include "gateway/command/commands.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/command/internal.h"

enum { CHECK_MS = 500 }; /* real: whether the log's patience is over */

struct running {
    struct running *next;
    struct commands *commands;
    struct command_request request;
    struct command_plan plan;
    json_t *event; /* that went ahead */
    json_t *ended; /* that said what became of it; NULL before */
    uint64_t batch;
    int64_t until_ms; /* real: the log is waited for */
    bool is_sent;     /* it is the poller's */
    void (*on_answer)(void *user, uint64_t ticket, const char *json);
    void *user;
    uint64_t ticket;
};

struct commands {
    struct commands_options o;
    struct commands_station station; /* poll NULL: none is attached */
    uv_async_t async;
    uv_timer_t timer;
    pthread_mutex_t lock; /* of `committed` */
    uint64_t committed;
    struct running *running;
    struct command_record record;
};

/* ---- the log ---- */

/* Live readers are told as well. */
static int write_log(struct commands *c, const char *device, const json_t *event)
{
    char *text;
    int rc = record_write(&c->record, device, event, &text);

    if (rc < 0)
        return rc;
    c->station.on_event(c->station.user, text);
    free(text);
    return 0;
}

/* ---- answers ---- */

static void answer(struct running *r, json_t *root)
{
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

    r->on_answer(r->user, r->ticket, text ? text : "{\"ok\":false}");
    free(text);
    json_decref(root);
}

static void answer_refusal(struct running *r, const struct command_refusal *why)
{
    answer(r, json_pack("{s:b,s:s,s:{s:s,s:s}}", "ok", 0, "reason", why->reason, "text", "en",
                        why->en, "zh", why->zh));
}

static void answer_event(struct running *r, const json_t *event, bool is_again)
{
    const char *what = json_string_value(json_object_get(event, "what"));
    json_t *root = json_pack("{s:b,s:O}", "ok", what && strcmp(what, "done") == 0, "event",
                             (json_t *)event);

    if (is_again)
        json_object_set_new(root, "again", json_true());
    answer(r, root);
}

/* ---- modes ---- */

/* Readings follow what is recorded. */
static void set_mode(struct commands *c, uint32_t device)
{
    const char *id = c->station.devices[device].id;
    struct verdict v = { 0 };
    int64_t until_ms = 0;

    if (!record_mode(&c->record, id, clock_wall_ms(c->o.clock), &v, &until_ms))
        record_drop_mode(&c->record, id);
    poll_device_mode(c->station.poll, device, v, until_ms);
}

/* ---- the end of a run ---- */

static void unlink_running(struct commands *c, const struct running *r)
{
    struct running **at = &c->running;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
}

static void free_running(struct running *r)
{
    json_decref(r->event);
    json_decref(r->ended);
    free(r);
}

/* With the mode that the command leaves behind: what may have been done counts as done. */
static void settle_state(struct running *r, enum command_end end,
                         const struct errand_result *result, int64_t now_ms)
{
    struct commands *c = r->commands;
    const struct profile_command *command = r->request.command;
    const char *device = c->station.devices[r->request.device].id;
    bool has_touched =
        end == END_DONE || (result && (result->written > 0 || result->is_unknown));

    json_object_del(record_state(&c->record, device), "event");
    if (command->mode && has_touched)
        record_put_mode(&c->record, device, command->mode, now_ms + command->mode_ms);
    else if (command->mode && !has_touched) {
        record_drop_mode(&c->record, device);
    }
    set_mode(c, r->request.device);
}

/* What is told is in the log. */
static void wait_for_log(struct running *r)
{
    r->batch = store_submitted(r->commands->o.store);
    r->until_ms = mono_ms() + COMMAND_LOG_PATIENCE;
}

static void close_run(struct running *r)
{
    unlink_running(r->commands, r);
    answer_event(r, r->ended, false);
    free_running(r);
}

/* The answer follows when the log has it. */
static void end_run(struct running *r, enum command_end end, const struct errand_result *result)
{
    struct commands *c = r->commands;
    const char *device = c->station.devices[r->request.device].id;
    int64_t now_ms = clock_wall_ms(c->o.clock);
    const struct command_step *step = result ? &r->plan.steps[result->step] : NULL;

    r->ended = event_end(r->event, end, result, step, now_ms);
    settle_state(r, end, result, now_ms);
    record_remember(&c->record, r->ended);
    if (write_log(c, device, r->ended) == 0) {
        wait_for_log(r);
        return;
    }
    log_error("the outcome of command %s of %s is not in the log device=%s",
              r->request.command->id, device, device);
    r->batch = 0;
}

static void on_done(void *user, const struct errand_result *result)
{
    static const enum command_end ends[] = {
        [ERRAND_DONE] = END_DONE,           [ERRAND_REFUSED] = END_REFUSED,
        [ERRAND_NO_ANSWER] = END_NO_ANSWER, [ERRAND_UNEXPECTED] = END_UNEXPECTED,
        [ERRAND_NO_LINK] = END_NO_LINK,     [ERRAND_STOPPED] = END_INTERRUPTED,
    };

    end_run(user, ends[result->outcome], result);
}

/* ---- its begin ---- */

/* The log has it: the clock's values are taken now. */
static void send_run(struct running *r)
{
    struct commands *c = r->commands;
    const struct errand_result nothing = { .outcome = ERRAND_STOPPED };
    struct command_refusal why;
    struct verdict v;
    int rc = request_plan(&c->station, &r->request, c->o.clock, &r->plan, &why);

    if (rc == 0)
        rc = poll_command(c->station.poll, r->request.device, &r->plan, on_done, r);
    if (rc < 0) {
        end_run(r, END_INTERRUPTED, &nothing);
        return;
    }
    r->is_sent = true;
    if (r->request.command->mode && verdict_from_word(r->request.command->mode, &v) == 0)
        poll_device_mode(c->station.poll, r->request.device, v, INT64_MAX);
}

static void look(struct commands *c)
{
    struct running *next;

    pthread_mutex_lock(&c->lock);
    uint64_t committed = c->committed;
    pthread_mutex_unlock(&c->lock);
    for (struct running *r = c->running; r; r = next) {
        bool is_logged = r->batch <= committed, is_late = mono_ms() >= r->until_ms;
        next = r->next;
        if (r->ended && (is_logged || is_late))
            close_run(r);
        else if (!r->ended && !r->is_sent && is_logged)
            send_run(r);
        else if (!r->ended && !r->is_sent && is_late)
            end_run(r, END_NOT_LOGGED, NULL);
    }
}

static void on_async(uv_async_t *handle)
{
    look(handle->data);
}

static void on_timer(uv_timer_t *handle)
{
    struct commands *c = handle->data;

    look(c);
    if (!c->running)
        uv_timer_stop(handle);
}

void commands_committed(struct commands *c, uint64_t batches)
{
    pthread_mutex_lock(&c->lock);
    c->committed = batches;
    pthread_mutex_unlock(&c->lock);
    uv_async_send(&c->async);
}

/* ---- requests ---- */

/* True when it was answered: an earlier request of the same id. */
static bool is_again(struct commands *c, struct running *r, const json_t *begin)
{
    static const char *const same[] = { "device", "command", "values" };
    const json_t *event = *r->request.id ? record_find(&c->record, r->request.id) : NULL;
    struct command_refusal why;
    bool is_same = true;

    if (!event)
        return false;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        is_same &= json_equal(json_object_get(event, same[i]), json_object_get(begin, same[i]));
    if (is_same) {
        answer_event(r, event, true);
        return true;
    }
    refuse(&why, "request_used", "This request id stands for another command already.",
           "该请求编号已用于另一条命令。");
    answer_refusal(r, &why);
    return true;
}

static bool is_busy(const struct commands *c, uint32_t device)
{
    for (const struct running *r = c->running; r; r = r->next) {
        if (r->request.device == device && !r->ended)
            return true;
    }
    return false;
}

static int begin_log(struct commands *c, struct running *r, struct command_refusal *why)
{
    const struct profile_command *command = r->request.command;
    const char *device = c->station.devices[r->request.device].id;
    int64_t now_ms = clock_wall_ms(c->o.clock);
    json_t *before = json_deep_copy(record_state(&c->record, device));

    json_object_set(record_state(&c->record, device), "event", r->event);
    if (command->mode)
        record_put_mode(&c->record, device, command->mode, now_ms + command->mode_ms);
    int rc = write_log(c, device, r->event);
    if (rc < 0) {
        json_object_set_new(c->record.states, device, before);
        refuse(why, "log_full", "The log takes no more at present, so nothing was sent.",
               "日志暂时无法写入，未发送任何命令。");
        return rc;
    }
    json_decref(before);
    wait_for_log(r);
    return 0;
}

static void start_run(struct commands *c, struct running *r)
{
    struct running **last = &c->running;

    while (*last)
        last = &(*last)->next;
    *last = r;
    if (!uv_is_active((uv_handle_t *)&c->timer))
        uv_timer_start(&c->timer, on_timer, CHECK_MS, CHECK_MS);
}

/* 0: it runs and answers later; 1: it is answered. */
static int try_run(struct commands *c, struct running *r, const json_t *root, const char *who,
                   struct command_refusal *why)
{
    const struct commands_station *s = &c->station;
    int rc = request_read(s, root, &r->request, why);

    if (rc == 0)
        rc = request_plan(s, &r->request, c->o.clock, &r->plan, why);
    if (rc < 0)
        return rc;
    r->event = event_begin(s, &r->request, &r->plan, who, clock_wall_ms(c->o.clock));
    if (!r->event) {
        refuse(why, "no_memory", "Out of memory.", "内存不足。");
        return -ENOMEM;
    }
    if (is_again(c, r, r->event))
        return 1;
    if (is_busy(c, r->request.device)) {
        refuse(why, "busy", "A command of this device is under way: wait for its end.",
               "该设备正在执行另一条命令，请稍候。");
        return -EBUSY;
    }
    return begin_log(c, r, why);
}

static void answer_list(struct commands *c, struct running *r, const json_t *root)
{
    const char *id = json_string_value(json_object_get(root, "device"));
    json_t *list = json_array();
    struct command_refusal why;
    uint32_t one;

    if (id && !device_find(&c->station, id, &one)) {
        request_read(&c->station, root, &r->request, &why);
        answer_refusal(r, &why);
        json_decref(list);
        return;
    }
    for (uint32_t i = 0; i < c->station.devices_n; i++) {
        if (!id || i == one)
            json_array_append_new(list, device_describe(&c->station, i));
    }
    answer(r, json_pack("{s:b,s:o}", "ok", 1, "devices", list));
}

void commands_request(struct commands *c, const char *json, const char *who,
                      void (*on_answer)(void *user, uint64_t ticket, const char *json),
                      void *user, uint64_t ticket)
{
    struct running *r = calloc(1, sizeof *r);
    struct command_refusal why = { 0 };
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    int rc = -EINVAL;

    if (!r) {
        json_decref(root);
        on_answer(user, ticket, "{\"ok\":false}");
        return;
    }
    r->commands = c;
    r->on_answer = on_answer;
    r->user = user;
    r->ticket = ticket;
    if (!json_is_object(root))
        refuse(&why, "bad_request", "The request is no JSON object.", "请求不是 JSON 对象。");
    else if (!c->station.poll)
        refuse(&why, "reloading", "The configuration is being reloaded, ask again.",
               "正在重新加载配置，请重试。");
    else if (!json_object_get(root, "command")) {
        answer_list(c, r, root);
        rc = 1;
    } else
        rc = try_run(c, r, root, who, &why);
    json_decref(root);
    if (rc < 0)
        answer_refusal(r, &why);
    if (rc == 0)
        start_run(c, r);
    else
        free_running(r);
}

/* ---- life ---- */

int commands_create(const struct commands_options *o, struct commands **ret)
{
    struct commands *c = calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    c->o = *o;
    pthread_mutex_init(&c->lock, NULL);
    int rc = record_open(&c->record, o->store);
    if (rc == 0)
        rc = uv_async_init(o->loop, &c->async, on_async);
    if (rc < 0) {
        commands_destroy(c);
        return rc;
    }
    uv_timer_init(o->loop, &c->timer);
    c->async.data = c->timer.data = c;
    uv_unref((uv_handle_t *)&c->async);
    *ret = c;
    return 0;
}

/* A command that an earlier run began and did not end. */
static void tell_interrupted(struct commands *c, const char *device, json_t *begin)
{
    json_t *event = event_end(begin, END_INTERRUPTED, NULL, NULL, clock_wall_ms(c->o.clock));

    json_object_del(record_state(&c->record, device), "event");
    if (!event)
        return;
    log_warning("a command of %s was cut off by the end of the run before device=%s", device,
                device);
    if (write_log(c, device, event) == 0)
        record_remember(&c->record, event);
    json_decref(event);
}

void commands_attach(struct commands *c, const struct commands_station *s)
{
    const char *device;
    json_t *state;
    void *next;
    uint32_t number;

    c->station = *s;
    json_object_foreach_safe(c->record.states, next, device, state)
    {
        json_t *begin = json_incref(json_object_get(state, "event"));
        if (json_is_object(begin))
            tell_interrupted(c, device, begin);
        json_decref(begin);
        if (device_find(s, device, &number))
            set_mode(c, number);
    }
}

void commands_detach(struct commands *c)
{
    const struct errand_result nothing = { .outcome = ERRAND_STOPPED };

    while (c->running) {
        if (!c->running->ended)
            end_run(c->running, END_INTERRUPTED, &nothing);
        close_run(c->running);
    }
    c->station = (struct commands_station){ 0 };
}

void commands_close(struct commands *c)
{
    uv_close((uv_handle_t *)&c->async, NULL);
    uv_close((uv_handle_t *)&c->timer, NULL);
}

void commands_destroy(struct commands *c)
{
    if (!c)
        return;
    record_close(&c->record);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
