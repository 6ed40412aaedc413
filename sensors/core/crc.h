/* SPDX-License-Identifier: Apache-2.0 */
/* crc - checksums shared by formats. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, reflected 1EDC6F41h, start and final xor FFFFFFFFh); pass 0 to start.
 * "123456789" gives E3069283h. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);
