/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/options.h"

#include <string.h>

#include "unit.h"

struct bound {
    const char *text;
    int64_t n;
    double speed;
    bool is_loud;
    struct option_texts set;
};

#define AT(member) .offset = offsetof(struct bound, member)

static const struct cmd_option options[] = {
    { .name = "text",
      .letter = 't',
      .type = OPTION_TEXT,
      AT(text),
      .dflt = "x",
      .value = "T",
      .help = "A text." },
    { .name = "number",
      .type = OPTION_INT,
      AT(n),
      .min = 1,
      .max = 9,
      .value = "N",
      .help = "A number." },
    { .name = "speed", .type = OPTION_DOUBLE, AT(speed), .value = "N", .help = "A factor." },
    { .name = "loud", .type = OPTION_FLAG, AT(is_loud), .help = "A flag." },
    { .name = "set", .type = OPTION_TEXTS, AT(set), .value = "K=V", .help = "Several." },
    { 0 },
};
static const struct cmd command = { .name = "try",
                                    .usage = "[FILE]",
                                    .summary = "Try.",
                                    .options = options,
                                    .options_size = sizeof(struct bound),
                                    .args_min = 0,
                                    .args_max = 1 };

static enum option_result bind(struct bound *b, int argc, const char **argv, int *args,
                               char *error)
{
    memset(b, 0, sizeof *b);
    return options_bind(&command, argc, (char **)argv, b, args, error, 256);
}

static void binds_every_form(void **state)
{
    const char *argv[] = { "--number=3", "file", "-t",        "abc",     "--loud",
                           "--set",      "a=1",  "--set=b=2", "--speed", "2.5" };
    struct bound b;
    char error[256];
    int args = 0;

    (void)state;
    assert_int_equal(bind(&b, 10, argv, &args, error), OPTION_RUN);
    assert_int_equal(b.n, 3);
    assert_string_equal(b.text, "abc");
    assert_true(b.is_loud && b.speed == 2.5);
    assert_int_equal(b.set.n, 2);
    assert_string_equal(b.set.text[1], "b=2");
    assert_int_equal(args, 1);
    assert_string_equal(argv[0], "file");
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *argv[2];
        const char *want;
    } cases[] = {
        { { "--numbr=3" },
          "unknown option '--numbr=3', did you mean '--number'; "
          "see sluice try --help." },
        { { "--number=12" }, "--number is 12, allowed is 1 to 9." },
        { { "--number=1x" }, "--number expects a number, got '1x'." },
        { { "--number=" }, "--number expects a number, got ''." },
        { { "--speed=nan" }, "--speed expects a number, got 'nan'." },
        { { "--loud=1" }, "--loud takes no value." },
        { { "--text" }, "--text expects T behind it." },
        { { "a", "b" }, "too many arguments; usage: sluice try [options] [FILE]." },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *argv[] = { cases[i].argv[0], cases[i].argv[1] };
        struct bound b;
        char error[256] = "";
        int args = 0;
        assert_int_equal(bind(&b, argv[1] ? 2 : 1, argv, &args, error), OPTION_WRONG);
        assert_string_equal(error, cases[i].want);
    }
}

static void takes_dashes_after_two_dashes(void **state)
{
    const char *argv[] = { "--", "--number" };
    struct bound b;
    char error[256];
    int args = 0;

    (void)state;
    assert_int_equal(bind(&b, 2, argv, &args, error), OPTION_RUN);
    assert_int_equal(args, 1);
    assert_string_equal(argv[0], "--number");
    assert_string_equal(b.text, "x");
}

static void every_command_is_well_described(void **state)
{
    (void)state;
    for (size_t i = 0; cmds[i]; i++) {
        assert_true(strlen(cmds[i]->summary) > 10);
        assert_int_equal(cmds[i]->summary[strlen(cmds[i]->summary) - 1], '.');
        for (const struct cmd_option *o = cmds[i]->options; o && o->name; o++) {
            assert_int_equal(o->help[strlen(o->help) - 1], '.');
            assert_true(o->type == OPTION_FLAG || o->value);
        }
        if (i)
            assert_true(strcmp(cmds[i - 1]->name, cmds[i]->name) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binds_every_form),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(takes_dashes_after_two_dashes),
        cmocka_unit_test(every_command_is_well_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
