/* SPDX-License-Identifier: Apache-2.0 */
/* profile_new - the text of a profile to begin with. */
#pragma once

#include <stddef.h>

#include "gateway/base/buf.h"

/* A commented form that passes the linter. */
void profile_put_template(struct buf *b, const char *id);
/* The text of another profile under a new id, as a form: what it claims is the other's. */
void profile_put_copy(struct buf *b, const char *id, const char *like, const char *text,
                      size_t size);
