/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wall_clock - preloaded into one process: its wall clock and what the kernel says of it come
 * from a file, two int64: milliseconds that the clock is off, and 1 when it is synchronised.
 * The clocks of everybody else stay as they are, and so does the time since boot.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum { OFFSET_MS, IS_SYNCHRONISED };

static const volatile int64_t *settings(void)
{
    static const int64_t none[2];
    static const volatile int64_t *found;

    if (found)
        return found;
    const char *path = getenv("WALL_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, fd, 0);
    found = at == MAP_FAILED ? none : at;
    return found;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
    int rc = (int)syscall(SYS_clock_gettime, id, t);

    if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t ms = settings()[OFFSET_MS];
        int64_t ns = t->tv_nsec + ms % 1000 * 1000000;
        t->tv_sec += ms / 1000 + (ns >= 1000000000) - (ns < 0);
        t->tv_nsec = ns >= 1000000000 ? ns - 1000000000 : ns < 0 ? ns + 1000000000 : ns;
    }
    return rc;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *t = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
    return 0;
}

time_t time(time_t *ret)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}

int adjtimex(struct timex *t)
{
    *t = (struct timex){ .status = settings()[IS_SYNCHRONISED] ? 0 : STA_UNSYNC };
    return t->status ? TIME_ERROR : TIME_OK;
}
