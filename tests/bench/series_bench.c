/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series_bench FILE... - what SF1 frames of measured series take, and how long coding them
 * does.
 *
 * A FILE has lines "seconds,value". Of each the first 12,000 rows are coded, alone and as
 * columns of a stream of 20, in frames of 1, 5, 60 and 1000 rows: bytes a point with header,
 * times, flags, values and checksum, geometric mean over the files. Segments end after 4096
 * rows only, as in the table of the specification.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/series/series.h"

enum {
    ROWS_MAX = 12000,
    FILES_MAX = 64,
    WIDE = 20, /* columns of the stream */
    LINE_ROOM = 256,
    PERIOD_MS = 60000,
};

struct series {
    unsigned rows;
    int64_t time_ms[ROWS_MAX];
    struct series_cell cells[ROWS_MAX];
    int decimals;
    int64_t period_ms;
};

struct load {
    unsigned rows, columns;
    const int64_t *time_ms;
    const struct series_cell *cells;
    const struct series_hint *hints;
    int64_t period_ms;
};

struct result {
    double bytes; /* a point */
    double encode_ns, decode_ns;
};

static uint8_t frame[SERIES_FRAME_MAX];

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void die(const char *what, const char *where)
{
    fprintf(stderr, "series_bench: %s: %s\n", where, what);
    exit(1);
}

/* ---- input ---- */

/* The most frequent step of time. */
static int64_t find_period(const struct series *s)
{
    int64_t best = 0;
    unsigned votes = 0;

    for (unsigned i = 1; i < s->rows; i++) { /* Boyer and Moore's majority vote */
        int64_t step = s->time_ms[i] - s->time_ms[i - 1];
        if (votes == 0)
            best = step;
        votes += step == best ? 1 : (unsigned)-1;
    }
    return best;
}

/* "NAN" and "" are missing, ".5" is a number. */
static bool parse_value(const char *text, size_t n, struct decimal *ret)
{
    char number[LINE_ROOM] = "0";

    *ret = DECIMAL_MISSING;
    if (n == 0 || strncmp(text, "NAN", n) == 0)
        return true;
    memcpy(number + 1, text, n);
    return decimal_parse(number + (text[0] != '.'), n + (text[0] == '.'), ret) == 0;
}

static void read_series(const char *path, struct series *s)
{
    char line[LINE_ROOM];
    FILE *f = fopen(path, "r");

    if (!f)
        die("cannot be read", path);
    while (s->rows < ROWS_MAX && fgets(line, sizeof line - 1, f)) {
        char *comma;
        struct decimal d;
        int64_t t = strtoll(line, &comma, 10);
        if (*comma != ',' || !parse_value(comma + 1, strcspn(comma + 1, "\r\n"), &d))
            die("is no series", path);
        s->time_ms[s->rows] = t * 1000;
        s->cells[s->rows++] = series_cell_of(d, 0);
        s->decimals = d.e > s->decimals ? d.e : s->decimals;
    }
    fclose(f);
    if (s->rows < WIDE)
        die("has too few rows", path);
    s->period_ms = find_period(s);
}

/* ---- one run ---- */

static struct result run(const struct load *l, enum series_codec codec, unsigned frame_rows,
                         bool is_chained)
{
    struct series_encoder *e;
    struct series_decoder *d;
    struct series_frame f;
    struct result r = { 0 };
    unsigned points = 0, rows = 0;
    uint32_t segment = 0;

    if (series_encoder_create(1, codec, l->columns, 0, l->period_ms, 1, l->hints, &e) != 0 ||
        series_decoder_create(&d) != 0)
        die("no memory", "frames");
    for (unsigned i = 0; i + frame_rows <= l->rows; i += frame_rows) {
        double start = now_ns();
        bool is_key = !is_chained || rows + frame_rows > SERIES_SEGMENT_ROWS_MAX || i == 0;
        rows = is_key ? frame_rows : rows + frame_rows;
        segment += is_key;
        long n =
            series_encode(e, is_key, segment, l->time_ms + i, l->cells + (size_t)i * l->columns,
                          frame_rows, frame, sizeof frame);
        double between = now_ns();
        if (n < 0 || series_decode(d, frame, (size_t)n, &f) != 0)
            die("does not come back", "frames");
        r.encode_ns += between - start;
        r.decode_ns += now_ns() - between;
        r.bytes += (double)n;
        points += frame_rows * l->columns;
    }
    series_encoder_destroy(e);
    series_decoder_destroy(d);
    return (struct result){ r.bytes / points, r.encode_ns / points, r.decode_ns / points };
}

static const unsigned frame_rows[] = { 1, 5, 60, 1000 };

static void print_header(const char *title)
{
    printf("\n%s\n%-8s %-14s %-14s %-14s %-14s\n", title, "rows", "DENSE chained", "DENSE key",
           "PLAIN chained", "PLAIN key");
}

static void bench_single(struct series *const *s, unsigned n)
{
    print_header("one column, bytes a point, geometric mean");
    for (size_t i = 0; i < sizeof frame_rows / sizeof frame_rows[0]; i++) {
        printf("%-8u", frame_rows[i]);
        for (int way = 0; way < 4; way++) {
            double sum = 0;
            for (unsigned k = 0; k < n; k++) {
                struct series_hint hint = { .decimals = s[k]->decimals };
                struct load l = { s[k]->rows,  1,     s[k]->time_ms,
                                  s[k]->cells, &hint, s[k]->period_ms };
                sum += log(
                    run(&l, way < 2 ? SERIES_DENSE : SERIES_PLAIN, frame_rows[i], way % 2 == 0)
                        .bytes);
            }
            printf(" %-14.3f", exp(sum / n));
        }
        printf("\n");
    }
}

/* The first 20 series side by side, one row a minute. */
static void bench_wide(struct series *const *s, unsigned n)
{
    static int64_t time_ms[ROWS_MAX];
    static struct series_cell cells[(size_t)ROWS_MAX * WIDE];
    struct series_hint hints[WIDE];
    struct load l = { ROWS_MAX, WIDE, time_ms, cells, hints, PERIOD_MS };

    for (unsigned j = 0; j < WIDE; j++) {
        const struct series *from = s[j % n];
        hints[j] = (struct series_hint){ .decimals = from->decimals };
        l.rows = from->rows < l.rows ? from->rows : l.rows;
        for (unsigned i = 0; i < from->rows; i++)
            cells[(size_t)i * WIDE + j] = from->cells[i];
    }
    for (unsigned i = 0; i < l.rows; i++)
        time_ms[i] = i * INT64_C(60000);
    print_header("20 columns, bytes a point");
    struct result dense[sizeof frame_rows / sizeof frame_rows[0]], r;
    for (size_t i = 0; i < sizeof frame_rows / sizeof frame_rows[0]; i++) {
        printf("%-8u", frame_rows[i]);
        for (int way = 0; way < 4; way++) {
            r = run(&l, way < 2 ? SERIES_DENSE : SERIES_PLAIN, frame_rows[i], way % 2 == 0);
            if (way == 0)
                dense[i] = r;
            printf(" %-14.3f", r.bytes);
        }
        printf("\n");
    }
    printf("\nDENSE chained, ns a point\n");
    for (size_t i = 0; i < sizeof frame_rows / sizeof frame_rows[0]; i++)
        printf("%-8u encode %.0f  decode %.0f\n", frame_rows[i], dense[i].encode_ns,
               dense[i].decode_ns);
}

int main(int argc, char **argv)
{
    struct series *s[FILES_MAX];
    unsigned n = 0;

    for (int i = 1; i < argc && n < FILES_MAX; i++, n++) {
        s[n] = calloc(1, sizeof *s[n]);
        if (!s[n])
            die("no memory", argv[i]);
        read_series(argv[i], s[n]);
    }
    if (n == 0)
        die("name the files", "usage");
    bench_single(s, n);
    bench_wide(s, n);
    while (n > 0)
        free(s[--n]);
    return 0;
}
