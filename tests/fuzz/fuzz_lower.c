/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts. Whatever comes in is rewritten or refused with a place and a reason; what comes out
 * keeps its lines, is the same every time, and is ES5: a second pass leaves it alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/codec/lower.h"
#include "tests/fuzz/fuzz.h"

enum { GROWTH_MAX = 64 }; /* times what went in: a letter can become a loop */

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static size_t lines_of(const char *p, size_t n)
{
    size_t lines = 0;

    for (size_t i = 0; i < n; i++)
        lines += p[i] == '\n' || (p[i] == '\r' && (i + 1 == n || p[i + 1] != '\n'));
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *source = (const char *)data;
    struct lower_result r, again;
    int e = lower_source(source, size, &r);

    if (e != 0) {
        require(e == -EINVAL || e == -E2BIG);
        require(!r.text && r.why[0] && r.line > 0 && r.column > 0);
        return 0;
    }
    require(r.size <= size * GROWTH_MAX + 1024 && r.text[r.size] == '\0');
    require(lines_of(r.text, r.size) == lines_of(source, size));
    require(r.is_unchanged ==
            (r.size == size && (size == 0 || memcmp(r.text, source, size) == 0)));
    require(lower_source(r.text, r.size, &again) == 0 && again.is_unchanged);
    free(again.text);
    free(r.text);
    return 0;
}
