/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024 /* longer lines are cut and end in "..." */

static atomic_int level_max = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&level_max, (int)level);
}

/* One write() a line, so that lines of several threads do not mix. */
void log_write(enum log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;

    if ((int)level > atomic_load(&level_max))
        return;
    int head = isatty(STDERR_FILENO) ? 0 : snprintf(line, sizeof line, "<%d>", (int)level);
    va_start(args, format);
    int body = vsnprintf(line + head, sizeof line - (size_t)head - 1, format, args);
    va_end(args);
    if (body < 0)
        return;
    size_t n = (size_t)head + (size_t)body;
    if (n > sizeof line - 2) {
        n = sizeof line - 2;
        memcpy(line + n - 3, "...", 3);
    }
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0)
        return; /* nobody left to tell */
}
