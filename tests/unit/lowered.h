/* SPDX-License-Identifier: Apache-2.0 */
/* lowered - scripts rewritten and run in the engine, with the polyfill and nothing else. */
#pragma once

#include <duktape.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/embedded.h"
#include "gateway/codec/lower.h"

extern const struct embedded_file codec_files[];

static duk_ret_t lowered_say(duk_context *ctx)
{
    (void)ctx;
    return 0;
}

static inline duk_context *lowered_engine(void)
{
    duk_context *ctx = duk_create_heap_default();

    duk_push_string(ctx, codec_files[0].name);
    duk_compile_lstring_filename(ctx, DUK_COMPILE_EVAL, (const char *)codec_files[0].data,
                                 codec_files[0].size);
    duk_call(ctx, 0);
    duk_push_c_function(ctx, lowered_say, 1);
    duk_call(ctx, 1);
    duk_pop(ctx);
    return ctx;
}

/* Runs the source as a program; false with the error on the stack's top. */
static inline bool lowered_run(duk_context *ctx, const char *text, size_t size)
{
    duk_push_lstring(ctx, text, size);
    duk_push_string(ctx, "script.js");
    bool is_ok = duk_pcompile(ctx, 0) == 0 && duk_pcall(ctx, 0) == 0;
    if (is_ok)
        duk_pop(ctx);
    return is_ok;
}

/* JSON of an expression after the source ran, or the text of the error; free(). */
static inline char *lowered_value(const char *text, size_t size, const char *expression)
{
    duk_context *ctx = lowered_engine();

    if (lowered_run(ctx, text, size) && duk_peval_string(ctx, expression) == 0 &&
        !duk_is_undefined(ctx, -1))
        duk_json_encode(ctx, -1);
    char *value = strdup(duk_safe_to_string(ctx, -1));
    duk_destroy_heap(ctx);
    return value;
}
