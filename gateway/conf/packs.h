/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packs - ready-made rules by standard (rules/packs), embedded in the binary.
 *
 * A pack is YAML: rules and watches as a station's, in which $name stands for what an option
 * decides. `by` gives the values: under an option, under each of its words. `conditions` joins
 * texts by "or", without those whose channel is not there. $day_hours and $night_hours are the
 * station's; $without_laeq is true where nothing measures laeq. A line whose $?name has no
 * value is left out, a rule whose $name has none as a whole; $a+$b and $a*$b are worked out.
 */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/conf/arena.h"
#include "gateway/conf/config.h"
#include "gateway/conf/diag.h"
#include "rules/agg/levels.h"

struct pack_options { /* of all packs; each has those that it names */
    const char *colour, *early, *grade, *limits, *other, *plan, *zone, *class, *water, *input,
        *area;
    const char *wind, *rain, *saturation; /* channels; "none" */
    double lower, upper, background, net, factor, deviations, high, counts;
};

extern const struct field_kind pack_kinds[]; /* one a pack, closed by one without a name */

/* The quantity of a channel that an option names; NULL: the option names none. */
const char *pack_option_quantity(const char *option);
/* The text of an option's value into `buf` (VALUE_TEXT_MAX) where it is a number; NULL: not
 * given. */
const char *pack_option_text(const struct field *f, const struct pack_options *o, char *buf);
/* As when nothing is given. */
struct pack_options pack_defaults(const struct field_kind *kind);

struct pack_source { /* what $names stand for */
    const struct field_kind *kind;
    const struct pack_options *options;
    struct levels_night night;
    bool (*measures)(void *user, const char *quantity); /* NULL: nothing is measured */
    void *user;
};

struct pack_items {
    struct field_array rules;   /* struct rule_conf, ids without prefix */
    struct field_array watches; /* struct watch_conf */
    struct names title;
    const char *standard; /* "GB 3096-2008" */
};

/* A pack with its options put in. 0; -EINVAL with messages in `d`, -ENOMEM. */
int pack_load(const struct pack_source *source, struct arena *arena, struct diag *d,
              struct pack_items *ret);

/* The text of a pack with its options put in, line for line; what is not rules or watch is
 * left blank. 0, -EINVAL or -ENOMEM. */
struct fy_node;
int pack_fill(const struct pack_source *source, struct fy_node *root, const char *text,
              struct buf *ret);
