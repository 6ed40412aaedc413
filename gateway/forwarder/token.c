/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forwarder/token.h"

#include <errno.h>
#include <string.h>

enum expected {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* after '[' */
    EXPECT_KEY_OR_END,   /* after '{' */
    EXPECT_KEY,          /* after ',' in an object */
    EXPECT_MORE_OR_END,  /* after a value inside something */
    EXPECT_NOTHING,      /* after the outermost value */
    EXPECT_BAD,
};

enum { EXPONENT_MAX = 9999 };

void tokens_init(struct tokens *t, const char *text, size_t n)
{
    *t = (struct tokens){ .at = text, .end = text + n, .expected = EXPECT_VALUE };
}

static struct token bad(struct tokens *t)
{
    t->expected = EXPECT_BAD;
    return (struct token){ .type = TOKEN_BAD };
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_space(struct tokens *t)
{
    while (t->at < t->end &&
           (*t->at == ' ' || *t->at == '\t' || *t->at == '\n' || *t->at == '\r'))
        t->at++;
}

static bool is_in_array(const struct tokens *t)
{
    return t->arrays >> t->depth & 1;
}

static void value_ended(struct tokens *t)
{
    t->expected = t->depth > 0 ? EXPECT_MORE_OR_END : EXPECT_NOTHING;
}

static struct token begin(struct tokens *t, bool is_array)
{
    if (t->depth == TOKEN_DEPTH_MAX)
        return bad(t);
    t->at++;
    t->depth++;
    t->arrays = (t->arrays & ~(1U << t->depth)) | (uint32_t)is_array << t->depth;
    t->expected = is_array ? EXPECT_VALUE_OR_END : EXPECT_KEY_OR_END;
    return (struct token){ .type = is_array ? TOKEN_ARRAY : TOKEN_OBJECT };
}

static struct token end(struct tokens *t)
{
    const bool is_array = is_in_array(t);

    t->at++;
    t->depth--;
    value_ended(t);
    return (struct token){ .type = is_array ? TOKEN_ARRAY_END : TOKEN_OBJECT_END };
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Length of the escape at `p`, which is a backslash; 0: there is no such. */
static size_t escape_size(const char *p, const char *end)
{
    if (end - p < 2 || !p[1])
        return 0;
    if (p[1] != 'u')
        return strchr("\"\\/bfnrt", p[1]) ? 2 : 0;
    if (end - p < 6)
        return 0;
    for (int i = 2; i < 6; i++) {
        if (hex_value(p[i]) < 0)
            return 0;
    }
    return 6;
}

static struct token quoted(struct tokens *t, enum token_type type)
{
    struct token k = { .type = type, .text = t->at + 1 };
    const char *p = k.text;

    while (p < t->end && *p != '"') {
        const size_t step = *p == '\\' ? escape_size(p, t->end) : (uint8_t)*p >= 0x20;
        if (step == 0)
            return bad(t);
        k.has_escapes |= step > 1;
        p += step;
    }
    if (p == t->end)
        return bad(t);
    k.n = (size_t)(p - k.text);
    t->at = p + 1;
    return k;
}

static struct token key(struct tokens *t)
{
    struct token k = quoted(t, TOKEN_KEY);

    if (k.type == TOKEN_BAD)
        return k;
    skip_space(t);
    if (t->at == t->end || *t->at != ':')
        return bad(t);
    t->at++;
    t->expected = EXPECT_VALUE;
    return k;
}

/* At least one digit; where they end, NULL: none. */
static const char *digits(const char *p, const char *end)
{
    const char *from = p;

    while (p < end && is_digit(*p))
        p++;
    return p > from ? p : NULL;
}

static const char *number_end(const char *p, const char *end)
{
    if (p < end && *p == '-')
        p++;
    p = p < end && *p == '0' ? p + 1 : digits(p, end);
    if (p && p < end && *p == '.')
        p = digits(p + 1, end);
    if (p && p < end && (*p | 0x20) == 'e') {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        p = digits(p, end);
    }
    return p;
}

static struct token number(struct tokens *t)
{
    const char *p = number_end(t->at, t->end);
    struct token k = { .type = TOKEN_NUMBER, .text = t->at };

    if (!p)
        return bad(t);
    k.n = (size_t)(p - t->at);
    t->at = p;
    return k;
}

static struct token word(struct tokens *t)
{
    static const struct {
        const char *text;
        enum token_type type;
    } words[] = { { "true", TOKEN_TRUE }, { "false", TOKEN_FALSE }, { "null", TOKEN_NULL } };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const size_t n = strlen(words[i].text);
        if ((size_t)(t->end - t->at) < n || memcmp(t->at, words[i].text, n) != 0)
            continue;
        t->at += n;
        return (struct token){ .type = words[i].type };
    }
    return bad(t);
}

static struct token value(struct tokens *t)
{
    struct token k;

    if (*t->at == '{' || *t->at == '[')
        return begin(t, *t->at == '[');
    if (*t->at == '"')
        k = quoted(t, TOKEN_STRING);
    else if (*t->at == '-' || is_digit(*t->at))
        k = number(t);
    else
        k = word(t);
    if (k.type != TOKEN_BAD)
        value_ended(t);
    return k;
}

static struct token more_or_end(struct tokens *t)
{
    const bool is_array = is_in_array(t);

    if (*t->at == (is_array ? ']' : '}'))
        return end(t);
    if (*t->at != ',')
        return bad(t);
    t->at++;
    skip_space(t);
    if (t->at == t->end || (!is_array && *t->at != '"'))
        return bad(t);
    return is_array ? value(t) : key(t);
}

struct token tokens_next(struct tokens *t)
{
    skip_space(t);
    if (t->expected == EXPECT_NOTHING && t->at == t->end)
        return (struct token){ .type = TOKEN_DONE };
    if (t->at == t->end)
        return bad(t);
    switch ((enum expected)t->expected) {
    case EXPECT_VALUE:
        return value(t);
    case EXPECT_VALUE_OR_END:
        return *t->at == ']' ? end(t) : value(t);
    case EXPECT_KEY_OR_END:
        if (*t->at == '}')
            return end(t);
        return *t->at == '"' ? key(t) : bad(t);
    case EXPECT_MORE_OR_END:
        return more_or_end(t);
    default:
        return bad(t);
    }
}

bool tokens_skip(struct tokens *t, struct token first)
{
    if (first.type == TOKEN_BAD)
        return false;
    if (first.type != TOKEN_OBJECT && first.type != TOKEN_ARRAY)
        return true;
    for (const uint8_t outside = (uint8_t)(t->depth - 1); t->depth > outside;) {
        if (tokens_next(t).type == TOKEN_BAD)
            return false;
    }
    return true;
}

static struct token *place_of(const struct token *k, const char *const *names, size_t n,
                              struct token *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (token_is_text(k, names[i]))
            return &ret[i];
    }
    return NULL;
}

bool tokens_object(struct tokens *t, const char *const *names, size_t n, struct token *ret)
{
    struct token k;

    for (size_t i = 0; i < n; i++)
        ret[i] = (struct token){ .type = TOKEN_NONE };
    while ((k = tokens_next(t)).type == TOKEN_KEY) {
        struct token *place = place_of(&k, names, n, ret);
        const struct token v = tokens_next(t);
        if (!tokens_skip(t, v))
            return false;
        if (place)
            *place = v;
    }
    return k.type == TOKEN_OBJECT_END;
}

static char unescape(const char *p)
{
    static const char names[] = "\"\\/bfnrt", plain[] = "\"\\/\b\f\n\r\t";
    int code = 0;

    if (p[1] != 'u')
        return plain[strchr(names, p[1]) - names];
    for (int i = 2; i < 6; i++)
        code = code << 4 | hex_value(p[i]);
    return code > 0 && code < 0x80 ? (char)code : '?';
}

int token_text(const struct token *k, char *out, size_t size)
{
    size_t made = 0;

    if (k->type != TOKEN_STRING && k->type != TOKEN_KEY)
        return -EINVAL;
    for (size_t i = 0; i < k->n; made++) {
        if (made + 1 >= size)
            return -EMSGSIZE;
        const bool is_escape = k->text[i] == '\\';
        out[made] = is_escape ? unescape(k->text + i) : k->text[i];
        i += is_escape ? escape_size(k->text + i, k->text + k->n) : 1;
    }
    out[made] = '\0';
    return (int)made;
}

bool token_is_text(const struct token *k, const char *text)
{
    char plain[32]; /* longer than any name of the protocol */

    if (!k->has_escapes)
        return k->n > 0 && k->text[0] == text[0] && strlen(text) == k->n &&
               memcmp(k->text, text, k->n) == 0;
    return token_text(k, plain, sizeof plain) >= 0 && strcmp(plain, text) == 0;
}

struct decimal { /* mantissa x 10^exponent */
    uint64_t mantissa;
    int exponent;
};

/* Digits beyond the eighteenth do not fit; whole ones are counted, broken ones dropped. */
static const char *take_digits(const char *p, const char *end, struct decimal *d, bool is_whole)
{
    for (; p < end && is_digit(*p); p++) {
        const bool fits = d->mantissa < UINT64_C(100000000000000000);
        if (fits)
            d->mantissa = d->mantissa * 10 + (uint64_t)(*p - '0');
        if (fits != is_whole && d->exponent < EXPONENT_MAX && d->exponent > -EXPONENT_MAX)
            d->exponent += is_whole ? 1 : -1;
    }
    return p;
}

static int exponent_of(const char *p, const char *end)
{
    const bool is_negative = p < end && *p == '-';
    int e = 0;

    for (p += p < end && !is_digit(*p); p < end; p++)
        e = e < EXPONENT_MAX ? e * 10 + (*p - '0') : e;
    return is_negative ? -e : e;
}

static struct decimal decimal_of(const char *p, const char *end)
{
    struct decimal d = { 0 };

    p = take_digits(p, end, &d, true);
    if (p < end && *p == '.')
        p = take_digits(p + 1, end, &d, false);
    if (p < end)
        d.exponent += exponent_of(p + 1, end);
    return d;
}

int token_number(const struct token *k, unsigned scale, int64_t *ret)
{
    if (k->type != TOKEN_NUMBER)
        return -EINVAL;
    const bool is_negative = *k->text == '-';
    struct decimal d = decimal_of(k->text + is_negative, k->text + k->n);

    d.exponent += (int)scale;
    for (; d.mantissa > 0 && d.exponent > 0; d.exponent--) {
        if (d.mantissa > INT64_MAX / 10)
            return -ERANGE;
        d.mantissa *= 10;
    }
    for (; d.mantissa > 0 && d.exponent < -1; d.exponent++)
        d.mantissa /= 10;
    if (d.exponent == -1)
        d.mantissa = (d.mantissa + 5) / 10;
    *ret = is_negative ? -(int64_t)d.mantissa : (int64_t)d.mantissa;
    return 0;
}
