/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "rules/qc/platform.h"

/* Characters of UTF-8, not its bytes. */
static size_t characters(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static size_t fields(const char *text, const char *delimiter)
{
    const size_t step = strlen(delimiter);
    size_t n = 1;

    for (const char *at = text; (at = strstr(at, delimiter)) != NULL; at += step)
        n++;
    return n;
}

enum qc_flag qc_syntax_check(enum qc_syntax how, double expected, const char *delimiter,
                             const char *text)
{
    size_t n = characters(text);

    if (how == QC_BYTES && n % 2 != 0)
        return QC_FAIL;
    if (how == QC_BYTES)
        n /= 2;
    if (delimiter && *delimiter)
        n = fields(text, delimiter);
    return (double)n == expected ? QC_GOOD : QC_FAIL;
}
