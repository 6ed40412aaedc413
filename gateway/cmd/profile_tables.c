/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of an instrument's page. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/profile_page.h"
#include "gateway/cmd/profile_show.h"
#include "gateway/cmd/profile_text.h"
#include "sensors/profile/type.h"

const char *page_word(const struct page *pg, const char *word)
{
    static const struct {
        const char *word, *en, *zh;
    } words[] = {
        { "good", "good", "正常" },
        { "measuring", "measuring", "测量" },
        { "uncertain", "uncertain", "存疑" },
        { "invalid", "invalid", "无效" },
        { "missing", "no value", "无数据" },
        { "below_range", "below range", "低于量程" },
        { "above_range", "above range", "高于量程" },
        { "fault", "fault", "故障" },
        { "warmup", "warming up", "预热" },
        { "zero", "zero check", "零点校准" },
        { "span", "span check", "跨度校准" },
        { "calibration", "calibration", "校准" },
        { "maintenance", "maintenance", "维护" },
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(words[i].word, word))
            return PICK(pg, words[i].en, words[i].zh);
    return word;
}

/* The inverse of what the loader does with doc_base. */
static long manual_number(const struct profile *p, struct register_address at)
{
    static const long modicon[] = { [SPACE_COIL] = 1,
                                    [SPACE_DISCRETE] = 10001,
                                    [SPACE_HOLDING] = 40001,
                                    [SPACE_INPUT] = 30001 };
    long number = at.first + modicon[at.space];

    return p->doc_base > 1 && number < p->doc_base ? number : at.first + (long)p->doc_base;
}

static const char *space_name(const struct page *pg, uint8_t space)
{
    static const char *const en[] = { "", "coil", "discrete input", "holding", "input" };
    static const char *const zh[] = { "", "线圈", "离散输入", "保持", "输入" };

    return pg->is_zh ? zh[space] : en[space];
}

void page_address(const struct page *pg, struct register_address at)
{
    char address[PROFILE_ADDRESS_BYTES];

    buf_printf(pg->b, "%s %ld", space_name(pg, at.space), manual_number(pg->p, at));
    if (pg->p->doc_base == 0 && at.first > 9)
        buf_printf(pg->b, " (0x%04X)", at.first);
    if (at.bit >= 0)
        buf_printf(pg->b, PICK(pg, " bit %d", " 第 %d 位"), at.bit);
    buf_printf(pg->b, " | %s", profile_address(at, address));
}

/* The name that a person reads: its own, the quantity's, or the id. */
static const char *point_name(const struct page *pg, const struct profile_point *pt)
{
    if (pt->en)
        return PICK(pg, pt->en, pt->zh);
    return pt->quantity ? PICK(pg, pt->quantity->en, pt->quantity->zh) : NULL;
}

static void put_type(const struct page *pg, const struct profile_point *pt)
{
    char address[PROFILE_ADDRESS_BYTES];

    buf_puts(pg->b, type_name(pt->type));
    if (pt->mask)
        buf_printf(pg->b, " & 0x%llX", (unsigned long long)pt->mask);
    if (pt->shift)
        buf_printf(pg->b, " >> %d", pt->shift);
    if (pt->order >= 0)
        buf_printf(pg->b, " %s", profile_orders[pt->order]);
    if (pt->scale != 1)
        buf_printf(pg->b, " × %.10g", pt->scale);
    if (pt->offset != 0)
        buf_printf(pg->b, " %+.10g", pt->offset);
    if (pt->scale_from.space)
        buf_printf(pg->b,
                   pt->scale_rule == SCALE_FACTOR  ? " × %s"
                   : pt->scale_rule == SCALE_POW10 ? " × 10^%s"
                                                   : " × 10^-%s",
                   profile_address(pt->scale_from, address));
}

static void put_unit(const struct page *pg, const struct profile_point *pt)
{
    char address[PROFILE_ADDRESS_BYTES];

    if (pt->unit_from.at.space)
        buf_printf(pg->b, PICK(pg, "told by %s", "见 %s"),
                   profile_address(pt->unit_from.at, address));
    else
        page_cell(pg, pt->unit ? pt->unit->display : NULL);
}

static const char *unit_display(const char *code)
{
    const struct unit *u = unit_find(code);

    return u ? u->display : code;
}

static void put_range(const struct page *pg, const struct profile_point *pt)
{
    if (isnan(pt->range_min)) {
        buf_puts(pg->b, "-");
        return;
    }
    buf_printf(pg->b, "%.10g … %.10g", pt->range_min, pt->range_max);
    const char *unit = pt->quantity ? unit_display(pt->quantity->unit) : "";
    buf_printf(pg->b, "%s%s", *unit ? " " : "", unit);
}

static void put_point(const struct page *pg, const struct profile_point *pt)
{
    struct buf *b = pg->b;

    buf_printf(b, "| `%s` | ", pt->id);
    page_cell(pg, point_name(pg, pt));
    if (pt->stat)
        buf_printf(b, " (%s)", pt->stat);
    if (pt->is_option)
        buf_puts(b, PICK(pg, " (option)", "（选配）"));
    buf_puts(b, " | ");
    if (pt->has_mei)
        buf_printf(b, PICK(pg, "object 0x%02X | -", "标识对象 0x%02X | -"), pt->mei);
    else if (!pg->p->payload)
        page_address(pg, pt->at);
    if (!pg->p->payload) {
        buf_puts(b, " | ");
        put_type(pg, pt);
        buf_puts(b, " | ");
    }
    put_unit(pg, pt);
    buf_printf(b, " | %s | ", pt->quantity ? pt->quantity->id : "-");
    put_range(pg, pt);
    buf_puts(b, " |\n");
}

static void put_role(const struct page *pg, enum point_role role, const char *title)
{
    const struct profile *p = pg->p;
    bool is_begun = false;

    for (size_t i = 0; i < p->points_n; i++) {
        if (p->points[i].role != role)
            continue;
        if (!is_begun && p->payload)
            buf_printf(pg->b, "\n### %s\n\n| id | %s | %s | %s | %s |\n|---|---|---|---|---|\n",
                       title, PICK(pg, "name", "名称"), PICK(pg, "unit", "单位"),
                       PICK(pg, "quantity", "监测因子"), PICK(pg, "range", "范围"));
        else if (!is_begun)
            buf_printf(pg->b,
                       "\n### %s\n\n| id | %s | %s | PDU | %s | %s | %s | %s |\n"
                       "|---|---|---|---|---|---|---|---|\n",
                       title, PICK(pg, "name", "名称"),
                       PICK(pg, "register in the manual", "手册中的寄存器"),
                       PICK(pg, "type", "类型"), PICK(pg, "unit", "单位"),
                       PICK(pg, "quantity", "监测因子"), PICK(pg, "range", "范围"));
        is_begun = true;
        put_point(pg, &p->points[i]);
    }
}

static bool has_codes(const struct profile_point *pt)
{
    return pt->invalid_n || pt->invalid_from.space;
}

static bool is_same_codes(const struct profile_point *a, const struct profile_point *b)
{
    return type_is_float(a->type) == type_is_float(b->type) && a->invalid_n == b->invalid_n &&
           !memcmp(a->invalid, b->invalid, a->invalid_n * sizeof a->invalid[0]) &&
           a->invalid_from.space == b->invalid_from.space &&
           a->invalid_from.first == b->invalid_from.first;
}

/* The first point that has the same codes. */
static size_t first_of_codes(const struct profile *p, size_t i)
{
    size_t k = 0;

    while (k < i && !(has_codes(&p->points[k]) && is_same_codes(&p->points[k], &p->points[i])))
        k++;
    return k;
}

/* One line for the points that share their codes. */
static void put_no_value(const struct page *pg)
{
    const struct profile *p = pg->p;
    bool is_begun = false;

    for (size_t i = 0; i < p->points_n; i++) {
        if (!has_codes(&p->points[i]) || first_of_codes(p, i) != i)
            continue;
        if (!is_begun)
            buf_printf(pg->b, "\n### %s\n\n",
                       PICK(pg, "Codes that mean \"no value\"", "表示“无数据”的代码"));
        is_begun = true;
        buf_puts(pg->b, "- ");
        put_codes(pg->b, &p->points[i]);
        for (size_t k = i; k < p->points_n; k++)
            if (has_codes(&p->points[k]) && first_of_codes(p, k) == i)
                buf_printf(pg->b, "%s`%s`", k == i ? ": " : ", ", p->points[k].id);
        buf_puts(pg->b, "\n");
    }
}

void page_put_points(const struct page *pg)
{
    put_role(pg, POINT_MEASUREMENT, PICK(pg, "Measured values", "监测值"));
    put_role(pg, POINT_DIAGNOSTIC, PICK(pg, "Diagnostics", "诊断值"));
    put_role(pg, POINT_CALIBRATION, PICK(pg, "Calibration values", "校准值"));
    put_no_value(pg);
}

/* "bit 3", "1", "0x10 in 0xF0". */
static void put_code(const struct page *pg, const struct profile_map *map,
                     const struct profile_choice *c)
{
    uint64_t raw = (uint64_t)c->raw;
    int bit = 0;

    while (map->is_bits && raw && !(raw >> bit & 1))
        bit++;
    if (map->is_bits && raw == UINT64_C(1) << bit)
        buf_printf(pg->b, PICK(pg, "bit %d set", "第 %d 位为 1"), bit);
    else
        buf_printf(pg->b, map->is_bits ? "0x%llX" : "%lld", (unsigned long long)raw);
    if (map->mask)
        buf_printf(pg->b, PICK(pg, " in bits 0x%llX", "（位 0x%llX）"),
                   (unsigned long long)map->mask);
    else if (map->shift)
        buf_printf(pg->b, PICK(pg, " from bit %d on", "（自第 %d 位起）"), map->shift);
}

static void put_concerned_cell(const struct page *pg, bool is_for_all, const uint8_t *set)
{
    if (is_for_all)
        buf_puts(pg->b, PICK(pg, "all values", "全部监测值"));
    else
        put_concerned(pg->b, pg->p, false, set);
}

/* What a code does that no row lists: the decoder's rule. */
static void put_rule_of_unlisted(const struct page *pg)
{
    const struct profile *p = pg->p;
    bool has_quality = false, has_unit = false;

    for (size_t i = 0; i < p->points_n; i++) {
        has_quality =
            has_quality || (p->points[i].quality.at.space && !p->points[i].quality.is_bits);
        has_unit = has_unit || p->points[i].unit_from.at.space;
    }
    if (has_quality)
        buf_puts(pg->b,
                 PICK(pg, "\nA value whose own status is a code not listed is uncertain.\n",
                      "\n监测值自身状态为未列出的代码时，该值存疑。\n"));
    if (has_unit)
        buf_puts(pg->b, PICK(pg, "\nA value whose unit is a code not listed is no value.\n",
                             "\n单位为未列出的代码时，视为无数据。\n"));
}

static void put_codes_of(const struct page *pg, const struct profile_map *map,
                         const struct profile_flag *flag, const char *about)
{
    for (size_t i = 0; i < map->n; i++) {
        buf_puts(pg->b, "| ");
        page_address(pg, map->at);
        buf_puts(pg->b, " | ");
        put_code(pg, map, &map->choice[i]);
        buf_printf(pg->b, " | %s | ",
                   map->choice[i].unit ? map->choice[i].unit->display
                                       : page_word(pg, map->choice[i].word));
        if (flag)
            put_concerned_cell(pg, flag->is_for_all, flag->points);
        else
            buf_printf(pg->b, "%s", about);
        buf_puts(pg->b, " | ");
        page_cell(pg, flag ? pg->is_zh ? flag->help_zh : flag->help : NULL);
        buf_puts(pg->b, " |\n");
    }
}

static bool has_status(const struct profile *p)
{
    for (size_t i = 0; i < p->points_n; i++)
        if (p->points[i].quality.at.space || p->points[i].unit_from.at.space)
            return true;
    return p->flags_n || p->mode.at.space;
}

void page_put_status(const struct page *pg)
{
    const struct profile *p = pg->p;
    char about[96];

    if (!has_status(p))
        return;
    buf_printf(pg->b,
               "\n### %s\n\n| %s | PDU | %s | %s | %s | %s |\n|---|---|---|---|---|---|\n",
               PICK(pg, "Status", "状态"), PICK(pg, "register in the manual", "手册中的寄存器"),
               PICK(pg, "when", "条件"), PICK(pg, "means", "含义"), PICK(pg, "for", "作用于"),
               PICK(pg, "in the manual", "手册说明"));
    for (size_t i = 0; i < p->flags_n; i++)
        put_codes_of(pg, &p->flags[i].map, &p->flags[i], NULL);
    put_codes_of(pg, &p->mode, NULL, PICK(pg, "all values (mode)", "全部监测值（模式）"));
    for (size_t i = 0; i < p->points_n; i++) {
        const struct profile_point *pt = &p->points[i];
        snprintf(about, sizeof about, "`%s`", pt->id);
        put_codes_of(pg, &pt->quality, NULL, about);
        snprintf(about, sizeof about, PICK(pg, "unit of `%s`", "`%s` 的单位"), pt->id);
        put_codes_of(pg, &pt->unit_from, NULL, about);
    }
    put_rule_of_unlisted(pg);
}

static void put_parameter(const struct page *pg, const struct profile_parameter *param)
{
    buf_printf(pg->b, "- `%s` %s: %.10g … %.10g", param->id, PICK(pg, param->en, param->zh),
               param->min, param->max);
    if (param->unit)
        buf_printf(pg->b, " %s", param->unit->display);
    if (param->is_integer)
        buf_puts(pg->b, PICK(pg, ", a whole number", "，整数"));
    if (isnan(param->dflt))
        buf_puts(pg->b, PICK(pg, ", must be given", "，必填"));
    else
        buf_printf(pg->b, PICK(pg, ", %.10g when not given", "，默认 %.10g"), param->dflt);
    buf_puts(pg->b, "\n");
}

/* What to type. A value that must be given is not one that could be copied by oversight. */
static void put_call(const struct page *pg, const struct profile_command *c)
{
    buf_printf(pg->b, "```\nsluice command %.32s-1 %s", pg->p->id, c->id);
    for (size_t i = 0; i < c->parameters_n; i++) {
        const struct profile_parameter *param = &c->parameters[i];
        if (isnan(param->dflt))
            buf_printf(pg->b, " %s=VALUE", param->id);
        else
            buf_printf(pg->b, " %s=%.10g", param->id, param->dflt);
    }
    buf_puts(pg->b, "\n```\n\n");
}

void page_put_commands(const struct page *pg)
{
    const struct profile *p = pg->p;

    if (p->commands_n)
        buf_printf(pg->b, "\n## %s\n\n%s\n", PICK(pg, "Commands", "命令"),
                   PICK(pg, "Run by an operator, never by polling, and logged.",
                        "由操作员执行并记录，轮询从不执行。"));
    for (size_t i = 0; i < p->commands_n; i++) {
        const struct profile_command *c = &p->commands[i];
        buf_printf(pg->b, "\n### `%s`: %s\n\n", c->id, PICK(pg, c->en, c->zh));
        put_call(pg, c);
        for (size_t k = 0; k < c->parameters_n; k++)
            put_parameter(pg, &c->parameters[k]);
        buf_printf(pg->b, "- %s", PICK(pg, "steps: ", "步骤："));
        for (size_t k = 0; k < c->steps_n; k++) {
            buf_puts(pg->b, k ? "; `" : "`");
            put_step(pg->b, c, &c->steps[k]);
            buf_puts(pg->b, "`");
        }
        buf_puts(pg->b, "\n");
        if (c->mode)
            buf_printf(pg->b,
                       PICK(pg, "- values are marked \"%s\" for %lld s\n",
                            "- 监测值标记为“%s”，持续 %lld s\n"),
                       page_word(pg, c->mode), (long long)(c->mode_ms / 1000));
    }
}

void page_put_identify(const struct page *pg, const struct profile_identify *tests, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct profile_identify *t = &tests[i];
        buf_puts(pg->b, "- ");
        if (t->mei >= 0)
            buf_printf(pg->b,
                       PICK(pg, "identification object 0x%02X (function 0x2B/0x0E)",
                            "标识对象 0x%02X（功能码 0x2B/0x0E）"),
                       (unsigned)t->mei);
        else
            buf_printf(pg->b, "%s %ld (%s)", space_name(pg, t->at.space),
                       manual_number(pg->p, t->at), type_name(t->type));
        if (t->equals_text)
            buf_printf(pg->b,
                       PICK(pg, t->is_pattern ? " is like `%s`" : " is `%s`",
                            t->is_pattern ? " 匹配 `%s`" : " 等于 `%s`"),
                       t->equals_text);
        else if (t->in_min < t->in_max)
            buf_printf(pg->b, PICK(pg, " lies in %.10g … %.10g", " 在 %.10g … %.10g 之间"),
                       t->in_min, t->in_max);
        else
            buf_printf(pg->b, PICK(pg, " is %.10g", " 等于 %.10g"), t->in_min);
        buf_puts(pg->b, t->is_needed ? PICK(pg, "; must hold\n", "；必须成立\n") : "\n");
    }
}
