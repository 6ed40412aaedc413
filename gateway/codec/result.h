/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result - what a script returned, out of its JSON: the fields of `data` as a flat list, what
 * it warned of, and the bytes of a downlink. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sensors/payload/payload.h"

enum {
    RESULT_DEPTH_MAX = 16, /* the public codecs have 6 */
    RESULT_VALUES_MAX = 1000,
    RESULT_REMARKS_MAX = 32, /* of each kind; the rest is not kept */
    RESULT_PATH_MAX = 200,
    RESULT_ERROR_MAX = 160,
};

struct codec_result {
    struct payload_value *values; /* in the script's order; null is no value */
    size_t n;
    const char *warnings[RESULT_REMARKS_MAX];
    size_t warnings_n;
    const char *errors[RESULT_REMARKS_MAX]; /* any: the message is not to be trusted */
    size_t errors_n;
    void *own; /* what the texts live in */
};

/* `json`: of struct codec_answer. 0, -ENOMEM, -EINVAL (no JSON object, or not of this form) or
 * -E2BIG (deeper, longer than the limits), a sentence in `error`. codec_result_done() it. */
int codec_result_parse(const char *json, struct codec_result *ret,
                       char error[RESULT_ERROR_MAX]);
void codec_result_done(struct codec_result *r);

/* Of encodeDownlink: the number of bytes, at most `size`. -EINVAL: it has errors, bytes that
 * are no bytes, a port beyond 1..223, or more than `size`; a sentence in `error`. */
int codec_downlink_parse(const char *json, uint8_t *bytes, size_t size, uint8_t *ret_fport,
                         char error[RESULT_ERROR_MAX]);
