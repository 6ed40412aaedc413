/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/codec/lower_token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int peek(const struct token_reader *t, uint32_t ahead)
{
    uint32_t i = t->pos + ahead;

    return i < t->l->size ? (uint8_t)t->l->src[i] : -1;
}

static void fail_syntax(struct token_reader *t, uint32_t at, const char *why)
{
    if (!t->l->error)
        t->l->is_syntax = true;
    lower_fail(t->l, -EINVAL, at, why);
    t->now.type = TOKEN_END;
    t->pos = t->l->size;
}

void token_unexpected(struct token_reader *t)
{
    char why[100];
    int n = (int)(t->now.end - t->now.start);

    if (t->now.type == TOKEN_END) {
        fail_syntax(t, t->now.start, "The script ends too early.");
        return;
    }
    snprintf(why, sizeof why, "Syntax error: '%.*s' is not expected here.", n > 40 ? 40 : n,
             t->l->src + t->now.start);
    fail_syntax(t, t->now.start, why);
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Bytes of UTF-8 beyond ASCII count as letters; blanks among them were passed before. */
static bool is_name_part(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '$' ||
           c == '_' || c >= 0x80;
}

/* The length of a blank of more than one byte, 0 for none. U+2028 and U+2029 end lines. */
static uint32_t wide_blank(const struct token_reader *t, bool *ends_line)
{
    int a = peek(t, 0), b = peek(t, 1), c = peek(t, 2);

    if (a == 0xc2 && b == 0xa0)
        return 2;
    if (a == 0xe2 && b == 0x80 && (c == 0xa8 || c == 0xa9)) {
        *ends_line = true;
        return 3;
    }
    if ((a == 0xef && b == 0xbb && c == 0xbf) || (a == 0xe1 && b == 0x9a && c == 0x80) ||
        (a == 0xe2 && b == 0x80 && ((c >= 0x80 && c <= 0x8a) || c == 0xaf)) ||
        (a == 0xe2 && b == 0x81 && c == 0x9f) || (a == 0xe3 && b == 0x80 && c == 0x80))
        return 3;
    return 0;
}

static void skip_line(struct token_reader *t)
{
    bool ends_line = false;

    while (peek(t, 0) >= 0 && peek(t, 0) != '\n' && peek(t, 0) != '\r') {
        wide_blank(t, &ends_line);
        if (ends_line)
            return;
        t->pos++;
    }
}

static void skip_comment(struct token_reader *t)
{
    uint32_t start = t->pos;

    for (t->pos += 2; peek(t, 0) >= 0; t->pos++) {
        if (peek(t, 0) == '*' && peek(t, 1) == '/') {
            t->pos += 2;
            return;
        }
        if (peek(t, 0) == '\n' || peek(t, 0) == '\r')
            t->now.is_after_newline = true;
    }
    fail_syntax(t, start, "A comment is not closed.");
}

/* <!-- anywhere and --> at the beginning of a line open comments too (annex B). */
static bool is_html_comment(const struct token_reader *t)
{
    const char *p = t->l->src + t->pos;
    uint32_t left = t->l->size - t->pos;

    return (left >= 4 && memcmp(p, "<!--", 4) == 0) ||
           (left >= 3 && memcmp(p, "-->", 3) == 0 &&
            (t->now.is_after_newline || t->end_before == 0));
}

static void skip_blanks(struct token_reader *t)
{
    for (;;) {
        int c = peek(t, 0);
        bool ends_line = c == '\n' || c == '\r';
        uint32_t wide = c >= 0x80 ? wide_blank(t, &ends_line) : 0;

        if (ends_line)
            t->now.is_after_newline = true;
        if (wide)
            t->pos += wide;
        else if (ends_line || c == ' ' || c == '\t' || c == '\v' || c == '\f')
            t->pos++;
        else if (c == '/' && peek(t, 1) == '*')
            skip_comment(t);
        else if ((c == '/' && peek(t, 1) == '/') || is_html_comment(t) ||
                 (c == '#' && t->pos == 0 && peek(t, 1) == '!'))
            skip_line(t);
        else
            return;
    }
}

static void read_name(struct token_reader *t)
{
    t->now.type = TOKEN_NAME;
    for (;;) {
        bool ends_line = false;
        if (peek(t, 0) == '\\' && peek(t, 1) == 'u') {
            t->now.has_escape = true;
            t->pos += 2;
            if (peek(t, 0) == '{')
                while (peek(t, 0) >= 0 && peek(t, 0) != '}')
                    t->pos++;
            if (peek(t, 0) == '}')
                t->pos++;
        } else if (is_name_part(peek(t, 0)) && wide_blank(t, &ends_line) == 0) {
            t->pos++;
        } else {
            return;
        }
    }
}

static void skip_digits(struct token_reader *t)
{
    while (is_digit(peek(t, 0)) || peek(t, 0) == '_') {
        t->now.has_separator |= peek(t, 0) == '_';
        t->pos++;
    }
}

static void read_decimal(struct token_reader *t)
{
    skip_digits(t);
    if (peek(t, 0) == '.') {
        t->pos++;
        skip_digits(t);
    }
    if (peek(t, 0) != 'e' && peek(t, 0) != 'E')
        return;
    uint32_t sign = peek(t, 1) == '+' || peek(t, 1) == '-';
    if (is_digit(peek(t, 1 + sign))) {
        t->pos += 1 + sign;
        skip_digits(t);
    }
}

static void read_number(struct token_reader *t)
{
    int c = peek(t, 1) | 0x20;

    t->now.type = TOKEN_NUMBER;
    if (peek(t, 0) == '0' && peek(t, 1) >= 0 && (c == 'x' || c == 'b' || c == 'o')) {
        t->pos += 2;
        while (is_hex(peek(t, 0)) || peek(t, 0) == '_') {
            t->now.has_separator |= peek(t, 0) == '_';
            t->pos++;
        }
    } else {
        read_decimal(t);
    }
    if (peek(t, 0) == 'n')
        lower_refuse(t->l, t->now.start,
                     "BigInt is not supported: this script needs ES5 transpiling.");
    else if (is_name_part(peek(t, 0)))
        fail_syntax(t, t->pos, "Syntax error: a number runs into a name.");
}

/* Passes a backslash and what it escapes; CR LF counts as one. */
static void skip_escape(struct token_reader *t)
{
    t->pos++;
    if (peek(t, 0) == '\r' && peek(t, 1) == '\n')
        t->pos++;
    if (peek(t, 0) >= 0)
        t->pos++;
}

static void read_string(struct token_reader *t)
{
    int quote = peek(t, 0);

    t->now.type = TOKEN_STRING;
    for (t->pos++; peek(t, 0) != quote;) {
        int c = peek(t, 0);
        if (c < 0 || c == '\n' || c == '\r') {
            fail_syntax(t, t->now.start, "A string is not closed on its line.");
            return;
        }
        if (c == '\\')
            skip_escape(t);
        else
            t->pos++;
    }
    t->pos++;
}

static void read_punctuator(struct token_reader *t)
{
    static const char *const texts[] = {
        /* longer ones first */
        ">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>",  "&&=", "||=", "\?\?=",
        "=>",   "==",  "!=",  "<=",  ">=",  "&&",  "||",  "\?\?", "?.",  "++",  "--",
        "<<",   ">>",  "+=",  "-=",  "*=",  "/=",  "%=",  "&=",   "|=",  "^=",  "**",
    };
    uint32_t left = t->l->size - t->pos;

    t->now.type = TOKEN_PUNCTUATOR;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint32_t n = (uint32_t)strlen(texts[i]);
        if (n > left || memcmp(t->l->src + t->pos, texts[i], n) != 0)
            continue;
        if (strcmp(texts[i], "?.") == 0 && is_digit(peek(t, 2)))
            continue; /* a ?.5 : b */
        t->pos += n;
        return;
    }
    if (!strchr("{}()[];,<>+-*/%&|^!~?:=.", peek(t, 0))) {
        t->now.end = t->pos + 1;
        token_unexpected(t);
        return;
    }
    t->pos++;
}

void token_next(struct token_reader *t)
{
    t->end_before = t->now.end;
    t->now = (struct token){ .start = t->l->size, .end = t->l->size };
    if (t->l->error)
        return;
    skip_blanks(t);
    if (t->l->error)
        return;
    int c = peek(t, 0);
    t->now.start = t->pos;
    if (c < 0)
        t->now.type = TOKEN_END;
    else if (is_digit(c) || (c == '.' && is_digit(peek(t, 1))))
        read_number(t);
    else if (is_name_part(c) || c == '\\')
        read_name(t);
    else if (c == '"' || c == '\'')
        read_string(t);
    else if (c == '`')
        t->now.type = TOKEN_TEMPLATE, t->pos++;
    else
        read_punctuator(t);
    if (t->pos == t->now.start && t->now.type != TOKEN_END)
        token_unexpected(t); /* a lone backslash */
    t->now.end = t->l->error ? t->l->size : t->pos;
}

/* What the engine's expressions lack would be an error of its own without a reason. */
static void check_regexp(struct token_reader *t, uint32_t body_end)
{
    const char *src = t->l->src;

    for (uint32_t i = body_end; i < t->now.end; i++)
        if (!strchr("gim", src[i]))
            lower_refuse(t->l, t->now.start,
                         "The regular expression flag '%c' is not supported.", src[i]);
    for (uint32_t i = t->now.start + 1; i + 2 < body_end; i++) {
        if (src[i] == '\\')
            i++;
        else if (memcmp(src + i, "(?<", 3) == 0)
            lower_refuse(t->l, i,
                         "Named groups and lookbehind in regular expressions are not "
                         "supported.");
    }
}

void token_as_regexp(struct token_reader *t)
{
    bool is_class = false;

    t->pos = t->now.start + 1;
    for (;;) {
        int c = peek(t, 0);
        if (c < 0 || c == '\n' || c == '\r') {
            fail_syntax(t, t->now.start, "A regular expression is not closed on its line.");
            return;
        }
        if (c == '/' && !is_class)
            break;
        if (c == '[' || c == ']')
            is_class = c == '[';
        if (c == '\\')
            skip_escape(t);
        else
            t->pos++;
    }
    uint32_t body_end = ++t->pos;
    while (is_name_part(peek(t, 0)))
        t->pos++;
    t->now.type = TOKEN_STRING;
    t->now.end = t->pos;
    check_regexp(t, body_end);
}

uint32_t token_template_chunk(struct token_reader *t, uint32_t pos, bool *is_last)
{
    *is_last = true;
    for (t->pos = pos; peek(t, 0) >= 0 && !t->l->error;) {
        if (peek(t, 0) == '\\') {
            skip_escape(t);
        } else if (peek(t, 0) == '`') {
            return t->pos++;
        } else if (peek(t, 0) == '$' && peek(t, 1) == '{') {
            *is_last = false;
            t->pos += 2;
            return t->pos - 2;
        } else {
            t->pos++;
        }
    }
    fail_syntax(t, pos, "A template is not closed.");
    return pos;
}

static bool is_text(const struct token_reader *t, const char *text)
{
    size_t n = t->now.end - t->now.start;

    return strlen(text) == n && memcmp(t->l->src + t->now.start, text, n) == 0;
}

bool token_is(const struct token_reader *t, const char *text)
{
    return t->now.type == TOKEN_PUNCTUATOR && is_text(t, text);
}

bool token_is_word(const struct token_reader *t, const char *word)
{
    return t->now.type == TOKEN_NAME && !t->now.has_escape && is_text(t, word);
}

static uint32_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3f));
    out[2] = (char)(0x80 | (c & 0x3f));
    return 3;
}

static uint32_t hex_value(char c)
{
    return is_digit(c) ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);
}

/* \u0061 or \u{61} at `i`; returns what follows. */
static uint32_t read_escape(const char *src, uint32_t i, uint32_t end, uint32_t *ret)
{
    uint32_t c = 0, n = 0;
    bool is_braced = i + 2 < end && src[i + 2] == '{';

    for (i += is_braced ? 3 : 2; i < end && is_hex(src[i]) && (is_braced || n < 4); i++, n++)
        c = (c << 4 | hex_value(src[i])) & 0x1fffff;
    *ret = c & 0xffff;
    return i + (is_braced && i < end);
}

uint32_t token_name(struct token_reader *t)
{
    const char *src = t->l->src;

    if (!t->now.has_escape)
        return lower_name(t->l, src + t->now.start, t->now.end - t->now.start);
    char *text = lower_alloc(t->l, t->now.end - t->now.start);
    uint32_t n = 0;
    if (!text)
        return LOWER_NO_NAME;
    for (uint32_t i = t->now.start; i < t->now.end;) {
        uint32_t c;
        if (src[i] != '\\') {
            text[n++] = src[i++];
            continue;
        }
        i = read_escape(src, i, t->now.end, &c);
        n += put_utf8(text + n, c);
    }
    return lower_name(t->l, text, n);
}
