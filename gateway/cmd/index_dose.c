/* SPDX-License-Identifier: Apache-2.0 */
/* Gamma dose rate against the station's background, given or learned from the hours so far. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/index_kind.h"

enum { NET_DIGITS = 1 };

static int begin(struct index_job *j)
{
    struct index_dose *d = &j->u.dose;

    d->config = dose_default;
    d->rate = d->rain = -1;
    d->is_learning = j->o->background <= 0;
    if (!d->is_learning && j->o->deviation <= 0) {
        fputs("sluice index: --background needs the --deviation of its hourly means.\n",
              stderr);
        return -EINVAL;
    }
    if (!d->is_learning)
        d->background = dose_background_of(&d->config, j->o->background, j->o->deviation);
    return 0;
}

static bool is_one_of(const struct quantity *q, const char *a, const char *b)
{
    return q && (strcmp(q->id, a) == 0 || strcmp(q->id, b) == 0);
}

static enum index_bound bind(struct index_job *j, unsigned column)
{
    const struct index_heading *h = &j->columns[column];
    struct index_dose *d = &j->u.dose;
    struct unit_conversion by = { 1, 0, true };

    if (is_one_of(h->quantity, "precip", "precip_intensity")) {
        d->rain = (int)column;
        return BOUND;
    }
    if (!is_one_of(h->quantity, "dose_rate_air", "dose_rate_h10"))
        return BOUND_NOT;
    if (d->rate >= 0) {
        index_complain(j, "columns %s and %s are two dose rates; judge one at a time",
                       j->columns[d->rate].name, h->name);
        return BOUND_WRONG;
    }
    if (h->unit && unit_conversion_for(h->unit, h->quantity, &by) < 0) {
        index_complain(j, "%s: %s is no unit of %s", h->name, h->unit->code, h->quantity->en);
        return BOUND_WRONG;
    }
    d->rate = (int)column;
    d->factor = by.factor;
    return BOUND;
}

static void put_number(struct buf *b, const char *name, double x)
{
    index_json_decimal(b, name, isnan(x) ? DECIMAL_MISSING : decimal_round(x, NET_DIGITS));
}

static void put_json(struct index_job *j, const struct dose_verdict *v, bool is_rain)
{
    struct buf *b = &j->out;

    buf_printf(b, ",\"item\":\"%s\",\"level\":\"%s\"", j->columns[j->u.dose.rate].quantity->id,
               dose_level_id(v->level));
    index_json_words(b, "level_name", dose_level_name(v->level, "en"),
                     dose_level_name(v->level, "zh"));
    put_number(b, "background", j->u.dose.background.hours ? j->u.dose.background.mean : NAN);
    put_number(b, "net", v->net);
    buf_printf(b, ",\"is_rain\":%s}\n", is_rain ? "true" : "false");
}

static void put_text(struct index_job *j, const struct dose_verdict *v)
{
    struct buf *b = &j->out;

    buf_puts(b, dose_level_name(v->level, j->is_zh ? "zh" : "en"));
    if (!isnan(v->net)) {
        buf_puts(b, j->is_zh ? "；净增 " : "; net ");
        index_put_decimal(b, decimal_round(v->net, NET_DIGITS));
        buf_printf(b, " %s", j->columns[j->u.dose.rate].quantity->unit);
    }
    buf_puts(b, "\n");
}

static int row(struct index_job *j, const struct index_row *r)
{
    struct index_dose *d = &j->u.dose;
    double value = NAN;
    bool is_rain = false;

    if (d->rate < 0)
        return index_complain(j, "no column is a dose rate (dose_rate_air, dose_rate_h10)");
    if (index_is_usable(&r->cells[d->rate]))
        value = decimal_to_double(r->cells[d->rate].value) * d->factor;
    if (d->rain >= 0 && index_is_usable(&r->cells[d->rain]))
        is_rain = decimal_to_double(r->cells[d->rain].value) > 0;
    const struct dose_verdict v = dose_judge(&d->config, &d->background, value, is_rain);
    index_row_begin(j, r, "dose");
    if (j->format == FORMAT_JSON)
        put_json(j, &v, is_rain);
    else
        put_text(j, &v);
    if (d->is_learning)
        dose_background_add(&d->config, &d->background, value, is_rain);
    return 0;
}

const struct index_kind index_kind_dose = { begin, bind, NULL, row, NULL };
