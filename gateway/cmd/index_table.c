/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/index_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/csv_line.h"
#include "gateway/cmd/series_csv.h"

enum {
    SHOWN_MAX = 40 /* of a text in a message */
};

struct table {
    struct index_job *j;
    FILE *in;
    char *text;
    size_t cap;
    struct csv_form form;
    bool has_form, has_columns;
    int64_t last_ms;
    struct sample cells[INDEX_COLUMNS_MAX];
};

/* ---- headings ---- */

static void copy(struct csv_span s, char *out, size_t size)
{
    const size_t n = s.n < size - 1 ? s.n : size - 1;

    memcpy(out, s.p, n);
    out[n] = '\0';
}

static const struct unit *unit_of(struct csv_span s)
{
    char text[INDEX_NAME_MAX];

    copy(s, text, sizeof text);
    return unit_find(text);
}

/* "(ppb)", "[ppb]" or "_ppb" at the end. */
static struct csv_span cut_unit(struct csv_span s, const struct unit **ret)
{
    const char *open = memchr(s.p, '(', s.n);
    const char end = s.n > 0 ? s.p[s.n - 1] : '\0';

    *ret = NULL;
    if (!open)
        open = memchr(s.p, '[', s.n);
    if (open && (end == ')' || end == ']')) {
        const size_t at = (size_t)(open - s.p);
        *ret = unit_of(csv_trim(open + 1, s.n - at - 2));
        if (*ret)
            return csv_trim(s.p, at);
    }
    const char *mark = memrchr(s.p, '_', s.n);
    const size_t at = mark ? (size_t)(mark - s.p) : 0;
    if (mark && s.n - at == 4 &&
        (memcmp(mark, "_ppb", 4) == 0 || memcmp(mark, "_ppm", 4) == 0)) {
        *ret = unit_of((struct csv_span){ mark + 1, 3 });
        return (struct csv_span){ s.p, at };
    }
    return s;
}

/* "@8h" or "_8h" at the end. */
static struct csv_span cut_mean(struct csv_span s, char *ret, size_t size)
{
    static const char *const means[] = { "1h", "8h", "24h", "day", "quarter", "year" };

    *ret = '\0';
    for (size_t i = 0; i < sizeof means / sizeof *means; i++) {
        const size_t n = strlen(means[i]);
        if (s.n > n + 1 && memcmp(s.p + s.n - n, means[i], n) == 0 &&
            strchr("@_", s.p[s.n - n - 1])) {
            snprintf(ret, size, "%s", strcmp(means[i], "day") ? means[i] : "24h");
            s.n -= n + 1;
            return s;
        }
    }
    return s;
}

static const struct quantity *quantity_of(const char *name)
{
    char lower[INDEX_NAME_MAX];
    size_t i = 0;

    for (; name[i] && i < sizeof lower - 1; i++)
        lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    lower[i] = '\0';
    if (strcmp(lower, "pm2.5") == 0)
        return quantity_find("pm2_5");
    return quantity_find(lower);
}

void index_heading_parse(const char *text, size_t n, struct index_heading *ret)
{
    struct csv_span s = csv_trim(text, n);

    copy(s, ret->name, sizeof ret->name);
    s = cut_unit(s, &ret->unit);
    s = cut_mean(s, ret->mean, sizeof ret->mean);
    const char *slash = memrchr(s.p, '/', s.n);
    if (slash)
        s = (struct csv_span){ slash + 1, s.n - (size_t)(slash + 1 - s.p) };
    copy(s, ret->base, sizeof ret->base);
    ret->quantity = quantity_of(ret->base);
}

static int bind_columns(struct table *t)
{
    struct index_job *j = t->j;
    unsigned bound = 0;

    for (unsigned i = 0; i < j->columns_n; i++) {
        const enum index_bound b = j->kind->bind(j, i);
        if (b == BOUND_WRONG)
            return -EINVAL;
        bound += b == BOUND;
        if (b == BOUND_NOT && !j->o->is_quiet && strcmp(j->columns[i].name, "-") != 0)
            fprintf(stderr, "sluice index: column %u (%s) is left out: %s.\n", i + 2,
                    j->columns[i].name,
                    j->columns[i].quantity ? "the standard does not judge it in this report"
                                           : "no quantity has this name");
    }
    if (bound == 0)
        return index_complain(j, "no column is one that %s judges", j->o->standard);
    t->has_columns = true;
    if (j->format == FORMAT_CSV)
        j->kind->head(j);
    return 0;
}

/* `text` without the time's column. */
static int take_headings(struct table *t, const char *text, size_t n)
{
    const char *p = text, *end = text + n;
    struct index_job *j = t->j;

    while (p <= end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        if (j->columns_n == INDEX_COLUMNS_MAX)
            return index_complain(j, "more than %d columns", INDEX_COLUMNS_MAX);
        index_heading_parse(p, (size_t)((comma ? comma : end) - p),
                            &j->columns[j->columns_n++]);
        p = comma ? comma + 1 : end + 1;
    }
    return bind_columns(t);
}

/* ---- rows ---- */

static int bad_cell(const struct table *t, unsigned i, struct csv_span s)
{
    return index_complain(t->j, "expected a number in column %u (%s), found '%.*s'", i + 2,
                          t->j->columns[i].name, (int)(s.n < SHOWN_MAX ? s.n : SHOWN_MAX), s.p);
}

static int read_cell(struct table *t, unsigned i, struct csv_span s)
{
    struct series_cell c;
    bool is_exact;

    s = csv_trim(s.p, s.n);
    t->cells[i] = (struct sample){ .value = DECIMAL_MISSING };
    if (csv_is_missing(s))
        return 0;
    if (csv_cell_parse(s.p, s.n, &c, &is_exact) != 0)
        return bad_cell(t, i, s);
    t->cells[i].value = series_value(&c);
    t->cells[i].verdict = verdict_from_flag(c.flag);
    return 0;
}

static int read_cells(struct table *t, const char *p, const char *end)
{
    const unsigned n = t->j->columns_n;

    for (unsigned i = 0; i < n; i++) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        if ((comma == NULL) != (i + 1 == n))
            return index_complain(t->j, "expected a time and %u values, found %s", n,
                                  comma ? "more" : "fewer");
        const int rc =
            read_cell(t, i, (struct csv_span){ p, (size_t)((comma ? comma : end) - p) });
        if (rc < 0)
            return rc;
        p = comma ? comma + 1 : end;
    }
    return 0;
}

static int read_time(struct table *t, struct csv_span s, int64_t *ret_ms)
{
    if (!t->has_form && csv_form_guess(s.p, s.n, &t->form) != 0)
        return index_complain(t->j,
                              "expected a time first, Unix seconds, milliseconds or ISO 8601 "
                              "UTC such as 2026-11-22T10:00:00Z, found '%.*s'",
                              (int)(s.n < SHOWN_MAX ? s.n : SHOWN_MAX), s.p);
    const int rc = csv_time_parse(&t->form, s.p, s.n, ret_ms);
    if (rc < 0)
        return index_complain(t->j, rc == -ERANGE
                                        ? "no time that there is"
                                        : "the time is written in another form than in the "
                                          "first row");
    if (t->has_form && *ret_ms <= t->last_ms)
        return index_complain(t->j, "the time is not after that of the row before");
    t->has_form = true;
    t->last_ms = *ret_ms;
    return 0;
}

static int take_row(struct table *t, size_t n)
{
    const char *comma = memchr(t->text, ',', n);
    struct index_row r = { .cells = t->cells };

    if (!comma)
        return index_complain(t->j, "expected a time, a comma and at least one value");
    const struct csv_span time = csv_trim(t->text, (size_t)(comma - t->text));
    int rc = read_time(t, time, &r.time_ms);
    if (rc == 0)
        rc = read_cells(t, comma + 1, t->text + n);
    if (rc < 0)
        return rc;
    r.time = time.p;
    r.time_n = (int)time.n;
    r.local_ms = r.time_ms + t->j->zone_ms;
    return t->j->kind->row(t->j, &r);
}

static bool is_heading(const char *text, size_t n)
{
    return n > 0 && !strchr("0123456789-", text[0]);
}

static int take_line(struct table *t, size_t n)
{
    const char *comma = memchr(t->text, ',', n);

    if (t->has_columns)
        return take_row(t, n);
    if (is_heading(t->text, n)) {
        if (t->j->o->columns)
            return index_complain(t->j, "the table has a heading already; leave --columns out");
        if (!comma)
            return index_complain(t->j, "expected a heading such as time,pm2_5,o3");
        return take_headings(t, comma + 1, (size_t)(t->text + n - comma - 1));
    }
    if (!t->j->o->columns)
        return index_complain(t->j,
                              "expected a heading such as time,pm2_5,o3; name the columns "
                              "of a table without one by --columns");
    const int rc = take_headings(t, t->j->o->columns, strlen(t->j->o->columns));
    return rc < 0 ? rc : take_row(t, n);
}

static int flush(struct table *t)
{
    struct buf *b = &t->j->out;
    int rc = 0;

    if (b->has_failed)
        rc = index_complain(t->j, "no memory for the output");
    else if (b->size > 0 && fwrite(b->data, 1, b->size, stdout) != b->size)
        rc = -EIO;
    buf_clear(b);
    return rc;
}

static int read_all(struct table *t)
{
    ssize_t n = -ENODATA;
    int rc = 0;

    while (rc == 0 && (n = csv_line_read(t->in, &t->text, &t->cap, &t->j->line)) >= 0) {
        rc = take_line(t, (size_t)n);
        if (rc == 0)
            rc = flush(t);
    }
    if (rc == 0 && n != -ENODATA)
        return index_complain(t->j, n == -EMSGSIZE ? "longer than 64 KiB"
                                    : n == -EILSEQ ? "not text"
                                                   : "cannot be read");
    if (rc == 0 && !t->has_columns)
        return index_complain(t->j, "there is no table");
    if (rc == 0 && t->j->kind->end) {
        t->j->kind->end(t->j);
        rc = flush(t);
    }
    return rc;
}

int index_table_run(struct index_job *j, FILE *in)
{
    struct table t = { .j = j, .in = in };
    int rc = read_all(&t);

    free(t.text);
    if (fflush(stdout) != 0 || rc == -EIO) {
        fprintf(stderr, "sluice index: the output cannot be written: %s.\n", strerror(errno));
        return EXIT_FOUND;
    }
    return rc < 0 ? EXIT_USAGE : EXIT_DONE;
}
