/* SPDX-License-Identifier: Apache-2.0 */
/* view_cards - the readings, grouped by medium. */
#include <stdio.h>
#include <string.h>

#include "gateway/http/view.h"
#include "sensors/core/unit.h"

enum {
    CARDS_MAX = 600,     /* a page of more helps nobody; all are in /api/v1/now */
    GROUP_MAX = 2 << 20, /* bytes of one group's HTML */
    REASONS_TEXT_MAX = 256,
};

/* What people look for first comes first; the instruments' own state last. */
static const enum medium order[] = { MEDIUM_AIR,    MEDIUM_WATER,     MEDIUM_SOIL,
                                     MEDIUM_NOISE,  MEDIUM_RADIATION, MEDIUM_WEATHER,
                                     MEDIUM_STATION };

/* Said by the status already. */
#define REASONS_IMPLIED (REASON_COMM | REASON_CAL | REASON_MAINT | REASON_ABOVE_RANGE)

static void reasons_text(const struct view *v, const struct sample *s, char *buf)
{
    uint32_t reasons = s->time_ms ? s->verdict.reasons & ~(uint32_t)REASONS_IMPLIED : 0;
    size_t n = 0;

    buf[0] = '\0';
    for (unsigned i = 0; i < 32 && n < REASONS_TEXT_MAX; i++) {
        const char *name = reasons & 1u << i ? reason_name(1u << i, lang_id(v->lang)) : NULL;
        if (name)
            n += (size_t)snprintf(buf + n, REASONS_TEXT_MAX - n, "%s%s", n ? ", " : "", name);
    }
}

/* Where it is measured: the device, and the point where its name says more than the quantity.
 */
static void where_text(const struct view *v, const struct channel *c, char *buf, size_t size)
{
    bool is_plain = strcmp(c->point, c->quantity->id) == 0;

    snprintf(buf, size, "%s%s%s", view_device_name(v, c->device), is_plain ? "" : " · ",
             is_plain ? "" : c->point);
}

static void put_card(struct buf *b, const struct view *v, size_t i)
{
    const struct channel *c = &v->table->channels[i];
    const struct quantity *q = c->quantity;
    const struct sample *s = &v->samples[i];
    const struct unit *unit = unit_find_ucum(q->unit);
    struct view_state state = view_state_of(s);
    char value[VIEW_NUMBER_MAX] = "", when[VIEW_TIME_MAX], iso[VIEW_TIME_MAX];
    char title[VIEW_TITLE_MAX], key[48], why[REASONS_TEXT_MAX], where[256];

    if (s->time_ms && decimal_has_value(s->value))
        view_value(q, s->value, value);
    view_title(v, q, title);
    view_time(v, s->time_ms, when);
    view_iso(s->time_ms, iso);
    snprintf(key, sizeof key, "state.%s", state.key);
    reasons_text(v, s, why);
    where_text(v, c, where, sizeof where);
    view_put(b, v, "card.html",
             (const struct template_value[]){
                 { "id", c->id },
                 { "name", title },
                 { "where", where },
                 { "value", *value ? value : "–" },
                 { "unit", unit && unit->display ? unit->display : q->unit },
                 { "state", state.key },
                 { "icon", state.icon },
                 { "word", view_word(v, key) },
                 { "why", why },
                 { "iso", iso },
                 { "time", when },
                 { 0 },
             });
}

static void put_group(struct buf *b, const struct view *v, enum medium medium, size_t *cards)
{
    struct buf inside = BUF_INIT(GROUP_MAX);
    char count[16];
    size_t n = 0;

    for (size_t i = 0; i < v->table->n && *cards < CARDS_MAX; i++) {
        const struct channel *c = &v->table->channels[i];
        if (c->statistic || c->quantity->medium != medium)
            continue;
        put_card(&inside, v, i);
        n++;
        ++*cards;
    }
    snprintf(count, sizeof count, "%zu", n);
    if (n && buf_text(&inside))
        view_put(b, v, "group.html",
                 (const struct template_value[]){
                     { "medium", medium_id(medium) },
                     { "name", medium_name(medium, lang_id(v->lang)) },
                     { "count", count },
                     { "cards", inside.data },
                     { 0 },
                 });
    b->has_failed |= inside.has_failed;
    buf_done(&inside);
}

void view_put_groups(struct buf *b, const struct view *v)
{
    size_t cards = 0;

    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        put_group(b, v, order[i], &cards);
}
