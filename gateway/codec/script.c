/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/codec/script.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/base/embedded.h"
#include "gateway/codec/heap.h"
#include "gateway/codec/lower.h"
#include "gateway/codec/sandbox.h"

#if DUK_VERSION < 20700
#error "script.c: Duktape 2.7 is what lower.h and polyfill.js are written for"
#endif

extern const struct embedded_file codec_files[];

enum {
    NAME_MAX_ = 200,
    LOG_MAX = 4 << 10, /* of one call */
    MESSAGE_MAX = 800,
};

/* The heap's value stack, from the bottom: what polyfill.js returns. */
enum { HOOKS };

struct script {
    char name[NAME_MAX_];
    struct lower_result lowered;
    struct heap heap;
    bool is_built;
    bool is_single; /* its top level read the clock: one heap, one message */
    char message[MESSAGE_MAX];
    struct buf log, json;
};

int script_create(const char *name, const char *source, size_t size, struct script **ret)
{
    struct script *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    snprintf(s->name, sizeof s->name, "%s", name);
    s->log = BUF_INIT(LOG_MAX);
    s->json = BUF_INIT(CODEC_RESULT_MAX);
    if (lower_source(source, size, &s->lowered) == -ENOMEM) {
        script_destroy(s);
        return -ENOMEM;
    }
    *ret = s;
    return 0;
}

void script_destroy(struct script *s)
{
    if (!s)
        return;
    heap_done(&s->heap);
    free(s->lowered.text);
    buf_done(&s->log);
    buf_done(&s->json);
    free(s);
}

size_t script_bytes(const struct script *s)
{
    return s->heap.used;
}

void script_rest(struct script *s)
{
    heap_done(&s->heap);
    s->is_built = false;
}

/* ---- texts out of the heap ---- */

/*
 * The engine keeps UTF-16 as CESU-8: a pair of surrogates becomes the four bytes of UTF-8, a
 * lone one and a NUL become U+FFFD.
 */
static void put_text(struct buf *b, const char *text, size_t n)
{
    const uint8_t *p = (const uint8_t *)text;

    for (size_t i = 0; i < n;) {
        const bool is_surrogate = p[i] == 0xED && i + 2 < n && p[i + 1] >= 0xA0;
        const bool is_pair = is_surrogate && p[i + 1] < 0xB0 && i + 5 < n && p[i + 3] == 0xED &&
                             p[i + 4] >= 0xB0;
        if (is_pair) {
            const uint32_t c = 0x10000 + ((p[i + 1] & 0x0Fu) << 16 | (p[i + 2] & 0x3Fu) << 10 |
                                          (p[i + 4] & 0x0Fu) << 6 | (p[i + 5] & 0x3Fu));
            const uint8_t utf8[] = { (uint8_t)(0xF0 | c >> 18),
                                     (uint8_t)(0x80 | (c >> 12 & 0x3F)),
                                     (uint8_t)(0x80 | (c >> 6 & 0x3F)),
                                     (uint8_t)(0x80 | (c & 0x3F)) };
            buf_put(b, utf8, sizeof utf8);
            i += 6;
        } else if (is_surrogate || p[i] == 0) {
            buf_puts(b, "\xEF\xBF\xBD");
            i += is_surrogate ? 3 : 1;
        } else {
            buf_put(b, p + i++, 1);
        }
    }
}

static duk_ret_t native_say(duk_context *ctx)
{
    struct script *s;
    size_t n;

    duk_push_current_function(ctx);
    duk_get_prop_string(ctx, -1, DUK_HIDDEN_SYMBOL("script"));
    s = duk_get_pointer(ctx, -1);
    const char *text = duk_require_lstring(ctx, 0, &n);
    put_text(&s->log, text, n);
    buf_puts(&s->log, "\n");
    return 0;
}

/* ---- building ---- */

static duk_ret_t run_polyfill(duk_context *ctx, void *user)
{
    const struct embedded_file *f = &codec_files[0];

    duk_push_string(ctx, f->name);
    duk_compile_lstring_filename(ctx, DUK_COMPILE_EVAL, (const char *)f->data, f->size);
    duk_call(ctx, 0);
    duk_push_c_function(ctx, native_say, 1);
    duk_push_pointer(ctx, user);
    duk_put_prop_string(ctx, -2, DUK_HIDDEN_SYMBOL("script"));
    duk_call(ctx, 1);
    return 1;
}

static duk_ret_t begin(duk_context *ctx, void *user)
{
    const struct codec_input *in = user;

    duk_push_string(ctx, "begin");
    duk_push_number(ctx, in->time_ms == INT64_MIN ? NAN : (double)in->time_ms);
    duk_call_prop(ctx, HOOKS, 1);
    return 0;
}

/* As a program: in code for eval(), "use strict" would keep its functions to itself. */
static duk_ret_t compile_script(duk_context *ctx, void *user)
{
    const struct script *s = user;

    duk_push_string(ctx, s->name);
    duk_compile_lstring_filename(ctx, 0, s->lowered.text, s->lowered.size);
    return 1;
}

static duk_ret_t run_script(duk_context *ctx, void *user)
{
    struct script *s = user;

    duk_call(ctx, 0);
    duk_push_string(ctx, "hasReadNow");
    duk_call_prop(ctx, HOOKS, 0);
    s->is_single = duk_to_boolean(ctx, -1);
    duk_push_string(ctx, "keep");
    duk_call_prop(ctx, HOOKS, 0);
    return 0;
}

/* ---- errors ---- */

/* "    at decodeUplink (korvo.js:12) strict": the innermost line that is the script's own. */
static int line_in_stack(const char *stack, const char *name)
{
    const size_t n = strlen(name);

    for (const char *p = stack; (p = strstr(p, name)); p += n)
        if (p > stack && p[-1] == '(' && p[n] == ':')
            return (int)strtol(p + n + 1, NULL, 10);
    return 0;
}

/* "parse error (line 12, end of input)" */
static int line_in_message(const char *message)
{
    const char *p = strstr(message, "(line ");

    return p ? (int)strtol(p + 6, NULL, 10) : 0;
}

/* [error] -> [text stack]: both strings, whatever was thrown. */
static duk_ret_t describe(duk_context *ctx, void *user)
{
    (void)user;
    if (duk_is_object(ctx, -1))
        duk_get_prop_string(ctx, -1, "stack");
    else
        duk_push_string(ctx, "");
    duk_safe_to_string(ctx, -2);
    duk_safe_to_string(ctx, -1);
    return 2;
}

static void say_why(struct script *s, int line, const char *why)
{
    const size_t n = strlen(why);
    const bool is_closed = n > 0 && strchr(".!?", why[n - 1]);
    const char *end = is_closed ? "" : ".";

    if (line > 0)
        snprintf(s->message, sizeof s->message, "%s:%d: %.400s%s", s->name, line, why, end);
    else
        snprintf(s->message, sizeof s->message, "%s: %.400s%s", s->name, why, end);
}

/* What was thrown lies on top of the stack. The heap is not trusted any more. */
static enum codec_outcome fail(struct script *s, enum codec_outcome outcome)
{
    duk_context *ctx = s->heap.ctx;
    char why[64];

    if (s->heap.was_full) {
        snprintf(why, sizeof why, "it needs more than %d MiB of memory", CODEC_HEAP_MAX >> 20);
        say_why(s, 0, why);
    } else if (duk_safe_call(ctx, describe, NULL, 1, 2) != DUK_EXEC_SUCCESS) {
        say_why(s, 0, "it threw what cannot be told");
    } else {
        struct buf text = BUF_INIT(4 * MESSAGE_MAX);
        size_t n;
        const char *p = duk_get_lstring(ctx, -2, &n);
        put_text(&text, p, n < MESSAGE_MAX ? n : MESSAGE_MAX);
        const char *thrown = buf_text(&text) ? buf_text(&text) : "it threw";
        const int line = line_in_stack(duk_get_string(ctx, -1), s->name);
        say_why(s, line ? line : line_in_message(thrown), thrown);
        buf_done(&text);
    }
    script_rest(s);
    return outcome;
}

static enum codec_outcome no_memory(struct script *s)
{
    script_rest(s);
    say_why(s, 0, "there is no memory for it");
    return CODEC_ERROR;
}

static enum codec_outcome build(struct script *s, const struct codec_input *in)
{
    if (!s->lowered.text) {
        say_why(s, s->lowered.line, s->lowered.why);
        return CODEC_REFUSED;
    }
    if (heap_init(&s->heap, CODEC_HEAP_MAX) < 0)
        return no_memory(s);
    duk_context *ctx = s->heap.ctx;
    if (duk_safe_call(ctx, run_polyfill, s, 0, 1) != DUK_EXEC_SUCCESS)
        return fail(s, CODEC_ERROR);
    if (duk_safe_call(ctx, begin, (void *)in, 0, 0) != DUK_EXEC_SUCCESS)
        return no_memory(s);
    if (duk_safe_call(ctx, compile_script, s, 0, 1) != DUK_EXEC_SUCCESS)
        return fail(s, CODEC_REFUSED);
    if (duk_safe_call(ctx, run_script, s, 1, 1) != DUK_EXEC_SUCCESS)
        return fail(s, CODEC_ERROR);
    duk_pop(ctx);
    s->is_built = true;
    return CODEC_OK;
}

/* ---- calling ---- */

static duk_ret_t call_hook(duk_context *ctx, void *user)
{
    const struct codec_input *in = user;

    begin(ctx, user);
    duk_pop(ctx);
    if (in->routine == CODEC_LIST) {
        duk_push_string(ctx, "list");
        duk_call_prop(ctx, HOOKS, 0);
        return 1;
    }
    duk_push_string(ctx, "call");
    duk_push_uint(ctx, in->routine);
    duk_push_uint(ctx, in->fport);
    const duk_idx_t bytes = duk_push_array(ctx);
    for (size_t i = 0; i < in->n; i++) {
        duk_push_uint(ctx, in->bytes[i]);
        duk_put_prop_index(ctx, bytes, (duk_uarridx_t)i);
    }
    duk_push_string(ctx, in->variables);
    duk_push_string(ctx, in->data);
    duk_push_string(ctx, in->more ? in->more : "{}");
    duk_call_prop(ctx, HOOKS, 6);
    duk_require_string(ctx, -1);
    return 1;
}

static duk_ret_t ask_spoilt(duk_context *ctx, void *user)
{
    (void)user;
    duk_push_string(ctx, "isSpoilt");
    duk_call_prop(ctx, HOOKS, 0);
    return 1;
}

/* What one message left behind must not reach the next. */
static bool is_spoilt(duk_context *ctx)
{
    const bool is_clean = duk_safe_call(ctx, ask_spoilt, NULL, 0, 1) == DUK_EXEC_SUCCESS &&
                          !duk_to_boolean(ctx, -1);

    duk_pop(ctx);
    return !is_clean;
}

/* The JSON text lies on top of the stack. */
static enum codec_outcome take_json(struct script *s, struct script_answer *a)
{
    size_t n;
    const char *text = duk_get_lstring(s->heap.ctx, -1, &n);

    put_text(&s->json, text, n <= CODEC_RESULT_MAX ? n : 0);
    duk_pop(s->heap.ctx);
    a->json = buf_text(&s->json);
    a->json_n = s->json.size;
    if (n <= CODEC_RESULT_MAX && a->json)
        return CODEC_OK;
    char why[80];
    snprintf(why, sizeof why, "its result is longer than %d KiB", CODEC_RESULT_MAX >> 10);
    say_why(s, 0, why);
    a->json = NULL;
    a->json_n = 0;
    script_rest(s);
    return CODEC_ERROR;
}

static enum codec_outcome run(struct script *s, const struct codec_input *in,
                              struct script_answer *a)
{
    enum codec_outcome outcome = CODEC_OK;

    if (!s->is_built) {
        sandbox_arm(CODEC_CPU_MS);
        outcome = build(s, in);
    }
    sandbox_arm(CODEC_CPU_MS);
    if (outcome != CODEC_OK)
        return outcome;
    s->heap.was_full = false;
    if (duk_safe_call(s->heap.ctx, call_hook, (void *)in, 0, 1) != DUK_EXEC_SUCCESS)
        return fail(s, CODEC_ERROR);
    outcome = take_json(s, a);
    if (s->is_built && (s->is_single || is_spoilt(s->heap.ctx)))
        script_rest(s);
    return outcome;
}

void script_call(struct script *s, const struct codec_input *in, struct script_answer *ret)
{
    struct script_answer a = { .message = NULL };

    buf_clear(&s->log);
    buf_clear(&s->json);
    a.outcome = run(s, in, &a);
    sandbox_arm(0);
    if (a.outcome != CODEC_OK)
        a.message = s->message;
    a.log = s->log.data;
    a.log_n = s->log.data ? s->log.size : 0;
    *ret = a;
}
