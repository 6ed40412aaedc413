/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/codec/result.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* JavaScript has doubles only: its integers may pass 64 bits, and no digit is lost this way. */
enum { PARSE_FLAGS = JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL };

enum { FPORT_MAX = 223 };

struct walk {
    struct codec_result *r;
    size_t cap;
    char path[RESULT_PATH_MAX];
    char *error;
};

static int complain(char *error, int err, const char *what)
{
    snprintf(error, RESULT_ERROR_MAX, "%s", what);
    return err;
}

static int add(struct walk *w, struct payload_value v)
{
    struct codec_result *r = w->r;

    if (r->n == RESULT_VALUES_MAX)
        return complain(w->error, -E2BIG, "The result has more than 1,000 values.");
    if (r->n == w->cap) {
        const size_t cap = w->cap ? 2 * w->cap : 32;
        struct payload_value *more = realloc(r->values, cap * sizeof *more);
        if (!more)
            return complain(w->error, -ENOMEM, "There is no memory for the result.");
        r->values = more;
        w->cap = cap;
    }
    if (!(v.path = strdup(w->path)))
        return complain(w->error, -ENOMEM, "There is no memory for the result.");
    r->values[r->n++] = v;
    return 0;
}

static int add_scalar(struct walk *w, const json_t *x)
{
    struct payload_value v = { .decimal = DECIMAL_MISSING };

    switch (json_typeof(x)) {
    case JSON_STRING:
        v.type = PAYLOAD_TEXT;
        v.number = NAN;
        v.text = json_string_value(x);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        v.type = PAYLOAD_BOOL;
        v.number = json_is_true(x);
        v.decimal = decimal_from_double(v.number);
        break;
    case JSON_REAL:
        v.type = PAYLOAD_NUMBER;
        v.number = json_real_value(x);
        v.decimal = decimal_from_double(v.number);
        break;
    default:
        return 0;
    }
    return add(w, v);
}

static int walk(struct walk *w, const json_t *x, size_t at, int depth);

/* Goes into a member; `name` is how the path goes on. */
static int step(struct walk *w, const json_t *x, size_t at, int depth, const char *name)
{
    const size_t n = strlen(name);

    if (at + n >= sizeof w->path)
        return complain(w->error, -E2BIG, "The result has a path longer than 200 bytes.");
    memcpy(w->path + at, name, n + 1);
    return walk(w, x, at + n, depth + 1);
}

static int walk_list(struct walk *w, const json_t *list, size_t at, int depth)
{
    int err = 0;

    for (size_t i = 0; !err && i < json_array_size(list); i++) {
        char name[32];
        snprintf(name, sizeof name, "[%zu]", i);
        err = step(w, json_array_get(list, i), at, depth, name);
    }
    return err;
}

static int walk_object(struct walk *w, json_t *o, size_t at, int depth)
{
    const char *key;
    json_t *x;
    int err = 0;

    json_object_foreach(o, key, x)
    {
        char name[RESULT_PATH_MAX + 1];
        const int n = snprintf(name, sizeof name, "%s%s", at ? "." : "", key);
        if (n < 0 || (size_t)n >= sizeof name)
            return complain(w->error, -E2BIG, "The result has a path longer than 200 bytes.");
        if ((err = step(w, x, at, depth, name)) < 0)
            break;
    }
    return err;
}

static int walk(struct walk *w, const json_t *x, size_t at, int depth)
{
    if (depth > RESULT_DEPTH_MAX)
        return complain(w->error, -E2BIG, "The result is nested deeper than 16 levels.");
    if (json_is_array(x))
        return walk_list(w, x, at, depth);
    if (json_is_object(x))
        return walk_object(w, (json_t *)x, at, depth);
    return add_scalar(w, x);
}

/* A list of texts; a single text counts as one, what is no text is left out. */
static size_t remarks(const json_t *x, const char *ret[RESULT_REMARKS_MAX])
{
    size_t n = 0;

    if (json_is_string(x) && *json_string_value(x))
        ret[n++] = json_string_value(x);
    for (size_t i = 0; i < json_array_size(x) && n < RESULT_REMARKS_MAX; i++) {
        const json_t *e = json_array_get(x, i);
        ret[n++] = json_is_string(e) ? json_string_value(e) : "(no text)";
    }
    return n;
}

static json_t *load(const char *json, char error[RESULT_ERROR_MAX])
{
    json_error_t why;
    json_t *root = json_loads(json, PARSE_FLAGS, &why);

    if (json_is_object(root))
        return root;
    json_decref(root);
    complain(error, -EINVAL, "The result is no JSON object.");
    return NULL;
}

int codec_result_parse(const char *json, struct codec_result *ret, char error[RESULT_ERROR_MAX])
{
    struct codec_result r = { 0 };
    struct walk w = { .r = &r, .error = error };
    json_t *root = load(json, error);

    if (!root)
        return -EINVAL;
    r.own = root;
    r.warnings_n = remarks(json_object_get(root, "warnings"), r.warnings);
    r.errors_n = remarks(json_object_get(root, "errors"), r.errors);
    const json_t *data = json_object_get(root, "data");
    int err = 0;
    if (json_is_object(data) || json_is_array(data))
        err = walk(&w, data, 0, 0);
    else if (data && !json_is_null(data))
        err = complain(error, -EINVAL, "The data of the result is neither object nor list.");
    if (err)
        codec_result_done(&r);
    else
        *ret = r;
    return err;
}

void codec_result_done(struct codec_result *r)
{
    for (size_t i = 0; i < r->n; i++)
        free((char *)r->values[i].path);
    free(r->values);
    json_decref(r->own);
    *r = (struct codec_result){ 0 };
}

/* -1: it is none, or has a fraction. */
static int whole(const json_t *x, int min, int max)
{
    const double d = json_is_real(x) ? json_real_value(x) : -1;

    return d >= min && d <= max && d == floor(d) ? (int)d : -1;
}

static int take_downlink(const json_t *root, uint8_t *bytes, size_t size, uint8_t *ret_fport,
                         char *error)
{
    const json_t *list = json_object_get(root, "bytes");
    const json_t *errors = json_object_get(root, "errors");
    const int fport = whole(json_object_get(root, "fPort"), 1, FPORT_MAX);
    const size_t n = json_array_size(list);

    if (json_array_size(errors) > 0) {
        const char *first = json_string_value(json_array_get(errors, 0));
        return complain(error, -EINVAL, first ? first : "The script reports an error.");
    }
    if (!json_is_array(list))
        return complain(error, -EINVAL, "The result has no list of bytes.");
    if (fport < 0)
        return complain(error, -EINVAL, "The result has no fPort from 1 to 223.");
    if (n > size)
        return complain(error, -EINVAL, "The result has more bytes than a downlink takes.");
    for (size_t i = 0; i < n; i++)
        if (whole(json_array_get(list, i), 0, 255) < 0)
            return complain(error, -EINVAL,
                            "A byte of the result is no integer from 0 to 255.");
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)whole(json_array_get(list, i), 0, 255);
    *ret_fport = (uint8_t)fport;
    return (int)n;
}

int codec_downlink_parse(const char *json, uint8_t *bytes, size_t size, uint8_t *ret_fport,
                         char error[RESULT_ERROR_MAX])
{
    json_t *root = load(json, error);

    if (!root)
        return -EINVAL;
    const int n = take_downlink(root, bytes, size, ret_fport, error);
    json_decref(root);
    return n;
}
