/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/command/sentence.h"

#include <stdio.h>
#include <string.h>

/* {place}s are filled in by `places` below. */
struct form {
    const char *what;
    enum { ANY, WRITE_UNKNOWN, NOTHING_SENT } when;
    const char *en, *zh;
};

static const struct form forms[] = {
    { "begun", ANY, "{device} is told to {command}.", "向 {device} 发送命令{command}。" },
    { "done", ANY, "{device} has carried out {command}.{move}",
      "{device} 已执行命令{command}。{move}" },
    { "refused", ANY,
      "{device} refused {command} at step {step} of {steps}: {why} (exception "
      "{exception}).{written}",
      "{device} 拒绝执行命令{command}（第 {step}/{steps} "
      "步）：{why}（异常码 {exception}）。{written}" },
    { "no_answer", WRITE_UNKNOWN,
      "{device} gave no sound answer to {command} at step {step} of {steps}: it is not known "
      "whether it did it. A write is never sent twice.{written}{move}",
      "{device} 对命令{command}（第 {step}/{steps} "
      "步）没有正确应答：无法确定是否已执行。写操作不会重发。{written}{move}" },
    { "no_answer", ANY,
      "{device} did not say at step {step} of {steps} whether {command} took effect.{written}",
      "{device} 在第 {step}/{steps} 步未能回读确认命令{command}是否生效。{written}" },
    { "unexpected", ANY,
      "{device} does not confirm {command} at step {step} of {steps}: {register} holds "
      "{found}, "
      "not {wanted}.{written}",
      "{device} 在第 {step}/{steps} 步未确认命令{command}：{register} 的值为 {found}，而不是 "
      "{wanted}。{written}" },
    { "no_link", ANY,
      "{device} cannot be reached, its connection or port is down: step {step} of {steps} of "
      "{command} was not sent.{written}",
      "{device} 无法访问，连接或串口已断开：命令{command}的第 {step}/{steps} "
      "步未发送。{written}" },
    { "interrupted", NOTHING_SENT,
      "The gateway stopped before {command} was sent to {device}. Nothing was changed.",
      "网关在向 {device} 发送命令{command}之前已停止。未作任何更改。" },
    { "interrupted", ANY,
      "The gateway stopped while {device} was told to {command}: it is not known how far it "
      "came.{move}",
      "网关在 {device} 执行命令{command}期间停止：无法确定执行到哪一步。{move}" },
    { "not_logged", ANY,
      "The log cannot be written, so {command} was not sent to {device}. Nothing was changed.",
      "日志无法写入，因此未向 {device} 发送命令{command}。未作任何更改。" },
};

/* The command may have moved the device away from where the configuration looks for it. */
static const struct {
    const char *begin, *en, *zh;
} moves[] = {
    { "set_address",
      " A device with a new address (some take it over when they are powered on again) is "
      "silent "
      "until `unit` of this device in the configuration is changed to it and reloaded.",
      "使用新地址后（有的设备需重新上电才生效），须在配置中修改该设备的 unit "
      "并重新加载，否则设备"
      "将失联。" },
    { "set_baud",
      " A device with a new line speed (some take it over when they are powered on again) is "
      "silent until its bus, and with it every device of that line, is set to it.",
      "使用新波特率后（有的设备需重新上电才生效），总线配置和同线所有设备须改为相同设置，否则设"
      "备"
      "将失联。" },
    { "set_parity",
      " A device with a new parity is silent until its bus, and with it every device of that "
      "line, is set to it.",
      "使用新校验方式后，总线配置和同线所有设备须改为相同设置，否则设备将失联。" },
};

static bool is_zh(const char *lang)
{
    return strcmp(lang, "zh") == 0;
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

/* ---- places ---- */

static void put_device(struct buf *b, const struct sentence *s, const char *lang)
{
    (void)lang;
    buf_puts(b, text_of(s->event, "device"));
}

/* "set_address (address=5)" */
static void put_command(struct buf *b, const struct sentence *s, const char *lang)
{
    const char *between = is_zh(lang) ? "（" : " (", *end = "", *key;
    json_t *value;

    buf_puts(b, is_zh(lang) ? text_of(json_object_get(s->event, "title"), lang)
                            : text_of(s->event, "command"));
    json_object_foreach(json_object_get(s->event, "values"), key, value)
    {
        buf_printf(b, "%s%s=%.15g", between, key, json_number_value(value));
        between = is_zh(lang) ? "，" : ", ";
        end = is_zh(lang) ? "）" : ")";
    }
    buf_puts(b, end);
}

static void put_step(struct buf *b, const struct sentence *s, const char *lang)
{
    (void)lang;
    buf_printf(b, "%zu", s->r ? s->r->step + 1 : 0);
}

static void put_steps(struct buf *b, const struct sentence *s, const char *lang)
{
    (void)lang;
    buf_printf(b, "%lld", (long long)json_integer_value(json_object_get(s->event, "steps")));
}

static void put_why(struct buf *b, const struct sentence *s, const char *lang)
{
    buf_puts(b, bus_exception_text(s->r ? s->r->exception : 0, lang));
}

static void put_exception(struct buf *b, const struct sentence *s, const char *lang)
{
    (void)lang;
    buf_printf(b, "%u", s->r ? (unsigned)s->r->exception : 0);
}

static void put_written(struct buf *b, const struct sentence *s, const char *lang)
{
    size_t n = s->r ? s->r->written : 0;

    if (n > 0)
        buf_printf(b,
                   is_zh(lang) ? "此前有 %zu 次写入已被确认。"
                   : n == 1    ? " %zu write before it was acknowledged."
                               : " %zu writes before it were acknowledged.",
                   n);
    else if (s->r && !s->r->is_unknown)
        buf_puts(b, is_zh(lang) ? "未作任何更改。" : " Nothing was changed.");
}

static void put_move(struct buf *b, const struct sentence *s, const char *lang)
{
    const char *command = text_of(s->event, "command");

    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
        if (strncmp(command, moves[i].begin, strlen(moves[i].begin)) == 0)
            buf_puts(b, is_zh(lang) ? moves[i].zh : moves[i].en);
    }
}

/* "h:18", "h:12.3", as profiles write it */
static void put_register(struct buf *b, const struct sentence *s, const char *lang)
{
    static const char letters[] = "?cdhi";

    (void)lang;
    if (!s->step)
        return;
    buf_printf(b, "%c:%u", letters[s->step->at.space <= SPACE_INPUT ? s->step->at.space : 0],
               (unsigned)s->step->at.first);
    if (s->step->at.bit >= 0)
        buf_printf(b, ".%d", s->step->at.bit);
}

static void put_words(struct buf *b, const uint16_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(b, i ? " %u" : "%u", (unsigned)words[i]);
}

static void put_found(struct buf *b, const struct sentence *s, const char *lang)
{
    (void)lang;
    if (s->r && s->step && s->step->at.bit >= 0)
        buf_printf(b, "%u", (unsigned)(s->r->found[0] >> s->step->at.bit & 1));
    else if (s->r)
        put_words(b, s->r->found, s->r->n);
}

static void put_wanted(struct buf *b, const struct sentence *s, const char *lang)
{
    (void)lang;
    if (s->step)
        put_words(b, s->step->words, s->step->n);
}

static const struct {
    const char *name;
    void (*put)(struct buf *b, const struct sentence *s, const char *lang);
} places[] = {
    { "device", put_device },   { "command", put_command }, { "step", put_step },
    { "steps", put_steps },     { "why", put_why },         { "exception", put_exception },
    { "written", put_written }, { "move", put_move },       { "register", put_register },
    { "found", put_found },     { "wanted", put_wanted },
};

/* ---- forms ---- */

static bool is_right(const struct form *f, const struct sentence *s)
{
    if (strcmp(f->what, s->what) != 0)
        return false;
    if (f->when == WRITE_UNKNOWN)
        return s->r && s->r->is_unknown;
    if (f->when == NOTHING_SENT)
        return s->r && !s->r->is_unknown && s->r->written == 0;
    return true;
}

static void fill_place(struct buf *b, const char *name, size_t n, const struct sentence *s,
                       const char *lang)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (strlen(places[i].name) == n && memcmp(places[i].name, name, n) == 0)
            places[i].put(b, s, lang);
    }
}

static void fill(struct buf *b, const char *form, const struct sentence *s, const char *lang)
{
    const char *open;

    while ((open = strchr(form, '{'))) {
        size_t n = strcspn(open + 1, "}");
        buf_put(b, form, (size_t)(open - form));
        fill_place(b, open + 1, n, s, lang);
        form = open + 1 + n + (open[1 + n] == '}');
    }
    buf_puts(b, form);
}

void sentence_put(struct buf *b, const struct sentence *s, const char *lang)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (!is_right(&forms[i], s))
            continue;
        fill(b, is_zh(lang) ? forms[i].zh : forms[i].en, s, lang);
        return;
    }
}
