/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/profile_text.h"

#include <math.h>

#include "gateway/cmd/profile_show.h"
#include "sensors/profile/type.h"

const char *const profile_orders[] = { "ABCD", "CDAB", "BADC", "DCBA" };
const char *const profile_roles[] = { "measurement", "diagnostic", "calibration" };

static void put_address(struct buf *b, struct register_address at)
{
    char address[PROFILE_ADDRESS_BYTES];

    buf_puts(b, profile_address(at, address));
}

void put_map(struct buf *b, const struct profile_map *map)
{
    if (!map->at.space)
        return;
    put_address(b, map->at);
    if (map->mask)
        buf_printf(b, " & 0x%llX", (unsigned long long)map->mask);
    if (map->shift)
        buf_printf(b, " >> %d", map->shift);
    buf_puts(b, map->is_bits ? " bits {" : " {");
    for (size_t i = 0; i < map->n; i++)
        buf_printf(b, map->is_bits ? "%s0x%llX: %s" : "%s%lld: %s", i ? ", " : "",
                   (unsigned long long)map->choice[i].raw, map->choice[i].word);
    buf_puts(b, "}");
}

void put_codes(struct buf *b, const struct profile_point *pt)
{
    for (size_t i = 0; i < pt->invalid_n; i++)
        if (type_is_float(pt->type))
            buf_printf(b, "%s%.9g", i ? " " : "", type_number(pt->type, pt->invalid[i]));
        else
            buf_printf(b, "%s0x%llX", i ? " " : "", (unsigned long long)pt->invalid[i]);
    if (!pt->invalid_from.space)
        return;
    buf_puts(b, pt->invalid_n ? " " : "");
    put_address(b, pt->invalid_from);
}

void put_span(struct buf *b, double min, double max)
{
    if (!isnan(min))
        buf_printf(b, "%.10g..%.10g", min, max);
}

static void put_source(struct buf *b, const struct profile_command *c,
                       const struct profile_step *s)
{
    static const char *const clock[] = {
        [FROM_YEAR] = "year",     [FROM_YEAR2] = "year2",     [FROM_MONTH] = "month",
        [FROM_DAY] = "day",       [FROM_HOUR] = "hour",       [FROM_MINUTE] = "minute",
        [FROM_SECOND] = "second", [FROM_WEEKDAY] = "weekday", [FROM_UNIX] = "unix",
    };

    if (s->source == FROM_CONSTANT)
        buf_printf(b, "%.15g", s->value);
    else
        buf_printf(b, "$%s",
                   s->source == FROM_PARAMETER ? c->parameters[s->parameter].id
                                               : clock[s->source]);
}

void put_step(struct buf *b, const struct profile_command *c, const struct profile_step *s)
{
    if (s->kind == STEP_WAIT) {
        buf_printf(b, "wait %lld ms", (long long)s->wait_ms);
        return;
    }
    buf_puts(b, s->kind == STEP_WRITE ? "write " : "expect ");
    put_address(b, s->at);
    buf_printf(b, " %s ", type_name(s->type));
    put_source(b, c, s);
    if (s->offset != 0)
        buf_printf(b, " - %.10g", s->offset);
    if (s->scale != 1)
        buf_printf(b, " / %.10g", s->scale);
    if (s->order >= 0)
        buf_printf(b, " %s", profile_orders[s->order]);
    buf_puts(b, s->is_joined ? " joined" : "");
    buf_puts(b, s->is_multiple ? " multiple" : "");
}

void put_test(struct buf *b, const struct profile_identify *t)
{
    if (t->mei >= 0)
        buf_printf(b, "object 0x%02X", (unsigned)t->mei);
    else
        put_address(b, t->at);
    if (t->mei < 0 && t->type != TYPE_U16 && t->type != TYPE_BIT)
        buf_printf(b, " %s", type_name(t->type));
    if (t->equals_text)
        buf_printf(b, " %s %s", t->is_pattern ? "like" : "=", t->equals_text);
    else if (t->in_min < t->in_max)
        buf_printf(b, " %.10g..%.10g", t->in_min, t->in_max);
    else
        buf_printf(b, " = %.10g", t->in_min);
    buf_puts(b, t->is_needed ? " (needed)" : "");
}

void put_concerned(struct buf *b, const struct profile *p, bool is_for_all, const uint8_t *set)
{
    const char *joint = "";

    if (is_for_all)
        buf_puts(b, "all");
    for (size_t i = 0; !is_for_all && i < p->points_n; i++)
        if (set[i / 8] >> i % 8 & 1) {
            buf_printf(b, "%s%s", joint, p->points[i].id);
            joint = " ";
        }
}
