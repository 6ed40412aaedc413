/* SPDX-License-Identifier: Apache-2.0 */
/* message - which kind of message it is. Shared by the sources of this folder. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sensors/payload/layout.h"

/* NULL: none of the profile's. */
const struct payload_message *message_find(const struct payload *payload, uint8_t fport,
                                           const uint8_t *bytes, size_t n);
/* The group of a key; NULL: not listed. */
const struct payload_group *message_group(const struct payload_message *m, uint32_t key);
