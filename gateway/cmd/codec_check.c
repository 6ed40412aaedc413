/* SPDX-License-Identifier: Apache-2.0 */
/* What a codec is made of: parts of newer JavaScript, functions, examples. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/codec_cmd.h"
#include "gateway/cmd/codec_runner.h"
#include "gateway/codec/lower.h"

static json_t *features_of(const struct lower_result *l)
{
    json_t *list = json_array();

    for (unsigned bit = 0; bit < 32; bit++)
        if (l->found >> bit & 1)
            json_array_append_new(
                list, json_string(lower_feature_name((enum lower_feature)(1u << bit))));
    return list;
}

/* The names, or NULL with the worker's words in `*ret_why`. */
static json_t *functions_of(struct codec_runner *r, const char **ret_why)
{
    const struct codec_input in = { .routine = CODEC_LIST };
    const struct codec_answer *a = codec_runner_call(r, &in);
    json_t *root = a->outcome == CODEC_OK ? json_loads(a->json, 0, NULL) : NULL;
    json_t *list = json_incref(json_object_get(root, "functions"));

    json_decref(root);
    *ret_why = list ? NULL : a->message;
    return list;
}

static bool has(const json_t *list, const char *name)
{
    size_t i;
    json_t *x;

    json_array_foreach((json_t *)list, i, x)
    {
        if (strcmp(json_string_value(x), name) == 0)
            return true;
    }
    return false;
}

/* What a user of the script should know, NULL: nothing. */
static const char *hint_for(const json_t *functions)
{
    if (!functions || has(functions, "decodeUplink"))
        return NULL;
    if (has(functions, "Decode"))
        return say(
            "Decode(fPort, bytes, variables) is the form of ChirpStack v3: it is run, but "
            "decodeUplink(input) is what other systems expect.",
            "Decode(fPort, bytes, variables) 是 ChirpStack v3 的形式：可以运行，"
            "但其他系统需要 decodeUplink(input)。");
    if (has(functions, "Decoder"))
        return say("Decoder(bytes, port) is the form of TTN v2: it is run, but "
                   "decodeUplink(input) is what other systems expect.",
                   "Decoder(bytes, port) 是 TTN v2 的形式：可以运行，"
                   "但其他系统需要 decodeUplink(input)。");
    return say("There is no decodeUplink(input): uplinks cannot be decoded.",
               "没有 decodeUplink(input)：无法解码上行报文。");
}

static void print_list(const char *title, const json_t *list)
{
    size_t i;
    json_t *x;

    printf("%s", title);
    json_array_foreach((json_t *)list, i, x)
        printf("%s%s", i ? ", " : " ", json_string_value(x));
    puts(json_array_size(list) ? "" : " -");
}

static void print_check(const struct lower_result *l, const json_t *features,
                        const json_t *functions, const char *why)
{
    print_list(say("found:", "使用的语法："), features);
    if (l->text)
        puts(l->is_unchanged
                 ? say("rewritten: nothing, it is run as it is", "改写：无，按原样运行")
                 : say("rewritten: all of them, line by line", "改写：以上全部，行号不变"));
    else
        printf(say("refused: line %d, column %d: %s\n", "拒绝：第 %d 行第 %d 列：%s\n"),
               l->line, l->column, l->why);
    if (functions)
        print_list(say("functions:", "函数："), functions);
    else if (l->text)
        printf(say("refused: %s\n", "拒绝：%s\n"), why ? why : "");
    if (hint_for(functions))
        printf(say("hint: %s\n", "提示：%s\n"), hint_for(functions));
}

static void print_check_json(const struct lower_result *l, const json_t *features,
                             const json_t *functions, const char *why)
{
    json_t *all = json_pack("{s:O, s:b, s:O*, s:s*, s:s*}", "found", features, "rewritten",
                            l->text && !l->is_unchanged, "functions", functions, "hint",
                            hint_for(functions), "refused", l->text ? why : l->why);
    if (all && !l->text) {
        json_object_set_new(all, "line", json_integer(l->line));
        json_object_set_new(all, "column", json_integer(l->column));
    }
    char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
    puts(text ? text : "{}");
    free(text);
    json_decref(all);
}

int codec_check(struct codec_runner *r, const struct codec_options *o)
{
    const struct codec_script *s = codec_runner_script(r);
    struct lower_result l = { 0 };
    const char *why = NULL;

    if (lower_source(s->source, s->size, &l) == -ENOMEM) {
        fputs("sluice codec: out of memory.\n", stderr);
        return EXIT_FOUND;
    }
    json_t *features = features_of(&l), *functions = functions_of(r, &why);
    if (o->is_json)
        print_check_json(&l, features, functions, why);
    else
        print_check(&l, features, functions, why);
    int status = json_array_size(functions) ? EXIT_DONE : EXIT_FOUND;
    if (o->examples && functions) {
        const int of_examples = codec_run_examples(r, o->examples, 2, o->is_json);
        status = of_examples ? of_examples : status;
    }
    json_decref(features);
    json_decref(functions);
    free(l.text);
    return status;
}
