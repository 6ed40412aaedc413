/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effective configuration, written from the field tables. What is not set (NULL, NaN, a
 * default outside the allowed range) is left out; it reads back as not set.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "gateway/conf/config.h"
#include "gateway/conf/utf8.h"
#include "gateway/conf/value.h"

static const void *member(const void *base, const struct field *f)
{
    return (const char *)base + f->offset;
}

struct printer {
    FILE *out;
    bool is_inline; /* the next line is begun already: "- " */
};

static void indent(struct printer *p, int depth)
{
    if (!p->is_inline)
        fprintf(p->out, "%*s", 2 * depth, "");
    p->is_inline = false;
}

/* Plain when nothing in it could be taken for syntax, another type or a comment. */
static bool is_plain(const char *text)
{
    static const char *const words[] = { "null", "true", "false", "~", "Null", "NULL" };
    double number;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0)
            return false;
    }
    size_t n =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./()-");
    return n > 0 && text[n] == '\0' && text[0] != '-' && text[0] != '.' &&
           value_parse_double(text, &number) != 0;
}

static void print_text(const char *text, FILE *out)
{
    if (is_plain(text)) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    int32_t c;
    for (size_t left = strlen(text), n; left > 0; left -= n, text += n) {
        n = utf8_next(text, left, &c);
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", (char)c);
        else if (utf8_is_printable(c))
            fwrite(text, 1, n, out);
        else
            fprintf(out, "\\U%08" PRIx32, (uint32_t)(c < 0 ? 0xfffd : c));
    }
    putc('"', out);
}

static bool is_inside(const struct field *f, double v)
{
    return (f->min == 0 && f->max == 0) || (v >= f->min && v <= f->max);
}

static bool is_set(const struct field *f, const void *p)
{
    const struct field_range *range = p;

    switch (f->type) {
    case FIELD_BOOL:
    case FIELD_ENUM:
    case FIELD_GROUP:
        return true;
    case FIELD_INT:
    case FIELD_DURATION:
    case FIELD_SIZE:
        return is_inside(f, (double)*(const int64_t *)p);
    case FIELD_DOUBLE:
        return !isnan(*(const double *)p);
    case FIELD_RANGE:
        return !isnan(range->min) || !isnan(range->max);
    case FIELD_LIST:
    case FIELD_MAP:
    case FIELD_TEXTS:
        return ((const struct field_array *)p)->n > 0;
    case FIELD_VARIANT:
        return ((const struct field_variant *)p)->kind != NULL;
    default:
        return *(const char *const *)p != NULL;
    }
}

static void print_number(double v, FILE *out)
{
    char text[VALUE_TEXT_MAX];

    if (isnan(v)) {
        fputs("~", out);
        return;
    }
    value_double_text(v, text);
    fputs(text, out);
}

static void print_texts(const struct field_array *a, FILE *out)
{
    const char *const *items = a->items;

    putc('[', out);
    for (size_t i = 0; i < a->n; i++) {
        fputs(i ? ", " : "", out);
        print_text(items[i], out);
    }
    putc(']', out);
}

static void print_scalar(const struct field *f, const void *p, FILE *out)
{
    char text[VALUE_TEXT_MAX];

    switch (f->type) {
    case FIELD_BOOL:
        fputs(*(const bool *)p ? "true" : "false", out);
        break;
    case FIELD_INT:
        fprintf(out, "%" PRId64, *(const int64_t *)p);
        break;
    case FIELD_DURATION:
        value_duration_text(*(const int64_t *)p, text);
        fputs(text, out);
        break;
    case FIELD_SIZE:
        value_size_text(*(const int64_t *)p, text);
        fputs(text, out);
        break;
    case FIELD_DOUBLE:
        print_number(*(const double *)p, out);
        break;
    case FIELD_ENUM:
        fputs(f->words[*(const int *)p], out);
        break;
    case FIELD_RANGE:
        putc('[', out);
        print_number(((const struct field_range *)p)->min, out);
        fputs(", ", out);
        print_number(((const struct field_range *)p)->max, out);
        putc(']', out);
        break;
    case FIELD_TEXTS:
        print_texts(p, out);
        break;
    case FIELD_VARIANT:
        print_text(((const struct field_variant *)p)->kind->name, out);
        break;
    default:
        print_text(f->flags & FIELD_SECRET ? "***" : *(const char *const *)p, out);
    }
}

static void print_fields(struct printer *p, const struct field *fields, const struct field *key,
                         const void *base, int depth);

static bool has_any(const struct field *fields, const void *base)
{
    for (; fields->name; fields++) {
        const void *p = member(base, fields);
        if (fields->type == FIELD_GROUP ? has_any(fields->fields, p) : is_set(fields, p))
            return true;
    }
    return false;
}

static const struct field *key_field(const struct field *fields)
{
    while (fields->name && strcmp(fields->name, "id") != 0)
        fields++;
    return fields;
}

static void print_items(struct printer *p, const struct field *f, const struct field_array *a,
                        int depth)
{
    for (size_t i = 0; i < a->n; i++) {
        const char *item = (const char *)a->items + i * f->size;
        const struct field *key = f->type == FIELD_MAP ? key_field(f->fields) : NULL;
        indent(p, depth);
        if (key)
            print_text(*(const char *const *)member(item, key), p->out);
        fputs(key ? ":\n" : "- ", p->out);
        p->is_inline = !key;
        print_fields(p, f->fields, key, item, depth + 1);
    }
}

static void print_field(struct printer *p, const struct field *f, const void *value, int depth)
{
    if (!is_set(f, value) || (f->type == FIELD_GROUP && !has_any(f->fields, value)))
        return;
    indent(p, depth);
    fprintf(p->out, "%s:", f->name);
    if (f->type == FIELD_GROUP) {
        putc('\n', p->out);
        print_fields(p, f->fields, NULL, value, depth + 1);
    } else if (f->type == FIELD_LIST || f->type == FIELD_MAP) {
        putc('\n', p->out);
        print_items(p, f, value, depth + 1);
    } else {
        putc(' ', p->out);
        print_scalar(f, value, p->out);
        putc('\n', p->out);
    }
}

/* The id of a map's item is its key; a variant's options stand beside its word. */
static void print_fields(struct printer *p, const struct field *fields, const struct field *key,
                         const void *base, int depth)
{
    for (const struct field *f = fields; f->name; f++) {
        const struct field_variant *v = member(base, f);
        if (f != key)
            print_field(p, f, member(base, f), depth);
        if (f->type == FIELD_VARIANT && v->kind)
            print_fields(p, v->kind->fields, NULL, v->options, depth);
    }
}

/* Titles and limits of the answer are no part of what it judges. */
static bool is_judging(const struct field *f)
{
    static const char *const others[] = { "title",    "enabled", "flap",
                                          "response", "source",  "backtest" };

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(f->name, others[i]) == 0)
            return false;
    }
    return true;
}

int config_print_rule(const struct rule_conf *r, FILE *out)
{
    struct printer p = { .out = out };
    const struct field *rules = config_fields;

    while (rules->offset != offsetof(struct config, rules))
        rules++;
    for (const struct field *f = rules->fields; f->name; f++) {
        if (is_judging(f))
            print_field(&p, f, member(r, f), 0);
    }
    return ferror(out) ? -EIO : 0;
}

int config_print(const struct config *c, FILE *out)
{
    struct printer p = { .out = out };

    print_fields(&p, config_fields, NULL, c, 0);
    return ferror(out) ? -EIO : 0;
}
