/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lorawan/lookup.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int lookup_init(struct lookup *l, size_t room)
{
    *l = (struct lookup){ .room = room };
    l->entries = calloc(room ? room : 1, sizeof *l->entries);
    return l->entries ? 0 : -ENOMEM;
}

void lookup_done(struct lookup *l)
{
    free(l->entries);
}

static size_t first_not_below(const struct lookup *l, uint64_t key)
{
    size_t low = 0, high = l->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (l->entries[mid].key < key)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void lookup_add(struct lookup *l, uint64_t key, uint32_t value)
{
    size_t at = first_not_below(l, key);

    assert(l->n < l->room);
    memmove(l->entries + at + 1, l->entries + at, (l->n - at) * sizeof *l->entries);
    l->entries[at] = (struct lookup_entry){ key, value };
    l->n++;
}

void lookup_drop(struct lookup *l, uint64_t key, uint32_t value)
{
    for (size_t i = lookup_first(l, key); i < l->n && l->entries[i].key == key; i++) {
        if (l->entries[i].value != value)
            continue;
        memmove(l->entries + i, l->entries + i + 1, (l->n - i - 1) * sizeof *l->entries);
        l->n--;
        return;
    }
}

size_t lookup_first(const struct lookup *l, uint64_t key)
{
    size_t at = first_not_below(l, key);

    return at < l->n && l->entries[at].key == key ? at : l->n;
}
