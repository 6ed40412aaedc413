/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/alert_show.h"

#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/control_ask.h"
#include "gateway/cmd/words.h"
#include "rules/alert/life.h"
#include "sensors/core/unit.h"

/* "2026-11-22T07:09:30.125Z" as "2026-11-22 07:09:30 UTC"; a dash without one. */
static void print_time(const json_t *object, const char *key)
{
    const char *text = control_text(object, key);

    if (strlen(text) > 19)
        printf("%.10s %.8s UTC", text, text + 11);
    else
        putchar('-');
}

static const char *state_name(const json_t *alert)
{
    enum life_state s = LIFE_PENDING;

    return life_state_find(control_text(alert, "state"), &s) == 0
               ? life_state_name(s, cmd_lang())
               : control_text(alert, "state");
}

static const char *verdict_name(const json_t *alert)
{
    enum life_verdict v = LIFE_NOT_JUDGED;

    return life_verdict_find(control_text(alert, "verdict"), &v) == 0
               ? life_verdict_name(v, cmd_lang())
               : "";
}

static const char *due_name(const char *id)
{
    for (int d = LIFE_DUE_ACKNOWLEDGE; d < LIFE_DUE_COUNT_; d++)
        if (strcmp(life_due_id((enum life_due)d), id) == 0)
            return life_due_name((enum life_due)d, cmd_lang());
    return id;
}

static void print_marks(const json_t *alert)
{
    const json_t *mark;
    size_t i;

    json_array_foreach(json_object_get(alert, "marks"), i, mark)
    {
        const uint32_t bit = life_mark_find(json_string_value(mark));
        printf("%s%s", i ? say(", ", "、") : "",
               bit ? life_mark_name((enum life_mark)bit, cmd_lang()) : json_string_value(mark));
    }
}

static void print_value(const json_t *alert)
{
    const json_t *value = json_object_get(alert, "value"),
                 *limit = json_object_get(alert, "limit");

    if (!json_is_number(value))
        return;
    const struct unit *unit = unit_find(control_text(alert, "unit"));
    printf("  %g %s", json_number_value(value),
           unit ? unit->display : control_text(alert, "unit"));
    if (json_is_number(limit))
        printf(say(" (limit %g)", "（限值 %g）"), json_number_value(limit));
}

static void print_due(const json_t *alert)
{
    const json_t *due = json_object_get(alert, "due");

    if (!due)
        return;
    printf(say("%s due ", "%s期限 "), due_name(control_text(due, "for")));
    print_time(due, "by");
}

/* Two lines: what it is, and what is to be done. */
static void print_alert(const json_t *a)
{
    const char *verdict = verdict_name(a), *assigned = control_text(a, "assigned");

    printf("%4lld  %s  %s%s%s  %s  %s", (long long)json_integer_value(json_object_get(a, "no")),
           word_of_level(control_text(a, "peak")), state_name(a), *verdict ? ": " : "", verdict,
           control_text(a, "channel"), control_text(json_object_get(a, "title"), cmd_lang()));
    print_value(a);
    printf("\n      ");
    print_time(a, "raised");
    if (json_array_size(json_object_get(a, "marks"))) {
        fputs("  ", stdout);
        print_marks(a);
    }
    if (*assigned)
        printf("  %s %s", say("with", "由"), assigned);
    if (json_object_get(a, "due"))
        fputs("  ", stdout);
    print_due(a);
    putchar('\n');
}

static const char *word_of_object(const char *id)
{
    static const char *const words[][2] = {
        { "alert", "报警" }, { "rule", "规则" }, { "channel", "通道" }, { "device", "设备" }
    };

    for (size_t i = 0; say_zh() && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i][0], id) == 0)
            return words[i][1];
    return id;
}

void alert_show_shelf(const json_t *s)
{
    const bool is_shelf = strcmp(control_text(s, "kind"), "shelved") == 0;

    printf("%s  %s %s  ", is_shelf ? say("shelved", "搁置") : say("out of service", "停用"),
           word_of_object(control_text(s, "of")), control_text(s, "id"));
    fputs(say("until ", "至 "), stdout);
    print_time(s, "until");
    printf("  %s  %s\n", control_text(s, "who"), control_text(s, "note"));
}

void alert_show_list(const json_t *answer)
{
    const json_t *alerts = json_object_get(answer, "alerts"), *item;
    size_t i;

    if (json_array_size(alerts) == 0)
        puts(say("No alert is open.", "没有未关闭的报警。"));
    json_array_foreach(alerts, i, item)
    {
        print_alert(item);
    }
    json_array_foreach(json_object_get(answer, "pending"), i, item)
    {
        printf("   -  %s  %s  %s\n", life_state_name(LIFE_PENDING, cmd_lang()),
               control_text(item, "channel"), control_text(item, "rule"));
    }
    json_array_foreach(json_object_get(answer, "shelves"), i, item)
    {
        alert_show_shelf(item);
    }
}

static void print_line(const char *en, const char *zh, const char *text)
{
    if (*text)
        printf("  %s%s%s\n", say(en, zh), say(": ", "："), text);
}

static void print_time_line(const char *en, const char *zh, const json_t *a, const char *key)
{
    if (!json_is_string(json_object_get(a, key)))
        return;
    printf("  %s%s", say(en, zh), say(": ", "："));
    print_time(a, key);
    putchar('\n');
}

void alert_show_one(const json_t *a)
{
    print_alert(a);
    print_line("key", "键", control_text(a, "key"));
    print_line("rule version", "规则版本", control_text(a, "version"));
    print_line("reopens", "重新打开", control_text(a, "reopens"));
    print_time_line("cleared", "解除", a, "cleared");
    print_time_line("last change", "最近变更", a, "changed");
    print_line("by", "操作者", control_text(a, "actor"));
    print_line("note", "备注", control_text(a, "note"));
}

void alert_show_figures(const json_t *f)
{
    static const struct {
        const char *key, *en, *zh;
    } lines[] = {
        { "open", "open", "未关闭" },
        { "unacknowledged", "not acknowledged", "未确认" },
        { "overdue", "overdue", "超时" },
        { "shelved", "shelved or out of service", "搁置或停用" },
        { "unstable", "unstable", "频繁波动" },
        { "standing_24h", "standing for more than 24 h", "持续 24 小时以上" },
        { "raised_10min", "raised in 10 min", "10 分钟内发布" },
        { "raised_24h", "raised in 24 h", "24 小时内发布" },
        { "worst_10min", "worst 10 min of 24 h", "24 小时内最多 10 分钟" },
    };
    const json_t *item;
    size_t i;

    for (i = 0; i < sizeof lines / sizeof lines[0]; i++)
        printf("%6lld  %s\n", (long long)json_integer_value(json_object_get(f, lines[i].key)),
               say(lines[i].en, lines[i].zh));
    json_array_foreach(json_object_get(f, "top"), i, item)
    {
        printf("%6lld  %s %s\n", (long long)json_integer_value(json_object_get(item, "raised")),
               say("by rule", "规则"), control_text(item, "rule"));
    }
}
