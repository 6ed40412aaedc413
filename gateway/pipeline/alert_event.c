/* SPDX-License-Identifier: Apache-2.0 */
/* What the log is told of a rule: an alert, or a notice. */
#include <math.h>

#include "gateway/base/clock.h"
#include "gateway/pipeline/internal.h"

static void put_number(struct buf *b, const char *name, double x)
{
    char text[DECIMAL_TEXT_MAX];

    buf_printf(b, ",\"%s\":", name);
    if (!isfinite(x)) {
        buf_puts(b, "null");
        return;
    }
    decimal_print(decimal_from_double(x), text);
    buf_puts(b, text);
}

static void put_time(struct buf *b, const char *name, int64_t ms)
{
    char text[TIME_TEXT_MAX];

    time_print_utc(ms, text);
    buf_printf(b, ",\"%s\":\"%s\"", name, text);
}

static void put_text(struct buf *b, const char *name, const char *text)
{
    buf_printf(b, ",\"%s\":", name);
    buf_json(b, text);
}

static void put_title(struct buf *b, const char *name, const struct alert_rule *r)
{
    buf_printf(b, ",\"%s\":{\"en\":", name);
    buf_json(b, r->title_en ? r->title_en : r->id);
    buf_puts(b, ",\"zh\":");
    buf_json(b, r->title_zh ? r->title_zh : r->id);
    buf_puts(b, "}");
}

/* What happened, by which rule, to what. */
static void begin(struct pipeline *p, const char *kind, const struct alert_rule *r,
                  const struct alert_change *a)
{
    const struct channel *ch = &p->o->table->channels[r->channel];
    struct buf *b = &p->text;

    buf_clear(b);
    buf_printf(b, "{\"kind\":\"%s\"", kind);
    put_time(b, "time", a->time_ms);
    put_text(b, "transition", alert_transition_id(a->what));
    buf_printf(b, ",\"key\":\"%s/%s/%lld\"", r->id, ch->id, (long long)a->raised_ms);
    put_text(b, "rule", r->id);
}

/* To maintenance: it has neither colour nor state, nobody acknowledges it. */
static void write_notice(struct pipeline *p, const struct alert_rule *r,
                         const struct alert_change *a)
{
    const struct channel *ch = &p->o->table->channels[r->channel];
    struct buf *b = &p->text;

    begin(p, "notice", r, a);
    put_text(b, "what", "rule");
    put_text(b, "subject", ch->id);
    put_title(b, "text", r);
    put_text(b, "channel", ch->id);
    put_text(b, "device", ch->device);
    put_number(b, "value", a->value);
    put_number(b, "limit", a->limit);
    clock_put(p, b);
    buf_puts(b, "}");
}

static void write_alert(struct pipeline *p, const struct alert_rule *r,
                        const struct alert_change *a, const struct episode *e)
{
    const struct channel *ch = &p->o->table->channels[r->channel];
    struct buf *b = &p->text;

    begin(p, "alert", r, a);
    put_title(b, "title", r);
    put_text(b, "channel", ch->id);
    put_text(b, "device", ch->device);
    put_text(b, "quantity", ch->quantity->id);
    put_text(b, "medium", medium_id(ch->quantity->medium));
    put_text(b, "unit", ch->quantity->unit);
    put_text(b, "level", alert_level_id(a->level));
    put_text(b, "from", alert_level_id(a->from_level));
    put_text(b, "peak", alert_level_id(a->peak));
    put_text(b, "direction", alert_direction_words[r->direction]);
    put_number(b, "value", a->value);
    put_number(b, "limit", a->limit);
    put_number(b, "extreme", a->extreme);
    if (a->crossing.time_ms) {
        put_time(b, "crossing", a->crossing.time_ms);
        buf_printf(b, ",\"crossing_pm_s\":%lld", (long long)(a->crossing.plus_minus_ms / 1000));
    }
    buf_printf(b, ",\"flag\":%u", (unsigned)verdict_to_flag(a->verdict));
    put_time(b, "raised", a->raised_ms);
    if (e)
        book_put(e, b);
    clock_put(p, b);
    buf_puts(b, "}");
}

void alert_event_write(struct pipeline *p, const struct alert_rule *r,
                       const struct alert_change *a, const struct episode *e)
{
    if (r->is_notice)
        write_notice(p, r, a);
    else
        write_alert(p, r, a, e);
}
