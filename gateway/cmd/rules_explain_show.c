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

const char *explain_fate_text(enum explain_fate f)
{
    return say(fates[f].en, fates[f].zh);
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

    printf("%*s%s", pad > 1 ? pad : 1, "", text);
}

/* "2026-01-01 00:20:00" UTC. */
const char *explain_time_text(int64_t ms, char *out)
{
    time_print_utc(ms, out);
    out[10] = ' ';
    out[19] = '\0';
    return out;
}

const char *explain_number_text(double x, char *out)
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

const char *explain_delay_text(const struct alert_delay *d, char *out, size_t size)
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

const char *explain_level_text(int level)
{
    return alert_level_name((enum alert_level)level, cmd_lang());
}

static const struct channel *channel_of(const struct explanation *e)
{
    return &e->table->channel[e->rule->channel];
}

const char *explain_unit(const struct explanation *e)
{
    const struct unit *u = unit_find_ucum(channel_of(e)->quantity->unit);

    return u ? u->display : "";
}

enum expression_truth explain_truth(const struct explanation *e, const struct expression *x,
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
           explain_level_text(l), explain_number_text(t->set, set),
           explain_number_text(t->clear, clear), explain_delay_text(&t->on, on, sizeof on),
           explain_delay_text(&t->off, off, sizeof off));
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
           alert_direction_words[e->rule->direction], explain_unit(e));
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

int explain_count(uint32_t bits, const struct alert_delay *d)
{
    const uint32_t mask = d->n < 32 ? (UINT32_C(1) << d->n) - 1 : UINT32_MAX;

    return __builtin_popcount(bits & mask);
}

/* "2/3", "4min/10min": how far the delay that is being waited for has got. */
void explain_progress_text(const struct explain_step *s, const struct alert_threshold *t, int l,
                           char *out, size_t size)
{
    const bool is_up = l <= s->after.level;
    const struct alert_delay *d = is_up ? &t->off : &t->on;
    const int64_t since_ms = is_up ? s->after.off_since_ms[l] : s->after.on_since_ms[l];
    const char *off = is_up ? say("off ", "解除 ") : "";
    char had[VALUE_TEXT_MAX], needed[VALUE_TEXT_MAX];

    if (d->n) {
        snprintf(out, size, "%s%d/%d", off,
                 explain_count(is_up ? s->after.off_bits[l] : s->after.on_bits[l], d), d->m);
        return;
    }
    value_duration_text(since_ms ? s->time_ms - since_ms : 0, had);
    value_duration_text(d->duration_ms, needed);
    snprintf(out, size, "%s%s/%s", off, had, needed);
}

void explain_change_text(const struct alert_change *c, char *out, size_t size)
{
    const char *what = word_of_transition(alert_transition_id(c->what));

    if (c->what == ALERT_QUIET)
        out[0] = '\0';
    else if (c->what == ALERT_RAISED || c->what == ALERT_UPGRADED ||
             c->what == ALERT_DOWNGRADED)
        snprintf(out, size, "%s: %s", what, explain_level_text(c->level));
    else
        snprintf(out, size, "%s", what);
}

void explain_print_values(const struct explanation *e, const struct expression *x,
                          const struct expression_value *values)
{
    char number[DECIMAL_TEXT_MAX];

    for (unsigned i = 0; x && i < x->channels_n; i++)
        printf("  %s %s", e->table->channel[x->channel[i]].id,
               values[i].is_known ? explain_number_text(values[i].value, number) : "-");
}

bool explain_is_sample(const struct explain_step *s)
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

    printf("%s", explain_time_text(s->time_ms, time));
    put_right(explain_is_sample(s) ? explain_number_text(s->value, cell) : "", VALUE_COLUMNS);
    if (shows_input(e))
        put_right(explain_is_sample(s) ? explain_number_text(s->x, cell) : "", VALUE_COLUMNS);
    printf("%*s", GAP, "");
    cell[0] = '\0';
    if (explain_is_sample(s))
        flag_text(s->verdict, cell, sizeof cell);
    put_left(cell, FLAG_COLUMNS);
    printf("%*s", GAP, "");
    put_left(explain_fate_text(s->fate), FATE_COLUMNS);
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++) {
        if (!e->rule->level[l].is_set)
            continue;
        explain_progress_text(s, &e->rule->level[l], l, cell, sizeof cell);
        put_right(cell, width_of(explain_level_text(l)) + VALUE_COLUMNS);
    }
    explain_change_text(&s->change, cell, sizeof cell);
    if (cell[0])
        printf("  %s", cell);
    if (explain_is_sample(s)) {
        explain_print_values(e, e->rule->when, s->when);
        explain_print_values(e, e->rule->suppress_when, s->suppress);
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
            put_right(explain_level_text(l), width_of(explain_level_text(l)) + VALUE_COLUMNS);
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

/* ---- */

void explain_print(const struct explanation *e)
{
    print_rule(e);
    putchar('\n');
    if (e->steps.n)
        print_table(e);
    putchar('\n');
    explain_print_why(e);
}
