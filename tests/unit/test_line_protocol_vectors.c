/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance cases of influxdata/line-protocol: our reader and our writer against them. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/uplink/line_parse.h"

#include "unit.h"

struct tally {
    int decoded, encoded, failed;
};

static size_t decode_base64(const char *in, char *out)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, have = 0;
    size_t n = 0;

    for (; *in && *in != '='; in++) {
        bits = bits << 6 | (unsigned)(strchr(digits, *in) - digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (char)(bits >> have & 0xff);
        }
    }
    return n;
}

static size_t text_of(json_t *v, char *out)
{
    if (json_is_object(v))
        return decode_base64(json_string_value(json_object_get(v, "b64")), out);
    memcpy(out, json_string_value(v), json_string_length(v));
    return json_string_length(v);
}

static int64_t unit_of(const char *precision)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {
        { "1s", 1000000000 }, { "1ms", 1000000 }, { "1us", 1000 }, { "1µs", 1000 }, { "1ns", 1 }
    };

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(units[i].name, precision) == 0)
            return units[i].ns;
    fail_msg("the precision %s is not known", precision);
    return 1;
}

static bool is_equal(struct line_text t, json_t *v)
{
    return json_is_string(v) && json_string_length(v) == t.n &&
           memcmp(json_string_value(v), t.p, t.n) == 0;
}

static bool value_matches(const struct line_field *f, json_t *expected)
{
    switch (f->type) {
    case LINE_FLOAT:
        return json_number_value(json_object_get(expected, "float")) == f->number;
    case LINE_INT:
        return json_is_integer(json_object_get(expected, "int")) &&
               json_integer_value(json_object_get(expected, "int")) == f->integer;
    case LINE_UINT: {
        json_t *v = json_object_get(expected, "uint");
        return json_is_integer(v) ? (uint64_t)json_integer_value(v) == f->natural
                                  : json_number_value(v) == (double)f->natural;
    }
    case LINE_BOOL:
        return json_is_boolean(json_object_get(expected, "bool")) &&
               json_is_true(json_object_get(expected, "bool")) == f->truth;
    case LINE_STRING:
        return is_equal(f->text, json_object_get(expected, "string"));
    }
    return false;
}

static bool point_matches(const struct line_point *p, json_t *expected, int64_t unit,
                          int64_t dflt_ns)
{
    json_t *tags = json_object_get(expected, "tags"),
           *fields = json_object_get(expected, "fields");
    int64_t time_ns = p->has_time ? p->time * unit : dflt_ns;

    if (!is_equal(p->measurement, json_object_get(expected, "name")) ||
        json_integer_value(json_object_get(expected, "time")) != time_ns ||
        json_array_size(tags) != p->tags_n || json_array_size(fields) != p->fields_n)
        return false;
    for (size_t i = 0; i < p->tags_n; i++)
        if (!is_equal(p->tags[i].key, json_array_get(json_array_get(tags, i), 0)) ||
            !is_equal(p->tags[i].value, json_array_get(json_array_get(tags, i), 1)))
            return false;
    for (size_t i = 0; i < p->fields_n; i++)
        if (!is_equal(p->fields[i].key, json_array_get(json_array_get(fields, i), 0)) ||
            !value_matches(&p->fields[i], json_array_get(json_array_get(fields, i), 1)))
            return false;
    return true;
}

static bool decode_case_holds(json_t *c)
{
    json_t *points = json_object_get(json_object_get(c, "expect"), "points");
    int64_t unit = unit_of(json_string_value(json_object_get(c, "precision")));
    int64_t dflt = json_integer_value(json_object_get(c, "default_time_ns"));
    char *text = malloc(1 << 20);
    struct line_parser q;
    struct line_point p;
    size_t n = 0;
    bool holds = true;
    int rc;

    assert_non_null(text);
    size_t size = text_of(json_object_get(c, "text"), text);
    assert_int_equal(line_parser_init(&q, text, size), 0);
    while ((rc = line_parse_next(&q, &p)) == 1) {
        if (points && !point_matches(&p, json_array_get(points, n), unit, dflt / unit * unit))
            holds = false;
        n++;
    }
    line_parser_done(&q);
    free(text);
    return points ? holds && rc == 0 && n == json_array_size(points) : rc < 0;
}

static struct line_text text_member(json_t *o, const char *name)
{
    json_t *v = json_object_get(o, name);
    return (struct line_text){ json_string_value(v), json_string_length(v) };
}

static struct line_field field_of(json_t *o)
{
    struct line_field f = { .key = text_member(o, "key") };
    json_t *value = json_object_get(o, "value");
    const char *type = json_object_iter_key(json_object_iter(value));
    json_t *v = json_object_get(value, type);

    if (strcmp(type, "float") == 0) {
        f.type = LINE_FLOAT;
        f.number = json_number_value(v);
    } else if (strcmp(type, "int") == 0) {
        f.type = LINE_INT;
        f.integer = json_integer_value(v);
    } else if (strcmp(type, "uint") == 0) {
        f.type = LINE_UINT;
        f.natural = json_is_integer(v) ? (uint64_t)json_integer_value(v) : UINT64_MAX;
    } else if (strcmp(type, "bool") == 0) {
        f.type = LINE_BOOL;
        f.truth = json_is_true(v);
    } else {
        f.type = LINE_STRING;
        f.text = (struct line_text){ json_string_value(v), json_string_length(v) };
    }
    return f;
}

static bool encode_case_holds(json_t *c)
{
    json_t *point = json_object_get(c, "point");
    json_t *tags = json_object_get(point, "tags"), *fields = json_object_get(point, "fields");

    assert_true(json_array_size(tags) <= LINE_TAGS_MAX);
    assert_true(json_array_size(fields) <= LINE_FIELDS_MAX);
    const char *result =
        json_string_value(json_object_get(json_object_get(c, "expect"), "result"));
    int64_t time_ns = json_integer_value(json_object_get(point, "time"));
    struct line_tag tag[LINE_TAGS_MAX];
    struct line_field field[LINE_FIELDS_MAX];
    struct buf b = BUF_INIT(1 << 20);

    for (size_t i = 0; i < json_array_size(tags); i++) {
        json_t *t = json_array_get(tags, i);
        tag[i] = (struct line_tag){ text_member(t, "key"), text_member(t, "value") };
    }
    for (size_t i = 0; i < json_array_size(fields); i++)
        field[i] = field_of(json_array_get(fields, i));

    int rc = line_write_point(
        &b, &(struct line_point){
                .measurement = text_member(point, "name"),
                .tags = tag,
                .tags_n = json_array_size(tags),
                .fields = field,
                .fields_n = json_array_size(fields),
                .has_time = true,
                .time = time_ns / unit_of(json_string_value(json_object_get(c, "precision"))),
            });
    bool holds = result
                     ? rc == 0 && b.size == strlen(result) + 1 &&
                           memcmp(b.data, result, b.size - 1) == 0 && b.data[b.size - 1] == '\n'
                     : rc < 0 && b.size == 0;
    if (!holds)
        print_message("wrote: %.*s", (int)b.size, b.data ? b.data : "");
    buf_done(&b);
    return holds;
}

static void take_case(const char *line, struct tally *t)
{
    json_error_t error;
    json_t *c = json_loads(line, JSON_ALLOW_NUL, &error);

    if (!c) /* unsigned numbers beyond 63 bits: the JSON library refuses them as integers */
        c = json_loads(line, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    assert_non_null(c);
    bool is_encode = json_is_true(json_object_get(c, "encode"));
    bool holds = is_encode ? encode_case_holds(c) : decode_case_holds(c);
    if (!holds) {
        print_message("%.300s\n", line);
        t->failed++;
    }
    t->encoded += is_encode;
    t->decoded += !is_encode;
    json_decref(c);
}

static void agrees_with_every_conformance_case(void **state)
{
    const char *shared = getenv("SLUICE_SHARED"), *source = getenv("SLUICE_SOURCE");
    char path[4096];
    static char line[1 << 20];
    struct tally t = { 0 };

    (void)state;
    if (shared)
        snprintf(path, sizeof path, "%s/vectors/lineprotocol_cases.txt", shared);
    else
        snprintf(path, sizeof path, "%s/../shared/vectors/lineprotocol_cases.txt",
                 source ? source : ".");
    FILE *f = fopen(path, "r");
    if (!f) {
        print_message("no conformance cases at %s\n", path);
        skip();
    }
    while (fgets(line, sizeof line, f)) {
        assert_non_null(strchr(line, '\n')); /* no line is longer than there is room for */
        if (line[0] == '{')
            take_case(line, &t);
        else
            assert_true(line[0] == '#' || line[0] == '\n');
    }
    fclose(f);
    assert_true(t.decoded + t.encoded > 0);
    assert_int_equal(t.failed, 0);
}

/* What the file of cases does not have, in its form. */
static const char *const own_cases[] = {
    "{\"text\": \"#\\n#a\\u0015\\ncpu v=1\", \"precision\": \"1ns\", \"default_time_ns\": 1,"
    " \"expect\": {\"error\": \"\"}}",
    "{\"text\": \"#\\r\\n# b=\\u00b5\\r\\ncpu v=1 2\", \"precision\": \"1us\","
    " \"default_time_ns\": 1, \"expect\": {\"points\": [{\"time\": 2000, \"name\": \"cpu\","
    " \"tags\": [], \"fields\": [[\"v\", {\"float\": 1}]]}]}}",
    "{\"encode\": true, \"point\": {\"time\": 1, \"name\": \"a\", \"tags\": [], \"fields\":"
    " [{\"key\": \"b\", \"value\": {\"float\": 6632243}}, {\"key\": \"c\", \"value\":"
    " {\"float\": 999999.5}}, {\"key\": \"d\", \"value\": {\"float\": 0.0001}}, {\"key\":"
    " \"e\", \"value\": {\"float\": 0.000012}}, {\"key\": \"f\", \"value\": {\"float\":"
    " -1e21}}, {\"key\": \"g\", \"value\": {\"float\": 0}}]}, \"precision\": \"1ns\","
    " \"expect\": {\"result\": \"a b=6.632243e+06,c=999999.5,d=0.0001,e=1.2e-05,f=-1e+21,g=0"
    " 1\"}}",
};

static void agrees_with_cases_of_its_own(void **state)
{
    struct tally t = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof own_cases / sizeof own_cases[0]; i++)
        take_case(own_cases[i], &t);
    assert_int_equal(t.failed, 0);
}

static void takes_as_many_tags_as_it_says(void **state)
{
    struct line_parser q;
    struct line_point p;
    struct buf b = BUF_INIT(1 << 16);

    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        b.size = 0;
        buf_printf(&b, "cpu");
        for (int i = 0; i < LINE_TAGS_MAX + extra; i++)
            buf_printf(&b, ",t%d=v", i);
        buf_printf(&b, " v=1 1\n");
        assert_int_equal(line_parser_init(&q, (const char *)b.data, b.size), 0);
        assert_int_equal(line_parse_next(&q, &p), extra ? -EINVAL : 1);
        line_parser_done(&q);
    }
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_cases_of_its_own),
        cmocka_unit_test(takes_as_many_tags_as_it_says),
        cmocka_unit_test(agrees_with_every_conformance_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
