/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/file_rows.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/uplink/line_print.h"

enum { NAME_MAX_BYTES = 512 }; /* of a channel or unit, quoted */

struct file_columns {
    unsigned n;
    struct column {
        char *channel, *unit; /* ready for a CSV field */
    } column[];
};

/* Quoted when it has to be (RFC 4180, section 2). */
static char *field_of(const char *text)
{
    struct buf b = BUF_INIT(NAME_MAX_BYTES);
    bool is_plain = !strpbrk(text, ",\"\r\n");

    if (is_plain)
        return strdup(text);
    buf_puts(&b, "\"");
    for (const char *p = text; *p; p++)
        buf_puts(&b, *p == '"' ? "\"\"" : (const char[]){ *p, '\0' });
    buf_puts(&b, "\"");
    const char *done = buf_text(&b);
    char *copy = done ? strdup(done) : NULL;
    buf_done(&b);
    return copy;
}

static int add_column(struct file_columns *c, const json_t *channel)
{
    const char *id = json_string_value(json_object_get(channel, "id"));
    const char *unit = json_string_value(json_object_get(channel, "unit"));

    if (!id)
        return -EINVAL;
    struct column *k = &c->column[c->n++];
    k->channel = field_of(id);
    k->unit = field_of(unit ? unit : "");
    return k->channel && k->unit ? 0 : -ENOMEM;
}

int file_columns_create(const char *dictionary, struct file_columns **ret)
{
    json_t *root = json_loads(dictionary, 0, NULL);
    const json_t *channels = json_object_get(root, "channels");
    size_t n = json_array_size(channels);
    struct file_columns *c = NULL;
    int rc = n >= 1 && n <= SERIES_COLUMNS_MAX ? 0 : -EINVAL;

    if (rc == 0) {
        c = calloc(1, sizeof *c + n * sizeof c->column[0]);
        rc = c ? 0 : -ENOMEM;
    }
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = add_column(c, json_array_get(channels, i));
    json_decref(root);
    if (rc < 0)
        file_columns_destroy(c);
    else
        *ret = c;
    return rc;
}

void file_columns_destroy(struct file_columns *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->n; i++) {
        free(c->column[i].channel);
        free(c->column[i].unit);
    }
    free(c);
}

void file_rows_head(struct buf *b)
{
    buf_puts(b, "time,channel,value,unit,flag\n");
}

static void put_cell(struct buf *b, const struct column *k, const char *when,
                     const struct series_cell *cell)
{
    char number[LINE_NUMBER_MAX], flag[LINE_NUMBER_MAX];
    char *end = NULL;

    if (series_value(cell).e != DECIMAL_NONE)
        end = line_print_decimal(number, series_value(cell));
    char *flag_end = line_print_natural(flag, cell->flag);
    buf_puts(b, when);
    buf_puts(b, ",");
    buf_puts(b, k->channel);
    buf_puts(b, ",");
    if (end)
        buf_put(b, number, (size_t)(end - number));
    buf_puts(b, ",");
    buf_puts(b, k->unit);
    buf_puts(b, ",");
    buf_put(b, flag, (size_t)(flag_end - flag));
    buf_puts(b, "\n");
}

int file_rows_write(struct buf *b, const struct file_columns *c, const struct series_frame *f)
{
    char when[TIME_TEXT_MAX];

    if (f->info.columns != c->n)
        return -EINVAL;
    for (uint32_t row = 0; row < f->info.rows; row++) {
        time_print_utc(f->time_ms[row], when);
        for (unsigned i = 0; i < c->n; i++)
            put_cell(b, &c->column[i], when, &f->cells[(size_t)row * c->n + i]);
    }
    return b->has_failed ? -ENOSPC : 0;
}
