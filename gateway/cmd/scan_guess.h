/* SPDX-License-Identifier: Apache-2.0 */
/* scan_guess - unknown registers as whatever they might be, in all word orders. */
#pragma once

#include <stdio.h>

#include "gateway/survey/survey.h"

void scan_guess_print(const struct survey_read *q, const uint16_t *words, FILE *out);
