/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/profile_show.h"
#include "gateway/conf/profile_load.h"

enum { REPORT_MAX = 4 << 20 }; /* bytes of the JSON of the whole library, many times over */

struct profile_options {
    bool is_json;
    struct option_texts dirs;
};

#define OPTION(member) .offset = offsetof(struct profile_options, member)

static const struct cmd_option options[] = {
    { .name = "profiles",
      .type = OPTION_TEXTS,
      OPTION(dirs),
      .value = "DIR",
      .help = "Look for profiles here before the built-in ones." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Write list and show as JSON." },
    { 0 },
};

static int wrong(const char *what)
{
    fprintf(stderr, "sluice profile: %s.\n", what);
    return EXIT_USAGE;
}

static int write_buf(struct buf *b)
{
    const char *text = buf_text(b);

    if (text)
        fputs(text, stdout);
    buf_done(b);
    return text ? EXIT_DONE : EXIT_FOUND;
}

static void print_row(const struct profile *p, const char *lang)
{
    char media[160];

    profile_print_cell(p->id, 34, stdout);
    profile_print_cell(profile_media(p, lang, media, sizeof media), 22, stdout);
    profile_print_cell(!strcmp(lang, "zh") ? p->zh : p->en, 56, stdout);
    puts(profile_trust(p, lang));
}

/* The built-in profiles, each replaced by the site's own of the same id. */
static int list(const struct profile_options *o, struct diag *d)
{
    const char *lang = cmd_lang();
    struct buf b = BUF_INIT(REPORT_MAX);
    bool is_known;

    buf_puts(&b, "[");
    for (size_t i = 0; i < profile_files_n; i++) {
        char id[80];
        snprintf(id, sizeof id, "%.*s", (int)strcspn(profile_files[i].name, "."),
                 profile_files[i].name);
        struct profile *p = profile_load_by_id(id, o->dirs.text, o->dirs.n, d, &is_known);
        if (!p)
            continue;
        if (o->is_json) {
            buf_puts(&b, b.size > 1 ? ",\n" : "\n");
            profile_put_json(&b, p, false);
        } else {
            print_row(p, lang);
        }
        profile_destroy(p);
    }
    buf_puts(&b, "]\n");
    if (o->is_json)
        return write_buf(&b);
    buf_done(&b);
    return EXIT_DONE;
}

static const char *nearest_id(const char *id)
{
    const char *names[256];
    const size_t max = sizeof names / sizeof names[0] - 1;
    char wanted[96];
    size_t n = profile_files_n < max ? profile_files_n : max;

    for (size_t i = 0; i < n; i++)
        names[i] = profile_files[i].name;
    names[n] = NULL;
    snprintf(wanted, sizeof wanted, "%s.yaml", id);
    return nearest_word(wanted, names);
}

static int refuse_id(const char *id)
{
    const char *near = nearest_id(id);

    fprintf(stderr, "sluice profile: no profile is called '%s'", id);
    if (near)
        fprintf(stderr, ", did you mean '%.*s'?\n", (int)strcspn(near, "."), near);
    else
        fputs("; sluice profile list shows them all.\n", stderr);
    return EXIT_USAGE;
}

static int show(const struct profile_options *o, const char *id, struct diag *d)
{
    struct buf b = BUF_INIT(REPORT_MAX);
    bool is_known;
    struct profile *p = profile_load_by_id(id, o->dirs.text, o->dirs.n, d, &is_known);

    if (!p)
        return is_known ? EXIT_USAGE : refuse_id(id);
    int status = EXIT_DONE;
    if (o->is_json) {
        profile_put_json(&b, p, true);
        buf_puts(&b, "\n");
        status = write_buf(&b);
    } else {
        profile_print(p, cmd_lang(), stdout);
    }
    profile_destroy(p);
    return status;
}

static int lint(char **paths, int n, struct diag *d)
{
    for (int i = 0; i < n; i++) {
        struct profile *p = profile_load_file(paths[i], d);
        if (p)
            printf("%s: %s, %zu points, %zu flags, %zu registers: no errors\n", paths[i], p->id,
                   p->points_n, p->flags_n, p->words_n);
        profile_destroy(p);
    }
    return diag_errors(d) ? EXIT_USAGE : EXIT_DONE;
}

static int dispatch(const struct profile_options *o, int argc, char **argv, struct diag *d)
{
    if (!strcmp(argv[0], "list"))
        return argc == 1 ? list(o, d) : wrong("list takes no argument");
    if (!strcmp(argv[0], "show"))
        return argc == 2 ? show(o, argv[1], d) : wrong("show takes the id of one profile");
    if (!strcmp(argv[0], "lint"))
        return argc > 1 ? lint(argv + 1, argc - 1, d) : wrong("lint takes one file or more");
    fprintf(stderr, "sluice profile: expected list, show or lint, found '%s'.\n", argv[0]);
    return EXIT_USAGE;
}

static int run(const void *opt, int argc, char **argv)
{
    struct diag *d;

    if (diag_create(&d) < 0) {
        fputs("sluice profile: no memory.\n", stderr);
        return EXIT_FOUND;
    }
    int status = dispatch(opt, argc, argv, d);
    diag_print(d, strcmp(argv[0], "lint") ? stderr : stdout);
    if (diag_errors(d))
        status = EXIT_USAGE;
    if (fflush(stdout) != 0 && status == EXIT_DONE)
        status = EXIT_FOUND;
    diag_destroy(d);
    return status;
}

const struct cmd cmd_profile = {
    .name = "profile",
    .usage = "list | show ID | lint FILE...",
    .summary = "List, show and check instrument profiles.",
    .details =
        "A profile tells what one instrument model offers: registers, types, units, status\n"
        "bits. The built-in ones are overridden by files of the same id in DIR.\n\n"
        "  sluice profile list\n"
        "  sluice profile show teledyne-t400\n"
        "  sluice profile lint my-analyser.yaml\n\n"
        "Exit status: 0 done, 2 no such profile, or errors in one.",
    .options = options,
    .options_size = sizeof(struct profile_options),
    .args_min = 1,
    .args_max = -1,
    .run = run,
};
