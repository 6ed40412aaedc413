/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file - frames, rows and events into a directory or onto a removable disk. An entry is
 * acknowledged when it and the record of it are on the medium (fsync).
 *
 * A disk that is not there, full, or read-only is waited for; what would have gone onto it
 * stays in the log. Frames of one segment may go on in the next file: files are read in the
 * order of their names.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "gateway/base/clock.h"
#include "gateway/uplink/file_rows.h"
#include "gateway/uplink/file_set.h"
#include "gateway/uplink/uplink.h"

enum {
    TEXT_MAX = 32 << 20, /* of one batch: 50,000 samples as lines */
    LAYOUTS_MAX = 4096,  /* columns kept; at more, all are read anew */
    MOUNT_LINE_MAX = 4096,
    DAY_MS = 86400000,
};

enum format { FORMAT_FRAMES, FORMAT_CSV, FORMAT_BOTH };

struct file_options {
    const char *path, *mount;
    int format;
    int64_t rotate_size, rotate_ms, keep_free;
};

struct known_layout {
    uint32_t id;
    struct file_columns *columns;
};

struct uplink {
    const struct file_options *opt;
    const struct uplink_station *station;
    struct clock clock;
    struct file_set set;
    struct buf text[FILE_PARTS_], head;
    struct known_layout *layouts;
    size_t layouts_n;
    atomic_bool is_stopping;
};

static bool path_is_ok(const char *text, char *why, size_t size)
{
    if (text[0] == '/' && strlen(text) < FILE_PATH_MAX / 2)
        return true;
    snprintf(why, size, "The path must begin with '/' and be shorter than %d characters.",
             FILE_PATH_MAX / 2);
    return false;
}

static const char *const format_words[] = { "frames", "csv", "both", NULL }; /* enum format */

#define OPTION(member) offsetof(struct file_options, member)

static const struct field file_fields[] = {
    { .name = "path",
      .type = FIELD_TEXT,
      .offset = OPTION(path),
      .flags = FIELD_REQUIRED,
      .help = "Directory for the files; made when the one above it exists.",
      .is_ok = path_is_ok },
    { .name = "mount",
      .type = FIELD_TEXT,
      .offset = OPTION(mount),
      .help = "Where the removable disk is mounted, such as /media/usb: nothing is written "
              "while nothing is mounted there.",
      .is_ok = path_is_ok },
    { .name = "format",
      .type = FIELD_ENUM,
      .offset = OPTION(format),
      .dflt = "both",
      .words = format_words,
      .help = "Compressed frames (.sf1), one line per sample (.csv), or both." },
    { .name = "rotate_size",
      .type = FIELD_SIZE,
      .offset = OPTION(rotate_size),
      .dflt = "16MiB",
      .min = 1 << 10,
      .max = 1 << 30,
      .help = "A file that has grown to this is finished and a new one begun." },
    { .name = "rotate_every",
      .type = FIELD_DURATION,
      .offset = OPTION(rotate_ms),
      .dflt = "1d",
      .min = 1000,
      .max = 31.0 * DAY_MS,
      .help = "New files at every multiple of this time, UTC: 1d begins them at midnight." },
    { .name = "keep_free",
      .type = FIELD_SIZE,
      .offset = OPTION(keep_free),
      .dflt = "16MiB",
      .min = 0,
      .max = 1e13,
      .help = "Room left to others on that disk: with less, nothing is written." },
    { .name = NULL },
};

/* ---- life ---- */

static void drop_layouts(struct uplink *u)
{
    for (size_t i = 0; i < u->layouts_n; i++)
        file_columns_destroy(u->layouts[i].columns);
    u->layouts_n = 0;
}

static void file_destroy(struct uplink *u)
{
    if (!u)
        return;
    file_set_close(&u->set);
    drop_layouts(u);
    free(u->layouts);
    for (int p = 0; p < FILE_PARTS_; p++)
        buf_done(&u->text[p]);
    buf_done(&u->head);
    free(u);
}

static int file_create(const void *options, const struct uplink_station *station,
                       struct uplink **ret)
{
    struct uplink *u = calloc(1, sizeof *u);

    if (!u)
        return -ENOMEM;
    u->opt = options;
    u->station = station;
    clock_init(&u->clock, 1, 0);
    file_set_init(&u->set, u->opt->path, station->id, station->epoch);
    for (int p = 0; p < FILE_PARTS_; p++)
        u->text[p] = BUF_INIT(TEXT_MAX);
    u->head = BUF_INIT(64);
    u->layouts = calloc(LAYOUTS_MAX, sizeof *u->layouts);
    if (!u->layouts) {
        file_destroy(u);
        return -ENOMEM;
    }
    *ret = u;
    return 0;
}

/* ---- is the disk there ---- */

/* The fifth field of a line of mountinfo; blanks in it are written \040 there, which a path of
 * ours that needs it does not find. */
static bool names_mount(const char *line, const char *mount)
{
    const char *p = line;

    for (int i = 0; p && i < 4; i++) {
        p = strchr(p, ' ');
        p = p ? p + 1 : NULL;
    }
    size_t n = strlen(mount);
    while (n > 1 && mount[n - 1] == '/')
        n--;
    return p && strncmp(p, mount, n) == 0 && p[n] == ' ';
}

static bool is_mounted(const char *mount)
{
    char line[MOUNT_LINE_MAX];
    FILE *f = fopen("/proc/self/mountinfo", "re");
    bool is_found = false;

    if (!f)
        return false;
    while (!is_found && fgets(line, sizeof line, f))
        is_found = names_mount(line, mount);
    fclose(f);
    return is_found;
}

static bool has_room(const struct uplink *u)
{
    struct statvfs v;

    if (u->opt->keep_free == 0 || statvfs(u->opt->path, &v) < 0)
        return true; /* what is wrong shows when it is written */
    return (double)v.f_bavail * (double)v.f_frsize >= (double)u->opt->keep_free;
}

static enum uplink_verdict later(struct uplink_report *why, const char *what, const char *path,
                                 int rc)
{
    snprintf(why->text, sizeof why->text, "%s %.80s%s%s", what, path, rc < 0 ? ": " : "",
             rc < 0 ? strerror(-rc) : "");
    return UPLINK_LATER;
}

/* Only the person who set it up can mend this. */
static enum uplink_verdict verdict_of(int rc)
{
    return rc == -EACCES || rc == -EPERM || rc == -ENOTDIR || rc == -ENAMETOOLONG
               ? UPLINK_DENIED
               : UPLINK_LATER;
}

static enum uplink_verdict be_ready(struct uplink *u, struct uplink_report *why)
{
    const char *mount = u->opt->mount;

    if (mount && *mount && !is_mounted(mount)) {
        file_set_close(&u->set);
        return later(why, "nothing is mounted at", mount, 0);
    }
    if (file_set_is_open(&u->set) && !file_set_is_there(&u->set))
        file_set_close(&u->set); /* another disk, or none */
    int rc = 0;
    if (!file_set_is_open(&u->set)) {
        drop_layouts(u); /* that disk may lack their dictionaries */
        rc = file_set_open(&u->set);
    }
    if (rc < 0) {
        later(why, "cannot open", u->opt->path, rc);
        return verdict_of(rc);
    }
    if (!has_room(u))
        return later(why, "too little room is left on the disk of", u->opt->path, 0);
    return UPLINK_DELIVERED;
}

/* ---- what goes into the files ---- */

static const struct file_columns *find_columns(struct uplink *u, uint32_t layout)
{
    for (size_t i = u->layouts_n; i-- > 0;)
        if (u->layouts[i].id == layout)
            return u->layouts[i].columns;
    return NULL;
}

static int learn_layout(struct uplink *u, uint32_t id, bool is_kept)
{
    struct file_columns *columns;
    char name[32];
    char *json = u->station->layout_json ? u->station->layout_json(u->station->user, id) : NULL;
    int rc = json ? file_columns_create(json, &columns) : -EINVAL;

    snprintf(name, sizeof name, "layout-%08" PRIx32 ".json", id);
    if (rc == 0 && is_kept)
        rc = file_set_put(&u->set, name, json, strlen(json));
    else if (rc < 0)
        rc = -ENOKEY;
    free(json);
    if (rc < 0)
        return rc;
    if (u->layouts_n == LAYOUTS_MAX)
        drop_layouts(u);
    u->layouts[u->layouts_n++] = (struct known_layout){ id, columns };
    return 0;
}

/* -ENOKEY: its dictionary is not known. */
static int put_frame(struct uplink *u, const struct uplink_entry *e, bool is_kept)
{
    if (!find_columns(u, e->layout)) {
        int rc = learn_layout(u, e->layout, is_kept);
        if (rc < 0)
            return rc;
    }
    if (u->opt->format != FORMAT_CSV) {
        buf_varint(&u->text[FILE_FRAMES], e->size);
        buf_put(&u->text[FILE_FRAMES], e->data, e->size);
    }
    return u->opt->format == FORMAT_FRAMES
               ? 0
               : file_rows_write(&u->text[FILE_ROWS], find_columns(u, e->layout), e->frame);
}

static void put_event(struct uplink *u, const struct uplink_entry *e)
{
    buf_put(&u->text[FILE_EVENTS], e->data, e->size);
    buf_puts(&u->text[FILE_EVENTS], "\n");
}

/* `is_kept`: dictionaries that are new go onto the disk. The entry that cannot be written comes
 * back in `*ret_bad`. */
static int gather(struct uplink *u, const struct uplink_batch *b, bool is_kept,
                  uint64_t *ret_bad)
{
    int rc = 0;

    for (int p = 0; p < FILE_PARTS_; p++)
        buf_clear(&u->text[p]);
    for (size_t i = 0; i < b->n && rc == 0; i++) {
        const struct uplink_entry *e = &b->entries[i];
        *ret_bad = e->seq;
        if (is_kept && file_set_has(&u->set, e->seq))
            continue; /* written before a crash, and the cursor was not kept */
        if (e->is_event)
            put_event(u, e);
        else
            rc = put_frame(u, e, is_kept);
    }
    for (int p = 0; p < FILE_PARTS_ && rc == 0; p++)
        rc = u->text[p].has_failed ? -ENOSPC : 0;
    return rc;
}

static const struct buf *head_of(struct uplink *u, enum file_part p)
{
    buf_clear(&u->head);
    if (p == FILE_FRAMES)
        buf_puts(&u->head, "SF1\n");
    else if (p == FILE_ROWS)
        file_rows_head(&u->head);
    return &u->head;
}

/* ---- sending ---- */

static int rotate_if_due(struct uplink *u, int64_t now_ms)
{
    struct file_set *s = &u->set;

    if (!s->base[0])
        return 0;
    bool is_old = now_ms / u->opt->rotate_ms != s->since_ms / u->opt->rotate_ms;
    return is_old || file_set_size(s) >= u->opt->rotate_size ? file_set_finish(s) : 0;
}

static int write_files(struct uplink *u, const struct uplink_batch *b)
{
    int64_t now_ms = clock_wall_ms(&u->clock);
    int rc = rotate_if_due(u, now_ms);

    for (int p = 0; p < FILE_PARTS_ && rc == 0; p++)
        if (u->text[p].size > 0)
            rc = file_set_append(&u->set, (enum file_part)p, head_of(u, (enum file_part)p),
                                 &u->text[p], b->entries[0].seq, now_ms);
    return rc == 0 ? file_set_commit(&u->set, b->entries, b->n) : rc;
}

static enum uplink_verdict refuse(struct uplink_report *why, uint64_t seq, int rc)
{
    snprintf(why->text, sizeof why->text, "Entry %" PRIu64 " cannot be written: %s.", seq,
             rc == -ENOKEY ? "its dictionary is not known" : "it does not fit its dictionary");
    return UPLINK_REFUSED;
}

static enum uplink_verdict file_send(struct uplink *u, const struct uplink_batch *b,
                                     struct uplink_report *why)
{
    uint64_t bad = 0;

    *why = (struct uplink_report){ .text = "delivered" };
    if (atomic_load(&u->is_stopping))
        return later(why, "stopping", "", 0);
    enum uplink_verdict v = be_ready(u, why);
    if (v != UPLINK_DELIVERED)
        return v;
    int rc = gather(u, b, true, &bad);
    if (rc == -ENOKEY || rc == -EINVAL)
        return refuse(why, bad, rc);
    if (rc == 0)
        rc = write_files(u, b);
    if (rc == 0)
        return UPLINK_DELIVERED;
    file_set_undo(&u->set);
    later(why, "cannot write to", u->opt->path, rc);
    return verdict_of(rc);
}

static int file_show(struct uplink *u, const struct uplink_batch *b, bool is_whole,
                     struct buf *out)
{
    uint64_t bad = 0;
    int rc = gather(u, b, false, &bad);

    if (rc < 0)
        buf_printf(out, "# entry %" PRIu64 " is refused\n", bad);
    for (int p = 0; p < FILE_PARTS_ && rc == 0; p++) {
        if (u->text[p].size == 0)
            continue;
        buf_printf(out, "%s/%s-*.%s  %zu bytes, entries %" PRIu64 " to %" PRIu64 "\n",
                   u->opt->path, u->station->id, file_suffix[p], u->text[p].size,
                   b->entries[0].seq, b->entries[b->n - 1].seq);
        if (is_whole && p != FILE_FRAMES)
            buf_put(out, u->text[p].data, u->text[p].size);
    }
    return out->has_failed ? -ENOSPC : 0;
}

static void file_stop(struct uplink *u)
{
    atomic_store(&u->is_stopping, true);
}

const struct uplink_kind uplink_file = {
    .name = "file",
    .title = "Files in a directory or on a removable disk",
    .wants_rows = true,
    .options = file_fields,
    .options_size = sizeof(struct file_options),
    .create = file_create,
    .destroy = file_destroy,
    .send = file_send,
    .show = file_show,
    .stop = file_stop,
};
