/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice profile doc` and `new`: files for people to keep. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/cmd/profile_cmd.h"
#include "gateway/cmd/profile_new.h"
#include "gateway/cmd/profile_page.h"

enum { PAGE_MAX = 1 << 20, PATH_BYTES = 4096 };

static const char *const langs[] = { "en", "zh" };

static int failed(const char *path, int err)
{
    fprintf(stderr, "sluice profile: %s: %s.\n", path, strerror(err));
    return EXIT_FOUND;
}

/* What stands in a file, into `b`; 0 or negative errno. */
static int read_file(const char *path, struct buf *b)
{
    char part[8192];
    FILE *f = fopen(path, "re");
    size_t n;

    if (!f)
        return -errno;
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        buf_put(b, part, n);
    int err = ferror(f) ? -EIO : b->has_failed ? -EFBIG : 0;
    fclose(f);
    return err;
}

static int write_file(const char *path, const struct buf *b, int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (!f) {
        int err = errno;
        if (fd >= 0)
            close(fd);
        return failed(path, err);
    }
    bool is_written = fwrite(b->data, 1, b->size, f) == b->size;
    is_written = fclose(f) == 0 && is_written;
    return is_written ? EXIT_DONE : failed(path, errno);
}

/* A page is written, or with --check compared with the one that stands there. */
static int settle_page(const struct profile_options *o, const char *id, const char *lang,
                       struct buf *page)
{
    char name[128], path[PATH_BYTES];
    struct buf old = BUF_INIT(PAGE_MAX);

    profile_page_name(id, lang, name, sizeof name);
    if (!buf_text(page) || snprintf(path, sizeof path, "%s/%s", o->output, name) >= PATH_BYTES)
        return failed(name, EFBIG);
    int err = read_file(path, &old);
    bool is_same =
        err == 0 && old.size == page->size && !memcmp(old.data, page->data, old.size);
    buf_done(&old);
    if (is_same)
        return EXIT_DONE;
    if (!o->is_check)
        return write_file(path, page, O_TRUNC);
    fprintf(stdout, err ? "%s is missing\n" : "%s is stale\n", path);
    return EXIT_FOUND;
}

static int write_pages(const struct profile_options *o, const struct profile *p)
{
    int status = EXIT_DONE;

    for (size_t i = 0; i < 2; i++) {
        struct buf b = BUF_INIT(PAGE_MAX);
        profile_put_page(&b, p, langs[i]);
        if (settle_page(o, p->id, langs[i], &b))
            status = EXIT_FOUND;
        buf_done(&b);
    }
    return status;
}

static int write_index(const struct profile_options *o, struct profile *const *all, size_t n)
{
    int status = EXIT_DONE;

    for (size_t i = 0; i < 2; i++) {
        struct buf b = BUF_INIT(PAGE_MAX);
        profile_put_index(&b, all, n, langs[i]);
        if (settle_page(o, "README", langs[i], &b))
            status = EXIT_FOUND;
        buf_done(&b);
    }
    return status;
}

static bool is_page_of(const char *name, struct profile *const *all, size_t n)
{
    char page[128];

    for (size_t i = 0; i < 2; i++) {
        if (!strcmp(name, profile_page_name("README", langs[i], page, sizeof page)))
            return true;
        for (size_t k = 0; k < n; k++)
            if (!strcmp(name, profile_page_name(all[k]->id, langs[i], page, sizeof page)))
                return true;
    }
    return false;
}

/* A page whose profile went away. It is told, not removed: somebody may have written it. */
static int tell_strangers(const char *dir, struct profile *const *all, size_t n)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int status = EXIT_DONE;

    while (d && (e = readdir(d))) {
        size_t len = strlen(e->d_name);
        if (len < 4 || strcmp(e->d_name + len - 3, ".md") || is_page_of(e->d_name, all, n))
            continue;
        printf("%s/%s belongs to no profile\n", dir, e->d_name);
        status = EXIT_FOUND;
    }
    if (d)
        closedir(d);
    return status;
}

static int write_all(const struct profile_options *o, struct diag *d)
{
    struct profile **all;
    size_t n;
    int err = profile_load_all(o->dirs.text, o->dirs.n, d, &all, &n), status = EXIT_DONE;

    if (err)
        return failed("--profiles", -err);
    for (size_t i = 0; i < n; i++)
        if (write_pages(o, all[i]))
            status = EXIT_FOUND;
    if (write_index(o, all, n) || tell_strangers(o->output, all, n))
        status = EXIT_FOUND;
    if (status == EXIT_DONE)
        printf("%s: %zu instruments, %zu pages\n", o->output, n, 2 * n + 2);
    profile_destroy_all(all, n);
    return status;
}

static int print_page(const struct profile *p)
{
    struct buf b = BUF_INIT(PAGE_MAX);

    profile_put_page(&b, p, cmd_lang());
    return profile_write_buf(&b);
}

int profile_doc(const struct profile_options *o, char **ids, int n, struct diag *d)
{
    int status = EXIT_DONE;

    if (o->is_all ? n > 0 || !o->output : n == 0)
        return profile_wrong("doc takes ids, or --all with --output DIR");
    if (o->is_check && !o->output)
        return profile_wrong("--check needs --output DIR, where the pages stand");
    if (o->output && !o->is_check && mkdir(o->output, 0755) && errno != EEXIST)
        return failed(o->output, errno);
    if (o->is_all)
        return write_all(o, d);
    for (int i = 0; i < n; i++) {
        struct profile *p = profile_open(o, ids[i], d);
        if (!p)
            return EXIT_USAGE;
        int one = o->output ? write_pages(o, p) : print_page(p);
        status = one ? one : status;
        profile_destroy(p);
    }
    return status;
}

static int put_copy(const struct profile_options *o, const char *id, struct buf *b)
{
    char path[PATH_BYTES];
    const struct embedded_file *f;
    struct buf text = BUF_INIT(PAGE_MAX);

    if (!profile_find(o->like, o->dirs.text, o->dirs.n, path, sizeof path, &f))
        return profile_refuse_id(o, o->like);
    int err = f ? 0 : read_file(path, &text);
    if (!err)
        profile_put_copy(b, id, o->like, f ? (const char *)f->data : text.data,
                         f ? f->size : text.size);
    buf_done(&text);
    return err ? failed(path, -err) : EXIT_DONE;
}

static bool is_id(const char *id)
{
    size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return n > 0 && n <= 64 && !id[n] && id[0] != '-';
}

int profile_new(const struct profile_options *o, const char *id)
{
    struct buf b = BUF_INIT(PAGE_MAX);
    char path[PATH_BYTES];

    if (!is_id(id))
        return profile_wrong("an id is made of small letters, digits and '-', at most 64");
    if (o->like) {
        int status = put_copy(o, id, &b);
        if (status) {
            buf_done(&b);
            return status;
        }
    } else {
        profile_put_template(&b, id);
    }
    if (!o->output)
        return profile_write_buf(&b);
    int status =
        buf_text(&b) && snprintf(path, sizeof path, "%s/%s.yaml", o->output, id) < PATH_BYTES
            ? write_file(path, &b, O_EXCL)
            : failed(id, EFBIG);
    if (status == EXIT_DONE)
        printf("%s\n", path);
    buf_done(&b);
    return status;
}
