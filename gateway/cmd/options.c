/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/diag.h"

enum {
    WORDS_MAX = 64, /* options of a command, and commands */
    HEAD_COLUMNS = 28,
};

static const struct cmd_option *option_find(const struct cmd *c, const char *name, size_t len)
{
    for (const struct cmd_option *o = c->options; o && o->name; o++) {
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
            return o;
    }
    return NULL;
}

static const struct cmd_option *option_by_letter(const struct cmd *c, char letter)
{
    for (const struct cmd_option *o = c->options; o && o->name; o++) {
        if (o->letter == letter)
            return o;
    }
    return NULL;
}

static bool is_outside(const struct cmd_option *o, double x)
{
    return (o->min != 0 || o->max != 0) && !(x >= o->min && x <= o->max);
}

static int bind_number(const struct cmd_option *o, const char *text, char *at, char *error,
                       size_t size)
{
    char *end = NULL;
    double x = NAN;
    int64_t n = 0;

    errno = 0;
    if (o->type == OPTION_INT) {
        n = strtoll(text, &end, 10);
        x = (double)n;
    } else {
        x = strtod(text, &end);
    }
    if (end == text || *end || errno || !isfinite(x)) {
        snprintf(error, size, "--%s expects a number, got '%s'.", o->name, text);
        return -EINVAL;
    }
    if (is_outside(o, x)) {
        snprintf(error, size, "--%s is %s, allowed is %g to %g.", o->name, text, o->min,
                 o->max);
        return -ERANGE;
    }
    if (o->type == OPTION_INT)
        memcpy(at, &n, sizeof n);
    else
        memcpy(at, &x, sizeof x);
    return 0;
}

static int bind_value(const struct cmd_option *o, const char *text, char *options, char *error,
                      size_t size)
{
    char *at = options + o->offset;
    struct option_texts *list = (struct option_texts *)(void *)at;

    switch (o->type) {
    case OPTION_FLAG:
        *(bool *)at = true;
        return 0;
    case OPTION_TEXT:
        memcpy(at, &text, sizeof text);
        return 0;
    case OPTION_TEXTS:
        if (list->n == sizeof list->text / sizeof list->text[0]) {
            snprintf(error, size, "--%s is given more than %zu times.", o->name, list->n);
            return -E2BIG;
        }
        list->text[list->n++] = text;
        return 0;
    default:
        return bind_number(o, text, at, error, size);
    }
}

static int bind_defaults(const struct cmd *c, char *options, char *error, size_t size)
{
    for (const struct cmd_option *o = c->options; o && o->name; o++) {
        int rc = o->dflt ? bind_value(o, o->dflt, options, error, size) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void say_unknown(const struct cmd *c, const char *arg, char *error, size_t size)
{
    const char *words[WORDS_MAX + 1] = { "help" };
    char name[64];
    size_t n = 1;

    for (const struct cmd_option *o = c->options; o && o->name && n < WORDS_MAX; o++)
        words[n++] = o->name;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(arg + strspn(arg, "-"), "="),
             arg + strspn(arg, "-"));
    const char *near = nearest_word(name, words);
    snprintf(error, size, "unknown option '%s'%s%s%s; see " SLUICE_NAME " %s --help.", arg,
             near ? ", did you mean '--" : "", near ? near : "", near ? "'" : "", c->name);
}

/* What argv[*i] names, and where its value is; *i moves over a value of its own. */
static enum option_result bind_option(const struct cmd *c, int argc, char **argv, int *i,
                                      char *options, char *error, size_t size)
{
    const char *arg = argv[*i];
    const char *equals = strchr(arg, '=');
    const char *value = NULL;
    const struct cmd_option *o;

    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
        return OPTION_HELP;
    if (arg[1] == '-') {
        size_t len = equals ? (size_t)(equals - arg - 2) : strlen(arg + 2);
        o = option_find(c, arg + 2, len);
        value = equals ? equals + 1 : NULL;
    } else {
        o = arg[2] ? NULL : option_by_letter(c, arg[1]);
    }
    if (!o) {
        say_unknown(c, arg, error, size);
        return OPTION_WRONG;
    }
    if (o->type == OPTION_FLAG && value) {
        snprintf(error, size, "--%s takes no value.", o->name);
        return OPTION_WRONG;
    }
    if (o->type != OPTION_FLAG && !value) {
        if (*i + 1 >= argc) {
            snprintf(error, size, "--%s expects %s behind it.", o->name, o->value);
            return OPTION_WRONG;
        }
        value = argv[++*i];
    }
    return bind_value(o, value, options, error, size) < 0 ? OPTION_WRONG : OPTION_RUN;
}

static enum option_result check_count(const struct cmd *c, int n, char *error, size_t size)
{
    if (n >= c->args_min && (c->args_max < 0 || n <= c->args_max))
        return OPTION_RUN;
    snprintf(error, size, "%s arguments; usage: " SLUICE_NAME " %s [options]%s%s.",
             n < c->args_min ? "too few" : "too many", c->name, *c->usage ? " " : "", c->usage);
    return OPTION_WRONG;
}

enum option_result options_bind(const struct cmd *c, int argc, char **argv, void *options,
                                int *ret_args, char *error, size_t error_size)
{
    bool is_positional = false; /* after "--" */
    int n = 0;

    if (bind_defaults(c, options, error, error_size) < 0)
        return OPTION_WRONG;
    for (int i = 0; i < argc; i++) {
        if (!is_positional && strcmp(argv[i], "--") == 0) {
            is_positional = true;
        } else if (is_positional || argv[i][0] != '-' || !argv[i][1]) {
            argv[n++] = argv[i];
        } else {
            enum option_result r = bind_option(c, argc, argv, &i, options, error, error_size);
            if (r != OPTION_RUN)
                return r;
        }
    }
    *ret_args = n;
    return check_count(c, n, error, error_size);
}

static void print_option(const struct cmd_option *o, FILE *out)
{
    char head[64];
    char letter[8] = "    ";

    if (o->letter)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(head, sizeof head, "%s--%s%s%s", letter, o->name,
             o->type == OPTION_FLAG ? "" : " ", o->type == OPTION_FLAG ? "" : o->value);
    /* a long head has its help below */
    fprintf(out, strlen(head) > HEAD_COLUMNS ? "  %s\n  %*s %s" : "  %s%*s %s", head,
            strlen(head) > HEAD_COLUMNS ? HEAD_COLUMNS : HEAD_COLUMNS - (int)strlen(head), "",
            o->help);
    if (o->dflt)
        fprintf(out, " (default %s)", o->dflt);
    fputc('\n', out);
}

void options_print_help(const struct cmd *c, FILE *out)
{
    fprintf(out, "Usage: " SLUICE_NAME " %s [options]%s%s\n\n%s\n", c->name,
            *c->usage ? " " : "", c->usage, c->summary);
    if (c->details)
        fprintf(out, "\n%s\n", c->details);
    fputs("\nOptions:\n", out);
    for (const struct cmd_option *o = c->options; o && o->name; o++)
        print_option(o, out);
    fprintf(out, "  %-28s %s\n", "-h, --help", "Show this page.");
    if (!c->details || !strstr(c->details, "Exit status:"))
        fputs("\nExit status: 0 done, 1 ran and found something wrong, 2 wrong usage or "
              "configuration.\n",
              out);
}

void options_print_overview(FILE *out)
{
    fputs("Sluice, the environmental sensor network gateway.\n\n"
          "Usage: " SLUICE_NAME " COMMAND [options] [arguments]\n\nCommands:\n",
          out);
    for (size_t i = 0; cmds[i]; i++)
        fprintf(out, "  %-10s %s\n", cmds[i]->name, cmds[i]->summary);
    fputs("\n" SLUICE_NAME " COMMAND --help tells more; " SLUICE_NAME " --version tells the "
          "version.\n--lang zh|en chooses the language of values, tables and the demonstration "
          "(else LANG "
          "does).\nTry: " SLUICE_NAME " demo\n",
          out);
}

const struct cmd *cmd_find(const char *name)
{
    for (size_t i = 0; cmds[i]; i++) {
        if (strcmp(cmds[i]->name, name) == 0)
            return cmds[i];
    }
    return NULL;
}

const char *cmd_nearest(const char *name)
{
    const char *words[WORDS_MAX + 1] = { NULL };

    for (size_t i = 0; cmds[i] && i < WORDS_MAX; i++)
        words[i] = cmds[i]->name;
    return nearest_word(name, words);
}
