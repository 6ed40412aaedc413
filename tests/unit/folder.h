/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folder - folders of a test's own below /tmp, removed with all that is in them: by the test's
 * teardown, or, when it failed before that, as the program ends.
 */
#pragma once

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MAX = 64, FOLDER_DESCRIPTORS = 16 };

static struct {
    char root[32]; /* of this program; "": none made yet */
    pid_t owner;   /* children leave it alone */
    unsigned n;
} folders;

static inline int folder_remove_one(const char *path, const struct stat *st, int type,
                                    struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void folder_remove(const char *path)
{
    if (path[0])
        nftw(path, folder_remove_one, FOLDER_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

static inline void folder_remove_all(void)
{
    if (getpid() == folders.owner)
        folder_remove(folders.root);
}

static inline bool folder_make_root(void)
{
    snprintf(folders.root, sizeof folders.root, "/tmp/sluice-test-XXXXXX");
    if (!mkdtemp(folders.root)) {
        folders.root[0] = '\0';
        return false;
    }
    folders.owner = getpid();
    return atexit(folder_remove_all) == 0;
}

/* A new, empty one. */
static inline bool folder_make(char path[FOLDER_MAX])
{
    path[0] = '\0';
    if (!folders.root[0] && !folder_make_root())
        return false;
    snprintf(path, FOLDER_MAX, "%s/%u", folders.root, ++folders.n);
    return mkdir(path, 0700) == 0;
}
