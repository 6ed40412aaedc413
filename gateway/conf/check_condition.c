/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of rules: names and units, for every device whose channels a rule judges. */
#include <stdio.h>
#include <string.h>

#include "gateway/conf/config_internal.h"
#include "gateway/conf/utf8.h"
#include "rules/alert/alert.h"

struct names_at { /* whose own points need no device's name */
    const struct config *c;
    const struct device_conf *device;
};

/* "pm2_5@1h": the statistics that every channel has which is polled often enough. */
static bool has_statistic(const struct device_conf *d, const char *statistic)
{
    char why[128], input[32];
    int64_t period_ms = 0;

    snprintf(input, sizeof input, "mean(%.20s)", statistic);
    if (alert_input_parse(input, &period_ms, why, sizeof why) < 0)
        return false;
    return (period_ms == 60000 || period_ms == 3600000) && d->poll_ms <= period_ms;
}

/* Tells channels apart; the table will give them numbers of its own. */
static uint32_t number_of(const struct config *c, const struct device_conf *d,
                          const struct profile_point *p, const char *statistic)
{
    const size_t device = (size_t)(d - (const struct device_conf *)c->devices.items);
    const size_t point = (size_t)(p - d->profile_found->points);
    const unsigned which = !statistic ? 0 : strcmp(statistic, "@1h") == 0 ? 2 : 1;

    return (uint32_t)(device << 16 | point << 2 | which);
}

static bool find_channel(void *user, const char *name, uint32_t *ret_channel,
                         const struct quantity **ret_quantity)
{
    const struct names_at *at = user;
    const char *statistic = strchr(name, '@');
    char plain[EXPRESSION_NAME_MAX];
    const struct device_conf *d;
    const struct profile_point *p;

    snprintf(plain, sizeof plain, "%.*s",
             (int)(statistic ? (size_t)(statistic - name) : strlen(name)), name);
    if (!config_peer(at->c, at->device, plain, &d, &p) || !check_is_channel(d, p))
        return false;
    if (statistic && !has_statistic(d, statistic + 1))
        return false;
    *ret_channel = number_of(at->c, d, p, statistic);
    *ret_quantity = p->quantity;
    return true;
}

static int characters(const char *text, size_t size)
{
    int32_t c;
    int n = 0;

    for (size_t at = 0; at < size; n++)
        at += utf8_next(text + at, size - at, &c);
    return n;
}

/* Where in the file a byte of a text stands, as far as its form allows to say it. */
static void tell(const struct check *k, const struct rule_conf *r, const char *const *text,
                 const struct expression_error *err)
{
    struct field_mark mark = bind_mark(k->b, text);
    const int width = bind_width(k->b, text), length = characters(*text, strlen(*text));
    const int marked = characters(*text + err->at, (size_t)err->length);
    const size_t n = strlen(err->why) - 1; /* a message of diag has no final period */
    char why[sizeof err->why], shown[4 * sizeof err->why];

    snprintf(why, sizeof why, "%.*s", (int)n, err->why);
    utf8_shown(why, sizeof why, shown, sizeof shown);
    if (width != length && width != length + 2) { /* written over several lines */
        check_error(k, r, text, E_RULE, "%s", shown);
        return;
    }
    mark.column += characters(*text, (size_t)err->at) + (width != length); /* a quote */
    diag_error(k->d, mark, marked > 0 ? marked : 1, E_RULE, "%s", shown);
}

bool check_condition(const struct check *k, const struct rule_conf *r,
                     const struct device_conf *device, const char *const *text)
{
    struct names_at at = { k->c, device };
    const struct expression_names names = { find_channel, &at };
    struct expression_error err;
    struct expression e;

    if (!*text || expression_parse(*text, &names, &e, &err) == 0)
        return true;
    tell(k, r, text, &err);
    return false;
}
