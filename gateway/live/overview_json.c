/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/live/live_json.h"

static void put_texts(struct buf *b, const char *const *texts)
{
    buf_puts(b, "[");
    for (size_t i = 0; texts[i]; i++) {
        buf_puts(b, i ? "," : "");
        buf_json(b, texts[i]);
    }
    buf_puts(b, "]");
}

static void put_level(struct buf *b, const struct live_index *x)
{
    if (x->value < 0) {
        buf_puts(b, ",\"value\":null,\"level\":null,\"reason\":{\"id\":");
        buf_json(b, x->cause);
        buf_puts(b, ",\"en\":");
        buf_json(b, x->cause_en);
        buf_puts(b, ",\"zh\":");
        buf_json(b, x->cause_zh);
        buf_puts(b, "}");
        return;
    }
    buf_printf(b, ",\"value\":%d,\"level\":%d,\"level_names\":", x->value, x->level);
    live_json_names(b, x->level_en, x->level_zh);
    buf_puts(b, ",\"class\":");
    live_json_names(b, x->class_en, x->class_zh);
    buf_puts(b, ",\"colour\":");
    live_json_names(b, x->colour_en, x->colour_zh);
    buf_printf(b, ",\"rgb\":\"#%02X%02X%02X\",\"reason\":null", x->rgb[0], x->rgb[1],
               x->rgb[2]);
}

void live_json_indices(struct buf *b, struct live *l)
{
    struct live_index x[LIVE_INDICES_MAX];
    const size_t n = live_indices(l, x, LIVE_INDICES_MAX);

    buf_puts(b, "[");
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, "%s{\"standard\":", i ? "," : "");
        buf_json(b, x[i].standard);
        buf_puts(b, ",\"period\":");
        buf_json(b, x[i].period);
        buf_puts(b, ",\"names\":");
        live_json_names(b, x[i].name_en, x[i].name_zh);
        buf_puts(b, ",\"time\":");
        live_json_time(b, x[i].time_ms);
        put_level(b, &x[i]);
        buf_puts(b, ",\"primary\":");
        put_texts(b, x[i].primary);
        buf_puts(b, ",\"gaps\":");
        put_texts(b, x[i].gaps);
        buf_puts(b, ",\"provisional\":true}");
    }
    buf_puts(b, "]");
}

void live_json_maintenances(struct buf *b, struct live *l)
{
    struct live_maintenance m[LIVE_MAINTENANCES_MAX];
    const size_t n = live_maintenances(l, m, LIVE_MAINTENANCES_MAX);

    buf_puts(b, "[");
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, "%s{\"device\":", i ? "," : "");
        buf_json(b, m[i].device);
        buf_puts(b, ",\"names\":");
        live_json_names(b, m[i].en, m[i].zh);
        buf_puts(b, ",\"since\":");
        live_json_time(b, m[i].since_ms);
        buf_puts(b, ",\"until\":");
        live_json_time(b, m[i].until_ms);
        buf_puts(b, ",\"who\":");
        buf_json(b, m[i].who);
        buf_puts(b, ",\"why\":");
        buf_json(b, m[i].why);
        buf_puts(b, "}");
    }
    buf_puts(b, "]");
}
