/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_page - the page of an instrument in Markdown, and the index of all, in English and in
 * Chinese: docs/instruments.
 */
#pragma once

#include <stdbool.h>

#include "gateway/base/buf.h"
#include "sensors/profile/profile.h"

/* "teledyne-t400.md", "teledyne-t400.zh.md"; id "README" is the index. Returns `out`. */
const char *profile_page_name(const char *id, const char *lang, char *out, size_t size);

/* lang is "zh" or "en". */
void profile_put_page(struct buf *b, const struct profile *p, const char *lang);
/* Grouped by the first medium of each. */
void profile_put_index(struct buf *b, struct profile *const *all, size_t n, const char *lang);

/* The buses and devices of a configuration that read the instrument: over a serial line, or
 * over TCP. */
void profile_put_stanza(struct buf *b, const struct profile *p, bool is_tcp);

/* What follows is shared by the two halves of a page. */
struct page {
    struct buf *b;
    const struct profile *p;
    bool is_zh;
};

/* The text in the page's language; a macro, so that the compiler sees what is a format. */
#define PICK(pg, en, zh) ((pg)->is_zh ? (zh) : (en))

/* Into a cell of a table: '|' and line ends would break it. NULL and "" give a dash. */
void page_cell(const struct page *pg, const char *text);
/* "zero" -> "zero check" or "零点校准". */
const char *page_word(const struct page *pg, const char *word);
/* Address as the manual counts it and as it goes over the wire: two cells. */
void page_address(const struct page *pg, struct register_address at);

/* profile_tables.c: values, status, commands, identification */
void page_put_points(const struct page *pg);
void page_put_status(const struct page *pg);
void page_put_commands(const struct page *pg);
void page_put_identify(const struct page *pg, const struct profile_identify *tests, size_t n);
