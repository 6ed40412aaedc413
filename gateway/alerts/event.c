/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of alerts: events of the log, and what a list shows. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/alerts/internal.h"
#include "gateway/base/log.h"

json_t *when_json(int64_t ms)
{
    char text[TIME_TEXT_MAX];

    if (ms == 0)
        return json_null();
    time_print_utc(ms, text);
    return json_string(text);
}

static json_t *number_json(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static const char *direction_id(enum alert_direction d)
{
    static const char *const ids[] = { [ALERT_ABOVE] = "above",
                                       [ALERT_BELOW] = "below",
                                       [ALERT_OUTSIDE] = "outside",
                                       [ALERT_EQUAL] = "equal" };

    return ids[d];
}

json_t *episode_about(const struct channel_table *t, const struct alert_rule *r)
{
    const struct channel *ch = &t->channels[r->channel];

    return json_pack("{s:s,s:{s:s,s:s},s:s,s:s,s:s,s:s,s:s,s:s}", "rule", r->id, "title", "en",
                     r->title_en ? r->title_en : r->id, "zh", r->title_zh ? r->title_zh : r->id,
                     "channel", ch->id, "device", ch->device, "quantity", ch->quantity->id,
                     "medium", medium_id(ch->quantity->medium), "unit", ch->quantity->unit,
                     "direction", direction_id(r->direction));
}

/* ---- members ---- */

static json_t *marks_json(uint32_t marks)
{
    json_t *list = json_array();

    for (int i = 0; i < LIFE_MARKS_N; i++)
        if (marks & 1u << i)
            json_array_append_new(list, json_string(life_mark_id((enum life_mark)(1 << i))));
    return list;
}

const char *episode_quiet(const struct episode *e)
{
    static const enum life_mark reasons[] = { LIFE_OUT_OF_SERVICE, LIFE_SHELVED,
                                              LIFE_UNSTABLE };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        /* that it has become unstable is told once */
        if (e->life.marks & (uint32_t)reasons[i] &&
            (reasons[i] != LIFE_UNSTABLE || e->raises > 1))
            return life_mark_id(reasons[i]);
    }
    if (e->life.marks & LIFE_FLOOD && e->life.peak < LEVEL_ORANGE)
        return life_mark_id(LIFE_FLOOD);
    return e->life.marks & LIFE_LATE && e->life.marks & LIFE_CLEARED ? "late" : NULL;
}

static void set_text(json_t *o, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(o, key, json_string(text));
}

static void put_due(json_t *o, const struct episode *e)
{
    const bool is_running = !(e->life.marks & (LIFE_SHELVED | LIFE_OUT_OF_SERVICE));

    if (e->life.due_ms != 0 && is_running)
        json_object_set_new(o, "due",
                            json_pack("{s:s,s:o}", "for",
                                      life_due_id((enum life_due)e->life.due), "by",
                                      when_json(e->life.due_ms)));
}

/* The members that the life adds to an event or a line of the list. */
static json_t *life_members(const struct episode *e)
{
    const struct life *l = &e->life;
    json_t *o = json_pack("{s:I,s:s,s:o,s:s}", "number", (json_int_t)l->number, "state",
                          life_state_id((enum life_state)l->state), "marks",
                          marks_json(l->marks), "actor", e->actor);

    set_text(o, "verdict", life_verdict_id((enum life_verdict)l->verdict));
    set_text(o, "note", e->note);
    set_text(o, "assigned", e->assigned);
    set_text(o, "version", e->version);
    set_text(o, "reopens", e->reopens);
    set_text(o, "quiet", episode_quiet(e));
    if (l->escalations)
        json_object_set_new(o, "escalations", json_integer(l->escalations));
    if (e->raises > 1)
        json_object_set_new(o, "raises", json_integer(e->raises));
    json_object_set_new(o, "no", json_integer((json_int_t)e->no));
    put_due(o, e);
    return o;
}

static void put_earlier(json_t *o, const struct episode *e)
{
    json_t *earlier = episode_earlier(e);

    if (json_array_size(earlier) > 0)
        json_object_set(o, "earlier", earlier);
    json_decref(earlier);
}

void book_put(const struct episode *e, struct buf *event)
{
    json_t *o = life_members(e);

    put_earlier(o, e);
    char *text = o ? json_dumps(o, JSON_FORM) : NULL;

    if (text && strlen(text) > 2) {
        buf_puts(event, ",");
        buf_put(event, text + 1, strlen(text) - 2); /* without its braces */
    }
    free(text);
    json_decref(o);
}

json_t *episode_json(const struct episode *e)
{
    const struct life *l = &e->life;
    json_t *o =
        json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:I,s:o,s:o,s:o}", "key", e->key, "level",
                  alert_level_id((enum alert_level)l->level), "peak",
                  alert_level_id((enum alert_level)l->peak), "value", number_json(e->value),
                  "limit", number_json(e->limit), "extreme", number_json(e->extreme), "flag",
                  (json_int_t)e->flag, "raised", when_json(l->raised_ms), "changed",
                  when_json(e->changed_ms), "cleared", when_json(l->cleared_ms));
    json_t *life = life_members(e);

    json_object_update(o, e->about);
    json_object_update(o, life);
    json_decref(life);
    return o;
}

char *book_standing_json(const struct book *b, int64_t now_ms)
{
    json_t *list = json_array();

    for (size_t i = 0; i < b->episodes_n; i++) {
        const struct episode *e = b->episodes[i];
        if (e->life.level == LEVEL_NONE)
            continue;
        json_t *one = episode_json(e);
        json_object_set_new(one, "kind", json_string("alert"));
        json_object_set_new(one, "transition", json_string("stands"));
        json_object_set_new(one, "time", when_json(now_ms));
        json_array_append_new(list, one);
    }
    char *text = json_dumps(list, JSON_FORM);
    json_decref(list);
    return text;
}

/* ---- events ---- */

/* A text that was cut must not end within a character. */
static void mend_end(char *text, size_t size)
{
    size_t n = strlen(text);

    if (n + 1 < size)
        return;
    while (n > 0 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
        n--;
    text[n > 0 && (unsigned char)text[n - 1] >= 0xc0 ? n - 1 : n] = '\0';
}

/* "Alert 12 (yellow, Ozone high, roof-o3/ozone): acknowledged by uid 1000: on my way." */
static json_t *sentences(const struct episode *e, const char *en, const char *zh)
{
    const enum alert_level l = (enum alert_level)e->life.peak;
    const json_t *title = json_object_get(e->about, "title");
    const char *channel = episode_text(e, "channel");
    char text_en[SENTENCE_MAX], text_zh[SENTENCE_MAX];

    snprintf(text_en, sizeof text_en, "Alert %llu (%s, %s, %s): %s by %s%s%s.",
             (unsigned long long)e->no, alert_level_name(l, "en"),
             json_string_value(json_object_get(title, "en")), channel, en, e->actor,
             *e->note ? ": " : "", e->note);
    snprintf(text_zh, sizeof text_zh, "报警 %llu（%s，%s，%s）：%s，操作者 %s%s%s。",
             (unsigned long long)e->no, alert_level_name(l, "zh"),
             json_string_value(json_object_get(title, "zh")), channel, zh, e->actor,
             *e->note ? "：" : "", e->note);
    mend_end(text_en, sizeof text_en);
    mend_end(text_zh, sizeof text_zh);
    return json_pack("{s:s,s:s}", "en", text_en, "zh", text_zh);
}

static void put_clock(const struct book *b, json_t *event)
{
    const struct timeline *t = b->station.timeline;

    if (t && timeline_is_doubtful(t))
        json_object_set_new(event, "clock", json_string(clock_state_id(t->state)));
}

json_t *alert_event(const struct book *b, const struct episode *e, const char *what,
                    const char *done_en, const char *done_zh, int64_t now_ms)
{
    const char *level = alert_level_id((enum alert_level)e->life.level);
    json_t *event = json_pack("{s:s,s:o,s:s,s:s}", "kind", "alert", "time", when_json(now_ms),
                              "transition", what, "from", level);
    json_t *all = episode_json(e);

    json_object_update(event, all);
    put_earlier(event, e);
    json_object_set_new(event, "text", sentences(e, done_en, done_zh));
    put_clock(b, event);
    json_decref(all);
    return event;
}

static const char *const shelf_words[][2] = { { "shelved", "搁置" },
                                              { "out of service", "停用" } };

json_t *shelf_event(const struct book *b, const struct shelf *s, const char *what,
                    const char *who, int64_t now_ms)
{
    const bool is_begin = strcmp(what, "begun") == 0;
    char en[SENTENCE_MAX], zh[SENTENCE_MAX], until[TIME_TEXT_MAX] = "";

    if (s->until_ms)
        time_print_utc(s->until_ms, until);
    snprintf(en, sizeof en, "Alerts of %s %s are %s%s%s%s, by %s%s%s.",
             shelf_of_id((enum shelf_of)s->of), s->id, is_begin ? "" : "no longer ",
             shelf_words[s->kind][0], is_begin && *until ? " until " : "",
             is_begin ? until : "", who, *s->note ? ": " : "", s->note);
    snprintf(zh, sizeof zh, "%s %s%s%s%s%s%s，操作者 %s%s%s。",
             shelf_of_name_zh((enum shelf_of)s->of), s->id, s->of == OF_ALERT ? "" : " 的报警",
             is_begin ? "已" : "不再", shelf_words[s->kind][1], is_begin && *until ? "至 " : "",
             is_begin ? until : "", who, *s->note ? "：" : "", s->note);
    mend_end(en, sizeof en);
    mend_end(zh, sizeof zh);
    json_t *event = json_pack("{s:s,s:o,s:s,s:o,s:s,s:{s:s,s:s}}", "kind", "shelf", "time",
                              when_json(now_ms), "what", what, "shelf", shelf_json(s), "actor",
                              who, "text", "en", en, "zh", zh);
    put_clock(b, event);
    return event;
}

/* ---- a change ---- */

struct book_change book_begin(struct book *b, int64_t now_ms)
{
    struct book_change c = { .book = b, .now_ms = now_ms };

    if (!b->store || store_batch_begin(b->store, &c.batch) < 0)
        c.batch = NULL;
    return c;
}

void book_event(struct book_change *c, json_t *event)
{
    const struct book *b = c->book;

    c->has_any = true;
    char *text = event ? json_dumps(event, JSON_FORM) : NULL;

    if (b->store && (!text || !c->batch || store_batch_event(c->batch, text) < 0))
        log_error("what became of an alert is not in the log: there is no memory");
    if (text && b->station.on_event)
        b->station.on_event(b->station.user, text);
    free(text);
    json_decref(event);
}

void book_changed(struct book_change *c, struct episode *e, const char *what, const char *en,
                  const char *zh)
{
    e->changed_ms = c->now_ms;
    episode_told(e, what, c->now_ms);
    episode_keep(c->book, e, c->batch);
    book_event(c, alert_event(c->book, e, what, en, zh, c->now_ms));
}

int book_end(struct book_change *c)
{
    const bool is_kept = c->book->store != NULL;
    int rc = c->batch || !is_kept ? 0 : -ENOMEM;

    if (!c->has_any) {
        store_batch_drop(c->batch);
        return 0;
    }
    if (c->batch)
        rc = store_batch_submit(c->batch, STORE_AT_ONCE);
    c->batch = NULL;
    if (rc < 0)
        log_error("what became of an alert is not in the log: %s", strerror(-rc));
    return rc;
}

void book_quiet(const struct book_change *c, struct episode *e)
{
    const struct book_station *s = &c->book->station;

    if (e->rule == NO_RULE || e->life.level == LEVEL_NONE)
        return;
    if (s->on_withdrawn)
        s->on_withdrawn(s->user, e->rule, c->batch);
    e->life.level = LEVEL_NONE;
    e->life.marks |= LIFE_CLEARED;
    e->life.cleared_ms = c->now_ms;
}
