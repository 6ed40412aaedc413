/* SPDX-License-Identifier: Apache-2.0 */
/* embedded - files that scripts/embed.py turned into constant data at build. */
#pragma once

#include <stddef.h>

struct embedded_file {
    const char *name;          /* base name: "teledyne-t400.yaml" */
    const char *path;          /* as given to the build, from the root of the source tree */
    const unsigned char *data; /* a NUL follows, not counted in size */
    size_t size;
};
