/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/diag.h"
#include "gateway/conf/utf8.h"

static struct field_mark at(const char *file, int line, int column)
{
    return (struct field_mark){ file, line, column };
}

static struct diag *diag_of(const char *name, const char *text)
{
    struct diag *d;

    assert_int_equal(diag_create(&d), 0);
    diag_note_file(d, name);
    diag_add_source(d, name, text, strlen(text));
    return d;
}

/* Ends `d`, too. */
static void assert_prints(struct diag *d, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    diag_print(d, f);
    fclose(f);
    diag_destroy(d);
    assert_string_equal(text, expected);
    free(text);
}

static void prints_place_line_and_caret(void **state)
{
    struct diag *d = diag_of("a.yaml", "x: 1\npoll: abc\n");

    (void)state;
    diag_error(d, at("a.yaml", 2, 7), 3, E_VALUE, "expected %s", "a duration");
    assert_prints(d, "a.yaml:2:7: error: expected a duration  [E012]\n"
                     "  poll: abc\n"
                     "        ^~~\n"
                     "1 error in 1 of 1 file\n");
}

static void prints_nothing_without_messages(void **state)
{
    (void)state;
    assert_prints(diag_of("a.yaml", "x"), "");
}

static void sorts_by_file_and_line_and_counts(void **state)
{
    struct diag *d = diag_of("b.yaml", "x\ny\n");

    (void)state;
    diag_note_file(d, "a.yaml");
    diag_note_file(d, "c.yaml");
    diag_error(d, at("a.yaml", 1, 1), 1, E_VALUE, "third");
    diag_error(d, at("b.yaml", 2, 1), 1, E_VALUE, "second");
    diag_warning(d, at("b.yaml", 1, 1), 1, E_RULE, "first");
    assert_int_equal(diag_errors(d), 2);
    assert_int_equal(diag_warnings(d), 1);
    assert_prints(d, "b.yaml:1:1: warning: first  [E021]\n"
                     "  x\n"
                     "  ^\n"
                     "b.yaml:2:1: error: second  [E012]\n"
                     "  y\n"
                     "  ^\n"
                     "a.yaml:1:1: error: third  [E012]\n"
                     "2 errors and 1 warning in 2 of 3 files\n");
}

static void stands_under_the_place_after_wide_characters_and_tabs(void **state)
{
    struct diag *d = diag_of("a", "\t站: 滨河 x\n");

    (void)state;
    diag_error(d, at("a", 1, 8), 1, E_VALUE, "x");
    diag_error(d, at("a", 1, 5), 2, E_VALUE, "wide");
    assert_prints(d, "a:1:5: error: wide  [E012]\n"
                     "  \t站: 滨河 x\n"
                     "  \t    ^~~~\n"
                     "a:1:8: error: x  [E012]\n"
                     "  \t站: 滨河 x\n"
                     "  \t         ^\n"
                     "2 errors in 1 of 1 file\n");
}

static void never_passes_control_characters_on(void **state)
{
    struct diag *d = diag_of("a\033[31m", "x\033]0;y\a \xff \xe2\x80\xae\n");

    (void)state;
    diag_error(d, at("a\033[31m", 1, 9), 1, E_VALUE, "got '\r\033[2J'");
    assert_prints(d, "a\xef\xbf\xbd[31m:1:9: error: got '\xef\xbf\xbd\xef\xbf\xbd[2J'  [E012]\n"
                     "  x\xef\xbf\xbd]0;y\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd\n"
                     "          ^\n"
                     "1 error in 1 of 1 file\n");
}

static void shows_a_part_of_a_long_line(void **state)
{
    char line[1001], expected[400];
    struct diag *d;

    (void)state;
    memset(line, 'a', 1000);
    line[1000] = '\0';
    line[500] = 'X';
    d = diag_of("a", line);
    diag_error(d, at("a", 1, 501), 1, E_VALUE, "here");
    snprintf(expected, sizeof expected,
             "a:1:501: error: here  [E012]\n  ...%.59sX%.60s...\n     %59s^\n"
             "1 error in 1 of 1 file\n",
             line, line, "");
    assert_prints(d, expected);
}

static void needs_no_source_line(void **state)
{
    struct diag *d = diag_of("a", "one line");

    (void)state;
    diag_error(d, at("a", 7, 1), 1, E_VALUE, "beyond the end");
    diag_error(d, at("a", 0, 0), 0, E_FILE, "the whole file");
    diag_error(d, at(NULL, 0, 0), 0, E_FILE, "no file");
    assert_prints(d, "error: no file  [E002]\n"
                     "a: error: the whole file  [E002]\n"
                     "a:7:1: error: beyond the end  [E012]\n"
                     "3 errors in 1 of 1 file\n");
}

static void keeps_a_bounded_number_and_counts_the_rest(void **state)
{
    struct diag *d = diag_of("a", "x");

    (void)state;
    for (int i = 0; i < DIAG_MESSAGES_MAX + 5; i++)
        diag_error(d, at("a", 1, 1), 1, E_VALUE, "again");
    assert_int_equal(diag_count(d), DIAG_MESSAGES_MAX);
    assert_int_equal(diag_errors(d), DIAG_MESSAGES_MAX + 5);
    diag_destroy(d);
}

static void hides_secrets_in_source_lines(void **state)
{
    struct diag *d = diag_of("a", "{password: 'hunter2, x', token: abc, key: 滨河s}\n");

    (void)state;
    diag_hide(d, at("a", 1, 43), 3);
    diag_error(d, at("a", 1, 2), 8, E_VALUE, "here");
    assert_prints(d, "a:1:2: error: here  [E012]\n"
                     "  {password: ***********', token: ***, key: ***}\n"
                     "   ^~~~~~~~\n"
                     "1 error in 1 of 1 file\n");
}

static const char *const keys[] = { "poll", "poll_interval", "profile", "unit", "bus", "id",
                                    NULL };

static void suggests_the_nearest_word(void **state)
{
    (void)state;
    assert_string_equal(nearest_word("pol_interval", keys), "poll_interval");
    assert_string_equal(nearest_word("pol", keys), "poll");
    assert_string_equal(nearest_word("uint", keys), "unit");
    assert_string_equal(nearest_word("Profile", keys), "profile");
    assert_string_equal(nearest_word("poll-interval", keys), "poll_interval");
}

static void suggests_nothing_far_away(void **state)
{
    char longer[200];

    (void)state;
    memset(longer, 'p', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_null(nearest_word("baud", keys));
    assert_null(nearest_word("x", keys));
    assert_null(nearest_word("", keys));
    assert_null(nearest_word(longer, keys));
}

static void cuts_shown_text_at_a_character(void **state)
{
    char out[DIAG_SHOWN_BYTES];

    (void)state;
    utf8_shown("滨河站", 2, out, sizeof out);
    assert_string_equal(out, "滨河...");
    utf8_shown("滨河站", 9, out, 7);
    assert_string_equal(out, "滨...");
    utf8_shown("ab", 2, out, sizeof out);
    assert_string_equal(out, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_place_line_and_caret),
        cmocka_unit_test(prints_nothing_without_messages),
        cmocka_unit_test(sorts_by_file_and_line_and_counts),
        cmocka_unit_test(stands_under_the_place_after_wide_characters_and_tabs),
        cmocka_unit_test(never_passes_control_characters_on),
        cmocka_unit_test(shows_a_part_of_a_long_line),
        cmocka_unit_test(needs_no_source_line),
        cmocka_unit_test(keeps_a_bounded_number_and_counts_the_rest),
        cmocka_unit_test(hides_secrets_in_source_lines),
        cmocka_unit_test(suggests_the_nearest_word),
        cmocka_unit_test(suggests_nothing_far_away),
        cmocka_unit_test(cuts_shown_text_at_a_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
