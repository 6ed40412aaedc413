/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/watch/kinds.h"

static size_t size(const struct watch_config *c)
{
    (void)c;
    return 0;
}

static void init(const struct watch_config *c, void *state)
{
    (void)c, (void)state;
}

static void slot(const struct watch_config *c, void *state, const struct watch_slot *s,
                 struct watch_result *ret)
{
    (void)c, (void)state, (void)s, (void)ret;
}

const struct watch_ops watch_water = { size, init, slot };
