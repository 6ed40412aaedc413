/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of line protocol, and dictionaries. What the strict reader takes is written again where
 * it can be, and reads as the same; a dictionary that is taken writes lines that can be read,
 * and as JSON too.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/uplink/line_json.h"
#include "gateway/uplink/line_parse.h"
#include "tests/fuzz/fuzz.h"

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static bool is_same(struct line_text a, struct line_text b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* Strings change on purpose: control characters become blanks. */
static bool is_same_field(const struct line_field *a, const struct line_field *b)
{
    if (!is_same(a->key, b->key) || a->type != b->type)
        return false;
    if (a->type == LINE_FLOAT)
        return a->number == b->number;
    if (a->type == LINE_INT)
        return a->integer == b->integer;
    return a->type == LINE_STRING || a->natural == b->natural || a->truth == b->truth;
}

static void write_again(const struct line_point *p)
{
    struct buf b = BUF_INIT(1 << 20);
    struct line_parser q;
    struct line_point same;

    if (line_write_point(&b, p) == 0) {
        require(line_parser_init(&q, b.data, b.size) == 0);
        require(line_parse_next(&q, &same) == 1);
        require(is_same(p->measurement, same.measurement) && p->tags_n == same.tags_n);
        require(p->fields_n == same.fields_n && p->has_time == same.has_time);
        for (size_t i = 0; i < p->tags_n; i++)
            require(is_same(p->tags[i].key, same.tags[i].key) &&
                    is_same(p->tags[i].value, same.tags[i].value));
        for (size_t i = 0; i < p->fields_n; i++)
            require(is_same_field(&p->fields[i], &same.fields[i]));
        require(line_parse_next(&q, &same) == 0);
        line_parser_done(&q);
    }
    buf_done(&b);
}

static void fuzz_lines(const char *data, size_t size)
{
    struct line_parser q;
    struct line_point p;
    int rc;

    require(line_parser_init(&q, data, size) == 0);
    while ((rc = line_parse_next(&q, &p)) == 1)
        write_again(&p);
    require(rc == 0 || q.error);
    line_parser_done(&q);
}

/* The lines as JSON; 0 or why not. */
static int write_json(const char *lines, size_t size, struct buf *out)
{
    static const struct line_json_names names = { .separator = "_",
                                                  .database_label = "db",
                                                  .database = "d" };
    struct line_json *j = line_json_create();

    require(j);
    int rc = line_json_write(j, lines, size, &names, out);
    require(rc == 0 || out->size == 0);
    line_json_destroy(j);
    return rc;
}

static void fuzz_json(const char *data, size_t size)
{
    struct buf out = BUF_INIT(16 << 20);

    write_json(data, size, &out);
    buf_done(&out);
}

/* An object for each series, of as many values as times. */
static void require_json(const char *lines, size_t size)
{
    struct buf out = BUF_INIT(64 << 20);

    require(write_json(lines, size, &out) == 0);
    for (const char *p = buf_text(&out), *end; (end = strchr(p, '\n')); p = end + 1) {
        json_t *o = json_loadb(p, (size_t)(end - p), 0, NULL);
        size_t values = json_array_size(json_object_get(o, "values"));
        require(values > 0 && values == json_array_size(json_object_get(o, "timestamps")));
        require(json_object_get(json_object_get(o, "metric"), "station"));
        json_decref(o);
    }
    buf_done(&out);
}

static void fuzz_dictionary(const char *data, size_t size)
{
    struct line_layout *l;
    struct line_counts c;
    struct line_parser q;
    struct line_point p;
    char why[160];
    struct buf b = BUF_INIT(8 << 20);
    static const struct series_cell cells[SERIES_COLUMNS_MAX]; /* zeros without decimals */
    struct series_frame f = { .time_ms = &(const int64_t){ 1 }, .cells = cells };

    if (line_layout_create(data, size, "station", &l, why, sizeof why) < 0)
        return;
    f.info.rows = 1;
    f.info.columns = line_layout_columns(l);
    require(line_write_rows(&b, l, &f, 0, 0, INT64_MAX, &c) == 0);
    require(line_parser_init(&q, b.data, b.size) == 0);
    for (size_t i = 0; i < c.lines; i++)
        require(line_parse_next(&q, &p) == 1 && p.fields_n == 2 && p.time == 1);
    require(line_parse_next(&q, &p) == 0);
    line_parser_done(&q);
    require_json(b.data, b.size);
    line_layout_destroy(l);
    buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_lines((const char *)data, size);
    fuzz_json((const char *)data, size);
    fuzz_dictionary((const char *)data, size);
    return 0;
}
