/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int path_beside(const char *file, const char *path, char *out, size_t size)
{
    const char *slash = strrchr(file, '/');
    int folder = path[0] == '/' || !slash ? 0 : (int)(slash - file + 1);
    int n = snprintf(out, size, "%.*s%s", folder, file, path);

    return n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}
