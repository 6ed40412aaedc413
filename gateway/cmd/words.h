/* SPDX-License-Identifier: Apache-2.0 */
/* words - ids of the daemon's answers as the user's language has them. */
#pragma once

#include "gateway/base/buf.h"

/* Takes any id; gives it back when it is none of its kind. In English ids are the words. */
const char *word_of_status(const char *id);
const char *word_of_grade(const char *id);
const char *word_of_level(const char *id);      /* "yellow" */
const char *word_of_transition(const char *id); /* "raised" */

/* The ids of reasons, whatever the language: each between `quote`, `comma` between two. */
void put_reason_ids(struct buf *b, uint32_t reasons, const char *quote, const char *comma);
