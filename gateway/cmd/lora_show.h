/* SPDX-License-Identifier: Apache-2.0 */
/* lora_show - answers of gateway/lora for people. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

void lora_show_devices(const json_t *devices, bool is_detailed);
void lora_show_device(const json_t *device);
void lora_show_gateways(const json_t *answer);
