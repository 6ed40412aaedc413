/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/rules_explain.h"
#include "gateway/cmd/words.h"
#include "gateway/conf/utf8.h"
#include "gateway/conf/value.h"

enum { CELL_MAX = 200, VALUE_COLUMNS = 10, FLAG_COLUMNS = 26, FATE_COLUMNS = 22, GAP = 2 };

static const struct {
    const char *id, *en, *zh;
} fates[FATE_COUNT_] = {
    [FATE_JUDGED] = { "judged", "judged", "参与判断" },
    [FATE_UNUSABLE] = { "unusable", "not usable", "不可用" },
    [FATE_NO_INPUT] = { "no_input", "too little seen", "积累不足" },
    [FATE_HELD] = { "held", "held off", "暂缓" },
    [FATE_SERVICED] = { "serviced", "being serviced", "维护中" },
    [FATE_SUPPRESSED] = { "suppressed", "suppressed", "被抑制" },
    [FATE_REFUTED] = { "refuted", "refuted: at rest", "条件不符" },
    [FATE_REPEATED] = { "repeated", "not newer", "时间重复" },
    [FATE_TIME] = { "time", "time passed", "时间到" },
};

const char *explain_fate_id(enum explain_fate f)
{
    return fates[f].id;
}

/* ---- texts ---- */

static int width_of(const char *text)
{
    const size_t size = strlen(text);
    int width = 0;
    int32_t c;

    for (size_t i = 0; i < size; width += utf8_width(c))
        i += utf8_next(text + i, size - i, &c);
    return width;
}

static void put_left(const char *text, int width)
{
    const int pad = width - width_of(text);

    printf("%s%*s", text, pad > 0 ? pad : 0, "");
}

static void put_right(const char *text, int width)
{
    const int pad = width - width_of(text);

    printf("%*s%s", pad > 0 ? pad : 0, "", text);
}

/* "2026-01-01 00:20:00" UTC. */
static const char *time_text(int64_t ms, char *out)
{
    time_print_utc(ms, out);
    out[10] = ' ';
    out[19] = '\0';
    return out;
}

static const char *number_text(double x, char *out)
{
    if (isfinite(x))
        decimal_print(decimal_from_double(x), out);
    else
        snprintf(out, DECIMAL_TEXT_MAX, "-");
    return out;
}

/* "suspect: spike, rate" */
static void flag_text(struct verdict v, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%s", grade_name((enum grade)v.grade, cmd_lang()));
    const char *joint = ": ";

    if (v.status != STATUS_VALID && n < size)
        n += (size_t)snprintf(out + n, size - n, " (%s)",
                              status_name((enum status)v.status, cmd_lang()));
    for (int i = 0; i < 31 && n < size; i++) {
        const char *name = v.reasons >> i & 1 ? reason_name(1u << i, cmd_lang()) : NULL;
        if (!name)
            continue;
        n += (size_t)snprintf(out + n, size - n, "%s%s", joint, name);
        joint = ", ";
    }
}

static const char *delay_text(const struct alert_delay *d, char *out, size_t size)
{
    char length[VALUE_TEXT_MAX];

    if (d->n) {
        snprintf(out, size, say("%d of %d", "%d/%d"), d->m, d->n);
        return out;
    }
    value_duration_text(d->duration_ms, length);
    snprintf(out, size, "%s", length);
    return out;
}

static const char *level_text(int level)
{
    return alert_level_name((enum alert_level)level, cmd_lang());
}

static const struct channel *channel_of(const struct explanation *e)
{
    return &e->table->channel[e->rule->channel];
}

static const char *unit_of(const struct explanation *e)
{
    const struct unit *u = unit_find_ucum(channel_of(e)->quantity->unit);

    return u ? u->display : "";
}

static const char *condition_text(enum expression_truth t)
{
    return t == EXPRESSION_TRUE ? say("true", "成立")
           : t == EXPRESSION_FALSE
               ? say("not true", "不成立")
               : say("unknown, so as if it were not there", "未知，视为未设");
}

static enum expression_truth truth_of(const struct explanation *e, const struct expression *x,
                                      const struct expression_value *values, int64_t time_ms)
{
    const int zone_min = (int)(e->table->channels.zone_ms / 60000);

    return expression_eval(x, values, expression_now(time_ms, zone_min));
}

/* ---- the rule ---- */

static void print_level(const struct explanation *e, int l)
{
    const struct alert_threshold *t = &e->rule->level[l];
    char set[DECIMAL_TEXT_MAX], clear[DECIMAL_TEXT_MAX], on[64], off[64], least[VALUE_TEXT_MAX];

    printf(say("  %s: set %s, clear %s, on %s, off %s", "  %s：达到 %s，低于 %s 解除，触发 %s，"
                                                        "解除 %s"),
           level_text(l), number_text(t->set, set), number_text(t->clear, clear),
           delay_text(&t->on, on, sizeof on), delay_text(&t->off, off, sizeof off));
    if (t->min_ms > 0) {
        value_duration_text(t->min_ms, least);
        printf(say(", at least %s", "，至少 %s"), least);
    }
    putchar('\n');
}

static void print_version(const struct explanation *e)
{
    const struct explained *a = e->alert;

    printf(say("  version %s", "  版本 %s"), e->version);
    if (a->version[0] && strcmp(a->version, e->version) != 0)
        printf(say("; the alert was raised by version %s: the rule has been changed since",
                   "；该警报由版本 %s 发布：规则此后已修改"),
               a->version);
    putchar('\n');
}

static void print_rule(const struct explanation *e)
{
    const struct explained *a = e->alert;
    const char *title = say_zh() ? e->rule->title_zh : e->rule->title_en;

    if (a->no)
        printf("%" PRId64 "  ", a->no);
    printf("%s\n", a->key);
    printf(say("Rule %s%s%s: %s of %s, %s, in %s\n", "规则 %s%s%s：%s，%s，%s，单位 %s\n"),
           e->rule->id, title ? "  " : "", title ? title : "",
           e->conf->input ? e->conf->input : "raw", a->channel,
           alert_direction_words[e->rule->direction], unit_of(e));
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        if (e->rule->level[l].is_set)
            print_level(e, l);
    if (e->conf->when)
        printf(say("  when: %s\n", "  条件（when）：%s\n"), e->conf->when);
    if (e->conf->suppress_when)
        printf(say("  suppress_when: %s\n", "  抑制（suppress_when）：%s\n"),
               e->conf->suppress_when);
    print_version(e);
}

/* ---- the table ---- */

static int count_of(uint32_t bits, const struct alert_delay *d)
{
    const uint32_t mask = d->n < 32 ? (UINT32_C(1) << d->n) - 1 : UINT32_MAX;

    return __builtin_popcount(bits & mask);
}

/* "2/3", "4min/10min": how far the delay that is being waited for has got. */
static void progress_text(const struct explain_step *s, const struct alert_threshold *t, int l,
                          char *out, size_t size)
{
    const bool is_up = l <= s->after.level;
    const struct alert_delay *d = is_up ? &t->off : &t->on;
    const int64_t since_ms = is_up ? s->after.off_since_ms[l] : s->after.on_since_ms[l];
    const char *off = is_up ? say("off ", "解除 ") : "";
    char had[VALUE_TEXT_MAX], needed[VALUE_TEXT_MAX];

    if (d->n) {
        snprintf(out, size, "%s%d/%d", off,
                 count_of(is_up ? s->after.off_bits[l] : s->after.on_bits[l], d), d->m);
        return;
    }
    value_duration_text(since_ms ? s->time_ms - since_ms : 0, had);
    value_duration_text(d->duration_ms, needed);
    snprintf(out, size, "%s%s/%s", off, had, needed);
}

static void change_text(const struct alert_change *c, char *out, size_t size)
{
    const char *what = word_of_transition(alert_transition_id(c->what));

    if (c->what == ALERT_QUIET)
        out[0] = '\0';
    else if (c->what == ALERT_RAISED || c->what == ALERT_UPGRADED ||
             c->what == ALERT_DOWNGRADED)
        snprintf(out, size, "%s: %s", what, level_text(c->level));
    else
        snprintf(out, size, "%s", what);
}

static void print_values(const struct explanation *e, const struct expression *x,
                         const struct expression_value *values)
{
    char number[DECIMAL_TEXT_MAX];

    for (unsigned i = 0; x && i < x->channels_n; i++)
        printf("  %s %s", e->table->channel[x->channel[i]].id,
               values[i].is_known ? number_text(values[i].value, number) : "-");
}

static bool has_sample(const struct explain_step *s)
{
    return s->fate != FATE_TIME;
}

/* The value that is compared is another one where the rule judges a rate, a residual ... */
static bool shows_input(const struct explanation *e)
{
    return e->rule->input.kind >= ALERT_RATE;
}

static void print_step(const struct explanation *e, const struct explain_step *s)
{
    char time[TIME_TEXT_MAX], cell[CELL_MAX];

    printf("%s", time_text(s->time_ms, time));
    put_right(has_sample(s) ? number_text(s->value, cell) : "", VALUE_COLUMNS);
    if (shows_input(e))
        put_right(has_sample(s) ? number_text(s->x, cell) : "", VALUE_COLUMNS);
    printf("%*s", GAP, "");
    cell[0] = '\0';
    if (has_sample(s))
        flag_text(s->verdict, cell, sizeof cell);
    put_left(cell, FLAG_COLUMNS);
    printf("%*s", GAP, "");
    put_left(say(fates[s->fate].en, fates[s->fate].zh), FATE_COLUMNS);
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++) {
        if (!e->rule->level[l].is_set)
            continue;
        progress_text(s, &e->rule->level[l], l, cell, sizeof cell);
        put_right(cell, width_of(level_text(l)) + VALUE_COLUMNS);
    }
    change_text(&s->change, cell, sizeof cell);
    if (cell[0])
        printf("  %s", cell);
    if (has_sample(s)) {
        print_values(e, e->rule->when, s->when);
        print_values(e, e->rule->suppress_when, s->suppress);
    }
    putchar('\n');
}

static void print_heading(const struct explanation *e)
{
    put_left(say("time (UTC)", "时间 (UTC)"), 19);
    put_right(say("value", "数值"), VALUE_COLUMNS);
    if (shows_input(e))
        put_right(say("judged", "判断量"), VALUE_COLUMNS);
    printf("%*s", GAP, "");
    put_left(say("flag", "质量"), FLAG_COLUMNS);
    printf("%*s", GAP, "");
    put_left(say("became of it", "处理"), FATE_COLUMNS);
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        if (e->rule->level[l].is_set)
            put_right(level_text(l), width_of(level_text(l)) + VALUE_COLUMNS);
    putchar('\n');
}

static void print_table(const struct explanation *e)
{
    print_heading(e);
    for (size_t i = 0; i < e->steps.n; i++)
        print_step(e, &e->steps.items[i]);
    if (e->steps.skipped)
        printf(say("(%" PRIu64 " further samples changed nothing; --all shows them)\n",
                   "（另有 %" PRIu64 " 个数据未引起变化；--all 可显示）\n"),
               e->steps.skipped);
}

/* ---- why ---- */

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
        number_text(s->value, x), unit_of(e), number_text(s->compared, limit));
}

static void print_limit_raise(const struct explanation *e, const struct explain_step *s)
{
    const struct alert_threshold *t = &e->rule->level[s->change.level];
    char x[DECIMAL_TEXT_MAX], set[DECIMAL_TEXT_MAX], length[VALUE_TEXT_MAX];

    number_text(s->change.value, x);
    number_text(t->set, set);
    if (t->on.n) {
        printf(say("%s is %s %s, as were %d of the last %d usable samples; %d are needed.",
                   "%s %s %s，最近可用数据中有 %d 个如此（共看 %d 个），需要 %d 个。"),
               x, beyond_text(e), set, count_of(s->after.on_bits[s->change.level], &t->on),
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
        if (has_sample(&e->steps.items[i]))
            return &e->steps.items[i];
    return NULL;
}

static bool was_over(const struct explain_step *s, const struct alert_threshold *t, int level)
{
    if (t->on.n)
        return count_of(s->after.on_bits[level], &t->on) >= t->on.m;
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
    time_text(s->time_ms, time);
    if (was_over(s, t, level) && s->after.last_raise_ms) {
        value_duration_text(e->rule->rearm_ms, cell);
        printf(say("At %s the delay was over already, but it had been raised at %s, and is not "
                   "raised again within %s (rearm).",
                   "%s 时延时已满足，但其曾于 %s 发布，%s 内不重复发布（rearm）。"),
               time, time_text(s->after.last_raise_ms, last), cell);
        return;
    }
    if (s->fate != FATE_JUDGED) {
        printf(
            say("The sample before, of %s, did not count: %s.", "前一个数据（%s）不计：%s。"),
            time, say(fates[s->fate].en, fates[s->fate].zh));
        return;
    }
    if (judges_event(e, level)) {
        printf(say("At %s it had found none yet.", "%s 时尚未发现。"), time);
        return;
    }
    progress_text(s, t, level, cell, sizeof cell);
    printf(say("Not before: at %s it was %s.", "不在此前：%s 时为 %s。"), time, cell);
}

static void print_condition(const struct explanation *e, const char *name, const char *text,
                            const struct expression *x, const struct expression_value *values,
                            int64_t time_ms)
{
    if (!x)
        return;
    printf(say("  %s (%s) was %s:", "  %s（%s）%s："), name, text,
           condition_text(truth_of(e, x, values, time_ms)));
    print_values(e, x, values);
    putchar('\n');
}

static void print_raise(const struct explanation *e)
{
    const struct explain_step *s = &e->steps.items[e->steps.raise];
    char time[TIME_TEXT_MAX];

    printf(say("Raised at %s, %s. ", "%s 发布，%s。"), time_text(s->time_ms, time),
           level_text(s->change.level));
    if (judges_event(e, s->change.level))
        print_event_raise(e, s);
    else
        print_limit_raise(e, s);
    putchar('\n');
    print_not_before(e, s);
    putchar('\n');
    if (!has_sample(s))
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

    change_text(c, change, sizeof change);
    printf("%s  %s", time_text(s->time_ms, time), change);
    if (c->what == ALERT_CLEARED || c->what == ALERT_DOWNGRADED)
        printf(say(": %s behind the clear value %s (%s needed)",
                   "：%s 已越过解除值 %s（需要 %s）"),
               number_text(c->value, x), number_text(c->limit, limit),
               delay_text(&e->rule->level[c->from_level].off, delay, sizeof delay));
    else if (isfinite(c->value) && isfinite(c->limit))
        printf(say(": %s, limit %s", "：%s，限值 %s"), number_text(c->value, x),
               number_text(c->limit, limit));
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
           time_text(e->alert->raised_ms, time));
    if (e->alert->version[0] && strcmp(e->alert->version, e->version) != 0)
        fputs(say(" The rule has been changed since.", "规则此后已修改。"), stdout);
    else
        fputs(say(" The readings of that time are kept no longer, or checks, watches or other "
                  "rules of the configuration have been changed since.",
                  "当时的读数可能已不再保存，或配置中的检查、监视等此后已修改。"),
              stdout);
    putchar('\n');
}

void explain_print(const struct explanation *e)
{
    print_rule(e);
    putchar('\n');
    if (e->steps.n)
        print_table(e);
    putchar('\n');
    if (e->steps.raise >= e->steps.n) {
        print_not_raised(e);
        return;
    }
    print_raise(e);
    print_what_followed(e);
}
