/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/qc_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/series_csv.h"

enum {
    LINE_MAX_SIZE = 1 << 16,  /* 256 values are far below */
    CELLS_MAX = 50 * 1000000, /* 1.2 GB */
    OUT_MAX = 1 << 20,        /* text of one row */
    SHOWN_MAX = 40,           /* bytes of a text in a message */
};

struct table {
    const struct qc_job *job;
    FILE *in;
    char *text;
    size_t text_cap;
    uint64_t line; /* its number */
    struct csv_form form;
    bool has_form;
    unsigned columns;
    struct qc_column *column;
    struct qc_state *state;
    struct qc_judged *last; /* of the row before, as it was judged at its step */
    void *windows;
    int64_t *time_ms;
    struct series_cell *cells; /* columns of a row side by side */
    size_t rows, rows_cap;
    uint64_t count[GRADE_COUNT_];
    uint64_t reason_count[32];
};

static bool is_zh(void)
{
    return strcmp(cmd_lang(), "zh") == 0;
}

/* column 0: the line as a whole. `found` may be NULL. */
static int complain(const struct table *t, unsigned column, const char *en, const char *zh,
                    const char *found, size_t n)
{
    fprintf(stderr, is_zh() ? "sluice qc：第 %" PRIu64 " 行" : "sluice qc: line %" PRIu64,
            t->line);
    if (column)
        fprintf(stderr, is_zh() ? "第 %u 列" : ", column %u", column);
    fprintf(stderr, "%s%s", is_zh() ? "：" : ": ", is_zh() ? zh : en);
    if (found)
        fprintf(stderr, is_zh() ? "，实为“%.*s”" : ", found '%.*s'",
                (int)(n < SHOWN_MAX ? n : SHOWN_MAX), found);
    fprintf(stderr, "%s\n", is_zh() ? "。" : ".");
    return -EINVAL;
}

/* ---- reading ---- */

/* Length of the next line without its end, -ENODATA after the last, or -EINVAL. */
static ssize_t next_line(struct table *t)
{
    ssize_t n = getline(&t->text, &t->text_cap, t->in);

    if (n < 0)
        return -ENODATA;
    t->line++;
    if (n > LINE_MAX_SIZE)
        return complain(t, 0, "longer than 64 KiB", "超过 64 KiB", NULL, 0);
    while (n > 0 && (t->text[n - 1] == '\n' || t->text[n - 1] == '\r'))
        n--;
    return n;
}

static unsigned count_cells(const char *text, size_t n)
{
    unsigned cells = 1;

    for (size_t i = 0; i < n; i++)
        cells += text[i] == ',';
    return cells;
}

static int name_column(struct table *t, unsigned i, const char *text, size_t n)
{
    while (n > 0 && strchr(" \t\"", *text)) {
        text++;
        n--;
    }
    while (n > 0 && strchr(" \t\"", text[n - 1]))
        n--;
    if (n == 0 || n >= QC_NAME_MAX)
        return complain(t, i + 2, "expected the name of a channel or quantity",
                        "应为通道或要素的名称", text, n);
    memcpy(t->column[i].name, text, n);
    t->column[i].name[n] = '\0';
    return 0;
}

static int take_names(struct table *t, const char *p, const char *end)
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

static int reserve_columns(struct table *t, unsigned columns)
{
    if (columns == 0)
        return complain(t, 0, "expected a time, a comma and at least one value",
                        "应为时间、逗号和至少一个数值", NULL, 0);
    if (columns > QC_COLUMNS_MAX)
        return complain(t, 0, "more than 256 values; split the table",
                        "超过 256 个数值，请拆分表格", NULL, 0);
    t->columns = columns;
    t->column = calloc(columns, sizeof *t->column);
    t->state = calloc(columns, sizeof *t->state);
    t->last = calloc(columns, sizeof *t->last);
    return t->column && t->state && t->last ? 0 : -ENOMEM;
}

static bool is_heading(const char *text, size_t n)
{
    return n > 0 && memchr("0123456789-+.", text[0], 13) == NULL;
}

/* The first line: names, or a first row for which names were given. */
static int begin(struct table *t, size_t n)
{
    const char *comma = memchr(t->text, ',', n);
    int rc = reserve_columns(t, count_cells(t->text, n) - 1);

    if (rc < 0)
        return rc;
    if (is_heading(t->text, n))
        return take_names(t, comma + 1, t->text + n);
    if (t->job->names_n != t->columns)
        return complain(t, 0,
                        "no heading: name each column with --channel, or write a first line "
                        "such as time,ozone,air_temp",
                        "没有表头：请用 --channel 依次指明各列，或在首行写明，例如 "
                        "time,ozone,air_temp",
                        NULL, 0);
    for (unsigned i = 0; rc == 0 && i < t->columns; i++)
        rc = name_column(t, i, t->job->names[i], strlen(t->job->names[i]));
    return rc;
}

static int reserve_row(struct table *t)
{
    if (t->rows < t->rows_cap)
        return 0;
    const size_t cap = t->rows_cap ? 2 * t->rows_cap : 1024;
    if (cap > CELLS_MAX / t->columns)
        return complain(t, 0, "more than 50 million values; split the table",
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

static int read_time(struct table *t, size_t n)
{
    int rc = 0;

    if (!t->has_form)
        rc = csv_form_guess(t->text, n, &t->form);
    if (rc < 0)
        return complain(t, 1,
                        "expected a time: Unix seconds, milliseconds or ISO 8601 UTC such as "
                        "2026-11-22T10:00:00Z",
                        "应为时间：Unix 秒、毫秒或 ISO 8601 UTC，例如 2026-11-22T10:00:00Z",
                        t->text, n);
    t->has_form = true;
    rc = csv_time_parse(&t->form, t->text, n, &t->time_ms[t->rows]);
    if (rc == -ERANGE)
        return complain(t, 1, "a time that cannot be", "不可能的时间", t->text, n);
    if (rc < 0)
        return complain(t, 1, "expected a time written as in the first row",
                        "时间的写法应与首行相同", t->text, n);
    return 0;
}

static int read_row(struct table *t, size_t n)
{
    const char *end = t->text + n, *p = memchr(t->text, ',', n);
    struct series_cell *cells = NULL;
    bool is_exact;

    if (!p || count_cells(t->text, n) != t->columns + 1)
        return complain(t, 0, "expected as many values as in the first line",
                        "数值个数应与首行相同", t->text, n);
    int rc = reserve_row(t);
    if (rc == 0)
        rc = read_time(t, (size_t)(p - t->text));
    if (rc < 0)
        return rc;
    cells = t->cells + t->rows * t->columns;
    for (unsigned i = 0; i < t->columns; i++) {
        p++; /* behind the comma before it */
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const size_t size = (size_t)((comma ? comma : end) - p);
        if (csv_cell_parse(p, size, &cells[i], &is_exact) != 0)
            return complain(t, i + 2, "expected a number", "应为数字", p, size);
        p += size;
    }
    t->rows++;
    return 0;
}

static int read_all(struct table *t)
{
    ssize_t n;
    int rc = 0;

    while (rc == 0 && (n = next_line(t)) != -ENODATA) {
        if (n < 0)
            return (int)n;
        const bool is_first = t->columns == 0;
        if (is_first)
            rc = begin(t, (size_t)n);
        if (rc == 0 && !(is_first && is_heading(t->text, (size_t)n)))
            rc = read_row(t, (size_t)n);
    }
    return rc;
}

/* ---- configuring ---- */

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* The middle one of all steps of time; 0 with fewer than two rows; -ENOMEM. */
static int64_t find_interval(const struct table *t)
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

struct beside { /* where another quantity of the same device is looked for */
    const struct table *t;
    unsigned column;
};

static size_t device_length(const char *name)
{
    const char *slash = strchr(name, '/');

    return slash ? (size_t)(slash - name) : 0;
}

static int find_beside(void *user, const char *quantity)
{
    const struct beside *at = user;
    const char *mine = at->t->column[at->column].name;

    for (unsigned i = 0; i < at->t->columns; i++) {
        const struct qc_column *c = &at->t->column[i];
        if (strcmp(c->quantity->id, quantity) == 0 &&
            device_length(c->name) == device_length(mine) &&
            strncmp(c->name, mine, device_length(mine)) == 0)
            return (int)i;
    }
    return -1;
}

static void relate(struct table *t)
{
    for (unsigned i = 0; i < t->columns; i++) {
        struct qc_column *c = &t->column[i];
        struct beside at = { t, i };
        c->config.relations_n =
            qc_default_relations(c->quantity, find_beside, &at, c->relations);
        c->config.relations = c->relations;
    }
}

static int start(struct table *t)
{
    size_t size = 0;

    for (unsigned i = 0; i < t->columns; i++)
        size += qc_memory(&t->column[i].config);
    char *at = t->windows = calloc(1, size + 1);
    if (!at)
        return -ENOMEM;
    for (unsigned i = 0; i < t->columns; i++) {
        qc_start(&t->column[i].config, &t->state[i], at);
        at += qc_memory(&t->column[i].config);
    }
    return 0;
}

static int configure(struct table *t)
{
    const int64_t interval_ms = find_interval(t);

    if (interval_ms < 0)
        return (int)interval_ms;
    t->line = 1;
    for (unsigned i = 0; i < t->columns; i++) {
        struct qc_column *c = &t->column[i];
        if (!t->job->find(t->job->user, interval_ms, c))
            return complain(t, i + 2, "expected a channel of the configuration or a quantity",
                            "应为配置中的通道或要素的名称", c->name, strlen(c->name));
        const char *error = qc_config_error(&c->config);
        if (error)
            return complain(t, i + 2, error, error, NULL, 0);
    }
    relate(t);
    return start(t);
}

/* ---- judging ---- */

/* What other columns are compared with: values that can be. */
static void gather(const struct table *t, size_t row, double *ret)
{
    for (unsigned i = 0; i < t->columns; i++) {
        const double x = decimal_to_double(series_value(&t->cells[row * t->columns + i]));
        const struct qc_range *range = &t->column[i].config.range;
        ret[i] = qc_range_check(range, x) == QC_FAIL ? NAN : x;
    }
}

static void judge(struct table *t, size_t row)
{
    double peers[QC_COLUMNS_MAX];

    gather(t, row, peers);
    for (unsigned i = 0; i < t->columns; i++) {
        const struct series_cell *cell = &t->cells[row * t->columns + i];
        struct sample s = { .time_ms = t->time_ms[row],
                            .channel = i,
                            .value = series_value(cell),
                            .verdict = verdict_from_flag(cell->flag) };
        const struct qc_input in = { .raw = s.value, .peers = peers, .peers_n = t->columns };
        qc_judge(&t->column[i].config, &t->state[i], &in, &s);
    }
}

/* ---- writing ---- */

static void put_reasons(struct buf *b, uint32_t reasons)
{
    const char *between = "";

    for (uint32_t bit = 1; bit && bit <= reasons; bit <<= 1) {
        if (!(reasons & bit) || !reason_id(bit))
            continue;
        buf_printf(b, "%s%s", between, reason_id(bit));
        between = " ";
    }
}

static void count(struct table *t, struct verdict v)
{
    t->count[v.grade]++;
    for (unsigned i = 0; i < 31; i++)
        t->reason_count[i] += v.reasons >> i & 1;
}

static void put_sample(struct table *t, struct buf *b, const struct qc_judged *j,
                       const struct series_cell *cell)
{
    const struct verdict v = j->sample.verdict;

    count(t, v);
    if (t->job->is_flagged_only && v.grade == GRADE_GOOD)
        return;
    csv_time_print(&t->form, j->sample.time_ms, b);
    buf_printf(b, ",%s,", t->column[j->sample.channel].name);
    csv_cell_print(&t->form, &(struct series_cell){ .v = cell->v, .e = cell->e }, b);
    buf_printf(b, ",%d,%s,", verdict_qartod(v), grade_id((enum grade)v.grade));
    put_reasons(b, v.reasons);
    for (int k = 0; k < QC_TEST_COUNT_; k++) {
        if (j->flag[k] == QC_NONE)
            buf_puts(b, ",");
        else
            buf_printf(b, ",%d", j->flag[k]);
    }
    buf_puts(b, "\n");
}

/* What is known of a sample of the row before, now that the next one is judged. */
static const struct qc_judged *final_of(const struct table *t, unsigned column)
{
    const struct qc_judged *last = &t->last[column], *before = &t->state[column].before;

    return !last->is_final && before->sample.time_ms == last->sample.time_ms ? before : last;
}

static int write_last(struct table *t, struct buf *b, size_t row, FILE *out)
{
    buf_clear(b);
    for (unsigned i = 0; i < t->columns; i++)
        put_sample(t, b, final_of(t, i), &t->cells[row * t->columns + i]);
    if (b->has_failed)
        return -ENOMEM;
    return fwrite(b->data, 1, b->size, out) == b->size ? 0 : -EIO;
}

static void remember(struct table *t)
{
    for (unsigned i = 0; i < t->columns; i++)
        t->last[i] = t->state[i].now;
}

static int write_heading(FILE *out)
{
    fputs("time,channel,value,flag,grade,reasons", out);
    for (int k = 0; k < QC_TEST_COUNT_; k++)
        fprintf(out, ",qc_%s", qc_test_id((enum qc_test)k));
    return fputc('\n', out) == EOF ? -EIO : 0;
}

static void write_summary(const struct table *t)
{
    const char *between = is_zh() ? "：" : ": ";

    fprintf(stderr, is_zh() ? "%zu 行，%u 个通道" : "%zu rows of %u channels", t->rows,
            t->columns);
    for (int g = 0; g < GRADE_COUNT_; g++) {
        if (t->count[g] == 0)
            continue;
        fprintf(stderr, "%s%s %" PRIu64, between, grade_name((enum grade)g, cmd_lang()),
                t->count[g]);
        between = is_zh() ? "，" : ", ";
    }
    between = is_zh() ? "；原因：" : "; reasons: ";
    for (unsigned i = 0; i < 31; i++) {
        if (t->reason_count[i] == 0)
            continue;
        fprintf(stderr, "%s%s %" PRIu64, between, reason_name(UINT32_C(1) << i, cmd_lang()),
                t->reason_count[i]);
        between = is_zh() ? "，" : ", ";
    }
    fputc('\n', stderr);
}

/* A row is written when the next one has made it final. */
static int judge_all(struct table *t, FILE *out)
{
    struct buf b = BUF_INIT(OUT_MAX);
    int rc = write_heading(out);

    for (size_t row = 0; rc == 0 && row < t->rows; row++) {
        judge(t, row);
        if (row > 0)
            rc = write_last(t, &b, row - 1, out);
        remember(t);
    }
    if (rc == 0 && t->rows)
        rc = write_last(t, &b, t->rows - 1, out);
    buf_done(&b);
    if (rc == 0 && fflush(out) != 0)
        rc = -EIO;
    return rc;
}

static int exit_code(int rc)
{
    if (rc == -ENOMEM)
        fputs(is_zh() ? "sluice qc：内存不足。\n" : "sluice qc: no memory.\n", stderr);
    if (rc == -EIO)
        fputs(is_zh() ? "sluice qc：无法写出结果。\n"
                      : "sluice qc: the output cannot be written.\n",
              stderr);
    return rc == -ENOMEM || rc == -EIO ? EXIT_FOUND : rc < 0 ? EXIT_USAGE : EXIT_DONE;
}

int qc_table_run(const struct qc_job *job, FILE *in, FILE *out)
{
    struct table t = { .job = job, .in = in };
    int rc = read_all(&t);

    if (rc == 0 && t.columns == 0)
        rc = complain(&t, 0, "the table is empty", "表格为空", NULL, 0);
    if (rc == 0)
        rc = configure(&t);
    if (rc == 0)
        rc = judge_all(&t, out);
    if (rc == 0)
        write_summary(&t);
    free(t.windows);
    free(t.last);
    free(t.state);
    free(t.column);
    free(t.cells);
    free(t.time_ms);
    free(t.text);
    return exit_code(rc);
}
