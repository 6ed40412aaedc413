/* SPDX-License-Identifier: Apache-2.0 */
/* The bus of devices that speak by themselves: there is nobody to ask. */
#include <errno.h>
#include <stdlib.h>

#include "gateway/bus/kinds.h"

static int start(struct bus *b)
{
    (void)b;
    return 0;
}

static int refuse(struct bus *b, const struct bus_request *r)
{
    (void)b, (void)r;
    return -ENOTCONN;
}

static void stop(struct bus *b)
{
    b->on_closed(b->closed_user);
}

static void destroy(struct bus *b)
{
    free(b);
}

static const struct bus_kind no_bus = { start, refuse, stop, destroy };

int no_bus_create(const struct bus_options *o, struct bus **ret)
{
    struct bus *b = calloc(1, sizeof *b);

    if (!b)
        return -ENOMEM;
    *b = (struct bus){ .kind = &no_bus, .clock = o->clock, .on = o->on };
    *ret = b;
    return 0;
}
