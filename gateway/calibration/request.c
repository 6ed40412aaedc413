/* SPDX-License-Identifier: Apache-2.0 */
/* What callers want, held against what the station has: every refusal says what would be right.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/calibration/internal.h"

enum {
    MINUTE_MS = 60000,
    HOUR_MS = 60 * MINUTE_MS,
    MAINTENANCE_MS = 2 * HOUR_MS, /* when nothing is said */
    STEP_MAX_MS = 24 * HOUR_MS,
};

struct job {
    struct calibrations *c;
    const struct calibrations_request *q;
    json_t *root; /* of the request */
};

/* ---- refusals ---- */

static void refuse(const struct job *j, const char *reason, const char *en, const char *zh)
{
    const bool is_usage = strcmp(reason, "busy") != 0 && strcmp(reason, "not_running") != 0;

    answer_now(j->q, json_pack("{s:b,s:s,s:b,s:{s:s,s:s}}", "ok", 0, "reason", reason, "usage",
                               is_usage, "text", "en", en, "zh", zh));
}

/* "There is no channel x." */
static void refuse_id(const struct job *j, const char *reason, const char *en, const char *zh,
                      const char *id)
{
    char text_en[SENTENCE_MAX], text_zh[SENTENCE_MAX];

    snprintf(text_en, sizeof text_en, "%s %.100s.", en, id);
    snprintf(text_zh, sizeof text_zh, "%s %.100s。", zh, id);
    refuse(j, reason, text_en, text_zh);
}

static const char *text_of(const struct job *j, const char *key)
{
    const char *text = json_string_value(json_object_get(j->root, key));

    return text ? text : "";
}

/* A number of the request, NaN without one; false: it is none, or out of range. */
static bool number_of(const struct job *j, const char *key, double min, double max, double *ret)
{
    const json_t *x = json_object_get(j->root, key);

    *ret = json_is_number(x) ? json_number_value(x) : (double)NAN;
    return !x || json_is_null(x) || (*ret >= min && *ret <= max);
}

static bool find_channel(const struct job *j, uint32_t *ret)
{
    const char *id = text_of(j, "channel");

    *ret = channel_number(j->c, id);
    if (*ret != NOWHERE)
        return true;
    refuse_id(j, "unknown_channel", "The station has no channel", "本站没有通道", id);
    return false;
}

static bool find_device(const struct job *j, uint32_t *ret)
{
    const char *id = text_of(j, "device");

    *ret = device_number(j->c, id);
    if (*ret != NOWHERE)
        return true;
    refuse_id(j, "unknown_device", "The station has no device", "本站没有设备", id);
    return false;
}

/* ---- calibrate list, ledger ---- */

static json_t *last_results(const struct calibrations *c, const char *channel)
{
    json_t *last = json_object(), *result;
    char key[CHECK_KEY_MAX];
    size_t i;

    json_array_foreach(c->ledger, i, result)
    {
        const char *its = json_string_value(json_object_get(result, "channel"));
        const char *check = json_string_value(json_object_get(result, "check"));
        enum calibration_kind kind;
        if (!its || !check || strcmp(its, channel) != 0 ||
            calibration_kind_find(check, &kind) < 0)
            continue;
        check_key(kind, json_number_value(json_object_get(result, "reference")), key);
        json_object_set(last, key, result);
    }
    return last;
}

static json_t *passed_times(const json_t *state)
{
    const json_t *passed = json_object_get(state, "passed");
    json_t *times = json_object(), *ms;
    const char *kind;

    json_object_foreach((json_t *)passed, kind, ms)
    {
        json_object_set_new(times, kind, time_json(json_integer_value(ms)));
    }
    return times;
}

static json_t *next_json(const struct calibrations *c, uint32_t channel)
{
    const struct calibration_setup *s = &c->station.setups[channel];
    const struct calibration_schedule when = { s->every_ms, s->at_ms, c->station.zone_ms };

    if (s->at_ms < 0 || s->every_ms <= 0)
        return json_null();
    return time_json(calibration_slot_ms(&when, calibration_slot(&when, c->now_ms) + 1));
}

static const char *state_word(const struct calibrations *c, uint32_t channel)
{
    static const char *const words[] = {
        [QC_MEASURING] = "measuring", [QC_ZERO] = "zero",
        [QC_SPAN] = "span",           [QC_CALIBRATION] = "calibration",
        [QC_SETTLING] = "settling",   [QC_MAINTENANCE] = "maintenance",
    };
    const struct member *m = &c->members[channel];

    if (c->devices[m->device].maintenance)
        return words[QC_MAINTENANCE];
    if (m->run)
        return words[calibration_run_service(&m->run->course)];
    return words[c->devices[m->device].told];
}

static json_t *describe(const struct calibrations *c, uint32_t i)
{
    const struct channel *ch = &c->station.table->channels[i];
    const struct calibration_setup *s = &c->station.setups[i];
    const struct member *m = &c->members[i];
    json_t *o =
        json_pack("{s:s,s:s,s:s,s:s,s:I,s:o,s:o,s:o}", "channel", ch->id, "quantity",
                  ch->quantity->id, "unit", ch->quantity->unit, "state", state_word(c, i),
                  "every_ms", (json_int_t)s->every_ms, "next", next_json(c, i), "passed",
                  passed_times(m->state), "last", last_results(c, ch->id));

    if (m->correction.zero != 0 || m->correction.factor != 1)
        json_object_set_new(
            o, "correction",
            json_pack("{s:f,s:f}", "zero", m->correction.zero, "factor", m->correction.factor));
    return o;
}

/* Those that are checked: by their configuration, or ever. */
static void serve_list(const struct job *j)
{
    const struct channel_table *t = j->c->station.table;
    json_t *list = json_array();

    for (uint32_t i = 0; i < t->n; i++) {
        const bool is_checked = !t->channels[i].statistic &&
                                (j->c->station.setups[i].plan.n > 0 || j->c->members[i].run ||
                                 json_object_get(j->c->members[i].state, "usual"));
        if (is_checked)
            json_array_append_new(list, describe(j->c, i));
    }
    json_t *revisions =
        j->c->station.on_revisions ? j->c->station.on_revisions(j->c->station.user) : NULL;
    answer_now(j->q, json_pack("{s:b,s:o,s:o}", "ok", 1, "channels", list, "revisions",
                               revisions ? revisions : json_array()));
}

static bool is_wanted(const json_t *result, const char *channel)
{
    const char *its = json_string_value(json_object_get(result, "channel"));
    const size_t n = strlen(channel);

    /* a channel, or a device with all of its own */
    return n == 0 ||
           (its && strncmp(its, channel, n) == 0 && (its[n] == '\0' || its[n] == '/'));
}

static void serve_ledger(const struct job *j)
{
    const char *channel = text_of(j, "channel");
    json_t *list = json_array(), *result;
    double n;
    size_t i;

    if (!number_of(j, "n", 1, CALIBRATIONS_LEDGER_MAX, &n)) {
        refuse(j, "bad_request", "n must be from 1 to 500.", "n 的范围是 1 到 500。");
        json_decref(list);
        return;
    }
    json_array_foreach(j->c->ledger, i, result)
    {
        if (is_wanted(result, channel))
            json_array_append(list, result);
    }
    while (!isnan(n) && json_array_size(list) > (size_t)n)
        json_array_remove(list, 0);
    answer_now(j->q, json_pack("{s:b,s:o}", "ok", 1, "ledger", list));
}

/* ---- calibrate start, stop ---- */

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

    if (!number_of(j, "settle_ms", 0, STEP_MAX_MS, &settle) ||
        !number_of(j, "measure_ms", 1000, STEP_MAX_MS, &measure)) {
        refuse(j, "bad_request",
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

    if (*text_of(j, "unit") && calibration_unit(text_of(j, "unit"), q, &unit) < 0)
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

    if (!number_of(j, "value", -1e12, 1e12, &value)) {
        refuse(j, "bad_value", "The value must be a number.", "标准值必须是数字。");
        return false;
    }
    if (!convert(j, s, channel, &value)) {
        refuse(j, "bad_unit", "The unit does not fit the quantity of the channel.",
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
        refuse(j, "missing_value", "Which value is on? The configuration names none: --value.",
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
    const char *check = text_of(j, "check");
    enum calibration_kind kind;

    if (calibration_kind_find(check, &kind) == 0)
        return read_step(j, channel, kind, ret, &commands[0]);
    if (strcmp(check, "sequence") != 0) {
        refuse_id(j, "bad_request", "A check is zero, span, point or sequence, not",
                  "检查类型为 zero、span、point 或 sequence，而不是", check);
        return false;
    }
    if (s->plan.n == 0) {
        refuse(j, "no_sequence", "The configuration has no steps for this channel.",
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
        refuse_id(j, "busy", "A check is under way already:", "已有校准检查正在进行：",
                  d->run->channel_id);
        return false;
    }
    if (m->run) {
        refuse(j, "busy", "The instrument is checking itself: wait for its end.",
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

static void serve_start(const struct job *j)
{
    const char *commands[CALIBRATION_STEPS_MAX] = { NULL };
    const int64_t now_ms = j->q->now_ms;
    struct calibration_plan plan;
    uint32_t channel;

    if (!find_channel(j, &channel) || !read_plan(j, channel, &plan, commands) ||
        !is_free(j, channel))
        return;
    const struct calibration_setup *s = &j->c->station.setups[channel];
    struct run *r = run_new(j->c, channel, BY_OPERATOR, &plan, now_ms);
    if (!r) {
        refuse(j, "busy", "Out of memory.", "内存不足。");
        return;
    }
    snprintf(r->who, sizeof r->who, "%s", j->q->who);
    if (*text_of(j, "certificate"))
        snprintf(r->certificate, sizeof r->certificate, "%s", text_of(j, "certificate"));
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

static void serve_stop(const struct job *j)
{
    uint32_t channel;

    if (!find_channel(j, &channel))
        return;
    struct run *r = j->c->devices[j->c->members[channel].device].run;
    if (!r || r->channel != channel) {
        refuse_id(j, "not_running", "No check is under way of", "没有正在进行的校准检查：",
                  text_of(j, "channel"));
        return;
    }
    json_t *event = event_over(r, "stopped", j->q->now_ms);
    if (r->course.phase != CALIBRATION_RETURNING)
        run_abort(j->c, r, "stopped", j->q->now_ms);
    else /* it has settled as far as the operator cares */
        r->course.plan.return_ms = 0;
    answer_committed(j->c, j->q, json_pack("{s:b,s:o}", "ok", 1, "event", event));
}

/* ---- maint ---- */

static void serve_maint_list(const struct job *j)
{
    json_t *list = json_array();

    for (const struct maintenance *m = j->c->maintenances; m; m = m->next)
        json_array_append_new(list,
                              json_pack("{s:s,s:o,s:o,s:s,s:s}", "device", m->device_id,
                                        "since", time_json(m->since_ms), "until",
                                        time_json(m->until_ms), "who", m->who, "why", m->why));
    answer_now(j->q, json_pack("{s:b,s:o}", "ok", 1, "maintenance", list));
}

static void serve_maint_start(const struct job *j)
{
    const double most_ms = 24.0 * HOUR_MS * MAINTENANCE_MAX_DAYS;
    double for_ms;
    uint32_t device;

    if (!find_device(j, &device))
        return;
    if (!number_of(j, "for_ms", MINUTE_MS, most_ms, &for_ms)) {
        refuse(j, "bad_request", "Maintenance lasts from one minute to 7 days.",
               "维护时长为一分钟到七天。");
        return;
    }
    struct maintenance *m = j->c->devices[device].maintenance;
    const bool is_again = m != NULL;
    m = is_again ? m : maintenance_add(j->c, j->c->station.devices[device]);
    if (!m) {
        refuse(j, "busy", "Out of memory.", "内存不足。");
        return;
    }
    m->since_ms = is_again ? m->since_ms : j->q->now_ms;
    m->until_ms = j->q->now_ms + (isnan(for_ms) ? MAINTENANCE_MS : (int64_t)for_ms);
    m->is_warned = m->is_restored = false;
    snprintf(m->who, sizeof m->who, "%s", j->q->who);
    if (!is_again || *text_of(j, "why"))
        snprintf(m->why, sizeof m->why, "%s", text_of(j, "why"));
    j->c->devices[device].maintenance = m;
    json_t *event = event_maintenance(m, is_again ? "extended" : "begun", m->who, j->q->now_ms);
    kept_device(j->c, m->device_id, m, json_incref(event));
    tell_services(j->c, device);
    answer_committed(j->c, j->q, json_pack("{s:b,s:o}", "ok", 1, "event", event));
}

static void serve_maint_stop(const struct job *j)
{
    struct maintenance *m = maintenance_find(j->c, text_of(j, "device"));
    uint32_t device;

    if (!m && find_device(j, &device))
        refuse_id(j, "not_running", "There is no maintenance of", "没有正在进行的维护：",
                  text_of(j, "device"));
    if (!m)
        return;
    json_t *event = event_maintenance(m, "ended", j->q->who, j->q->now_ms);
    maintenance_end(j->c, m, j->q->who, j->q->now_ms);
    answer_committed(j->c, j->q, json_pack("{s:b,s:o}", "ok", 1, "event", event));
}

/* ---- serving ---- */

struct verb {
    const char *word;
    void (*serve)(const struct job *j);
};

static const struct verb calibrate_verbs[] = {
    { "list", serve_list },
    { "ledger", serve_ledger },
    { "start", serve_start },
    { "stop", serve_stop },
    { 0 },
};

static const struct verb maint_verbs[] = {
    { "list", serve_maint_list },
    { "start", serve_maint_start },
    { "stop", serve_maint_stop },
    { 0 },
};

static bool is_text_short(const struct job *j, const char *key)
{
    return strlen(text_of(j, key)) < CALIBRATIONS_TEXT_MAX;
}

static void serve(struct calibrations *c, const struct calibrations_request *q,
                  const struct verb *verbs)
{
    const struct job j = { c, q, json_loads(q->json, JSON_REJECT_DUPLICATES, NULL) };
    const struct verb *v = verbs;

    while (v->word && strcmp(v->word, text_of(&j, "do")) != 0)
        v++;
    if (!c->station.table)
        refuse(&j, "busy", "The configuration is being reloaded, ask again.",
               "正在重新加载配置，请重试。");
    else if (!v->word)
        refuse(&j, "bad_request", "The request is no JSON object with a known \"do\".",
               "请求不是含有已知 \"do\" 的 JSON 对象。");
    else if (!is_text_short(&j, "why") || !is_text_short(&j, "certificate"))
        refuse(&j, "bad_request", "A text has at most 199 bytes.", "文本最多 199 字节。");
    else
        v->serve(&j);
    json_decref(j.root);
}

void calibrations_calibrate(struct calibrations *c, const struct calibrations_request *q)
{
    serve(c, q, calibrate_verbs);
}

void calibrations_maint(struct calibrations *c, const struct calibrations_request *q)
{
    serve(c, q, maint_verbs);
}
