/* SPDX-License-Identifier: Apache-2.0 */
/* Surface water by GB 3838-2002: class of each item, class of the row by its worst. */
#include <string.h>

#include "gateway/cmd/index_kind.h"

#define STANDARD "GB 3838-2002"

static enum gb3838_body body_of(const struct index_job *j)
{
    return j->o->is_lake ? GB3838_LAKE : GB3838_RIVER;
}

static int begin(struct index_job *j)
{
    j->u.water.saturation = -1;
    return 0;
}

static enum index_bound bind(struct index_job *j, unsigned column)
{
    const struct index_heading *h = &j->columns[column];
    struct index_water *w = &j->u.water;
    const char *name = h->quantity ? h->quantity->id : h->base;
    const struct gb3838_item *item = gb3838_find(name);

    if (strcmp(name, "dissolved_oxygen_sat") == 0) {
        w->saturation = (int)column;
        return BOUND;
    }
    if (!item || (item->is_outside_river && !j->o->is_lake))
        return BOUND_NOT;
    for (unsigned i = 0; i < column; i++)
        if (w->columns[i].item == item) {
            index_complain(j, "columns %s and %s are the same item", j->columns[i].name,
                           h->name);
            return BOUND_WRONG;
        }
    if (index_ratio(j, column, item->unit, 0, &w->columns[column].by) < 0)
        return BOUND_WRONG;
    w->columns[column].item = item;
    return BOUND;
}

static int class_of(const struct index_job *j, const struct index_row *r, unsigned i)
{
    const struct index_water *w = &j->u.water;
    const struct gb3838_item *item = w->columns[i].item;
    struct decimal saturation = DECIMAL_MISSING, oxygen;

    if (!item || !index_is_usable(&r->cells[i]))
        return GB3838_NONE;
    if (!item->is_least)
        return gb3838_class(item, body_of(j), r->cells[i].value, w->columns[i].by);
    if (w->saturation >= 0 && index_is_usable(&r->cells[w->saturation]))
        saturation = r->cells[w->saturation].value;
    if (exact_value(r->cells[i].value, w->columns[i].by, &oxygen) < 0)
        return GB3838_NONE;
    return gb3838_class_of_oxygen(oxygen, saturation);
}

static const char *item_name(const struct index_job *j, unsigned i)
{
    const struct index_heading *h = &j->columns[i];

    if (!h->quantity)
        return h->base;
    return j->is_zh ? h->quantity->zh : h->quantity->en;
}

static void put_json(struct index_job *j, const int *classes, int worst, int items)
{
    struct buf *b = &j->out;
    const char *comma = "";

    buf_printf(b, ",\"body\":\"%s\",\"items_n\":%d", j->o->is_lake ? "lake" : "river", items);
    if (worst == GB3838_NONE)
        buf_puts(b, ",\"class\":null,\"reason\":\"nothing\"");
    else
        buf_printf(b, ",\"class\":%d", worst);
    index_json_words(b, "class_name", gb3838_class_name(worst, "en"),
                     gb3838_class_name(worst, "zh"));
    buf_puts(b, ",\"items\":[");
    for (unsigned i = 0; i < j->columns_n; i++) {
        const struct gb3838_item *item = j->u.water.columns[i].item;
        if (!item)
            continue;
        buf_printf(b, "%s{\"item\":\"%s\",", comma, item->quantity);
        if (classes[i] == GB3838_NONE)
            buf_puts(b, "\"class\":null,\"reason\":\"missing\"}");
        else
            buf_printf(b, "\"class\":%d,\"is_deciding\":%s}", classes[i],
                       classes[i] == worst ? "true" : "false");
        comma = ",";
    }
    buf_puts(b, "]}\n");
}

static void put_text(struct index_job *j, const int *classes, int worst, int items)
{
    const char *lang = j->is_zh ? "zh" : "en", *comma = "";
    struct buf *b = &j->out;

    if (worst == GB3838_NONE)
        buf_puts(b, j->is_zh ? "NA（没有可评价的项目）；" : "NA (no item has a value); ");
    else
        buf_printf(b, j->is_zh ? "%s（按 %d 项监测项目）；" : "%s by %d items measured; ",
                   gb3838_class_name(worst, lang), items);
    for (unsigned i = 0; i < j->columns_n; i++) {
        if (!j->u.water.columns[i].item)
            continue;
        buf_printf(b, "%s%s %s", comma, item_name(j, i),
                   classes[i] == GB3838_NONE ? "NA" : gb3838_class_name(classes[i], lang));
        comma = j->is_zh ? "，" : ", ";
    }
    buf_puts(b, "\n");
}

static int row(struct index_job *j, const struct index_row *r)
{
    int classes[INDEX_COLUMNS_MAX], worst = GB3838_NONE, items = 0;

    for (unsigned i = 0; i < j->columns_n; i++) {
        classes[i] = class_of(j, r, i);
        items += classes[i] != GB3838_NONE;
        worst = classes[i] > worst ? classes[i] : worst;
    }
    index_row_begin(j, r, STANDARD);
    if (j->format == FORMAT_JSON)
        put_json(j, classes, worst, items);
    else
        put_text(j, classes, worst, items);
    return 0;
}

const struct index_kind index_kind_water = { begin, bind, NULL, row, NULL };
