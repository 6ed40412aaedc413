/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lora_check.h"

#include <errno.h>
#include <string.h>

#include "gateway/table.h"

static void check_feed(const struct bus_conf *bus, const struct feed_conf *feed, struct diag *d)
{
    char why[FEED_TEXT_MAX];

    if (feed_check(feed, why, sizeof why) == 0)
        return;
    size_t n = strlen(why);
    if (n && why[n - 1] == '.') /* messages end without */
        why[n - 1] = '\0';
    diag_error(d, bus->mark, 0, E_VALUE, "bus '%s': %s", bus->id, why);
}

int lora_check(const struct config *c, struct diag *d)
{
    const struct bus_conf *buses = c->buses.items;
    struct table *t;
    int rc = table_create(c, &t);

    if (rc != 0)
        return rc;
    for (size_t i = 0; i < c->buses.n; i++)
        if (t->lora_bus[i].kind == LORA_FEED)
            check_feed(&buses[i], &t->lora_bus[i].feed, d);
    table_destroy(t);
    return 0;
}
