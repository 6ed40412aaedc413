/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/series/dense_tables.h"
#include "sensors/core/bytes.h"
#include "sensors/core/crc.h"
#include "tests/unit/unit.h"

enum {
    ROWS = 60,
    COLUMNS = 25,
    FRAME_ROOM = 1 << 20,
    STREAM = 17,
    LAYOUT = 0x1234ABCD,
};

#define T0 INT64_C(1700000000000)

static uint8_t frame[FRAME_ROOM], other[FRAME_ROOM];

/* A small deterministic generator: a failing case can be repeated. */
static uint32_t next_random(uint64_t *s)
{
    *s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*s >> 33);
}

/* The group of tests runs once for each. */
static enum series_codec codec;

static struct series_encoder *make_encoder(unsigned columns)
{
    struct series_encoder *e;

    assert_int_equal(series_encoder_create(STREAM, codec, columns, LAYOUT, 1000, 1, NULL, &e),
                     0);
    return e;
}

static uint32_t crc_of_words(const uint32_t *words, size_t n)
{
    uint8_t bytes[4];
    uint32_t crc = 0;

    for (size_t i = 0; i < n; i++) {
        put_le32(bytes, words[i]);
        crc = crc32c(crc, bytes, sizeof bytes);
    }
    return crc;
}

static struct series_decoder *make_decoder(void)
{
    struct series_decoder *d;

    assert_int_equal(series_decoder_create(&d), 0);
    return d;
}

static struct series_cell decimal(int64_t v, int e)
{
    return (struct series_cell){ .v = v, .e = (int8_t)e };
}

/* Same value, whatever the number of decimals it is written with. */
static bool is_same_value(const struct series_cell *a, const struct series_cell *b)
{
    struct series_cell lo = *a, hi = *b;

    if (a->e < 0 || b->e < 0)
        return a->e == b->e && (a->e == DECIMAL_NONE || a->v == b->v);
    if (lo.e > hi.e) {
        lo = *b;
        hi = *a;
    }
    for (; lo.e < hi.e; lo.e++)
        if (__builtin_mul_overflow(lo.v, (int64_t)10, &lo.v))
            return false;
    return lo.v == hi.v;
}

static void assert_same_table(const struct series_frame *f, const int64_t *time_ms,
                              const struct series_cell *cells, unsigned rows, unsigned columns)
{
    assert_int_equal(f->info.rows, rows);
    assert_int_equal(f->info.columns, columns);
    assert_memory_equal(f->time_ms, time_ms, rows * sizeof *time_ms);
    for (size_t i = 0; i < (size_t)rows * columns; i++) {
        assert_int_equal(f->cells[i].flag, cells[i].flag);
        assert_true(is_same_value(&f->cells[i], &cells[i]));
    }
}

/* A believable table: walks with 0..3 decimals. */
static void fill(struct series_cell *cells, int64_t *time_ms, unsigned first, unsigned rows,
                 unsigned columns, uint64_t *seed)
{
    static int64_t level[SERIES_COLUMNS_MAX];

    if (first == 0)
        memset(level, 0, sizeof level);
    for (unsigned i = 0; i < rows; i++) {
        time_ms[i] = T0 + (int64_t)(first + i) * 1000;
        for (unsigned j = 0; j < columns; j++) {
            level[j] += (int64_t)(next_random(seed) % 7) - 3;
            cells[(size_t)i * columns + j] = decimal(level[j] + 200, (int)(j % 4));
        }
    }
}

static void round_trips_chained_frames(void **state)
{
    struct series_encoder *e = make_encoder(COLUMNS);
    struct series_decoder *d = make_decoder();
    struct series_cell cells[ROWS * COLUMNS];
    int64_t time_ms[ROWS];
    uint64_t seed = 1;

    (void)state;
    for (unsigned n = 0; n < 40; n++) {
        struct series_frame f;
        fill(cells, time_ms, n * ROWS, ROWS, COLUMNS, &seed);
        long size = series_encode(e, n == 0, 5, time_ms, cells, ROWS, frame, sizeof frame);
        assert_true(size > 0);
        assert_int_equal(series_decode(d, frame, (size_t)size, &f), 0);
        assert_same_table(&f, time_ms, cells, ROWS, COLUMNS);
        assert_int_equal(f.info.seq, n);
        assert_int_equal(f.info.segment, 5);
        assert_int_equal(f.info.layout, LAYOUT);
    }
    series_encoder_destroy(e);
    series_decoder_destroy(d);
}

/* Of the first columns alone what all of them give; PLAIN gives all. The limit counts from a
 * key frame on. */
static void decodes_the_leading_columns_alone(void **state)
{
    struct series_encoder *e = make_encoder(COLUMNS);
    struct series_decoder *d = make_decoder();
    struct series_cell cells[ROWS * COLUMNS];
    int64_t time_ms[ROWS];
    uint64_t seed = 1;

    (void)state;
    for (unsigned n = 0; n < 40; n++) {
        struct series_frame f;
        unsigned limit = n / 8 + 1, want = limit < COLUMNS ? limit : COLUMNS;
        fill(cells, time_ms, n * ROWS, ROWS, COLUMNS, &seed);
        long size =
            series_encode(e, n % 8 == 0, n / 8, time_ms, cells, ROWS, frame, FRAME_ROOM);
        assert_true(size > 0);
        series_decoder_limit(d, n % 8 == 0 ? limit : COLUMNS);
        assert_int_equal(series_decode(d, frame, (size_t)size, &f), 0);
        assert_int_equal(f.info.columns, codec == SERIES_DENSE ? want : COLUMNS);
        for (unsigned i = 0; i < ROWS; i++)
            for (unsigned j = 0; j < want; j++)
                assert_true(
                    is_same_value(&f.cells[i * f.info.columns + j], &cells[i * COLUMNS + j]));
    }
    series_encoder_destroy(e);
    series_decoder_destroy(d);
}

static struct series_cell any_cell(uint64_t *seed)
{
    static const int64_t large[] = {
        INT64_MAX,           INT64_MIN, INT64_MAX - 5, (int64_t)1 << 51, ((int64_t)1 << 51) + 1,
        -((int64_t)1 << 52), 0
    };
    uint32_t r = next_random(seed);
    struct series_cell c = decimal((int64_t)(next_random(seed) % 1000) * 50 - 7000, 2);

    if (r % 16 == 0)
        c = (struct series_cell){ .e = DECIMAL_NONE };
    else if (r % 16 == 1)
        c = decimal((int64_t)next_random(seed) << 20, (int)(next_random(seed) % 19));
    else if (r % 16 == 2)
        c = (struct series_cell){ .v = (int64_t)next_random(seed) << 32, .e = DECIMAL_DOUBLE };
    else if (r % 16 == 3)
        c = decimal(large[next_random(seed) % 7], (int)(next_random(seed) % 19));
    if (r / 16 % 8 == 0)
        c.flag = next_random(seed) * 3;
    return c;
}

static void round_trips_any_cells_in_frames_of_any_size(void **state)
{
    static struct series_cell cells[4000];
    static int64_t time_ms[4000];

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t s = seed;
        unsigned columns = next_random(&s) % 9 + 1;
        struct series_encoder *e = make_encoder(columns);
        struct series_decoder *d = make_decoder();
        for (unsigned n = 0; n < 30; n++) {
            struct series_frame f;
            unsigned rows = next_random(&s) % (next_random(&s) % 4 ? 5 : 400) + 1;
            for (unsigned i = 0; i < rows; i++)
                time_ms[i] = T0 + (int64_t)next_random(&s) * (next_random(&s) % 3);
            for (unsigned i = 0; i < rows * columns; i++)
                cells[i] = any_cell(&s);
            long size = series_encode(e, n % 11 == 0, n, time_ms, cells, rows, frame,
                                      series_frame_bound(rows, columns));
            assert_true(size > 0);
            assert_int_equal(series_decode(d, frame, (size_t)size, &f), 0);
            assert_same_table(&f, time_ms, cells, rows, columns);
        }
        series_encoder_destroy(e);
        series_decoder_destroy(d);
    }
}

static void keeps_the_decimals_that_the_source_writes(void **state)
{
    struct series_encoder *e = make_encoder(2);
    struct series_decoder *d = make_decoder();
    struct series_cell cells[] = { decimal(2130, 2), decimal(70, 1), decimal(2100, 2),
                                   decimal(80, 1) };
    int64_t time_ms[] = { T0, T0 + 1000 };
    struct series_frame f;

    (void)state;
    long size = series_encode(e, true, 1, time_ms, cells, 2, frame, sizeof frame);
    assert_true(size > 0);
    assert_int_equal(series_decode(d, frame, (size_t)size, &f), 0);
    assert_int_equal(f.cells[2].v, 2100);
    assert_int_equal(f.cells[2].e, 2);
    assert_int_equal(f.cells[3].v, 80);
    assert_int_equal(f.cells[3].e, 1);
    series_encoder_destroy(e);
    series_decoder_destroy(d);
}

static void finds_the_step_of_a_column(void **state)
{
    struct series_encoder *e = make_encoder(1);
    struct series_cell cells[ROWS];
    int64_t time_ms[ROWS];
    uint64_t seed = 3;
    long size[2];

    (void)state;
    for (unsigned i = 0; i < ROWS; i++) {
        time_ms[i] = T0 + i * 1000;
        cells[i] = decimal(85907 + 100000 * (int64_t)(next_random(&seed) % 60), 6);
    }
    for (int n = 0; n < 2; n++)
        size[n] = series_encode(e, n == 0, 1, time_ms, cells, ROWS, frame, sizeof frame);
    assert_true(size[1] > 0);
    assert_true(size[1] < 2 * ROWS + 20); /* one byte a time and one a value, not four */
    series_encoder_destroy(e);
}

/* Two readings of 99 among hundreds must not make every value dearer. */
static void bears_values_beside_the_step_of_the_others(void **state)
{
    struct series_encoder *e = make_encoder(1);
    struct series_cell cells[ROWS];
    int64_t time_ms[ROWS];
    uint64_t seed = 5;
    long size[2] = { 0 };

    (void)state;
    for (int n = 0; n < 8; n++) {
        for (unsigned i = 0; i < ROWS; i++) {
            time_ms[i] = T0 + (n * ROWS + i) * INT64_C(1000);
            cells[i] = decimal(100 * (int64_t)(next_random(&seed) % 8) - (i == 11), 0);
        }
        size[n > 0] += series_encode(e, n == 0, 1, time_ms, cells, ROWS, frame, sizeof frame);
    }
    /* three bits a value and five bytes for the one that is written out; with a step of 1 it
     * were ten bits a value */
    assert_in_range(size[1], 1, codec == SERIES_PLAIN ? 600 : 400);
    series_encoder_destroy(e);
}

static void the_mark_of_a_column_comes_back(void **state)
{
    static const struct series_hint hints[] = { { 1, false, true }, { 1, false, false } };
    const struct series_cell cells[] = { decimal(25, 1), decimal(25, 1), decimal(31, 1),
                                         decimal(31, 1) };
    const int64_t time_ms[] = { T0, T0 + 1000 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct series_decoder *d = make_decoder();
        struct series_encoder *e;
        struct series_frame f;
        assert_int_equal(
            series_encoder_create(1, i ? SERIES_DENSE : SERIES_PLAIN, 2, 0, 1000, 1, hints, &e),
            0);
        long size = series_encode(e, true, 1, time_ms, cells, 2, frame, sizeof frame);
        assert_true(size > 0);
        assert_int_equal(series_decode(d, frame, (size_t)size, &f), 0);
        assert_true(series_is_marked(d, 0));
        assert_false(series_is_marked(d, 1));
        assert_int_equal(f.cells[2].v, 31);
        series_encoder_destroy(e);
        series_decoder_destroy(d);
    }
}

static void a_minute_of_a_quiet_table_takes_little(void **state)
{
    struct series_encoder *e = make_encoder(COLUMNS);
    struct series_cell cells[ROWS * COLUMNS];
    int64_t time_ms[ROWS];
    uint64_t seed = 1;
    long size = 0;

    (void)state;
    for (unsigned n = 0; n < 3; n++) {
        fill(cells, time_ms, n * ROWS, ROWS, COLUMNS, &seed);
        size = series_encode(e, n == 0, 1, time_ms, cells, ROWS, frame, sizeof frame);
    }
    assert_true(size > 0);
    assert_true(size < ROWS * COLUMNS); /* below a byte per value, times and flags included */
    series_encoder_destroy(e);
}

static void refuses_what_cannot_be_written(void **state)
{
    struct series_encoder *e = make_encoder(2), *none;
    struct series_cell cells[] = { decimal(1, 0), decimal(2, 19) };
    int64_t time_ms = T0;

    (void)state;
    assert_int_equal(series_encoder_create(1, codec, 0, 0, 1000, 1, NULL, &none), -EINVAL);
    assert_int_equal(series_encoder_create(1, codec, 1025, 0, 1000, 1, NULL, &none), -EINVAL);
    assert_int_equal(series_encoder_create(1, codec, 1, 0, 1000, 0, NULL, &none), -EINVAL);
    assert_int_equal(series_encode(e, true, 1, &time_ms, cells, 1, frame, 99), -EINVAL);
    cells[1].e = 2;
    assert_int_equal(series_encode(e, true, 1, &time_ms, cells, 0, frame, 99), -EINVAL);
    assert_int_equal(series_encode(e, false, 1, &time_ms, cells, 1, frame, 99), -EINVAL);
    assert_int_equal(series_encode(e, true, 1, &time_ms, cells, 1, frame, 20), -ENOSPC);
    time_ms = ((int64_t)1 << 50) + 1;
    assert_int_equal(series_encode(e, true, 1, &time_ms, cells, 1, frame, 99), -EINVAL);
    series_encoder_destroy(e);
}

static void needs_a_key_frame_after_an_error(void **state)
{
    struct series_encoder *e = make_encoder(1);
    struct series_cell cell = decimal(1, 0);
    int64_t time_ms = T0;

    (void)state;
    assert_true(series_encode(e, true, 1, &time_ms, &cell, 1, frame, sizeof frame) > 0);
    assert_true(series_may_continue(e, 1, T0 + 1000));
    assert_int_equal(series_encode(e, false, 1, &time_ms, &cell, 1, frame, 3), -ENOSPC);
    assert_false(series_may_continue(e, 1, T0 + 1000));
    assert_int_equal(series_encode(e, false, 1, &time_ms, &cell, 1, frame, 99), -EINVAL);
    assert_true(series_encode(e, true, 2, &time_ms, &cell, 1, frame, sizeof frame) > 0);
    series_encoder_destroy(e);
}

static void a_segment_ends_after_4096_rows_or_24_hours(void **state)
{
    static struct series_cell cells[4096];
    static int64_t time_ms[4096];
    struct series_encoder *e = make_encoder(1);

    (void)state;
    for (int i = 0; i < 4096; i++) {
        time_ms[i] = T0 + i * 1000;
        cells[i] = decimal(i, 0);
    }
    assert_false(series_may_continue(e, 1, T0));
    assert_true(series_encode(e, true, 1, time_ms, cells, 4095, frame, sizeof frame) > 0);
    assert_true(series_may_continue(e, 1, T0 + 86400000));
    assert_false(series_may_continue(e, 2, T0));
    assert_false(series_may_continue(e, 1, T0 + 86400001));
    assert_false(series_may_continue(e, 1, T0 - 86400001));
    series_encoder_destroy(e);

    assert_int_equal(series_encoder_create(1, codec, 1, 0, 600000, 1000, NULL, &e), 0);
    assert_true(series_encode(e, true, 1, time_ms, cells, 1, frame, sizeof frame) > 0);
    assert_true(series_may_continue(e, 1, T0 + 7 * 86400000));
    assert_false(series_may_continue(e, 1, T0 + 7 * 86400000 + 1));
    series_encoder_destroy(e);
}

/* A key frame in `frame`, its successor in `other`. */
static void make_pair(long *size_frame, long *size_other)
{
    struct series_encoder *e = make_encoder(3);
    struct series_cell cells[15];
    int64_t time_ms[5];
    uint64_t seed = 9;

    fill(cells, time_ms, 0, 5, 3, &seed);
    *size_frame = series_encode(e, true, 1, time_ms, cells, 5, frame, sizeof frame);
    fill(cells, time_ms, 5, 5, 3, &seed);
    *size_other = series_encode(e, false, 1, time_ms, cells, 5, other, sizeof other);
    assert_true(*size_frame > 0 && *size_other > 0);
    series_encoder_destroy(e);
}

static void a_lost_or_doubled_frame_leaves_the_state(void **state)
{
    struct series_decoder *d = make_decoder();
    struct series_frame f;
    long first, second;

    (void)state;
    make_pair(&first, &second);
    assert_int_equal(series_decode(d, other, (size_t)second, &f), SERIES_ECHAIN);
    assert_int_equal(series_decode(d, frame, (size_t)first, &f), 0);
    assert_int_equal(series_decode(d, other, (size_t)second, &f), 0);
    assert_int_equal(series_decode(d, other, (size_t)second, &f), SERIES_ECHAIN);
    other[second - 1] ^= 1;
    assert_int_equal(series_decode(d, other, (size_t)second, &f), SERIES_ECRC);
    series_decoder_destroy(d);
}

static void seal(uint8_t *p, size_t size)
{
    put_le32(p + size - 4, crc32c(0, p, size - 4));
}

/* Every byte of both frames set to several values with the checksum made right again: the
 * decoder refuses or decodes, and its memory is watched by the sanitizers. */
static void survives_forged_frames(void **state)
{
    static const uint8_t masks[] = { 1, 2, 4, 8, 16, 32, 64, 128, 255, 127 };
    struct series_decoder *d = make_decoder();
    struct series_frame f;
    long first, second;

    (void)state;
    make_pair(&first, &second);
    for (long at = 0; at < second - 4; at++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            uint8_t was = other[at];
            other[at] ^= masks[m];
            seal(other, (size_t)second);
            assert_int_equal(series_decode(d, frame, (size_t)first, &f), 0);
            int rc = series_decode(d, other, (size_t)second, &f);
            assert_true(rc == 0 || rc == SERIES_EFORMAT || rc == SERIES_ECHAIN);
            other[at] = was;
        }
    }
    for (long at = 0; at < first - 4; at++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            uint8_t was = frame[at];
            frame[at] ^= masks[m];
            seal(frame, (size_t)first);
            int rc = series_decode(d, frame, (size_t)first, &f);
            assert_true(rc == 0 || rc == SERIES_EFORMAT || rc == SERIES_ECHAIN);
            frame[at] = was;
        }
    }
    series_decoder_destroy(d);
}

static void refuses_every_cut_of_a_frame(void **state)
{
    struct series_decoder *d = make_decoder();
    struct series_frame f;
    long first, second;

    (void)state;
    make_pair(&first, &second);
    for (long size = 8; size < first; size++) {
        uint8_t *copy = malloc((size_t)size);
        assert_non_null(copy);
        memcpy(copy, frame, (size_t)size);
        assert_int_equal(series_decode(d, copy, (size_t)size, &f), SERIES_ECRC);
        seal(copy, (size_t)size);
        /* A range coder reads on in zeros: only the checksum tells that a payload was cut. */
        assert_true(series_decode(d, copy, (size_t)size, &f) < 0 || codec == SERIES_DENSE);
        free(copy);
    }
    series_decoder_destroy(d);
}

/* head, stream, segment, rows, columns, layout, period, unit, t0, payload, checksum */
static size_t key_frame(uint8_t *p, const void *payload, size_t size, uint8_t rows)
{
    static const uint8_t header[] = { 0xFC, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0 };

    memcpy(p, header, sizeof header);
    p[3] = rows;
    memcpy(p + sizeof header, payload, size);
    seal(p, sizeof header + size + 4);
    return sizeof header + size + 4;
}

static int decode_payload(const void *payload, size_t size, uint8_t rows,
                          struct series_cell *ret)
{
    struct series_decoder *d = make_decoder();
    struct series_frame f;
    uint8_t p[128];
    int rc = series_decode(d, p, key_frame(p, payload, size, rows), &f);

    if (rc == 0)
        *ret = f.cells[f.info.rows - 1];
    series_decoder_destroy(d);
    return rc;
}

static void keeps_to_the_bounds_of_the_specification(void **state)
{
    static const struct {
        const char *what;
        uint8_t rows, size, payload[24];
        int rc;
        int64_t v;
    } cases[] = {
        { "one value", 1, 7, { 1, 0, 1, 1, 1, 0, 10 }, 0, 5 },
        { "a step that ties upward", 1, 7, { 1, 0, 0, 1, 2, 0, 2 }, 0, 1 },
        { "a step that ties to even", 1, 7, { 1, 0, 128, 1, 2, 0, 2 }, 0, 0 },
        { "a tie below zero, upward", 1, 7, { 1, 0, 0, 1, 2, 0, 1 }, 0, 0 },
        { "runs of flags", 2, 12, { 0, 3, 0, 1, 1, 1, 0, 1, 7, 1, 9, 2 }, SERIES_EFORMAT, 0 },
        { "a run of no flags", 1, 9, { 3, 0, 1, 1, 1, 0, 0, 1, 2 }, SERIES_EFORMAT, 0 },
        { "a run of no kinds", 1, 9, { 5, 0, 1, 1, 1, 0, 0, 1, 2 }, SERIES_EFORMAT, 0 },
        { "more kinds than rows", 1, 9, { 5, 0, 1, 1, 1, 0, 2, 1, 2 }, SERIES_EFORMAT, 0 },
        { "a kind 4", 1, 9, { 5, 0, 1, 1, 1, 0, 1, 4, 2 }, SERIES_EFORMAT, 0 },
        { "a reserved bit", 1, 7, { 9, 0, 1, 1, 1, 0, 10 }, SERIES_EFORMAT, 0 },
        { "no parameters in a key frame", 1, 2, { 0, 10 }, SERIES_EFORMAT, 0 },
        { "a mode 2", 1, 7, { 1, 2, 1, 1, 1, 0, 10 }, SERIES_EFORMAT, 0 },
        { "19 decimals", 1, 7, { 1, 0, 19, 1, 1, 0, 10 }, SERIES_EFORMAT, 0 },
        { "den 0", 1, 7, { 1, 0, 1, 1, 0, 0, 10 }, SERIES_EFORMAT, 0 },
        { "den 4097", 1, 8, { 1, 0, 1, 1, 0x81, 0x20, 0, 10 }, SERIES_EFORMAT, 0 },
        { "num 2^31", 1, 11, { 1, 0, 1, 128, 128, 128, 128, 8, 1, 0, 10 }, SERIES_EFORMAT, 0 },
        { "a decimal with e 19", 1, 10, { 5, 0, 1, 1, 1, 0, 1, 2, 19, 2 }, SERIES_EFORMAT, 0 },
        { "a varint of 65 bits",
          1,
          16,
          { 1, 0, 1, 1, 1, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2 },
          SERIES_EFORMAT,
          0 },
        { "an index beyond 2^51",
          1,
          14,
          { 1, 0, 1, 1, 1, 0, 130, 128, 128, 128, 128, 128, 128, 8 },
          SERIES_EFORMAT,
          0 },
        { "an index of 2^51",
          1,
          14,
          { 1, 0, 1, 1, 1, 0, 128, 128, 128, 128, 128, 128, 128, 8 },
          0,
          INT64_C(1) << 51 },
        { "a byte too many", 1, 8, { 1, 0, 1, 1, 1, 0, 10, 0 }, SERIES_EFORMAT, 0 },
        { "a byte too few", 1, 6, { 1, 0, 1, 1, 1, 0 }, SERIES_EFORMAT, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct series_cell cell = { 0 };
        int rc = decode_payload(cases[i].payload, cases[i].size, cases[i].rows, &cell);
        if (rc != cases[i].rc || cell.v != cases[i].v)
            fail_msg("%s: returned %d, value %ld", cases[i].what, rc, (long)cell.v);
    }
}

static void a_malformed_payload_discards_the_state(void **state)
{
    static const uint8_t bad[] = { 9, 0, 1, 1, 1, 0, 10 };
    struct series_decoder *d = make_decoder();
    struct series_frame f;
    uint8_t forged[64];
    long first, second;

    (void)state;
    make_pair(&first, &second);
    assert_int_equal(series_decode(d, frame, (size_t)first, &f), 0);
    assert_int_equal(series_decode(d, forged, key_frame(forged, bad, sizeof bad, 1), &f),
                     SERIES_EFORMAT);
    assert_int_equal(series_decode(d, other, (size_t)second, &f), SERIES_ECHAIN);
    series_decoder_destroy(d);
}

static void encoders_share_a_workspace(void **state)
{
    struct series_encoder *a = make_encoder(COLUMNS), *b = make_encoder(3);
    struct series_decoder *d = make_decoder();
    struct series_workspace *w;
    struct series_cell cells[ROWS * COLUMNS];
    int64_t time_ms[ROWS];
    struct series_frame f;
    uint64_t seed = 4;

    (void)state;
    assert_int_equal(series_workspace_create(&w), 0);
    series_encoder_share(a, w);
    series_encoder_share(b, w);
    for (int n = 0; n < 6; n++) {
        unsigned columns = n % 2 ? 3 : COLUMNS;
        fill(cells, time_ms, 0, ROWS, columns, &seed);
        long size =
            series_encode(n % 2 ? b : a, true, 1, time_ms, cells, ROWS, frame, sizeof frame);
        assert_true(size > 0);
        assert_int_equal(series_decode(d, frame, (size_t)size, &f), 0);
        assert_same_table(&f, time_ms, cells, ROWS, columns);
    }
    series_encoder_destroy(a);
    series_encoder_destroy(b);
    series_workspace_destroy(w);
    series_decoder_destroy(d);
}

static void the_largest_frame_that_always_fits_does(void **state)
{
    enum { MANY_ROWS = 32 };
    struct series_encoder *e = make_encoder(SERIES_COLUMNS_MAX);
    struct series_decoder *d = make_decoder();
    struct series_cell *cells = calloc(MANY_ROWS * SERIES_COLUMNS_MAX, sizeof *cells);
    int64_t time_ms[MANY_ROWS];
    struct series_frame f;
    uint64_t seed = 5;

    (void)state;
    assert_non_null(cells);
    for (int i = 0; i < MANY_ROWS; i++)
        time_ms[i] = i % 2 ? -((int64_t)1 << 50) : (int64_t)1 << 50;
    for (int i = 0; i < MANY_ROWS * SERIES_COLUMNS_MAX; i++)
        cells[i] =
            (struct series_cell){ .v = (int64_t)next_random(&seed) << 32 | 1,
                                  .flag = next_random(&seed),
                                  .e = i / SERIES_COLUMNS_MAX % 2 ? 18 : DECIMAL_DOUBLE };
    long size = series_encode(e, true, 1, time_ms, cells, MANY_ROWS, frame, sizeof frame);
    assert_true(size > 0);
    assert_int_equal(series_decode(d, frame, (size_t)size, &f), 0);
    assert_same_table(&f, time_ms, cells, MANY_ROWS, SERIES_COLUMNS_MAX);
    free(cells);
    series_encoder_destroy(e);
    series_decoder_destroy(d);
}

static void the_tables_are_those_of_the_specification(void **state)
{
    static uint32_t squash[DENSE_SQUASH_MAX + 1], wide[4096];

    (void)state;
    memcpy(squash, dense_squash, sizeof squash);
    assert_int_equal(crc_of_words(squash, DENSE_SQUASH_MAX + 1), 0x2B39BAF1);
    for (int i = 0; i < 512; i++)
        wide[i] = dense_lg[i];
    assert_int_equal(crc_of_words(wide, 512), 0xA02A2F7B);
    for (int i = 0; i < 4096; i++)
        wide[i] = (uint32_t)dense_stretch[i];
    assert_int_equal(crc_of_words(wide, 4096), 0x9F18BC85);
    for (int i = 0; i < 256; i++)
        wide[i] = dense_rate[i];
    assert_int_equal(crc_of_words(wide, 256), 0x55F2F1BF);
    for (int i = 0; i < 47; i++)
        wide[i] = dense_recip[i];
    assert_int_equal(crc_of_words(wide, 47), 0xAFAF2F50);
    assert_int_equal(crc_of_words(dense_scale, 16), 0xEEE7188B);
}

int main(void)
{
    const struct CMUnitTest of_dense[] = {
        cmocka_unit_test(the_tables_are_those_of_the_specification),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips_chained_frames),
        cmocka_unit_test(decodes_the_leading_columns_alone),
        cmocka_unit_test(round_trips_any_cells_in_frames_of_any_size),
        cmocka_unit_test(keeps_the_decimals_that_the_source_writes),
        cmocka_unit_test(finds_the_step_of_a_column),
        cmocka_unit_test(bears_values_beside_the_step_of_the_others),
        cmocka_unit_test(the_mark_of_a_column_comes_back),
        cmocka_unit_test(a_minute_of_a_quiet_table_takes_little),
        cmocka_unit_test(refuses_what_cannot_be_written),
        cmocka_unit_test(needs_a_key_frame_after_an_error),
        cmocka_unit_test(a_segment_ends_after_4096_rows_or_24_hours),
        cmocka_unit_test(a_lost_or_doubled_frame_leaves_the_state),
        cmocka_unit_test(survives_forged_frames),
        cmocka_unit_test(refuses_every_cut_of_a_frame),
        cmocka_unit_test(keeps_to_the_bounds_of_the_specification),
        cmocka_unit_test(a_malformed_payload_discards_the_state),
        cmocka_unit_test(encoders_share_a_workspace),
        cmocka_unit_test(the_largest_frame_that_always_fits_does),
    };
    int failed = cmocka_run_group_tests(of_dense, NULL, NULL);
    for (codec = SERIES_PLAIN; codec <= SERIES_DENSE; codec++)
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    return failed;
}
