/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz - the one function of a fuzz target: any bytes at all, and nothing may crash, hang or
 * leak. A broken promise (a round trip that does not come back) is an abort().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
