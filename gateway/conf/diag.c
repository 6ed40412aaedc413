/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/mask.h"
#include "gateway/conf/utf8.h"

enum { NO_SOURCE = -1 };

struct source {
    char *name, *text; /* text NULL: not known */
    size_t size;
    bool is_file; /* counts in "of 3 files" */
    bool has_message;
};

struct message {
    int source; /* index, NO_SOURCE */
    int line, column, width;
    enum diag_code code;
    bool is_warning;
    char *text;
};

struct diag {
    struct source *sources;
    size_t sources_n;
    struct message *messages; /* kept sorted */
    size_t messages_n;
    size_t errors, warnings;
};

int diag_create(struct diag **ret)
{
    struct diag *d = calloc(1, sizeof *d);

    if (!d)
        return -ENOMEM;
    *ret = d;
    return 0;
}

void diag_destroy(struct diag *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->sources_n; i++) {
        free(d->sources[i].name);
        free(d->sources[i].text);
    }
    for (size_t i = 0; i < d->messages_n; i++)
        free(d->messages[i].text);
    free(d->sources);
    free(d->messages);
    free(d);
}

/* Index of the source called `name`, made when new. */
static int source_index(struct diag *d, const char *name)
{
    for (size_t i = 0; i < d->sources_n; i++) {
        if (strcmp(d->sources[i].name, name) == 0)
            return (int)i;
    }
    struct source *more = realloc(d->sources, (d->sources_n + 1) * sizeof *more);
    if (!more)
        return NO_SOURCE;
    d->sources = more;
    char *copy = strdup(name);
    if (!copy)
        return NO_SOURCE;
    d->sources[d->sources_n] = (struct source){ .name = copy };
    return (int)d->sources_n++;
}

void diag_note_file(struct diag *d, const char *path)
{
    int i = source_index(d, path);

    if (i >= 0)
        d->sources[i].is_file = true;
}

void diag_add_source(struct diag *d, const char *name, const char *text, size_t size)
{
    int i = source_index(d, name);

    if (i < 0 || d->sources[i].text)
        return;
    d->sources[i].text = malloc(size + 1);
    if (!d->sources[i].text)
        return;
    if (size)
        memcpy(d->sources[i].text, text, size);
    d->sources[i].text[size] = '\0';
    d->sources[i].size = mask_secrets(d->sources[i].text, size);
}

/* The text of line `line` (from 1) of a source; NULL when there is none. */
static const char *line_find(const struct source *s, int line, size_t *ret_size)
{
    const char *p = s->text, *end = p ? p + s->size : NULL;

    if (!p || line < 1)
        return NULL;
    for (int i = 1; i < line; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p)
            return NULL;
        p++;
    }
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    size_t size = (size_t)((stop ? stop : end) - p);
    if (size > 0 && p[size - 1] == '\r')
        size--;
    *ret_size = size;
    return p;
}

void diag_hide(struct diag *d, struct field_mark mark, int width)
{
    int i = mark.file ? source_index(d, mark.file) : NO_SOURCE;
    size_t size = 0;

    if (i < 0 || mark.line < 1)
        return;
    struct source *s = &d->sources[i];
    const char *line = line_find(s, mark.line, &size);
    if (line)
        s->size = mask_span(s->text, s->size, (size_t)(line - s->text), mark.column, width);
}

static bool is_before(const struct message *a, const struct message *b)
{
    if (a->source != b->source)
        return a->source < b->source;
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

static void insert(struct diag *d, struct message m)
{
    size_t at = d->messages_n;
    struct message *more = realloc(d->messages, (at + 1) * sizeof *more);

    if (!more) {
        free(m.text);
        return;
    }
    d->messages = more;
    for (; at > 0 && is_before(&m, &more[at - 1]); at--)
        more[at] = more[at - 1];
    more[at] = m;
    d->messages_n++;
}

__attribute__((format(printf, 1, 0))) static char *format_text(const char *format, va_list args)
{
    char text[DIAG_TEXT_MAX];
    int n = vsnprintf(text, sizeof text, format, args);

    if (n < 0)
        return NULL;
    if ((size_t)n >= sizeof text)
        memcpy(text + sizeof text - 4, "...", 4);
    return strdup(text);
}

__attribute__((format(printf, 4, 0))) static void add(struct diag *d, struct message m,
                                                      const char *file, const char *format,
                                                      va_list args)
{
    *(m.is_warning ? &d->warnings : &d->errors) += 1;
    m.source = file ? source_index(d, file) : NO_SOURCE;
    if (m.source >= 0)
        d->sources[m.source].has_message = true;
    if (d->messages_n >= DIAG_MESSAGES_MAX)
        return;
    m.text = format_text(format, args);
    if (m.text)
        insert(d, m);
}

static struct message at(struct field_mark mark, int width, enum diag_code code)
{
    return (struct message){
        .line = mark.line, .column = mark.column, .width = width, .code = code
    };
}

void diag_error(struct diag *d, struct field_mark mark, int width, enum diag_code code,
                const char *format, ...)
{
    struct message m = at(mark, width, code);
    va_list args;

    va_start(args, format);
    add(d, m, mark.file, format, args);
    va_end(args);
}

void diag_warning(struct diag *d, struct field_mark mark, int width, enum diag_code code,
                  const char *format, ...)
{
    struct message m = at(mark, width, code);
    va_list args;

    m.is_warning = true;
    va_start(args, format);
    add(d, m, mark.file, format, args);
    va_end(args);
}

size_t diag_errors(const struct diag *d)
{
    return d->errors;
}

size_t diag_warnings(const struct diag *d)
{
    return d->warnings;
}

size_t diag_count(const struct diag *d)
{
    return d->messages_n;
}

struct diag_message diag_get(const struct diag *d, size_t i)
{
    const struct message *m = &d->messages[i];

    return (struct diag_message){
        .mark = { .file = m->source >= 0 ? d->sources[m->source].name : NULL,
                  .line = m->line,
                  .column = m->column },
        .width = m->width,
        .code = m->code,
        .is_warning = m->is_warning,
        .text = m->text,
    };
}

/* What of a line is shown: characters [first, last), counted from 0. */
struct window {
    int first, last;
    bool is_cut_left, is_cut_right;
};

static struct window window_of(const char *line, size_t size, int column)
{
    int n = 0;
    int32_t c;

    for (size_t i = 0; i < size; n++)
        i += utf8_next(line + i, size - i, &c);
    int first =
        n <= DIAG_LINE_MAX || column <= DIAG_LINE_MAX / 2 ? 0 : column - DIAG_LINE_MAX / 2;
    if (first > n)
        first = n;
    int last = n - first > DIAG_LINE_MAX ? first + DIAG_LINE_MAX : n;
    return (struct window){ first, last, first > 0, last < n };
}

static void put_char(FILE *out, const char *p, size_t size, int32_t c)
{
    if (c == '\t' || utf8_is_printable(c))
        fwrite(p, 1, size, out);
    else
        fputs("\xef\xbf\xbd", out);
}

static void put_times(FILE *out, char c, int n)
{
    for (int i = 0; i < n; i++)
        putc(c, out);
}

/* The source line, and below it the caret; a tab before the place stays a tab and a wide
 * character takes two blanks, so that the caret stands where the eye expects it. */
static void print_line(const struct message *m, const char *line, size_t size, FILE *out)
{
    struct window w = window_of(line, size, m->column);
    size_t pos = 0;
    int32_t c;
    int n = 0;

    fputs(w.is_cut_left ? "  ..." : "  ", out);
    for (size_t step; pos < size && n < w.last; pos += step, n++) {
        step = utf8_next(line + pos, size - pos, &c);
        if (n >= w.first)
            put_char(out, line + pos, step, c);
    }
    fputs(w.is_cut_right ? "...\n" : "\n", out);
    if (m->column < 1)
        return;

    int tildes = 0;
    fputs(w.is_cut_left ? "     " : "  ", out);
    pos = 0;
    n = 0;
    for (size_t step; pos < size && n < w.last; pos += step, n++) {
        step = utf8_next(line + pos, size - pos, &c);
        int width = utf8_is_printable(c) ? utf8_width(c) : 1;
        if (n >= w.first && n < m->column - 1)
            put_times(out, c == '\t' ? '\t' : ' ', c == '\t' ? 1 : width);
        else if (n >= m->column - 1 && n < m->column - 1 + m->width)
            tildes += width;
    }
    putc('^', out);
    put_times(out, '~', tildes - 1);
    putc('\n', out);
}

static void print_shown(const char *text, FILE *out)
{
    char shown[3 * DIAG_TEXT_MAX + 4]; /* every byte may become U+FFFD */

    utf8_shown(text, DIAG_TEXT_MAX, shown, sizeof shown);
    fputs(shown, out);
}

static void print_message(const struct diag *d, const struct message *m, FILE *out)
{
    const struct source *s = m->source >= 0 ? &d->sources[m->source] : NULL;
    const char *line;
    size_t size = 0;

    if (s)
        print_shown(s->name, out);
    if (s && m->line > 0)
        fprintf(out, ":%d:%d", m->line, m->column);
    fprintf(out, "%s%s: ", s ? ": " : "", m->is_warning ? "warning" : "error");
    print_shown(m->text, out);
    fprintf(out, "  [E%03d]\n", (int)m->code);
    line = s ? line_find(s, m->line, &size) : NULL;
    if (line && size > 0)
        print_line(m, line, size, out);
}

static void print_count(size_t n, const char *what, FILE *out)
{
    fprintf(out, "%zu %s%s", n, what, n == 1 ? "" : "s");
}

static void print_closing(const struct diag *d, FILE *out)
{
    size_t files = 0, concerned = 0;

    for (size_t i = 0; i < d->sources_n; i++) {
        files += d->sources[i].is_file || d->sources[i].has_message;
        concerned += d->sources[i].has_message;
    }
    if (d->errors)
        print_count(d->errors, "error", out);
    if (d->errors && d->warnings)
        fputs(" and ", out);
    if (d->warnings)
        print_count(d->warnings, "warning", out);
    if (files > 0)
        fprintf(out, " in %zu of %zu file%s", concerned, files, files == 1 ? "" : "s");
    putc('\n', out);
}

void diag_print(const struct diag *d, FILE *out)
{
    size_t all = d->errors + d->warnings;

    for (size_t i = 0; i < d->messages_n; i++)
        print_message(d, &d->messages[i], out);
    if (all > d->messages_n)
        fprintf(out, "... and %zu more\n", all - d->messages_n);
    if (all > 0)
        print_closing(d, out);
}
