/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int ballast_init(struct ballast *b, const char *database, int64_t bytes)
{
    size_t size = strlen(database) + sizeof "-ballast";

    *b = (struct ballast){ .path = malloc(size), .bytes = bytes };
    if (!b->path)
        return -ENOMEM;
    snprintf(b->path, size, "%s-ballast", database);
    return 0;
}

void ballast_done(struct ballast *b)
{
    free(b->path);
    b->path = NULL;
}

/* One of an earlier run, whole. */
static bool is_there(int fd, int64_t bytes)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_size == bytes && st.st_blocks >= bytes / 512;
}

static int reserve(int fd, int64_t bytes)
{
    if (is_there(fd, bytes))
        return 0;
    if (ftruncate(fd, bytes) < 0)
        return -errno;
    return -posix_fallocate(fd, 0, bytes);
}

int ballast_take(struct ballast *b)
{
    if (b->is_held || b->bytes <= 0)
        return 0;
    int fd = open(b->path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return -errno;
    int rc = reserve(fd, b->bytes);
    close(fd);
    if (rc < 0)
        unlink(b->path);
    b->is_held = rc == 0;
    return rc;
}

/* What root alone may use does not count. */
bool ballast_has_room(const struct ballast *b)
{
    struct statvfs v;
    char folder[4096];

    snprintf(folder, sizeof folder, "%s", b->path);
    char *end = strrchr(folder, '/');
    if (end)
        end[end == folder] = '\0';
    return statvfs(end ? folder : ".", &v) == 0 &&
           (int64_t)(v.f_bavail * v.f_frsize) / 2 >= b->bytes;
}

bool ballast_release(struct ballast *b)
{
    bool was_held = b->is_held;

    if (was_held)
        unlink(b->path);
    b->is_held = false;
    return was_held;
}
