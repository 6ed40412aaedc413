/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/conf/config_internal.h"
#include "gateway/conf/utf8.h"
#include "gateway/conf/value.h"
#include "rules/alert/alert.h"
#include "sensors/core/quantity.h"
#include "sensors/core/unit.h"

enum {
    WORDS_MAX = 512,  /* quantities and units offered as suggestions; about 60 and 60 exist */
    DELAY_N_MAX = 32, /* of "m of n": alert.h */
};

#define DEAD_BAND 0.05 /* of set, when clear is not given */

/* What the channels that a rule selects have in common. */
struct selection {
    size_t n;
    const struct quantity *quantity; /* the first; NULL: none */
    bool is_mixed;                   /* several units */
};

static const struct quantity *check_quantity(const struct check *k, const struct rule_conf *r)
{
    const char *words[WORDS_MAX + 1];
    char shown[DIAG_SHOWN_BYTES];
    size_t n = 0;
    const struct quantity *q = quantity_find(r->quantity);

    if (q)
        return q;
    for (; n < quantities_n && n < WORDS_MAX; n++)
        words[n] = quantities[n].id;
    words[n] = NULL;
    const char *near = nearest_word(r->quantity, words);
    utf8_shown(r->quantity, DIAG_SHOWN_MAX, shown, sizeof shown);
    check_error(k, r, &r->quantity, E_WORD, "no quantity is called '%s'%s%s%s", shown,
                near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

static bool check_medium(const struct check *k, const struct rule_conf *r, enum medium *ret)
{
    const char *words[MEDIUM_COUNT_ + 1] = { NULL };
    char shown[DIAG_SHOWN_BYTES];

    if (medium_find(r->medium, ret) == 0)
        return true;
    for (int m = 0; m < MEDIUM_COUNT_; m++)
        words[m] = medium_id((enum medium)m);
    const char *near = nearest_word(r->medium, words);
    utf8_shown(r->medium, DIAG_SHOWN_MAX, shown, sizeof shown);
    check_error(k, r, &r->medium, E_WORD, "no medium is called '%s'%s%s%s", shown,
                near ? ", did you mean '" : ", expected one of ",
                near ? near : "air, weather, water, soil, noise, radiation or station",
                near ? "'?" : "");
    return false;
}

static bool is_channel_enabled(const struct device_conf *dev, const char *point)
{
    const struct correction_conf *c = dev->channels.items;

    for (size_t i = 0; i < dev->channels.n; i++) {
        if (c[i].id && strcmp(c[i].id, point) == 0)
            return c[i].is_enabled;
    }
    return true;
}

static void select_from(const struct rule_conf *r, const struct quantity *q, int medium,
                        const struct device_conf *dev, struct selection *ret)
{
    const struct profile *p = dev->profile_found;

    if (r->device && strcmp(r->device, dev->id) != 0)
        return;
    for (size_t i = 0; i < p->points_n; i++) {
        const struct quantity *mine = p->points[i].quantity;
        if (!mine || (q && mine != q) || (medium >= 0 && (int)mine->medium != medium) ||
            !is_channel_enabled(dev, p->points[i].id))
            continue;
        if (ret->n++ == 0)
            ret->quantity = mine;
        ret->is_mixed |= strcmp(mine->unit, ret->quantity->unit) != 0;
    }
}

/* False when something the selection needs has errors of its own. */
static bool select_channels(const struct check *k, const struct rule_conf *r,
                            struct selection *ret)
{
    const struct device_conf *devices = k->c->devices.items;
    const struct quantity *q = r->quantity ? check_quantity(k, r) : NULL;
    enum medium medium = MEDIUM_COUNT_;
    bool is_known = !r->quantity || q;

    if (r->medium)
        is_known &= check_medium(k, r, &medium);
    *ret = (struct selection){ .quantity = q };
    for (size_t i = 0; i < k->c->devices.n; i++) {
        is_known &= devices[i].profile_found && devices[i].id;
        if (is_known && devices[i].is_enabled)
            select_from(r, q, r->medium ? (int)medium : -1, &devices[i], ret);
    }
    return is_known;
}

static void check_selection(const struct check *k, const struct rule_conf *r,
                            const struct selection *s)
{
    if (!r->quantity && !r->medium && !r->device)
        check_error(k, r, &r->id, E_RULE,
                    "the selector is empty, expected quantity, medium or device");
    else if (s->is_mixed)
        check_error(k, r, r->medium ? &r->medium : &r->device, E_RULE,
                    "the rule selects quantities of different units, name one in the selector");
    else if (s->n == 0)
        check_warning(k, r,
                      r->quantity ? &r->quantity
                      : r->medium ? &r->medium
                                  : &r->device,
                      E_RULE, "no channel of this station fits the selector of rule '%s'",
                      r->id ? r->id : "");
}

static const char *nearest_unit(const char *text)
{
    const char *words[WORDS_MAX + 1];
    size_t n = 0;

    for (; n < units_n && n < WORDS_MAX; n++)
        words[n] = units[n].code;
    words[n] = NULL;
    return nearest_word(text, words);
}

/* Finds how the levels become canonical; false after an error. */
static bool check_unit(const struct check *k, const struct rule_conf *r,
                       const struct quantity *q, struct unit_conversion *ret)
{
    const struct unit *unit = unit_find(r->unit);
    const char *near = unit ? NULL : nearest_unit(r->unit);
    char shown[DIAG_SHOWN_BYTES];

    utf8_shown(r->unit, DIAG_SHOWN_MAX, shown, sizeof shown);
    if (!unit) {
        check_error(k, r, &r->unit, E_UNIT, "no unit is called '%s'%s%s%s", shown,
                    near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
        return false;
    }
    if (!q) {
        check_error(k, r, &r->unit, E_UNIT, "a rule with a unit must select a quantity");
        return false;
    }
    if (unit_conversion_for(unit, q, ret) == 0)
        return true;
    check_error(k, r, &r->unit, E_UNIT, "unit '%s' does not fit %s, which is in %s", shown,
                q->id, q->unit);
    return false;
}

/* What was not given: clear by the dead band, off as twice on. */
static void fill_level(const struct check *k, const struct rule_conf *r, struct level_conf *l)
{
    struct alert_delay on;
    char why[128], text[VALUE_TEXT_MAX];

    if (isnan(l->clear) && !isnan(l->set)) {
        double band = DEAD_BAND * fabs(l->set);
        l->clear = r->direction == ALERT_ABOVE ? l->set - band : l->set + band;
        if (band == 0)
            check_error(k, r, &l->id, E_RULE, "'clear' is needed when 'set' is 0");
    }
    if (l->off || !l->on || alert_delay_parse(l->on, &on, why, sizeof why))
        return;
    int n = on.m * 2 > DELAY_N_MAX ? DELAY_N_MAX : on.m * 2;
    if (on.n)
        snprintf(text, sizeof text, "%d of %d", n, n);
    else
        value_duration_text(2 * on.duration_ms, text);
    l->off = arena_text(k->arena, text, strlen(text));
}

static void check_clear(const struct check *k, const struct rule_conf *r,
                        const struct level_conf *l)
{
    bool is_above = r->direction == ALERT_ABOVE;
    char set[VALUE_TEXT_MAX], clear[VALUE_TEXT_MAX];

    if (is_above ? !(l->clear > l->set) : !(l->clear < l->set))
        return;
    value_double_text(l->set, set);
    value_double_text(l->clear, clear);
    check_error(k, r, &l->clear, E_RULE,
                "'clear' must not be %s 'set', got clear %s and set %s",
                is_above ? "above" : "below", clear, set);
}

static void check_reach(const struct check *k, const struct rule_conf *r,
                        const struct level_conf *l, const struct quantity *q)
{
    char limit[VALUE_TEXT_MAX];
    bool is_above = r->direction == ALERT_ABOVE;
    double end = is_above ? q->range_max : q->range_min;

    if (is_above ? !(l->set > end) : !(l->set < end))
        return;
    value_double_text(end, limit);
    check_warning(k, r, &l->set, E_RULE,
                  "never reached: values of %s %s %s are outside its range and bad", q->id,
                  is_above ? "above" : "below", limit);
}

static int rank(const struct level_conf *l)
{
    for (int i = LEVEL_BLUE; l->id && i < LEVEL_COUNT_; i++) {
        if (strcmp(l->id, alert_level_id((enum alert_level)i)) == 0)
            return i;
    }
    return LEVEL_NONE;
}

/* The more severe level must be further out. */
static void check_order(const struct check *k, const struct rule_conf *r,
                        struct level_conf *levels)
{
    const struct level_conf *by_rank[LEVEL_COUNT_] = { NULL }, *last = NULL;
    char a[VALUE_TEXT_MAX], b[VALUE_TEXT_MAX];

    for (size_t i = 0; i < r->levels.n; i++)
        by_rank[rank(&levels[i])] = &levels[i];
    for (int i = LEVEL_BLUE; i < LEVEL_COUNT_; i++) {
        const struct level_conf *l = by_rank[i];
        if (!l || isnan(l->set))
            continue;
        bool is_above = r->direction == ALERT_ABOVE;
        if (last && (is_above ? l->set <= last->set : l->set >= last->set)) {
            value_double_text(l->set, a);
            value_double_text(last->set, b);
            check_error(k, r, &l->set, E_RULE, "'%s' must be set %s '%s', got %s and %s", l->id,
                        is_above ? "above" : "below", last->id, a, b);
        }
        last = l;
    }
}

static void convert(struct rule_conf *r, struct level_conf *levels, const struct quantity *q,
                    const struct unit_conversion *c)
{
    for (size_t i = 0; i < r->levels.n; i++) {
        levels[i].set = levels[i].set * c->factor + c->offset;
        levels[i].clear = levels[i].clear * c->factor + c->offset;
    }
    r->unit = q->unit;
}

/* The pipeline makes these statistics. */
static void check_input(const struct check *k, const struct rule_conf *r)
{
    int64_t period = 0;
    char why[256];

    if (!r->input || alert_input_parse(r->input, &period, why, sizeof why))
        return;
    if (period != 0 && period != 60000 && period != 3600000)
        check_error(k, r, &r->input, E_RULE,
                    "there is no statistic '%s', expected raw, mean(1min) or mean(1h)",
                    r->input);
}

static void check_rule(const struct check *k, struct rule_conf *r)
{
    struct level_conf *levels = r->levels.items;
    struct unit_conversion conversion = { .factor = 1 };
    struct selection s;
    bool is_selected = select_channels(k, r, &s);

    if (is_selected)
        check_selection(k, r, &s);
    check_input(k, r);
    for (size_t i = 0; i < r->levels.n; i++) {
        fill_level(k, r, &levels[i]);
        check_clear(k, r, &levels[i]);
    }
    check_order(k, r, levels);
    if (r->unit && is_selected && !s.is_mixed && check_unit(k, r, s.quantity, &conversion))
        convert(r, levels, s.quantity, &conversion);
    for (size_t i = 0; i < r->levels.n && is_selected && s.quantity && !s.is_mixed; i++)
        check_reach(k, r, &levels[i], s.quantity);
}

void check_rules(const struct check *k)
{
    struct rule_conf *rules = k->c->rules.items;

    for (size_t i = 0; i < k->c->rules.n; i++)
        check_rule(k, &rules[i]);
}
