/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/file_set.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STATE_MAX = 8 << 10, /* 64 ranges of two 20-digit numbers, and the rest */
    DIR_MODE = 0755,
    FILE_MODE = 0644,
};

const char *const file_suffix[FILE_PARTS_] = { "sf1", "csv", "jsonl" };

/* ---- small ---- */

static int write_all(int fd, const char *p, size_t size, int64_t at)
{
    while (size > 0) {
        ssize_t n = pwrite(fd, p, size, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        p += n;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

static int open_at(const struct file_set *s, const char *name, int flags)
{
    int fd = openat(s->dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);

    return fd < 0 ? -errno : fd;
}

/* Under its name only when it is whole and on the medium. */
static int replace(struct file_set *s, const char *name, const char *data, size_t size)
{
    char temporary[FILE_PATH_MAX];

    if (snprintf(temporary, sizeof temporary, "%s.new", name) >= (int)sizeof temporary)
        return -ENAMETOOLONG;
    int fd = open_at(s, temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0)
        return fd;
    int rc = write_all(fd, data, size, 0);
    if (rc == 0 && fsync(fd) < 0)
        rc = -errno;
    close(fd);
    if (rc == 0 && renameat(s->dir_fd, temporary, s->dir_fd, name) < 0)
        rc = -errno;
    if (rc == 0 && fsync(s->dir_fd) < 0)
        rc = -errno;
    if (rc < 0)
        unlinkat(s->dir_fd, temporary, 0);
    return rc;
}

int file_set_put(struct file_set *s, const char *name, const char *data, size_t size)
{
    if (faccessat(s->dir_fd, name, F_OK, 0) == 0)
        return 0;
    return replace(s, name, data, size);
}

static void part_name(const struct file_set *s, enum file_part p, bool is_part,
                      char out[FILE_PATH_MAX])
{
    snprintf(out, FILE_PATH_MAX, "%s.%s%s", s->base, file_suffix[p], is_part ? ".part" : "");
}

/* ---- the record ---- */

static void state_name(const struct file_set *s, char out[FILE_PATH_MAX])
{
    snprintf(out, FILE_PATH_MAX, ".%s.state", s->station);
}

static int keep_state(struct file_set *s)
{
    struct buf b = BUF_INIT(STATE_MAX);
    char name[FILE_PATH_MAX];

    buf_printf(&b, "{\"epoch\":\"%016" PRIx64 "\",\"base\":\"%s\",\"since\":%" PRId64, s->epoch,
               s->base, s->since_ms);
    for (int p = 0; p < FILE_PARTS_; p++)
        buf_printf(&b, ",\"%s\":%" PRId64, file_suffix[p], s->part[p].size);
    buf_puts(&b, ",\"done\":[");
    for (size_t i = 0; i < s->done_n; i++)
        buf_printf(&b, "%s[%" PRIu64 ",%" PRIu64 "]", i ? "," : "", s->done[i].from,
                   s->done[i].to);
    buf_puts(&b, "]}\n");
    state_name(s, name);
    int rc = b.has_failed ? -ENOMEM : replace(s, name, b.data, b.size);
    buf_done(&b);
    return rc;
}

static bool base_is_ours(const struct file_set *s, const char *base)
{
    size_t n = strlen(s->station);

    return strlen(base) < FILE_BASE_MAX && strncmp(base, s->station, n) == 0 &&
           !strchr(base, '/');
}

static void take_done(struct file_set *s, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && s->done_n < FILE_DONE_MAX; i++) {
        const json_t *pair = json_array_get(list, i);
        json_int_t from = json_integer_value(json_array_get(pair, 0));
        json_int_t to = json_integer_value(json_array_get(pair, 1));
        if (from > 0 && to >= from)
            s->done[s->done_n++] = (struct uplink_range){ (uint64_t)from, (uint64_t)to };
    }
}

/* Of another epoch only the files count: its numbers name other entries. */
static void take_state(struct file_set *s, const json_t *root)
{
    const char *base = json_string_value(json_object_get(root, "base"));
    const char *epoch = json_string_value(json_object_get(root, "epoch"));
    char ours[17];

    snprintf(ours, sizeof ours, "%016" PRIx64, s->epoch);
    if (base && base_is_ours(s, base))
        snprintf(s->base, sizeof s->base, "%s", base);
    s->since_ms = json_integer_value(json_object_get(root, "since"));
    for (int p = 0; p < FILE_PARTS_; p++) {
        int64_t size = json_integer_value(json_object_get(root, file_suffix[p]));
        s->part[p].size = size > 0 ? size : 0;
    }
    if (epoch && strcmp(epoch, ours) == 0)
        take_done(s, json_object_get(root, "done"));
}

static int load_state(struct file_set *s)
{
    char name[FILE_PATH_MAX], text[STATE_MAX];

    state_name(s, name);
    int fd = open_at(s, name, O_RDONLY);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    ssize_t n = read(fd, text, sizeof text);
    int rc = n < 0 ? -errno : 0;
    close(fd);
    json_t *root = n > 0 ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
    if (root)
        take_state(s, root);
    json_decref(root);
    return rc;
}

/* ---- life ---- */

void file_set_init(struct file_set *s, const char *dir, const char *station, uint64_t epoch)
{
    *s = (struct file_set){ .dir = dir, .station = station, .epoch = epoch, .dir_fd = -1 };
    for (int p = 0; p < FILE_PARTS_; p++)
        s->part[p].fd = -1;
}

bool file_set_is_open(const struct file_set *s)
{
    return s->dir_fd >= 0;
}

bool file_set_is_there(const struct file_set *s)
{
    struct stat named, opened;

    return stat(s->dir, &named) == 0 && fstat(s->dir_fd, &opened) == 0 &&
           named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

void file_set_close(struct file_set *s)
{
    for (int p = 0; p < FILE_PARTS_; p++)
        if (s->part[p].fd >= 0)
            close(s->part[p].fd);
    if (s->dir_fd >= 0)
        close(s->dir_fd);
    file_set_init(s, s->dir, s->station, s->epoch);
}

/* What an interrupted writer left behind the recorded end goes. */
static int open_part(struct file_set *s, enum file_part p)
{
    char name[FILE_PATH_MAX];

    part_name(s, p, true, name);
    int fd = open_at(s, name, O_WRONLY | (s->part[p].size == 0 ? O_CREAT : 0));
    if (fd < 0)
        return fd;
    struct stat st;
    bool is_short = fstat(fd, &st) < 0 || st.st_size < s->part[p].size;
    if (is_short || ftruncate(fd, s->part[p].size) < 0) {
        int rc = is_short ? -EIO : -errno;
        close(fd);
        return rc;
    }
    s->part[p].fd = fd;
    return 0;
}

/* Files that are not what the record says were being finished: the others are, too. */
static void take_up(struct file_set *s)
{
    bool is_whole = true;

    for (int p = 0; p < FILE_PARTS_; p++)
        if (s->part[p].size > 0 && open_part(s, (enum file_part)p) < 0)
            is_whole = false;
    if (!is_whole)
        file_set_finish(s);
}

int file_set_open(struct file_set *s)
{
    if (mkdir(s->dir, DIR_MODE) < 0 && errno != EEXIST)
        return -errno;
    s->dir_fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir_fd < 0)
        return -errno;
    int rc = load_state(s);
    if (rc < 0) {
        file_set_close(s);
        return rc;
    }
    if (s->base[0])
        take_up(s);
    return 0;
}

/* ---- entries done ---- */

bool file_set_has(const struct file_set *s, uint64_t seq)
{
    for (size_t i = s->done_n; i-- > 0;)
        if (s->done[i].from <= seq && seq <= s->done[i].to)
            return true;
    return false;
}

static void add_done(struct file_set *s, uint64_t seq)
{
    for (size_t i = 0; i < s->done_n; i++) {
        if (seq == s->done[i].to + 1) {
            s->done[i].to = seq;
            return;
        }
    }
    if (s->done_n == FILE_DONE_MAX)
        memmove(s->done, s->done + 1, --s->done_n * sizeof s->done[0]);
    s->done[s->done_n++] = (struct uplink_range){ seq, seq };
}

/* ---- writing ---- */

int64_t file_set_size(const struct file_set *s)
{
    int64_t largest = 0;

    for (int p = 0; p < FILE_PARTS_; p++)
        largest = s->part[p].size > largest ? s->part[p].size : largest;
    return largest;
}

static void begin_files(struct file_set *s, uint64_t seq, int64_t now_ms)
{
    if (s->base[0])
        return;
    snprintf(s->base, sizeof s->base, "%.64s-%08" PRIx32 "-%012" PRIu64, s->station,
             (uint32_t)(s->epoch >> 32), seq);
    s->since_ms = now_ms;
}

int file_set_append(struct file_set *s, enum file_part p, const struct buf *head,
                    const struct buf *data, uint64_t seq, int64_t now_ms)
{
    begin_files(s, seq, now_ms);
    if (s->part[p].fd < 0) {
        int rc = open_part(s, p);
        if (rc < 0)
            return rc;
    }
    if (s->part[p].size == 0 && head) {
        int rc = write_all(s->part[p].fd, head->data, head->size, 0);
        if (rc < 0)
            return rc;
        s->part[p].size = (int64_t)head->size;
    }
    int rc = write_all(s->part[p].fd, data->data, data->size, s->part[p].size);
    if (rc == 0)
        s->part[p].size += (int64_t)data->size;
    return rc;
}

int file_set_commit(struct file_set *s, const struct uplink_entry *entries, size_t n)
{
    for (int p = 0; p < FILE_PARTS_; p++)
        if (s->part[p].fd >= 0 && fsync(s->part[p].fd) < 0)
            return -errno;
    for (size_t i = 0; i < n; i++)
        if (!file_set_has(s, entries[i].seq))
            add_done(s, entries[i].seq);
    return keep_state(s);
}

/* What was added is cut off when the files are opened again; at once if possible, since a full
 * disk has no room for it. */
void file_set_undo(struct file_set *s)
{
    struct file_set recorded;

    file_set_init(&recorded, s->dir, s->station, s->epoch);
    recorded.dir_fd = s->dir_fd;
    if (s->dir_fd >= 0 && load_state(&recorded) == 0) {
        bool is_same = strcmp(recorded.base, s->base) == 0;
        for (int p = 0; p < FILE_PARTS_; p++) {
            int64_t size = is_same ? recorded.part[p].size : 0;
            if (s->part[p].fd >= 0 && ftruncate(s->part[p].fd, size) < 0)
                break;
        }
    }
    file_set_close(s);
}

int file_set_finish(struct file_set *s)
{
    char part[FILE_PATH_MAX], whole[FILE_PATH_MAX];

    for (int p = 0; s->base[0] && p < FILE_PARTS_; p++) {
        if (s->part[p].fd < 0)
            continue;
        part_name(s, (enum file_part)p, true, part);
        part_name(s, (enum file_part)p, false, whole);
        if (renameat(s->dir_fd, part, s->dir_fd, whole) < 0)
            return -errno;
        close(s->part[p].fd);
        s->part[p].fd = -1;
    }
    for (int p = 0; p < FILE_PARTS_; p++)
        s->part[p].size = 0;
    s->base[0] = '\0';
    if (fsync(s->dir_fd) < 0)
        return -errno;
    return keep_state(s);
}
