/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/line_parse.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/uplink/line_print.h"

enum { NUMBER_TEXT_MAX = 512 }; /* a float of 308 digits with leading zeros; more is refused */

int line_parser_init(struct line_parser *q, const char *text, size_t size)
{
    *q = (struct line_parser){ .p = text, .end = text + size };
    q->scratch = malloc(size + 1);
    q->scratch_end = q->scratch;
    return q->scratch ? 0 : -ENOMEM;
}

void line_parser_done(struct line_parser *q)
{
    free(q->scratch);
    q->scratch = NULL;
}

static int refuse(struct line_parser *q, const char *why)
{
    q->error = why;
    q->p = q->end;
    return -EINVAL;
}

static int at(const struct line_parser *q)
{
    return q->p < q->end ? (unsigned char)*q->p : -1;
}

/* The end, too. */
static bool is_control(int c)
{
    return c < 0x20 || c == 0x7f;
}

static bool is_eol(const struct line_parser *q)
{
    if (at(q) == '\r')
        return q->p + 1 == q->end || q->p[1] == '\n';
    return at(q) == '\n' || at(q) < 0;
}

static void skip_eol(struct line_parser *q)
{
    if (at(q) == '\r')
        q->p++;
    if (at(q) == '\n')
        q->p++;
}

static void skip_blanks(struct line_parser *q)
{
    while (at(q) == ' ')
        q->p++;
}

/* A name up to one of `stops`, a control character or the end, escapes of `escapable` undone.
 */
static struct line_text take_name(struct line_parser *q, const char *stops,
                                  const char *escapable)
{
    struct line_text t = { q->scratch_end, 0 };

    while (!is_control(at(q)) && !strchr(stops, at(q))) {
        if (at(q) == '\\' && q->p + 1 < q->end && q->p[1] && strchr(escapable, q->p[1]))
            q->p++;
        *q->scratch_end++ = *q->p++;
    }
    t.n = (size_t)(q->scratch_end - t.p);
    return t;
}

static bool is_text(struct line_text t)
{
    return t.n > 0 && line_is_utf8(t);
}

static int parse_tag(struct line_parser *q, struct line_tag *ret)
{
    struct line_tag tag;

    tag.key = take_name(q, ",= ", ",= ");
    if (!is_text(tag.key))
        return refuse(q, "A tag has no key, or one that is not UTF-8.");
    if (at(q) != '=')
        return refuse(q, "A tag key is not followed by '='.");
    q->p++;
    tag.value = take_name(q, ",= ", ",= ");
    if (!is_text(tag.value))
        return refuse(q, "A tag has no value, or one that is not UTF-8.");
    *ret = tag;
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    const struct line_tag *x = a, *y = b;
    size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
    int order = memcmp(x->key.p, y->key.p, n);

    if (order != 0)
        return order;
    return x->key.n < y->key.n ? -1 : x->key.n > y->key.n;
}

static int parse_tags(struct line_parser *q, size_t *ret_n)
{
    size_t n = 0;

    while (at(q) == ',') {
        q->p++;
        if (n == LINE_TAGS_MAX)
            return refuse(q, "A point has more tags than this reader takes.");
        if (parse_tag(q, &q->tags[n]) < 0)
            return -EINVAL;
        n++;
    }
    if (at(q) != ' ')
        return refuse(q, "A blank must stand between tags and fields.");
    qsort(q->tags, n, sizeof q->tags[0], compare_keys);
    for (size_t i = 1; i < n; i++)
        if (compare_keys(&q->tags[i - 1], &q->tags[i]) == 0)
            return refuse(q, "A tag stands twice.");
    *ret_n = n;
    return 0;
}

/* After the opening quote. Besides quote and backslash the grammar knows \n, \r and \t. */
static int parse_string(struct line_parser *q, struct line_field *f)
{
    static const char escapes[] = "\"\\nrt", meaning[] = "\"\\\n\r\t";
    struct line_text t = { q->scratch_end, 0 };

    while (at(q) >= 0 && at(q) != '"') {
        const char *found = NULL;
        if (at(q) == '\\' && q->p + 1 < q->end && q->p[1])
            found = strchr(escapes, q->p[1]);
        *q->scratch_end++ = found ? meaning[found - escapes] : *q->p;
        q->p += found ? 2 : 1;
    }
    if (at(q) < 0)
        return refuse(q, "A string has no closing quote.");
    q->p++;
    t.n = (size_t)(q->scratch_end - t.p);
    f->type = LINE_STRING;
    f->text = t;
    return line_is_utf8(t) ? 0 : refuse(q, "A string is not UTF-8.");
}

static int parse_bool(struct line_parser *q, const char *text, struct line_field *f)
{
    static const char *const words[] = { "t", "T", "true",  "True",  "TRUE",
                                         "f", "F", "false", "False", "FALSE" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            f->type = LINE_BOOL;
            f->truth = i < 5;
            return 0;
        }
    }
    return refuse(q, "A field value has no known type.");
}

static bool is_integer(const char *text, bool has_sign)
{
    if (has_sign && *text == '-')
        text++;
    return *text && strspn(text, "0123456789") == strlen(text);
}

static int parse_integer(struct line_parser *q, char *text, struct line_field *f)
{
    size_t n = strlen(text);
    bool is_natural = text[n - 1] == 'u';
    char *end;

    text[n - 1] = '\0';
    if (!is_integer(text, !is_natural))
        return refuse(q, "An integer has other characters than digits.");
    errno = 0;
    if (is_natural)
        f->natural = strtoumax(text, &end, 10);
    else
        f->integer = strtoimax(text, &end, 10);
    f->type = is_natural ? LINE_UINT : LINE_INT;
    return errno == ERANGE ? refuse(q, "An integer is out of range.") : 0;
}

static int parse_float(struct line_parser *q, const char *text, struct line_field *f)
{
    char *end;

    if (strspn(text, "0123456789+-.eE") != strlen(text))
        return refuse(q, "A number has other characters than a number.");
    f->type = LINE_FLOAT;
    f->number = strtod(text, &end);
    if (*end || end == text)
        return refuse(q, "A number is malformed.");
    return isfinite(f->number) ? 0 : refuse(q, "A number is out of range.");
}

static int parse_value(struct line_parser *q, struct line_field *f)
{
    char text[NUMBER_TEXT_MAX];
    size_t n = 0;

    if (at(q) == '"') {
        q->p++;
        return parse_string(q, f);
    }
    while (at(q) >= 0 && !strchr(", \r\n", at(q)) && n + 1 < sizeof text)
        text[n++] = *q->p++;
    text[n] = '\0';
    if (n == 0 || !strchr("0123456789-.tTfF", text[0]) || strlen(text) != n)
        return refuse(q, "A field value has no known type.");
    if (strchr("tTfF", text[0]))
        return parse_bool(q, text, f);
    if (text[n - 1] == 'i' || text[n - 1] == 'u')
        return parse_integer(q, text, f);
    return parse_float(q, text, f);
}

static int parse_fields(struct line_parser *q, size_t *ret_n)
{
    size_t n = 0;

    do {
        if (n == LINE_FIELDS_MAX)
            return refuse(q, "A point has more fields than this reader takes.");
        struct line_field *f = &q->fields[n++];
        f->key = take_name(q, ",= ", ",= ");
        if (!is_text(f->key))
            return refuse(q, "A field has no key, or one that is not UTF-8.");
        if (at(q) != '=')
            return refuse(q, "A field key is not followed by '='.");
        q->p++;
        if (parse_value(q, f) < 0)
            return -EINVAL;
    } while (at(q) == ',' && q->p++);
    if (at(q) != ' ' && !is_eol(q))
        return refuse(q, "Something unexpected stands behind a field.");
    *ret_n = n;
    return 0;
}

static int parse_time(struct line_parser *q, struct line_point *point)
{
    char text[32];
    size_t n = 0;

    while (n + 1 < sizeof text && at(q) > 0 && strchr("-0123456789", at(q)))
        text[n++] = *q->p++;
    text[n] = '\0';
    point->has_time = n > 0;
    if (n > 0) {
        char *end;
        errno = 0;
        point->time = strtoll(text, &end, 10);
        if (*end || end == text || errno == ERANGE)
            return refuse(q, "The timestamp is malformed or out of range.");
    }
    skip_blanks(q);
    return is_eol(q) ? 0 : refuse(q, "Something unexpected stands behind the timestamp.");
}

/* Past empty lines and comments: 1, 0 at the end, -EINVAL. */
static int find_line(struct line_parser *q)
{
    while (q->p < q->end) {
        skip_blanks(q);
        if (at(q) == '#')
            while (!is_control(at(q)))
                q->p++;
        else if (!is_eol(q))
            return 1;
        if (!is_eol(q))
            return refuse(q, "A comment has a control character.");
        skip_eol(q);
    }
    return 0;
}

int line_parse_next(struct line_parser *q, struct line_point *ret)
{
    struct line_point point = { .tags = q->tags, .fields = q->fields };

    const int found = find_line(q);
    if (found <= 0)
        return found;
    q->scratch_end = q->scratch;
    point.measurement = take_name(q, ", ", ", ");
    if (!is_text(point.measurement))
        return refuse(q, "A line has no measurement, or one that is not UTF-8.");
    if (parse_tags(q, &point.tags_n) < 0)
        return -EINVAL;
    skip_blanks(q);
    if (parse_fields(q, &point.fields_n) < 0)
        return -EINVAL;
    skip_blanks(q);
    if (parse_time(q, &point) < 0)
        return -EINVAL;
    skip_eol(q);
    *ret = point;
    return 1;
}
