/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/utf8.h"
#include "gateway/conf/yaml_record.h"

enum { ANCHORS_MAX = 256 }; /* each alias looks through all of them */

/* State of one parse. */
struct reader {
    struct yaml *y;
    struct diag *d;
    size_t open[YAML_DEPTH_MAX];  /* collections not yet closed */
    size_t items[YAML_DEPTH_MAX]; /* values so far in each: an even one of a mapping is a key */
    size_t anchors[ANCHORS_MAX];
    size_t depth, anchors_n, documents;
};

/* What the library says, and what a person should read. */
static const struct {
    const char *from, *to;
} sentences[] = {
    { "tab character may not be used as indentation",
      "a tab stands in the indentation, only blanks may indent" },
    { "invalid tab as indendation in a mapping",
      "a tab stands in the indentation, only blanks may indent" },
    { "invalid tab used as indentation",
      "a tab stands in the indentation, only blanks may indent" },
    { "did not find expected '-' indicator", "the indentation fits no line above" },
    { "wrongly indented double-quoted scalar",
      "a double quote is not closed on its line, and the next line is not indented further" },
    { "wrongly indented single-quoted scalar",
      "a single quote is not closed on its line, and the next line is not indented further" },
    { "single-quoted scalar without closing quote", "a single quote is never closed" },
    { "double-quoted scalar without closing quote", "a double quote is never closed" },
    { "flow sequence without a closing bracket", "'[' is never closed" },
    { "flow mapping without a closing brace", "'{' is never closed" },
    { "flow sequence with invalid extra closing bracket", "']' closes nothing" },
    { "flow mapping with invalid extra closing brace", "'}' closes nothing" },
    { "invalid multiline plain key",
      "expected the end of the value, the next line is indented further and looks like a key" },
    { "invalid nested block mapping on the same line",
      "a second ': ' on one line, quote the value if the colon belongs to it" },
    { "invalid indentation in mapping", "the indentation fits no line above" },
    { "could not find expected ':'", "expected ':' after the key" },
    { "missing document start", "more stands behind the end of the value, a file holds one" },
    { "invalid scalar at the end of block sequence", "expected '- ' as in the items above" },
    { "invalid value after mapping", "expected a key and ':' as in the lines above" },
    { "undefined tag prefix", "tags such as !name have no meaning here" },
};

struct field_mark yaml_mark_at(const struct yaml *y, int line, int column)
{
    return (struct field_mark){ .file = y->name, .line = line, .column = column };
}

/* Line and column of byte `pos`. */
static struct field_mark mark_of_byte(const struct yaml *y, const char *text, size_t pos)
{
    int line = 1, column = 1;
    int32_t c;

    for (size_t i = 0; i < pos;) {
        i += utf8_next(text + i, pos - i, &c);
        line += c == '\n';
        column = c == '\n' ? 1 : column + 1;
    }
    return yaml_mark_at(y, line, column);
}

static bool is_control(int32_t c)
{
    if (c < 0x20)
        return c != '\t' && c != '\n' && c != '\r';
    return c == 0x7f || (c >= 0x80 && c < 0xa0 && c != 0x85);
}

/* UTF-8 without controls; false and an error otherwise. */
static bool text_is_clean(const struct yaml *y, const char *text, size_t size, struct diag *d)
{
    int32_t c;

    for (size_t i = 0, step; i < size; i += step) {
        step = utf8_next(text + i, size - i, &c);
        if (c < 0) {
            diag_error(d, mark_of_byte(y, text, i), 1, E_SYNTAX,
                       "the file is not UTF-8 text, found byte 0x%02x",
                       (unsigned)(unsigned char)text[i]);
            return false;
        }
        if (is_control(c)) {
            diag_error(d, mark_of_byte(y, text, i), 1, E_SYNTAX,
                       "a control character (code 0x%02x) stands in the file", (unsigned)c);
            return false;
        }
    }
    return true;
}

static struct record *record_add(struct reader *r)
{
    struct yaml *y = r->y;

    if (y->n == y->cap) {
        size_t cap = y->cap ? 2 * y->cap : 256;
        struct record *more = realloc(y->records, cap * sizeof *more);
        if (!more)
            return NULL;
        y->records = more;
        y->cap = cap;
    }
    struct record *rec = &y->records[y->n++];
    *rec = (struct record){ .parent = r->depth ? r->open[r->depth - 1] : NO_RECORD };
    return rec;
}

static const char *token_copy(struct reader *r, struct fy_token *token)
{
    size_t size = 0;
    const char *text = token ? fy_token_get_text(token, &size) : NULL;

    return arena_text(&r->y->arena, text ? text : "", size);
}

/* Start and width of a token; an implicit one (an empty value) stands where its key stands. */
static void place(struct reader *r, struct record *rec, struct fy_event *e)
{
    struct fy_token *token = fy_event_get_token(e);
    const struct fy_mark *from = token ? fy_token_start_mark(token) : NULL;
    const struct fy_mark *to = token ? fy_token_end_mark(token) : NULL;

    if (e->type == FYET_ALIAS && from) { /* the token begins behind the asterisk */
        rec->line = from->line + 1;
        rec->column = from->column;
        rec->width = to->column - from->column + 1;
    } else if (from && from->line >= 0) {
        rec->line = from->line + 1;
        rec->column = from->column + 1;
        rec->width = to && to->line == from->line ? to->column - from->column : 1;
    } else if (r->y->n > 1) {
        const struct record *last = &r->y->records[r->y->n - 2];
        rec->line = last->line;
        rec->column = last->column;
        rec->width = last->width;
    }
    if (rec->width < 1)
        rec->width = 1;
}

static int fail(struct reader *r, const struct record *rec, enum diag_code code,
                const char *text)
{
    diag_error(r->d, yaml_mark_at(r->y, rec->line, rec->column), rec->width, code, "%s", text);
    return -EINVAL;
}

static int add_anchor(struct reader *r, struct record *rec, struct fy_token *token)
{
    if (r->anchors_n == ANCHORS_MAX)
        return fail(r, rec, E_FILE, "more than 256 anchors in one file");
    rec->anchor = token_copy(r, token);
    if (!rec->anchor)
        return -ENOMEM;
    r->anchors[r->anchors_n++] = (size_t)(rec - r->y->records);
    return 0;
}

/* The latest anchor of that name counts (YAML 1.2, 3.2.2.2). */
static size_t anchor_find(const struct reader *r, const char *name)
{
    for (size_t i = r->anchors_n; i-- > 0;) {
        if (strcmp(r->y->records[r->anchors[i]].anchor, name) == 0)
            return r->anchors[i];
    }
    return NO_RECORD;
}

static int read_alias(struct reader *r, struct record *rec, struct fy_event *e)
{
    char shown[DIAG_SHOWN_BYTES];

    rec->type = RECORD_ALIAS;
    rec->text = token_copy(r, fy_event_get_token(e));
    if (!rec->text)
        return -ENOMEM;
    rec->target = anchor_find(r, rec->text);
    if (rec->target == NO_RECORD) {
        utf8_shown(rec->text, DIAG_SHOWN_MAX, shown, sizeof shown);
        diag_error(r->d, yaml_mark_at(r->y, rec->line, rec->column), rec->width, E_SYNTAX,
                   "no anchor '&%s' stands above", shown);
        return -EINVAL;
    }
    if (r->y->records[rec->target].next == 0)
        return fail(r, rec, E_SYNTAX, "an alias stands inside what it repeats");
    return 0;
}

static int refuse_tag(struct reader *r, struct fy_token *tag)
{
    const struct fy_mark *m = fy_token_start_mark(tag);
    struct field_mark mark = yaml_mark_at(r->y, m ? m->line + 1 : 0, m ? m->column + 1 : 0);

    diag_error(r->d, mark, 1, E_SYNTAX, "tags such as !name have no meaning here");
    return -EINVAL;
}

static void close_value(struct reader *r, size_t i)
{
    r->y->records[i].next = r->y->n;
    if (r->depth)
        r->items[r->depth - 1]++;
}

/* A text after its escapes: "\\0", "\\e" and half surrogates are as unwelcome as the bytes. */
static int check_scalar(struct reader *r, const struct record *rec, size_t size)
{
    int32_t c;

    for (size_t i = 0; i < size; i += utf8_next(rec->text + i, size - i, &c)) {
        utf8_next(rec->text + i, size - i, &c);
        if (c < 0 || is_control(c))
            return fail(r, rec, E_SYNTAX, "a control character stands in the text");
    }
    return 0;
}

static int read_scalar(struct reader *r, struct record *rec, struct fy_token *token)
{
    rec->is_plain = fy_token_scalar_style(token) == FYSS_PLAIN;
    rec->text = token_copy(r, token);
    return rec->text ? check_scalar(r, rec, fy_token_get_text_length(token)) : -ENOMEM;
}

static int read_value(struct reader *r, struct fy_event *e)
{
    size_t i = r->y->n;
    struct record *rec = record_add(r);
    struct fy_token *anchor = fy_event_get_anchor_token(e);
    bool is_open = e->type == FYET_MAPPING_START || e->type == FYET_SEQUENCE_START;
    int err = 0;

    if (!rec)
        return -ENOMEM;
    place(r, rec, e);
    rec->type = e->type == FYET_MAPPING_START    ? RECORD_MAPPING
                : e->type == FYET_SEQUENCE_START ? RECORD_SEQUENCE
                                                 : RECORD_SCALAR;
    rec->is_key = r->depth && r->y->records[rec->parent].type == RECORD_MAPPING &&
                  r->items[r->depth - 1] % 2 == 0;
    if (fy_event_get_tag_token(e))
        return refuse_tag(r, fy_event_get_tag_token(e));
    if (rec->is_key && e->type != FYET_SCALAR)
        return fail(r, rec, E_SYNTAX, "a key must be a single word");
    if (e->type == FYET_ALIAS) {
        err = read_alias(r, rec, e);
    } else if (anchor) {
        err = add_anchor(r, rec, anchor);
    }
    if (!err && e->type == FYET_SCALAR)
        err = read_scalar(r, rec, e->scalar.value);
    if (err)
        return err;
    if (!is_open) {
        close_value(r, i);
        return 0;
    }
    rec->is_flow = fy_token_get_text_length(fy_event_get_token(e)) > 0;
    if (r->depth == YAML_DEPTH_MAX)
        return fail(r, rec, E_FILE, "more than 64 levels of lists and mappings");
    r->open[r->depth] = i;
    r->items[r->depth++] = 0;
    return 0;
}

static int read_end(struct reader *r)
{
    struct record *rec = record_add(r);

    if (!rec)
        return -ENOMEM;
    r->depth--;
    *rec = r->y->records[r->open[r->depth]];
    rec->type = RECORD_END;
    rec->is_key = false;
    close_value(r, r->open[r->depth]);
    return 0;
}

static int read_event(struct reader *r, struct fy_event *e)
{
    switch (e->type) {
    case FYET_DOCUMENT_START:
        if (r->documents++ == 0)
            return 0;
        struct fy_token *token = fy_event_get_token(e);
        const struct fy_mark *m = token ? fy_token_start_mark(token) : NULL;
        diag_error(r->d, yaml_mark_at(r->y, m ? m->line + 1 : 0, m ? m->column + 1 : 0), 3,
                   E_SYNTAX, "a second document starts here, a file holds one");
        return -EINVAL;
    case FYET_MAPPING_START:
    case FYET_SEQUENCE_START:
    case FYET_SCALAR:
    case FYET_ALIAS:
        if (r->y->n < 2 * YAML_NODES_MAX)
            return read_value(r, e);
        diag_error(r->d, yaml_mark_at(r->y, 0, 0), 0, E_FILE, "more than %d values in one file",
                   YAML_NODES_MAX);
        return -EINVAL;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return read_end(r);
    default:
        return 0;
    }
}

/* '[' or '{' that is still open, for messages about the end of the file. */
static const struct record *innermost_flow(const struct reader *r)
{
    for (size_t i = r->depth; i-- > 0;) {
        if (r->y->records[r->open[i]].is_flow)
            return &r->y->records[r->open[i]];
    }
    return NULL;
}

static const char *sentence_of(const char *text)
{
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++) {
        if (strcmp(text, sentences[i].from) == 0)
            return sentences[i].to;
    }
    return text;
}

/* The parser's first error: what it says after that follows from it. */
static void report_syntax(struct reader *r, struct fy_diag *fy)
{
    void *prev = NULL;
    struct fy_diag_error *e = fy_diag_errors_iterate(fy, &prev);
    const struct record *flow = innermost_flow(r);
    struct field_mark mark = yaml_mark_at(r->y, 0, 0);

    if (!e) {
        diag_error(r->d, mark, 0, E_SYNTAX, "the file is not well-formed YAML");
        return;
    }
    if (flow && strstr(e->msg, "missing comma in flow")) {
        diag_error(r->d, yaml_mark_at(r->y, e->line, e->column), 1, E_SYNTAX,
                   "expected ',' or '%c' for the '%c' in line %d column %d",
                   flow->type == RECORD_MAPPING ? '}' : ']',
                   flow->type == RECORD_MAPPING ? '{' : '[', flow->line, flow->column);
        return;
    }
    if (flow && strstr(e->msg, "without a closing"))
        mark = yaml_mark_at(r->y, flow->line, flow->column);
    else if (e->line > 0)
        mark = yaml_mark_at(r->y, e->line, e->column);
    diag_error(r->d, mark, 1, E_SYNTAX, "%s", sentence_of(e->msg));
}

static int read_events(struct reader *r, struct fy_parser *parser)
{
    struct fy_event *e;
    int err = 0;

    while (!err && (e = fy_parser_parse(parser))) {
        err = read_event(r, e);
        fy_parser_event_free(parser, e);
    }
    return err;
}

static int read_text(struct reader *r, const char *text, size_t size)
{
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    struct fy_diag *fy = fy_diag_create(&diag_cfg);
    if (!fy)
        return -ENOMEM;
    fy_diag_set_collect_errors(fy, true);

    struct fy_parse_cfg cfg = {
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2, .diag = fy
    };
    struct fy_parser *parser = fy_parser_create(&cfg);
    int err = parser ? fy_parser_set_string(parser, text, size) : -1;
    if (err) {
        err = -ENOMEM;
    } else {
        err = read_events(r, parser);
        if (!err && (fy_parser_get_stream_error(parser) || fy_diag_got_error(fy))) {
            report_syntax(r, fy);
            err = -EINVAL;
        }
    }
    fy_parser_destroy(parser);
    fy_diag_destroy(fy);
    return err;
}

int yaml_read_records(struct yaml *y, const char *text, size_t size, struct diag *d)
{
    struct reader r = { .y = y, .d = d };

    return text_is_clean(y, text, size, d) ? read_text(&r, text, size) : -EINVAL;
}
