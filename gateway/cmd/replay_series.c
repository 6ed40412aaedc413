/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/replay_series.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/csv_table.h"
#include "gateway/cmd/replay_names.h"

enum {
    FILES_MAX = 4096,    /* 500 devices of 8 channels each in a file of its own */
    READ_SIZE = 1 << 16, /* bytes read at once from each of them */
    PASSED_OVER = -1,    /* point of a column that is no reading */
};

struct column {
    size_t device;
    int32_t point; /* of its profile */
};

struct file {
    char *name;
    char *stem; /* without ".csv" */
    struct csv_table csv;
    struct column *column;
    bool has_row; /* its next row is in csv */
    int64_t last_ms;
    uint64_t rows;
};

struct device {
    struct reading *readings; /* per point */
    size_t n;
    uint64_t instant; /* whose readings they are */
};

struct replay_series {
    const struct table *table;
    char *folder;
    struct file *files;
    size_t files_n;
    struct device *devices;
    const char **file_of; /* per channel: its file; NULL: it has none */
    uint64_t instant;     /* number of the one at hand */
    uint64_t bytes_total;
    size_t columns;
};

static const struct device_conf *device_at(const struct replay_series *s, size_t i)
{
    return &((const struct device_conf *)s->table->config->devices.items)[i];
}

/* ---- names ---- */

static int complain_of_column(const struct replay_series *s, const struct file *f, unsigned i,
                              const char *device)
{
    const char *name = f->csv.names[i];
    const int rc = csv_table_complain(&f->csv, i + 2,
                                      device ? "expected a point of the device or a quantity "
                                               "that only one of them measures"
                                             : "expected a channel of the configuration",
                                      device ? "应为该仪器的测点，或仅由一个测点测量的要素"
                                             : "应为配置中的通道",
                                      name, strlen(name));

    replay_list_channels(s->table, device, name);
    return rc;
}

static int complain_of_file(const struct replay_series *s, const struct file *f)
{
    fprintf(stderr,
            say("sluice replay: %s: no device of the configuration has this name, and its "
                "columns are not named as channels (roof/ozone).\n",
                "sluice replay：%s：配置中没有此名称的仪器，其列也未以通道命名"
                "（如 roof/ozone）。\n"),
            f->name);
    replay_list_devices(s->table);
    return -EINVAL;
}

/* ---- columns ---- */

/* A channel comes from one column alone. */
static int claim(struct replay_series *s, struct file *f, unsigned i, size_t device,
                 int32_t point)
{
    const int32_t channel = s->table->device[device].channel_of[point];

    f->column[i] = (struct column){ device, point };
    if (s->file_of[channel]) {
        fprintf(stderr,
                say("sluice replay: %s is in %s already, and once more in %s, column %u.\n",
                    "sluice replay：%s 已在 %s 中，又出现在 %s 第 %u 列。\n"),
                s->table->channel[channel].id, s->file_of[channel], f->name, i + 2);
        return -EINVAL;
    }
    s->file_of[channel] = f->name;
    s->columns++;
    return 0;
}

/* "roof/ozone" */
static int bind_channel(struct replay_series *s, struct file *f, unsigned i)
{
    const char *name = f->csv.names[i], *slash = strchr(name, '/');
    size_t device;
    int32_t point;

    if (!replay_find_device(s->table, name, (size_t)(slash - name), &device) ||
        !replay_find_point(s->table, device, slash + 1, &point))
        return complain_of_column(s, f, i, NULL);
    return claim(s, f, i, device, point);
}

static int bind_point(struct replay_series *s, struct file *f, unsigned i, size_t device,
                      const char *name)
{
    int32_t point;

    if (!replay_find_point(s->table, device, name, &point))
        return complain_of_column(s, f, i, device_at(s, device)->id);
    return claim(s, f, i, device, point);
}

/* Statistics of an export are formed anew. */
static int bind_column(struct replay_series *s, struct file *f, unsigned i)
{
    const char *name = f->csv.names[i], *of_file;
    size_t device;

    f->column[i].point = PASSED_OVER;
    if (strchr(name, '@'))
        return 0;
    if (strchr(name, '/'))
        return bind_channel(s, f, i);
    if (!replay_find_by_file(s->table, f->stem, &device, &of_file))
        return complain_of_file(s, f);
    return bind_point(s, f, i, device, of_file && f->csv.columns == 1 ? of_file : name);
}

static int bind_columns(struct replay_series *s, struct file *f)
{
    int rc = 0;

    f->column = calloc(f->csv.columns, sizeof *f->column);
    if (!f->column)
        return -ENOMEM;
    for (unsigned i = 0; rc == 0 && i < f->csv.columns; i++)
        rc = bind_column(s, f, i);
    return rc;
}

/* ---- files ---- */

static bool is_table(const char *name)
{
    const size_t n = strlen(name);

    return n > 4 && name[0] != '.' && strcmp(name + n - 4, ".csv") == 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static int add_file(struct replay_series *s, const char *name)
{
    if (s->files_n == FILES_MAX) {
        fprintf(stderr,
                say("sluice replay: %s: more than %d tables.\n",
                    "sluice replay：%s：超过 %d 个表格。\n"),
                s->folder, FILES_MAX);
        return -EINVAL;
    }
    struct file *files = realloc(s->files, (s->files_n + 1) * sizeof *files);
    if (!files)
        return -ENOMEM;
    s->files = files;
    struct file *f = &s->files[s->files_n++];
    *f = (struct file){ .name = strdup(name), .stem = strndup(name, strlen(name) - 4) };
    return f->name && f->stem ? 0 : -ENOMEM;
}

static int tell_errno(const char *folder, const char *name, int error)
{
    fprintf(stderr, "sluice replay: %s%s%s: %s\n", folder, name ? "/" : "", name ? name : "",
            strerror(error));
    return -EINVAL;
}

static int list_files(struct replay_series *s)
{
    DIR *dir = opendir(s->folder);
    const struct dirent *e;
    int rc = 0;

    if (!dir)
        return tell_errno(s->folder, NULL, errno);
    while (rc == 0 && (e = readdir(dir)))
        if (is_table(e->d_name))
            rc = add_file(s, e->d_name);
    closedir(dir);
    if (rc == 0 && s->files_n == 0) {
        fprintf(stderr,
                say("sluice replay: %s has no table (*.csv).\n",
                    "sluice replay：%s 中没有表格（*.csv）。\n"),
                s->folder);
        return -EINVAL;
    }
    if (rc == 0)
        qsort(s->files, s->files_n, sizeof *s->files, compare_names);
    return rc;
}

static FILE *open_file(struct replay_series *s, const struct file *f)
{
    char *path = NULL;
    struct stat st;

    if (asprintf(&path, "%s/%s", s->folder, f->name) < 0)
        return NULL;
    FILE *in = fopen(path, "r");
    free(path);
    if (in && (fstat(fileno(in), &st) < 0 || !S_ISREG(st.st_mode))) {
        fclose(in);
        errno = EINVAL;
        return NULL;
    }
    if (in) {
        setvbuf(in, NULL, _IOFBF, READ_SIZE);
        s->bytes_total += (uint64_t)st.st_size;
    }
    return in;
}

/* Times must rise: a series is what one instrument measured, in the order of time. */
static int advance(struct file *f)
{
    const int rc = csv_table_next(&f->csv);
    const int64_t time_ms = rc > 0 ? f->csv.time_ms[0] : 0;

    f->has_row = rc > 0;
    if (rc <= 0)
        return rc;
    if (time_ms <= 0)
        return csv_table_complain(&f->csv, 1, "expected a time after 1970",
                                  "应为 1970 年以后的时间", NULL, 0);
    if (f->rows++ && time_ms <= f->last_ms)
        return csv_table_complain(&f->csv, 1,
                                  "expected a time later than that of the row before",
                                  "时间应晚于上一行", NULL, 0);
    f->last_ms = time_ms;
    return 0;
}

static int begin_file(struct replay_series *s, struct file *f)
{
    const char *of_file[1] = { NULL };
    size_t device;

    f->csv.command = "replay";
    f->csv.file = f->name;
    f->csv.in = open_file(s, f);
    if (!f->csv.in)
        return tell_errno(s->folder, f->name, errno);
    replay_find_by_file(s->table, f->stem, &device, &of_file[0]);
    int rc = csv_table_begin(&f->csv, of_file, of_file[0] != NULL);
    if (rc == 0)
        rc = bind_columns(s, f);
    return rc == 0 ? advance(f) : rc;
}

static int prepare_devices(struct replay_series *s)
{
    const size_t n = s->table->config->devices.n;

    s->devices = calloc(n + 1, sizeof *s->devices);
    s->file_of = calloc(s->table->channels.n + 1, sizeof *s->file_of);
    if (!s->devices || !s->file_of)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct device *d = &s->devices[i];
        d->n = device_at(s, i)->profile_found->points_n;
        d->readings = calloc(d->n + 1, sizeof *d->readings);
        if (!d->readings)
            return -ENOMEM;
    }
    return 0;
}

static void close_series(void *self)
{
    struct replay_series *s = self;

    for (size_t i = 0; i < s->files_n; i++) {
        struct file *f = &s->files[i];
        if (f->csv.in)
            fclose(f->csv.in);
        csv_table_done(&f->csv);
        free(f->column);
        free(f->stem);
        free(f->name);
    }
    for (size_t i = 0; s->devices && i < s->table->config->devices.n; i++)
        free(s->devices[i].readings);
    free(s->devices);
    free(s->file_of);
    free(s->files);
    free(s->folder);
    free(s);
}

/* ---- rows ---- */

/* What no table has at this instant is no value. */
static struct reading *reading_at(struct replay_series *s, const struct column *c)
{
    struct device *d = &s->devices[c->device];

    if (d->instant != s->instant)
        for (size_t i = 0; i < d->n; i++)
            d->readings[i] =
                (struct reading){ .value = DECIMAL_MISSING, .raw = DECIMAL_MISSING };
    d->instant = s->instant;
    return &d->readings[c->point];
}

static void take_row(struct replay_series *s, const struct file *f)
{
    for (unsigned i = 0; i < f->csv.columns; i++) {
        const struct series_cell *cell = &f->csv.cells[i];
        if (f->column[i].point == PASSED_OVER)
            continue;
        struct reading *r = reading_at(s, &f->column[i]);
        r->value = r->raw = series_value(cell);
        r->verdict = verdict_from_flag(cell->flag);
    }
}

static int next(void *self, int64_t *ret_ms)
{
    struct replay_series *s = self;
    int64_t time_ms = INT64_MAX;
    int rc = 0;

    for (size_t i = 0; i < s->files_n; i++)
        if (s->files[i].has_row && s->files[i].csv.time_ms[0] < time_ms)
            time_ms = s->files[i].csv.time_ms[0];
    if (time_ms == INT64_MAX)
        return 0;
    s->instant++;
    for (size_t i = 0; rc == 0 && i < s->files_n; i++) {
        struct file *f = &s->files[i];
        if (!f->has_row || f->csv.time_ms[0] != time_ms)
            continue;
        take_row(s, f);
        rc = advance(f);
    }
    *ret_ms = time_ms;
    return rc < 0 ? rc : 1;
}

static const struct reading *readings_of(const void *self, size_t device)
{
    const struct replay_series *s = self;
    const struct device *d = &s->devices[device];

    return d->instant == s->instant ? d->readings : NULL;
}

static bool has(const void *self, uint32_t channel)
{
    return ((const struct replay_series *)self)->file_of[channel] != NULL;
}

static struct replay_progress progress(const void *self)
{
    const struct replay_series *s = self;
    struct replay_progress p = {
        .files = s->files_n,
        .columns = s->columns,
        .total = s->bytes_total,
    };

    for (size_t i = 0; i < s->files_n; i++) {
        const struct file *f = &s->files[i];
        const off_t at = ftello(f->csv.in);
        p.rows += f->rows;
        p.done += at > 0 ? (uint64_t)at : 0;
        p.has_milliseconds |= f->csv.form.decimals > 0 ||
                              (f->csv.has_form && f->csv.form.times == CSV_MILLISECONDS);
    }
    return p;
}

/* ---- */

int replay_series_open(const char *folder, const struct table *t, struct replay_source *ret)
{
    struct replay_series *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->table = t;
    s->folder = strdup(folder);
    int rc = s->folder ? prepare_devices(s) : -ENOMEM;
    if (rc == 0)
        rc = list_files(s);
    for (size_t i = 0; rc == 0 && i < s->files_n; i++)
        rc = begin_file(s, &s->files[i]);
    if (rc < 0) {
        close_series(s);
        return rc;
    }
    *ret = (struct replay_source){ s, next, readings_of, has, progress, close_series };
    return 0;
}
