/* SPDX-License-Identifier: Apache-2.0 */
/* import - the Modbus configuration of another program as profiles and a file of conf.d. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/cmd/cmd.h"
#include "gateway/conf/profile_load.h"
#include "gateway/import/tree.h"
#include "gateway/import/write.h"

enum {
    TEXT_MAX = 64 << 20, /* of all files together: 1 MiB read grows by some */
    PATH_BYTES = 4096,
    SENTENCE_MAX = 640,
    FILES_MAX = IMPORT_DEVICES_MAX + 1,
};

struct import_options {
    const char *output;
    bool is_json, is_force;
};

#define OPTION(member) .offset = offsetof(struct import_options, member)

static const struct cmd_option options[] = {
    { .name = "output",
      .letter = 'o',
      .type = OPTION_TEXT,
      OPTION(output),
      .value = "DIR",
      .help = "Write DIR/conf.d/ and DIR/profiles.d/ instead of printing; DIR is often "
              "/etc/sluice." },
    { .name = "force",
      .type = OPTION_FLAG,
      OPTION(is_force),
      .help = "Replace files that are there already." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Write the summary as one JSON object; without --output with the files." },
    { 0 },
};

struct file {       /* one that is to be written */
    char path[160]; /* below the output folder */
    struct buf text;
};

struct job {
    const struct import_options *o;
    struct import_plan *plan;
    struct file *files;
    size_t n;
};

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "sluice import: %s: %s.\n", what, why);
    return EXIT_FOUND;
}

/* ---- reading ---- */

static int read_file(const char *path, char **ret, size_t *ret_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return -errno;
    bool is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    FILE *f = is_file ? fdopen(fd, "r") : NULL;
    if (!f) {
        close(fd);
        return is_file ? -ENOMEM : -EINVAL;
    }
    char *text = malloc(TREE_FILE_MAX + 2);
    if (!text) {
        fclose(f);
        return -ENOMEM;
    }
    size_t size = fread(text, 1, TREE_FILE_MAX + 1, f);
    int err = ferror(f) ? -EIO : 0;
    fclose(f);
    if (err) {
        free(text);
        return err;
    }
    *ret = text;
    *ret_size = size;
    return 0;
}

/* ---- writing ---- */

/* Nothing leaves this program that its own reader would refuse. */
static int check_profile(const struct file *f)
{
    struct diag *d;

    if (diag_create(&d) < 0)
        return -ENOMEM;
    struct profile *p = profile_load_text(f->path, f->text.data, f->text.size, d);
    if (diag_errors(d))
        diag_print(d, stderr);
    int err = p ? 0 : -EINVAL;
    profile_destroy(p);
    diag_destroy(d);
    return err;
}

static int make_files(struct job *j)
{
    const struct import_plan *p = j->plan;

    j->files = calloc(p->profiles_n + 1, sizeof *j->files);
    if (!j->files)
        return -ENOMEM;
    for (const struct import_device *d = p->devices; d; d = d->next) {
        if (!d->is_first_of_profile)
            continue;
        struct file *f = &j->files[j->n++];
        snprintf(f->path, sizeof f->path, "profiles.d/%s.yaml", d->profile);
        f->text = BUF_INIT(TEXT_MAX);
        import_write_profile(p, d, cmd_lang(), &f->text);
        if (!buf_text(&f->text) || check_profile(f) < 0)
            return -EINVAL;
    }
    struct file *f = &j->files[j->n++];
    snprintf(f->path, sizeof f->path, "conf.d/50-%s.yaml", p->base);
    f->text = BUF_INIT(TEXT_MAX);
    import_write_stanza(p, cmd_lang(), &f->text);
    return buf_text(&f->text) ? 0 : -ENOMEM;
}

static int make_folder(const char *dir, const char *name)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
}

static int write_file(const char *path, const struct buf *text, bool is_force)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (is_force ? O_TRUNC : O_EXCL), 0644);
    size_t done = 0;

    if (fd < 0)
        return -errno;
    while (done < text->size) {
        ssize_t n = write(fd, text->data + done, text->size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int err = -errno;
            close(fd);
            return err;
        }
        done += (size_t)n;
    }
    return close(fd) ? -errno : 0;
}

/* All or, where one is there already, none. */
static int write_files(const struct job *j)
{
    const char *dir = j->o->output;
    char path[PATH_BYTES];

    if (strlen(dir) + sizeof j->files[0].path + 2 > sizeof path)
        return fail(dir, strerror(ENAMETOOLONG));
    if (mkdir(dir, 0755) && errno != EEXIST)
        return fail(dir, strerror(errno));
    int err = make_folder(dir, "conf.d");
    if (!err)
        err = make_folder(dir, "profiles.d");
    if (err)
        return fail(dir, strerror(-err));
    for (size_t i = 0; i < j->n && !j->o->is_force; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, j->files[i].path);
        if (access(path, F_OK) == 0)
            return fail(path, say_zh() ? "文件已存在，--force 可覆盖"
                                       : "the file is there already, --force replaces it");
    }
    for (size_t i = 0; i < j->n; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, j->files[i].path);
        err = write_file(path, &j->files[i].text, j->o->is_force);
        if (err)
            return fail(path, strerror(-err));
    }
    return EXIT_DONE;
}

/* ---- telling ---- */

static void print_files(const struct job *j)
{
    for (size_t i = 0; i < j->n; i++)
        printf("%s# ---- %s\n%s", i ? "\n" : "", j->files[i].path, j->files[i].text.data);
}

static void print_counts(const struct job *j, FILE *out)
{
    const struct import_plan *p = j->plan;

    if (say_zh())
        fprintf(out,
                "%s：%zu 条总线，%zu 台仪器，%zu 个模板，%zu 个点位（%zu "
                "个有监测因子），未导入 %zu 项\n",
                p->file, p->buses_n, p->devices_n, p->profiles_n, p->points_n, p->quantities_n,
                p->left_n);
    else
        fprintf(
            out,
            "%s: %zu bus%s, %zu device%s, %zu profile%s, %zu point%s (%zu with a quantity), "
            "%zu left out\n",
            p->file, p->buses_n, p->buses_n == 1 ? "" : "es", p->devices_n,
            p->devices_n == 1 ? "" : "s", p->profiles_n, p->profiles_n == 1 ? "" : "s",
            p->points_n, p->points_n == 1 ? "" : "s", p->quantities_n, p->left_n);
}

/* What needs a person; the points without a quantity are counted, not listed. */
static void print_summary(const struct job *j, FILE *out)
{
    char text[SENTENCE_MAX];

    for (const struct import_note *n = j->plan->notes; n; n = n->next) {
        if (n->reason == IMPORT_QUANTITY || n->reason == IMPORT_NO_QUANTITY)
            continue;
        import_note_text(n, cmd_lang(), text, sizeof text);
        fprintf(out, "%s:%d: %s\n", j->plan->file, n->line, text);
    }
    for (size_t i = 0; j->o->output && i < j->n; i++)
        fprintf(out, "%s %s/%s\n", say_zh() ? "已写入" : "wrote", j->o->output,
                j->files[i].path);
    print_counts(j, out);
}

static int print_json(const struct job *j)
{
    const struct import_plan *p = j->plan;
    struct buf b = BUF_INIT(2 * TEXT_MAX);
    char text[SENTENCE_MAX];

    buf_puts(&b, "{\"file\":");
    buf_json(&b, p->file);
    buf_printf(&b,
               ",\"program\":\"%s\",\"buses\":%zu,\"devices\":%zu,\"profiles\":%zu,"
               "\"points\":%zu,\"quantities\":%zu,\"left\":%zu,\"notes\":[",
               p->program, p->buses_n, p->devices_n, p->profiles_n, p->points_n,
               p->quantities_n, p->left_n);
    for (const struct import_note *n = p->notes; n; n = n->next) {
        import_note_text(n, cmd_lang(), text, sizeof text);
        buf_printf(&b, "%s\n{\"line\":%d,\"reason\":\"%s\",\"is_left\":%s,\"about\":",
                   n == p->notes ? "" : ",", n->line, import_reason_name(n->reason),
                   import_reason_is_left(n->reason) ? "true" : "false");
        buf_json(&b, n->about);
        buf_puts(&b, ",\"text\":");
        buf_json(&b, text);
        buf_puts(&b, "}");
    }
    buf_puts(&b, "],\"files\":[");
    for (size_t i = 0; i < j->n; i++) {
        buf_puts(&b, i ? ",\n{\"path\":" : "\n{\"path\":");
        buf_json(&b, j->files[i].path);
        if (!j->o->output) {
            buf_puts(&b, ",\"text\":");
            buf_json(&b, j->files[i].text.data);
        }
        buf_puts(&b, "}");
    }
    buf_puts(&b, "]}\n");
    const char *whole = buf_text(&b);
    if (whole)
        fputs(whole, stdout);
    buf_done(&b);
    return whole ? EXIT_DONE : EXIT_FOUND;
}

static int tell(const struct job *j)
{
    int status = EXIT_DONE;

    if (j->o->output)
        status = write_files(j);
    if (status != EXIT_DONE)
        return status;
    if (j->o->is_json)
        return print_json(j);
    if (!j->o->output)
        print_files(j);
    if (fflush(stdout)) /* the files before what is said of them */
        return EXIT_FOUND;
    print_summary(j, j->o->output ? stdout : stderr);
    return fflush(stdout) ? EXIT_FOUND : EXIT_DONE;
}

/* ---- the command ---- */

static const struct import_format *find_format(const char *name)
{
    const struct import_format *f = import_format_find(name);

    if (f)
        return f;
    fprintf(stderr,
            "sluice import: expected telegraf, collectd, homeassistant or neuron-csv, "
            "found '%s'.\n",
            name);
    return NULL;
}

static int convert(struct job *j, const struct import_format *f, const char *path,
                   struct diag *d)
{
    char *text = NULL;
    size_t size = 0;
    int err = read_file(path, &text, &size);

    if (err) {
        fprintf(stderr, "sluice import: %s: %s.\n", path,
                err == -EINVAL ? "it is no regular file" : strerror(-err));
        return EXIT_USAGE;
    }
    err = import_read(f, path, text, size, d, &j->plan);
    free(text);
    if (err == -EINVAL)
        return EXIT_USAGE;
    if (err == 0)
        err = make_files(j);
    return err ? fail(path, err == -ENOMEM ? "no memory" : "the result is not well-formed")
               : tell(j);
}

static int run(const void *opt, int argc, char **argv)
{
    struct job j = { .o = opt };
    const struct import_format *f = find_format(argv[0]);
    struct diag *d;

    (void)argc;
    if (!f)
        return EXIT_USAGE;
    if (diag_create(&d) < 0)
        return fail(argv[1], "no memory");
    int status = convert(&j, f, argv[1], d);
    diag_print(d, stderr);
    for (size_t i = 0; i < j.n; i++)
        buf_done(&j.files[i].text);
    free(j.files);
    import_destroy(j.plan);
    diag_destroy(d);
    return status;
}

const struct cmd cmd_import = {
    .name = "import",
    .usage = "telegraf|collectd|homeassistant|neuron-csv FILE",
    .summary = "Take over the Modbus configuration of another program.",
    .details =
        "Makes a profile for each kind of device in FILE, and a file of conf.d with its buses\n"
        "and devices. What has no counterpart stays in them as a comment with its line. A\n"
        "quantity is given only where name and unit leave no doubt.\n\n"
        "  sluice import telegraf /etc/telegraf/telegraf.conf\n"
        "  sluice import homeassistant configuration.yaml --output /etc/sluice\n\n"
        "Exit status: 0 done, 1 a file cannot be written, 2 errors in FILE.",
    .options = options,
    .options_size = sizeof(struct import_options),
    .args_min = 2,
    .args_max = 2,
    .run = run,
};
