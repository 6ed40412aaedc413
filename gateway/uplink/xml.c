/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/xml.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

static void indent(struct buf *b, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        buf_puts(b, "  ");
}

void xml_begin(struct buf *b, unsigned depth, const char *name)
{
    indent(b, depth);
    buf_printf(b, "<%s>\n", name);
}

void xml_end(struct buf *b, unsigned depth, const char *name)
{
    indent(b, depth);
    buf_printf(b, "</%s>\n", name);
}

/* Bytes of the character at p when it is well-formed UTF-8 that XML may have; else 0. */
static size_t char_size(const unsigned char *p)
{
    if (p[0] < 0x20)
        return p[0] == '\t' || p[0] == '\n' || p[0] == '\r';
    if (p[0] < 0x80)
        return p[0] != 0x7f;
    const size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    uint32_t c = n == 4 ? p[0] & 7u : n == 3 ? p[0] & 15u : p[0] & 31u;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) /* also the NUL at the end */
            return 0;
        c = c << 6 | (p[i] & 63u);
    }
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const bool is_surrogate = c >= 0xd800 && c <= 0xdfff;
    return c < least[n] || c > 0x10ffff || is_surrogate || c == 0xfffe || c == 0xffff ? 0 : n;
}

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Puts one character; returns what is behind it. */
static const char *put_char(struct buf *b, const char *p)
{
    const size_t n = char_size((const unsigned char *)p);
    const char *entity = entity_of(*p);

    if (entity)
        buf_puts(b, entity);
    else if (n > 0)
        buf_put(b, p, n);
    if (n > 0)
        return p + n;
    buf_puts(b, REPLACEMENT);
    for (p++; continues(*p); p++)
        ;
    return p;
}

static void put_escaped(struct buf *b, const char *text)
{
    while (*text)
        text = put_char(b, text);
}

static void put_element(struct buf *b, const char *name, const char *text)
{
    buf_printf(b, "<%s>", name);
    put_escaped(b, text);
    buf_printf(b, "</%s>", name);
}

void xml_text(struct buf *b, unsigned depth, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    indent(b, depth);
    put_element(b, name, text);
    buf_puts(b, "\n");
}

void xml_pair(struct buf *b, unsigned depth, const char *name, const char *key,
              const char *text)
{
    if (!text || !*text)
        return;
    indent(b, depth);
    buf_printf(b, "<%s>", name);
    put_element(b, "valueName", key);
    put_element(b, "value", text);
    buf_printf(b, "</%s>\n", name);
}
