/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "gateway/uplink/uplink.h"

#define UPLINK(name) extern const struct uplink_kind uplink_##name;
#include "gateway/uplink/kinds.def"
#undef UPLINK

const struct uplink_kind *const uplink_kinds[] = {
#define UPLINK(name) &uplink_##name,
#include "gateway/uplink/kinds.def"
#undef UPLINK
    NULL,
};

const struct uplink_kind *uplink_kind_find(const char *name)
{
    for (const struct uplink_kind *const *k = uplink_kinds; *k; k++)
        if (strcmp((*k)->name, name) == 0)
            return *k;
    return NULL;
}
