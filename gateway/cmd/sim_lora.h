/* SPDX-License-Identifier: Apache-2.0 */
/* sim_lora - the LoRa side of `sluice sim --station`: concentrators and devices of a
 * configuration. */
#pragma once

#include "gateway/conf/config.h"
#include "gateway/sim/lora_site.h"

struct sim_lora_options {
    const struct config *config;
    const struct clock *clock;
    uint64_t seed;
    double loss, duplicate; /* of struct lora_site_options */
    /* How the instrument of a device is to behave. */
    struct instrument_options (*instrument)(void *user, const struct device_conf *d);
    void *user;
};

/* *ret NULL: the station has no concentrator. 0, or a negative errno with a sentence in
 * `error`.
 */
int sim_lora_create(const struct sim_lora_options *o, uv_loop_t *loop, struct lora_site **ret,
                    char *error, size_t size);
/* " 127.0.0.1:1700=soil-1,soil-2": where they are to be heard. */
void sim_lora_print(const struct config *c);
