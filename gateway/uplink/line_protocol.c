/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/line_protocol.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "gateway/uplink/line_print.h"

#define MEASUREMENT_SPECIAL ", "
#define KEY_SPECIAL         ",= "
#define STRING_SPECIAL      "\"\\"

struct line_text line_text(const char *text)
{
    return (struct line_text){ text, strlen(text) };
}

static int compare_text(struct line_text a, struct line_text b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

    if (order != 0)
        return order;
    return a.n < b.n ? -1 : a.n > b.n;
}

static bool tags_are_good(const struct line_point *p)
{
    for (size_t i = 0; i < p->tags_n; i++) {
        if (!line_is_name(p->tags[i].key))
            return false;
        /* a value may end in a backslash when a blank follows, but then no decoder agrees */
        if (!line_is_name(p->tags[i].value))
            return false;
        if (i > 0 && compare_text(p->tags[i - 1].key, p->tags[i].key) >= 0)
            return false;
    }
    return true;
}

static bool fields_are_good(const struct line_point *p)
{
    for (size_t i = 0; i < p->fields_n; i++) {
        if (!line_is_name(p->fields[i].key))
            return false;
        if (p->fields[i].type == LINE_FLOAT && !isfinite(p->fields[i].number))
            return false;
    }
    return p->fields_n > 0;
}

/* A raw newline inside a string loses the line in VictoriaMetrics: it is written as two
 * characters, and other control characters as a blank. */
static void put_string(struct buf *b, struct line_text t)
{
    static const char raw[] = "\n\r\t", letters[] = "nrt";

    buf_put(b, "\"", 1);
    for (size_t i = 0; i < t.n; i++) {
        const char *found = t.p[i] ? strchr(raw, t.p[i]) : NULL;
        bool is_control = (unsigned char)t.p[i] < 0x20;
        if (found)
            buf_printf(b, "\\%c", letters[found - raw]);
        else
            line_put_escaped(b, (struct line_text){ is_control ? " " : t.p + i, 1 },
                             STRING_SPECIAL);
    }
    buf_put(b, "\"", 1);
}

static void put_value(struct buf *b, const struct line_field *f)
{
    char text[LINE_NUMBER_MAX];
    char *end = text;

    switch (f->type) {
    case LINE_FLOAT:
        end = line_print_double(text, f->number);
        break;
    case LINE_INT:
        end = line_print_integer(text, f->integer);
        *end++ = 'i';
        break;
    case LINE_UINT:
        end = line_print_natural(text, f->natural);
        *end++ = 'u';
        break;
    case LINE_BOOL:
        buf_puts(b, f->truth ? "true" : "false");
        return;
    case LINE_STRING:
        put_string(b, f->text);
        return;
    }
    buf_put(b, text, (size_t)(end - text));
}

static void put_point(struct buf *b, const struct line_point *p)
{
    line_put_escaped(b, p->measurement, MEASUREMENT_SPECIAL);
    for (size_t i = 0; i < p->tags_n; i++) {
        buf_put(b, ",", 1);
        line_put_escaped(b, p->tags[i].key, KEY_SPECIAL);
        buf_put(b, "=", 1);
        line_put_escaped(b, p->tags[i].value, KEY_SPECIAL);
    }
    for (size_t i = 0; i < p->fields_n; i++) {
        buf_put(b, i == 0 ? " " : ",", 1);
        line_put_escaped(b, p->fields[i].key, KEY_SPECIAL);
        buf_put(b, "=", 1);
        put_value(b, &p->fields[i]);
    }
    if (p->has_time) {
        char text[LINE_NUMBER_MAX];
        char *end = line_print_integer(text, p->time);
        buf_put(b, " ", 1);
        buf_put(b, text, (size_t)(end - text));
    }
    buf_put(b, "\n", 1);
}

int line_write_point(struct buf *b, const struct line_point *p)
{
    size_t before = b->size;

    if (!line_is_name(p->measurement) || p->measurement.p[0] == '#')
        return -EINVAL;
    if (!tags_are_good(p) || !fields_are_good(p))
        return -EINVAL;
    put_point(b, p);
    if (!b->has_failed)
        return 0;
    b->size = before;
    b->has_failed = false;
    return -ENOSPC;
}
