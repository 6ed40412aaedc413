/* SPDX-License-Identifier: Apache-2.0 */
/* What is told: one JSON object each, with a sentence in both languages. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/revision/internal.h"
#include "sensors/core/status.h"

enum { SENTENCE_MAX = 640 };

static json_t *time_json(int64_t ms)
{
    char text[TIME_TEXT_MAX];

    if (ms == 0)
        return json_null();
    time_print_utc(ms, text);
    return json_string(text);
}

static json_t *device_json(const char *channel)
{
    return json_stringn(channel, strcspn(channel, "/"));
}

static json_t *event_new(const struct revisions *r, const struct revision *x, const char *what,
                         const char *en, const char *zh)
{
    json_t *e =
        json_pack("{s:s,s:o,s:s,s:o,s:s,s:s,s:o,s:o,s:s,s:{s:s,s:s}}", "kind", "calibration",
                  "time", time_json(r->now_ms), "what", what, "device",
                  device_json(x->channel_id), "channel", x->channel_id, "check", x->check,
                  "start", time_json(x->from_ms), "end", time_json(x->to_ms), "mode",
                  x->is_corrected ? "drift" : "flag", "text", "en", en, "zh", zh);

    return e;
}

static const char *begin_text(const struct revision *x, const char *unknown,
                              char text[TIME_TEXT_MAX])
{
    if (x->from_ms == 0)
        return unknown;
    time_print_utc(x->from_ms, text);
    return text;
}

json_t *told_begun(const struct revisions *r, const struct revision *x)
{
    char en[SENTENCE_MAX], zh[SENTENCE_MAX], from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

    time_print_utc(x->to_ms, to);
    snprintf(en, sizeof en, "%s: readings from %s to %s are being written again as doubtful%s.",
             x->channel_id, begin_text(x, "the first", from), to,
             x->is_corrected ? ", with zero and factor of their time" : "");
    snprintf(zh, sizeof zh, "%s：正在将 %s 至 %s 的读数重新写为可疑%s。", x->channel_id,
             begin_text(x, "最初", from), to,
             x->is_corrected ? "，并按当时的零点和系数修正" : "");
    return event_new(r, x, "revision_begun", en, zh);
}

static void put_figures(json_t *e, const struct revision *x)
{
    json_object_set_new(e, "rows", json_integer((json_int_t)x->rows));
    json_object_set_new(e, "statistics", json_integer((json_int_t)x->statistic_rows));
    json_object_set_new(e, "alerts", json_integer((json_int_t)x->alerts));
    json_object_set_new(e, "oldest", time_json(x->oldest_ms));
    json_object_set_new(e, "cut", json_boolean(x->is_cut));
    json_object_set_new(e, "grade", json_string(grade_id(GRADE_SUSPECT)));
    json_object_set_new(e, "reason", json_string(reason_id(REASON_CAL_DRIFT)));
}

/* "; the log has nothing before 2026-11-22T07:09:30.125Z" */
static const char *cut_text(const struct revision *x, const char *form, char *buf, size_t size)
{
    char oldest[TIME_TEXT_MAX] = "";

    buf[0] = '\0';
    if (x->oldest_ms)
        time_print_utc(x->oldest_ms, oldest);
    if (x->is_cut && x->oldest_ms)
        snprintf(buf, size, "%s%s", form, oldest);
    return buf;
}

json_t *told_revised(const struct revisions *r, const struct revision *x)
{
    char en[SENTENCE_MAX], zh[SENTENCE_MAX], cut_en[96], cut_zh[96];

    snprintf(en, sizeof en,
             "%s: %" PRIu64 " readings were written again as doubtful (lvl=rev), %" PRIu64
             " alerts are in doubt%s.",
             x->channel_id, x->rows, x->alerts,
             cut_text(x, "; the log has no older one than of ", cut_en, sizeof cut_en));
    snprintf(zh, sizeof zh,
             "%s：已将 %" PRIu64 " 个读数重新写为可疑（lvl=rev），%" PRIu64 " 个报警存疑%s。",
             x->channel_id, x->rows, x->alerts,
             cut_text(x, "；日志中最早的读数为 ", cut_zh, sizeof cut_zh));
    json_t *e = event_new(r, x, "revised", en, zh);
    put_figures(e, x);
    return e;
}

json_t *told_ended(const struct revisions *r, const struct revision *x, bool is_gone)
{
    char en[SENTENCE_MAX], zh[SENTENCE_MAX];

    snprintf(
        en, sizeof en,
        "%s: the revision is over%s: %" PRIu64 " readings, %" PRIu64 " rows of statistics.",
        x->channel_id,
        is_gone ? " before its end, for the configuration has no such channel any more" : "",
        x->rows, x->statistic_rows);
    snprintf(zh, sizeof zh, "%s：修订结束%s：读数 %" PRIu64 " 个，统计 %" PRIu64 " 行。",
             x->channel_id, is_gone ? "（配置中已无此通道，未全部完成）" : "", x->rows,
             x->statistic_rows);
    json_t *e = event_new(r, x, "revision_ended", en, zh);
    put_figures(e, x);
    if (is_gone)
        json_object_set_new(e, "reason_ended", json_string("channel_gone"));
    return e;
}

/* ---- alerts ---- */

static void copy(json_t *to, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);

    if (value)
        json_object_set(to, key, value);
}

static const char *title_of(const json_t *last, const char *lang)
{
    const char *title =
        json_string_value(json_object_get(json_object_get(last, "title"), lang));
    const char *rule = json_string_value(json_object_get(last, "rule"));

    return title ? title : rule ? rule : "";
}

/* No level: what stands now is not changed by it. Each has a millisecond of its own, for a
 * database keeps one point a series and time. */
json_t *told_alert(const struct revisions *r, const struct revision *x, const json_t *last,
                   size_t n)
{
    static const char *const copied[] = { "key",    "rule",     "title",  "channel",
                                          "device", "quantity", "medium", "raised" };
    char en[SENTENCE_MAX], zh[SENTENCE_MAX];
    const char *raised = json_string_value(json_object_get(last, "raised"));

    snprintf(en, sizeof en,
             "The alert %.100s of %.100s is in doubt: %s failed its check afterwards.",
             title_of(last, "en"), raised ? raised : "-", x->channel_id);
    snprintf(zh, sizeof zh, "%.100s 的报警“%.100s”存疑：%s 随后检查不合格。",
             raised ? raised : "-", title_of(last, "zh"), x->channel_id);
    json_t *e = json_pack("{s:s,s:o,s:s,s:s,s:{s:s,s:s}}", "kind", "alert", "time",
                          time_json(r->now_ms + (int64_t)n), "transition", "doubtful", "what",
                          "doubtful", "text", "en", en, "zh", zh);
    for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++)
        copy(e, last, copied[i]);
    json_object_set_new(e, "check", json_string(x->check));
    json_object_set_new(e, "reason", json_string(reason_id(REASON_CAL_DRIFT)));
    return e;
}

/* ---- into the log ---- */

int told_put(struct store_batch *b, const json_t *event)
{
    char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;
    int rc = text ? store_batch_event(b, text) : -ENOMEM;

    free(text);
    return rc;
}

void told_show(const struct revisions *r, const json_t *event)
{
    char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;

    if (text && r->station.on_event)
        r->station.on_event(r->station.user, text);
    free(text);
}
