/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/buf.h"
#include "gateway/cmd/profile_cmd.h"
#include "gateway/cmd/profile_diff.h"
#include "gateway/cmd/profile_show.h"
#include "sensors/payload/layout.h"

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
    { .name = "like",
      .type = OPTION_TEXT,
      OPTION(like),
      .value = "ID",
      .help = "new: begin with a copy of this profile." },
    { .name = "output",
      .letter = 'o',
      .type = OPTION_TEXT,
      OPTION(output),
      .value = "DIR",
      .help = "new, doc: write files into this folder instead of to standard output." },
    { .name = "all",
      .type = OPTION_FLAG,
      OPTION(is_all),
      .help = "doc: every instrument, and the index." },
    { .name = "check",
      .type = OPTION_FLAG,
      OPTION(is_check),
      .help = "doc: write nothing, tell which pages are not up to date." },
    { 0 },
};

int profile_wrong(const char *what)
{
    fprintf(stderr, "sluice profile: %s.\n", what);
    return EXIT_USAGE;
}

int profile_write_buf(struct buf *b)
{
    const char *text = buf_text(b);

    if (text)
        fputs(text, stdout);
    else
        fputs("sluice profile: the text is too long.\n", stderr);
    buf_done(b);
    return text ? EXIT_DONE : EXIT_FOUND;
}

/* Every word stands somewhere in what the list shows, in either language. */
static bool is_wanted(const struct profile *p, char **words, int n)
{
    char text[2048], ids[160], zh[160];

    snprintf(text, sizeof text, "%s %s %s %s %s %s %s %s %s %s %s", p->id, p->en, p->zh,
             p->vendor, p->models, profile_media(p, NULL, ids, sizeof ids),
             profile_media(p, "zh", zh, sizeof zh), p->verified, p->has_rtu ? "rtu" : "",
             p->has_tcp ? "tcp" : "", p->has_lorawan ? "lorawan" : "");
    for (int i = 0; i < n; i++)
        if (!strcasestr(text, words[i]))
            return false;
    return true;
}

enum { COLUMNS_N = 3, MEDIA_BYTES = 160 };

/* Id, media and name; the trust level stands last. */
static void texts_of(const struct profile *p, const char *lang, char media[MEDIA_BYTES],
                     const char *ret[COLUMNS_N])
{
    ret[0] = p->id;
    ret[1] = profile_media(p, lang, media, MEDIA_BYTES);
    ret[2] = !strcmp(lang, "zh") ? p->zh : p->en;
}

/* As wide as the widest of them, and two blanks. */
static void print_rows(struct profile **all, size_t n, const char *lang)
{
    int width[COLUMNS_N] = { 0 };
    char media[MEDIA_BYTES];
    const char *text[COLUMNS_N];

    for (size_t i = 0; i < n; i++) {
        texts_of(all[i], lang, media, text);
        for (int k = 0; k < COLUMNS_N; k++) {
            int columns = profile_columns(text[k]) + 2;
            width[k] = columns > width[k] ? columns : width[k];
        }
    }
    for (size_t i = 0; i < n; i++) {
        texts_of(all[i], lang, media, text);
        for (int k = 0; k < COLUMNS_N; k++)
            profile_print_cell(text[k], width[k], stdout);
        puts(profile_trust(all[i], lang));
    }
}

/* Those that have every word come first. How many. */
static size_t choose(struct profile **all, size_t n, char **words, int words_n)
{
    size_t chosen = 0;

    for (size_t i = 0; i < n; i++) {
        if (!is_wanted(all[i], words, words_n))
            continue;
        struct profile *p = all[i];
        all[i] = all[chosen];
        all[chosen++] = p;
    }
    return chosen;
}

static int print_list_json(struct profile **all, size_t n)
{
    struct buf b = BUF_INIT(PROFILE_TEXT_MAX);

    buf_puts(&b, "[");
    for (size_t i = 0; i < n; i++) {
        buf_puts(&b, i ? ",\n" : "\n");
        profile_put_json(&b, all[i], false);
    }
    buf_puts(&b, "]\n");
    return profile_write_buf(&b);
}

static int compare_media(const void *a, const void *b)
{
    const struct profile *x = *(struct profile *const *)a, *y = *(struct profile *const *)b;
    unsigned mx = x->media & -x->media, my = y->media & -y->media;

    return mx != my ? (mx > my) - (mx < my) : strcmp(x->id, y->id);
}

/* The built-in profiles, each replaced by the site's own of the same id, and the site's. */
static int list(const struct profile_options *o, char **words, int words_n, struct diag *d)
{
    struct profile **all;
    size_t n;
    int err = profile_load_all(o->dirs.text, o->dirs.n, d, &all, &n), status;

    if (err) {
        fprintf(stderr, "sluice profile: the profiles cannot be read: %s.\n", strerror(-err));
        return EXIT_FOUND;
    }
    qsort(all, n, sizeof(struct profile *), compare_media);
    size_t chosen = choose(all, n, words, words_n);
    if (o->is_json) {
        status = print_list_json(all, chosen);
    } else {
        print_rows(all, chosen, cmd_lang());
        status = chosen ? EXIT_DONE : EXIT_FOUND;
    }
    profile_destroy_all(all, n);
    if (!chosen && !o->is_json)
        fputs("sluice profile: no profile has all these words.\n", stderr);
    return status;
}

int profile_refuse_id(const struct profile_options *o, const char *id)
{
    struct profile_names ids = { 0 };
    int err = profile_ids_add(o->dirs.text, o->dirs.n, &ids);
    const char **words = err ? NULL : calloc(ids.n + 1, sizeof *words);

    for (size_t i = 0; words && i < ids.n; i++)
        words[i] = ids.name[i];
    const char *near = words ? nearest_word(id, words) : NULL;
    fprintf(stderr, "sluice profile: no profile is called '%s'", id);
    if (near)
        fprintf(stderr, ", did you mean '%s'?\n", near);
    else
        fputs("; sluice profile list shows them all.\n", stderr);
    free(words);
    profile_names_done(&ids);
    return EXIT_USAGE;
}

struct profile *profile_open(const struct profile_options *o, const char *id_or_file,
                             struct diag *d)
{
    size_t n = strlen(id_or_file);
    bool is_known;

    if (strchr(id_or_file, '/') || (n > 5 && !strcmp(id_or_file + n - 5, ".yaml")))
        return profile_load_file(id_or_file, d);
    struct profile *p = profile_load_by_id(id_or_file, o->dirs.text, o->dirs.n, d, &is_known);
    if (!p && !is_known)
        profile_refuse_id(o, id_or_file);
    return p;
}

static int show(const struct profile_options *o, const char *id, struct diag *d)
{
    struct buf b = BUF_INIT(PROFILE_TEXT_MAX);
    struct profile *p = profile_open(o, id, d);

    if (!p)
        return EXIT_USAGE;
    int status = EXIT_DONE;
    if (o->is_json) {
        profile_put_json(&b, p, true);
        buf_puts(&b, "\n");
        status = profile_write_buf(&b);
    } else {
        profile_print(p, cmd_lang(), stdout);
    }
    profile_destroy(p);
    return status;
}

/* Files are found by their name. */
static void check_name(const char *path, const struct profile *p, struct diag *d)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(p->id);
    struct field_mark mark = { .file = path };

    if (strncmp(name, p->id, n) || strcmp(name + n, ".yaml"))
        diag_warning(d, mark, 0, E_PROFILE,
                     "a profile is found by the name of its file, which should be '%s.yaml'",
                     p->id);
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void lint_file(const char *path, struct diag *d)
{
    struct profile *p = profile_load_file(path, d);

    if (!p)
        return;
    check_name(path, p, d);
    if (p->payload)
        printf("%s: %s, %zu points, %zu messages: no errors\n", path, p->id, p->points_n,
               p->payload->messages_n);
    else
        printf("%s: %s, %zu points, %zu flags, %zu commands, %zu registers: no errors\n", path,
               p->id, p->points_n, p->flags_n, p->commands_n, p->words_n);
    profile_destroy(p);
}

static int lint_folder(const char *path, struct diag *d)
{
    struct profile_names files = { 0 };
    int err = profile_files_add(path, &files);

    for (size_t i = 0; i < files.n; i++)
        lint_file(files.name[i], d);
    bool is_empty = files.n == 0;
    profile_names_done(&files);
    if (!err && !is_empty)
        return EXIT_DONE;
    fprintf(stderr, "sluice profile: %s: %s.\n", path,
            err ? strerror(-err) : "no .yaml file in this folder");
    return EXIT_USAGE;
}

static int lint(char **paths, int n, struct diag *d)
{
    int status = EXIT_DONE;

    for (int i = 0; i < n; i++)
        if (!is_folder(paths[i]))
            lint_file(paths[i], d);
        else if (lint_folder(paths[i], d))
            status = EXIT_USAGE;
    return status; /* errors of the files are in d */
}

static int diff(const struct profile_options *o, char **ids, struct diag *d)
{
    struct profile *a = profile_open(o, ids[0], d), *b = a ? profile_open(o, ids[1], d) : NULL;
    int n = a && b ? profile_diff(a, b, cmd_lang(), stdout) : -EINVAL;

    profile_destroy(a);
    profile_destroy(b);
    if (n == -ENOMEM)
        fputs("sluice profile: no memory.\n", stderr);
    return n < 0 ? EXIT_USAGE : n ? EXIT_FOUND : EXIT_DONE;
}

static int dispatch(const struct profile_options *o, int argc, char **argv, struct diag *d)
{
    if (!strcmp(argv[0], "list"))
        return list(o, argv + 1, argc - 1, d);
    if (!strcmp(argv[0], "show"))
        return argc == 2 ? show(o, argv[1], d)
                         : profile_wrong("show takes the id of one profile");
    if (!strcmp(argv[0], "lint"))
        return argc > 1 ? lint(argv + 1, argc - 1, d)
                        : profile_wrong("lint takes one file or folder or more");
    if (!strcmp(argv[0], "new"))
        return argc == 2 ? profile_new(o, argv[1]) : profile_wrong("new takes the id to give");
    if (!strcmp(argv[0], "diff"))
        return argc == 3 ? diff(o, argv + 1, d)
                         : profile_wrong("diff takes two profiles, ids or files");
    if (!strcmp(argv[0], "doc"))
        return profile_doc(o, argv + 1, argc - 1, d);
    fprintf(stderr,
            "sluice profile: expected list, show, lint, new, diff or doc, found '%s'.\n",
            argv[0]);
    return EXIT_USAGE;
}

static int run(const void *opt, int argc, char **argv)
{
    const struct profile_options *o = opt;
    struct diag *d;

    if (!cmd_has_folders("profile", &o->dirs))
        return EXIT_USAGE;
    if (diag_create(&d) < 0) {
        fputs("sluice profile: no memory.\n", stderr);
        return EXIT_FOUND;
    }
    int status = dispatch(o, argc, argv, d);
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
    .usage = "list [WORD...] | show ID | lint FILE|DIR... | new ID | diff A B | doc ID...",
    .summary = "List, show, check, begin, compare and document instrument profiles.",
    .details =
        "A profile tells what one instrument model offers: registers, types, units, status\n"
        "bits, commands. The built-in ones are overridden by files of the same id in DIR.\n\n"
        "  sluice profile list water rtu\n"
        "  sluice profile show teledyne-t400\n"
        "  sluice profile lint my-analyser.yaml /etc/sluice/profiles.d\n"
        "  sluice profile new --like teledyne-t400 my-analyser > my-analyser.yaml\n"
        "  sluice profile diff teledyne-t400 my-analyser.yaml\n"
        "  sluice profile doc teledyne-t400\n"
        "  sluice profile doc --all --output docs/instruments\n\n"
        "list shows the profiles that have every WORD in id, name, vendor, model, medium,\n"
        "trust level or connection. diff compares two ids or files.\n\n"
        "Exit status: 0 done, 1 profiles differ, a page is stale, nothing found, 2 no such\n"
        "profile, or errors in one.",
    .options = options,
    .options_size = sizeof(struct profile_options),
    .args_min = 1,
    .args_max = -1,
    .run = run,
};
