/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/csv_line.h"

#include <errno.h>
#include <string.h>

#define MARK   "\xEF\xBB\xBF" /* what spreadsheets put before UTF-8 */
#define AROUND " \t\""

/* A terminal must not be steered by what a message quotes. */
static bool is_text(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' && text[i] != '\t')
            return false;
    return true;
}

static size_t without_mark(char *text, size_t n)
{
    const size_t mark = strlen(MARK);

    if (n < mark || memcmp(text, MARK, mark) != 0)
        return n;
    memmove(text, text + mark, n - mark);
    return n - mark;
}

ssize_t csv_line_read(FILE *in, char **text, size_t *cap, uint64_t *line)
{
    for (;;) {
        const ssize_t got = getline(text, cap, in);
        if (got < 0)
            return ferror(in) ? -EIO : -ENODATA;
        size_t n = (size_t)got;
        ++*line;
        if (n > CSV_LINE_MAX)
            return -EMSGSIZE;
        while (n > 0 && ((*text)[n - 1] == '\n' || (*text)[n - 1] == '\r'))
            n--;
        if (!is_text(*text, n))
            return -EILSEQ;
        if (*line == 1)
            n = without_mark(*text, n);
        (*text)[n] = '\0';
        if (strspn(*text, " \t") < n && (*text)[0] != '#')
            return (ssize_t)n;
    }
}

struct csv_span csv_trim(const char *p, size_t n)
{
    while (n > 0 && strchr(AROUND, *p)) {
        p++;
        n--;
    }
    while (n > 0 && strchr(AROUND, p[n - 1]))
        n--;
    return (struct csv_span){ p, n };
}

bool csv_is_missing(struct csv_span s)
{
    return s.n == 0 || (s.n == 1 && (*s.p == '-' || *s.p == '/')) ||
           (s.n == 2 && memcmp(s.p, "NA", 2) == 0);
}
