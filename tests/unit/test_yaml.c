/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/conf/yaml.h"

struct loaded {
    struct diag *d;
    struct yaml *y;
};

static struct loaded load_bytes(const char *text, size_t size)
{
    struct loaded l = { 0 };

    assert_int_equal(diag_create(&l.d), 0);
    l.y = yaml_load_text("t.yaml", text, size, l.d);
    return l;
}

static struct loaded load(const char *text)
{
    return load_bytes(text, strlen(text));
}

static void unload(struct loaded *l)
{
    yaml_destroy(l->y);
    diag_destroy(l->d);
}

static void assert_message(struct loaded *l, size_t i, int line, int column, int code,
                           const char *part)
{
    assert_true(i < diag_count(l->d));
    struct diag_message m = diag_get(l->d, i);
    assert_int_equal(m.mark.line, line);
    assert_int_equal(m.mark.column, column);
    assert_int_equal(m.code, code);
    if (!strstr(m.text, part))
        fail_msg("'%s' is not in '%s'", part, m.text);
}

/* The text gives exactly this one error, and no tree. */
static void assert_refused(const char *text, int line, int column, int code, const char *part)
{
    struct loaded l = load(text);

    assert_null(l.y);
    assert_int_equal(diag_errors(l.d), 1);
    assert_message(&l, 0, line, column, code, part);
    unload(&l);
}

static void assert_place(struct loaded *l, struct fy_node *node, int line, int column,
                         int width)
{
    struct field_mark m = yaml_mark(l->y, node);

    assert_string_equal(m.file, "t.yaml");
    assert_int_equal(m.line, line);
    assert_int_equal(m.column, column);
    assert_int_equal(yaml_width(node), width);
}

static void knows_the_place_of_every_node(void **state)
{
    struct loaded l = load("a: 滨河\nb:\n  - {c: d, 站: \"e f\"}\n");
    struct fy_node *root = yaml_root(l.y), *b = yaml_find(root, "b");
    struct fy_node *item = fy_node_sequence_get_by_index(b, 0);

    (void)state;
    assert_place(&l, root, 1, 1, 1);
    assert_place(&l, yaml_find(root, "a"), 1, 4, 2);
    assert_place(&l, b, 3, 3, 1);
    assert_place(&l, item, 3, 5, 1);
    assert_place(&l, yaml_find(item, "c"), 3, 9, 1);
    assert_place(&l, yaml_find(item, "站"), 3, 16, 3);
    assert_string_equal(yaml_text(yaml_find(item, "站")), "e f");
    unload(&l);
}

static void takes_words_as_texts(void **state)
{
    struct loaded l = load("a: no\nb: 0777\nc: 'null'\nd: ~\ne:\nf: \"\"\n");
    struct fy_node *root = yaml_root(l.y);

    (void)state;
    assert_string_equal(yaml_text(yaml_find(root, "a")), "no");
    assert_string_equal(yaml_text(yaml_find(root, "b")), "0777");
    assert_false(yaml_is_null(yaml_find(root, "c")));
    assert_true(yaml_is_null(yaml_find(root, "d")));
    assert_true(yaml_is_null(yaml_find(root, "e")));
    assert_false(yaml_is_null(yaml_find(root, "f")));
    assert_null(yaml_find(root, "g"));
    unload(&l);
}

static void takes_an_empty_document(void **state)
{
    struct loaded l = load("# nothing\n");

    (void)state;
    assert_non_null(l.y);
    assert_null(yaml_root(l.y));
    unload(&l);
}

static void skips_a_byte_order_mark(void **state)
{
    struct loaded l = load("\xef\xbb\xbf"
                           "a: b\n");

    (void)state;
    assert_non_null(l.y);
    assert_place(&l, yaml_find(yaml_root(l.y), "a"), 1, 4, 1);
    unload(&l);
}

static void tells_all_duplicate_keys_and_keeps_the_first(void **state)
{
    struct loaded l = load("a: 1\nb: {c: 1, c: 2}\na: 3\na: 4\n");

    (void)state;
    assert_int_equal(diag_errors(l.d), 3);
    assert_message(&l, 0, 2, 11, E_DUPLICATE_KEY, "'c' stands twice, first in line 2");
    assert_message(&l, 1, 3, 1, E_DUPLICATE_KEY, "'a' stands twice, first in line 1");
    assert_message(&l, 2, 4, 1, E_DUPLICATE_KEY, "first in line 1");
    assert_non_null(l.y);
    assert_string_equal(yaml_text(yaml_find(yaml_root(l.y), "a")), "1");
    unload(&l);
}

static void puts_in_what_an_alias_stands_for(void **state)
{
    struct loaded l = load("a: &x {k: [1, 2]}\nb: *x\n");
    struct fy_node *b = yaml_find(yaml_root(l.y), "b");

    (void)state;
    assert_true(fy_node_is_mapping(b));
    assert_int_equal(fy_node_sequence_item_count(yaml_find(b, "k")), 2);
    assert_place(&l, b, 1, 7, 1);
    unload(&l);
}

static void refuses_what_is_not_well_formed(void **state)
{
    (void)state;
    assert_refused("a: 1\nb:\n\t- c\n", 3, 1, E_SYNTAX, "a tab stands in the indentation");
    assert_refused("a: 'x\n", 1, 5, E_SYNTAX, "never closed");
    assert_refused("a: [1,\n  2\n", 1, 4, E_SYNTAX, "'[' is never closed");
    assert_refused("a: b: c\n", 1, 5, E_SYNTAX, "a second ': '");
    assert_refused("a: @x\n", 1, 4, E_SYNTAX, "'@'");
    assert_refused("a: 1\n---\nb: 1\n", 2, 1, E_SYNTAX, "a second document");
    assert_refused("a: !!int 3\n", 1, 4, E_SYNTAX, "tags");
    assert_refused("{x: 1}: 2\n", 1, 1, E_SYNTAX, "a key must be a single word");
    assert_refused("a: *b\n", 1, 4, E_SYNTAX, "no anchor '&b'");
    assert_refused("a: &a [*a]\n", 1, 8, E_SYNTAX, "inside what it repeats");
}

static void refuses_what_is_no_clean_text(void **state)
{
    struct loaded l = load_bytes("a: x\0y\n", 7);

    (void)state;
    assert_null(l.y);
    assert_message(&l, 0, 1, 5, E_SYNTAX, "control character (code 0x00)");
    unload(&l);
    assert_refused("a: \xb1\xb1\n", 1, 4, E_SYNTAX, "not UTF-8 text, found byte 0xb1");
    assert_refused("\xff\xfe"
                   "a",
                   0, 0, E_SYNTAX, "UTF-16");
    assert_refused("a: \033[31m\n", 1, 4, E_SYNTAX, "control character (code 0x1b)");
    assert_refused("a: \"\\0\"\n", 1, 5, E_SYNTAX, "control character");
}

static void refuses_to_go_too_deep(void **state)
{
    char text[200] = "";
    struct loaded l;

    (void)state;
    memset(text, '[', YAML_DEPTH_MAX);
    memset(text + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
    l = load(text);
    assert_non_null(l.y);
    unload(&l);
    memset(text, '[', YAML_DEPTH_MAX + 1);
    text[YAML_DEPTH_MAX + 1] = '\0';
    assert_refused(text, 1, YAML_DEPTH_MAX + 1, E_FILE, "64 levels");
}

static void refuses_depth_and_size_through_aliases(void **state)
{
    struct buf b = BUF_INIT(1 << 20);

    (void)state;
    buf_puts(&b, "a0: &a0 [[[[[x]]]]]\n");
    for (int i = 1; i < 20; i++)
        buf_printf(&b, "a%d: &a%d [*a%d]\nb%d: [*a%d, *a%d]\n", i, i, i - 1, i, i - 1, i - 1);
    struct loaded l = load(buf_text(&b));
    assert_non_null(l.y);
    unload(&l);
    for (int i = 20; i < 100; i++)
        buf_printf(&b, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    assert_refused(buf_text(&b), 1, 14, E_FILE, "64 levels");

    buf_clear(&b);
    buf_puts(&b, "a0: &a0 [x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 30; i++)
        buf_printf(&b, "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
    struct loaded bomb = load(buf_text(&b));
    assert_null(bomb.y);
    assert_int_equal(diag_errors(bomb.d), 1);
    assert_non_null(strstr(diag_get(bomb.d, 0).text, "100000 values"));
    unload(&bomb);
    buf_done(&b);
}

static void refuses_a_file_that_is_too_large(void **state)
{
    struct buf b = BUF_INIT(4 << 20);
    struct loaded l;

    (void)state;
    while (b.size < YAML_FILE_MAX)
        buf_puts(&b, "# comment comment comment comment\n");
    l = load_bytes(buf_text(&b), YAML_FILE_MAX);
    assert_non_null(l.y);
    unload(&l);
    assert_refused(buf_text(&b), 0, 0, E_FILE, "larger than 1 MiB");
    buf_clear(&b);
    for (int i = 0; i <= YAML_NODES_MAX; i++)
        buf_puts(&b, "- a\n");
    l = load(buf_text(&b));
    assert_null(l.y);
    assert_message(&l, 0, YAML_NODES_MAX, 3, E_FILE, "100000 values");
    unload(&l);
    buf_done(&b);
}

static void tells_when_a_file_cannot_be_read(void **state)
{
    struct diag *d;

    (void)state;
    assert_int_equal(diag_create(&d), 0);
    assert_null(yaml_load_file("/no/such.yaml", d));
    assert_null(yaml_load_file("/", d));
    assert_null(yaml_load_file("/dev/zero", d));
    assert_int_equal(diag_errors(d), 3);
    assert_string_equal(diag_get(d, 0).text, "cannot read the file: No such file or directory");
    assert_string_equal(diag_get(d, 2).text, "cannot read the file: it is no regular file");
    diag_destroy(d);
}

static void shows_what_stands_there(void **state)
{
    struct loaded l = load("a: [x]\nb: {}\nc: long long\nd:\n");
    char out[DIAG_SHOWN_BYTES];

    (void)state;
    assert_string_equal(yaml_shown(yaml_find(yaml_root(l.y), "a"), out), "a list");
    assert_string_equal(yaml_shown(yaml_find(yaml_root(l.y), "b"), out), "a mapping");
    assert_string_equal(yaml_shown(yaml_find(yaml_root(l.y), "c"), out), "'long long'");
    assert_string_equal(yaml_shown(yaml_find(yaml_root(l.y), "d"), out), "nothing");
    unload(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_place_of_every_node),
        cmocka_unit_test(takes_words_as_texts),
        cmocka_unit_test(takes_an_empty_document),
        cmocka_unit_test(skips_a_byte_order_mark),
        cmocka_unit_test(tells_all_duplicate_keys_and_keeps_the_first),
        cmocka_unit_test(puts_in_what_an_alias_stands_for),
        cmocka_unit_test(refuses_what_is_not_well_formed),
        cmocka_unit_test(refuses_what_is_no_clean_text),
        cmocka_unit_test(refuses_to_go_too_deep),
        cmocka_unit_test(refuses_depth_and_size_through_aliases),
        cmocka_unit_test(refuses_a_file_that_is_too_large),
        cmocka_unit_test(tells_when_a_file_cannot_be_read),
        cmocka_unit_test(shows_what_stands_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
