/* SPDX-License-Identifier: Apache-2.0 */
/* profile_layout - the payload of a LoRaWAN device in words: for `sluice profile show`, the
 * instrument pages and the comparison of profiles. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "gateway/base/buf.h"
#include "sensors/payload/layout.h"
#include "sensors/profile/profile.h"

enum { LAYOUT_CELL_BYTES = 640 };

/* One line of a layout: where, as what, which point, how, and what means "no value". */
struct layout_row {
    char where[LAYOUT_CELL_BYTES], type[LAYOUT_CELL_BYTES], point[LAYOUT_CELL_BYTES],
        how[LAYOUT_CELL_BYTES], none[LAYOUT_CELL_BYTES];
};

/* "fPort 2, byte 10 & 0x80 >> 7 = 1, 11 bytes": by what a message is told from others. */
void layout_put_when(struct buf *b, const struct payload_message *m, bool is_zh);
/* How its groups follow one another; nothing without any. */
void layout_put_form(struct buf *b, const struct payload_message *m, bool is_zh);
/* The lines of a message, or of the script's result (m NULL). */
void layout_rows(const struct profile *p, const struct payload_message *m, bool is_zh,
                 void (*on_row)(void *user, const struct layout_row *row), void *user);

void layout_print(const struct profile *p, bool is_zh, FILE *out);
void layout_put_page(struct buf *b, const struct profile *p, bool is_zh);
/* The key "payload" of a JSON object, with a comma before it. */
void layout_put_json(struct buf *b, const struct profile *p);
