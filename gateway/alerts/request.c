/* SPDX-License-Identifier: Apache-2.0 */
/* What persons want, held against what there is: every refusal says what would be right. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/alerts/internal.h"

#define MINUTE_MS INT64_C(60000)

struct job {
    struct book *b;
    const struct book_request *q;
    json_t *root; /* of the request */
};

/* ---- refusals ---- */

static json_t *refusal(const char *reason, bool is_usage, const char *en, const char *zh)
{
    return json_pack("{s:b,s:s,s:b,s:{s:s,s:s}}", "ok", 0, "reason", reason, "usage", is_usage,
                     "text", "en", en, "zh", zh);
}

static void refuse(const struct job *j, const char *reason, const char *en, const char *zh)
{
    reply_now(j->q, refusal(reason, true, en, zh));
}

/* A sentence with the name in it, where the bar stands. */
static void put_name(char *out, size_t size, const char *sentence, const char *name)
{
    const int n = (int)strcspn(sentence, "|");

    snprintf(out, size, "%.*s%s%s", n, sentence, name, sentence + n + 1);
}

static void refuse_name(const struct job *j, const char *reason, const char *name,
                        const char *en, const char *zh)
{
    char text_en[SENTENCE_MAX], text_zh[SENTENCE_MAX];

    put_name(text_en, sizeof text_en, en, name);
    put_name(text_zh, sizeof text_zh, zh, name);
    refuse(j, reason, text_en, text_zh);
}

static const char *text_of(const struct job *j, const char *key)
{
    const char *text = json_string_value(json_object_get(j->root, key));

    return text ? text : "";
}

/* ---- which alert ---- */

static struct episode *by_number(const struct book *b, const json_t *name)
{
    const char *text = json_string_value(name);
    char *end;
    const long long no = text ? strtoll(text, &end, 10) : json_integer_value(name);

    if (text && (*end != '\0' || end == text))
        return NULL;
    for (size_t i = 0; i < b->episodes_n; i++)
        if (no > 0 && b->episodes[i]->no == (uint64_t)no)
            return b->episodes[i];
    return NULL;
}

/* Open ones go before closed ones of the same beginning. */
static struct episode *by_beginning(const struct book *b, const char *text, unsigned *ret_n)
{
    struct episode *found = NULL;
    const size_t n = strlen(text);

    *ret_n = 0;
    for (int closed = 0; closed < 2 && *ret_n == 0; closed++)
        for (size_t i = 0; n > 0 && i < b->episodes_n; i++) {
            struct episode *e = b->episodes[i];
            if ((e->life.state == LIFE_CLOSED) != closed || strncmp(e->key, text, n) != 0)
                continue;
            ++*ret_n;
            found = e;
        }
    return *ret_n == 1 ? found : NULL;
}

/* NULL after a refusal. */
static struct episode *find_episode(const struct job *j)
{
    const json_t *name = json_object_get(j->root, "alert");
    const char *text = text_of(j, "alert");
    unsigned n = 0;
    struct episode *e = by_number(j->b, name);

    if (!e)
        e = episode_of_key(j->b, text);
    if (!e)
        e = by_beginning(j->b, text, &n);
    if (!e && n > 1)
        refuse_name(j, "ambiguous_alert", text,
                    "Several alerts begin with |: give more of the key, or the number.",
                    "有多条报警以 | 开头，请给出更完整的键或编号。");
    else if (!e && !name)
        refuse(j, "missing_alert", "Which alert? Give its key or its number.",
               "哪一条报警？请给出其键或编号。");
    else if (!e)
        refuse_name(j, "unknown_alert", *text ? text : "that",
                    "No alert is open that is called |; the log has those that are over.",
                    "没有名为 | 的未关闭报警；已结束的报警请查日志。");
    return e;
}

/* ---- acts ---- */

static json_t *answer_of(const struct episode *e, bool is_changed)
{
    return json_pack("{s:b,s:b,s:o}", "ok", 1, "changed", is_changed, "alert", episode_json(e));
}

static bool is_repeated(const struct job *j, const struct episode *e)
{
    const char *request = text_of(j, "request");
    const uint64_t hash = text_hash(request);

    for (size_t i = 0; *request && i < REQUESTS_KEPT; i++)
        if (e->requests[i] == hash)
            return true;
    return false;
}

/* The caller acts on a change that is not the newest any more. */
static bool is_late(const struct job *j, const struct episode *e)
{
    const json_t *number = json_object_get(j->root, "number");

    return json_is_integer(number) && json_integer_value(number) < e->life.number;
}

/* What an act cannot do without. */
static bool is_complete(const struct job *j, enum life_act act, struct life_doing *d)
{
    const bool needs_note = act == LIFE_COMMENT || act == LIFE_CLOSE || act == LIFE_WITHDRAW ||
                            act == LIFE_SUPERSEDE;

    if (act == LIFE_TRIAGE && life_verdict_find(text_of(j, "verdict"), &d->verdict) < 0) {
        refuse(j, "missing_verdict", "A verdict is true, false, sensor_fault or duplicate.",
               "研判结论为 true、false、sensor_fault 或 duplicate。");
        return false;
    }
    if (needs_note && !*text_of(j, "note")) {
        refuse(j, "missing_note", "Say why, or what: the log keeps it.",
               "请说明原因或内容，日志将予以保存。");
        return false;
    }
    return true;
}

static const char *unit_of(const struct job *j, const struct episode *e)
{
    const char *to = text_of(j, "to");
    const uint8_t level = e->life.level != LEVEL_NONE ? e->life.level : e->life.peak;
    const char *usual = episode_response(j->b, e)[level].route;

    return *to ? to : usual ? usual : "";
}

static json_t *fault_notice(const struct episode *e, int64_t now_ms)
{
    const char *device = episode_text(e, "device");
    char en[SENTENCE_MAX], zh[SENTENCE_MAX];

    snprintf(en, sizeof en, "Alert %llu was a fault of %s: %s.", (unsigned long long)e->no,
             device, *e->note ? e->note : "see to the instrument");
    snprintf(zh, sizeof zh, "报警 %llu 为设备 %s 故障：%s。", (unsigned long long)e->no, device,
             *e->note ? e->note : "请检修仪器");
    return json_pack("{s:s,s:o,s:s,s:s,s:{s:s,s:s},s:{s:s,s:s}}", "kind", "notice", "time",
                     when_json(now_ms), "what", "sensor_fault", "subject", device, "text", "en",
                     en, "zh", zh, "details", "alert", e->key, "actor", e->actor);
}

static void note_request(const struct job *j, struct episode *e)
{
    const char *request = text_of(j, "request");

    if (*request)
        e->requests[e->requests_n++ % REQUESTS_KEPT] = text_hash(request);
}

/* The state is kept that it had: what is not in the log has not happened. */
static void refuse_unlogged(const struct job *j, struct episode *e,
                            const struct episode *before)
{
    *e = *before;
    reply_now(j->q, refusal("log_full", false,
                            "The log takes nothing just now, so nothing was done: try again.",
                            "日志暂时无法写入，未执行任何操作，请重试。"));
}

static void carry_out(const struct job *j, struct episode *e, const struct episode *before,
                      enum life_act act)
{
    struct book_change c = book_begin(j->b, j->q->now_ms);

    snprintf(e->actor, sizeof e->actor, "%s", j->q->who);
    snprintf(e->note, sizeof e->note, "%s", text_of(j, "note"));
    if (act == LIFE_ASSIGN)
        snprintf(e->assigned, sizeof e->assigned, "%s", unit_of(j, e));
    if (act == LIFE_WITHDRAW)
        book_quiet(&c, e);
    note_request(j, e);
    book_changed(&c, e, life_act_done(act), life_act_done_name(act, "en"),
                 life_act_done_name(act, "zh"));
    if (act == LIFE_SUPERSEDE || (act == LIFE_TRIAGE && e->life.verdict == LIFE_SENSOR_FAULT))
        book_event(&c, fault_notice(e, c.now_ms));
    if (book_end(&c) < 0)
        refuse_unlogged(j, e, before);
    else
        reply_committed(j->b, j->q, answer_of(e, true));
}

static void refuse_act(const struct job *j, const struct episode *e, const char *why)
{
    json_t *answer =
        refusal(why, false, life_refusal_text(why, "en"), life_refusal_text(why, "zh"));

    json_object_set_new(answer, "alert", episode_json(e));
    reply_now(j->q, answer);
}

static void serve_act(const struct job *j, enum life_act act)
{
    struct life_doing d = { .act = act, .now_ms = j->q->now_ms };
    const char *why = "";

    if (!is_complete(j, act, &d))
        return;
    struct episode *e = find_episode(j);
    if (!e)
        return;
    const char *unit = unit_of(j, e);
    d.is_other_unit = strcmp(unit, e->assigned) != 0;
    if (act == LIFE_ASSIGN && !*unit) {
        refuse(j, "missing_unit", "To whom? The configuration names no route: give a unit.",
               "派给谁？配置中没有 route，请给出单位。");
        return;
    }
    if (is_repeated(j, e) || is_late(j, e)) {
        reply_committed(j->b, j->q, answer_of(e, false));
        return;
    }
    const struct episode before = *e;
    switch (life_do(&e->life, &d, episode_response(j->b, e), &why)) {
    case LIFE_DONE:
        carry_out(j, e, &before, act);
        break;
    case LIFE_SAME: /* committed with what made it so */
        reply_committed(j->b, j->q, answer_of(e, false));
        break;
    default:
        refuse_act(j, e, why);
    }
}

/* ---- lists ---- */

static json_t *shelves_json(const struct book *b)
{
    json_t *list = json_array();

    for (size_t i = 0; i < b->shelves_n; i++)
        json_array_append_new(list, shelf_json(&b->shelves[i]));
    return list;
}

/* Rules whose on-delay runs: there may be an alert soon. */
static json_t *pending_json(const struct book *b)
{
    const struct book_station *s = &b->station;
    json_t *list = json_array();

    for (size_t i = 0; s->is_pending && i < s->rules_n; i++)
        if (s->is_pending(s->user, i))
            json_array_append_new(list,
                                  json_pack("{s:s,s:s,s:s}", "rule", s->rules[i].id, "channel",
                                            s->table->channels[s->rules[i].channel].id, "state",
                                            life_state_id(LIFE_PENDING)));
    return list;
}

static int newest_first(const void *a, const void *b)
{
    const struct episode *const *x = a, *const *y = b;

    return ((*x)->no < (*y)->no) - ((*x)->no > (*y)->no);
}

static void serve_list(const struct job *j)
{
    const bool is_all = json_is_true(json_object_get(j->root, "all"));
    struct episode *sorted[BOOK_EPISODES_MAX];
    json_t *list = json_array();

    memcpy(sorted, j->b->episodes, j->b->episodes_n * sizeof sorted[0]);
    qsort(sorted, j->b->episodes_n, sizeof sorted[0], newest_first);
    for (size_t i = 0; i < j->b->episodes_n; i++)
        if (is_all || sorted[i]->life.state != LIFE_CLOSED)
            json_array_append_new(list, episode_json(sorted[i]));
    reply_now(j->q, json_pack("{s:b,s:o,s:o,s:o,s:o}", "ok", 1, "alerts", list, "pending",
                              pending_json(j->b), "shelves", shelves_json(j->b), "figures",
                              flood_json(j->b, j->q->now_ms)));
}

static void serve_show(const struct job *j)
{
    const struct episode *e = find_episode(j);

    if (e)
        reply_now(j->q, json_pack("{s:b,s:o}", "ok", 1, "alert", episode_json(e)));
}

static void serve_figures(const struct job *j)
{
    reply_now(j->q, json_pack("{s:b,s:o}", "ok", 1, "figures", flood_json(j->b, j->q->now_ms)));
}

/* ---- shelves ---- */

static bool has_channel(const struct book *b, enum shelf_of of, const char *id)
{
    const struct channel_table *t = b->station.table;

    for (size_t i = 0; i < t->n; i++)
        if (strcmp(of == OF_DEVICE ? t->channels[i].device : t->channels[i].id, id) == 0)
            return true;
    return false;
}

static bool has_rule(const struct book *b, const char *id)
{
    for (size_t i = 0; i < b->station.rules_n; i++)
        if (strcmp(b->station.rules[i].id, id) == 0)
            return true;
    return false;
}

/* What it is about; false after a refusal. */
static bool find_object(const struct job *j, enum shelf_of *ret_of, const char **ret_id)
{
    for (int of = OF_RULE; of < SHELF_OF_COUNT_; of++) {
        const char *id = text_of(j, shelf_of_id((enum shelf_of)of));
        if (!*id)
            continue;
        *ret_of = (enum shelf_of)of;
        *ret_id = id;
        if (of == OF_RULE ? has_rule(j->b, id) : has_channel(j->b, *ret_of, id))
            return true;
        refuse_name(j, "unknown_object", id, "The station has no rule, channel or device |.",
                    "本站没有名为 | 的规则、通道或设备。");
        return false;
    }
    const struct episode *e = find_episode(j);
    *ret_of = OF_ALERT;
    *ret_id = e ? e->key : NULL;
    return e != NULL;
}

/* How long; 0: until a person ends it. False after a refusal. */
static bool find_length(const struct job *j, enum shelf_kind kind, int64_t *ret_ms)
{
    const json_t *x = json_object_get(j->root, "for_ms");
    const double ms = json_is_number(x) ? json_number_value(x) : 0;
    const double most = (double)j->b->station.shelve_max_ms;
    char en[SENTENCE_MAX], zh[SENTENCE_MAX];

    if (!x && kind == OUT_OF_SERVICE) {
        *ret_ms = 0;
        return true;
    }
    if (ms >= (double)MINUTE_MS && (ms <= most || kind == OUT_OF_SERVICE) && ms < 1e12) {
        *ret_ms = (int64_t)ms;
        return true;
    }
    snprintf(en, sizeof en, "Alerts are shelved with an end, for one minute to %.0f minutes.",
             most / (double)MINUTE_MS);
    snprintf(zh, sizeof zh, "搁置必须有期限，为 1 至 %.0f 分钟。", most / (double)MINUTE_MS);
    refuse(j, "bad_length", en, zh);
    return false;
}

static void serve_shelve(const struct job *j, enum shelf_kind kind)
{
    enum shelf_of of;
    const char *id;
    int64_t ms;
    struct shelf s;

    if (!*text_of(j, "note")) {
        refuse(j, "missing_note", "Say why: the log keeps it.", "请说明原因，日志将予以保存。");
        return;
    }
    if (!find_length(j, kind, &ms) || !find_object(j, &of, &id))
        return;
    memset(&s, 0, sizeof s); /* padding goes to disk */
    s.kind = (uint8_t)kind;
    s.of = (uint8_t)of;
    s.since_ms = j->q->now_ms;
    s.until_ms = ms ? j->q->now_ms + ms : 0;
    snprintf(s.id, sizeof s.id, "%s", id);
    snprintf(s.who, sizeof s.who, "%s", j->q->who);
    snprintf(s.note, sizeof s.note, "%s", text_of(j, "note"));
    struct book_change c = book_begin(j->b, j->q->now_ms);
    const bool is_put = shelf_put(&c, &s);
    const int rc = book_end(&c);
    if (rc < 0)
        reply_now(j->q, json_pack("{s:b,s:b,s:s}", "ok", 1, "changed", 1, "log", "late"));
    else if (is_put)
        reply_committed(
            j->b, j->q,
            json_pack("{s:b,s:b,s:o}", "ok", 1, "changed", 1, "shelf", shelf_json(&s)));
    else
        reply_now(j->q, refusal("shelf_full", false, "No more can be shelved at a time.",
                                "搁置数量已达上限。"));
}

static void serve_unshelve(const struct job *j, enum shelf_kind kind)
{
    enum shelf_of of;
    const char *id;

    if (!find_object(j, &of, &id))
        return;
    struct shelf *s = shelf_find(j->b, kind, of, id);
    if (!s) { /* it has ended by itself, or was taken off before */
        reply_now(j->q, json_pack("{s:b,s:b}", "ok", 1, "changed", 0));
        return;
    }
    struct book_change c = book_begin(j->b, j->q->now_ms);
    shelf_take(&c, s, j->q->who);
    book_end(&c);
    reply_committed(j->b, j->q, json_pack("{s:b,s:b}", "ok", 1, "changed", 1));
}

/* ---- serving ---- */

static bool is_text_short(const struct job *j)
{
    static const struct {
        const char *key;
        size_t max;
    } texts[] = { { "note", BOOK_TEXT_MAX },    { "to", BOOK_NAME_MAX },
                  { "request", BOOK_NAME_MAX }, { "rule", BOOK_KEY_MAX },
                  { "channel", BOOK_KEY_MAX },  { "device", BOOK_KEY_MAX },
                  { "alert", BOOK_KEY_MAX } };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strlen(text_of(j, texts[i].key)) >= texts[i].max)
            return false;
    return true;
}

static bool serve_other(const struct job *j, const char *verb)
{
    if (strcmp(verb, "list") == 0)
        serve_list(j);
    else if (strcmp(verb, "show") == 0)
        serve_show(j);
    else if (strcmp(verb, "figures") == 0)
        serve_figures(j);
    else if (strcmp(verb, "shelve") == 0)
        serve_shelve(j, SHELVED);
    else if (strcmp(verb, "unshelve") == 0)
        serve_unshelve(j, SHELVED);
    else if (strcmp(verb, "out_of_service") == 0)
        serve_shelve(j, OUT_OF_SERVICE);
    else if (strcmp(verb, "in_service") == 0)
        serve_unshelve(j, OUT_OF_SERVICE);
    else
        return false;
    return true;
}

void book_request(struct book *b, const struct book_request *q)
{
    const struct job j = { b, q, json_loads(q->json, JSON_REJECT_DUPLICATES, NULL) };
    const char *verb = text_of(&j, "do");
    enum life_act act = LIFE_COMMENT;

    if (!b->station.table)
        reply_now(q, refusal("busy", false, "The configuration is being reloaded, ask again.",
                             "正在重新加载配置，请重试。"));
    else if (!is_text_short(&j))
        refuse(&j, "bad_request", "A note has at most 399 bytes, a name at most 95.",
               "备注最多 399 字节，名称最多 95 字节。");
    else if (life_act_find(verb, &act) == 0)
        serve_act(&j, act);
    else if (!serve_other(&j, verb))
        refuse(
            &j, "bad_request",
            "The request is no JSON object with a known \"do\": list, show, acknowledge, "
            "triage, comment, assign, handle, verify, close, shelve ...",
            "请求不是含有已知 \"do\" 的 JSON 对象：list、show、acknowledge、triage、comment、"
            "assign、handle、verify、close、shelve 等。");
    json_decref(j.root);
}
