/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Neuron, the table of tags as CSV. Columns by their names in the first line, in any order:
 * group, interval (ms), name, address, attribute, type, description, decimal (factor), bias.
 * An address is UNIT!AREA-AND-REGISTER[.BIT][#ORDER][.LENGTH[H|L|D|E]], registers counted from
 * 1. Where the devices are is not in the table.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/import/formats.h"
#include "gateway/import/reader.h"

enum { COLUMNS_MAX = 64, CELL_MAX = 4096, INTERVAL_MS = 1000 };

enum column {
    GROUP,
    INTERVAL,
    NAME,
    ADDRESS,
    ATTRIBUTE,
    TYPE,
    DESCRIPTION,
    DECIMAL,
    BIAS,
    COLUMN_COUNT
};

static const char *const column_names[COLUMN_COUNT] = { "group",       "interval",  "name",
                                                        "address",     "attribute", "type",
                                                        "description", "decimal",   "bias" };

static const struct {
    const char *name;
    enum value_type type;
} types[] = {
    { "INT16", TYPE_S16 },   { "UINT16", TYPE_U16 }, { "INT32", TYPE_S32 },
    { "UINT32", TYPE_U32 },  { "INT64", TYPE_S64 },  { "UINT64", TYPE_U64 },
    { "FLOAT", TYPE_F32 },   { "DOUBLE", TYPE_F64 }, { "BIT", TYPE_BIT },
    { "STRING", TYPE_TEXT }, { "WORD", TYPE_U16 },   { "DWORD", TYPE_U32 },
    { "LWORD", TYPE_U64 },
};

/* Of the manual: 1234 is ABCD. is_doubtful: older manuals had these two the other way. */
static const struct {
    const char *name;
    enum word_order order;
    bool is_doubtful;
} orders[] = {
    { "", ORDER_ABCD, false },   { "L", ORDER_ABCD, false },  { "B", ORDER_DCBA, false },
    { "LL", ORDER_ABCD, false }, { "LB", ORDER_BADC, false }, { "BL", ORDER_CDAB, true },
    { "BB", ORDER_DCBA, true },
};

struct table {
    struct import_reader *r;
    const char *p, *end;
    char separator;
    int line;
    int column_of[COLUMN_COUNT]; /* -1: not in the file */
    const char *cells[COLUMNS_MAX];
    size_t n;
};

static int refuse(struct table *t, int line, const char *what, const char *about)
{
    diag_error(t->r->d, (struct field_mark){ t->r->maker.file, line, 1 }, 1, E_VALUE,
               "%s%s%s%s", what, about ? ": '" : "", about ? about : "", about ? "'" : "");
    return -EINVAL;
}

/* ---- rows ---- */

static int read_cell(struct table *t, int line, const char **ret)
{
    struct buf b = BUF_INIT(CELL_MAX);
    bool is_quoted = t->p < t->end && *t->p == '"';

    t->p += is_quoted;
    while (t->p < t->end && (is_quoted || !(*t->p == t->separator || *t->p == '\n'))) {
        if (is_quoted && *t->p == '"') {
            if (t->p + 1 == t->end || t->p[1] != '"')
                break;
            t->p++;
        }
        t->line += *t->p == '\n';
        if (*t->p != '\r')
            buf_put(&b, t->p, 1);
        t->p++;
    }
    const char *text = buf_text(&b);
    int err = 0;
    if (!text)
        err = refuse(t, line, "a cell has more than 4096 bytes", NULL);
    else if (is_quoted && t->p == t->end)
        err = refuse(t, line, "a quoted cell is never closed", NULL);
    else
        *ret = import_copy(t->r, text);
    t->p += is_quoted && !err;
    buf_done(&b);
    return err;
}

/* 1: a row; 0: the end. *ret_line is where it begins. */
static int read_row(struct table *t, int *ret_line)
{
    *ret_line = t->line;
    if (t->p == t->end)
        return 0;
    for (t->n = 0;; t->p++) {
        if (t->n == COLUMNS_MAX)
            return refuse(t, *ret_line, "a row has more than 64 cells", NULL);
        if (read_cell(t, *ret_line, &t->cells[t->n++]) < 0)
            return -EINVAL;
        while (t->p < t->end && *t->p == '\r')
            t->p++;
        if (t->p == t->end)
            return 1;
        if (*t->p == '\n')
            break;
        if (*t->p != t->separator)
            return refuse(t, *ret_line, "text stands behind a quoted cell", NULL);
    }
    t->p++;
    t->line++;
    return 1;
}

static const char *cell(const struct table *t, enum column c)
{
    int i = t->column_of[c];

    return i >= 0 && (size_t)i < t->n ? t->cells[i] : "";
}

static bool is_empty(const struct table *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (*t->cells[i])
            return false;
    return true;
}

static int read_header(struct table *t)
{
    static const enum column needed[] = { NAME, ADDRESS, TYPE };
    const char *end = memchr(t->p, '\n', (size_t)(t->end - t->p));
    size_t n = (size_t)((end ? end : t->end) - t->p);
    int line;

    t->separator = memchr(t->p, ',', n) ? ',' : memchr(t->p, ';', n) ? ';' : '\t';
    int got = read_row(t, &line);
    if (got < 0)
        return got;
    for (int c = 0; c < COLUMN_COUNT; c++) {
        t->column_of[c] = -1;
        for (size_t i = 0; got && i < t->n; i++)
            if (strcasecmp(t->cells[i], column_names[c]) == 0)
                t->column_of[c] = (int)i;
    }
    for (size_t i = 0; i < 3; i++)
        if (t->column_of[needed[i]] < 0)
            return refuse(t, 1,
                          "the first line should name the columns, among them name, address "
                          "and type; it lacks one",
                          column_names[needed[i]]);
    return 0;
}

/* ---- one tag ---- */

struct address {
    int unit, bit;
    uint8_t space;
    int64_t first;
    char order[3];
    int64_t length; /* bytes of a text */
    char text_form; /* 'H': high byte first; 'L' ... */
};

static bool take_number(const char **p, size_t digits_max, int64_t *ret)
{
    size_t n = strspn(*p, "0123456789");
    char digits[12];

    if (n == 0 || n > digits_max)
        return false;
    snprintf(digits, sizeof digits, "%.*s", (int)n, *p);
    *p += n;
    *ret = 0;
    for (const char *d = digits; *d; d++)
        *ret = *ret * 10 + (*d - '0');
    return true;
}

static bool parse_place(const char **p, struct address *a)
{
    static const uint8_t spaces[] = { SPACE_COIL, SPACE_DISCRETE, 0, SPACE_INPUT,
                                      SPACE_HOLDING };
    int64_t unit, number;

    if (!take_number(p, 3, &unit) || unit > 255 || **p != '!')
        return false;
    (*p)++;
    int area = **p - '0';
    if (area < 0 || area > 4 || !spaces[area])
        return false;
    (*p)++;
    if (!take_number(p, 5, &number) || number < 1 || number > 65536)
        return false;
    a->unit = (int)unit;
    a->space = spaces[area];
    a->first = number - 1;
    return true;
}

static bool parse_address(const char *text, bool is_text, struct address *a)
{
    const char *p = text;
    int64_t n;

    *a = (struct address){ .bit = -1, .text_form = 'L' };
    if (!parse_place(&p, a))
        return false;
    if (*p == '.') {
        p++;
        if (!take_number(&p, 3, &n))
            return false;
        if (is_text)
            a->length = n;
        else if (n > 15)
            return false;
        else
            a->bit = (int)n;
        if (is_text && *p && strchr("HLDE", *p))
            a->text_form = *p++;
    }
    if (*p == '#') {
        size_t len = strspn(++p, "BLWSR");
        if (len == 0 || len > 2)
            return false;
        snprintf(a->order, sizeof a->order, "%.*s", (int)len, p);
        p += len;
    }
    return *p == '\0';
}

static bool set_type(const char *name, struct import_point *p)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcasecmp(types[i].name, name) != 0)
            continue;
        p->type = types[i].type;
        return true;
    }
    return false;
}

static int read_factor(struct table *t, int line, enum column c, double *ret)
{
    double v;
    const char *text = cell(t, c);

    if (!*text)
        return 0;
    if (!import_scan_number(text, &v))
        return refuse(
            t, line,
            c == DECIMAL ? "'decimal' should be a number" : "'bias' should be a number", text);
    if (v != 0) /* 0: as if not given */
        *ret = v;
    return 0;
}

/* A text is read with the high byte first; the other forms would come out scrambled. */
static bool set_form(struct table *t, int line, const struct address *a,
                     struct import_device *dev, struct import_point *p)
{
    bool is_bit_area = a->space == SPACE_COIL || a->space == SPACE_DISCRETE;

    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        if (strcmp(orders[i].name, a->order) != 0)
            continue;
        p->order = orders[i].order;
        if (orders[i].is_doubtful)
            import_note(t->r, IMPORT_OLD_ORDER, p->name, line, dev);
        bool is_ok = p->type == TYPE_TEXT  ? a->text_form == 'H' && a->length > 0
                     : p->type == TYPE_BIT ? is_bit_area || a->bit >= 0
                                           : !is_bit_area && a->bit < 0;
        if (!is_ok)
            import_note(t->r, IMPORT_TYPE, p->name, line, dev);
        p->bit = is_bit_area ? -1 : a->bit;
        p->count = (uint16_t)((a->length + 1) / 2);
        return is_ok;
    }
    import_note(t->r, IMPORT_ORDER, import_format_text(t->r, "%s: #%s", p->name, a->order),
                line, dev);
    return false;
}

static void name_unit(struct table *t, struct import_point *p)
{
    static const char *const words[] = { "单位：", "单位:", "单位", "unit:", "unit " };
    const char *text = cell(t, DESCRIPTION);

    for (size_t i = 0; *text && i < 5; i++) {
        const char *found = strstr(text, words[i]);
        if (!found)
            continue;
        char unit[32];
        found += strlen(words[i]);
        found += strspn(found, " ");
        snprintf(unit, sizeof unit, "%.*s", (int)strcspn(found, " ,;\n"), found);
        if (unit_find(unit))
            p->unit_text = import_copy(t->r, unit);
        return;
    }
}

static int read_tag(struct table *t, const struct import_bus *bus, int line)
{
    struct import_reader *r = t->r;
    const char *name = cell(t, NAME), *address = cell(t, ADDRESS);
    bool is_text = strcasecmp(cell(t, TYPE), "STRING") == 0;
    int64_t interval_ms = INTERVAL_MS;
    struct address a;

    if (!*name)
        return refuse(t, line, "a tag needs a name", NULL);
    if (!parse_address(address, is_text, &a))
        return refuse(t, line, "expected an address such as 1!400001 or 1!300010#BB", address);
    if (*cell(t, INTERVAL) && (!import_scan_int(cell(t, INTERVAL), &interval_ms) ||
                               interval_ms < 100 || interval_ms > 86400000))
        return refuse(t, line, "'interval' should be 100 to 86400000 ms", cell(t, INTERVAL));
    struct import_device *dev =
        import_add_device(r, bus, a.unit, interval_ms,
                          import_format_text(r, "%s-%d", r->plan->base, a.unit), line);
    if (!dev)
        return -ENOMEM;
    dev->is_enabled = false;
    struct import_point p = import_point_init(name, a.space, a.first, line);
    if (read_factor(t, line, DECIMAL, &p.scale) < 0 ||
        read_factor(t, line, BIAS, &p.offset) < 0)
        return -EINVAL;
    if (*cell(t, ATTRIBUTE) && !strstr(cell(t, ATTRIBUTE), "ead") &&
        !strstr(cell(t, ATTRIBUTE), "ubscribe")) {
        import_note(r, IMPORT_WRITTEN, name, line, dev);
        return 0;
    }
    if (!set_type(cell(t, TYPE), &p)) {
        import_note(r, IMPORT_TYPE, import_format_text(r, "%s: %s", name, cell(t, TYPE)), line,
                    dev);
        return 0;
    }
    name_unit(t, &p);
    if (set_form(t, line, &a, dev, &p))
        import_add_point(r, dev, &p);
    return 0;
}

int neuron_read(struct import_reader *r, const char *text, size_t size)
{
    struct table t = { .r = r, .p = text, .end = text + size, .line = 1 };
    /* an address that belongs to nobody: RFC 5737 */
    const struct import_bus place = { .kind = IMPORT_TCP, .host = "192.0.2.1", .port = 502 };
    int line, got = read_header(&t);

    if (got < 0)
        return got;
    const struct import_bus *bus = import_add_bus(r, &place, r->plan->base);
    if (!bus)
        return -ENOMEM;
    import_note(r, IMPORT_NOWHERE, bus->id, 1, NULL);
    import_note(r, IMPORT_NODE_ORDER, bus->id, 1, NULL);
    while ((got = read_row(&t, &line)) > 0) {
        int err = is_empty(&t) ? 0 : read_tag(&t, bus, line);
        if (err < 0)
            return err;
    }
    return got;
}
