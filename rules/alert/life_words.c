/* SPDX-License-Identifier: Apache-2.0 */
/* What a life is told with: identifiers for programs, words for people. */
#include <errno.h>
#include <string.h>

#include "rules/alert/life.h"

#define MINUTE INT64_C(60000)

struct word {
    const char *id, *en, *zh;
};

static const struct word states[LIFE_STATE_COUNT_] = {
    [LIFE_PENDING] = { "pending", "pending", "待发布" },
    [LIFE_RAISED] = { "raised", "raised", "已发布" },
    [LIFE_RECEIVED] = { "received", "received", "中心已接收" },
    [LIFE_ACKNOWLEDGED] = { "acknowledged", "acknowledged", "已确认" },
    [LIFE_TRIAGED] = { "triaged", "triaged", "已研判" },
    [LIFE_ROUTED] = { "routed", "routed", "已派单" },
    [LIFE_HANDLING] = { "in_handling", "in handling", "处置中" },
    [LIFE_VERIFIED] = { "verified", "verified", "已核实" },
    [LIFE_CLOSED] = { "closed", "closed", "已关闭" },
};

static const struct word verdicts[LIFE_VERDICT_COUNT_] = {
    [LIFE_NOT_JUDGED] = { "", "", "" },
    [LIFE_TRUE] = { "true", "true", "真实" },
    [LIFE_FALSE] = { "false", "false alarm", "误报" },
    [LIFE_SENSOR_FAULT] = { "sensor_fault", "sensor fault", "仪器故障" },
    [LIFE_DUPLICATE] = { "duplicate", "duplicate", "重复" },
};

static const struct word dues[LIFE_DUE_COUNT_] = {
    [LIFE_DUE_NONE] = { "", "", "" },
    [LIFE_DUE_ACKNOWLEDGE] = { "acknowledge", "acknowledgement", "确认" },
    [LIFE_DUE_TRIAGE] = { "triage", "triage", "研判" },
    [LIFE_DUE_ROUTE] = { "assign", "assignment", "派单" },
    [LIFE_DUE_HANDLE] = { "handle", "handling", "处置" },
    [LIFE_DUE_VERIFY] = { "verify", "verification", "核实" },
};

static const struct word marks[LIFE_MARKS_N] = {
    { "cleared", "cleared", "已解除" },
    { "cannot_judge", "cannot judge", "无法判断" },
    { "unstable", "unstable", "频繁波动" },
    { "superseded", "superseded by a fault", "因故障被取代" },
    { "reopened", "reopened", "重新打开" },
    { "doubtful", "doubtful", "存疑" },
    { "late", "late", "滞后" },
    { "overdue", "overdue", "超时" },
    { "shelved", "shelved", "已搁置" },
    { "out_of_service", "out of service", "停用" },
    { "rule_changed", "rule changed", "规则已变更" },
    { "withdrawn", "withdrawn", "已撤回" },
    { "flood", "one of a flood", "报警过多" },
};

static const struct {
    const char *verb, *shorter;
    struct word done;
} acts[LIFE_ACT_COUNT_] = {
    [LIFE_RECEIVE] = { "receive", "receive", { "received", "received", "中心接收" } },
    [LIFE_ACKNOWLEDGE] = { "acknowledge", "ack", { "acknowledged", "acknowledged", "确认" } },
    [LIFE_TRIAGE] = { "triage", "triage", { "triaged", "triaged", "研判" } },
    [LIFE_COMMENT] = { "comment", "comment", { "commented", "commented", "备注" } },
    [LIFE_ASSIGN] = { "assign", "route", { "assigned", "assigned", "派单" } },
    [LIFE_HANDLE] = { "handle", "handle", { "in_handling", "taken in hand", "开始处置" } },
    [LIFE_VERIFY] = { "verify", "verify", { "verified", "verified", "核实" } },
    [LIFE_CLOSE] = { "close", "close", { "closed", "closed", "关闭" } },
    [LIFE_REOPEN] = { "reopen", "reopen", { "reopened", "reopened", "重新打开" } },
    [LIFE_WITHDRAW] = { "withdraw", "withdraw", { "withdrawn", "withdrawn", "撤回" } },
    [LIFE_SUPERSEDE] = { "supersede",
                         "supersede",
                         { "superseded", "superseded by a fault", "因故障被取代" } },
};

static const char *in(const struct word *w, const char *lang)
{
    return lang[0] == 'z' ? w->zh : w->en;
}

static int find(const struct word *words, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (words[i].id[0] && strcmp(words[i].id, id) == 0)
            return (int)i;
    return -EINVAL;
}

static int bit_of(enum life_mark m)
{
    return __builtin_ctz((unsigned)m | 1u << (LIFE_MARKS_N - 1));
}

const char *life_state_id(enum life_state s)
{
    return states[s].id;
}

const char *life_state_name(enum life_state s, const char *lang)
{
    return in(&states[s], lang);
}

int life_state_find(const char *id, enum life_state *ret)
{
    const int i = find(states, LIFE_STATE_COUNT_, id);

    *ret = i < 0 ? *ret : (enum life_state)i;
    return i < 0 ? i : 0;
}

const char *life_verdict_id(enum life_verdict v)
{
    return verdicts[v].id;
}

const char *life_verdict_name(enum life_verdict v, const char *lang)
{
    return in(&verdicts[v], lang);
}

int life_verdict_find(const char *id, enum life_verdict *ret)
{
    const int i = find(verdicts, LIFE_VERDICT_COUNT_, id);

    *ret = i < 0 ? *ret : (enum life_verdict)i;
    return i < 0 ? i : 0;
}

const char *life_due_id(enum life_due d)
{
    return dues[d].id;
}

const char *life_due_name(enum life_due d, const char *lang)
{
    return in(&dues[d], lang);
}

const char *life_mark_id(enum life_mark m)
{
    return marks[bit_of(m)].id;
}

const char *life_mark_name(enum life_mark m, const char *lang)
{
    return in(&marks[bit_of(m)], lang);
}

uint32_t life_mark_find(const char *id)
{
    const int i = find(marks, LIFE_MARKS_N, id);

    return i < 0 ? 0 : UINT32_C(1) << i;
}

const char *life_act_done(enum life_act a)
{
    return acts[a].done.id;
}

const char *life_act_done_name(enum life_act a, const char *lang)
{
    return in(&acts[a].done, lang);
}

int life_act_find(const char *verb, enum life_act *ret)
{
    for (int a = 0; a < LIFE_ACT_COUNT_; a++)
        if (strcmp(verb, acts[a].verb) == 0 || strcmp(verb, acts[a].shorter) == 0) {
            *ret = (enum life_act)a;
            return 0;
        }
    return -EINVAL;
}

struct life_response life_response_default(enum alert_level l)
{
    /* minutes; of handling and verifying until the bureau's plan says otherwise */
    static const int16_t minutes[LEVEL_COUNT_][LIFE_DUE_COUNT_] = {
        [LEVEL_BLUE] = { 0, 60, 240, 5, 24 * 60, 72 * 60 },
        [LEVEL_YELLOW] = { 0, 30, 120, 5, 8 * 60, 72 * 60 },
        [LEVEL_ORANGE] = { 0, 15, 60, 5, 4 * 60, 72 * 60 },
        [LEVEL_RED] = { 0, 5, 15, 5, 2 * 60, 72 * 60 },
    };
    struct life_response r = { .route = NULL };

    for (int d = 0; d < LIFE_DUE_COUNT_; d++)
        r.within_ms[d] = minutes[l][d] * MINUTE;
    return r;
}
