/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/profile_show.h"

#include <math.h>
#include <string.h>

#include "gateway/cmd/profile_layout.h"
#include "gateway/cmd/profile_text.h"
#include "gateway/conf/utf8.h"
#include "sensors/profile/type.h"

enum { TEXT_BYTES = 160, RANGE_BYTES = 64 };

static const struct {
    const char *level, *en, *zh;
} trusts[] = {
    { "template", "a form to fill in", "待填写的样表" },
    { "datasheet", "from the manual, not tried", "依据手册，未实测" },
    { "interop", "agrees with another program", "与其他程序一致" },
    { "hardware", "tried on the device", "已在设备上验证" },
};

static const char *const roles_zh[] = { "测量", "诊断", "校准" };

static bool is_zh(const char *lang)
{
    return strcmp(lang, "zh") == 0;
}

const char *profile_trust(const struct profile *p, const char *lang)
{
    for (size_t i = 0; i < sizeof trusts / sizeof trusts[0]; i++)
        if (!strcmp(p->verified, trusts[i].level))
            return is_zh(lang) ? trusts[i].zh : trusts[i].en;
    return p->verified;
}

const char *profile_media(const struct profile *p, const char *lang, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (int m = 0; m < MEDIUM_COUNT_ && n < size; m++)
        if (p->media >> m & 1)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "",
                                  lang ? medium_name((enum medium)m, lang)
                                       : medium_id((enum medium)m));
    return out;
}

const char *profile_address(struct register_address at, char *out)
{
    int n;

    if (!at.space) {
        snprintf(out, PROFILE_ADDRESS_BYTES, "-");
        return out;
    }
    n = snprintf(out, PROFILE_ADDRESS_BYTES, "%c:%u", " cdhi"[at.space], at.first);
    if (at.bit >= 0)
        snprintf(out + n, PROFILE_ADDRESS_BYTES - (size_t)n, ".%d", at.bit);
    else if (at.count > 1)
        snprintf(out + n, PROFILE_ADDRESS_BYTES - (size_t)n, "/%u", at.count);
    return out;
}

int profile_columns(const char *text)
{
    size_t size = strlen(text);
    int columns = 0;
    int32_t c;

    for (size_t i = 0; i < size;) {
        i += utf8_next(text + i, size - i, &c);
        columns += utf8_width(c);
    }
    return columns;
}

void profile_print_cell(const char *text, int width, FILE *out)
{
    fputs(text, out);
    width -= profile_columns(text);
    fprintf(out, "%*s", width > 1 ? width : 1, "");
}

static const char *range_text(const struct profile_point *pt, char *out)
{
    if (isnan(pt->range_min))
        snprintf(out, RANGE_BYTES, "-");
    else
        snprintf(out, RANGE_BYTES, "%.10g..%.10g", pt->range_min, pt->range_max);
    return out;
}

/* "[ppb]", or where it stands: "by i:104". */
static const char *unit_text(const struct profile_point *pt, char *out, size_t size)
{
    char address[PROFILE_ADDRESS_BYTES];

    if (pt->unit_from.at.space)
        snprintf(out, size, "by %s", profile_address(pt->unit_from.at, address));
    else
        snprintf(out, size, "%s", pt->unit ? pt->unit->code : "-");
    return out;
}

/* Where a point stands: a register, or an identification object. */
static const char *place_text(const struct profile_point *pt, char *out)
{
    if (!pt->has_mei)
        return profile_address(pt->at, out);
    snprintf(out, PROFILE_ADDRESS_BYTES, "mei 0x%02X", pt->mei);
    return out;
}

static void print_point(const struct profile_point *pt, bool is_payload, const char *lang,
                        FILE *out)
{
    char address[PROFILE_ADDRESS_BYTES], unit[TEXT_BYTES], range[RANGE_BYTES];
    char range_unit[RANGE_BYTES + 16];

    snprintf(range_unit, sizeof range_unit, "%s %s", range_text(pt, range),
             pt->quantity ? pt->quantity->unit : "");
    fputs("  ", out);
    profile_print_cell(pt->id, 24, out);
    profile_print_cell(is_zh(lang) ? roles_zh[pt->role] : profile_roles[pt->role], 13, out);
    if (!is_payload) {
        profile_print_cell(place_text(pt, address), 11, out);
        profile_print_cell(type_name(pt->type), 6, out);
    }
    profile_print_cell(unit_text(pt, unit, sizeof unit), 14, out);
    profile_print_cell(pt->quantity ? pt->quantity->id : "-", 22, out);
    fprintf(out, "%s%s\n", isnan(pt->range_min) ? "-" : range_unit,
            pt->is_option ? is_zh(lang) ? "（选配）" : " (option)" : "");
}

static void print_map(const struct profile_map *map, const char *help, FILE *out)
{
    char address[PROFILE_ADDRESS_BYTES];

    fputs("  ", out);
    profile_print_cell(profile_address(map->at, address), 11, out);
    for (size_t i = 0; i < map->n; i++)
        fprintf(out, "%s%s0x%llX = %s", i ? ", " : "", map->is_bits ? "&" : "",
                (unsigned long long)map->choice[i].raw, map->choice[i].word);
    fprintf(out, "%s%s%s\n", help ? "   (" : "", help ? help : "", help ? ")" : "");
}

static void print_wiring(const struct profile *p, FILE *out)
{
    if (p->has_lorawan) {
        fputs("  LoRaWAN\n", out);
        return;
    }
    fprintf(out, "  %s%s%s", p->has_rtu ? "Modbus RTU" : "",
            p->has_rtu && p->has_tcp ? ", " : "", p->has_tcp ? "Modbus TCP" : "");
    if (p->serial.baud)
        fprintf(out, ", %d baud", p->serial.baud);
    if (p->serial.format)
        fprintf(out, ", %s", p->serial.format);
    if (p->serial.unit)
        fprintf(out, ", unit %d", p->serial.unit);
    fprintf(out, ", %s, <= %d registers, timeout %lld ms\n", profile_orders[p->order],
            p->read_max, (long long)p->timeout_ms);
}

static void print_maps_of_points(const struct profile *p, bool is_chinese, FILE *out)
{
    bool is_first = true;

    for (size_t i = 0; i < p->points_n; i++) {
        const struct profile_point *pt = &p->points[i];
        if ((pt->unit_from.at.space || pt->quality.at.space) && is_first)
            fputs(is_chinese ? "\n单位与质量代码\n" : "\nCodes of unit and quality\n", out);
        if (pt->unit_from.at.space)
            print_map(&pt->unit_from, pt->id, out);
        if (pt->quality.at.space)
            print_map(&pt->quality, pt->id, out);
        is_first = is_first && !pt->unit_from.at.space && !pt->quality.at.space;
    }
}

static void print_status(const struct profile *p, bool is_chinese, FILE *out)
{
    if (p->flags_n)
        fputs(is_chinese ? "\n状态位\n" : "\nFlags\n", out);
    for (size_t i = 0; i < p->flags_n; i++)
        print_map(&p->flags[i].map, is_chinese ? p->flags[i].help_zh : p->flags[i].help, out);
    if (p->mode.at.space) {
        fputs(is_chinese ? "\n运行模式\n" : "\nMode\n", out);
        print_map(&p->mode, NULL, out);
    }
    print_maps_of_points(p, is_chinese, out);
    if (p->order_from.at.space) {
        fputs(is_chinese ? "\n字序寄存器\n" : "\nWord order\n", out);
        print_map(&p->order_from, NULL, out);
    }
}

static void print_parameter(const struct profile_parameter *param, bool is_chinese, FILE *out)
{
    fprintf(out, "    ");
    profile_print_cell(param->id, 22, out);
    profile_print_cell(is_chinese ? param->zh : param->en, 24, out);
    fprintf(out, "%.10g..%.10g%s%s", param->min, param->max, param->unit ? " " : "",
            param->unit ? param->unit->code : "");
    if (param->is_integer)
        fputs(is_chinese ? "，整数" : ", whole", out);
    if (!isnan(param->dflt))
        fprintf(out, is_chinese ? "，默认 %.10g" : ", %.10g when not given", param->dflt);
    putc('\n', out);
}

static void print_commands(const struct profile *p, const char *lang, FILE *out)
{
    bool is_chinese = is_zh(lang);

    if (p->commands_n)
        fputs(is_chinese ? "\n命令\n" : "\nCommands\n", out);
    for (size_t i = 0; i < p->commands_n; i++) {
        const struct profile_command *c = &p->commands[i];
        fputs("  ", out);
        profile_print_cell(c->id, 24, out);
        fputs(is_chinese ? c->zh : c->en, out);
        if (c->mode)
            fprintf(out, " (%s, %lld s)", c->mode, (long long)(c->mode_ms / 1000));
        putc('\n', out);
        for (size_t k = 0; k < c->parameters_n; k++)
            print_parameter(&c->parameters[k], is_chinese, out);
    }
}

static void print_variants(const struct profile *p, bool is_chinese, FILE *out)
{
    struct buf b = BUF_INIT(4096);

    if (p->variants_n)
        fputs(is_chinese ? "\n其他寄存器布局\n" : "\nOther layouts\n", out);
    for (size_t i = 0; i < p->variants_n; i++) {
        const struct profile *v = p->variants[i];
        buf_clear(&b);
        for (size_t k = 0; k < v->when_n; k++) {
            buf_puts(&b, k ? ", " : "");
            put_test(&b, &v->when[k]);
        }
        const char *when = buf_text(&b);
        fputs("  ", out);
        profile_print_cell(v->variant, 24, out);
        fprintf(out, "%s\n", when ? when : "...");
    }
    buf_done(&b);
}

static void print_remark(const char *remark, FILE *out)
{
    if (remark)
        fprintf(out, "\n%s\n", remark);
}

void profile_print(const struct profile *p, const char *lang, FILE *out)
{
    bool is_chinese = is_zh(lang);
    char media[TEXT_BYTES];

    fprintf(out, "%s: %s\n", p->id, is_chinese ? p->zh : p->en);
    fprintf(out, "  %s %s (%s)\n", p->vendor, p->models,
            profile_media(p, lang, media, sizeof media));
    fprintf(out, "  %s%s%s%s\n", profile_trust(p, lang), p->evidence ? " (" : "",
            p->evidence ? p->evidence : "", p->evidence ? ")" : "");
    if (p->source)
        fprintf(out, "  %s\n", p->source);
    print_wiring(p, out);
    if (p->payload)
        fputs(is_chinese ? "\n测点\n" : "\nPoints\n", out);
    else
        fputs(is_chinese ? "\n测点（PDU 地址）\n" : "\nPoints (PDU addresses)\n", out);
    for (size_t i = 0; i < p->points_n; i++)
        print_point(&p->points[i], p->payload != NULL, lang, out);
    if (p->payload)
        layout_print(p, is_chinese, out);
    print_status(p, is_chinese, out);
    print_commands(p, lang, out);
    print_variants(p, is_chinese, out);
    print_remark(is_chinese ? p->setup_zh : p->setup, out);
    print_remark(is_chinese ? p->notes_zh : p->notes, out);
}

static void put_text(struct buf *b, const char *key, const char *text)
{
    buf_printf(b, ",\"%s\":", key);
    buf_json(b, text);
}

static void put_number(struct buf *b, const char *key, double x)
{
    if (isnan(x))
        buf_printf(b, ",\"%s\":null", key);
    else
        buf_printf(b, ",\"%s\":%.15g", key, x);
}

static void put_choices(struct buf *b, const char *key, const struct profile_map *map)
{
    char address[PROFILE_ADDRESS_BYTES];

    buf_printf(b, "\"%s\":{\"at\":\"%s\",\"bits\":%s,\"map\":{", key,
               profile_address(map->at, address), map->is_bits ? "true" : "false");
    for (size_t i = 0; i < map->n; i++) {
        buf_printf(b, "%s\"%lld\":", i ? "," : "", (long long)map->choice[i].raw);
        buf_json(b, map->choice[i].word);
    }
    buf_puts(b, "}}");
}

static void put_point(struct buf *b, const struct profile_point *pt, bool is_payload)
{
    char address[PROFILE_ADDRESS_BYTES];

    buf_puts(b, "{\"id\":");
    buf_json(b, pt->id);
    put_text(b, "role", profile_roles[pt->role]);
    put_text(b, "at", pt->at.space ? profile_address(pt->at, address) : NULL);
    if (pt->has_mei)
        buf_printf(b, ",\"mei\":%d", pt->mei);
    put_text(b, "type", is_payload ? NULL : type_name(pt->type));
    put_text(b, "unit", pt->unit ? pt->unit->code : NULL);
    put_text(b, "quantity", pt->quantity ? pt->quantity->id : NULL);
    put_text(b, "canonical", pt->quantity ? pt->quantity->unit : NULL);
    put_text(b, "stat", pt->stat);
    put_number(b, "scale", pt->scale);
    put_number(b, "offset", pt->offset);
    put_number(b, "min", pt->range_min);
    put_number(b, "max", pt->range_max);
    buf_printf(b, ",\"option\":%s", pt->is_option ? "true" : "false");
    if (pt->unit_from.at.space) {
        buf_puts(b, ",");
        put_choices(b, "unit_from", &pt->unit_from);
    }
    if (pt->quality.at.space) {
        buf_puts(b, ",");
        put_choices(b, "quality", &pt->quality);
    }
    buf_puts(b, "}");
}

static void put_names(struct buf *b, const char *en, const char *zh)
{
    buf_puts(b, ",\"names\":{\"en\":");
    buf_json(b, en);
    put_text(b, "zh", zh);
    buf_puts(b, "}");
}

static void put_command(struct buf *b, const struct profile_command *c)
{
    buf_puts(b, "{\"id\":");
    buf_json(b, c->id);
    put_names(b, c->en, c->zh);
    put_text(b, "mode", c->mode);
    buf_printf(b, ",\"mode_ms\":%lld,\"parameters\":[", (long long)c->mode_ms);
    for (size_t i = 0; i < c->parameters_n; i++) {
        const struct profile_parameter *param = &c->parameters[i];
        buf_puts(b, i ? ",{\"id\":" : "{\"id\":");
        buf_json(b, param->id);
        put_names(b, param->en, param->zh);
        put_text(b, "unit", param->unit ? param->unit->code : NULL);
        put_number(b, "min", param->min);
        put_number(b, "max", param->max);
        put_number(b, "default", param->dflt);
        buf_printf(b, ",\"integer\":%s}", param->is_integer ? "true" : "false");
    }
    buf_puts(b, "]}");
}

static void put_details(struct buf *b, const struct profile *p)
{
    buf_puts(b, ",\"points\":[");
    for (size_t i = 0; i < p->points_n; i++) {
        buf_puts(b, i ? ",\n" : "\n");
        put_point(b, &p->points[i], p->payload != NULL);
    }
    buf_puts(b, "],\"flags\":[");
    for (size_t i = 0; i < p->flags_n; i++) {
        buf_puts(b, i ? ",\n{" : "\n{");
        put_choices(b, "when", &p->flags[i].map);
        put_text(b, "help", p->flags[i].help);
        buf_puts(b, "}");
    }
    buf_puts(b, "],\"commands\":[");
    for (size_t i = 0; i < p->commands_n; i++) {
        buf_puts(b, i ? ",\n" : "\n");
        put_command(b, &p->commands[i]);
    }
    buf_puts(b, "],\"variants\":[");
    for (size_t i = 0; i < p->variants_n; i++) {
        buf_puts(b, i ? "," : "");
        buf_json(b, p->variants[i]->variant);
    }
    buf_puts(b, "]");
    if (p->mode.at.space) {
        buf_puts(b, ",");
        put_choices(b, "mode", &p->mode);
    }
}

static void put_media(struct buf *b, const struct profile *p)
{
    const char *joint = "";

    buf_puts(b, ",\"media\":[");
    for (int m = 0; m < MEDIUM_COUNT_; m++)
        if (p->media >> m & 1) {
            buf_puts(b, joint);
            buf_json(b, medium_id((enum medium)m));
            joint = ",";
        }
    buf_puts(b, "]");
}

void profile_put_json(struct buf *b, const struct profile *p, bool has_points)
{
    buf_puts(b, "{\"id\":");
    buf_json(b, p->id);
    put_names(b, p->en, p->zh);
    put_media(b, p);
    put_text(b, "vendor", p->vendor);
    put_text(b, "models", p->models);
    put_text(b, "verified", p->verified);
    put_text(b, "source", p->source);
    put_text(b, "notes", p->notes);
    put_text(b, "setup", p->setup);
    put_text(b, "order", profile_orders[p->order]);
    buf_printf(b, ",\"rtu\":%s,\"tcp\":%s,\"lorawan\":%s", p->has_rtu ? "true" : "false",
               p->has_tcp ? "true" : "false", p->has_lorawan ? "true" : "false");
    if (has_points)
        put_details(b, p);
    if (has_points && p->payload)
        layout_put_json(b, p);
    buf_puts(b, "}");
}
