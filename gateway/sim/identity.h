/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity - what a simulated instrument says of itself: read device identification (function
 * 0x2B, MEI type 0x0E; Modbus Application Protocol V1.1b3, 6.21). The objects that the profile
 * identifies its model by, then vendor, product code and revision. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sensors/profile/profile.h"

enum { IDENTITY_PDU_MAX = 253 };

/* The text that a test asks for: of a pattern, one that it is the pattern of. */
void identity_text(const struct profile_identify *test, char *out, size_t size);

/* Answers the request pdu[0..n) into out[IDENTITY_PDU_MAX]; the length of the answer, or the
 * negative of a Modbus exception code. */
int identity_answer(const struct profile *p, const uint8_t *pdu, size_t n, uint8_t *out);
