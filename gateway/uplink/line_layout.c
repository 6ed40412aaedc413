/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hot path of delivery: for every column "measurement,tags " is ready, a line is that, the
 * number, the flag and the row's time, all copied into place.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/uplink/line_print.h"
#include "gateway/uplink/line_protocol.h"

enum {
    TAIL_MAX = 112, /* "v=", number, ",f=", 10 digits, "i ", time, newline: at most 98 */
    DICTIONARY_MAX = 1 << 20,
};

#define REVISION "@rev"

struct prefix {
    uint32_t at, n; /* in `text` */
};

struct line_layout {
    struct buf text;
    unsigned columns;
    struct prefix column[];
};

/* "device/point@1h.max@rev" in its parts; device is empty without a slash. */
struct channel_name {
    struct line_text device, point, statistic; /* statistic with its '@' */
    bool is_revision;                          /* the id ends in "@rev" */
};

static bool ends_in(struct line_text t, const char *end)
{
    const size_t n = strlen(end);

    return t.n >= n && memcmp(t.p + t.n - n, end, n) == 0;
}

static struct channel_name split_id(struct line_text id)
{
    const bool is_revision = ends_in(id, REVISION);
    const char *slash = memchr(id.p, '/', id.n);
    const char *end = id.p + id.n - (is_revision ? strlen(REVISION) : 0);
    const char *begin = slash ? slash + 1 : id.p;
    const char *at = memchr(begin, '@', (size_t)(end - begin));

    if (!at)
        at = end;
    return (struct channel_name){
        .device = { id.p, slash ? (size_t)(slash - id.p) : 0 },
        .point = { begin, (size_t)(at - begin) },
        .statistic = { at, (size_t)(end - at) },
        .is_revision = is_revision,
    };
}

static bool is_same(struct line_text a, struct line_text b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static void put_tag(struct buf *b, const char *key, struct line_text value)
{
    buf_puts(b, key);
    line_put_escaped(b, value, ",= ");
}

static void put_prefix(struct buf *b, struct line_text quantity, struct line_text id,
                       const char *station)
{
    struct channel_name name = split_id(id);

    line_put_escaped(b, quantity, ", ");
    line_put_escaped(b, name.statistic, ", ");
    if (!is_same(name.point, quantity))
        put_tag(b, ",ch=", name.point);
    if (name.device.n)
        put_tag(b, ",dev=", name.device);
    if (name.is_revision)
        buf_puts(b, ",lvl=rev");
    put_tag(b, ",station=", line_text(station));
    buf_puts(b, " ");
}

/* Servers disagree on backslashes and take some names for themselves: such a dictionary is
 * refused whole, since a changed name could fall together with another. */
static bool is_carried(struct line_text t)
{
    return t.n <= LINE_NAME_MAX && line_is_name(t) && !memchr(t.p, '\\', t.n);
}

static bool column_is_good(struct line_text quantity, struct line_text id)
{
    if (!is_carried(quantity) || !is_carried(id))
        return false;
    return !strchr("#_", quantity.p[0]) && split_id(id).point.n > 0;
}

static int add_column(struct line_layout *l, json_t *channel, const char *station)
{
    json_t *id_json = json_object_get(channel, "id");
    json_t *quantity_json = json_object_get(channel, "quantity");
    if (!json_is_string(id_json) || !json_is_string(quantity_json))
        return -EINVAL;

    struct line_text id = { json_string_value(id_json), json_string_length(id_json) };
    struct line_text quantity = { json_string_value(quantity_json),
                                  json_string_length(quantity_json) };
    if (!column_is_good(quantity, id))
        return -EINVAL;

    size_t before = l->text.size;
    put_prefix(&l->text, quantity, id, station);
    if (l->text.has_failed)
        return -ENOMEM;
    l->column[l->columns++] =
        (struct prefix){ (uint32_t)before, (uint32_t)(l->text.size - before) };
    return 0;
}

static int build(json_t *channels, const char *station, struct line_layout **ret, char *why,
                 size_t why_size)
{
    size_t n = json_array_size(channels);
    if (n < 1 || n > SERIES_COLUMNS_MAX) {
        snprintf(why, why_size, "The dictionary names %zu channels, allowed are 1 to %d.", n,
                 SERIES_COLUMNS_MAX);
        return -EINVAL;
    }
    struct line_layout *l = calloc(1, sizeof *l + n * sizeof *l->column);
    if (!l)
        return -ENOMEM;
    l->text = BUF_INIT(n * (LINE_NAME_MAX * 6 + 64)); /* every byte escaped */

    for (size_t i = 0; i < n; i++) {
        int rc = add_column(l, json_array_get(channels, i), station);
        if (rc < 0) {
            snprintf(why, why_size, "Channel %zu of the dictionary has no usable name.", i);
            line_layout_destroy(l);
            return rc;
        }
    }
    *ret = l;
    return 0;
}

int line_layout_create(const char *dictionary, size_t size, const char *station,
                       struct line_layout **ret, char *why, size_t why_size)
{
    json_error_t error;

    snprintf(why, why_size, "%s", "");
    if (size > DICTIONARY_MAX || !is_carried(line_text(station))) {
        snprintf(why, why_size,
                 "The dictionary is too large, or the station has no usable name.");
        return -EINVAL;
    }
    json_t *root = json_loadb(dictionary, size, 0, &error);
    if (!root) {
        snprintf(why, why_size, "The dictionary is not JSON: %.100s.", error.text);
        return -EINVAL;
    }
    int rc = build(json_object_get(root, "channels"), station, ret, why, why_size);
    json_decref(root);
    return rc;
}

void line_layout_destroy(struct line_layout *l)
{
    if (!l)
        return;
    buf_done(&l->text);
    free(l);
}

unsigned line_layout_columns(const struct line_layout *l)
{
    return l->columns;
}

/* "v=41.2,f=0i"; returns the end. */
static char *print_cell(char *p, const struct series_cell *cell)
{
    char number[LINE_NUMBER_MAX];
    char *end = line_print_decimal(number, series_value(cell));

    if (end && series_value(cell).e != DECIMAL_NONE) {
        memcpy(p, "v=", 2);
        memcpy(p + 2, number, (size_t)(end - number));
        p += 2 + (end - number);
        *p++ = ',';
    }
    memcpy(p, "f=", 2);
    p = line_print_natural(p + 2, cell->flag);
    *p++ = 'i';
    *p++ = ' ';
    return p;
}

static void put_row(struct buf *b, const struct line_layout *l, int64_t time_ms,
                    const struct series_cell *cells)
{
    char time_text[LINE_NUMBER_MAX];
    char *time_end = line_print_integer(time_text, time_ms);
    *time_end++ = '\n';
    size_t time_n = (size_t)(time_end - time_text);

    for (unsigned c = 0; c < l->columns; c++) {
        char tail[TAIL_MAX];
        char *end = print_cell(tail, &cells[c]);
        memcpy(end, time_text, time_n);
        end += time_n;
        buf_put(b, l->text.data + l->column[c].at, l->column[c].n);
        buf_put(b, tail, (size_t)(end - tail));
    }
}

int line_write_rows(struct buf *b, const struct line_layout *l, const struct series_frame *f,
                    uint32_t first, uint32_t last, int64_t latest_ms, struct line_counts *ret)
{
    size_t before = b->size;
    struct line_counts counts = { 0 };

    if (f->info.columns != l->columns || last >= f->info.rows)
        return -EINVAL;
    for (uint32_t r = first; r <= last; r++) {
        int64_t t = f->time_ms[r];
        if (t <= 0 || t > latest_ms) {
            counts.rows_refused++;
            continue;
        }
        put_row(b, l, t, f->cells + (size_t)r * l->columns);
        counts.lines += l->columns;
    }
    if (b->has_failed) {
        b->size = before;
        b->has_failed = false;
        return -ENOSPC;
    }
    *ret = counts;
    return 0;
}
