/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template - HTML with places to fill.
 *
 *     {{name}}    the value, escaped for text and quoted attributes
 *     {{{name}}}  the value as it is: HTML that was itself made by a template
 *     {{w.key}}   the word of the page's language, escaped
 *
 * A name without a value becomes nothing. Pure; any thread.
 */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/http/words.h"

struct template_value {
    const char *name, *text; /* the list is closed by one without a name */
};

void template_put(struct buf *b, const char *html, const struct template_value *values,
                  const struct words *words, enum lang lang);

/* & < > " and the apostrophe as entities, control characters as U+FFFD. */
void html_escape(struct buf *b, const char *text);
