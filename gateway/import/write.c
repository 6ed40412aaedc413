/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/import/write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/conf/utf8.h"
#include "gateway/conf/value.h"
#include "sensors/core/decimal.h"

enum { SENTENCE_MAX = 640, NAME_CHARS = 80 };

static const char *const types[] = {
    [TYPE_U16] = "u16", [TYPE_S16] = "s16",  [TYPE_U32] = "u32", [TYPE_S32] = "s32",
    [TYPE_U64] = "u64", [TYPE_S64] = "s64",  [TYPE_F32] = "f32", [TYPE_F64] = "f64",
    [TYPE_BIT] = "bit", [TYPE_TEXT] = "str",
};
static const char *const orders[] = { "ABCD", "CDAB", "BADC", "DCBA" };
static const char *const kinds[] = { "modbus-tcp", "modbus-rtu", "modbus-rtu-tcp" };

static bool is_zh(const char *lang)
{
    return strcmp(lang, "zh") == 0;
}

/* A double-quoted YAML text; JSON's form is one. */
static void put_text(struct buf *b, const char *text)
{
    char shown[4 * NAME_CHARS + 4];

    utf8_shown(text, NAME_CHARS, shown, sizeof shown);
    buf_json(b, shown);
}

static void put_note(struct buf *b, const struct import_plan *p, const char *indent,
                     const struct import_note *n, const char *lang)
{
    const char *slash = strrchr(p->file, '/');
    char text[SENTENCE_MAX];

    import_note_text(n, lang, text, sizeof text);
    buf_printf(b, "%s# %s:%d: %s\n", indent, slash ? slash + 1 : p->file, n->line, text);
}

static bool is_beside_point(const struct import_note *n, const struct import_device *dev)
{
    for (const struct import_point *pt = dev->points; pt; pt = pt->next)
        if (pt->line == n->line)
            return true;
    return false;
}

/* The notes about the whole file, or those of a device that stand at no point of its. */
static void put_notes(struct buf *b, const struct import_plan *p,
                      const struct import_device *dev, const char *indent, const char *lang)
{
    for (const struct import_note *n = p->notes; n; n = n->next)
        if (n->device == dev && !(dev && is_beside_point(n, dev)))
            put_note(b, p, indent, n, lang);
}

/* What was noted of the lines of one point, before its first value. */
static void put_point_notes(struct buf *b, const struct import_plan *p,
                            const struct import_device *dev, const struct import_point *pt,
                            const char *lang)
{
    for (const struct import_note *n = p->notes; n; n = n->next)
        if (n->device == dev && n->line == pt->line)
            put_note(b, p, "  ", n, lang);
}

static void put_number(struct buf *b, const char *key, double v)
{
    char text[VALUE_TEXT_MAX];

    value_double_text(v, text);
    buf_printf(b, ", %s: %s", key, text);
}

static void put_place(struct buf *b, const struct import_point *pt)
{
    buf_printf(b, ", at: %c:%u", " cdhi"[pt->space], pt -> first);
    if (pt->bit >= 0)
        buf_printf(b, ".%d", pt->bit);
    else if (pt->type == TYPE_TEXT)
        buf_printf(b, "/%u", pt->count);
    if (pt->space >= SPACE_HOLDING)
        buf_printf(b, ", type: %s", types[pt->type]);
    if (pt->order != ORDER_ABCD)
        buf_printf(b, ", order: %s", orders[pt->order]);
    if (pt->mask)
        buf_printf(b, ", mask: 0x%llX", (unsigned long long)pt->mask);
    if (pt->shift)
        buf_printf(b, ", shift: %u", pt->shift);
}

/* The range of the gross range test, in the quantity's unit: the vocabulary's, and inside it
 * what the other program allows. */
static void put_range(struct buf *b, const struct import_point *pt)
{
    double range[2] = { pt->quantity->range_min, pt->quantity->range_max };
    double given[2] = { pt->min, pt->max };
    struct unit_conversion c = { 1, 0, true };
    char text[2][VALUE_TEXT_MAX];

    unit_conversion_for(pt->unit, pt->quantity, &c);
    for (int i = 0; i < 2; i++) {
        double v = given[i] * c.factor + c.offset;
        if (!isnan(v) && v > range[0] && v < range[1])
            range[i] = decimal_to_double(decimal_round(v, 9));
    }
    if (range[0] >= range[1]) {
        range[0] = pt->quantity->range_min;
        range[1] = pt->quantity->range_max;
    }
    value_double_text(range[0], text[0]);
    value_double_text(range[1], text[1]);
    buf_printf(b, ", quantity: %s, range: [%s, %s]", pt->quantity->id, text[0], text[1]);
}

static void put_point(struct buf *b, const struct import_point *pt)
{
    const char *name = pt->name[0] ? pt->name : pt->id;

    buf_printf(b, "  - {id: %s, names: {en: ", pt->id);
    put_text(b, name);
    buf_puts(b, ", zh: ");
    put_text(b, name);
    buf_puts(b, "}");
    put_place(b, pt);
    if (pt->scale != 1)
        put_number(b, "scale", pt->scale);
    if (pt->offset != 0)
        put_number(b, "offset", pt->offset);
    if (pt->unit)
        buf_printf(b, ", unit: \"%s\"", pt->unit->code);
    if (pt->quantity)
        put_range(b, pt);
    for (size_t i = 0; i < pt->invalid_n; i++)
        buf_printf(b, "%s0x%llX%s", i ? ", " : ", invalid: [",
                   (unsigned long long)pt->invalid[i], i + 1 == pt->invalid_n ? "]" : "");
    buf_puts(b, "}\n");
}

static void put_media(const struct import_device *dev, struct buf *b)
{
    unsigned media = 0;
    bool has_one = false;

    for (const struct import_point *pt = dev->points; pt; pt = pt->next)
        media |= pt->quantity ? 1u << pt->quantity->medium : 0;
    if (media == 0)
        media = 1u << MEDIUM_STATION;
    buf_puts(b, "medium: [");
    for (int m = 0; m < MEDIUM_COUNT_; m++) {
        if (!(media >> m & 1))
            continue;
        buf_printf(b, "%s%s", has_one ? ", " : "", medium_id((enum medium)m));
        has_one = true;
    }
    buf_puts(b, "]\n");
}

static void put_head(const struct import_plan *p, const struct import_device *dev,
                     const char *lang, struct buf *b)
{
    const char *slash = strrchr(p->file, '/');

    buf_puts(b, is_zh(lang) ? "# 由其他程序的配置生成，来源：" : "# Made from ");
    buf_printf(b, "%s (%s). ", slash ? slash + 1 : p->file, p->program);
    buf_puts(b, is_zh(lang)
                    ? "写有 quantity 的点位成为通道，其余点位仅显示。\n"
                    : "Points with a quantity become channels, the others are shown.\n");
    buf_printf(b, "profile: 1\nid: %s\nnames: {en: ", dev->profile);
    put_text(b, dev->name);
    buf_puts(b, ", zh: ");
    put_text(b, dev->name);
    buf_printf(b, "}\nvendor: \"%s\"\nmodels: [", is_zh(lang) ? "未知" : "not known");
    put_text(b, dev->name);
    buf_puts(b, "]\n");
    put_media(dev, b);
    buf_puts(b, "verified: template\nsources: [");
    put_text(b, slash ? slash + 1 : p->file);
    buf_puts(b, "]\n");
}

void import_write_profile(const struct import_plan *p, const struct import_device *dev,
                          const char *lang, struct buf *b)
{
    put_head(p, dev, lang, b);
    buf_printf(b, "bus:\n  doc_base: 0\n");
    if (dev->is_single || dev->read_max || dev->pause_ms) {
        buf_puts(b, "  read: {max: ");
        buf_printf(b, "%lld", (long long)(dev->read_max ? dev->read_max : PROFILE_REQUEST_MAX));
        if (dev->is_single)
            buf_puts(b, ", single: true");
        if (dev->pause_ms)
            buf_printf(b, ", pause: %lldms",
                       (long long)(dev->pause_ms < 10000 ? dev->pause_ms : 10000));
        buf_puts(b, "}\n");
    }
    buf_puts(b, "points:\n");
    put_notes(b, p, dev, "  ", lang);
    int line = 0;
    for (const struct import_point *pt = dev->points; pt; pt = pt->next) {
        if (pt->line != line)
            put_point_notes(b, p, dev, pt, lang);
        line = pt->line;
        put_point(b, pt);
    }
}

static int64_t limit(int64_t v, int64_t min, int64_t max)
{
    return v < min ? min : v > max ? max : v;
}

static void put_rs485(const struct import_bus *bus, struct buf *b)
{
    if (!bus->rts)
        return;
    buf_printf(b, ", rs485: {rts_on_send: %s", bus->rts);
    if (bus->rts_before_ms)
        buf_printf(b, ", before: %lldms", (long long)limit(bus->rts_before_ms, 0, 100));
    if (bus->rts_after_ms)
        buf_printf(b, ", after: %lldms", (long long)limit(bus->rts_after_ms, 0, 100));
    buf_puts(b, "}");
}

static void put_bus(const struct import_bus *bus, struct buf *b)
{
    buf_printf(b, "  - {id: %s, type: %s, ", bus->id, kinds[bus->kind]);
    if (bus->kind == IMPORT_RTU) {
        buf_puts(b, "port: ");
        buf_json(b, bus->device);
        buf_printf(b, ", baud: %lld, format: %s", (long long)bus->baud, bus->format);
        put_rs485(bus, b);
        buf_puts(b, "}\n");
        return;
    }
    buf_puts(b, "host: ");
    buf_json(b, bus->host);
    buf_printf(b, ", port: %lld}\n", (long long)bus->port);
}

static void put_device(const struct import_device *dev, struct buf *b)
{
    char text[VALUE_TEXT_MAX];

    buf_printf(b, "  - {id: %s, names: {en: ", dev->id);
    put_text(b, dev->name);
    buf_puts(b, ", zh: ");
    put_text(b, dev->name);
    value_duration_text(limit(dev->poll_ms, 100, 86400000), text);
    buf_printf(b, "}, profile: %s, bus: %s, unit: %d, poll: %s", dev->profile, dev->bus->id,
               dev->unit, text);
    if (dev->timeout_ms) {
        value_duration_text(limit(dev->timeout_ms, 10, 60000), text);
        buf_printf(b, ", timeout: %s", text);
    }
    buf_puts(b, dev->is_enabled ? "}\n" : ", enabled: false}\n");
}

/* The notes of a device whose points stand in another one's profile. */
static void put_shared_notes(const struct import_plan *p, const struct import_device *dev,
                             const char *lang, struct buf *b)
{
    for (const struct import_note *n = p->notes; n; n = n->next)
        if (n->device == dev && import_reason_is_left(n->reason))
            put_note(b, p, "  ", n, lang);
}

void import_write_stanza(const struct import_plan *p, const char *lang, struct buf *b)
{
    const char *slash = strrchr(p->file, '/');

    buf_puts(b, is_zh(lang) ? "# 由其他程序的配置生成，来源：" : "# Made from ");
    buf_printf(b, "%s (%s).\n", slash ? slash + 1 : p->file, p->program);
    put_notes(b, p, NULL, "", lang);
    buf_puts(b, "profiles: [profiles.d]\nbuses:\n");
    for (const struct import_bus *bus = p->buses; bus; bus = bus->next)
        put_bus(bus, b);
    buf_puts(b, "devices:\n");
    for (const struct import_device *d = p->devices; d; d = d->next) {
        if (!d->is_first_of_profile)
            put_shared_notes(p, d, lang, b);
        put_device(d, b);
    }
}
