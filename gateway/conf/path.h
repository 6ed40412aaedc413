/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path - what a path means that a file names: relative ones start at the folder of that file,
 * so that a configuration can be moved as a whole.
 */
#pragma once

#include <stddef.h>

/* `path` as `file` means it, into `out`. 0, or -ENAMETOOLONG. */
int path_beside(const char *file, const char *path, char *out, size_t size);
