/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of profiles, and the whole library at once. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/conf/profile_load.h"

enum {
    DEPTH_MAX = 2,     /* a folder of profiles, and its folders of media */
    FILES_MAX = 10000, /* of one run: more is a mistaken folder */
    PATH_BYTES = 4096,
};

static int add_text(struct profile_names *to, const char *text)
{
    if (to->n == FILES_MAX)
        return -E2BIG;
    char **more = realloc(to->name, (to->n + 1) * sizeof *more);
    if (!more)
        return -ENOMEM;
    to->name = more;
    more[to->n] = strdup(text);
    if (!more[to->n])
        return -ENOMEM;
    to->n++;
    return 0;
}

static bool is_profile_name(const char *name)
{
    size_t n = strlen(name);

    return n > 5 && name[0] != '.' && !strcmp(name + n - 5, ".yaml");
}

static int list_folder(const char *dir, int depth, struct profile_names *to)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    char path[PATH_BYTES];
    struct stat st;
    int err = d ? 0 : -errno;

    while (!err && (e = readdir(d))) {
        int n = snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] == '.' || n >= PATH_BYTES || stat(path, &st))
            continue;
        if (S_ISREG(st.st_mode) && is_profile_name(e->d_name))
            err = add_text(to, path);
        else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            err = list_folder(path, depth + 1, to);
    }
    if (d)
        closedir(d);
    return err;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int profile_files_add(const char *dir, struct profile_names *to)
{
    size_t before = to->n;
    int err = list_folder(dir, 1, to);

    if (to->n > before)
        qsort(to->name + before, to->n - before, sizeof *to->name, compare_texts);
    return err;
}

void profile_names_done(struct profile_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->name[i]);
    free(names->name);
    *names = (struct profile_names){ 0 };
}

/* "air/teledyne-t400.yaml" -> "teledyne-t400" */
static int add_id(struct profile_names *ids, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char id[128];
    int n = snprintf(id, sizeof id, "%.*s", (int)strcspn(name, "."), name);

    return n < (int)sizeof id ? add_text(ids, id) : 0;
}

int profile_ids_add(const char *const *dirs, size_t dirs_n, struct profile_names *ids)
{
    struct profile_names files = { 0 };
    int err = 0;

    for (size_t i = 0; !err && i < profile_files_n; i++)
        err = add_id(ids, profile_files[i].name);
    for (size_t i = 0; !err && i < dirs_n; i++) {
        err = profile_files_add(dirs[i], &files);
        err = err == -ENOENT ? 0 : err; /* a folder may come later */
    }
    for (size_t i = 0; !err && i < files.n; i++)
        err = add_id(ids, files.name[i]);
    profile_names_done(&files);
    if (!err && ids->n)
        qsort(ids->name, ids->n, sizeof *ids->name, compare_texts);
    return err;
}

int profile_load_all(const char *const *dirs, size_t dirs_n, struct diag *d,
                     struct profile ***ret, size_t *ret_n)
{
    struct profile_names ids = { 0 };
    size_t n = 0;
    bool is_known;
    int err = profile_ids_add(dirs, dirs_n, &ids);
    struct profile **all = err ? NULL : calloc(ids.n + 1, sizeof *all);

    for (size_t i = 0; all && i < ids.n; i++) {
        if (i > 0 && !strcmp(ids.name[i], ids.name[i - 1]))
            continue;
        all[n] = profile_load_by_id(ids.name[i], dirs, dirs_n, d, &is_known);
        n += all[n] != NULL;
    }
    profile_names_done(&ids);
    if (!all)
        return err ? err : -ENOMEM;
    *ret = all;
    *ret_n = n;
    return 0;
}

void profile_destroy_all(struct profile **all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        profile_destroy(all[i]);
    free(all);
}
