/* SPDX-License-Identifier: Apache-2.0 */
/* What callers want, held against what the station has. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/calibration/request.h"

void job_refuse(const struct job *j, const char *reason, const char *en, const char *zh)
{
    const bool is_usage = strcmp(reason, "busy") != 0 && strcmp(reason, "not_running") != 0;

    answer_now(j->q, json_pack("{s:b,s:s,s:b,s:{s:s,s:s}}", "ok", 0, "reason", reason, "usage",
                               is_usage, "text", "en", en, "zh", zh));
}

void job_refuse_id(const struct job *j, const char *reason, const char *en, const char *zh,
                   const char *id)
{
    char text_en[SENTENCE_MAX], text_zh[SENTENCE_MAX];

    snprintf(text_en, sizeof text_en, "%s %.100s.", en, id);
    snprintf(text_zh, sizeof text_zh, "%s %.100s。", zh, id);
    job_refuse(j, reason, text_en, text_zh);
}

const char *job_text(const struct job *j, const char *key)
{
    const char *text = json_string_value(json_object_get(j->root, key));

    return text ? text : "";
}

bool job_number(const struct job *j, const char *key, double min, double max, double *ret)
{
    const json_t *x = json_object_get(j->root, key);

    *ret = json_is_number(x) ? json_number_value(x) : (double)NAN;
    return !x || json_is_null(x) || (*ret >= min && *ret <= max);
}

bool job_channel(const struct job *j, uint32_t *ret)
{
    const char *id = job_text(j, "channel");

    *ret = channel_number(j->c, id);
    if (*ret != NOWHERE)
        return true;
    job_refuse_id(j, "unknown_channel", "The station has no channel", "本站没有通道", id);
    return false;
}

bool job_device(const struct job *j, uint32_t *ret)
{
    const char *id = job_text(j, "device");

    *ret = device_number(j->c, id);
    if (*ret != NOWHERE)
        return true;
    job_refuse_id(j, "unknown_device", "The station has no device", "本站没有设备", id);
    return false;
}

/* ---- serving ---- */

struct verb {
    const char *word;
    void (*serve)(const struct job *j);
};

static const struct verb calibrate_verbs[] = {
    { "list", job_list },
    { "ledger", job_ledger },
    { "start", job_check_start },
    { "stop", job_check_stop },
    { 0 },
};

static const struct verb maint_verbs[] = {
    { "list", job_maint_list },
    { "start", job_maint_start },
    { "stop", job_maint_stop },
    { 0 },
};

static bool is_text_short(const struct job *j, const char *key)
{
    return strlen(job_text(j, key)) < CALIBRATIONS_TEXT_MAX;
}

static void serve(struct calibrations *c, const struct calibrations_request *q,
                  const struct verb *verbs)
{
    const struct job j = { c, q, json_loads(q->json, JSON_REJECT_DUPLICATES, NULL) };
    const struct verb *v = verbs;

    while (v->word && strcmp(v->word, job_text(&j, "do")) != 0)
        v++;
    if (!c->station.table)
        job_refuse(&j, "busy", "The configuration is being reloaded, ask again.",
                   "正在重新加载配置，请重试。");
    else if (!v->word)
        job_refuse(&j, "bad_request", "The request is no JSON object with a known \"do\".",
                   "请求不是含有已知 \"do\" 的 JSON 对象。");
    else if (!is_text_short(&j, "why") || !is_text_short(&j, "certificate"))
        job_refuse(&j, "bad_request", "A text has at most 199 bytes.", "文本最多 199 字节。");
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
