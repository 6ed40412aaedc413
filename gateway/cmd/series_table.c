/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/series_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/series_csv.h"
#include "gateway/cmd/series_file.h"

enum {
    AHEAD_ROWS = 512,    /* read before the first frame: they show period and unit */
    FRAME_CELLS = 30000, /* of any kind that fit a frame of 1 MiB */
    LINE_MAX_SIZE = 1 << 20,
    OUT_MAX = 1 << 26,
    STREAM = 1,
};

/* ---- reading a table ---- */

struct table {
    const struct table_encode *job;
    struct series_summary *sum;
    struct csv_form form;
    unsigned columns, frame_rows, block_rows;
    uint64_t line; /* its number */
    char *text;
    size_t text_cap;
    int64_t *time_ms; /* of a block */
    struct series_cell *cells;
    struct series_encoder *encoder;
    int64_t period_ms;
    uint32_t unit_ms, segment;
    uint8_t *frame;
    struct series_hint hints[SERIES_COLUMNS_MAX]; /* of the segment that is open */
};

static int complain(const struct table *t, const char *what)
{
    fprintf(stderr, "sluice series: line %" PRIu64 ": %s.\n", t->line, what);
    return -EINVAL;
}

/* Length of the next line without its end, -ENODATA after the last, or -EINVAL. */
static ssize_t next_line(struct table *t)
{
    ssize_t n = getline(&t->text, &t->text_cap, t->job->in);

    if (n < 0)
        return -ENODATA;
    t->line++;
    t->sum->text_bytes += (uint64_t)n;
    if (n > LINE_MAX_SIZE)
        return complain(t, "longer than 1 MiB, which no table of 1024 channels needs");
    if (n > 0 && t->text[n - 1] == '\n')
        n--;
    bool is_crlf = n > 0 && t->text[n - 1] == '\r';
    if (t->columns == 0)
        t->form.is_crlf = is_crlf;
    else if (is_crlf != t->form.is_crlf)
        return complain(t, "ends otherwise (CR LF or LF) than the first");
    return n - is_crlf;
}

static unsigned count_cells(const char *text, size_t n)
{
    unsigned cells = 1;

    for (size_t i = 0; i < n; i++)
        cells += text[i] == ',';
    return cells;
}

static int reserve(struct table *t)
{
    unsigned most = FRAME_CELLS / t->columns;

    t->frame_rows = t->job->rows < most ? t->job->rows : most;
    t->block_rows = (AHEAD_ROWS + t->frame_rows - 1) / t->frame_rows * t->frame_rows;
    t->time_ms = calloc(t->block_rows, sizeof *t->time_ms);
    t->cells = calloc((size_t)t->block_rows * t->columns, sizeof *t->cells);
    t->frame = malloc(SERIES_FRAME_MAX);
    if (t->time_ms && t->cells && t->frame)
        return 0;
    fputs("sluice series: no memory.\n", stderr);
    return -ENOMEM;
}

static bool is_heading(const char *text, size_t n)
{
    return n > 0 && memchr("0123456789-", text[0], 11) == NULL;
}

/* The first line says how many columns there are and how times are written. */
static int begin(struct table *t, size_t n)
{
    const char *comma = memchr(t->text, ',', n);
    struct csv_form form;

    if (!comma)
        return complain(t, "expected a time, a comma and at least one value");
    if (csv_form_guess(t->text, (size_t)(comma - t->text), &form) != 0)
        return complain(t, "expected a time first: Unix seconds, milliseconds or ISO 8601 UTC "
                           "such as 2026-11-22T10:00:00Z");
    form.is_crlf = t->form.is_crlf;
    t->form = form;
    t->columns = count_cells(t->text, n) - 1;
    if (t->columns > SERIES_COLUMNS_MAX)
        return complain(t, "more than 1024 values; split the table");
    t->sum->columns = t->columns;
    return reserve(t);
}

static int bad_cell(const struct table *t, unsigned column, const char *text, size_t n)
{
    fprintf(stderr,
            "sluice series: line %" PRIu64 ": expected a number in column %u, found '%.*s'.\n",
            t->line, column + 1, (int)(n < 40 ? n : 40), text);
    return -EINVAL;
}

static void note_reworded(struct series_summary *s, const char *text, size_t n)
{
    if (s->reworded++ == 0)
        snprintf(s->example, sizeof s->example, "%.*s", (int)n, text);
}

static int read_cells(struct table *t, const char *p, const char *end,
                      struct series_cell *cells)
{
    for (unsigned j = 0; j < t->columns; j++) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        size_t n = (size_t)((comma ? comma : end) - p);
        bool is_exact;
        if (csv_cell_parse(p, n, &cells[j], &is_exact) != 0)
            return bad_cell(t, j + 1, p, n);
        if (!is_exact)
            note_reworded(t->sum, p, n);
        p += n + (comma != NULL);
    }
    return 0;
}

static int read_row(struct table *t, size_t n, unsigned row)
{
    const char *comma = memchr(t->text, ',', n), *end = t->text + n;

    if (!comma || count_cells(t->text, n) != t->columns + 1) {
        fprintf(stderr,
                "sluice series: line %" PRIu64 ": expected a time and %u values, found %u.\n",
                t->line, t->columns, count_cells(t->text, n) - 1);
        return -EINVAL;
    }
    int rc = csv_time_parse(&t->form, t->text, (size_t)(comma - t->text), &t->time_ms[row]);
    if (rc == -ERANGE)
        return complain(t, "no time that frames can hold");
    if (rc < 0)
        return complain(t, "the time is written in another form than in the first line");
    return read_cells(t, comma + 1, end, t->cells + (size_t)row * t->columns);
}

/* Rows until a block is full or the input ends: their number, or a negative errno. */
static int read_block(struct table *t)
{
    unsigned rows = 0;
    ssize_t n;

    do {
        n = next_line(t);
        if (n < 0)
            break;
        if (t->columns == 0 && t->line == 1 && is_heading(t->text, (size_t)n)) {
            fputs("sluice series: line 1 is a heading; frames do not keep names.\n", stderr);
            continue;
        }
        int rc = t->columns == 0 ? begin(t, (size_t)n) : 0;
        if (rc == 0)
            rc = read_row(t, (size_t)n, rows);
        if (rc < 0)
            return rc;
        rows++;
    } while (t->columns == 0 || rows < t->block_rows);
    return n == -EINVAL ? -EINVAL : (int)rows;
}

/* ---- writing frames ---- */

/* The most frequent step of time, by majority vote (Boyer and Moore). */
static int64_t find_period(const int64_t *time_ms, unsigned rows)
{
    int64_t best = 0;
    unsigned votes = 0;

    for (unsigned i = 1; i < rows; i++) {
        int64_t step = time_ms[i] - time_ms[i - 1];
        if (votes == 0)
            best = step;
        if (step == best)
            votes++;
        else
            votes--;
    }
    return best > INT32_MAX || best < -INT32_MAX ? 0 : best;
}

/* The coarsest unit that times keep to. */
static uint32_t find_unit(const int64_t *time_ms, unsigned rows, int64_t period_ms)
{
    static const uint32_t units[] = { 60000, 1000, 100, 10 };

    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        unsigned i = 1;
        while (i < rows && (time_ms[i] - time_ms[i - 1] - period_ms) % units[u] == 0)
            i++;
        if (i >= rows)
            return units[u];
    }
    return 1;
}

/* What the rows ahead show of a column's numbers. */
static struct series_hint find_hint(const struct table *t, unsigned column, unsigned at,
                                    unsigned rows)
{
    const struct series_cell *c = t->cells + (size_t)at * t->columns + column;
    bool is_stripped = true, is_even = true;
    int most = -1;

    for (unsigned i = 0; i < rows; i++, c += t->columns) {
        if (c->e < 0)
            continue;
        is_stripped = is_stripped && csv_cell_is_stripped(c);
        is_even = is_even && (most < 0 || c->e == most);
        most = c->e > most ? c->e : most;
    }
    /* numbers of equal length may be of either habit: a later one that differs is borne best by
     * a literal column */
    is_stripped = is_stripped && !is_even;
    return (struct series_hint){ most, !is_stripped, is_stripped };
}

static bool hints_are_equal(const struct series_hint *a, const struct series_hint *b,
                            unsigned n)
{
    for (unsigned j = 0; j < n; j++)
        if (a[j].is_marked != b[j].is_marked || a[j].decimals != b[j].decimals)
            return false;
    return true;
}

/* Before a key frame: an encoder for what the rows ahead show. */
static int settle(struct table *t, unsigned at, unsigned rows)
{
    struct series_hint hints[SERIES_COLUMNS_MAX];
    int64_t period_ms = find_period(t->time_ms + at, rows);
    uint32_t unit_ms = find_unit(t->time_ms + at, rows, period_ms);

    for (unsigned j = 0; j < t->columns; j++)
        hints[j] = find_hint(t, j, at, rows);
    if (t->encoder && period_ms == t->period_ms && unit_ms == t->unit_ms &&
        hints_are_equal(hints, t->hints, t->columns))
        return 0;
    series_encoder_destroy(t->encoder);
    t->encoder = NULL;
    t->period_ms = period_ms;
    t->unit_ms = unit_ms;
    memcpy(t->hints, hints, t->columns * sizeof hints[0]);
    return series_encoder_create(STREAM, t->job->codec, t->columns,
                                 csv_form_layout(&t->form, t->columns), period_ms, unit_ms,
                                 hints, &t->encoder);
}

/* Whether the rows can be told in the form of the segment that is open. */
static bool fits_form(const struct table *t, unsigned at, unsigned rows)
{
    const struct series_cell *c = t->cells + (size_t)at * t->columns;

    for (size_t i = 0; i < (size_t)rows * t->columns; i++)
        if (t->hints[i % t->columns].is_marked && !csv_cell_is_stripped(&c[i]))
            return false;
    return true;
}

static int write_frame(struct table *t, unsigned at, unsigned rows, unsigned block)
{
    const int64_t *time_ms = t->time_ms + at;
    bool is_key = !t->encoder || !series_may_continue(t->encoder, rows, time_ms[rows - 1]) ||
                  !fits_form(t, at, rows);
    int rc = is_key ? settle(t, at, block - at) : 0;

    if (rc < 0)
        return rc;
    t->segment += is_key;
    long n =
        series_encode(t->encoder, is_key, t->segment, time_ms,
                      t->cells + (size_t)at * t->columns, rows, t->frame, SERIES_FRAME_MAX);
    if (n < 0)
        return (int)n;
    t->sum->frames++;
    t->sum->rows += rows;
    t->sum->bytes += (uint64_t)n;
    return series_file_put(t->job->out, t->frame, (size_t)n);
}

static int write_block(struct table *t, unsigned rows)
{
    int rc = 0;

    for (unsigned at = 0; at < rows && rc == 0; at += t->frame_rows) {
        unsigned n = rows - at < t->frame_rows ? rows - at : t->frame_rows;
        rc = write_frame(t, at, n, rows);
    }
    return rc;
}

static int exit_code(int rc)
{
    if (rc == -EIO)
        fputs("sluice series: the output cannot be written.\n", stderr);
    return rc == -EIO || rc == -ENOMEM ? EXIT_FOUND : rc < 0 ? EXIT_USAGE : EXIT_DONE;
}

int series_table_encode(const struct table_encode *job, struct series_summary *ret)
{
    struct table t = { .job = job, .sum = ret };
    int rc = series_file_begin(job->out), rows;

    *ret = (struct series_summary){ 0 };
    while (rc == 0 && (rows = read_block(&t)) != 0)
        rc = rows < 0 ? rows : write_block(&t, (unsigned)rows);
    series_encoder_destroy(t.encoder);
    free(t.text);
    free(t.time_ms);
    free(t.cells);
    free(t.frame);
    return exit_code(rc);
}

void series_summary_print(const struct series_summary *s, FILE *out)
{
    uint64_t values = s->rows * s->columns;

    fprintf(out,
            "%" PRIu64 " rows of %u columns, %" PRIu64 " bytes of text -> %" PRIu64
            " frames, %" PRIu64 " bytes, %.3f a value\n",
            s->rows, s->columns, s->text_bytes, s->frames, s->bytes,
            values ? (double)s->bytes / (double)values : 0);
    if (s->reworded)
        fprintf(out, "%" PRIu64 " values will be written in another form, the first is '%s'\n",
                s->reworded, s->example);
}

/* ---- frames to a table ---- */

struct printer {
    struct series_decoder *decoder;
    struct csv_form form;
    int64_t stream; /* < 0: not known yet */
    struct buf out;
    uint64_t others; /* frames of other streams */
};

static void print_rows(struct printer *p, const struct series_frame *f)
{
    for (unsigned i = 0; i < f->info.rows; i++) {
        csv_time_print(&p->form, f->time_ms[i], &p->out);
        for (unsigned j = 0; j < f->info.columns; j++) {
            buf_puts(&p->out, ",");
            csv_cell_print(&f->cells[(size_t)i * f->info.columns + j],
                           series_is_marked(p->decoder, j), &p->out);
        }
        buf_puts(&p->out, p->form.is_crlf ? "\r\n" : "\n");
    }
}

/* Frames that are not of such a table have times in milliseconds. */
static void find_form(struct printer *p, const struct series_info *info)
{
    if (info->is_key && !csv_form_find(info->layout, info->columns, &p->form))
        p->form = (struct csv_form){ .times = CSV_MILLISECONDS };
}

static int print_frame(struct printer *p, const struct series_reader *r, FILE *out)
{
    struct series_info info;
    struct series_frame f;
    int rc = series_peek(r->frame, r->size, &info);

    if (rc == 0 && p->stream < 0)
        p->stream = info.stream;
    if (rc == 0 && info.stream != p->stream) {
        p->others++;
        return 0;
    }
    if (rc == 0)
        rc = series_decode(p->decoder, r->frame, r->size, &f);
    if (rc < 0) {
        fprintf(stderr, "sluice series: frame %" PRIu64 ": %s\n", r->n, series_error_text(rc));
        return -EINVAL;
    }
    find_form(p, &info);
    buf_clear(&p->out);
    print_rows(p, &f);
    if (p->out.has_failed)
        return -ENOMEM;
    return fwrite(p->out.data, 1, p->out.size, out) == p->out.size ? 0 : -EIO;
}

static int print_file(struct printer *p, struct series_reader *r, FILE *in, FILE *out)
{
    int rc = series_reader_begin(r, in), more;

    if (rc < 0)
        return rc;
    while ((more = series_reader_next(r)) > 0) {
        rc = print_frame(p, r, out);
        if (rc < 0)
            return rc;
    }
    if (more < 0)
        fprintf(stderr, "sluice series: the file ends inside frame %" PRIu64 ".\n", r->n);
    return more;
}

int series_table_decode(FILE *in, FILE *out, int64_t stream)
{
    struct printer p = { .stream = stream, .out = BUF_INIT(OUT_MAX) };
    struct series_reader r = { 0 };
    int rc = series_decoder_create(&p.decoder);

    if (rc == 0)
        rc = print_file(&p, &r, in, out);
    if (rc == 0 && p.others)
        fprintf(stderr,
                "sluice series: %" PRIu64 " frames of other streams were left out; choose one "
                "with --stream.\n",
                p.others);
    series_decoder_destroy(p.decoder);
    series_reader_end(&r);
    buf_done(&p.out);
    return exit_code(rc);
}
