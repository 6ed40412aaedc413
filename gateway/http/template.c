/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/template.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_SIZE = 64 }; /* longer than any name in web/ */

static const char *entity(unsigned char c)
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
    case '\'':
        return "&#39;";
    }
    return c < 0x20 && c != '\t' && c != '\n' ? "\xef\xbf\xbd" : NULL;
}

void html_escape(struct buf *b, const char *text)
{
    const char *run = text;
    const char *p = text;

    for (; *p; p++) {
        const char *e = entity((unsigned char)*p);
        if (!e)
            continue;
        buf_put(b, run, (size_t)(p - run));
        buf_puts(b, e);
        run = p + 1;
    }
    buf_put(b, run, (size_t)(p - run));
}

static const char *value_of(const struct template_value *values, const char *name)
{
    for (; values && values->name; values++)
        if (strcmp(values->name, name) == 0)
            return values->text;
    return NULL;
}

/* The place that starts at p with "{{"; returns the end of it, or NULL when it is none. */
static const char *put_place(struct buf *b, const char *p, const struct template_value *values,
                             const struct words *words, enum lang lang)
{
    bool is_raw = p[2] == '{';
    const char *closing = is_raw ? "}}}" : "}}";
    const char *name_at = p + (is_raw ? 3 : 2);
    const char *end = strstr(name_at, closing);
    char name[NAME_MAX_SIZE];

    if (!end || end - name_at >= NAME_MAX_SIZE)
        return NULL;
    snprintf(name, sizeof name, "%.*s", (int)(end - name_at), name_at);
    const char *text =
        strncmp(name, "w.", 2) == 0 ? words_get(words, lang, name + 2) : value_of(values, name);
    if (text && is_raw)
        buf_puts(b, text);
    else if (text)
        html_escape(b, text);
    return end + strlen(closing);
}

void template_put(struct buf *b, const char *html, const struct template_value *values,
                  const struct words *words, enum lang lang)
{
    for (const char *p; (p = strstr(html, "{{"));) {
        buf_put(b, html, (size_t)(p - html));
        html = put_place(b, p, values, words, lang);
        if (!html) {
            buf_puts(b, p);
            return;
        }
    }
    buf_puts(b, html);
}
