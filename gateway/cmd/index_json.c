/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/index_json.h"

void index_json_decimal(struct buf *b, const char *name, struct decimal d)
{
    char text[DECIMAL_TEXT_MAX];

    buf_printf(b, ",\"%s\":", name);
    if (decimal_has_value(d))
        buf_put(b, text, decimal_print(d, text));
    else
        buf_puts(b, "null");
}

void index_json_words(struct buf *b, const char *name, const char *en, const char *zh)
{
    buf_printf(b, ",\"%s\":{\"en\":\"%s\",\"zh\":\"%s\"}", name, en, zh);
}

const char *index_json_cell(const struct index_part *p)
{
    return p->cause == INDEX_UNPLANNED ? "/" : "NA";
}

static const char *mean_of(const struct index_json *as, const struct index_part *p)
{
    return as->nowcasts & 1u << p->pollutant ? "nowcast" : index_mean_id(p->mean);
}

static void put_why_json(struct verdict v, struct buf *b)
{
    const char *comma = "";

    buf_printf(b, ",\"status\":\"%s\",\"reasons\":[", status_id(v.status));
    for (uint32_t rest = v.reasons; rest; rest &= rest - 1) {
        const char *id = reason_id(rest & -rest);
        if (!id)
            continue;
        buf_printf(b, "%s\"%s\"", comma, id);
        comma = ",";
    }
    buf_puts(b, "]");
}

static void put_part_json(const struct index_json *as, const struct index_part *p,
                          struct buf *b)
{
    const struct index_column *c = index_column_find(as->scheme, p->pollutant, p->mean);

    buf_printf(b, "{\"pollutant\":\"%s\",\"mean\":\"%s\"", index_pollutant_id(p->pollutant),
               mean_of(as, p));
    index_json_decimal(b, "concentration", p->rounded);
    if (c)
        buf_printf(b, ",\"unit\":\"%s\"", c->unit);
    if (p->sub != INDEX_NONE) {
        buf_printf(b, ",\"iaqi\":%d", p->sub);
    } else {
        buf_printf(b, ",\"iaqi\":null,\"cell\":\"%s\",\"reason\":\"%s\"", index_json_cell(p),
                   index_cause_id(p->cause));
        if (p->cause == INDEX_INVALID)
            put_why_json(p->verdict, b);
    }
    if (p->sub > 100)
        index_json_words(b, "sensitive", index_sensitive_groups(p->pollutant, "en"),
                         index_sensitive_groups(p->pollutant, "zh"));
    buf_puts(b, "}");
}

static void put_list_json(const struct index_json *as, const struct index_result *r,
                          bool is_primary, const char *name, struct buf *b)
{
    const char *comma = "";

    buf_printf(b, ",\"%s\":[", name);
    for (unsigned i = 0; i < r->parts_n; i++) {
        const struct index_part *p = &r->parts[i];
        if (!(is_primary ? p->is_primary : p->is_exceeding))
            continue;
        buf_printf(b, "%s\"%s_%s\"", comma, index_pollutant_id(p->pollutant), mean_of(as, p));
        comma = ",";
    }
    buf_puts(b, "]");
}

static void put_level_json(const struct index_json *as, const struct index_result *r,
                           struct buf *b)
{
    const struct index_scheme *s = as->scheme;
    const struct index_level *l = r->level;

    if (!l) {
        buf_printf(b, ",\"aqi\":null,\"reason\":\"%s\",\"level\":null,\"primary\":null",
                   index_cause_id(r->cause));
        return;
    }
    buf_printf(b, ",\"aqi\":%d,\"level\":%d", r->index, (int)(l - s->levels) + 1);
    index_json_words(b, "class", l->class_en, l->class_zh);
    index_json_words(b, "colour", l->colour_en, l->colour_zh);
    buf_printf(b, ",\"rgb\":\"#%02X%02X%02X\"", l->rgb[0], l->rgb[1], l->rgb[2]);
    put_list_json(as, r, true, "primary", b);
    if (s->exceeding_above != INDEX_NONE)
        put_list_json(as, r, false, "exceeding", b);
}

void index_json_result(const struct index_json *as, const struct index_result *r, struct buf *b)
{
    buf_printf(b, ",\"report\":\"%s\"", as->report == INDEX_DAY ? "day" : "hour");
    put_level_json(as, r, b);
    buf_puts(b, ",\"items\":[");
    for (unsigned i = 0; i < r->parts_n; i++) {
        buf_puts(b, i ? "," : "");
        put_part_json(as, &r->parts[i], b);
    }
    buf_puts(b, "]}\n");
}
