/* SPDX-License-Identifier: Apache-2.0 */
/* lora_check - a configuration whose LoRaWAN network servers can be followed. */
#pragma once

#include "gateway/conf/config.h"

/* Messages into `d`, with the rules of gateway/lns. 0 or -ENOMEM. */
int lora_check(const struct config *c, struct diag *d);
