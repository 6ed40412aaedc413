/* SPDX-License-Identifier: Apache-2.0 */
/* config_internal - what the parts of config share: field tables, checks, ownership. */
#pragma once

#include <stdbool.h>

#include "gateway/conf/arena.h"
#include "gateway/conf/bind.h"
#include "gateway/conf/config.h"
#include "gateway/conf/profile_load.h"

/* One profile, however many devices have it. */
struct config_profile {
    const char *id;
    struct profile *profile; /* NULL: it has errors, or there is none */
};

/* Ids of all profiles that could be named, closed by NULL, for suggestions. */
struct profile_ids {
    const char **id;
    size_t n, cap;
};

/* What stands behind a struct config. */
struct config_owner {
    struct config config; /* first: the public face */
    struct arena arena;
    struct config_profile *profiles;
    size_t profiles_n;
    struct profile_ids profile_ids;
};

/* lora_fields.c, for config_fields.c */
extern const struct field lora_udp_fields[], lora_lns_fields[], lora_bridge_fields[],
    lora_modem_fields[], lora_fields[];

/* config_fields.c, for lora_fields.c */
bool config_path_is_ok(const char *text, char *why, size_t size);
extern const char *const config_formats[];

/* "+08:00" -> milliseconds east of UTC; "Z" is +00:00. 0 or -EINVAL. */
int config_zone_parse(const char *text, int64_t *ret_ms);

/* What a check needs: the config may be incomplete (NULL members) after errors of the binder.
 */
struct check {
    struct config *c;
    struct bind *b;
    struct diag *d;
    struct arena *arena;
};

/* Error at the value bound to `address`, or at its item when it was not written. */
void check_error(const struct check *k, const void *item, const void *address,
                 enum diag_code code, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void check_warning(const struct check *k, const void *item, const void *address,
                   enum diag_code code, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* NULL: the device corrects nothing at this point. */
const struct correction_conf *check_correction_of(const struct device_conf *dev,
                                                  const char *point);
/* True when the point becomes a channel: it measures a quantity and nobody switched it off. */
bool check_is_channel(const struct device_conf *dev, const struct profile_point *p);
/* The gross range that will be applied. */
struct field_range check_range_of(const struct config *c, const struct device_conf *dev,
                                  const struct profile_point *p);

/* The quantity of that name; NULL after an error at `text`. */
const struct quantity *check_quantity(const struct check *k, const void *item,
                                      const char *const *text);

/* What is set for all channels of a quantity; NULL: nothing. */
const struct quality_conf *check_quality_of(const struct config *c, const struct quantity *q);
/* The checks of the samples: of the devices' channels, and of all of a quantity. */
void check_qualities(const struct check *k);

/* Buses and devices: addresses, transports, channels. Needs device_conf.profile_found. */
void check_devices(const struct check *k);
/* LoRa buses and devices: plans, keys, identities. */
void check_lora(const struct check *k);
/* A condition of a rule, as the channels of that device would meet it; false after an error. */
bool check_condition(const struct check *k, const struct rule_conf *r,
                     const struct device_conf *device, const char *const *text);
/* The levels of a rule; fills what was not given. */
void check_levels(const struct check *k, const struct rule_conf *r, struct level_conf *levels);
/* Whether a rule can judge any channel of the station; says nothing. */
bool check_rule_fits(const struct check *k, const struct rule_conf *r);
/* What channels are watched by. */
void check_watches(const struct check *k);
/* Which statistics channels have, and how they are formed. */
void check_statistics(const struct check *k);
/* Which indices are formed, and of what. */
void check_index(const struct check *k);
/* Packs: their rules and watches behind the station's own. 0 or -ENOMEM. */
int check_packs(const struct check *k);
/* Rules: selection, levels, units; fills what was not given and converts to canonical units. */
void check_rules(const struct check *k);
/* Uplinks that take over for others. */
void check_uplinks(const struct check *k);
