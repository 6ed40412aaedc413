/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/calibrate_show.h"

#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/control_ask.h"
#include "gateway/cmd/profile_show.h"
#include "rules/calibration/calibration.h"

enum { CHANNEL_COLUMNS = 28, CHECK_COLUMNS = 8, NUMBER_COLUMNS = 10, TIME_COLUMNS = 18 };

static void cell(const char *text, int columns)
{
    profile_print_cell(text, columns, stdout);
}

/* "2026-11-22T07:09:30.125Z" as "2026-11-22 07:09" */
static void time_cell(const char *text)
{
    char out[20] = "-";

    if (strlen(text) >= 16)
        snprintf(out, sizeof out, "%.10s %.5s", text, text + 11);
    cell(out, TIME_COLUMNS);
}

static void number_cell(const json_t *x, const char *form_end)
{
    char out[32] = "-";

    if (json_is_number(x))
        snprintf(out, sizeof out, "%.4g%s", json_number_value(x), form_end);
    cell(out, NUMBER_COLUMNS);
}

static const char *kind_word(const char *id)
{
    enum calibration_kind kind;

    return calibration_kind_find(id, &kind) == 0 ? calibration_kind_name(kind, cmd_lang()) : id;
}

static const char *verdict_word(const char *id)
{
    for (int v = 0; v < CALIBRATION_VERDICT_COUNT_; v++) {
        if (strcmp(calibration_verdict_id((enum calibration_verdict)v), id) == 0)
            return calibration_verdict_name((enum calibration_verdict)v, cmd_lang());
    }
    return id;
}

static const char *source_word(const char *id)
{
    static const struct {
        const char *id, *zh;
    } words[] = { { "operator", "人工" }, { "schedule", "定时" }, { "instrument", "仪器" } };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].id, id) == 0)
            return say(id, words[i].zh);
    }
    return id;
}

static void ledger_head(void)
{
    cell(say("end (UTC)", "结束 (UTC)"), TIME_COLUMNS);
    cell(say("channel", "通道"), CHANNEL_COLUMNS);
    cell(say("check", "检查"), CHECK_COLUMNS);
    cell(say("value", "标准值"), NUMBER_COLUMNS);
    cell(say("reading", "读数"), NUMBER_COLUMNS);
    cell(say("error", "误差"), NUMBER_COLUMNS);
    cell(say("of full", "占量程"), NUMBER_COLUMNS);
    cell(say("drift", "漂移"), NUMBER_COLUMNS);
    puts(say("verdict", "结论"));
}

static void ledger_line(const json_t *r)
{
    const char *who = control_text(r, "who");

    time_cell(control_text(r, "end"));
    cell(control_text(r, "channel"), CHANNEL_COLUMNS);
    cell(kind_word(control_text(r, "check")), CHECK_COLUMNS);
    number_cell(json_object_get(r, "reference"), "");
    number_cell(json_object_get(r, "mean"), "");
    number_cell(json_object_get(r, "error"), "");
    number_cell(json_object_get(r, "error_pct"), " %");
    number_cell(json_object_get(r, "drift_pct"), " %");
    printf("%s, %s%s%s\n", verdict_word(control_text(r, "verdict")),
           source_word(control_text(r, "source")), *who ? " " : "", who);
}

void calibrate_show_ledger(const json_t *ledger)
{
    const json_t *r;
    size_t i;

    if (json_array_size(ledger) == 0) {
        puts(say("There are no checks in the ledger.", "台账中没有检查记录。"));
        return;
    }
    ledger_head();
    json_array_foreach(ledger, i, r) ledger_line(r);
}

/* The last verdict of every kind: "zero passed, span failed". */
static void print_last(const json_t *last)
{
    const char *between = "", *kind;
    json_t *r;

    json_object_foreach((json_t *)last, kind, r)
    {
        printf("%s%s %s", between, kind_word(kind), verdict_word(control_text(r, "verdict")));
        between = say(", ", "，");
    }
    puts(*between ? "" : "-");
}

static const char *oldest_passed(const json_t *passed)
{
    const char *oldest = "", *kind;
    json_t *at;

    json_object_foreach((json_t *)passed, kind, at)
    {
        const char *text = json_string_value(at);
        if (text && (!*oldest || strcmp(text, oldest) < 0))
            oldest = text;
    }
    return oldest;
}

static const char *state_word(const char *id)
{
    static const struct {
        const char *id, *zh;
    } words[] = {
        { "measuring", "测量" },   { "zero", "零点" },       { "span", "跨度" },
        { "calibration", "校准" }, { "settling", "稳定中" }, { "maintenance", "维护" },
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].id, id) == 0)
            return say(id, words[i].zh);
    }
    return id;
}

void calibrate_show_list(const json_t *channels)
{
    enum { STATE_COLUMNS = 13 };
    const json_t *c;
    size_t i;

    if (json_array_size(channels) == 0) {
        puts(
            say("No channel has a calibration in the configuration, and none was ever checked.",
                "配置中没有通道设置校准，也没有任何检查记录。"));
        return;
    }
    cell(say("channel", "通道"), CHANNEL_COLUMNS);
    cell(say("state", "状态"), STATE_COLUMNS);
    cell(say("passed (UTC)", "最近合格 (UTC)"), TIME_COLUMNS);
    cell(say("next (UTC)", "下次 (UTC)"), TIME_COLUMNS);
    puts(say("last", "最近结论"));
    json_array_foreach(channels, i, c)
    {
        cell(control_text(c, "channel"), CHANNEL_COLUMNS);
        cell(state_word(control_text(c, "state")), STATE_COLUMNS);
        time_cell(oldest_passed(json_object_get(c, "passed")));
        time_cell(control_text(c, "next"));
        print_last(json_object_get(c, "last"));
    }
}

/* ---- readings that were written again ---- */

static void print_progress(const json_t *r)
{
    const char *state = control_text(r, "state");
    const long long rows = json_integer_value(json_object_get(r, "rows")),
                    statistics = json_integer_value(json_object_get(r, "statistics"));

    if (strcmp(state, "reading") == 0)
        printf(say("%.0f %% of the readings\n", "读数已完成 %.0f %%\n"),
               100 * json_number_value(json_object_get(r, "share")));
    else if (strcmp(state, "statistics") == 0)
        printf(say("%lld readings; statistics follow as their periods end\n",
                   "读数 %lld 个；统计值待各时段结束后修订\n"),
               rows);
    else
        printf(
            say("done: %lld readings, %lld statistics\n", "完成：读数 %lld 个，统计 %lld 行\n"),
            rows, statistics);
}

void calibrate_show_revisions(const json_t *revisions)
{
    const json_t *r;
    size_t i;

    if (json_array_size(revisions) == 0)
        return;
    puts("");
    cell(say("doubtful readings of", "可疑读数的通道"), CHANNEL_COLUMNS);
    cell(say("from (UTC)", "自 (UTC)"), TIME_COLUMNS);
    cell(say("to (UTC)", "至 (UTC)"), TIME_COLUMNS);
    puts(say("written again (lvl=rev)", "重新写入 (lvl=rev)"));
    json_array_foreach(revisions, i, r)
    {
        cell(control_text(r, "channel"), CHANNEL_COLUMNS);
        time_cell(control_text(r, "start"));
        time_cell(control_text(r, "end"));
        print_progress(r);
    }
}

int calibrate_show_results(const json_t *results)
{
    int status = json_array_size(results) > 0 ? EXIT_DONE : EXIT_FOUND;
    const json_t *r;
    size_t i;

    json_array_foreach(results, i, r)
    {
        const char *verdict = control_text(r, "verdict");
        puts(control_sentence(r));
        if (strcmp(verdict, "pass") != 0 && strcmp(verdict, "warn") != 0)
            status = EXIT_FOUND;
    }
    if (json_array_size(results) == 0)
        fprintf(stderr, "sluice calibrate: %s\n",
                say("The check was given up; why is among the events.",
                    "检查已放弃，原因见日志事件。"));
    return status;
}
