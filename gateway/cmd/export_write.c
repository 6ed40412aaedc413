/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/export_write.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/export_show.h"
#include "gateway/cmd/series_file.h"

enum {
    TEXT_MAX = 64 << 20,  /* one row of 1024 columns is far less */
    FLUSH_FROM = 1 << 18, /* bytes */
    PATH_BYTES = 4096,
};

/* ---- files ---- */

static int fail_write(struct export_writer *w, int err)
{
    snprintf(w->why, sizeof w->why,
             say("The output cannot be written: %s.", "无法写入输出：%s。"), strerror(-err));
    return err;
}

static int flush_text(struct export_writer *w)
{
    size_t n = w->text.size;

    if (w->text.has_failed)
        return -ENOMEM;
    buf_clear(&w->text);
    errno = 0;
    if (n > 0 && fwrite(w->text.data, 1, n, w->out) != n)
        return fail_write(w, errno ? -errno : -EIO);
    return 0;
}

static int flush_some(struct export_writer *w)
{
    return w->text.size >= FLUSH_FROM || w->text.has_failed ? flush_text(w) : 0;
}

static int close_file(struct export_writer *w)
{
    int rc = w->out ? flush_text(w) : 0;

    if (!w->folder || !w->out)
        return rc;
    if (fclose(w->out) != 0 && rc == 0)
        rc = fail_write(w, -errno);
    w->out = NULL;
    return rc;
}

/* Names of streams are the configuration's; a file's name is kept plain all the same. */
static void file_name(const char *name, const char *ending, char *ret, size_t size)
{
    snprintf(ret, size, "%s%s", name, ending);
    for (char *p = ret; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p) && !((unsigned char)*p & 0x80))
            *p = '_';
    if (ret[0] == '.')
        ret[0] = '_';
}

static int open_file(struct export_writer *w)
{
    char path[PATH_BYTES];

    if (snprintf(path, sizeof path, "%s/%s", w->folder, w->name) >= (int)sizeof path)
        return fail_write(w, -ENAMETOOLONG);
    w->out = fopen(path, w->is_force ? "wb" : "wbx");
    w->has_begun = false;
    if (w->out)
        return 0;
    int rc = -errno;
    snprintf(w->why, sizeof w->why,
             say("%.200s cannot be written: %s.", "无法写入 %.200s：%s。"), path,
             strerror(-rc));
    return rc;
}

/* Before something is put: files without anything in them are not made. */
static int ready(struct export_writer *w)
{
    return w->out ? 0 : open_file(w);
}

int export_writer_next(struct export_writer *w, const char *name, const char *ending)
{
    int rc = close_file(w);

    file_name(name, ending, w->name, sizeof w->name);
    return rc;
}

static void forget_layout(struct export_writer *w)
{
    line_layout_destroy(w->lines);
    w->lines = NULL;
    w->layout = NULL;
}

static int begin_stream(void *user, const struct export_stream *s)
{
    struct export_writer *w = user;

    forget_layout(w);
    return w->folder ? export_writer_next(w, s->name, w->format->ending) : 0;
}

void export_writer_begin(struct export_writer *w)
{
    w->text = BUF_INIT(TEXT_MAX);
}

int export_writer_end(struct export_writer *w)
{
    int rc = close_file(w);

    if (rc == 0 && w->out && fflush(w->out) != 0)
        rc = fail_write(w, -errno);
    forget_layout(w);
    buf_done(&w->text);
    return rc;
}

/* ---- tables ---- */

static void put_title(struct buf *b, const char *title)
{
    if (!strpbrk(title, ",\"\r\n")) {
        buf_puts(b, title);
        return;
    }
    buf_puts(b, "\"");
    for (const char *p = title; *p; p++)
        buf_printf(b, *p == '"' ? "\"%c" : "%c", *p);
    buf_puts(b, "\"");
}

/* An empty line parts tables that follow each other in one output. */
static void begin_table(struct export_writer *w, const struct export_layout *l)
{
    if (w->has_begun)
        buf_puts(&w->text, "\n");
    w->layout = l;
    w->has_begun = true;
    if (!w->has_header)
        return;
    buf_puts(&w->text, "time");
    for (unsigned i = 0; i < l->chosen_n; i++) {
        buf_puts(&w->text, ",");
        put_title(&w->text, l->channels[l->chosen[i]]);
    }
    buf_puts(&w->text, "\n");
}

static bool is_same_table(const struct export_layout *a, const struct export_layout *b)
{
    if (!a || a->stream != b->stream || a->chosen_n != b->chosen_n)
        return false;
    for (unsigned i = 0; i < a->chosen_n; i++)
        if (strcmp(a->channels[a->chosen[i]], b->channels[b->chosen[i]]) != 0)
            return false;
    return true;
}

static int put_table_row(void *user, const struct export_layout *l, int64_t time_ms,
                         const struct series_cell *cells)
{
    struct export_writer *w = user;
    int rc = ready(w);

    if (rc < 0)
        return rc;
    if (w->layout != l && !is_same_table(w->layout, l))
        begin_table(w, l);
    w->layout = l;
    csv_time_print(&w->form, time_ms, &w->text);
    for (unsigned i = 0; i < l->chosen_n; i++) {
        struct series_cell c = cells[l->chosen[i]];
        if (!w->has_flags)
            c.flag = 0;
        buf_puts(&w->text, ",");
        csv_cell_print(&c, false, &w->text);
    }
    buf_puts(&w->text, "\n");
    return flush_some(w);
}

/* ---- line protocol ---- */

/* The dictionary with the channels chosen alone. */
static char *chosen_dictionary(const struct export_layout *l)
{
    const json_t *channels = json_object_get(l->dictionary, "channels");
    json_t *some = json_array(), *root = json_object();

    for (unsigned i = 0; i < l->chosen_n; i++)
        json_array_append(some, json_array_get(channels, l->chosen[i]));
    json_object_set_new(root, "channels", some);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

static int begin_lines(struct export_writer *w, const struct export_layout *l)
{
    char why[160] = "";
    const char *station = json_string_value(json_object_get(l->dictionary, "station"));

    forget_layout(w);
    w->layout = l;
    char *text = l->dictionary ? chosen_dictionary(l) : NULL;
    int rc = text && station
                 ? line_layout_create(text, strlen(text), station, &w->lines, why, sizeof why)
                 : -EINVAL;
    free(text);
    return rc == -ENOMEM ? rc : 0;
}

static int put_lines(void *user, const struct export_layout *l, int64_t time_ms,
                     const struct series_cell *cells)
{
    struct export_writer *w = user;
    struct series_cell some[SERIES_COLUMNS_MAX];
    struct line_counts counts = { 0 };
    int rc = ready(w);

    if (rc == 0 && w->layout != l)
        rc = begin_lines(w, l);
    if (rc < 0)
        return rc;
    if (!w->lines) {
        w->rows_unnamed++;
        return 0;
    }
    for (unsigned i = 0; i < l->chosen_n; i++)
        some[i] = cells[l->chosen[i]];
    const struct series_frame row = { .info = { .rows = 1, .columns = l->chosen_n },
                                      .time_ms = &time_ms,
                                      .cells = some };
    rc = line_write_rows(&w->text, w->lines, &row, 0, 0, INT64_MAX, &counts);
    w->rows_refused += counts.rows_refused;
    return rc < 0 ? rc : flush_some(w);
}

static int put_event_line(void *user, const struct store_entry *e)
{
    struct export_writer *w = user;
    struct line_counts counts = { 0 };
    int rc = ready(w);

    if (rc == 0)
        rc = line_write_event(&w->text, e->data, e->size, w->station, INT64_MAX, &counts);
    return rc < 0 ? rc : flush_some(w);
}

/* ---- frames and events ---- */

static int put_frame(void *user, const struct store_entry *e)
{
    struct export_writer *w = user;
    int rc = ready(w);

    if (rc < 0)
        return rc;
    errno = 0;
    if (!w->has_begun)
        rc = series_file_begin(w->out);
    w->has_begun = true;
    if (rc == 0)
        rc = series_file_put(w->out, e->data, e->size);
    return rc < 0 ? fail_write(w, errno ? -errno : rc) : 0;
}

int export_writer_frames_end(struct export_writer *w)
{
    if (w->folder || w->has_begun)
        return 0;
    w->has_begun = true;
    return series_file_begin(w->out) < 0 ? fail_write(w, -EIO) : 0;
}

static int put_event(void *user, const struct store_entry *e)
{
    struct export_writer *w = user;
    int rc = ready(w);

    if (rc < 0)
        return rc;
    buf_put(&w->text, e->data, e->size);
    buf_puts(&w->text, "\n");
    return flush_some(w);
}

/* ---- */

static const struct export_format formats[] = {
    { "csv", ".csv", { .begin = begin_stream, .row = put_table_row } },
    { "lp",
      ".lp",
      { .is_for_uplinks = true,
        .begin = begin_stream,
        .row = put_lines,
        .event = put_event_line } },
    { "frames", ".sf1", { .takes_frames = true, .begin = begin_stream, .frame = put_frame } },
};

const struct export_sink export_events = { .event = put_event };

const struct export_format *export_format_find(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}
