/* SPDX-License-Identifier: Apache-2.0 */
/* Uplinks that take over for others: pairs, never chains. */
#include <string.h>

#include "gateway/conf/config_internal.h"

static const struct uplink_conf *find_uplink(const struct config *c, const char *id)
{
    const struct uplink_conf *u = c->uplinks.items;

    for (size_t i = 0; i < c->uplinks.n; i++)
        if (u[i].id && strcmp(u[i].id, id) == 0)
            return &u[i];
    return NULL;
}

/* Another uplink before this one that has the same fallback. */
static const struct uplink_conf *find_rival(const struct config *c,
                                            const struct uplink_conf *of)
{
    const struct uplink_conf *u = c->uplinks.items;

    for (; u < of; u++)
        if (u->fallback && strcmp(u->fallback, of->fallback) == 0)
            return u;
    return NULL;
}

static void check_fallback(const struct check *k, const struct uplink_conf *u)
{
    const struct uplink_conf *second = find_uplink(k->c, u->fallback);
    const struct uplink_conf *rival = find_rival(k->c, u);

    if (second == u)
        check_error(k, u, &u->fallback, E_CONFLICT, "uplink '%s' cannot be its own fallback",
                    u->id);
    else if (second && second->fallback)
        check_error(k, u, &u->fallback, E_CONFLICT,
                    "the fallback '%s' has a fallback of its own; a pair has two uplinks",
                    second->id);
    else if (second && !second->is_enabled && u->is_enabled)
        check_warning(k, u, &u->fallback, E_CONFLICT,
                      "the fallback '%s' is disabled and takes over nothing", second->id);
    else if (rival)
        check_error(k, u, &u->fallback, E_CONFLICT, "'%s' is the fallback of '%s' already",
                    u->fallback, rival->id);
}

void check_uplinks(const struct check *k)
{
    const struct uplink_conf *u = k->c->uplinks.items;

    for (size_t i = 0; i < k->c->uplinks.n; i++)
        if (u[i].id && u[i].fallback)
            check_fallback(k, &u[i]);
}
