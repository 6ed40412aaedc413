/* SPDX-License-Identifier: Apache-2.0 */
/* Noise by GB 3096-2008: levels against the limits of the zone, day and night. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/index_kind.h"

#define STANDARD "GB 3096-2008"
#define DAY_MS   INT64_C(86400000)

static bool minute_of(int hours, int minutes, int *ret)
{
    *ret = hours * 60 + minutes;
    return hours >= 0 && hours <= 24 && minutes >= 0 && minutes < 60 && *ret <= 24 * 60;
}

/* "22:00-06:00" */
static bool night_of(const char *text, int *ret_begin, int *ret_end)
{
    int h1, m1, h2, m2, used = 0;

    return sscanf(text, "%2d:%2d-%2d:%2d%n", &h1, &m1, &h2, &m2, &used) == 4 &&
           text[used] == '\0' && minute_of(h1, m1, ret_begin) && minute_of(h2, m2, ret_end) &&
           *ret_begin != *ret_end;
}

static int begin(struct index_job *j)
{
    struct index_noise *n = &j->u.noise;

    n->zone = gb3096_find(j->o->zoning);
    if (!n->zone) {
        fprintf(stderr, "sluice index: --class is 0, 1, 2, 3, 4a or 4b, not '%s'.\n",
                j->o->zoning);
        return -EINVAL;
    }
    if (!night_of(j->o->night, &n->night_begin, &n->night_end)) {
        fprintf(stderr, "sluice index: --night is hours such as 22:00-06:00, not '%s'.\n",
                j->o->night);
        return -EINVAL;
    }
    return 0;
}

static enum index_bound bind(struct index_job *j, unsigned column)
{
    static const struct {
        const char *quantity;
        enum index_noise_column c;
    } uses[] = {
        { "laeq", NOISE_BY_TIME },
        { "l_day", NOISE_DAY },
        { "l_night", NOISE_NIGHT },
        { "la_max", NOISE_MAX },
    };
    const struct index_heading *h = &j->columns[column];

    for (size_t i = 0; h->quantity && i < sizeof uses / sizeof *uses; i++)
        if (strcmp(uses[i].quantity, h->quantity->id) == 0) {
            j->u.noise.columns[column] = uses[i].c;
            return BOUND;
        }
    return BOUND_NOT;
}

static enum gb3096_what what_of(enum index_noise_column c, bool is_night)
{
    if (c == NOISE_MAX)
        return GB3096_NIGHT_MAX;
    if (c == NOISE_BY_TIME)
        return is_night ? GB3096_NIGHT : GB3096_DAY;
    return c == NOISE_NIGHT ? GB3096_NIGHT : GB3096_DAY;
}

static void put_level(struct index_job *j, const char *name, enum gb3096_what what,
                      const struct sample *s)
{
    static const char *const ids[] = { "day", "night", "night_max" };
    static const char *const zh[] = { "昼间", "夜间", "夜间突发" };
    static const char *const en[] = { "day", "night", "night, sudden" };
    struct gb3096_verdict v;
    struct buf *b = &j->out;
    const bool is_json = j->format == FORMAT_JSON;

    if (is_json)
        buf_printf(b, "{\"item\":\"%s\",\"period\":\"%s\"", name, ids[what]);
    else
        buf_printf(b, "%s (%s) ", name, j->is_zh ? zh[what] : en[what]);
    if (!index_is_usable(s) || gb3096_judge(j->u.noise.zone, what, s->value, &v) < 0) {
        buf_puts(b, is_json ? ",\"level\":null,\"is_exceeded\":null,\"reason\":\"missing\"}"
                            : "NA");
        return;
    }
    if (is_json) {
        index_json_decimal(b, "level", s->value);
        buf_printf(b, ",\"limit\":%d", v.limit);
        index_json_decimal(b, "over", v.over);
        buf_printf(b, ",\"is_exceeded\":%s}", v.is_exceeded ? "true" : "false");
        return;
    }
    index_put_decimal(b, s->value);
    buf_printf(b, "%s%d dB(A)", v.is_exceeded ? " > " : " <= ", v.limit);
}

static int row(struct index_job *j, const struct index_row *r)
{
    const struct index_noise *n = &j->u.noise;
    const int64_t of_day = (r->local_ms % DAY_MS + DAY_MS) % DAY_MS;
    const bool is_night = gb3096_is_night((int)(of_day / 60000), n->night_begin, n->night_end);
    const bool is_json = j->format == FORMAT_JSON;
    const char *comma = "";

    index_row_begin(j, r, STANDARD);
    if (is_json)
        buf_printf(&j->out, ",\"class\":\"%s\",\"items\":[", n->zone->id);
    else
        buf_printf(&j->out, j->is_zh ? "%s类区；" : "class %s; ", n->zone->id);
    for (unsigned i = 0; i < j->columns_n; i++) {
        const enum index_noise_column c = n->columns[i];
        /* By day a largest level has no limit. */
        if (c == NOISE_UNUSED || (c == NOISE_MAX && !is_night))
            continue;
        buf_puts(&j->out, comma);
        put_level(j, j->columns[i].quantity->id, what_of(c, is_night), &r->cells[i]);
        comma = is_json ? "," : j->is_zh ? "，" : ", ";
    }
    buf_puts(&j->out, is_json ? "]}\n" : "\n");
    return 0;
}

const struct index_kind index_kind_noise = { begin, bind, NULL, row, NULL };
