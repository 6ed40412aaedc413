/* SPDX-License-Identifier: Apache-2.0 */
/* An operator's check: its step out of the configuration and what the caller says otherwise. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/calibration/request.h"

enum { STEP_MAX_MS = 24 * 3600 * 1000 };

/* The step of the setup of that kind; a point also has its value. Another bottle at zero or
 * span comes the same way. */
static const struct calibration_step *step_of(const struct calibration_setup *s,
                                              enum calibration_kind kind, double value,
                                              const char **ret_command)
{
    for (unsigned i = 0; i < s->plan.n; i++) {
        const struct calibration_step *step = &s->plan.step[i];
        const bool is_other = kind == CALIBRATION_POINT && step->reference != value;
        if (step->kind != kind || (!isnan(value) && is_other))
            continue;
        *ret_command = s->command[i];
        return step;
    }
    return NULL;
}

static bool read_durations(const struct job *j, struct calibration_step *step)
{
    double settle, measure;

    if (!job_number(j, "settle_ms", 0, STEP_MAX_MS, &settle) ||
        !job_number(j, "measure_ms", 1000, STEP_MAX_MS, &measure)) {
        job_refuse(j, "bad_request",
                   "A step settles for a day at most, and measures for one second to a day.",
                   "每步稳定时间最长一天，测量时间为一秒到一天。");
        return false;
    }
    step->settle_ms = isnan(settle) ? step->settle_ms : (int64_t)settle;
    step->measure_ms = isnan(measure) ? step->measure_ms : (int64_t)measure;
    return true;
}

/* In the caller's unit, else the configuration's. */
static bool convert(const struct job *j, const struct calibration_setup *s, uint32_t channel,
                    double *value)
{
    const struct quantity *q = j->c->station.table->channels[channel].quantity;
    struct unit_conversion unit = s->unit;

    if (*job_text(j, "unit") && calibration_unit(job_text(j, "unit"), q, &unit) < 0)
        return false;
    *value = *value * unit.factor + unit.offset;
    return true;
}

/* One step: that of the configuration, with what the caller says otherwise. */
static bool read_step(const struct job *j, uint32_t channel, enum calibration_kind kind,
                      struct calibration_plan *ret, const char **ret_command)
{
    const struct calibration_setup *s = &j->c->station.setups[channel];
    double value;

    if (!job_number(j, "value", -1e12, 1e12, &value)) {
        job_refuse(j, "bad_value", "The value must be a number.", "标准值必须是数字。");
        return false;
    }
    if (!convert(j, s, channel, &value)) {
        job_refuse(j, "bad_unit", "The unit does not fit the quantity of the channel.",
                   "单位与该通道的量不符。");
        return false;
    }
    const struct calibration_step *known = step_of(s, kind, value, ret_command);
    struct calibration_step step = { kind, kind == CALIBRATION_ZERO ? 0 : (double)NAN,
                                     s->settle_ms, s->measure_ms };
    if (known)
        step = *known;
    if (!isnan(value))
        step.reference = value;
    if (isnan(step.reference) || (kind == CALIBRATION_SPAN && step.reference == 0)) {
        job_refuse(j, "missing_value",
                   "Which value is on? The configuration names none: --value.",
                   "通入的标准值是多少？配置中没有，请用 --value 给出。");
        return false;
    }
    *ret = (struct calibration_plan){ .step = { step }, .n = 1 };
    if (!read_durations(j, &ret->step[0]))
        return false;
    ret->return_ms = ret->step[0].settle_ms;
    return true;
}

static bool read_plan(const struct job *j, uint32_t channel, struct calibration_plan *ret,
                      const char **commands)
{
    const struct calibration_setup *s = &j->c->station.setups[channel];
    const char *check = job_text(j, "check");
    enum calibration_kind kind;

    if (calibration_kind_find(check, &kind) == 0)
        return read_step(j, channel, kind, ret, &commands[0]);
    if (strcmp(check, "sequence") != 0) {
        job_refuse_id(j, "bad_request", "A check is zero, span, point or sequence, not",
                      "检查类型为 zero、span、point 或 sequence，而不是", check);
        return false;
    }
    if (s->plan.n == 0) {
        job_refuse(j, "no_sequence", "The configuration has no steps for this channel.",
                   "该通道的配置中没有校准步骤。");
        return false;
    }
    *ret = s->plan;
    memcpy(commands, s->command, sizeof s->command);
    return true;
}

static bool is_free(const struct job *j, uint32_t channel)
{
    const struct member *m = &j->c->members[channel];
    const struct device_member *d = &j->c->devices[m->device];

    if (d->run) {
        job_refuse_id(j, "busy", "A check is under way already:", "已有校准检查正在进行：",
                      d->run->channel_id);
        return false;
    }
    if (m->run) {
        job_refuse(j, "busy", "The instrument is checking itself: wait for its end.",
                   "仪器正在自检校准，请等待结束。");
        return false;
    }
    return true;
}

static struct answer_later *ask_later(const struct job *j, struct run *r)
{
    struct answer_later *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->to = *j->q;
    a->to.json = a->to.who = NULL;
    a->root = json_pack("{s:b,s:s}", "ok", 1, "channel", r->channel_id);
    return a;
}

void job_check_start(const struct job *j)
{
    const char *commands[CALIBRATION_STEPS_MAX] = { NULL };
    const int64_t now_ms = j->q->now_ms;
    struct calibration_plan plan;
    uint32_t channel;

    if (!job_channel(j, &channel) || !read_plan(j, channel, &plan, commands) ||
        !is_free(j, channel))
        return;
    const struct calibration_setup *s = &j->c->station.setups[channel];
    struct run *r = run_new(j->c, channel, BY_OPERATOR, &plan, now_ms);
    if (!r) {
        job_refuse(j, "busy", "Out of memory.", "内存不足。");
        return;
    }
    snprintf(r->who, sizeof r->who, "%s", j->q->who);
    if (*job_text(j, "certificate"))
        snprintf(r->certificate, sizeof r->certificate, "%s", job_text(j, "certificate"));
    bool has_commands = false;
    for (unsigned i = 0; i < plan.n; i++) {
        snprintf(r->command[i], sizeof r->command[i], "%s", commands[i] ? commands[i] : "");
        has_commands |= commands[i] != NULL;
    }
    if (has_commands && s->end)
        snprintf(r->end, sizeof r->end, "%s", s->end);
    if (json_is_true(json_object_get(j->root, "wait")))
        r->ask = ask_later(j, r);
    const bool is_waiting = r->ask != NULL;
    json_t *begun = event_begun(r, now_ms);
    run_begin(j->c, r, now_ms);
    if (is_waiting)
        json_decref(begun);
    else
        answer_committed(j->c, j->q, json_pack("{s:b,s:o}", "ok", 1, "event", begun));
}

void job_check_stop(const struct job *j)
{
    uint32_t channel;

    if (!job_channel(j, &channel))
        return;
    struct run *r = j->c->devices[j->c->members[channel].device].run;
    if (!r || r->channel != channel) {
        job_refuse_id(j, "not_running", "No check is under way of", "没有正在进行的校准检查：",
                      job_text(j, "channel"));
        return;
    }
    json_t *event = event_over(r, "stopped", j->q->now_ms);
    if (r->course.phase != CALIBRATION_RETURNING)
        run_abort(j->c, r, "stopped", j->q->now_ms);
    else /* it has settled as far as the operator cares */
        r->course.plan.return_ms = 0;
    answer_committed(j->c, j->q, json_pack("{s:b,s:o}", "ok", 1, "event", event));
}
