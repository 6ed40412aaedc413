/* SPDX-License-Identifier: Apache-2.0 */
/* Examples of a codec: what goes in, what has to come out. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/cmd/codec_cmd.h"
#include "gateway/cmd/codec_runner.h"
#include "gateway/cmd/export_time.h"

enum {
    BYTES_MAX = 4096,
    DEPTH_MAX = 64, /* compared; results are at most 16 deep */
    WHY_MAX = 900,
};

struct example {
    const char *description;
    struct codec_input in;
    uint8_t bytes[BYTES_MAX];
    char *variables, *data, *more; /* free() */
    const json_t *expected;
};

struct tally {
    size_t passed, failed;
    json_t *results;
};

/* ---- comparing ---- */

/* "errors": [] says as much as no errors at all. */
static bool is_nothing(const char *key, const json_t *x)
{
    return !x || ((strcmp(key, "errors") == 0 || strcmp(key, "warnings") == 0) &&
                  (json_is_null(x) || (json_is_array(x) && json_array_size(x) == 0)));
}

static bool is_same(const json_t *a, const json_t *b, int depth);

/* Everything that `a` has is the same in `b`. */
static bool has_same(const json_t *a, const json_t *b, int depth)
{
    const char *key;
    json_t *x;

    json_object_foreach((json_t *)a, key, x)
    {
        const json_t *y = json_object_get(b, key);
        const bool is_optional = depth == 0 && is_nothing(key, x) && is_nothing(key, y);
        if (!is_optional && !is_same(x, y, depth + 1))
            return false;
    }
    return true;
}

static bool is_same_list(const json_t *a, const json_t *b, int depth)
{
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!is_same(json_array_get(a, i), json_array_get(b, i), depth + 1))
            return false;
    return true;
}

/* Engines differ in the last digits of what logarithms give. */
static bool is_same_number(double a, double b)
{
    return a == b || fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

static bool is_same(const json_t *a, const json_t *b, int depth)
{
    if (!a || !b || depth > DEPTH_MAX)
        return !a && !b;
    if (json_is_number(a) && json_is_number(b))
        return is_same_number(json_number_value(a), json_number_value(b));
    if (json_is_object(a) && json_is_object(b))
        return has_same(a, b, depth) && has_same(b, a, depth);
    if (json_is_array(a) && json_is_array(b))
        return is_same_list(a, b, depth);
    return json_equal(a, b);
}

/* ---- reading ---- */

static bool read_bytes(const json_t *list, struct example *e)
{
    if (json_array_size(list) > BYTES_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *x = json_array_get(list, i);
        const json_int_t v = json_is_integer(x) ? json_integer_value(x) : -1;
        if (v < 0 || v > 255)
            return false;
        e->bytes[e->in.n++] = (uint8_t)v;
    }
    return true;
}

/* What an input has besides the members of TS013, as JSON. */
static char *more_of(const json_t *input)
{
    static const char *const known[] = { "bytes", "fPort", "recvTime", "variables", "data" };
    json_t *more = json_copy((json_t *)input);

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        json_object_del(more, known[i]);
    char *text = json_object_size(more) ? json_dumps(more, 0) : NULL;
    json_decref(more);
    return text;
}

/* False: it is none that can be run; then nothing is to be freed. */
static bool example_read(const json_t *x, struct example *e)
{
    const json_t *input = json_object_get(x, "input");
    const char *routine = json_string_value(json_object_get(x, "routine"));
    const char *time = json_string_value(json_object_get(input, "recvTime"));
    const char *description = json_string_value(json_object_get(x, "description"));
    const json_t *variables = json_object_get(input, "variables");
    const json_t *data = json_object_get(input, "data");
    const json_int_t fport = json_integer_value(json_object_get(input, "fPort"));
    const int which = codec_routine_find(routine ? routine : "decodeUplink");

    *e = (struct example){ .description = description ? description : "",
                           .in.time_ms = INT64_MIN };
    e->expected = json_object_get(x, "expected");
    if (which < 0 || fport < 0 || fport > 255 || !json_is_object(input) ||
        !read_bytes(json_object_get(input, "bytes"), e) ||
        (time && export_time_parse(time, 0, &e->in.time_ms) < 0))
        return false;
    e->in.routine = (enum codec_routine)which;
    e->in.fport = (uint8_t)fport;
    e->in.bytes = e->bytes;
    e->in.variables = e->variables = variables ? json_dumps(variables, 0) : NULL;
    e->in.data = e->data = data ? json_dumps(data, JSON_ENCODE_ANY) : NULL;
    e->in.more = e->more = more_of(input);
    return true;
}

static void example_done(struct example *e)
{
    free(e->variables);
    free(e->data);
    free(e->more);
}

/* ---- running ---- */

/* The result, a new reference; NULL with a reason. */
static json_t *result_of(struct codec_runner *r, const struct example *e, int times,
                         char why[WHY_MAX])
{
    json_t *first = NULL;

    for (int i = 0; i < times; i++) {
        const struct codec_answer *a = codec_runner_call(r, &e->in);
        json_t *result = a->outcome == CODEC_OK ? json_loads(a->json, 0, NULL) : NULL;
        if (!result) {
            snprintf(why, WHY_MAX, "%s", a->message ? a->message : "The result is no JSON.");
            json_decref(first);
            return NULL;
        }
        if (first && !is_same(first, result, 0)) {
            snprintf(why, WHY_MAX, "%s",
                     say("The same message gives another result the second time: the script "
                         "keeps state.",
                         "同一报文第二次的结果不同：脚本保留了状态。"));
            json_decref(result);
            json_decref(first);
            return NULL;
        }
        if (first)
            json_decref(result);
        else
            first = result;
    }
    return first;
}

static void count(struct tally *t, const struct example *e, json_t *result, const char *why)
{
    const bool is_good = result && *why == '\0';

    t->passed += is_good;
    t->failed += !is_good;
    json_array_append_new(t->results, json_pack("{s:s, s:b, s:o*, s:s*}", "description",
                                                e->description, "ok", is_good, "result", result,
                                                "message", is_good ? NULL : why));
}

static void run_example(struct codec_runner *r, const json_t *x, int times, struct tally *t)
{
    struct example e;
    char why[WHY_MAX] = "";
    json_t *result = NULL;

    if (!example_read(x, &e)) {
        count(t, &e, NULL,
              say("This is no example: its input has no bytes from 0 to 255, or its routine is "
                  "unknown.",
                  "不是可用的示例：字节不在 0 到 255 之间，或函数未知。"));
        return;
    }
    result = result_of(r, &e, times, why);
    if (result && e.expected && !is_same(result, e.expected, 0))
        snprintf(why, sizeof why, "%s",
                 say("The result is not what is expected.", "结果与预期不符。"));
    count(t, &e, result, why);
    example_done(&e);
}

static void print_tally(const struct codec_runner *r, const struct tally *t)
{
    size_t i;
    json_t *x;

    json_array_foreach(t->results, i, x)
    {
        if (json_is_true(json_object_get(x, "ok")))
            continue;
        char *got =
            json_dumps(json_object_get(x, "result"), JSON_COMPACT | JSON_REAL_PRECISION(15));
        printf("%zu %s: %s\n%s%s", i + 1, json_string_value(json_object_get(x, "description")),
               json_string_value(json_object_get(x, "message")), got ? "    " : "",
               got ? got : "");
        if (got)
            putchar('\n');
        free(got);
    }
    printf(say("%s: %zu of %zu examples pass.\n", "%s：%zu 个通过，共 %zu 个示例。\n"),
           codec_runner_script(r)->name, t->passed, t->passed + t->failed);
}

static void print_tally_json(const struct codec_runner *r, const struct tally *t)
{
    json_t *all = json_pack("{s:s, s:I, s:I, s:O}", "script", codec_runner_script(r)->name,
                            "passed", (json_int_t)t->passed, "failed", (json_int_t)t->failed,
                            "results", t->results);
    char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;

    puts(text ? text : "{}");
    free(text);
    json_decref(all);
}

/* Without a name in the example it is every script's. */
static bool is_of(const json_t *x, const char *script)
{
    const char *codec = json_string_value(json_object_get(x, "codec"));

    return !codec || strcmp(codec, script) == 0;
}

static json_t *load_examples(const char *path)
{
    json_error_t why;
    json_t *root = json_load_file(path, 0, &why);
    json_t *list = json_is_object(root) ? json_object_get(root, "examples") : root;

    if (json_is_array(list)) {
        json_incref(list);
        json_decref(root);
        return list;
    }
    if (!root)
        fprintf(stderr, "sluice codec: %s:%d:%d: %s.\n", path, why.line, why.column, why.text);
    else
        fprintf(stderr,
                say("sluice codec: %s: it is no list of examples.\n",
                    "sluice codec：%s：不是示例列表。\n"),
                path);
    json_decref(root);
    return NULL;
}

int codec_run_examples(struct codec_runner *r, const char *path, int times, bool is_json)
{
    json_t *list = load_examples(path);
    struct tally t = { .results = json_array() };
    size_t i;
    json_t *x;

    if (!list || !t.results) {
        json_decref(list);
        json_decref(t.results);
        return EXIT_USAGE;
    }
    json_array_foreach(list, i, x)
    {
        if (is_of(x, codec_runner_script(r)->name))
            run_example(r, x, times, &t);
    }
    if (is_json)
        print_tally_json(r, &t);
    else
        print_tally(r, &t);
    json_decref(list);
    json_decref(t.results);
    return t.failed || !t.passed ? EXIT_FOUND : EXIT_DONE;
}
