/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/damage.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/clock.h"

/* "20261122T113000Z" of "2026-11-22T11:30:00.000Z": no colons in names of files. */
static void put_stamp(int64_t now_ms, char stamp[TIME_TEXT_MAX])
{
    char text[TIME_TEXT_MAX];
    size_t n = 0;

    time_print_utc(now_ms, text);
    for (const char *p = text; *p && *p != '.'; p++)
        if (*p != '-' && *p != ':')
            stamp[n++] = *p;
    snprintf(stamp + n, TIME_TEXT_MAX - n, "Z");
}

/* A file that is not there has nothing to be kept. */
static int move(const char *from, const char *to, const char *end)
{
    char a[PATH_MAX], b[PATH_MAX];

    snprintf(a, sizeof a, "%s%s", from, end);
    snprintf(b, sizeof b, "%s%s", to, end);
    return rename(a, b) < 0 && errno != ENOENT ? -errno : 0;
}

int damage_set_aside(const char *database, int64_t now_ms, char *ret, size_t size)
{
    char stamp[TIME_TEXT_MAX], shared[PATH_MAX];

    put_stamp(now_ms, stamp);
    int n = snprintf(ret, size, "%s-damaged-%s", database, stamp);
    if (n < 0 || (size_t)n >= size || n >= PATH_MAX - 8)
        return -ENAMETOOLONG;
    if (access(ret, F_OK) == 0)
        return -EEXIST;
    int rc = move(database, ret, "-wal");
    if (rc == 0)
        rc = move(database, ret, "");
    snprintf(shared, sizeof shared, "%s-shm", database);
    unlink(shared);
    return rc;
}

void damage_put_event(char *json, size_t size, const char *file, const char *why,
                      int64_t now_ms)
{
    char when[TIME_TEXT_MAX];
    const char *name = strrchr(file, '/');

    time_print_utc(now_ms, when);
    json_t *event = json_pack("{ssssssss}", "kind", "damage", "time", when, "file",
                              name ? name + 1 : file, "text", why);
    char *text = json_dumps(event, JSON_COMPACT);
    snprintf(json, size, "%s", text && strlen(text) < size ? text : "{\"kind\":\"damage\"}");
    free(text);
    json_decref(event);
}
