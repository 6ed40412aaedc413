/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extras - registers of a simulated instrument that no point describes: those it is identified
 * by, and those that its commands write and read. Which command a write completes is told;
 * what it then does is the instrument's. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/profile/profile.h"

enum { EXTRAS_MAX = 512 }; /* the most that identification and commands of a profile can name */

struct extra {
    uint8_t space;
    bool is_writable, is_written;
    uint16_t address, word;
};

struct extras {
    const struct profile *profile;
    int order;
    size_t n;
    struct extra items[EXTRAS_MAX];
};

void extras_init(struct extras *e, const struct profile *p, int order);

/* NULL when there is no such register. */
const struct extra *extras_find(const struct extras *e, uint8_t space, uint16_t address);

/* Stores count words from first on. 0, or -EFAULT when one of them cannot be written: then
 * none is. *ret_command: what this completes, or NULL. */
int extras_write(struct extras *e, uint8_t space, unsigned first, unsigned count,
                 const uint16_t *words, const struct profile_command **ret_command);

/* The last write of a command; NULL when it writes nothing. */
const struct profile_step *extras_last_write(const struct profile_command *c);

/* The registers of a value as the wire has them, at most EXTRA_WORDS_MAX; 0: none. */
enum { EXTRA_WORDS_MAX = 64 };
size_t extras_words(struct register_address at, enum value_type type, int order, double value,
                    uint16_t *out);
size_t extras_text_words(struct register_address at, const char *text, uint16_t *out);
