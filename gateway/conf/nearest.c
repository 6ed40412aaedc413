/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "gateway/conf/diag.h"

enum { WORD_MAX = 64 }; /* longer words get no suggestion: ids end here, and cost is square */

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c == '-' ? '_' : c);
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

/* Damerau-Levenshtein, restricted (one swap of neighbours counts once); case and '-' against
 * '_' are free. Both at most WORD_MAX. */
static size_t distance(const char *a, size_t an, const char *b, size_t bn)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= bn; j++)
        last[j] = j;
    for (size_t i = 1; i <= an; i++) {
        row[0] = i;
        for (size_t j = 1; j <= bn; j++) {
            size_t cost = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]) && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        size_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[bn];
}

/* A third of the letters may be wrong, one in short words, at most three. */
static size_t allowed(size_t length)
{
    size_t n = length / 3;

    return n < 1 ? 1 : n > 3 ? 3 : n;
}

const char *nearest_word(const char *word, const char *const *words)
{
    size_t n = strlen(word), best = WORD_MAX;
    const char *ret = NULL;

    if (n < 2 || n > WORD_MAX)
        return NULL;
    for (; *words; words++) {
        size_t m = strlen(*words);
        if (m > WORD_MAX || m == 0)
            continue;
        size_t d = distance(word, n, *words, m);
        if (d < best && d <= allowed(n > m ? n : m) && d < m) {
            best = d;
            ret = *words;
        }
    }
    return ret;
}
