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

#define HOUR_MS INT64_C(3600000)

enum {
    WORDS_MAX = 512, /* quantities and units offered as suggestions; about 60 and 60 exist */
};

/* What the channels that a rule selects have in common. */
struct selection {
    size_t n;
    int64_t slowest_ms;              /* interval of polling */
    size_t watched;                  /* of them: there is a watch whose events can be judged */
    size_t with_statistic;           /* of them: polled often enough for the rule's input */
    const struct quantity *quantity; /* the first; NULL: none */
    bool is_mixed;                   /* several units */
    bool is_index;                   /* and nothing else */
    struct field_range reach;        /* the widest gross range among them */
};

/* A quantity's id by what other vocabularies call it: offered, never taken. */
static const char *quantity_by_code(const char *code)
{
    for (size_t i = 0; i < quantities_n; i++) {
        const struct quantity *q = &quantities[i];
        const char *const codes[] = { q->cf, q->hj212, q->aqs, q->en, q->zh };
        for (size_t j = 0; j < sizeof codes / sizeof codes[0]; j++) {
            if (codes[j] && strcmp(codes[j], code) == 0)
                return q->id;
        }
    }
    return NULL;
}

const struct quantity *check_quantity(const struct check *k, const void *item,
                                      const char *const *text)
{
    const char *words[WORDS_MAX + 1];
    char shown[DIAG_SHOWN_BYTES];
    size_t n = 0;
    const struct quantity *q = quantity_find(*text);

    if (q)
        return q;
    for (; n < quantities_n && n < WORDS_MAX; n++)
        words[n] = quantities[n].id;
    words[n] = NULL;
    const char *near = quantity_by_code(*text);
    if (!near)
        near = nearest_word(*text, words);
    utf8_shown(*text, DIAG_SHOWN_MAX, shown, sizeof shown);
    check_error(k, item, text, E_WORD, "no quantity is called '%s'%s%s%s", shown,
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

static void widen(struct field_range *reach, struct field_range r)
{
    if (!(r.min >= reach->min)) /* also when NaN: no limit */
        reach->min = r.min;
    if (!(r.max <= reach->max))
        reach->max = r.max;
}

/* Raw after an error, which the binder has told. */
static struct alert_input input_of(const struct rule_conf *r)
{
    struct alert_input in = { .kind = ALERT_RAW, .k = r->k };
    char why[256];

    if (r->input)
        alert_input_parse(r->input, &in, why, sizeof why);
    return in;
}

/* What a rule asks of a channel; quantity NULL and medium -1: any. */
struct wanted {
    const struct config *c;
    const struct quantity *quantity;
    int medium;
    const char *device;
    const struct alert_input *input;
};

static bool has_input(const struct wanted *w, const struct device_conf *dev,
                      const struct profile_point *p)
{
    const struct statistics_conf all = config_statistics(dev, p);
    char name[AGG_NAME_MAX];

    for (size_t i = 0; i < all.n; i++)
        if (strcmp(agg_want_name(all.w[i], name), w->input->statistic) == 0)
            return true;
    return w->input->kind != ALERT_STATISTIC;
}

static void select_from(const struct wanted *w, const struct device_conf *dev,
                        struct selection *ret)
{
    const struct profile *p = dev->profile_found;
    struct watch_config watch;

    if (w->device && strcmp(w->device, dev->id) != 0)
        return;
    for (size_t i = 0; i < p->points_n; i++) {
        const struct quantity *mine = p->points[i].quantity;
        if (!check_is_channel(dev, &p->points[i]) || (w->quantity && mine != w->quantity) ||
            (w->medium >= 0 && (int)mine->medium != w->medium))
            continue;
        struct field_range r = check_range_of(w->c, dev, &p->points[i]);
        if (ret->n++ == 0) {
            ret->quantity = mine;
            ret->reach = r;
        }
        widen(&ret->reach, r);
        ret->with_statistic += has_input(w, dev, &p->points[i]);
        ret->slowest_ms = dev->poll_ms > ret->slowest_ms ? dev->poll_ms : ret->slowest_ms;
        ret->watched += config_watch(w->c, dev, &p->points[i], &watch) != NULL;
        ret->is_mixed |= strcmp(mine->unit, ret->quantity->unit) != 0;
    }
}

static const struct device_conf *device_find(const struct config *c, const char *id)
{
    const struct device_conf *devices = c->devices.items;

    for (size_t i = 0; i < c->devices.n; i++) {
        if (devices[i].id && strcmp(devices[i].id, id) == 0)
            return &devices[i];
    }
    return NULL;
}

/* False when something the selection needs has errors of its own. */
static bool select_channels(const struct check *k, const struct rule_conf *r,
                            const struct alert_input *input, struct selection *ret)
{
    const struct device_conf *devices = k->c->devices.items;
    const struct quantity *q = r->quantity ? check_quantity(k, r, &r->quantity) : NULL;
    enum medium medium = MEDIUM_COUNT_;
    bool is_known = (!r->quantity || q) && (!r->device || device_find(k->c, r->device));

    if (r->medium)
        is_known &= check_medium(k, r, &medium);
    const struct wanted w = { .c = k->c,
                              .quantity = q,
                              .medium = r->medium ? (int)medium : -1,
                              .device = r->device,
                              .input = input };
    *ret = (struct selection){ .quantity = q };
    for (size_t i = 0; i < k->c->devices.n; i++) {
        is_known &= devices[i].profile_found && devices[i].id;
        if (is_known)
            select_from(&w, &devices[i], ret);
    }
    if (is_known && !r->medium && !r->device && config_has_index(k->c, q)) {
        ret->reach = (struct field_range){ q->range_min, q->range_max };
        ret->with_statistic += input->kind != ALERT_STATISTIC || input->window_ms >= HOUR_MS;
        ret->is_index = ret->n == 0;
        ret->n++;
    }
    return is_known;
}

static bool selects(const struct wanted *w, const struct device_conf *dev)
{
    struct selection s = { .n = 0 };

    select_from(w, dev, &s);
    return s.n > 0;
}

/* The first device that cannot meet a condition is told: the others would say the same. */
static void check_conditions(const struct check *k, const struct rule_conf *r)
{
    const struct device_conf *devices = k->c->devices.items;
    const struct quantity *q = r->quantity ? quantity_find(r->quantity) : NULL;
    enum medium medium = MEDIUM_COUNT_;
    const bool has_medium = r->medium && medium_find(r->medium, &medium) == 0;
    const struct alert_input input = input_of(r);
    const struct wanted w = { .c = k->c,
                              .quantity = q,
                              .medium = has_medium ? (int)medium : -1,
                              .device = r->device,
                              .input = &input };
    bool is_ok = true, is_suppress_ok = true;

    for (size_t i = 0; i < k->c->devices.n; i++) {
        if (!selects(&w, &devices[i]))
            continue;
        is_ok = is_ok && check_condition(k, r, &devices[i], &r->when);
        is_suppress_ok =
            is_suppress_ok && check_condition(k, r, &devices[i], &r->suppress_when);
    }
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
    else if (s->with_statistic == 0 && s->is_index)
        check_error(
            k, r, &r->input, E_RULE,
            "an index has no statistic '%s', expected mean(1h), or raw for its hours and "
            "days",
            r->input);
    else if (s->watched == 0 && r->input && strcmp(r->input, "event") == 0)
        check_error(
            k, r, &r->input, E_RULE,
            "nothing watches what rule '%s' selects, its events need an entry in 'watch'",
            r->id ? r->id : "");
    else if (s->with_statistic == 0)
        check_error(k, r, &r->input, E_RULE,
                    "no channel that fits has the statistic '%s': it must be named in "
                    "'statistics', and "
                    "the device polled often enough",
                    r->input);
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
                    near ? ", did you mean '"
                    : q  ? ", the quantity is in '"
                         : "",
                    near ? near
                    : q  ? q->unit
                         : "",
                    near ? "'?"
                    : q  ? "'"
                         : "");
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

static void check_reach(const struct check *k, const struct rule_conf *r,
                        const struct level_conf *l, const struct selection *s)
{
    char limit[VALUE_TEXT_MAX];
    bool is_above = r->direction == ALERT_ABOVE;
    double end = is_above ? s->reach.max : s->reach.min;

    if (r->direction > ALERT_BELOW)
        return;
    if (is_above ? !(l->set > end) : !(l->set < end))
        return;
    value_double_text(end, limit);
    check_warning(k, r, &l->set, E_RULE,
                  "never reached: values of %s %s %s are outside its range and bad",
                  s->quantity->id, is_above ? "above" : "below", limit);
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

static void check_input(const struct check *k, const struct rule_conf *r, struct alert_input in,
                        const struct selection *s)
{
    in.step_ms = s->slowest_ms;
    const char *error = s->n > 0 ? alert_input_error(&in) : NULL;

    if (error)
        check_error(k, r, &r->input, E_RULE, "%.*s", (int)strlen(error) - 1, error);
    if (!isnan(r->k) && in.kind != ALERT_RESIDUAL && in.kind != ALERT_CUSUM &&
        in.kind != ALERT_FORECAST)
        check_error(k, r, &r->k, E_CONFLICT,
                    "'k' belongs to an input residual, cusum or forecast");
    if (r->decimals >= 0 && in.kind != ALERT_RAW && in.kind != ALERT_STATISTIC)
        check_error(k, r, &r->decimals, E_CONFLICT,
                    "'decimals' belongs to an input raw, or to a statistic");
    if (r->at_limit && r->direction == ALERT_EQUAL)
        check_error(k, r, &r->at_limit, E_CONFLICT,
                    "a code is equal or not: 'at_limit' belongs to other directions");
}

/* Limits of a colour that the rule never raises are a mistake, or belong to the station. */
static void check_responses(const struct check *k, const struct rule_conf *r)
{
    const struct response_conf *responses = r->responses.items;
    const struct level_conf *levels = r->levels.items;

    for (size_t i = 0; i < r->responses.n; i++) {
        bool has_level = false;
        for (size_t l = 0; responses[i].id && l < r->levels.n; l++)
            has_level |= levels[l].id && strcmp(levels[l].id, responses[i].id) == 0;
        if (responses[i].id && !has_level)
            check_warning(k, &responses[i], &responses[i].id, E_RULE,
                          "rule '%s' has no level '%s' that could be answered",
                          r->id ? r->id : "", responses[i].id);
    }
}

/* Their levels are no values of the quantity. */
static bool is_difference(const struct alert_input *in)
{
    return in->kind == ALERT_RATE || in->kind == ALERT_RESIDUAL || in->kind == ALERT_CUSUM;
}

/* A matter of maintenance has no colours to rise through, and nobody to answer it. */
static void check_notice(const struct check *k, const struct rule_conf *r)
{
    if (r->kind == 0)
        return;
    if (r->levels.n > 1)
        check_error(k, r, &r->levels, E_CONFLICT,
                    "a notice has one level, whatever its colour");
    if (r->responses.n > 0)
        check_error(k, r, &r->responses, E_CONFLICT, "nobody has to answer a notice");
}

static bool is_rule(const struct config *c, const char *id)
{
    const struct rule_conf *rules = c->rules.items;

    for (size_t i = 0; i < c->rules.n; i++)
        if (rules[i].id && strcmp(rules[i].id, id) == 0)
            return true;
    return false;
}

static void check_inhibitors(const struct check *k, const struct rule_conf *r)
{
    const char *const *names = r->inhibit_by.items;

    for (size_t i = 0; i < r->inhibit_by.n; i++) {
        if (strcmp(names[i], RULE_INHIBITED_BY_FAULT) == 0)
            continue;
        if (r->id && strcmp(names[i], r->id) == 0)
            check_error(k, r, &names[i], E_CONFLICT, "a rule cannot mute itself");
        else if (!is_rule(k->c, names[i]))
            check_error(k, r, &names[i], E_REFERENCE, "no rule is called '%s'", names[i]);
    }
}

static void check_rule(const struct check *k, struct rule_conf *r)
{
    struct level_conf *levels = r->levels.items;
    struct unit_conversion conversion = { .factor = 1 };
    struct selection s;
    const struct alert_input input = input_of(r);
    bool is_selected = select_channels(k, r, &input, &s);

    if (is_selected)
        check_selection(k, r, &s);
    check_levels(k, r, levels);
    check_responses(k, r);
    check_notice(k, r);
    check_inhibitors(k, r);
    if (!is_selected || s.is_mixed)
        return;
    check_input(k, r, input, &s);
    check_conditions(k, r);
    if (r->unit && check_unit(k, r, s.quantity, &conversion)) {
        if (is_difference(&input))
            conversion.offset = 0;
        convert(r, levels, s.quantity, &conversion);
    }
    for (size_t i = 0; s.n > 0 && !is_difference(&input) && i < r->levels.n; i++)
        check_reach(k, r, &levels[i], &s);
}

struct alert_gate config_rule_gate(const struct rule_conf *r)
{
    const char *const *words = r->grades.items;
    struct alert_gate gate = {
        .ignores_saturation = r->over_range != 0,
        .is_rounded = r->decimals >= 0,
        .decimals = (int8_t)r->decimals,
    };

    for (size_t i = 0; i < r->grades.n; i++)
        for (int g = 0; g < GRADE_COUNT_; g++)
            if (strcmp(words[i], grade_id((enum grade)g)) == 0)
                gate.grades |= (uint8_t)(1 << g);
    return gate;
}

bool check_rule_fits(const struct check *k, const struct rule_conf *r)
{
    const struct quantity *q = r->quantity ? quantity_find(r->quantity) : NULL;
    struct alert_input input = input_of(r);
    struct selection s;

    if (!q || !select_channels(k, r, &input, &s) || s.n == 0 || s.with_statistic == 0)
        return false;
    input.step_ms = s.slowest_ms;
    return (input.kind != ALERT_EVENT || s.watched > 0) && !alert_input_error(&input);
}

void check_rules(const struct check *k)
{
    struct rule_conf *rules = k->c->rules.items;

    for (size_t i = 0; i < k->c->rules.n; i++)
        check_rule(k, &rules[i]);
}
