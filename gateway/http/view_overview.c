/* SPDX-License-Identifier: Apache-2.0 */
/* view_overview - the station's indices on one card, and a line for each device under
 * maintenance. Nothing where there is neither. */
#include <stdio.h>
#include <string.h>

#include "gateway/http/view.h"

enum { LIST_MAX = 128, COLOUR_MAX = 8 };

static void list_text(const char *const *texts, char *buf)
{
    size_t n = 0;

    buf[0] = '\0';
    for (size_t i = 0; texts[i] && n < LIST_MAX; i++)
        n += (size_t)snprintf(buf + n, LIST_MAX - n, "%s%s", i ? ", " : "", texts[i]);
}

static void put_index(struct buf *b, const struct view *v, const struct live_index *x)
{
    const bool has_value = x->value >= 0;
    char value[VIEW_NUMBER_MAX] = "NA", colour[COLOUR_MAX] = "none", primary[LIST_MAX];
    char when[VIEW_TIME_MAX], iso[VIEW_TIME_MAX];

    if (has_value) {
        snprintf(value, sizeof value, "%d", x->value);
        snprintf(colour, sizeof colour, "#%02X%02X%02X", x->rgb[0], x->rgb[1], x->rgb[2]);
    }
    list_text(x->primary, primary);
    view_time(v, x->time_ms, when);
    view_iso(x->time_ms, iso);
    view_put(b, v, "index.html",
             (const struct template_value[]){
                 { "standard", x->standard },
                 { "period", x->period },
                 { "name", view_pick(v, x->name_en, x->name_zh) },
                 { "length",
                   view_word(v, strcmp(x->period, "day") == 0 ? "index.day" : "index.hour") },
                 { "value", value },
                 { "colour", colour },
                 { "word", has_value ? view_pick(v, x->level_en, x->level_zh)
                                     : view_pick(v, x->cause_en, x->cause_zh) },
                 { "class", has_value ? view_pick(v, x->class_en, x->class_zh) : "" },
                 { "primary_word", *primary ? view_word(v, "index.primary") : "" },
                 { "primary", primary },
                 { "iso", iso },
                 { "time", when },
                 { 0 },
             });
}

static void put_indices(struct buf *b, const struct view *v)
{
    struct buf rows = BUF_INIT(PAGE_MAX);

    for (size_t i = 0; i < v->indices_n; i++)
        put_index(&rows, v, &v->indices[i]);
    if (buf_text(&rows))
        view_put(b, v, "indices.html",
                 (const struct template_value[]){ { "rows", rows.data }, { 0 } });
    b->has_failed |= rows.has_failed;
    buf_done(&rows);
}

static void put_maintenance(struct buf *b, const struct view *v,
                            const struct live_maintenance *m)
{
    char since[VIEW_TIME_MAX], until[VIEW_TIME_MAX], iso[VIEW_TIME_MAX];

    view_time(v, m->since_ms, since);
    view_time(v, m->until_ms, until);
    view_iso(m->until_ms, iso);
    view_put(b, v, "maintenance.html",
             (const struct template_value[]){
                 { "device", m->device },
                 { "name", view_device_name(v, m->device) },
                 { "since", since },
                 { "until", until },
                 { "iso", iso },
                 { "who", m->who },
                 { "why", m->why },
                 { 0 },
             });
}

void view_put_overview(struct buf *b, const struct view *v)
{
    if (v->indices_n)
        put_indices(b, v);
    for (size_t i = 0; i < v->maintenances_n; i++)
        put_maintenance(b, v, &v->maintenances[i]);
}
