/* SPDX-License-Identifier: Apache-2.0 */
/* profile_cmd - the parts of `sluice profile`, one function each. They return exit codes. */
#pragma once

#include "gateway/cmd/cmd.h"
#include "gateway/conf/profile_load.h"

enum {
    PROFILE_TEXT_MAX = 4 << 20
}; /* bytes of the JSON of the whole library, many times over */

struct profile_options {
    bool is_json, is_all, is_check;
    struct option_texts dirs;
    const char *like, *output;
};

/* A profile by id or, with a '/' or ".yaml" in it, by file. NULL after telling why. */
struct profile *profile_open(const struct profile_options *o, const char *id_or_file,
                             struct diag *d);
/* Tells that there is no such id, and the nearest one. */
int profile_refuse_id(const struct profile_options *o, const char *id);
int profile_wrong(const char *what);
/* Writes the buffer to standard output and empties it. */
int profile_write_buf(struct buf *b);

int profile_new(const struct profile_options *o, const char *id);
int profile_doc(const struct profile_options *o, char **ids, int n, struct diag *d);
