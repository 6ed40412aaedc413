/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index/gb3096.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum { LEVEL_MOST = 300, LEVEL_DIGITS = 6 };

const struct gb3096_zone gb3096_zones[] = {
    { "0", "康复疗养区", "convalescence", 50, 40 },
    { "1", "居住、文教、医疗、行政办公区", "homes, schools, hospitals, offices", 55, 45 },
    { "2", "商业、集市贸易或混杂区", "mixed, trade", 60, 50 },
    { "3", "工业、仓储物流区", "industry", 65, 55 },
    { "4a", "交通干线两侧", "main roads, rail transit, waterways", 70, 55 },
    { "4b", "铁路干线两侧", "railways", 70, 60 },
};
const int gb3096_zones_n = sizeof gb3096_zones / sizeof *gb3096_zones;

const struct gb3096_zone *gb3096_find(const char *id)
{
    for (int i = 0; i < gb3096_zones_n; i++)
        if (strcmp(gb3096_zones[i].id, id) == 0)
            return &gb3096_zones[i];
    return NULL;
}

bool gb3096_is_night(int minute_of_day, int begin, int end)
{
    if (begin <= end)
        return minute_of_day >= begin && minute_of_day < end;
    return minute_of_day >= begin || minute_of_day < end;
}

int gb3096_limit(const struct gb3096_zone *z, enum gb3096_what what)
{
    if (what == GB3096_DAY)
        return z->day;
    return z->night + (what == GB3096_NIGHT_MAX ? GB3096_SUDDEN_DB : 0);
}

int gb3096_judge(const struct gb3096_zone *z, enum gb3096_what what, struct decimal level,
                 struct gb3096_verdict *ret)
{
    const struct decimal most = { LEVEL_MOST, 0 };
    struct decimal x;
    int64_t unit = 1;

    int rc = exact_value(level, (struct exact_ratio){ 0 }, &x);
    if (rc == 0 && x.e > LEVEL_DIGITS)
        rc = exact_round(x, (struct exact_ratio){ 0 }, LEVEL_DIGITS, EXACT_HALF_EVEN, &x);
    if (rc < 0)
        return rc;
    if (exact_compare(x, most) > 0 || x.v < 0)
        return -ERANGE;
    for (int i = 0; i < x.e; i++)
        unit *= 10;
    ret->limit = gb3096_limit(z, what);
    ret->over = (struct decimal){ x.v - ret->limit * unit, x.e };
    ret->is_exceeded = ret->over.v > 0;
    return 0;
}
