/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line_parse - a strict reader of line protocol, after the grammar of influxdata/line-protocol:
 * the check on what our own writers say. Pure; one object per thread.
 */
#pragma once

#include "gateway/uplink/line_protocol.h"

struct line_parser {
    const char *p, *end;
    char *scratch, *scratch_end; /* unescaped texts: never longer than the input */
    const char *error;           /* why the last line was refused; static */
    struct line_tag tags[LINE_TAGS_MAX];
    struct line_field fields[LINE_FIELDS_MAX];
};

/* `text` must outlive the parser. 0 or -ENOMEM. */
int line_parser_init(struct line_parser *q, const char *text, size_t size);
void line_parser_done(struct line_parser *q);

/* The next point, tags sorted by key; what it names lives until the next call. 1 when there is
 * one, 0 at the end, -EINVAL with `error` set. After an error the parser is at its end. */
int line_parse_next(struct line_parser *q, struct line_point *ret);
