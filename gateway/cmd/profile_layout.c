/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/profile_layout.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/profile_show.h"
#include "gateway/cmd/profile_text.h"
#include "sensors/payload/lpp.h"
#include "sensors/payload/number.h"

enum { TEXT_MAX = 4096 };

struct walk {
    const struct profile *p;
    const struct payload_message *message;
    bool is_zh;
    void (*on_row)(void *user, const struct layout_row *row);
    void *user;
};

/* Appends to a cell; what does not fit is cut, between two characters. */
__attribute__((format(printf, 2, 3))) static void add(char *cell, const char *format, ...)
{
    size_t n = strlen(cell), room = LAYOUT_CELL_BYTES - n;
    va_list args;

    va_start(args, format);
    int wanted = vsnprintf(cell + n, room, format, args);
    va_end(args);
    if (wanted < 0 || (size_t)wanted < room)
        return;
    for (n = strlen(cell); n > 0 && (cell[n - 1] & 0xC0) == 0x80;)
        cell[--n] = '\0';
    if (n > 0 && (cell[n - 1] & 0x80))
        cell[n - 1] = '\0';
}

static void add_bits(char *cell, const struct payload_place *at)
{
    if (at->mask)
        add(cell, " & 0x%llX", (unsigned long long)at->mask);
    if (at->shift)
        add(cell, " >> %d", at->shift);
}

static void add_type(char *cell, const struct payload_place *at, bool is_zh)
{
    static const char *const en[] = { "", " little-endian", " low word first" };
    static const char *const zh[] = { "", " 小端", " 低字在前" };

    add(cell, "%s", number_type_names[at->type]);
    if (number_bytes((enum number_type)at->type) > 1)
        add(cell, "%s", is_zh ? zh[at->endian] : en[at->endian]);
    add_bits(cell, at);
    if (at->sign)
        add(cell, is_zh ? "，符号位 0x%llX" : ", sign 0x%llX", (unsigned long long)at->sign);
}

static void add_range(char *cell, const struct payload_place *at, bool is_zh)
{
    int last = at->off + (int)number_bytes((enum number_type)at->type) - 1;

    if (at->off < 0)
        add(cell, is_zh ? "自末尾 %d" : "end %d", at->off);
    else if (last > at->off)
        add(cell, is_zh ? "第 %d–%d 字节" : "bytes %d..%d", at->off, last);
    else
        add(cell, is_zh ? "第 %d 字节" : "byte %d", at->off);
}

static void add_table(char *cell, const struct payload_table *t)
{
    char value[DECIMAL_TEXT_MAX];

    for (size_t i = 0; i < t->n; i++) {
        decimal_print(t->entry[i].value, value);
        if (t->entry[i].text)
            add(cell, "%s%s = %s", i ? ", " : "", t->entry[i].text, value);
        else
            add(cell, "%s%lld = %s", i ? ", " : "", (long long)t->entry[i].raw, value);
    }
}

static void add_scale(char *cell, double scale, double offset)
{
    if (scale != 1)
        add(cell, "× %.10g", scale);
    if (offset != 0)
        add(cell, "%s%+.10g", *cell ? " " : "", offset);
}

static void add_how(char *cell, const struct payload_field *f, bool is_zh)
{
    if (f->table.n)
        add_table(cell, &f->table);
    else if (f->formula.n)
        add(cell, "%s", f->formula.text);
    else
        add_scale(cell, f->scale, f->offset);
    if (!f->formula.has_y)
        return;
    add(cell, is_zh ? "，y：" : ", y: ");
    add_range(cell, &f->formula.y, is_zh);
    add(cell, " ");
    add_type(cell, &f->formula.y, is_zh);
}

static void add_codes(char *cell, const struct payload_field *f)
{
    for (size_t i = 0; i < f->invalid_n; i++)
        add(cell, "%s0x%llX", i ? " " : "", (unsigned long long)f->invalid[i]);
}

/* Which of the groups; nothing for the message's own bytes. */
static void add_group(char *cell, const struct walk *w, const struct payload_group *g)
{
    const struct payload_message *m = w->message;
    const struct lpp_type *t;

    switch (g == &m->body ? FORM_FIXED : m->form) {
    case FORM_BLOCKS:
        add(cell, w->is_zh ? "位 %zu：" : "bit %zu: ", (size_t)(g - m->groups));
        break;
    case FORM_TLV:
        add(cell, w->is_zh ? "键 0x%0*X：" : "key 0x%0*X: ", 2 * m->key_bytes, g->key);
        break;
    case FORM_LPP:
        t = lpp_find((uint8_t)g->key);
        add(cell, w->is_zh ? "通道 %u，%s：" : "channel %u, %s: ", g->key >> 8,
            t ? t->name : "?");
        break;
    case FORM_RECORDS:
        add(cell, w->is_zh ? "记录：" : "record: ");
        break;
    case FORM_FIXED:
        break;
    }
}

static void add_words(char *cell, const struct profile_map *map)
{
    for (size_t i = 0; i < map->n; i++)
        add(cell, map->is_bits ? "%s&0x%llX = %s" : "%s%lld = %s", i ? ", " : "",
            (unsigned long long)map->choice[i].raw, map->choice[i].word);
}

static void show_field(const struct walk *w, const struct payload_group *g,
                       const struct payload_field *f)
{
    struct layout_row row = { 0 };

    add_group(row.where, w, g);
    add_range(row.where, &f->at, w->is_zh);
    add_type(row.type, &f->at, w->is_zh);
    add(row.point, "%s", w->p->points[f->point].id);
    add_how(row.how, f, w->is_zh);
    add_codes(row.none, f);
    if (f->is_option)
        add(row.where, w->is_zh ? "（可缺）" : " (may be missing)");
    w->on_row(w->user, &row);
    if (!f->quality.map.n)
        return;
    struct layout_row quality = { 0 };
    add_group(quality.where, w, g);
    add_range(quality.where, &f->quality.at, w->is_zh);
    add_type(quality.type, &f->quality.at, w->is_zh);
    add(quality.point, w->is_zh ? "%s 的状态" : "status of %s", w->p->points[f->point].id);
    add_words(quality.how, &f->quality.map);
    w->on_row(w->user, &quality);
}

static void show_flag(const struct walk *w, const struct payload_group *g,
                      const struct payload_flag *f)
{
    struct layout_row row = { 0 };
    struct buf b = BUF_INIT(TEXT_MAX);

    add_group(row.where, w, g);
    add_range(row.where, &f->at, w->is_zh);
    add_type(row.type, &f->at, w->is_zh);
    put_concerned(&b, w->p, f->flag.is_for_all, f->flag.points);
    const char *points = buf_text(&b);
    add(row.point, w->is_zh ? "状态（%s）" : "status (%s)", points ? points : "...");
    buf_done(&b);
    add_words(row.how, &f->flag.map);
    const char *help = w->is_zh ? f->flag.help_zh : f->flag.help;
    if (help)
        add(row.how, " (%s)", help);
    w->on_row(w->user, &row);
}

static void show_group(const struct walk *w, const struct payload_group *g)
{
    struct layout_row row = { 0 };

    if (g->has_time) {
        add_group(row.where, w, g);
        add_range(row.where, &g->time, w->is_zh);
        add_type(row.type, &g->time, w->is_zh);
        add(row.point, w->is_zh ? "时间" : "time");
        add(row.how, w->is_zh ? "Unix 秒" : "Unix seconds");
        w->on_row(w->user, &row);
    }
    for (size_t i = 0; i < g->fields_n; i++)
        show_field(w, g, &g->fields[i]);
    for (size_t i = 0; i < g->flags_n; i++)
        show_flag(w, g, &g->flags[i]);
}

static void show_script(const struct walk *w, const struct payload_script *s)
{
    for (size_t i = 0; i < s->paths_n; i++) {
        struct layout_row row = { 0 };
        add(row.where, "%s", s->paths[i].path);
        add(row.point, "%s", w->p->points[s->paths[i].point].id);
        if (s->paths[i].words.n)
            add_table(row.how, &s->paths[i].words);
        else
            add_scale(row.how, s->paths[i].scale, s->paths[i].offset);
        w->on_row(w->user, &row);
    }
    if (!s->times)
        return;
    struct layout_row row = { 0 };
    add(row.where, "%s", s->times);
    add(row.point, w->is_zh ? "时间" : "time");
    w->on_row(w->user, &row);
}

void layout_rows(const struct profile *p, const struct payload_message *m, bool is_zh,
                 void (*on_row)(void *user, const struct layout_row *row), void *user)
{
    const struct walk w = { p, m, is_zh, on_row, user };

    if (!m) {
        show_script(&w, p->payload->script);
        return;
    }
    show_group(&w, &m->body);
    for (size_t i = 0; i < m->groups_n; i++)
        show_group(&w, &m->groups[i]);
}

static void put_ports(struct buf *b, const struct payload_message *m)
{
    const char *joint = "fPort ";

    for (unsigned i = 1; i < 224; i++)
        if (m->fport[i / 8] >> i % 8 & 1) {
            buf_printf(b, "%s%u", joint, i);
            joint = "/";
        }
}

void layout_put_when(struct buf *b, const struct payload_message *m, bool is_zh)
{
    const char *comma = is_zh ? "，" : ", ";

    if (m->first_fport)
        put_ports(b, m);
    else
        buf_puts(b, is_zh ? "任意 fPort" : "any fPort");
    for (size_t i = 0; i < m->test_n; i++) {
        char where[LAYOUT_CELL_BYTES] = "";
        add_range(where, &m->test[i].at, is_zh);
        add_bits(where, &m->test[i].at);
        buf_printf(b, "%s%s = ", comma, where);
        for (size_t k = 0; k < m->test[i].equals_n; k++)
            buf_printf(b, "%s0x%llX", k ? "/" : "", (unsigned long long)m->test[i].equals[k]);
    }
    if (m->length_min == m->length_max)
        buf_printf(b, is_zh ? "%s%d 字节" : "%s%d bytes", comma, m->length_min);
    else if (m->length_min || m->length_max < PAYLOAD_BYTES_MAX)
        buf_printf(b, is_zh ? "%s%d–%d 字节" : "%s%d..%d bytes", comma, m->length_min,
                   m->length_max);
}

static void put_sequence(struct buf *b, const struct payload_message *m, bool is_zh)
{
    buf_printf(b, is_zh ? "自第 %d 字节起为历史记录" : "records from byte %d on", m->start);
    if (m->groups_n && m->groups[0].has_time)
        return;
    buf_printf(b, is_zh ? "，间隔 %lld s" : ", %lld s apart", (long long)(m->step_ms / 1000));
    if (m->has_step) {
        char where[LAYOUT_CELL_BYTES] = "";
        add_range(where, &m->step, is_zh);
        buf_printf(b, " × %s", where);
    }
    buf_puts(b, m->is_oldest_first ? is_zh ? "，最旧在前" : ", oldest first"
                : is_zh            ? "，最新在前"
                                   : ", newest first");
}

void layout_put_form(struct buf *b, const struct payload_message *m, bool is_zh)
{
    char where[LAYOUT_CELL_BYTES] = "";

    switch (m->form) {
    case FORM_BLOCKS:
        add_range(where, &m->bitmap, is_zh);
        buf_printf(b,
                   is_zh ? "自第 %d 字节起为数据块，%s 的位表示各块是否存在"
                         : "blocks from byte %d on, those whose bit is set in %s",
                   m->start, where);
        break;
    case FORM_TLV:
        buf_printf(b,
                   is_zh ? "自第 %d 字节起为键值序列，键 %d 字节%s"
                         : "keys and values from byte %d on, keys of %d byte(s)%s",
                   m->start, m->key_bytes,
                   !m->has_length ? ""
                   : is_zh        ? "，其后为长度"
                                  : ", then the length");
        break;
    case FORM_LPP:
        buf_printf(b, is_zh ? "自第 %d 字节起为 Cayenne LPP" : "Cayenne LPP from byte %d on",
                   m->start);
        break;
    case FORM_RECORDS:
        put_sequence(b, m, is_zh);
        break;
    case FORM_FIXED:
        break;
    }
}

static void print_row(void *user, const struct layout_row *row)
{
    FILE *out = user;

    fputs("    ", out);
    profile_print_cell(row->where, 30, out);
    profile_print_cell(row->type, 24, out);
    profile_print_cell(row->point, 24, out);
    fprintf(out, "%s%s%s%s\n", row->how, *row->none ? "  (- " : "", row->none,
            *row->none ? ")" : "");
}

static void print_message(const struct profile *p, const struct payload_message *m, bool is_zh,
                          FILE *out)
{
    struct buf b = BUF_INIT(TEXT_MAX);

    layout_put_when(&b, m, is_zh);
    if (m->is_ignored)
        buf_puts(&b, is_zh ? "；不含监测数据" : "; no measurements");
    else if (m->form != FORM_FIXED)
        buf_puts(&b, is_zh ? "；" : "; ");
    layout_put_form(&b, m, is_zh);
    const char *text = buf_text(&b);
    fprintf(out, "  %s: %s\n", m->id, text ? text : "...");
    buf_done(&b);
    layout_rows(p, m, is_zh, print_row, out);
}

void layout_print(const struct profile *p, bool is_zh, FILE *out)
{
    const struct payload *payload = p->payload;

    fputs(is_zh ? "\n报文\n" : "\nPayload\n", out);
    if (payload->script) {
        fprintf(out, is_zh ? "  脚本 %s\n" : "  script %s\n", payload->script->file);
        layout_rows(p, NULL, is_zh, print_row, out);
    }
    for (size_t i = 0; i < payload->messages_n; i++)
        print_message(p, &payload->messages[i], is_zh, out);
}

struct cells {
    struct buf *b;
    bool is_begun, is_zh;
};

/* '|' would end the cell. */
static void put_cell(struct buf *b, const char *text)
{
    buf_puts(b, " ");
    for (text = *text ? text : "-"; *text; text++) {
        if (*text == '|')
            buf_puts(b, "\\");
        buf_put(b, text, 1);
    }
    buf_puts(b, " |");
}

static void put_row(void *user, const struct layout_row *row)
{
    struct cells *c = user;

    if (!c->is_begun)
        buf_puts(c->b, c->is_zh ? "\n| 位置 | 类型 | 测点 | 换算 | 表示“无数据”的代码 |\n"
                                  "|---|---|---|---|---|\n"
                                : "\n| where | type | value | calculation | codes that mean "
                                  "\"no value\" |\n|---|---|---|---|---|\n");
    c->is_begun = true;
    buf_puts(c->b, "|");
    put_cell(c->b, row->where);
    put_cell(c->b, row->type);
    put_cell(c->b, row->point);
    put_cell(c->b, row->how);
    put_cell(c->b, row->none);
    buf_puts(c->b, "\n");
}

void layout_put_page(struct buf *b, const struct profile *p, bool is_zh)
{
    const struct payload *payload = p->payload;
    struct cells script = { b, false, is_zh };

    if (payload->script) {
        buf_printf(b, is_zh ? "\n### 脚本 `%s`\n" : "\n### Script `%s`\n",
                   payload->script->file);
        layout_rows(p, NULL, is_zh, put_row, &script);
    }
    for (size_t i = 0; i < payload->messages_n; i++) {
        const struct payload_message *m = &payload->messages[i];
        struct cells c = { b, false, is_zh };
        buf_printf(b, is_zh ? "\n### 报文 `%s`\n\n" : "\n### Message `%s`\n\n", m->id);
        layout_put_when(b, m, is_zh);
        if (m->is_ignored)
            buf_puts(b, is_zh ? "；不含监测数据" : "; it carries no measurements");
        else if (m->form != FORM_FIXED)
            buf_puts(b, is_zh ? "；" : "; ");
        layout_put_form(b, m, is_zh);
        buf_puts(b, is_zh ? "。\n" : ".\n");
        layout_rows(p, m, is_zh, put_row, &c);
    }
}

struct json {
    struct buf *b;
    const char *joint;
};

static void put_json_row(void *user, const struct layout_row *row)
{
    struct json *j = user;

    buf_printf(j->b, "%s{\"at\":", j->joint);
    buf_json(j->b, row->where);
    buf_puts(j->b, ",\"type\":");
    buf_json(j->b, *row->type ? row->type : NULL);
    buf_puts(j->b, ",\"value\":");
    buf_json(j->b, row->point);
    buf_puts(j->b, ",\"how\":");
    buf_json(j->b, *row->how ? row->how : NULL);
    buf_puts(j->b, "}");
    j->joint = ",";
}

static void put_json_message(struct buf *b, const struct profile *p,
                             const struct payload_message *m)
{
    static const char *const forms[] = { "fixed", "blocks", "tlv", "lpp", "records" };
    struct json j = { b, "" };
    struct buf when = BUF_INIT(TEXT_MAX);

    buf_puts(b, "{\"id\":");
    buf_json(b, m->id);
    layout_put_when(&when, m, false);
    buf_puts(b, ",\"when\":");
    buf_json(b, buf_text(&when));
    buf_done(&when);
    buf_printf(b, ",\"fport\":%d,\"ignored\":%s,\"form\":\"%s\",\"fields\":[", m->first_fport,
               m->is_ignored ? "true" : "false", forms[m->form]);
    layout_rows(p, m, false, put_json_row, &j);
    buf_puts(b, "]}");
}

void layout_put_json(struct buf *b, const struct profile *p)
{
    const struct payload *payload = p->payload;
    struct json j = { b, "" };

    buf_puts(b, ",\"payload\":{\"script\":");
    buf_json(b, payload->script ? payload->script->file : NULL);
    if (payload->script) {
        buf_puts(b, ",\"fields\":[");
        layout_rows(p, NULL, false, put_json_row, &j);
        buf_puts(b, "]");
    }
    buf_puts(b, ",\"messages\":[");
    for (size_t i = 0; i < payload->messages_n; i++) {
        buf_puts(b, i ? ",\n" : "\n");
        put_json_message(b, p, &payload->messages[i]);
    }
    buf_puts(b, "]}");
}
