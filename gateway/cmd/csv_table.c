/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/csv_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/csv_line.h"

enum {
    CELLS_MAX = 50 * 1000000, /* 1.2 GB */
    SHOWN_MAX = 40,           /* bytes of a text in a message */
};

int csv_table_complain(const struct csv_table *t, unsigned column, const char *en,
                       const char *zh, const char *found, size_t n)
{
    fprintf(stderr, "sluice %s%s%s", t->command, t->file ? ": " : "", t->file ? t->file : "");
    fprintf(stderr, say_zh() ? "：第 %" PRIu64 " 行" : ": line %" PRIu64, t->line);
    if (column)
        fprintf(stderr, say_zh() ? "第 %u 列" : ", column %u", column);
    fprintf(stderr, "%s%s", say_zh() ? "：" : ": ", say_zh() ? zh : en);
    if (found)
        fprintf(stderr, say_zh() ? "，实为“%.*s”" : ", found '%.*s'",
                (int)(n < SHOWN_MAX ? n : SHOWN_MAX), found);
    fprintf(stderr, "%s\n", say_zh() ? "。" : ".");
    return -EINVAL;
}

/* ---- reading ---- */

/* Length of the next line without its end, -ENODATA after the last, or -EINVAL. */
static ssize_t next_line(struct csv_table *t)
{
    const ssize_t n = csv_line_read(t->in, &t->text, &t->text_cap, &t->line);

    if (n == -EMSGSIZE)
        return csv_table_complain(t, 0, "longer than 64 KiB", "超过 64 KiB", NULL, 0);
    if (n == -EILSEQ)
        return csv_table_complain(t, 0, "not text", "不是文本", NULL, 0);
    if (n == -EIO)
        return csv_table_complain(t, 0, "the table cannot be read", "无法读取表格", NULL, 0);
    return n;
}

static unsigned count_cells(const char *text, size_t n)
{
    unsigned cells = 1;

    for (size_t i = 0; i < n; i++)
        cells += text[i] == ',';
    return cells;
}

static int name_column(struct csv_table *t, unsigned i, const char *text, size_t n)
{
    const struct csv_span name = csv_trim(text, n);

    if (name.n == 0 || name.n >= CSV_NAME_MAX)
        return csv_table_complain(t, i + 2, "expected the name of a channel or quantity",
                                  "应为通道或要素的名称", text, n);
    memcpy(t->names[i], name.p, name.n);
    t->names[i][name.n] = '\0';
    for (unsigned k = 0; k < i; k++)
        if (strcmp(t->names[k], t->names[i]) == 0)
            return csv_table_complain(t, i + 2, "expected a name that no other column has",
                                      "列名不应重复", name.p, name.n);
    return 0;
}

static int take_names(struct csv_table *t, const char *p, const char *end)
{
    for (unsigned i = 0; i < t->columns; i++) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma ? comma : end;
        int rc = name_column(t, i, p, (size_t)(stop - p));
        if (rc < 0)
            return rc;
        p = stop + (comma != NULL);
    }
    return 0;
}

static int reserve_columns(struct csv_table *t, unsigned columns)
{
    if (columns == 0)
        return csv_table_complain(t, 0, "expected a time, a comma and at least one value",
                                  "应为时间、逗号和至少一个数值", NULL, 0);
    if (columns > CSV_COLUMNS_MAX)
        return csv_table_complain(t, 0, "more than 256 values; split the table",
                                  "超过 256 个数值，请拆分表格", NULL, 0);
    t->columns = columns;
    t->names = calloc(columns, sizeof *t->names);
    return t->names ? 0 : -ENOMEM;
}

static bool is_heading(const char *text, size_t n)
{
    const struct csv_span first = csv_trim(text, n);

    return first.n > 0 && memchr("0123456789-+.", *first.p, 13) == NULL;
}

/* The first line: names, or a first row for which names were given. */
static int begin(struct csv_table *t, size_t n, const char *const *names, size_t names_n)
{
    const char *comma = memchr(t->text, ',', n);
    int rc = reserve_columns(t, count_cells(t->text, n) - 1);

    if (rc < 0)
        return rc;
    if (is_heading(t->text, n))
        return take_names(t, comma + 1, t->text + n);
    if (names_n != t->columns)
        return csv_table_complain(
            t, 0,
            "no heading: name each column with --channel, or write a first line "
            "such as time,ozone,air_temp",
            "没有表头：请用 --channel 依次指明各列，或在首行写明，例如 "
            "time,ozone,air_temp",
            NULL, 0);
    for (unsigned i = 0; rc == 0 && i < t->columns; i++)
        rc = name_column(t, i, names[i], strlen(names[i]));
    return rc;
}

static int reserve_row(struct csv_table *t)
{
    if (t->rows < t->rows_cap)
        return 0;
    const size_t cap = t->rows_cap ? 2 * t->rows_cap : 1024;
    if (cap > CELLS_MAX / t->columns)
        return csv_table_complain(t, 0, "more than 50 million values; split the table",
                                  "超过五千万个数值，请拆分表格", NULL, 0);
    int64_t *times = realloc(t->time_ms, cap * sizeof *times);
    if (times)
        t->time_ms = times;
    struct series_cell *cells = realloc(t->cells, cap * t->columns * sizeof *cells);
    if (cells)
        t->cells = cells;
    if (!times || !cells)
        return -ENOMEM;
    t->rows_cap = cap;
    return 0;
}

static int read_time(struct csv_table *t, struct csv_span s)
{
    int rc = 0;

    if (!t->has_form)
        rc = csv_form_guess(s.p, s.n, &t->form);
    if (rc < 0)
        return csv_table_complain(
            t, 1,
            "expected a time: Unix seconds, milliseconds or ISO 8601 UTC such as "
            "2026-11-22T10:00:00Z",
            "应为时间：Unix 秒、毫秒或 ISO 8601 UTC，例如 2026-11-22T10:00:00Z", s.p, s.n);
    t->has_form = true;
    rc = csv_time_parse(&t->form, s.p, s.n, &t->time_ms[t->rows]);
    if (rc == -ERANGE)
        return csv_table_complain(t, 1, "a time that cannot be", "不可能的时间", s.p, s.n);
    if (rc < 0)
        return csv_table_complain(t, 1, "expected a time written as in the first row",
                                  "时间的写法应与首行相同", s.p, s.n);
    return 0;
}

static int read_row(struct csv_table *t, size_t n)
{
    const char *end = t->text + n, *p = memchr(t->text, ',', n);
    struct series_cell *cells = NULL;

    if (!p || count_cells(t->text, n) != t->columns + 1)
        return csv_table_complain(t, 0, "expected as many values as in the first line",
                                  "数值个数应与首行相同", t->text, n);
    int rc = reserve_row(t);
    if (rc == 0)
        rc = read_time(t, csv_trim(t->text, (size_t)(p - t->text)));
    if (rc < 0)
        return rc;
    cells = t->cells + t->rows * t->columns;
    for (unsigned i = 0; i < t->columns; i++) {
        p++; /* behind the comma before it */
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const size_t size = (size_t)((comma ? comma : end) - p);
        const struct csv_span cell = csv_trim(p, size);
        if (csv_cell_parse(cell.p, csv_is_missing(cell) ? 0 : cell.n, &cells[i], NULL) != 0)
            return csv_table_complain(t, i + 2, "expected a number", "应为数字", p, size);
        p += size;
    }
    t->rows++;
    return 0;
}

int csv_table_begin(struct csv_table *t, const char *const *names, size_t names_n)
{
    const ssize_t n = next_line(t);

    if (n == -ENODATA)
        return csv_table_complain(t, 0, "the table is empty", "表格为空", NULL, 0);
    int rc = n < 0 ? (int)n : begin(t, (size_t)n, names, names_n);
    if (rc == 0 && !is_heading(t->text, (size_t)n)) {
        rc = read_row(t, (size_t)n);
        t->is_ahead = rc == 0;
    }
    return rc;
}

int csv_table_next(struct csv_table *t)
{
    ssize_t n = 0;
    int rc = 0;

    if (!t->is_ahead) {
        t->rows = 0;
        n = next_line(t);
        rc = n == -ENODATA ? 0 : n < 0 ? (int)n : read_row(t, (size_t)n);
    }
    t->is_ahead = false;
    return rc < 0 ? rc : n != -ENODATA;
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int64_t csv_table_interval(const struct csv_table *t)
{
    if (t->rows < 2)
        return 0;
    int64_t *step = malloc((t->rows - 1) * sizeof *step);
    if (!step)
        return -ENOMEM;
    for (size_t i = 1; i < t->rows; i++)
        step[i - 1] = llabs(t->time_ms[i] - t->time_ms[i - 1]);
    qsort(step, t->rows - 1, sizeof *step, compare);
    const int64_t interval_ms = step[(t->rows - 1) / 2];
    free(step);
    return interval_ms;
}

int csv_table_read(struct csv_table *t, const char *const *names, size_t names_n)
{
    int rc = csv_table_begin(t, names, names_n);
    ssize_t n;

    while (rc == 0 && (n = next_line(t)) != -ENODATA)
        rc = n < 0 ? (int)n : read_row(t, (size_t)n);
    if (rc == 0)
        t->line = 1;
    return rc;
}

void csv_table_done(struct csv_table *t)
{
    free(t->names);
    free(t->cells);
    free(t->time_ms);
    free(t->text);
}

int csv_table_exit_code(const struct csv_table *t, int rc)
{
    if (rc == -ENOMEM)
        fprintf(stderr, say_zh() ? "sluice %s：内存不足。\n" : "sluice %s: no memory.\n",
                t->command);
    if (rc == -EIO)
        fprintf(stderr,
                say_zh() ? "sluice %s：无法写出结果。\n"
                         : "sluice %s: the output cannot be written.\n",
                t->command);
    return rc == -ENOMEM || rc == -EIO ? EXIT_FOUND : rc < 0 ? EXIT_USAGE : EXIT_DONE;
}
