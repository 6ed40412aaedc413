/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup - which devices a number belongs to: sorted pairs, several values to a key (two
 * devices may share a DevAddr). Room is taken once; nothing else allocates.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct lookup_entry {
    uint64_t key;
    uint32_t value;
};

struct lookup {
    struct lookup_entry *entries;
    size_t n, room;
};

/* 0 or -ENOMEM. */
int lookup_init(struct lookup *l, size_t room);
void lookup_done(struct lookup *l);

/* The pair must be new and room left. */
void lookup_add(struct lookup *l, uint64_t key, uint32_t value);
void lookup_drop(struct lookup *l, uint64_t key, uint32_t value); /* absent: nothing */
/* Place of the first entry of that key; those that follow may have the same. l->n: none. */
size_t lookup_first(const struct lookup *l, uint64_t key);
