/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the configuration, each bound to the channels that it selects. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/table.h"

/* A row of an index is a sample of its own, of the hour as of the day. */
static bool is_input(const struct channel *ch, const struct alert_input *in)
{
    if (in->kind == ALERT_STATISTIC)
        return ch->statistic && strcmp(ch->statistic, in->statistic) == 0;
    return !ch->statistic || (ch->is_index && !strchr(ch->statistic, '.'));
}

static bool is_selected(const struct rule_conf *r, const struct channel *ch,
                        const struct alert_input *in)
{
    if (!is_input(ch, in))
        return false;
    if (r->quantity ? quantity_find(r->quantity) != ch->quantity : ch->is_index)
        return false; /* an index only where it is named: it is none of a medium's quantities */
    if (r->medium && strcmp(r->medium, medium_id(ch->quantity->medium)) != 0)
        return false;
    return !r->device || strcmp(r->device, ch->device) == 0;
}

/* ---- levels ---- */

static enum alert_level level_find(const char *id)
{
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++) {
        if (strcmp(alert_level_id((enum alert_level)l), id) == 0)
            return (enum alert_level)l;
    }
    return LEVEL_NONE;
}

static int compile_level(const struct level_conf *l, struct alert_rule *r)
{
    enum alert_level at = level_find(l->id);
    struct alert_threshold *h = &r->level[at];
    char why[128];

    if (at == LEVEL_NONE)
        return -EINVAL;
    *h = (struct alert_threshold){
        .is_set = true, .set = l->set, .clear = l->clear, .min_ms = l->min_ms
    };
    int rc = l->on ? alert_delay_parse(l->on, &h->on, why, sizeof why) : 0;
    if (rc == 0 && l->off)
        rc = alert_delay_parse(l->off, &h->off, why, sizeof why);
    alert_threshold_default(r->direction, h);
    return rc;
}

/* A watch has its own delays and hold-off: what it says counts at once. */
static void judge_events(struct alert_rule *r)
{
    int l = LEVEL_BLUE;

    while (l < LEVEL_RED && !r->level[l].is_set)
        l++;
    r->level[l].on = r->level[l].off = (struct alert_delay){ 1, 1, 0 };
    r->hold_samples = 0;
}

static int compile_rule(const struct rule_conf *c, struct alert_rule *ret)
{
    const struct level_conf *level = c->levels.items;
    char why[128];

    *ret = (struct alert_rule){
        .id = c->id,
        .title_en = c->title.en,
        .title_zh = c->title.zh,
        .is_notice = c->kind != 0,
        .direction = (enum alert_direction)c->direction,
        .input = { .k = c->k, .side = c->direction == ALERT_BELOW ? -1 : 1 },
        .gate = config_rule_gate(c),
        .is_kept_at_limit = c->at_limit != 0,
        .hold_samples = (unsigned)c->hold_samples,
        .rearm_ms = c->rearm_ms,
    };
    int rc = alert_input_parse(c->input ? c->input : "raw", &ret->input, why, sizeof why);
    for (size_t i = 0; rc == 0 && i < c->levels.n; i++)
        rc = compile_level(&level[i], ret);
    if (ret->input.kind == ALERT_EVENT)
        judge_events(ret);
    return rc;
}

/* ---- conditions ---- */

struct names_at { /* whose own points need no device's name */
    const struct table *t;
    const char *device;
};

static bool is_called(const struct channel *ch, const char *device, const char *name)
{
    const size_t n = strlen(device);

    if (strchr(name, '/'))
        return strcmp(ch->id, name) == 0;
    return strncmp(ch->id, device, n) == 0 && ch->id[n] == '/' &&
           strcmp(ch->id + n + 1, name) == 0;
}

static bool find_channel(void *user, const char *name, uint32_t *ret_channel,
                         const struct quantity **ret_quantity)
{
    const struct names_at *at = user;

    for (uint32_t i = 0; i < at->t->channels.n; i++) {
        if (!is_called(&at->t->channel[i], at->device, name))
            continue;
        *ret_channel = i;
        *ret_quantity = at->t->channel[i].quantity;
        return true;
    }
    return false;
}

/* A condition for the channels of a device; NULL in *ret when the rule has none. */
static int compile_condition(struct table *t, const char *device, const char *text,
                             const struct expression **ret)
{
    struct names_at at = { t, device };
    const struct expression_names names = { find_channel, &at };
    struct expression_error err;

    *ret = NULL;
    if (!text)
        return 0;
    struct expression **more =
        realloc(t->condition, (t->conditions_n + 1) * sizeof *t->condition);
    if (!more)
        return -ENOMEM;
    t->condition = more;
    struct expression *e = malloc(sizeof *e);
    if (!e)
        return -ENOMEM;
    t->condition[t->conditions_n++] = e;
    int rc = expression_parse(text, &names, e, &err);
    if (rc == 0)
        *ret = e;
    return rc;
}

static int compile_conditions(struct table *t, const struct rule_conf *c, const char *device,
                              struct alert_rule *r)
{
    int rc = compile_condition(t, device, c->when, &r->when);

    return rc < 0 ? rc : compile_condition(t, device, c->suppress_when, &r->suppress_when);
}

/* ---- all of them ---- */

static int grow(struct table *t, size_t *cap)
{
    if (t->rules_n < *cap)
        return 0;
    *cap = *cap ? 2 * *cap : 16;
    struct alert_rule *more = realloc(t->rule, *cap * sizeof *more);
    if (!more)
        return -ENOMEM;
    t->rule = more;
    return 0;
}

static int add_rule(struct table *t, const struct rule_conf *c, size_t *cap)
{
    struct alert_rule r;
    const char *device = NULL;
    int rc = compile_rule(c, &r);

    for (uint32_t ch = 0; rc == 0 && ch < t->channels.n; ch++) {
        const struct channel *channel = &t->channel[ch];
        if (!is_selected(c, channel, &r.input))
            continue;
        rc = grow(t, cap);
        if (rc == 0 && device != channel->device)
            rc = compile_conditions(t, c, channel->device, &r);
        device = channel->device;
        r.channel = ch;
        r.input.step_ms = channel->period_ms;
        r.input.resolution = pow(10, -channel->quantity->decimals);
        r.stale_ms = c->stale_ms >= 0 ? c->stale_ms : 3 * channel->period_ms;
        if (rc == 0)
            t->rule[t->rules_n++] = r;
    }
    return rc;
}

/* ---- what mutes what ---- */

static const struct rule_conf *conf_of(const struct table *t, const struct alert_rule *r)
{
    const struct rule_conf *c = t->config->rules.items;

    while (c->id != r->id)
        c++;
    return c;
}

static bool is_named(const struct rule_conf *c, const char *id)
{
    const char *const *names = c->inhibit_by.items;

    for (size_t i = 0; i < c->inhibit_by.n; i++)
        if (strcmp(names[i], id) == 0)
            return true;
    return false;
}

/* Those of the same device. */
static bool mutes(const struct table *t, const struct alert_rule *r,
                  const struct alert_rule *by)
{
    return by != r && t->channel[by->channel].device == t->channel[r->channel].device &&
           is_named(conf_of(t, r), by->id);
}

static int add_inhibitors(struct table *t, struct alert_rule *r)
{
    uint32_t n = 0;

    if (conf_of(t, r)->inhibit_by.n == 0)
        return 0;
    r->yields_to_faults = is_named(conf_of(t, r), RULE_INHIBITED_BY_FAULT);
    for (size_t i = 0; i < t->rules_n; i++)
        n += mutes(t, r, &t->rule[i]);
    uint32_t *by = calloc(n + 1, sizeof *by);
    r->inhibitors = by;
    if (!by)
        return -ENOMEM;
    for (size_t i = 0; i < t->rules_n; i++)
        if (mutes(t, r, &t->rule[i]))
            by[r->inhibitors_n++] = (uint32_t)i;
    return 0;
}

int table_add_rules(struct table *t)
{
    const struct rule_conf *c = t->config->rules.items;
    size_t cap = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < t->config->rules.n; i++)
        rc = c[i].is_enabled ? add_rule(t, &c[i], &cap) : 0;
    for (size_t i = 0; rc == 0 && i < t->rules_n; i++)
        rc = add_inhibitors(t, &t->rule[i]);
    return rc;
}

void table_forget_rules(struct table *t)
{
    for (size_t i = 0; i < t->conditions_n; i++)
        free(t->condition[i]);
    free(t->condition);
    for (size_t i = 0; i < t->rules_n; i++)
        free((uint32_t *)t->rule[i].inhibitors);
    free(t->rule);
}
