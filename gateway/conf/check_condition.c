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

/* "1h.max" of "pm2_5@1h.max": which of its statistics; -1: it has none called that. */
static int find_statistic(const struct device_conf *d, const struct profile_point *p,
                          const char *name)
{
    const struct statistics_conf all = config_statistics(d, p);
    char text[AGG_NAME_MAX];

    for (size_t i = 0; i < all.n; i++)
        if (strcmp(agg_want_name(all.w[i], text), name) == 0)
            return (int)i;
    return -1;
}

enum { POINTS_MAX = 1 << 11, STATISTICS_MAX = 1 << 6 };

/* Tells channels apart; the table will give them numbers of its own. */
static uint32_t number_of(const struct config *c, const struct device_conf *d,
                          const struct profile_point *p, int statistic)
{
    const size_t device = (size_t)(d - (const struct device_conf *)c->devices.items);
    const size_t point = (size_t)(p - d->profile_found->points);

    return (uint32_t)((device * POINTS_MAX + point) * STATISTICS_MAX + (size_t)(statistic + 1));
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
    const int which = statistic ? find_statistic(d, p, statistic + 1) : -1;
    if (statistic && which < 0)
        return false;
    *ret_channel = number_of(at->c, d, p, which);
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
