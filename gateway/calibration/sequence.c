/* SPDX-License-Identifier: Apache-2.0 */
/* The course of a check: turn the value on, settle, measure, judge, write it down, go back. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/calibration/internal.h"

/* Span gas that may still flow would be taken for air: so long it stays marked. */
enum { END_FAILED_MS = 3600000 };

/* ---- memory ---- */

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

struct run *run_new(struct calibrations *c, uint32_t channel, enum source source,
                    const struct calibration_plan *plan, int64_t now_ms)
{
    const struct calibration_setup *s = &c->station.setups[channel];
    struct run *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->number = ++c->number;
    r->channel = channel;
    r->device = c->members[channel].device;
    copy_text(r->channel_id, sizeof r->channel_id, c->station.table->channels[channel].id);
    copy_text(r->device_id, sizeof r->device_id, c->station.devices[r->device]);
    r->source = source;
    r->limits = s->limits;
    r->policy = s->correct;
    r->scope = s->scope;
    r->full = s->full;
    r->correction = c->members[channel].correction;
    r->results = json_array();
    r->figures = json_deep_copy(json_object_get(kept_state(c, r->channel_id), "figures"));
    copy_text(r->certificate, sizeof r->certificate, s->certificate);
    calibration_run_start(&r->course, plan, now_ms);
    if (source != BY_INSTRUMENT)
        c->devices[r->device].run = r;
    c->members[channel].run = r;
    c->members[channel].state = kept_state(c, r->channel_id);
    r->next = c->runs;
    c->runs = r;
    return r;
}

void run_free(struct run *r)
{
    if (r->ask) {
        json_decref(r->ask->root);
        free(r->ask);
    }
    json_decref(r->results);
    json_decref(r->figures);
    free(r);
}

static void unlink_run(struct calibrations *c, struct run *r)
{
    struct run **at = &c->runs;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (r->channel != NOWHERE)
        c->members[r->channel].run = NULL;
    if (r->device != NOWHERE && c->devices[r->device].run == r)
        c->devices[r->device].run = NULL;
}

/* ---- results ---- */

void check_key(enum calibration_kind kind, double reference, char *out)
{
    if (kind == CALIBRATION_POINT && isfinite(reference))
        snprintf(out, CHECK_KEY_MAX, "%s@%.6g", calibration_kind_id(kind), reference);
    else
        snprintf(out, CHECK_KEY_MAX, "%s", calibration_kind_id(kind));
}

static int64_t passed_before(struct calibrations *c, const struct run *r,
                             const struct calibration_reading *reading)
{
    char key[CHECK_KEY_MAX];

    check_key(reading->kind, reading->reference, key);
    return kept_time(kept_state(c, r->channel_id), "passed", key);
}

static json_t *group_of(json_t *state, const char *group)
{
    if (!json_object_get(state, group))
        json_object_set_new(state, group, json_object());
    return json_object_get(state, group);
}

static void note_passed(struct calibrations *c, const struct run *r,
                        const struct calibration_result *x)
{
    json_t *state = kept_state(c, r->channel_id);
    char key[CHECK_KEY_MAX];

    check_key(x->reading.kind, x->reading.reference, key);
    json_object_set_new(group_of(state, "passed"), key, json_integer(x->reading.end_ms));
    json_object_set_new(group_of(state, "error"), key, json_real(x->error));
    json_object_del(state, "overdue");
}

/* Since the last passed check of its kind. */
static double drift_of(struct calibrations *c, const struct run *r,
                       const struct calibration_result *x)
{
    const json_t *errors = json_object_get(kept_state(c, r->channel_id), "error");
    char key[CHECK_KEY_MAX];

    check_key(x->reading.kind, x->reading.reference, key);
    const json_t *before = json_object_get(errors, key);
    return json_is_number(before) ? x->error - json_number_value(before) : (double)NAN;
}

static void take_result(struct calibrations *c, struct run *r,
                        const struct calibration_reading *reading, int64_t now_ms)
{
    struct member *m = &c->members[r->channel];
    const struct calibration_result x =
        calibration_judge(&r->limits, reading, r->zero, &m->correction, LEAST_READINGS);
    const int64_t passed_ms = passed_before(c, r, reading);

    if (r->source == BY_INSTRUMENT && x.verdict == CALIBRATION_NO_DATA)
        return; /* it was over before it settled: nothing was checked */
    json_t *event = event_result(c, r, &x, passed_ms, drift_of(c, r, &x), now_ms);
    if (reading->kind == CALIBRATION_ZERO && x.verdict != CALIBRATION_NO_DATA)
        r->zero = x.deviation;
    r->correction = calibration_correct(r->policy, &m->correction, r->correction, &x);
    r->has_failed |= x.verdict == CALIBRATION_FAIL;
    json_object_set_new(kept_state(c, r->channel_id), "usual", json_integer(reading->start_ms));
    doubt_note_result(c, r, &x, passed_ms);
    if (calibration_is_passed(x.verdict))
        note_passed(c, r, &x);
    kept_remember(c, event);
    json_array_append(r->results, event);
    kept_channel(c, r->channel_id, event);
    if (x.verdict == CALIBRATION_FAIL)
        kept_event(c, event_doubtful(r, &x, passed_ms, now_ms));
}

/* A check that failed anywhere corrects nothing. */
static void apply_correction(struct calibrations *c, struct run *r, int64_t now_ms)
{
    struct member *m = &c->members[r->channel];
    const struct calibration_correction before = m->correction;

    if (r->has_failed ||
        (r->correction.zero == before.zero && r->correction.factor == before.factor))
        return;
    json_object_set_new(kept_state(c, r->channel_id), "correction",
                        json_pack("[f,f]", r->correction.zero, r->correction.factor));
    m->correction = r->correction;
    doubt_note_correction(c, r, now_ms);
    kept_channel(c, r->channel_id, event_corrected(r, &before, now_ms));
    c->station.on_correction(c->station.user, r->channel, &m->correction);
}

/* ---- course ---- */

/* Whoever waits wants the verdict, not the end of settling. */
static void answer_verdict(struct calibrations *c, struct run *r)
{
    if (!r->ask)
        return;
    json_object_set(r->ask->root, "results", r->results);
    answer_committed(c, &r->ask->to, r->ask->root);
    free(r->ask);
    r->ask = NULL;
}

/* `what` NULL: it was told already why it ended. */
static void end_run(struct calibrations *c, struct run *r, const char *what, int64_t now_ms)
{
    const uint32_t device = r->device;

    json_object_del(kept_state(c, r->channel_id), "run");
    if (r->source == BY_INSTRUMENT)
        kept_channel(c, r->channel_id, NULL);
    else
        kept_channel(c, r->channel_id, what ? event_over(r, what, now_ms) : NULL);
    answer_verdict(c, r);
    if (r->channel != NOWHERE)
        c->members[r->channel].is_left = r->source != BY_INSTRUMENT;
    unlink_run(c, r);
    run_free(r);
    if (device != NOWHERE)
        tell_services(c, device);
}

/* Its answer may come from within. */
static bool send_command(struct calibrations *c, struct run *r, const char *command)
{
    r->is_commanding = true;
    if (c->station.on_command(c->station.user, r->device, command, r->number) == 0)
        return true;
    r->is_commanding = false;
    return false;
}

static void begin_step(struct calibrations *c, struct run *r, int64_t now_ms)
{
    const char *command = r->command[r->course.step];

    tell_services(c, r->device);
    if (!*command)
        calibration_run_flow(&r->course, now_ms);
    else if (!send_command(c, r, command))
        run_abort(c, r, "command_failed", now_ms);
}

static void tell_end_failed(struct calibrations *c, struct run *r, int64_t now_ms)
{
    char en[SENTENCE_MAX], zh[SENTENCE_MAX];

    r->course.plan.return_ms = END_FAILED_MS;
    snprintf(en, sizeof en,
             "%s: the command %s behind the check was not carried out. The instrument may not "
             "measure; its readings stay marked for an hour.",
             r->channel_id, r->end);
    snprintf(zh, sizeof zh,
             "%s：检查后的命令 %s 未执行成功，仪器可能未恢复测量，读数继续标记一小时。",
             r->channel_id, r->end);
    kept_event(c, notice_new("calibration_end_failed", r->channel_id, now_ms, en, zh));
}

static void go_back(struct calibrations *c, struct run *r, int64_t now_ms)
{
    tell_services(c, r->device);
    if (!*r->end || r->is_ending || r->is_commanding)
        return;
    r->is_ending = true;
    if (!send_command(c, r, r->end))
        tell_end_failed(c, r, now_ms);
}

void run_abort(struct calibrations *c, struct run *r, const char *what, int64_t now_ms)
{
    kept_channel(c, r->channel_id, event_over(r, what, now_ms));
    r->has_failed = true; /* half a sequence corrects nothing */
    r->was_told = true;
    calibration_run_abort(&r->course, now_ms);
    doubt_tell(c, r->channel);
    answer_verdict(c, r);
    go_back(c, r, now_ms);
}

void calibrations_commanded(struct calibrations *c, uint64_t number, bool is_done,
                            int64_t now_ms)
{
    struct run *r = c->runs;

    while (r && r->number != number)
        r = r->next;
    if (!r || r->device == NOWHERE || !c->station.table)
        return;
    r->is_commanding = false;
    if (r->is_ending && !is_done)
        tell_end_failed(c, r, now_ms);
    else if (r->is_ending)
        return;
    else if (r->course.phase != CALIBRATION_WAITING)
        go_back(c, r, now_ms); /* it was stopped meanwhile */
    else if (is_done)
        calibration_run_flow(&r->course, now_ms);
    else
        run_abort(c, r, "command_failed", now_ms);
}

void run_begin(struct calibrations *c, struct run *r, int64_t now_ms)
{
    json_t *event = event_begun(r, now_ms);

    json_object_set_new(kept_state(c, r->channel_id), "run",
                        json_pack("{s:s,s:s,s:i,s:I}", "device", r->device_id, "end", r->end,
                                  "source", r->source, "settle",
                                  (json_int_t)r->course.plan.return_ms));
    kept_channel(c, r->channel_id, event);
    run_tick(c, r, now_ms);
}

void run_tick(struct calibrations *c, struct run *r, int64_t now_ms)
{
    struct calibration_reading reading;
    enum calibration_news news;

    if (r->is_commanding)
        return;
    while ((news = calibration_run_tick(&r->course, now_ms, &reading)) != CALIBRATION_NOTHING) {
        switch (news) {
        case CALIBRATION_STEP_BEGINS:
            begin_step(c, r, now_ms);
            break;
        case CALIBRATION_STEP_ENDS:
            take_result(c, r, &reading, now_ms);
            break;
        case CALIBRATION_RETURNS:
            apply_correction(c, r, now_ms);
            doubt_tell(c, r->channel);
            answer_verdict(c, r);
            go_back(c, r, now_ms);
            break;
        case CALIBRATION_ENDS:
            end_run(c, r, r->was_told ? NULL : "ended", now_ms);
            return;
        case CALIBRATION_NOTHING:
            break;
        }
    }
}

/* ---- across restarts and reloads ---- */

/* Only what is left of it: marked until it has settled. */
int runs_restore(struct calibrations *c, const char *channel, const json_t *state)
{
    const json_t *kept = json_object_get(state, "run");
    const char *device = json_string_value(json_object_get(kept, "device"));
    struct run *r = device ? calloc(1, sizeof *r) : NULL;

    if (!device)
        return 0;
    if (!r)
        return -ENOMEM;
    r->number = ++c->number;
    r->channel = r->device = NOWHERE;
    copy_text(r->channel_id, sizeof r->channel_id, channel);
    copy_text(r->device_id, sizeof r->device_id, device);
    copy_text(r->end, sizeof r->end, json_string_value(json_object_get(kept, "end")));
    r->source = kept_time(kept, NULL, "source") == BY_SCHEDULE ? BY_SCHEDULE : BY_OPERATOR;
    r->course.plan =
        (struct calibration_plan){ .n = 1, .return_ms = kept_time(kept, NULL, "settle") };
    r->is_restored = true;
    r->results = json_array();
    r->next = c->runs;
    c->runs = r;
    return 0;
}

static void attach_run(struct calibrations *c, struct run *r, int64_t now_ms)
{
    r->channel = channel_number(c, r->channel_id);
    r->device = r->channel == NOWHERE ? NOWHERE : c->members[r->channel].device;
    if (r->channel == NOWHERE) {
        end_run(c, r, NULL, now_ms);
        return;
    }
    c->members[r->channel].run = r;
    if (r->source != BY_INSTRUMENT)
        c->devices[r->device].run = r;
    if (r->course.plan.return_ms == END_FAILED_MS) /* perhaps for want of a configuration */
        r->is_ending = false;
    if (!r->is_restored && r->course.phase == CALIBRATION_RETURNING)
        go_back(c, r, now_ms);
    if (r->is_restored) {
        r->is_restored = false;
        r->correction = c->members[r->channel].correction;
        run_abort(c, r, "interrupted", now_ms);
    }
}

void runs_attach(struct calibrations *c, int64_t now_ms)
{
    struct run *next;

    for (struct run *r = c->runs; r; r = next) {
        next = r->next;
        attach_run(c, r, now_ms);
    }
}
