/* SPDX-License-Identifier: Apache-2.0 */
/* The levels of a rule: what was not given, set against clear, and one above the other. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/conf/config_internal.h"
#include "gateway/conf/value.h"
#include "rules/alert/alert.h"

/* What was not given, as text again: the effective configuration shows it. */
static void fill_level(const struct check *k, const struct rule_conf *r, struct level_conf *l)
{
    struct alert_threshold t = { .set = l->set, .clear = l->clear };
    char why[256], text[VALUE_TEXT_MAX];

    if (isnan(l->set) || !l->on || alert_delay_parse(l->on, &t.on, why, sizeof why))
        return;
    if (l->off && alert_delay_parse(l->off, &t.off, why, sizeof why))
        return;
    alert_threshold_default((enum alert_direction)r->direction, &t);
    l->clear = t.clear;
    if (l->off)
        return;
    if (t.off.n)
        snprintf(text, sizeof text, "%d of %d", t.off.m, t.off.n);
    else
        value_duration_text(t.off.duration_ms, text);
    l->off = arena_text(k->arena, text, strlen(text));
}

static void check_clear(const struct check *k, const struct rule_conf *r,
                        const struct level_conf *l)
{
    bool is_above = r->direction != ALERT_BELOW;
    char set[VALUE_TEXT_MAX], clear[VALUE_TEXT_MAX];

    if (r->direction == ALERT_EQUAL && l->clear != l->set) {
        check_error(k, r, &l->clear, E_RULE, "'clear' is 'set' where direction is equal");
        return;
    }
    if (r->direction == ALERT_OUTSIDE && !(l->set > 0)) {
        check_error(k, r, &l->set, E_RULE,
                    "'set' must be above 0 where direction is outside: it is a distance");
        return;
    }
    if (is_above ? !(l->clear > l->set) : !(l->clear < l->set))
        return;
    value_double_text(l->set, set);
    value_double_text(l->clear, clear);
    check_error(k, r, &l->clear, E_RULE,
                "'clear' must not be %s 'set', got clear %s and set %s",
                is_above ? "above" : "below", clear, set);
}

static int rank(const struct level_conf *l)
{
    for (int i = LEVEL_BLUE; l->id && i < LEVEL_COUNT_; i++) {
        if (strcmp(l->id, alert_level_id((enum alert_level)i)) == 0)
            return i;
    }
    return LEVEL_NONE;
}

/* The same set for longer. */
static bool is_longer(const struct level_conf *l, const struct level_conf *lower)
{
    struct alert_delay a, b;
    char why[256];

    return l->set == lower->set && l->on && lower->on &&
           alert_delay_parse(l->on, &a, why, sizeof why) == 0 &&
           alert_delay_parse(lower->on, &b, why, sizeof why) == 0 &&
           alert_delay_is_longer(&a, &b);
}

/* The more severe level must be further out, or need longer. */
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
        bool is_above = r->direction != ALERT_BELOW;
        if (last && r->direction != ALERT_EQUAL && !is_longer(l, last) &&
            (is_above ? l->set <= last->set : l->set >= last->set)) {
            value_double_text(l->set, a);
            value_double_text(last->set, b);
            check_error(k, r, &l->set, E_RULE, "'%s' must be set %s '%s', got %s and %s%s",
                        l->id, is_above ? "above" : "below", last->id, a, b,
                        l->set == last->set ? ", or to the same with a longer 'on'" : "");
        }
        last = l;
    }
}

void check_levels(const struct check *k, const struct rule_conf *r, struct level_conf *levels)
{
    for (size_t i = 0; i < r->levels.n; i++) {
        fill_level(k, r, &levels[i]);
        check_clear(k, r, &levels[i]);
    }
    check_order(k, r, levels);
}
