/* SPDX-License-Identifier: Apache-2.0 */
/* What is told: one JSON object each, with a sentence in both languages. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/calibration/internal.h"

static const char *const sources[] = {
    [BY_OPERATOR] = "operator",
    [BY_SCHEDULE] = "schedule",
    [BY_INSTRUMENT] = "instrument",
};

const char *source_id(enum source s)
{
    return sources[s];
}

json_t *time_json(int64_t ms)
{
    char text[TIME_TEXT_MAX];

    if (ms == 0)
        return json_null();
    time_print_utc(ms, text);
    return json_string(text);
}

json_t *number_json(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *event_new(const char *kind, const char *what, const char *device, int64_t now_ms,
                  const char *en, const char *zh)
{
    return json_pack("{s:s,s:o,s:s,s:s,s:{s:s,s:s}}", "kind", kind, "time", time_json(now_ms),
                     "what", what, "device", device, "text", "en", en, "zh", zh);
}

json_t *notice_new(const char *what, const char *subject, int64_t now_ms, const char *en,
                   const char *zh)
{
    return json_pack("{s:s,s:o,s:s,s:s,s:{s:s,s:s}}", "kind", "notice", "time",
                     time_json(now_ms), "what", what, "subject", subject, "text", "en", en,
                     "zh", zh);
}

/* An event of a sequence: whose it is, who began it. */
static json_t *event_of(const struct run *r, const char *what, int64_t now_ms, const char *en,
                        const char *zh)
{
    json_t *e = event_new("calibration", what, r->device_id, now_ms, en, zh);

    json_object_set_new(e, "channel", json_string(r->channel_id));
    json_object_set_new(e, "source", json_string(sources[r->source]));
    if (*r->who)
        json_object_set_new(e, "who", json_string(r->who));
    return e;
}

/* ---- course ---- */

json_t *event_begun(const struct run *r, int64_t now_ms)
{
    char en[SENTENCE_MAX], zh[SENTENCE_MAX];
    json_t *steps = json_array();

    for (unsigned i = 0; i < r->course.plan.n; i++) {
        const struct calibration_step *s = &r->course.plan.step[i];
        json_array_append_new(steps, json_pack("{s:s,s:o,s:I,s:I}", "check",
                                               calibration_kind_id(s->kind), "value",
                                               number_json(s->reference), "settle_ms",
                                               (json_int_t)s->settle_ms, "measure_ms",
                                               (json_int_t)s->measure_ms));
    }
    snprintf(en, sizeof en, "A check of %s has begun, %u step%s.", r->channel_id,
             r->course.plan.n, r->course.plan.n == 1 ? "" : "s");
    snprintf(zh, sizeof zh, "%s 的校准检查已开始，共 %u 步。", r->channel_id, r->course.plan.n);
    json_t *e = event_of(r, "begun", now_ms, en, zh);
    json_object_set_new(e, "steps", steps);
    return e;
}

static const struct {
    const char *what, *en, *zh;
} overs[] = {
    { "ended", "the check is over, it measures again", "校准检查已结束，恢复测量" },
    { "stopped", "the check was stopped, the reading settles", "校准检查已停止，读数稳定中" },
    { "interrupted",
      "the gateway stopped during a check; there is no verdict, the reading settles",
      "网关在校准检查期间停止：无结论，读数稳定中" },
    { "command_failed",
      "the check was given up, for the command that turns the value on was not carried out",
      "通入标准值的命令未执行成功，校准检查已放弃" },
};

json_t *event_over(const struct run *r, const char *what, int64_t now_ms)
{
    char en[SENTENCE_MAX], zh[SENTENCE_MAX];
    size_t i = 0;

    while (strcmp(overs[i].what, what) != 0)
        i++;
    snprintf(en, sizeof en, "%s: %s.", r->channel_id, overs[i].en);
    snprintf(zh, sizeof zh, "%s：%s。", r->channel_id, overs[i].zh);
    return event_of(r, what, now_ms, en, zh);
}

/* ---- result ---- */

static const char *unit_of(const struct calibrations *c, const struct run *r)
{
    return c->station.table->channels[r->channel].quantity->unit;
}

/* "1.5 instead of 0 ug/m3, limit 5", as far as it is known. */
static void put_figures(const struct calibrations *c, const struct run *r,
                        const struct calibration_result *x, struct buf *en, struct buf *zh)
{
    const char *unit = unit_of(c, r);

    if (x->verdict == CALIBRATION_NO_DATA) {
        buf_printf(en, " (%u)", x->reading.n);
        buf_printf(zh, "（%u 个）", x->reading.n);
        return;
    }
    buf_printf(en, ": %.4g", x->reading.mean);
    buf_printf(zh, "：读数 %.4g", x->reading.mean);
    if (isfinite(x->reading.reference)) {
        buf_printf(en, " instead of %.4g", x->reading.reference);
        buf_printf(zh, "，标准值 %.4g", x->reading.reference);
    }
    buf_printf(en, " %s", unit);
    buf_printf(zh, " %s", unit);
    if (isfinite(x->fail)) {
        buf_printf(en, ", limit %.4g", x->fail);
        buf_printf(zh, "，限值 %.4g", x->fail);
    }
}

/* The ledger record of facts/quality-control section 6. */
static json_t *begin_result(const struct calibrations *c, const struct run *r,
                            const struct calibration_result *x, int64_t now_ms)
{
    struct buf en = BUF_INIT(SENTENCE_MAX), zh = BUF_INIT(SENTENCE_MAX);
    const enum calibration_kind kind = x->reading.kind;

    buf_printf(&en, "%s: %s check: %s", r->channel_id, calibration_kind_id(kind),
               calibration_verdict_name(x->verdict, "en"));
    buf_printf(&zh, "%s：%s检查：%s", r->channel_id, calibration_kind_name(kind, "zh"),
               calibration_verdict_name(x->verdict, "zh"));
    put_figures(c, r, x, &en, &zh);
    buf_puts(&en, ".");
    buf_puts(&zh, "。");
    const char *text_en = buf_text(&en), *text_zh = buf_text(&zh);
    json_t *e = event_of(r, "result", now_ms, text_en ? text_en : "", text_zh ? text_zh : "");
    buf_done(&en);
    buf_done(&zh);
    return e;
}

static json_t *correction_json(const struct calibration_correction *k)
{
    return json_pack("{s:o,s:o}", "zero", number_json(k->zero), "factor",
                     number_json(k->factor));
}

static double percent_of(double x, double full)
{
    return full > 0 ? x / full * 100 : (double)NAN;
}

json_t *event_result(const struct calibrations *c, const struct run *r,
                     const struct calibration_result *x, int64_t passed_ms, double drift,
                     int64_t now_ms)
{
    const struct calibration_reading *read = &x->reading;
    json_t *e = begin_result(c, r, x, now_ms);
    json_t *figures = json_pack(
        "{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:{s:o,s:o},s:o,s:o}",
        "check", calibration_kind_id(read->kind), "verdict", calibration_verdict_id(x->verdict),
        "unit", unit_of(c, r), "reference", number_json(read->reference), "start",
        time_json(read->start_ms), "settled", time_json(read->settled_ms), "end",
        time_json(read->end_ms), "n", (json_int_t)read->n, "mean", number_json(read->mean),
        "sd", number_json(read->sd), "deviation", number_json(x->deviation), "error",
        number_json(x->error), "error_pct", number_json(percent_of(x->error, r->full)),
        "span_factor", number_json(x->factor), "limits", "warn", number_json(x->warn), "fail",
        number_json(x->fail), "drift_pct", number_json(percent_of(drift, r->full)),
        "correction", correction_json(&c->members[r->channel].correction));
    json_object_update(e, figures);
    json_decref(figures);
    json_object_set_new(e, "passed_before", time_json(passed_ms));
    if (*r->certificate)
        json_object_set_new(e, "certificate", json_string(r->certificate));
    return e;
}

/* Names the readings that a failed check makes doubtful; they stand in the log as they are. */
json_t *event_doubtful(const struct run *r, const struct calibration_result *x,
                       int64_t passed_ms, int64_t now_ms)
{
    char en[SENTENCE_MAX], zh[SENTENCE_MAX], from[TIME_TEXT_MAX] = "", to[TIME_TEXT_MAX];

    if (passed_ms)
        time_print_utc(passed_ms, from);
    time_print_utc(x->reading.start_ms, to);
    snprintf(en, sizeof en, "%s: readings %s%s up to %s are doubtful: the check failed.",
             r->channel_id, passed_ms ? "from " : "from the first", from, to);
    snprintf(zh, sizeof zh, "%s：检查不合格，%s%s 至 %s 的读数可疑。", r->channel_id,
             passed_ms ? "自 " : "自最初", from, to);
    json_t *e = event_of(r, "doubtful", now_ms, en, zh);
    json_object_set_new(e, "check", json_string(calibration_kind_id(x->reading.kind)));
    json_object_set_new(e, "start", time_json(passed_ms));
    json_object_set_new(e, "end", time_json(x->reading.start_ms));
    json_object_set_new(e, "grade", json_string(grade_id(GRADE_SUSPECT)));
    json_object_set_new(e, "reason", json_string(reason_id(REASON_CAL_DRIFT)));
    return e;
}

json_t *event_corrected(const struct run *r, const struct calibration_correction *before,
                        int64_t now_ms)
{
    const struct calibration_correction *after = &r->correction;
    char en[SENTENCE_MAX], zh[SENTENCE_MAX];

    snprintf(en, sizeof en, "%s is corrected from now on: (reading - %.6g) * %.6g.",
             r->channel_id, after->zero, after->factor);
    snprintf(zh, sizeof zh, "%s 自此按（读数 - %.6g）× %.6g 修正。", r->channel_id, after->zero,
             after->factor);
    json_t *e = event_of(r, "corrected", now_ms, en, zh);
    json_object_set_new(e, "before", correction_json(before));
    json_object_set_new(e, "after", correction_json(after));
    return e;
}

/* ---- maintenance ---- */

static const struct {
    const char *what, *en, *zh;
} works[] = {
    { "begun", "maintenance has begun, it ends by itself at", "维护已开始，最迟自动结束于" },
    { "extended", "maintenance goes on, it ends by itself at", "维护继续，最迟自动结束于" },
    { "ending", "maintenance is about to end by itself at", "维护即将自动结束于" },
    { "ended", "maintenance is over at", "维护已结束于" },
};

json_t *event_maintenance(const struct maintenance *m, const char *what, const char *who,
                          int64_t now_ms)
{
    char en[SENTENCE_MAX], zh[SENTENCE_MAX], at[TIME_TEXT_MAX];
    const bool is_over = strcmp(what, "ended") == 0;
    size_t i = 0;

    while (strcmp(works[i].what, what) != 0)
        i++;
    time_print_utc(is_over ? now_ms : m->until_ms, at);
    snprintf(en, sizeof en, "%s: %s %s%s%s.", m->device_id, works[i].en, at,
             *m->why ? ": " : "", m->why);
    snprintf(zh, sizeof zh, "%s：%s %s%s%s。", m->device_id, works[i].zh, at,
             *m->why ? "：" : "", m->why);
    json_t *e = event_new("maintenance", what, m->device_id, now_ms, en, zh);
    json_object_set_new(e, "since", time_json(m->since_ms));
    json_object_set_new(e, "until", time_json(m->until_ms));
    json_object_set_new(e, "who", json_string(who));
    if (*m->why)
        json_object_set_new(e, "why", json_string(m->why));
    return e;
}
