/* SPDX-License-Identifier: Apache-2.0 */
/* codec_cmd - what the files of `sluice codec` share. */
#pragma once

#include "gateway/cmd/cmd.h"
#include "gateway/codec/codec.h"

struct codec_runner;

struct codec_options {
    const char *hex, *time, *variables, *data, *routine, *examples;
    int64_t fport;
    bool is_json;
};

/* -1: there is none of this name. */
int codec_routine_find(const char *name);

/* Every example of the file once, or `times` times in one heap with the same result each time.
 * An exit code. */
int codec_run_examples(struct codec_runner *r, const char *path, int times, bool is_json);
/* What the script is made of, and with a file its examples twice. An exit code. */
int codec_check(struct codec_runner *r, const struct codec_options *o);
