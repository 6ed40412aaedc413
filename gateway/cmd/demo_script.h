/* SPDX-License-Identifier: Apache-2.0 */
/* demo_script - what happens at the demonstration's station, as options of sluice sim. */
#pragma once

#include <stddef.h>

enum { SCRIPT_WORDS_MAX = 64 };

/* Puts them into argv, which has room for SCRIPT_WORDS_MAX; returns how many. */
size_t script_put(const char **argv);
