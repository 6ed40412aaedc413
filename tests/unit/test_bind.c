/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/conf/bind.h"
#include "gateway/conf/value.h"
#include "tests/unit/folder.h"

struct item {
    const char *id;
    int64_t n;
    const char *to;
};

struct alpha {
    int64_t port;
    const char *secret;
};

struct part {
    const char *id;
    struct field_variant type;
};

struct root {
    bool is_on;
    int64_t count, wait_ms, bytes;
    double ratio;
    const char *text;
    int word;
    struct field_range span;
    struct {
        const char *name;
    } group;
    struct field_array items, map, texts, parts;
};

static bool text_is_ok(const char *text, char *why, size_t size)
{
    if (strcmp(text, "bad") != 0)
        return true;
    snprintf(why, size, "this text is bad");
    return false;
}

#define AT(type, member) .offset = offsetof(struct type, member)

static const char *const words[] = { "above", "below", NULL };

static const struct field group_fields[] = {
    { .name = "name", .type = FIELD_TEXT, .offset = 0, .dflt = "none" },
    { 0 },
};

static const struct field item_fields[] = {
    { .name = "id", .type = FIELD_ID, AT(item, id), .flags = FIELD_REQUIRED | FIELD_UNIQUE },
    { .name = "n", .type = FIELD_INT, AT(item, n), .dflt = "-1", .min = 0, .max = 9 },
    { .name = "to", .type = FIELD_REF, AT(item, to), .path = "items" },
    { 0 },
};

static const struct field alpha_fields[] = {
    { .name = "port", .type = FIELD_INT, AT(alpha, port), .flags = FIELD_REQUIRED },
    { .name = "secret", .type = FIELD_TEXT, AT(alpha, secret), .flags = FIELD_SECRET },
    { 0 },
};

static const struct field_kind kinds[] = {
    { .name = "alpha", .fields = alpha_fields, .size = sizeof(struct alpha) },
    { 0 },
};

static const struct field part_fields[] = {
    { .name = "id", .type = FIELD_ID, AT(part, id), .flags = FIELD_REQUIRED },
    { .name = "type", .type = FIELD_VARIANT, AT(part, type), .flags = FIELD_REQUIRED },
    { 0 },
};

static const struct field root_fields[] = {
    { .name = "on", .type = FIELD_BOOL, AT(root, is_on), .dflt = "true" },
    { .name = "count", .type = FIELD_INT, AT(root, count), .dflt = "3", .min = 1, .max = 5 },
    { .name = "wait",
      .type = FIELD_DURATION,
      AT(root, wait_ms),
      .dflt = "5s",
      .min = 100,
      .max = 60000 },
    { .name = "size", .type = FIELD_SIZE, AT(root, bytes), .dflt = "4kB" },
    { .name = "ratio", .type = FIELD_DOUBLE, AT(root, ratio) },
    { .name = "text", .type = FIELD_TEXT, AT(root, text), .is_ok = text_is_ok },
    { .name = "word", .type = FIELD_ENUM, AT(root, word), .dflt = "below", .words = words },
    { .name = "span", .type = FIELD_RANGE, AT(root, span) },
    { .name = "group", .type = FIELD_GROUP, AT(root, group), .fields = group_fields },
    { .name = "items",
      .type = FIELD_LIST,
      AT(root, items),
      .fields = item_fields,
      .size = sizeof(struct item) },
    { .name = "map",
      .type = FIELD_MAP,
      AT(root, map),
      .fields = item_fields,
      .max = 2,
      .size = sizeof(struct item) },
    { .name = "texts", .type = FIELD_TEXTS, AT(root, texts) },
    { .name = "parts",
      .type = FIELD_LIST,
      AT(root, parts),
      .fields = part_fields,
      .size = sizeof(struct part) },
    { 0 },
};

struct bound {
    struct diag *d;
    struct arena arena;
    struct yaml *files[3];
    struct bind *b;
    struct root root;
};

static void bind_texts(struct bound *b, const char *const *texts, size_t n)
{
    static const struct bind_kinds choices[] = { { "parts", kinds }, { 0 } };
    static const char *const names[] = { "a.yaml", "b.yaml", "c.yaml" };

    *b = (struct bound){ 0 };
    assert_int_equal(diag_create(&b->d), 0);
    for (size_t i = 0; i < n; i++) {
        b->files[i] = yaml_load_text(names[i], texts[i], strlen(texts[i]), b->d);
        assert_non_null(b->files[i]);
    }
    const struct bind_input in = { .files = b->files,
                                   .n = n,
                                   .fields = root_fields,
                                   .kinds = choices,
                                   .arena = &b->arena,
                                   .d = b->d };
    assert_int_equal(bind_create(&in, &b->root, &b->b), 0);
}

static void bind_text(struct bound *b, const char *text)
{
    bind_texts(b, &text, 1);
}

static void done(struct bound *b)
{
    bind_destroy(b->b);
    for (size_t i = 0; i < 3; i++)
        yaml_destroy(b->files[i]);
    arena_done(&b->arena);
    diag_destroy(b->d);
}

static void assert_message(struct bound *b, size_t i, int line, int column, int code,
                           const char *text)
{
    assert_true(i < diag_count(b->d));
    struct diag_message m = diag_get(b->d, i);
    assert_string_equal(m.text, text);
    assert_int_equal(m.mark.line, line);
    assert_int_equal(m.mark.column, column);
    assert_int_equal(m.code, code);
}

/* The text gives exactly this one error. */
static void assert_refused(const char *text, int line, int column, int code,
                           const char *message)
{
    struct bound b;

    bind_text(&b, text);
    assert_message(&b, 0, line, column, code, message);
    assert_int_equal(diag_errors(b.d), 1);
    done(&b);
}

static void fills_defaults(void **state)
{
    struct bound b;

    (void)state;
    bind_text(&b, "");
    assert_int_equal(diag_errors(b.d), 0);
    assert_true(b.root.is_on);
    assert_int_equal(b.root.count, 3);
    assert_int_equal(b.root.wait_ms, 5000);
    assert_int_equal(b.root.bytes, 4000);
    assert_true(isnan(b.root.ratio));
    assert_null(b.root.text);
    assert_int_equal(b.root.word, 1);
    assert_true(isnan(b.root.span.min) && isnan(b.root.span.max));
    assert_string_equal(b.root.group.name, "none");
    assert_int_equal(b.root.items.n, 0);
    done(&b);
}

static void binds_every_type(void **state)
{
    struct bound b;

    (void)state;
    bind_text(&b, "on: false\ncount: 5\nwait: 1.5 s\nsize: 64MiB\nratio: -2.5e-1\ntext: no\n"
                  "word: above\nspan: [-1, ~]\ngroup: {name: 滨河}\n"
                  "items:\n  - {id: x, n: 7}\n  - {id: y, to: x}\n"
                  "map: {p: {n: 1}, q: }\ntexts: [a, b]\n"
                  "parts: [{id: z, type: alpha, port: 502, secret: s}]\n");
    const struct item *items = b.root.items.items, *map = b.root.map.items;
    const struct part *part = b.root.parts.items;
    const struct alpha *alpha = part->type.options;

    assert_int_equal(diag_errors(b.d), 0);
    assert_false(b.root.is_on);
    assert_int_equal(b.root.count, 5);
    assert_int_equal(b.root.wait_ms, 1500);
    assert_int_equal(b.root.bytes, 64 << 20);
    assert_true(b.root.ratio == -0.25);
    assert_string_equal(b.root.text, "no");
    assert_int_equal(b.root.word, 0);
    assert_true(b.root.span.min == -1 && isnan(b.root.span.max));
    assert_string_equal(b.root.group.name, "滨河");
    assert_int_equal(b.root.items.n, 2);
    assert_int_equal(items[0].n, 7);
    assert_int_equal(items[1].n, -1);
    assert_string_equal(items[1].to, "x");
    assert_int_equal(b.root.map.n, 2);
    assert_string_equal(map[1].id, "q");
    assert_string_equal(((const char **)b.root.texts.items)[1], "b");
    assert_string_equal(part->type.kind->name, "alpha");
    assert_int_equal(alpha->port, 502);
    done(&b);
}

static void remembers_where_values_stand(void **state)
{
    struct bound b;

    (void)state;
    bind_text(&b, "count: 4\nitems:\n  - id: x\n    n: 3\n");
    struct item *items = b.root.items.items;
    assert_int_equal(bind_mark(b.b, &b.root.count).column, 8);
    assert_int_equal(bind_mark(b.b, &items[0].n).line, 4);
    assert_int_equal(bind_mark(b.b, &items[0].id).column, 9);
    assert_int_equal(bind_item_mark(b.b, &items[0]).column, 5);
    assert_int_equal(bind_mark(b.b, &items[0].to).line, 0);
    assert_string_equal(bind_mark(b.b, &items[0].n).file, "a.yaml");
    done(&b);
}

static void joins_lists_and_refuses_the_rest_twice(void **state)
{
    const char *const texts[] = { "items: [{id: x}]\ncount: 2\n", "items: [{id: y, to: z}]\n",
                                  "items: [{id: z}, {id: x}]\ncount: 3\n" };
    struct bound b;

    (void)state;
    bind_texts(&b, texts, 3);
    assert_int_equal(b.root.items.n, 4);
    assert_int_equal(b.root.count, 2);
    assert_int_equal(diag_errors(b.d), 2);
    assert_message(&b, 0, 1, 23, E_DUPLICATE_ID,
                   "id 'x' is used twice in 'items', first in a.yaml:1");
    assert_message(&b, 1, 2, 8, E_CONFLICT,
                   "'count' may stand in one file only, it stands in a.yaml:2 too");
    done(&b);
}

static void joins_texts_of_all_files(void **state)
{
    const char *const texts[] = { "texts: [a, b]\n", "count: 2\n", "texts: c\n" };
    struct bound b;

    (void)state;
    bind_texts(&b, texts, 3);
    assert_int_equal(diag_errors(b.d), 0);
    assert_int_equal(b.root.texts.n, 3);
    assert_string_equal(((const char **)b.root.texts.items)[0], "a");
    assert_string_equal(((const char **)b.root.texts.items)[2], "c");
    done(&b);
}

static void refuses_wrong_values(void **state)
{
    (void)state;
    assert_refused("on: yes\n", 1, 5, E_VALUE,
                   "expected true or false, got 'yes', did you mean 'true'?");
    assert_refused("count: 9\n", 1, 8, E_RANGE, "'count' must be between 1 and 5, got 9");
    assert_refused("count: 1e3\n", 1, 8, E_VALUE, "expected a whole number, got '1e3'");
    assert_refused("count: 99999999999999999999\n", 1, 8, E_VALUE,
                   "expected a whole number, got '99999999999999999999'");
    assert_refused("wait: 5\n", 1, 7, E_VALUE,
                   "expected a duration such as 10s, got '5', did you mean '5s'?");
    assert_refused("wait: 5m\n", 1, 7, E_VALUE,
                   "expected a duration such as 10s, got '5m', did you mean '5min'?");
    assert_refused("wait: 1h\n", 1, 7, E_RANGE,
                   "'wait' must be between 100ms and 1min, got 1h");
    assert_refused("size: -1kB\n", 1, 7, E_RANGE, "'size' must not be negative, got -1kB");
    assert_refused("ratio: nan\n", 1, 8, E_VALUE, "expected a number, got 'nan'");
    assert_refused("ratio: 0x10\n", 1, 8, E_VALUE, "expected a number, got '0x10'");
    assert_refused("text: bad\n", 1, 7, E_VALUE, "this text is bad");
    assert_refused("text:\n", 1, 1, E_VALUE, "expected a text for 'text', got nothing");
    assert_refused("word: abov\n", 1, 7, E_WORD,
                   "expected one of above or below, got 'abov', did you mean 'above'?");
    assert_refused("span: [3, 1]\n", 1, 7, E_RANGE,
                   "the first number of 'span' must be below the second, got 3 and 1");
    assert_refused("span: [1]\n", 1, 7, E_KIND,
                   "expected two numbers [min, max] for 'span', got a list");
    assert_refused(
        "items: [{id: A b}]\n", 1, 14, E_VALUE,
        "expected an id (small letters, digits, '-' and '_', at most 64), got 'A b', "
        "did you mean 'a-b'?");
    assert_refused("map: {a: , b: , c: }\n", 1, 6, E_RANGE, "'map' takes 0 to 2 items, got 3");
}

static void refuses_wrong_kinds_and_keys(void **state)
{
    (void)state;
    assert_refused("count: [1]\n", 1, 8, E_KIND,
                   "expected a whole number for 'count', got a list");
    assert_refused("group: x\n", 1, 8, E_KIND,
                   "expected a mapping (key: value) for 'group', got 'x'");
    assert_refused("items: {x: 1}\n", 1, 8, E_KIND,
                   "expected a list ('- ' before each item) for 'items', got a mapping");
    assert_refused("items: [x]\n", 1, 9, E_KIND,
                   "expected a mapping (key: value) for 'items', got 'x'");
    assert_refused("texts: [[a]]\n", 1, 9, E_KIND, "expected a text for 'texts', got a list");
    assert_refused("conut: 1\n", 1, 1, E_UNKNOWN_KEY,
                   "unknown key 'conut', did you mean 'count'?");
    assert_refused("group: {zzz: 1}\n", 1, 9, E_UNKNOWN_KEY,
                   "unknown key 'zzz', known here: name");
    assert_refused("items: [{n: 1}]\n", 1, 9, E_MISSING_KEY, "key 'id' is missing here");
    assert_refused("map: {a: {id: b}}\n", 1, 11, E_UNKNOWN_KEY,
                   "unknown key 'id', known here: n or to");
    assert_refused("[1]\n", 1, 1, E_KIND,
                   "expected a mapping (key: value) at the top of the file");
}

static void chooses_a_kind_by_its_word(void **state)
{
    (void)state;
    assert_refused("parts: [{id: a, type: alhpa, what: 1}]\n", 1, 23, E_WORD,
                   "expected one of alpha for 'type', got 'alhpa', did you mean 'alpha'?");
    assert_refused("parts: [{id: a, what: 1}]\n", 1, 9, E_MISSING_KEY,
                   "key 'type' is missing here");
    assert_refused("parts: [{id: a, type: alpha}]\n", 1, 9, E_MISSING_KEY,
                   "key 'port' is missing here");
    assert_refused("parts: [{id: a, type: alpha, port: 1, prot: 2}]\n", 1, 39, E_UNKNOWN_KEY,
                   "unknown key 'prot', did you mean 'port'?");
}

static void looks_references_up(void **state)
{
    (void)state;
    assert_refused("items: [{id: roof, to: rooof}]\n", 1, 24, E_REFERENCE,
                   "nothing in 'items' is called 'rooof', did you mean 'roof'?");
    assert_refused("map: {a: {to: x}}\n", 1, 15, E_REFERENCE,
                   "nothing in 'items' is called 'x', it is empty");
}

static void goes_on_after_errors(void **state)
{
    struct bound b;

    (void)state;
    bind_text(&b, "on: 3\ncount: x\nfoo: 1\nitems:\n  - {id: a, to: b}\n  - {n: 99}\n");
    assert_int_equal(diag_errors(b.d), 6);
    done(&b);
}

/* A file with a secret in a folder of its own; the folder's path in `dir`. */
static void write_secret(char *dir, const char *text, mode_t mode)
{
    char path[64];

    assert_true(folder_make(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void bind_with_secret(struct bound *b, const char *dir)
{
    char text[128];

    snprintf(text, sizeof text, "parts: [{id: a, type: alpha, port: 1, secret_file: %s/s}]\n",
             dir);
    bind_text(b, text);
}

static void reads_a_secret_from_a_file(void **state)
{
    char dir[FOLDER_MAX];
    struct bound b;

    (void)state;
    write_secret(dir, "hunter2\n", 0600);
    bind_with_secret(&b, dir);
    const struct part *p = b.root.parts.items;
    assert_int_equal(diag_errors(b.d) + diag_warnings(b.d), 0);
    assert_string_equal(((struct alpha *)p->type.options)->secret, "hunter2");
    done(&b);
    folder_remove(dir);
}

static void warns_when_everybody_may_read_a_secret(void **state)
{
    char dir[FOLDER_MAX];
    struct bound b;

    (void)state;
    write_secret(dir, "hunter2", 0644);
    bind_with_secret(&b, dir);
    assert_int_equal(diag_errors(b.d), 0);
    assert_int_equal(diag_warnings(b.d), 1);
    assert_non_null(strstr(diag_get(b.d, 0).text, "everybody may read"));
    done(&b);
    folder_remove(dir);
}

static void refuses_secret_files_without_a_secret(void **state)
{
    char dir[FOLDER_MAX];
    struct bound b;

    (void)state;
    write_secret(dir, "\n", 0600);
    bind_with_secret(&b, dir);
    assert_int_equal(diag_errors(b.d), 1);
    assert_int_equal(diag_get(b.d, 0).code, E_SECRET);
    done(&b);
    folder_remove(dir);
    bind_with_secret(&b, dir);
    assert_int_equal(diag_errors(b.d), 1);
    assert_non_null(strstr(diag_get(b.d, 0).text, "cannot read the secret file"));
    done(&b);
}

static void writes_numbers_that_read_back(void **state)
{
    static const double numbers[] = { 0, 0.1, -0.05, 160, 1e300, 1.0 / 3, 12345678.9, 5e-324 };
    char text[VALUE_TEXT_MAX];
    int64_t v;
    double d;

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        value_double_text(numbers[i], text);
        assert_int_equal(value_parse_double(text, &d), 0);
        assert_true(d == numbers[i]);
    }
    value_double_text(160, text);
    assert_string_equal(text, "160");
    value_duration_text(90000, text);
    assert_string_equal(text, "90s");
    value_duration_text(7200000, text);
    assert_string_equal(text, "2h");
    value_size_text(64 << 20, text);
    assert_string_equal(text, "64MiB");
    assert_int_equal(value_parse_duration("9e99d", &v), -ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_defaults),
        cmocka_unit_test(binds_every_type),
        cmocka_unit_test(remembers_where_values_stand),
        cmocka_unit_test(joins_lists_and_refuses_the_rest_twice),
        cmocka_unit_test(joins_texts_of_all_files),
        cmocka_unit_test(refuses_wrong_values),
        cmocka_unit_test(refuses_wrong_kinds_and_keys),
        cmocka_unit_test(chooses_a_kind_by_its_word),
        cmocka_unit_test(looks_references_up),
        cmocka_unit_test(goes_on_after_errors),
        cmocka_unit_test(reads_a_secret_from_a_file),
        cmocka_unit_test(warns_when_everybody_may_read_a_secret),
        cmocka_unit_test(refuses_secret_files_without_a_secret),
        cmocka_unit_test(writes_numbers_that_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
