/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gb3838 - class of surface water by GB 3838-2002 table 1: each item the best class whose limit
 * it keeps, the sample its worst item (single factor). 6 is worse than V. Values are compared
 * as they are (GB/T 8170-2008 4.3.2, full value). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rules/index/exact.h"

enum { GB3838_NONE = 0, GB3838_WORSE = 6, GB3838_CLASSES = 5 };

enum gb3838_body { GB3838_RIVER, GB3838_LAKE, GB3838_BODIES };

struct gb3838_item {
    const char *quantity;                         /* id of the vocabulary */
    const char *unit;                             /* UCUM, of the limits */
    int8_t digits;                                /* limits are in 10^-digits */
    bool is_least;                                /* dissolved oxygen: a lower limit */
    bool is_outside_river;                        /* left out of the assessment of rivers */
    int32_t limit[GB3838_BODIES][GB3838_CLASSES]; /* -1: no limit for this water */
};

extern const struct gb3838_item gb3838_items[];
extern const size_t gb3838_items_n;

/* NULL when table 1 has no limit for it (conductivity, turbidity). */
const struct gb3838_item *gb3838_find(const char *quantity);

/*
 * 1..6, GB3838_NONE without a value or a limit. `by` turns the value into the item's unit; {0}:
 * it is in it. pH is class I within 6..9 and 6 outside.
 */
int gb3838_class(const struct gb3838_item *item, enum gb3838_body body, struct decimal value,
                 struct exact_ratio by);

/* Class I of dissolved oxygen may be kept by 90 % saturation instead of 7.5 mg/L. */
int gb3838_class_of_oxygen(struct decimal mg_l, struct decimal saturation_pct);

/* 1 "I" ... 6: "劣V", "worse than V". */
const char *gb3838_class_name(int class_no, const char *lang);
