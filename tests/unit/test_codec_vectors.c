/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts with examples, rewritten and run in the engine itself: without worker and limits. */
#include <jansson.h>
#include <math.h>

#include "lowered.h"
#include "unit.h"

enum { EXAMPLES = 42 };

static char folder[512];

static char *read_script(const char *name, size_t *ret_size)
{
    char path[800];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *text = malloc(LOWER_SOURCE_MAX);
    assert_non_null(text);
    *ret_size = fread(text, 1, LOWER_SOURCE_MAX, f);
    fclose(f);
    return text;
}

/* Numbers within 1e-9; keys in any order. */
static bool is_same(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *v;

    if (json_is_number(a) && json_is_number(b)) {
        double x = json_number_value(a), y = json_number_value(b);
        return fabs(x - y) <= 1e-9 * fmax(fabs(x), fabs(y));
    }
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_array(a)) {
        for (size_t i = 0; i < json_array_size(a); i++)
            if (i >= json_array_size(b) || !is_same(json_array_get(a, i), json_array_get(b, i)))
                return false;
        return json_array_size(a) == json_array_size(b);
    }
    if (!json_is_object(a))
        return json_equal((json_t *)a, (json_t *)b);
    json_object_foreach((json_t *)a, key,
                        v) if (!json_object_get(b, key) ||
                               !is_same(v, json_object_get(b, key))) return false;
    return json_object_size(a) == json_object_size(b);
}

/* Empty lists of errors and warnings are as good as none. */
static void drop_empty(json_t *o)
{
    static const char *const keys[] = { "errors", "warnings" };

    for (size_t i = 0; i < 2; i++)
        if (json_is_array(json_object_get(o, keys[i])) &&
            json_array_size(json_object_get(o, keys[i])) == 0)
            json_object_del(o, keys[i]);
}

static char *call_of(json_t *example)
{
    static const char form[] = "(function () { var i = %s; if (i.recvTime) i.recvTime = new "
                               "Date(i.recvTime); return %s(i) })()";
    char *input = json_dumps(json_object_get(example, "input"), JSON_ENSURE_ASCII);
    const char *routine = json_string_value(json_object_get(example, "routine"));
    size_t size = sizeof form + strlen(input) + strlen(routine);
    char *call = malloc(size);

    assert_non_null(call);
    snprintf(call, size, form, input, routine);
    free(input);
    return call;
}

static void check(json_t *example)
{
    const char *name = json_string_value(json_object_get(example, "codec"));
    json_t *expected = json_object_get(example, "expected");
    struct lower_result r;
    size_t size;
    char *source = read_script(name, &size), *call = call_of(example);

    if (lower_source(source, size, &r) != 0)
        fail_msg("%s:%d:%d: %s", name, r.line, r.column, r.why);
    char *value = lowered_value(r.text, r.size, call);
    json_t *found = json_loads(value, JSON_DECODE_ANY, NULL);
    if (!found)
        fail_msg("%s: %s", name, value);
    drop_empty(found);
    drop_empty(expected);
    if (!is_same(found, expected))
        fail_msg("%s, %s: %s", name, json_string_value(json_object_get(example, "description")),
                 value);
    json_decref(found);
    free(value);
    free(call);
    free(source);
    free(r.text);
}

static void decodes_the_examples_of_the_scripts(void **state)
{
    char path[800];
    json_t *example;
    size_t i;

    (void)state;
    snprintf(path, sizeof path, "%s/examples.json", folder);
    json_t *all = json_load_file(path, 0, NULL);
    json_t *examples = json_object_get(all, "examples");
    assert_int_equal(json_array_size(examples), EXAMPLES);
    json_array_foreach(examples, i, example) check(example);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_the_examples_of_the_scripts),
    };
    const char *shared = getenv("SLUICE_SHARED"), *source = getenv("SLUICE_SOURCE");

    if (shared)
        snprintf(folder, sizeof folder, "%s/vectors/codecs", shared);
    else
        snprintf(folder, sizeof folder, "%s/../shared/vectors/codecs", source ? source : ".");
    FILE *f = fopen(folder, "r");
    if (!f) {
        printf("skipped: %s is not there; SLUICE_SHARED names the folder with the vectors\n",
               folder);
        return 77;
    }
    fclose(f);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
