/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/deadline.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/cmd/cmd.h"

enum { MS_PER_S = 1000, NS_PER_MS = 1000000 };

static void *end_late(void *arg)
{
    struct timespec *left = arg;

    while (clock_nanosleep(CLOCK_MONOTONIC, 0, left, left) == EINTR)
        continue;
    log_error("the log does not answer, ending without it: what it accepted it keeps");
    _exit(EXIT_FOUND);
    return NULL;
}

void deadline_start(int64_t ms)
{
    struct timespec *left = malloc(sizeof *left);
    pthread_t thread;

    if (!left)
        return;
    *left = (struct timespec){ .tv_sec = ms / MS_PER_S, .tv_nsec = ms % MS_PER_S * NS_PER_MS };
    if (pthread_create(&thread, NULL, end_late, left) == 0)
        pthread_detach(thread);
    else
        free(left);
}
