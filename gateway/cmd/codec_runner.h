/* SPDX-License-Identifier: Apache-2.0 */
/* codec_runner - one script in a codec worker of its own, called and waited for. */
#pragma once

#include "gateway/codec/codec.h"

struct codec_runner;

/* NULL after telling why on stderr. */
struct codec_runner *codec_runner_create(const char *path);
void codec_runner_destroy(struct codec_runner *r); /* takes NULL */

/* Lives until the next call. */
const struct codec_answer *codec_runner_call(struct codec_runner *r,
                                             const struct codec_input *in);
/* The file as it is. */
const struct codec_script *codec_runner_script(const struct codec_runner *r);
