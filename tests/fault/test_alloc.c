/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The N-th allocation fails, for every N of a short life of the log (ours, SQLite's, jansson's)
 * and of the series codecs: once, or it and all after it. Nothing crashes or leaks, nothing is
 * half done, what was reported stays. SLUICE_STRIDE: only every so many N beyond the first 50
 * (default 29; 1 tries all).
 */
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "tests/fault/alloc.h"
#include "tests/fault/rig.h"
#include "tests/unit/unit.h"

enum { STEPS = 25, ALL_BELOW = 50, STRIDE_DEFAULT = 29, N_MAX = 1000000 };
enum { ROWS = 40, COLUMNS = 3 };

static unsigned stride(void)
{
    const char *text = getenv("SLUICE_STRIDE");
    unsigned long n = text ? strtoul(text, NULL, 10) : STRIDE_DEFAULT;

    return n < 1 ? 1 : (unsigned)n;
}

/* ---- the log ---- */

static void feed(struct rig *r)
{
    for (unsigned i = 0; i < STEPS; i++)
        if (!rig_step(r) || (i % 3 != 2 && !rig_wait_unless_failed(r)))
            return;
}

static void live(struct rig *r, uint64_t n, bool is_persistent)
{
    alloc_fail_at(n, is_persistent);
    if (rig_open(r) == 0) {
        feed(r);
        rig_close(r);
    }
}

static void check(struct rig *r, uint64_t n)
{
    alloc_fail_at(0, false);
    if (rig_open(r) < 0)
        fail_msg("n %" PRIu64 ": not opened again: %s", n, r->why);
    if (!rig_judge(r, 0))
        fail_msg("n %" PRIu64 ": %s", n, r->why);
    rig_resume(r);
    assert_true(rig_step(r));
    assert_true(rig_wait(r));
    rig_close(r);
}

static void sweep(const char *name, bool is_persistent)
{
    struct rig *r = calloc(1, sizeof *r);
    unsigned step = stride(), tried = 0;
    bool has_failed = true;
    uint64_t n;

    assert_non_null(r);
    rig_set_up_on_files(r);
    int64_t blocks = alloc_blocks(), sqlite = sqlite3_memory_used();
    for (n = 1; has_failed && n < N_MAX; n += n < ALL_BELOW ? 1 : step) {
        rig_format(r, n);
        live(r, n, is_persistent);
        has_failed = alloc_has_failed();
        check(r, n);
        tried++;
        if (alloc_blocks() != blocks || sqlite3_memory_used() > sqlite)
            fail_msg("n %" PRIu64 ": %" PRId64 " blocks and %" PRId64 " bytes of SQLite leak",
                     n, alloc_blocks() - blocks, (int64_t)sqlite3_memory_used() - sqlite);
    }
    printf("%s: %u of %" PRIu64 " allocations failed in turn\n", name, tried, n);
    rig_tear_down(r);
    free(r);
}

static void the_log_survives_an_allocation_that_fails(void **state)
{
    (void)state;
    sweep("log", false);
}

static void the_log_survives_the_end_of_memory(void **state)
{
    (void)state;
    sweep("log, for good", true);
}

/* ---- the codecs ---- */

static const struct series_hint hints[COLUMNS] = { { .decimals = 1 },
                                                   { .decimals = -1, .is_literal = true },
                                                   { .decimals = 3 } };

struct frames {
    uint8_t data[2][8192];
    size_t size[2];
};

static void fill(int64_t time_ms[ROWS], struct series_cell cells[ROWS * COLUMNS], int part)
{
    for (int i = 0; i < ROWS; i++) {
        time_ms[i] = INT64_C(1700000000000) + (part * ROWS + i) * 1000;
        for (int j = 0; j < COLUMNS; j++)
            cells[i * COLUMNS + j] =
                (struct series_cell){ .v = i * i % 97 + j, .e = (int8_t)j };
    }
}

/* 0, or the first error. */
static int encode(enum series_codec codec, struct frames *out)
{
    struct series_cell cells[ROWS * COLUMNS];
    struct series_encoder *e;
    int64_t time_ms[ROWS];
    int rc = series_encoder_create(1, codec, COLUMNS, 0, 1000, 1, hints, &e);

    for (int part = 0; rc == 0 && part < 2; part++) {
        fill(time_ms, cells, part);
        long size = series_encode(e, part == 0, 1, time_ms, cells, ROWS, out->data[part],
                                  sizeof out->data[part]);
        rc = size < 0 ? (int)size : 0;
        out->size[part] = size < 0 ? 0 : (size_t)size;
        if (rc < 0 || part == 1)
            series_encoder_destroy(e);
    }
    return rc;
}

static int decode(const struct frames *in)
{
    struct series_decoder *d;
    struct series_frame f;
    int rc = series_decoder_create(&d);

    if (rc < 0)
        return rc;
    for (int part = 0; rc == 0 && part < 2; part++)
        rc = series_decode(d, in->data[part], in->size[part], &f);
    if (rc == 0)
        assert_int_equal(f.info.rows, ROWS);
    series_decoder_destroy(d);
    return rc;
}

static void sweep_codec(enum series_codec codec)
{
    int64_t blocks = alloc_blocks();
    struct frames want, got;
    bool has_failed = true;

    assert_int_equal(encode(codec, &want), 0);
    for (uint64_t n = 1; has_failed; n++) {
        alloc_fail_at(n, false);
        int rc = encode(codec, &got);
        if (rc == 0)
            rc = decode(&got);
        has_failed = alloc_has_failed();
        alloc_fail_at(0, false);
        assert_true(rc == 0 || rc == -ENOMEM);
        assert_int_equal(alloc_blocks(), blocks);
    }
    assert_int_equal(got.size[1], want.size[1]);
    assert_memory_equal(got.data[1], want.data[1], want.size[1]);
}

static void the_codecs_say_so_when_there_is_no_memory(void **state)
{
    (void)state;
    sweep_codec(SERIES_PLAIN);
    sweep_codec(SERIES_DENSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_codecs_say_so_when_there_is_no_memory),
        cmocka_unit_test(the_log_survives_an_allocation_that_fails),
        cmocka_unit_test(the_log_survives_the_end_of_memory),
    };

    alloc_install();
    log_set_level((enum log_level)(LOG_ERROR - 1));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
