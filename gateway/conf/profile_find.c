/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles by id: site directories first, then the built-in library. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/conf/profile_load.h"

enum { PATH_BYTES = 4096, ID_MAX = 64 };

/* An id becomes part of a path. */
static bool is_id(const char *id)
{
    size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return n > 0 && n <= ID_MAX && !id[n];
}

static bool exists(const char *dir, const char *medium, const char *id, char *path, size_t size)
{
    int n = snprintf(path, size, "%s/%s%s%s.yaml", dir, medium, *medium ? "/" : "", id);

    return n > 0 && (size_t)n < size && access(path, F_OK) == 0;
}

static bool find_in_dir(const char *dir, const char *id, char *path, size_t size)
{
    if (exists(dir, "", id, path, size))
        return true;
    for (int m = 0; m < MEDIUM_COUNT_; m++)
        if (exists(dir, medium_id((enum medium)m), id, path, size))
            return true;
    return false;
}

static const struct embedded_file *find_built_in(const char *id)
{
    size_t n = strlen(id);

    for (size_t i = 0; i < profile_files_n; i++)
        if (!strncmp(profile_files[i].name, id, n) &&
            !strcmp(profile_files[i].name + n, ".yaml"))
            return &profile_files[i];
    return NULL;
}

/* A file must hold the profile that its name promises. */
static struct profile *check_id(struct profile *p, const char *id, const char *path,
                                struct diag *d)
{
    struct field_mark mark = { .file = path };

    if (!p || !strcmp(p->id, id))
        return p;
    diag_error(d, mark, 0, E_PROFILE, "the file is named after profile '%s', its id is '%s'",
               id, p->id);
    profile_destroy(p);
    return NULL;
}

bool profile_find(const char *id, const char *const *dirs, size_t dirs_n, char *path,
                  size_t size, const struct embedded_file **ret)
{
    *ret = NULL;
    if (!is_id(id))
        return false;
    for (size_t i = 0; i < dirs_n; i++)
        if (find_in_dir(dirs[i], id, path, size))
            return true;
    path[0] = '\0';
    *ret = find_built_in(id);
    return *ret;
}

struct profile *profile_load_by_id(const char *id, const char *const *dirs, size_t dirs_n,
                                   struct diag *d, bool *is_known)
{
    char path[PATH_BYTES];
    const struct embedded_file *f;

    *is_known = profile_find(id, dirs, dirs_n, path, sizeof path, &f);
    if (!*is_known)
        return NULL;
    if (!f)
        return check_id(profile_load_file(path, d), id, path, d);
    return check_id(profile_load_text(f->path, (const char *)f->data, f->size, d), id, f->path,
                    d);
}
