/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames made by the reference model against the text that they stand for, and frames that must
 * be refused. A folder has NAME.sf1 with NAME.csv, and refused/NAME.sf1; a file is "SF1\n",
 * then for each frame its length as varint and the frame.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/series/series.h"

#include "gateway/base/buf.h"
#include "tests/unit/unit.h"

enum { FILE_MAX = 16 << 20 };

static char folder[512];

static struct buf read_file(const char *path)
{
    struct buf b = BUF_INIT(FILE_MAX);
    char chunk[4096];
    FILE *f = fopen(path, "rb");

    if (!f)
        fail_msg("%s cannot be read", path);
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
        buf_put(&b, chunk, n);
    fclose(f);
    assert_false(b.has_failed);
    return b;
}

static void print_cell(struct buf *out, const struct series_cell *c)
{
    char text[DECIMAL_TEXT_MAX];

    if (c->e == DECIMAL_DOUBLE)
        buf_printf(out, "x%016" PRIx64, (uint64_t)c->v);
    else if (c->e != DECIMAL_NONE)
        buf_put(out, text, decimal_print(series_value(c), text));
    if (c->flag)
        buf_printf(out, ";%" PRIu32, c->flag);
}

static void print_frame(struct buf *out, const struct series_frame *f)
{
    for (unsigned i = 0; i < f->info.rows; i++) {
        buf_printf(out, "%" PRId64, f->time_ms[i]);
        for (unsigned j = 0; j < f->info.columns; j++) {
            buf_puts(out, ",");
            print_cell(out, &f->cells[(size_t)i * f->info.columns + j]);
        }
        buf_puts(out, "\n");
    }
}

/* Every frame of a file, one after another: the first refusal ends it. */
static int decode_file(const char *path, struct buf *ret_csv)
{
    struct buf in = read_file(path);
    const uint8_t *p = (const uint8_t *)in.data, *end = p + in.size;
    struct series_decoder *d;
    int rc = 0;

    assert_int_equal(series_decoder_create(&d), 0);
    assert_true(in.size > 4 && memcmp(p, "SF1\n", 4) == 0);
    for (p += 4; p < end && rc == 0;) {
        struct series_frame f;
        uint64_t n;
        size_t used = varint_get(p, (size_t)(end - p), &n);
        assert_true(used > 0 && n <= (size_t)(end - p) - used);
        p += used;
        rc = series_decode(d, p, n, &f);
        if (rc == 0)
            print_frame(ret_csv, &f);
        p += n;
    }
    series_decoder_destroy(d);
    buf_done(&in);
    return rc;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n >= m && strcmp(name + n - m, end) == 0;
}

static void check_one(const char *stem)
{
    char path[1024];
    struct buf csv = BUF_INIT(FILE_MAX);

    snprintf(path, sizeof path, "%s/%s.sf1", folder, stem);
    int rc = decode_file(path, &csv);
    if (rc != 0)
        fail_msg("%s: %s", stem, series_error_text(rc));
    snprintf(path, sizeof path, "%s/%s.csv", folder, stem);
    struct buf want = read_file(path);
    if (csv.has_failed || csv.size != want.size || memcmp(csv.data, want.data, csv.size) != 0)
        fail_msg("%s: the cells differ from the CSV file", stem);
    buf_done(&want);
    buf_done(&csv);
}

/* Calls `check` with the name of every *.sf1 of the folder, without its ending. */
static unsigned each_vector(const char *path, void (*check)(const char *stem))
{
    DIR *dir = opendir(path);
    unsigned n = 0;

    if (!dir)
        fail_msg("%s cannot be read", path);
    for (struct dirent *e; (e = readdir(dir));) {
        if (!ends_with(e->d_name, ".sf1"))
            continue;
        e->d_name[strlen(e->d_name) - 4] = '\0';
        check(e->d_name);
        n++;
    }
    closedir(dir);
    return n;
}

static void decodes_every_vector_to_its_text(void **state)
{
    (void)state;
    assert_true(each_vector(folder, check_one) > 20);
}

static void check_refused(const char *stem)
{
    char path[1024];
    struct buf csv = BUF_INIT(FILE_MAX);

    snprintf(path, sizeof path, "%s/refused/%s.sf1", folder, stem);
    if (decode_file(path, &csv) == 0)
        fail_msg("%s was decoded", stem);
    buf_done(&csv);
}

static void refuses_every_vector_that_must_be_refused(void **state)
{
    char path[1024];

    (void)state;
    snprintf(path, sizeof path, "%s/refused", folder);
    assert_true(each_vector(path, check_refused) > 20);
}

static bool find_folder(void)
{
    const char *shared = getenv("SLUICE_SHARED"), *source = getenv("SLUICE_SOURCE");
    DIR *dir;

    if (shared)
        snprintf(folder, sizeof folder, "%s/prototype/series/vectors", shared);
    else
        snprintf(folder, sizeof folder, "%s/../shared/prototype/series/vectors",
                 source ? source : ".");
    dir = opendir(folder);
    if (dir)
        closedir(dir);
    return dir;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_every_vector_to_its_text),
        cmocka_unit_test(refuses_every_vector_that_must_be_refused),
    };

    if (!find_folder()) {
        printf("skipped: %s is not there; SLUICE_SHARED names the folder with the vectors\n",
               folder);
        return 77; /* what the test runner takes as skipped */
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
