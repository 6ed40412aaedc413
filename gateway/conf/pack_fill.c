/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a pack with its options put in. Lines keep their numbers: messages fit the file.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/conf/packs.h"
#include "gateway/conf/value.h"
#include "gateway/conf/yaml.h"

enum {
    VALUE_MAX = 512, /* bytes of what a name stands for: conditions are bounded, too */
    NAME_MAX_ = 64,
    DEPTH_MAX = 4 /* values made of names */
};

struct fill {
    const struct pack_source *source;
    struct fy_node *root;
};

enum found { HAS_VALUE, IS_MISSING, MAY_BE_MISSING };

static enum found put_text(const struct fill *f, const char *text, size_t size, int depth,
                           struct buf *out);

/* ---- what a name stands for ---- */

static const char *option_text(const struct fill *f, const char *name, char *buf)
{
    for (const struct field *o = f->source->kind->fields; o->name; o++)
        if (strcmp(o->name, name) == 0)
            return pack_option_text(o, f->source->options, buf);
    return NULL;
}

/* by: {zone: {"2": {day: 60}}}; an option that is not given is called none */
static const char *text_by_option(const struct fill *f, const char *name)
{
    char buf[VALUE_TEXT_MAX];

    for (const struct field *o = f->source->kind->fields; o->name; o++) {
        const char *word = pack_option_text(o, f->source->options, buf);
        struct fy_node *words = yaml_find(yaml_find(f->root, "by"), o->name);
        struct fy_node *value = yaml_find(yaml_find(words, word ? word : "none"), name);
        if (value)
            return yaml_text(value);
    }
    return NULL;
}

static bool put_condition(const struct fill *f, const char *name, int depth, struct buf *out)
{
    struct fy_node *texts = yaml_find(yaml_find(f->root, "conditions"), name), *text;
    const size_t begin = out->size;
    void *prev = NULL;

    while (texts && (text = fy_node_sequence_iterate(texts, &prev))) {
        const size_t before = out->size;
        const char *s = yaml_text(text);
        if (before > begin)
            buf_puts(out, " or ");
        if (!s || put_text(f, s, strlen(s), depth, out) != HAS_VALUE)
            out->size = before;
    }
    return out->size > begin;
}

/* Of the station's night, as a condition. */
static bool put_hours(const struct fill *f, const char *name, struct buf *out)
{
    const struct levels_night n = f->source->night;
    const bool is_night = strcmp(name, "night_hours") == 0;

    if (!is_night && strcmp(name, "day_hours") != 0)
        return false;
    const int from = is_night ? n.begin : n.end, to = is_night ? n.end : n.begin;
    buf_printf(out, "hour >= %d %s hour < %d", from, from < to ? "and" : "or", to);
    return true;
}

/* Of two quantities that say the same the better one is judged. */
static bool put_without(const struct fill *f, const char *name, struct buf *out)
{
    static const char prefix[] = "without_";
    const size_t n = sizeof prefix - 1;

    if (strncmp(name, prefix, n) != 0 ||
        (f->source->measures && f->source->measures(f->source->user, name + n)))
        return false;
    buf_puts(out, "true");
    return true;
}

static bool put_value(const struct fill *f, const char *name, int depth, struct buf *out)
{
    char buf[VALUE_TEXT_MAX];
    const char *text = option_text(f, name, buf);

    if (depth == DEPTH_MAX)
        return false;
    if (!text)
        text = text_by_option(f, name);
    if (text)
        return put_text(f, text, strlen(text), depth + 1, out) == HAS_VALUE;
    return put_condition(f, name, depth + 1, out) || put_hours(f, name, out) ||
           put_without(f, name, out);
}

/* ---- texts ---- */

static size_t name_length(const char *s, size_t size)
{
    size_t n = 0;

    while (n < size &&
           (islower((unsigned char)s[n]) || isdigit((unsigned char)s[n]) || s[n] == '_'))
        n++;
    return n < NAME_MAX_ ? n : 0;
}

/* The number of "$name" at s, whose length goes to *ret_n. */
static bool number_at(const struct fill *f, const char *s, size_t size, int depth,
                      size_t *ret_n, double *ret)
{
    struct buf value = BUF_INIT(VALUE_MAX);
    char name[NAME_MAX_];

    *ret_n = 1 + name_length(s + 1, size - 1);
    snprintf(name, sizeof name, "%.*s", (int)*ret_n - 1, s + 1);
    const bool is_number = put_value(f, name, depth, &value) && buf_text(&value) &&
                           value_parse_double(buf_text(&value), ret) == 0;
    buf_done(&value);
    return is_number;
}

/* "$a+$b", "$a*$b" at s; 0: it is none. */
static size_t put_sum(const struct fill *f, const char *s, size_t size, int depth,
                      struct buf *out)
{
    char text[VALUE_TEXT_MAX];
    double a, b;
    size_t n, m;

    n = 1 + name_length(s + 1, size - 1);
    if (n + 2 >= size || (s[n] != '+' && s[n] != '*') || s[n + 1] != '$' ||
        !number_at(f, s, size, depth, &n, &a) ||
        !number_at(f, s + n + 1, size - n - 1, depth, &m, &b))
        return 0;
    value_double_text(s[n] == '+' ? a + b : a * b, text);
    buf_puts(out, text);
    return n + 1 + m;
}

/* One name at s behind its '$'. */
static enum found put_name(const struct fill *f, const char *s, size_t size, int depth,
                           struct buf *out, size_t *ret_n)
{
    const bool is_optional = size > 0 && s[0] == '?';
    char name[NAME_MAX_];

    s += is_optional;
    const size_t n = name_length(s, size - is_optional);
    snprintf(name, sizeof name, "%.*s", (int)n, s);
    *ret_n = n + is_optional;
    if (n > 0 && put_value(f, name, depth, out))
        return HAS_VALUE;
    return is_optional ? MAY_BE_MISSING : IS_MISSING;
}

static enum found put_text(const struct fill *f, const char *text, size_t size, int depth,
                           struct buf *out)
{
    for (size_t i = 0, n; i < size; i += n) {
        n = 1;
        if (text[i] != '$') {
            buf_put(out, &text[i], 1);
            continue;
        }
        n = put_sum(f, text + i, size - i, depth, out);
        if (n > 0)
            continue;
        const enum found found = put_name(f, text + i + 1, size - i - 1, depth, out, &n);
        if (found != HAS_VALUE)
            return found;
        n++;
    }
    return HAS_VALUE;
}

/* ---- lines ---- */

struct block {    /* an item of rules or watch */
    size_t begin; /* in the result */
    size_t lines;
    bool is_wanted;
};

static void end_block(struct block *b, struct buf *out)
{
    if (!b->is_wanted) {
        out->size = b->begin;
        for (size_t i = 0; i < b->lines; i++)
            buf_puts(out, "\n");
    }
    *b = (struct block){ .begin = out->size, .is_wanted = true };
}

static bool starts(const char *line, size_t size, const char *word)
{
    return size >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

static void put_line(const struct fill *f, const char *line, size_t size, struct block *b,
                     struct buf *out)
{
    const size_t before = out->size;
    const enum found found = put_text(f, line, size, 0, out);

    if (found != HAS_VALUE)
        out->size = before;
    if (found == IS_MISSING)
        b->is_wanted = false;
    buf_puts(out, "\n");
    b->lines++;
}

int pack_fill(const struct pack_source *source, struct fy_node *root, const char *text,
              struct buf *ret)
{
    const struct fill f = { source, root };
    struct block block = { .is_wanted = true };
    bool is_list = false;

    for (size_t n; *text; text += n + (text[n] != '\0')) {
        n = strcspn(text, "\n");
        const bool is_key = n > 0 && islower((unsigned char)text[0]);
        if (is_key || starts(text, n, "  - "))
            end_block(&block, ret);
        if (is_key)
            is_list = starts(text, n, "rules:") || starts(text, n, "watch:");
        if (is_list && text[strspn(text, " ")] != '#')
            put_line(&f, text, n, &block, ret);
        else
            put_line(&f, "", 0, &block, ret);
    }
    end_block(&block, ret);
    return ret->has_failed ? -ENOMEM : 0;
}
