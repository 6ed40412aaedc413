/* SPDX-License-Identifier: Apache-2.0 */
/* line_print - characters and numbers of line protocol, shared by its writers. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/uplink/line_protocol.h"
#include "sensors/core/decimal.h"

enum {
    LINE_NUMBER_MAX = 40, /* a sign, 19 digits, a point and 18 leading zeros: 39 */
};

/* Each writes at `p`, which has room for LINE_NUMBER_MAX bytes, and returns the end. */
char *line_print_natural(char *p, uint64_t v);
char *line_print_integer(char *p, int64_t v);
/* Shortest text that reads back as the same double; `v` must be finite. */
char *line_print_double(char *p, double v);
/* As published: "12.50" keeps its two decimals. NULL when there is no finite value. */
char *line_print_decimal(char *p, struct decimal d);

bool line_is_utf8(struct line_text t);

/* Not empty, valid UTF-8, no control characters, no backslash at the end (it would swallow the
 * separator that follows). */
bool line_is_name(struct line_text t);

/* Copies `t`, a backslash before each of `special`. */
void line_put_escaped(struct buf *b, struct line_text t, const char *special);
