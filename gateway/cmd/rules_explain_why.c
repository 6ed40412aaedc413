/* SPDX-License-Identifier: Apache-2.0 */
/* The sentences of an explanation: why at this sample, why not before, what followed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/rules_explain.h"
#include "gateway/conf/value.h"

enum { CELL_MAX = 200 };

static const char *condition_text(enum expression_truth t)
{
    return t == EXPRESSION_TRUE ? say("true", "成立")
           : t == EXPRESSION_FALSE
               ? say("not true", "不成立")
               : say("unknown, so as if it were not there", "未知，视为未设");
}

static const char *beyond_text(const struct explanation *e)
{
    static const struct {
        const char *en, *zh;
    } words[] = { [ALERT_ABOVE] = { "at or above", "达到或高于" },
                  [ALERT_BELOW] = { "at or below", "达到或低于" },
                  [ALERT_OUTSIDE] = { "as far from zero as", "偏离零点不小于" },
                  [ALERT_EQUAL] = { "equal to", "等于" } };

    return say(words[e->rule->direction].en, words[e->rule->direction].zh);
}

static bool judges_event(const struct explanation *e, int level)
{
    int lowest = LEVEL_BLUE;

    while (lowest < LEVEL_RED && !e->rule->level[lowest].is_set)
        lowest++;
    return e->rule->input.kind == ALERT_EVENT && level == lowest;
}

static void print_event_raise(const struct explanation *e, const struct explain_step *s)
{
    char limit[DECIMAL_TEXT_MAX], x[DECIMAL_TEXT_MAX];

    printf(
        say("The watch of the channel found an event in the value %s %s; it compared it with "
            "%s.",
            "通道监视在数值 %s %s 处发现事件；比较值为 %s。"),
        explain_number_text(s->value, x), explain_unit(e),
        explain_number_text(s->compared, limit));
}

static void print_limit_raise(const struct explanation *e, const struct explain_step *s)
{
    const struct alert_threshold *t = &e->rule->level[s->change.level];
    char x[DECIMAL_TEXT_MAX], set[DECIMAL_TEXT_MAX], length[VALUE_TEXT_MAX];

    explain_number_text(s->change.value, x);
    explain_number_text(t->set, set);
    if (t->on.n) {
        printf(say("%s is %s %s, as were %d of the last %d usable samples; %d are needed.",
                   "%s %s %s，最近可用数据中有 %d 个如此（共看 %d 个），需要 %d 个。"),
               x, beyond_text(e), set, explain_count(s->after.on_bits[s->change.level], &t->on),
               t->on.n, t->on.m);
        return;
    }
    value_duration_text(t->on.duration_ms, length);
    printf(say("%s is %s %s, and has been for %s without a break.",
               "%s %s %s，且已不间断持续 %s。"),
           x, beyond_text(e), set, length);
}

static const struct explain_step *step_before(const struct explanation *e)
{
    for (size_t i = e->steps.raise; i-- > 0;)
        if (explain_is_sample(&e->steps.items[i]))
            return &e->steps.items[i];
    return NULL;
}

static bool was_over(const struct explain_step *s, const struct alert_threshold *t, int level)
{
    if (t->on.n)
        return explain_count(s->after.on_bits[level], &t->on) >= t->on.m;
    return s->after.on_since_ms[level] &&
           s->time_ms - s->after.on_since_ms[level] >= t->on.duration_ms;
}

/* Why the sample before had not been enough. */
static void print_not_before(const struct explanation *e, const struct explain_step *raise)
{
    const struct explain_step *s = step_before(e);
    const int level = raise->change.level;
    const struct alert_threshold *t = &e->rule->level[level];
    char time[TIME_TEXT_MAX], cell[CELL_MAX], last[TIME_TEXT_MAX];

    if (!s) {
        fputs(say("Nothing of before is known.", "之前没有数据。"), stdout);
        return;
    }
    explain_time_text(s->time_ms, time);
    if (was_over(s, t, level) && s->after.last_raise_ms) {
        value_duration_text(e->rule->rearm_ms, cell);
        printf(say("At %s the delay was over already, but it had been raised at %s, and is not "
                   "raised again within %s (rearm).",
                   "%s 时延时已满足，但其曾于 %s 发布，%s 内不重复发布（rearm）。"),
               time, explain_time_text(s->after.last_raise_ms, last), cell);
        return;
    }
    if (s->fate != FATE_JUDGED) {
        printf(
            say("The sample before, of %s, did not count: %s.", "前一个数据（%s）不计：%s。"),
            time, explain_fate_text(s->fate));
        return;
    }
    if (judges_event(e, level)) {
        printf(say("At %s it had found none yet.", "%s 时尚未发现。"), time);
        return;
    }
    explain_progress_text(s, t, level, cell, sizeof cell);
    printf(say("Not before: at %s it was %s.", "不在此前：%s 时为 %s。"), time, cell);
}

static void print_condition(const struct explanation *e, const char *name, const char *text,
                            const struct expression *x, const struct expression_value *values,
                            int64_t time_ms)
{
    if (!x)
        return;
    printf(say("  %s (%s) was %s:", "  %s（%s）%s："), name, text,
           condition_text(explain_truth(e, x, values, time_ms)));
    explain_print_values(e, x, values);
    putchar('\n');
}

static void print_raise(const struct explanation *e)
{
    const struct explain_step *s = &e->steps.items[e->steps.raise];
    char time[TIME_TEXT_MAX];

    printf(say("Raised at %s, %s. ", "%s 发布，%s。"), explain_time_text(s->time_ms, time),
           explain_level_text(s->change.level));
    if (judges_event(e, s->change.level))
        print_event_raise(e, s);
    else
        print_limit_raise(e, s);
    putchar('\n');
    print_not_before(e, s);
    putchar('\n');
    if (!explain_is_sample(s))
        return;
    print_condition(e, "when", e->conf->when, e->rule->when, s->when, s->time_ms);
    print_condition(e, "suppress_when", e->conf->suppress_when, e->rule->suppress_when,
                    s->suppress, s->time_ms);
}

static void print_later(const struct explanation *e, const struct explain_step *s)
{
    char time[TIME_TEXT_MAX], x[DECIMAL_TEXT_MAX], limit[DECIMAL_TEXT_MAX], change[CELL_MAX],
        delay[64];
    const struct alert_change *c = &s->change;

    explain_change_text(c, change, sizeof change);
    printf("%s  %s", explain_time_text(s->time_ms, time), change);
    if (c->what == ALERT_CLEARED || c->what == ALERT_DOWNGRADED)
        printf(say(": %s behind the clear value %s (%s needed)",
                   "：%s 已越过解除值 %s（需要 %s）"),
               explain_number_text(c->value, x), explain_number_text(c->limit, limit),
               explain_delay_text(&e->rule->level[c->from_level].off, delay, sizeof delay));
    else if (isfinite(c->value) && isfinite(c->limit))
        printf(say(": %s, limit %s", "：%s，限值 %s"), explain_number_text(c->value, x),
               explain_number_text(c->limit, limit));
    putchar('\n');
}

static void print_what_followed(const struct explanation *e)
{
    bool has_cleared = false;

    for (size_t i = e->steps.raise + 1; i < e->steps.n; i++) {
        const struct explain_step *s = &e->steps.items[i];
        if (s->change.what == ALERT_QUIET)
            continue;
        print_later(e, s);
        has_cleared |= s->change.what == ALERT_CLEARED;
    }
    if (!has_cleared)
        puts(say("It still stands at the end of the readings.", "到数据末尾仍未解除。"));
}

static void print_not_raised(const struct explanation *e)
{
    char time[TIME_TEXT_MAX];

    printf(say("Judged once more, it is not raised at %s.", "重新判断后，%s 并未发布。"),
           explain_time_text(e->alert->raised_ms, time));
    if (e->alert->version[0] && strcmp(e->alert->version, e->version) != 0)
        fputs(say(" The rule has been changed since.", "规则此后已修改。"), stdout);
    else
        fputs(say(" The readings of that time are kept no longer, or checks, watches or other "
                  "rules of the configuration have been changed since.",
                  "当时的读数可能已不再保存，或配置中的检查、监视等此后已修改。"),
              stdout);
    putchar('\n');
}

void explain_print_why(const struct explanation *e)
{
    if (e->steps.raise >= e->steps.n) {
        print_not_raised(e);
        return;
    }
    print_raise(e);
    print_what_followed(e);
}
