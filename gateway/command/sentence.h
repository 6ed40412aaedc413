/* SPDX-License-Identifier: Apache-2.0 */
/* sentence - what became of a command, for people. */
#pragma once

#include <jansson.h>

#include "gateway/base/buf.h"
#include "gateway/poll/errand.h"

struct sentence {
    const json_t *event;             /* the one that went ahead */
    const char *what;                /* "begun", "done", "refused" ... */
    const struct errand_result *r;   /* NULL: nothing is known of its steps */
    const struct command_step *step; /* the one concerned, with r */
};

/* lang: "zh" or "en". */
void sentence_put(struct buf *b, const struct sentence *s, const char *lang);
