/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/survey/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/survey/internal.h"

static void next(struct survey *s);

/* ---- questions to come ---- */

static bool is_found(const struct survey *s, uint8_t setting, uint8_t unit)
{
    for (size_t i = 0; i < s->devices_n; i++) {
        const struct survey_device *d = &s->devices[i];
        if (d->unit == unit && survey_setting_is_same(&d->setting, &s->opt.settings[setting]))
            return true;
    }
    return false;
}

static void put_again(struct survey *s, uint8_t unit, int64_t quiet_ms)
{
    for (size_t i = 0; i < s->again_n; i++) {
        if (s->again[i].step.unit == unit && s->again[i].step.setting == s->setting)
            return;
    }
    if (s->again_n == AGAIN_MAX || s->retries[unit] == AGAINS_MAX ||
        is_found(s, (uint8_t)s->setting, unit))
        return;
    s->retries[unit]++;
    s->again[s->again_n++] = (struct again){
        .step = { .setting = (uint8_t)s->setting, .unit = unit, .is_again = true },
        .from_ms = mono_ms() + quiet_ms,
    };
}

static bool take_again(struct survey *s, bool is_urgent)
{
    int64_t now_ms = mono_ms();

    for (size_t i = 0; i < s->again_n; i++) {
        if (s->again[i].from_ms > now_ms && !is_urgent)
            continue;
        s->step = s->again[i].step;
        memmove(&s->again[i], &s->again[i + 1], (--s->again_n - i) * sizeof s->again[0]);
        return true;
    }
    return false;
}

/* The next step of the plan that is still worth asking. */
static bool peek_step(struct survey *s)
{
    while (s->at < s->steps_n) {
        const struct survey_step *step = &s->steps[s->at];
        if (step->question == 0 || !is_found(s, step->setting, step->unit))
            return true;
        s->left_ms -= survey_cost_ms(&s->opt, step);
        s->at++;
    }
    return false;
}

static void tell_progress(struct survey *s)
{
    const struct survey_progress p = { s->done, s->total, s->left_ms, *survey_setting_of(s),
                                       s->step.unit };

    if (s->opt.on_progress)
        s->opt.on_progress(s->opt.user, &p);
}

void survey_end_step(struct survey *s)
{
    if (!s->step.is_again && s->step.question == 0)
        s->done++;
    tell_progress(s);
    next(s);
}

/* ---- link ---- */

static void on_timer_ask(uv_timer_t *t)
{
    survey_ask(t->data);
}

void survey_finish(struct survey *s, int rc)
{
    s->rc = rc;
    s->is_over = true;
}

static void wait_for_link(struct survey *s)
{
    int64_t now_ms = mono_ms();

    if (!s->lost_ms)
        s->lost_ms = now_ms;
    if (now_ms - s->lost_ms > SURVEY_LINK_MS)
        survey_finish(s, -ENOTCONN);
    else
        uv_timer_start(&s->timer, on_timer_ask, RETRY_MS, 0);
}

void survey_ask(struct survey *s)
{
    if (s->is_stopping) {
        survey_finish(s, -ECANCELED);
        return;
    }
    int rc = bus_send(s->bus, &s->request);
    s->is_asked = rc == 0;
    if (rc == -ENOTCONN) {
        wait_for_link(s);
    } else if (rc != 0) { /* a question that this kind of bus cannot carry */
        struct bus_reply none = { .outcome = BUS_EXCEPTION, .exception = 1 };
        if (s->mode == IDENTIFYING)
            survey_take_identity(s, &none);
        else
            survey_end_step(s);
    }
}

/* The same unit once more. */
void survey_ask_on(struct survey *s)
{
    if (s->quiet_ms > 0)
        uv_timer_start(&s->timer, on_timer_ask, (uint64_t)s->quiet_ms, 0);
    else
        survey_ask(s);
}

/* ---- is somebody there? ---- */

static void hint(struct survey *s, enum survey_hint what)
{
    if (s->opt.on_hint)
        s->opt.on_hint(s->opt.user, what, survey_setting_of(s), s->step.unit);
}

/* The answers to all decoys are in: who answers everything is one device. */
static void judge_decoys(struct survey *s)
{
    if (s->decoys_asked < SURVEY_DECOYS)
        return;
    if (s->decoys_hit == SURVEY_DECOYS && s->devices_n > 0) {
        s->devices[0].ignores_unit = true;
        hint(s, HINT_ALL_UNITS);
        s->at = s->steps_n;
        s->left_ms = 0;
        return;
    }
    for (size_t i = 0; i < s->decoys_hit; i++)
        put_again(s, s->decoy_hits[i], 0);
}

static void take_decoy(struct survey *s, const struct bus_reply *r)
{
    s->decoys_asked++;
    bool is_proof =
        r->outcome == BUS_OK || (r->outcome == BUS_EXCEPTION && r->exception < DEVICE_FAILURE);
    if (is_proof)
        s->decoy_hits[s->decoys_hit++] = s->step.unit;
    else if (r->outcome == BUS_EXCEPTION)
        s->decoy_exception = r->exception;
    judge_decoys(s);
    survey_end_step(s);
}

static bool is_absent(const struct survey *s, uint8_t exception)
{
    return exception == GATEWAY_PATH || exception == GATEWAY_TARGET ||
           (exception >= DEVICE_FAILURE && exception == s->decoy_exception);
}

static void take_damaged(struct survey *s, const struct bus_reply *r)
{
    if (!s->has_noise[s->step.setting]) {
        s->has_noise[s->step.setting] = true;
        hint(s, HINT_NOISE);
    }
    put_again(s, s->step.unit, r->quiet_ms);
    survey_end_step(s);
}

static void take_answer(struct survey *s, const struct bus_reply *r)
{
    bool is_gateway = r->outcome == BUS_EXCEPTION && is_absent(s, r->exception);

    if (is_gateway && !s->has_gateway) {
        s->has_gateway = true;
        hint(s, HINT_GATEWAY);
    }
    if (s->step.is_decoy)
        take_decoy(s, r);
    else if (is_gateway || r->outcome == BUS_NO_ANSWER)
        survey_end_step(s);
    else if (r->outcome == BUS_BAD_FRAME)
        take_damaged(s, r);
    else
        survey_begin_device(s, r);
}

static void on_reply(void *user, const struct bus_reply *r)
{
    struct survey *s = user;

    s->is_asked = false;
    s->quiet_ms = r->quiet_ms;
    if (s->is_over)
        return;
    if (s->opt.on_reply)
        s->opt.on_reply(s->opt.user, &s->request, r);
    if (s->is_stopping) {
        survey_finish(s, -ECANCELED);
        return;
    }
    if (r->outcome == BUS_NO_LINK && (!s->is_link_up || ++s->hangups <= HANGUPS_MAX)) {
        wait_for_link(s);
        return;
    }
    struct bus_reply silent = *r;
    if (r->outcome == BUS_NO_LINK)
        silent.outcome = BUS_NO_ANSWER;
    s->hangups = 0;
    if (s->mode == ASKING)
        take_answer(s, &silent);
    else if (s->mode == IDENTIFYING)
        survey_take_identity(s, &silent);
    else
        survey_take_read(s, &silent);
}

static void on_late(void *user, uint8_t unit, int64_t took_ms)
{
    struct survey *s = user;

    if (s->is_over || s->setting < 0 || is_found(s, (uint8_t)s->setting, unit) ||
        (s->mode != ASKING && unit == s->step.unit))
        return;
    bool is_news = s->retries[unit] == 0;
    put_again(s, unit, took_ms > 0 ? took_ms : 0);
    if (s->opt.on_hint && is_news)
        s->opt.on_hint(s->opt.user, HINT_LATE, &s->opt.settings[s->setting], unit);
}

static void on_link(void *user, bool is_up)
{
    struct survey *s = user;

    s->is_link_up = is_up;
    s->lost_ms = 0;
}

static void on_frame(void *user, const struct bus_frame *f)
{
    struct survey *s = user;

    s->opt.on_frame(s->opt.user, f);
}

/* ---- one bus per setting ---- */

static int open_bus(struct survey *s, int setting)
{
    const struct survey_setting *at = &s->opt.settings[setting];
    const struct bus_events on = { on_reply, on_late, on_link,
                                   s->opt.on_frame ? on_frame : NULL, s };
    struct bus_place place = s->opt.place;

    if (at->baud) {
        place.baud = at->baud;
        place.parity = at->parity;
        place.data_bits = at->data_bits;
        place.stop_bits = at->stop_bits;
    }
    s->is_link_up = false;
    s->lost_ms = 0;
    int rc = bus_create(s->opt.loop, s->opt.clock, &place, &on, &s->bus);
    if (rc != 0)
        return rc;
    s->setting = setting;
    memset(s->retries, 0, sizeof s->retries);
    if (s->opt.is_watched)
        bus_watch(s->bus, true);
    return bus_start(s->bus);
}

static void on_timer_destroy(uv_timer_t *t)
{
    struct survey *s = t->data;

    bus_destroy(s->bus);
    s->bus = NULL;
    s->setting = -1;
    s->is_switching = false;
    next(s);
}

/* The bus is still on the stack of its own callback. */
static void on_bus_closed(void *user)
{
    struct survey *s = user;

    uv_timer_start(&s->timer, on_timer_destroy, 0, 0);
}

static void begin_step(struct survey *s)
{
    struct survey_read q[SURVEY_QUESTIONS_MAX];

    survey_questions(&s->opt, &s->step, q);
    s->mode = ASKING;
    s->hangups = 0;
    const struct survey_read *r = &q[s->step.question];
    survey_set_request(s, r->function, r->first, r->count,
                       survey_timeout_ms(&s->opt, &s->step));
    survey_ask(s);
}

static void on_timer_next(uv_timer_t *t)
{
    next(t->data);
}

static void next(struct survey *s)
{
    if (s->is_over)
        return;
    if (s->is_stopping) {
        survey_finish(s, -ECANCELED);
        return;
    }
    bool has_more = peek_step(s);
    bool is_same = has_more && (int)s->steps[s->at].setting == s->setting;
    if (s->bus && s->again_n && take_again(s, false)) {
        begin_step(s);
    } else if (s->bus && s->again_n && !is_same) { /* not before its time */
        int64_t left_ms = s->again[0].from_ms - mono_ms();
        uv_timer_start(&s->timer, on_timer_next, (uint64_t)(left_ms > 0 ? left_ms : 0), 0);
    } else if (!has_more) {
        survey_finish(s, 0);
    } else if (s->bus && !is_same) {
        s->is_switching = true;
        bus_stop(s->bus, on_bus_closed, s);
    } else {
        int rc = s->bus ? 0 : open_bus(s, s->steps[s->at].setting);
        if (rc != 0) {
            survey_finish(s, rc);
            return;
        }
        s->step = s->steps[s->at++];
        s->left_ms -= survey_cost_ms(&s->opt, &s->step);
        begin_step(s);
    }
}

/* ---- life ---- */

int survey_create(const struct survey_options *o, struct survey **ret)
{
    struct survey *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->opt = *o;
    s->setting = -1;
    int rc = survey_plan(&s->opt, &s->steps, &s->steps_n);
    if (rc != 0) {
        free(s);
        return rc;
    }
    for (size_t i = 0; i < s->steps_n; i++) {
        s->left_ms += survey_cost_ms(&s->opt, &s->steps[i]);
        s->total += s->steps[i].question == 0;
    }
    *ret = s;
    return 0;
}

void survey_estimate(const struct survey *s, struct survey_progress *ret)
{
    *ret = (struct survey_progress){ .total = s->total, .left_ms = s->left_ms };
}

static void on_gone(void *user)
{
    *(bool *)user = true;
}

static void close_all(struct survey *s)
{
    bool is_gone = s->bus == NULL;

    uv_timer_stop(&s->timer);
    if (s->bus)
        bus_stop(s->bus, on_gone, &is_gone);
    while (!is_gone)
        uv_run(s->opt.loop, UV_RUN_ONCE);
    bus_destroy(s->bus);
    s->bus = NULL;
    uv_close((uv_handle_t *)&s->timer, NULL);
    uv_run(s->opt.loop, UV_RUN_NOWAIT);
}

int survey_run(struct survey *s)
{
    int rc = uv_timer_init(s->opt.loop, &s->timer);

    if (rc != 0)
        return rc;
    s->timer.data = s;
    next(s);
    while (!s->is_over)
        uv_run(s->opt.loop, UV_RUN_ONCE);
    if (s->mode != ASKING)
        match_done(&s->match);
    close_all(s);
    return s->rc;
}

void survey_stop(struct survey *s)
{
    s->is_stopping = true;
    if (!s->is_asked && !s->is_over && !s->is_switching)
        survey_finish(s, -ECANCELED);
}

void survey_destroy(struct survey *s)
{
    if (!s)
        return;
    free(s->steps);
    free(s->devices);
    free(s);
}

const struct survey_device *survey_devices(const struct survey *s, size_t *ret_n)
{
    *ret_n = s->devices_n;
    return s->devices;
}
