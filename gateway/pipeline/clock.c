/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change of the station's clock does to the rest: states that measure from an instant
 * move with it, periods under way are closed, rows that waited go into the log, and an event
 * says what happened.
 */
#include <inttypes.h>
#include <stdio.h>

#include "gateway/pipeline/internal.h"

enum { TEXT_MAX = 240 };

void clock_keep(struct pipeline *p, struct change *c)
{
    struct clock_record record;

    if (!p->o->timeline || !p->is_clock_due || !c->batch)
        return;
    timeline_record(p->o->timeline, &record);
    if (store_batch_state(c->batch, PIPELINE_CLOCK_KEY, &record, sizeof record) == 0)
        p->is_clock_due = false;
}

struct verdict clock_verdict(const struct pipeline *p)
{
    struct verdict v = { 0 };

    if (p->o->timeline && timeline_is_doubtful(p->o->timeline))
        v = verdict_add(v, GRADE_NOT_EVALUATED, REASON_CLK_UNSYNC);
    return v;
}

void clock_put(const struct pipeline *p, struct buf *b)
{
    if (p->o->timeline && timeline_is_doubtful(p->o->timeline))
        buf_printf(b, ",\"clock\":\"%s\"", clock_state_id(p->o->timeline->state));
}

struct words {
    const char *what;
    char en[TEXT_MAX], zh[TEXT_MAX];
};

static void say_step(const struct timeline_change *c, const char *from, const char *to,
                     struct words *w)
{
    bool is_back = c->to_ms < c->from_ms;

    w->what = "clock_step";
    snprintf(w->en, TEXT_MAX, "The clock was set %s from %s to %s%s.",
             is_back ? "back" : "forward", from, to,
             c->jump_ms ? "" : ", times go slowly until they have met it");
    snprintf(w->zh, TEXT_MAX, "时钟由 %s %s至 %s%s。", from, is_back ? "回拨" : "前调", to,
             c->jump_ms ? "" : "，时间将放慢直至一致");
}

static void say_belief(const struct timeline_change *c, size_t rows, const char *to,
                       struct words *w)
{
    (void)c;
    w->what = "clock_believed";
    snprintf(w->en, TEXT_MAX, "The clock is believed now, it is %s; %zu rows got their time.",
             to, rows);
    snprintf(w->zh, TEXT_MAX, "时钟已可信，当前为 %s；已为 %zu 行数据重新定时。", to, rows);
}

static void say_giving_up(size_t rows, const char *to, struct words *w)
{
    w->what = "clock_guessed";
    snprintf(w->en, TEXT_MAX,
             "The clock is not synchronised, going on with %s as a guess; %zu rows that "
             "waited go out with the flag.",
             to, rows);
    snprintf(w->zh, TEXT_MAX, "时钟未同步，暂以 %s 为准；%zu 行等待的数据带标记上传。", to,
             rows);
}

static void say_refusal(const char *from, const char *to, struct words *w)
{
    w->what = "clock_refused";
    snprintf(w->en, TEXT_MAX,
             "The system's clock was set to %s, which cannot be: going on with %s.", to, from);
    snprintf(w->zh, TEXT_MAX, "系统时钟被设为 %s，不可信，继续使用 %s。", to, from);
}

static void tell(struct pipeline *p, const struct timeline_change *c, size_t rows)
{
    const struct timeline *t = p->o->timeline;
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX], details[TEXT_MAX];
    struct words w = { 0 };

    time_print_utc(c->from_ms, from);
    time_print_utc(c->to_ms, to);
    if (c->what == TIMELINE_STEPPED)
        say_step(c, from, to, &w);
    else if (c->what == TIMELINE_BELIEVED)
        say_belief(c, rows, to, &w);
    else if (c->what == TIMELINE_GAVE_UP)
        say_giving_up(rows, to, &w);
    else
        say_refusal(from, to, &w);
    snprintf(details, sizeof details,
             "{\"from\":\"%s\",\"to\":\"%s\",\"jump_ms\":%" PRId64 ",\"state\":\"%s\","
             "\"boot\":\"%s\",\"rows\":%zu}",
             from, to, c->jump_ms, clock_state_id(t->state), t->boot_id, rows);
    pipeline_notice(p, timeline_at(t, t->reading.boot_ms), w.what, p->o->table->station, w.en,
                    w.zh, details);
}

/* Everything that measures from an instant. Provisional times are not in the statistics. */
static void move(struct pipeline *p, const struct timeline_change *change)
{
    struct change c = change_begin(p);

    judge_flush(p, INT64_MAX);
    if (p->held.n == 0 && !timeline_is_waiting(p->o->timeline))
        statistics_jump(p, &c, change->from_ms, change->from_ms + change->jump_ms);
    judge_shift(p, change->jump_ms);
    watches_shift(p, change->jump_ms);
    alerts_shift(p, &c, change->jump_ms);
    service_shift(p, &c, change->jump_ms);
    clock_keep(p, &c);
    change_submit(p, &c);
}

void pipeline_clock(struct pipeline *p, const struct timeline_change *change)
{
    bool is_over = change->what == TIMELINE_BELIEVED || change->what == TIMELINE_GAVE_UP;

    p->is_clock_due = true;
    if (change->jump_ms != 0)
        move(p, change);
    if (change->jump_ms < 0 || is_over)
        times_new_stretch(p);
    size_t rows = held_release(p);
    if (change->what != TIMELINE_SAME)
        tell(p, change, rows);
}
